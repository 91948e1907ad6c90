"""Adding and changing recognition servers: every kind, every error, and back onto the path after it."""

from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web as web_module
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.flows.servers import server_error_key
from custom_components.face_access.recognition.errors import (
    EngineAddressError,
    EngineAuthError,
    EngineCertificateError,
    EngineError,
    EngineForbiddenError,
    EngineInsecureError,
    EngineLimitError,
    EngineProtocolError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnreachableError,
)
from custom_components.face_access.recognition.servers.kind import HalfLoginError
from custom_components.face_access.recognition.servers.table import SERVERS
from simulators._panel import tls
from simulators.kby import SimulatedKby
from simulators.opencv_fr import SimulatedOpenCvFr
from simulators.smartface import Access, SimulatedSmartFace
from tests.conftest import free_port, settle

from .conftest import Start, add, begin, change, go_on

TOKEN, SECRET = "a-fixed-token", "simulated-secret"


class Scripted:
    """A web server that answers everything alike."""

    def __init__(self) -> None:
        self.status = 200
        self.body: Any = {}
        self.url = ""
        self.headers: list[dict[str, str]] = []

    async def answer(self, request: web_module.Request) -> web_module.Response:
        self.headers.append(dict(request.headers))
        if isinstance(self.body, str):
            return web_module.Response(status=self.status, text=self.body)
        return web_module.json_response(self.body, status=self.status)


@pytest.fixture
async def scripted(socket_enabled: None) -> AsyncIterator[Scripted]:
    server = Scripted()
    app = web_module.Application()
    app.router.add_route("*", "/{path:.*}", server.answer)
    runner = web_module.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web_module.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield server
    await runner.cleanup()


async def test_every_kind_is_on_the_menu(hass: HomeAssistant, web: str) -> None:
    """One line in the table is all that it takes."""
    for kind in SERVERS:
        await begin(hass, kind)


async def test_smartface(hass: HomeAssistant, smartface: SimulatedSmartFace) -> None:
    """An address is enough; the watchlist is made with the first look at it."""
    entry = await add(hass, "smartface", url=f" {smartface.url}/ ")
    assert entry.title == "SmartFace (127.0.0.1)"
    assert entry.data == {
        "server": "smartface",
        "url": f"{smartface.url}/",
        "watchlist": "home_assistant",
        "liveness_for": "distant",
        "check_photos": True,
        "keep_pictures": False,
        "verify_ssl": True,
    }
    assert list(smartface.watchlists) == ["home_assistant"]


async def test_smartface_with_a_token(hass: HomeAssistant, started: Start) -> None:
    server = await started(SimulatedSmartFace(access=Access(kind="bearer", token=TOKEN)))
    flow = await go_on(hass, await begin(hass, "smartface"), url=server.url)
    assert flow["errors"] == {"base": "server_invalid_auth"}
    # What no header can hold is a bad token, not a bad address.
    flow = await go_on(hass, flow, url=server.url, token="two\nlines")
    assert flow["errors"] == {"base": "server_invalid_auth"}
    flow = await go_on(hass, flow, url=server.url, token=TOKEN)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert flow["data"]["token"] == TOKEN


async def test_smartface_with_a_client_id(hass: HomeAssistant, started: Start) -> None:
    """Half a login is none, and a wrong one is said so."""
    access = Access(kind="client_credentials", client_secret=SECRET)
    server = await started(SimulatedSmartFace(access=access))
    login = {"token_url": server.token_url, "client_id": access.client_id, "audience": access.audience}
    flow = await go_on(hass, await begin(hass, "smartface"), url=server.url, **login)
    assert flow["errors"] == {"base": "half_login"}
    flow = await go_on(hass, flow, url=server.url, token=TOKEN, client_secret=SECRET, **login)
    assert flow["errors"] == {"base": "half_login"}
    flow = await go_on(hass, flow, url=server.url, client_secret="wrong", **login)
    assert flow["errors"] == {"base": "server_invalid_auth"}
    flow = await go_on(hass, flow, url=server.url, client_secret=SECRET, **login)
    assert flow["type"] is FlowResultType.CREATE_ENTRY


async def test_opencv_fr(hass: HomeAssistant, opencv: SimulatedOpenCvFr) -> None:
    flow = await go_on(hass, await begin(hass, "opencv_fr"), url=opencv.url, api_key="wrong")
    assert flow["errors"] == {"base": "server_invalid_auth"}
    flow = await go_on(hass, flow, url=opencv.url, api_key=opencv.api_key, collection="house 1")
    assert flow["errors"] == {"collection": "invalid_list_name"}
    flow = await go_on(hass, flow, url=opencv.url, api_key=opencv.api_key, collection="house-1")
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    assert (flow["title"], list(opencv.collections)) == ("OpenCV FR Server (127.0.0.1)", ["house-1"])


async def test_opencv_fr_whose_licence_is_over(hass: HomeAssistant, opencv: SimulatedOpenCvFr) -> None:
    opencv.expire_licence()
    flow = await go_on(hass, await begin(hass, "opencv_fr"), url=opencv.url, api_key=opencv.api_key)
    assert flow["errors"] == {"base": "server_limit"}


async def test_kby(hass: HomeAssistant, kby: SimulatedKby, kby_liveness: SimulatedKby) -> None:
    """One of two addresses is enough, and none is too little."""
    flow = await go_on(hass, await begin(hass, "kby"))
    assert flow["errors"] == {"base": "invalid_url"}
    flow = await go_on(hass, flow, compare_url=kby.url)
    assert (flow["type"], flow["title"]) == (FlowResultType.CREATE_ENTRY, "KBY-AI (127.0.0.1)")
    entry = await add(hass, "kby", liveness_url=kby_liveness.url)
    assert entry.runtime_data.engine.verify is None


async def test_kby_mixed_up(hass: HomeAssistant, kby: SimulatedKby, kby_liveness: SimulatedKby) -> None:
    """Each image knows its own calls alone."""
    flow = await go_on(hass, await begin(hass, "kby"), compare_url=kby_liveness.url, liveness_url=kby.url)
    assert flow["errors"] == {"base": "not_a_server"}
    kby_liveness.clear_violations()


@pytest.mark.parametrize(
    "url", ["192.168.1.20", "ftp://server", "http://", "http://user:word@127.0.0.1", "http://127.0.0.1?a=b", "nonsense"]
)
@pytest.mark.parametrize(
    ("kind", "answers"),
    [("smartface", {}), ("opencv_fr", {"api_key": "key"}), ("inference", {})],
)
async def test_an_address_that_is_none(
    hass: HomeAssistant, web: str, kind: str, answers: dict[str, str], url: str
) -> None:
    flow = await go_on(hass, await begin(hass, kind), url=url, **answers)
    assert flow["errors"] == {"base": "invalid_url"}


@pytest.mark.parametrize("kind", ["smartface", "opencv_fr", "inference"])
async def test_nothing_answers(hass: HomeAssistant, web: str, kind: str) -> None:
    more = {"api_key": "key"} if kind == "opencv_fr" else {}
    flow = await go_on(hass, await begin(hass, kind), url=f"http://127.0.0.1:{free_port()}", **more)
    assert flow["errors"] == {"base": "server_cannot_connect"}


@pytest.mark.parametrize("kind", ["smartface", "opencv_fr", "kby"])
async def test_a_certificate_of_its_own(hass: HomeAssistant, web: str, scripted: Scripted, kind: str) -> None:
    """Said to be that, and accepted where the household says so."""
    app = web_module.Application()
    app.router.add_route("*", "/{path:.*}", scripted.answer)
    runner = web_module.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web_module.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls.context("faces")).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    scripted.body = {
        "fullVersion": "v5_4.25.2.6157",
        "name": "home_assistant",
        "num_persons": 0,
        "id": "home_assistant",
    }
    answers = {"compare_url": url} if kind == "kby" else {"url": url}
    answers |= {"api_key": "key"} if kind == "opencv_fr" else {}
    flow = await go_on(hass, await begin(hass, kind), **answers)
    assert flow["errors"] == {"base": "server_certificate"}
    flow = await go_on(hass, flow, **answers, verify_ssl=False)
    # What it then says is no answer of KBY-AI's images.
    assert flow.get("errors") == ({"base": "not_a_server"} if kind == "kby" else None)
    await settle(hass)
    for entry in hass.config_entries.async_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, "<html>It works!</html>", "not_a_server"),
        (200, {"fullVersion": "v5_4.24.0.5398"}, "server_too_old"),
        (200, {"fullVersion": "banana"}, "not_a_server"),
        (200, [], "not_a_server"),
        (404, "not here", "not_a_server"),
        (429, {"title": "slowly"}, "server_limit"),
        (500, {"title": "broken"}, "server_refused"),
        (403, {}, "server_invalid_auth"),
    ],
)
async def test_something_else_answers(
    hass: HomeAssistant, web: str, scripted: Scripted, status: int, body: Any, error: str
) -> None:
    scripted.status, scripted.body = status, body
    flow = await go_on(hass, await begin(hass, "smartface"), url=scripted.url)
    assert flow["errors"] == {"base": error}


@pytest.mark.parametrize(
    ("err", "key"),
    [
        (EngineAddressError(), "invalid_url"),
        (EngineInsecureError(), "https_needed"),
        (HalfLoginError(), "half_login"),
        (EngineTimeoutError(), "server_timeout"),
        (EngineCertificateError(), "server_certificate"),
        (EngineUnreachableError(), "server_cannot_connect"),
        (EngineAuthError(), "server_invalid_auth"),
        (EngineForbiddenError("403"), "server_invalid_auth"),
        (EngineLimitError("429"), "server_limit"),
        (EngineRefusedError("500"), "server_refused"),
        (EngineProtocolError(), "not_a_server"),
        (EngineError(), "not_a_server"),
    ],
)
def test_every_error_has_its_word(err: EngineError, key: str) -> None:
    """The most specific class wins."""
    assert server_error_key(err) == key


async def test_the_same_server_is_added_once(hass: HomeAssistant, smartface: SimulatedSmartFace) -> None:
    """The same people on it, that is: two watchlists are two."""
    await add(hass, "smartface", url=smartface.url)
    flow = await go_on(hass, await begin(hass, "smartface"), url=f"{smartface.url}/")
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")
    flow = await go_on(hass, await begin(hass, "smartface"), url=smartface.url, watchlist="garden")
    assert flow["type"] is FlowResultType.CREATE_ENTRY


async def test_forms_show_no_secret(hass: HomeAssistant, opencv_entry: MockConfigEntry) -> None:
    """What is known is suggested, a key is not; with none filled in the known one stays."""
    flow = await change(hass, opencv_entry)
    assert flow["step_id"] == "server_opencv_fr"
    suggested = {
        str(key): key.description["suggested_value"]
        for key in flow["data_schema"].schema
        if key.description and "suggested_value" in key.description
    }
    assert suggested["collection"] == "home_assistant"
    assert "api_key" not in suggested
    flow = await go_on(hass, flow, url=opencv_entry.data["url"], server_photos="picture")
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await settle(hass)
    assert opencv_entry.data["server_photos"] == "picture"
    assert opencv_entry.data["api_key"] == "sim-key"
    assert opencv_entry.state is ConfigEntryState.LOADED


async def test_a_server_that_moved(hass: HomeAssistant, started: Start, smartface_entry: MockConfigEntry) -> None:
    other = await started(SimulatedSmartFace(version="4.40"))
    flow = await go_on(hass, await change(hass, smartface_entry), url=f"http://127.0.0.1:{free_port()}")
    assert flow["errors"] == {"base": "server_cannot_connect"}
    flow = await go_on(hass, flow, url=other.url)
    assert flow["reason"] == "reconfigure_successful"
    await settle(hass)
    assert smartface_entry.data["url"] == other.url
    assert smartface_entry.unique_id == f"smartface|{other.url}|home_assistant"
    assert list(other.watchlists) == ["home_assistant"]


async def test_a_server_must_not_become_another_ones_double(
    hass: HomeAssistant, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    garden = await add(hass, "smartface", url=smartface.url, watchlist="garden")
    flow = await go_on(hass, await change(hass, garden), url=smartface.url, watchlist="home_assistant")
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert garden.data["watchlist"] == "garden"


async def test_reauth(hass: HomeAssistant, opencv: SimulatedOpenCvFr, opencv_entry: MockConfigEntry) -> None:
    """A key that counts no more is asked for again, and nothing else."""
    opencv.api_key = "another"
    await opencv_entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    assert (flow["context"]["source"], flow["step_id"]) == (SOURCE_REAUTH, "server_login")
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"])
    assert {str(key) for key in flow["data_schema"].schema} == {"api_key"}
    assert flow["description_placeholders"]["name"] == opencv_entry.title
    flow = await go_on(hass, flow, api_key="wrong")
    assert flow["errors"] == {"base": "server_invalid_auth"}
    flow = await go_on(hass, flow, api_key="another")
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    await settle(hass)
    assert opencv_entry.data["api_key"] == "another"
    assert opencv_entry.runtime_data.last_update_success


async def test_reauth_in_another_way(hass: HomeAssistant, started: Start) -> None:
    """A server that gives tokens now takes no fixed one any more."""
    server = await started(SimulatedSmartFace(access=Access(kind="bearer", token=TOKEN)))
    entry = await add(hass, "smartface", url=server.url, token=TOKEN)
    server.access.kind = "client_credentials"
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    flow = await go_on(
        hass,
        flow,
        token_url=server.token_url,
        client_id=server.access.client_id,
        client_secret=server.access.client_secret,
        audience=server.access.audience,
    )
    assert flow["reason"] == "reauth_successful"
    assert "token" not in entry.data


async def test_back_to_no_login(hass: HomeAssistant, started: Start) -> None:
    """What is kept of a login can be forgotten: by saying so, or by leaving its other half empty."""
    access = Access(kind="client_credentials", client_secret=SECRET)
    server = await started(SimulatedSmartFace(access=access))
    login = {"token_url": server.token_url, "client_id": access.client_id, "audience": access.audience}
    entry = await add(hass, "smartface", url=server.url, client_secret=SECRET, **login)
    server.access.kind = "none"
    flow = await change(hass, entry)
    assert "forget_login" in flow["data_schema"].schema
    flow = await go_on(hass, flow, url=server.url, token_url=server.token_url)
    # An address for tokens alone is still half a login.
    assert flow["errors"] == {"base": "half_login"}
    flow = await go_on(hass, flow, url=server.url, forget_login=True, **login)
    assert flow["reason"] == "reconfigure_successful"
    await settle(hass)
    assert not {"token_url", "client_id", "client_secret", "audience", "forget_login"} & entry.data.keys()
    assert "forget_login" not in (await change(hass, entry))["data_schema"].schema


async def test_a_fixed_token_is_forgotten(hass: HomeAssistant, started: Start) -> None:
    server = await started(SimulatedSmartFace(access=Access(kind="bearer", token=TOKEN)))
    entry = await add(hass, "smartface", url=server.url, token=TOKEN)
    server.access.kind = "none"
    flow = await go_on(hass, await change(hass, entry), url=server.url, forget_login=True)
    assert flow["reason"] == "reconfigure_successful"
    await settle(hass)
    assert "token" not in entry.data


async def test_a_secret_stays_at_its_address(hass: HomeAssistant, started: Start, scripted: Scripted) -> None:
    """Whoever changes the address gives the secret again: nobody else is sent the one that is kept."""
    server = await started(SimulatedSmartFace(access=Access(kind="bearer", token=TOKEN)))
    entry = await add(hass, "smartface", url=server.url, token=TOKEN)
    scripted.status = 401
    flow = await go_on(hass, await change(hass, entry), url=scripted.url)
    assert flow["errors"] == {"base": "server_invalid_auth"}
    assert scripted.headers
    assert not any("Authorization" in each for each in scripted.headers)
    # At the same address, however it is written, it stays.
    flow = await go_on(hass, flow, url=f"{server.url}/")
    assert flow["reason"] == "reconfigure_successful"
    await settle(hass)
    assert entry.data["token"] == TOKEN


async def test_a_key_that_must_be_is_asked_for_again(hass: HomeAssistant, opencv_entry: MockConfigEntry) -> None:
    flow = await go_on(hass, await change(hass, opencv_entry), url=f"http://127.0.0.1:{free_port()}")
    assert flow["errors"] == {"api_key": "missing"}

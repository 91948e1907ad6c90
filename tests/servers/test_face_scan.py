"""The face scan service: consent, signing in at its own pages, renewal, and signing in again."""

import logging
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
from homeassistant.components.application_credentials import ClientCredential, async_import_client_credential
from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.servers.coordinator import async_make
from simulators.face_scan import SimulatedFaceScan
from tests.conftest import free_port, settle

from .conftest import Flow, Start, begin, change, go_on

pytestmark = pytest.mark.usefixtures("current_request_with_host")
ACCOUNT = {"username": "household", "password": "house-password"}


@pytest.fixture
async def service(started: Start) -> SimulatedFaceScan:
    return await started(SimulatedFaceScan())


@pytest.fixture
async def credentials(hass: HomeAssistant, web: str) -> None:
    """The household has entered the client id that the vendor gave it."""
    assert await async_setup_component(hass, "auth", {})
    assert await async_setup_component(hass, "application_credentials", {})
    await async_import_client_credential(hass, DOMAIN, ClientCredential("sim-client", "sim-secret", "Ours"), "ours")


def answers(service: SimulatedFaceScan, **more: Any) -> dict[str, Any]:
    return {
        "pictures_leave_house": True,
        "compare_url": service.compare_url,
        "records_url": service.records_url,
        "authorize_url": service.authorize_url,
        "token_url": service.token_url,
        **more,
    }


async def sign_in(hass: HomeAssistant, hass_client_no_auth: ClientSessionGenerator, flow: Flow) -> Flow:
    """Do what a person does in the browser: the service's page, and back."""
    assert flow["type"] is FlowResultType.EXTERNAL_STEP, flow
    async with (
        aiohttp.ClientSession() as browser,
        browser.post(flow["url"], data=ACCOUNT, allow_redirects=False) as page,
    ):
        assert page.status == 302, await page.text()
        query = parse_qs(urlsplit(page.headers["Location"]).query)
    client = await hass_client_no_auth()
    back = await client.get(f"/auth/external/callback?code={query['code'][0]}&state={query['state'][0]}")
    assert back.status == 200
    return await hass.config_entries.flow.async_configure(flow["flow_id"])


@pytest.fixture
async def entry(
    hass: HomeAssistant,
    credentials: None,
    service: SimulatedFaceScan,
    hass_client_no_auth: ClientSessionGenerator,
) -> MockConfigEntry:
    flow = await go_on(hass, await begin(hass, "face_scan"), **answers(service))
    flow = await sign_in(hass, hass_client_no_auth, flow)
    assert flow["type"] is FlowResultType.CREATE_ENTRY, flow
    await settle(hass)
    entry: MockConfigEntry = flow["result"]
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def test_signing_in(hass: HomeAssistant, service: SimulatedFaceScan, entry: MockConfigEntry) -> None:
    """The entry holds the token and where it came from; the service has seen no picture."""
    assert entry.title == "Face scan service"
    assert entry.data["auth_implementation"] == "ours"
    assert entry.data["token"]["refresh_token"]
    assert service.login.granted == ["authorization_code"]
    assert service.records == {}


async def test_off_by_default(hass: HomeAssistant, credentials: None, service: SimulatedFaceScan) -> None:
    """Nobody's pictures leave the house by a form that was clicked away."""
    flow = await begin(hass, "face_scan")
    (consent,) = (key for key in flow["data_schema"].schema if key == "pictures_leave_house")
    assert consent.default() is False
    flow = await go_on(hass, flow, **answers(service, pictures_leave_house=False))
    assert flow["errors"] == {"pictures_leave_house": "consent_missing"}
    assert list(service.requests) == []


async def test_without_application_credentials(hass: HomeAssistant, web: str, service: SimulatedFaceScan) -> None:
    """Home Assistant asks for them by itself where a flow ends like this."""
    assert await async_setup_component(hass, "application_credentials", {})
    flow = await go_on(hass, await begin(hass, "face_scan"), **answers(service))
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "missing_credentials")


async def test_two_client_ids(
    hass: HomeAssistant,
    credentials: None,
    service: SimulatedFaceScan,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """The household is asked which one counts."""
    await async_import_client_credential(hass, DOMAIN, ClientCredential("another", "secret", "Another"), "another")
    flow = await go_on(hass, await begin(hass, "face_scan"), **answers(service))
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "pick_implementation")
    assert set(flow["data_schema"].schema) == {"implementation"}
    flow = await sign_in(hass, hass_client_no_auth, await go_on(hass, flow, implementation="ours"))
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await settle(hass)


async def test_an_address_that_is_none(hass: HomeAssistant, credentials: None, service: SimulatedFaceScan) -> None:
    flow = await go_on(hass, await begin(hass, "face_scan"), **answers(service, records_url="nowhere"))
    assert flow["errors"] == {"base": "invalid_url"}


@pytest.mark.parametrize("name", ["authorize_url", "token_url"])
async def test_an_address_of_the_login_that_is_none(
    hass: HomeAssistant, credentials: None, service: SimulatedFaceScan, name: str
) -> None:
    flow = await go_on(hass, await begin(hass, "face_scan"), **answers(service, **{name: "javascript:alert(1)"}))
    assert flow["errors"] == {"base": "invalid_url"}


async def test_no_list_of_records_there(
    hass: HomeAssistant,
    credentials: None,
    service: SimulatedFaceScan,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """A wrong address of the records shows at the end of the flow."""
    flow = await go_on(hass, await begin(hass, "face_scan"), **answers(service, records_url=f"{service.url}/no"))
    flow = await sign_in(hass, hass_client_no_auth, flow)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "not_a_server")
    service.clear_violations()


@pytest.mark.parametrize("path", ["", "/token"])
@pytest.mark.parametrize("records", [True, False])
async def test_nobody_compares_there(
    hass: HomeAssistant,
    credentials: None,
    service: SimulatedFaceScan,
    hass_client_no_auth: ClientSessionGenerator,
    path: str,
    *,
    records: bool,
) -> None:
    """A wrong address for comparing shows at the end of the flow too, and no picture is sent to find out."""
    wrong = answers(service, compare_url=f"{service.url}{path}" if path else f"http://127.0.0.1:{free_port()}")
    if not records:
        del wrong["records_url"]
    if path:
        service.fail(path="/compare_face", status=404)
    flow = await go_on(hass, await begin(hass, "face_scan"), **wrong)
    flow = await sign_in(hass, hass_client_no_auth, flow)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "not_a_server" if path else "server_cannot_connect")
    assert service.records == {}


@pytest.mark.parametrize("name", ["compare_url", "records_url", "authorize_url", "token_url"])
async def test_a_cloud_without_encryption(
    hass: HomeAssistant, credentials: None, service: SimulatedFaceScan, name: str
) -> None:
    """Faces and tokens do not travel openly; within the house that is the household's business."""
    for host in ("scans.example.com", "8.8.8.8", "[2001:4860:4860::8888]"):
        flow = await go_on(hass, await begin(hass, "face_scan"), **answers(service, **{name: f"http://{host}/x"}))
        assert flow["errors"] == {"base": "https_needed"}
    for url in (
        "https://scans.example.com/x",
        "http://192.168.1.5:8080/x",
        "http://[::1]:8080/x",
        "http://localhost/x",
    ):
        values = {"server": "face_scan", **answers(service, **{name: url})}
        assert async_make(hass, values).engine.verify is not None
    assert list(service.requests) == []


async def test_a_token_without_an_end_is_not_logged(
    hass: HomeAssistant,
    credentials: None,
    service: SimulatedFaceScan,
    hass_client_no_auth: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Home Assistant itself would write such an answer into its log, token and all."""
    caplog.set_level(logging.DEBUG)
    flow = await go_on(hass, await begin(hass, "face_scan"), **answers(service))
    service.fail(path="/token", status=200, body='{"access_token": "very-secret"}', content_type="application/json")
    flow = await sign_in(hass, hass_client_no_auth, flow)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "oauth_failed")
    assert "very-secret" not in caplog.text


async def test_renewal(hass: HomeAssistant, service: SimulatedFaceScan, entry: MockConfigEntry) -> None:
    """A token that the service takes no more is renewed once, whatever its time."""
    before = entry.data["token"]["access_token"]
    service.end_tokens()
    await entry.runtime_data.async_refresh()
    assert entry.runtime_data.last_update_success
    assert entry.data["token"]["access_token"] != before
    assert service.login.granted == ["authorization_code", "refresh_token"]


async def test_a_login_that_is_away(hass: HomeAssistant, service: SimulatedFaceScan, entry: MockConfigEntry) -> None:
    """Not reached is not refused: nobody has to sign in again."""
    service.end_tokens()
    service.fail(path="/token", status=503, times=2)
    await entry.runtime_data.async_refresh()
    assert not entry.runtime_data.last_update_success
    assert hass.config_entries.flow.async_progress() == []
    service.failures.clear()
    await entry.runtime_data.async_refresh()
    assert entry.runtime_data.last_update_success


async def test_signing_in_again(
    hass: HomeAssistant,
    service: SimulatedFaceScan,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    service.end_sessions()
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    assert (flow["context"]["source"], flow["step_id"]) == (SOURCE_REAUTH, "sign_in_again")
    flow = await go_on(hass, flow)
    flow = await sign_in(hass, hass_client_no_auth, flow)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    await settle(hass)
    assert entry.runtime_data.last_update_success
    assert entry.data["compare_url"] == service.compare_url


async def test_without_a_way_to_renew(hass: HomeAssistant, service: SimulatedFaceScan, entry: MockConfigEntry) -> None:
    """A service that gives no refresh token wants a new sign-in each time."""
    token = {key: value for key, value in entry.data["token"].items() if key != "refresh_token"}
    hass.config_entries.async_update_entry(entry, data={**entry.data, "token": token})
    service.end_tokens()
    await entry.runtime_data.async_refresh()
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["step_id"] == "sign_in_again"


async def test_changing_addresses(
    hass: HomeAssistant,
    service: SimulatedFaceScan,
    entry: MockConfigEntry,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    """What proves the new ones is a new sign-in."""
    flow = await change(hass, entry)
    assert flow["step_id"] == "server_face_scan"
    flow = await go_on(hass, flow, **answers(service, channel="web"))
    flow = await sign_in(hass, hass_client_no_auth, flow)
    assert flow["reason"] == "reconfigure_successful"
    await settle(hass)
    assert entry.data["channel"] == "web"
    assert entry.state is ConfigEntryState.LOADED


async def test_credentials_that_are_gone(
    hass: HomeAssistant, web: str, service: SimulatedFaceScan, entry: MockConfigEntry
) -> None:
    """The client id was removed: the household has to sign in anew."""
    hass.config_entries.async_update_entry(entry, data={**entry.data, "auth_implementation": "somebody else's"})
    assert not await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH

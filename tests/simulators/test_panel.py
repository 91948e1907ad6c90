"""The simulated panel against the vendor's documents, by plain HTTP; no code of the integration takes part."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
import hashlib
import hmac
from io import BytesIO
import json
from pathlib import Path
import re
import sys
import time
from typing import Any

import aiohttp
from aiohttp import web
from PIL import Image
import pytest

from simulators._panel.qr import matrix
from simulators._panel.routes import routes_of
from simulators._terminal import pictures
from simulators.panel import MODELS, SimulatedPanel, Timings

pytestmark = pytest.mark.usefixtures("socket_enabled")

FAST = Timings(
    command=0,
    second=0.01,
    snapshot=0.02,
    photo_pace=0,
    enrol=0.05,
    remote_wait=0.2,
    webhook_retry=0.02,
    syslog_retry=0.02,
    sip_register=0.01,
    face_rest=0.1,
    down_after=0.02,
    reboot=0.1,
    restart=0.05,
)
FACE = "/access/general/facerecognition"
ITEM = "/access/identifier/item"
LINK = "91c615e3-1040-4815-8ecb-039a18b756b6"
SECRET = "a secret of sixteen"
ANDROID = [name for name, model in MODELS.items() if model.family == "android"]
WITH_FACE = [name for name, model in MODELS.items() if model.has("face")]


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


class UnansweredError(aiohttp.ClientError):
    """The connection was cut before the answer."""


async def once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a GET that was cut, as it does of its own accord: some GETs of panels open doors."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as err:
        raise UnansweredError from err


class Client:
    """Somebody who speaks to a panel."""

    def __init__(self, panel: SimulatedPanel, session: aiohttp.ClientSession) -> None:
        self.panel, self.session = panel, session
        self.headers: dict[str, str] = {}

    async def login(self, username: str = "admin", password: str = "123456") -> str:
        digest = hashlib.md5(password.encode()).hexdigest()
        status, body = await self.call("GET", "/login", params={"username": username, "password": digest})
        assert status == 200, body
        self.headers = {"Authorization": f"Bearer {body['token']}"}
        return body["account_type"]

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        if body is not None:
            more["json"] = body
        headers = {**self.headers, **more.pop("headers", {})}
        url = f"{self.panel.base_url}{path}"
        async with self.session.request(method, url, headers=headers, ssl=False, **more) as answer:
            raw = await answer.read()
            if answer.content_type == "application/json" and raw:
                return answer.status, json.loads(raw)
            return answer.status, raw if answer.content_type.startswith(("image/", "application/")) else raw.decode()

    async def get(self, path: str, **query: Any) -> Any:
        status, body = await self.call("GET", path, params=query)
        assert status == 200, (path, status, body)
        return body

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        status, answer = await self.call(method, path, body, **more)
        assert status == 200, (path, status, answer)
        return answer


@asynccontextmanager
async def running(model: str = "AA-12FB", *, login: bool = True, **more: Any) -> AsyncIterator[Client]:
    panel = SimulatedPanel(model=model, **{"timings": FAST, **more})
    await panel.start()
    async with aiohttp.ClientSession(middlewares=[once]) as session:
        client = Client(panel, session)
        if login:
            await client.login()
        yield client
    await panel.stop()


@pytest.fixture
async def aa() -> AsyncIterator[Client]:
    async with running() as client:
        yield client


@pytest.fixture(params=list(MODELS))
async def each(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with running(request.param) as client:
        yield client


class Listener:
    """A server that a panel calls: webhooks, questions, syslog."""

    def __init__(self) -> None:
        self.url = ""
        self.port = 0
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.closing = asyncio.Event()
        self.reply: Callable[[bytes], Awaitable[web.Response]] = self.agree

    async def agree(self, _body: bytes) -> web.Response:
        return web.Response()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.requests.append((dict(request.headers), body))
        return await self.reply(body)

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(body) for _headers, body in self.requests]


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    server = Listener()
    app = web.Application()
    app.router.add_post("/{path:.*}", server.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    server.url = f"http://127.0.0.1:{server.port}/hook"
    yield server
    server.closing.set()
    await runner.cleanup()


async def until(condition: Callable[[], Any], seconds: float = 3) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.005)


def photo(size: tuple[int, int] = (640, 480)) -> bytes:
    return pictures.to_jpeg(pictures.draw("Erin").resize(size))


def card(number: str = "555", **more: Any) -> dict[str, Any]:
    return {
        "identifier_owner": {"name": "Erin Post", "type": "owner"},
        "identifier_type": "card",
        "identifier_number": number,
        "lock": "second",
        **more,
    }


# Who it is, and who may ask.


async def test_info_needs_no_login(each: Client) -> None:
    model = each.panel.model
    async with each.session.get(f"{each.panel.url}/api/info") as answer:
        info = await answer.json()
    assert info["api_version"] == model.api
    assert info["device_type"] == "panel"
    assert info["device_serial_number"] == each.panel.serial
    assert ("hybrid_enable" in info) == (model.family == "android")
    assert model.base == ("/api/v0" if model.name == "AA-07" else "/api/v1")
    other = "/api/v1" if model.base == "/api/v0" else "/api/v0"
    async with each.session.get(f"{each.panel.url}{other}/sip/status", headers=each.headers) as answer:
        assert answer.status == 404
    assert each.panel.violations == []


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"username": "admin", "password": "0" * 32}, "Wrong login or password"),
        ({"username": "nobody", "password": "0" * 32}, "Wrong login or password"),
        ({"username": "admin"}, "Required parameters missed"),
        ({}, "Required parameters missed"),
    ],
)
async def test_wrong_login_is_400(aa: Client, query: dict[str, str], text: str) -> None:
    assert await aa.call("GET", "/login", params=query) == (400, {"error": text})


async def test_login_is_logged_and_counted(each: Client) -> None:
    assert each.panel.accounts.logins == 1
    await each.call("GET", "/login", params={"username": "admin", "password": "0" * 32})
    assert each.panel.journal.written()[-2:] == ["successful_login_api_call", "incorrect_login_api_call"]
    await each.call("GET", "/login", params={"username": "admin", "password": "123456"})
    assert each.panel.violations == ["the password of a login is not an MD5 sum"]


async def test_tokens_look_like_the_family_and_expire() -> None:
    async with running(timings=Timings(command=0, token=0.05)) as client:
        assert re.fullmatch("[0-9a-f]{40}", client.headers["Authorization"].removeprefix("Bearer "))
        await client.get("/sip/status")
        await asyncio.sleep(0.06)
        assert await client.call("GET", "/sip/status") == (401, {"error": "Log In"})
        await client.login()
        assert await client.panel.expire_tokens() == 1
        assert (await client.call("GET", "/sip/status"))[0] == 401
    async with running("AV-03BD") as client:
        assert len(client.headers["Authorization"].removeprefix("Bearer ").split("-")) == 5


async def test_logout_ends_the_session(aa: Client) -> None:
    await aa.get("/logout")
    assert (await aa.call("GET", "/sip/status"))[0] == 401


@pytest.mark.parametrize(("model", "allowed"), [(name, name != "AA-07") for name in MODELS])
async def test_basic_where_it_is_told(model: str, allowed: bool) -> None:
    async with running(model, login=False) as client:
        client.headers = {"Authorization": aiohttp.encode_basic_auth("admin", "123456")}
        assert (await client.call("GET", "/sip/status"))[0] == (200 if allowed else 401)
        client.headers = {"Authorization": aiohttp.encode_basic_auth("admin", "1234567")}
        assert (await client.call("GET", "/sip/status"))[0] == 401
        assert client.panel.accounts.logins == 0


async def test_a_changed_password_ends_every_token(aa: Client) -> None:
    await aa.panel.set_password("other")
    assert (await aa.call("GET", "/sip/status"))[0] == 401
    with pytest.raises(AssertionError, match="Wrong login"):
        await aa.login()
    assert await aa.login(password="other") == "admin"


@pytest.mark.parametrize("model", ANDROID)
async def test_a_manager_is_no_administrator(model: str) -> None:
    async with running(model, login=False) as client:
        assert await client.login("manager") == "manager"
        assert await client.call("GET", "/system/reboot/run") == (403, {"error": "Administrator rights required"})
        await client.get("/sip/status")
        assert client.panel.acts == {}


async def test_camdroid_has_administrators_only() -> None:
    async with running("AV-03BD", login=False) as client:
        with pytest.raises(AssertionError, match="Wrong login"):
            await client.login("manager")


@pytest.mark.parametrize(("model", "path"), [("AV-08FB", ""), ("AV-03BD", "web/"), ("AA-12FB", "")])
async def test_the_password_is_changed_where_the_model_wants_it(model: str, path: str) -> None:
    async with running(model) as client:
        old, new = {"oldPassword": "123456", "newPassword": "n"}, {"old_password": "123456", "new_password": "n"}
        right, wrong = ({}, old) if model == "AA-12FB" else (old, {})
        body, no_body = (new, None) if model == "AA-12FB" else (None, new)
        url = f"/security/password/{path}admin"
        assert (await client.call("POST", url, no_body, params=wrong))[0] == 400
        await client.send("POST", url, body, params=right)
        await client.login(password="n")


# Errors.


async def test_paths_and_methods_nobody_has_are_violations(aa: Client) -> None:
    assert await aa.call("GET", "/door/open") == (404, "")
    assert (await aa.call("DELETE", "/device/settings/volume"))[0] == 405
    assert aa.panel.violations == [
        "no panel knows GET /door/open",
        "/device/settings/volume does not take DELETE",
    ]


async def test_what_another_panel_has_may_be_probed(each: Client) -> None:
    model = each.panel.model
    status, body = await each.call("GET", FACE)
    if model.has("face"):
        assert status == 200
    elif model.family == "android":
        assert (status, body) == (404, "This feature is disabled on your device")
    else:
        assert (status, body) == (404, "")
    status, _body = await each.call("GET", "/webhooks")
    assert (status == 200) == (model.name in {"AA-12FB", "AV-08FB"})
    status, _body = await each.call("GET", "/network/management/server")
    assert (status == 200) == (model.name != "AA-07")
    assert each.panel.violations == []


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", "Wrong JSON body"),
        (b"{", "Wrong JSON body"),
        (b"[]", "Wrong JSON body"),
        (b"{}", "Wrong JSON body: no value for `volume_level`"),
        (b'{"volume_level": "4"}', "Wrong JSON body: value `volume_level` was of the wrong type"),
        (b'{"volume_level": true}', "Wrong JSON body: value `volume_level` was of the wrong type"),
        (b'{"volume_level": 9}', "Wrong volume_level value"),
    ],
)
async def test_bodies_are_checked(aa: Client, raw: bytes, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await aa.call("POST", "/device/settings/volume", data=raw, headers=headers)
    assert answer == (400, {"error": text})
    assert aa.panel.violations == []


async def test_what_a_panel_would_ignore_is_a_violation(aa: Client) -> None:
    await aa.send("POST", "/device/settings/volume", {"volume_level": 5, "volume": 3})
    await aa.get("/sip/status", fast="1")
    await aa.send("POST", "/device/settings/mic", data=b'{"mic_gain_level": 2}', headers={"Content-Type": "text/plain"})
    assert aa.panel.violations == [
        "/device/settings/volume has no field 'volume' to write",
        "GET /sip/status has no parameter 'fast'",
        "Content-Type of /api/v1/device/settings/mic is 'text/plain'",
    ]
    assert (await aa.get("/device/settings/volume")) == {"volume_level": 5}


async def test_every_call_of_every_panel_has_an_answer(each: Client) -> None:
    """No call ends in an error of the simulator, and each refuses who has not logged in."""
    panel = each.panel
    for route in routes_of(panel):
        path = re.sub(r"\{\w+\}", "1", route.path)
        if route.path in {"/logout", "/system/reboot/run", "/photo/file"} or not route.exists(panel):
            continue
        status, _body = await each.call(route.method, path, {} if route.body == "json" else None)
        assert status in ({404} if route.needs and not panel.model.has(route.needs) else {200, 400}), path
        status, body = await each.call(route.method, path, headers={"Authorization": "Bearer stale"})
        assert (status, body) == (401, {"error": "Log In"}), path
    assert panel.violations == []


async def test_paths_that_no_document_shows_can_be_off() -> None:
    async with running(inferred=False) as client:
        assert (await client.call("GET", "/webhooks"))[0] == 404
        assert (await client.call("POST", "/access/general/lock/close/emergency", {"locks": [1]}))[0] == 404
        assert (await client.call("GET", "/network/management/server"))[0] == 404
        assert (await client.call("GET", "/webhooks/1")) == (400, {"error": "Wrong webhook uid"})
        assert client.panel.violations == []
    async with running("AV-03BD", inferred=False) as client:
        await client.send("POST", "/access/general/lock/close/emergency", {"locks": [1]})
        await client.get("/network/management/server")


async def test_failures_can_be_planned(aa: Client) -> None:
    await aa.panel.fail("/sip/status", 503, times=2)
    assert [(await aa.call("GET", "/sip/status"))[0] for _ in range(3)] == [503, 503, 200]
    await aa.panel.fail("/lock/open", after=True)
    path = "/access/general/lock/open/remote/accepted/1"
    with pytest.raises(UnansweredError):
        await aa.call("GET", path)
    assert len(aa.panel.openings) == 1
    assert aa.panel.acts[path] == aa.panel.count("GET", path) == 1


async def test_a_call_that_is_repeated_shows(aa: Client) -> None:
    """What the library does by default, and why a client must keep it from that."""
    path = "/access/general/lock/open/remote/accepted/1"
    await aa.panel.fail(path, after=True)
    async with aiohttp.ClientSession(headers=aa.headers) as careless:
        await careless.get(f"{aa.panel.base_url}{path}")
    assert aa.panel.acts[path] == len(aa.panel.openings) == 2


async def test_https_with_a_certificate_nobody_trusts() -> None:
    async with running(https=True) as client:
        assert client.panel.url.startswith("https://")
        with pytest.raises(aiohttp.ClientConnectorCertificateError):
            await client.session.get(f"{client.panel.url}/api/info")
        await client.send("POST", "/web/ssl", {"is_enabled": False})
        await asyncio.sleep(0.15)
        assert client.panel.url.startswith("http://")
        await client.get("/sip/status")


# Faces.


@pytest.mark.parametrize(
    ("model", "shown"),
    [
        ("AA-12FB", {"autostart": True, "mode": "3D", "available_modes": ["software", "3D", "antispoofing"]}),
        ("BI-06FB", {"mode": "3D"}),
        ("AV-08FB", {"mode": "software", "available_modes": ["software", "3D", "antispoofing"]}),
    ],
)
async def test_face_settings_are_shown_as_the_kind_has_them(model: str, shown: dict[str, Any]) -> None:
    async with running(model) as client:
        assert await client.get(FACE) == {"enable": False, "similarity": "low", **shown}


@pytest.mark.parametrize("model", WITH_FACE)
async def test_face_settings_refuse_with_the_documented_texts(model: str) -> None:
    async with running(model) as client:
        good = {"enable": True, "similarity": "high", "mode": "antispoofing"}
        if model == "AA-12FB":
            assert await client.call("POST", FACE, good) == (
                400,
                {"error": "Wrong JSON body: no value for `autostart`"},
            )
            good["autostart"] = False
        for change, text in (
            ({"similarity": "best"}, "Wrong similarity field=best. Available values: [low, normal, high]"),
            ({"mode": "2D"}, "Wrong mode field=2D. Available values: [software, 3D]"),
            ({"enable": 1}, "Wrong JSON body: value `enable` was of the wrong type"),
        ):
            assert await client.call("POST", FACE, {**good, **change}) == (400, {"error": text})
        assert await client.call("POST", FACE, data=b"nothing") == (400, {"error": "Wrong JSON body"})
        client.panel.clear_violations()
        await client.send("POST", FACE, good)
        shown = await client.get(FACE)
        assert {name: shown[name] for name in good} == good
        assert client.panel.violations == []


async def test_an_individual_panel_has_no_3d_and_no_autostart() -> None:
    async with running("AV-08FB") as client:
        body = {"enable": True, "similarity": "low", "mode": "3D"}
        text = "Wrong mode field=3D. Available values: [software, 3D]"
        assert await client.call("POST", FACE, body) == (400, {"error": text})
        await client.send("POST", FACE, {**body, "mode": "software", "autostart": True})
        assert "autostart" not in await client.get(FACE)
        assert client.panel.violations == ["the face settings of this panel have no field 'autostart'"]


async def test_antispoofing_came_with_api_2_9() -> None:
    async with running("BI-06FB", api="2.0.0") as client:
        body = {"enable": True, "similarity": "low", "mode": "antispoofing"}
        assert (await client.call("POST", FACE, body))[0] == 400
        assert (await client.get(FACE))["available_modes"] == ["software", "3D"]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_face_settings_are_the_administrators(aa: Client, method: str) -> None:
    await aa.login("manager")
    assert await aa.call(method, FACE, {} if method == "POST" else None) == (
        403,
        {"error": "Administrator rights required"},
    )


async def test_a_new_mode_counts_after_a_reboot(aa: Client) -> None:
    panel = aa.panel
    await aa.send("POST", FACE, {"enable": True, "similarity": "low", "mode": "software", "autostart": True})
    assert panel.faces.active_mode == "3D"
    assert await panel.present_photo() == "access_denied_by_not_valid_face_identifier"
    before = panel.booted_at
    await aa.get("/system/reboot/run")
    assert panel.acts == {"/system/reboot/run": 1}
    await until(lambda: not panel.online)
    with pytest.raises(aiohttp.ClientError):
        await aa.call("GET", "/sip/status")
    await until(lambda: panel.online)
    assert panel.booted_at > before
    assert (await aa.call("GET", "/sip/status"))[0] == 401
    await aa.login()
    booted = [item for item in panel.journal.items if item["name"]["key"] == "device_booted"]
    assert len(booted) == 2
    assert panel.faces.active_mode == "software"
    assert await panel.present_photo() == "access_granted_by_valid_face_identifier"


async def test_who_is_recognised(aa: Client) -> None:
    panel = aa.panel
    assert await panel.present_known() is None
    await panel.change_face(enable=True)
    assert await panel.present_known() == "access_granted_by_valid_face_identifier"
    assert panel.journal.items[-1]["info"]["model"] == {"lock": 1, "owner": "Alice Gardner"}
    assert (panel.openings[-1].lock, panel.openings[-1].owner) == (1, "Alice Gardner")
    assert await panel.present_stranger() == "access_denied_by_not_valid_face_identifier"
    assert (len(panel.openings), panel.locks.denials) == (1, 1)
    await panel.change_face(autostart=False)
    assert await panel.present_known() is None
    assert await panel.present_known(started=True) == "access_granted_by_valid_face_identifier"
    with pytest.raises(ValueError, match="no face of Bob"):
        await panel.present_known("Bob")


async def test_a_bi_panel_looks_for_no_faces_during_a_call() -> None:
    async with running("BI-06FB") as client:
        panel = client.panel
        await panel.change_face(enable=True)
        assert await panel.ring(6)
        assert await panel.present_known() is None
        await panel.cancel()
        assert await panel.present_known() is None
        await asyncio.sleep(0.11)
        assert await panel.present_known() is not None
        with pytest.raises(ValueError, match="6 buttons"):
            await panel.ring(7)


# Identifiers.


async def create_face(client: Client) -> int:
    body = {**card(), "identifier_type": "face_id", "identifier_number": ""}
    return (await client.send("POST", "/access/identifier", body))["uid"]


def form(data: bytes, name: str = "file") -> aiohttp.FormData:
    made = aiohttp.FormData()
    made.add_field(name, data, filename="face.jpg", content_type="image/jpeg")
    return made


@pytest.mark.parametrize("name", ["file", "status"])
async def test_a_face_is_enrolled_from_a_photo(aa: Client, name: str) -> None:
    uid = await create_face(aa)
    with pytest.raises(ValueError, match="no face of Erin"):
        await aa.panel.present_known("Erin Post")
    path = f"{ITEM}/face/file/{uid}"
    await aa.send("POST", path, data=form(photo(), name))
    await aa.panel.change_face(enable=True)
    assert await aa.panel.present_known("Erin Post") == "access_granted_by_valid_face_identifier"
    assert aa.panel.openings[-1].lock == 2
    # The temporary identifier is complete: it takes no second photo.
    status, body = await aa.call("POST", path, data=form(photo()))
    assert (status, body["error"][:22]) == (400, "Wrong identifier-uid. ")
    assert aa.panel.violations == []


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (pictures.sample("empty"), "Face hasn't been detected on image"),
        (pictures.sample("two"), "Face hasn't been detected on image"),
        (photo((300, 300)), "Wrong image file"),
        (photo()[:200], "Wrong image file"),
        (b"\x89PNG", "Wrong file format"),
    ],
)
async def test_a_photo_must_show_one_face(aa: Client, data: bytes, text: str) -> None:
    uid = await create_face(aa)
    answer = await aa.call("POST", f"{ITEM}/face/file/{uid}", data=form(data))
    assert answer == (400, {"error": text})
    assert not aa.panel.identifiers.items[uid]["enrolled"]


async def test_photos_are_enrolled_one_at_a_time(aa: Client) -> None:
    uids = [await create_face(aa), await create_face(aa)]
    answers = await asyncio.gather(*(aa.call("POST", f"{ITEM}/face/file/{uid}", data=form(photo())) for uid in uids))
    assert sorted(status for status, _body in answers) == [200, 400]
    assert {"error": "Loading file in progress. Wait for result"} in [body for _status, body in answers]
    assert aa.panel.violations == ["a photo was uploaded while another was being enrolled"]


async def test_an_upload_without_a_photo(aa: Client) -> None:
    uid = await create_face(aa)
    assert (await aa.call("POST", f"{ITEM}/face/file/{uid}", data=b"x"))[0] == 400
    headers = {"Content-Type": "multipart/form-data"}
    assert (await aa.call("POST", f"{ITEM}/face/file/{uid}", data=b"x", headers=headers))[0] == 400
    text = "Wrong identifier-uid. Missed temporary identifier for adding faceId"
    assert await aa.call("POST", f"{ITEM}/face/file/99", data=form(photo())) == (400, {"error": text})


async def test_an_identifier_lives_and_dies(each: Client) -> None:
    old = each.panel.model.major < 2 and each.panel.model.family == "android"
    uid = (await each.send("POST", "/access/identifier", card()))["uid"]
    read = f"/access/identifiers/item/{uid}" if old else f"{ITEM}/{uid}"
    shown = await each.get(read)
    assert {name: shown[name] for name in card()} == card()
    assert shown["time_profiles"] == {"count": 0, "uid_items": []}
    assert await each.panel.swipe_card("555") == "access_granted_by_valid_identifier"
    await each.send("PATCH", f"{ITEM}/{uid}", card("00-01-AF", lock="all"))
    assert await each.panel.swipe_card("0001af") == "access_granted_by_valid_identifier"
    assert [opening.lock for opening in each.panel.openings] == [2, 1, 2]
    await each.send("DELETE", f"{ITEM}/{uid}")
    assert await each.call("GET", read) == (400, {"error": "Wrong identifier-uid"})
    assert await each.panel.swipe_card("555") == "access_denied_by_unknown_card"
    assert each.panel.journal.items[-1]["info"]["model"] == {"card": "555"}
    await each.send("DELETE", "/access/identifier/items", {"uid_items": [1, 2, 99]})
    assert 1 not in each.panel.identifiers.items
    assert each.panel.violations == []


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"identifier_number": "12345678901"}, "Wrong identifier_number value"),
        ({"identifier_number": "AF"}, "Wrong identifier_number value"),
        ({"identifier_type": "inputCode", "identifier_number": "12a"}, "Wrong identifier_number value"),
        ({"identifier_type": "qr"}, "Wrong identifier_number value"),
        ({"lock": 1}, "Wrong JSON body: value `lock` was of the wrong type"),
        ({"lock": "third"}, "Wrong lock field=third. Available values: [first, second, all]"),
        ({"identifier_owner": {"name": "E"}}, "Wrong JSON body: no value for `type`"),
        ({"valid": {"time": {"is_permanent": False, "from": 1}}}, "Wrong JSON body: no value for `to`"),
        ({"valid": {"passes": {"is_permanent": False}}}, "Wrong JSON body: no value for `max_passes`"),
        ({"identifier_number": "12345678"}, "Identifier with this number already exists"),
    ],
)
async def test_identifiers_are_checked(aa: Client, change: dict[str, Any], text: str) -> None:
    assert await aa.call("POST", "/access/identifier", {**card(), **change}) == (400, {"error": text})


async def test_each_model_has_its_types(each: Client) -> None:
    for kind, number in (("face_id", ""), ("license_plate", "AB 123")):
        body = {**card(), "identifier_type": kind, "identifier_number": number}
        status, _answer = await each.call("POST", "/access/identifier", body)
        model = each.panel.model
        has = model.has("face") if kind == "face_id" else model.name != "AA-07"
        assert status == (200 if has else 400), kind


async def test_passes_and_times_run_out(aa: Client) -> None:
    valid = {"time": {"is_permanent": True}, "passes": {"is_permanent": False, "max_passes": 1}}
    uid = (await aa.send("POST", "/access/identifier", card(valid=valid)))["uid"]
    outcomes = [await aa.panel.swipe_card("555"), await aa.panel.swipe_card("555")]
    assert outcomes == ["access_granted_by_valid_identifier", "access_denied_by_not_valid_identifier"]
    assert (await aa.get(f"{ITEM}/{uid}"))["additional"] == {"passes_left": 0}
    await aa.send("POST", f"{ITEM}/{uid}/passes/reset")
    assert await aa.panel.swipe_card("555") == "access_granted_by_valid_identifier"
    assert await aa.panel.swipe_card("87654321") == "access_denied_by_not_valid_identifier"


async def test_a_qr_identifier_has_a_picture(aa: Client) -> None:
    listed = await aa.get("/access/identifier/items", filter_field="identifier_type", filter_type="equal",
                          filter_format="string", filter_value="qr")  # fmt: skip
    (item,) = listed["list_items"]
    image = Image.open(BytesIO(await aa.get(f"{ITEM}/{item['identifier_uid']}/qr", locale="en")))
    assert (image.format, image.size) == ("PNG", (296, 296))
    modules = matrix(item["identifier_number"].encode())
    assert [image.getpixel((36 + 8 * x, 36)) == 0 for x in range(29)] == modules[0]
    assert await aa.panel.show_qr(item["identifier_number"]) == "access_granted_by_valid_identifier"
    assert await aa.panel.show_qr(LINK) == "access_denied_unknown_identifier"
    assert (await aa.call("GET", f"{ITEM}/1/qr"))[0] == 400


async def test_identifiers_by_the_ids_of_a_manager(aa: Client) -> None:
    entry = {**card(), "link_id": LINK}
    face = {
        **entry,
        "identifier_type": "face_id",
        "identifier_number": "",
        "face_image": base64.b64encode(photo()).decode(),
    }
    face["link_id"] = LINK.replace("9", "8", 1)
    answer = await aa.send("POST", "/access/identifier/items/link", {"list_items": [entry, face]})
    assert [result["status"] for result in answer["result"]] == ["Created", "Created"]
    answer = await aa.send("POST", "/access/identifier/items/link", {"list_items": [{**entry, "lock": "first"}]})
    assert [result["status"] for result in answer["result"]] == ["Updated"]
    listed = await aa.get("/access/identifier/items/link", link_id=LINK)
    assert [item["link_id"] for item in listed["list_items"]] == [face["link_id"], LINK]
    assert "identifier_uid" not in listed["list_items"][0]
    await aa.panel.change_face(enable=True)
    assert await aa.panel.present_known("Erin Post") == "access_granted_by_valid_face_identifier"
    answer = await aa.send("DELETE", "/access/identifier/items/link", {"link_ids": [LINK, LINK]})
    assert [result["status"] for result in answer["result"]] == ["Deleted", "Not found"]
    assert aa.panel.violations == []


async def test_identifiers_by_type_with_the_newest_api(aa: Client) -> None:
    listed = await aa.get("/access/identifiers", type="card", number="12345678")
    assert [item["identifier_owner"]["name"] for item in listed["list_items"]] == ["Bob Mason"]
    assert (await aa.call("GET", "/access/identifiers", params={"type": "thumb"}))[0] == 400


async def test_lists_filter_in_the_style_of_their_api(each: Client) -> None:
    model = each.panel.model
    path = "/access/identifiers/items/list" if model.base == "/api/v0" else "/access/identifier/items"
    flat = {"filter_field": "identifier_number", "filter_type": "equal", "filter_format": "string"}
    flat["filter_value"] = "12345678"
    text = "(identifier_number eq '12345678' or name eq 'Nobody') and not identifier_type eq 'qr'"
    expression = {"limit": 10, "page_number": 1, "filter": text, "order_by": "identifier_number desc"}
    styles = {"flat": [flat], "expression": [expression], "both": [flat, expression]}
    for query in styles[model.filters]:
        listed = await each.get(path, **query)
        assert [item["identifier_owner"]["name"] for item in listed["list_items"]] == ["Bob Mason"]
        assert listed["list_option"]["pagination"]["total_items"] == 1
    assert each.panel.violations == []
    if model.filters != "both":
        await each.call("GET", path, params=flat if model.filters == "expression" else expression)
        assert each.panel.violations


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({"limit": "15"}, "Wrong pagination limit"),
        ({"limit": "ten"}, "Wrong pagination limit"),
        ({"page_number": "0"}, "Wrong page number"),
        ({"sort_type": "up"}, "Wrong sort type"),
        ({"sort_field": "colour"}, "Wrong sort field"),
        ({"filter_type": "equal"}, "Wrong filter field"),
        ({"filter_field": "lock", "filter_type": "like", "filter_value": "all"}, "Wrong filter type"),
        ({"filter_field": "lock", "filter_type": "equal"}, "Wrong filter value"),
        (
            {"filter_field": "lock", "filter_type": "equal", "filter_format": "x", "filter_value": "all"},
            "Wrong filter format",
        ),
    ],
)
async def test_lists_refuse_wrong_parameters(aa: Client, query: dict[str, str], text: str) -> None:
    assert await aa.call("GET", "/access/identifier/items", params=query) == (400, {"error": text})


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("lock like 'all'", "Wrong filter type"),
        ("colour eq 'red'", "Wrong filter field"),
        ("lock eq", "Wrong filter format"),
        ("lock eq all", "Wrong filter value"),
        ("(lock eq 'all'", "Wrong filter format"),
        ("lock eq 'all' lock", "Wrong filter format"),
        ("lock eq 'all", "Wrong filter format"),
    ],
)
async def test_expressions_are_checked(text: str, refusal: str) -> None:
    async with running("AV-03BD") as client:
        query = {"limit": 10, "page_number": 1, "filter": text}
        answer = await client.call("GET", "/access/identifier/items", params=query)
        assert answer == (400, {"error": refusal})
        assert (await client.call("GET", "/access/identifier/items"))[0] == 400


PROFILE = {
    "name": "Work week",
    "time_options": {"is_all_day": False, "date_from": 1790_064_000, "date_to": 1790_067_600},  # a Tuesday, 8-9 h UTC
    "repeat_options": {
        "repeat_enable": True,
        "repeat_format": {
            "repeat_type": "day",
            "repeat_end": {"format": "date", "date": 1792_000_000},
            "repeat_custom": {"repeat_point_type": "week", "repeat_looper": 1, "repeat_options": ["TUE", "FRI"]},
        },
    },
}


async def test_a_time_profile_restricts_an_identifier() -> None:
    now = [1790_064_000.0 + 60]
    async with running(clock=lambda: now[0]) as client:
        panel = client.panel
        uid = (await client.send("POST", "/access/timeprofile", PROFILE))["uid"]
        await client.send("POST", f"{ITEM}/2/timeprofile/{uid}")
        assert (await client.get(f"{ITEM}/2"))["time_profiles"] == {"count": 1, "uid_items": [uid]}
        yes, no = "access_granted_by_valid_identifier", "access_denied_by_not_valid_identifier"
        for ahead, outcome in ((0, yes), (3600, no), (86400, no), (3 * 86400, yes), (70 * 86400, no)):
            now[0] = 1790_064_060.0 + ahead
            assert await panel.swipe_card() == outcome, ahead
        await client.send("DELETE", f"{ITEM}/2/timeprofile/{uid}")
        assert await panel.swipe_card() == yes
        await client.send("PATCH", f"/access/timeprofile/item/{uid}", {**PROFILE, "name": "Other"})
        listed = await client.get("/access/timeprofile/items")
        assert [item["name"] for item in listed["list_items"]] == ["Other"]
        await client.send("DELETE", f"/access/timeprofile/item/{uid}")
        assert (await client.call("GET", f"/access/timeprofile/item/{uid}"))[0] == 400
        assert panel.violations == []


@pytest.mark.parametrize(
    ("kind", "days", "allowed"),
    [("day", 1, True), ("week", 1, False), ("week", 7, True), ("month", 30, True), ("month", 7, False),
     ("year", 365, True), ("year", 30, False)],
)  # fmt: skip
async def test_profiles_repeat(kind: str, days: int, allowed: bool) -> None:
    now = [1790_064_060.0]
    profile = {**PROFILE, "repeat_options": {"repeat_enable": True, "repeat_format": {"repeat_type": kind}}}
    async with running(clock=lambda: now[0]) as client:
        uid = (await client.send("POST", "/access/timeprofile", profile))["uid"]
        assert client.panel.profiles.allows([uid], now[0])
        assert client.panel.profiles.allows([uid], now[0] + days * 86400) == allowed
        assert not client.panel.profiles.allows([uid], now[0] - 86400)
        body = {**profile, "time_options": {"is_all_day": True, "date_from": 2, "date_to": 1}}
        assert (await client.call("POST", "/access/timeprofile", body))[0] == 400
        once = {**profile, "repeat_options": {"repeat_enable": False}}
        once["time_options"] = {**PROFILE["time_options"], "is_all_day": True}
        await client.send("PATCH", f"/access/timeprofile/item/{uid}", once)
        assert client.panel.profiles.allows([uid], now[0] + 8 * 3600)
        assert not client.panel.profiles.allows([uid], now[0] + days * 86400)
        await client.send("POST", f"{ITEM}/2/timeprofile/{uid}")
        await client.send("DELETE", f"/access/timeprofile/item/{uid}")
        assert client.panel.identifiers.items[2]["profiles"] == []


async def test_an_identifier_belongs_to_an_apartment(aa: Client) -> None:
    await aa.send("POST", "/apartment/item/2/identifier/2")
    assert (await aa.get(f"{ITEM}/2"))["apartment"] == {"uid": 2}
    await aa.send("POST", "/apartment/item/unbind/identifier/2")
    assert "apartment" not in await aa.get(f"{ITEM}/2")
    assert (await aa.call("POST", "/apartment/item/9/identifier/2"))[0] == 400


# Locks and the door.


async def test_locks_open_once_and_each_call_counts(each: Client) -> None:
    each.panel.timings = replace(FAST, second=0.1)
    panel, path = each.panel, "/access/general/lock/open/remote/accepted"
    await each.send("POST", "/access/general/lock/timeout/2", {"lock_timeout": 5})
    await each.send("POST", "/access/general/lock/delay/2", {"lock_delay": 2})
    for number in (0, 1, 2):
        await each.get(f"{path}/{number}")
    assert [(opening.lock, opening.seconds) for opening in panel.openings] == [(1, 3), (2, 5), (1, 3), (2, 5)]
    assert panel.acts == {f"{path}/{number}": 1 for number in (0, 1, 2)}
    assert panel.journal.written()[-1] == "access_granted_by_api_call"
    assert panel.locks.is_open(1)
    assert not panel.locks.is_open(2)
    await until(lambda: panel.locks.is_open(2))
    await until(lambda: not panel.locks.is_open(2))
    known = "0, 1, 2" if panel.model.family == "android" else "0, 1, 2, 3, 4, 5, 6, 7, 8"
    assert await each.call("GET", f"{path}/9") == (
        400,
        {"error": f"Only {known} indexes available for the lock number"},
    )
    status, _body = await each.call("POST", "/access/general/lock/timeout/1", {"lock_timeout": 41})
    assert status == 400
    assert panel.violations == []


async def test_camdroid_opens_for_a_time_of_its_own() -> None:
    async with running("AV-03BD") as client:
        await client.get("/access/general/lock/open/remote/accepted/1", unlockTime=60)
        assert client.panel.openings[-1].seconds == 60
        path = "/access/general/lock/open/remote/accepted/1"
        assert (await client.call("GET", path, params={"unlockTime": 604801}))[0] == 400


async def test_access_is_denied_and_opened_for_a_server(aa: Client) -> None:
    await aa.get("/access/general/lock/open/remote/denied")
    await aa.get("/access/general/lock/open/remote/control/denied")
    await aa.get("/access/general/lock/open/remote/control/accepted/2")
    assert aa.panel.locks.denials == 2
    assert aa.panel.journal.written()[-2:] == [
        "access_denied_by_remote_server_api_call",
        "access_granted_by_remote_server_api_call",
    ]


async def test_an_emergency_holds_open_until_it_ends(aa: Client) -> None:
    path = "/access/general/lock/open/emergency"
    await aa.send("POST", path, {"locks": [{"lock_number": 1, "unlock_time": 86400}]})
    assert aa.panel.locks.is_open(1)
    assert aa.panel.journal.written()[-1] == "emergency_lock_is_opened"
    await aa.send("POST", "/access/general/lock/close/emergency", {"locks": [1]})
    assert not aa.panel.locks.is_open(1)
    for number, seconds in ((3, 10), (1, 0), (1, 86401)):
        body = {"locks": [{"lock_number": number, "unlock_time": seconds}]}
        assert (await aa.call("POST", path, body))[0] == 400
    assert len(aa.panel.openings) == 1


async def test_free_access_opens_for_a_button_press() -> None:
    monday = 1790_064_000.0 - 86400 + 3600  # 9 h UTC
    async with running(clock=lambda: monday) as client:
        values = await client.get("/access/freeaccess")
        assert not await client.panel.press_free_access()
        await client.send("POST", "/access/freeaccess", {**values, "enable": True})
        assert await client.panel.press_free_access()
        days = [{**day, "enable": day["day"] != "MON"} for day in values["days"]]
        await client.send("POST", "/access/freeaccess", {"enable": True, "days": days})
        assert not await client.panel.press_free_access()
        assert len(client.panel.openings) == 1


@pytest.mark.parametrize("model", ["BI-06FB", "AV-08FB"])
async def test_what_only_keypad_panels_have(model: str) -> None:
    async with running(model) as client:
        for path in ("/access/freeaccess", "/access/general/unlock/input/code", "/device/call/dial/auto"):
            assert await client.call("GET", path) == (404, "This feature is disabled on your device")
        with pytest.raises(ValueError, match="no keypad"):
            await client.panel.enter_code()


async def test_the_master_code_and_codes_exclude_each_other(aa: Client) -> None:
    path = "/access/general/unlock/input/code"
    taken = {"input_code_enable": True, "input_code_number": "4711"}
    assert (await aa.call("POST", path, taken))[0] == 400
    await aa.send("POST", path, {"input_code_enable": True, "input_code_number": "0815"})
    assert await aa.panel.enter_code("0815") == "access_granted_by_master_code"
    assert await aa.panel.enter_code("4711") == "access_granted_by_valid_identifier"
    assert await aa.panel.enter_code("1") == "access_denied_by_not_valid_input_code"
    body = {**card("0815"), "identifier_type": "inputCode"}
    assert (await aa.call("POST", "/access/identifier", body))[0] == 400


async def test_the_door_is_watched_when_there_is_a_sensor(each: Client) -> None:
    panel, answer = each.panel, {"error": "Door sensor mode is not activated"}
    assert await each.call("GET", "/access/door/status") == (400, answer)
    values = await each.get("/access/door/sensor")
    modes = values.pop("available_modes")
    assert modes == list(panel.model.door_modes)
    assert ("concierge" in modes) == (panel.model.kind != "individual")
    new = {**values, "enable": True, "opening_delay": 40, "repeating_message_enable": True}
    await each.send("POST", "/access/door/sensor", {**new, "repeating_message_delay": 5})
    assert await panel.open_door()
    shown = await each.get("/access/door/status")
    assert (shown["status"], shown["is_timeout_exceed"], shown["mode"]) == ("open", False, "door_sensor")
    await until(lambda: panel.door.exceeded)
    assert (await each.get("/access/door/status"))["opentime"] >= 40
    if panel.model.family == "android":
        await until(lambda: panel.journal.written().count("door_was_not_closed_too_long") >= 2)
    assert await panel.close_door()
    assert (await each.get("/access/door/status"))["status"] == "closed"
    assert panel.journal.written()[-1] == "door_sensor_was_closed"
    bad = {**new, "mode": "concierge" if panel.model.kind == "individual" else "call_button"}
    assert (await each.call("POST", "/access/door/sensor", bad))[0] == 400
    assert panel.violations == []


# The remote access server.


@pytest.mark.parametrize(("model", "switch"), [("AA-12FB", "enabled"), ("BI-06FB", "enable"), ("AV-03BD", "enabled")])
async def test_the_switch_of_the_remote_server_is_spelled_two_ways(model: str, switch: str) -> None:
    async with running(model) as client:
        path = "/access/general/remote/control/settings"
        values = await client.get(path)
        assert values == {switch: False, "custom_server_enabled": False, "custom_server_api_url": ""}
        await client.send("POST", path, {**values, switch: True})
        other = "enable" if switch == "enabled" else "enabled"
        status, body = await client.call("POST", path, {"custom_server_enabled": True, other: True})
        assert (status, body) == (400, {"error": f"Wrong JSON body: no value for `{switch}`"})


@pytest.mark.parametrize(
    ("reply", "key", "locks"),
    [
        ({"handled": False}, "access_granted_by_valid_identifier", [1]),
        ({"handled": True, "access": {"granted": False}}, "access_denied_by_remote_server_api_call", []),
        (
            {"handled": True, "access": {"granted": True, "lock_number": 2}},
            "access_granted_by_remote_server_api_call",
            [2],
        ),
        (
            {"handled": True, "access": {"granted": True, "lock_number": 0}},
            "access_granted_by_remote_server_api_call",
            [1, 2],
        ),
    ],
)
async def test_the_panel_asks_first(aa: Client, listener: Listener, reply: Any, key: str, locks: list[int]) -> None:
    async def answer(_body: bytes) -> web.Response:
        return web.json_response(reply)

    listener.reply = answer
    await consent(aa, listener)
    assert await aa.panel.swipe_card() == key
    assert [opening.lock for opening in aa.panel.openings] == locks
    assert listener.bodies == [{"identifier_number": "12345678", "identifier_type": "card"}]
    assert aa.panel.violations == []


@pytest.mark.parametrize("reply", [{}, {"handled": True}, {"handled": True, "access": {"granted": True}}, None])
async def test_an_answer_that_is_none_leaves_it_to_the_panel(aa: Client, listener: Listener, reply: Any) -> None:
    async def answer(_body: bytes) -> web.Response:
        if reply is None:
            await listener.closing.wait()
        return web.json_response(reply)

    listener.reply = answer
    await consent(aa, listener)
    assert await aa.panel.enter_code("4711") == "access_granted_by_valid_identifier"
    assert bool(aa.panel.violations) == (reply is not None)
    (question,) = aa.panel.remote.questions
    assert (question.verdict, question.identifier_type) == (None, "input_code")


async def test_faces_are_not_asked_about(aa: Client, listener: Listener) -> None:
    await consent(aa, listener)
    await aa.panel.change_face(enable=True)
    await aa.panel.present_known()
    assert listener.requests == []


async def consent(client: Client, listener: Listener) -> None:
    body = {client.panel.switch_field: True, "custom_server_enabled": True, "custom_server_api_url": listener.url}
    await client.send("POST", "/access/general/remote/control/settings", body)


# Calls and SIP.


async def test_a_ring_and_what_becomes_of_it(each: Client) -> None:
    panel = each.panel
    assert await panel.ring()
    assert not await panel.ring()
    assert panel.journal.written()[-1] == "outgoing_call"
    assert await panel.answer()
    assert await panel.host_dials("#") == 1
    assert panel.journal.written()[-1] == "access_granted_by_call_host"
    assert await panel.host_dials("9") is None
    assert await panel.hang_up()
    assert not await panel.cancel()
    await panel.ring()
    assert await panel.cancel()
    missed = panel.model.family == "android"
    assert panel.journal.written()[-1] == ("outgoing_call_missed" if missed else "outgoing_call")
    await panel.ring()
    await until(lambda: panel.calls.state == "idle")
    assert panel.journal.written().count("outgoing_call_missed") == (2 if missed else 0)


async def test_sip_registers_and_is_lost(aa: Client) -> None:
    assert (await aa.get("/sip/status"))["sip_status"] == "OFFLINE"
    await aa.send("POST", "/device/sip/enable", {"sip_enable": True})
    await until(lambda: aa.panel.calls.failed)
    assert (await aa.get("/sip/status"))["sip_status"] == "ERROR"
    values = await aa.get("/device/sip/settings")
    account = {"proxy": "sip:127.0.0.1:5060", "realm": "127.0.0.1", "user": "panel", "password": "secret1"}
    await aa.send("POST", "/device/sip/settings", {**values, **account})
    await until(lambda: aa.panel.calls.registered)
    shown = await aa.get("/device/sip/settings")
    assert shown["password"] == "WebPass"
    status = await aa.get("/sip/status")
    assert (status["sip_status"], status["register_last_attempt"] is None) == ("OK", False)
    await aa.panel.lose_sip()
    assert aa.panel.journal.written()[-1] == "sip_registration_lost"
    await aa.panel.restore_sip()
    await until(lambda: aa.panel.calls.registered)
    assert aa.panel.violations == []
    await aa.send("POST", "/device/sip/settings", shown)
    assert aa.panel.violations == ["the mask of the SIP password was written as the password"]
    assert (await aa.call("POST", "/device/sip/settings", {**values, **account, "transport": "quic"}))[0] == 400


async def test_old_camdroid_firmware_shows_the_sip_password() -> None:
    account = {"proxy": "sip:127.0.0.1", "realm": "r", "user": "panel", "password": "secret1"}
    for firmware, shown in (("3.5.0", "secret1"), ("3.9.2", "WebPass")):
        async with running("AV-03BD", firmware=firmware) as client:
            values = await client.get("/device/sip/settings")
            await client.send("POST", "/device/sip/settings", {**values, **account})
            assert (await client.get("/device/sip/settings"))["password"] == shown


async def test_only_camdroid_calls_by_http() -> None:
    async with running("AV-03BD") as client:
        await client.send("POST", "/system/debug/call/start", {"number": "sip:house@127.0.0.1"})
        assert client.panel.calls.state == "dialling"
        assert (await client.call("POST", "/system/debug/call/start", {"number": "sip:x@127.0.0.1"}))[0] == 400
        await client.send("POST", "/system/debug/call/end")
        assert client.panel.calls.state == "idle"
    async with running() as client:
        assert (await client.call("POST", "/system/debug/call/start", {"number": "sip:x@h"}))[0] == 404
        assert client.panel.violations == []


async def test_calls_are_forwarded(aa: Client) -> None:
    await aa.send("POST", "/forward/item/7", {"forward_entity_list": ["sip:a@127.0.0.1"]})
    listed = await aa.get("/forward/items", limit=10, page_number=1)
    assert listed["list_items"] == [{"forward_number": 7, "forward_entity_list": ["sip:a@127.0.0.1"]}]
    await aa.send("DELETE", "/forward/items", {"uid_items": [7]})
    assert (await aa.get("/forward/items"))["list_items"] == []


# The camera.


async def test_photos_come_as_the_model_sends_them(each: Client) -> None:
    form_of = {"AA-12FB": "WEBP", "BI-06FB": "WEBP", "AV-08FB": "JPEG", "AA-07": "JPEG", "AV-03BD": "base64"}
    raw = await each.get("/photo/file")
    wanted = form_of[each.panel.model.name]
    if wanted == "base64":
        raw, wanted = base64.b64decode(raw, validate=True), "WEBP"
    image = Image.open(BytesIO(raw))
    assert (image.format, image.size) == (wanted, (640, 480))
    await each.panel.ring(visitor="Erin")
    assert await each.get("/photo/file") != raw
    assert each.panel.violations == []
    assert each.panel.stream.url == f"rtsp://admin:123456@127.0.0.1:{each.panel.stream.port}/ch01"


async def test_photos_are_asked_for_one_at_a_time_and_slowly() -> None:
    async with running(timings=replace(FAST, photo_pace=60)) as client:
        await client.get("/photo/file")
        assert client.panel.violations == []
        await client.get("/photo/file")
        assert client.panel.violations == ["photos are asked for too fast"]
        client.panel.clear_violations()
        # Long enough for the second to come while the first is taken, on a busy machine too.
        client.panel.timings = replace(client.panel.timings, snapshot=1)
        await asyncio.gather(client.get("/photo/file"), client.get("/photo/file"))
        assert client.panel.violations[-1] == "a photo was asked for while another was being taken"


# The log.


async def test_the_log_is_read_page_by_page(each: Client) -> None:
    panel = each.panel
    path = "/log/list" if panel.model.base == "/api/v0" else "/log/items"
    for _ in range(12):
        await panel.press_exit()
    down = (
        {"order_by": "timestamp desc"}
        if panel.model.family == "camdroid"
        else {"sort_field": "timestamp", "sort_type": "desc"}
    )
    first = await each.get(path, limit=10, page_number=1, locale="en", **down)
    second = await each.get(path, limit=10, page_number=2, **down)
    total = len(panel.journal.items)
    assert first["list_option"]["pagination"] == {
        "total_items": total,
        "items_limit": 10,
        "total_pages": 2,
        "current_page": 1,
    }
    items = first["list_items"] + second["list_items"]
    assert items == panel.journal.items[::-1]
    assert items[0]["name"]["key"] == "lock_was_opened_by_exit_btn"
    assert items[0]["category"] == "access"
    since = panel.journal.items[3]["timestamp"]
    later = await each.get(path, limit=50, page_number=1, **{"from": since})
    assert all(item["timestamp"] >= since for item in later["list_items"])
    assert panel.violations == []


async def test_the_log_is_filtered_and_checked(aa: Client) -> None:
    await aa.panel.press_exit()
    query = {"filter_field": "category", "filter_type": "equal", "filter_value": "access"}
    listed = await aa.get("/log/items", **query)
    assert [item["name"]["key"] for item in listed["list_items"]] == ["lock_was_opened_by_exit_btn"]
    for wrong, text in (
        ({"from": "now"}, "Wrong time format"),
        ({"from": "2", "to": "1"}, "Wrong time range: from is later than to"),
    ):
        assert await aa.call("GET", "/log/items", params=wrong) == (400, {"error": text})
    await aa.get("/log/items", locale="xx")
    assert aa.panel.violations == ["the log has no locale 'xx'"]


@pytest.mark.parametrize(("model", "field"), [("AA-12FB", "clear_fields"), ("AV-03BD", "data_types")])
async def test_the_log_is_cleared(model: str, field: str) -> None:
    async with running(model) as client:
        await client.send("POST", "/system/data/clear", {field: ["logs"]})
        assert client.panel.journal.items == []
        await client.panel.press_exit()
        await client.send("DELETE", "/system/debug/log")
        assert client.panel.journal.items == []


async def test_camdroid_says_less() -> None:
    async with running("AV-03BD") as client:
        await client.panel.tamper()
        assert await client.panel.show_qr(LINK) == "access_denied_by_unknown_qr_code"
        await client.get("/access/general/lock/open/remote/denied")
        assert client.panel.journal.written()[-2:] == [
            "access_denied_by_unknown_qr_code",
            "access_denied_by_web_api_call",
        ]
        assert "device_booted" not in client.panel.journal.written()


# Pushes.


def hook(listener: Listener, **more: Any) -> dict[str, Any]:
    kinds = ["log.outgoing_call", "log.access_granted_by_valid_identifier"]
    return {"url": listener.url, "status": "active", "event_types": kinds, "secret": SECRET, **more}


async def test_a_webhook_lives_and_dies(aa: Client, listener: Listener) -> None:
    uid = (await aa.send("POST", "/webhooks", hook(listener)))["item_uid"]
    listed = await aa.get("/webhooks", limit=10, page_number=1)
    assert [item["item_uid"] for item in listed["list_items"]] == [uid]
    assert listed["list_options"]["pagination"]["total_items"] == 1
    assert (await aa.get(f"/webhooks/{uid}"))["url"] == listener.url
    trace = await aa.send("POST", f"/webhooks/{uid}/test")
    assert "HTTP 200" in trace
    assert listener.bodies[0]["data"] == {"test": "success"}
    await aa.send("PUT", f"/webhooks/{uid}", hook(listener, status="disabled"))
    await aa.panel.ring()
    await aa.send("DELETE", f"/webhooks/{uid}")
    assert await aa.call("POST", f"/webhooks/{uid}/test") == (400, {"error": "Wrong webhook uid"})
    await aa.panel.idle()
    assert len(listener.requests) == 1
    assert aa.panel.violations == []


@pytest.mark.parametrize("signed", ["body", "timestamp.body"])
async def test_webhooks_are_signed(listener: Listener, signed: str) -> None:
    async with running(signed=signed) as client:
        await client.send("POST", "/webhooks", hook(listener, headers='{"X-House": "1"}'))
        await client.panel.ring(3)
        await client.panel.press_exit()
        await client.panel.swipe_card()
        await client.panel.idle()
        assert [body["event_type"] for body in listener.bodies] == hook(listener)["event_types"]
        assert listener.bodies[0]["data"]["name"]["key"] == "outgoing_call"
        assert abs(listener.bodies[0]["created_at"] - time.time() * 1000) < 5000
        headers, raw = listener.requests[0]
        stamp = headers["X-Webhook-Timestamp"]
        covered = raw if signed == "body" else f"{stamp}.".encode() + raw
        assert headers["X-Webhook-Signature"] == hmac.new(SECRET.encode(), covered, hashlib.sha256).hexdigest()
        assert headers["User-Agent"] == "BAS-IP-Webhook-Service/1.0"
        assert (headers["X-Webhook-Attempt"], headers["X-House"]) == ("1", "1")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", stamp)


async def test_webhooks_are_tried_again_in_order(aa: Client, listener: Listener) -> None:
    statuses = [500, 503]

    async def stumble(_body: bytes) -> web.Response:
        return web.Response(status=statuses.pop(0) if statuses else 200)

    listener.reply = stumble
    uid = (await aa.send("POST", "/webhooks", hook(listener)))["item_uid"]
    await aa.panel.ring()
    await aa.panel.swipe_card()
    await aa.panel.idle()
    assert [headers["X-Webhook-Attempt"] for headers, _body in listener.requests] == ["1", "2", "3", "1"]
    assert [body["event_type"] for body in listener.bodies[2:]] == hook(listener)["event_types"]
    listed = await aa.get(f"/webhooks/{uid}/events")
    assert [(item["status"], item["attempts"]) for item in listed["list_items"]] == [("delivered", 3), ("delivered", 1)]
    event = await aa.get(f"/webhooks/events/{listed['list_items'][0]['event_uid']}")
    assert event["response_code"] == 200
    assert await aa.panel.resend_webhook() == 200


async def test_webhooks_are_given_up(aa: Client, listener: Listener) -> None:
    async def refuse(_body: bytes) -> web.Response:
        return web.Response(status=404)

    listener.reply = refuse
    await aa.send("POST", "/webhooks", hook(listener, retries=1))
    await aa.panel.ring()
    await aa.panel.idle()
    assert len(listener.requests) == 2
    assert aa.panel.webhooks.deliveries[0]["status"] == "failed"
    assert await aa.panel.remove_webhooks() == 1
    await aa.panel.hang_up()
    await aa.panel.ring()
    await aa.panel.idle()
    assert len(listener.requests) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"url": "ftp"},
        {"url": "http://" + "x" * 2000},
        {"status": "on"},
        {"event_types": []},
        {"event_types": ["outgoing_call"]},
        {"secret": "short"},
        {"timeout": 500},
        {"headers": {"X": "1"}},
        {"headers": "X"},
        {"headers": '{"Authorization": "x"}'},
        {"description": "x" * 1001},
    ],
)
async def test_webhooks_are_checked(aa: Client, listener: Listener, change: dict[str, Any]) -> None:
    assert (await aa.call("POST", "/webhooks", hook(listener, **change)))[0] == 400
    assert aa.panel.webhooks.items == {}


async def test_webhooks_are_the_administrators(aa: Client, listener: Listener) -> None:
    await aa.login("manager")
    assert (await aa.call("POST", "/webhooks", hook(listener)))[0] == 403


async def test_mqtt_publishes_events_and_presence(aa: Client) -> None:
    seen: list[str] = []
    aa.panel.mqtt.on_publish = lambda topic, _payload: seen.append(topic)
    settings = {"url": "127.0.0.1:1883", "is_logging_enabled": True, "is_encrypted": False}
    body = {"is_enabled": True, "protocol": "mqtt", "settings": settings}
    await aa.send("PUT", "/network/management/server", body)
    await aa.panel.ring()
    topic, payload = aa.panel.mqtt.publications[-1]
    assert topic == f"server/request/v0/{aa.panel.serial}"
    (event,) = json.loads(payload)["body"]["events"]
    assert event["code"] == "outgoing_call"
    await aa.panel.power_cycle(0)
    words = [payload for topic, payload in aa.panel.mqtt.publications if topic.startswith("device/status")]
    assert words == ["offline", "online"]
    assert seen == [topic for topic, _payload in aa.panel.mqtt.publications]


async def test_syslog_lines_of_an_outage_come_together(aa: Client, listener: Listener) -> None:
    server = {"server": "127.0.0.1", "port": listener.port, "severity": 6}
    await aa.send("POST", "/syslog/settings", {"enabled": True, "server": server, "tag": "gate"})
    await aa.panel.cut_network()
    await aa.panel.press_exit()
    await aa.panel.swipe_card()
    await asyncio.sleep(0.05)
    assert listener.requests == []
    await aa.panel.restore_network()
    await until(lambda: listener.requests)
    lines = listener.requests[0][1].decode().splitlines()
    assert len(lines) == 2
    assert re.match(r"<134> \d{4}-\S+ AA-12FB gate Lock opened by exit button", lines[0])


# The rest of the settings.


async def test_status_and_clock(each: Client) -> None:
    assert "firmware_version" in await each.get("/dashboard")
    spoken = await each.get("/device/language")
    assert spoken["current_language"] in spoken["all_supported_languages"]
    await each.send("POST", "/device/language", params={"language": "Polish"})
    assert (await each.get("/device/language"))["current_language"] == "Polish"
    assert (await each.call("POST", "/device/language", params={"language": "pl"}))[0] == 400
    await each.panel.set_clock(3600)
    clock = await each.get("/device/time")
    assert abs(clock["time_unix"] - time.time() - 3600) < 5
    zone = "device_timezone" if each.panel.model.family == "camdroid" else "timezone"
    assert clock[zone] == "UTC+00:00"
    assert re.fullmatch(r"([0-9A-F]{2}:){5}[0-9A-F]{2}", (await each.get("/network/mac"))["mac_address"])
    assert (await each.get("/device/mode/current"))["current_panel_mode"] == "Unit"
    await each.send("POST", "/device/mode/wall", params={"noUnit": "true", "device": 1})
    assert (await each.get("/device/mode/current"))["current_panel_mode"] == "Wall"
    await each.panel.offer_firmware("9.0.0")
    assert (await each.get("/system/firmware/check/status"))["new_version"] == "9.0.0"
    assert each.panel.violations == []


async def test_the_zone_is_named_by_family(each: Client) -> None:
    zone = "current_timezone" if each.panel.model.family == "camdroid" else "timezone"
    await each.send("POST", "/network/timezone", {zone: "UTC+03:00"})
    assert await each.get("/network/timezone") == {zone: "UTC+03:00"}
    assert (await each.call("POST", "/network/timezone", {zone: "Europe/Kyiv"}))[0] == 400
    await each.send("POST", "/network/ntp", {"enabled": False, "use_default": True})
    address = {"ip_address": "10.0.0.2", "mask": "255.0.0.0", "gateway": "10.0.0.1", "dns": "10.0.0.1"}
    await each.send("POST", "/network/settings/static", address)
    assert await each.get("/network/settings") == {"dhcp": False, **address}
    await each.send("POST", "/network/settings/dhcp")
    assert (await each.get("/network/settings"))["dhcp"]
    assert (await each.call("POST", "/network/settings/static", {**address, "dns": "home"}))[0] == 400


async def test_the_clock_is_set_without_ntp(aa: Client) -> None:
    body = {"timezone": "UTC+01:00", "time_unix": 1790_000_000}
    assert (await aa.call("POST", "/network/timezone/manual", body))[0] == 400
    await aa.send("POST", "/network/ntp", {"enabled": False, "use_default": True, "custom_server": ""})
    await aa.send("POST", "/network/timezone/manual", body)
    assert abs(aa.panel.timestamp() - 1790_000_000) < 5


# As a device: network, memory, process, page.


async def test_off_the_network_nothing_answers(aa: Client, listener: Listener) -> None:
    await aa.send("POST", "/webhooks", hook(listener))
    await aa.panel.cut_network(0.1)
    with pytest.raises(aiohttp.ClientError):
        await aa.call("GET", "/sip/status")
    await aa.panel.ring()
    await until(lambda: aa.panel.online)
    await aa.get("/sip/status")
    await aa.panel.idle()
    assert listener.requests == []
    assert "outgoing_call" in aa.panel.journal.written()


async def test_the_state_outlives_the_process(tmp_path: Path, listener: Listener) -> None:
    file = tmp_path / "panel.json"
    async with running(state_file=file) as client:
        await client.send("POST", "/webhooks", hook(listener))
        uid = (await client.send("POST", "/access/identifier", card()))["uid"]
        await client.send("POST", "/device/settings/volume", {"volume_level": 2})
        await client.panel.set_password("other")
        written = client.panel.journal.written()
    async with running(state_file=file, login=False) as client:
        await client.login(password="other")
        assert await client.get("/device/settings/volume") == {"volume_level": 2}
        assert (await client.get(f"{ITEM}/{uid}"))["identifier_owner"]["name"] == "Erin Post"
        assert client.panel.journal.written()[: len(written)] == written
        await client.panel.ring()
        await client.panel.idle()
        assert len(listener.requests) == 1


async def test_the_page_plays_scenes() -> None:
    panel = SimulatedPanel(timings=FAST, page_port=0)
    await panel.start()
    async with aiohttp.ClientSession() as session:
        async with session.get(panel.page_url) as answer:
            assert "Simulated intercom panel" in await answer.text()
        async with session.post(f"{panel.page_url}scene/swipe_card", json={"number": "12345678"}) as answer:
            assert await answer.json() == {"result": "access_granted_by_valid_identifier"}
        for scene, body, status in (
            ("explode", "", 404),
            ("ring", '{"floor": 1}', 400),
            ("ring", "{", 400),
            ("set_password", '{"password": "x", "username": "ghost"}', 400),
            ("clear_violations", "", 200),
        ):
            async with session.post(f"{panel.page_url}scene/{scene}", data=body) as answer:
                assert answer.status == status, scene
        async with session.get(f"{panel.page_url}state") as answer:
            shown = await answer.json()
        async with session.get(f"{panel.page_url}picture") as answer:
            assert (await answer.read()).startswith(b"\xff\xd8")
    assert shown["openings"][0]["owner"] == "Bob Mason"
    assert shown["model"]["name"] == "AA-12FB"
    assert shown == json.loads(json.dumps(shown))
    await panel.stop()


async def test_as_a_process() -> None:
    arguments = ("--model", "AV-08FB", "--port", "0", "--page-port", "0", "--time-command", "0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.panel", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            lines = [(await process.stdout.readline()).decode().split() for _ in range(4)]
        assert lines[0][:2] == ["panel", "AV-08FB"]
        assert lines[2][0] == "rtsp"
        async with aiohttp.ClientSession() as session, session.get(f"{lines[3][1]}state") as answer:
            assert (await answer.json())["serial"] == lines[0][2]
    finally:
        process.terminate()
        assert await process.wait() == 0

"""One login, one request at a time, and what acts is never repeated."""

import asyncio
from base64 import b64encode
from dataclasses import replace
import hashlib
import logging
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationAuthError,
    StationCertificateError,
    StationConnectionError,
    StationForbiddenError,
    StationProtocolError,
    StationRefusedError,
    StationTimeoutError,
    StationUnsupportedError,
    WrongStationError,
)
from custom_components.face_access.devices.panel import link as link_module, transport as transport_module
from custom_components.face_access.devices.panel.client import PanelClient
from custom_components.face_access.devices.panel.link import Credentials, PanelLink
from custom_components.face_access.devices.panel.transport import LONG_TIMEOUT, Answer, Effect, Request
from simulators.panel import MODELS

from .conftest import FAST, INFO, LOGIN, SERIAL, Running, ScriptedPanel, link_to, until

MAC = {"mac_address": "28:FA:A0:00:00:01"}
OPEN = "/access/general/lock/open/remote/accepted/1"


@pytest.mark.parametrize("model", list(MODELS))
async def test_one_login_serves_every_request(running: Running, model: str) -> None:
    pair = await running(model)
    for _ in range(3):
        assert await pair.client.system.mac()
    assert pair.panel.accounts.logins == 1
    assert pair.client.link.account_type == "admin"


async def test_the_password_goes_as_its_sum_and_the_token_as_bearer(
    scripted: ScriptedPanel, client: PanelClient
) -> None:
    scripted.on("GET /network/mac", (200, MAC))
    assert await client.system.mac() == MAC["mac_address"]
    assert scripted.of("/login")[0].query == {"username": "admin", "password": hashlib.md5(b"123456").hexdigest()}
    assert "Authorization" not in scripted.of("/login")[0].headers
    assert scripted.of("/network/mac")[0].headers["Authorization"] == f"Bearer {LOGIN['token']}"


async def test_an_expired_token_means_one_new_login_and_the_request_again(running: Running) -> None:
    pair = await running()
    await pair.client.locks.open(1)
    await pair.panel.expire_tokens()
    await pair.client.locks.open(1)
    assert pair.panel.accounts.logins == 2
    assert pair.panel.acts[OPEN] == 2


async def test_many_requests_at_once_log_in_once_and_go_one_after_the_other(
    scripted: ScriptedPanel, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    scripted.on("GET /network/mac", (200, MAC))
    monkeypatch.setattr(transport_module.Transport, "send", _watched(transport_module.Transport.send, counts))
    await asyncio.gather(*(client.system.mac() for _ in range(5)))
    assert len(scripted.of("/login")) == 1
    assert max(counts) == 1


def _watched(send: Any, counts: list[int]) -> Any:
    running = 0

    async def watched(*args: Any, **more: Any) -> Any:
        nonlocal running
        running += 1
        counts.append(running)
        try:
            return await send(*args, **more)
        finally:
            running -= 1

    return watched


async def test_a_wrong_password_is_an_authentication_failure_and_not_tried_again(running: Running) -> None:
    pair = await running(link={"credentials": Credentials(username="admin", password="guess")})
    for _ in range(3):
        with pytest.raises(StationAuthError):
            await pair.client.system.mac()
    assert pair.panel.count("GET", "/login") == 1
    assert pair.panel.journal.written().count("incorrect_login_api_call") == 1


async def test_a_refused_password_is_tried_again_after_a_while(
    scripted: ScriptedPanel, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET /login", (400, {"error": "Wrong login or password"}), (200, LOGIN))
    scripted.on("GET /network/mac", (200, MAC))
    with pytest.raises(StationAuthError):
        await client.system.mac()
    monkeypatch.setattr(link_module, "REJECTED_FOR", 0)
    assert await client.system.mac()


async def test_a_token_that_is_never_taken_means_basic(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /network/mac", (401, {"error": "Log In"}), (200, MAC))
    assert await client.system.mac()
    assert await client.system.mac()
    basic = b64encode(b"admin:123456").decode()
    assert [asked.headers["Authorization"] for asked in scripted.of("/network/mac")] == [
        f"Bearer {LOGIN['token']}",
        f"Basic {basic}",
        f"Basic {basic}",
    ]
    assert len(scripted.of("/login")) == 1


async def test_neither_token_nor_basic(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /network/mac", (401, {"error": "Log In"}))
    for _ in range(2):
        with pytest.raises(StationAuthError):
            await client.system.mac()
    assert len(scripted.of("/login")) == 1
    assert len(scripted.of("/network/mac")) == 2


async def test_a_panel_without_logins_gets_basic(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /login", (404, ""))
    scripted.on("GET /network/mac", (200, MAC))
    assert await client.system.mac()
    assert [asked.path for asked in scripted.asked] == [
        "/api/info",
        "/api/v1/login",
        "/api/v0/login",
        "/api/v1/network/mac",
    ]
    assert scripted.asked[-1].headers["Authorization"].startswith("Basic ")


async def test_the_other_base_is_tried_where_the_version_lied(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /login", (404, ""))
    scripted.on("GET /api/v0/login", (200, LOGIN))
    scripted.on("GET /api/v0/network/mac", (200, MAC))
    assert await client.system.mac()


async def test_the_base_moves_with_the_firmware(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /api/info", (200, {**INFO, "api_version": "1.8.0"}), (200, INFO))
    scripted.on("GET /api/v0/login", (200, LOGIN))
    scripted.on("GET /api/v0/network/mac", (200, MAC))
    scripted.on("GET /network/mac", (200, MAC))
    assert await client.system.mac()
    await client.identify()
    assert await client.system.mac()
    assert [asked.path for asked in scripted.asked][-2:] == ["/api/v1/login", "/api/v1/network/mac"]


@pytest.mark.parametrize("reply", [{}, {"token": ""}, {"token": "line\nbreak"}, {"token": ["a"]}])
async def test_a_login_without_a_token(scripted: ScriptedPanel, client: PanelClient, reply: Any) -> None:
    scripted.on("GET /login", (200, reply))
    with pytest.raises(StationProtocolError):
        await client.system.mac()


async def test_a_login_that_misses_something_is_no_wrong_password(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /login", (400, {"error": "Required parameters missed"}))
    with pytest.raises(StationRefusedError) as raised:
        await client.system.mac()
    assert raised.value.code == "missing_field"


async def test_an_account_without_rights(running: Running) -> None:
    pair = await running(link={"credentials": Credentials(username="manager", password="123456")})
    with pytest.raises(StationForbiddenError):
        await pair.client.faces.read()
    assert pair.client.link.account_type == "manager"


# What acts is sent once


@pytest.mark.parametrize(
    ("path", "act"),
    [
        (OPEN, lambda client: client.locks.open(1)),
        ("/access/general/lock/open/remote/denied", lambda client: client.locks.deny()),
        ("/system/reboot/run", lambda client: client.system.reboot()),
    ],
)
async def test_a_lost_answer_repeats_no_get_that_acts(running: Running, path: str, act: Any) -> None:
    pair = await running()
    # A connection that was used before is the one that HTTP clients like to try again on.
    await pair.client.system.mac()
    await pair.panel.fail(path, after=True)
    with pytest.raises(StationConnectionError):
        await act(pair.client)
    assert pair.panel.acts[path] == 1


async def test_a_lost_answer_repeats_no_emergency(running: Running) -> None:
    pair = await running()
    await pair.panel.fail("/lock/open/emergency", after=True)
    with pytest.raises(StationConnectionError):
        await pair.client.locks.hold_open(60)
    assert pair.panel.count("POST", "/access/general/lock/open/emergency") == 1


async def test_reading_and_setting_are_tried_again(running: Running) -> None:
    pair = await running()
    await pair.panel.fail("/network/mac", after=True)
    assert await pair.client.system.mac()
    await pair.panel.fail("/lock/timeout/1", after=True)
    await pair.client.locks.set_open_time(1, 7)
    assert await pair.client.locks.open_time(1) == 7


async def test_nothing_is_sent_when_nobody_waits_any_more(running: Running) -> None:
    pair = await running()
    await pair.client.system.mac()
    request = Request(method="GET", path=OPEN, effect=Effect.ACT, timeout=0.02)
    async with pair.client.link._line(request):
        with pytest.raises(StationConnectionError, match="not sent"):
            await pair.client.link.call(request)
    assert pair.panel.acts[OPEN] == 0


# Who answers


async def test_another_panel_at_this_address_gets_no_password(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    client = PanelClient(link_to(session, pair.panel.port), serial="another")
    with pytest.raises(WrongStationError) as raised:
        await client.system.mac()
    assert (raised.value.expected, raised.value.found) == ("another", pair.panel.serial)
    assert pair.panel.count("GET", "/login") == 0


async def test_another_panel_that_took_the_address_opens_nothing(
    scripted: ScriptedPanel, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.link.serial = SERIAL
    scripted.on("GET /network/mac", (200, MAC))
    scripted.on(f"GET {OPEN}", (200, ""))
    await client.system.mac()
    await client.locks.open(1)
    assert len(scripted.of("/api/info")) == 1
    scripted.on("GET /api/info", (200, {**INFO, "device_serial_number": "another"}))
    monkeypatch.setattr(link_module, "IDENTITY_AGE", 0)
    with pytest.raises(WrongStationError):
        await client.locks.open(1)
    assert len(scripted.of(OPEN)) == 1


async def test_a_panel_that_was_asked_before_it_was_known_opens_nothing(
    scripted: ScriptedPanel, client: PanelClient
) -> None:
    """Who it is was just asked, but for nobody in particular; now another one is wanted."""
    scripted.on("GET /network/mac", (200, MAC))
    await client.system.mac()
    client.link.serial = "another"
    for command in (client.locks.open(1), client.system.mac()):
        with pytest.raises(WrongStationError):
            await command
    assert scripted.of(OPEN) == []
    assert len(scripted.of("/network/mac")) == 1


async def test_another_panel_gets_no_password_by_basic_either(
    scripted: ScriptedPanel, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.link.serial = SERIAL
    scripted.on("GET /login", (404, ""))
    scripted.on("GET /network/mac", (200, MAC))
    await client.system.mac()
    scripted.on("GET /api/info", (200, {**INFO, "device_serial_number": "another"}))
    monkeypatch.setattr(link_module, "IDENTITY_AGE", 0)
    with pytest.raises(WrongStationError):
        await client.system.mac()
    assert len(scripted.of("/network/mac")) == 1


async def test_another_panel_gets_no_password_when_the_token_ends(
    scripted: ScriptedPanel, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not take the token of ours, of course; asked who it is, it is another one."""
    client.link.serial = SERIAL
    scripted.on("GET /network/mac", (200, MAC))
    await client.system.mac()
    scripted.on("GET /api/info", (200, {**INFO, "device_serial_number": "another"}))
    scripted.on("GET /network/mac", (401, {"error": "Log In"}))
    monkeypatch.setattr(link_module, "IDENTITY_AGE", 0)
    with pytest.raises(WrongStationError):
        await client.system.mac()
    assert len(scripted.of("/login")) == 1


async def test_the_right_panel_comes_back(
    scripted: ScriptedPanel, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.link.serial = SERIAL
    scripted.on("GET /api/info", (200, INFO), (200, {**INFO, "device_serial_number": "another"}), (200, INFO))
    scripted.on(f"GET {OPEN}", (200, ""))
    await client.locks.open(1)
    monkeypatch.setattr(link_module, "IDENTITY_AGE", 0)
    with pytest.raises(WrongStationError):
        await client.locks.open(1)
    monkeypatch.setattr(link_module, "IDENTITY_AGE", 60)
    await client.locks.open(1)
    assert len(scripted.of(OPEN)) == 2


# Two at once


async def test_a_door_does_not_wait_for_a_photo(running: Running) -> None:
    pair = await running(timings=replace(FAST, snapshot=30))
    await pair.client.system.mac()
    photo = asyncio.create_task(pair.client.media.photo())
    await until(lambda: pair.panel.camera.taken)
    await pair.client.locks.open(1)
    assert [opening.lock for opening in pair.panel.openings] == [1]
    assert not photo.done()
    photo.cancel()
    await asyncio.gather(photo, return_exceptions=True)


async def test_a_token_that_expires_for_two_at_once_means_one_login(running: Running) -> None:
    pair = await running()
    await pair.client.media.photo()
    await pair.panel.expire_tokens()
    photo, mac = await asyncio.gather(pair.client.media.photo(), pair.client.system.mac())
    assert photo.data
    assert mac
    assert pair.panel.accounts.logins == 2


async def test_a_late_401_does_not_throw_a_new_token_away(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /login", (200, LOGIN), (200, {**LOGIN, "token": "b" * 40}))
    scripted.on("GET /network/mac", (200, MAC))
    await client.system.mac()
    send = client.link._transport.send
    renewed = False

    async def late(request: Request, base: str = "", authorization: str | None = None) -> Answer:
        nonlocal renewed
        if request.path == "/photo/file" and not renewed:
            # Meanwhile the other line has met the same and logged in.
            renewed = True
            client.link._token = None
            await client.system.mac()
            return Answer(status=401)
        return await send(request, base, authorization)

    scripted.on("GET /photo/file", (200, "/9j/"))
    client.link._transport.send = late  # type: ignore[method-assign]
    await client.link.call(Request(method="GET", path="/photo/file", timeout=LONG_TIMEOUT))
    assert len(scripted.of("/login")) == 2
    assert scripted.of("/photo/file")[0].headers["Authorization"] == f"Bearer {'b' * 40}"


# The connection


async def test_https_with_a_certificate_of_its_own(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running(https=True)
    assert await pair.client.system.mac()
    strict = PanelClient(link_to(session, pair.panel.port, secure=True, verify=True))
    with pytest.raises(StationCertificateError):
        await strict.system.mac()


async def test_nobody_there(session: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    client = PanelClient(link_to(session, unused_tcp_port))
    with pytest.raises(StationConnectionError):
        await client.identify()


async def test_an_answer_that_takes_too_long(running: Running) -> None:
    pair = await running()
    await pair.client.system.mac()
    with pytest.raises(StationTimeoutError):
        await pair.client.link.call(Request(method="GET", path="/photo/file", timeout=0.005))


async def test_a_closed_link(running: Running) -> None:
    pair = await running()
    await pair.client.close()
    with pytest.raises(StationConnectionError, match="closed"):
        await pair.client.system.mac()


@pytest.mark.parametrize("host", ["", "a b", "http://x/"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(InvalidValueError):
        PanelLink(None, host, credentials=Credentials(username="", password=""))  # type: ignore[arg-type]


def test_ports_go_by_the_protocol() -> None:
    credentials = Credentials(username="admin", password="secret")
    for secure, port in ((False, 80), (True, 443)):
        link = PanelLink(None, "panel", credentials=credentials, secure=secure)  # type: ignore[arg-type]
        assert link._transport._url.port == port
        assert link.host == "panel"


@pytest.mark.parametrize("body", ["not json", "[1]", '"text"', "[" * 5000])
async def test_info_that_is_none(scripted: ScriptedPanel, client: PanelClient, body: str) -> None:
    scripted.on("GET /api/info", (200, body))
    with pytest.raises(StationProtocolError):
        await client.identify()


@pytest.mark.parametrize("body", ["not json", '"text"', "", "[" * 5000])
async def test_an_answer_that_is_no_object(scripted: ScriptedPanel, client: PanelClient, body: str) -> None:
    scripted.on("GET /network/mac", (200, body))
    with pytest.raises(StationProtocolError):
        await client.system.mac()


async def test_an_answer_that_is_too_long(
    scripted: ScriptedPanel, client: PanelClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET /network/mac", (200, {"mac_address": "x" * 2000}))
    monkeypatch.setattr(transport_module, "MAX_ANSWER", 1000)
    with pytest.raises(StationProtocolError, match="longer"):
        await client.system.mac()


async def test_large_answers_are_read_in_a_thread(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /dashboard", (200, {"x": "y" * 300_000}))
    assert len((await client.system.dashboard())["x"]) == 300_000


async def test_what_is_no_http(session: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-dropbear\r\n")
        writer.close()

    async with await asyncio.start_server(babble, "127.0.0.1", unused_tcp_port):
        with pytest.raises(StationProtocolError, match="no HTTP"):
            await PanelClient(link_to(session, unused_tcp_port)).identify()


async def test_a_redirection_is_not_followed(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /network/mac", web.Response(status=301, headers={"Location": "http://127.0.0.1/"}))
    with pytest.raises(StationProtocolError, match="301"):
        await client.system.mac()


async def test_no_secret_is_in_an_error_or_a_log(
    session: aiohttp.ClientSession, unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    credentials = Credentials(username="admin", password="very secret")
    client = PanelClient(link_to(session, unused_tcp_port, credentials=credentials))
    with pytest.raises(StationConnectionError) as raised:
        await client.system.mac()
    told = f"{raised.value!r} {credentials!r} {caplog.text}"
    assert "very secret" not in told
    assert hashlib.md5(b"very secret").hexdigest() not in told


async def test_a_panel_lacks_a_function(running: Running) -> None:
    pair = await running("AA-07")
    with pytest.raises(StationUnsupportedError):
        await pair.client.faces.read()

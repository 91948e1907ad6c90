"""The one exchange that all clients share: addresses, limits, broken connections."""

import asyncio
from collections.abc import AsyncIterator
import ssl
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.face_access.recognition.errors import (
    EngineAddressError,
    EngineCertificateError,
    EngineError,
    EngineProtocolError,
    EngineTimeoutError,
    EngineUnreachableError,
    PictureError,
)
from custom_components.face_access.recognition.picture import MAX_BYTES
from custom_components.face_access.recognition.remote.http import Answer, Http, Part, Request, base_of
from custom_components.face_access.recognition.remote.pictures import checked, type_of
from custom_components.face_access.recognition.remote.words import Unfit
from custom_components.face_access.recognition.results import Flaw
from simulators._panel import tls

from .conftest import face
from .scripted import ScriptedServer

ASK = Request(method="POST", path="/ask", json={"a": 1})


@pytest.mark.parametrize(
    ("address", "base"),
    [
        ("http://192.168.1.20:8080", "http://192.168.1.20:8080"),
        (" https://faces.example/ ", "https://faces.example"),
        ("http://[::1]:81/a/b/", "http://[::1]:81/a/b"),
        ("http://host/with%20space", "http://host/with%20space"),
    ],
)
def test_address(address: str, base: str) -> None:
    assert str(base_of(address)).rstrip("/") == base


@pytest.mark.parametrize(
    "address",
    [
        "",
        "192.168.1.20:8080",
        "ftp://host",
        "http://",
        "http:///path",
        "http://host:port",
        "http://host:0",
        "http://host:70000",
        "http://me:secret@host",
        "http://host?key=secret",
        "http://host#top",
        "http://[::1",
    ],
)
def test_address_that_is_none(address: str) -> None:
    with pytest.raises(EngineAddressError) as caught:
        base_of(address)
    assert "secret" not in str(caught.value)


async def test_nobody_is_there(session: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    with pytest.raises(EngineUnreachableError) as caught:
        await Http(session, f"http://127.0.0.1:{unused_tcp_port}/secret-path").send(ASK)
    assert "secret-path" not in str(caught.value)


async def test_no_answer_in_time(session: aiohttp.ClientSession) -> None:
    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(never, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(EngineTimeoutError):
            await Http(session, f"http://127.0.0.1:{port}").send(Request(method="GET", path="/", timeout=0.05))


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (b"SSH-2.0-x\r\n", EngineProtocolError),
        # A server that goes away in the middle has not said anything yet.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", EngineUnreachableError),
    ],
)
async def test_no_whole_answer(session: aiohttp.ClientSession, raw: bytes, error: type[EngineError]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(raw)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(error):
            await Http(session, f"http://127.0.0.1:{port}").send(ASK)


async def test_answer_that_is_too_long(session: aiohttp.ClientSession, scripted: ScriptedServer) -> None:
    scripted.answers((200, "x" * 5000))
    http = Http(session, scripted.url)
    with pytest.raises(EngineProtocolError):
        await http.send(Request(method="GET", path="/", limit=4999))
    assert len((await http.send(Request(method="GET", path="/", limit=5000))).body) == 5000


async def test_small_answer_that_unpacks_to_a_large_one(
    session: aiohttp.ClientSession, scripted: ScriptedServer
) -> None:
    import zlib

    packed = zlib.compressobj(wbits=31)
    body = packed.compress(b" " * 10_000_000) + packed.flush()
    scripted.answers(web.Response(body=body, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(EngineProtocolError):
        await Http(session, scripted.url).send(ASK)


async def test_redirection_is_not_followed(session: aiohttp.ClientSession, scripted: ScriptedServer) -> None:
    """Neither key nor picture go to whom the server names."""
    scripted.answers(web.Response(status=307, headers={"Location": f"{scripted.url}/elsewhere"}))
    with pytest.raises(EngineProtocolError):
        await Http(session, scripted.url).send(ASK)
    assert [asked.path for asked in scripted.asked] == ["/ask"]


@pytest.mark.parametrize(("repeatable", "tries"), [(True, 2), (False, 1)])
async def test_broken_connection_is_tried_again_only_where_it_does_nothing_twice(
    session: aiohttp.ClientSession, scripted: ScriptedServer, repeatable: bool, tries: int
) -> None:
    scripted.answers(ConnectionResetError())
    with pytest.raises(EngineUnreachableError):
        await Http(session, scripted.url).send(Request(method="POST", path="/", json={}, repeatable=repeatable))
    assert len(scripted.asked) == tries
    scripted.answers(ConnectionResetError(), {"fine": True})
    if repeatable:
        answer = await Http(session, scripted.url).send(
            Request(method="POST", path="/", form=(Part(name="file", picture=face("Alice")),), repeatable=True)
        )
        assert await answer.json() == {"fine": True}


@pytest.fixture
async def unknown(socket_enabled: None) -> AsyncIterator[str]:
    """Serve HTTPS with a certificate that nobody trusts."""
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    context: ssl.SSLContext = tls.context("faces")
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


async def test_certificate_that_nobody_trusts(session: aiohttp.ClientSession, unknown: str) -> None:
    with pytest.raises(EngineCertificateError):
        await Http(session, unknown).send(ASK)
    assert (await Http(session, unknown, verify=False).send(ASK)).status == 404


async def test_large_answers_are_read_beside_the_loop() -> None:
    text = '{"a": "' + "x" * 200_000 + '"}'
    assert len((await Answer(status=200, body=text.encode()).json())["a"]) == 200_000
    with pytest.raises(EngineProtocolError):
        await Answer(status=200, body=b" " * 200_000 + b"[NaN]").json()


async def test_half_a_character_of_a_name_is_written(session: aiohttp.ClientSession, scripted: ScriptedServer) -> None:
    scripted.answers({})
    await Http(session, scripted.url).send(Request(method="POST", path="/", json={"name": "Ada\ud83d"}))
    assert scripted.asked[0].json == {"name": "Ada\ud83d"}
    with pytest.raises(TypeError):
        await Http(session, scripted.url).send(Request(method="POST", path="/", json={"name": object()}))


async def test_plain_form(session: aiohttp.ClientSession, scripted: ScriptedServer) -> None:
    scripted.answers(web.Response(text="a=1", content_type="text/plain"))
    answer = await Http(session, f"{scripted.url}/token").send(
        Request(method="POST", path="", fields={"client_id": "me & you", "grant": "ü"})
    )
    (asked,) = scripted.asked
    assert (asked.path, asked.body) == ("/token", b"client_id=me+%26+you&grant=%C3%BC")
    assert answer.content_type == "text/plain"


@pytest.mark.parametrize(
    ("body", "found"), [(b'{"a": 1}', {"a": 1}), (b"[]", None), (b"<html>", None), (b"", None), (b'{"a": NaN}', None)]
)
async def test_body_of_a_refusal_may_be_anything(body: bytes, found: Any) -> None:
    assert await Answer(status=500, body=body).object_or_none() == found


def test_picture_of_a_kind_that_servers_take() -> None:
    assert type_of(face("Alice")) == "image/jpeg"
    assert checked(face("Alice")) == face("Alice")
    for wrong in (b"", b"RIFF", b"\xff\xd8\xff" + b"\0" * MAX_BYTES, "", "data:image/jpeg;base64,", "ÄÖ"):
        with pytest.raises(PictureError):
            checked(wrong)


def test_words_for_what_is_wrong_are_those_of_local_recognition_where_it_has_them() -> None:
    shared: Any = {Unfit.FACE_TOO_SMALL, Unfit.CUT_OFF, Unfit.TURNED_AWAY, Unfit.COVERED, Unfit.TOO_DARK}
    assert shared | {Unfit.TOO_BRIGHT} == {word for word in Unfit if word in set(Flaw)}

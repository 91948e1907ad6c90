"""The link to a terminal that listens, against a server that answers any bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
import json
from typing import Any

import aiohttp
import pytest

from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationConnectionError,
    StationProtocolError,
    StationTimeoutError,
)
from custom_components.face_access.devices.terminal import direct
from custom_components.face_access.devices.terminal.client import TerminalClient
from custom_components.face_access.devices.terminal.direct import DirectLink
from custom_components.face_access.devices.terminal.person import PersonData
from simulators._terminal import pictures
from simulators.terminal import SimulatedTerminal

OK = {"reply": "ACK", "cmd": "x", "code": 0}


def http(body: bytes, *, status: str = "200 OK", headers: str | None = None) -> bytes:
    """Write an HTTP answer."""
    head = f"Content-Length: {len(body)}\r\n" if headers is None else headers
    return f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{head}\r\n".encode() + body


def ok(**more: Any) -> bytes:
    """Write a reply that means yes."""
    return http(json.dumps(OK | more).encode())


class Server:
    """Answers each connection with the next of `answers`: bytes, or None to say nothing at all."""

    def __init__(self) -> None:
        self.answers: list[bytes | None] = []
        self.requests: list[bytes] = []
        self.at_once = 0
        self.most_at_once = 0
        self.connections = 0
        self.keep = False
        self.delay = 0.0
        self.port = 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().splitlines() if line.startswith(b"content-length:"))
            self.requests.append(head + await reader.readexactly(length))
            await asyncio.sleep(self.delay)
            answer = self.answers.pop(0) if self.answers else ok()
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
            if self.keep:
                assert await reader.read() == b""
        finally:
            self.at_once -= 1
            writer.close()


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[Server]:
    """Listen on a free port."""
    made = Server()
    listening = await asyncio.start_server(made.handle, "127.0.0.1", 0, limit=2**24)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()
    listening.close_clients()
    await listening.wait_closed()


type Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def link(server: Server, session: aiohttp.ClientSession) -> DirectLink:
    """Point a link to the server."""
    return DirectLink(session, "127.0.0.1", server.port, pause=0.01)


@pytest.fixture
def ask(link: DirectLink) -> Ask:
    """Ask through the link."""

    async def request(*, timeout: float = 5, idempotent: bool = True, **fields: Any) -> dict[str, Any]:
        return await link.request({"cmd": "x", **fields}, timeout=timeout, idempotent=idempotent)

    return request


@pytest.mark.parametrize("size", [1, 300_000, 3_000_000])
async def test_request_has_a_content_length_and_is_not_chunked(ask: Ask, server: Server, size: int) -> None:
    assert await ask(text="ä" * size) == OK
    head, body = server.requests[0].split(b"\r\n\r\n", 1)
    lines = head.lower().split(b"\r\n")
    assert lines[0] == b"post / http/1.1"
    assert f"content-length: {len(body)}".encode() in lines
    assert b"content-type: application/json; charset=utf-8" in lines
    assert b"transfer-encoding" not in head.lower()
    assert json.loads(body) == {"cmd": "x", "text": "ä" * size}


async def test_chunked_reply_is_refused(ask: Ask, server: Server) -> None:
    body = json.dumps(OK).encode()
    chunked = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    server.answers = [http(chunked, headers="Transfer-Encoding: chunked\r\n")]
    with pytest.raises(StationProtocolError, match="chunked"):
        await ask()


async def test_connection_is_not_kept_for_the_next_command(ask: Ask, server: Server) -> None:
    server.keep = True
    for n in range(1, 4):
        assert await ask(idempotent=False) == OK
        assert server.connections == n


async def test_reply_without_a_length_ends_with_the_connection(ask: Ask, server: Server) -> None:
    server.answers = [http(json.dumps(OK).encode(), headers="Connection: close\r\n")]
    assert await ask() == OK


async def test_reply_that_breaks_off_is_a_connection_error(ask: Ask, server: Server) -> None:
    server.answers = [http(b'{"reply"', headers="Content-Length: 500\r\n")]
    with pytest.raises(StationConnectionError):
        await ask(idempotent=False)


@pytest.mark.parametrize(
    "answer",
    [
        http(b"{}", status="500 Oops"),
        http(b"", status="302 Found", headers="Location: http://127.0.0.1:1/\r\nContent-Length: 0\r\n"),
        http(b"<html>"),
        http(b"[]"),
        http(b""),
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ],
)
async def test_what_is_no_answer_of_a_terminal_is_a_protocol_error(ask: Ask, server: Server, answer: bytes) -> None:
    server.answers = [answer]
    with pytest.raises(StationProtocolError):
        await ask()
    assert len(server.requests) == 1


async def test_reply_that_never_ends_is_cut(ask: Ask, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct, "MAX_REPLY", 1000)
    server.answers = [ok(text="x" * 2000)]
    with pytest.raises(StationProtocolError, match="longer"):
        await ask()


async def test_large_reply_is_read(ask: Ask, server: Server) -> None:
    server.answers = [ok(text="x" * 1_000_000)]
    assert len((await ask())["text"]) == 1_000_000


async def test_idempotent_request_is_tried_three_times(ask: Ask, server: Server) -> None:
    server.answers = [b"", ok(code=5), ok(n=3)]
    assert (await ask())["n"] == 3
    assert len(server.requests) == 3


async def test_last_try_counts_whatever_comes_of_it(ask: Ask, server: Server) -> None:
    server.answers = [ok(code=5)] * 5
    assert (await ask())["code"] == 5
    assert len(server.requests) == 3
    server.answers = [b""] * 5
    with pytest.raises(StationConnectionError):
        await ask()
    assert len(server.requests) == 6


async def test_what_acts_is_sent_once(ask: Ask, server: Server) -> None:
    server.answers = [b"", ok(code=5)]
    with pytest.raises(StationConnectionError):
        await ask(idempotent=False)
    assert (await ask(idempotent=False))["code"] == 5
    assert len(server.requests) == 2


async def test_silence_is_a_timeout(ask: Ask, server: Server) -> None:
    server.answers = [None] * 4
    with pytest.raises(StationTimeoutError):
        await ask(idempotent=False, timeout=0.05)
    assert len(server.requests) == 1
    with pytest.raises(StationTimeoutError):
        await ask(timeout=0.05)
    assert len(server.requests) == 4


async def test_nobody_listens(session: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    link = DirectLink(session, "127.0.0.1", unused_tcp_port, pause=0.01)
    with pytest.raises(StationConnectionError) as error:
        await link.request({"cmd": "x"}, timeout=5, idempotent=True)
    assert not isinstance(error.value, StationTimeoutError)


async def test_one_request_at_a_time_in_order(ask: Ask, server: Server) -> None:
    server.delay = 0.01
    await asyncio.gather(*(ask(n=n) for n in range(6)))
    assert server.most_at_once == 1
    assert [json.loads(request.split(b"\r\n\r\n", 1)[1])["n"] for request in server.requests] == list(range(6))


async def test_command_that_waits_too_long_in_line_is_not_sent(ask: Ask, server: Server) -> None:
    server.delay = 0.3
    first = asyncio.create_task(ask(idempotent=False))
    await asyncio.sleep(0.02)
    with pytest.raises(StationConnectionError, match="not sent"):
        await ask(idempotent=False, timeout=0.05)
    await first
    await asyncio.sleep(0.05)
    assert len(server.requests) == 1


async def test_cancelled_request_leaves_the_line_free(ask: Ask, server: Server) -> None:
    server.answers = [None]
    first = asyncio.create_task(ask())
    await asyncio.sleep(0.02)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await ask() == OK


async def test_closed_link_sends_nothing(ask: Ask, link: DirectLink, server: Server) -> None:
    await link.close()
    with pytest.raises(StationConnectionError, match="closed"):
        await ask()
    assert server.requests == []


@pytest.mark.parametrize("host", ["http://x", "a b", "x:80", "x/y", ""])
async def test_host_that_is_none_is_named(session: aiohttp.ClientSession, host: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        DirectLink(session, host)
    assert error.value.field == "host"


async def test_ipv6_host(session: aiohttp.ClientSession) -> None:
    assert str(DirectLink(session, " fe80::1 ")._url) == "http://[fe80::1]:8000/"


async def test_terminal_that_comes_back_is_asked_again(
    session: aiohttp.ClientSession, simulated: SimulatedTerminal
) -> None:
    client = TerminalClient(DirectLink(session, "127.0.0.1", simulated.port, pause=0.2))
    await simulated.cut_network(0.1)
    assert await client.people.count() == 3
    await simulated.cut_network(0.1)
    with pytest.raises(StationConnectionError):
        await client.control.open()
    assert simulated.openings == []


async def test_picture_of_the_largest_size_is_uploaded(
    session: aiohttp.ClientSession, simulated: SimulatedTerminal
) -> None:
    client = TerminalClient(DirectLink(session, "127.0.0.1", simulated.port))
    photo = pictures.sample() + bytes(4_000_000)
    await client.people.upload(PersonData(id="big", photo=photo))
    assert simulated.people["big"].has_face

"""A client on a simulated terminal in both working modes, and on a link that a test writes the replies of."""

from collections.abc import AsyncIterator, Callable
import json
from typing import Any, override

import aiohttp
from aiohttp import web
import pytest

from custom_components.face_access.devices.errors import StationConnectionError
from custom_components.face_access.devices.terminal.client import TerminalClient
from custom_components.face_access.devices.terminal.direct import DirectLink
from custom_components.face_access.devices.terminal.link import Link
from custom_components.face_access.devices.terminal.queue import QueuedLink, is_control
from custom_components.face_access.devices.terminal.upgrade import upgrade_answer
from custom_components.face_access.devices.terminal.wire import decode, encode
from simulators.terminal import SimulatedTerminal, Timings

SERIAL = "0123A1-0000C4-0001EE"
FAST = Timings(
    command=0.002,
    heartbeat_wait=2,
    heartbeat_retry=0.02,
    instant=0.1,
    reconnect=0.002,
    down_after=0.3,
    reboot=0.1,
    restart=0.1,
    sip_ring=0.02,
)

type Reply = dict[str, Any] | Exception


class FakeLink(Link):
    """Answers each request with the next of `replies`, or `{"code": 0}` with the command; keeps what was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.asked: list[dict[str, Any]] = []
        self.idempotent: list[bool] = []
        self.closed = False

    @override
    async def request(self, body: dict[str, Any], *, timeout: float, idempotent: bool) -> dict[str, Any]:
        # What a device would get, after all of JSON.
        body = decode_exactly(encode(body))
        self.asked.append(body)
        self.idempotent.append(idempotent)
        if self.closed:
            raise StationConnectionError("closed")
        reply = self.replies.pop(0) if self.replies else {}
        if isinstance(reply, Exception):
            raise reply
        # Replies go over the wire as well, so that stray spaces meet the reader.
        return decode(encode({"reply": "ACK", "cmd": body["cmd"], "code": 0, **reply}))

    @override
    async def close(self) -> None:
        self.closed = True

    @property
    def fields(self) -> dict[str, Any]:
        """The last request without what all requests have."""
        return {key: value for key, value in self.asked[-1].items() if key not in {"version", "cmd"}}


def decode_exactly(body: bytes) -> dict[str, Any]:
    """Decode without any tolerance."""
    value = json.loads(body.decode("utf-8"))
    assert isinstance(value, dict)
    return value


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


@pytest.fixture
def talk() -> Callable[..., tuple[TerminalClient, FakeLink]]:
    """Make a client whose terminal gives the replies of the test."""

    def make(*replies: Reply, serial: str | None = None) -> tuple[TerminalClient, FakeLink]:
        link = FakeLink(*replies)
        return TerminalClient(link, serial=serial), link

    return make


@pytest.fixture
async def simulated(socket_enabled: None) -> AsyncIterator[SimulatedTerminal]:
    """Switch a terminal on. It must have no complaint about us at the end, unless the test cleared them."""
    terminal = SimulatedTerminal(serial=SERIAL, timings=FAST, utc_offset=7200, relays=2, aes_key=b"12345")
    await terminal.start()
    yield terminal
    await terminal.stop()
    assert terminal.violations == []


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    """Open a session."""
    async with aiohttp.ClientSession() as opened:
        yield opened


class ControlServer:
    """Serves the questions of a device over a real port."""

    def __init__(self, link: QueuedLink) -> None:
        self.link = link
        self.url = ""
        self._runner = web.AppRunner(self._application(), access_log=None, handler_cancellation=True)

    def _application(self) -> web.Application:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/control", self._handle)
        return app

    async def start(self) -> None:
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/control"

    async def stop(self) -> None:
        await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        if is_control(decode(body)):
            answer = await self.link.exchange(body)
        else:  # after it was switched on, a terminal asks for new firmware at the same address
            answer = encode(upgrade_answer())
        return web.Response(body=answer, content_type="application/json", charset="utf-8")


@pytest.fixture
async def queued(simulated: SimulatedTerminal) -> AsyncIterator[tuple[QueuedLink, ControlServer]]:
    """Let the terminal call: its questions are held for half a second."""
    link = QueuedLink(hold=0.5, window=2)
    server = ControlServer(link)
    await server.start()
    simulated.connect(control_url=server.url)
    yield link, server
    await link.close()
    simulated.disconnect()
    simulated.go_offline()
    await server.stop()


@pytest.fixture(params=["direct", "queued"])
def client(
    request: pytest.FixtureRequest, simulated: SimulatedTerminal, session: aiohttp.ClientSession
) -> TerminalClient:
    """Talk to the simulated terminal, in each mode."""
    if request.param == "direct":
        return TerminalClient(DirectLink(session, "127.0.0.1", simulated.port, pause=0.01), serial=SERIAL)
    link, _server = request.getfixturevalue("queued")
    return TerminalClient(link, serial=SERIAL)

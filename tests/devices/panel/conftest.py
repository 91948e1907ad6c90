"""A client on a simulated panel, and on a panel whose answers a test writes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
import json
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.face_access.devices.panel.client import PanelClient
from custom_components.face_access.devices.panel.link import Credentials, PanelLink
from simulators.panel import SimulatedPanel, Timings

ADMIN = Credentials(username="admin", password="123456")
SERIAL = "e7f3a1a0-0000-4000-8000-00000000000a"
FAST = Timings(
    command=0,
    second=0.01,
    snapshot=0.02,
    photo_pace=0,
    enrol=0.05,
    remote_wait=1,
    webhook_retry=0.02,
    syslog_retry=0.02,
    sip_register=0.01,
    face_rest=0.1,
    down_after=0.02,
    reboot=0.1,
    restart=0.05,
)

type Reply = tuple[int, Any] | web.Response | Exception


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def link_to(session: aiohttp.ClientSession, port: int, **more: Any) -> PanelLink:
    """Reach a panel on this machine."""
    return PanelLink(session, "127.0.0.1", port, **{"credentials": ADMIN, "pause": 0.01, **more})


@dataclass
class Pair:
    """A panel and who talks to it."""

    panel: SimulatedPanel
    client: PanelClient


async def until(condition: Callable[[], Any], seconds: float = 3) -> None:
    """Wait for something that has no event."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


type Running = Callable[..., Awaitable[Pair]]


@pytest.fixture
async def running(session: aiohttp.ClientSession) -> AsyncIterator[Running]:
    """Switch panels on. None may have a complaint about us at the end, unless the test cleared them."""
    async with AsyncExitStack() as stack:

        async def start(model: str = "AA-12FB", *, link: dict[str, Any] | None = None, **more: Any) -> Pair:
            panel = await stack.enter_async_context(_switched_on(model, more))
            options = {"secure": panel.tls, **(link or {})}
            client = PanelClient(link_to(session, panel.port, **options), serial=panel.serial, pace=0, enrol_pause=0.02)
            return Pair(panel, client)

        yield start


@asynccontextmanager
async def _switched_on(model: str, more: dict[str, Any]) -> AsyncIterator[SimulatedPanel]:
    panel = SimulatedPanel(model=model, **{"timings": FAST, **more})
    await panel.start()
    yield panel
    await panel.stop()
    assert panel.violations == []


INFO = {
    "firmware_version": "3.26.0",
    "api_version": "2.15.0",
    "device_type": "panel",
    "device_name": "Front door",
    "device_model": "aa12fb",
    "device_serial_number": SERIAL,
    "hybrid_enable": False,
}
LOGIN = {"token": "a" * 40, "account_type": "admin"}


@dataclass
class Asked:
    """One request as the panel got it."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ScriptedPanel:
    """Answers by method and path with the next of what a test wrote, the last again and again; keeps the requests."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    def on(self, call: str, *replies: Reply) -> None:
        """Answer `call`, such as `GET /api/v1/photo/file`; a call without the base is of v1."""
        method, path = call.split()
        self.replies[f"{method} {path if path.startswith('/api') else f'/api/v1{path}'}"] = list(replies)

    def of(self, path: str) -> list[Asked]:
        """Every request to a path, without the base."""
        return [asked for asked in self.asked if asked.path.removeprefix("/api/v1") == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(Asked(request.method, request.path, dict(request.query), body, dict(request.headers)))
        replies = self.replies.get(f"{request.method} {request.path}", [(404, "")])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if isinstance(reply, Exception):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(reply, web.Response):
            return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
        status, content = reply
        return (
            web.Response(text=content, status=status)
            if isinstance(content, str)
            else web.json_response(content, status=status)
        )


@pytest.fixture
async def scripted(socket_enabled: None) -> AsyncIterator[ScriptedPanel]:
    panel = ScriptedPanel()
    panel.on("GET /api/info", (200, INFO))
    panel.on("GET /login", (200, LOGIN))
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", panel.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    panel.port = runner.addresses[0][1]
    yield panel
    await runner.cleanup()


@pytest.fixture
def client(scripted: ScriptedPanel, session: aiohttp.ClientSession) -> PanelClient:
    """Talk to the panel whose answers the test writes."""
    return PanelClient(link_to(session, scripted.port), pace=0, enrol_pause=0.01)

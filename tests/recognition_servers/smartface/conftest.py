"""A client and an engine on a simulated SmartFace server, and on one whose answers a test writes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.face_access.recognition.interface import RemoteEngine
from custom_components.face_access.recognition.smartface import (
    ClientCredentials,
    EngineOptions,
    Server,
    SmartFaceClient,
    engine,
)
from simulators._terminal import pictures
from simulators.smartface import Access, SimulatedSmartFace

LIST = "face_access.test"
OPENAPI = Path(__file__).parents[4] / "shared/specs/smartface-openapi-4.25.2.json"
JPEG = b"\xff\xd8\xff\xe0 a picture"
FACE_ID = "497f6eca-6276-4993-bfeb-53cbbbba6f08"

type Reply = tuple[int, Any] | web.Response | Exception


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


def doorstep(who: str, **more: Any) -> bytes:
    """Take a picture of somebody at the door."""
    return pictures.panorama(who, **more)


def portrait(who: str) -> bytes:
    """Take a photo to enrol somebody with."""
    return pictures.closeup(who)


def side_by_side(*who: str) -> bytes:
    """Take one picture of several people, each somewhat further away than the one before."""
    drawn = [pictures.draw(each) for each in who]
    width, height = drawn[0].size
    wide = drawn[0].resize((width * len(drawn), height))
    wide.paste("#9fb4c0", (0, 0, *wide.size))
    for index, image in enumerate(drawn):
        smaller = image.resize((round(width * 0.85**index), round(height * 0.85**index)))
        wide.paste(smaller, (width * index, 0))
    return pictures.to_jpeg(wide)


def login_of(server: SimulatedSmartFace) -> Server:
    """Write down how to reach a simulated server."""
    access = server.access
    if access.kind == "bearer":
        return Server(url=server.url, token=access.token)
    if access.kind == "client_credentials":
        login = ClientCredentials(
            token_url=server.token_url,
            client_id=access.client_id,
            client_secret=access.client_secret,
            audience=access.audience,
        )
        return Server(url=server.url, login=login)
    return Server(url=server.url)


@dataclass
class Trio:
    """A server, a client that can do everything, and the engine of a house."""

    server: SimulatedSmartFace
    client: SmartFaceClient
    engine: RemoteEngine


type Running = Callable[..., Awaitable[Trio]]


@pytest.fixture
async def running(session: aiohttp.ClientSession) -> AsyncIterator[Running]:
    """Switch servers on. None may have a complaint about us at the end, unless the test cleared them."""
    async with AsyncExitStack() as stack:

        async def start(version: str = "4.25", *, options: dict[str, Any] | None = None, **more: Any) -> Trio:
            server = await stack.enter_async_context(_switched_on(version, more))
            address = login_of(server)
            client = SmartFaceClient(session, address)
            wanted = EngineOptions(**{"watchlist": LIST, "pause": 0.01, **(options or {})})
            return Trio(server, client, engine(session, address, wanted, client=client))

        yield start


@asynccontextmanager
async def _switched_on(version: str, more: dict[str, Any]) -> AsyncIterator[SimulatedSmartFace]:
    server = SimulatedSmartFace(version=version, **more)
    await server.start()
    yield server
    await server.stop()
    assert server.violations == []


def with_login(**more: Any) -> Access:
    """Make a server want a token that is fetched."""
    return Access(kind="client_credentials", **more)


@dataclass
class Asked:
    """One request as the server got it."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class ScriptedServer:
    """Answers by method and path with the next of what a test wrote, the last again and again; keeps the requests."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, call: str, *replies: Reply) -> None:
        """Answer `call`, such as `GET Version`; a path that begins with a slash is not below the base of the API."""
        method, path = call.split()
        self.replies[f"{method} {path if path.startswith('/') else f'/api/v1/{path}'}"] = list(replies)

    def of(self, path: str) -> list[Asked]:
        """Every request to a path below the base of the API."""
        return [asked for asked in self.asked if asked.path.removeprefix("/api/v1/") == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        path = request.rel_url.raw_path
        self.asked.append(Asked(request.method, path, dict(request.query), body, dict(request.headers)))
        replies = self.replies.get(f"{request.method} {path}", [(404, "")])
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
async def scripted(socket_enabled: None) -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()


@pytest.fixture
def client(scripted: ScriptedServer, session: aiohttp.ClientSession) -> SmartFaceClient:
    """Talk to the server whose answers the test writes."""
    return SmartFaceClient(session, Server(url=scripted.url))


@pytest.fixture
def scripted_engine(scripted: ScriptedServer, session: aiohttp.ClientSession) -> RemoteEngine:
    """Be an engine on the server whose answers the test writes."""
    return engine(session, Server(url=scripted.url), EngineOptions(watchlist=LIST, pause=0.01))


def problem(status: int, detail: str = "", **more: Any) -> tuple[int, Any]:
    """Write a refusal as the server does."""
    return status, {"type": None, "title": "No", "status": status, "detail": detail, "instance": None, **more}


VERSION = {
    "databaseVersion": "1",
    "databaseVersionCreationTime": "2026-01-15T08:30:00",
    "databaseVersionUpdatedTime": "2026-01-15T08:30:00Z",
    "assemblyVersion": "4.25.2.6157",
    "assemblyLastModifiedTime": "2026-01-15T08:00:00.1234567Z",
    "fullVersion": "v5_4.25.2.6157",
}
NAMED_LIST = {"id": LIST, "displayName": "Home", "fullName": "Home", "threshold": 40, "previewColor": "#fff"}


def found_face(**more: Any) -> dict[str, Any]:
    """Write one face of a search, as the server does."""
    corners = {
        f"crop{corner}{axis}": 10.0
        for corner in ("LeftTop", "RightTop", "LeftBottom", "RightBottom")
        for axis in ("X", "Y")
    }
    return {**corners, "matchResults": [], "spoofCheckResult": None, "faceSize": 60.0, "gender": "Female", **more}


def match(score: Any, **more: Any) -> dict[str, Any]:
    """Write one match of a search."""
    return {
        "score": score,
        "watchlistMemberId": "anna",
        "displayName": "Anna",
        "fullName": "Anna",
        "watchlistId": LIST,
        "watchlistDisplayName": "Home",
        "watchlistFullName": "Home",
        "previewColor": "#fff",
        "labels": [],
        **more,
    }

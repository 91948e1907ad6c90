"""A client and an engine on a simulated SmartFace server, and on one whose answers a test writes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
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
from tests.recognition_servers.scripted import ScriptedServer

LIST = "face_access.test"
OPENAPI = Path(__file__).parents[4] / "shared/specs/smartface-openapi-4.25.2.json"
JPEG = b"\xff\xd8\xff\xe0 a picture"
FACE_ID = "497f6eca-6276-4993-bfeb-53cbbbba6f08"


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

"""Clients of recognition servers on simulated servers, and on one whose answers a test writes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
import json
from typing import Any

import aiohttp
from aiohttp import web
from PIL import Image
import pytest

from simulators._servers.base import SimulatedServer
from simulators._terminal import pictures

type Started = Callable[[SimulatedServer], Awaitable[Any]]


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def started(socket_enabled: None) -> AsyncIterator[Callable[..., Awaitable[Any]]]:
    """Start servers. None may have a complaint about us at the end, unless the test cleared them."""
    async with AsyncExitStack() as stack:

        async def start(server: SimulatedServer) -> SimulatedServer:
            await server.start()
            stack.push_async_callback(_stopped, server)
            return server

        yield start


async def _stopped(server: SimulatedServer) -> None:
    await server.stop()
    assert server.violations == []


def face(seed: str, *, mask: bool = False, photo: bool = False) -> bytes:
    """Draw a doorstep with somebody."""
    return pictures.panorama(seed, mask, photo)


@lru_cache(maxsize=64)
def large(seed: str, *, mask: bool = False, photo: bool = False, factor: float = 1.5) -> bytes:
    """Draw the same with more pixels, as KBY-AI's check for life wants them."""
    image = pictures.draw(seed, mask=mask, photo=photo)
    return pictures.to_jpeg(image.resize((round(640 * factor), round(480 * factor))))


@lru_cache(maxsize=64)
def pair(*seeds: str) -> bytes:
    """Draw several people beside each other, each smaller than the one before."""
    drawn = []
    for number, seed in enumerate(seeds):
        size = (round(640 * 0.85**number), round(480 * 0.85**number))
        drawn.append(pictures.draw(seed).resize(size))
    image = Image.new("RGB", (sum(one.width for one in drawn), 480), "#9fb4c0")
    x = 0
    for one in drawn:
        image.paste(one, (x, 0))
        x += one.width
    return pictures.to_jpeg(image)


@lru_cache(maxsize=64)
def empty() -> bytes:
    """Draw a picture of nobody."""
    return pictures.sample("empty")


@lru_cache(maxsize=64)
def png(seed: str) -> bytes:
    stream = BytesIO()
    pictures.draw(seed).save(stream, "PNG")
    return stream.getvalue()


NO_PICTURE = b"\xff\xd8\xff these bytes only begin like a JPEG"


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
    """Answers whatever comes with the next of what a test wrote, the last again and again; keeps the requests."""

    replies: list[Any] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self, *replies: Any) -> None:
        """Set a body for status 200, a pair of status and body, a Response, or an Exception: the connection breaks."""
        self.replies = list(replies)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(Asked(request.method, request.path, dict(request.query), body, dict(request.headers)))
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        if isinstance(reply, web.Response):
            return web.Response(body=reply.body, status=reply.status, headers=reply.headers)
        status, content = reply if isinstance(reply, tuple) else (200, reply)
        if isinstance(content, (str, bytes)):
            return web.Response(body=content, status=status, content_type="application/json")
        return web.json_response(content, status=status)


@pytest.fixture
async def scripted(socket_enabled: None) -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.port = runner.addresses[0][1]
    yield server
    await runner.cleanup()

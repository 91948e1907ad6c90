"""Clients of recognition servers on simulated servers, and on one whose answers a test writes."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from functools import lru_cache
from io import BytesIO
from typing import Any

import aiohttp
from aiohttp import web
from PIL import Image
import pytest

from simulators._servers.base import SimulatedServer
from simulators._terminal import pictures

from .scripted import ScriptedServer

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

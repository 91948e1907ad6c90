"""The device as server (1.1.1): HTTP POST, Content-Length only, one request at a time."""

import asyncio
from collections import deque
import time
from typing import override

from aiohttp import web

from .commands import busy, encode, execute
from .core import Core
from .schema import BUSY

_MAX_BODY = 32 * 1024 * 1024
_MOST_SPANS = 10_000


class _Unreachable(asyncio.Protocol):
    """What a connection meets while the device is off the network: it is cut at once."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.abort()  # type: ignore[attr-defined]


class CommandServer:
    """Answers commands on a port; keeps the port while the device is off the network.

    `spans` are the last answers: of which command, when the request was there as a whole, and when its answer was, by
    the monotonic clock.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.port = 0
        self.spans: deque[tuple[str, float, float]] = deque(maxlen=_MOST_SPANS)
        self._active = 0
        self._server: asyncio.Server | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self._runner = runner

        def protocol() -> asyncio.BaseProtocol:
            if not self.core.online or runner.server is None:
                return _Unreachable()
            return runner.server()

        self._server = await asyncio.get_running_loop().create_server(protocol, host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    def drop(self) -> None:
        """Cut every connection."""
        if self._runner is not None and self._runner.server is not None:
            for connection in list(self._runner.server.connections):
                connection.force_close()

    async def stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
        self.drop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        """One HTTP request."""
        if refused := self._refuse(request):
            return refused
        occupied = self._active > 0
        self._active += 1
        try:
            body = await request.read()
            if occupied:
                self.core.violation("a request was sent while another was unanswered")
                answer = busy(self.core, body, BUSY)
            else:
                arrived = time.monotonic()
                await asyncio.sleep(self.core.timings.command)
                answer = execute(self.core, body)
                self.spans.append((answer["cmd"], arrived, time.monotonic()))
        finally:
            self._active -= 1
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return web.Response(body=encode(answer), headers=headers)

    def _refuse(self, request: web.Request) -> web.Response | None:
        """Requests that do not get as far as a command: 411 without a length, 405 for another method."""
        status = 0
        if "Transfer-Encoding" in request.headers or "Content-Length" not in request.headers:
            status = 411 if request.method == "POST" or "Transfer-Encoding" in request.headers else 405
        elif request.method != "POST":
            status = 405
        if status:
            self.core.violation(f"{request.method} refused with HTTP {status}")
            response = web.Response(status=status)
            response.force_close()
            return response
        if request.content_type != "application/json" or (request.charset or "utf-8").lower() != "utf-8":
            self.core.violation(f"Content-Type is {request.headers.get('Content-Type')!r}")
        return None

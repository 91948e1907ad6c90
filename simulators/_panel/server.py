"""The API as a web server: base, login, rights, features, bodies, and the errors in between."""

import asyncio
from collections.abc import Mapping
from inspect import isawaitable
import json
import ssl
from typing import Any, Final, override

from aiohttp import web

from . import handlers
from .core import Core
from .errors import NOT_ADMIN, WRONG_BODY, Refusal, disabled, wrong
from .handlers import Call
from .routes import Route, answer_of, routes_of

_MAX_BODY: Final = 32 * 1024 * 1024
_BASES: Final = ("/api/v0", "/api/v1")


class _Unreachable(asyncio.Protocol):
    """What a connection meets while the panel is off the network: it is cut at once."""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.abort()  # type: ignore[attr-defined]


class ApiServer:
    """Answers on a port; keeps the port while the panel is off the network."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self._routes = [(route, route.pattern) for route in routes_of(core)]
        self._server: asyncio.Server | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int, context: ssl.SSLContext | None) -> int:
        """Listen; the port."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        runner = self._runner

        def protocol() -> asyncio.BaseProtocol:
            if not self.core.online or runner.server is None:
                return _Unreachable()
            return runner.server()

        self._server = await asyncio.get_running_loop().create_server(protocol, host, port, ssl=context)
        taken: int = self._server.sockets[0].getsockname()[1]
        return taken

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
        """One request, with what becomes of it in the account of what the peer did."""
        path = request.path
        for base in _BASES:
            if path.startswith(f"{base}/"):
                path = path.removeprefix(base)
        await asyncio.sleep(self.core.timings.command)
        failure = self._failure(request.method, path)
        try:
            answer = _planned(failure) if failure and not failure["after"] else await self._answer(request, path)
        except Refusal as refusal:
            answer = _refused(refusal)
        self.core.requests.append((request.method, path, answer.status))
        self.core.note("in", f"{request.method} {path}: {answer.status}")
        if failure and failure["after"] and request.transport is not None:
            request.transport.abort()
        return answer

    def _failure(self, method: str, path: str) -> dict[str, Any] | None:
        """The failure that a test has planned for this call."""
        for failure in self.core.failures:
            if failure["path"] in path and failure["method"] in ("", method):
                failure["times"] -= 1
                if not failure["times"]:
                    self.core.failures.remove(failure)
                return failure
        return None

    async def _answer(self, request: web.Request, path: str) -> web.Response:
        if (request.method, path) == ("GET", "/api/info"):
            return web.json_response(handlers.info(self.core))
        if not request.path.startswith(f"{self.core.model.base}/"):
            raise Refusal(404, "", plain=True)
        if (request.method, path) == ("GET", "/login"):
            return web.json_response(self.core.accounts.login(request.query))
        route, args = self._find(request.method, path)
        kind = self.core.accounts.who(request.headers.get("Authorization"))
        if route.needs and not self.core.model.has(route.needs):
            raise disabled()
        if route.admin and kind != "admin":
            raise Refusal(403, NOT_ADMIN)
        for name in request.query.keys() - route.parameters(self.core):
            self.core.violation(f"{request.method} {path} has no parameter {name!r}")
        if route.acts:
            self.core.acts[path] += 1
        body = await self._body(request, route)
        result = route.handler(self.core, Call(args=args, query=request.query, body=body, request=request))
        return answer_of(await result if isawaitable(result) else result)

    def _find(self, method: str, path: str) -> tuple[Route, Mapping[str, int]]:
        """The call of a path; raise `Refusal` 404 for one that this panel does not know, 405 for a wrong method."""
        known = here = False
        for route, pattern in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            known = True
            if not route.exists(self.core) or not route.told(self.core):
                continue
            here = True
            if route.method == method:
                return route, {name: int(value) for name, value in match.groupdict().items()}
        if not known:
            self.core.violation(f"no panel knows {method} {path}")
        elif here:
            self.core.violation(f"{path} does not take {method}")
            raise Refusal(405, "", plain=True)
        raise Refusal(404, "", plain=True)

    async def _body(self, request: web.Request, route: Route) -> Any:
        """The body as JSON where one belongs; raise `Refusal` 400 when it is missing or broken."""
        if route.body != "json":
            return None
        raw = await request.read()
        if raw and request.content_type != "application/json":
            self.core.violation(f"Content-Type of {request.path} is {request.headers.get('Content-Type')!r}")
        try:
            body = json.loads(raw)
        except ValueError as err:
            raise wrong(WRONG_BODY) from err
        if not isinstance(body, dict):
            raise wrong(WRONG_BODY)
        return body


def _planned(failure: dict[str, Any]) -> web.Response:
    return web.Response(status=failure["status"], text=failure["body"], content_type=failure["content_type"])


def _refused(refusal: Refusal) -> web.Response:
    if refusal.plain:
        return web.Response(status=refusal.status, text=refusal.text)
    return web.json_response({"error": refusal.text}, status=refusal.status)

"""The HTTP server: finds the operation of a request, holds the request against the document, answers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
import json
from typing import Any, Final
from urllib.parse import unquote
from uuid import UUID

from aiohttp import web

from . import schema
from .auth import TOKEN_PATH, Access
from .core import Core
from .operations import OPERATIONS, Call, Operation
from .problems import Refusal

_BASE: Final = "/api/v1/"
_MAX_BODY: Final = 64 * 1024 * 1024
_JSON: Final = frozenset({"application/json", "text/json", "application/json-patch+json"})
_PROBLEM: Final = "application/problem+json"


class ApiServer:
    """Answers on a port."""

    def __init__(self, core: Core, access: Access, *, delay: float) -> None:
        """`delay` in seconds is how long every answer takes; `on_exchange` may be set to see every exchange."""
        self.core = core
        self.access = access
        self.delay = delay
        self.on_exchange: Callable[[web.Request, web.Response], Awaitable[None]] | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; the port."""
        app = web.Application(client_max_size=_MAX_BODY)
        app.router.add_post(TOKEN_PATH, self.access.answer)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        taken: int = self._runner.addresses[0][1]
        return taken

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        await asyncio.sleep(self.delay)
        try:
            failure = self._failure(request)
            answer = failure if failure is not None else await self._answer(request)
        except Refusal as refusal:
            answer = web.json_response(refusal.body(request.path), status=refusal.status, content_type=_PROBLEM)
        self.core.requests.append((request.method, request.path, answer.status))
        self.core.log.append(f"{request.method} {request.path}: {answer.status}")
        if self.on_exchange is not None:
            await self.on_exchange(request, answer)
        return answer

    def _failure(self, request: web.Request) -> web.Response | None:
        """The failure that somebody has planned for this request."""
        for failure in self.core.failures:
            if failure["path"] not in request.path or failure["method"] not in {"", request.method}:
                continue
            failure["times"] -= 1
            if failure["times"] <= 0:
                self.core.failures.remove(failure)
            if not failure["status"]:
                if request.transport is not None:
                    request.transport.abort()
                return web.Response()
            if failure["body"] is not None:
                kind = failure["kind"] or "application/json"
                return web.Response(status=failure["status"], text=failure["body"], content_type=kind)
            raise Refusal(failure["status"], "This failure was asked for.")
        return None

    async def _answer(self, request: web.Request) -> web.Response:
        if not self.access.allows(request.headers.get("Authorization")):
            return web.Response(status=401, headers={"WWW-Authenticate": "Bearer"})
        operation, key = self._find(request)
        self._look_at_query(request, operation)
        self._look_at_headers(request, operation)
        body = await self._body(request, operation)
        call = Call(key, dict(request.query), body)
        # Pictures are looked at beside the loop, as long as they take.
        result = await asyncio.to_thread(operation.run, self.core, call)
        if isinstance(result, bytes):
            return web.Response(body=result, content_type="image/jpeg")
        if operation.status == 204:
            return web.Response(status=204)
        return web.json_response(result, status=operation.status)

    def _find(self, request: web.Request) -> tuple[Operation, str]:
        """The operation of a request, and the id in its path. Raises `Refusal` 404, 405."""
        raw = request.rel_url.raw_path
        if not raw.startswith(_BASE):
            raise Refusal(404, "There is nothing here.")
        parts = raw.removeprefix(_BASE).split("/")
        known = False
        for operation in OPERATIONS:
            if (key := _match(operation.path.split("/"), parts)) is None:
                continue
            known = True
            if operation.method == request.method:
                return operation, key
        self.core.violation(f"the document has no {request.method} {request.path}")
        raise Refusal(405 if known else 404, "There is no such operation.")

    def _look_at_query(self, request: web.Request, operation: Operation) -> None:
        for name in request.query.keys() - operation.parameters:
            self.core.violation(f"{operation.method} {operation.path} has no parameter {name!r}")

    def _look_at_headers(self, request: web.Request, operation: Operation) -> None:
        session = request.headers.get("X-Session-Id")
        if session is None:
            return
        if not operation.session or self.core.release < (4, 35):
            self.core.violation(f"{operation.method} {operation.path} of {self.core.version} has no X-Session-Id")
            return
        try:
            UUID(session)
        except ValueError as err:
            raise Refusal(400, "X-Session-Id is not a Guid.") from err

    async def _body(self, request: web.Request, operation: Operation) -> dict[str, Any]:
        """The body in its form. Raises `Refusal` 400, 415."""
        raw = await request.read()
        if operation.form is None:
            if raw:
                self.core.violation(f"{operation.method} {operation.path} takes no body")
            return {}
        if request.content_type not in _JSON:
            raise Refusal(415, "The media type is not supported.")
        try:
            body = json.loads(raw)
        except ValueError as err:
            raise Refusal(400, "The body is not JSON.", {"$": ["The JSON value could not be read."]}) from err
        return self._checked(body, operation)

    def _checked(self, body: Any, operation: Operation) -> dict[str, Any]:
        assert operation.form is not None
        try:
            return schema.check(body, operation.form, self.core.release)
        except Refusal as refusal:
            self.core.violation(f"{operation.method} {operation.path}: {_named(refusal.errors)}")
            raise


def _match(pattern: list[str], parts: list[str]) -> str | None:
    """The id of a path that fits; empty where the pattern has none, None where it does not fit."""
    if len(pattern) != len(parts):
        return None
    key = ""
    for wanted, part in zip(pattern, parts, strict=True):
        if wanted == "{id}":
            key = unquote(part)
        elif wanted != part:
            return None
    return key


def _named(errors: Mapping[str, list[str]] | None) -> str:
    return "; ".join(f"{name}: {' '.join(texts)}" for name, texts in (errors or {}).items())

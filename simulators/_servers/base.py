"""A simulated server as such: its port, who asked what, planned failures, a page and its control API."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection
import json
from typing import Any, Final

from aiohttp import web

from .._page import ScenePage
from .faces import SeenPicture, see

MAX_BODY: Final = 64 * 1024 * 1024

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RefusedError(Exception):
    """What a request is answered with instead of what it wanted."""

    def __init__(self, status: int, body: Any = None, *, text: str = "") -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.text = text

    def answer(self) -> web.Response:
        """As a response."""
        if self.body is None:
            return web.Response(status=self.status, text=self.text)
        return web.json_response(self.body, status=self.status)


class SimulatedServer:
    """One server. A subclass fills `routes` and says in `SCENES` which of its methods the control API may call."""

    KIND: str = "server"
    SCENES: frozenset[str] = frozenset()

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, page_port: int | None = None) -> None:
        """Port 0 takes a free port; without `page_port` there is no control API."""
        self.host = host
        self.port = 0
        self._wanted = port
        self._wanted_page = page_port
        self._page: ScenePage | None = None
        self._runners: list[web.AppRunner] = []
        self.routes: dict[tuple[str, str], Handler] = {}
        self.violations: list[str] = []
        self.requests: deque[tuple[str, str, int]] = deque(maxlen=5000)  # method, path, status
        self.failures: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://{self.host}:{self.port}"

    @property
    def page_url(self) -> str | None:
        """Where the page and the control API are, if there is one."""
        return f"http://{self.host}:{self._page.port}/" if self._page is not None else None

    def violation(self, what: str) -> None:
        """The peer did something that the document forbids, or that no document knows."""
        self.violations.append(what)

    def count(self, path: str) -> int:
        """How often a path was asked for, whatever came of it."""
        return sum(1 for _, where, _ in self.requests if where == path)

    # Life.

    async def start(self) -> None:
        """Listen."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self.port = await self._listen(app, self.port or self._wanted)
        if self._wanted_page is not None:
            scenes = self.SCENES | {"fail", "clear_violations"}
            self._page = ScenePage(self, __package__, scenes, lambda: {**self.state, "scenes": sorted(scenes)})
            await self._page.start(self.host, self._wanted_page)

    async def stop(self) -> None:
        """Listen no more."""
        for runner in self._runners:
            if runner.server is not None:
                for connection in list(runner.server.connections):
                    connection.force_close()
            await runner.cleanup()
        self._runners.clear()
        if self._page is not None:
            await self._page.stop()

    async def _listen(self, app: web.Application, port: int) -> int:
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, self.host, port).start()
        taken: int = runner.addresses[0][1]
        return taken

    # Requests.

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        failure = self._failure(request)
        if failure is not None:
            await request.read()
            if failure["delay"]:
                await asyncio.sleep(failure["delay"])
            if failure["status"] == 0 and request.transport is not None:
                request.transport.abort()
            return web.Response(
                status=failure["status"] or 200, text=failure["body"], content_type=failure["content_type"]
            )
        try:
            answer = await self._find(request)(request)
        except RefusedError as refused:
            answer = refused.answer()
        self.requests.append((request.method, request.path, answer.status))
        return answer

    def _find(self, request: web.Request) -> Handler:
        handler = self.routes.get((request.method, request.path))
        if handler is not None:
            return handler
        known = [method for method, path in self.routes if path == request.path]
        self.violation(f"{request.method} {request.path} is no call of this server")
        raise RefusedError(405 if known else 404, {"detail": "Method Not Allowed" if known else "Not Found"})

    def _failure(self, request: web.Request) -> dict[str, Any] | None:
        for failure in self.failures:
            if request.path.endswith(failure["path"]):
                failure["times"] -= 1
                if not failure["times"]:
                    self.failures.remove(failure)
                self.requests.append((request.method, request.path, failure["status"]))
                return failure
        return None

    async def json_of(self, request: web.Request) -> dict[str, Any]:
        """Read a body that is a JSON object; raise `RefusedError` 422 for another."""
        if request.content_type != "application/json":
            self.violation(f"Content-Type of {request.path} is {request.headers.get('Content-Type')!r}")
        try:
            body = json.loads(await request.read())
        except ValueError as err:
            self.violation(f"the body of {request.path} is no JSON")
            raise RefusedError(422, self.malformed("the body is no JSON")) from err
        if not isinstance(body, dict):
            self.violation(f"the body of {request.path} is no object")
            raise RefusedError(422, self.malformed("the body is no object"))
        return body

    async def form_of(self, request: web.Request, files: Collection[str], texts: Collection[str]) -> dict[str, Any]:
        """Read a form with just these files (as bytes) and texts; raise `RefusedError` 400 where one is missing."""
        if request.content_type != "multipart/form-data":
            self.violation(f"Content-Type of {request.path} is {request.headers.get('Content-Type')!r}")
            raise RefusedError(400, text="Bad Request")
        found: dict[str, Any] = {}
        for name, value in (await request.post()).items():
            if name not in (*files, *texts):
                self.violation(f"the form of {request.path} has no field {name!r}")
            elif isinstance(value, web.FileField) != (name in files):
                self.violation(f"{name} of {request.path} is {'a file' if name in texts else 'no file'}")
            else:
                found[name] = value.file.read() if isinstance(value, web.FileField) else value
        for name in {*files, *texts} - found.keys():
            self.violation(f"the form of {request.path} lacks {name!r}")
            raise RefusedError(400, text="Bad Request")
        return found

    def malformed(self, what: str) -> dict[str, Any]:
        """What the server says of a body that it cannot read."""
        return {"message": what}

    # Scenes that every server has.

    def fail(
        self,
        *,
        path: str = "",
        status: int = 500,
        body: str = "",
        content_type: str = "text/plain",
        times: int = 1,
        delay: float = 0,
    ) -> None:
        """Answer the next requests whose path ends so with this; status 0 breaks the connection."""
        self.failures.append(
            {
                "path": path,
                "status": status,
                "body": body,
                "content_type": content_type,
                "times": times,
                "delay": delay,
            }
        )

    def clear_violations(self) -> None:
        """Forget what the peer did wrong so far."""
        self.violations.clear()

    @property
    def state(self) -> dict[str, Any]:
        """What a test or a person wants to see."""
        return {"url": self.url, "violations": self.violations, "requests": list(self.requests)[-50:]}


async def picture(data: bytes) -> SeenPicture:
    """Look at a picture on a thread: a process may run several servers and Home Assistant's tests."""
    return await asyncio.to_thread(see, data)

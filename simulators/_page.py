"""The web page of a simulated device and its small control API: `GET /`, `GET /state`, `POST /scene/<name>`."""

from collections.abc import Callable
from importlib import resources
from inspect import isawaitable
import json
from typing import Any

import aiohttp
from aiohttp import web

# Whatever a scene says of its arguments is the caller's mistake.
_WRONG = (ValueError, TypeError, KeyError, AttributeError, RuntimeError)
_FAILED = (TimeoutError, OSError, aiohttp.ClientError)


class ScenePage:
    """Serves `page.html` of a package, the state as JSON and the scenes, on a port of its own.

    A scene is a method of the device by its name; what it takes is the body of the request.
    """

    def __init__(self, device: Any, package: str, scenes: frozenset[str], state: Callable[[], dict[str, Any]]) -> None:
        self.device = device
        self.port = 0
        self._package, self._scenes, self._state = package, scenes, state
        self._runner: web.AppRunner | None = None

    def routes(self) -> list[web.RouteDef]:
        """List what is served; a device adds its pictures."""
        return [web.get("/", self._page), web.get("/state", self._show), web.post("/scene/{name}", self._play)]

    async def result(self, played: Any, _wait: float | None) -> Any:
        """Make JSON of what a scene gave; `wait` is how many seconds the caller would wait for its end."""
        return played

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, _request: web.Request) -> web.Response:
        text = resources.files(self._package).joinpath("page.html").read_text("utf-8")
        return web.Response(text=text, content_type="text/html")

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(self._state())

    async def _play(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._scenes:
            raise web.HTTPNotFound(text=f"no scene {name}")
        try:
            text = await request.text()
            arguments = json.loads(text) if text else {}
            wait = arguments.pop("wait", None)
            played = getattr(self.device, name)(**arguments)
            if isawaitable(played):
                played = await played
        except _WRONG as err:
            raise web.HTTPBadRequest(text=f"{name}: {err}") from err
        except _FAILED as err:
            raise web.HTTPBadGateway(text=f"{name}: {type(err).__name__}") from err
        return web.json_response({"result": await self.result(played, wait)})

"""A small control API: `GET /state`, and `POST /scene/<name>` with the arguments as JSON."""

import json
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

if TYPE_CHECKING:
    from ..smartface import SimulatedSmartFace

SCENES: Final = frozenset({"fail", "set_version", "revoke_tokens", "delete_watchlist", "clear_violations"})


class Page:
    """Serves the control API on its own port."""

    def __init__(self, server: SimulatedSmartFace) -> None:
        self.server = server
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_get("/state", self._state)
        app.router.add_post("/scene/{name}", self._scene)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(self.server.state)

    async def _scene(self, request: web.Request) -> web.Response:
        """Play a scene with the arguments of the body."""
        name = request.match_info["name"]
        if name not in SCENES:
            raise web.HTTPNotFound(text=f"no scene {name}")
        try:
            text = await request.text()
            result: Any = getattr(self.server, name)(**(json.loads(text) if text else {}))
        except (ValueError, TypeError, KeyError) as err:
            raise web.HTTPBadRequest(text=f"{name}: {err}") from err
        return web.json_response({"result": result})

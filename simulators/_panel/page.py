"""The web page of the simulator and its small control API: `GET /state`, `POST /scene/<name>`, `GET /picture`."""

from collections.abc import Callable
from dataclasses import asdict
from importlib import resources
from inspect import isawaitable
import json
from typing import Any, Final

from aiohttp import web

from .scenes import Scenes
from .settings import MANAGEMENT, REMOTE, RTSP, SIP
from .webhooks import shown

SCENES: Final = frozenset(
    {
        "ring",
        "answer",
        "cancel",
        "hang_up",
        "host_dials",
        "present_known",
        "present_stranger",
        "present_photo",
        "swipe_card",
        "enter_code",
        "show_qr",
        "press_exit",
        "press_free_access",
        "open_door",
        "close_door",
        "tamper",
        "wrong_gui_login",
        "set_password",
        "expire_tokens",
        "remove_webhooks",
        "set_clock",
        "lose_sip",
        "restore_sip",
        "offer_firmware",
        "change_face",
        "fail",
        "resend_webhook",
        "cut_network",
        "restore_network",
        "power_cycle",
        "clear_violations",
    }
)
_HIDDEN: Final = frozenset({REMOTE, MANAGEMENT, RTSP, SIP})


def state(panel: Scenes) -> dict[str, Any]:
    """Everything a page or a test wants to see, as JSON."""
    model = panel.model
    return {
        "model": {
            "name": model.name,
            "family": model.family,
            "kind": model.kind,
            "api": model.api,
            "firmware": model.firmware,
            "features": sorted(
                {*model.features, *(name for name in ("webhooks", "mqtt") if model.has(name))},
            ),
        },
        "serial": panel.serial,
        "name": panel.name,
        "online": panel.online,
        "tls": panel.tls,
        "clock": panel.timestamp(),
        "booted_at": panel.booted_at,
        "face": {**panel.settings.values["face"], "active_mode": panel.faces.active_mode, "looks": panel.faces.looks},
        "settings": {path: value for path, value in panel.settings.values.items() if path not in _HIDDEN},
        "remote": {"enabled": panel.remote.enabled, "questions": [asdict(each) for each in panel.remote.questions]},
        "locks": [{"number": number, "open": panel.locks.is_open(number)} for number in (1, 2)],
        "openings": [asdict(opening) for opening in panel.locks.openings],
        "denials": panel.locks.denials,
        "door": {"open": panel.door.is_open, "watched": panel.door.watched, "exceeded": panel.door.exceeded},
        "call": {"state": panel.calls.state, "number": panel.calls.number, "made": panel.calls.made},
        "sip": panel.calls.status(),
        "identifiers": [
            {
                "uid": uid,
                "type": item["identifier_type"],
                "owner": item["identifier_owner"]["name"],
                "enrolled": item["enrolled"],
                "passes_left": item["passes_left"],
            }
            for uid, item in panel.identifiers.items.items()
        ],
        "webhooks": [{"uid": uid, "url": item["url"], "status": item["status"]} for uid, item in _webhooks(panel)],
        "deliveries": [shown(delivery) for delivery in panel.webhooks.deliveries[-50:]],
        "publications": len(panel.mqtt.publications),
        "journal": panel.journal.items[-50:],
        "logins": panel.accounts.logins,
        "tokens": len(panel.accounts.tokens),
        "acts": dict(panel.acts),
        "photos": len(panel.camera.taken),
        "stream": {"port": panel.stream.port, "watchers": panel.stream.watchers},
        "visitor": {"name": panel.visitor, "photo": panel.visitor_photo},
        "violations": panel.violations,
        "log": list(panel.log)[-60:],
    }


def _webhooks(panel: Scenes) -> list[tuple[int, dict[str, Any]]]:
    return list(panel.webhooks.items.items())


class Page:
    """Serves the page on its own port."""

    def __init__(self, panel: Scenes) -> None:
        self.panel = panel
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        app = web.Application()
        app.router.add_get("/", self._page)
        app.router.add_get("/state", self._state)
        app.router.add_get("/picture", self._picture)
        app.router.add_post("/scene/{name}", self._scene)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _page(self, _request: web.Request) -> web.Response:
        text = resources.files(__package__).joinpath("page.html").read_text("utf-8")
        return web.Response(text=text, content_type="text/html")

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(state(self.panel))

    async def _picture(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.panel.camera.jpeg(), content_type="image/jpeg")

    async def _scene(self, request: web.Request) -> web.Response:
        """Play a scene with the arguments of the body."""
        name = request.match_info["name"]
        if name not in SCENES:
            raise web.HTTPNotFound(text=f"no scene {name}")
        scene: Callable[..., Any] = getattr(self.panel, name)
        try:
            text = await request.text()
            result = scene(**(json.loads(text) if text else {}))
            if isawaitable(result):
                result = await result
        except (ValueError, TypeError, KeyError) as err:
            raise web.HTTPBadRequest(text=f"{name}: {err}") from err
        return web.json_response({"result": result})

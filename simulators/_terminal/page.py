"""The web page of the simulator and its small control API: `GET /state`, `POST /scene/<name>`, pictures."""

from collections.abc import Callable
import contextlib
from dataclasses import asdict
from importlib import resources
from inspect import isawaitable
import json
import time
from typing import Any, Final

import aiohttp
from aiohttp import web

from . import pictures
from .model import Capture
from .scenes import Scenes

SCENES: Final = frozenset(
    {
        "present_known",
        "present_stranger",
        "present_photo",
        "swipe_card",
        "show_qr",
        "ring",
        "answer_call",
        "reject_call",
        "hang_up",
        "incoming_call",
        "set_temperature",
        "set_clock",
        "put_on_schedule",
        "set_mask",
        "cut_network",
        "restore_network",
        "power_cycle",
        "resend_last",
        "push_raw",
        "lose_push",
        "wait_for_pushes",
        "connect",
        "disconnect",
        "ask_upgrade",
        "clear_violations",
    }
)


def state(terminal: Scenes) -> dict[str, Any]:
    """Everything a page or a test wants to see, as JSON."""
    now = time.monotonic()
    doors, phone, app = terminal.doors, terminal.phone, terminal.app
    return {
        "serial": terminal.serial,
        "online": terminal.online,
        "clock": terminal.local_time(),
        "firmware": terminal.firmware["appversion"],
        "last_upgrade_code": terminal.last_upgrade_code,
        "title": app["lcd_control"]["lcd_title"],
        "app": {key: value for key, value in app.items() if key not in {"upload_info", "extranet"}},
        "links": {"upload": terminal.upload_url(), "control": terminal.control_url()},
        "heartbeats": terminal.control.heartbeats,
        "results": terminal.control.results,
        "relays": [{"port": port, "open": doors.is_open(port)} for port in doors.ports],
        "openings": [asdict(opening) for opening in doors.openings],
        "wiegand": doors.wiegand,
        "spoken": terminal.spoken,
        "texts": [{**text, "visible": text["until"] > now} for text in terminal.texts],
        "images": [
            {"time": image["time"], "position": image["position"], "visible": image["until"] > now}
            for image in terminal.images
        ],
        "audio": {
            "count": len(terminal.audio),
            "seconds": round(sum(play["seconds"] for play in terminal.audio), 3),
            "plays": terminal.audio[-50:],
        },
        "sip": {
            "registered": terminal.sip_account is not None,
            "state": phone.state,
            "peer": phone.peer,
            "calls": phone.calls,
            "events": phone.events,
        },
        "screensaver": terminal.screensaver,
        "volume": terminal.volume,
        "temperature": terminal.temperature,
        "mask": terminal.mask,
        "people": [
            {"id": p.id, "name": p.name, "role": p.role, "kind": p.kind, "term": p.term, "card": bool(p.cards)}
            for p in terminal.people.values()
        ],
        "records": [record.as_dict() for record in terminal.records[-50:]],
        "pushes": {
            "pending": len(terminal.uploader.queue),
            "delivered": sum(record.uploaded for record in terminal.records),
            "sequence": terminal.sequence,
        },
        "commands": terminal.commands[-100:],
        "violations": terminal.violations,
        "log": list(terminal.log)[-60:],
    }


def _look(record: Capture) -> tuple[str, bool, bool]:
    """What the pictures of a capture are drawn from."""
    return record.seed, bool(record.mask), record.photo


class Page:
    """Serves the page on its own port."""

    def __init__(self, terminal: Scenes) -> None:
        self.terminal = terminal
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def start(self, host: str, port: int) -> None:
        """Listen."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        app.router.add_get("/", self._page)
        app.router.add_get("/state", self._state)
        app.router.add_get("/picture", self._picture)
        app.router.add_get("/face", self._face)
        app.router.add_get("/screen-image", self._screen_image)
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
        return web.json_response(state(self.terminal))

    async def _picture(self, _request: web.Request) -> web.Response:
        """What the camera sees: the last capture, or the empty doorstep."""
        records = self.terminal.records
        look = _look(records[-1]) if records else ("nobody", False, False)
        return web.Response(body=pictures.panorama(*look), content_type="image/jpeg")

    async def _face(self, _request: web.Request) -> web.Response:
        """The close-up of the last capture, byte for byte as it is pushed."""
        if not self.terminal.records:
            raise web.HTTPNotFound
        return web.Response(body=pictures.closeup(*_look(self.terminal.records[-1])), content_type="image/jpeg")

    async def _screen_image(self, _request: web.Request) -> web.Response:
        """The image on the screen."""
        if not self.terminal.images:
            raise web.HTTPNotFound
        data: bytes = self.terminal.images[-1]["data"]
        kind = "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
        return web.Response(body=data, content_type=kind)

    async def _scene(self, request: web.Request) -> web.Response:
        """Play a scene; `wait` (seconds) in the body waits until the capture is acknowledged."""
        name = request.match_info["name"]
        if name not in SCENES:
            raise web.HTTPNotFound(text=f"no scene {name}")
        scene: Callable[..., Any] = getattr(self.terminal, name)
        try:
            text = await request.text()
            arguments = json.loads(text) if text else {}
            wait = arguments.pop("wait", None)
            result = scene(**arguments)
            if isawaitable(result):
                result = await result
        except (ValueError, TypeError, AttributeError, RuntimeError) as err:
            raise web.HTTPBadRequest(text=f"{name}: {err}") from err
        except (TimeoutError, OSError, aiohttp.ClientError) as err:
            raise web.HTTPBadGateway(text=f"{name}: {type(err).__name__}") from err
        if isinstance(result, Capture):
            if wait:
                with contextlib.suppress(TimeoutError):  # the answer then says "uploaded": false
                    await result.wait(wait)
            result = result.as_dict()
        return web.json_response({"result": result})

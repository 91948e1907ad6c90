"""What the page of a simulated terminal shows, and the scenes that it plays."""

import contextlib
from dataclasses import asdict
import time
from typing import Any, Final, override

from aiohttp import web

from .._page import ScenePage
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


class Page(ScenePage):
    """The page of a terminal, with what its camera sees and its screen shows."""

    def __init__(self, terminal: Scenes) -> None:
        super().__init__(terminal, __package__, SCENES, lambda: state(terminal))
        self.terminal = terminal

    @override
    def routes(self) -> list[web.RouteDef]:
        return [
            *super().routes(),
            web.get("/picture", self._picture),
            web.get("/face", self._face),
            web.get("/screen-image", self._screen_image),
        ]

    @override
    async def result(self, played: Any, wait: float | None) -> Any:
        """Wait until a capture is acknowledged, where that is wanted."""
        if not isinstance(played, Capture):
            return played
        if wait:
            with contextlib.suppress(TimeoutError):  # the answer then says "uploaded": false
                await played.wait(wait)
        return played.as_dict()

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

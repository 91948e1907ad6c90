"""What the page of a simulated panel shows, and the scenes that it plays."""

from dataclasses import asdict
from typing import Any, Final, override

from aiohttp import web

from .._page import ScenePage
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


class Page(ScenePage):
    """The page of a panel, with what its camera sees."""

    def __init__(self, panel: Scenes) -> None:
        super().__init__(panel, __package__, SCENES, lambda: state(panel))
        self.panel = panel

    @override
    def routes(self) -> list[web.RouteDef]:
        return [*super().routes(), web.get("/picture", self._picture)]

    async def _picture(self, _request: web.Request) -> web.Response:
        return web.Response(body=self.panel.camera.jpeg(), content_type="image/jpeg")

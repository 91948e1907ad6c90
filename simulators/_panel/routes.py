"""The catalogue of calls: which path, on which panels, for whom, and what answers it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
import re
from typing import Any, Final, Literal

from aiohttp import web

from . import handlers, listings
from .core import Core
from .handlers import Call
from .listing import PARAMETERS
from .settings import Setting

ANDROID: Final = frozenset({"android"})
CAMDROID: Final = frozenset({"camdroid"})
BOTH: Final = ANDROID | CAMDROID

type Handler = Callable[[Core, Call], Any | Awaitable[Any]]
type Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One call. `{uid}` and the like in the path are numbers."""

    method: Method
    path: str
    handler: Handler
    families: frozenset[str] = BOTH
    since: int = 0  # Android: the first and the last major version of the API that has it
    until: int = 99
    needs: str = ""  # a feature of the model
    minimum: str = "0.0.0"  # version of the API
    admin: bool = False
    inferred: frozenset[str] = frozenset()  # families for which no document shows the path
    acts: bool = False  # a GET that does something
    query: frozenset[str] = frozenset()
    lists: bool = False  # takes the parameters of lists besides
    body: Literal["", "json", "multipart"] = ""

    def exists(self, core: Core) -> bool:
        """Whether panels of this family and API version know the path."""
        model = core.model
        if model.family not in self.families or not model.since(self.minimum):
            return False
        return model.family == "camdroid" or self.since <= model.major <= self.until

    def told(self, core: Core) -> bool:
        """Whether the path is shown by a document, or undocumented paths are answered as well."""
        return core.inferred or core.model.family not in self.inferred

    def parameters(self, core: Core) -> frozenset[str]:
        """The names that the query may have."""
        return self.query | (PARAMETERS[core.model.filters] if self.lists else frozenset())

    @property
    def pattern(self) -> re.Pattern[str]:
        """What a path must look like."""
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[0-9]+)", self.path))


def routes_of(core: Core) -> list[Route]:
    """Every call of every panel; whether this panel has it is the route's to say."""
    return [*_ROUTES, *(route for setting in core.settings.table.values() for route in _of_setting(setting))]


def _of_setting(setting: Setting) -> list[Route]:
    """The calls that read and write a setting."""
    shared: dict[str, Any] = {
        "path": setting.path,
        "families": frozenset({setting.family}) if setting.family else BOTH,
        "needs": setting.needs,
        "minimum": setting.since if setting.family == "android" else "0.0.0",
        "inferred": BOTH if setting.inferred else frozenset(),
    }

    def path_of(args: Mapping[str, int]) -> str:
        return setting.path.format(**args)

    def read(core: Core, call: Call) -> Any:
        return core.settings.read(setting, path_of(call.args))

    def write(core: Core, call: Call) -> None:
        core.settings.change(setting, path_of(call.args), call.body)

    routes = [] if setting.write_only else [Route(method="GET", handler=read, **shared)]
    if setting.fields:
        routes.append(Route(method=setting.write, handler=write, admin=True, body="json", **shared))
    return routes


def _get(path: str, handler: Handler, **more: Any) -> Route:
    return Route(method="GET", path=path, handler=handler, **more)


def _post(path: str, handler: Handler, **more: Any) -> Route:
    return Route(method="POST", path=path, handler=handler, body=more.pop("body", "json"), **more)


def _delete(path: str, handler: Handler, **more: Any) -> Route:
    return Route(method="DELETE", path=path, handler=handler, **more)


_FACE: Final = "/access/general/facerecognition"
_ITEM: Final = "/access/identifier/item/{uid}"
_OPEN: Final = "/access/general/lock/open"
_PROFILE: Final = "/access/timeprofile"
_LOG: Final[dict[str, Any]] = {"lists": True, "query": frozenset({"locale", "from", "to"})}
_WEBHOOK: Final[dict[str, Any]] = {"families": ANDROID, "needs": "webhooks", "admin": True}
_OLD: Final[dict[str, Any]] = {"families": ANDROID, "until": 1}

_STATUS: Final = (
    _get("/logout", handlers.logout, acts=True),
    _post("/logout", handlers.logout, body=""),
    _get("/dashboard", handlers.dashboard),
    _get("/sip/status", lambda core, _call: core.calls.status()),
    _get("/device/language", handlers.language),
    _post("/device/language", handlers.set_language, body="", query=frozenset({"language"}), admin=True),
    _get("/device/time", handlers.device_time),
    _post("/network/timezone/manual", handlers.set_time, families=ANDROID, admin=True),
    _get("/device/name", lambda core, _call: {"device_name": core.name}),
    _get("/device/mode/current", handlers.mode),
    _post("/device/mode/wall", handlers.set_wall, body="", query=frozenset({"noUnit", "device"}), admin=True),
    _post("/device/mode/unit", handlers.set_unit, body="", query=frozenset({"building", "unit", "device"}), admin=True),
    _get("/network/mac", handlers.mac),
    _get("/network/settings", handlers.network),
    _post("/network/settings/static", handlers.set_static, admin=True),
    _post("/network/settings/dhcp", handlers.set_dhcp, body="", admin=True),
    _get("/photo/file", handlers.photo),
    _get("/log/items", listings.log, families=ANDROID, since=2, **_LOG),
    _get("/log/items", listings.log, families=CAMDROID, **_LOG),
    _get("/log/list", listings.log, **_OLD, **_LOG),
)
_FACES: Final = (
    _get(_FACE, handlers.faces, families=ANDROID, needs="face", admin=True),
    _post(_FACE, handlers.set_faces, families=ANDROID, needs="face", admin=True),
)
_LOCKS: Final = (
    _get(f"{_OPEN}/remote/accepted/{{lock}}", handlers.open_lock, acts=True, families=ANDROID),
    _get(
        f"{_OPEN}/remote/accepted/{{lock}}",
        handlers.open_lock,
        acts=True,
        families=CAMDROID,
        query=frozenset({"unlockTime"}),
    ),
    _get(f"{_OPEN}/remote/denied", handlers.deny, acts=True),
    _get(f"{_OPEN}/remote/control/accepted/{{lock}}", handlers.open_for_server, acts=True),
    _get(f"{_OPEN}/remote/control/denied", handlers.deny_for_server, acts=True),
    _post(f"{_OPEN}/emergency", handlers.open_emergency, admin=True),
    _post("/access/general/lock/close/emergency", handlers.close_emergency, admin=True, inferred=ANDROID),
    _get("/access/door/status", lambda core, _call: core.door.status()),
)
_IDENTIFIERS: Final = (
    _post("/access/identifier", listings.create_identifier),
    _get(_ITEM, listings.identifier, since=2),
    _get(_ITEM, listings.identifier, **_OLD, inferred=ANDROID),
    _get("/access/identifiers/item/{uid}", listings.identifier, **_OLD),
    Route(method="PATCH", path=_ITEM, handler=listings.update_identifier, body="json"),
    _delete(_ITEM, listings.delete_identifier),
    _post(
        "/access/identifier/item/face/file/{uid}",
        listings.enrol,
        body="multipart",
        families=ANDROID,
        needs="face",
    ),
    _post(f"{_ITEM}/passes/reset", listings.reset_passes, body=""),
    _get(f"{_ITEM}/qr", listings.qr, query=frozenset({"locale"})),
    _post(f"{_ITEM}/timeprofile/{{profile}}", listings.attach_profile, body=""),
    _delete(f"{_ITEM}/timeprofile/{{profile}}", listings.detach_profile),
    _post("/apartment/item/{apartment}/identifier/{uid}", listings.attach_apartment, body=""),
    _post("/apartment/item/unbind/identifier/{uid}", listings.detach_apartment, body=""),
    _get("/access/identifier/items", listings.identifiers, since=2, lists=True),
    _get("/access/identifier/items", listings.identifiers, **_OLD, lists=True, inferred=ANDROID),
    _get("/access/identifiers/items/list", listings.identifiers, **_OLD, lists=True),
    _delete("/access/identifier/items", listings.delete_identifiers, body="json"),
    _post("/access/identifier/items/link", listings.upsert_linked),
    _get("/access/identifier/items/link", listings.linked, lists=True, query=frozenset({"link_id"})),
    _delete("/access/identifier/items/link", listings.delete_linked, body="json"),
    _get(
        "/access/identifiers",
        listings.by_type,
        families=ANDROID,
        minimum="2.15.0",
        inferred=ANDROID,
        query=frozenset({"type", "number", "limit", "page_number", "sort_type"}),
    ),
    _post(_PROFILE, listings.create_profile),
    _get(f"{_PROFILE}/item/{{uid}}", listings.profile),
    Route(method="PATCH", path=f"{_PROFILE}/item/{{uid}}", handler=listings.update_profile, body="json"),
    _delete(f"{_PROFILE}/item/{{uid}}", listings.delete_profile),
    _get(f"{_PROFILE}/items", listings.profiles, since=2, lists=True),
    _get(f"{_PROFILE}/items/list", listings.profiles, **_OLD, lists=True),
    _get("/apartment/items/list", listings.apartments, **_OLD, lists=True),
    _get("/forward/items", listings.forwards, query=frozenset({"limit", "page_number"})),
    _post("/forward/item/{apartment}", listings.set_forward),
    _delete("/forward/items", listings.delete_forwards, body="json"),
)
_WEBHOOKS: Final = (
    _post("/webhooks", listings.create_webhook, inferred=ANDROID, **_WEBHOOK),
    _get(
        "/webhooks",
        listings.webhooks,
        inferred=ANDROID,
        query=frozenset({"limit", "page_number", "sort_field", "sort_type"}),
        **_WEBHOOK,
    ),
    _get("/webhooks/{uid}", listings.webhook, **_WEBHOOK),
    Route(method="PUT", path="/webhooks/{uid}", handler=listings.update_webhook, body="json", **_WEBHOOK),
    _delete("/webhooks/{uid}", listings.delete_webhook, **_WEBHOOK),
    _post("/webhooks/{uid}/test", listings.test_webhook, body="", **_WEBHOOK),
    _get(
        "/webhooks/{uid}/events",
        listings.deliveries,
        inferred=ANDROID,
        query=frozenset({"limit", "page_number", "sort_field", "sort_type"}),
        **_WEBHOOK,
    ),
    _get("/webhooks/events/{uid}", listings.delivery, inferred=ANDROID, **_WEBHOOK),
)
_SYSTEM: Final = (
    _get("/system/reboot/run", handlers.reboot, acts=True, admin=True),
    _get("/system/firmware/check/status", handlers.firmware, admin=True),
    _post("/system/data/clear", handlers.clear, admin=True),
    _delete("/system/debug/log", handlers.clear_log, admin=True),
    _post("/system/debug/call/start", handlers.call_start, families=CAMDROID, needs="debug_call"),
    _post("/system/debug/call/end", handlers.call_end, families=CAMDROID, needs="debug_call", body=""),
    _post("/web/ssl", handlers.set_ssl, families=ANDROID, admin=True),
    _post(
        "/security/password/admin",
        handlers.set_password,
        families=ANDROID,
        admin=True,
        body="",
        query=frozenset({"oldPassword", "newPassword"}),
    ),
    _post(
        "/security/password/web/admin",
        handlers.set_password,
        families=CAMDROID,
        admin=True,
        body="",
        query=frozenset({"oldPassword", "newPassword"}),
    ),
)
_ROUTES: Final = (*_STATUS, *_FACES, *_LOCKS, *_IDENTIFIERS, *_WEBHOOKS, *_SYSTEM)


def answer_of(result: Any) -> web.Response:
    """What a handler returned, as a response: JSON, nothing, or a response already."""
    if isinstance(result, web.Response):
        return result
    return web.Response() if result is None else web.json_response(result)

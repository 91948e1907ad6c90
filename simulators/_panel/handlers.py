"""What answers the calls for status, faces, locks and the system."""

from collections.abc import Mapping
from dataclasses import dataclass
import hashlib
import json
from typing import Any, Final

from aiohttp import web

from .._terminal.schema import Field, array, flag, group, integer, one_of, text
from .bodies import check_body
from .core import Core
from .errors import WRONG_BODY, wrong
from .locks import MAX_EMERGENCY

LANGUAGES: Final = (
    "English",
    "Russian",
    "Ukrainian",
    "Spanish",
    "Polish",
    "Dutch",
    "Turkish",
    "French",
    "Danish",
    "Portuguese",
    "Deutsch",
)
_MAX_UNLOCK: Final = 604800
_ADDRESS: Final = text(15, low=7, pattern=r"\d{1,3}(\.\d{1,3}){3}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as a handler sees it: numbers of the path, query, and the body as JSON or as parts."""

    args: Mapping[str, int]
    query: Mapping[str, str]
    body: Any
    request: web.Request


def checked(core: Core, call: Call, fields: Mapping[str, Field]) -> dict[str, Any]:
    """The body of a call, checked against a table."""
    path = call.request.path
    return check_body(call.body, fields, lambda name: core.violation(f"{path} has no field {name!r}"))


# Status.


def info(core: Core) -> dict[str, Any]:
    """`GET /api/info`, which needs no login."""
    model = core.model
    told: dict[str, Any] = {
        "firmware_version": model.firmware,
        "framework_version": "1.12.0",
        "frontend_version": "4.1.0",
        "api_version": model.api,
        "device_type": "panel",
        "device_name": core.name,
        "device_model": model.device_model,
        "device_serial_number": core.serial,
        "commit": hashlib.sha256(model.firmware.encode()).hexdigest()[:8],
    }
    if model.family == "android":
        told |= {"hybrid_enable": False, "hybrid_version": "0", "mcu_version": "1.7"}
    return told


def dashboard(core: Core, _call: Call) -> dict[str, Any]:
    """A summary; what is in it is not documented."""
    return {"device_name": core.name, "firmware_version": core.model.firmware, **core.calls.status()}


def language(core: Core, _call: Call) -> dict[str, Any]:
    """The language of the panel's own texts."""
    return {"current_language": _state(core)["language"], "all_supported_languages": list(LANGUAGES)}


def set_language(core: Core, call: Call) -> None:
    """Choose a language by its English name."""
    name = call.query.get("language")
    if name not in LANGUAGES:
        raise wrong("Wrong language")
    _state(core)["language"] = name
    core.save()


def device_time(core: Core, _call: Call) -> dict[str, Any]:
    """The clock."""
    zone = core.settings.values["/network/timezone"]
    names = {"timezone": "timezone", "current_timezone": "device_timezone"}
    return {"time_unix": int(core.timestamp()), **{names[key]: value for key, value in zone.items()}}


def set_time(core: Core, call: Call) -> None:
    """Set the clock; only without NTP."""
    body = checked(core, call, {"timezone": text(pattern=r"UTC[+-]\d\d:\d\d"), "time_unix": integer(0)})
    if core.settings.values["/network/ntp"]["enabled"]:
        raise wrong("NTP is enabled")
    core.settings.values["/network/timezone"]["timezone"] = body["timezone"]
    core.clock_offset += body["time_unix"] - core.timestamp()
    core.save()


def mode(core: Core, _call: Call) -> dict[str, Any]:
    """Where the panel hangs."""
    return {"current_panel_mode": _state(core)["mode"]}


def set_wall(core: Core, call: Call) -> None:
    """The panel of a whole building."""
    _numbers(call, "device")
    _state(core)["mode"] = "Wall"
    core.save()


def set_unit(core: Core, call: Call) -> None:
    """The panel of a part of a building."""
    _numbers(call, "building", "unit", "device")
    _state(core)["mode"] = "Unit"
    core.save()


def mac(core: Core, _call: Call) -> dict[str, Any]:
    """The hardware address."""
    tail = hashlib.sha256(core.serial.encode()).digest()[:3]
    return {"mac_address": "28:FA:A0:" + ":".join(f"{byte:02X}" for byte in tail)}


def network(core: Core, _call: Call) -> dict[str, Any]:
    """Addresses."""
    return dict(_state(core)["network"])


def set_static(core: Core, call: Call) -> None:
    """Fixed addresses. The simulator stays where it is."""
    fields = dict.fromkeys(("ip_address", "mask", "gateway", "dns"), _ADDRESS)
    _state(core)["network"] = {"dhcp": False, **checked(core, call, fields)}
    core.save()


def set_dhcp(core: Core, _call: Call) -> None:
    """Addresses from the network."""
    _state(core)["network"]["dhcp"] = True
    core.save()


async def photo(core: Core, _call: Call) -> web.Response:
    """What the camera sees."""
    return await core.camera.take()


def logout(core: Core, call: Call) -> None:
    """End the session."""
    core.accounts.logout(call.request.headers.get("Authorization"))


# Faces.


def faces(core: Core, _call: Call) -> dict[str, Any]:
    """The settings of face recognition."""
    return core.faces.read()


def set_faces(core: Core, call: Call) -> None:
    """Change them."""
    core.faces.change(call.body)


# Locks.


def open_lock(core: Core, call: Call) -> None:
    """Open once."""
    core.locks.chosen(call.args["lock"])
    raw = call.query.get("unlockTime", "0") if core.model.family == "camdroid" else "0"
    if not raw.isascii() or not raw.isdigit() or int(raw) > _MAX_UNLOCK:
        raise wrong("Wrong unlockTime value")
    core.locks.open(call.args["lock"], "access_granted_by_api_call", seconds=int(raw))
    core.journal.write("access_granted_by_api_call", lock=call.args["lock"])


def deny(core: Core, _call: Call) -> None:
    """Show that access is denied."""
    core.locks.deny()
    core.journal.write("access_denied_by_web_api_call")


def open_for_server(core: Core, call: Call) -> None:
    """Open as the remote access server."""
    core.locks.open(call.args["lock"], "access_granted_by_remote_server_api_call")
    core.journal.write("access_granted_by_remote_server_api_call", lock=call.args["lock"])


def deny_for_server(core: Core, _call: Call) -> None:
    """Deny as the remote access server."""
    core.locks.deny()
    core.journal.write("access_denied_by_remote_server_api_call")


def open_emergency(core: Core, call: Call) -> None:
    """Hold open for seconds."""
    order = group(lock_number=integer(), unlock_time=integer())
    orders = checked(core, call, {"locks": array(order)})["locks"]
    for each in orders:
        core.locks.chosen(each["lock_number"])
        if not 1 <= each["unlock_time"] <= MAX_EMERGENCY:
            raise wrong(f"Unlock time must be in range [1 - {MAX_EMERGENCY}] seconds")
    core.locks.open_emergency(orders)


def close_emergency(core: Core, call: Call) -> None:
    """Hold open no longer."""
    numbers = checked(core, call, {"locks": array(integer())})["locks"]
    for number in numbers:
        core.locks.chosen(number)
    core.locks.close_emergency(numbers)


# The system.


def reboot(core: Core, _call: Call) -> None:
    """Start anew."""
    core.on_reboot(core.timings.reboot)


def firmware(core: Core, _call: Call) -> dict[str, Any]:
    """Whether there is newer firmware; the names of the fields are not documented."""
    newer = core.firmware_offered
    return {"update_available": newer is not None, "current_version": core.model.firmware, "new_version": newer}


def clear(core: Core, call: Call) -> None:
    """Remove data; the field is called otherwise in API 1.x."""
    name = "clear_fields" if core.model.major >= 2 else "data_types"
    kinds = checked(core, call, {name: array(one_of("logs", "identifiers", "apartments", "forwards"), 1)})[name]
    if "logs" in kinds:
        core.journal.clear()
    if "identifiers" in kinds:
        core.identifiers.items.clear()
    core.save()


def clear_log(core: Core, _call: Call) -> None:
    """Remove the log."""
    core.journal.clear()
    core.save()


def call_start(core: Core, call: Call) -> None:
    """Call a number."""
    number = checked(core, call, {"number": text(255, low=1, pattern=r"sip:\S+")})["number"]
    if not core.calls.call(number, number=number):
        raise wrong("Call is in progress")


def call_end(core: Core, _call: Call) -> None:
    """End the call."""
    core.calls.end()


def set_ssl(core: Core, call: Call) -> None:
    """HTTPS on or off; the API is away for a moment."""
    wanted = checked(core, call, {"is_enabled": flag()})["is_enabled"]
    if wanted != core.tls:
        core.tls = wanted
        core.on_ssl()


async def set_password(core: Core, call: Call) -> None:
    """Change the administrator's password, given in the query or (AA-12FB) in the body."""
    if core.model.password_call == "query":  # noqa: S105 (says where it stands)
        old, new = call.query.get("oldPassword"), call.query.get("newPassword")
        if old is None or new is None:
            raise wrong("Required parameters missed")
    else:
        raw = await call.request.read()
        try:
            given = json.loads(raw)
        except ValueError as err:
            raise wrong(WRONG_BODY) from err
        body = check_body(
            given,
            {"old_password": text(), "new_password": text()},
            lambda name: core.violation(f"the password call has no field {name!r}"),
        )
        old, new = body["old_password"], body["new_password"]
    core.accounts.change(old, new)


def _state(core: Core) -> dict[str, Any]:
    """What is kept besides the plain settings."""
    return core.settings.values.setdefault(
        "state",
        {
            "language": "English",
            "mode": "Unit",
            "network": {
                "dhcp": True,
                "ip_address": core.host,
                "mask": "255.255.255.0",
                "gateway": "127.0.0.1",
                "dns": "127.0.0.1",
            },
        },
    )


def _numbers(call: Call, *names: str) -> None:
    for name in names:
        raw = call.query.get(name, "")
        if not raw.isascii() or not raw.isdigit():
            raise wrong("Required parameters missed")

"""Plain settings: a table of what is read and written where, with which fields, on which panels."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from .._terminal.schema import Field, array, flag, group, integer, one_of, text
from .bodies import check_body
from .errors import wrong
from .model import version

if TYPE_CHECKING:
    from .core import Core

DAYS: Final = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MASK: Final = "WebPass"  # what stands for a SIP password when it is read
REMOTE: Final = "/access/general/remote/control/settings"
MANAGEMENT: Final = "/network/management/server"
SYSLOG: Final = "/syslog/settings"
MASTER_CODE: Final = "/access/general/unlock/input/code"
SIP: Final = "/device/sip/settings"
RTSP: Final = "/device/settings/rtsp"
VIDEO: Final = "/device/settings/video"
_LEAKS_BEFORE: Final = (3, 9, 2)  # Camdroid firmware before this shows passwords in clear (CVE-2024-39220)

type Values = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One group of values. A path with `{lock}` exists once for each lock. Without `fields` it can only be read."""

    path: str
    defaults: Mapping[str, Any]
    fields: Mapping[str, Field] = field(default_factory=dict)
    family: Literal["", "android", "camdroid"] = ""
    needs: str = ""  # a feature of the model
    kinds: frozenset[str] = frozenset()  # empty: all
    since: str = "0.0.0"
    inferred: bool = False  # no document shows the path
    write_only: bool = False
    write: Literal["POST", "PUT"] = "POST"
    show: Callable[[Core, Values], Values] = lambda _core, values: values
    before: Callable[[Core, Values], None] = lambda _core, _values: None
    after: Callable[[Core], None] = lambda _core: None


class Settings:
    """`values` maps each path to its values."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.table = {setting.path: setting for setting in _table(core)}
        self.values: dict[str, Values] = {}
        for setting in self.table.values():
            for path in _paths(setting):
                self.values[path] = deepcopy(dict(setting.defaults))

    def of_lock(self, what: str, lock: int) -> Values:
        """The timeout, delay or dtmf of a lock; locks of a SH-42 module have those of the second."""
        return self.values[f"/access/general/lock/{what}/{min(lock, 2)}"]

    def read(self, setting: Setting, path: str) -> Values:
        """The values as they are shown."""
        return setting.show(self.core, deepcopy(self.values[path]))

    def change(self, setting: Setting, path: str, body: Any) -> None:
        """Check and keep a body."""
        checked = check_body(
            body, setting.fields, lambda name: self.core.violation(f"{path} has no field {name!r} to write")
        )
        setting.before(self.core, checked)
        self.values[path].update(checked)
        self.core.save()
        setting.after(self.core)


def _paths(setting: Setting) -> list[str]:
    return [setting.path.format(lock=lock) for lock in (1, 2)] if "{lock}" in setting.path else [setting.path]


def _table(core: Core) -> tuple[Setting, ...]:
    return (*_access(core), *_calls(core), *_device(core), *_network(core))


def _access(core: Core) -> tuple[Setting, ...]:
    camdroid = core.model.family == "camdroid"
    day = group(
        day=one_of(*DAYS), enable=flag(), time_from=integer(0, 86400), time_to=integer(0, 86400), lock=_WHICH_LOCK
    )
    door: dict[str, Any] = {"enable": False, "mode": "door_sensor", "opening_delay": 30, "repeating_message_delay": 60}
    return (
        Setting(
            path="/access/general/lock/timeout/{lock}",
            defaults={"lock_timeout": 3},
            fields={"lock_timeout": integer(1, 40)},
        ),
        Setting(
            path="/access/general/lock/delay/{lock}", defaults={"lock_delay": 0}, fields={"lock_delay": integer(0, 9)}
        ),
        Setting(
            path="/access/general/lock/dtmf/{lock}",
            defaults={"dtmf_code": "#"},
            fields={"dtmf_code": text(8, low=1, pattern="[0-9*#]+")},
        ),
        Setting(
            path="/access/freeaccess",
            defaults={
                "enable": False,
                "days": [
                    {"day": name, "enable": True, "time_from": 28800, "time_to": 36000, "lock": "first"}
                    for name in DAYS
                ],
            },
            fields={"enable": flag(), "days": array(day, 0, 7)},
            family="android",
            needs="free_access",
        ),
        Setting(
            path="/access/door/sensor",
            defaults={**door, "repeating_message_enable": False},
            fields={
                "enable": flag(),
                "mode": one_of(*core.model.door_modes),
                "opening_delay": integer(0, 86400),
                "repeating_message_delay": integer(5, 86400),
                "repeating_message_enable": flag(),
            },
            show=lambda core, values: {**values, "available_modes": list(core.model.door_modes)},
        ),
        Setting(
            path=MASTER_CODE,
            defaults={"input_code_enable": False, "input_code_number": "1234"},
            fields={"input_code_enable": flag(), "input_code_number": text(8, low=1, pattern="[0-9]+")},
            needs="keypad",
            before=_check_master_code,
        ),
        Setting(path="/access/general/unlock/card/master", defaults={"master_card": ""}),
        Setting(
            path=REMOTE,
            defaults={core.switch_field: False, "custom_server_enabled": False, "custom_server_api_url": ""},
            fields={
                core.switch_field: flag(),
                "custom_server_enabled": flag(),
                "custom_server_api_url": text(2000, optional=True),
            },
        ),
        Setting(
            path="/access/general/wiegand/type",
            defaults={"identifier_representation": "decimal", "type": "wiegand_58"},
            fields={"identifier_representation": one_of("hex", "decimal"), "type": text(low=1)},
            write_only=not camdroid,
        ),
        Setting(path="/access/exit/button/toggle", defaults={"enable": True}, family="camdroid"),
        Setting(
            path="/access/general/lock/type",
            defaults={"locks": [{"lock_number": number, "type": "electromagnetic"} for number in (1, 2)]},
            family="camdroid",
        ),
        Setting(
            path="/access/locks/settings",
            defaults={
                "open_all_dtmf": "0",
                "use_old_sh42": False,
                "settings": [_lock_settings(n) for n in range(1, 9)],
            },
            family="camdroid",
            inferred=True,
        ),
    )


def _calls(core: Core) -> tuple[Setting, ...]:
    outbound = {"outbound": text(optional=True)} if core.model.since("2.10.0") else {}
    switch: dict[str, Any] = {"defaults": {"is_enabled": False}, "fields": {"is_enabled": flag()}, "family": "camdroid"}
    return (
        Setting(
            path=SIP,
            defaults={
                "proxy": "",
                "realm": "",
                "user": "",
                "password": "",
                "transport": "udp",
                "user_id": "",
                "registration_interval": 900,
                "stun": {"ip": "127.0.0.1", "port": 3478},
                **({"outbound": ""} if outbound else {}),
            },
            fields={
                "proxy": text(pattern=r"sip:[^:\s]+(:\d{1,5})?"),
                "realm": text(),
                "user": text(31, low=1),
                "password": text(31, low=6),
                "transport": one_of("udp", "tcp", "tls"),
                "user_id": text(31, optional=True),
                "registration_interval": integer(30, 900),
                "stun": group(optional=True, ip=text(), port=integer(1, 65535)),
                **outbound,
            },
            show=_show_sip,
            before=_check_sip,
            after=lambda core: core.calls.register(),
        ),
        Setting(
            path="/device/sip/enable",
            defaults={"sip_enable": False},
            fields={"sip_enable": flag()},
            after=lambda core: core.calls.register(),
        ),
        Setting(path="/device/sip/reregister", defaults={"is_reregister": True}, family="camdroid"),
        Setting(
            path="/device/call/dial/timeout",
            defaults={"dial_timeout": 30, "forwarding_timeout": 25},
            fields={"dial_timeout": integer(1, 600), "forwarding_timeout": integer(1, 600, optional=True)},
        ),
        Setting(
            path="/device/call/talk/timeout",
            defaults={"talk_timeout": 90},
            fields={"talk_timeout": integer(1, 3600)},
        ),
        Setting(path="/device/call/dial/auto", defaults={"enable": False}, family="android", needs="auto_dial"),
        Setting(
            path="/device/call/concierge",
            defaults={"number_enable": False, "number_url": ""},
            fields={"number_enable": flag(), "number_url": text(pattern=r"(sip:\S+)?")},
        ),
        Setting(path="/device/call/auto_answer", **switch),
        Setting(path="/device/call/drop", **switch),
        Setting(path="/device/call/drop/lock-open", **switch),
        Setting(path="/forward/mode", defaults={"mode": "sequential"}),
    )


def _device(core: Core) -> tuple[Setting, ...]:
    android = core.model.family == "android"
    return (
        Setting(
            path=RTSP,
            defaults={
                "username": "admin",
                "password": core.accounts.accounts["admin"]["password"],
                **({"is_audio_enabled": False} if android else {}),
            },
            fields={
                "username": text(32, low=1),
                "password": text(32, low=1),
                **({"is_audio_enabled": flag(optional=True)} if android else {}),
            },
        ),
        Setting(
            path=VIDEO,
            defaults={"video_resolution": "1280x720", "fps": 25},
            fields={"video_resolution": text(pattern=r"\d{3,4}x\d{3,4}"), "fps": integer(1, 30, optional=True)},
        ),
        Setting(
            path="/device/settings/payload",
            defaults={"payload_codec_h264": 102},
            fields={"payload_codec_h264": integer(96, 127)},
        ),
        Setting(path="/device/settings/volume", defaults={"volume_level": 4}, fields={"volume_level": integer(1, 6)}),
        Setting(
            path="/device/settings/mic",
            defaults={"mic_gain_level": 3},
            fields={"mic_gain_level": integer(1, 6)},
            family="android",
        ),
        Setting(path="/device/settings/led", defaults={"auto_mode": True}, family="android"),
        Setting(
            path="/device/settings/ir",
            defaults={"ir_enable": True},
            fields={"ir_enable": flag()},
            family="android",
        ),
        Setting(
            path="/device/proximity/sensor",
            defaults={"enable": True},
            fields={"enable": flag()},
            family="android",
            since="2.9.0",
            inferred=True,
        ),
    )


def _network(core: Core) -> tuple[Setting, ...]:
    zone = "timezone" if core.model.family == "android" else "current_timezone"
    link = group(
        url=text(2000),
        password=text(optional=True),
        is_logging_enabled=flag(optional=True),
        is_heartbeat_enabled=flag(optional=True),
        is_encrypted=flag(optional=True),
    )
    return (
        Setting(
            path="/network/ntp",
            defaults={"enabled": True, "use_default": True, "custom_server": ""},
            fields={"enabled": flag(), "use_default": flag(), "custom_server": text(255, optional=True)},
        ),
        Setting(
            path="/network/timezone",
            defaults={zone: "UTC+00:00"},
            fields={zone: text(pattern=r"UTC[+-]\d\d:\d\d")},
        ),
        Setting(path="/network/dst", defaults={"is_enabled": False}, family="camdroid"),
        Setting(
            path=MANAGEMENT,
            defaults={
                "is_enabled": False,
                "protocol": "mqtt",
                "settings": {"url": "", "password": "", "is_logging_enabled": False, "is_encrypted": False},
            },
            fields={"is_enabled": flag(), "protocol": one_of("http", "mqtt"), "settings": link},
            needs="mqtt",
            inferred=core.model.family == "android",
            write="PUT",
        ),
        Setting(
            path=SYSLOG,
            defaults={"enabled": False, "server": {"server": "", "port": 514, "severity": 6}, "tag": ""},
            fields={
                "enabled": flag(),
                "server": group(server=text(255), port=integer(1, 65535), severity=integer(0, 7)),
                "tag": text(64, optional=True),
            },
            family="android",
            needs="syslog",
        ),
    )


_WHICH_LOCK: Final = one_of("first", "second", "all")


def _lock_settings(number: int) -> Values:
    return {
        "lock_number": number,
        "timeout": 3,
        "delay": 0,
        "type": "electromagnetic",
        "pulse_on": 1,
        "pulse_off": 1,
        "dtmf_code": "#",
    }


def _show_sip(core: Core, values: Values) -> Values:
    leaks = core.model.family == "camdroid" and version(core.model.firmware) < _LEAKS_BEFORE
    return values if leaks else {**values, "password": MASK if values["password"] else ""}


def _check_sip(core: Core, values: Values) -> None:
    """What is read in place of the password must not be written back."""
    if values["password"] == MASK:
        core.violation("the mask of the SIP password was written as the password")
        values["password"] = core.settings.values[SIP]["password"]


def _check_master_code(core: Core, values: Values) -> None:
    if values["input_code_enable"] and core.identifiers.find("inputCode", values["input_code_number"]):
        raise wrong("Input code is already used by an identifier")

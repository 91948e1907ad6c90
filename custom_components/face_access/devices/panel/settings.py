"""A panel's settings as settings of the house: what to ask, which values come of it, and how one is written."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ...access import Similarity
from ..errors import StationProtocolError, StationUnsupportedError
from ..station import Setting, SettingKind, SettingValue
from .client import PanelClient
from .door import MAX_DELAY, MIN_REPEAT, DoorSensor
from .faces import FaceMode, FaceSettings
from .info import Kind
from .locks import MAX_DELAY as MAX_OPEN_DELAY, MAX_OPEN_TIME

type Values = Mapping[str, SettingValue | None]
type Write = Callable[[PanelClient, SettingValue], Awaitable[None]]

# Seen on one model. A panel that is louder says so, and then has the more to choose from.
_MAX_LEVEL: Final = 6
# An option is a key of translations, which are written small.
MODES: Final[Mapping[str, FaceMode]] = {mode.value.lower(): mode for mode in FaceMode}
_SENSOR_MODES: Final = ("door_sensor", "enter_button", "concierge", "call_button")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One question to the panel, and the settings that its answer holds. `known` narrows what can be chosen."""

    name: str
    ask: Callable[[PanelClient], Awaitable[tuple[Values, Mapping[str, Setting]]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One setting and how it is written."""

    setting: Setting
    write: Write


def _toggle(key: str, write: Write) -> Row:
    return Row(setting=Setting(key=key, kind=SettingKind.TOGGLE), write=write)


def _choice(key: str, options: tuple[str, ...], write: Write, *, needs_restart: bool = False) -> Row:
    setting = Setting(key=key, kind=SettingKind.CHOICE, options=options, needs_restart=needs_restart)
    return Row(setting=setting, write=write)


def _number(key: str, low: int, high: int, write: Write, unit: str | None = None) -> Row:
    return Row(setting=Setting(key=key, kind=SettingKind.NUMBER, minimum=low, maximum=high, unit=unit), write=write)


def _open_time(lock: int) -> Row:
    return _number(
        f"open_time_{lock}", 1, MAX_OPEN_TIME, lambda client, value: client.locks.set_open_time(lock, int(value)), "s"
    )


def _open_delay(lock: int) -> Row:
    return _number(
        f"open_delay_{lock}", 0, MAX_OPEN_DELAY, lambda client, value: client.locks.set_delay(lock, int(value)), "s"
    )


async def _write_motion(client: PanelClient, value: SettingValue) -> None:
    """Newer panels call it proximity, older ones infrared."""
    try:
        await client.media.set_proximity(bool(value))
    except StationUnsupportedError, StationProtocolError:
        await client.media.set_infrared(bool(value))


ROWS: Final[tuple[Row, ...]] = (
    _toggle("recognition", lambda client, value: client.faces.write(enabled=bool(value))),
    _choice(
        "similarity",
        tuple(Similarity),
        lambda client, value: client.faces.write(similarity=Similarity(str(value))),
    ),
    _choice(
        "recognition_mode",
        tuple(MODES),
        lambda client, value: client.faces.write(mode=MODES[str(value)]),
        needs_restart=True,
    ),
    _toggle("autostart", lambda client, value: client.faces.write(autostart=bool(value))),
    _number("volume", 1, _MAX_LEVEL, lambda client, value: client.media.set_volume(int(value))),
    _number("microphone", 1, _MAX_LEVEL, lambda client, value: client.media.set_microphone(int(value))),
    _open_time(1),
    _open_time(2),
    _open_delay(1),
    _open_delay(2),
    _toggle("door_sensor", lambda client, value: client.access.set_sensor(enabled=bool(value))),
    _choice("door_input", _SENSOR_MODES, lambda client, value: client.access.set_sensor(mode=str(value))),
    _number(
        "door_alarm_after",
        0,
        MAX_DELAY,
        lambda client, value: client.access.set_sensor(alarm_after=int(value)),
        "s",
    ),
    _toggle("door_alarm_repeat", lambda client, value: client.access.set_sensor(repeat=bool(value))),
    _number(
        "door_alarm_repeat_every",
        MIN_REPEAT,
        MAX_DELAY,
        lambda client, value: client.access.set_sensor(repeat_every=int(value)),
        "s",
    ),
    _toggle("free_access", lambda client, value: client.access.set_free_access(enabled=bool(value))),
    _toggle("master_code", lambda client, value: client.access.set_master_code(enabled=bool(value))),
    _toggle("sip", lambda client, value: client.phone.set_enabled(bool(value))),
    _number("dial_timeout", 1, 600, lambda client, value: client.phone.set_dial_timeout(int(value)), "s"),
    _number("talk_timeout", 1, 3600, lambda client, value: client.phone.set_talk_timeout(int(value)), "s"),
    _toggle("motion_sensor", _write_motion),
    _toggle("ntp", lambda client, value: client.system.set_ntp(enabled=bool(value))),
)
SETTINGS: Final[Mapping[str, Setting]] = {row.setting.key: row.setting for row in ROWS}


async def _faces(client: PanelClient) -> tuple[Values, Mapping[str, Setting]]:
    faces: FaceSettings = await client.faces.read()
    info = await client.system.info()
    # A mode that the panel cannot be given is none to show: an individual panel stands on 3D without having it.
    mode = faces.mode if faces.mode in faces.modes else None
    values: dict[str, SettingValue | None] = {
        "recognition": faces.enabled,
        "similarity": faces.similarity,
        "recognition_mode": None if mode is None else mode.value.lower(),
    }
    if info.kind is Kind.AA:
        # Some panels do not tell it although it must be written.
        values["autostart"] = bool(faces.autostart)
    options = tuple(mode.value.lower() for mode in faces.modes)
    return values, {"recognition_mode": replace(SETTINGS["recognition_mode"], options=options)}


def _level(key: str, level: int | None) -> tuple[Values, Mapping[str, Setting]]:
    setting = SETTINGS[key]
    widened = replace(
        setting, minimum=min(setting.minimum, level or 0, 1 if level else 0), maximum=max(setting.maximum, level or 0)
    )
    return {key: level}, {} if level is None else {key: widened}


async def _volume(client: PanelClient) -> tuple[Values, Mapping[str, Setting]]:
    return _level("volume", await client.media.volume())


async def _microphone(client: PanelClient) -> tuple[Values, Mapping[str, Setting]]:
    return _level("microphone", await client.media.microphone())


async def _sensor(client: PanelClient) -> tuple[Values, Mapping[str, Setting]]:
    sensor: DoorSensor = await client.access.sensor()
    values: Values = {
        "door_sensor": sensor.enabled,
        "door_input": sensor.mode if sensor.mode in _SENSOR_MODES else None,
        "door_alarm_after": sensor.alarm_after,
        "door_alarm_repeat": sensor.repeat,
        "door_alarm_repeat_every": sensor.repeat_every,
    }
    options = tuple(mode for mode in _SENSOR_MODES if mode in sensor.modes)
    return values, {"door_input": replace(SETTINGS["door_input"], options=options)} if options else {}


async def _timeouts(client: PanelClient) -> tuple[Values, Mapping[str, Setting]]:
    dial, talk = await client.phone.timeouts()
    return {"dial_timeout": dial, "talk_timeout": talk}, {}


async def _motion(client: PanelClient) -> tuple[Values, Mapping[str, Setting]]:
    try:
        enabled = await client.media.proximity_enabled()
    except StationUnsupportedError:
        enabled = None
    return {"motion_sensor": await client.media.infrared() if enabled is None else enabled}, {}


def _one(key: str, ask: Callable[[PanelClient], Awaitable[SettingValue | None]]) -> Source:
    """One question with one value."""

    async def read(client: PanelClient) -> tuple[Values, Mapping[str, Setting]]:
        return {key: await ask(client)}, {}

    return Source(name=key, ask=read)


async def _free_access(client: PanelClient) -> SettingValue | None:
    return (await client.access.free_access()).enabled


async def _master_code(client: PanelClient) -> SettingValue | None:
    return (await client.access.master_code()).enabled


async def _ntp(client: PanelClient) -> SettingValue | None:
    return (await client.system.ntp()).enabled


SOURCES: Final[tuple[Source, ...]] = (
    Source(name="faces", ask=_faces),
    Source(name="volume", ask=_volume),
    Source(name="microphone", ask=_microphone),
    _one("open_time_1", lambda client: client.locks.open_time(1)),
    _one("open_time_2", lambda client: client.locks.open_time(2)),
    _one("open_delay_1", lambda client: client.locks.delay(1)),
    _one("open_delay_2", lambda client: client.locks.delay(2)),
    Source(name="sensor", ask=_sensor),
    _one("free_access", _free_access),
    _one("master_code", _master_code),
    _one("sip", lambda client: client.phone.enabled()),
    Source(name="timeouts", ask=_timeouts),
    Source(name="motion", ask=_motion),
    _one("ntp", _ntp),
)

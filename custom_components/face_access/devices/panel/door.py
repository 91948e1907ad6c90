"""The door and who passes without an identifier: door sensor, free access, master code, exit button."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from ..errors import InvalidValueError, StationRefusedError
from ..values import as_bool, as_int, as_list, as_objects, as_text, check_number
from .caller import Caller
from .judge import SENSOR_OFF
from .locks import ALL, lock_name, read_lock

MAX_DELAY: Final = 86400
MIN_REPEAT: Final = 5
_SENSOR: Final = "/access/door/sensor"
_STATUS: Final = "/access/door/status"
_FREE: Final = "/access/freeaccess"
_MASTER_CODE: Final = "/access/general/unlock/input/code"
_MASTER_CARD: Final = "/access/general/unlock/card/master"
_EXIT: Final = "/access/exit/button/toggle"
# One of the two, depending on the panel: what was read is written.
_REPEAT_KEYS: Final = ("repeating_message_enable", "repeating_message_enabled")


class Day(StrEnum):
    """A day of the week."""

    SUNDAY = "SUN"
    MONDAY = "MON"
    TUESDAY = "TUE"
    WEDNESDAY = "WED"
    THURSDAY = "THU"
    FRIDAY = "FRI"
    SATURDAY = "SAT"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorStatus:
    """What the sensor says. `seconds` is how long the door has been open."""

    open: bool
    too_long: bool = False
    seconds: int | None = None
    mode: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSensor:
    """What the door's input is for: `mode` is `door_sensor`, `enter_button`, `concierge` or `call_button`.

    Times in seconds: `alarm_after` open (0 to 86400), then again every `repeat_every` (5 to 86400) if `repeat`.
    """

    enabled: bool | None = None
    mode: str | None = None
    alarm_after: int | None = None
    repeat: bool | None = None
    repeat_every: int | None = None
    modes: tuple[str, ...] = ()

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the panel's object."""
        modes = (as_text(mode) for mode in as_list(raw.get("available_modes")) or ())
        return cls(
            enabled=as_bool(raw.get("enable")),
            mode=as_text(raw.get("mode")),
            alarm_after=as_int(raw.get("opening_delay")),
            repeat=next((as_bool(raw[key]) for key in _REPEAT_KEYS if key in raw), None),
            repeat_every=as_int(raw.get("repeating_message_delay")),
            modes=tuple(mode for mode in modes if mode),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeDay:
    """When the free access button opens on one day: seconds since midnight; `lock` 0 is all."""

    day: Day
    enabled: bool
    start: int
    end: int
    lock: int = ALL

    def body(self) -> dict[str, Any]:
        """Build the panel's object. Raises InvalidValueError."""
        return {
            "day": self.day.value,
            "enable": self.enabled,
            "time_from": check_number("start", self.start, 0, MAX_DELAY),
            "time_to": check_number("end", self.end, self.start, MAX_DELAY),
            "lock": lock_name(self.lock),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeAccess:
    """Whether a button at the panel opens, and when. It is no latch: somebody has to press."""

    enabled: bool | None
    days: tuple[FreeDay, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterCode:
    """The code that opens every lock."""

    enabled: bool | None
    code: str | None = field(repr=False)


class Access:
    """Commands on the door."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a panel."""
        self._caller = caller

    async def status(self) -> DoorStatus | None:
        """Read whether the door is open; None while the input is no door sensor."""
        try:
            raw = await self._caller.get(_STATUS)
        except StationRefusedError as err:
            if err.code == SENSOR_OFF:
                return None
            raise
        status = as_text(raw.get("status"))
        if status not in ("open", "closed"):
            return None
        return DoorStatus(
            open=status == "open",
            too_long=as_bool(raw.get("is_timeout_exceed")) is True,
            seconds=as_int(raw.get("opentime")),
            mode=as_text(raw.get("mode")),
        )

    async def sensor(self) -> DoorSensor:
        """Read what the input is for."""
        return DoorSensor.parse(await self._caller.get(_SENSOR))

    async def set_sensor(
        self,
        *,
        enabled: bool | None = None,
        mode: str | None = None,
        alarm_after: int | None = None,
        repeat: bool | None = None,
        repeat_every: int | None = None,
    ) -> None:
        """Write what is given and keep the rest. Raises InvalidValueError."""
        given = {
            "enable": enabled,
            "mode": mode,
            "opening_delay": None if alarm_after is None else check_number("alarm_after", alarm_after, 0, MAX_DELAY),
            "repeating_message_delay": (
                None if repeat_every is None else check_number("repeat_every", repeat_every, MIN_REPEAT, MAX_DELAY)
            ),
        }
        changes = {key: value for key, value in given.items() if value is not None}
        async with self._caller.changing:
            await self._write_sensor(changes, mode, repeat)

    async def _write_sensor(self, changes: Mapping[str, Any], mode: str | None, repeat: bool | None) -> None:
        raw = await self._caller.get(_SENSOR)
        known = DoorSensor.parse(raw).modes
        if mode is not None and known and mode not in known:
            options = ", ".join(known)
            raise InvalidValueError("mode", f"must be one of {options}", "choice", options=options)
        repeat_key = next((key for key in _REPEAT_KEYS if key in raw), _REPEAT_KEYS[0])
        repeated = {} if repeat is None else {repeat_key: repeat}
        kept = {key: value for key, value in raw.items() if key != "available_modes"}
        await self._caller.send("POST", _SENSOR, {**kept, **changes, **repeated})

    async def free_access(self) -> FreeAccess:
        """Read when the free access button opens. AA panels only."""
        raw = await self._caller.get(_FREE)
        days = (_free_day(item) for item in as_objects(raw.get("days")))
        return FreeAccess(enabled=as_bool(raw.get("enable")), days=tuple(day for day in days if day is not None))

    async def set_free_access(self, *, enabled: bool | None = None, days: tuple[FreeDay, ...] | None = None) -> None:
        """Write what is given and keep the rest. Raises InvalidValueError."""
        changes: dict[str, Any] = {} if enabled is None else {"enable": enabled}
        if days is not None:
            changes["days"] = [day.body() for day in days]
        await self._caller.change(_FREE, changes)

    async def master_code(self) -> MasterCode:
        """Read the code that opens everything. Panels with a keypad only."""
        raw = await self._caller.get(_MASTER_CODE, secret=True)
        return MasterCode(
            enabled=as_bool(raw.get("input_code_enable")), code=as_text(raw.get("input_code_number")) or None
        )

    async def set_master_code(self, *, enabled: bool, code: str | None = None) -> None:
        """Switch the code, or change it: 1 to 8 digits. Raises InvalidValueError."""
        changes: dict[str, Any] = {"input_code_enable": enabled}
        if code is not None:
            if not 1 <= len(code) <= 8 or not (code.isascii() and code.isdigit()):
                raise InvalidValueError("code", "must be 1 to 8 digits")
            changes["input_code_number"] = code
        await self._caller.change(_MASTER_CODE, changes, secret=True)

    async def master_card(self) -> str | None:
        """Read the number of the card that opens everything: a secret."""
        return as_text((await self._caller.get(_MASTER_CARD, secret=True)).get("master_card")) or None

    async def exit_button(self) -> bool | None:
        """Read whether the exit button's contacts are watched, on Camdroid panels."""
        return as_bool((await self._caller.get(_EXIT)).get("enable"))


def _free_day(raw: Mapping[str, Any]) -> FreeDay | None:
    day, start, end = as_text(raw.get("day")) or "", as_int(raw.get("time_from")), as_int(raw.get("time_to"))
    if day not in Day or start is None or end is None:
        return None
    lock = read_lock(raw.get("lock"))
    enabled = as_bool(raw.get("enable")) is True
    return FreeDay(day=Day(day), enabled=enabled, start=start, end=end, lock=ALL if lock is None else lock)

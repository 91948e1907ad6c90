"""Parameters of a terminal by dotted path: what each is, how to read it, what to send to change it (HTTP API 2.3)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, Self

from ..errors import InvalidValueError
from ..values import MAX_U32, as_bool, as_float, as_int, as_object, as_text, check_number, check_text, section
from .services import ControlService, UploadInfo

type ParamValue = bool | int | float | str


class ParamKind(StrEnum):
    """What values a parameter takes. A code is a number that stands for something, a choice a word."""

    SWITCH = "switch"
    NUMBER = "number"
    DECIMAL = "decimal"
    CODE = "code"
    CHOICE = "choice"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """One parameter. `low` and `high` bound a number, `options` a code or choice, `limit` a text in bytes of UTF-8.

    `key` is the last key as the device wants it written, `read_at` another place where some firmwares print it,
    `needs` a switch without which the device has no such parameter, `section` where the document has it.
    """

    path: str
    kind: ParamKind
    section: str
    low: float | None = None
    high: float | None = None
    options: tuple[int | str, ...] = ()
    limit: int | None = None
    key: str | None = None
    read_at: str | None = None
    needs: str | None = None

    @property
    def written(self) -> tuple[str, ...]:
        """The keys from the outermost object to the value, as the device wants them."""
        *groups, last = self.path.split(".")
        return (*groups, self.key or last)

    def read(self, raw: Any) -> ParamValue | None:
        """Read the device's value; None for what makes no sense here. Out of range is reported as it is."""
        match self.kind:
            case ParamKind.SWITCH:
                return as_bool(raw)
            case ParamKind.NUMBER | ParamKind.CODE:
                return as_int(raw)
            case ParamKind.DECIMAL:
                return as_float(raw)
            case _:
                return as_text(raw)

    def check(self, value: ParamValue) -> ParamValue:
        """Pass a value that the device takes, in the type that it wants. Raises InvalidValueError."""
        if self.kind in (ParamKind.TEXT, ParamKind.CHOICE):
            if not isinstance(value, str):
                raise InvalidValueError(self.path, "must be a text")
            checked: ParamValue | None = check_text(self.path, value, self.limit)
        else:
            checked = None if isinstance(value, str) else self.read(value)
        if checked is None:
            raise InvalidValueError(self.path, f"must be a {self.kind}")
        if self.options and checked not in self.options:
            options = ", ".join(map(str, self.options))
            raise InvalidValueError(self.path, f"must be one of {options}", "choice", options=options)
        if self.low is not None and self.high is not None and not isinstance(checked, str):
            check_number(self.path, checked, self.low, self.high)
        return checked


def _switch(path: str, section: str, **more: Any) -> Param:
    return Param(path=path, kind=ParamKind.SWITCH, section=section, **more)


def _number(path: str, section: str, low: float, high: float, **more: Any) -> Param:
    return Param(path=path, kind=ParamKind.NUMBER, section=section, low=low, high=high, **more)


def _decimal(path: str, low: float, high: float) -> Param:
    return Param(path=path, kind=ParamKind.DECIMAL, section="2.3.2", low=low, high=high)


def _text(path: str, limit: int | None) -> Param:
    return Param(path=path, kind=ParamKind.TEXT, section="2.3.2", limit=limit)


def _choice(path: str, *options: str) -> Param:
    return Param(path=path, kind=ParamKind.CHOICE, section="2.3.2", options=options)


def _code(path: str, *options: int) -> Param:
    return Param(path=path, kind=ParamKind.CODE, section="2.3.2", options=options)


def _table(*params: Param) -> Mapping[str, Param]:
    return {param.path: param for param in params}


# Bounds that the document leaves open (temperatures, intervals, pixels) only keep out what can be no such value.
APP_PARAMS: Final[Mapping[str, Param]] = _table(
    _text("device_info.device_no", 31),
    _text("device_info.addr_no", 31),
    _text("device_info.addr_name", 95),
    _number("face.min_face_size", "2.3.2", 0, 10000),
    _switch("face.name_privacy", "2.3.2"),
    _switch("face.enable_match", "2.3.2"),
    _number("face.match_score", "2.3.2", 70, 100, needs="face.enable_match"),
    _switch("face.enable_dereplication", "2.3.2"),
    # The document prints this key with a space at its end, in both directions.
    _number("face.derep_timeout", "2.3.2", 3, 60, key="derep_timeout ", needs="face.enable_dereplication"),
    _number("face.audio_flip_interval", "2.3.2", 0, MAX_U32),
    _choice("face.pic_form", "overall", "closeup", "both", "none"),
    _switch("face.enable_output_reg", "2.3.2"),
    _switch("face.enable_output_feature", "2.3.2"),
    _switch("face.enable_age", "2.3.2"),
    _switch("face.enable_sex", "2.3.2"),
    _switch("face.enable_alive", "2.3.2"),
    _switch("face.body_temperature.enable", "2.3.2"),
    _decimal("face.body_temperature.limit", 0, 150),
    _switch("face.body_temperature.outdoor", "2.3.2"),
    _switch("face.body_temperature.multi_frame_confir", "2.3.2"),
    _decimal("face.body_temperature.range_min", 0, 150),
    _decimal("face.body_temperature.range_max", 0, 150),
    _decimal("face.body_temperature.correction_value", -20, 20),
    _switch("face.body_temperature.fahrenheit_unit", "2.3.2"),
    _switch("face.body_temperature.fast_mode", "2.3.2"),
    _switch("face.mask.enable", "2.3.2"),
    _switch("face.mask.must_wear_mask", "2.3.2"),
    _switch("face.mask.no_mask_alarm", "2.3.2"),
    # Printed inside "face" when it is read (2.3.1), and at the top when it is written (2.3.2).
    _switch("remote_upgrader.enable", "2.3.2", read_at="face.remote_upgrader.enable"),
    _choice("gate_control.output_mode", "gpio", "wiegand"),
    _code("gate_control.gate_mode", *range(14), 20),
    _code("gate_control.match_mode", 1, 2, 3),
    _code("gate_control.gpio_state", 0, 1),
    _number("gate_control.gpio_retention_time", "2.3.2", 500, 5000),
    _switch("gate_control.gpio_linked", "2.3.2"),
    _switch("gate_control.wg_linked", "2.3.2"),
    _choice("gate_control.wg_protocol", "wg26", "wg34"),
    _number("gate_control.wg_id_public", "2.3.2", 0, MAX_U32),
    _number("gate_control.wg_create_id_begin", "2.3.2", 0, MAX_U32),
    _number("gate_control.wg_create_id_end", "2.3.2", 0, MAX_U32),
    _code("led_control.led_mode", 1, 2, 3),
    _number("led_control.led_brightness", "2.3.2", 1, 100),
    _choice("led_control.led_sensitivity", "low", "mid", "high"),
    _text("lcd_control.lcd_title", None),
    _number("lcd_control.lcd_display_item", "2.3.2", 0, 255),
    # It mirrors the screen; the document calls it so all the same.
    _switch("lcd_control.led_mirror", "2.3.2"),
    _switch("qr_code_control.enable", "2.3.2"),
    _number("qr_code_control.repeat_interval", "2.3.2", 0, 255),
    _switch("name_list.auto_clean", "2.3.2"),
)
STREAM_PARAMS: Final[Mapping[str, Param]] = _table(
    _number("image.max_exposure", "2.3.5", 300, 9900),
    _number("image.max_gain", "2.3.5", 0, 40),
    _number("image.contrast", "2.3.5", 0, 128),
    _number("image.saturation", "2.3.5", 1, 255),
    _number("image.brightness", "2.3.5", 1, 100),
    _number("video.bitrate", "2.3.5", 1024, 4096),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """Parameters as they were read. `raw` is the whole answer: it holds passwords and network addresses."""

    table: Mapping[str, Param] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)

    def get(self, path: str) -> ParamValue | None:
        """Read one parameter; None where this device does not have it. Raises KeyError for a path of no parameter."""
        param = self.table[path]
        for place in (param.path, param.read_at):
            if place is not None and (value := param.read(_find(self.raw, place))) is not None:
                return value
        return None

    def values(self) -> dict[str, ParamValue]:
        """Read every parameter that this device has, by path."""
        return {path: value for path in self.table if (value := self.get(path)) is not None}

    def changes(self, wanted: Mapping[str, ParamValue]) -> dict[str, Any]:
        """Build the body that turns these parameters into those wanted: only what differs. Raises InvalidValueError."""
        return build_changes(self.table, wanted, self)

    def updated(self, wanted: Mapping[str, ParamValue]) -> Self:
        """Return these parameters as they are after a successful write of `wanted`. Raises InvalidValueError."""
        return replace(self, raw=_merge(self.raw, self.changes(wanted)))


@dataclass(frozen=True, slots=True, kw_only=True)
class AppParams(Params):
    """The application parameters of a terminal (2.3.1), with its two services."""

    table: Mapping[str, Param] = field(default_factory=lambda: APP_PARAMS, repr=False)

    @property
    def upload_info(self) -> UploadInfo:
        """Where what the terminal sees goes."""
        return UploadInfo.parse(section(self.raw, "upload_info"))

    @property
    def extranet(self) -> ControlService:
        """Where the terminal asks for commands."""
        return ControlService.parse(section(self.raw, "extranet"))


def _merge(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put changes into parameters, group by group. Keys are written with stray spaces, but read without."""
    merged = dict(raw)
    for written, value in changes.items():
        key = written.strip()
        merged[key] = _merge(as_object(raw.get(key)) or {}, value) if isinstance(value, dict) else value
    return merged


def _find(raw: Mapping[str, Any], path: str) -> Any:
    """Follow a dotted path; keys were stripped when they were read."""
    value: Any = raw
    for key in path.split("."):
        value = (as_object(value) or {}).get(key)
    return value


def build_changes(
    table: Mapping[str, Param], wanted: Mapping[str, ParamValue], current: Params | None = None
) -> dict[str, Any]:
    """Build the nested body of an update from values by path; what `current` has already is left out.

    Raises InvalidValueError, before anything is sent, for a path of no parameter, a value out of range, and a
    parameter that does not exist while its switch is off (`match_score` without `enable_match`).
    """
    body: dict[str, Any] = {}
    for path, value in wanted.items():
        if (param := table.get(path)) is None:
            raise InvalidValueError(path, "is no parameter")
        checked = param.check(value)
        if current is not None and current.get(path) == checked:
            continue
        _check_needs(param, wanted, current)
        *groups, key = param.written
        place = body
        for group in groups:
            place = place.setdefault(group, {})
        place[key] = checked
    return body


def _check_needs(param: Param, wanted: Mapping[str, ParamValue], current: Params | None) -> None:
    if param.needs is None:
        return
    switch = wanted.get(param.needs, None if current is None else current.get(param.needs))
    if switch is not None and not switch:
        raise InvalidValueError(param.path, f"exists only while {param.needs} is on", "needs", needs=param.needs)

"""Checks of request fields: description tables of types, ranges and byte limits, and the refusal they end in."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
import re
from typing import Any

OK = 0
VERSION = 1
UNKNOWN_COMMAND = 2
ILLEGAL = 3
AUTHENTICATION = 4
BUSY = 5
RESOURCES = 6
MISMATCH = 9
DOWNLOAD = 10
INTEGRITY = 11
FULL = 20
EXISTS = 21
MISSING = 22
WRITE = 23
NO_FACE = 25
NO_FUZZY_CARD = 30
DECODE = 35
TOO_LARGE = 36
NORMALISE = 37
FACE_SMALL = 38
FACE_POOR = 39
FACE_COUNT = 40
FACE_CUT = 41


class Refusal(Exception):  # noqa: N818 (a refusal is an answer, not an error)
    """A command the device does not carry out: a code of chapter 1.6 and a text for `desc`."""

    def __init__(self, code: int, desc: str, *, forbidden: bool = False) -> None:
        super().__init__(desc)
        self.code = code
        self.desc = desc
        self.forbidden = forbidden  # the document forbids the request as such (not only now and here)


def illegal(desc: str) -> Refusal:
    """A request the document forbids (code 3)."""
    return Refusal(ILLEGAL, desc, forbidden=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its type (`int`, `number`, `bool`, `str`, `base64`, `object`, `list`) and its bounds.

    `low`/`high` bound a number, the UTF-8 bytes of a string or the items of a list (both inclusive).
    """

    type: str
    optional: bool = False
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    pattern: re.Pattern[str] | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    item: Field | None = None


def integer(low: float | None = None, high: float | None = None, *, optional: bool = False) -> Field:
    """A whole number."""
    return Field(type="int", low=low, high=high, optional=optional)


def number(low: float | None = None, high: float | None = None, *, optional: bool = False) -> Field:
    """A number with or without a fraction."""
    return Field(type="number", low=low, high=high, optional=optional)


def flag(*, optional: bool = False) -> Field:
    """True or false; 0 and 1 are refused."""
    return Field(type="bool", optional=optional)


def text(high: int | None = None, *, low: int = 0, optional: bool = False, pattern: str | None = None) -> Field:
    """A string of `low` to `high` bytes in UTF-8."""
    compiled = re.compile(pattern) if pattern else None
    return Field(type="str", low=low, high=high, optional=optional, pattern=compiled)


def one_of(*choices: Any, optional: bool = False) -> Field:
    """One of these values, of the same type."""
    return Field(type="int" if isinstance(choices[0], int) else "str", choices=choices, optional=optional)


def blob(*, optional: bool = False) -> Field:
    """Binary data in strict base64."""
    return Field(type="base64", optional=optional)


def group(*, optional: bool = False, **fields: Field) -> Field:
    """An object with these fields and no others."""
    return Field(type="object", fields=fields, optional=optional)


def group_of(fields: Mapping[str, Field], *, optional: bool = False) -> Field:
    """An object whose field names are not Python names (stray spaces)."""
    return Field(type="object", fields=fields, optional=optional)


def array(item: Field, low: int = 0, high: int | None = None, *, optional: bool = False) -> Field:
    """A list of `low` to `high` items."""
    return Field(type="list", item=item, low=low, high=high, optional=optional)


_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "number": (int, float),
    "bool": (bool,),
    "str": (str,),
    "base64": (str,),
    "object": (dict,),
    "list": (list,),
}


def check_object(value: Mapping[str, Any], fields: Mapping[str, Field], path: str = "") -> None:
    """Check an object against its table; raise `Refusal` (code 3) naming the first field that is wrong."""
    spellings = {name.strip().lower(): name for name in fields}
    for key in value:
        if key not in fields:
            meant = spellings.get(key.strip().lower())
            hint = f"wrong spelling of {meant!r}" if meant else "unknown field"
            raise illegal(f"{path}{key!r}: {hint}")
    for name, spec in fields.items():
        if name in value:
            check(value[name], spec, f"{path}{name}")
        elif not spec.optional:
            raise illegal(f"{path}{name}: missing")


def check(value: Any, spec: Field, path: str) -> None:
    """Check one value; raise `Refusal` (code 3) when type, range, length or pattern is wrong."""
    if not _is_a(value, spec.type):
        raise illegal(f"{path}: {spec.type} expected, got {type(value).__name__}")
    if spec.choices and value not in spec.choices:
        raise illegal(f"{path}: {value!r} is none of {spec.choices}")
    if spec.type == "object":
        check_object(value, spec.fields, f"{path}.")
        return
    size = _size(value, spec, path)
    if (spec.low is not None and size < spec.low) or (spec.high is not None and size > spec.high):
        raise illegal(f"{path}: {size} is outside {spec.low}..{spec.high}")
    if spec.pattern and not spec.pattern.fullmatch(value):
        raise illegal(f"{path}: malformed")
    if spec.type == "list" and spec.item:
        for index, item in enumerate(value):
            check(item, spec.item, f"{path}[{index}]")


def _is_a(value: Any, kind: str) -> bool:
    """Whether a value has the type; true and false are no numbers."""
    return isinstance(value, _TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))


def _size(value: Any, spec: Field, path: str) -> float:
    """What `low` and `high` bound: bytes of a string, items of a list, the number itself."""
    if spec.type == "base64":
        return len(decode(value, path))
    if spec.type == "str":
        return len(value.encode())
    if spec.type == "list":
        return len(value)
    return float(value) if spec.type == "number" else int(value)


def decode(value: str, path: str) -> bytes:
    """Decode strict base64; raise `Refusal` (code 3) otherwise."""
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as err:
        raise illegal(f"{path}: not base64") from err

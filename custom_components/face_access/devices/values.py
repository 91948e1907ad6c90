"""Values for every family: read after they came, checked before they are sent.

What a device sends is never trusted to have a type: the `as_...` readers return None for what they cannot use.
"""

from base64 import b64decode, b64encode
import binascii
from collections.abc import Mapping
import math
from typing import Any, Final

from .errors import InvalidValueError, ValueTooLongError

MAX_U32: Final = 2**32 - 1

_WORDS: Final[Mapping[str, bool]] = {
    "true": True,
    "yes": True,
    "on": True,
    "1": True,
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
# Longer numbers are no numbers of any protocol here (64 bits have 20 digits), and Python refuses to read much longer
# ones.
_MAX_DIGITS: Final = 40


def as_int(value: Any) -> int | None:
    """Read a whole number: 80, 80.0, "80", true."""
    if isinstance(value, int):
        return int(value)
    number = as_float(value) if not isinstance(value, str) else None
    if number is not None:
        return int(number) if number.is_integer() else None
    if not isinstance(value, str) or len(value) > _MAX_DIGITS:
        return None
    try:
        return int(value)
    except ValueError:
        number = as_float(value)
        return int(number) if number is not None and number.is_integer() else None


def as_float(value: Any) -> float | None:
    """Read a finite number: 36.5, 36, "36.5"."""
    if isinstance(value, str) and len(value) > _MAX_DIGITS:
        return None
    if not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError, OverflowError:
        return None
    return number if math.isfinite(number) else None


def as_bool(value: Any) -> bool | None:
    """Read a switch: true, 1, "1", "true", "YES", and their opposites."""
    if isinstance(value, str):
        return _WORDS.get(value.strip().lower())
    return bool(value) if isinstance(value, (int, float)) and value in (0, 1) else None


def as_text(value: Any) -> str | None:
    """Read a text; a number counts as its digits. Half characters (lone surrogates) are replaced."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode(errors="replace").decode()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # Numbers too long to be printed are no names.
    return str(value) if as_float(value) is not None and abs(value) < 10**_MAX_DIGITS else None


def as_object(value: Any) -> dict[str, Any] | None:
    """Read an object."""
    return value if isinstance(value, dict) else None


def as_list(value: Any) -> list[Any] | None:
    """Read a list."""
    return value if isinstance(value, list) else None


def as_objects(value: Any) -> tuple[dict[str, Any], ...]:
    """Read a list of objects; what is none is left out."""
    return tuple(item for item in as_list(value) or () if isinstance(item, dict))


def section(body: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Read an object inside another one; missing is empty."""
    return as_object(body.get(key)) or {}


def check_text(field: str, text: str, limit: int | None = None, *, empty: bool = True) -> str:
    """Pass a text of at most `limit` bytes of UTF-8. Raises InvalidValueError, ValueTooLongError."""
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        raise InvalidValueError(field, "has a character that UTF-8 cannot write", "characters") from None
    if not empty and not text.strip():
        raise InvalidValueError(field, "must not be empty", "empty")
    if limit is not None and length > limit:
        raise ValueTooLongError(field, limit, length)
    return text


def check_number[N: (int, float)](field: str, value: N, low: float, high: float) -> N:
    """Pass a number within both bounds. Raises InvalidValueError."""
    if not low <= value <= high:
        if high >= MAX_U32:
            raise InvalidValueError(field, "out of range", "range")
        problem = f"must be between {low:g} and {high:g}"
        raise InvalidValueError(field, problem, "bounds", low=f"{low:g}", high=f"{high:g}")
    return value


def to_base64(data: bytes) -> str:
    """Write binary data."""
    return b64encode(data).decode("ascii")


def from_base64(value: Any) -> bytes | None:
    """Read binary data; line breaks and missing padding are forgiven. None for what is empty or no base64."""
    if not isinstance(value, str):
        return None
    try:
        # Nearly always it is clean, and cleaning a picture takes a third of the time of decoding it.
        return b64decode(value, validate=True) or None
    except binascii.Error, ValueError:
        text = "".join(value.split()).rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True) or None
    except binascii.Error, ValueError:
        return None


def is_jpeg(data: bytes) -> bool:
    """Whether data begins as a JPEG does."""
    return data.startswith(b"\xff\xd8\xff")


def is_png(data: bytes) -> bool:
    """Whether data begins as a PNG does."""
    return data.startswith(b"\x89PNG\r\n\x1a\n")

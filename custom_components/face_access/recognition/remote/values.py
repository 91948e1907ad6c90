"""Readers for what servers answer: the value in its type, or EngineProtocolError that names the field and no value."""

from collections.abc import Iterable, Mapping
import math
import re
from typing import Any, Final
from uuid import UUID

from ..errors import EngineProtocolError
from ..terms import Box

_MAX_WORDS: Final = 200
# Something as long as this is no word: a picture, a token, a template.
_LONG: Final = re.compile(r"\S{40,}")


def wrong(field: str, what: str) -> EngineProtocolError:
    """Make the error for a field that is not what the server's document says."""
    return EngineProtocolError(f"{field} {what}")


def an_object(value: Any, field: str) -> dict[str, Any]:
    """Read an object."""
    if not isinstance(value, dict):
        raise wrong(field, "is no object")
    return value


def a_list(value: Any, field: str, limit: int = 10_000) -> list[Any]:
    """Read a list of at most `limit` items."""
    if not isinstance(value, list):
        raise wrong(field, "is no list")
    if len(value) > limit:
        raise wrong(field, f"has more than {limit} items")
    return value


def a_text(value: Any, field: str, *, empty: bool = False) -> str:
    """Read a text; half characters are replaced."""
    if not isinstance(value, str) or not (value or empty):
        raise wrong(field, "is no text")
    return whole(value)


def whole(text: str) -> str:
    """Replace half characters (lone surrogates): they can be neither stored nor sent."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def a_uuid(value: Any, field: str) -> str:
    """Read a UUID, in its usual spelling."""
    text = a_text(value, field)
    try:
        return str(UUID(text))
    except ValueError:
        raise wrong(field, "is no UUID") from None


def a_number(value: Any, field: str, low: float = -math.inf, high: float = math.inf) -> float:
    """Read a finite number within bounds; a text or a truth value is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise wrong(field, "is no number")
    try:
        number = float(value)
    except OverflowError:
        raise wrong(field, "is out of range") from None
    if not math.isfinite(number) or not low <= number <= high:
        raise wrong(field, "is out of range")
    return number


def a_box(x: float, y: float, width: float, height: float) -> Box | None:
    """Make a box; None for one that is no place: a face without one is a face all the same."""
    box = Box(x=x, y=y, width=width, height=height)
    return box if box.is_place else None


def a_flag(value: Any, field: str) -> bool:
    """Read a truth value. Servers in Python write some as 0 and 1."""
    if isinstance(value, bool) or (isinstance(value, int) and value in (0, 1)):
        return bool(value)
    raise wrong(field, "is neither true nor false")


def first_of(body: Mapping[str, Any], names: Iterable[str]) -> Any:
    """Give the first of several names that is there and not null; None when none is."""
    return next((body[name] for name in names if body.get(name) is not None), None)


def words(value: Any, *secrets: str) -> str:
    """Make a server's message fit for a log: a short line, without our secrets, and without anything like a picture."""
    if not isinstance(value, str):
        return ""
    text = whole(value)
    for secret in secrets:
        text = text.replace(secret, "…") if secret else text
    text = "".join(letter if letter.isprintable() else " " for letter in text[: 20 * _MAX_WORDS])
    text = " ".join(_LONG.sub("…", text).split())
    return text if len(text) <= _MAX_WORDS else f"{text[: _MAX_WORDS - 1]}…"

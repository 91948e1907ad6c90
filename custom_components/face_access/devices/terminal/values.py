"""Values checked before they are sent, and read after they came: limits, times, card numbers, binary data."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from ..errors import InvalidValueError
from ..values import MAX_U32, as_int, as_text, is_jpeg, is_png

MAX_U64: Final = 2**64 - 1
ID_LIMIT: Final = 19
CUSTOMER_TEXT_LIMIT: Final = 68
TIME_FORMAT: Final = "%Y/%m/%d %H:%M:%S"


class Term(StrEnum):
    """Words that stand where a time could: when a validity period starts or ends (HTTP API 2.1.2.1)."""

    USELESS = "useless"
    """No start: valid from ever."""
    FOREVER = "forever"
    """No end: valid for ever."""
    NEVER = "never"
    """Not valid at all."""


type Moment = datetime | Term


def check_time(field: str, moment: datetime) -> str:
    """Write a time as the device prints it: its own local time, without a zone. Raises InvalidValueError."""
    if moment.tzinfo is not None:
        raise InvalidValueError(field, "must be the device's local time, without a zone")
    # strftime leaves out leading zeros of years before 1000.
    return f"{moment.year:04}/{moment:%m/%d %H:%M:%S}"


def check_term(field: str, moment: Moment, *words: Term) -> str:
    """Write one end of a validity period: a time or one of `words`. Raises InvalidValueError."""
    if isinstance(moment, datetime):
        return check_time(field, moment)
    if moment not in words:
        raise InvalidValueError(field, f"must be a time or one of {', '.join(words)}")
    return moment.value


def read_time(value: Any) -> datetime | None:
    """Read the device's local time (naive), with or without milliseconds; None for what is no time."""
    text = (as_text(value) or "").strip()
    try:
        # One try, not two: this is on the way of every push.
        return datetime.strptime(text, f"{TIME_FORMAT}.%f" if "." in text else TIME_FORMAT)  # noqa: DTZ007 (no zone)
    except ValueError:
        return None


def read_term(value: Any) -> Moment | None:
    """Read one end of a validity period: a time, a word, or None for neither."""
    text = (as_text(value) or "").strip().lower()
    return Term(text) if text in Term else read_time(value)


def card_fields(card: int, *, long: bool = False, short_key: str, long_key: str) -> dict[str, int]:
    """Put a card number where it belongs: 32 bits in the short field, else (or with `long`) in the long one.

    Wiegand 26 and 34 readers compare the short field, 37 and 66 the long one (HTTP API 2.1.2.1).
    Raises InvalidValueError, which does not tell the number.
    """
    if not 0 <= card <= MAX_U64:
        raise InvalidValueError("card", "must be a number of at most 64 bits")
    return {long_key: card} if long or card > MAX_U32 else {short_key: card}


def read_card(body: Mapping[str, Any]) -> tuple[int | None, bool]:
    """Read a card number and whether it stood in the long field; 0 is none."""
    for key, long in (("wg_card_id", False), ("long_card_id", True)):
        number = as_int(body.get(key))
        if number is not None and 0 < number <= MAX_U64:
            return number, long
    return None, False


def image_format(field: str, data: bytes, *, png: bool = True) -> str:
    """Name the format of a picture by its content: `jpg` or `png`. Raises InvalidValueError for anything else."""
    if is_jpeg(data):
        return "jpg"
    if png and is_png(data):
        return "png"
    raise InvalidValueError(field, "must be a JPEG or PNG picture" if png else "must be a JPEG picture")

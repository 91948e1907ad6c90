"""Validators for the fields of actions. None of them repeats a value in its error: some values are secrets."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
import math
import re
from typing import Any

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import probatio as vol

LONGEST_DURATION = timedelta(days=1)
# HTTP API 2.3.7.1.
MOST_RULES = 15
# The document sets no limit; whoever exceeds this has made a mistake in the rule.
MOST_SECTIONS = 10
# The longest number that anybody shows a panel is a number plate.
MOST_DIGITS = 100

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)
_SIP_URL = re.compile(
    r"(?:sip:)?(?P<user>[\w.!~*'()&=+$,%-]{1,64})@(?P<host>[A-Za-z0-9.-]{1,128})(?::(?P<port>\d{1,5}))?",
    re.ASCII | re.IGNORECASE,
)
_DEFAULT_SIP_PORT = 5060


def text(value: Any) -> str:
    """Take a text that says something and can be sent: no half of a surrogate pair, as JSON may hold."""
    written = cv.string(value)
    try:
        written.encode()
    except UnicodeEncodeError:
        raise vol.Invalid("expected a text of valid Unicode") from None
    if not written.strip():
        raise vol.Invalid("expected a text that is not empty")
    return written


def file_path(value: Any) -> str:
    """Take a path; one with control characters is none."""
    written = text(value)
    if not written.isprintable():
        raise vol.Invalid("expected a path")
    return written


def secret(value: Any) -> str:
    """Take a text exactly as it is written."""
    if not isinstance(value, str):
        raise vol.Invalid("expected a text; put it in quotes")
    return text(value)


def secret_number(value: Any) -> str:
    """Take the number of a card or a code as text: a number without quotes has lost the zeros before it."""
    written = secret(value).strip()
    if len(written) > MOST_DIGITS:
        raise vol.Invalid(f"expected at most {MOST_DIGITS} characters")
    return written


def whole(minimum: int, maximum: int, *, exact: bool = False) -> Callable[[Any], int]:
    """Make a validator for whole numbers, also written as text.

    `exact` refuses floats: above 2**53 they have lost digits.
    """
    problem = f"expected a whole number from {minimum} to {maximum}"

    def validate(value: Any) -> int:
        if isinstance(value, float) and value.is_integer() and not exact:
            value = int(value)
        if isinstance(value, str) and re.fullmatch(r"\s*\d{1,20}\s*", value, re.ASCII):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value <= maximum:
            raise vol.Invalid(problem)
        return value

    return validate


def share(value: Any) -> float:
    """Take a number from 0 to 1, also written as text."""
    try:
        number = float(value) if not isinstance(value, bool) else math.nan
    except TypeError, ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise vol.Invalid("expected a number from 0 to 1")
    return number


def duration(value: Any) -> timedelta:
    """Take seconds, "HH:MM:SS" or a mapping; at most a day."""
    try:
        period = cv.positive_time_period(value)
    except OverflowError:
        raise vol.Invalid("expected a duration") from None
    if period > LONGEST_DURATION:
        raise vol.Invalid("expected a duration of at most a day")
    return period


def positive_duration(value: Any) -> timedelta:
    """Take a duration that is longer than nothing."""
    if not (period := duration(value)):
        raise vol.Invalid("expected a duration above zero")
    return period


def color(value: Any) -> int:
    """Take [red, green, blue], each 0-255, as ARGB without transparency."""
    if not isinstance(value, (list, tuple)) or len(value) != 3:
        raise vol.Invalid("expected three numbers: red, green, blue")
    red, green, blue = (whole(0, 255)(part) for part in value)
    return 0xFF << 24 | red << 16 | green << 8 | blue


def moment(value: Any) -> datetime:
    """Take a time, local where it names no zone, as UTC."""
    try:
        return dt_util.as_utc(cv.datetime(value))
    except OverflowError:
        raise vol.Invalid("expected a time within the calendar") from None


def media(value: Any) -> str:
    """Take what the media selector gives, or its media_content_id alone."""
    return text(value.get("media_content_id") if isinstance(value, Mapping) else value)


def sip_url(value: Any) -> str:
    """Take "user@host", "user@host:port" or the same with "sip:", as the sip:user@host:port of HTTP API 2.16.2."""
    match = _SIP_URL.fullmatch(value.strip()) if isinstance(value, str) else None
    port = int(match["port"] or _DEFAULT_SIP_PORT) if match else 0
    if match is None or not 0 < port <= 65535:
        raise vol.Invalid("expected sip:user@host:port or user@host")
    return f"sip:{match['user']}@{match['host']}:{port}"


def _clock(value: Any) -> str:
    # YAML takes an unquoted 18:10 for the number 1090.
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise vol.Invalid('expected a time in quotes, from "00:00" to "23:59"')
    return value


def _section(value: dict[str, str]) -> dict[str, str]:
    if value["start"] >= value["end"]:
        raise vol.Invalid("expected a start before the end; a night is two sections")
    return value


def _days_of_mode(rule: dict[str, Any]) -> dict[str, Any]:
    wanted = 1 if rule["mode"] == "daily" else 7
    if len(rule["days"]) != wanted:
        raise vol.Invalid(f"expected {wanted} day(s) in a {rule['mode']} rule", path=["days"])
    return rule


def _different(value: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len({rule["kind"] for rule in value}) != len(value):
        raise vol.Invalid("expected each kind once")
    return value


_SECTION = vol.All(vol.Schema({vol.Required("start"): _clock, vol.Required("end"): _clock}), _section)
_RULE = vol.All(
    vol.Schema(
        {
            vol.Required("kind"): whole(1, MOST_RULES),
            vol.Optional("name", default=""): cv.string,
            vol.Required("mode"): vol.In(("daily", "weekly")),
            vol.Required("days"): [vol.All([_SECTION], vol.Length(max=MOST_SECTIONS))],
        }
    ),
    _days_of_mode,
)


def rules(minimum: int) -> vol.All[Any]:
    """Make a validator for schedule rules (HTTP API 2.3.8) in the shape of `Schedule`; a single one needs no list."""
    return vol.All(cv.ensure_list, vol.Length(min=minimum, max=MOST_RULES), [_RULE], _different)

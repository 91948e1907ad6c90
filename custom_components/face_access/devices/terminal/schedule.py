"""Rules when people may pass a terminal (HTTP API 2.3.7 to 2.3.9)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ..errors import InvalidValueError
from ..values import as_int, as_objects, as_text, check_number, check_text, section

MAX_RULES: Final = 15


class RuleMode(StrEnum):
    """Whether a rule has one day for all, or one for each weekday."""

    DAILY = "daily"
    WEEKLY = "weekly"


_DAYS: Final[Mapping[RuleMode, int]] = {RuleMode.DAILY: 1, RuleMode.WEEKLY: 7}


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class ClockTime:
    """A time of day, 00:00 to 23:59. Some devices print the end of a day as 24:00, which is read but not written."""

    hour: int
    minute: int

    def __str__(self) -> str:
        return f"{self.hour:02}:{self.minute:02}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a day: `start` belongs to it, `end` does not."""

    start: ClockTime
    end: ClockTime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleRule:
    """One rule. `kind` (1 to 15) is its number, which people refer to. A daily rule has one day, a weekly one seven."""

    kind: int
    name: str
    mode: RuleMode
    days: tuple[tuple[Section, ...], ...]


def parse_rules(reply: Mapping[str, Any]) -> tuple[ScheduleRule, ...]:
    """Read the rules of a reply. A rule without a number or a known mode, and a section without times, is left out."""
    rules = []
    for raw in as_objects(reply.get("kinds")):
        kind, mode = as_int(raw.get("kind")), (as_text(raw.get("mode")) or "").strip().lower()
        if kind is None or mode not in RuleMode:
            continue
        days = tuple(_parse_day(day) for day in as_objects(raw.get("days")))
        rules.append(ScheduleRule(kind=kind, name=as_text(raw.get("name")) or "", mode=RuleMode(mode), days=days))
    return tuple(rules)


def _parse_day(day: Mapping[str, Any]) -> tuple[Section, ...]:
    found = []
    for raw in as_objects(day.get("sections")):
        start, end = _parse_time(section(raw, "start")), _parse_time(section(raw, "end"))
        if start is not None and end is not None:
            found.append(Section(start=start, end=end))
    return tuple(found)


def _parse_time(raw: Mapping[str, Any]) -> ClockTime | None:
    hour, minute = as_int(raw.get("hour")), as_int(raw.get("minute"))
    if hour is None or minute is None or not 0 <= hour <= 24 or not 0 <= minute <= 59:
        return None
    return ClockTime(hour=hour, minute=minute)


def write_rules(rules: tuple[ScheduleRule, ...], *, empty: bool = True) -> dict[str, Any]:
    """Write rules as the field of a request. Raises InvalidValueError."""
    if len(rules) > MAX_RULES or not (rules or empty):
        raise InvalidValueError("rules", f"must be {0 if empty else 1} to {MAX_RULES}")
    if len({rule.kind for rule in rules}) != len(rules):
        raise InvalidValueError("kind", "must not occur twice")
    return {"kinds": [_write_rule(rule) for rule in rules]}


def _write_rule(rule: ScheduleRule) -> dict[str, Any]:
    if len(rule.days) != _DAYS[rule.mode]:
        raise InvalidValueError("days", f"must be {_DAYS[rule.mode]} for a {rule.mode} rule")
    return {
        "name": check_text("name", rule.name),
        "kind": check_number("kind", rule.kind, 1, MAX_RULES),
        "mode": rule.mode.value,
        "days": [{"sections": [_write_section(section) for section in day]} for day in rule.days],
    }


def _write_section(part: Section) -> dict[str, Any]:
    if part.start >= part.end:
        raise InvalidValueError("sections", "must begin before they end")
    return {"start": _write_time(part.start), "end": _write_time(part.end)}


def _write_time(time: ClockTime) -> dict[str, int]:
    return {"hour": check_number("hour", time.hour, 0, 23), "minute": check_number("minute", time.minute, 0, 59)}

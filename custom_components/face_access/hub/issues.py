"""Repair issues: what a person can mend, raised and cleared by condition."""

from datetime import timedelta

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from ..const import CLOCK_TOLERANCE, DOMAIN

CLOCK_WRONG = "clock_wrong"
PUSH_MISSING = "push_missing"
WRONG_STATION = "wrong_station"


@callback
def clock(hass: HomeAssistant, entry: ConfigEntry, offset: timedelta | None) -> None:
    """The device's clock is off: validity dates, schedules and the order of history suffer. Fixable: we set it."""
    if offset is None:
        return
    if abs(offset) <= CLOCK_TOLERANCE:
        _clear(hass, entry, CLOCK_WRONG)
        return
    minutes = str(round(abs(offset).total_seconds() / 60))
    _raise(hass, entry, CLOCK_WRONG, {"minutes": minutes}, fixable=True)


@callback
def push_missing(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """The device sees faces and its pushes do not arrive. Fixable: we write our address into it again."""
    _raise(hass, entry, PUSH_MISSING, {}, fixable=True)


@callback
def push_arrived(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """A push arrived: all is well again."""
    _clear(hass, entry, PUSH_MISSING)


@callback
def wrong_station(hass: HomeAssistant, entry: ConfigEntry, found: str) -> None:
    """Another device answers at this station's address, or uses its URL: two devices must never share one."""
    expected = entry.unique_id or ""
    _raise(hass, entry, WRONG_STATION, {"expected": expected, "found": found[:32]}, fixable=False)


@callback
def right_station(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """The station itself answers at its address. Should another one still use its URL, it will be heard of again."""
    _clear(hass, entry, WRONG_STATION)


@callback
def clear_all(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Forget the issues of an entry that goes, or starts afresh."""
    for key in (CLOCK_WRONG, PUSH_MISSING, WRONG_STATION):
        _clear(hass, entry, key)


def _raise(hass: HomeAssistant, entry: ConfigEntry, key: str, placeholders: dict[str, str], *, fixable: bool) -> None:
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{key}_{entry.entry_id}",
        is_fixable=fixable,
        severity=ir.IssueSeverity.ERROR if key != CLOCK_WRONG else ir.IssueSeverity.WARNING,
        translation_key=key,
        translation_placeholders={"name": entry.title, **placeholders},
        data={"entry_id": entry.entry_id, "issue": key},
    )


def _clear(hass: HomeAssistant, entry: ConfigEntry, key: str) -> None:
    ir.async_delete_issue(hass, DOMAIN, f"{key}_{entry.entry_id}")

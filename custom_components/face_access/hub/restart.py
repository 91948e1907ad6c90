"""Settings that take effect when the station starts again: said in a repair issue until it did.

All that has to be remembered stands in the issue itself, which outlives Home Assistant's own restarts.
"""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..devices.station import Reading, SettingValue
from . import issues

if TYPE_CHECKING:
    from ..coordinator import FaceAccessCoordinator

# A panel needs about a minute, and some more until it is asked again.
_BACK_WITHIN = 300
_LOOK_EVERY = 3


@callback
def needed(hass: HomeAssistant, entry: ConfigEntry, before: SettingValue | None, value: SettingValue) -> None:
    """A setting was written that needs a restart; one that is as it was at the last start needs none any more."""
    pending = issues.restart_pending(hass, entry.entry_id)
    first = before if pending is None else pending.get("before")
    if pending is not None and first == value:
        issues.restarted(hass, entry)
        return
    issues.restart_needed(hass, entry, {"before": first, "since": dt_util.utcnow().isoformat()})


@callback
def booted(hass: HomeAssistant, entry: ConfigEntry, at: datetime) -> None:
    """The station started, whoever made it: once was enough if it was after the last write."""
    pending = issues.restart_pending(hass, entry.entry_id)
    since = dt_util.parse_datetime(str(pending.get("since"))) if pending is not None else None
    if since is not None and at > since:
        issues.restarted(hass, entry)


@callback
def read(hass: HomeAssistant, entry: ConfigEntry, reading: Reading) -> None:
    """Take from a reading when the station last started."""
    if reading.booted_at is not None:
        booted(hass, entry, reading.booted_at)


async def async_wait(coordinator: FaceAccessCoordinator) -> bool:
    """Wait until a station said that it started again; False when it takes too long.

    It is asked meanwhile: whether one that has just started pushes that it did, nobody knows.
    """
    hass, entry_id = coordinator.hass, coordinator.config_entry.entry_id
    try:
        async with asyncio.timeout(_BACK_WITHIN):
            while issues.restart_pending(hass, entry_id) is not None:
                await asyncio.sleep(_LOOK_EVERY)
                await coordinator.async_refresh()
                if coordinator.ladder is not None:
                    coordinator.ladder.async_look()
    except TimeoutError:
        return False
    return True

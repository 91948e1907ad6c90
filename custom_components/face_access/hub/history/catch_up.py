"""Fetching into history what happened at a station while nobody listened.

What is fetched is history and nothing else: no event, no picture, no door.
"""

import asyncio
from dataclasses import replace
from datetime import datetime
import sqlite3
from typing import TYPE_CHECKING

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ...access import Missed, Sighting
from ...const import CONF_PUSH, LIVE_WITHIN, LOGGER
from ...devices.errors import StationError
from .. import issues
from .retention import retention_of

if TYPE_CHECKING:
    from ...coordinator import FaceAccessCoordinator


class CatchUp:
    """What one station remembers and we do not yet."""

    def __init__(self, coordinator: FaceAccessCoordinator) -> None:
        """Bind to a station's coordinator."""
        self._coordinator = coordinator
        self._missed_since: datetime | None = None
        self._running = asyncio.Lock()

    @callback
    def async_missed(self, since: datetime) -> None:
        """Remember that a push could not be kept, so that the next catch-up looks far enough back."""
        self._missed_since = min(since, self._missed_since or since)

    async def async_run(self) -> int:
        """Fetch what happened; how much of it was new."""
        coordinator = self._coordinator
        records, history, options = coordinator.station.records, coordinator.history, coordinator.config_entry.options
        if records is None:
            return 0
        async with self._running:
            now = dt_util.utcnow()
            start = await history.complete_until(coordinator.serial) or coordinator.config_entry.created_at
            # Taken now: what is missed from here on is for the next time.
            missed, self._missed_since = self._missed_since, None
            start = max(min(start, missed or start), now - retention_of(options).span)
            new = 0
            try:
                async for record in records.since(start, now):
                    new += await self._async_keep(record)
                # Clocks are compared to the second: some overlap, so that nobody falls between two catch-ups.
                await history.set_complete(coordinator.serial, now - LIVE_WITHIN)
            except (StationError, sqlite3.Error) as err:
                # The next full reading tries again from the same point.
                LOGGER.debug("%s: catch-up stopped after %d: %s", coordinator.name, new, type(err).__name__)
                if missed is not None:
                    self.async_missed(missed)
                return new
        if new:
            LOGGER.debug("%s: %d records fetched into history", coordinator.name, new)
        return new

    async def _async_keep(self, record: Sighting | Missed) -> bool:
        """Store one record; whether it was new. Raises sqlite3.Error."""
        history = self._coordinator.history
        if isinstance(record, Missed):
            return await history.add_event(record.event, live=False)
        sighting, _ = self._coordinator.async_identify(record, None)
        if (came_of_it := self._coordinator.unstored.get(record.key)) is not None:
            # Its push could not be stored: the record does not know what we decided on it.
            sighting = replace(sighting, verdict=came_of_it[0], refused=came_of_it[1])
        new = await history.add(sighting, live=False)
        if new:
            self._check_push(record)
        return new

    def _check_push(self, sighting: Sighting) -> None:
        """A sighting that had to be fetched although the station was there all the time: its pushes do not arrive."""
        coordinator, entry = self._coordinator, self._coordinator.config_entry
        if not entry.data.get(CONF_PUSH) or coordinator.online_since is None or coordinator.station.feed is not None:
            return
        if coordinator.online_since + LIVE_WITHIN < sighting.captured_at < dt_util.utcnow() - LIVE_WITHIN:
            issues.push_missing(coordinator.hass, entry)

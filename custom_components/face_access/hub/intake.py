"""Taking in what a source saw, whichever way it came: judged where a door waits for it, stored, and told to everybody.

Only what is stored may open a door, and what is known from there opens nothing.
"""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import replace
import sqlite3

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..access import PUSHED, Decision, Missed, Person, Reason, Ring, Sighting, SightingKey, StationEvent
from ..const import LIVE_WITHIN, LOGGER
from ..coordinator import FaceAccessCoordinator
from .judgement import Asked, Case, judge
from .telling import async_tell_decision

_STORE_TIMEOUT = 10
_UNSTORED = 100


class Intake:
    """What one source saw."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator) -> None:
        """Bind to a source's coordinator."""
        self._hass = hass
        self._coordinator = coordinator
        # Sightings that no disk remembers: the same push once more is no second event.
        self._unstored: deque[SightingKey] = deque(maxlen=_UNSTORED)

    async def async_take(
        self, sighting: Sighting, known: Person | None = None, asked: Asked | None = None
    ) -> Decision | None:
        """Store, decide where a door waits for it, and let everybody know. None where nobody asked for a decision.

        `known` is whom the source itself knows under the identity that it saw.
        """
        case = None if asked is None else judge(self._coordinator, asked, sighting, known)
        stored = self._coordinator.async_identify(sighting, known)[0] if case is None else case.judged
        fresh = stored.realtime and abs(dt_util.utcnow() - stored.captured_at) <= LIVE_WITHIN
        new, unstored = await self._store(stored, live=fresh)
        if not new or stored.key in self._unstored:
            return None if case is None else self._told(replace(case, decision=Decision(reason=Reason.REPEATED)))
        if unstored:
            self._unstored.append(stored.key)
        if case is not None:
            case = self._conclude(case, stored, unstored=unstored)
        if fresh:
            self._dispatch_soon(stored if case is None else case.judged)
        return None if case is None else case.decision

    def _conclude(self, case: Case, stored: Sighting, *, unstored: bool) -> Case:
        """Have the last word on what was judged before it was stored."""
        if unstored:
            case = replace(case, decision=Decision(reason=case.decision.reason or Reason.NOT_STORED))
        else:
            if case.decision.granted:
                # Once more, and last: a disk that was slow must not open the door to whoever stands there by now.
                # Whom the household knows may have changed as well.
                case = judge(self._coordinator, case.asked, case.sighting, case.known)
            self._coordinator.async_judged(case)
        self._told(case)
        judged = case.judged
        if (judged.verdict, judged.refused) != (stored.verdict, stored.refused):
            # Nobody waits for this: the door stays shut in any case.
            self._coordinator.config_entry.async_create_task(
                self._hass, self._async_correct(judged), "face_access corrected sighting"
            )
        return case

    def _told(self, case: Case) -> Decision:
        async_tell_decision(self._coordinator, case.asked.door, case.judged, case.decision)
        return case.decision

    async def _store(self, sighting: Sighting, *, live: bool) -> tuple[bool, bool]:
        """Store a sighting; whether it is new, and whether it could not be stored in time."""
        try:
            async with asyncio.timeout(_STORE_TIMEOUT):
                return await self._coordinator.history.add(sighting, live=live), False
        except (TimeoutError, sqlite3.Error) as err:
            LOGGER.error("%s: a sighting could not be stored: %s", self._coordinator.name, type(err).__name__)
            self._coordinator.async_missed(sighting.captured_at)
            return True, True

    async def _async_correct(self, sighting: Sighting) -> None:
        """Have history say what came of it after all. One that could not be stored in time may still arrive there."""
        try:
            await self._coordinator.history.judged(sighting)
        except sqlite3.Error as err:
            LOGGER.error(
                "%s: what came of a sighting could not be corrected: %s", self._coordinator.name, type(err).__name__
            )

    @callback
    def async_tell(self, event: StationEvent) -> bool:
        """Let everybody know, unless it is over; whether it is one to keep. At the bell nobody waits for a disk."""
        if isinstance(event, Ring) and self._coordinator.is_echo(event):
            return False
        if not isinstance(event, Missed):
            self._dispatch_soon(event)
        return True

    async def async_keep(self, events: Iterable[StationEvent]) -> None:
        """Keep what has a moment of its own."""
        for event in events:
            kept = event.event if isinstance(event, Missed) else event
            if not isinstance(kept, PUSHED):
                continue
            try:
                async with asyncio.timeout(_STORE_TIMEOUT):
                    await self._coordinator.history.add_event(kept, live=kept is event)
            except (TimeoutError, sqlite3.Error) as err:
                LOGGER.error("%s: an event could not be stored: %s", self._coordinator.name, type(err).__name__)
                self._coordinator.async_missed(kept.at)

    @callback
    def _dispatch_soon(self, event: StationEvent) -> None:
        """Answer first: a door that waits for the acknowledgement must not wait for our entities."""
        self._hass.loop.call_soon(self._coordinator.async_dispatch, event)

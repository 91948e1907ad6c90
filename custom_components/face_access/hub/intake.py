"""Taking in what a source saw, whichever way it came: judged where a door waits for it, stored, and told to everybody.

Only what is stored may open a door, and what is known from there opens nothing.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
import sqlite3

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ..access import PUSHED, Decision, Missed, Person, Reason, Ring, Sighting, SightingKey, StationEvent, Verdict
from ..const import LIVE_WITHIN, LOGGER
from ..coordinator import FaceAccessCoordinator

type Judge = Callable[[Sighting, Person | None], Decision]
"""Says whether a sighting of a person opens the door that waits for the answer, at the moment of the call."""

_STORE_TIMEOUT = 10
_UNSTORED = 100


class Intake:
    """What one source saw."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator) -> None:
        """Bind to a source's coordinator."""
        self._hass = hass
        self._coordinator = coordinator
        # What came of sightings that no disk remembers: the same push once more is no second event.
        self._unstored: dict[SightingKey, tuple[Verdict, Reason | None]] = {}

    async def async_take(
        self, sighting: Sighting, known: Person | None = None, judge: Judge | None = None
    ) -> Decision | None:
        """Store, decide where a door waits for it, and let everybody know. None where nobody asked for a decision.

        `known` is whom the source itself knows under the identity that it saw.
        """
        sighting, person = self._coordinator.async_identify(sighting, known)
        repeated = None if judge is None else Decision(reason=Reason.REPEATED)
        fresh = sighting.realtime and abs(dt_util.utcnow() - sighting.captured_at) <= LIVE_WITHIN
        if (came_of_it := self._unstored.get(sighting.key)) is not None:
            verdict, refused = came_of_it
            await self._async_store(replace(sighting, verdict=verdict, refused=refused), live=fresh)
            return repeated
        decision = None if judge is None else judge(sighting, person)
        sighting = stored = _judged(sighting, decision)
        new = await self._async_store(sighting, live=fresh)
        if new is False:
            # Its record may have been fetched before it came: then this is the first that is decided on it, and a no.
            told = decision is not None and not fresh and not decision.granted
            return decision if told and await self._async_correct(sighting, late=True) else repeated
        if new is None:
            if decision is not None:
                decision = Decision(reason=decision.reason or Reason.NOT_STORED)
                sighting = _judged(sighting, decision)
            self._keep_in_mind(sighting)
        if judge is not None and decision is not None and decision.granted:
            # Once more, and last: a disk that was slow must not open the door to whoever stands there by now.
            # Whom the household knows may have changed as well.
            sighting, person = self._coordinator.async_identify(sighting, known)
            decision = judge(sighting, person)
            sighting = _judged(sighting, decision)
        if decision is not None:
            self._coordinator.decided = sighting.key
            if (sighting.verdict, sighting.refused) != (stored.verdict, stored.refused):
                # Nobody waits for this: the door stays shut in any case.
                self._coordinator.config_entry.async_create_task(
                    self._hass, self._async_correct(sighting), "face_access corrected sighting"
                )
        if fresh:
            self._dispatch_soon(sighting)
        return decision

    async def _async_store(self, sighting: Sighting, *, live: bool) -> bool | None:
        """Store a sighting; whether it is a new one, None where it could not be stored."""
        try:
            async with asyncio.timeout(_STORE_TIMEOUT):
                return await self._coordinator.history.add(sighting, live=live)
        except (TimeoutError, sqlite3.Error) as err:
            LOGGER.error("%s: a sighting could not be stored: %s", self._coordinator.name, type(err).__name__)
            self._coordinator.async_missed(sighting.captured_at)
            return None

    async def _async_correct(self, sighting: Sighting, *, late: bool = False) -> bool:
        """Have history say what came of it after all; whether it took that.

        One that could not be stored in time may still arrive there.
        """
        try:
            return await self._coordinator.history.judged(sighting, late=late)
        except sqlite3.Error as err:
            LOGGER.error(
                "%s: what came of a sighting could not be corrected: %s", self._coordinator.name, type(err).__name__
            )
            return False

    def _keep_in_mind(self, sighting: Sighting) -> None:
        """Remember what came of a sighting that no disk remembers."""
        self._unstored[sighting.key] = (sighting.verdict, sighting.refused)
        if len(self._unstored) > _UNSTORED:
            del self._unstored[next(iter(self._unstored))]

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


def _judged(sighting: Sighting, decision: Decision | None) -> Sighting:
    """Put our decision on a sighting, where there is one. A door that only notifies judges nobody."""
    if decision is None:
        return sighting
    if decision.granted:
        return replace(sighting, verdict=Verdict.GRANTED)
    if decision.reason is Reason.NOTIFY_ONLY:
        return replace(sighting, verdict=Verdict.NONE)
    return replace(sighting, verdict=Verdict.DENIED, refused=decision.reason)

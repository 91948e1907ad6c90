"""Taking in what a source saw, whichever way it came: judged where a door waits for it, stored, and told to everybody.

Only what is stored may open a door, and what is known from there opens nothing.
"""

import asyncio
from collections import deque
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
        # Sightings that no disk remembers: the same push once more is no second event.
        self._unstored: deque[SightingKey] = deque(maxlen=_UNSTORED)

    async def async_take(
        self, sighting: Sighting, known: Person | None = None, judge: Judge | None = None
    ) -> Decision | None:
        """Store, decide where a door waits for it, and let everybody know. None where nobody asked for a decision.

        `known` is whom the source itself knows under the identity that it saw.
        """
        decision = None
        sighting, person = self._coordinator.async_identify(sighting, known)
        if judge is not None:
            decision = judge(sighting, person)
            sighting = _judged(sighting, decision)
        stored = sighting
        fresh = sighting.realtime and abs(dt_util.utcnow() - sighting.captured_at) <= LIVE_WITHIN
        unstored = False
        try:
            async with asyncio.timeout(_STORE_TIMEOUT):
                new = await self._coordinator.history.add(sighting, live=fresh)
        except (TimeoutError, sqlite3.Error) as err:
            LOGGER.error("%s: a sighting could not be stored: %s", self._coordinator.name, type(err).__name__)
            self._coordinator.async_missed(sighting.captured_at)
            new = True
            unstored = True
            if decision is not None:
                decision = Decision(reason=decision.reason or Reason.NOT_STORED)
                sighting = _judged(sighting, decision)
        if not new or sighting.key in self._unstored:
            return Decision(reason=Reason.REPEATED) if judge is not None else None
        if unstored:
            self._unstored.append(sighting.key)
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


def _judged(sighting: Sighting, decision: Decision) -> Sighting:
    """Put our decision on a sighting. A door that only notifies judges nobody."""
    if decision.granted:
        return replace(sighting, verdict=Verdict.GRANTED)
    if decision.reason is Reason.NOTIFY_ONLY:
        return replace(sighting, verdict=Verdict.NONE)
    return replace(sighting, verdict=Verdict.DENIED, refused=decision.reason)

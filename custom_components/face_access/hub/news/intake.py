"""Taking in what a source saw, whichever way it came: judged where a door waits for it, stored, and told to everybody.

Only what is stored may open a door, and what is known from there opens nothing.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace
import sqlite3

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ...access import PUSHED, Decision, Missed, Person, Reason, Ring, Sighting, StationEvent
from ...const import LIVE_WITHIN, LOGGER
from ...coordinator import FaceAccessCoordinator
from ..doors.judgement import Asked, Case, judge, judge_again, put_on
from ..telling import async_tell_decision

_STORE_TIMEOUT = 10
_UNSTORED = 100


class Intake:
    """What one source saw."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator) -> None:
        """Bind to a source's coordinator."""
        self._hass = hass
        self._coordinator = coordinator

    async def async_take(
        self, sighting: Sighting, known: Person | None = None, asked: Asked | None = None
    ) -> Decision | None:
        """Store, decide where a door waits for it, and let everybody know. None where nobody asked for a decision.

        `known` is whom the source itself knows under the identity that it saw.
        """
        named, _ = self._coordinator.async_identify(sighting, known)
        fresh = named.realtime and abs(dt_util.utcnow() - named.captured_at) <= LIVE_WITHIN
        case = None if asked is None else judge(self._coordinator, asked, named, known)
        stored = named if case is None else case.judged
        new = await self._async_store(stored, live=fresh)
        if (came_of_it := self._coordinator.unstored.get(named.key)) is not None:
            # The same push once more is no second event, and is kept as what it came to.
            await self._async_correct(replace(stored, verdict=came_of_it[0], refused=came_of_it[1]))
            return self._repeated(named, asked)
        if new is False:
            # Its record may have been fetched before it came: then this is the first that is decided on it, and a no.
            first = case is not None and not fresh and not case.decision.granted
            if case is not None and first and await self._async_correct(stored, late=True):
                return self._told(case)
            return self._repeated(named, asked)
        if case is not None:
            case = self._conclude(case, stored, unstored=new is None)
        judged = named if case is None else case.judged
        if new is None:
            self._keep_in_mind(judged)
        if fresh:
            self._dispatch_soon(judged)
        return None if case is None else case.decision

    def _conclude(self, case: Case, stored: Sighting, *, unstored: bool) -> Case:
        """Have the last word on what was judged before it was stored. Only what is stored may open, or wait to."""
        if unstored:
            case = replace(case, decision=Decision(reason=case.decision.reason or Reason.NOT_STORED))
        else:
            if case.decision.granted or case.decision.reason is Reason.SECOND_FACTOR:
                # Once more, and last: a disk that was slow must not open the door to whoever stands there by now.
                # Whom the household knows may have changed as well, and what was missing may have been given.
                case = judge_again(case)
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

    def _repeated(self, sighting: Sighting, asked: Asked | None) -> Decision | None:
        if asked is None:
            return None
        decision = Decision(reason=Reason.REPEATED)
        async_tell_decision(self._coordinator, asked.door, put_on(sighting, decision), decision)
        return decision

    async def _async_store(self, sighting: Sighting, *, live: bool) -> bool | None:
        """Store a sighting; whether it is a new one, None where it could not be stored."""
        try:
            async with asyncio.timeout(_STORE_TIMEOUT):
                return await self._coordinator.history.add(sighting, live=live)
        except (TimeoutError, sqlite3.Error) as err:
            LOGGER.error("%s: a sighting could not be stored: %s", self._coordinator.name, type(err).__name__)
            self._coordinator.catch_up.async_missed(sighting.captured_at)
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
        unstored = self._coordinator.unstored
        unstored[sighting.key] = (sighting.verdict, sighting.refused)
        if len(unstored) > _UNSTORED:
            del unstored[next(iter(unstored))]

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
                self._coordinator.catch_up.async_missed(kept.at)

    @callback
    def _dispatch_soon(self, event: StationEvent) -> None:
        """Answer first: a door that waits for the acknowledgement must not wait for our entities."""
        self._hass.loop.call_soon(self._coordinator.async_dispatch, event)

"""How far each target is with each person: known there, still to be given, or refused and why."""

import asyncio
from collections.abc import Collection
from typing import Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback

from ...people.holding import HoldingState
from ...people.refusal import Refusal
from ...people.store import PeopleStore

# How many people are told of before everybody else in the house gets a turn.
BREATH: Final = 20
# While targets work, in seconds: what five stations learn of a thousand people is then told of once, not five times.
WHILE_WORKING: Final = 10.0

type State = tuple[HoldingState, Refusal | None]
"""How far a target is with somebody, and why it refused them."""


class KnownAt:
    """What targets had of each person when they were last looked at."""

    def __init__(self, hass: HomeAssistant, store: PeopleStore, targets: Collection[str]) -> None:
        """Bind to a store that is open; `targets` are those that are here."""
        self._hass = hass
        self._store = store
        self._targets = targets
        self._known: dict[str, dict[str, State]] = {}
        self._listeners: dict[str, CALLBACK_TYPE] = {}
        self._looked_at = float("-inf")

    @callback
    def async_of(self, person: str) -> dict[str, State]:
        """Find how far the targets that are here are with somebody, by serial number."""
        return {
            serial: known[person]
            for serial, known in self._known.items()
            if serial in self._targets and person in known
        }

    @callback
    def async_listen(self, person: str, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Hear whenever a target is further with a person, or refuses them. One listener for each."""
        self._listeners[person] = listener

        @callback
        def stop() -> None:
            self._listeners.pop(person, None)

        return stop

    @callback
    def async_look(self, *, working: bool) -> None:
        """Take over what is written down, and tell of everybody with whom a target is further.

        Whoever is still `working` comes again, and is not always listened to until then.
        """
        now = self._hass.loop.time()
        if working and now - self._looked_at < WHILE_WORKING:
            return
        self._looked_at = now
        if changed := {person for target in self._targets for person in self._further(target)}:
            self._hass.async_create_task(self._async_tell(changed), "face_access known at")

    def _further(self, target: str) -> set[str]:
        """Take over what is written down of one target; whom that changes something for."""
        holdings = self._store.holdings(target).values()
        known = {self._store.whose(holding): (holding.state, holding.refusal) for holding in holdings}
        before, self._known[target] = self._known.get(target, {}), known
        return {person for person, _ in before.items() ^ known.items()}

    async def _async_tell(self, persons: Collection[str]) -> None:
        """Tell of many without keeping everybody else waiting."""
        for number, person in enumerate(persons, start=1):
            if (listener := self._listeners.get(person)) is not None:
                listener()
            if number % BREATH == 0:
                await asyncio.sleep(0)

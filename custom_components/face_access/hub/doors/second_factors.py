"""Second factors in the house: taken in as they are given, in whichever order they and the face come.

A face that lacks nothing else is held for as long as factors count: the door opens when the last of them is given, and
nobody must be seen again.
"""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import partial
import sqlite3

from homeassistant.core import HomeAssistant, callback
from homeassistant.util import dt as dt_util

from ...access import Decision, Factor, Passage, Person, Proof, Reason, Sighting, StationEvent
from ...const import LOGGER
from ...coordinator import FaceAccessCoordinator
from ...devices.errors import StationError
from ...people.store import PeopleStore
from ..telling import async_tell_decision
from .judgement import Case, judge_again
from .proofs import KEPT, Proofs, shown_in
from .wired import async_find, async_open, async_wired


class SecondFactors:
    """What people gave, and whose face waits for more."""

    def __init__(self, hass: HomeAssistant, store: PeopleStore) -> None:
        """Start with nothing given and nobody waiting."""
        self._hass = hass
        self._store = store
        self._proofs = Proofs(hass)
        self._held: dict[tuple[str, str], Case] = {}
        """The last face of a person at a door, where nothing but a factor was missing."""

    @callback
    def async_attach(self, coordinator: FaceAccessCoordinator) -> None:
        """Take in a station or a camera until its entry is unloaded."""
        coordinator.async_proofs = self.async_proofs
        coordinator.async_judged = self.async_judged
        coordinator.async_shown = partial(self._async_shown, coordinator)
        entry = coordinator.config_entry
        entry.async_on_unload(coordinator.async_subscribe(partial(self._async_report, coordinator)))
        entry.async_on_unload(partial(self._async_detach, coordinator))

    @callback
    def _async_detach(self, coordinator: FaceAccessCoordinator) -> None:
        self._held = {key: case for key, case in self._held.items() if case.coordinator is not coordinator}

    @callback
    def async_forget(self, person: str) -> None:
        """Somebody is removed: their face waits no longer, and what they gave counts for nobody who gets their id."""
        self._proofs.forget(person)
        self._held = {key: case for key, case in self._held.items() if key[0] != person}

    @callback
    def async_proofs(self, person: Person, door: str, now: datetime) -> Collection[Proof]:
        """Find the second factors that a person gave for a door lately."""
        return self._proofs.of(person, self._store.profiles.get(person.id), door, now)

    @callback
    def async_judged(self, case: Case) -> None:
        """Hear what was decided: a yes uses up what was given for it, and a face that lacks just that is held.

        The last face of a person counts alone. Their card is none: it is what the face may wait for.
        """
        sighting, now = case.sighting, dt_util.utcnow()
        person = sighting.person_id if sighting.household else None
        if person is None or (sighting.card and not case.decision.granted):
            return
        key = person, case.asked.door
        self._held = {each: held for each, held in self._held.items() if each != key and now - held.at <= KEPT}
        if case.decision.granted:
            self._proofs.spend(*key)
        elif case.decision.reason is Reason.SECOND_FACTOR:
            self._held[key] = case

    async def async_give(self, factor: Factor, person: str, doors: Collection[str], at: datetime) -> bool:
        """Somebody gave a factor at these doors; whether one opened for it at once. Raises StationError.

        It is decided, and used up, before anything is waited for: nothing counts twice.
        """
        if not self._proofs.add(factor, person, doors, at, dt_util.utcnow()):
            return False
        for door in doors:
            if (case := self._held.get((person, door))) is None:
                continue
            case = judge_again(case)
            self.async_judged(case)
            if case.decision.granted:
                return await self._async_let_in(case)
            if case.decision.reason is not Reason.SECOND_FACTOR:
                _tell(case)
        return False

    async def _async_let_in(self, case: Case) -> bool:
        """Open, and tell what came of it. Raises StationError; then nobody reads that they were let in."""
        coordinator, sighting = case.coordinator, case.judged
        shut = replace(case, decision=Decision(reason=Reason.DEVICE))
        if (found := async_find(self._hass, case.asked.door)) is None:
            _tell(shut)
            return False
        try:
            await async_open(*found)
        except StationError:
            _tell(shut)
            raise
        _tell(case)
        try:
            await coordinator.history.judged(sighting)
        except sqlite3.Error as err:
            LOGGER.error("%s: history does not say that somebody was let in: %s", coordinator.name, type(err).__name__)
        coordinator.async_dispatch(sighting)
        return True

    # Cards and codes

    @callback
    def _async_report(self, coordinator: FaceAccessCoordinator, event: StationEvent) -> None:
        if not isinstance(event, Sighting | Passage) or not shown_in(event):
            return
        if isinstance(event, Passage):
            person, at = self._owner(event), event.at
        else:
            person, at = event.person_id if event.household else None, event.captured_at
        if person is not None and person in self._store.profiles:
            self._async_shown(coordinator, person, at)

    @callback
    def _async_shown(self, coordinator: FaceAccessCoordinator, person: str, at: datetime) -> None:
        """Somebody's own card or code was shown at a station: at whichever of its doors they stand."""
        doors = [coordinator.door_id(door.number) for door in async_wired(coordinator)]
        self._hass.async_create_task(self._async_take(coordinator, person, doors, at), "face_access second factor")

    async def _async_take(
        self, coordinator: FaceAccessCoordinator, person: str, doors: Collection[str], at: datetime
    ) -> None:
        try:
            await self.async_give(Factor.CREDENTIAL, person, doors, at)
        except StationError as err:
            LOGGER.error("%s: a door did not open after a card or a code: %s", coordinator.name, err)

    def _owner(self, passage: Passage) -> str | None:
        """Find whose card or code that was, by the name that the station has for them; nobody's where two have it."""
        holdings = self._store.holdings(passage.source).values()
        found = {self._store.whose(each) for each in holdings if each.alias == passage.owner}
        found &= self._store.profiles.keys()
        return found.pop() if len(found) == 1 else None


def _tell(case: Case) -> None:
    async_tell_decision(case.coordinator, case.asked.door, case.judged, case.decision)

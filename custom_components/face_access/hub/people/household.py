"""The people of the house in Home Assistant: one store, what changes in it, and every target that shall know them.

Beside it: `identity` (who somebody is), `wanted` (what a station shall know), `known_at` (what it knows),
`photo_keeping` and `departures` (what is let go of); in `doors`, `second_factors` (what people give besides the face).
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
import sqlite3
from typing import Protocol

from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util.hass_dict import HassKey

from ...access import Sighting, StationEvent
from ...access.naming import SightingKind, kind_of
from ...const import DOMAIN, LOGGER
from ...coordinator import FaceAccessCoordinator
from ...people.findings import Seen
from ...people.holding import Holding
from ...people.model import Profile
from ...people.refusal import PHOTO_MISSING
from ...people.store import PeopleStore
from ..doors.questions import async_register_finder
from ..doors.second_factors import SecondFactors
from ..house import folder
from . import departures
from .identity import Identity
from .issues import async_clear_refusals, async_report_refusals
from .known_at import KnownAt
from .photo_keeping import PhotoKeeping
from .sync import TargetWorker
from .wanted import wanted

_PEOPLE: HassKey[asyncio.Task[HousePeople]] = HassKey(f"{DOMAIN}_people")

type PersonListener = Callable[[Sighting | None], None]


class Learner(Protocol):
    """What learns people and is no station."""

    @property
    def has_learned(self) -> bool:
        """Whether it has everybody whom it can have."""

    def async_wake(self, *, look: bool = False, retry: bool = False) -> None:
        """Something else is wanted; see `TargetWorker`."""


async def async_get_people(hass: HomeAssistant) -> HousePeople:
    """Open the house's people at the first call. Raises ConfigEntryNotReady when they cannot be read."""
    if (task := hass.data.get(_PEOPLE)) is None:
        task = hass.data[_PEOPLE] = hass.async_create_task(_open(hass), "face_access people", eager_start=True)
    try:
        return await asyncio.shield(task)
    except (OSError, sqlite3.Error, ValueError) as err:
        hass.data.pop(_PEOPLE, None)
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="people_unreadable", translation_placeholders={"error": str(err)}
        ) from err


@callback
def async_worker(hass: HomeAssistant, target: str) -> TargetWorker | None:
    """Find who keeps a station (serial number) or a server at what it shall know; None for one that learns nobody."""
    task = hass.data.get(_PEOPLE)
    if task is None or not task.done() or task.exception() is not None:
        return None
    return task.result().workers.get(target)


async def _open(hass: HomeAssistant) -> HousePeople:
    store = PeopleStore(folder(hass) / "people.db")
    try:
        await store.open()
        people = HousePeople(hass, store, await store.seen())
        await departures.async_forget_departed(hass, store)
    except BaseException:
        await store.close()
        raise

    stop_answering = async_register_finder(hass, people.identity.async_find_shown)

    async def close(_event: Event) -> None:
        stop_answering()
        hass.data.pop(_PEOPLE, None)
        await store.close()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, close)
    return people


class HousePeople:
    """Everybody whom the household named."""

    def __init__(self, hass: HomeAssistant, store: PeopleStore, seen: dict[str, Seen]) -> None:
        """Bind to a store that is open."""
        self.store = store
        self.seen = seen
        self.workers: dict[str, TargetWorker] = {}
        self.learners: list[Learner] = []
        """What learns people besides stations."""
        self.identity = Identity(hass, store, self.workers)
        self.known_at = KnownAt(hass, store, self.workers)
        self.factors = SecondFactors(hass, store)
        self._hass = hass
        self._listeners: dict[str, list[PersonListener]] = {}
        self._stop_schedules: CALLBACK_TYPE | None = None
        self._names: dict[str, str] = {}
        self._photos = PhotoKeeping(hass, store, has_learned=self._has_learned)
        self._async_follow_schedules()

    @callback
    def async_station_name(self, source: str) -> str:
        """What the household calls a station."""
        return self._names.get(source, source)

    # Changes

    async def async_add(self, profile: Profile, photos: Sequence[bytes], holding: Holding | None = None) -> Profile:
        """Add a person, photos as `prepare` made them. Raises PersonError and sqlite3.Error."""
        profile = await self.store.add(profile, photos, holding)
        self._async_changed(profile.id)
        return profile

    async def async_update(self, profile: Profile, photos: Sequence[bytes] | None = None) -> Profile:
        """Change a person; photos None keeps theirs. Raises PersonError and sqlite3.Error."""
        profile = await self.store.update(profile, photos)
        if photos is not None:
            await self._async_found_photos(profile.id)
        self._async_changed(profile.id)
        return profile

    async def _async_found_photos(self, person: str) -> None:
        """Targets that lacked a photo may have it now, even where it is the very one that was not kept."""
        lacking = [
            replace(holding.anew(), facts=holding.facts)
            for target in self.store.targets
            for holding in self.store.holdings(target).values()
            if holding.person == person and holding.code == PHOTO_MISSING
        ]
        await self.store.keep(lacking)

    async def async_remove(self, person: str, *, keep_history: bool = False) -> None:
        """Remove a person from the house, and then from every station. Raises PersonError and sqlite3.Error.

        What was seen of them goes too, unless `keep_history`: their pictures, and that it was they.
        """
        await self.store.remove(person, departs=not keep_history)
        self.seen.pop(person, None)
        self._photos.async_removed(person)
        self.factors.async_forget(person)
        self._async_changed(person)
        if not keep_history:
            await departures.async_forget(self._hass, self.store, person)

    @callback
    def _async_changed(self, person: str) -> None:
        self._async_follow_schedules()
        self.async_wake()
        self._async_tell(person, None)

    @callback
    def async_wake(self, *, look: bool = False, retry: bool = False) -> None:
        """Have every station looked after, and whatever else learns people."""
        for worker in self.workers.values():
            worker.async_wake(look=look, retry=retry)
        for learner in self.learners:
            learner.async_wake(look=look, retry=retry)

    @callback
    def async_subscribe(self, person: str, listener: PersonListener) -> CALLBACK_TYPE:
        """Hear whenever a person changes (None) or is seen (the sighting)."""
        listeners = self._listeners.setdefault(person, [])
        listeners.append(listener)
        return partial(listeners.remove, listener)

    @callback
    def _async_tell(self, person: str, sighting: Sighting | None) -> None:
        for listener in tuple(self._listeners.get(person, ())):
            listener(sighting)

    @callback
    def _async_follow_schedules(self) -> None:
        """A schedule that switches changes what stations that decide by themselves must know."""
        if self._stop_schedules is not None:
            self._stop_schedules()
        schedules = {profile.schedule for profile in self.store.profiles.values() if profile.schedule is not None}

        @callback
        def switched(_event: Event[EventStateChangedData]) -> None:
            self.async_wake()

        self._stop_schedules = async_track_state_change_event(self._hass, schedules, switched) if schedules else None

    # Targets

    @callback
    def async_attach(self, coordinator: FaceAccessCoordinator) -> None:
        """Take in a station until its entry is unloaded: hear whom it sees, and teach it the household."""
        entry = coordinator.config_entry
        self._names[coordinator.serial] = entry.title
        coordinator.async_identify = self.identity.async_identify
        self.factors.async_attach(coordinator)
        entry.async_on_unload(coordinator.async_subscribe(partial(self._async_report, coordinator)))
        if coordinator.station.people is None:
            return
        worker = TargetWorker(
            self._hass,
            coordinator,
            coordinator.station.people,
            self.store,
            wanted=partial(wanted, coordinator, self.store, self.identity),
        )
        self.async_keep_worker(worker)
        decided_itself = coordinator.decides_itself

        @callback
        def check() -> None:
            """Who decides is a setting of some stations: what they must know of people depends on it."""
            nonlocal decided_itself
            if (now := coordinator.decides_itself) is not decided_itself:
                decided_itself = now
                worker.async_wake()

        entry.async_on_unload(coordinator.async_add_listener(check))

    @callback
    def async_keep_worker(self, worker: TargetWorker) -> None:
        """Have a worker work until the entry of its target is unloaded."""
        target = worker.coordinator.serial
        self.workers[target] = worker
        worker.listeners.append(partial(self._async_synced, worker))
        stop = worker.async_start()

        @callback
        def detach() -> None:
            stop()
            del self.workers[target]

        worker.coordinator.config_entry.async_on_unload(detach)

    async def async_forget_station(self, serial: str) -> None:
        """A station is no longer the house's: what it was given is its owner's business."""
        await self.store.drop_target(serial)
        self._names.pop(serial, None)
        async_clear_refusals(self._hass, serial)

    @callback
    def _async_synced(self, worker: TargetWorker) -> None:
        coordinator = worker.coordinator
        self.known_at.async_look(working=worker.working)
        if worker.done.is_set():
            async_report_refusals(self._hass, self.store, coordinator.serial, coordinator.config_entry.title)
            self.async_learned()

    @callback
    def async_learned(self) -> None:
        """Some target has everybody by now: photos that only targets need may go."""
        self._photos.async_learned()

    def _has_learned(self) -> bool:
        """Whether nobody is still to be given to any target that is here."""
        return all(worker.done.is_set() for worker in self.workers.values()) and all(
            learner.has_learned for learner in self.learners
        )

    # Sightings

    @callback
    def _async_report(self, coordinator: FaceAccessCoordinator, event: StationEvent) -> None:
        if not isinstance(event, Sighting) or not event.household:
            return
        person = event.person_id
        if person is None or person not in self.store.profiles:
            return
        if event.recognised and kind_of(event) is not SightingKind.SPOOF:
            before = self.seen.get(person)
            picture = event.pictures.best or (before.picture if before is not None else None)
            seen = Seen(at=event.captured_at, place=coordinator.config_entry.title, picture=picture)
            self.seen[person] = seen
            self._hass.async_create_task(self._async_keep_seen(person, seen), "face_access last seen")
        self._async_tell(person, event)

    async def _async_keep_seen(self, person: str, seen: Seen) -> None:
        try:
            await self.store.see(person, seen)
        except sqlite3.Error as err:
            LOGGER.warning("When a person was last seen could not be kept: %s", type(err).__name__)

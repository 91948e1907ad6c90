"""The people of the house in Home Assistant: who they are, who was seen, and every station that shall know them."""

import asyncio
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
import sqlite3
from typing import Protocol

from homeassistant.const import EVENT_HOMEASSISTANT_CLOSE, STATE_ON
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..access import DoorMode, Factor, Method, Person, Pictures, Proof, Reason, Role, Sighting, StationEvent
from ..access.naming import SightingKind, kind_of
from ..const import DOMAIN, LOGGER
from ..coordinator import FaceAccessCoordinator
from ..devices.station import Enrolment, Question
from ..people.findings import Seen
from ..people.holding import Holding, HoldingState
from ..people.model import PersonError, Profile, Storage, is_new_key
from ..people.photos import thumbnail
from ..people.plan import Wanted
from ..people.refusal import PHOTO_MISSING
from ..people.store import PeopleStore
from .doors import async_wired
from .house import async_get_history, folder
from .people_issues import async_clear_refusals, async_report_refusals
from .people_sync import TargetWorker
from .proofs import Proofs
from .questions import async_register_finder

_PEOPLE: HassKey[asyncio.Task[HousePeople]] = HassKey(f"{DOMAIN}_people")

# Sent with the household's id of somebody who was removed and is to be forgotten.
SIGNAL_FORGOTTEN = f"{DOMAIN}_person_forgotten"
# A card is no live face: what is missing in it as a face says nothing against it as a card.
_NOT_THE_CARDS = (None, Reason.LIVENESS, Reason.SIMILARITY, Reason.SECOND_FACTOR)

# How many people are told of before everybody else in the house gets a turn.
_BREATH = 20

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
        await people.async_forget_departed()
    except BaseException:
        await store.close()
        raise

    stop_answering = async_register_finder(hass, people.async_find_shown)

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
        self._hass = hass
        self._listeners: dict[str, list[PersonListener]] = {}
        self._stop_schedules: CALLBACK_TYPE | None = None
        self._names: dict[str, str] = {}
        self._known: dict[str, dict[str, tuple[HoldingState, str | None]]] = {}
        self._listeners_known: dict[str, CALLBACK_TYPE] = {}
        self.proofs = Proofs(hass)
        self._let_go: dict[str, tuple[Storage, tuple[str, ...]]] = {}
        self._async_follow_schedules()

    # What is known

    def person(self, profile: Profile) -> Person:
        """Give what the decision looks at. A schedule that cannot be read is off: doors fail closed."""
        schedule_on = None
        if profile.schedule is not None:
            state = self._hass.states.get(profile.schedule)
            schedule_on = state is not None and state.state == STATE_ON
        return profile.person(schedule_on=schedule_on)

    @callback
    def async_identify(self, sighting: Sighting, known: Person | None = None) -> tuple[Sighting, Person | None]:
        """Put the household's name to a sighting; `known` is whom the station itself knows under that id.

        One whom the household gave to the station and has since removed is nobody, whatever the station says.
        """
        if sighting.household and sighting.person_id is not None:
            profile = self.store.profiles.get(sighting.person_id)
            return sighting, None if profile is None else self._agreed(profile, known)
        if sighting.person_id is None:
            return sighting, known
        found = {
            holding.person
            for holding in self.store.holdings(sighting.source).values()
            if holding.alias == sighting.person_id
        }
        if not found and (owner := self.store.person_of(sighting.person_id)) is not None:
            # Our key on a station that has not heard of it yet, or not again: it is theirs wherever it turns up.
            found = {owner}
        if not found and not self._is_gone(sighting):
            return sighting, known
        profiles = [profile for person in found if (profile := self.store.profiles.get(person)) is not None]
        if not profiles:
            # Removed, and the station has not heard, or has them back, as from a backup: what it tells is told, but no
            # picture of them is kept.
            return replace(sighting, pictures=Pictures()), None
        if len(found) > 1:
            # Two people of one name, on a station that tells names alone: it may be either.
            return sighting, None
        (profile,) = profiles
        named = replace(sighting, person_id=profile.id, person_name=profile.name, household=True)
        return named, self._agreed(profile, known)

    def _is_gone(self, sighting: Sighting) -> bool:
        """Whether a station names one whom the household gave to it and who is gone: by its own word it would open."""
        source, key = sighting.source, sighting.person_id
        if key is None:
            return False
        if self.store.gone(source, key) is None:
            return is_new_key(key)
        worker = self.workers.get(source)
        if sighting.realtime and worker is not None and worker.done.is_set():
            # They are back: a station that decides by itself must not know them either.
            worker.async_wake(look=True)
        return True

    def _agreed(self, profile: Profile, known: Person | None) -> Person:
        """What the station holds against somebody counts as well."""
        person = self.person(profile)
        return replace(person, enabled=False) if known is not None and not known.enabled else person

    @callback
    def async_find_shown(self, question: Question) -> Person | None:
        """Find whose card that is; nobody's where two people have it."""
        if question.method is not Method.CARD or not question.number.isdecimal():
            return None
        found = [profile for profile in self.store.profiles.values() if profile.card == int(question.number)]
        return self.person(found[0]) if len(found) == 1 else None

    @callback
    def async_proofs(self, person: Person, door: str, now: datetime) -> list[Proof]:
        """Find the second factors that a person gave for a door lately."""
        return self.proofs.of(person, self.store.profiles.get(person.id), door, now)

    @callback
    def async_known_at(self, person: str) -> dict[str, tuple[HoldingState, str | None]]:
        """Find how far the stations that are here are with somebody, by serial number: and why one refused them."""
        found = {serial: self._known.get(serial, {}).get(person) for serial in self.workers}
        return {serial: known for serial, known in found.items() if known is not None}

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
            replace(holding, photos="", state=HoldingState.PENDING, code=None)
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
        self._let_go.pop(person, None)
        self._async_changed(person)
        if not keep_history:
            await self._async_forget(person)

    async def _async_forget(self, person: str) -> None:
        """Forget what was seen of somebody who is removed. What does not work now is done after the next start."""
        async_dispatcher_send(self._hass, SIGNAL_FORGOTTEN, person)
        try:
            history = await async_get_history(self._hass)
            await history.forget_person(person, self._aliases(person))
            await self.store.forgotten(person)
        except (ConfigEntryNotReady, sqlite3.Error) as err:
            LOGGER.warning("What was seen of a removed person could not be deleted yet: %s", type(err).__name__)

    def _aliases(self, person: str) -> list[tuple[str, str]]:
        """Find by which ids stations knew somebody; not one that somebody else there has as well."""
        everybody = [holding for target in self.store.targets for holding in self.store.holdings(target).values()]
        shared = {(each.target, each.alias) for each in everybody if each.person != person}
        return [
            name for each in everybody if each.person == person and (name := (each.target, each.alias)) not in shared
        ]

    async def async_forget_departed(self) -> None:
        """Go on with forgetting whom a hard stop saved from it. Raises sqlite3.Error."""
        for person in await self.store.departed():
            if person in self.store.profiles:
                # Somebody of the same id was added since: nobody can tell their sightings apart.
                await self.store.forgotten(person)
            else:
                await self._async_forget(person)

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
    def async_on_known(self, person: str, listener: CALLBACK_TYPE) -> CALLBACK_TYPE:
        """Hear whenever a station is further with a person, or refuses them. One listener for each."""
        self._listeners_known[person] = listener

        @callback
        def stop() -> None:
            self._listeners_known.pop(person, None)

        return stop

    async def _async_tell_known(self, persons: Collection[str]) -> None:
        """Tell of many without keeping everybody else waiting."""
        for number, person in enumerate(persons, start=1):
            if (listener := self._listeners_known.get(person)) is not None:
                listener()
            if number % _BREATH == 0:
                await asyncio.sleep(0)

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

    # Stations

    @callback
    def async_attach(self, coordinator: FaceAccessCoordinator) -> None:
        """Take in a station until its entry is unloaded: hear whom it sees, and teach it the household."""
        entry = coordinator.config_entry
        self._names[coordinator.serial] = entry.title
        coordinator.async_identify = self.async_identify
        coordinator.async_proofs = self.async_proofs
        entry.async_on_unload(coordinator.async_subscribe(partial(self._async_report, coordinator)))
        if coordinator.station.people is None:
            return
        worker = TargetWorker(
            self._hass,
            coordinator,
            coordinator.station.people,
            self.store,
            wanted=partial(self._wanted, coordinator),
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

    def _wanted(self, coordinator: FaceAccessCoordinator) -> Iterator[Wanted]:
        """Find what a station shall know: whoever may pass one of its doors, and whoever is to be turned away.

        Nobody can be given to a station without a face or a card; one who came from there has them there.
        """
        # Only by never letting anybody in does a station that decides by itself mind that this door never opens.
        shut = coordinator.decides_itself and coordinator.policy().mode is DoorMode.NEVER
        there = {holding.person for holding in self.store.holdings(coordinator.serial).values()}
        doors = {coordinator.door_id(door.number): door.number for door in async_wired(coordinator)}
        for profile in tuple(self.store.profiles.values()):
            blocked = profile.role is Role.BLOCKED
            numbers = [number for door, number in doors.items() if profile.doors is None or door in profile.doors]
            if (blocked or numbers) and (profile.photos or profile.card is not None or profile.id in there):
                # A station can be told of one door or of all, wired or not: of two out of three, the first is safe.
                every = len(numbers) == len(doors) > 1
                yield self._wanted_one(profile, None if blocked or every else numbers[0], shut=shut)

    def _wanted_one(self, profile: Profile, door: int | None, *, shut: bool) -> Wanted:
        person = self.person(profile)
        return Wanted(
            person=profile.id,
            enrolment=Enrolment(
                key=profile.key,
                name=profile.name,
                role=profile.role,
                card=profile.card,
                valid_from=profile.valid_from,
                valid_until=profile.valid_until,
                # A station may decide by itself: it must know as well that this is not the time.
                suspended=shut or not person.enabled or person.schedule_on is False,
                text=profile.text,
                door=door,
            ),
            photos=profile.photos,
        )

    @callback
    def _async_synced(self, worker: TargetWorker) -> None:
        serial = worker.coordinator.serial
        holdings = self.store.holdings(serial).values()
        known = {holding.person: (holding.state, holding.code) for holding in holdings}
        before, self._known[serial] = self._known.get(serial, {}), known
        if changed := {person for person, _ in before.items() ^ known.items()}:
            self._hass.async_create_task(self._async_tell_known(changed), "face_access known at")
        if worker.done.is_set():
            coordinator = worker.coordinator
            async_report_refusals(self._hass, self.store, coordinator.serial, coordinator.config_entry.title)
            self.async_learned()

    @callback
    def async_learned(self) -> None:
        """Some target has everybody by now: photos that only targets need may go."""
        self._hass.async_create_task(self._async_let_go_of_photos(), "face_access photos")

    async def _async_let_go_of_photos(self) -> None:
        """Keep no more of photos than was asked for, once every station that is there has them."""
        if not self._has_learned or all(one.storage is Storage.FULL for one in self.store.profiles.values()):
            return
        states = await self._states()
        for number, profile in enumerate(tuple(self.store.profiles.values()), start=1):
            if number % _BREATH == 0:
                await asyncio.sleep(0)
            wanted = (profile.storage, profile.photos)
            if profile.storage is Storage.FULL or self._let_go.get(profile.id) == wanted:
                continue
            if not self._has_learned or self.store.profiles.get(profile.id) != profile:
                # Something else is wanted by now, and whoever has learned it comes here again.
                return
            found = states.get(profile.id, set())
            if HoldingState.HELD not in found or HoldingState.PENDING in found:
                continue
            self._let_go[profile.id] = wanted
            try:
                await self._async_keep_less(profile)
            except (PersonError, sqlite3.Error) as err:
                del self._let_go[profile.id]
                LOGGER.debug("photos could not be let go of: %s", type(err).__name__)

    async def _async_keep_less(self, profile: Profile) -> None:
        less: dict[str, bytes | None] = {}
        for name, photo in (await self.store.named_photos(profile.id)).items():
            if profile.storage is Storage.NONE:
                less[name] = None
                continue
            small = await self._hass.async_add_executor_job(thumbnail, photo)
            if len(small) < len(photo):
                less[name] = small
        if less:
            await self.store.keep_instead(profile.id, less)

    @property
    def _has_learned(self) -> bool:
        """Whether nobody is still to be given to any target that is here."""
        return all(worker.done.is_set() for worker in self.workers.values()) and all(
            learner.has_learned for learner in self.learners
        )

    async def _states(self) -> dict[str, set[HoldingState]]:
        """Find how far all targets are with each person, in one go over them."""
        states: dict[str, set[HoldingState]] = {}
        for target in self.store.targets:
            for number, holding in enumerate(tuple(self.store.holdings(target).values()), start=1):
                states.setdefault(holding.person, set()).add(holding.state)
                if number % _BREATH == 0:
                    await asyncio.sleep(0)
        return states

    # Sightings

    @callback
    def _async_report(self, coordinator: FaceAccessCoordinator, event: StationEvent) -> None:
        if not isinstance(event, Sighting) or not event.household:
            return
        person = event.person_id
        if person is None or person not in self.store.profiles:
            return
        if event.card and event.recognised and event.refused in _NOT_THE_CARDS:
            doors = [coordinator.door_id(door.number) for door in async_wired(coordinator)]
            self.proofs.add(Factor.CREDENTIAL, person, doors, dt_util.utcnow())
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

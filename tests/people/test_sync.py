"""A target comes to hold what the household wants, whatever breaks off on the way, and nobody else is touched."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from custom_components.face_access.access import Role
from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationConnectionError,
    StationError,
    StationPhotoError,
    StationRefusedError,
)
from custom_components.face_access.devices.station import Enrolment
from custom_components.face_access.people.holding import Holding, HoldingState
from custom_components.face_access.people.model import Profile, digest
from custom_components.face_access.people.plan import Progress, Wanted
from custom_components.face_access.people.refusal import Refusal
from custom_components.face_access.people.store import PeopleStore
from custom_components.face_access.people.sync import Synchroniser

from .conftest import BAD, PHOTO, FakePeople, profile

STRANGER = Enrolment(key="0001", name="Somebody")


def wanted(person: Profile) -> Wanted:
    """Want somebody at every target."""
    return Wanted(
        person=person.id,
        enrolment=Enrolment(
            key=person.key,
            name=person.name,
            role=person.role,
            card=person.card,
            valid_until=person.valid_until,
            suspended=not person.enabled,
        ),
        photos=person.photos,
    )


class House:
    """A store and a target."""

    def __init__(self, store: PeopleStore) -> None:
        self.store = store
        self.people = FakePeople(held={"0001": STRANGER})
        self.steps = 0
        self.sync = self.synchroniser()

    def synchroniser(self) -> Synchroniser:
        """Start afresh, as after a restart."""

        def step() -> None:
            self.steps += 1

        return Synchroniser(
            "t",
            self.people,
            self.store,
            wanted=lambda: [wanted(person) for person in self.store.profiles.values()],
            on_progress=step,
        )

    async def add(self, person: str, *photos: bytes, **changes: object) -> Profile:
        return await self.store.add(profile(person, **changes), photos or (PHOTO + person.encode(),))

    async def round(self, *, full: bool = False, retry: bool = False) -> Progress:
        """Run a round; what was asked before it is forgotten."""
        self.people.requests.clear()
        assert await self.sync.run(full=full, retry=retry)
        return self.sync.progress

    def holding(self, person: str) -> Holding:
        (found,) = (holding for holding in self.store.holdings("t").values() if holding.person == person)
        return found


@pytest.fixture
def house(store: PeopleStore) -> House:
    return House(store)


async def test_people_are_given_once(house: House) -> None:
    anna, bob = await house.add("anna", card=7), await house.add("bob")
    progress = await house.round()
    assert progress == Progress(total=2, held=2)
    assert progress.done
    assert house.people.asked("put") == [anna.key, bob.key]
    assert house.people.faces == {anna.key: anna.photos[0], bob.key: bob.photos[0]}
    assert house.people.held[anna.key].card == 7
    assert house.people.held["0001"] == STRANGER
    assert house.holding("anna").alias == anna.key
    assert house.steps == 2
    await house.round()
    assert house.people.requests == []
    await house.round(full=True)
    assert house.people.requests == [("all",)]


async def test_a_change_of_facts_goes_without_photos(house: House) -> None:
    anna = await house.add("anna")
    await house.round()
    await house.store.update(replace(anna, card=8, enabled=False))
    assert await house.round() == Progress(total=1, held=1)
    assert house.people.requests == [("put facts", anna.key)]
    assert (house.people.held[anna.key].card, house.people.held[anna.key].suspended) == (8, True)


async def test_what_the_target_cuts_off_is_no_difference(house: House) -> None:
    anna = await house.add("anna", name="A name that is too long")
    await house.round()
    await house.store.update(replace(anna, name="A name that is too short"))
    await house.round(full=True)
    assert house.people.requests == [("all",)]


async def test_a_change_of_photos_goes_with_photos(house: House) -> None:
    anna = await house.add("anna")
    await house.round()
    await house.store.update(anna, (b"another photo",))
    await house.round()
    assert house.people.requests == [("put", anna.key)]
    assert house.people.faces[anna.key] == digest(b"another photo")


async def test_a_removed_person_goes_and_that_is_looked_at(house: House) -> None:
    anna = await house.add("anna")
    await house.round()
    await house.store.remove("anna")
    await house.sync.look()
    assert house.sync.progress == Progress(leaving=1)
    assert await house.round() == Progress()
    assert house.people.requests == [("remove", anna.key), ("find", anna.key)]
    assert list(house.people.held) == ["0001"]
    assert not house.store.holdings("t")


async def test_a_target_that_keeps_whom_it_removed_is_found_out(house: House) -> None:
    await house.add("anna")
    await house.round()
    await house.store.remove("anna")
    house.people.keeps_removed = True
    assert await house.round() == Progress(leaving=1)
    assert (house.holding("anna").state, house.holding("anna").code) == (HoldingState.REFUSED, "not_removed")
    house.people.keeps_removed = False
    assert (await house.round()).done
    assert not house.store.holdings("t")


async def test_a_refused_removal_stops_nobody_else(house: House) -> None:
    await house.add("anna")
    bob = await house.add("bob")
    await house.round()
    await house.store.remove("anna")
    await house.store.update(replace(bob, card=9))
    house.people.trouble = [StationRefusedError("write_failed")]
    assert await house.round() == Progress(total=1, held=1, leaving=1)
    assert house.holding("anna").code == "write_failed"


async def test_a_refused_photo_stops_nobody_and_is_not_sent_again(house: House) -> None:
    anna, bob = await house.add("anna", BAD), await house.add("bob")
    assert await house.round() == Progress(total=2, held=1, refused=1)
    assert bob.key in house.people.held
    assert anna.key not in house.people.held
    assert (house.holding("anna").state, house.holding("anna").code) == (HoldingState.REFUSED, "face_too_small")
    assert await house.round(full=True) == Progress(total=2, held=1, refused=1)
    assert house.people.asked("put") == []
    # Until somebody asks for it, or there is another photo.
    await house.round(retry=True)
    assert house.people.asked("put") == [anna.key]
    await house.store.update(anna, (PHOTO,))
    assert await house.round() == Progress(total=2, held=2)


@pytest.mark.parametrize(
    ("card", "words"), [(None, "Only 7 of 12 points of the face found"), (4711, "Only … of … points of the face found")]
)
async def test_the_targets_own_words_are_kept(house: House, card: int | None, words: str) -> None:
    anna = await house.add("anna", card=card)
    said = "Only 7 of 12 points\nof the face found"
    house.people.trouble = [StationPhotoError("face_incomplete", said), None]
    assert (await house.round()).refused == 1
    assert house.holding("anna").refusal == Refusal("face_incomplete", words)
    again = PeopleStore(house.store._file.path)
    await again.open()
    assert again.holdings("t")[anna.key] == house.holding("anna")
    await again.close()
    await house.store.update(anna, (b"a better photo",))
    assert (await house.round()).held == 1
    assert house.holding("anna").refusal is None


async def test_why_somebody_cannot_be_removed_is_kept_without_numbers(house: House) -> None:
    await house.add("anna")
    await house.round()
    await house.store.remove("anna")
    house.people.trouble = [StationRefusedError("write_failed", "card 4711 is locked")]
    assert (await house.round()).leaving == 1
    assert house.holding("anna").refusal == Refusal("write_failed", "card … is locked")


async def test_a_target_that_only_says_it_took_somebody_is_found_out(house: House) -> None:
    anna, bob = await house.add("anna"), await house.add("bob")
    await house.round()
    del house.people.held[anna.key]
    assert (await house.round()).held == 2
    assert await house.round(full=True) == Progress(total=2, held=2)
    assert house.people.asked("put") == [anna.key]
    assert {anna.key, bob.key} <= house.people.held.keys()


async def test_the_next_photo_is_tried(house: House) -> None:
    anna = await house.add("anna", BAD, PHOTO)
    assert (await house.round()).held == 1
    assert house.people.faces[anna.key] == digest(PHOTO)


async def test_facts_arrive_even_if_the_new_photo_does_not(house: House) -> None:
    """A date that shuts the door must not wait for a better photo."""
    anna = await house.add("anna")
    await house.round()
    until = datetime(2026, 1, 1, tzinfo=UTC)
    await house.store.update(replace(anna, valid_until=until), (BAD,))
    assert await house.round() == Progress(total=1, refused=1)
    assert house.people.held[anna.key].valid_until == until
    assert house.people.faces[anna.key] == anna.photos[0]


async def test_a_card_counts_without_a_face(house: House) -> None:
    anna = await house.add("anna", BAD, card=7)
    assert await house.round() == Progress(total=1, refused=1)
    assert house.people.held[anna.key].card == 7
    assert anna.key not in house.people.faces


async def test_facts_go_first(house: House) -> None:
    bob = await house.add("bob")
    await house.round()
    anna = await house.add("anna")
    await house.store.update(replace(bob, enabled=False))
    await house.round()
    assert house.people.requests == [("put facts", bob.key), ("put", anna.key)]


async def test_an_interrupted_round_is_taken_up(house: House) -> None:
    people = [await house.add(f"p{number}") for number in range(5)]
    house.people.trouble = [None, None, StationConnectionError("gone")]
    with pytest.raises(StationConnectionError):
        await house.round()
    assert house.sync.progress == Progress(total=5, held=2)
    house.sync = house.synchroniser()
    assert await house.round() == Progress(total=5, held=5)
    assert house.people.asked("put") == [person.key for person in people[2:]]


async def test_a_hard_stop_after_the_target_got_it_does_no_harm(house: House, store: PeopleStore) -> None:
    """Written down as pending, and there already: given once more. Removed meanwhile: it is known to be ours."""
    anna = await house.add("anna")
    await house.round()
    await store.keep([replace(house.holding("anna"), facts="", photos="", state=HoldingState.PENDING)])
    house.sync = house.synchroniser()
    assert await house.round() == Progress(total=1, held=1)
    assert house.people.asked("put") == [anna.key]
    await store.keep([replace(house.holding("anna"), facts="", photos="", state=HoldingState.PENDING)])
    await store.remove("anna")
    await house.round()
    assert list(house.people.held) == ["0001"]


async def test_a_change_ends_a_round_at_its_next_step(house: House) -> None:
    for number in range(5):
        await house.add(f"p{number}")
    synchroniser = house.synchroniser()
    synchroniser._on_progress = synchroniser.changed
    assert not await synchroniser.run(full=False)
    assert synchroniser.progress == Progress(total=5, held=1)
    await house.store.remove("p0")
    await house.store.remove("p4")
    assert not await synchroniser.run(full=False)
    # The removals came first, and one of them was enough for the next change.
    assert len(house.people.held) <= 2
    assert await house.round() == Progress(total=3, held=3)


@pytest.mark.parametrize("changed", ["lost", "renamed"])
async def test_a_full_round_mends_what_somebody_did_at_the_target(house: House, changed: str) -> None:
    anna = await house.add("anna")
    await house.round()
    if changed == "lost":
        del house.people.held[anna.key]
    else:
        house.people.held[anna.key] = replace(house.people.held[anna.key], card=666)
    await house.round()
    assert house.people.requests == []
    assert await house.round(full=True) == Progress(total=1, held=1)
    assert house.people.requests[-1] == ("put" if changed == "lost" else "put facts", anna.key)
    assert house.people.held[anna.key] == Enrolment(key=anna.key, name="Anna")


async def test_facts_for_somebody_whom_the_target_lost_bring_the_face_along(house: House) -> None:
    anna = await house.add("anna")
    await house.round()
    del house.people.held[anna.key]
    await house.store.update(replace(anna, card=9))
    assert await house.round() == Progress(total=1, held=1)
    assert house.people.requests == [("put facts", anna.key), ("put", anna.key)]


@pytest.mark.parametrize("there", [True, False])
async def test_who_is_to_leave_and_is_not_listed_is_removed_all_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    """A list may leave somebody out who still opens the door."""
    anna = await house.add("anna")
    await house.round()
    await house.store.remove("anna")
    if not there:
        del house.people.held[anna.key]

    async def short() -> AsyncIterator[Enrolment]:
        yield STRANGER

    monkeypatch.setattr(house.people, "all", short)
    assert (await house.round(full=True)).done
    assert house.people.requests == [("remove", anna.key), ("find", anna.key)]
    assert list(house.people.held) == ["0001"]
    assert not house.store.holdings("t")


async def test_a_full_target_is_not_asked_again_and_again(house: House) -> None:
    house.people.capacity = 3
    for number in range(10):
        await house.add(f"p{number}")
    assert await house.round() == Progress(total=10, held=2, refused=8)
    assert len(house.people.requests) == 3
    await house.store.remove("p0")
    assert await house.round() == Progress(total=9, held=2, refused=7)
    assert len(house.people.asked("put")) == 2


async def test_a_full_target_still_takes_changes(house: House) -> None:
    anna = await house.add("anna")
    await house.round()
    house.people.capacity = 2
    await house.add("bob")
    await house.store.update(anna, (b"another",))
    await house.round()
    assert house.people.faces[anna.key] == digest(b"another")


@pytest.mark.parametrize("error", [StationConnectionError("gone"), StationRefusedError("busy")])
async def test_trouble_of_the_target_is_nobodys_refusal(house: House, error: StationError) -> None:
    await house.add("anna")
    house.people.trouble = [error]
    with pytest.raises(StationError):
        await house.round()
    assert house.holding("anna").state is HoldingState.PENDING
    assert await house.round() == Progress(total=1, held=1)


async def test_what_a_target_cannot_write_is_refused_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    anna, _bob = await house.add("anna"), await house.add("bob")

    def picky(enrolment: Enrolment) -> Enrolment:
        if enrolment.key == anna.key:
            raise InvalidValueError("valid", "is beyond the calendar")
        return enrolment

    monkeypatch.setattr(house.people, "as_held", picky)
    assert await house.round() == Progress(total=2, held=1, refused=1)
    assert house.holding("anna").code == "invalid_value"
    await house.round()
    assert house.people.requests == []


async def test_photos_that_were_not_kept_are_missed(house: House) -> None:
    anna = await house.add("anna")
    await house.round()
    await house.store.keep_instead("anna", {anna.photos[0]: None})
    assert (await house.round(full=True)).held == 1
    del house.people.held[anna.key]
    assert await house.round(full=True) == Progress(total=1, refused=1)
    assert house.holding("anna").code == "photo_missing"


async def test_one_who_came_from_the_target_keeps_the_key(house: House) -> None:
    (stranger,) = await house.sync.foreign()
    assert stranger == STRANGER
    person = await house.add("somebody", name="Somebody")
    await house.store.keep([house.sync.adopted(person.id, stranger, person.photos)])
    assert await house.sync.foreign() == ()
    assert (await house.round(full=True)).held == 1
    assert house.people.requests == [("all",)]
    await house.store.update(replace(person, role=Role.BLOCKED))
    await house.round()
    assert house.people.held["0001"].role is Role.BLOCKED
    assert list(house.people.held) == ["0001"]


async def test_nobody_is_given_without_a_face_and_a_card(house: House) -> None:
    """There is nothing to give; what is there already stays what it was."""
    await house.store.add(profile("anna"))
    assert await house.round() == Progress()
    await house.store.keep([house.sync.adopted("anna", STRANGER, ())])
    assert (await house.round(full=True)).held == 1


async def test_planning_gives_others_a_turn(house: House) -> None:
    for number in range(120):
        house.store._profiles[f"p{number}"] = profile(f"p{number}", card=1)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counter = asyncio.create_task(count())
    await house.sync.look()
    counter.cancel()
    assert turns >= 2
    assert house.sync.progress.waiting == 120


def test_nothing_of_a_person_shows() -> None:
    """What is planned is logged here and there: never a name, a card or a text."""
    shown = repr(Wanted(person="a", enrolment=Enrolment(key="k", name="Secret name", card=4711, text="Hello")))
    assert not any(secret in shown for secret in ("Secret", "4711", "Hello"))

"""Second factors at a terminal that asks: a card, the phone at home, somebody's word, in whichever order they come."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import sqlite3
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.face_access.access import Decision, Factor, Method, Passage, Person, Reason, Role, Sighting
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.devices.errors import StationConnectionError
from custom_components.face_access.hub.doors.judgement import Asked, judge
from custom_components.face_access.hub.doors.proofs import Proofs, shown_in
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.photos import prepare
from simulators._terminal.pictures import sample
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, add_direct, set_policy, settle, until
from .fakes import known
from .test_people_decision import explained, synced
from .test_push import FACE, seen
from .time_travel import Clock

DOOR = f"{SERIAL}_1"
SECOND_FACTORS = "custom_components.face_access.hub.doors.second_factors"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
CARD, OTHER_CARD = 4711, 4712


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


@pytest.fixture
async def entry(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal, request: pytest.FixtureRequest
) -> MockConfigEntry:
    """Set up a terminal that asks, at a door that wants a confirmation besides the face, or what the test says."""
    terminal.app["gate_control"]["match_mode"] = 2
    entry = await add_direct(hass, terminal)
    wanted = {"second_factors": ["confirmation"], "liveness_required": True, **getattr(request, "param", {})}
    set_policy(hass, entry, door_mode="open", **wanted)
    return entry


@pytest.fixture
async def people(hass: HomeAssistant, entry: MockConfigEntry) -> HousePeople:
    """Add Anna and Bob, whom the terminal knows by face and card."""
    house = await async_get_people(hass)
    photo = await asyncio.to_thread(prepare, sample("good"))
    anna = Profile(id="anna", key=new_key(), name="Anna Berg", card=CARD, linked="person.anna")
    await house.async_add(anna, [photo])
    await house.async_add(Profile(id="bob", key=new_key(), name="Bob", card=OTHER_CARD), [])
    await synced(house)
    return house


async def look(hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal) -> tuple[str, str | None]:
    """Let the terminal see Anna: what came of it."""
    terminal._seen.clear()
    state = await seen(hass, await terminal.present_known(people.store.profiles["anna"].key))
    return state.attributes["verdict"], state.attributes["reason"]


async def swipe(hass: HomeAssistant, terminal: SimulatedTerminal, card: int = CARD) -> None:
    await (await terminal.swipe_card(card)).wait()
    await settle(hass)


async def confirm(hass: HomeAssistant, device_id: str, person: str = "anna") -> bool:
    """Say yes: whether the door opened for it."""
    answer = await hass.services.async_call(
        DOMAIN, "confirm_access", {"device_id": device_id, "person_id": person}, blocking=True, return_response=True
    )
    await settle(hass)
    return answer["opened"]


MISSING = ("denied", "second_factor")


@pytest.mark.parametrize("entry", [{"second_factors": ["credential"]}], indirect=True)
@pytest.mark.parametrize("first", ["card", "face"])
async def test_card_and_face(hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, first: str) -> None:
    """In whichever order; another one's card is no use, and one card is good for one opening."""
    await swipe(hass, terminal, OTHER_CARD)
    if first == "card":
        await swipe(hass, terminal)
        assert terminal.openings == []
        assert await look(hass, people, terminal) == ("granted", None)
    else:
        assert await look(hass, people, terminal) == MISSING
        await swipe(hass, terminal, OTHER_CARD)
        assert terminal.openings == []
        await swipe(hass, terminal)
        await until(lambda: hass.states.get(FACE).attributes["verdict"] == "granted")
    await settle(hass)
    assert len(terminal.openings) == 1
    assert await look(hass, people, terminal) == MISSING
    assert len(terminal.openings) == 1


@pytest.mark.parametrize("first", ["word", "face"])
async def test_a_word_and_a_face(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str, first: str
) -> None:
    """What is told is what happened in the end: in the event, in the history and in the logbook."""
    decided = async_capture_events(hass, "face_access_decided")
    assert not await confirm(hass, device_id, "bob")
    if first == "word":
        assert not await confirm(hass, device_id)
        assert await look(hass, people, terminal) == ("granted", None)
    else:
        assert await look(hass, people, terminal) == MISSING
        assert not await confirm(hass, device_id, "bob")
        assert await confirm(hass, device_id)
        state = hass.states.get(FACE)
        assert (state.attributes["event_type"], state.attributes["verdict"]) == ("recognised", "granted")
    assert len(terminal.openings) == 1
    told = [(event.data["person"], event.data["granted"], event.data["reason"]) for event in decided]
    waited = [("Anna Berg", False, "second_factor")] if first == "face" else []
    assert told == [*waited, ("Anna Berg", True, None)]
    listed = await hass.services.async_call(DOMAIN, "get_sightings", {}, blocking=True, return_response=True)
    assert [(one["verdict"], one["reason"]) for one in listed["sightings"]] == [("granted", None)]
    # One word, one opening.
    assert await look(hass, people, terminal) == MISSING
    assert len(terminal.openings) == 1


@pytest.mark.parametrize("entry", [{"second_factors": ["credential", "confirmation"]}], indirect=True)
async def test_every_factor_is_waited_for(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    assert await look(hass, people, terminal) == MISSING
    assert not await confirm(hass, device_id)
    assert terminal.openings == []
    await swipe(hass, terminal)
    await until(lambda: terminal.openings)
    await settle(hass)
    # Both are used up.
    await swipe(hass, terminal)
    assert await look(hass, people, terminal) == MISSING
    assert len(terminal.openings) == 1


@pytest.mark.parametrize("entry", [{"second_factors_within": 20}], indirect=True)
@pytest.mark.parametrize(("seconds", "opens"), [(18, True), (21, False)])
async def test_a_face_waits_as_long_as_factors_count(
    hass: HomeAssistant,
    people: HousePeople,
    terminal: SimulatedTerminal,
    device_id: str,
    clock: Clock,
    seconds: int,
    opens: bool,
) -> None:
    """Longer than a face is fresh, and no longer than that."""
    assert await look(hass, people, terminal) == MISSING
    clock.forward(timedelta(seconds=seconds))
    assert await confirm(hass, device_id) is opens
    assert len(terminal.openings) == opens


async def switched_off(hass: HomeAssistant, people: HousePeople, entry: MockConfigEntry) -> None:
    await people.async_update(replace(people.store.profiles["anna"], enabled=False))


async def blocked(hass: HomeAssistant, people: HousePeople, entry: MockConfigEntry) -> None:
    await people.async_update(replace(people.store.profiles["anna"], role=Role.BLOCKED))


async def shut(hass: HomeAssistant, people: HousePeople, entry: MockConfigEntry) -> None:
    set_policy(hass, entry, door_mode="never")


async def reloaded(hass: HomeAssistant, people: HousePeople, entry: MockConfigEntry) -> None:
    assert await hass.config_entries.async_reload(entry.entry_id)


@pytest.mark.parametrize(
    ("happens", "reason"),
    [(switched_off, "disabled"), (blocked, "blocked"), (shut, "policy"), (reloaded, None)],
    ids=lambda value: getattr(value, "__name__", value),
)
async def test_what_happens_meanwhile_counts(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    people: HousePeople,
    terminal: SimulatedTerminal,
    device_id: str,
    happens: Any,
    reason: str | None,
) -> None:
    """And the logbook says why the word was of no use, where there was a face for it."""
    assert await look(hass, people, terminal) == MISSING
    await happens(hass, people, entry)
    told = async_capture_events(hass, "face_access_decided")
    assert not await confirm(hass, device_id)
    assert [event.data["reason"] for event in told] == ([] if reason is None else [reason])
    await settle(hass)
    assert terminal.openings == []
    assert hass.states.get(FACE).attributes["verdict"] == "denied"


async def test_a_word_while_the_face_is_stored(
    hass: HomeAssistant, entry: MockConfigEntry, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    """A factor that is given while the disk is busy is not lost for that face."""
    history = entry.runtime_data.history
    add = history.add

    async def slow(sighting: Sighting, *, live: bool) -> bool:
        assert not await confirm(hass, device_id)
        return await add(sighting, live=live)

    with patch.object(history, "add", slow):
        assert await look(hass, people, terminal) == ("granted", None)
    await settle(hass)
    assert len(terminal.openings) == 1
    listed = await hass.services.async_call(DOMAIN, "get_sightings", {}, blocking=True, return_response=True)
    assert [(one["verdict"], one["reason"]) for one in listed["sightings"]] == [("granted", None)]
    # One word, one opening.
    assert await look(hass, people, terminal) == MISSING


async def test_a_slow_disk_makes_no_face_wait_less(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    people: HousePeople,
    terminal: SimulatedTerminal,
    device_id: str,
    clock: Clock,
) -> None:
    """It was fresh when it was judged first: it waits as long as factors count from then on."""
    history = entry.runtime_data.history
    add = history.add

    async def slow(sighting: Sighting, *, live: bool) -> bool:
        clock.forward(timedelta(seconds=15))
        return await add(sighting, live=live)

    with patch.object(history, "add", slow):
        assert await look(hass, people, terminal) == MISSING
    assert await confirm(hass, device_id)
    assert len(terminal.openings) == 1


async def test_what_somebody_removed_gave_is_nobodys(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    """Not even whose who gets their id."""
    anna = people.store.profiles["anna"]
    assert not await confirm(hass, device_id)
    assert (await explained(hass, device_id, person_id="anna"))["granted"]
    await people.async_remove("anna")
    await people.async_add(replace(anna, key=new_key()), [])
    assert (await explained(hass, device_id, person_id="anna"))["reasons"] == ["second_factor"]


async def test_whoever_is_removed_waits_no_longer(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    assert await look(hass, people, terminal) == MISSING
    await people.async_remove("anna")
    with pytest.raises(HomeAssistantError):
        await confirm(hass, device_id)
    assert not await people.factors.async_give(Factor.CONFIRMATION, "anna", [DOOR], datetime.now(UTC))
    assert terminal.openings == []


async def test_a_terminal_that_is_gone(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    """Whoever said yes hears that it did not open, and nobody reads that somebody was let in, but why they were not."""
    assert await look(hass, people, terminal) == MISSING
    told = async_capture_events(hass, "face_access_decided")
    await terminal.cut_network()
    with pytest.raises(HomeAssistantError):
        await confirm(hass, device_id)
    await settle(hass)
    assert [(event.data["granted"], event.data["reason"]) for event in told] == [(False, "device")]
    assert hass.states.get(FACE).attributes["verdict"] == "denied"
    await terminal.restore_network()
    # The face is as used up as the word.
    assert not await confirm(hass, device_id)
    assert terminal.openings == []


@pytest.mark.parametrize("entry", [{"second_factors": ["credential"]}], indirect=True)
@pytest.mark.parametrize("happens", ["refused", "unwired"])
async def test_a_door_that_does_not_open_for_a_card(
    hass: HomeAssistant,
    people: HousePeople,
    terminal: SimulatedTerminal,
    caplog: pytest.LogCaptureFixture,
    happens: str,
) -> None:
    """Nobody is there to hear of it but the log, and nobody reads that somebody was let in."""
    assert await look(hass, people, terminal) == MISSING
    how = {
        "refused": patch(f"{SECOND_FACTORS}.async_open", side_effect=StationConnectionError("gone")),
        "unwired": patch(f"{SECOND_FACTORS}.async_find", return_value=None),
    }
    told = async_capture_events(hass, "face_access_decided")
    with how[happens]:
        await swipe(hass, terminal)
    assert (False, "device") in [(event.data["granted"], event.data["reason"]) for event in told]
    assert ("a door did not open after a card or a code" in caplog.text) is (happens == "refused")
    listed = await hass.services.async_call(DOMAIN, "get_sightings", {}, blocking=True, return_response=True)
    assert "granted" not in [one["verdict"] for one in listed["sightings"]]
    assert terminal.openings == []


async def test_a_history_that_cannot_be_corrected(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    people: HousePeople,
    terminal: SimulatedTerminal,
    device_id: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Somebody waits at the door: it opens, and the log says what the history does not."""
    assert await look(hass, people, terminal) == MISSING
    with patch.object(entry.runtime_data.history, "judged", side_effect=sqlite3.OperationalError("disk full")):
        assert await confirm(hass, device_id)
    assert "history does not say that somebody was let in" in caplog.text
    assert len(terminal.openings) == 1


async def test_what_is_not_stored_is_not_held(
    hass: HomeAssistant, entry: MockConfigEntry, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    with patch.object(entry.runtime_data.history, "add", side_effect=sqlite3.OperationalError("disk full")):
        assert await look(hass, people, terminal) == MISSING
    assert not await confirm(hass, device_id)
    assert terminal.openings == []


@pytest.mark.parametrize(
    ("reason", "card", "opens"),
    [(Reason.SPOOF, False, False), (Reason.MASK, False, False), (Reason.LIVENESS, True, True)],
)
async def test_the_last_face_counts(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    people: HousePeople,
    terminal: SimulatedTerminal,
    device_id: str,
    reason: Reason,
    card: bool,
    opens: bool,
) -> None:
    """Turned away since, she does not come in by the face of before. A card is no face."""
    assert await look(hass, people, terminal) == MISSING
    sighting = known(source=SERIAL, person_id="anna", household=True, card=card)
    asked = Asked(door=DOOR, judge=lambda *_args, **_more: Decision(reason=reason))
    people.factors.async_judged(judge(entry.runtime_data, asked, sighting, None))
    assert await confirm(hass, device_id) is opens


@pytest.mark.parametrize("entry", [{"second_factors": ["credential"]}], indirect=True)
async def test_a_card_that_is_told_again_is_no_other_card(
    hass: HomeAssistant, entry: MockConfigEntry, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """A terminal that did not hear the answer sends the record again, or somebody else does."""
    capture = await terminal.swipe_card(CARD)
    await capture.wait()
    record = capture.payload
    await settle(hass)
    assert await look(hass, people, terminal) == ("granted", None)
    assert (await terminal.uploader.raw(record)).status == 200
    await settle(hass)
    assert await look(hass, people, terminal) == MISSING


@pytest.mark.parametrize("entry", [{"second_factors": ["credential"]}], indirect=True)
@pytest.mark.parametrize("seconds", [-40, 40])
async def test_a_card_of_another_time_is_none(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, seconds: int
) -> None:
    """What was shown long ago, or by a clock that is wrong."""
    terminal.clock_offset = seconds
    await swipe(hass, terminal)
    terminal.clock_offset = 0
    assert await look(hass, people, terminal) == MISSING


@pytest.mark.parametrize("entry", [{"second_factors": ["credential"], "liveness_required": False}], indirect=True)
async def test_a_card_alone_opens_nothing(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """Not even twice, at a door that takes faces without proof of life: a card is no face."""
    await swipe(hass, terminal)
    await swipe(hass, terminal)
    assert terminal.openings == []


@pytest.mark.parametrize("entry", [{"second_factors": ["presence"]}], indirect=True)
async def test_at_home(hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str) -> None:
    """Who is not known to be at home is away; coming home alone opens nothing."""
    for state in (None, "not_home", "unknown", "unavailable", "Work"):
        if state is not None:
            hass.states.async_set("person.anna", state)
        assert (await explained(hass, device_id, person_id="anna"))["reasons"] == ["second_factor"]
    hass.states.async_set("person.bob", "home")
    assert await look(hass, people, terminal) == MISSING
    hass.states.async_set("person.anna", "home")
    await settle(hass)
    assert terminal.openings == []
    assert (await explained(hass, device_id, person_id="anna"))["granted"]
    assert await look(hass, people, terminal) == ("granted", None)
    # Nothing is used up: she is still there.
    assert await look(hass, people, terminal) == ("granted", None)


async def test_explaining_uses_nothing_up(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    assert not await confirm(hass, device_id)
    assert (await explained(hass, device_id, person_id="anna"))["granted"]
    assert (await explained(hass, device_id, person_id="anna"))["granted"]
    assert await look(hass, people, terminal) == ("granted", None)


# What is given, by itself


def test_what_was_given(hass: HomeAssistant) -> None:
    """For one person, at some doors, once; forgotten after a while."""
    proofs, anna = Proofs(hass), Person(id="anna", name="Anna")

    def given(door: str) -> int:
        return len(proofs.of(anna, None, door, NOW))

    assert proofs.add(Factor.CREDENTIAL, "anna", ["a", "b"], NOW, NOW)
    assert (given("a"), given("b"), given("c")) == (1, 1, 0)
    proofs.spend("bob", "a")
    proofs.spend("anna", "c")
    assert given("a") == 1
    proofs.spend("anna", "b")
    assert (given("a"), given("b")) == (0, 0)
    proofs.add(Factor.CREDENTIAL, "anna", ["a"], NOW, NOW)
    later = NOW + timedelta(hours=1)
    proofs.add(Factor.CREDENTIAL, "bob", ["a"], later, later)
    assert given("a") == 0


@pytest.mark.parametrize(("seconds", "at"), [(-31, None), (-29, -29), (0, 0), (29, 0), (31, None)])
def test_when_it_was_given(hass: HomeAssistant, seconds: int, at: int | None) -> None:
    """Not long ago, nor by a clock that is far ahead; never later than it is known."""
    proofs = Proofs(hass)
    assert proofs.add(Factor.CREDENTIAL, "anna", ["a"], NOW + timedelta(seconds=seconds), NOW) is (at is not None)
    found = [proof.at for proof in proofs.of(Person(id="anna", name="Anna"), None, "a", NOW)]
    assert found == ([] if at is None else [NOW + timedelta(seconds=at)])


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("granted", [True, False])
def test_which_passages_show_something(method: Method, granted: bool) -> None:
    """What is with somebody or known to them, and was taken."""
    passage = Passage(source=SERIAL, at=NOW, granted=granted, method=method, owner="Anna")
    assert shown_in(passage) is (granted and method in (Method.CARD, Method.CODE, Method.QR))

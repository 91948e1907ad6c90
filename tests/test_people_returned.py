"""Whoever was removed stays nobody, wherever a station has them from: it is not its word that opens then."""

# ruff: noqa: F811 - fixtures of another file

import asyncio
import copy
from dataclasses import replace

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import Pictures, StationEvent
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.devices.station import Enrolment
from custom_components.face_access.hub.news.intake import Intake
from custom_components.face_access.hub.people.household import HousePeople
from custom_components.face_access.hub.people.sync import TargetWorker
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.store import PeopleStore
from simulators._terminal.model import Person as TerminalPerson
from simulators._terminal.pictures import sample
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, add_direct, set_policy, settle
from .fakes import known
from .test_people_decision import entry, people, quick, synced  # noqa: F401
from .test_push import seen


async def denied(hass: HomeAssistant, terminal: SimulatedTerminal, key: str) -> dict:
    """Present somebody whom the terminal knows; the door stays shut, and the reason is that it is nobody."""
    before = len(terminal.openings)
    capture = await terminal.present_known(key)
    state = await seen(hass, capture)
    assert "gateway_ctrl" not in capture.answer
    assert len(terminal.openings) == before
    assert (state.attributes["verdict"], state.attributes["reason"]) == ("denied", "unknown")
    return dict(state.attributes)


async def taken_off(terminal: SimulatedTerminal, key: str) -> None:
    """Wait until the terminal has nobody of that key."""
    async with asyncio.timeout(20):
        while key in terminal.people:  # noqa: ASYNC110 - the simulator tells nobody
            await asyncio.sleep(0.02)


async def removed(hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal) -> TerminalPerson:
    """Remove Anna everywhere, and keep what the terminal had of her."""
    key = people.store.profiles["anna"].key
    kept = copy.deepcopy(terminal.people[key])
    await people.async_remove("anna")
    await synced(people)
    await settle(hass)
    assert key not in terminal.people
    return kept


async def test_a_restored_backup_opens_nothing_and_is_taken_off(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    kept = await removed(hass, people, terminal)
    terminal.people[kept.id] = kept
    await denied(hass, terminal, kept.id)
    # Having seen her, the house looks again at what is on the terminal.
    await taken_off(terminal, kept.id)
    assert await people.workers[SERIAL].sync.foreign() != ()
    assert kept.id not in [each.key for each in await people.workers[SERIAL].sync.foreign()]


async def test_a_question_on_its_way_while_the_removal_ends(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal asks, and by the time of the answer it has forgotten her."""
    key = people.store.profiles["anna"].key
    history = (await _coordinator(hass)).history
    add = history.add

    async def slow(*args: object, **kwargs: object) -> bool:
        if people.store.profiles:
            await people.async_remove("anna", keep_history=True)
            await synced(people)
            assert not people.store.holdings(SERIAL)
        return await add(*args, **kwargs)

    monkeypatch.setattr(history, "add", slow)
    capture = await terminal.present_known(key)
    await seen(hass, capture)
    assert "gateway_ctrl" not in capture.answer
    assert terminal.openings == []


async def test_a_frame_under_way_while_they_are_removed(hass: HomeAssistant, people: HousePeople) -> None:
    """Recognition has named her, and by the time it is told she is gone: neither name nor face is kept."""
    coordinator = await _coordinator(hass)
    frame = known(
        source=SERIAL,
        person_id="anna",
        person_name="Anna Berg",
        household=True,
        pictures=Pictures(face=sample("good"), scene=sample("good")),
    )
    heard: list[StationEvent] = []
    coordinator.async_subscribe(heard.append)
    await people.async_remove("anna")
    await Intake(hass, coordinator).async_take(frame)
    await settle(hass)
    (event,) = heard
    for each in (event, *await coordinator.history.list(source=SERIAL, limit=10)):
        assert (each.person_id, each.person_name) == (None, None)
    assert (event.household, event.pictures) == (False, Pictures())
    (kept,) = await coordinator.history.list(source=SERIAL, limit=10)
    assert await coordinator.history.picture(kept.id) is None


async def _coordinator(hass: HomeAssistant):  # noqa: ANN202
    (found,) = hass.config_entries.async_loaded_entries(DOMAIN)
    return found.runtime_data


@pytest.fixture
async def added_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    people: HousePeople,
    terminal: SimulatedTerminal,
) -> str:
    """Take the terminal's entry away; give the key by which the terminal still has Anna."""
    key = people.store.profiles["anna"].key
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    assert not people.store.holdings(SERIAL)
    assert key in terminal.people
    return key


@pytest.mark.parametrize("change", [{"enabled": False}, None], ids=["disabled", "removed"])
async def test_a_station_that_was_added_again(
    hass: HomeAssistant,
    people: HousePeople,
    terminal: SimulatedTerminal,
    added_again: str,
    change: dict | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if change is None:
        await people.async_remove("anna")
    else:
        await people.async_update(replace(people.store.profiles["anna"], **change))
    # Nothing is synced yet when she is seen.
    monkeypatch.setattr(TargetWorker, "async_wake", lambda *_args, **_kwargs: None)
    again = await add_direct(hass, terminal)
    set_policy(hass, again, door_mode="open", liveness_required=True)
    await settle(hass)
    assert not people.store.holdings(SERIAL)
    capture = await terminal.present_known(added_again)
    state = await seen(hass, capture)
    assert "gateway_ctrl" not in capture.answer
    assert state.attributes["reason"] == ("unknown" if change is None else "disabled")
    await people.workers[SERIAL].sync.run(full=True)
    assert (added_again in terminal.people) is (change is not None)
    assert list(people.store.holdings(SERIAL)) == ([] if change is None else [added_again])


async def test_an_id_of_the_stations_own_that_was_taken_over(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """Alice came from the terminal as 0001, and was removed: nobody then. Whoever gets her number stays."""
    await hass.services.async_call(
        DOMAIN, "import_people", {"device_id": _device(hass)}, blocking=True, return_response=True
    )
    (alice,) = [one for one in people.store.holdings(SERIAL).values() if one.key == "0001"]
    await synced(people)
    kept = copy.deepcopy(terminal.people["0001"])
    await people.async_remove(alice.person)
    await synced(people)
    assert "0001" not in terminal.people
    terminal.people["0001"] = kept
    await denied(hass, terminal, "0001")
    await taken_off(terminal, "0001")
    await synced(people)
    other = copy.deepcopy(kept)
    other.name = "Zoe Marsh"
    terminal.people["0001"] = other
    terminal._seen.clear()
    await denied(hass, terminal, "0001")
    await synced(people)
    assert terminal.people["0001"].name == "Zoe Marsh"
    assert "0001" in [each.key for each in await people.workers[SERIAL].sync.foreign()]


@pytest.mark.parametrize("imported", [False, True], ids=["ours", "the terminal's"])
async def test_a_removed_person_is_not_who_has_their_id_now(
    people: HousePeople, terminal: SimulatedTerminal, *, imported: bool
) -> None:
    """The terminal is off when they are removed; whoever it still has is nobody, whatever it calls them."""
    sync = people.workers[SERIAL].sync
    if imported:
        (held,) = [each for each in await sync.foreign() if each.key == "0001"]
        profile = Profile(id="alice", key=new_key(), name=held.name, card=held.card)
        await people.async_add(profile, [], sync.adopted("alice", held, ()))
    person = "alice" if imported else "anna"
    await synced(people)
    key = "0001" if imported else people.store.profiles[person].key
    await terminal.stop()
    await people.async_remove(person)
    await people.async_add(Profile(id=person, key=new_key(), name="Another", card=4711), [])
    assert people.store.holdings(SERIAL)[key].person == person
    assert people.identity._named_by(SERIAL, key) == {""}
    again = PeopleStore(people.store._file.path)
    await again.open()
    assert again.whose(again.holdings(SERIAL)[key]) == ""
    await again.close()
    await people.store.drop(SERIAL, key)
    assert people.store.gone(SERIAL, key).person == ""
    await terminal.start()


async def test_a_number_that_somebody_else_got_is_theirs(people: HousePeople, terminal: SimulatedTerminal) -> None:
    """Once the house has taken them over, and also after a restart."""
    sync = people.workers[SERIAL].sync
    (held,) = [each for each in await sync.foreign() if each.key == "0001"]
    await people.store.add(Profile(id="alice", key=new_key(), name=held.name), [], sync.adopted("alice", held, ()))
    await people.store.drop_target(SERIAL)
    await people.store.remove("alice")
    assert people.store.gone(SERIAL, "0001") is not None
    await people.store.add(Profile(id="zoe", key=new_key(), name="Zoe"), [], sync.adopted("zoe", held, ()))
    again = PeopleStore(people.store._file.path)
    await again.open()
    for store in (people.store, again):
        assert store.whose(store.holdings(SERIAL)["0001"]) == "zoe"
    await again.close()


def _device(hass: HomeAssistant) -> str:
    from homeassistant.helpers import device_registry as dr

    (found,) = hass.config_entries.async_loaded_entries(DOMAIN)
    return dr.async_entries_for_config_entry(dr.async_get(hass), found.entry_id)[0].id


async def test_what_is_gone_survives_a_restart(people: HousePeople) -> None:
    anna = people.store.profiles["anna"]
    await people.store.keep([replace(people.store.holdings(SERIAL)[anna.key], target="t", key="0007", facts="abcdef")])
    await people.store.drop_target("t")
    assert people.store.gone("t", "0007").person == "anna"
    assert people.store.gone("t", anna.key) is None
    await people.async_remove("anna")
    again = PeopleStore(people.store._file.path)
    await again.open()
    gone = again.gone("t", "0007")
    assert (gone.person, gone.facts) == ("", "abcd")
    assert again.gone("anywhere", anna.key) is not None
    assert again.keys == {anna.key: ""}
    assert again.person_of(anna.key) is None
    await again.close()


async def test_another_houses_people_are_nobody_and_stay(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """A key like ours of nobody whom this house ever had: another Home Assistant may use the same terminal."""
    stranger = copy.deepcopy(terminal.people["0001"])
    stranger.id = new_key()
    terminal.people[stranger.id] = stranger
    await denied(hass, terminal, stranger.id)
    await people.workers[SERIAL].sync.run(full=True)
    assert stranger.id in terminal.people


async def test_who_is_back_by_the_stations_own_id_is_known_again(
    people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """A station that was added again has somebody who came from it: no second record is made."""
    sync = people.workers[SERIAL].sync
    (alice,) = [each for each in await sync.foreign() if each.key == "0001"]
    assert isinstance(alice, Enrolment)
    profile = Profile(id="alice", key=new_key(), name=alice.name, role=alice.role, card=alice.card)
    await people.async_add(profile, [], sync.adopted("alice", alice, ()))
    await synced(people)
    await people.store.drop_target(SERIAL)
    assert people.store.gone(SERIAL, "0001").person == "alice"
    await sync.run(full=True)
    assert people.store.holdings(SERIAL)["0001"].person == "alice"
    assert profile.key not in terminal.people

"""Conditions of our own, asked as automations and scripts ask them. Every doubt is a no."""

from datetime import timedelta
import json
from pathlib import Path
import sqlite3
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers import condition, config_validation as cv, entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import yaml

from custom_components.face_access.access import DoorMode, Liveness, Sighting, SightingKey
from custom_components.face_access.condition import CONDITIONS
from custom_components.face_access.hub.happenings import happened_at
from custom_components.face_access.hub.history import visits as visits_module
from custom_components.face_access.hub.history.store import History
from custom_components.face_access.hub.history.visits import LONGEST, async_get_visits
from custom_components.face_access.hub.whom import Whom
from simulators.terminal import SimulatedTerminal

from .conftest import set_policy, settle, until
from .time_travel import Clock

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "face_access"
EN = json.loads((INTEGRATION / "translations" / "en.json").read_text())
ICONS = json.loads((INTEGRATION / "icons.json").read_text())
FACE = "event.front_door_face"
SWITCH = "switch.front_door_face_recognition"
ALICE = {"person_id": "0001", "person_name": "Alice Gardner", "score": 90.0}
BOB = {"person_id": "0002", "person_name": "Bob Mason", "score": 90.0}


async def ask(hass: HomeAssistant, key: str, target: dict[str, Any] | str = FACE, **options: Any) -> bool | None:
    """Ask a condition as it would be asked in the middle of a script: it never listened before."""
    config: Any = {
        "condition": f"face_access.{key}",
        "target": {"entity_id": target} if isinstance(target, str) else target,
        "options": options,
    }
    config = await condition.async_validate_condition_config(hass, cv.CONDITION_SCHEMA(config))
    checker = await condition.async_from_config(hass, config)
    try:
        return checker.async_check()
    finally:
        checker.async_unload()


def see(entry: MockConfigEntry, number: int, **more: Any) -> None:
    """Have the station see somebody."""
    coordinator = entry.runtime_data
    coordinator.async_dispatch(
        Sighting(
            source=coordinator.serial,
            key=SightingKey(sequence=number, captured="now"),
            captured_at=dt_util.utcnow(),
            realtime=True,
            **more,
        )
    )


async def test_every_condition_is_described_as_it_is(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    descriptions = await condition.async_get_all_descriptions(hass)
    for key, kind in CONDITIONS.items():
        found = descriptions[f"face_access.{key}"]
        assert found is not None, key
        (options,) = (value for marker, value in kind.schema.schema.items() if str(marker) == "options")
        assert set(found["fields"]) == {str(marker) for marker in options.schema}, key
        words = EN["conditions"][key]
        assert words["name"], key
        assert words["description"].endswith("."), key
        assert set(words["fields"]) == set(found["fields"]), key
        assert ICONS["conditions"][key]["condition"], key
    assert EN["conditions"].keys() == ICONS["conditions"].keys() == CONDITIONS.keys()
    fields = yaml.safe_load((INTEGRATION / "conditions.yaml").read_text())["door_policy"]["fields"]
    assert set(fields["policy"]["selector"]["select"]["options"]) == set(DoorMode)


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("person_was_at_door", {"within": {"hours": 25}}),
        ("person_was_at_door", {"within": "soon"}),
        ("person_was_at_door", {"person": []} | {"score": 5}),
        ("door_policy", {}),
        ("door_policy", {"policy": []}),
        ("door_policy", {"policy": "always"}),
        ("door_policy", {"policy": "open", "behavior": "most"}),
        ("recognition_is_on", {"behavior": "most"}),
    ],
)
async def test_wrong_options(hass: HomeAssistant, entry: MockConfigEntry, key: str, options: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        await ask(hass, key, **options)


# Who was there


async def test_person_was_at_door(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Not only the last one: whoever came since does not hide who came before."""
    assert not await ask(hass, "person_was_at_door")
    for scene in (terminal.present_known("0001"), terminal.present_stranger(), terminal.present_known("0003")):
        capture = await scene
        assert capture is not None
        await capture.wait()
        await settle(hass)
    assert hass.states.get(FACE).attributes["event_type"] == "denied"
    assert await ask(hass, "person_was_at_door")
    assert await ask(hass, "person_was_at_door", person="alice gardner")
    assert await ask(hass, "person_was_at_door", "event.front_door_doorbell", person=["0001"])
    assert not await ask(hass, "person_was_at_door", person=["0002"])
    assert await ask(hass, "person_was_at_door", minimum_score=50)
    assert not await ask(hass, "person_was_at_door", minimum_score=100)
    # Mallory was there, and was turned away.
    assert not await ask(hass, "person_was_at_door", person=["0003"])


async def test_time_passes(hass: HomeAssistant, entry: MockConfigEntry, clock: Clock) -> None:
    see(entry, 1, **ALICE)
    await hass.async_block_till_done()
    clock.forward(timedelta(minutes=4))
    see(entry, 2, **BOB)
    see(entry, 3, **BOB, liveness=Liveness.SPOOF)
    await hass.async_block_till_done()
    assert await ask(hass, "person_was_at_door", person="0001")
    clock.forward(timedelta(minutes=2))
    assert not await ask(hass, "person_was_at_door", person="0001")
    assert await ask(hass, "person_was_at_door", person="0001", within={"minutes": 7})
    assert await ask(hass, "person_was_at_door", person="0002")
    clock.forward(LONGEST)
    see(entry, 4, **BOB)
    await hass.async_block_till_done()
    visits = async_get_visits(hass)
    assert (
        visits.async_last(FACE, Whom(names=("0001",)), since=dt_util.utcnow() - 2 * LONGEST, until=dt_util.utcnow())
        is None
    )


async def test_clock_that_was_wrong(hass: HomeAssistant, entry: MockConfigEntry, clock: Clock) -> None:
    """A visit of tomorrow is none; who comes once the clock is right is not lost."""
    clock.forward(timedelta(days=1))
    see(entry, 1, **ALICE)
    await hass.async_block_till_done()
    assert await ask(hass, "person_was_at_door")
    clock.forward(-timedelta(days=1))
    assert not await ask(hass, "person_was_at_door", within={"hours": 24})


async def test_last_visit_survives_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """With its own time: shown again is not seen again."""
    capture = await terminal.present_known("0001")
    assert capture is not None
    await capture.wait()
    await settle(hass)
    at = happened_at(hass.states.get(FACE))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    visit = async_get_visits(hass).async_last(FACE, Whom(), since=at, until=at)
    assert visit is not None
    assert visit.at == at


async def test_visits_survive_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, clock: Clock
) -> None:
    """All of the last day, from history: but not who was turned away, nor who came while nobody listened."""
    for person in ("0001", "0003", "0002"):
        capture = await terminal.present_known(person)
        assert capture is not None
        await capture.wait()
    await settle(hass)
    missed = Sighting(
        source=entry.runtime_data.serial,
        key=SightingKey(sequence=99, captured="then"),
        captured_at=dt_util.utcnow(),
        realtime=False,
        person_id="0009",
        person_name="Late",
        score=90.0,
    )
    await entry.runtime_data.history.add(missed, live=False)
    hass.data.pop(visits_module._VISITS)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    for person, was_there in (("0001", True), ("0002", True), ("0003", False), ("0009", False)):
        assert await ask(hass, "person_was_at_door", person=person) is was_there, person
    # Once more: nobody is read twice.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    kept = [visit.attributes["person_id"] for visit in async_get_visits(hass)._of[FACE]]
    assert kept.count("0001") == 1
    clock.forward(LONGEST)
    assert not await ask(hass, "person_was_at_door", person="0001", within={"hours": 24})


async def test_visits_that_cannot_be_read_keep_no_door_from_working(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, caplog: pytest.LogCaptureFixture
) -> None:
    hass.data.pop(visits_module._VISITS)
    with patch.object(History, "list", side_effect=sqlite3.OperationalError("disk")):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await settle(hass)
    assert "who was there before could not be read: OperationalError" in caplog.text
    see(entry, 1, **ALICE)
    await settle(hass)
    assert await ask(hass, "person_was_at_door", person="0001")


async def test_visits_go_with_the_person(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    data = {"name": "Zoe", "card": 5, "person_id": "0001"}
    await hass.services.async_call("face_access", "add_person", data, blocking=True)
    see(entry, 1, **{**ALICE, "household": True})
    see(entry, 2, **ALICE)
    see(entry, 3, **BOB)
    await settle(hass)
    await hass.services.async_call("face_access", "remove_person", {"person_id": "0001"}, blocking=True)
    await settle(hass)
    kept = [visit.attributes["person_id"] for visit in async_get_visits(hass)._of[FACE]]
    assert kept == ["0001", "0002"]
    assert not async_get_visits(hass)._of[FACE][0].attributes["household"]


async def test_visits_go_with_the_station(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """And nothing of them comes back under the same name."""
    see(entry, 1, **ALICE)
    await settle(hass)
    visits = async_get_visits(hass)
    now = dt_util.utcnow()
    day = {"since": now - LONGEST, "until": now + timedelta(seconds=1)}
    assert visits.async_last(FACE, Whom(), **day) is not None
    await hass.config_entries.async_remove(entry.entry_id)
    await settle(hass)
    assert visits.async_last(FACE, Whom(), **day) is None


async def test_only_our_faces(hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry) -> None:
    other = entity_registry.async_get_or_create("event", "other", "1", translation_key="face").entity_id
    now = dt_util.utcnow().isoformat()
    hass.states.async_set(other, now, {"event_type": "recognised", "person": "Alice"})
    hass.states.async_set("event.nobodys_face", now, {"event_type": "recognised", "person": "Alice"})
    await settle(hass)
    for target in (other, "event.nobodys_face", "event.gone"):
        assert not await ask(hass, "person_was_at_door", target)
        assert not await ask(hass, "door_policy", target, policy=list(DoorMode))
        assert not await ask(hass, "recognition_is_on", target, behavior="all")


# What the door does


@pytest.mark.parametrize("mode", [None, *DoorMode])
async def test_door_policy(hass: HomeAssistant, entry: MockConfigEntry, device_id: str, mode: DoorMode | None) -> None:
    if mode is not None:
        set_policy(hass, entry, door_mode=mode)
    for each in DoorMode:
        is_it = each is (mode or DoorMode.NOTIFY_ONLY)
        assert await ask(hass, "door_policy", {"device_id": device_id}, policy=each.value) is is_it
        assert await ask(hass, "door_policy", "lock.front_door_door", policy=[each.value]) is is_it
    assert await ask(hass, "door_policy", policy=[each.value for each in DoorMode], behavior="all")


async def test_people_have_no_door(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    await hass.services.async_call("face_access", "add_person", {"name": "Anna", "card": 1}, blocking=True)
    await settle(hass)
    person = next(state.entity_id for state in hass.states.async_all("event") if "anna" in state.entity_id)
    assert not await ask(hass, "door_policy", person, policy=list(DoorMode))
    # A target of both is answered by the station alone.
    target = {"entity_id": [person, FACE]}
    assert await ask(hass, "door_policy", target, policy="notify_only", behavior="all")


# Whether it looks


async def test_recognition_is_on(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, device_id: str
) -> None:
    target = {"device_id": device_id}
    assert await ask(hass, "recognition_is_on", target)
    await hass.services.async_call("switch", "turn_off", {"entity_id": SWITCH}, blocking=True)
    assert terminal.app["face"]["enable_match"] is False
    assert not await ask(hass, "recognition_is_on", target)
    await hass.services.async_call("switch", "turn_on", {"entity_id": SWITCH}, blocking=True)
    assert await ask(hass, "recognition_is_on", SWITCH, behavior="all")
    await terminal.cut_network()
    await entry.runtime_data.async_refresh()
    await until(lambda: hass.states.get(SWITCH).state == "unavailable")
    assert not await ask(hass, "recognition_is_on", target, behavior="all")
    await terminal.restore_network()
    # Another switch of the same device says nothing about it.
    assert not await ask(hass, "recognition_is_on", FACE)


async def test_in_an_automation(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """As a condition of an automation, and in its actions, where it is made when it is first asked."""
    asked = {
        "condition": "face_access.person_was_at_door",
        "target": {"entity_id": FACE},
        "options": {"person": ["0001"]},
    }
    automation = {
        "alias": "Test",
        "triggers": [{"trigger": "event", "event_type": "go"}],
        "conditions": [asked],
        "actions": [{"if": [asked], "then": [{"event": "gone"}]}],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    gone: list[Any] = []
    hass.bus.async_listen("gone", gone.append)
    hass.bus.async_fire("go")
    await settle(hass)
    assert gone == []
    see(entry, 1, **ALICE)
    see(entry, 2, **BOB)
    await settle(hass)
    hass.bus.async_fire("go")
    await until(lambda: gone)

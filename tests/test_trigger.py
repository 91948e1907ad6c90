"""Triggers of our own, run in automations against the simulated terminal and panel. Nothing is ever replayed."""

from datetime import timedelta
import json
from pathlib import Path
from typing import Any

from homeassistant.components.event import EventExtraStoredData
from homeassistant.components.websocket_api.automation import (
    async_get_conditions_for_target,
    async_get_triggers_for_target,
)
from homeassistant.core import Event, HomeAssistant, State
from homeassistant.helpers import config_validation as cv, device_registry as dr, entity_registry as er
from homeassistant.helpers.trigger import async_get_all_descriptions, async_validate_trigger_config
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
    mock_restore_cache_with_extra_data,
)
import yaml

from custom_components.face_access.access import Liveness, Method, Passage, Reason, Ring, Sighting, SightingKey, Verdict
from custom_components.face_access.condition import CONDITIONS
from custom_components.face_access.trigger import TRIGGERS
from simulators._terminal.model import Capture
from simulators.panel import SimulatedPanel
from simulators.terminal import SimulatedTerminal

from .conftest import add_direct, settle, until
from .time_travel import Clock

INTEGRATION = Path(__file__).parents[1] / "custom_components" / "face_access"
EN = json.loads((INTEGRATION / "translations" / "en.json").read_text())
ICONS = json.loads((INTEGRATION / "icons.json").read_text())
FACE = "event.front_door_face"
BELL = "event.front_door_doorbell"
EVERY = tuple(TRIGGERS)


def trigger(key: str, target: dict[str, Any] | str = FACE, **options: Any) -> dict[str, Any]:
    """Write a trigger down as the editor does; its id is its key."""
    return {
        "trigger": f"face_access.{key}",
        "target": {"entity_id": target} if isinstance(target, str) else target,
        "options": options,
        "id": key,
    }


async def automate(hass: HomeAssistant, *triggers: dict[str, Any]) -> list[Event]:
    """Start an automation; what started it, as its actions see it."""
    started = async_capture_events(hass, "started")
    words = ("id", "entity_id", "person", "person_id", "score", "reason", "picture", "method", "doors")
    automation = {
        "alias": "Test",
        "mode": "parallel",
        "triggers": list(triggers),
        "actions": [{"event": "started", "event_data": {word: f"{{{{ trigger.{word} }}}}" for word in words}}],
    }
    assert await async_setup_component(hass, "automation", {"automation": [automation]})
    await settle(hass)
    (state,) = hass.states.async_all("automation")
    assert state.state == "on"
    return started


def ids(started: list[Event]) -> list[str]:
    return [event.data["id"] for event in started]


async def happens(hass: HomeAssistant, capture: Capture | None) -> None:
    """Wait until the terminal has told of it, and everybody has heard."""
    assert capture is not None
    await capture.wait()
    await settle(hass)


def sighting(entry: MockConfigEntry, number: int, **more: Any) -> Sighting:
    """Make what no simulated device reports."""
    return Sighting(
        source=entry.runtime_data.serial,
        key=SightingKey(sequence=number, captured="now"),
        captured_at=dt_util.utcnow(),
        realtime=True,
        **more,
    )


# The editor


async def test_every_trigger_is_described_as_it_is(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Selectors are valid, fields are those that are taken, and words those that events use."""
    descriptions = await async_get_all_descriptions(hass)
    for key, kind in TRIGGERS.items():
        found = descriptions[f"face_access.{key}"]
        assert found is not None, key
        (options,) = (value for marker, value in kind.schema.schema.items() if str(marker) == "options")
        assert set(found["fields"]) == {str(marker) for marker in options.schema}, key
        words = EN["triggers"][key]
        assert words["name"], key
        assert words["description"].endswith("."), key
        assert set(words.get("fields", {})) == set(found["fields"]), key
        assert all(field["name"] for field in words.get("fields", {}).values()), key
        assert ICONS["triggers"][key]["trigger"], key
    assert EN["triggers"].keys() == ICONS["triggers"].keys() == TRIGGERS.keys()
    fields = yaml.safe_load((INTEGRATION / "triggers.yaml").read_text())["access_denied"]["fields"]
    assert set(fields["method"]["selector"]["select"]["options"]) == set(Method)
    assert set(fields["reason"]["selector"]["select"]["options"]) == set(Reason)
    assert set(EN["selector"]["method"]["options"]) == set(Method)
    assert set(EN["selector"]["reason"]["options"]) == set(Reason)


@pytest.mark.parametrize(
    ("key", "options"),
    [
        ("person_recognised", {"minimum_score": 101}),
        ("person_recognised", {"minimum_score": "high"}),
        ("person_recognised", {"person": [" "]}),
        ("person_recognised", {"person_entity": "light.hall"}),
        ("person_recognised", {"method": "face"}),
        ("unknown_face", {"person": "Alice"}),
        ("access_granted", {"method": "magic"}),
        ("access_denied", {"reason": "mood"}),
        ("known_visitor_rang", {"within": {"minutes": 6}}),
        ("known_visitor_rang", {"within": -1}),
    ],
)
async def test_wrong_options(hass: HomeAssistant, entry: MockConfigEntry, key: str, options: dict[str, Any]) -> None:
    with pytest.raises(vol.Invalid):
        await async_validate_trigger_config(hass, cv.TRIGGER_SCHEMA([trigger(key, **options)]))


@pytest.mark.parametrize("key", EVERY)
async def test_a_target_is_wanted(hass: HomeAssistant, entry: MockConfigEntry, key: str) -> None:
    with pytest.raises(vol.Invalid):
        await async_validate_trigger_config(hass, cv.TRIGGER_SCHEMA([{"trigger": f"face_access.{key}"}]))


# Faces


async def test_terminal(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Each kind of visitor starts what is meant for it, with all that an automation wants to know."""
    started = await automate(hass, *(trigger(key, BELL if key == "known_visitor_rang" else FACE) for key in EVERY))
    await happens(hass, await terminal.present_known("0001"))
    await until(lambda: len(started) == 2)
    assert ids(started) == ["person_recognised", "access_granted"]
    assert started[0].data == {
        "id": "person_recognised",
        "entity_id": FACE,
        "person": "Alice Gardner",
        "person_id": "0001",
        "score": hass.states.get(FACE).attributes["score"],
        "reason": None,
        "picture": "image.front_door_last_sighting",
        "method": "",
        "doors": "",
    }
    assert (started[1].data["method"], started[1].data["doors"]) == ("face", [])
    started.clear()
    await happens(hass, await terminal.present_known("0003"))
    await until(lambda: started)
    assert [(event.data["id"], event.data["person"], event.data["reason"]) for event in started] == [
        ("access_denied", "Mallory Pike", "blocked")
    ]
    started.clear()
    await happens(hass, await terminal.present_stranger())
    await until(lambda: len(started) == 2)
    assert set(ids(started)) == {"unknown_face", "access_denied"}
    assert {event.data["person"] for event in started} == {None}


async def test_picture_for_a_face(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Whomever it shows: nobody is recognised."""
    started = await automate(hass, *(trigger(key) for key in EVERY))
    entry.runtime_data.async_dispatch(
        sighting(entry, 1, person_id="0001", person_name="Alice Gardner", score=90, liveness=Liveness.SPOOF)
    )
    await until(lambda: len(started) == 2)
    assert set(ids(started)) == {"spoof_attempt", "access_denied"}


@pytest.mark.parametrize(
    ("options", "starts"),
    [
        ({"person": ["Alice Gardner"]}, True),
        ({"person": "alice gardner"}, True),
        ({"person": ["Nobody", "0001"]}, True),
        ({"person": ["1"]}, False),
        ({"person": ["Alice"]}, False),
        ({"person": ["Mallory Pike"]}, False),
        ({"minimum_score": 50}, True),
        ({"minimum_score": 100}, False),
        ({"person": ["0001"], "minimum_score": 100}, False),
        ({"person_entity": ["person.alice"]}, True),
        ({"person_entity": ["person.bob", "person.gone"]}, False),
        ({"person": ["0002"], "person_entity": ["person.alice"]}, True),
    ],
)
async def test_whom_is_meant(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    options: dict[str, Any],
    starts: bool,
) -> None:
    hass.states.async_set("person.alice", "home", {"friendly_name": "Alice Gardner"})
    hass.states.async_set("person.bob", "home", {"friendly_name": "Bob"})
    started = await automate(hass, trigger("person_recognised", **options), {**trigger("access_granted"), "id": "any"})
    await happens(hass, await terminal.present_known("0001", score=85))
    await until(lambda: "any" in ids(started))
    assert ("person_recognised" in ids(started)) is starts


async def test_people_of_the_household(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The household's own link counts, whatever the person of Home Assistant is called; its id means nobody else."""
    hass.states.async_set("person.mum", "home", {"friendly_name": "Mum"})
    for person_id, linked in (("alice", {"linked_person": "person.mum"}), ("other", {})):
        data = {"name": "Alice Gardner", "person_id": person_id, "card": len(person_id), **linked}
        await hass.services.async_call("face_access", "add_person", data, blocking=True)
    await settle(hass)
    started = await automate(
        hass,
        {**trigger("person_recognised", person_entity="person.mum"), "id": "linked"},
        {**trigger("person_recognised", person="alice"), "id": "id"},
        {**trigger("person_recognised", person="ALICE GARDNER"), "id": "name"},
        {**trigger("person_recognised"), "id": "any"},
    )

    async def starts(number: int, person_id: str, name: str, *, household: bool = False) -> set[str]:
        started.clear()
        told = sighting(entry, number, person_id=person_id, person_name=name, score=90, household=household)
        entry.runtime_data.async_dispatch(told)
        await until(lambda: "any" in ids(started))
        await settle(hass)
        return set(ids(started)) - {"any"}

    assert await starts(1, "alice", "Alice Gardner", household=True) == {"linked", "id", "name"}
    # A namesake whom the household knows is somebody else; of one whom only the station knows nobody can tell,
    # but their id is not the one that was chosen.
    assert await starts(2, "other", "Alice Gardner", household=True) == {"name"}
    assert await starts(3, "0001", "Alice Gardner") == {"linked", "name"}
    assert await starts(4, "0009", "Mum") == set()
    # The station may count with an id that the household gave to somebody else.
    assert await starts(6, "alice", "Zoe") == set()
    (people,) = (each for each in hass.config_entries.async_entries("face_access") if "people" in each.data)
    assert await hass.config_entries.async_unload(people.entry_id)
    assert await starts(5, "0001", "Alice Gardner") == {"name"}


async def test_no_score_is_too_low(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """A device that tells none reaches no minimum."""
    started = await automate(
        hass, trigger("person_recognised", minimum_score=0), {**trigger("person_recognised"), "id": "any"}
    )
    entry.runtime_data.async_dispatch(sighting(entry, 1, person_id="7", verdict=Verdict.GRANTED))
    await until(lambda: started)
    await settle(hass)
    assert ids(started) == ["any"]


async def test_how_sure_the_match_must_be(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Of whoever is let in, turned away or not living: each is started by the second sighting alone."""
    keys = ("access_granted", "access_denied", "spoof_attempt")
    started = await automate(hass, *(trigger(key, minimum_score=90) for key in keys))
    outcomes = (
        {"verdict": Verdict.GRANTED},
        {"verdict": Verdict.DENIED, "refused": Reason.MASK},
        {"liveness": Liveness.SPOOF},
    )
    for number, outcome in enumerate(outcomes):
        for place, score in enumerate((89.9, 90.0)):
            seen = sighting(entry, 2 * number + place, person_id="7", person_name="Anna", score=score, **outcome)
            entry.runtime_data.async_dispatch(seen)
            await settle(hass)
    told = [(event.data["id"], event.data["person"], event.data["score"]) for event in started]
    # A photo is turned away too.
    assert told == [(keys[0], "Anna", 90.0), (keys[1], "Anna", 90.0), (keys[1], "Anna", 90.0), (keys[2], "Anna", 90.0)]


@pytest.mark.parametrize("kind", ["device_id", "area_id", "label_id"])
async def test_targets(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, device_id: str, kind: str
) -> None:
    """A device, an area or a label means the door in it."""
    devices = dr.async_get(hass)
    devices.async_update_device(device_id, area_id="porch", labels={"doors"})
    target = {kind: {"device_id": device_id, "area_id": "porch", "label_id": "doors"}[kind]}
    if kind == "area_id":
        from homeassistant.helpers import area_registry as ar

        devices.async_update_device(device_id, area_id=ar.async_get(hass).async_create("Porch").id)
    if kind == "label_id":
        from homeassistant.helpers import label_registry as lr

        devices.async_update_device(device_id, labels={lr.async_get(hass).async_create("Doors").label_id})
    started = await automate(hass, *(trigger(key, target) for key in EVERY))
    await happens(hass, await terminal.present_known("0001"))
    await until(lambda: len(started) == 2)
    assert ids(started) == ["person_recognised", "access_granted"]


async def test_other_events_are_not_ours(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """An event entity of somebody else that says the same starts nothing."""
    other = entity_registry.async_get_or_create("event", "other", "1", translation_key="face").entity_id
    hass.states.async_set(other, "unknown")
    started = await automate(hass, *(trigger(key, other) for key in EVERY))
    for key in ("recognised", "stranger", "denied", "granted", "ring"):
        hass.states.async_set(other, dt_util.utcnow().isoformat(), {"event_type": key, "person": "Alice"})
    await settle(hass)
    assert started == []


# Ways in


async def test_panel_tells_once(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """A panel tells of a face twice, as a face and as a way in: the automation hears it once."""
    device = er.async_get(hass).async_get("event.gate_access").device_id
    target = {"device_id": device}
    started = await automate(
        hass,
        trigger("access_granted", target),
        trigger("access_denied", target),
        {**trigger("access_granted", target, method="card"), "id": "card"},
        {**trigger("access_granted", target, person="bob mason"), "id": "bob"},
        {**trigger("access_denied", target, reason=["expired"]), "id": "expired"},
        trigger("person_recognised", target),
    )
    dispatch = panel_entry.runtime_data.async_dispatch
    now, source = dt_util.utcnow(), panel_entry.runtime_data.serial
    face = {"person_id": "Ann", "person_name": "Ann", "verdict": Verdict.GRANTED}
    dispatch(sighting(panel_entry, 1, **face))
    dispatch(Passage(source=source, at=now, granted=True, method=Method.FACE, owner="Ann", doors=(f"{source}_1",)))
    await until(lambda: "access_granted" in ids(started))
    await settle(hass)
    assert sorted(ids(started)) == ["access_granted", "person_recognised"]
    started.clear()
    await panel.swipe_card("12345678")
    await until(lambda: len(started) == 3)
    assert set(ids(started)) == {"access_granted", "card", "bob"}
    assert {(event.data["person"], event.data["method"]) for event in started} == {("Bob Mason", "card")}
    assert started[0].data["doors"] == [1]
    started.clear()
    dispatch(Passage(source=source, at=now, granted=False, method=Method.CODE, reason=Reason.EXPIRED))
    await until(lambda: len(started) == 2)
    assert set(ids(started)) == {"access_denied", "expired"}


# A known visitor


async def test_known_visitor_is_seen_then_rings(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    started = await automate(hass, trigger("known_visitor_rang", BELL))
    await happens(hass, await terminal.present_known("0001"))
    assert started == []
    await terminal.ring()
    await until(lambda: started)
    await settle(hass)
    assert [(event.data["entity_id"], event.data["person"]) for event in started] == [(BELL, "Alice Gardner")]


async def test_known_visitor_rings_then_is_seen(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Once for each ring, however often they are seen."""
    started = await automate(hass, trigger("known_visitor_rang", BELL, person="0001"))
    rang = hass.states.get(BELL).state
    await terminal.ring()
    await until(lambda: hass.states.get(BELL).state != rang)
    await happens(hass, await terminal.present_stranger())
    await happens(hass, await terminal.present_known("0002"))
    assert started == []
    await happens(hass, await terminal.present_known("0001"))
    await until(lambda: started)
    entry.runtime_data.async_dispatch(sighting(entry, 99, person_id="0001", person_name="Alice Gardner", score=90))
    await settle(hass)
    assert [event.data["person"] for event in started] == ["Alice Gardner"]


async def test_visitor_nobody_knows(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """A stranger, somebody who was turned away, and a face of long ago are no known visitors."""
    started = await automate(hass, trigger("known_visitor_rang", BELL, within="00:00:30"))
    coordinator = entry.runtime_data
    await happens(hass, await terminal.present_known("0003"))
    await happens(hass, await terminal.present_stranger())
    coordinator.async_dispatch(Ring(source=coordinator.serial, at=dt_util.utcnow()))
    await settle(hass)
    assert started == []


async def test_face_and_ring_too_far_apart(hass: HomeAssistant, entry: MockConfigEntry, clock: Clock) -> None:
    started = await automate(hass, trigger("known_visitor_rang", BELL))
    coordinator = entry.runtime_data
    alice = {"person_id": "0001", "person_name": "Alice Gardner", "score": 90.0}
    coordinator.async_dispatch(sighting(entry, 1, **alice))
    clock.forward(timedelta(seconds=31))
    coordinator.async_dispatch(Ring(source=coordinator.serial, at=dt_util.utcnow()))
    clock.forward(timedelta(seconds=31))
    coordinator.async_dispatch(sighting(entry, 2, **alice))
    await hass.async_block_till_done()
    assert started == []
    clock.forward(timedelta(seconds=29))
    coordinator.async_dispatch(Ring(source=coordinator.serial, at=dt_util.utcnow()))
    await hass.async_block_till_done()
    assert len(started) == 1


async def test_a_bell_without_faces(
    hass: HomeAssistant, entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """It knows nobody, and a target of no bell starts nothing."""
    entity_registry.async_remove(FACE)
    await settle(hass)
    started = await automate(hass, trigger("known_visitor_rang", BELL))
    coordinator = entry.runtime_data
    coordinator.async_dispatch(Ring(source=coordinator.serial, at=dt_util.utcnow()))
    await settle(hass)
    assert started == []


async def test_only_a_ring_is_a_ring(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Whatever else a bell may tell one day."""
    started = await automate(hass, trigger("known_visitor_rang", BELL))
    await happens(hass, await terminal.present_known("0001"))
    for word in ("battery_low", "ring"):
        assert started == []
        hass.states.async_set(BELL, dt_util.utcnow().isoformat(), {"event_type": word})
        await settle(hass)
    assert len(started) == 1


async def test_the_editor_offers_them_for_the_door(hass: HomeAssistant, entry: MockConfigEntry, device_id: str) -> None:
    """Whoever picks the device is offered all triggers and conditions of ours."""
    target = {"device_id": [device_id]}
    offered = await async_get_triggers_for_target(hass, target, expand_group=True)
    offered |= await async_get_conditions_for_target(hass, target, expand_group=True)
    assert {f"face_access.{key}" for key in (*TRIGGERS, *CONDITIONS)} <= offered


# Never again


async def test_nothing_is_replayed(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Neither by a reload, nor by an entity that was away, nor when the automation itself starts anew."""
    started = await automate(hass, *(trigger(key, BELL if key == "known_visitor_rang" else FACE) for key in EVERY))
    await happens(hass, await terminal.present_known("0001"))
    await terminal.ring()
    await until(lambda: len(started) == 3)
    started.clear()
    for _ in range(2):
        assert await hass.config_entries.async_reload(entry.entry_id)
        await settle(hass)
    for entity_id in (FACE, BELL):
        state = hass.states.get(entity_id)
        for word in ("unavailable", state.state, "unknown", state.state):
            if word != "unknown":
                hass.states.async_set(entity_id, word, state.attributes)
    await settle(hass)
    assert started == []


async def test_restart_starts_nothing(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """What was seen before the restart is restored, while the automation listens already."""
    before = dt_util.utcnow() - timedelta(seconds=5)
    attributes = {"person": "Alice Gardner", "person_id": "0001", "score": 90.0, "verdict": "granted"}
    stored = [
        (State(FACE, before.isoformat(timespec="milliseconds")), EventExtraStoredData("recognised", attributes)),
        (State(BELL, before.isoformat(timespec="milliseconds")), EventExtraStoredData("ring", {})),
    ]
    mock_restore_cache_with_extra_data(hass, [(state, extra.as_dict()) for state, extra in stored])
    assert await async_setup_component(hass, "face_access", {})
    started = await automate(hass, *(trigger(key, BELL if key == "known_visitor_rang" else FACE) for key in EVERY))
    entry = await add_direct(hass, terminal)
    assert hass.states.get(FACE).attributes["person"] == "Alice Gardner"
    await settle(hass)
    assert started == []
    # The visitor of five seconds before the restart is known to the bell all the same.
    entry.runtime_data.async_dispatch(Ring(source=entry.runtime_data.serial, at=dt_util.utcnow()))
    await until(lambda: started)
    assert ids(started) == ["known_visitor_rang"]

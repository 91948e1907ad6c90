"""The logbook tells what happened and what was decided, with the reason, and nothing that must not be told."""

import asyncio
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.face_access.access import Decision, Method, Passage, Person, Reason, Verdict
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.doors.questions import async_register_finder
from custom_components.face_access.hub.telling import EVENT_DECIDED, EVENT_REPORTED, async_tell_decision
from simulators.panel import SimulatedPanel
from simulators.terminal import SimulatedTerminal

from .conftest import add_direct, set_policy, settle, until
from .fakes import known
from .panels import add_panel
from .test_online import ONLINE
from .test_push import FACE


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(recorder_mock: Recorder, enable_custom_integrations: None) -> None:
    """Have a recorder before everything else."""


@pytest.fixture
async def logbook(hass: HomeAssistant) -> None:
    """Set up a logbook; nobody looks at a frontend."""
    hass.config.components.add("frontend")
    assert await async_setup_component(hass, "logbook", {})


async def rows(hass: HomeAssistant, hass_ws_client: WebSocketGenerator, **wanted: Any) -> list[dict[str, Any]]:
    """Read what the logbook shows."""
    await async_wait_recording_done(hass)
    client = await hass_ws_client()
    start = dt_util.utcnow().replace(hour=0, minute=0).isoformat()
    await client.send_json_auto_id({"type": "logbook/get_events", "start_time": start, **wanted})
    async with asyncio.timeout(10):
        answer = await client.receive_json()
    assert answer["success"], answer
    result: list[dict[str, Any]] = answer["result"]
    return result


async def told(hass: HomeAssistant, hass_ws_client: WebSocketGenerator, **wanted: Any) -> list[str]:
    """Read the sentences of ours that the logbook shows."""
    found = await rows(hass, hass_ws_client, **wanted)
    return [f"{row['name']} {row['message']}" for row in found if row.get("domain") == DOMAIN]


async def test_a_terminal_that_decides_itself(
    hass: HomeAssistant,
    web: str,
    logbook: None,
    terminal: SimulatedTerminal,
    hass_ws_client: WebSocketGenerator,
) -> None:
    await add_direct(hass, terminal)
    decided = async_capture_events(hass, EVENT_DECIDED)
    for scene in (terminal.present_known("0001"), terminal.present_known("0003"), terminal.present_stranger()):
        capture = await scene
        assert capture is not None
        await capture.wait()
        await hass.async_block_till_done()
    await terminal.ring()
    await until(lambda: hass.states.get("event.front_door_doorbell").state != "unknown")
    await settle(hass)
    # What the lines of the event entities say by themselves, a stranger and a ring, is not said twice.
    found = await rows(hass, hass_ws_client)
    kinds = [row["attributes"]["event_type"] for row in found if row.get("entity_id") == FACE and "state" in row]
    assert kinds == ["recognised", "denied", "stranger"]
    assert [row.get("context_message") for row in found if row.get("entity_id") == FACE and "state" in row] == [
        "recognized Alice Gardner and let them in",
        "did not let Mallory Pike in: Blocked",
        None,
    ]
    assert await told(hass, hass_ws_client) == [
        "Front door recognized Alice Gardner and let them in",
        "Front door did not let Mallory Pike in: Blocked",
    ]
    assert decided == []


@pytest.mark.parametrize(
    ("mode", "line"),
    [
        ("open", "asked Home Assistant to open the door for Alice Gardner: yes"),
        ("notify_only", "asked Home Assistant to open the door for Alice Gardner: no (Door only notifies)"),
        ("never", "asked Home Assistant to open the door for Alice Gardner: no (Door never opens for faces)"),
    ],
)
async def test_a_terminal_that_asks(
    hass: HomeAssistant,
    web: str,
    logbook: None,
    terminal: SimulatedTerminal,
    hass_ws_client: WebSocketGenerator,
    device_registry: dr.DeviceRegistry,
    mode: str,
    line: str,
) -> None:
    """Every decision, with its reason; found on the page of the device too."""
    terminal.app["gate_control"]["match_mode"] = ONLINE
    entry = await add_direct(hass, terminal)
    set_policy(hass, entry, door_mode=mode, liveness_required=True)
    decided = async_capture_events(hass, EVENT_DECIDED)
    capture = await terminal.present_known("0001")
    assert capture is not None
    await capture.wait()
    await until(lambda: decided)
    await settle(hass)
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert await told(hass, hass_ws_client, device_ids=[device.id]) == [f"Front door {line}"]
    # One sentence everywhere, and the event's own row names it as what it comes from.
    for wanted in ({}, {"entity_ids": [FACE]}, {"entity_ids": [FACE], "device_ids": [device.id]}):
        shown = [row for row in await rows(hass, hass_ws_client, **wanted) if row.get("entity_id") == FACE]
        sentence, event = shown
        assert (sentence["name"], sentence["message"]) == ("Front door", line)
        assert (event["context_name"], event["context_message"]) == ("Front door", line)
        assert event["context_event_type"] == EVENT_DECIDED


async def test_a_stranger_at_a_terminal_that_asks(
    hass: HomeAssistant,
    web: str,
    logbook: None,
    terminal: SimulatedTerminal,
    hass_ws_client: WebSocketGenerator,
) -> None:
    """The event's own row says all that there is to say."""
    terminal.app["gate_control"]["match_mode"] = ONLINE
    entry = await add_direct(hass, terminal)
    set_policy(hass, entry, door_mode="open")
    capture = await terminal.present_stranger()
    assert capture is not None
    await capture.wait()
    await settle(hass)
    (row,) = [row for row in await rows(hass, hass_ws_client) if row.get("entity_id") == FACE]
    assert row["attributes"] == {"event_type": "stranger"}
    assert await told(hass, hass_ws_client) == []


@pytest.mark.parametrize(
    ("door", "doors", "line"),
    [
        ("{serial}_1", 1, "Porch asked Home Assistant to open Front door for Alice: yes"),
        ("{serial}_2", 2, "Porch asked Home Assistant to open Front door (door 2) for Alice: yes"),
        ("gone_1", 1, "Porch asked Home Assistant to open the door for Alice: yes"),
    ],
)
async def test_which_door_is_meant(
    hass: HomeAssistant,
    web: str,
    logbook: None,
    terminal: SimulatedTerminal,
    hass_ws_client: WebSocketGenerator,
    door: str,
    doors: int,
    line: str,
) -> None:
    """Where a station has several, and where somebody else sees who stands there."""
    entry = await add_direct(hass, terminal)
    hass.config_entries.async_update_entry(entry, options={"doors": doors})
    camera = MockConfigEntry(domain=DOMAIN, title="Porch")
    coordinator = SimpleNamespace(hass=hass, config_entry=camera, serial="camera", decided=None)
    sighting = known(person_name="Alice", verdict=Verdict.GRANTED)
    async_tell_decision(coordinator, door.format(serial=terminal.serial), sighting, Decision(reason=None))
    await hass.async_block_till_done()
    assert await told(hass, hass_ws_client) == [line]
    # The door of a station itself needs its number alone.
    async_tell_decision(entry.runtime_data, f"{terminal.serial}_{doors}", sighting, Decision(reason=Reason.POLICY))
    await hass.async_block_till_done()
    named = "door 2" if doors > 1 else "the door"
    expected = f"Front door asked Home Assistant to open {named} for Alice: no (Door never opens for faces)"
    assert (await told(hass, hass_ws_client))[-1] == expected


async def test_a_panel_tells_by_what_means(
    hass: HomeAssistant, web: str, logbook: None, panel: SimulatedPanel, hass_ws_client: WebSocketGenerator
) -> None:
    entry = await add_panel(hass, panel, push=False)
    coordinator = entry.runtime_data
    now = dt_util.utcnow()
    passage = Passage(source=coordinator.serial, at=now, granted=True, method=Method.CARD, owner="Anna {reason} Berg")
    coordinator.async_dispatch(passage)
    refused = Passage(source=coordinator.serial, at=now, granted=False, method=Method.CODE, reason=Reason.EXPIRED)
    coordinator.async_dispatch(refused)
    coordinator.async_dispatch(replace(refused, reason=None))
    # A face is told with its sighting.
    coordinator.async_dispatch(replace(passage, method=Method.FACE))
    await hass.async_block_till_done()
    assert await told(hass, hass_ws_client) == [
        "Gate let Anna {reason} Berg in (Card)",
        "Gate did not let somebody in (Code): Expired",
        "Gate did not let somebody in (Code): no reason given",
    ]
    hass.config_entries.async_update_entry(entry, options={"doors": 2})
    coordinator.async_dispatch(replace(passage, doors=(coordinator.door_id(1), coordinator.door_id(2))))
    await hass.async_block_till_done()
    assert (await told(hass, hass_ws_client))[-1] == "Gate let Anna {reason} Berg in at door 1, 2 (Card)"


async def test_a_panel_that_asks_about_a_card(
    hass: HomeAssistant, web: str, logbook: None, panel: SimulatedPanel, hass_ws_client: WebSocketGenerator
) -> None:
    """Whose card it was is told, its number never."""
    entry = await add_panel(hass, panel)
    hass.config_entries.async_update_entry(entry, options={"answer_questions": True})
    set_policy(hass, entry, door_mode="open")
    await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    stop = async_register_finder(hass, lambda question: Person(id="1", name="Anna", enabled=question.number[0] == "5"))
    decided = async_capture_events(hass, EVENT_DECIDED)
    for count, number in enumerate(("55512345", "77712345"), 1):
        await panel.swipe_card(number)
        await until(lambda count=count: len(decided) == count)
    stop()
    await settle(hass)
    assert "12345" not in str([event.data for event in decided])
    lines = [line for line in await told(hass, hass_ws_client) if "asked" in line]
    assert lines == [
        "Gate asked Home Assistant to open the door for Anna: yes",
        "Gate asked Home Assistant to open the door for Anna: no (Disabled)",
    ]


async def test_events_of_somebody_else_break_nothing(
    hass: HomeAssistant, web: str, logbook: None, terminal: SimulatedTerminal, hass_ws_client: WebSocketGenerator
) -> None:
    """Anybody may fire events of our names, with whatever in them."""
    await add_direct(hass, terminal)
    for data in ({}, {"kind": 1, "type": [], "entity_id": 5, "person": {"a": "b"}, "reason": 7}, {"name": 3}):
        hass.bus.async_fire(EVENT_REPORTED, data)
        hass.bus.async_fire(EVENT_DECIDED, data)
    assert len(await told(hass, hass_ws_client)) == 6

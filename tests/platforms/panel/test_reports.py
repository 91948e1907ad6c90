"""What panels tell: rings, passages, faces, the contact, alarms, calls, starts; live, once, and without numbers."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, callback
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.face_access import binary_sensor, image
from custom_components.face_access.access import Alarm, AlarmKind, Booted, CallChanged, CallState
from custom_components.face_access.coordinator import FaceAccessCoordinator
from simulators.panel import MODELS, SimulatedPanel
from tests.conftest import settle, until
from tests.panels import add_panel

from .conftest import Call, Find, State


def fired(hass: HomeAssistant, entity_id: str) -> list[dict[str, Any]]:
    """Keep what an event entity fires from now on."""
    kept: list[dict[str, Any]] = []

    @callback
    def keep(event: Event[EventStateChangedData]) -> None:
        if (new := event.data["new_state"]) is not None:
            kept.append(dict(new.attributes))

    async_track_state_change_event(hass, entity_id, keep)
    return kept


@pytest.mark.parametrize("panel_model", list(MODELS))
async def test_a_ring_comes_once(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, find: Find, state: State
) -> None:
    rings = fired(hass, find("event", "doorbell"))
    await panel.ring()
    await until(lambda: rings)
    assert [ring["event_type"] for ring in rings] == ["ring"]
    # Nobody takes the call, which some panels say a moment later.
    assert state("sensor", "call_state") in ("calling", "idle")


async def test_what_happened_before_is_no_news(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    """Neither what was before the set-up, nor what was while nobody could hear of it."""
    await panel.ring()
    await panel.cancel()
    await panel.swipe_card()
    entry = await add_panel(hass, panel)
    doorbell, access = "event.gate_doorbell", "event.gate_access"
    assert (hass.states.get(doorbell).state, hass.states.get(access).state) == (STATE_UNKNOWN, STATE_UNKNOWN)
    assert await hass.config_entries.async_unload(entry.entry_id)
    await panel.ring()
    await panel.cancel()
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settle(hass)
    rings = fired(hass, doorbell)
    assert hass.states.get(doorbell).state == STATE_UNKNOWN
    await panel.swipe_card("99999999")
    await until(lambda: hass.states.get(access).state != STATE_UNKNOWN)
    assert rings == []


async def test_passages(hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, find: Find) -> None:
    access = fired(hass, find("event", "access"))
    await panel.swipe_card()
    await until(lambda: len(access) == 1)
    await panel.swipe_card("99999999")
    await until(lambda: len(access) == 2)
    await panel.press_exit(2)
    await until(lambda: len(access) == 3)
    granted, denied, left = access
    assert (granted["event_type"], granted["method"], granted["reason"]) == ("granted", "card", None)
    assert granted["owner"]
    assert set(granted["doors"]) <= {1, 2}
    assert granted["doors"]
    assert (denied["event_type"], denied["method"], denied["reason"]) == ("denied", "card", "unknown")
    assert (denied["owner"], denied["doors"]) == (None, [])
    assert (left["event_type"], left["method"], left["doors"]) == ("granted", "exit_button", [2])
    told = str([*access, *hass.states.async_all()])
    assert "12345678" not in told
    assert "99999999" not in told


async def test_faces(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, find: Find, call: Call, state: State
) -> None:
    await call("switch", "recognition", "turn_on")
    faces, access = fired(hass, find("event", "face")), fired(hass, find("event", "access"))
    assert await panel.present_known(started=True) == "access_granted_by_valid_face_identifier"
    await until(lambda: faces and access)
    assert (faces[0]["event_type"], faces[0]["verdict"]) == ("recognised", "granted")
    assert faces[0]["person"] == access[0]["owner"] == state("sensor", "last_person")
    assert (access[0]["event_type"], access[0]["method"]) == ("granted", "face")
    await panel.present_stranger(started=True)
    await until(lambda: len(faces) == len(access) == 2)
    assert (faces[1]["event_type"], access[1]["event_type"]) == ("stranger", "denied")
    assert state("sensor", "last_denial") == "stranger"


async def test_a_photo_is_taken_of_whoever_rings(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, find: Find, state: State, hass_client: Any
) -> None:
    assert state("image", "last_visitor") == STATE_UNKNOWN
    await panel.ring()
    await until(lambda: state("image", "last_visitor") != STATE_UNKNOWN)
    client = await hass_client()
    answer = await client.get(f"/api/image_proxy/{find('image', 'last_visitor')}")
    assert (answer.status, answer.content_type) == (200, "image/webp")
    assert (await answer.read())[8:12] == b"WEBP"


async def test_a_photo_that_cannot_be_taken(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, find: Find, state: State
) -> None:
    await panel.fail("/photo/file", 500)
    await panel.swipe_card("99999999")
    await until(lambda: panel.count("GET", "/photo/file"))
    await settle(hass)
    assert state("image", "last_visitor") == STATE_UNKNOWN
    await panel.ring()
    await until(lambda: state("image", "last_visitor") != STATE_UNKNOWN)


async def test_a_photo_that_takes_too_long_holds_nobody_up(
    panel_entry: MockConfigEntry,
    panel: SimulatedPanel,
    monkeypatch: pytest.MonkeyPatch,
    call: Call,
    state: State,
) -> None:
    monkeypatch.setattr(image, "_PHOTO_WITHIN", 0.1)
    panel.timings = replace(panel.timings, snapshot=60)
    await panel.ring()
    await until(lambda: panel.camera.taken)
    await call("button", "open_door_1", "press")
    assert [opening.lock for opening in panel.openings] == [1]
    assert state("image", "last_visitor") == STATE_UNKNOWN


@pytest.fixture
async def watched_door(hass: HomeAssistant, panel: SimulatedPanel) -> None:
    """Wire the contact of the door before the panel is set up."""
    panel.settings.values["/access/door/sensor"].update(enable=True, mode="door_sensor", opening_delay=1)


async def test_the_contact_of_the_door(
    hass: HomeAssistant, watched_door: None, panel_entry: MockConfigEntry, panel: SimulatedPanel, state: State
) -> None:
    assert (state("binary_sensor", "door_open"), state("binary_sensor", "door_left_open")) == ("off", "off")
    await panel.open_door()
    await until(lambda: state("binary_sensor", "door_open") == "on")
    await until(lambda: state("binary_sensor", "door_left_open") == "on")
    await panel.close_door()
    await until(lambda: state("binary_sensor", "door_open") == "off")
    assert state("binary_sensor", "door_left_open") == "off"
    # What the contact says is no word about the strike.
    assert state("lock", "door_1") == STATE_UNKNOWN


async def test_an_input_that_is_no_contact_any_more(
    watched_door: None, panel_entry: MockConfigEntry, call: Call, state: State
) -> None:
    await call("select", "door_input", "select_option", option="enter_button")
    assert state("binary_sensor", "door_open") == STATE_UNAVAILABLE
    assert state("select", "door_input") == "enter_button"
    await call("select", "door_input", "select_option", option="door_sensor")
    assert state("binary_sensor", "door_open") == "off"


async def test_tampering(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, state: State
) -> None:
    assert state("binary_sensor", "tamper") == "off"
    await panel.tamper()
    await until(lambda: state("binary_sensor", "tamper") == "on")
    async_fire_time_changed(hass, dt_util.utcnow() + binary_sensor.TAMPERED_FOR)
    await hass.async_block_till_done()
    assert state("binary_sensor", "tamper") == "off"


async def test_other_alarms_are_no_tampering(
    coordinator: FaceAccessCoordinator, state: State, hass: HomeAssistant
) -> None:
    coordinator.async_dispatch(Alarm(source=coordinator.serial, at=dt_util.utcnow(), kind=AlarmKind.SIP_LOST))
    assert state("binary_sensor", "tamper") == "off"
    coordinator.async_dispatch(Alarm(source=coordinator.serial, at=dt_util.utcnow(), kind=AlarmKind.TAMPER))
    assert state("binary_sensor", "tamper") == "on"
    # The harness fails a test that leaves a timer behind.
    assert await hass.config_entries.async_unload(coordinator.config_entry.entry_id)


async def test_the_registration(
    panel_entry: MockConfigEntry,
    panel: SimulatedPanel,
    call: Call,
    state: State,
    coordinator: FaceAccessCoordinator,
) -> None:
    await call("switch", "sip", "turn_on")
    panel.settings.values["/device/sip/settings"].update(proxy="sip:192.0.2.7", user="gate")
    await panel.restore_sip()
    await until(lambda: panel.calls.status()["sip_status"] == "OK")
    await coordinator.async_read_again()
    assert state("binary_sensor", "sip_registered") == "on"
    await panel.lose_sip()
    await until(lambda: state("binary_sensor", "sip_registered") == "off")


async def test_a_call_is_over_when_it_must_be(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, state: State
) -> None:
    """A panel does not say when a call that was answered ends: how long it rings and talks at most is known."""
    settings = coordinator.data.settings
    longest = float(settings["dial_timeout"]) + float(settings["talk_timeout"])
    coordinator.async_dispatch(CallChanged(source=coordinator.serial, state=CallState.CALLING))
    assert state("sensor", "call_state") == "calling"
    assert 0 < longest < 3600
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=longest + 1))
    await hass.async_block_till_done()
    assert state("sensor", "call_state") == "idle"
    coordinator.async_dispatch(CallChanged(source=coordinator.serial, state=CallState.CALLING))
    coordinator.async_dispatch(CallChanged(source=coordinator.serial, state=CallState.IDLE))
    assert state("sensor", "call_state") == "idle"


async def test_the_last_start(
    coordinator: FaceAccessCoordinator, panel: SimulatedPanel, state: State, hass: HomeAssistant
) -> None:
    await panel.cut_network()
    await coordinator.async_read_again()
    panel.boot()
    await panel.restore_network()
    await coordinator.async_read_again()
    await until(lambda: state("sensor", "last_boot") not in (STATE_UNKNOWN, STATE_UNAVAILABLE))
    told = dt_util.parse_datetime(state("sensor", "last_boot"))
    assert abs(told.timestamp() - panel.booted_at) < 60
    # Somebody's clock of next year is none to believe, and an older start is no news.
    for moved in (timedelta(days=365), timedelta(hours=-1)):
        coordinator.async_dispatch(Booted(source=coordinator.serial, at=dt_util.utcnow() + moved))
        assert dt_util.parse_datetime(state("sensor", "last_boot")) == told


async def test_reports_stay_while_the_panel_is_away(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, panel: SimulatedPanel, find: Find, state: State
) -> None:
    """Commands and readings are unavailable; what was seen stays true, and coming back is no new visitor."""
    await panel.ring()
    await until(lambda: state("event", "doorbell") != STATE_UNKNOWN)
    await panel.cancel()
    rang = state("event", "doorbell")
    rings = fired(hass, find("event", "doorbell"))
    await panel.cut_network()
    await coordinator.async_read_again()
    for platform, key in (
        ("button", "open_door_1"),
        ("lock", "door_1"),
        ("switch", "recognition"),
        ("select", "recognition_mode"),
        ("number", "volume"),
        ("camera", "camera"),
        ("binary_sensor", "sip_registered"),
        ("update", "firmware"),
    ):
        assert state(platform, key) == STATE_UNAVAILABLE, key
    assert state("binary_sensor", "online") == "off"
    assert state("event", "doorbell") == rang
    await panel.restore_network()
    await coordinator.async_read_again()
    assert state("lock", "door_1") == STATE_UNKNOWN
    assert state("binary_sensor", "online") == "on"
    assert rings == []

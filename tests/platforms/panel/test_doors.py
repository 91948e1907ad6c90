"""Doors of panels: opened, held open, closed, denied, and what the lock says meanwhile."""

from datetime import timedelta

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.hub.doors.wired import async_hold_open
from simulators.panel import MODELS, SimulatedPanel
from tests.conftest import settle, until

from .conftest import Call, State


@pytest.mark.parametrize("panel_model", list(MODELS))
async def test_opening(panel_entry: MockConfigEntry, panel: SimulatedPanel, call: Call, state: State) -> None:
    await call("button", "open_door_1", "press")
    await call("lock", "door_1", "open")
    await call("lock", "door_1", "unlock")
    assert [opening.lock for opening in panel.openings] == [1, 1, 1]
    assert state("lock", "door_1") == "open"


@pytest.mark.parametrize("panel_model", list(MODELS))
async def test_denying(panel_entry: MockConfigEntry, panel: SimulatedPanel, call: Call) -> None:
    await call("button", "deny_access", "press")
    assert panel.locks.denials == 1
    assert panel.openings == []


async def test_a_refused_command_is_told(panel_entry: MockConfigEntry, panel: SimulatedPanel, call: Call) -> None:
    for status, key in ((403, "forbidden"), (404, "unsupported"), (500, "protocol"), (503, "refused_busy")):
        await panel.fail("/access/general/lock/open", status)
        with pytest.raises(HomeAssistantError) as error:
            await call("button", "open_door_1", "press")
        assert error.value.translation_key == key
    assert panel.openings == []


async def test_the_second_lock_is_another_door(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, call: Call, state: State
) -> None:
    hass.config_entries.async_update_entry(panel_entry, options={**panel_entry.options, "doors": 2})
    await hass.config_entries.async_reload(panel_entry.entry_id)
    await settle(hass)
    await call("lock", "door_2", "open")
    assert [opening.lock for opening in panel.openings] == [2]
    assert (state("lock", "door_1"), state("lock", "door_2")) == (STATE_UNKNOWN, "open")


async def test_locking_ends_holding_open(
    coordinator: FaceAccessCoordinator, panel: SimulatedPanel, call: Call, state: State
) -> None:
    await async_hold_open(coordinator, coordinator.station.doors[0], timedelta(hours=1))
    assert panel.locks.is_open(1)
    assert state("lock", "door_1") == "open"
    await call("lock", "door_1", "lock")
    assert not panel.locks.is_open(1)
    assert state("lock", "door_1") == STATE_UNKNOWN


async def test_somebody_with_a_card_opens_it(
    coordinator: FaceAccessCoordinator, panel: SimulatedPanel, state: State
) -> None:
    assert await panel.swipe_card() == "access_granted_by_valid_identifier"
    await until(lambda: state("lock", "door_1") == "open")


async def test_restarting(panel_entry: MockConfigEntry, panel: SimulatedPanel, call: Call) -> None:
    booted = panel.booted_at
    await call("button", "reboot", "press")
    assert panel.count("GET", "/system/reboot/run") == 1
    assert panel.booted_at >= booted


async def test_the_clock_of_a_panel_with_a_time_server_is_its_own(
    panel_entry: MockConfigEntry, panel: SimulatedPanel, call: Call
) -> None:
    with pytest.raises(HomeAssistantError) as error:
        await call("button", "sync_clock", "press")
    assert error.value.translation_key.startswith("refused_")
    await call("switch", "ntp", "turn_off")
    await panel.set_clock(3600)
    await call("button", "sync_clock", "press")
    assert abs(panel.clock_offset) < 5

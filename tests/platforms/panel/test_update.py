"""News of firmware: what runs, what the vendor has, and nothing where nobody can tell."""

from homeassistant.components.update import ATTR_INSTALLED_VERSION, ATTR_LATEST_VERSION
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.coordinator import FaceAccessCoordinator
from simulators.panel import SimulatedPanel
from tests.conftest import settle
from tests.panels import add_panel

from .conftest import Call

UPDATE = "update.gate_firmware"


def versions(hass: HomeAssistant) -> tuple[str, str, str]:
    state = hass.states.get(UPDATE)
    return state.state, state.attributes[ATTR_INSTALLED_VERSION], state.attributes[ATTR_LATEST_VERSION]


async def test_newer_firmware(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    await panel.offer_firmware("3.27.0")
    await add_panel(hass, panel)
    assert versions(hass) == ("on", "3.26.0", "3.27.0")


async def test_nothing_newer(hass: HomeAssistant, panel_entry: MockConfigEntry) -> None:
    assert versions(hass) == ("off", "3.26.0", "3.26.0")


async def test_it_is_installed_at_the_panel(hass: HomeAssistant, web: str, panel: SimulatedPanel, call: Call) -> None:
    await panel.offer_firmware("3.27.0")
    await add_panel(hass, panel)
    with pytest.raises(HomeAssistantError):
        await call("update", "firmware", "install")


async def test_a_panel_that_was_updated(
    hass: HomeAssistant,
    panel_entry: MockConfigEntry,
    panel: SimulatedPanel,
    coordinator: FaceAccessCoordinator,
    device_registry: dr.DeviceRegistry,
) -> None:
    panel.model = panel.model.with_versions(None, "3.27.1")
    await coordinator.async_read_again()
    await settle(hass)
    assert versions(hass) == ("off", "3.27.1", "3.27.1")
    (device,) = dr.async_entries_for_config_entry(device_registry, panel_entry.entry_id)
    assert device.sw_version == "3.27.1"


async def test_a_panel_that_cannot_ask(
    hass: HomeAssistant, web: str, panel: SimulatedPanel, entity_registry: er.EntityRegistry
) -> None:
    await panel.fail("/system/firmware/check", 404, times=9)
    await add_panel(hass, panel)
    assert entity_registry.async_get_entity_id("update", DOMAIN, f"{panel.serial}-firmware") is None

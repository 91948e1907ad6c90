"""Every entity of every model, as a new user gets them."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.face_access.const import DOMAIN
from simulators.panel import MODELS, SimulatedPanel
from tests.conftest import settle

# What is there at some moments and not at others: the clock is not of stone.
_MOMENTS = ("-last_boot",)


def description(hass: HomeAssistant, entity: er.RegistryEntry) -> dict[str, str]:
    """Describe an entity by what matters to its users; nothing that changes by the day."""
    state = hass.states.get(entity.entity_id)
    words = {
        "name": entity.original_name,
        "category": entity.entity_category,
        "device class": entity.original_device_class,
        "disabled": entity.disabled_by,
        "features": entity.supported_features or None,
        "unit": entity.unit_of_measurement,
        **(entity.capabilities or {}),
    }
    if state is not None and not entity.unique_id.endswith(_MOMENTS):
        words["state"] = state.state
    return {
        str(key): ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for key, value in words.items()
        if value is not None
    }


@pytest.mark.parametrize("panel_model", list(MODELS))
async def test_entities(
    hass: HomeAssistant,
    panel_entry: MockConfigEntry,
    panel: SimulatedPanel,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    await settle(hass)
    entities = er.async_entries_for_config_entry(entity_registry, panel_entry.entry_id)
    assert {
        f"{entity.domain} {entity.unique_id.removeprefix(panel.serial)}": description(hass, entity)
        for entity in sorted(entities, key=lambda entity: entity.entity_id)
    } == snapshot
    names = [state.name for state in hass.states.async_all() if state.entity_id.split(".")[0] != "conversation"]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("panel_model", list(MODELS))
async def test_device(
    hass: HomeAssistant,
    panel_entry: MockConfigEntry,
    panel: SimulatedPanel,
    device_registry: dr.DeviceRegistry,
) -> None:
    (device,) = dr.async_entries_for_config_entry(device_registry, panel_entry.entry_id)
    assert device.identifiers == {(DOMAIN, panel.serial)}
    assert (device.manufacturer, device.model, device.serial_number) == ("BAS-IP", panel.model.name, panel.serial)
    assert device.sw_version == panel.model.firmware
    assert device.configuration_url == panel.url

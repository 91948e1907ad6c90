"""Settings as switch, select, number and text."""

from collections.abc import Callable
from typing import Any

from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN, EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.devices.errors import StationConnectionError, StationRefusedError, ValueTooLongError
from tests.fakes import FakeDevice

from .conftest import SetUp

type Find = Callable[[str, str], str]

CASES = [
    ("switch", "recognition", "turn_off", {}, False, "on", "off"),
    ("switch", "deduplication", "turn_on", {}, True, "off", "on"),
    ("select", "similarity", "select_option", {"option": "high"}, "high", "normal", "high"),
    ("number", "match_score", "set_value", {"value": 85}, 85, "80", "85"),
    ("number", "temperature_limit", "set_value", {"value": 37.8}, 37.8, "37.3", "37.8"),
    ("text", "screen_title", "set_value", {"value": "Grüezi"}, "Grüezi", "Welcome", "Grüezi"),
]


@pytest.mark.parametrize(("platform", "key", "action", "data", "written", "before", "after"), CASES)
async def test_write(
    hass: HomeAssistant,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    platform: str,
    key: str,
    action: str,
    data: dict[str, Any],
    written: object,
    before: str,
    after: str,
) -> None:
    entity = entity_id(platform, key)
    assert hass.states.get(entity).state == before
    await hass.services.async_call(platform, action, {"entity_id": entity, **data}, blocking=True)
    assert device.did("write") == [(key, written)]
    assert type(device.did("write")[0][1]) is type(written)
    assert hass.states.get(entity).state == after


async def test_number_keeps_the_devices_scale(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    attributes = hass.states.get(entity_id("number", "match_score")).attributes
    assert (attributes["min"], attributes["max"], attributes["step"]) == (70, 100, 1)
    attributes = hass.states.get(entity_id("number", "temperature_limit")).attributes
    assert (attributes["step"], attributes["unit_of_measurement"]) == (0.1, "°C")


@pytest.mark.parametrize(
    ("trouble", "raised", "key"),
    [
        (StationRefusedError("busy"), HomeAssistantError, "refused_busy"),
        (StationConnectionError("gone"), HomeAssistantError, "cannot_connect"),
        (ValueTooLongError("screen_title", 20, 31), ServiceValidationError, "too_long"),
    ],
)
async def test_failed_write_is_told_and_shows_the_true_state(
    hass: HomeAssistant,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Exception,
    raised: type[HomeAssistantError],
    key: str,
) -> None:
    async def fail(_key: str, _value: object) -> None:
        device.settings["recognition"] = False  # somebody else's doing: it must show although our write failed
        raise trouble

    monkeypatch.setattr(coordinator.station.settings, "write", fail)
    entity = entity_id("text", "screen_title")
    with pytest.raises(raised) as error:
        await hass.services.async_call("text", "set_value", {"entity_id": entity, "value": "x"}, blocking=True)
    assert error.value.translation_key == key
    assert hass.states.get(entity).state == "Welcome"
    assert hass.states.get(entity_id("switch", "recognition")).state == "off"


@pytest.mark.parametrize(
    ("key", "platform", "value"),
    [
        ("recognition", "switch", "yes"),
        ("similarity", "select", "extreme"),
        ("similarity", "select", 3),
        ("match_score", "number", "many"),
        ("match_score", "number", True),
        ("screen_title", "text", "x" * 21),
        ("screen_title", "text", 7),
    ],
)
async def test_value_that_we_do_not_know_is_unknown(
    hass: HomeAssistant, device: FakeDevice, set_up: SetUp, entity_id: Find, key: str, platform: str, value: Any
) -> None:
    device.settings[key] = value
    await set_up(device.station())
    assert hass.states.get(entity_id(platform, key)).state == STATE_UNKNOWN


async def test_only_what_the_station_has(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_registry: er.EntityRegistry
) -> None:
    """The family describes `mask_check` too; this device never had it."""
    keys = {entry.translation_key for entry in entity_registry.entities.values() if entry.domain == "switch"}
    assert keys == {"recognition", "deduplication", "temperature_check"}


async def test_no_settings_at_all(hass: HomeAssistant, device: FakeDevice, set_up: SetUp) -> None:
    await set_up(device.station(settings=None))
    assert not hass.states.async_entity_ids(("switch", "select", "number", "text"))


async def test_rare_settings_are_disabled_and_all_are_configuration(
    hass: HomeAssistant,
    device: FakeDevice,
    fake_entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    monkeypatch: pytest.MonkeyPatch,
    entity_id: Find,
) -> None:
    from custom_components.face_access.devices import FAMILIES
    from tests.fakes import FakeFamily

    monkeypatch.setitem(FAMILIES, "fake", FakeFamily(device.station()))
    assert await hass.config_entries.async_setup(fake_entry.entry_id)
    await hass.async_block_till_done()
    rare = entity_registry.async_get(entity_id("switch", "deduplication"))
    usual = entity_registry.async_get(entity_id("switch", "recognition"))
    assert rare.disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert usual.disabled_by is None
    assert rare.entity_category is usual.entity_category is EntityCategory.CONFIG


async def test_unavailable_while_the_station_is_away(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    device.trouble = StationConnectionError("gone")
    await coordinator.async_refresh()
    for platform, key in (("switch", "recognition"), ("select", "similarity"), ("text", "screen_title")):
        assert hass.states.get(entity_id(platform, key)).state == STATE_UNAVAILABLE
    assert hass.states.get(entity_id("binary_sensor", "online")).state == "off"
    device.trouble = None
    await coordinator.async_refresh()
    assert hass.states.get(entity_id("switch", "recognition")).state == "on"
    assert hass.states.get(entity_id("binary_sensor", "online")).state == "on"

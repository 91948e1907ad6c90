"""A loaded entry of a station in memory."""

from collections.abc import Awaitable, Callable

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.devices import FAMILIES
from custom_components.face_access.devices.station import Station
from tests.fakes import SERIAL, FakeDevice, FakeFamily

type SetUp = Callable[[Station], Awaitable[FaceAccessCoordinator]]


@pytest.fixture
def device() -> FakeDevice:
    return FakeDevice()


@pytest.fixture
def options() -> dict[str, object]:
    """The entry's options, for tests to override."""
    return {}


@pytest.fixture
def fake_entry(hass: HomeAssistant, device: FakeDevice, options: dict[str, object]) -> MockConfigEntry:
    info = device.info
    entry = MockConfigEntry(
        domain=DOMAIN,
        title="Front door",
        unique_id=SERIAL,
        data={
            "family": "fake",
            "host": "192.0.2.1",
            "port": 1,
            "webhook_id": "w",
            "features": sorted({*device.settings, *device.facts}),
            "station": {name: getattr(info, name) for name in info.__slots__},
        },
        options=options,
    )
    entry.add_to_hass(hass)
    return entry


@pytest.fixture
def enabled_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enable the rare entities too."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


@pytest.fixture
def set_up(
    hass: HomeAssistant,
    fake_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
    enabled_by_default: None,
) -> SetUp:
    async def load(station: Station) -> FaceAccessCoordinator:
        monkeypatch.setitem(FAMILIES, "fake", FakeFamily(station))
        assert await hass.config_entries.async_setup(fake_entry.entry_id)
        await hass.async_block_till_done()
        return fake_entry.runtime_data

    return load


@pytest.fixture
async def coordinator(device: FakeDevice, set_up: SetUp) -> FaceAccessCoordinator:
    return await set_up(device.station())


@pytest.fixture
def entity_id(hass: HomeAssistant, entity_registry: er.EntityRegistry) -> Callable[[str, str], str]:
    """Find an entity by its platform and key."""

    def find(platform: str, key: str) -> str:
        found = entity_registry.async_get_entity_id(platform, DOMAIN, f"{SERIAL}-{key}")
        assert found is not None, f"no {platform} {key}"
        return found

    return find

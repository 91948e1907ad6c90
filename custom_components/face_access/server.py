"""A recognition server as a device: whether it is there, how many people it knows, and a button to begin anew."""

from typing import Any, override

from homeassistant.components.button import ButtonEntity
from homeassistant.components.sensor import SensorEntity
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.update_coordinator import CoordinatorEntity

from .const import DOMAIN
from .hub.errors import raise_translated
from .hub.people.household import async_get_people, async_worker
from .hub.people.sync import TargetWorker
from .hub.servers.coordinator import ServerCoordinator
from .hub.servers.people import async_rebuild
from .online import Online
from .sync_progress import SyncProgress


class ServerEntity(CoordinatorEntity[ServerCoordinator]):
    """An entity of a server. Available while the server is."""

    _attr_has_entity_name = True
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: ServerCoordinator, key: str) -> None:
        """Bind to the server; its device is the only one of its config entry."""
        super().__init__(coordinator)
        self._attr_unique_id = f"{coordinator.serial}-{key}"
        self._attr_translation_key = key
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.serial)},
            entry_type=DeviceEntryType.SERVICE,
            name=coordinator.config_entry.title,
            manufacturer=coordinator.kind.maker,
            model=coordinator.kind.name,
            sw_version=coordinator.data.version,
        )


class ServerOnline(Online[ServerCoordinator], ServerEntity):
    """Whether the server can be reached."""

    def __init__(self, coordinator: ServerCoordinator) -> None:
        """Bind to the server."""
        super().__init__(coordinator, "online")


class ServerVersion(ServerEntity, SensorEntity):
    """What the server calls itself: an update of it may change whom it takes for whom."""

    _attr_entity_registry_enabled_default = False

    def __init__(self, coordinator: ServerCoordinator) -> None:
        """Bind to the server."""
        super().__init__(coordinator, "server_version")

    @property
    @override
    def native_value(self) -> str | None:
        return self.coordinator.data.version


class ServerPeopleSynced(SyncProgress, ServerEntity):
    """How many of the people of the house the server knows; how many there are stands beside it."""

    def __init__(self, coordinator: ServerCoordinator, worker: TargetWorker) -> None:
        """Bind to a server that learns people."""
        super().__init__(coordinator, "people_synced")
        self._worker = worker


class RebuildButton(ServerEntity, ButtonEntity):
    """Has a server that removes nobody forget everybody, and learn the people of the house anew."""

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: ServerCoordinator) -> None:
        """Bind to the server."""
        super().__init__(coordinator, "rebuild_people")

    @override
    @raise_translated
    async def async_press(self) -> None:
        """Begin anew."""
        await async_rebuild(await async_get_people(self.hass), self.coordinator)


def async_setup_online(entry: ConfigEntry[Any], async_add_entities: AddConfigEntryEntitiesCallback) -> None:
    """Add the binary sensors of a server."""
    async_add_entities([ServerOnline(entry.runtime_data)])


def async_setup_sensors(
    hass: HomeAssistant, entry: ConfigEntry[Any], async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors that the server has something to say to."""
    coordinator: ServerCoordinator = entry.runtime_data
    if coordinator.data.version is not None:
        async_add_entities([ServerVersion(coordinator)])
    if (worker := async_worker(hass, coordinator.serial)) is not None:
        async_add_entities([ServerPeopleSynced(coordinator, worker)])


def async_setup_buttons(entry: ConfigEntry[Any], async_add_entities: AddConfigEntryEntitiesCallback) -> None:
    """Add the button where it is the way to be rid of somebody."""
    coordinator: ServerCoordinator = entry.runtime_data
    if coordinator.engine.empty is not None:
        async_add_entities([RebuildButton(coordinator)])

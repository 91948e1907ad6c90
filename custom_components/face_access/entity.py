"""What all entities of a station share: its device, one of its settings or doors, or what it reports."""

from abc import abstractmethod
from collections.abc import Iterator
from typing import Final, override

from homeassistant.const import CONF_HOST, CONF_PORT, CONF_SSL, CONF_USERNAME, EntityCategory, Platform
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.device_registry import DeviceInfo
from homeassistant.helpers.update_coordinator import CoordinatorEntity
from yarl import URL

from .access import StationEvent
from .const import DOMAIN
from .coordinator import FaceAccessCoordinator
from .devices.station import Door, Setting, SettingKind, SettingValue, Station
from .hub.doors.wired import async_wired
from .hub.errors import raise_translated


def unique_id(serial: str, key: str) -> str:
    """Make the unique id of a station's entity; for those that refer to each other through the registry."""
    return f"{serial}-{key}"


def tells_all(station: Station) -> bool:
    """Whether a station tells whatever happens at it, and not only whom it sees: it has a log to be asked for."""
    return station.feed is not None


def sees_faces(station: Station) -> bool:
    """Whether a station recognises faces."""
    return station.sees_faces


class FaceAccessEntity(CoordinatorEntity[FaceAccessCoordinator]):
    """An entity of a station. Available while the station is."""

    _attr_has_entity_name = True

    def __init__(self, coordinator: FaceAccessCoordinator, key: str) -> None:
        """Bind to the station; its device is the only one of its config entry."""
        super().__init__(coordinator)
        info = coordinator.station.info
        data = coordinator.config_entry.data
        self._attr_unique_id = unique_id(coordinator.serial, key)
        self._attr_device_info = DeviceInfo(
            identifiers={(DOMAIN, coordinator.serial)},
            name=coordinator.config_entry.title,
            manufacturer=info.manufacturer,
            model=info.model,
            hw_version=info.hardware,
        )
        # The number of a watched camera is one that we made up.
        if coordinator.station.lookout is None:
            self._attr_device_info["serial_number"] = info.serial
        # Left out where the station does not say: None would wipe what it said before a restart (update.py).
        if info.firmware is not None:
            self._attr_device_info["sw_version"] = info.firmware
        # Who asks for a user name has pages to use it on; a terminal has none.
        if CONF_USERNAME in data:
            scheme = "https" if data.get(CONF_SSL) else "http"
            url = URL.build(scheme=scheme, host=data[CONF_HOST], port=data[CONF_PORT])
            self._attr_device_info["configuration_url"] = url


class ReportEntity(FaceAccessEntity):
    """An entity that shows what the station reported.

    It stays available while the station is away, because what was seen stays true, and because coming back from
    unavailable is a state change: an automation would take it for a new visitor.
    """

    _hears_last = False

    @property
    @override
    def available(self) -> bool:
        return True

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the station."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_subscribe(self._async_report, last=self._hears_last))

    @abstractmethod
    @callback
    def _async_report(self, event: StationEvent) -> None:
        """Take in what the station reported."""


class SettingEntity(FaceAccessEntity):
    """One setting of a station, whatever its kind."""

    _attr_entity_category = EntityCategory.CONFIG

    def __init__(self, coordinator: FaceAccessCoordinator, setting: Setting) -> None:
        """Bind to one setting."""
        super().__init__(coordinator, setting.key)
        self._described = setting
        self._attr_translation_key = setting.key
        self._attr_entity_registry_enabled_default = not setting.rare

    @property
    def _setting(self) -> Setting:
        """The setting as the station now describes it: a new firmware may have more to choose from."""
        settings = self.coordinator.station.settings
        return self._described if settings is None else settings.described.get(self._described.key, self._described)

    @property
    def _value(self) -> SettingValue | None:
        """The value at the last reading; None where there was none."""
        return self.coordinator.data.settings.get(self._described.key)

    @raise_translated
    async def _async_write(self, value: SettingValue) -> None:
        """Write the setting; the state follows from what the station then says."""
        await self.coordinator.async_write_setting(self._described.key, value)


def settings_of(coordinator: FaceAccessCoordinator, kind: SettingKind) -> Iterator[Setting]:
    """Find the settings of one kind that this station was ever seen to have."""
    if coordinator.station.settings is not None:
        for key, setting in coordinator.station.settings.described.items():
            if setting.kind is kind and key in coordinator.features:
                yield setting


class DoorEntity(FaceAccessEntity):
    """One door of a station. Doors are numbered only in the name of a station that has several."""

    def __init__(self, coordinator: FaceAccessCoordinator, door: Door, key: str) -> None:
        """Bind to one door; `key` is the platform's word for it."""
        super().__init__(coordinator, _door_key(key, door))
        self._door = door
        self._attr_translation_key = key
        if len(async_wired(coordinator)) > 1:
            self._attr_translation_key = f"{key}_number"
            self._attr_translation_placeholders = {"number": str(door.number)}


_DOOR_KEYS: Final = ("door", "open_door")


def _door_key(key: str, door: Door) -> str:
    return f"{key}_{door.number}"


def door_number(entity_unique_id: str) -> int | None:
    """Find which door an entity is of, by its number; None for one that is of the whole station."""
    key, _, number = entity_unique_id.rpartition("-")[2].rpartition("_")
    return int(number) if key in _DOOR_KEYS and number.isdecimal() else None


@callback
def async_door_name(hass: HomeAssistant, serial: str, number: int) -> str | None:
    """Find what the household itself calls a door, by its lock; None where it has not named it."""
    registry = er.async_get(hass)
    entity_id = registry.async_get_entity_id(Platform.LOCK, DOMAIN, unique_id(serial, f"{_DOOR_KEYS[0]}_{number}"))
    lock = None if entity_id is None else registry.async_get(entity_id)
    return None if lock is None else lock.name


@callback
def async_forget_unwired(coordinator: FaceAccessCoordinator, platform: Platform, key: str) -> None:
    """Remove a platform's entities of doors that the household has taken back: they would stay as unavailable."""
    registry = er.async_get(coordinator.hass)
    for door in coordinator.station.doors[len(async_wired(coordinator)) :]:
        unused = unique_id(coordinator.serial, _door_key(key, door))
        if (entity_id := registry.async_get_entity_id(platform, DOMAIN, unused)) is not None:
            registry.async_remove(entity_id)

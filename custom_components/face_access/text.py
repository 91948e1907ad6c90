"""Settings of a station that are a text."""

from typing import override

from homeassistant.components.text import TextEntity
from homeassistant.const import MAX_LENGTH_STATE_STATE
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import Setting, SettingKind
from .entity import SettingEntity, settings_of

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a text for each that the station has."""
    coordinator = entry.runtime_data
    async_add_entities(SettingText(coordinator, setting) for setting in settings_of(coordinator, SettingKind.TEXT))


class SettingText(SettingEntity, TextEntity):
    """A text. The device counts bytes and Home Assistant characters: the write says which limit was passed."""

    def __init__(self, coordinator: FaceAccessCoordinator, setting: Setting) -> None:
        """Take over the setting's limit."""
        super().__init__(coordinator, setting)
        self._attr_native_max = min(int(setting.maximum), MAX_LENGTH_STATE_STATE)

    @property
    @override
    def native_value(self) -> str | None:
        """The text at the device; unknown when it is longer than the device should allow."""
        value = self._value
        return value if isinstance(value, str) and len(value) <= self._attr_native_max else None

    @override
    async def async_set_value(self, value: str) -> None:
        """Set the text."""
        await self._async_write(value)

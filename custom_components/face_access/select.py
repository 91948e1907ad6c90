"""Settings of a station that are one of several."""

from typing import override

from homeassistant.components.select import SelectEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceAccessConfigEntry
from .devices.station import SettingKind
from .entity import SettingEntity, settings_of

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a select for each choice that the station has."""
    coordinator = entry.runtime_data
    async_add_entities(SettingSelect(coordinator, setting) for setting in settings_of(coordinator, SettingKind.CHOICE))


class SettingSelect(SettingEntity, SelectEntity):
    """A choice."""

    @property
    @override
    def options(self) -> list[str]:
        return list(self._setting.options)

    @property
    @override
    def current_option(self) -> str | None:
        """The option at the device; unknown when its firmware uses one that we do not know."""
        value = self._value
        return value if isinstance(value, str) and value in self.options else None

    @override
    async def async_select_option(self, option: str) -> None:
        """Choose."""
        await self._async_write(option)

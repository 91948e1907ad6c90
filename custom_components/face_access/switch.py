"""Settings of a station that are on or off."""

from typing import Any, override

from homeassistant.components.switch import SwitchEntity
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceAccessConfigEntry
from .devices.station import SettingKind
from .entity import SettingEntity, settings_of
from .hub.people.entry import is_people
from .person import async_setup_people, make_switches

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a switch for each toggle that the station has."""
    if is_people(entry):
        async_setup_people(hass, entry, async_add_entities, make_switches)
        return
    coordinator = entry.runtime_data
    async_add_entities(SettingSwitch(coordinator, setting) for setting in settings_of(coordinator, SettingKind.TOGGLE))


class SettingSwitch(SettingEntity, SwitchEntity):
    """A toggle."""

    @property
    @override
    def is_on(self) -> bool | None:
        value = self._value
        return value if isinstance(value, bool) else None

    @override
    async def async_turn_on(self, **kwargs: Any) -> None:
        """Switch on."""
        await self._async_write(True)

    @override
    async def async_turn_off(self, **kwargs: Any) -> None:
        """Switch off."""
        await self._async_write(False)

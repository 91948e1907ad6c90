"""Settings of a station that are a number."""

from typing import override

from homeassistant.components.number import NumberDeviceClass, NumberEntity
from homeassistant.const import UnitOfTime
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import Setting, SettingKind
from .entity import SettingEntity, settings_of

PARALLEL_UPDATES = 1

# Only where Home Assistant then converts to the household's own units: a correction is a difference, not a temperature.
_DEVICE_CLASSES = {
    "temperature_correction": NumberDeviceClass.TEMPERATURE_DELTA,
    "temperature_limit": NumberDeviceClass.TEMPERATURE,
    "temperature_range_max": NumberDeviceClass.TEMPERATURE,
    "temperature_range_min": NumberDeviceClass.TEMPERATURE,
}
_DURATIONS = {UnitOfTime.SECONDS, UnitOfTime.MINUTES}


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a number for each that the station has."""
    coordinator = entry.runtime_data
    async_add_entities(SettingNumber(coordinator, setting) for setting in settings_of(coordinator, SettingKind.NUMBER))


class SettingNumber(SettingEntity, NumberEntity):
    """A number. A whole step makes whole values: a terminal refuses 80.0 where it expects 80."""

    def __init__(self, coordinator: FaceAccessCoordinator, setting: Setting) -> None:
        """Take over the setting's limits."""
        super().__init__(coordinator, setting)
        self._attr_device_class = _DEVICE_CLASSES.get(setting.key)
        if setting.unit in _DURATIONS:
            self._attr_device_class = NumberDeviceClass.DURATION
        self._attr_native_step = setting.step
        self._attr_native_unit_of_measurement = setting.unit

    @property
    @override
    def native_min_value(self) -> float:
        return self._setting.minimum

    @property
    @override
    def native_max_value(self) -> float:
        return self._setting.maximum

    @property
    @override
    def native_value(self) -> float | None:
        value = self._value
        return None if value is None or isinstance(value, (bool, str)) else value

    @override
    async def async_set_native_value(self, value: float) -> None:
        """Set the number."""
        await self._async_write(round(value) if float(self._setting.step).is_integer() else value)

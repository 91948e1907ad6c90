"""Whether a station can be reached."""

from typing import override

from homeassistant.components.binary_sensor import BinarySensorDeviceClass, BinarySensorEntity
from homeassistant.const import EntityCategory
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .entity import FaceAccessEntity

PARALLEL_UPDATES = 0


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensor."""
    async_add_entities([OnlineBinarySensor(entry.runtime_data)])


class OnlineBinarySensor(FaceAccessEntity, BinarySensorEntity):
    """Online. Available always: that the station is away is what it is there to say."""

    _attr_translation_key = "online"
    _attr_device_class = BinarySensorDeviceClass.CONNECTIVITY
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: FaceAccessCoordinator) -> None:
        """Bind to the station."""
        super().__init__(coordinator, "online")

    @property
    @override
    def available(self) -> bool:
        return True

    @property
    @override
    def is_on(self) -> bool:
        return self.coordinator.last_update_success

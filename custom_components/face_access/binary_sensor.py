"""Whether a station can be reached, and what is on or off at it: its door's contact, its telephone, its casing."""

from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.components.binary_sensor import (
    BinarySensorDeviceClass,
    BinarySensorEntity,
    BinarySensorEntityDescription,
)
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later

from .access import Alarm, AlarmKind, StationEvent
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .entity import FaceAccessEntity, ReportEntity
from .hub.servers.coordinator import is_server
from .online import Online
from .server import async_setup_online

PARALLEL_UPDATES = 0

# A station says that it is tampered with, and never that it is not any more.
TAMPERED_FOR: Final = timedelta(minutes=1)


FACTS = (
    BinarySensorEntityDescription(
        key="door_open",
        translation_key="door_open",
        device_class=BinarySensorDeviceClass.DOOR,
    ),
    BinarySensorEntityDescription(
        key="door_left_open",
        translation_key="door_left_open",
        device_class=BinarySensorDeviceClass.PROBLEM,
    ),
    BinarySensorEntityDescription(
        key="sip_registered",
        translation_key="sip_registered",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors that the station has something to say to."""
    if is_server(entry):
        async_setup_online(entry, async_add_entities)
        return
    coordinator = entry.runtime_data
    async_add_entities([StationOnline(coordinator)])
    async_add_entities(FactBinarySensor(coordinator, fact) for fact in FACTS if fact.key in coordinator.features)
    if coordinator.station.tells_trouble:
        async_add_entities([TamperBinarySensor(coordinator)])


class StationOnline(Online[FaceAccessCoordinator], FaceAccessEntity):
    """Whether the station can be reached."""

    _attr_translation_key = "online"

    def __init__(self, coordinator: FaceAccessCoordinator) -> None:
        """Bind to the station."""
        super().__init__(coordinator, "online")


class FactBinarySensor(FaceAccessEntity, BinarySensorEntity):
    """Something that the station tells: at the last reading, or since then by itself."""

    def __init__(self, coordinator: FaceAccessCoordinator, description: BinarySensorEntityDescription) -> None:
        """Bind to one fact."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def available(self) -> bool:
        """Not while the station does not tell, such as while its input is no door contact."""
        return super().available and self.entity_description.key in self.coordinator.data.facts

    @property
    @override
    def is_on(self) -> bool | None:
        value = self.coordinator.data.facts.get(self.entity_description.key)
        return value if isinstance(value, bool) else None


class TamperBinarySensor(ReportEntity, BinarySensorEntity):
    """Tampered with. On for a while after the station said so; off says that it did not say so lately."""

    _attr_translation_key = "tamper"
    _attr_device_class = BinarySensorDeviceClass.TAMPER
    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_is_on = False

    def __init__(self, coordinator: FaceAccessCoordinator) -> None:
        """Bind to the station."""
        super().__init__(coordinator, "tamper")
        self._reset: CALLBACK_TYPE | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Leave no timer behind."""
        await super().async_added_to_hass()
        self.async_on_remove(self._async_cancel)

    @override
    @callback
    def _async_report(self, event: StationEvent) -> None:
        if not isinstance(event, Alarm) or event.kind is not AlarmKind.TAMPER:
            return
        self._async_cancel()
        self._reset = async_call_later(self.hass, TAMPERED_FOR, self._async_calm)
        self._attr_is_on = True
        self.async_write_ha_state()

    @callback
    def _async_calm(self, _now: datetime) -> None:
        self._reset = None
        self._attr_is_on = False
        self.async_write_ha_state()

    @callback
    def _async_cancel(self) -> None:
        if self._reset is not None:
            self._reset()
            self._reset = None

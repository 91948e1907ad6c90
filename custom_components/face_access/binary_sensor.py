"""Whether a station can be reached, and what is on or off at it: its door's contact, its telephone, its casing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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

from .access import Alarm, AlarmKind, ContactMoved, StationEvent
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import SettingValue
from .entity import FaceAccessEntity, ReportEntity, tells_all

PARALLEL_UPDATES = 0

# A station says that it is tampered with, and never that it is not any more.
TAMPERED_FOR: Final = timedelta(minutes=1)
# A reading takes seconds: what was told meanwhile is newer than what it found.
_READING_TAKES: Final = 20.0


@dataclass(frozen=True, kw_only=True)
class FactBinarySensorDescription(BinarySensorEntityDescription):
    """A fact of the reading with the same key; `heard` finds what a report says about it, None for nothing."""

    heard: Callable[[StationEvent], bool | None]


def _door_open(event: StationEvent) -> bool | None:
    return event.open if isinstance(event, ContactMoved) else None


def _door_left_open(event: StationEvent) -> bool | None:
    match event:
        case Alarm(kind=AlarmKind.DOOR_LEFT_OPEN):
            return True
        case ContactMoved(open=False):
            return False
        case _:
            return None


def _sip_registered(event: StationEvent) -> bool | None:
    return False if isinstance(event, Alarm) and event.kind is AlarmKind.SIP_LOST else None


FACTS = (
    FactBinarySensorDescription(
        key="door_open",
        translation_key="door_open",
        device_class=BinarySensorDeviceClass.DOOR,
        heard=_door_open,
    ),
    FactBinarySensorDescription(
        key="door_left_open",
        translation_key="door_left_open",
        device_class=BinarySensorDeviceClass.PROBLEM,
        heard=_door_left_open,
    ),
    FactBinarySensorDescription(
        key="sip_registered",
        translation_key="sip_registered",
        device_class=BinarySensorDeviceClass.CONNECTIVITY,
        entity_category=EntityCategory.DIAGNOSTIC,
        heard=_sip_registered,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors that the station has something to say to."""
    coordinator = entry.runtime_data
    async_add_entities([OnlineBinarySensor(coordinator)])
    async_add_entities(FactBinarySensor(coordinator, fact) for fact in FACTS if fact.key in coordinator.features)
    if tells_all(coordinator.station):
        async_add_entities([TamperBinarySensor(coordinator)])


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


class FactBinarySensor(FaceAccessEntity, BinarySensorEntity):
    """Something that is read now and then and told when it changes: whichever is newer counts."""

    entity_description: FactBinarySensorDescription

    def __init__(self, coordinator: FaceAccessCoordinator, description: FactBinarySensorDescription) -> None:
        """Bind to one fact."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._facts: Mapping[str, SettingValue] = {}
        self._heard_at = float("-inf")

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the station."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_subscribe(self._async_report))
        self._take_reading()

    @property
    @override
    def available(self) -> bool:
        """Not while the station does not tell, such as while its input is no door contact."""
        return super().available and self.entity_description.key in self.coordinator.data.facts

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._take_reading()
        super()._handle_coordinator_update()

    def _take_reading(self) -> None:
        """Take the value of a new full reading. Between two of them the facts are the very same, and old."""
        facts = self.coordinator.data.facts
        if facts is self._facts:
            return
        self._facts = facts
        if self.hass.loop.time() - self._heard_at >= _READING_TAKES:
            value = facts.get(self.entity_description.key)
            self._attr_is_on = value if isinstance(value, bool) else None

    @callback
    def _async_report(self, event: StationEvent) -> None:
        if (value := self.entity_description.heard(event)) is not None:
            self._attr_is_on = value
            self._heard_at = self.hass.loop.time()
            self.async_write_ha_state()


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

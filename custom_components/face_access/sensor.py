"""What a station counts, and what it last reported."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.components.sensor import (
    RestoreSensor,
    SensorDeviceClass,
    SensorEntity,
    SensorEntityDescription,
    SensorStateClass,
)
from homeassistant.const import EntityCategory, UnitOfInformation, UnitOfTemperature
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .access import Booted, CallChanged, CallState, Reason, Sighting, StationEvent
from .access.naming import SightingKind, denial, kind_of, recognised_name
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import SettingValue
from .entity import FaceAccessEntity, ReportEntity, sees_faces
from .hub.cameras.station import is_watched_here
from .hub.local.gallery import async_gallery
from .hub.people.entry import is_people
from .hub.people.household import async_worker
from .hub.servers.coordinator import is_server
from .lookout import LOOKOUTS, LookoutSensor
from .person import async_setup_people, make_sensors
from .server import async_setup_sensors
from .sync_progress import PeopleSyncedSensor

PARALLEL_UPDATES = 0
# For what is measured all the time while a camera is watched.
SCAN_INTERVAL = timedelta(seconds=30)

type Value = str | float | datetime

# How long a call rings, and how long one may talk, as settings of the station.
_CALL_LIMITS: Final = ("dial_timeout", "talk_timeout")
# A clock that is set between two readings moves what happened before by that.
_CLOCK_NOISE: Final = timedelta(seconds=30)

FACTS = (
    SensorEntityDescription(
        key="people",
        translation_key="people",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
    SensorEntityDescription(
        # Without a unit: the document calls it RSSI and gives neither unit nor range (HTTP API 2.17.1).
        key="signal_strength",
        translation_key="signal_strength",
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
    SensorEntityDescription(
        key="traffic_received",
        translation_key="traffic_received",
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.MEGABYTES,
        suggested_display_precision=1,
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
    SensorEntityDescription(
        key="traffic_sent",
        translation_key="traffic_sent",
        device_class=SensorDeviceClass.DATA_SIZE,
        native_unit_of_measurement=UnitOfInformation.BYTES,
        suggested_unit_of_measurement=UnitOfInformation.MEGABYTES,
        suggested_display_precision=1,
        state_class=SensorStateClass.TOTAL_INCREASING,
        entity_category=EntityCategory.DIAGNOSTIC,
    ),
    SensorEntityDescription(
        key="operator",
        translation_key="operator",
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
    ),
)


@dataclass(frozen=True, kw_only=True)
class SightingSensorDescription(SensorEntityDescription):
    """`seen` finds the new value in a sighting, None for one that leaves the value as it is."""

    seen: Callable[[Sighting], Value | None]
    supported: Callable[[FaceAccessCoordinator], bool] = lambda coordinator: sees_faces(coordinator.station)


def _denial(sighting: Sighting) -> str | None:
    """Name the denial. Not "unknown" for somebody unknown: that is Home Assistant's word for having no state."""
    kind, reason = kind_of(sighting), denial(sighting)
    return SightingKind.STRANGER if kind is SightingKind.STRANGER or reason is Reason.UNKNOWN else reason


SIGHTINGS = (
    SightingSensorDescription(
        key="last_person",
        translation_key="last_person",
        seen=recognised_name,
    ),
    SightingSensorDescription(
        key="last_seen",
        translation_key="last_seen",
        device_class=SensorDeviceClass.TIMESTAMP,
        seen=lambda sighting: sighting.captured_at,
    ),
    SightingSensorDescription(
        key="last_denial",
        translation_key="last_denial",
        device_class=SensorDeviceClass.ENUM,
        options=[SightingKind.STRANGER, *(reason for reason in Reason if reason is not Reason.UNKNOWN)],
        seen=_denial,
    ),
    SightingSensorDescription(
        key="temperature",
        translation_key="temperature",
        device_class=SensorDeviceClass.TEMPERATURE,
        native_unit_of_measurement=UnitOfTemperature.CELSIUS,
        suggested_display_precision=1,
        seen=lambda sighting: sighting.temperature,
        supported=lambda coordinator: "temperature_check" in coordinator.features,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the sensors that the station has something to say to."""
    if is_people(entry):
        async_setup_people(hass, entry, async_add_entities, make_sensors)
        return
    if is_server(entry):
        async_setup_sensors(hass, entry, async_add_entities)
        return
    coordinator = entry.runtime_data
    async_add_entities(FactSensor(coordinator, fact) for fact in FACTS if fact.key in coordinator.features)
    async_add_entities(
        SightingSensor(coordinator, description) for description in SIGHTINGS if description.supported(coordinator)
    )
    if coordinator.station.sip is not None:
        async_add_entities([CallStateSensor(coordinator)])
    if (lookout := coordinator.station.lookout) is not None:
        async_add_entities(LookoutSensor(coordinator, lookout, description) for description in LOOKOUTS)
    worker = async_gallery(hass) if is_watched_here(entry) else async_worker(hass, coordinator.serial)
    if worker is not None:
        async_add_entities([PeopleSyncedSensor(coordinator, worker)])
    if coordinator.station.tells_trouble:
        async_add_entities([LastBootSensor(coordinator)])


class FactSensor(FaceAccessEntity, SensorEntity):
    """Something that the station counts or knows, as of the last reading."""

    def __init__(self, coordinator: FaceAccessCoordinator, description: SensorEntityDescription) -> None:
        """Bind to one fact."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @property
    @override
    def native_value(self) -> SettingValue | None:
        return self.coordinator.data.facts.get(self.entity_description.key)


class SightingSensor(ReportEntity, RestoreSensor):
    """Something of the last sighting that had it: who was here last survives the stranger after them, and a restart."""

    entity_description: SightingSensorDescription

    def __init__(self, coordinator: FaceAccessCoordinator, description: SightingSensorDescription) -> None:
        """Bind to one thing about sightings."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @override
    async def async_added_to_hass(self) -> None:
        """Start with the newest live sighting of history, else with the value of before the restart."""
        await super().async_added_to_hass()
        sighting = self.coordinator.last_sighting
        if sighting is not None and (value := self.entity_description.seen(sighting)) is not None:
            self._attr_native_value = value
        elif (data := await self.async_get_last_sensor_data()) is not None and self._fits(data.native_value):
            self._attr_native_value = data.native_value

    def _fits(self, value: object) -> bool:
        """Whether a value of an earlier version still is one."""
        if self.device_class is SensorDeviceClass.TIMESTAMP:
            return isinstance(value, datetime)
        return self.options is None or value in self.options

    @override
    @callback
    def _async_report(self, event: StationEvent) -> None:
        if isinstance(event, Sighting) and (value := self.entity_description.seen(event)) is not None:
            self._attr_native_value = value
            self.async_write_ha_state()


class CallStateSensor(FaceAccessEntity, SensorEntity):
    """Where the station's call stands, unknown until the station says so: a call of before a restart may be over.

    A station with limits for its calls says when one begins, and not always when it ends: then the limits do.
    """

    _attr_translation_key = "call_state"
    _attr_device_class = SensorDeviceClass.ENUM
    _attr_options = [state.value for state in CallState]  # noqa: RUF012

    def __init__(self, coordinator: FaceAccessCoordinator) -> None:
        """Bind to the station's telephone."""
        super().__init__(coordinator, "call_state")
        self._over = False
        self._end: CALLBACK_TYPE | None = None

    @property
    @override
    def native_value(self) -> CallState | None:
        state = self.coordinator.call_state
        return CallState.IDLE if state is not None and self._over else state

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the telephone."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_subscribe(self._async_report))
        self.async_on_remove(self._async_cancel)

    @callback
    def _async_report(self, event: StationEvent) -> None:
        if not isinstance(event, CallChanged):
            return
        self._async_cancel()
        self._over = False
        limits = [self.coordinator.data.settings.get(key) for key in _CALL_LIMITS]
        if event.state is not CallState.IDLE and (longest := sum(float(limit) for limit in limits if limit)):
            self._end = async_call_later(self.hass, longest, self._async_over)
        self.async_write_ha_state()

    @callback
    def _async_over(self, _now: datetime) -> None:
        self._end = None
        self._over = True
        self.async_write_ha_state()

    @callback
    def _async_cancel(self) -> None:
        if self._end is not None:
            self._end()
            self._end = None


class LastBootSensor(ReportEntity, RestoreSensor):
    """When the station last started, as far as it told."""

    _attr_translation_key = "last_boot"
    _attr_device_class = SensorDeviceClass.TIMESTAMP
    _attr_entity_category = EntityCategory.DIAGNOSTIC

    def __init__(self, coordinator: FaceAccessCoordinator) -> None:
        """Bind to the station."""
        super().__init__(coordinator, "last_boot")

    @override
    async def async_added_to_hass(self) -> None:
        """Start with what the station has in its log, else with the value of before the restart."""
        await super().async_added_to_hass()
        data = await self.async_get_last_sensor_data()
        if data is not None and isinstance(data.native_value, datetime):
            self._attr_native_value = data.native_value
        self._take_reading()

    @callback
    @override
    def _handle_coordinator_update(self) -> None:
        self._take_reading()
        super()._handle_coordinator_update()

    def _take_reading(self) -> None:
        if (moment := self.coordinator.data.booted_at) is not None:
            self._take(moment)

    @override
    @callback
    def _async_report(self, event: StationEvent) -> None:
        if isinstance(event, Booted):
            self._take(event.at)
            self.async_write_ha_state()

    def _take(self, moment: datetime) -> None:
        """Take a time unless it is the one that is shown, give or take a correction of the clock."""
        shown = self._attr_native_value
        if moment > dt_util.utcnow() + _CLOCK_NOISE:
            return
        if not isinstance(shown, datetime) or moment - shown > _CLOCK_NOISE:
            self._attr_native_value = moment

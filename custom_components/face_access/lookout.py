"""What is measured while a camera is watched: how long a look takes, and how often there is something new to see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, override

from homeassistant.components.sensor import SensorDeviceClass, SensorEntity, SensorEntityDescription, SensorStateClass
from homeassistant.const import EntityCategory, UnitOfTime

from .coordinator import FaceAccessCoordinator
from .devices.station import Lookout
from .entity import FaceAccessEntity


@dataclass(frozen=True, kw_only=True)
class LookoutSensorDescription(SensorEntityDescription):
    """`value` finds it, None while it is unknown."""

    value: Callable[[Lookout], float | None]


LOOKOUTS: Final = (
    LookoutSensorDescription(
        key="recognition_time",
        translation_key="recognition_time",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.MILLISECONDS,
        suggested_display_precision=0,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda lookout: None if lookout.took is None else round(lookout.took * 1000, 1),
    ),
    LookoutSensorDescription(
        key="picture_interval",
        translation_key="picture_interval",
        device_class=SensorDeviceClass.DURATION,
        native_unit_of_measurement=UnitOfTime.SECONDS,
        suggested_display_precision=1,
        state_class=SensorStateClass.MEASUREMENT,
        entity_category=EntityCategory.DIAGNOSTIC,
        entity_registry_enabled_default=False,
        value=lambda lookout: None if lookout.interval is None else round(lookout.interval, 2),
    ),
)


class LookoutSensor(FaceAccessEntity, SensorEntity):
    """Something that is measured while a camera is looked at: asked now and then, since it changes all the time."""

    entity_description: LookoutSensorDescription

    def __init__(
        self, coordinator: FaceAccessCoordinator, lookout: Lookout, description: LookoutSensorDescription
    ) -> None:
        """Bind to who looks through the camera."""
        super().__init__(coordinator, description.key)
        self.entity_description = description
        self._lookout = lookout

    @property
    @override
    def should_poll(self) -> bool:
        return True

    @override
    async def async_update(self) -> None:
        """Do nothing: what is asked for is at hand, and a coordinator's entity would have the whole station read."""

    @property
    @override
    def native_value(self) -> float | None:
        return self.entity_description.value(self._lookout)

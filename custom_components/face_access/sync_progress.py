"""The sensors that say how many people a target of sync has, for whatever the target is."""

from typing import Protocol, override

from homeassistant.components.sensor import SensorEntity, SensorStateClass
from homeassistant.const import EntityCategory
from homeassistant.core import CALLBACK_TYPE

from .coordinator import FaceAccessCoordinator
from .entity import FaceAccessEntity
from .people.plan import Progress


class Syncing(Protocol):
    """Somebody who brings people to a target. `listeners` hear that there is another progress."""

    listeners: list[CALLBACK_TYPE]

    @property
    def progress(self) -> Progress:
        """How far the target is."""


class SyncProgress(SensorEntity):
    """How many of the people of the house a target has; how many there are stands beside it."""

    _attr_state_class = SensorStateClass.MEASUREMENT
    _worker: Syncing

    @property
    @override
    def available(self) -> bool:
        """What a target was given stays true while it is away."""
        return True

    @property
    @override
    def native_value(self) -> int:
        return self._worker.progress.held

    @property
    @override
    def extra_state_attributes(self) -> dict[str, int]:
        return self._worker.progress.described

    @override
    async def async_added_to_hass(self) -> None:
        """Listen to the work."""
        await super().async_added_to_hass()
        self._worker.listeners.append(self.async_write_ha_state)
        self.async_on_remove(lambda: self._worker.listeners.remove(self.async_write_ha_state))


class PeopleSyncedSensor(SyncProgress, FaceAccessEntity):
    """How many of the people who shall pass here are known here; how many there are stands beside it."""

    _attr_entity_category = EntityCategory.DIAGNOSTIC
    _attr_translation_key = "people_synced"

    def __init__(self, coordinator: FaceAccessCoordinator, worker: Syncing) -> None:
        """Bind to who teaches the station, or learns them for a camera."""
        super().__init__(coordinator, "people_synced")
        self._worker = worker

"""The sensor that says how many people a target of sync has, for whatever the target is."""

from typing import override

from homeassistant.components.sensor import SensorEntity, SensorStateClass

from .hub.people_sync import TargetWorker


class SyncProgress(SensorEntity):
    """How many of the people of the house a target has; how many there are stands beside it."""

    _attr_state_class = SensorStateClass.MEASUREMENT
    _worker: TargetWorker

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

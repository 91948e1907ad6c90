"""Doors as locks, for those who open them by voice or from a lock card."""

from datetime import datetime
from typing import Any, override

from homeassistant.components.lock import LockEntity, LockEntityFeature
from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later

from .access import DoorMoved, StationEvent
from .const import DOMAIN
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import Door
from .entity import DoorEntity, async_forget_unwired
from .hub.doors import async_open, async_wired
from .hub.errors import raise_translated

PARALLEL_UPDATES = 1


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a lock for each door."""
    coordinator = entry.runtime_data
    async_forget_unwired(coordinator, Platform.LOCK, "door")
    async_add_entities(DoorLock(coordinator, door) for door in async_wired(coordinator))


class DoorLock(DoorEntity, LockEntity):
    """A door strike behind a relay.

    It is open while the relay is held after a command that the station accepted. The rest of the time its state is
    unknown, because nothing measures it: the strike may be locked, the door may stand open or be held by a key. So
    Home Assistant offers both commands. Unlocking is opening, since a strike knows only that pulse and locks by
    itself; locking has no command, and says so rather than pretend.
    """

    _attr_supported_features = LockEntityFeature.OPEN

    def __init__(self, coordinator: FaceAccessCoordinator, door: Door) -> None:
        """Bind to the door."""
        super().__init__(coordinator, door, "door")
        self._release: CALLBACK_TYPE | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Hear of the door, whoever opens it: this lock, the button or the action."""
        await super().async_added_to_hass()
        self.async_on_remove(self.coordinator.async_subscribe(self._async_report))
        self.async_on_remove(self._async_cancel_release)

    @override
    @raise_translated
    async def async_open(self, **kwargs: Any) -> None:
        """Open the door for its hold time."""
        await async_open(self.coordinator, self._door)

    @override
    @raise_translated
    async def async_unlock(self, **kwargs: Any) -> None:
        """Open the door for its hold time."""
        await async_open(self.coordinator, self._door)

    @override
    async def async_lock(self, **kwargs: Any) -> None:
        """Refuse: a strike locks by itself."""
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="cannot_lock")

    @callback
    def _async_report(self, event: StationEvent) -> None:
        if not isinstance(event, DoorMoved) or event.door != self.coordinator.door_id(self._door.number):
            return
        self._async_cancel_release()
        self._attr_is_open = event.open
        if event.open:
            hold_time = self._door.hold_time(self.coordinator.data)
            self._release = async_call_later(self.hass, hold_time, self._async_released)
        self.async_write_ha_state()

    @callback
    def _async_released(self, _now: datetime) -> None:
        """The relay let go. Whether the strike locked again, nobody knows."""
        self._release = None
        self._attr_is_open = False
        self.async_write_ha_state()

    @callback
    def _async_cancel_release(self) -> None:
        if self._release is not None:
            self._release()
            self._release = None

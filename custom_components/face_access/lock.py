"""Doors as locks, for those who open them by voice or from a lock card."""

from datetime import datetime
from typing import Any, Final, override

from homeassistant.components.lock import LockEntity, LockEntityFeature
from homeassistant.const import Platform
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from .access import DoorMoved, Method, Passage, StationEvent
from .const import DOMAIN
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import Door, HeldDoor
from .entity import DoorEntity, async_forget_unwired
from .hub.doors.wired import async_open, async_release, async_wired
from .hub.errors import raise_translated

PARALLEL_UPDATES = 1

# How long a log may take to tell us of our own command.
_ECHO_WITHIN: Final = 10.0


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add a lock for each door."""
    coordinator = entry.runtime_data
    async_forget_unwired(coordinator, Platform.LOCK, "door")
    async_add_entities(DoorLock(coordinator, door) for door in async_wired(coordinator))


class DoorLock(DoorEntity, LockEntity):
    """A door strike behind a relay.

    It is open while the relay is held after a command that the station accepted, or a passage that it told of. The rest
    of the time its state is unknown, because nothing measures it: the strike may be locked, the door may stand open or
    be held by a key. An assumed "locked" would be believed.

    Unlocking is opening, since a strike knows only that pulse. Locking ends holding open, for a door that can be held;
    any other has no command for it, and says so rather than pretend.
    """

    _attr_supported_features = LockEntityFeature.OPEN

    def __init__(self, coordinator: FaceAccessCoordinator, door: Door) -> None:
        """Bind to the door."""
        super().__init__(coordinator, door, "door")
        self._id = coordinator.door_id(door.number)
        self._open_until: datetime | None = None
        self._commanded_at = float("-inf")
        self._told: Method | None = None
        self._cancel: CALLBACK_TYPE | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Hear of the door, whoever opens it: this lock, the button, the action or somebody with a card."""
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
    @raise_translated
    async def async_lock(self, **kwargs: Any) -> None:
        """End holding the door open, or refuse: a strike locks by itself."""
        if not isinstance(self._door, HeldDoor):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="cannot_lock")
        await async_release(self.coordinator, self._door)

    @callback
    def _async_report(self, event: StationEvent) -> None:
        match event:
            case Passage(granted=True, method=method, doors=doors) if self._id in doors:
                # That it opened is told next; but of an emergency nothing more is told.
                self._told = None if method is Method.EMERGENCY else method
            case DoorMoved(door=self._id):
                if not self._is_echo():
                    self._async_moved(event)
                    self.async_write_ha_state()
            case _:
                pass

    def _is_echo(self) -> bool:
        """Whether a log tells of our own command, which was told when it was given and may be over by now."""
        now, told, self._told = self.hass.loop.time(), self._told, None
        if told is None:
            self._commanded_at = now
        return told is Method.API and now - self._commanded_at < _ECHO_WITHIN

    @callback
    def _async_moved(self, moved: DoorMoved) -> None:
        if moved.open:
            self._async_opened(moved)
        else:
            self._async_closed()

    @callback
    def _async_opened(self, moved: DoorMoved) -> None:
        """The relay is held. Another opening, such as the echo of our own in a log, never shortens that."""
        until = dt_util.utcnow() + (moved.held_for or self._door.hold_time(self.coordinator.data))
        if moved.held_for is not None:
            self._open_until = None
        self._open_until = until if self._open_until is None else max(until, self._open_until)
        self._attr_is_open = True
        self._async_cancel_release()
        left = self._open_until - dt_util.utcnow()
        self._cancel = async_call_later(self.hass, left, self._async_released)

    @callback
    def _async_closed(self) -> None:
        """The relay was let go on our word."""
        self._async_cancel_release()
        self._open_until = None
        self._attr_is_open = False

    @callback
    def _async_released(self, _now: datetime) -> None:
        """The relay let go. Whether the strike locked again, nobody knows."""
        self._cancel = None
        self._open_until = None
        self._attr_is_open = False
        self.async_write_ha_state()

    @callback
    def _async_cancel_release(self) -> None:
        if self._cancel is not None:
            self._cancel()
            self._cancel = None

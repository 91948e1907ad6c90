"""Doors as the household uses them: which are wired, and moving one so that everybody in the house hears of it."""

from datetime import timedelta

from homeassistant.core import HomeAssistant, callback

from ...access import DoorMoved
from ...const import DOMAIN
from ...coordinator import FaceAccessCoordinator
from ...devices.station import Door, HeldDoor, Station
from .policies import wired_doors


def async_wired(coordinator: FaceAccessCoordinator) -> tuple[Door, ...]:
    """Find the doors that the household says are wired: the station itself cannot tell."""
    return coordinator.station.doors[: wired_doors(coordinator.config_entry.options)]


@callback
def async_find(hass: HomeAssistant, name: str) -> tuple[FaceAccessCoordinator, Door] | None:
    """Find a wired door by the household's name for it; None while its station is not there."""
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        if isinstance(coordinator := entry.runtime_data, FaceAccessCoordinator):
            for door in async_wired(coordinator):
                if coordinator.door_id(door.number) == name:
                    return coordinator, door
    return None


async def async_open(coordinator: FaceAccessCoordinator, door: Door, person_id: str | None = None) -> None:
    """Open a door and, once the station has accepted that, say so. Raises StationError; then nothing is known to move.

    Only the opening is reported: the station lets go by itself after `door.hold_time` and says nothing about it.
    """
    await door.open(person_id)
    coordinator.async_dispatch(DoorMoved(source=coordinator.serial, door=coordinator.door_id(door.number), open=True))


async def async_hold_open(coordinator: FaceAccessCoordinator, door: HeldDoor, duration: timedelta) -> None:
    """Hold a door open for so long and say so. Raises InvalidValueError above `door.max_hold`, StationError."""
    await door.hold_open(duration)
    moved = DoorMoved(source=coordinator.serial, door=coordinator.door_id(door.number), open=True, held_for=duration)
    coordinator.async_dispatch(moved)


async def async_release(coordinator: FaceAccessCoordinator, door: HeldDoor) -> None:
    """End holding a door open and say so. Raises StationError; then it may still be held."""
    await door.release()
    coordinator.async_dispatch(DoorMoved(source=coordinator.serial, door=coordinator.door_id(door.number), open=False))


def held_door(station: Station) -> HeldDoor | None:
    """Find a door that can be held open and that can say no, which the station says to whoever stands there."""
    return next((door for door in station.doors if isinstance(door, HeldDoor)), None)

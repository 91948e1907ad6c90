"""Doors as the household uses them: which are wired, and opening one so that everybody in the house hears of it."""

from ..access import DoorMoved
from ..const import CONF_DOORS
from ..coordinator import FaceAccessCoordinator
from ..devices.station import Door


def async_wired(coordinator: FaceAccessCoordinator) -> tuple[Door, ...]:
    """Find the doors that the household says are wired: the station itself cannot tell."""
    return coordinator.station.doors[: int(coordinator.config_entry.options.get(CONF_DOORS, 1))]


async def async_open(coordinator: FaceAccessCoordinator, door: Door, person_id: str | None = None) -> None:
    """Open a door and, once the station has accepted that, say so. Raises StationError; then nothing is known to move.

    Only the opening is reported: the station lets go by itself after `door.hold_time` and says nothing about it.
    """
    await door.open(person_id)
    coordinator.async_dispatch(DoorMoved(source=coordinator.serial, door=coordinator.door_id(door.number), open=True))

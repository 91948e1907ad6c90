"""Actions at the door: opening it, holding it open, saying no, and a card number for the lock controller behind it."""

from homeassistant.core import ServiceResponse

from ..devices.station import CardOutput, Door, HeldDoor
from ..hub.doors.wired import async_hold_open, async_open, async_release, async_wired
from .request import Request, invalid


async def open_door(request: Request, _doors: tuple[Door, ...]) -> ServiceResponse:
    """Open one of the doors that are wired."""
    await async_open(request.coordinator, wired_door(request))
    return None


async def hold_door_open(request: Request, _door: HeldDoor) -> ServiceResponse:
    """Hold one of the doors that are wired open for a while."""
    door, duration = _held(request), request.data["duration"]
    if duration > door.max_hold:
        raise invalid("hold_too_long", limit=str(round(door.max_hold.total_seconds())))
    await async_hold_open(request.coordinator, door, duration)
    return None


async def close_door(request: Request, _door: HeldDoor) -> ServiceResponse:
    """End holding a door open."""
    await async_release(request.coordinator, _held(request))
    return None


async def deny_access(_request: Request, door: HeldDoor) -> ServiceResponse:
    """Say no to whoever stands there."""
    await door.deny()
    return None


async def send_wiegand(request: Request, output: CardOutput) -> ServiceResponse:
    """Send a card number. It opens doors elsewhere: it stays out of every log and error."""
    await output.send(request.data["card"])
    return None


def wired_door(request: Request) -> Door:
    """Find the door that a call names. Raises ServiceValidationError unless it is wired."""
    wired = {door.number: door for door in async_wired(request.coordinator)}
    number = request.data["door"]
    if number not in wired:
        raise invalid("no_door", device=request.coordinator.config_entry.title, door=str(number), doors=str(len(wired)))
    return wired[number]


def _held(request: Request) -> HeldDoor:
    """Find the door that a call names, one that can be held. Raises ServiceValidationError for any other."""
    door = wired_door(request)
    if not isinstance(door, HeldDoor):
        raise invalid("door_not_held", device=request.coordinator.config_entry.title, door=str(door.number))
    return door

"""Actions that let somebody in: opening a door, and sending a card number to the lock controller behind it."""

from homeassistant.core import ServiceResponse

from ..devices.station import CardOutput, Door
from ..hub.doors import async_open, async_wired
from .request import Request, invalid


async def open_door(request: Request, _doors: tuple[Door, ...]) -> ServiceResponse:
    """Open one of the doors that are wired."""
    wired = {door.number: door for door in async_wired(request.coordinator)}
    number = request.data["door"]
    if number not in wired:
        raise invalid("no_door", device=request.coordinator.config_entry.title, door=str(number), doors=str(len(wired)))
    await async_open(request.coordinator, wired[number])
    return None


async def send_wiegand(request: Request, output: CardOutput) -> ServiceResponse:
    """Send a card number. It opens doors elsewhere: it stays out of every log and error."""
    await output.send(request.data["card"])
    return None

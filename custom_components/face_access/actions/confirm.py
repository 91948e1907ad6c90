"""Somebody of the household says that a person at a door is who they seem to be: a second factor."""

from homeassistant.core import ServiceResponse
from homeassistant.util import dt as dt_util

from ..access import Factor
from ..devices.station import Door
from ..hub.people.household import async_get_people
from .door import wired_door
from .request import Request, invalid


async def confirm_access(request: Request, _doors: tuple[Door, ...]) -> ServiceResponse:
    """Take the word of whoever calls this as a person's second factor at a door, and say whether it opened for that.

    Raises StationError where it was to open and did not.
    """
    people = await async_get_people(request.hass)
    if (person := request.data["person_id"]) not in people.store.profiles:
        raise invalid("person_unknown")
    door = request.coordinator.door_id(wired_door(request).number)
    opened = await people.factors.async_give(Factor.CONFIRMATION, person, [door], dt_util.utcnow())
    return {"opened": opened}

"""Actions for the station's own rules of when people may pass."""

from homeassistant.core import ServiceResponse
from homeassistant.util.json import JsonValueType

from ..devices.station import Schedule
from .fields import MOST_RULES
from .request import Request, invalid


async def get_schedule(_request: Request, schedule: Schedule) -> ServiceResponse:
    """Read the rules, in the shape that set_schedule and add_schedule take."""
    rules: list[JsonValueType] = [*await schedule.read()]
    return {"rules": rules}


async def set_schedule(request: Request, schedule: Schedule) -> ServiceResponse:
    """Replace all rules; none leaves the station without any."""
    await schedule.replace(request.data["rules"])
    return None


async def add_schedule(request: Request, schedule: Schedule) -> ServiceResponse:
    """Add rules to those that are there.

    A number that is taken is refused: which of two rules would hold is not documented.
    """
    new = request.data["rules"]
    there = await schedule.read()
    if taken := sorted({rule["kind"] for rule in there} & {rule["kind"] for rule in new}):
        raise invalid("kind_taken", kinds=", ".join(map(str, taken)))
    if len(there) + len(new) > MOST_RULES:
        raise invalid("too_many_rules", limit=str(MOST_RULES), count=str(len(there) + len(new)))
    await schedule.add(new)
    return None

"""The action that explains what would happen if somebody stood at a door, and why. Nothing happens."""

from homeassistant.core import ServiceResponse
from homeassistant.util import dt as dt_util

from ..access import Liveness, Sighting, SightingKey, explain
from ..devices.station import Door
from ..hub.people import async_get_people
from .door import wired_door
from .request import Request


async def explain_access(request: Request, _doors: tuple[Door, ...]) -> ServiceResponse:
    """Give the decision on a person of the household, by default live and beyond doubt, now."""
    data, coordinator = request.data, request.coordinator
    people = await async_get_people(request.hass)
    profile = people.store.profiles.get(data["person_id"])
    now = data.get("at") or dt_util.utcnow()
    sighting = Sighting(
        source=coordinator.serial,
        key=SightingKey(sequence=0, captured=now.isoformat()),
        captured_at=now,
        realtime=True,
        household=True,
        person_id=data["person_id"],
        score=data["score"],
        liveness=Liveness(data["liveness"]),
    )
    door = coordinator.door_id(wired_door(request).number)
    policy = coordinator.policy()
    person = None if profile is None else people.person(profile)
    reasons = explain(sighting, person, door, now, policy)
    return {
        "granted": not reasons,
        "reason": reasons[0].value if reasons else None,
        "reasons": [reason.value for reason in reasons],
        "door": door,
        "mode": policy.mode.value,
    }

"""What would happen if a person stood at a door now, and why."""

from dataclasses import replace

from homeassistant.core import ServiceResponse
from homeassistant.helpers import service
from homeassistant.util import dt as dt_util

from ..access import DoorPolicy, Liveness, Reason, Sighting, SightingKey, explain
from ..const import DOMAIN
from ..coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from ..devices.station import Door
from ..hub.cameras.watching import Watching
from ..hub.people.enrolments import Enrolments
from ..hub.people.household import HousePeople, async_get_people
from ..people.holding import HoldingState
from .door import wired_door
from .request import Request, invalid

# What stations are told of a person, and mind by themselves.
_TOLD = frozenset(
    {
        Reason.BLOCKED,
        Reason.DISABLED,
        Reason.NOT_YET_VALID,
        Reason.EXPIRED,
        Reason.NOT_PERMITTED,
        Reason.SCHEDULE,
        Reason.UNKNOWN,
    }
)


async def explain_access(request: Request, _doors: tuple[Door, ...]) -> ServiceResponse:
    """Give the decision on a person of the household, by default live and beyond doubt, now.

    The face is one that the door's device sees, or one that a watched camera sees.
    """
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
    number = wired_door(request).number
    door = coordinator.door_id(number)
    camera = data.get("camera")
    policy = coordinator.policy(number) if camera is None else _camera_policy(request, camera, door)
    person = None if profile is None else people.identity.person(profile)
    proofs = () if person is None else coordinator.async_proofs(person, door, now)
    reasons = explain(sighting, person, door, now, policy, proofs=proofs)
    return {
        "granted": not reasons,
        "reason": reasons[0].value if reasons else None,
        "reasons": [reason.value for reason in reasons],
        "door": door,
        "mode": policy.mode.value,
        "decides": "station" if coordinator.decides_itself and camera is None else "home_assistant",
        "station_lets_in": None if camera else _lets_in(people, coordinator, data["person_id"], number, reasons),
    }


def _camera_policy(request: Request, device_id: str, door: str) -> DoorPolicy:
    """Find what a watched camera asks for at a door. Raises ServiceValidationError for one that does not open it."""
    entry: FaceAccessConfigEntry
    _, entry = service.async_get_device_and_config_entry(request.hass, DOMAIN, device_id)
    coordinator = entry.runtime_data
    lookout = coordinator.station.lookout if isinstance(coordinator, FaceAccessCoordinator) else None
    policy = lookout.policy(door) if isinstance(lookout, Watching) else None
    if policy is None:
        raise invalid("camera_not_for_door", device=entry.title)
    return policy


def _lets_in(
    people: HousePeople, coordinator: FaceAccessCoordinator, person: str, door: int, reasons: tuple[Reason, ...]
) -> bool | None:
    """Say whether a station that decides by itself lets somebody in; None where it asks, or is not told yet.

    It knows nothing of doors that only notify, and nothing of second factors.
    """
    if not coordinator.decides_itself:
        return None
    held = [each for each in people.store.holdings(coordinator.serial).values() if each.person == person]
    if any(each.state is not HoldingState.HELD for each in held):
        return None
    profile, target = people.store.profiles.get(person), coordinator.station.people
    if not held or profile is None or target is None or _TOLD.intersection(reasons):
        return False
    told = Enrolments(coordinator).of(profile, people.identity.person(profile))
    if told is None or told.door not in (None, door):
        return False
    # As if they might pass that one alone: a station that opens another door only suspends them.
    return not target.as_held(replace(told, door=door)).suspended

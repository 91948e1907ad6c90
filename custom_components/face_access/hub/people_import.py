"""Taking over the people that a station has and the household has not."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..coordinator import FaceAccessCoordinator
from ..devices.errors import InvalidValueError, StationRefusedError
from ..devices.station import Enrolment, TakesOver
from ..people.model import PersonError, Profile
from ..people.store import digest
from . import people_input
from .doors import async_wired
from .people import HousePeople
from .people_issues import async_refusal_text
from .people_sync import TargetWorker
from .photo_checks import Checks, said

REFUSED: Final = "person_not_taken_over"

type Result = tuple[dict[str, Any], Profile | None]
"""What came of one person, as an action answers it, and the new person."""


async def async_import_station(
    hass: HomeAssistant, people: HousePeople, worker: TargetWorker, checks: Checks
) -> list[Result]:
    """Take over everybody; what came of each, and the new person. Raises StationError and sqlite3.Error.

    They keep the station's id there, and what lets them in is left as it is; every other station learns of them.
    """
    results = [await _import_one(hass, people, worker, held, checks, _nothing) for held in await worker.sync.foreign()]
    station = worker.people
    if isinstance(station, TakesOver):
        for held in [other async for other in station.others()]:
            results.append(await _import_one(hass, people, worker, held, checks, partial(station.take_over, held)))
    return results


async def _nothing() -> None:
    """Who can be kept as they are needs nothing to be done at the station."""


async def _import_one(
    hass: HomeAssistant,
    people: HousePeople,
    worker: TargetWorker,
    held: Enrolment,
    checks: Checks,
    take_over: Callable[[], Awaitable[None]],
) -> Result:
    place = {"key": held.key, "name": held.name}
    try:
        profile = people_input.new_profile(people, _described(worker, held)).checked()
        picture = await worker.people.photo(held.key)
        pictures = [] if picture is None else [picture]
        photos = await people_input.async_prepare(hass, people, profile.id, pictures, checks)
        await take_over()
        # Written down with the person: else the next round would give the station the same person a second time.
        holding = worker.sync.adopted(profile.id, held, tuple(map(digest, photos)))
        profile = await people.async_add(profile, photos, holding)
    except PersonError as err:
        return {**place, "result": err.code, **said(err)}, None
    except (StationRefusedError, InvalidValueError) as err:
        code = err.code if isinstance(err, StationRefusedError) else "invalid_value"
        return {**place, "result": REFUSED, "reason": async_refusal_text(code)}, None
    return {**place, "result": "added", "person_id": profile.id}, profile


def _described(worker: TargetWorker, held: Enrolment) -> dict[str, Any]:
    """Say of a person what the station says. Raises PersonError for one who passes a door alone that is not wired."""
    return {
        people_input.NAME: held.name or held.key,
        people_input.ROLE: held.role,
        people_input.CARD: held.card,
        people_input.VALID_FROM: held.valid_from,
        people_input.VALID_UNTIL: held.valid_until,
        people_input.ENABLED: not held.suspended,
        people_input.TEXT: held.text,
        people_input.DOORS: _doors(worker, held),
    }


def _doors(worker: TargetWorker, held: Enrolment) -> list[str] | None:
    """Find the only door that somebody may pass; None where the station makes no difference between its doors."""
    coordinator = worker.coordinator
    if held.door is None or not isinstance(coordinator, FaceAccessCoordinator):
        return None
    wired = [door.number for door in async_wired(coordinator)]
    if held.door not in wired:
        raise PersonError("person_door_not_wired")
    return None if len(wired) == 1 else [coordinator.door_id(held.door)]

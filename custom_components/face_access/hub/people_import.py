"""Taking over the people that a station has and the household has not."""

from typing import Any

from homeassistant.core import HomeAssistant

from ..devices.station import Enrolment
from ..people.model import PersonError, Profile, digest
from . import people_input
from .people import HousePeople
from .people_sync import TargetWorker
from .photo_checks import Checks, said


async def async_import_station(
    hass: HomeAssistant, people: HousePeople, worker: TargetWorker, checks: Checks
) -> list[tuple[dict[str, Any], Profile | None]]:
    """Take over everybody; what came of each, and the new person. Raises StationError and sqlite3.Error.

    They keep the station's id there, and nothing is sent to it; every other station learns of them.
    """
    results: list[tuple[dict[str, Any], Profile | None]] = []
    for held in await worker.sync.foreign():
        try:
            profile = await _import_one(hass, people, worker, held, checks)
        except PersonError as err:
            results.append(({"key": held.key, "result": err.code, **said(err)}, None))
        else:
            results.append(({"key": held.key, "result": "added", "person_id": profile.id}, profile))
    return results


async def _import_one(
    hass: HomeAssistant, people: HousePeople, worker: TargetWorker, held: Enrolment, checks: Checks
) -> Profile:
    picture = await worker.people.photo(held.key)
    data = {
        people_input.NAME: held.name or held.key,
        people_input.ROLE: held.role,
        people_input.CARD: held.card,
        people_input.VALID_FROM: held.valid_from,
        people_input.VALID_UNTIL: held.valid_until,
        people_input.ENABLED: not held.suspended,
        people_input.TEXT: held.text,
    }
    profile = people_input.new_profile(people, data).checked()
    pictures = [] if picture is None else [picture]
    photos = await people_input.async_prepare(hass, people, profile.id, pictures, checks)
    # Written down with the person: else the next round would give the station the same person a second time.
    return await people.async_add(profile, photos, worker.sync.adopted(profile.id, held, tuple(map(digest, photos))))

"""Adding and changing one person, as several actions do, and the pictures and targets that a call names."""

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.helpers import service

from ..const import DOMAIN
from ..coordinator import FaceAccessCoordinator
from ..hub.history.shown_in import async_note_shown
from ..hub.house import async_get_history
from ..hub.people import entry as people_entry, input as field
from ..hub.people.photo_checks import Checks
from ..hub.people.sync import TargetWorker
from ..hub.servers.coordinator import ServerCoordinator
from ..people.model import PersonError, Profile
from .media import MEDIA, async_load_pictures
from .people_fields import SIGHTING
from .people_request import PeopleRequest
from .request import invalid


async def add(request: PeopleRequest, profile: Profile, pictures: list[bytes]) -> Profile:
    """Add a person and show them on the list. Raises PersonError and sqlite3.Error."""
    entry = await people_entry.async_ensure_entry(request.hass)
    profile = await field.async_add(request.hass, request.people, profile, pictures, Checks.of(request.data))
    people_entry.async_link(request.hass, entry, profile)
    return profile


async def update(request: PeopleRequest, profile: Profile, pictures: list[bytes], *, add: bool) -> Profile:
    """Change a person; `add` puts new photos after the old ones. Raises PersonError and sqlite3.Error."""
    checks = Checks.of(request.data)
    profile = await field.async_update(request.hass, request.people, profile, pictures, checks, add=add)
    if (entry := people_entry.async_entry(request.hass)) is not None:
        people_entry.async_link(request.hass, entry, profile)
    return profile


async def pictures_of(request: PeopleRequest) -> list[bytes]:
    """Load all pictures that a call names. Raises PersonError, ServiceValidationError and HomeAssistantError."""
    pictures = await async_load_pictures(request.hass, request.data)
    return pictures + [await picture_of_sighting(request, one) for one in request.data.get(SIGHTING, ())]


async def picture_of_sighting(request: PeopleRequest, sighting: int) -> bytes:
    """Read the picture of a past sighting. Raises PersonError where there is none, or none any more."""
    picture = await (await async_get_history(request.hass)).picture(sighting)
    if picture is None:
        raise PersonError("photo_gone")
    return picture


async def remember(request: PeopleRequest, profile: Profile) -> None:
    """Note which sightings show this person: their pictures go with the person."""
    sightings = request.data.get(SIGHTING, ())
    numbers = [sightings] if isinstance(sightings, int) else sightings
    await async_note_shown(request.hass, profile.id, numbers, request.data.get(MEDIA, ()))


def workers_of(request: PeopleRequest) -> list[TargetWorker]:
    """Find the stations that the call means. Raises ServiceValidationError for one that holds no people."""
    if ATTR_DEVICE_ID not in request.data:
        return list(request.people.workers.values())
    _, entry = service.async_get_device_and_config_entry(request.hass, DOMAIN, request.data[ATTR_DEVICE_ID])
    coordinator = entry.runtime_data
    worker = None
    if isinstance(coordinator, (FaceAccessCoordinator, ServerCoordinator)):
        worker = request.people.workers.get(coordinator.serial)
    if worker is None:
        raise invalid("not_capable", device=entry.title, action="people")
    return [worker]

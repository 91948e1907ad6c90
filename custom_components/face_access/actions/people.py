"""The actions on the people of the household. They concern no single station, and are an administrator's alone."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
import sqlite3
from typing import Any, cast

from homeassistant.const import ATTR_DEVICE_ID, Platform
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util.json import JsonObjectType
import probatio as vol

from ..access import Role, Verdict
from ..const import DOMAIN
from ..coordinator import FaceAccessCoordinator
from ..devices.errors import StationError
from ..hub import people_entry, people_input as field
from ..hub.errors import asking_for_login, translated
from ..hub.gallery import async_gallery
from ..hub.house import async_get_history
from ..hub.past_events import EventKind
from ..hub.people import async_get_people
from ..hub.people_import import async_import_station
from ..hub.people_sync import TargetWorker
from ..hub.photo_checks import CHECK_DUPLICATES, CHECK_LIVENESS, CHECK_QUALITY, MINIMUM_SIMILARITY, Checks, said
from ..hub.servers import ServerCoordinator
from ..people.model import MAX_CARD, PersonError, Profile, Storage
from . import fields
from .events import get_events
from .media import async_load_pictures
from .people_answers import checked, learning, person, progress
from .people_files import Line, async_read_people, async_read_photos, async_write_export
from .people_request import PeopleRequest
from .request import invalid
from .sightings import get_sightings

MEDIA, PATH, IMAGE_ENTITY, SIGHTING = "media", "path", "image_entity", "sighting_id"
KEEP_HISTORY = "keep_history"


async def add_person(request: PeopleRequest) -> ServiceResponse:
    """Add a person with photos from media, files, cameras or past sightings."""
    profile = field.new_profile(request.people, request.data).checked()
    pictures = await _pictures(request)
    profile = await _add(request, profile, pictures)
    await _remember(request, profile, request.data.get(SIGHTING, ()))
    return checked(request, profile, pictures)


async def enroll_from_sighting(request: PeopleRequest) -> ServiceResponse:
    """Add the person of a past sighting, or give its picture to somebody who is known."""
    picture = await _picture_of_sighting(request, request.data[SIGHTING])
    known = request.people.store.profiles.get(request.data.get(field.PERSON_ID, ""))
    if known is None:
        profile = await _add(request, field.new_profile(request.people, request.data).checked(), [picture])
    else:
        profile = await _update(request, known, [picture], add=True)
    await _remember(request, profile, [request.data[SIGHTING]])
    return checked(request, profile, [picture])


async def update_person(request: PeopleRequest) -> ServiceResponse:
    """Change what is given of a person. New photos take the place of the old ones, or come after them."""
    profile = field.changed(request.profile(), request.data).checked()
    pictures = await _pictures(request)
    profile = await _update(request, profile, pictures, add=request.data["add_photos"])
    await _remember(request, profile, request.data.get(SIGHTING, ()))
    return checked(request, profile, pictures)


async def remove_person(request: PeopleRequest) -> ServiceResponse:
    """Remove a person here, and then from every station."""
    profile = request.profile()
    await request.people.async_remove(profile.id, keep_history=request.data[KEEP_HISTORY])
    if (entry := people_entry.async_entry(request.hass)) is not None:
        people_entry.async_unlink(request.hass, entry, profile.id)
    return {field.PERSON_ID: profile.id}


async def list_persons(request: PeopleRequest) -> ServiceResponse:
    """List everybody, and how far each station is with them."""
    persons = [person(request, profile) for profile in request.people.store.profiles.values()]
    return cast("JsonObjectType", {"persons": persons})


async def sync_people(request: PeopleRequest) -> ServiceResponse:
    """Look at what stations have, give them what they lack, and ask again what they refused."""
    workers = _workers(request)
    for worker in workers:
        worker.async_wake(look=True, retry=True)
    online = [worker.done.wait() for worker in workers if worker.coordinator.last_update_success]
    # All stations, and Home Assistant itself where it recognises.
    gallery = None if ATTR_DEVICE_ID in request.data else async_gallery(request.hass)
    if gallery is not None:
        gallery.async_wake(look=True, retry=True)
        online.append(gallery.done.wait())
    try:
        async with asyncio.timeout(request.data["wait"].total_seconds()):
            await asyncio.gather(*online)
    except TimeoutError:
        # They go on by themselves: the answer says how far they are.
        pass
    answer = {
        "stations": [progress(worker) for worker in workers],
        "recognition": None if gallery is None else learning(gallery),
    }
    return cast("JsonObjectType", answer)


async def import_people(request: PeopleRequest) -> ServiceResponse:
    """Take over people that a station has and the household has not, or those of a CSV file with photos beside it."""
    if (ATTR_DEVICE_ID in request.data) is (PATH in request.data):
        raise invalid("exactly_one", fields=f"{ATTR_DEVICE_ID}, {PATH}")
    entry = await people_entry.async_ensure_entry(request.hass)
    results: list[dict[str, Any]] = []
    if PATH in request.data:
        lines = await async_read_people(request.hass, request.data[PATH])
        results = [await _import_line(request, line) for line in lines]
    else:
        (worker,) = _workers(request)
        with asking_for_login(worker.coordinator):
            imported = await async_import_station(request.hass, request.people, worker, Checks.of(request.data))
        for result, profile in imported:
            if profile is not None:
                people_entry.async_link(request.hass, entry, profile)
            results.append(result)
    return cast("JsonObjectType", {"persons": results})


async def export_people(request: PeopleRequest) -> ServiceResponse:
    """Give everybody, and write them with cards and photos into a folder where one is named."""
    store = request.people.store
    persons = [person(request, profile) for profile in store.profiles.values()]
    if PATH in request.data:
        everybody = [(profile, await store.photos(profile.id)) for profile in tuple(store.profiles.values())]
        await async_write_export(request.hass, request.data[PATH], everybody)
    return cast("JsonObjectType", {"persons": persons})


# What the actions share


async def _add(request: PeopleRequest, profile: Profile, pictures: list[bytes]) -> Profile:
    entry = await people_entry.async_ensure_entry(request.hass)
    if profile.id in request.people.store.profiles:
        raise PersonError("person_exists")
    photos = await field.async_prepare(request.hass, request.people, profile.id, pictures, Checks.of(request.data))
    if not photos and profile.card is None:
        raise PersonError("person_photo_missing")
    profile = await request.people.async_add(profile, photos)
    people_entry.async_link(request.hass, entry, profile)
    return profile


async def _update(request: PeopleRequest, profile: Profile, pictures: list[bytes], *, add: bool) -> Profile:
    photos = await field.async_prepare(request.hass, request.people, profile.id, pictures, Checks.of(request.data))
    if photos and add:
        photos = [*await request.people.store.photos(profile.id), *photos]
    profile = await request.people.async_update(profile, photos or None)
    if (entry := people_entry.async_entry(request.hass)) is not None:
        people_entry.async_link(request.hass, entry, profile)
    return profile


async def _import_line(request: PeopleRequest, line: Line) -> dict[str, Any]:
    """Add one person of a file; what came of it, which stops nobody else."""
    try:
        data = _LINE(line.data)
        pictures = await async_read_photos(request.hass, line)
        profile = await _add(request, field.new_profile(request.people, data).checked(), pictures)
    except PersonError as err:
        return {**line.place, "result": err.code, **said(err)}
    except vol.Invalid:
        return {**line.place, "result": "person_line_invalid"}
    return {**line.place, "result": "added", field.PERSON_ID: profile.id}


async def _pictures(request: PeopleRequest) -> list[bytes]:
    pictures = await async_load_pictures(request.hass, request.data)
    return pictures + [await _picture_of_sighting(request, one) for one in request.data.get(SIGHTING, ())]


async def _picture_of_sighting(request: PeopleRequest, sighting: int) -> bytes:
    picture = await (await async_get_history(request.hass)).picture(sighting)
    if picture is None:
        raise PersonError("photo_gone")
    return picture


async def _remember(request: PeopleRequest, profile: Profile, sightings: Iterable[int]) -> None:
    """Note whom these sightings show: their pictures go with the person."""
    history = await async_get_history(request.hass)
    for sighting in sightings:
        await history.enrolled(sighting, profile.id)


def _workers(request: PeopleRequest) -> list[TargetWorker]:
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


_FACTS: dict[vol.Marker, Any] = {
    vol.Optional(field.ROLE): vol.Any(None, vol.Coerce(Role)),
    vol.Optional(field.ENABLED): vol.Any(None, cv.boolean),
    vol.Optional(field.VALID_FROM): vol.Any(None, fields.moment),
    vol.Optional(field.VALID_UNTIL): vol.Any(None, fields.moment),
    vol.Optional(field.DOORS): vol.Any(None, vol.All(cv.ensure_list, [fields.text])),
    vol.Optional(field.SCHEDULE): vol.Any(None, cv.entity_domain("schedule")),
    vol.Optional(field.CARD): vol.Any(None, fields.whole(1, MAX_CARD, exact=True)),
    vol.Optional(field.TEXT): vol.Any(None, cv.string),
    vol.Optional(field.LINKED): vol.Any(None, cv.entity_domain("person")),
    vol.Optional(field.METADATA): vol.Any(None, {fields.text: cv.string}),
    vol.Optional(field.STORAGE): vol.Any(None, vol.Coerce(Storage)),
}
_PICTURES: dict[vol.Marker, Any] = {
    vol.Optional(MEDIA): vol.All(lambda value: value if isinstance(value, list) else [value], [fields.media]),
    vol.Optional(PATH): vol.All(cv.ensure_list, [fields.file_path]),
    vol.Optional(IMAGE_ENTITY): vol.All(cv.ensure_list, [cv.entity_domain([Platform.CAMERA, Platform.IMAGE])]),
    vol.Optional(SIGHTING): vol.All(cv.ensure_list, [fields.whole(1, 2**63 - 1)]),
}
_CHECKS: dict[vol.Marker, Any] = {
    vol.Optional(CHECK_DUPLICATES): cv.boolean,
    vol.Optional(MINIMUM_SIMILARITY): fields.share,
    vol.Optional(CHECK_LIVENESS): cv.boolean,
    vol.Optional(CHECK_QUALITY): cv.boolean,
}
_ID: dict[vol.Marker, Any] = {vol.Required(field.PERSON_ID): fields.text}
_NEW: dict[vol.Marker, Any] = {vol.Optional(field.PERSON_ID): fields.text, vol.Required(field.NAME): fields.text}
_LINE = vol.Schema({**_NEW, **_FACTS})

type Handler = Callable[[PeopleRequest], Coroutine[Any, Any, ServiceResponse]]

PEOPLE_ACTIONS: Mapping[str, tuple[Handler, dict[vol.Marker, Any], SupportsResponse]] = {
    "add_person": (add_person, {**_NEW, **_FACTS, **_PICTURES, **_CHECKS}, SupportsResponse.OPTIONAL),
    "update_person": (
        update_person,
        {
            **_ID,
            vol.Optional(field.NAME): fields.text,
            **_FACTS,
            **_PICTURES,
            **_CHECKS,
            vol.Optional("add_photos", default=False): cv.boolean,
        },
        SupportsResponse.OPTIONAL,
    ),
    "remove_person": (
        remove_person,
        {**_ID, vol.Optional(KEEP_HISTORY, default=False): cv.boolean},
        SupportsResponse.OPTIONAL,
    ),
    "list_persons": (list_persons, {}, SupportsResponse.ONLY),
    "enroll_from_sighting": (
        enroll_from_sighting,
        {
            vol.Required(SIGHTING): fields.whole(1, 2**63 - 1),
            vol.Optional(field.PERSON_ID): fields.text,
            vol.Optional(field.NAME): fields.text,
            **_FACTS,
            **_CHECKS,
        },
        SupportsResponse.OPTIONAL,
    ),
    "sync_people": (
        sync_people,
        {vol.Optional(ATTR_DEVICE_ID): cv.string, vol.Optional("wait", default={"seconds": 60}): fields.duration},
        SupportsResponse.OPTIONAL,
    ),
    "import_people": (
        import_people,
        {vol.Optional(ATTR_DEVICE_ID): cv.string, vol.Optional(PATH): fields.file_path, **_CHECKS},
        SupportsResponse.OPTIONAL,
    ),
    "get_sightings": (
        get_sightings,
        {
            vol.Optional(ATTR_DEVICE_ID): cv.string,
            vol.Optional(field.PERSON_ID): fields.text,
            vol.Optional("start"): fields.moment,
            vol.Optional("end"): fields.moment,
            vol.Optional("verdict"): vol.Coerce(Verdict),
            vol.Optional("limit", default=100): fields.whole(1, 1000),
            vol.Optional("pictures", default=False): cv.boolean,
        },
        SupportsResponse.ONLY,
    ),
    "get_events": (
        get_events,
        {
            vol.Optional(ATTR_DEVICE_ID): cv.string,
            vol.Optional("kinds"): vol.All(cv.ensure_list, [vol.Coerce(EventKind)], vol.Length(min=1)),
            vol.Optional("start"): fields.moment,
            vol.Optional("end"): fields.moment,
            vol.Optional("limit", default=100): fields.whole(1, 1000),
        },
        SupportsResponse.ONLY,
    ),
    "export_people": (export_people, {vol.Optional(PATH): fields.file_path}, SupportsResponse.OPTIONAL),
}


@callback
def async_setup_people_actions(hass: HomeAssistant) -> None:
    """Register the actions on people."""
    for name, (handler, schema, response) in PEOPLE_ACTIONS.items():
        service.async_register_admin_service(
            hass, DOMAIN, name, _runner(handler), schema=vol.Schema(schema), supports_response=response
        )


def _runner(handler: Handler) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    """Wrap a handler so that the user reads a translated error."""

    async def run(call: ServiceCall) -> ServiceResponse:
        people = await async_get_people(call.hass)
        try:
            return await handler(PeopleRequest(hass=call.hass, people=people, data=call.data))
        except PersonError as err:
            raise invalid(err.code, **err.placeholders) from err
        except StationError as err:
            raise HomeAssistantError(**translated(err)) from err
        except sqlite3.Error as err:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="person_not_written") from err

    return run

"""The actions on the people of the household. They concern no single station, and are an administrator's alone."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
import sqlite3
from typing import Any, cast

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util.json import JsonObjectType
import probatio as vol

from ..access import Verdict
from ..const import DOMAIN
from ..devices.errors import StationError
from ..hub.errors import translated
from ..hub.history.past_events import EventKind
from ..hub.local.gallery import async_gallery
from ..hub.people import entry as people_entry, input as field
from ..hub.people.household import async_get_people
from ..people.model import PersonError
from . import fields
from .events import get_events
from .media import PATH
from .people_answers import checked, learning, person, progress
from .people_bulk import UPDATE, export_people, import_people
from .people_changes import add, picture_of_sighting, pictures_of, remember, update, workers_of
from .people_fields import CHECKS, FACTS, ID, NEW, PICTURES, SIGHTING
from .people_request import PeopleRequest
from .request import invalid
from .sightings import get_sightings

KEEP_HISTORY = "keep_history"


async def add_person(request: PeopleRequest) -> ServiceResponse:
    """Add a person with photos from media, files, cameras or past sightings."""
    profile = field.new_profile(request.people, request.data).checked()
    pictures = await pictures_of(request)
    profile = await add(request, profile, pictures)
    await remember(request, profile)
    return checked(request, profile, pictures)


async def enroll_from_sighting(request: PeopleRequest) -> ServiceResponse:
    """Add the person of a past sighting, or give its picture to somebody who is known."""
    picture = await picture_of_sighting(request, request.data[SIGHTING])
    known = request.people.store.profiles.get(request.data.get(field.PERSON_ID, ""))
    if known is None:
        profile = await add(request, field.new_profile(request.people, request.data).checked(), [picture])
    else:
        profile = await update(request, known, [picture], add=True)
    await remember(request, profile)
    return checked(request, profile, [picture])


async def update_person(request: PeopleRequest) -> ServiceResponse:
    """Change what is given of a person. New photos take the place of the old ones, or come after them."""
    profile = field.changed(request.profile(), request.data).checked()
    pictures = await pictures_of(request)
    profile = await update(request, profile, pictures, add=request.data["add_photos"])
    await remember(request, profile)
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
    workers = workers_of(request)
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


type Handler = Callable[[PeopleRequest], Coroutine[Any, Any, ServiceResponse]]

PEOPLE_ACTIONS: Mapping[str, tuple[Handler, dict[vol.Marker, Any], SupportsResponse]] = {
    "add_person": (add_person, {**NEW, **FACTS, **PICTURES, **CHECKS}, SupportsResponse.OPTIONAL),
    "update_person": (
        update_person,
        {
            **ID,
            vol.Optional(field.NAME): fields.text,
            **FACTS,
            **PICTURES,
            **CHECKS,
            vol.Optional("add_photos", default=False): cv.boolean,
        },
        SupportsResponse.OPTIONAL,
    ),
    "remove_person": (
        remove_person,
        {**ID, vol.Optional(KEEP_HISTORY, default=False): cv.boolean},
        SupportsResponse.OPTIONAL,
    ),
    "list_persons": (list_persons, {}, SupportsResponse.ONLY),
    "enroll_from_sighting": (
        enroll_from_sighting,
        {
            vol.Required(SIGHTING): fields.whole(1, 2**63 - 1),
            vol.Optional(field.PERSON_ID): fields.text,
            vol.Optional(field.NAME): fields.text,
            **FACTS,
            **CHECKS,
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
        {
            vol.Optional(ATTR_DEVICE_ID): cv.string,
            vol.Optional(PATH): fields.file_path,
            vol.Optional(UPDATE, default=False): cv.boolean,
            **CHECKS,
        },
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

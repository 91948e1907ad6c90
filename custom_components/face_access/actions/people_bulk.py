"""Many people at once: taken over from a station, read from files and written to them, with a result for each."""

import sqlite3
from typing import Any, cast

from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import ServiceResponse
from homeassistant.util.json import JsonObjectType
import probatio as vol

from ..const import LOGGER
from ..hub.errors import asking_for_login
from ..hub.people import entry as people_entry, input as field
from ..hub.people.importing import async_import_station
from ..hub.people.photo_checks import Checks, said
from ..people.model import PersonError
from .media import PATH
from .people_answers import person
from .people_changes import add, update, workers_of
from .people_fields import LINE
from .people_files import Line, async_read_people, async_read_photos, async_write_export
from .people_request import PeopleRequest
from .request import invalid

UPDATE = "update"


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
        (worker,) = workers_of(request)
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


async def _import_line(request: PeopleRequest, line: Line) -> dict[str, Any]:
    """Add one person of a file, or change them where that is wanted; what came of it, which stops nobody else."""
    try:
        data = LINE(line.data)
        pictures = await async_read_photos(request.hass, line)
        known = request.people.store.profiles.get(data.get(field.PERSON_ID, "")) if request.data[UPDATE] else None
        if known is None:
            profile = await add(request, field.new_profile(request.people, data).checked(), pictures)
        else:
            profile = await update(request, field.changed(known, data).checked(), pictures, add=False)
    except PersonError as err:
        return {**line.place, "result": err.code, **said(err)}
    except vol.Invalid:
        return {**line.place, "result": "person_line_invalid"}
    except sqlite3.Error as err:
        LOGGER.error("a person of a file could not be stored (%s): %s", line.place, type(err).__name__)
        return {**line.place, "result": "person_not_written"}
    return {**line.place, "result": "added" if known is None else "updated", field.PERSON_ID: profile.id}

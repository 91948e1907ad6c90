"""The action that reads the sightings of the whole house."""

import sqlite3
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import service
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..coordinator import FaceAccessCoordinator
from ..hub.house import async_get_history
from .people_request import PeopleRequest
from .records import as_data
from .request import invalid


async def get_sightings(request: PeopleRequest) -> ServiceResponse:
    """List sightings, newest first, of a station or a person where one is named.

    Each has the number by which other actions find its picture.
    """
    data = request.data
    start, end = data.get("start"), data.get("end")
    if start is not None and end is not None and start >= end:
        raise invalid("start_after_end")
    history = await async_get_history(request.hass)
    try:
        found = await history.list(
            source=_source(request), person=data.get("person_id"), start=start, end=end, limit=data["limit"]
        )
    except sqlite3.Error as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="history_unreadable") from err
    names = _station_names(request.hass)
    sightings: list[JsonObjectType] = [
        {"sighting_id": one.id, "station": names.get(one.source, one.source), **as_data(one)} for one in found
    ]
    return {"sightings": list(sightings)}


def _source(request: PeopleRequest) -> str | None:
    if ATTR_DEVICE_ID not in request.data:
        return None
    entry: ConfigEntry[Any]
    _, entry = service.async_get_device_and_config_entry(request.hass, DOMAIN, request.data[ATTR_DEVICE_ID])
    if not isinstance(entry.runtime_data, FaceAccessCoordinator):
        raise invalid("not_capable", device=entry.title, action=f"{DOMAIN}.get_sightings")
    return entry.runtime_data.serial


def _station_names(hass: HomeAssistant) -> dict[str, str]:
    return {entry.unique_id: entry.title for entry in hass.config_entries.async_entries(DOMAIN) if entry.unique_id}

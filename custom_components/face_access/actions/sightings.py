"""The action that reads the sightings of the whole house."""

from base64 import b64encode
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
from ..hub.history.past_sightings import PastSighting
from ..hub.history.store import History
from ..hub.history.views import media_id
from ..hub.house import async_get_history
from ..hub.picture import content_type
from .people_request import PeopleRequest
from .records import as_data
from .request import invalid

# Some megabytes: what a browser and an automation still take as one answer.
MOST_PICTURES = 20


async def get_sightings(request: PeopleRequest) -> ServiceResponse:
    """List sightings, newest first, of a station, a person or a verdict where one is named.

    Each has the number, and the media, by which other actions find its picture. `pictures` puts them into the answer,
    and that has room for fewer.
    """
    data = request.data
    start, end = data.get("start"), data.get("end")
    if start is not None and end is not None and start >= end:
        raise invalid("start_after_end")
    history = await async_get_history(request.hass)
    limit = min(data["limit"], MOST_PICTURES) if data["pictures"] else data["limit"]
    try:
        found = await history.list(
            source=source_of(request, "get_sightings"),
            person=data.get("person_id"),
            verdict=data.get("verdict"),
            start=start,
            end=end,
            limit=limit,
        )
        pictures = [await _inline(history, one) for one in found] if data["pictures"] else [{}] * len(found)
    except sqlite3.Error as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="history_unreadable") from err
    names = station_names(request.hass)
    sightings: list[JsonObjectType] = [
        {
            "sighting_id": one.id,
            "station": names.get(one.source, one.source),
            **as_data(one),
            "media": media_id(one),
            **picture,
        }
        for one, picture in zip(found, pictures, strict=True)
    ]
    return {"sightings": list(sightings)}


async def _inline(history: History, past: PastSighting) -> JsonObjectType:
    picture = await history.picture(past.id)
    if picture is None:
        return {"content_type": None, "content": None}
    return {"content_type": content_type(picture), "content": b64encode(picture).decode()}


def source_of(request: PeopleRequest, action: str) -> str | None:
    """Find the serial number of the station that the call names; None where it names none."""
    if ATTR_DEVICE_ID not in request.data:
        return None
    entry: ConfigEntry[Any]
    _, entry = service.async_get_device_and_config_entry(request.hass, DOMAIN, request.data[ATTR_DEVICE_ID])
    if not isinstance(entry.runtime_data, FaceAccessCoordinator):
        raise invalid("not_capable", device=entry.title, action=f"{DOMAIN}.{action}")
    return entry.runtime_data.serial


def station_names(hass: HomeAssistant) -> dict[str, str]:
    """Give what the household calls each station, by serial number."""
    return {entry.unique_id: entry.title for entry in hass.config_entries.async_entries(DOMAIN) if entry.unique_id}

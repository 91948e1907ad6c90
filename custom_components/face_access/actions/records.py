"""The action that reads the history of sightings."""

import sqlite3

from homeassistant.core import ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..devices.station import Station
from ..hub.history.past_sightings import PastSighting
from .request import Request, invalid


async def get_records(request: Request, station: Station) -> ServiceResponse:
    """List sightings from `start` up to but without `end`, newest first: the limit leaves out the oldest.

    `fetch` asks the station for missed ones first.
    """
    data = request.data
    start, end = data.get("start"), data.get("end")
    if start is not None and end is not None and start >= end:
        raise invalid("start_after_end")
    coordinator = request.coordinator
    response: JsonObjectType = {}
    if data["fetch"]:
        if station.records is None:
            raise invalid("no_records", device=coordinator.config_entry.title)
        response["fetched"] = await coordinator.catch_up.async_run()
    try:
        found = await coordinator.history.list(source=coordinator.serial, start=start, end=end, limit=data["limit"])
    except sqlite3.Error as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="history_unreadable") from err
    response["records"] = [as_data(sighting) for sighting in found]
    return response


def as_data(sighting: PastSighting) -> JsonObjectType:
    """Give what may be told of a sighting: not its picture, but whether there is one."""
    return {
        "time": dt_util.as_local(sighting.captured_at).isoformat(),
        "person_id": sighting.person_id,
        "person": sighting.person_name,
        "score": sighting.score,
        "verdict": sighting.verdict.value,
        "reason": sighting.reason.value if sighting.reason else None,
        "temperature": sighting.temperature,
        "mask": sighting.mask,
        "live": sighting.live,
        "picture": sighting.picture,
    }

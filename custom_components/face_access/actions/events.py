"""The action that reads what happened at the stations of the whole house, besides the faces they saw."""

import sqlite3

from homeassistant.core import ServiceResponse
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..const import DOMAIN
from ..hub.history.past_events import PastEvent
from ..hub.house import async_get_history
from .people_request import PeopleRequest
from .request import invalid
from .sightings import source_of, station_names


async def get_events(request: PeopleRequest) -> ServiceResponse:
    """List rings, passages, doors that moved and alarms, newest first: those of a station or of some kinds alone."""
    data = request.data
    start, end = data.get("start"), data.get("end")
    if start is not None and end is not None and start >= end:
        raise invalid("start_after_end")
    source = source_of(request, "get_events")
    history = await async_get_history(request.hass)
    try:
        found = await history.events(source=source, kinds=data.get("kinds"), start=start, end=end, limit=data["limit"])
    except sqlite3.Error as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="history_unreadable") from err
    names = station_names(request.hass)
    return {"events": [{"station": names.get(one.source, one.source), **_as_data(one)} for one in found]}


def _as_data(event: PastEvent) -> JsonObjectType:
    return {
        "time": dt_util.as_local(event.at).isoformat(),
        "kind": event.kind.value,
        "method": event.method and event.method.value,
        "owner": event.owner,
        "reason": event.reason and event.reason.value,
        "doors": [_number(event, door) for door in event.doors],
        "live": event.live,
    }


def _number(event: PastEvent, door: str) -> int | str:
    """Give the number of a door of the station: its id is the station's with the number behind it."""
    number = door.removeprefix(f"{event.source}_")
    return int(number) if number.isdecimal() else door

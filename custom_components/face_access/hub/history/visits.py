"""Who was recognised at which door lately: what conditions ask, since an event entity knows its last event alone."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ...access.naming import SightingKind
from ...const import DOMAIN
from ..happenings import Happens, async_ours, happened_at, type_of
from ..people.departures import SIGNAL_FORGOTTEN
from ..whom import Whom
from ..words import kind_of_past
from .past_sightings import PastSighting
from .store import History

# Beyond this a question about the past is one for the history.
LONGEST: Final = timedelta(hours=24)
# A busy office; more would only be kept to be thrown away.
_AT_MOST: Final = 1000
_VISITS: HassKey[Visits] = HassKey(f"{DOMAIN}_visits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Somebody was recognised, with what the event said."""

    at: datetime
    attributes: Mapping[str, Any]


class Visits:
    """The last visits of each face entity, in memory; after a restart they are read from history."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin to listen, before any station is there; never stops, since conditions may ask at any time."""
        self._hass = hass
        self._of: dict[str, deque[Visit]] = {}
        self._read: set[str] = set()
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._async_changed, event_filter=self._is_event)
        async_dispatcher_connect(hass, SIGNAL_FORGOTTEN, self._async_forget)

    async def async_read(self, entity_id: str, source: str, history: History) -> None:
        """Read the visits of before the start, once for a face entity; `source` is the serial number of its station.

        What was fetched from a station afterwards was no event when it happened, and counts for none now. Raises
        sqlite3.Error.
        """
        if entity_id in self._read:
            return
        self._read.add(entity_id)
        past = await history.list(source=source, start=dt_util.utcnow() - LONGEST, limit=_AT_MOST)
        kept = self._of.get(entity_id, ())
        seen = [_visit(one) for one in past if one.live and kind_of_past(one) is SightingKind.RECOGNISED]
        # The restored state is the last of them, a moment after its sighting: twice the same visit harms nobody.
        visits = sorted([*seen, *kept], key=lambda visit: visit.at)
        self._of[entity_id] = deque(visits, maxlen=_AT_MOST)

    @callback
    def _async_forget(self, person: str) -> None:
        """Forget the visits of somebody of the household who is removed."""
        for entity_id, visits in self._of.items():
            rest = (visit for visit in visits if not _is_of(visit.attributes, person))
            self._of[entity_id] = deque(rest, maxlen=_AT_MOST)

    @callback
    def async_last(self, entity_id: str, whom: Whom, *, since: datetime, until: datetime) -> Visit | None:
        """Find the last visit of somebody at a face entity, from `since` to `until`, both included."""
        fits = whom.async_test(self._hass)
        visits = (visit for visit in reversed(self._of.get(entity_id, ())) if since <= visit.at <= until)
        return next((visit for visit in visits if fits(visit.attributes)), None)

    @staticmethod
    @callback
    def _is_event(data: EventStateChangedData) -> bool:
        return data["entity_id"].startswith("event.")

    @callback
    def _async_changed(self, event: Event[EventStateChangedData]) -> None:
        if (state := event.data["new_state"]) is not None:
            self._async_take(state)
        else:
            # The entity is removed: whom it saw goes with it.
            self._of.pop(event.data["entity_id"], None)
            self._read.discard(event.data["entity_id"])

    def _async_take(self, state: State) -> None:
        """Keep a visit once: a state that is only shown again has the time of the visit that is kept already."""
        at = happened_at(state)
        if at is None or type_of(state) != SightingKind.RECOGNISED:
            return
        if not async_ours(self._hass, [state.entity_id], Happens.FACE):
            return
        kept = self._of.setdefault(state.entity_id, deque(maxlen=_AT_MOST))
        if kept and kept[-1].at == at:
            return
        while kept and kept[0].at < at - LONGEST:
            kept.popleft()
        kept.append(Visit(at=at, attributes=state.attributes))


def _is_of(attributes: Mapping[str, Any], person: str) -> bool:
    return bool(attributes.get("household")) and attributes.get("person_id") == person


def _visit(past: PastSighting) -> Visit:
    """Say of a past sighting what its event said, as far as a condition asks."""
    attributes = {
        "person": past.person_name,
        "person_id": past.person_id,
        "household": past.household,
        "score": past.score,
        "verdict": past.verdict,
        "liveness": past.liveness,
    }
    return Visit(at=past.captured_at, attributes=attributes)


@callback
def async_get_visits(hass: HomeAssistant) -> Visits:
    """Give the visits of the house, which are kept from the first call on."""
    if (visits := hass.data.get(_VISITS)) is None:
        visits = hass.data[_VISITS] = Visits(hass)
    return visits

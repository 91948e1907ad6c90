"""Who was recognised at which door lately: what conditions ask, since an event entity knows its last event alone."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.util.hass_dict import HassKey

from ..access.naming import SightingKind
from ..const import DOMAIN
from .happenings import Happens, async_ours, happened_at, type_of
from .whom import Whom

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
    """The last visits of each face entity, in memory.

    After a restart each door knows its last visitor alone, with the true time: the entity is restored.
    """

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin to listen, before any station is there; never stops, since conditions may ask at any time."""
        self._hass = hass
        self._of: dict[str, deque[Visit]] = {}
        hass.bus.async_listen(EVENT_STATE_CHANGED, self._async_changed, event_filter=self._is_event)

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


@callback
def async_get_visits(hass: HomeAssistant) -> Visits:
    """Give the visits of the house, which are kept from the first call on."""
    if (visits := hass.data.get(_VISITS)) is None:
        visits = hass.data[_VISITS] = Visits(hass)
    return visits

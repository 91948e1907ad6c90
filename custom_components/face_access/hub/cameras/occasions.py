"""Why a camera is to be looked at now: a sensor or a doorbell says so, or somebody asks for it."""

from collections.abc import Callable
from typing import Final

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.const import STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_track_state_change_event

# What a look takes at least: two pictures that agree, and one to spare. A machine too slow to follow takes no more.
SHOTS: Final = 3
# A camera that rarely has a new picture is waited for, but not for ever: it may hang.
PATIENCE: Final = 25.0


class Occasions:
    """The entities that were chosen for one camera, and how long it is still to be looked at."""

    def __init__(self, hass: HomeAssistant, triggers: list[str], happened: Callable[[bool], None]) -> None:
        """`happened` hears of each change of an entity, and whether it is one to look for."""
        self._hass = hass
        self._names = triggers
        self._happened = happened
        self._on: set[str] = set()
        self._until = self._latest = float("-inf")
        self._shots = 0

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Listen to the entities; the way to end that."""
        registry = er.async_get(self._hass)
        names = [found for name in self._names if (found := er.async_resolve_entity_id(registry, name))]
        self._on = {name for name in names if _is_on(self._hass.states.get(name))}
        return async_track_state_change_event(self._hass, names, self._async_changed)

    @property
    def chosen(self) -> bool:
        """Whether there are such entities, so that nobody need look by himself."""
        return bool(self._names)

    @property
    def on(self) -> bool:
        """Whether one of them says that somebody is there."""
        return bool(self._on)

    @property
    def demanded(self) -> bool:
        """Whether to look without pause."""
        return self._hass.loop.time() < self._until or self.wanted

    @property
    def wanted(self) -> bool:
        """Whether pictures are lacking for the last demand, and may still come."""
        return self._shots > 0 and self._hass.loop.time() < self._latest

    def demand(self, seconds: float) -> None:
        """Have the camera looked at for a while, and until it has given enough pictures."""
        now = self._hass.loop.time()
        self._until = max(self._until, now + seconds)
        self._latest = max(self._until, now + PATIENCE)
        self._shots = SHOTS

    def took(self) -> None:
        """Count a new picture."""
        self._shots = max(0, self._shots - 1)

    @callback
    def _async_changed(self, event: Event[EventStateChangedData]) -> None:
        name, before, state = event.data["entity_id"], event.data["old_state"], event.data["new_state"]
        if name.startswith(f"{EVENT_DOMAIN}."):
            happened = _has_happened(before, state)
        else:
            happened = _is_on(state) and not _is_on(before)
            (self._on.add if _is_on(state) else self._on.discard)(name)
        self._happened(happened)


def _is_on(state: State | None) -> bool:
    return state is not None and state.state == STATE_ON


def _has_happened(before: State | None, state: State | None) -> bool:
    """Whether an event entity fired: coming back it shows once more what happened before."""
    if before is None or state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return False
    return before.state not in (STATE_UNAVAILABLE, state.state)

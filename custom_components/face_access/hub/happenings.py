"""The event entities as automations see them: which of them a target means, and what their states tell."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from homeassistant.components.event import EventEntityStateAttribute
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.util import dt as dt_util

from ..const import DOMAIN


class Happens(StrEnum):
    """What kinds of event entities there are: their translation keys, which no renaming changes."""

    FACE = "face"
    ACCESS = "access"
    DOORBELL = "doorbell"


@callback
def async_ours(hass: HomeAssistant, entity_ids: Iterable[str], *keys: str) -> dict[str, er.RegistryEntry]:
    """Find those entities that are ours and have one of the translation keys."""
    registry = er.async_get(hass)
    found = {entity_id: registry.async_get(entity_id) for entity_id in entity_ids}
    return {
        entity_id: entry
        for entity_id, entry in found.items()
        if entry is not None and entry.platform == DOMAIN and entry.translation_key in keys
    }


@callback
def async_beside(hass: HomeAssistant, entity_ids: Iterable[str], key: Happens) -> dict[str, str]:
    """Find the event entities of one kind on the devices of our entities: the device of each, by entity id."""
    registry = er.async_get(hass)
    devices = {
        entry.device_id
        for entity_id in entity_ids
        if (entry := registry.async_get(entity_id)) is not None and entry.platform == DOMAIN
    }
    return {
        entry.entity_id: device_id
        for device_id in devices
        if device_id is not None
        for entry in er.async_entries_for_device(registry, device_id)
        if entry.domain == "event" and entry.platform == DOMAIN and entry.translation_key == key
    }


def happened_at(state: State | None) -> datetime | None:
    """Read when an event entity fired last; None for never, and while it is not there."""
    if state is None or state.state in (STATE_UNKNOWN, STATE_UNAVAILABLE):
        return None
    return dt_util.parse_datetime(state.state)


def is_new(before: State | None, after: State | None) -> bool:
    """Whether a change of state is something that happened now.

    An entity that appears, comes back or is restored shows what happened before: that is no news, and never an event.
    """
    if before is None or before.state == STATE_UNAVAILABLE or happened_at(after) is None:
        return False
    return after is not None and before.state != after.state


def type_of(state: State) -> str | None:
    """Read the type of the last event."""
    return state.attributes.get(EventEntityStateAttribute.EVENT_TYPE)

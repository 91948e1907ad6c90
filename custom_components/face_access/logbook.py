"""What happens at stations and what is decided for them, told in the logbook with its reason."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.components.logbook import LOGBOOK_ENTRY_ENTITY_ID, LOGBOOK_ENTRY_MESSAGE, LOGBOOK_ENTRY_NAME
from homeassistant.const import ATTR_ENTITY_ID, ATTR_NAME
from homeassistant.core import Event, HomeAssistant, callback

from .access import Verdict
from .access.naming import SightingKind
from .const import DOMAIN
from .hub.telling import (
    ATTR_DOOR,
    ATTR_DOOR_OF,
    ATTR_GRANTED,
    ATTR_KIND,
    ATTR_METHOD,
    ATTR_PERSON,
    ATTR_REASON,
    ATTR_TYPE,
    ATTR_VERDICT,
    EVENT_DECIDED,
    EVENT_REPORTED,
)
from .hub.words import async_event_word, async_word, shown_name

type Describe = Callable[[Event], dict[str, str | None]]

_FACE, _ACCESS = "face", "access"


@callback
def async_describe_events(hass: HomeAssistant, async_describe_event: Callable[[str, str, Describe], None]) -> None:
    """Say what our events mean."""

    @callback
    def describe_report(event: Event) -> dict[str, str | None]:
        return _described(event.data, _report(hass, event.data))

    @callback
    def describe_decision(event: Event) -> dict[str, str | None]:
        kind = "granted" if event.data.get(ATTR_GRANTED) is True else "denied"
        return _described(event.data, _message(hass, f"decision_{kind}", _FACE, event.data))

    async_describe_event(DOMAIN, EVENT_REPORTED, describe_report)
    async_describe_event(DOMAIN, EVENT_DECIDED, describe_decision)


def _described(data: Mapping[str, Any], message: str) -> dict[str, str | None]:
    entity_id = data.get(ATTR_ENTITY_ID)
    return {
        LOGBOOK_ENTRY_NAME: str(data.get(ATTR_NAME) or DOMAIN),
        LOGBOOK_ENTRY_MESSAGE: message,
        LOGBOOK_ENTRY_ENTITY_ID: entity_id if isinstance(entity_id, str) else None,
    }


def _report(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    kind, type_ = str(data.get(ATTR_KIND)), str(data.get(ATTR_TYPE))
    if kind == _FACE:
        if type_ == SightingKind.RECOGNISED and data.get(ATTR_VERDICT) == Verdict.GRANTED:
            type_ = f"{type_}_granted"
        return _message(hass, type_, _FACE, data)
    return _message(hass, f"{kind}_{type_}" if kind == _ACCESS else type_, kind, data)


def _message(hass: HomeAssistant, key: str, entity: str, data: Mapping[str, Any]) -> str:
    person, reason, method = (data.get(name) for name in (ATTR_PERSON, ATTR_REASON, ATTR_METHOD))
    if data.get(ATTR_DOOR) and entity == _ACCESS:
        key = f"{key}_door"
    return async_word(
        hass,
        f"logbook_{key}",
        who=shown_name(str(person)) if person else async_word(hass, "logbook_somebody"),
        reason=async_event_word(hass, entity, ATTR_REASON, str(reason)) if reason else _no_reason(hass),
        method=async_event_word(hass, entity, ATTR_METHOD, str(method)),
        door=_door(hass, data),
    )


def _door(hass: HomeAssistant, data: Mapping[str, Any]) -> str:
    """Name a door: by its number among several, and by its station where somebody else sees who stands there."""
    number, station = data.get(ATTR_DOOR), data.get(ATTR_DOOR_OF)
    door = async_word(hass, "logbook_door_number", number=str(number)) if number else ""
    if not station:
        return door or async_word(hass, "logbook_door")
    return f"{station} ({door})" if door else str(station)


def _no_reason(hass: HomeAssistant) -> str:
    return async_word(hass, "logbook_no_reason")

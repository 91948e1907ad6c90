"""What the logbook is told: events on the bus that carry the reason, which the state of an event entity does not show.

They hold what the event entities' attributes hold, and no picture and no number. They are for the logbook: automations
use the event entities. Each is fired just before the event entity it belongs to, in the same context, so that Home
Assistant knows the one for the cause of the other.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, ATTR_NAME, Platform
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ..access import Decision, Person, Sighting
from ..access.naming import SightingKind, kind_of, recognised_name
from ..const import DOMAIN
from ..coordinator import FaceAccessCoordinator
from .doors.wired import async_find, async_wired
from .happenings import Happens

EVENT_REPORTED: Final = f"{DOMAIN}_reported"
EVENT_DECIDED: Final = f"{DOMAIN}_decided"
ATTR_KIND: Final = "kind"
ATTR_TYPE: Final = "type"
ATTR_PERSON: Final = "person"
ATTR_REASON: Final = "reason"
ATTR_METHOD: Final = "method"
ATTR_VERDICT: Final = "verdict"
ATTR_GRANTED: Final = "granted"
ATTR_DOOR: Final = "door"
ATTR_DOOR_OF: Final = "door_of"


@callback
def async_tell_report(
    coordinator: FaceAccessCoordinator,
    entity_id: str,
    context: Context,
    *,
    kind: str,
    type_: str,
    attributes: Mapping[str, Any],
) -> None:
    """Tell what an event entity is about to fire, in the same context. `kind` is the entity's key."""
    data = {
        **_station(coordinator),
        ATTR_ENTITY_ID: entity_id,
        ATTR_KIND: kind,
        ATTR_TYPE: type_,
        ATTR_PERSON: attributes.get("person") or attributes.get("person_id") or attributes.get("owner"),
        ATTR_REASON: attributes.get("reason"),
        ATTR_METHOD: attributes.get("method"),
        ATTR_VERDICT: attributes.get("verdict"),
    }
    if len(async_wired(coordinator)) > 1 and (doors := attributes.get("doors")):
        data[ATTR_DOOR] = ", ".join(map(str, doors))
    coordinator.hass.bus.async_fire(EVENT_REPORTED, data, context=context)


@callback
def async_tell_decision(coordinator: FaceAccessCoordinator, door: str, sighting: Sighting, decision: Decision) -> None:
    """Tell what was decided about somebody at a door; once the station has its answer, for which they wait.

    Of strangers and photos the line of the event entity says all. `sighting` has the decision on it.
    """
    if kind_of(sighting) not in (SightingKind.RECOGNISED, SightingKind.DENIED):
        return
    registry = er.async_get(coordinator.hass)
    entity_id = registry.async_get_entity_id(Platform.EVENT, DOMAIN, f"{coordinator.serial}-{Happens.FACE}")
    context = Context()
    coordinator.decided = sighting.key, context
    _tell_decided(coordinator, door, recognised_name(sighting), decision, context=context, entity_id=entity_id)


@callback
def async_tell_answer(coordinator: FaceAccessCoordinator, door: str, person: Person | None, decision: Decision) -> None:
    """Tell what was decided about a card or a code that a station asked about."""
    _tell_decided(coordinator, door, None if person is None else person.name, decision)


def _tell_decided(
    coordinator: FaceAccessCoordinator,
    door: str,
    person: str | None,
    decision: Decision,
    *,
    context: Context | None = None,
    entity_id: str | None = None,
) -> None:
    hass: HomeAssistant = coordinator.hass
    data = {
        **_station(coordinator),
        **_door(coordinator, door),
        ATTR_ENTITY_ID: entity_id,
        ATTR_PERSON: person,
        ATTR_GRANTED: decision.granted,
        ATTR_REASON: decision.reason,
    }
    hass.loop.call_soon(partial(hass.bus.async_fire, EVENT_DECIDED, data, context=context))


def _door(coordinator: FaceAccessCoordinator, name: str) -> dict[str, str | None]:
    """Say which door that is: the number where its station has several, the station where it is another one."""
    if (found := async_find(coordinator.hass, name)) is None:
        return {}
    there, door = found
    return {
        ATTR_DOOR: str(door.number) if len(async_wired(there)) > 1 else None,
        ATTR_DOOR_OF: None if there is coordinator else there.config_entry.title,
    }


def _station(coordinator: FaceAccessCoordinator) -> dict[str, str | None]:
    entry = coordinator.config_entry
    device = dr.async_get(coordinator.hass).async_get_device_by_identifier((DOMAIN, coordinator.serial), entry.entry_id)
    return {ATTR_NAME: entry.title, ATTR_DEVICE_ID: None if device is None else device.id}

"""What the logbook is told: events on the bus that carry the reason, which the state of an event entity does not show.

They hold what the event entities' attributes hold, and no picture and no number. They are for the logbook: automations
use the event entities.
"""

from typing import Final

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID, ATTR_NAME
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import device_registry as dr

from ..access import Decision
from ..const import DOMAIN
from ..coordinator import FaceAccessCoordinator

EVENT_REPORTED: Final = f"{DOMAIN}_reported"
EVENT_DECIDED: Final = f"{DOMAIN}_decided"
ATTR_KIND: Final = "kind"
ATTR_TYPE: Final = "type"
ATTR_PERSON: Final = "person"
ATTR_REASON: Final = "reason"
ATTR_METHOD: Final = "method"
ATTR_VERDICT: Final = "verdict"
ATTR_GRANTED: Final = "granted"


@callback
def async_tell_report(
    coordinator: FaceAccessCoordinator,
    entity_id: str,
    context: Context | None,
    *,
    kind: str,
    type_: str,
    attributes: dict[str, object],
) -> None:
    """Tell what an event entity has just fired. `kind` is the entity's key."""
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
    coordinator.hass.bus.async_fire(EVENT_REPORTED, data, context=context)


@callback
def async_tell_decision(coordinator: FaceAccessCoordinator, person: str | None, decision: Decision) -> None:
    """Tell what was decided for a station that asked; once it has its answer, for which a door waits."""
    hass: HomeAssistant = coordinator.hass
    data = {
        **_station(coordinator),
        ATTR_PERSON: person,
        ATTR_GRANTED: decision.granted,
        ATTR_REASON: decision.reason,
    }
    hass.loop.call_soon(hass.bus.async_fire, EVENT_DECIDED, data)


def _station(coordinator: FaceAccessCoordinator) -> dict[str, str | None]:
    entry = coordinator.config_entry
    device = dr.async_get(coordinator.hass).async_get_device_by_identifier((DOMAIN, coordinator.serial), entry.entry_id)
    return {ATTR_NAME: entry.title, ATTR_DEVICE_ID: None if device is None else device.id}

"""What happens at a station, for automations: somebody was seen, came in or was turned away, rang."""

from collections.abc import Callable
from dataclasses import dataclass
import sqlite3
from typing import Any, override

from homeassistant.components.event import DoorbellEventType, EventDeviceClass, EventEntity, EventEntityDescription
from homeassistant.const import Platform
from homeassistant.core import Context, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .access import Method, Passage, Ring, Sighting, StationEvent, Verdict
from .access.naming import SightingKind, denial, kind_of
from .const import DOMAIN, LOGGER, SCORE_SCALE
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import Station
from .entity import ReportEntity, sees_faces, tells_all, unique_id
from .hub.happenings import Happens
from .hub.history.visits import async_get_visits
from .hub.people.entry import is_people
from .hub.people.objections import async_objection
from .hub.telling import async_tell_report
from .image import LAST_SIGHTING
from .person import async_setup_people, make_events

PARALLEL_UPDATES = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What an event entity fires: one of its types, with attributes."""

    type: str
    attributes: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FaceAccessEventDescription(EventEntityDescription):
    """`happening` finds what a report means to the entity, None for nothing."""

    happening: Callable[[FaceAccessCoordinator, StationEvent], Happening | None]
    supported: Callable[[Station], bool] = lambda _station: True


def _face(coordinator: FaceAccessCoordinator, event: StationEvent) -> Happening | None:
    """Describe a sighting. A card is mentioned, its number never; the picture is named, never carried."""
    if not isinstance(event, Sighting):
        return None
    return Happening(
        type=kind_of(event),
        attributes={
            "person": event.person_name,
            "person_id": event.person_id,
            "household": event.household,
            "score": event.score,
            "scale": None if event.score is None else SCORE_SCALE,
            "threshold": event.threshold,
            "verdict": event.verdict,
            "reason": denial(event),
            "objection": async_objection(coordinator, event),
            "captured_at": event.captured_at.isoformat(),
            "liveness": event.liveness,
            "temperature": event.temperature,
            "mask": event.mask,
            "card": event.card,
            "picture": _picture(coordinator, event),
        },
    )


def _picture(coordinator: FaceAccessCoordinator, sighting: Sighting) -> str | None:
    """Find the image entity that shows this sighting's picture; it has been updated before the event fires."""
    if sighting.pictures.best is None:
        return None
    registry = er.async_get(coordinator.hass)
    return registry.async_get_entity_id(Platform.IMAGE, DOMAIN, unique_id(coordinator.serial, LAST_SIGHTING))


def _ring(_coordinator: FaceAccessCoordinator, event: StationEvent) -> Happening | None:
    return Happening(type=DoorbellEventType.RING, attributes={}) if isinstance(event, Ring) else None


def _access(coordinator: FaceAccessCoordinator, event: StationEvent) -> Happening | None:
    """Describe how somebody came in or was turned away; never with the number that they showed."""
    if not isinstance(event, Passage):
        return None
    numbers = {coordinator.door_id(door.number): door.number for door in coordinator.station.doors}
    return Happening(
        type=Verdict.GRANTED if event.granted else Verdict.DENIED,
        attributes={
            "method": event.method,
            "owner": event.owner,
            "doors": [numbers[door] for door in event.doors if door in numbers],
            "reason": event.reason,
        },
    )


EVENTS = (
    FaceAccessEventDescription(
        key="face",
        translation_key="face",
        event_types=[kind.value for kind in SightingKind],
        happening=_face,
        supported=sees_faces,
    ),
    FaceAccessEventDescription(
        key="access",
        translation_key="access",
        event_types=[Verdict.GRANTED, Verdict.DENIED],
        happening=_access,
        supported=tells_all,
    ),
    FaceAccessEventDescription(
        key="doorbell",
        translation_key="doorbell",
        device_class=EventDeviceClass.DOORBELL,
        event_types=[DoorbellEventType.RING],
        happening=_ring,
        supported=lambda station: station.sip is not None,
    ),
)


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add an entity for each thing that can happen at the station."""
    if is_people(entry):
        async_setup_people(hass, entry, async_add_entities, make_events)
        return
    coordinator = entry.runtime_data
    async_add_entities(
        StationEventEntity(coordinator, description)
        for description in EVENTS
        if description.supported(coordinator.station)
    )
    await _async_read_visits(coordinator)


async def _async_read_visits(coordinator: FaceAccessCoordinator) -> None:
    """Have conditions know who was at the door before the start."""
    entities = er.async_get(coordinator.hass)
    entity_id = entities.async_get_entity_id(Platform.EVENT, DOMAIN, unique_id(coordinator.serial, Happens.FACE))
    if entity_id is None:
        return
    try:
        await async_get_visits(coordinator.hass).async_read(entity_id, coordinator.serial, coordinator.history)
    except sqlite3.Error as err:
        LOGGER.warning("%s: who was there before could not be read: %s", coordinator.name, type(err).__name__)


class StationEventEntity(ReportEntity, EventEntity):
    """Fires when something happens; after the image and the sensors, which its listeners read."""

    entity_description: FaceAccessEventDescription
    _hears_last = True

    def __init__(self, coordinator: FaceAccessCoordinator, description: FaceAccessEventDescription) -> None:
        """Bind to one kind of thing that happens."""
        super().__init__(coordinator, description.key)
        self.entity_description = description

    @override
    @callback
    def _async_report(self, event: StationEvent) -> None:
        happening = self.entity_description.happening(self.coordinator, event)
        if happening is None:
            return
        context = self._async_decided_in(event)
        if context is None:
            context = Context()
            if _says_more(event):
                async_tell_report(
                    self.coordinator,
                    self.entity_id,
                    context,
                    kind=self.entity_description.key,
                    type_=happening.type,
                    attributes=happening.attributes,
                )
        self.async_set_context(context)
        self._trigger_event(happening.type, happening.attributes)
        self.async_write_ha_state()

    def _async_decided_in(self, event: StationEvent) -> Context | None:
        """Find the context in which it was told what Home Assistant decided: that says all of the sighting."""
        decided = self.coordinator.decided
        return decided[1] if decided is not None and isinstance(event, Sighting) and event.key == decided[0] else None


def _says_more(event: StationEvent) -> bool:
    """Whether a line in the logbook would say more than the event's own: who it was, or why not.

    A panel's face is told with its sighting.
    """
    if isinstance(event, Passage):
        return event.method is not Method.FACE
    return isinstance(event, Sighting) and kind_of(event) in (SightingKind.RECOGNISED, SightingKind.DENIED)

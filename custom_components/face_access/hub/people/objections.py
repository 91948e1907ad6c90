"""What the household holds against somebody who is seen: a station may decide by itself and not have heard yet."""

from homeassistant.core import callback
from homeassistant.util import dt as dt_util

from ...access import Person, Reason, Sighting, objection
from ...const import CONF_DOOR
from ...coordinator import FaceAccessCoordinator
from ..doors.wired import async_wired


@callback
def async_objection(coordinator: FaceAccessCoordinator, sighting: Sighting) -> Reason | None:
    """Name what is held against whom a source saw, now; None where the household has no word on them.

    A stranger is not known, and neither is somebody whom the household removed, whatever the source still says.
    """
    known = None
    if sighting.person_id is not None:
        known = Person(id=sighting.person_id, name=sighting.person_name or "")
    _, person = coordinator.async_identify(sighting, known)
    door: str | None = coordinator.config_entry.options.get(CONF_DOOR)
    doors = [door] if door else [coordinator.door_id(each.number) for each in async_wired(coordinator)]
    return objection(person, doors, dt_util.utcnow())

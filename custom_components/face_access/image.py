"""Pictures of whoever was at the station: of the last sighting, or of the last visitor."""

import asyncio
from datetime import datetime, timedelta
from typing import Final, override

from homeassistant.components.image import ImageEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.util import dt as dt_util

from .access import Passage, Ring, Sighting, StationEvent
from .const import LOGGER
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.errors import StationError
from .devices.station import Camera
from .entity import ReportEntity, tells_all
from .hub.people.departures import SIGNAL_FORGOTTEN
from .hub.people.entry import is_people
from .hub.picture import content_type
from .person import async_setup_people, make_images

PARALLEL_UPDATES = 0

LAST_SIGHTING: Final = "last_sighting"
LAST_VISITOR: Final = "last_visitor"
# Nobody asked for this photo: the door that somebody wants to open now must not wait for it for long.
_PHOTO_WITHIN: Final = 8


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the image: of sightings where they bring a picture, else a photo taken when somebody is there."""
    if is_people(entry):
        async_setup_people(hass, entry, async_add_entities, make_images)
        return
    coordinator = entry.runtime_data
    if not tells_all(coordinator.station):
        async_add_entities([LastSightingImage(hass, coordinator)])
    elif (camera := coordinator.station.camera) is not None:
        async_add_entities([LastVisitorImage(hass, coordinator, camera)])


class PictureImage(ReportEntity, ImageEntity):
    """An image that is replaced by the next."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator, key: str) -> None:
        """Start without a picture."""
        ReportEntity.__init__(self, coordinator, key)
        ImageEntity.__init__(self, hass)
        self._attr_translation_key = key
        self._picture: bytes | None = None
        self._shows: str | None = None

    @override
    async def async_added_to_hass(self) -> None:
        """Show nobody any more who is removed from the household."""
        await super().async_added_to_hass()
        self.async_on_remove(async_dispatcher_connect(self.hass, SIGNAL_FORGOTTEN, self._async_forget))

    @callback
    def _async_forget(self, person: str) -> None:
        if self._shows == person:
            self._picture = self._shows = self._attr_image_last_updated = None
            self.async_write_ha_state()

    @override
    async def async_image(self) -> bytes | None:
        """Give the picture, encoded as it came."""
        return self._picture

    def _show(self, picture: bytes | None, taken: datetime, shows: str | None) -> bool:
        """Take a picture; False when it is none or the same again, so that nobody loads it twice.

        `shows` is the household's id of whom it shows.
        """
        if picture is None or picture == self._picture:
            return False
        self._picture, self._shows = picture, shows
        self._attr_content_type = content_type(picture)
        # The state is this time: the same after a restart, but never the same for two pictures of one second.
        shown = self._attr_image_last_updated
        self._attr_image_last_updated = shown + timedelta(milliseconds=1) if shown == taken else taken
        return True


class LastSightingImage(PictureImage):
    """The close-up (or else the scene) of the last sighting that had a picture."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator) -> None:
        """Start with what history holds, so that a restart does not lose the picture."""
        super().__init__(hass, coordinator, LAST_SIGHTING)
        if (sighting := coordinator.last_sighting) is not None:
            self._show(sighting.pictures.best, sighting.captured_at, _person(sighting))

    @override
    @callback
    def _async_report(self, event: StationEvent) -> None:
        if isinstance(event, Sighting) and self._show(event.pictures.best, event.captured_at, _person(event)):
            self.async_write_ha_state()


class LastVisitorImage(PictureImage):
    """A photo of whoever rang, was recognised or turned away, taken then: the station keeps none.

    It is kept in memory alone and gone after a restart.
    """

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator, camera: Camera) -> None:
        """Bind to the station's eye."""
        super().__init__(hass, coordinator, LAST_VISITOR)
        self._camera = camera
        self._taking = False

    @override
    @callback
    def _async_report(self, event: StationEvent) -> None:
        somebody = isinstance(event, (Ring, Sighting)) or (isinstance(event, Passage) and not event.granted)
        if not somebody or self._taking:
            # One photo for all that is told of one visitor.
            return
        self._taking = True
        self.coordinator.config_entry.async_create_background_task(
            self.hass, self._async_take(_person(event)), "face_access photo of a visitor"
        )

    async def _async_take(self, person: str | None) -> None:
        try:
            async with asyncio.timeout(_PHOTO_WITHIN):
                picture = await self._camera.snapshot()
        except (StationError, TimeoutError) as err:
            LOGGER.debug("%s gave no photo of a visitor: %s", self.coordinator.name, type(err).__name__)
            return
        finally:
            self._taking = False
        if self._show(picture, dt_util.utcnow(), person):
            self.async_write_ha_state()


def _person(event: StationEvent) -> str | None:
    """Find whom of the household a station recognised."""
    return event.person_id if isinstance(event, Sighting) and event.household else None

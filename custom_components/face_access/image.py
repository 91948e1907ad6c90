"""The picture of the last sighting."""

from datetime import timedelta
from typing import Final, override

from homeassistant.components.image import ImageEntity
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .access import Sighting, StationEvent
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .entity import ReportEntity
from .hub.picture import content_type

PARALLEL_UPDATES = 0

LAST_SIGHTING: Final = "last_sighting"


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the image."""
    async_add_entities([LastSightingImage(hass, entry.runtime_data)])


class LastSightingImage(ReportEntity, ImageEntity):
    """The close-up (or else the scene) of the last sighting that had a picture."""

    _attr_translation_key = LAST_SIGHTING

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator) -> None:
        """Start with what history holds, so that a restart does not lose the picture."""
        ReportEntity.__init__(self, coordinator, LAST_SIGHTING)
        ImageEntity.__init__(self, hass)
        self._picture: bytes | None = None
        if (sighting := coordinator.last_sighting) is not None:
            self._show(sighting)

    @override
    async def async_image(self) -> bytes | None:
        """Give the picture, encoded as it came."""
        return self._picture

    @override
    @callback
    def _async_report(self, event: StationEvent) -> None:
        if isinstance(event, Sighting) and self._show(event):
            self.async_write_ha_state()

    def _show(self, sighting: Sighting) -> bool:
        """Take a sighting's picture; False when it has none or the same again, so that nobody loads it twice."""
        picture = sighting.pictures.best
        if picture is None or picture == self._picture:
            return False
        self._picture = picture
        self._attr_content_type = content_type(picture)
        # The state is this time: the same after a restart, but never the same for two pictures of one second.
        shown = self._attr_image_last_updated
        self._attr_image_last_updated = (
            shown + timedelta(milliseconds=1) if shown == sighting.captured_at else sighting.captured_at
        )
        return True

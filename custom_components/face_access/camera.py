"""What a station sees now, one still picture at a time."""

import asyncio
from typing import Final, override

from homeassistant.components.camera import Camera
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import LOGGER
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.errors import StationError
from .devices.station import Camera as StationCamera
from .entity import FaceAccessEntity
from .hub.picture import content_type

PARALLEL_UPDATES = 0

# A station does one thing at a time, and opening a door waits for a snapshot that has begun.
FRAME_INTERVAL: Final = 2.0
# Shorter than the interval, so that one viewer sees every picture fresh while several share it.
_FRESH_FOR: Final = 1.5


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the camera of a station that has one."""
    coordinator = entry.runtime_data
    if (camera := coordinator.station.camera) is not None:
        async_add_entities([SnapshotCamera(coordinator, camera)])


class SnapshotCamera(FaceAccessEntity, Camera):
    """A camera of stills. However many look at it, the station is asked once at a time."""

    _attr_translation_key = "camera"
    _attr_frame_interval = FRAME_INTERVAL

    def __init__(self, coordinator: FaceAccessCoordinator, camera: StationCamera) -> None:
        """Bind to the station's eye."""
        FaceAccessEntity.__init__(self, coordinator, "camera")
        Camera.__init__(self)
        self._attr_brand = coordinator.station.info.manufacturer
        self._attr_model = coordinator.station.info.model
        self._camera = camera
        self._asking = asyncio.Lock()
        self._picture: bytes | None = None
        self._asked_at = float("-inf")

    @override
    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        """Give a picture that is at most a moment old, None when the station would not give one.

        A failure counts as long as a picture does: whoever waited for the same one need not wait for it again.
        """
        async with self._asking:
            if self.hass.loop.time() - self._asked_at >= _FRESH_FOR:
                self._picture = await self._async_ask()
                self._asked_at = self.hass.loop.time()
            return self._picture

    async def _async_ask(self) -> bytes | None:
        try:
            picture = await self._camera.snapshot()
        except StationError as err:
            LOGGER.debug("%s gave no picture: %s", self.coordinator.name, type(err).__name__)
            return None
        self.content_type = content_type(picture)
        return picture

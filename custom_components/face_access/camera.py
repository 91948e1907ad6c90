"""What a station sees now: one still picture at a time, and as a stream where it has one."""

import asyncio
from typing import Final, override

from homeassistant.components.camera import Camera, CameraEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .const import CONF_STREAM_PATH, CONF_STREAM_PORT, LOGGER
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.errors import StationError
from .devices.station import Camera as StationCamera, StreamCamera
from .entity import FaceAccessEntity
from .hub.picture import content_type
from .hub.stream import async_answers

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
        self._streams = False

    @property
    @override
    def supported_features(self) -> CameraEntityFeature:
        return CameraEntityFeature.STREAM if self._streams else CameraEntityFeature(0)

    @override
    async def async_added_to_hass(self) -> None:
        """Find out whether there is a stream. Offered in vain, it would hide the stills that there are."""
        await super().async_added_to_hass()
        if isinstance(self._camera, StreamCamera):
            self.coordinator.config_entry.async_create_background_task(
                self.hass, self._async_look_for_stream(), "face_access search for a stream"
            )

    async def _async_look_for_stream(self) -> None:
        if (url := await self.stream_source()) is not None and await async_answers(url):
            self._streams = True
            self.async_write_ha_state()

    @override
    async def stream_source(self) -> str | None:
        """Give the address of the stream, with its password in it; None where there is none."""
        if not isinstance(self._camera, StreamCamera):
            return None
        try:
            options = self.coordinator.config_entry.options
            return await self._camera.stream_url(options.get(CONF_STREAM_PORT), options.get(CONF_STREAM_PATH))
        except StationError as err:
            LOGGER.debug("%s has no stream: %s", self.coordinator.name, type(err).__name__)
            return None

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

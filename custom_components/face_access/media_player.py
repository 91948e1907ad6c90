"""The loudspeaker of a station, for announcements."""

from datetime import datetime, timedelta
from typing import Any, override

from homeassistant.components import media_source
from homeassistant.components.media_player import (
    BrowseMedia,
    MediaPlayerDeviceClass,
    MediaPlayerEntity,
    MediaPlayerEntityFeature,
    MediaPlayerState,
    MediaType,
    async_process_play_media_url,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback
from homeassistant.helpers.event import async_call_later

from .const import DOMAIN
from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.station import Audio
from .entity import FaceAccessEntity
from .hub.audio import async_transcode_to_wav, duration
from .hub.errors import raise_translated

PARALLEL_UPDATES = 1

_VOLUME = "volume"


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add the loudspeaker of a station that plays any sound."""
    coordinator = entry.runtime_data
    if (audio := coordinator.station.audio) is not None:
        async_add_entities([SpeakerMediaPlayer(coordinator, audio)])


class SpeakerMediaPlayer(FaceAccessEntity, MediaPlayerEntity):
    """Plays a sound of up to a minute, sent as a whole.

    The station cannot be stopped in it, nor does it say when it is done: it shows as playing for that long.
    """

    _attr_translation_key = "speaker"
    _attr_device_class = MediaPlayerDeviceClass.SPEAKER
    _attr_state = MediaPlayerState.IDLE
    _attr_supported_features = (
        MediaPlayerEntityFeature.PLAY_MEDIA
        | MediaPlayerEntityFeature.MEDIA_ANNOUNCE
        | MediaPlayerEntityFeature.BROWSE_MEDIA
    )

    def __init__(self, coordinator: FaceAccessCoordinator, audio: Audio) -> None:
        """Bind to the station's loudspeaker."""
        super().__init__(coordinator, "speaker")
        self._audio = audio
        self._end: CALLBACK_TYPE | None = None
        if coordinator.station.settings is not None and _VOLUME in coordinator.features:
            self._attr_supported_features |= MediaPlayerEntityFeature.VOLUME_SET

    @override
    async def async_added_to_hass(self) -> None:
        """Leave no timer behind."""
        await super().async_added_to_hass()
        self.async_on_remove(self._async_cancel_end)

    @property
    @override
    def volume_level(self) -> float | None:
        volume = self.coordinator.data.settings.get(_VOLUME)
        return volume / 100 if isinstance(volume, (int, float)) else None

    @override
    @raise_translated
    async def async_set_volume_level(self, volume: float) -> None:
        """Set the volume, 0 to 1."""
        await self.coordinator.async_write_setting(_VOLUME, round(volume * 100))

    @override
    @raise_translated
    async def async_play_media(self, media_type: MediaType | str, media_id: str, **kwargs: Any) -> None:
        """Play media from Home Assistant or a URL, as an announcement: now, once, at most a minute of it."""
        wav = await async_transcode_to_wav(self.hass, await self._async_find(media_id))
        await self._audio.play(wav)
        self._async_playing(duration(wav))

    async def _async_find(self, media_id: str) -> str:
        """Find the URL of some media, or its file where Home Assistant vouches for one; any other path is refused."""
        if media_source.is_media_source_id(media_id):
            media = await media_source.async_resolve_media(self.hass, media_id, self.entity_id)
            if media.path is not None:
                return str(media.path)
            media_id = media.url
        url = async_process_play_media_url(self.hass, media_id)
        if not url.lower().startswith(("http://", "https://")):
            raise ServiceValidationError(translation_domain=DOMAIN, translation_key="sound_unsupported")
        return url

    @override
    async def async_browse_media(
        self, media_content_type: MediaType | str | None = None, media_content_id: str | None = None
    ) -> BrowseMedia:
        """Browse what can be heard."""
        return await media_source.async_browse_media(
            self.hass, media_content_id, content_filter=lambda item: item.media_content_type.startswith("audio/")
        )

    @callback
    def _async_playing(self, for_how_long: timedelta) -> None:
        self._async_cancel_end()
        self._attr_state = MediaPlayerState.PLAYING
        self._end = async_call_later(self.hass, for_how_long, self._async_ended)
        self.async_write_ha_state()

    @callback
    def _async_ended(self, _now: datetime) -> None:
        self._end = None
        self._attr_state = MediaPlayerState.IDLE
        self.async_write_ha_state()

    @callback
    def _async_cancel_end(self) -> None:
        if self._end is not None:
            self._end()
            self._end = None

"""What a panel sees, says and shines: photo, stream, volume, microphone, lights, infrared and proximity."""

import asyncio
from base64 import b64decode
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
import json
import time
from typing import Any, Final
from urllib.parse import quote

from ..errors import StationProtocolError
from ..values import as_bool, as_int, as_text, check_number, check_text, is_jpeg, is_png
from .caller import Caller
from .link import PanelLink
from .transport import LONG_TIMEOUT, Request

# A photo takes a panel two to four seconds, in which it does nothing else.
PACE: Final = 5.0
STREAM_PORT: Final = 8554
STREAM_PATH: Final = "ch01"
MAX_LEVEL: Final = 100
_PHOTO: Final = "/photo/file"
_RTSP: Final = "/device/settings/rtsp"
_VIDEO: Final = "/device/settings/video"
_FEED: Final = "/advanced/rtsp/feed"
_VOLUME: Final = "/device/settings/volume"
_MIC: Final = "/device/settings/mic"
_LED: Final = "/device/settings/led"
_INFRARED: Final = "/device/settings/ir"
_PROXIMITY: Final = "/device/proximity/sensor"
_MAX_WRAPS: Final = 3


class PictureFormat(StrEnum):
    """How a picture is encoded, by its content: what the panel calls it means nothing."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A photo."""

    format: PictureFormat
    data: bytes = field(repr=False)


def sniff(data: bytes) -> PictureFormat | None:
    """Tell a picture's format by its first bytes."""
    if is_jpeg(data):
        return PictureFormat.JPEG
    if is_png(data):
        return PictureFormat.PNG
    return PictureFormat.WEBP if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else None


def read_picture(body: bytes) -> Picture:
    """Find the picture in an answer: bytes, or base64 of them, in quotes or as a data URL.

    Raises StationProtocolError.
    """
    data = body
    for _ in range(_MAX_WRAPS):
        if (form := sniff(data)) is not None:
            return Picture(format=form, data=data)
        data = _unwrap(data)
    raise StationProtocolError("the photo is no picture of a known format")


def _unwrap(data: bytes) -> bytes:
    text = data.strip()
    if text.startswith(b'"'):
        try:
            text = json.loads(text).encode()
        except ValueError, AttributeError, RecursionError:
            return b""
    if text.startswith(b"data:"):
        text = text.partition(b",")[2]
    try:
        return b64decode(b"".join(text.split()), validate=True)
    except binascii.Error, ValueError:
        return b""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAccount:
    """Who may watch the stream. `audio` harms the sound of SIP calls where it is on."""

    username: str | None
    password: str | None = field(repr=False)
    audio: bool | None = None


class Media:
    """Commands on camera, loudspeaker, microphone and lights."""

    def __init__(self, caller: Caller, link: PanelLink, *, pace: float = PACE) -> None:
        """Bind to a panel. `pace` is the least time between two photos, in seconds."""
        self._caller = caller
        self._link = link
        self._pace = pace
        self._taking = asyncio.Lock()
        self._taken_at = float("-inf")
        self._last: Picture | None = None

    async def photo(self) -> Picture:
        """Take a photo, waiting until the panel may be asked for another one."""
        async with self._taking:
            await asyncio.sleep(max(0.0, self._taken_at + self._pace - time.monotonic()))
            return await self._take()

    async def recent_photo(self) -> Picture:
        """Give the last photo while it is younger than the pace, else take one. Whoever waits shares it."""
        async with self._taking:
            if self._last is not None and time.monotonic() - self._taken_at < self._pace:
                return self._last
            return await self._take()

    async def _take(self) -> Picture:
        self._last = None
        try:
            answer = await self._caller.ask(Request(method="GET", path=_PHOTO, timeout=LONG_TIMEOUT))
        finally:
            # One that failed took its time too.
            self._taken_at = time.monotonic()
        self._last = await asyncio.to_thread(read_picture, answer.body)
        return self._last

    async def stream_account(self) -> StreamAccount:
        """Read who may watch the stream."""
        raw = await self._caller.get(_RTSP, secret=True)
        return StreamAccount(
            username=as_text(raw.get("username")) or None,
            password=as_text(raw.get("password")) or None,
            audio=as_bool(raw.get("is_audio_enabled")),
        )

    async def set_stream_account(self, username: str, password: str, *, audio: bool | None = None) -> None:
        """Change who may watch the stream. Raises InvalidValueError."""
        changes: dict[str, Any] = {
            "username": check_text("username", username, 32, empty=False),
            "password": check_text("password", password, 32, empty=False),
        }
        if audio is not None:
            changes["is_audio_enabled"] = audio
        await self._caller.change(_RTSP, changes, secret=True)

    async def stream_url(self, port: int = STREAM_PORT, path: str = STREAM_PATH) -> str | None:
        """Make the address of the stream, with its password; None while there is no account.

        Port and path are seen on one Camdroid model only: on others they may have to be found.
        """
        account = await self.stream_account()
        if account.username is None:
            return None
        user = quote(account.username, safe="")
        login = user if account.password is None else f"{user}:{quote(account.password, safe='')}"
        host = f"[{self._link.host}]" if ":" in self._link.host else self._link.host
        return f"rtsp://{login}@{host}:{port}/{path.lstrip('/')}"

    async def video(self) -> dict[str, Any]:
        """Read resolution (`video_resolution`) and frames per second (`fps`), as printed."""
        return await self._caller.get(_VIDEO)

    async def feeds(self) -> dict[str, Any]:
        """Read which other cameras are offered next to the panel's, as printed: the addresses may hold passwords."""
        return await self._caller.get(_FEED, secret=True)

    async def volume(self) -> int | None:
        """Read the volume; 1 to 6 where the range is known."""
        return as_int((await self._caller.get(_VOLUME)).get("volume_level"))

    async def set_volume(self, level: int) -> None:
        """Set the volume; the panel says itself which levels there are."""
        await self._caller.change(_VOLUME, {"volume_level": check_number("volume", level, 0, MAX_LEVEL)})

    async def microphone(self) -> int | None:
        """Read the gain of the microphone."""
        return as_int((await self._caller.get(_MIC)).get("mic_gain_level"))

    async def set_microphone(self, level: int) -> None:
        """Set the gain of the microphone; the panel says itself which levels there are."""
        await self._caller.change(_MIC, {"mic_gain_level": check_number("microphone", level, 0, MAX_LEVEL)})

    async def led(self) -> dict[str, Any]:
        """Read the settings of the light, as printed: their names are in no document."""
        return await self._caller.get(_LED)

    async def infrared(self) -> bool | None:
        """Read whether infrared notices movement. Older panels; it is called proximity later."""
        return as_bool((await self._caller.get(_INFRARED)).get("ir_enable"))

    async def set_infrared(self, enabled: bool) -> None:
        """Switch infrared. The document shows the body; the path of writing is inferred from that of reading."""
        await self._caller.send("POST", _INFRARED, {"ir_enable": enabled})

    async def proximity(self) -> Mapping[str, Any]:
        """Read the proximity sensor, as printed: only its path is documented."""
        return await self._caller.get(_PROXIMITY)

    async def proximity_enabled(self) -> bool | None:
        """Read whether the proximity sensor is on, by whichever of the usual names it has."""
        return as_bool(_switch(await self.proximity())[1])

    async def set_proximity(self, enabled: bool) -> None:
        """Switch the proximity sensor by the name that was read. Raises StationProtocolError where there is none."""
        raw = await self.proximity()
        name, _ = _switch(raw)
        if name is None:
            raise StationProtocolError("the proximity sensor has no switch that is known")
        await self._caller.send("POST", _PROXIMITY, {**raw, name: enabled})


def _switch(raw: Mapping[str, Any]) -> tuple[str | None, Any]:
    for name in ("enable", "enabled", "is_enabled"):
        if as_bool(raw.get(name)) is not None:
            return name, raw[name]
    return None, None

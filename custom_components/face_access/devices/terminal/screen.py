"""A terminal's screen: screensaver, its media, texts and pictures (HTTP API 2.10)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from ..errors import InvalidValueError, StationProtocolError
from ..values import MAX_U32, as_int, as_objects, as_text, check_number, check_text, to_base64
from .caller import LONG_TIMEOUT, Caller, Effect
from .values import image_format

MAX_MEDIA: Final = 10


class ScreensaverMode(StrEnum):
    """What the idle screen does."""

    NONE = "none"
    EXTINGUISH = "extinguish"
    MEDIA = "media"


@dataclass(frozen=True, slots=True, kw_only=True)
class Medium:
    """A picture or video of the screensaver. `sequence` 1 to 10; `path` is where its file lies, in answers only."""

    sequence: int
    name: str
    path: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OsdText:
    """A line on the screen. Pixels from the top left; `duration` in ms; `color` is ARGB, 0xffffffff white."""

    text: str
    x: int = 0
    y: int = 500
    duration: int = 5000
    size: int = 60
    spacing: int = 1
    color: int = 0xFFFFFFFF


def _parse_media(reply: Mapping[str, Any]) -> tuple[Medium, ...]:
    media = []
    for raw in as_objects(reply.get("screensaver_media_list")):
        sequence, name = as_int(raw.get("sequence")), as_text(raw.get("media_name"))
        if sequence is not None and name:
            media.append(Medium(sequence=sequence, name=name, path=as_text(raw.get("path")) or None))
    return tuple(media)


def _write_media(media: tuple[Medium, ...]) -> dict[str, Any]:
    if not 1 <= len(media) <= MAX_MEDIA:
        raise InvalidValueError("media", f"must be 1 to {MAX_MEDIA}")
    if len({medium.sequence for medium in media}) != len(media):
        raise InvalidValueError("sequence", "must not occur twice")
    return {"screensaver_media_list": [_write_medium(medium) for medium in media]}


def _write_medium(medium: Medium) -> dict[str, Any]:
    # The name becomes part of a path on the device.
    if "/" in medium.name or "\\" in medium.name:
        raise InvalidValueError("name", "must have no slash")
    return {
        "sequence": check_number("sequence", medium.sequence, 1, MAX_MEDIA),
        "media_name": check_text("name", medium.name, empty=False),
    }


def _write_position(x: int, y: int) -> dict[str, int]:
    return {"x": check_number("x", x, 0, MAX_U32), "y": check_number("y", y, 0, MAX_U32)}


def write_text(line: OsdText) -> dict[str, Any]:
    """Write a line as the device wants it. Raises InvalidValueError."""
    return {
        "position": _write_position(line.x, line.y),
        "alive_time": check_number("duration", line.duration, 0, MAX_U32),
        "font_size": check_number("size", line.size, 1, 1000),
        "font_spacing": check_number("spacing", line.spacing, 0, 1000),
        "font_color": f"0x{check_number('color', line.color, 0, MAX_U32):08x}",
        "text": check_text("text", line.text),
    }


class Screen:
    """Commands on the screen."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def screensaver(self) -> ScreensaverMode:
        """Read what the idle screen does (2.10.1)."""
        mode = (as_text((await self._call("request lcd screensaver")).get("screensaver_mode")) or "").strip().lower()
        if mode not in ScreensaverMode:
            raise StationProtocolError("the answer to 'request lcd screensaver' has no known mode")
        return ScreensaverMode(mode)

    async def set_screensaver(self, mode: ScreensaverMode) -> None:
        """Set what the idle screen does (2.10.2)."""
        await self._call("update lcd screensaver", {"screensaver_mode": mode.value}, effect=Effect.SET)

    async def media(self) -> tuple[Medium, ...]:
        """Read which files the screensaver shows (2.10.3)."""
        return _parse_media(await self._call("request lcd media"))

    async def set_media(self, media: tuple[Medium, ...]) -> tuple[Medium, ...]:
        """Give names to places 1 to 10 (2.10.4); return them with the paths to which their files must be uploaded."""
        return _parse_media(await self._call("update lcd media", _write_media(media), effect=Effect.SET))

    async def delete_media(self, media: tuple[Medium, ...]) -> tuple[Medium, ...]:
        """Delete files of the screensaver (2.10.5); return those that were deleted."""
        return _parse_media(await self._call("delete lcd media", _write_media(media), effect=Effect.ACT))

    async def show_text(self, lines: tuple[OsdText, ...]) -> None:
        """Show lines of text (2.10.6)."""
        if not lines:
            raise InvalidValueError("lines", "must be one at least")
        fields = {"coding_type": "utf8", "text_list": [write_text(line) for line in lines]}
        await self._call("text display", fields, effect=Effect.SET)

    async def show_image(self, image: bytes, *, x: int = 0, y: int = 0, duration: int = 5000) -> None:
        """Show a JPEG or PNG at its own size; `duration` in ms, 0 for ever (2.10.7)."""
        fields = {
            "position": _write_position(x, y),
            "alive_time": check_number("duration", duration, 0, MAX_U32),
            "format": image_format("image", image),
            "image_data": to_base64(image),
        }
        await self._call("image display", fields, effect=Effect.SET, timeout=LONG_TIMEOUT)

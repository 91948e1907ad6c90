"""Actions for the eye: text and pictures on the screen, and what the idle screen shows."""

from pathlib import PurePath

from homeassistant.core import ServiceResponse
from homeassistant.util import slugify

from ..devices.station import Screen, Screensaver, ScreenText
from .jpeg import NotAPictureError, to_jpeg
from .media import Loaded, async_load_picture
from .request import Request, invalid

# What terminals play is not documented; they are told what it is by the suffix.
VIDEO_SUFFIXES = (".mp4", ".avi", ".mov", ".mkv")
_LONGEST_STEM = 40


async def show_text(request: Request, screen: Screen) -> ServiceResponse:
    """Show text: the title first, then each line of the message below the one before."""
    data = request.data
    texts = [*data.get("title", "").splitlines(), *data["message"].splitlines()]
    # The distance of the lines in the document's own example (HTTP API 2.10.6): 110 pixels for letters of 100.
    pitch = round(data["size"] * 1.1)
    lines = tuple(
        ScreenText(
            text=text,
            x=data["x"],
            y=data["y"] + place * pitch,
            size=data["size"],
            color=data["color"],
            duration=data["duration"],
        )
        for place, text in enumerate(texts)
        if text.strip()
    )
    await screen.show_text(lines)
    return None


async def show_image(request: Request, screen: Screen) -> ServiceResponse:
    """Show a picture; with duration zero until another one comes."""
    data = request.data
    picture = await _async_to_jpeg(request, await async_load_picture(request))
    await screen.show_image(picture, x=data["x"], y=data["y"], duration=data["duration"])
    return None


async def list_screensavers(_request: Request, screensaver: Screensaver) -> ServiceResponse:
    """List what the idle screen shows."""
    return {"names": list(await screensaver.list())}


async def upload_screensaver(request: Request, screensaver: Screensaver) -> ServiceResponse:
    """Add a picture, as JPEG of the screen's size, or a video as it is. Tells under which name it is kept."""
    loaded = await async_load_picture(request)
    suffix = PurePath(loaded.name).suffix.lower()
    if suffix in VIDEO_SUFFIXES and loaded.content:
        content = loaded.content
    else:
        suffix, content = ".jpg", await _async_to_jpeg(request, loaded)
    name = _file_name(request.data.get("name") or loaded.name) + suffix
    await screensaver.add(name, content)
    return {"name": name}


async def delete_screensaver(request: Request, screensaver: Screensaver) -> ServiceResponse:
    """Remove pictures or videos by name: all of them, or none where one is not there."""
    wanted = tuple(dict.fromkeys(request.data["names"]))
    there = await screensaver.list()
    if missing := [name for name in wanted if name not in there]:
        raise invalid("unknown_screensaver", missing=", ".join(missing), names=", ".join(there) or "-")
    await screensaver.remove(wanted)
    return None


async def _async_to_jpeg(request: Request, loaded: Loaded) -> bytes:
    try:
        return await request.hass.async_add_executor_job(to_jpeg, loaded.content)
    except NotAPictureError as err:
        raise invalid("not_a_picture") from err


def _file_name(wanted: str) -> str:
    """Make a name without suffix from anything: it becomes part of a path on the station (HTTP API 2.10.3)."""
    stem = PurePath(wanted.replace("\\", "/")).stem
    return slugify(stem)[:_LONGEST_STEM].strip("_") or "screensaver"

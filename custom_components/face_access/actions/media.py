"""Where an action's picture, video or sound comes from: a media source, an entity, a file that may be read, an upload.

A call can come from anybody who may control the station, so it reaches no further than Home Assistant's own allowlists
of folders and addresses. No error repeats an address: it may hold a password.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

import aiohttp
from homeassistant.components import media_source
from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.components.media_player.browse_media import async_process_play_media_url
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.aiohttp_client import async_get_clientsession
import probatio as vol

from ..hub.picture_of import async_picture_of
from . import fields
from .request import Request, invalid

# A terminal's file store is a few tens of megabytes of flash, and the file passes through memory.
LARGEST_FILE = 20 * 1024 * 1024
_FETCH_TIMEOUT = 30

MEDIA = "media"
PATH = "path"
IMAGE_ENTITY = "image_entity"
UPLOAD = "upload"

SOUND_FIELDS: dict[vol.Marker, Any] = {vol.Optional(MEDIA): fields.media, vol.Optional(PATH): fields.file_path}
PICTURE_FIELDS: dict[vol.Marker, Any] = {
    **SOUND_FIELDS,
    vol.Optional(IMAGE_ENTITY): cv.entity_domain([Platform.CAMERA, Platform.IMAGE]),
}
# The id of an upload and never the picture itself: all that a call says stands in its event, in traces and in logs.
ANY_PICTURE_FIELDS: dict[vol.Marker, Any] = {**PICTURE_FIELDS, vol.Optional(UPLOAD): fields.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A file in memory. `name` is what its source calls it, with a suffix where it has one."""

    name: str
    content: bytes


def exactly_one(data: Mapping[str, Any], *names: str) -> str:
    """Find which of the fields a call's data has. Raises ServiceValidationError unless it is one."""
    given = [name for name in names if name in data]
    if len(given) != 1:
        raise invalid("exactly_one", fields=", ".join(names))
    return given[0]


async def async_load_picture(request: Request) -> Loaded:
    """Load what PICTURE_FIELDS name. Raises ServiceValidationError, and HomeAssistantError of a camera or an image."""
    return await async_load_one(request.hass, request.data)


async def async_load_one(hass: HomeAssistant, data: Mapping[str, Any], prefix: str = "") -> Loaded:
    """Load what PICTURE_FIELDS, or the same with a prefix, name in a call's data; see `async_load_picture`."""
    name = exactly_one(data, *(f"{prefix}{field}" for field in (MEDIA, IMAGE_ENTITY, PATH)))
    match name.removeprefix(prefix):
        case "path":
            return await hass.async_add_executor_job(_read_allowed, hass, data[name])
        case "image_entity":
            return await _async_picture_of(hass, data[name], name)
        case _:
            return await _async_load_media(hass, data[name])


async def async_load_any(hass: HomeAssistant, data: Mapping[str, Any], prefix: str = "") -> Loaded:
    """Load what ANY_PICTURE_FIELDS, or the same with a prefix, name; an upload is gone then. See `async_load_one`."""
    name = exactly_one(data, *(f"{prefix}{field}" for field in (UPLOAD, MEDIA, IMAGE_ENTITY, PATH)))
    if name == f"{prefix}{UPLOAD}":
        return await hass.async_add_executor_job(_read_upload, hass, data[name], name)
    return await async_load_one(hass, data, prefix)


async def async_load_pictures(hass: HomeAssistant, data: Mapping[str, Any]) -> list[bytes]:
    """Load all that the lists `media`, `image_entity` and `path` name, in that order.

    Raises ServiceValidationError, and HomeAssistantError of a camera or an image.
    """
    loaded = [await _async_load_media(hass, media) for media in data.get(MEDIA, ())]
    loaded += [await _async_picture_of(hass, entity_id, IMAGE_ENTITY) for entity_id in data.get(IMAGE_ENTITY, ())]
    loaded += [await hass.async_add_executor_job(_read_allowed, hass, path) for path in data.get(PATH, ())]
    return [one.content for one in loaded]


async def async_playable(request: Request) -> str:
    """Find the path or URL of what SOUND_FIELDS name, one that may be opened. Raises ServiceValidationError."""
    hass = request.hass
    if PATH in request.data:
        return str(await hass.async_add_executor_job(_allowed, hass, request.data[PATH]))
    return str(await _async_resolve(hass, request.data[MEDIA]))


async def _async_load_media(hass: HomeAssistant, media_id: str) -> Loaded:
    # What a camera or an image gives as media is a stream without end; a single picture is what is wanted.
    for domain in (Platform.CAMERA, Platform.IMAGE):
        if media_id.startswith(prefix := f"media-source://{domain}/"):
            return await _async_picture_of(hass, media_id.removeprefix(prefix), MEDIA)
    source = await _async_resolve(hass, media_id)
    if isinstance(source, Path):
        return await hass.async_add_executor_job(_read, source, MEDIA)
    return await _async_fetch(hass, source)


async def _async_resolve(hass: HomeAssistant, media_id: str) -> Path | str:
    """Find where a medium is: a file that Home Assistant vouches for, or a URL."""
    if media_source.is_media_source_id(media_id):
        try:
            play = await media_source.async_resolve_media(hass, media_id, None)
        except media_source.MediaSourceError as err:
            raise invalid("media_unavailable", field=MEDIA) from err
        return play.path or async_process_play_media_url(hass, play.url)
    try:
        allowed = media_id.startswith(("http://", "https://")) and hass.config.is_allowed_external_url(media_id)
    except ValueError:
        allowed = False
    if not allowed:
        raise invalid("url_not_allowed")
    return media_id


async def _async_picture_of(hass: HomeAssistant, entity_id: str, field: str) -> Loaded:
    return Loaded(name=entity_id.partition(".")[2], content=await async_picture_of(hass, entity_id, field))


async def _async_fetch(hass: HomeAssistant, url: str) -> Loaded:
    session = async_get_clientsession(hass)
    content = bytearray()
    try:
        # An allowed address must not lead on to one that is not.
        async with asyncio.timeout(_FETCH_TIMEOUT), session.get(url, allow_redirects=False) as response:
            if response.status != 200:
                raise invalid("media_unavailable", field=MEDIA)
            async for part in response.content.iter_chunked(65536):
                content += part
                _check_size(len(content), MEDIA)
    except TimeoutError, aiohttp.ClientError:
        # Not chained: the cause may name the URL, which Home Assistant has signed.
        raise invalid("media_unavailable", field=MEDIA) from None
    return Loaded(name=PurePosixPath(unquote(urlsplit(url).path)).name, content=bytes(content))


def _allowed(hass: HomeAssistant, path: str) -> Path:
    """Find the file behind a path, links followed, if it may be read. Blocking."""
    file = Path(path).resolve()
    if not hass.config.is_allowed_path(str(file)):
        raise invalid("path_not_allowed", path=path)
    if not file.is_file():
        raise invalid("media_unavailable", field=PATH)
    return file


def _read_allowed(hass: HomeAssistant, path: str) -> Loaded:
    return _read(_allowed(hass, path), PATH)


def _read(file: Path, field: str) -> Loaded:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST_FILE + 1)
    except OSError as err:
        raise invalid("media_unavailable", field=field) from err
    _check_size(len(content), field)
    return Loaded(name=file.name, content=content)


def _read_upload(hass: HomeAssistant, upload: str, field: str) -> Loaded:
    """Read what POST /api/file_upload has taken. Blocking."""
    try:
        with process_uploaded_file(hass, upload) as file:
            return _read(file, field)
    except (ValueError, KeyError, OSError) as err:
        # Also one that another call takes at the same time.
        raise invalid("upload_gone", field=field) from err


def _check_size(size: int, field: str) -> None:
    if size > LARGEST_FILE:
        raise invalid("media_too_large", field=field, limit=str(LARGEST_FILE // 1024 // 1024))

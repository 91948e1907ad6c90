"""The view that serves pictures of sightings: to users who may see the station, and to nobody's cache.

A picture is named by a sighting's reference (hub/history/store.py): no number to count up, and no path.
"""

from enum import StrEnum
from http import HTTPStatus
import sqlite3
from typing import Final

from aiohttp import hdrs, web
from homeassistant.auth.models import User
from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.components.http import KEY_HASS, KEY_HASS_USER, HomeAssistantView
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import device_registry as dr, entity_registry as er

from ...const import DOMAIN, LOGGER
from ...people.model import PersonError
from ...people.photos import thumbnail
from ..house import async_get_history
from ..picture import content_type
from .past_sightings import PastSighting
from .store import History

_MEDIA: Final = f"media-source://{DOMAIN}/sighting/"
_URL: Final = f"/api/{DOMAIN}/sighting/{{reference}}/{{part}}"
# Faces: no proxy and no browser keeps them, and none takes them for anything but a picture.
_HEADERS: Final = {
    hdrs.CACHE_CONTROL: "private, no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


class Part(StrEnum):
    """Which picture of a sighting."""

    FACE = "face"
    SCENE = "scene"
    THUMBNAIL = "thumbnail"


def picture_path(reference: str, part: Part) -> str:
    """Make the path of a picture. It is for whoever is logged in, or holds it signed by Home Assistant."""
    return _URL.format(reference=reference, part=part)


def media_id(past: PastSighting) -> str | None:
    """Name a sighting's picture as media (media_source.py); None where there is none."""
    return f"{_MEDIA}{past.reference}" if past.picture else None


def reference_in(media: str) -> str | None:
    """Find the reference of the sighting whose close-up or scene a medium is; None for any other medium."""
    return media.removeprefix(_MEDIA).partition("/")[0] if media.startswith(_MEDIA) else None


class SightingPictureView(HomeAssistantView):
    """Serves the pictures of one sighting: close-up, scene, or a small close-up."""

    url = _URL
    name = f"api:{DOMAIN}:sighting"

    async def get(self, request: web.Request, reference: str, part: str) -> web.Response:
        """Give a picture. Whatever is not there, and whatever this user may not see, is not found."""
        hass = request.app[KEY_HASS]
        if part not in set(Part):
            raise web.HTTPNotFound
        try:
            history = await async_get_history(hass)
            past = await history.find(reference)
            if past is None or not async_may_see(hass, request[KEY_HASS_USER], past.source):
                raise web.HTTPNotFound
            picture = await _async_picture(hass, history, past, Part(part))
        except sqlite3.Error as err:
            LOGGER.error("A picture could not be read: %s", err)
            raise web.HTTPServiceUnavailable from err
        if picture is None:
            raise web.HTTPNotFound
        return web.Response(body=picture, content_type=content_type(picture), headers=_HEADERS, status=HTTPStatus.OK)


async def _async_picture(hass: HomeAssistant, history: History, past: PastSighting, part: Part) -> bytes | None:
    if part is Part.SCENE:
        return await history.scene(past.id)
    picture = await history.picture(past.id)
    if picture is None or part is Part.FACE:
        return picture
    try:
        return await hass.async_add_executor_job(thumbnail, picture)
    except PersonError:
        # A station's picture that only its browser can read, if anything: as it came.
        return picture


@callback
def async_may_see(hass: HomeAssistant, user: User, source: str) -> bool:
    """Whether a user may read every entity of the station; without any to go by, only an administrator may."""
    if user.is_admin:
        return True
    entry = hass.config_entries.async_entry_for_domain_unique_id(DOMAIN, source)
    if entry is None:
        return False
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, source), entry.entry_id)
    if device is None:
        return False
    entities = er.async_entries_for_device(er.async_get(hass), device.id)
    return bool(entities) and all(user.permissions.check_entity(entity.entity_id, POLICY_READ) for entity in entities)

"""Firmware that the household put into the config directory, handed to the one station that it is offered to.

Files live in `<config>/face_access/firmware/` and are named `<model>_<version>.<ext>`: the model as the device page
shows it (case and punctuation do not matter), the version as the station itself will report it. The model is in the
name so that no file is ever offered to another kind of device.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
import hashlib
from pathlib import Path
import re
import secrets
from typing import Final

from aiohttp import web
from homeassistant.components.http import HomeAssistantView
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.network import NoURLAvailableError, get_url
from homeassistant.util import dt as dt_util, slugify
from homeassistant.util.hass_dict import HassKey

from ..const import CONF_LOCAL_ONLY, DOMAIN, LOGGER
from ..coordinator import FaceAccessCoordinator
from ..devices.station import Firmware, FirmwareOffer
from .house import folder

_NAME: Final = re.compile(r"(?P<model>.+)_(?P<version>[vV]?\d[\w.+-]*?)(?:\.[A-Za-z]\w*)+")
_VIEW: Final[HassKey[FirmwareView]] = HassKey(f"{DOMAIN}_firmware")


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareFile:
    """A file on disk and the version that its name gives."""

    path: Path
    version: str


async def async_find(hass: HomeAssistant, model: str | None) -> tuple[FirmwareFile, ...]:
    """Find the files for a model; none for a station that does not name its model."""
    if model is None:
        return ()
    return await hass.async_add_executor_job(_find, folder(hass) / "firmware", model)


def _find(directory: Path, model: str) -> tuple[FirmwareFile, ...]:
    try:
        paths = [path for path in directory.iterdir() if path.is_file()]
    except FileNotFoundError:
        return ()
    except OSError as err:
        LOGGER.warning("The firmware folder cannot be read: %s", err)
        return ()
    matches = ((path, _NAME.fullmatch(path.name)) for path in paths)
    return tuple(
        FirmwareFile(path=path, version=match["version"])
        for path, match in matches
        if match is not None and slugify(match["model"]) == slugify(model)
    )


def is_newer(version: str, than: str) -> bool:
    """Compare versions piece by piece: 0.10.2 is newer than 0.9.9, and than its own 0.10.2beta.

    Vendors write versions such as "0.10.2beta" (HTTP API 2.11.1), which no common scheme can compare.
    """
    return _version_key(version) > _version_key(than)


def _version_key(version: str) -> list[tuple[int, int, str]]:
    pieces = re.findall(r"\d+|[a-z]+", version.lower().removeprefix("v"))
    # Words come before the end, and the end before numbers: 1.2beta, 1.2, 1.2.1.
    return [(2, int(piece), "") if piece.isdigit() else (0, 0, piece) for piece in pieces] + [(1, 0, "")]


@asynccontextmanager
async def async_offered(
    coordinator: FaceAccessCoordinator, firmware: Firmware, file: FirmwareFile
) -> AsyncGenerator[None]:
    """Offer a file to a station, and serve it, while the body runs. Raises StationError, HomeAssistantError."""
    hass = coordinator.hass
    try:
        md5, built = await hass.async_add_executor_job(_look_into, file.path)
    except OSError as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="firmware_missing") from err
    view = _async_view(hass)
    token = secrets.token_urlsafe(24)
    url = f"{_base_url(coordinator)}{FirmwareView.url.format(token=token)}"
    view.offered[token] = file.path
    try:
        await firmware.offer(FirmwareOffer(version=file.version, url=url, md5=md5, built=built))
        yield
    finally:
        del view.offered[token]
        await firmware.offer(None)


def _look_into(path: Path) -> tuple[str, datetime]:
    """Find a file's checksum, and when it was written: the nearest to the time of its making that there is."""
    with path.open("rb") as file:
        # Not for security: it is the checksum that the station asks for.
        digest = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    written = dt_util.as_local(dt_util.utc_from_timestamp(path.stat().st_mtime))
    return digest.hexdigest(), written.replace(tzinfo=None)


def _base_url(coordinator: FaceAccessCoordinator) -> str:
    local_only = coordinator.config_entry.options.get(CONF_LOCAL_ONLY, True)
    try:
        return get_url(coordinator.hass, allow_external=not local_only, allow_cloud=False, prefer_external=False)
    except NoURLAvailableError as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="no_url") from err


@callback
def _async_view(hass: HomeAssistant) -> FirmwareView:
    """Register the view at the first offer: Home Assistant cannot take a view back, so there is one for all."""
    if (view := hass.data.get(_VIEW)) is None:
        view = hass.data[_VIEW] = FirmwareView()
        hass.http.register_view(view)
    return view


class FirmwareView(HomeAssistantView):
    """Serves what is offered at the moment to whoever knows the offer's token: stations cannot log in."""

    url = f"/api/{DOMAIN}/firmware/{{token}}"
    name = f"api:{DOMAIN}:firmware"
    requires_auth = False

    def __init__(self) -> None:
        """Start with nothing on offer."""
        self.offered: dict[str, Path] = {}

    async def get(self, _request: web.Request, token: str) -> web.StreamResponse:
        """Send a file with its length: terminals cannot read a chunked body (HTTP API 1.2.1, note 8)."""
        path = self.offered.get(token)
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path)

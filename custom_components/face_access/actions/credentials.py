"""Actions on the cards, codes and faces that a station knows by itself.

Numbers open doors: none is in a log or an error, and an answer holds them only where the call asks for them.
"""

from base64 import b64encode
from datetime import datetime
from pathlib import Path

from homeassistant.core import HomeAssistant, ServiceResponse
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonObjectType

from ..devices.station import Credential, CredentialKind, Credentials
from .jpeg import NotAPictureError, to_jpeg
from .media import IMAGE_ENTITY, MEDIA, PATH, async_load_picture
from .request import Request, invalid

NUMBER = "number"


async def add_identifier(request: Request, credentials: Credentials) -> ServiceResponse:
    """Add a card, a code or a face; its number at the station."""
    data = request.data
    kind = CredentialKind(data["kind"])
    if kind not in credentials.kinds:
        known = ", ".join(credentials.kinds)
        raise invalid("kind_unknown", device=request.coordinator.config_entry.title, kinds=known)
    photo = await _photo(request, kind)
    if kind not in (CredentialKind.FACE, CredentialKind.QR) and NUMBER not in data:
        raise invalid("number_missing")
    credential = Credential(
        kind=kind,
        owner=data["owner"].strip(),
        number=data.get(NUMBER),
        photo=photo,
        guest=data["guest"],
        door=data.get("door"),
        valid_from=data.get("valid_from"),
        valid_until=data.get("valid_until"),
        max_passes=data.get("max_passes"),
    )
    return {"uid": await credentials.add(credential)}


async def list_identifiers(request: Request, credentials: Credentials) -> ServiceResponse:
    """List what the station knows; with `numbers`, the numbers of cards and codes too."""
    found = await credentials.list()
    wanted = request.data.get("kind")
    numbers = request.data["numbers"]
    return {
        "identifiers": [
            _as_data(credential, numbers=numbers) for credential in found if wanted in (None, credential.kind)
        ]
    }


async def remove_identifier(request: Request, credentials: Credentials) -> ServiceResponse:
    """Remove one by its number at the station."""
    await credentials.remove(request.data["uid"])
    return None


async def reset_passes(request: Request, credentials: Credentials) -> ServiceResponse:
    """Give one all its passes again."""
    await credentials.reset_passes(request.data["uid"])
    return None


async def get_qr_code(request: Request, credentials: Credentials) -> ServiceResponse:
    """Draw a QR code: as base64 for templates, and into a file for whatever sends files."""
    hass, path = request.hass, request.data.get(PATH)
    if path is not None:
        await hass.async_add_executor_job(_check_target, hass, path)
    picture = await credentials.qr_code(request.data["uid"])
    response: JsonObjectType = {"content_type": "image/png", "data": b64encode(picture).decode()}
    if path is not None:
        response["path"] = await hass.async_add_executor_job(_write, path, picture)
    return response


async def _photo(request: Request, kind: CredentialKind) -> bytes | None:
    """Load the photo that makes a face, as JPEG. Raises ServiceValidationError for one that nobody can use."""
    if kind is not CredentialKind.FACE:
        if any(field in request.data for field in (MEDIA, IMAGE_ENTITY, PATH)):
            raise invalid("photo_not_wanted")
        return None
    if NUMBER in request.data:
        raise invalid("number_not_wanted")
    loaded = await async_load_picture(request)
    try:
        return await request.hass.async_add_executor_job(to_jpeg, loaded.content)
    except NotAPictureError as err:
        raise invalid("not_a_picture") from err


def _as_data(credential: Credential, *, numbers: bool) -> JsonObjectType:
    data: JsonObjectType = {
        "uid": credential.uid,
        "kind": credential.kind.value,
        "owner": credential.owner,
        "guest": credential.guest,
        "door": credential.door,
        "valid_from": _moment(credential.valid_from),
        "valid_until": _moment(credential.valid_until),
        "max_passes": credential.max_passes,
        "passes_left": credential.passes_left,
    }
    if numbers:
        data[NUMBER] = credential.number
    return data


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else dt_util.as_local(moment).isoformat()


def _check_target(hass: HomeAssistant, path: str) -> None:
    """Refuse a file that may not be written, before the station is asked. Blocking."""
    file = Path(path).resolve()
    if file.suffix.lower() != ".png" or not hass.config.is_allowed_path(str(file)):
        raise invalid("target_not_allowed", path=path)


def _write(path: str, content: bytes) -> str:
    """Write a file that its owner alone may read, since its content opens doors. Blocking."""
    file = Path(path).resolve()
    try:
        file.touch(mode=0o600)
        # One that was there already is the owner's alone from now on, too.
        file.chmod(0o600)
        file.write_bytes(content)
    except OSError as err:
        raise invalid("target_unwritable", path=path) from err
    return str(file)

"""The actions that ask an engine about pictures. What they tell of faces is for an administrator alone."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from homeassistant.const import Platform
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util.json import JsonObjectType
import probatio as vol

from ..access import Similarity
from ..const import DOMAIN, ENGINE_LOCAL
from ..hub.errors import translated
from ..hub.local.answers import Answers, Look, async_get_answers
from ..hub.picture_of import async_picture_of
from ..hub.servers.answers import async_server_answers
from ..recognition.errors import PictureError, RecognitionError
from . import fields
from .media import ANY_PICTURE_FIELDS, IMAGE_ENTITY, LARGEST_FILE, PATH, async_load_any, exactly_one
from .request import invalid

SIMILARITY, LIVENESS, FAR = "similarity", "liveness", "far_faces"
REFERENCE, CHANNEL = "reference", "channel"
COUNT, INTERVAL = "count", "interval"
ENGINE: Final = "engine"
OTHER: Final = "other_"
_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp")
_MOST_PICTURES: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class RecognitionRequest:
    """One call, and the engine that answers it. `data` holds its fields as the action's schema left them."""

    hass: HomeAssistant
    engine: Answers
    data: Mapping[str, Any]

    @property
    def look(self) -> Look:
        """How the call wants pictures to be looked at."""
        return Look(
            similarity=self.data.get(SIMILARITY, Similarity.NORMAL),
            liveness=self.data.get(LIVENESS, False),
            far=self.data.get(FAR, False),
        )


async def recognize(request: RecognitionRequest) -> dict[str, Any]:
    """Find all faces of a picture, and who they are."""
    picture = await async_load_any(request.hass, request.data)
    return await request.engine.recognize(picture.content, request.look)


async def compare_faces(request: RecognitionRequest) -> dict[str, Any]:
    """Compare two pictures."""
    first = await async_load_any(request.hass, request.data)
    second = await async_load_any(request.hass, request.data, OTHER)
    notes = {name: request.data[name] for name in (REFERENCE, CHANNEL) if name in request.data}
    return await request.engine.compare(first.content, second.content, request.look, notes)


async def check_liveness(request: RecognitionRequest) -> dict[str, Any]:
    """Say whether the faces of a picture are live."""
    picture = await async_load_any(request.hass, request.data)
    return await request.engine.check_liveness(picture.content, request.look)


async def test_recognition(request: RecognitionRequest) -> dict[str, Any]:
    """Say how well recognition works with the pictures of a folder, or with what a camera sees in a while."""
    hass, data = request.hass, request.data
    pictures: Iterator[Callable[[], Any]]
    if exactly_one(data, PATH, IMAGE_ENTITY) == PATH:
        files = await hass.async_add_executor_job(_files, hass, data[PATH])
        pictures = (partial(hass.async_add_executor_job, _read, file) for file in files)
    else:
        pictures = _seen(hass, data[IMAGE_ENTITY], data[COUNT], data[INTERVAL].total_seconds())
    return await request.engine.test(pictures, request.look)


def _seen(hass: HomeAssistant, entity_id: str, count: int, interval: float) -> Iterator[Callable[[], Any]]:
    async def take(wait: float) -> bytes:
        await asyncio.sleep(wait)
        return await async_picture_of(hass, entity_id)

    return (partial(take, interval if number else 0) for number in range(count))


def _files(hass: HomeAssistant, path: str) -> list[Path]:
    """Find the pictures of a folder and of those in it, as far as they may be read. Blocking."""
    folder = Path(path).resolve()
    if not hass.config.is_allowed_path(str(folder)):
        raise invalid("path_not_allowed", path=path)
    if not folder.is_dir():
        raise invalid("media_unavailable", field=PATH)
    found = sorted(file for file in folder.rglob("*") if file.suffix.lower() in _SUFFIXES)
    # A link may lead out of it.
    allowed = [file for file in found if hass.config.is_allowed_path(str(file.resolve()))]
    if len(allowed) > _MOST_PICTURES:
        raise invalid("too_many_pictures", limit=str(_MOST_PICTURES))
    return allowed


def _read(file: Path) -> bytes:
    """Read one picture. Raises PictureError: one that is broken says nothing against the others."""
    try:
        with file.open("rb") as opened:
            return opened.read(LARGEST_FILE + 1)
    except OSError as err:
        raise PictureError("the file cannot be read") from err


_LOOK: dict[vol.Marker, Any] = {
    vol.Optional(ENGINE): cv.string,
    vol.Optional(SIMILARITY, default=Similarity.NORMAL): vol.Coerce(Similarity),
    vol.Optional(FAR, default=False): cv.boolean,
}
_LIVE: dict[vol.Marker, Any] = {vol.Optional(LIVENESS, default=True): cv.boolean}

type Handler = Callable[[RecognitionRequest], Coroutine[Any, Any, dict[str, Any]]]

RECOGNITION_ACTIONS: Mapping[str, tuple[Handler, dict[vol.Marker, Any], SupportsResponse]] = {
    "recognize": (recognize, {**ANY_PICTURE_FIELDS, **_LOOK, **_LIVE}, SupportsResponse.ONLY),
    "compare_faces": (
        compare_faces,
        {
            **ANY_PICTURE_FIELDS,
            **{vol.Optional(f"{OTHER}{marker}"): validator for marker, validator in ANY_PICTURE_FIELDS.items()},
            **_LOOK,
            vol.Optional(REFERENCE): fields.text,
            vol.Optional(CHANNEL): fields.text,
        },
        SupportsResponse.ONLY,
    ),
    "check_liveness": (check_liveness, {**ANY_PICTURE_FIELDS, **_LOOK}, SupportsResponse.ONLY),
    "test_recognition": (
        test_recognition,
        {
            vol.Optional(PATH): fields.file_path,
            vol.Optional(IMAGE_ENTITY): cv.entity_domain([Platform.CAMERA, Platform.IMAGE]),
            vol.Optional(COUNT, default=5): fields.whole(1, 60),
            vol.Optional(INTERVAL, default={"seconds": 1}): fields.duration,
            **_LOOK,
            **_LIVE,
        },
        SupportsResponse.ONLY,
    ),
}


@callback
def async_setup_recognition_actions(hass: HomeAssistant) -> None:
    """Register the actions on pictures."""
    for name, (handler, schema, response) in RECOGNITION_ACTIONS.items():
        service.async_register_admin_service(
            hass, DOMAIN, name, _runner(handler), schema=vol.Schema(schema), supports_response=response
        )


def _runner(handler: Handler) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    """Wrap a handler so that the user reads a translated error."""

    async def run(call: ServiceCall) -> ServiceResponse:
        # The one place that chooses the engine: the house's own, or the server that the call names by its entry.
        name = call.data.get(ENGINE, ENGINE_LOCAL)
        local = name == ENGINE_LOCAL
        engine: Answers = await (async_get_answers(call.hass) if local else async_server_answers(call.hass, name))
        try:
            answer = await handler(RecognitionRequest(hass=call.hass, engine=engine, data=call.data))
        except RecognitionError as err:
            raise HomeAssistantError(**translated(err, aloud=True)) from err
        return cast("JsonObjectType", answer)

    return run

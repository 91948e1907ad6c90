"""Records that a face scan service keeps of its comparisons: made, read, listed, changed; for administrators alone."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, cast

from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv, service
from homeassistant.util.json import JsonObjectType
import probatio as vol

from ..const import DOMAIN
from ..hub.errors import translated
from ..hub.servers.answers import async_coordinator
from ..hub.servers.coordinator import ServerCoordinator
from ..recognition.errors import RecognitionError
from ..recognition.servers.kind import Scans
from . import fields
from .media import PICTURE_FIELDS, async_load_one
from .recognition import CHANNEL, ENGINE, OTHER, REFERENCE
from .request import invalid

SCAN, PAGE, SIZE, QUERY = "scan_id", "page", "size", "query"
_CHANGES: Mapping[vol.Marker, Any] = {
    vol.Optional("compare_result"): fields.text,
    vol.Optional("compare_similarity"): vol.All(vol.Coerce(float), vol.Range(min=-1, max=1)),
    vol.Optional("sales_channel"): vol.In(["WEB", "MOBILE", "OTHER"]),
    vol.Optional("elapsed_time"): vol.All(vol.Coerce(float), vol.Range(min=0)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRequest:
    """One call, and the service that it is for."""

    hass: HomeAssistant
    coordinator: ServerCoordinator
    scans: Scans
    data: Mapping[str, Any]


async def create_scan(request: ScanRequest) -> Mapping[str, Any]:
    """Compare two pictures; the service keeps a record of it."""
    first = await async_load_one(request.hass, request.data)
    second = await async_load_one(request.hass, request.data, OTHER)
    data = request.data
    question = request.scans.create(first.content, second.content, data[REFERENCE], data.get(CHANNEL, ""))
    return await request.coordinator.ask(question)


async def get_scan(request: ScanRequest) -> Mapping[str, Any]:
    """Read one record."""
    return await request.coordinator.ask(request.scans.get(request.data[SCAN]))


async def list_scans(request: ScanRequest) -> Mapping[str, Any]:
    """Read some records."""
    data = request.data
    return await request.coordinator.ask(request.scans.list(data.get(PAGE), data.get(SIZE), data.get(QUERY, {})))


async def update_scan(request: ScanRequest) -> Mapping[str, Any]:
    """Change one record."""
    names = {str(marker) for marker in _CHANGES}
    changes = {name: value for name, value in request.data.items() if name in names}
    if not changes:
        raise invalid("nothing_to_change", fields=", ".join(sorted(names)))
    return await request.coordinator.ask(request.scans.update(request.data[SCAN], changes))


type Handler = Callable[[ScanRequest], Coroutine[Any, Any, Mapping[str, Any]]]
_ENGINE: Mapping[vol.Marker, Any] = {vol.Required(ENGINE): cv.string}

SCAN_ACTIONS: Mapping[str, tuple[Handler, Mapping[vol.Marker, Any], SupportsResponse]] = {
    "create_scan": (
        create_scan,
        {
            **_ENGINE,
            **PICTURE_FIELDS,
            **{vol.Optional(f"{OTHER}{marker}"): validator for marker, validator in PICTURE_FIELDS.items()},
            vol.Required(REFERENCE): fields.text,
            vol.Optional(CHANNEL): vol.In(["WEB", "MOBILE", "OTHER"]),
        },
        SupportsResponse.ONLY,
    ),
    "get_scan": (get_scan, {**_ENGINE, vol.Required(SCAN): fields.text}, SupportsResponse.ONLY),
    "list_scans": (
        list_scans,
        {
            **_ENGINE,
            vol.Optional(PAGE): fields.whole(0, 1_000_000),
            vol.Optional(SIZE): fields.whole(1, 1000),
            vol.Optional(QUERY): vol.Schema({cv.string: cv.string}),
        },
        SupportsResponse.ONLY,
    ),
    "update_scan": (update_scan, {**_ENGINE, vol.Required(SCAN): fields.text, **_CHANGES}, SupportsResponse.ONLY),
}


@callback
def async_setup_scan_actions(hass: HomeAssistant) -> None:
    """Register the actions on records of comparisons."""
    for name, (handler, schema, response) in SCAN_ACTIONS.items():
        service.async_register_admin_service(
            hass,
            DOMAIN,
            name,
            _runner(name, handler),
            schema=vol.Schema(dict(schema)),
            supports_response=response,
        )


def _runner(name: str, handler: Handler) -> Callable[[ServiceCall], Coroutine[Any, Any, ServiceResponse]]:
    """Find the service that a call means, and wrap a handler so that the user reads a translated error."""

    async def run(call: ServiceCall) -> ServiceResponse:
        coordinator = async_coordinator(call.hass, call.data[ENGINE])
        if coordinator.scans is None:
            raise invalid("engine_not_able", engine=coordinator.config_entry.title, action=f"{DOMAIN}.{name}")
        request = ScanRequest(hass=call.hass, coordinator=coordinator, scans=coordinator.scans, data=call.data)
        try:
            answer = await handler(request)
        except RecognitionError as err:
            raise HomeAssistantError(**translated(err, aloud=True)) from err
        return cast("JsonObjectType", dict(answer))

    return run

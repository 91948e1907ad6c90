"""What an action is, and how one call of it finds its station and may be made at all."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.const import ATTR_DEVICE_ID
from homeassistant.core import HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse
from homeassistant.exceptions import ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import entity_registry as er, service
import probatio as vol

from ..const import DOMAIN
from ..coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from ..devices.station import Station
from ..hub.errors import raise_translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One call, for one station. `data` holds its fields as the action's schema left them."""

    hass: HomeAssistant
    coordinator: FaceAccessCoordinator
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Action[C]:
    """One action.

    `capability` finds what the station needs for it, None where the station has no such thing. `fields` is the schema
    without the device. `handler` may raise `StationError`. `controls` is whether a user needs to be permitted to
    control the station and not only to read it, None where that follows from `response`.
    """

    name: str
    capability: Callable[[Station], C | None]
    handler: Callable[[Request, C], Coroutine[Any, Any, ServiceResponse]]
    fields: Mapping[vol.Marker, Any]
    response: SupportsResponse = SupportsResponse.NONE
    controls: bool | None = None

    async def run(self, call: ServiceCall) -> ServiceResponse:
        """Run for the device that the call names. Raises translated errors alone."""
        hass = call.hass
        device_id = call.data[ATTR_DEVICE_ID]
        entry: FaceAccessConfigEntry
        _, entry = service.async_get_device_and_config_entry(hass, DOMAIN, device_id)
        if not isinstance(entry.runtime_data, FaceAccessCoordinator):
            raise invalid("not_capable", device=entry.title, action=f"{DOMAIN}.{self.name}")
        reads = self.response is SupportsResponse.ONLY if self.controls is None else not self.controls
        await _check_permission(call, device_id, POLICY_READ if reads else POLICY_CONTROL)
        capability = self.capability(entry.runtime_data.station)
        if capability is None:
            raise invalid("not_capable", device=entry.title, action=f"{DOMAIN}.{self.name}")
        request = Request(hass=hass, coordinator=entry.runtime_data, data=call.data)
        return await raise_translated(self.handler)(request, capability)


def invalid(translation_key: str, **placeholders: str) -> ServiceValidationError:
    """Make the error for a call that is at fault itself."""
    return ServiceValidationError(
        translation_domain=DOMAIN, translation_key=translation_key, translation_placeholders=placeholders
    )


async def _check_permission(call: ServiceCall, device_id: str, policy: str) -> None:
    """Ask of a user what the device's entities would ask: else an action opens a door whose button they must not press.

    Home Assistant checks users for actions on entities alone. Without entities to go by, only an administrator may.
    """
    if call.context.user_id is None:
        return
    user = await call.hass.auth.async_get_user(call.context.user_id)
    if user is None:
        raise UnknownUser(context=call.context)
    if user.is_admin:
        return
    entities = er.async_entries_for_device(er.async_get(call.hass), device_id)
    if not entities or not all(user.permissions.check_entity(entity.entity_id, policy) for entity in entities):
        raise Unauthorized(context=call.context, permission=policy)

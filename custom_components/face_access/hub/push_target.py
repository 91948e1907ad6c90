"""Where a station sends what it sees: pointed to us with the user's consent, put back when we go."""

import asyncio
from typing import TYPE_CHECKING

from homeassistant.components import webhook
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.network import get_url
from yarl import URL

from ..const import CONF_LOCAL_ONLY, CONF_PREVIOUS_TARGET, CONF_PUSH, LOGGER
from ..devices.errors import StationError
from ..devices.station import PushTarget

if TYPE_CHECKING:
    from ..coordinator import FaceAccessCoordinator

_RESTORE_TIMEOUT = 10


@callback
def async_target(hass: HomeAssistant, webhook_id: str, *, local_only: bool) -> PushTarget:
    """Find how a station reaches one of our webhooks. Raises homeassistant.helpers.network.NoURLAvailableError."""
    url = URL(get_url(hass, allow_external=not local_only, allow_cloud=False, allow_ip=True, prefer_external=False))
    return PushTarget(
        host=url.host or "",
        port=url.port or 80,
        path=webhook.async_generate_path(webhook_id).lstrip("/"),
        secure=url.scheme == "https",
    )


@callback
def async_own_target(coordinator: FaceAccessCoordinator) -> PushTarget:
    """Find where this station's pushes shall go."""
    entry = coordinator.config_entry
    return async_target(
        coordinator.hass, entry.data[CONF_WEBHOOK_ID], local_only=entry.options.get(CONF_LOCAL_ONLY, True)
    )


async def async_redirect(coordinator: FaceAccessCoordinator) -> None:
    """Point the station to us and remember what was there. Raises StationError, NoURLAvailableError."""
    entry = coordinator.config_entry
    previous = await coordinator.station.inbox.redirect(async_own_target(coordinator))
    # Kept from the first time on: after a hard stop the station still points to us, which is nothing to go back to.
    if previous is not None and CONF_PREVIOUS_TARGET not in entry.data:
        data = {**entry.data, CONF_PREVIOUS_TARGET: dict(previous)}
        coordinator.hass.config_entries.async_update_entry(entry, data=data)


async def async_restore(coordinator: FaceAccessCoordinator) -> None:
    """Put back what was there before us. A station that is away keeps pointing to us, and the log says so."""
    entry = coordinator.config_entry
    previous = entry.data.get(CONF_PREVIOUS_TARGET)
    if not entry.data.get(CONF_PUSH) or previous is None:
        return
    try:
        async with asyncio.timeout(_RESTORE_TIMEOUT):
            await coordinator.station.inbox.restore(previous)
    except (StationError, TimeoutError) as err:
        LOGGER.warning("%s still sends its pushes here: it could not be told (%s)", entry.title, type(err).__name__)
        return
    data = {key: value for key, value in entry.data.items() if key != CONF_PREVIOUS_TARGET}
    coordinator.hass.config_entries.async_update_entry(entry, data=data)

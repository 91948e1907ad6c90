"""Where a station sends what it sees: pointed to us with the user's consent, put back when we go."""

import asyncio
from collections.abc import Mapping
from typing import Any

from homeassistant.components import webhook
from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.network import NoURLAvailableError, get_url
from yarl import URL

from ...const import CONF_INBOX, CONF_LOCAL_ONLY, CONF_PREVIOUS_TARGET, LOGGER
from ...devices.errors import StationError
from ...devices.station import PushTarget, RememberingInbox, Station

_RESTORE_TIMEOUT = 10


@callback
def async_recall(entry: ConfigEntry, station: Station) -> None:
    """Let the station's inbox know what it knew before."""
    if isinstance(station.inbox, RememberingInbox):
        station.inbox.recall(entry.data.get(CONF_INBOX, {}))


@callback
def async_remember(hass: HomeAssistant, entry: ConfigEntry, station: Station) -> None:
    """Keep what the station's inbox must know after a restart, as soon as that changes."""
    if not isinstance(station.inbox, RememberingInbox):
        return
    memory = dict(station.inbox.memory)
    if memory != entry.data.get(CONF_INBOX, {}):
        async_change_data(hass, entry, CONF_INBOX, memory or None)


@callback
def async_change_data(hass: HomeAssistant, entry: ConfigEntry, key: str, value: Mapping[str, Any] | None) -> None:
    """Write one of an entry's facts, None to remove it. An entry that is being removed has none any more."""
    if hass.config_entries.async_get_entry(entry.entry_id) is not entry:
        return
    data = {name: fact for name, fact in entry.data.items() if name != key}
    hass.config_entries.async_update_entry(entry, data=data if value is None else {**data, key: value})


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
def async_own_target(hass: HomeAssistant, entry: ConfigEntry) -> PushTarget:
    """Find where this station's pushes shall go. Raises NoURLAvailableError."""
    return async_target(hass, entry.data[CONF_WEBHOOK_ID], local_only=entry.options.get(CONF_LOCAL_ONLY, True))


async def async_redirect(hass: HomeAssistant, entry: ConfigEntry, station: Station) -> None:
    """Point the station to us and remember what was there. Raises StationError, NoURLAvailableError."""
    try:
        previous = await station.expect_inbox().redirect(async_own_target(hass, entry))
    finally:
        async_remember(hass, entry, station)
    # Kept from the first time on: after a hard stop the station still points to us, which is nothing to go back to.
    if previous is not None and CONF_PREVIOUS_TARGET not in entry.data:
        async_change_data(hass, entry, CONF_PREVIOUS_TARGET, dict(previous))


async def async_restore(hass: HomeAssistant, entry: ConfigEntry, station: Station) -> None:
    """Put back what was there before us. A station that is away keeps pointing to us, and the log says so.

    What somebody wrote after us is theirs, and stays.
    """
    previous = entry.data.get(CONF_PREVIOUS_TARGET)
    # Whatever the consent is by now: an entry that loads again because it was taken back is the one to put this back.
    if previous is None:
        return
    try:
        async with asyncio.timeout(_RESTORE_TIMEOUT):
            await station.expect_inbox().restore(previous, async_own_target(hass, entry))
    except (StationError, NoURLAvailableError, TimeoutError) as err:
        LOGGER.warning("%s still sends its pushes here: it could not be told (%s)", entry.title, type(err).__name__)
        return
    async_change_data(hass, entry, CONF_PREVIOUS_TARGET, None)
    async_remember(hass, entry, station)

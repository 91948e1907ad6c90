"""Which message broker a station speaks to: pointed to the house's with the household's consent, put back when we go.

A station has room for one: whoever was there before, such as the vendor's cloud, is displaced meanwhile.
"""

import asyncio
import contextlib

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.network import NoURLAvailableError, get_url
from yarl import URL

from ...const import (
    CONF_BROKER,
    CONF_BROKER_ENCRYPTED,
    CONF_BROKER_PASSWORD,
    CONF_BROKER_URL,
    CONF_BROKER_WRITE,
    CONF_PREVIOUS_BROKER,
    LOGGER,
)
from ...coordinator import FaceAccessCoordinator
from ...devices.errors import StationAuthError, StationConnectionError, StationError
from ...devices.station import BrokerTarget, Station
from .. import issues
from .push_target import async_change_data

_RESTORE_TIMEOUT = 10
_PORT = 1883
_BEFORE, _URL = "before", "url"


@callback
def async_wanted(entry: ConfigEntry) -> BrokerTarget | None:
    """Find which broker the station shall be pointed to; None where the household does that, or wants none."""
    options = entry.options
    if not (options.get(CONF_BROKER) and options.get(CONF_BROKER_WRITE) and options.get(CONF_BROKER_URL)):
        return None
    return BrokerTarget(
        url=options[CONF_BROKER_URL],
        password=options.get(CONF_BROKER_PASSWORD, ""),
        encrypted=options.get(CONF_BROKER_ENCRYPTED, False),
    )


@callback
def async_suggestion(hass: HomeAssistant) -> str:
    """Guess how a station reaches Home Assistant's broker; empty where that cannot be guessed.

    A broker that runs beside Home Assistant is known to it by a name that means nothing to others.
    """
    for mqtt in hass.config_entries.async_entries("mqtt"):
        host, port = mqtt.data.get("broker", ""), mqtt.data.get("port", _PORT)
        if "." not in host or host.startswith("127."):
            with contextlib.suppress(NoURLAvailableError):
                host = URL(get_url(hass, allow_external=False, allow_cloud=False)).host
        return f"{host}:{port}" if host else ""
    return ""


async def async_redirect(coordinator: FaceAccessCoordinator) -> None:
    """Point the station to the broker, and remember where it pointed before. Raises StationError."""
    hass, entry, broker = coordinator.hass, coordinator.config_entry, coordinator.station.broker
    if broker is None or (target := async_wanted(entry)) is None:
        return
    previous = await broker.redirect(target)
    if previous is not None and CONF_PREVIOUS_BROKER not in entry.data:
        async_change_data(hass, entry, CONF_PREVIOUS_BROKER, {_BEFORE: dict(previous), _URL: target.url})
    if not await broker.points_to(target.url):
        raise StationError("the station took the broker's address, and does not have it")
    issues.broker_elsewhere(hass, entry, elsewhere=False)


async def async_check(coordinator: FaceAccessCoordinator, *, first: bool, works: bool) -> None:
    """Point the station to the broker, once; if somebody points it elsewhere later, say so.

    `works` is whether something came that way. Raises StationConnectionError, StationAuthError.
    """
    entry, broker = coordinator.config_entry, coordinator.station.broker
    if broker is None or (target := async_wanted(entry)) is None:
        # Taken back while the station was away.
        await async_restore(coordinator.hass, entry, coordinator.station)
        return
    try:
        if first:
            await async_redirect(coordinator)
            return
        ours = works or await broker.points_to(target.url)
    except StationConnectionError, StationAuthError:
        raise
    except StationError as err:
        LOGGER.debug("%s cannot be pointed to the broker: %s", coordinator.name, type(err).__name__)
        ours = works
    issues.broker_elsewhere(coordinator.hass, entry, elsewhere=not ours)


async def async_restore(hass: HomeAssistant, entry: ConfigEntry, station: Station) -> None:
    """Put back what was there, unless the station points elsewhere by now: then that is somebody else's."""
    written, broker = entry.data.get(CONF_PREVIOUS_BROKER), station.broker
    if written is None or broker is None:
        return
    try:
        async with asyncio.timeout(_RESTORE_TIMEOUT):
            await broker.restore(written[_BEFORE], written[_URL])
    except (StationError, TimeoutError) as err:
        LOGGER.warning("%s still speaks to the broker: it could not be told (%s)", entry.title, type(err).__name__)
        return
    async_change_data(hass, entry, CONF_PREVIOUS_BROKER, None)

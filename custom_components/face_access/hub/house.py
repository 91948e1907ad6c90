"""What all stations of the house share: one history, and the ways to reach a station."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
import sqlite3
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_SSL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
    EVENT_HOMEASSISTANT_CLOSE,
    EVENT_HOMEASSISTANT_STOP,
)
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.event import async_track_time_interval
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import CONF_CONTROL_ID, CONF_FAMILY, CONF_STATION, DOMAIN, LOGGER
from ..devices import FAMILIES, Link
from ..devices.address import Address
from ..devices.station import Station, StationInfo
from .history.retention import retention_of
from .history.store import History

_LINKS: HassKey[dict[str, Link]] = HassKey(f"{DOMAIN}_links")
# Faces must not stay because nobody new came.
_PRUNE_EVERY = timedelta(hours=6)
_HISTORY: HassKey[asyncio.Task[History]] = HassKey(f"{DOMAIN}_history")


def folder(hass: HomeAssistant) -> Path:
    """Where everything of ours lives on disk: biometric data never leaves the config directory."""
    return Path(hass.config.path(DOMAIN))


async def async_get_history(hass: HomeAssistant) -> History:
    """Open the house's history at the first call. Raises ConfigEntryNotReady when it cannot be opened."""
    if (task := hass.data.get(_HISTORY)) is None:
        # A task, so that two stations set up at once wait for the same opening.
        task = hass.data[_HISTORY] = hass.async_create_task(
            _open_history(hass), "face_access history", eager_start=True
        )
    try:
        return await asyncio.shield(task)
    except (OSError, sqlite3.Error) as err:
        hass.data.pop(_HISTORY, None)
        raise ConfigEntryNotReady(
            translation_domain=DOMAIN, translation_key="history", translation_placeholders={"error": str(err)}
        ) from err


async def _open_history(hass: HomeAssistant) -> History:
    history = History(folder(hass) / "history.db")
    try:
        await history.open()
    except BaseException:
        await history.close()
        raise

    async def prune(_now: datetime) -> None:
        await _prune(history)

    stop_pruning = async_track_time_interval(hass, prune, _PRUNE_EVERY, cancel_on_shutdown=True)

    async def close(_event: Event) -> None:
        stop_pruning()
        hass.data.pop(_HISTORY, None)
        await history.close()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, close)
    return history


async def _prune(history: History) -> None:
    try:
        await history.prune()
    except sqlite3.Error as err:
        LOGGER.warning("Old sightings could not be deleted: %s", err)


async def async_keep_history(hass: HomeAssistant, entry: ConfigEntry[Any], history: History) -> None:
    """Keep what a station saw as long as its options say; what they no longer want kept goes in the background."""
    try:
        news = entry.unique_id is not None and await history.keep(entry.unique_id, retention_of(entry.options))
    except sqlite3.Error as err:
        # A disk that is full must not keep doors from working.
        LOGGER.warning("%s: how long sightings are kept could not be noted: %s", entry.title, err)
        return
    if news:
        entry.async_create_background_task(hass, _prune(history), "face_access pruning")


@callback
def async_open_link(hass: HomeAssistant, data: Mapping[str, Any]) -> Link:
    """Make the way to a station that its entry (or flow) describes: without a host, the station calls us.

    The link of a station that calls us lives on from the flow to its entry and over every reload, since it may be
    holding a question: on a new link, commands would wait until that question's time is up.
    """
    family = FAMILIES[data[CONF_FAMILY]]
    if CONF_HOST in data:
        address = Address(
            host=data[CONF_HOST],
            port=data[CONF_PORT],
            username=data.get(CONF_USERNAME, ""),
            password=data.get(CONF_PASSWORD, ""),
            secure=data.get(CONF_SSL, False),
            verify=data.get(CONF_VERIFY_SSL, False),
        )
        return family.direct(async_get_clientsession(hass), address)
    if (links := hass.data.get(_LINKS)) is None:
        links = hass.data[_LINKS] = {}

        async def close_all(_event: Event) -> None:
            for link in links.values():
                await link.close()

        hass.bus.async_listen_once(EVENT_HOMEASSISTANT_STOP, close_all)
    return links.setdefault(data[CONF_CONTROL_ID], family.queued())


@callback
def async_make_station(hass: HomeAssistant, data: Mapping[str, Any], link: Link | None = None) -> Station:
    """Make the station that an entry describes; without a link of the caller's, only to see what it can do."""
    family = FAMILIES[data[CONF_FAMILY]]
    return family.station(link or async_open_link(hass, data), StationInfo(**data[CONF_STATION]), async_time_zone())


async def async_close_link(hass: HomeAssistant, data: Mapping[str, Any]) -> None:
    """End the link of a station that called us and is removed, or never became an entry."""
    if (link := hass.data.get(_LINKS, {}).pop(data.get(CONF_CONTROL_ID, ""), None)) is not None:
        await link.close()


@callback
def async_time_zone() -> tzinfo:
    """The zone that stations keep their naive local time in: the house's."""
    return dt_util.get_default_time_zone()

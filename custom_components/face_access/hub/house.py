"""What all stations of the house share: one history, and the ways to reach a station."""

import asyncio
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
import sqlite3
from typing import Any

from homeassistant.const import CONF_HOST, CONF_PORT, EVENT_HOMEASSISTANT_CLOSE
from homeassistant.core import Event, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from ..const import CONF_FAMILY, DOMAIN
from ..devices import FAMILIES, Link
from .history import History

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

    async def close(_event: Event) -> None:
        hass.data.pop(_HISTORY, None)
        await history.close()

    hass.bus.async_listen_once(EVENT_HOMEASSISTANT_CLOSE, close)
    return history


@callback
def async_open_link(hass: HomeAssistant, data: Mapping[str, Any]) -> Link:
    """Make the way to a station that its entry (or flow) describes: without a host, the station calls us."""
    family = FAMILIES[data[CONF_FAMILY]]
    if CONF_HOST not in data:
        return family.queued()
    return family.direct(async_get_clientsession(hass), data[CONF_HOST], data[CONF_PORT])


@callback
def async_time_zone() -> tzinfo:
    """The zone that stations keep their naive local time in: the house's."""
    return dt_util.get_default_time_zone()

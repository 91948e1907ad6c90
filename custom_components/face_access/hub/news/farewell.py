"""Leaving a station as it was found: whatever of ours was written into it is taken back."""

import asyncio

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST
from homeassistant.core import HomeAssistant

from ...const import CONF_PREVIOUS_BROKER, CONF_PREVIOUS_QUESTIONS, CONF_PREVIOUS_TARGET, LOGGER
from ...devices.station import Station
from ..doors import questions
from ..house import async_make_station, async_open_link
from . import broker_target, push_target

# What is to be put back, as far as it was not yet.
_WRITTEN = (CONF_PREVIOUS_BROKER, CONF_PREVIOUS_QUESTIONS, CONF_PREVIOUS_TARGET)
# Whoever deletes an entry waits for this.
_LAST_TRY_WITHIN = 15


async def async_take_back(hass: HomeAssistant, entry: ConfigEntry, station: Station) -> None:
    """Put back all that was there before us. A station that is away keeps what it has, and the log says so."""
    await questions.async_restore(hass, entry, station)
    await broker_target.async_restore(hass, entry, station)
    await push_target.async_restore(hass, entry, station)


async def async_try_once_more(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Take back, when the entry goes for good, what is still in a station: it was away, or its entry never loaded.

    A station that calls us is not to be reached by then: the address at which it would ask is closed.
    """
    if CONF_HOST not in entry.data or not any(key in entry.data for key in _WRITTEN):
        return
    link = async_open_link(hass, entry.data)
    try:
        async with asyncio.timeout(_LAST_TRY_WITHIN):
            await async_take_back(hass, entry, async_make_station(hass, entry.data, link))
    except TimeoutError:
        LOGGER.warning("%s could not be reached: what Home Assistant wrote into it stays there", entry.title)
    finally:
        await link.close()

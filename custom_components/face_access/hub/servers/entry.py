"""The life of a recognition server's entry: brought in, and forgotten."""

from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady

from ...recognition.errors import WorkerBusyError
from ...recognition.servers.kind import NetworkServer
from ..errors import translated
from ..local.engine import async_get_local
from ..local.lending import Lending
from ..people.household import async_get_people
from .coordinator import SERVER_PLATFORMS, ServerCoordinator, async_announce, async_open
from .people import async_attach_server, async_clear_leaving, async_clear_photos


async def async_setup(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Bring a server in, and teach it the household where it learns anybody."""
    people = await async_get_people(hass)
    coordinator = await async_open(hass, entry)
    entry.runtime_data = coordinator
    await async_attach_server(hass, people, coordinator)
    if coordinator.networks is not None:
        await _async_lend(hass, coordinator.networks)
        coordinator.lending = Lending(hass, entry, await async_get_local(hass), coordinator.networks)
        coordinator.lending.async_start()
    await hass.config_entries.async_forward_entry_setups(entry, SERVER_PLATFORMS)
    async_announce(hass, coordinator)
    return True


async def async_unload(hass: HomeAssistant, entry: ConfigEntry[Any]) -> bool:
    """Let a server go. What it knows stays there; networks run here again."""
    if not await hass.config_entries.async_unload_platforms(entry, SERVER_PLATFORMS):
        return False
    if entry.runtime_data.networks is not None:
        await _async_lend(hass, None)
    return True


async def _async_lend(hass: HomeAssistant, networks: NetworkServer | None) -> None:
    """Have local recognition run its networks there. Raises ConfigEntryNotReady."""
    try:
        await (await async_get_local(hass)).async_use(networks)
    except WorkerBusyError as err:
        raise ConfigEntryNotReady(**translated(err)) from err


async def async_remove(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """Forget what a server was given: whatever is on it is its owner's business."""
    async_clear_leaving(hass, entry.entry_id)
    async_clear_photos(hass, entry.entry_id)
    await (await async_get_people(hass)).async_forget_station(entry.entry_id)


async def async_moved(hass: HomeAssistant, entry: ConfigEntry[Any]) -> None:
    """The entry means another server from now on, or other people on it: what it was given says nothing any more.

    A server that can say whom it knows is looked at anyway, and one that is only called otherwise keeps its people.
    """
    coordinator = getattr(entry, "runtime_data", None)
    register = coordinator.engine.register if isinstance(coordinator, ServerCoordinator) else None
    async_clear_photos(hass, entry.entry_id)
    if register is None or not register.lists:
        await (await async_get_people(hass)).async_forget_station(entry.entry_id)

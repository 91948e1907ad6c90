"""Forgetting what was seen of somebody who was removed, however often it has to be begun anew."""

import sqlite3
from typing import Final

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ConfigEntryNotReady
from homeassistant.helpers.dispatcher import async_dispatcher_send

from ...const import DOMAIN, LOGGER
from ...people.store import PeopleStore
from ..house import async_get_history

# Sent with the household's id of somebody who was removed and is to be forgotten.
SIGNAL_FORGOTTEN: Final = f"{DOMAIN}_person_forgotten"


async def async_forget(hass: HomeAssistant, store: PeopleStore, person: str) -> None:
    """Forget what was seen of somebody who is removed. What does not work now is done after the next start."""
    async_dispatcher_send(hass, SIGNAL_FORGOTTEN, person)
    try:
        history = await async_get_history(hass)
        await history.forget_person(person, _aliases(store, person))
        await store.forgotten(person)
    except (ConfigEntryNotReady, sqlite3.Error) as err:
        LOGGER.warning("What was seen of a removed person could not be deleted yet: %s", type(err).__name__)


async def async_forget_departed(hass: HomeAssistant, store: PeopleStore) -> None:
    """Go on with forgetting whom a hard stop saved from it. Raises sqlite3.Error."""
    for person in await store.departed():
        if person in store.profiles:
            # Somebody of the same id was added since: nobody can tell their sightings apart.
            await store.forgotten(person)
        else:
            await async_forget(hass, store, person)


def _aliases(store: PeopleStore, person: str) -> list[tuple[str, str]]:
    """Find by which ids stations knew somebody; not one that somebody else there has as well."""
    everybody = [holding for target in store.targets for holding in store.holdings(target).values()]
    shared = {(each.target, each.alias) for each in everybody if each.person != person}
    return [name for each in everybody if each.person == person and (name := (each.target, each.alias)) not in shared]

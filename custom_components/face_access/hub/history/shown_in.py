"""Noting which past sightings show somebody of whom they were photos: their pictures go with the person."""

from collections.abc import Iterable

from homeassistant.core import HomeAssistant

from ..house import async_get_history
from .views import reference_in


async def async_note_shown(
    hass: HomeAssistant, person: str, sightings: Iterable[int] = (), media: Iterable[str] = ()
) -> None:
    """Note sightings by their numbers, and those among media. Raises sqlite3.Error and ConfigEntryNotReady."""
    history = await async_get_history(hass)
    found = [await history.find(reference) for one in media if (reference := reference_in(one)) is not None]
    for number in (*sightings, *(past.id for past in found if past is not None)):
        await history.enrolled(number, person)

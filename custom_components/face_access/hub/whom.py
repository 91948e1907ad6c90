"""Whom an automation means: names, ids, and persons of Home Assistant, as far as an event names somebody."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
import probatio as vol

from ..people.model import Profile
from .people_entry import async_entry, async_profiles

CONF_PERSON: Final = "person"
CONF_LINKED: Final = "person_entity"
CONF_MINIMUM_SCORE: Final = "minimum_score"

_NAME = vol.All(cv.string, str.strip, vol.Length(min=1))
WHOM_FIELDS: Final[Mapping[vol.Marker, Any]] = {
    vol.Optional(CONF_PERSON): vol.All(vol.EnsureList(), [_NAME]),
    vol.Optional(CONF_LINKED): cv.entities_domain("person"),
}
SCORE_FIELD: Final[Mapping[vol.Marker, Any]] = {
    vol.Optional(CONF_MINIMUM_SCORE): vol.All(vol.Coerce(float), vol.Range(min=0, max=100))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Whom:
    """Who is meant. Nobody named is anybody. `minimum_score` (0-100) None asks for none.

    An id fits to the letter, as stations count; a name however it is capitalised, as people write.
    """

    names: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    minimum_score: float | None = None

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Read the fields of a trigger or a condition."""
        return cls(
            names=tuple(options.get(CONF_PERSON, ())),
            linked=tuple(options.get(CONF_LINKED, ())),
            minimum_score=options.get(CONF_MINIMUM_SCORE),
        )

    @callback
    def async_fits(self, hass: HomeAssistant, attributes: Mapping[str, Any]) -> bool:
        """Whether an event is about somebody who is meant. A score that is asked for and not there is too low."""
        if self.minimum_score is not None:
            score = attributes.get("score")
            if not isinstance(score, int | float) or score < self.minimum_score:
                return False
        if not self.names and not self.linked:
            return True
        named = {str(name).casefold() for key in ("person", "owner") if (name := attributes.get(key))}
        person = attributes.get("person_id")
        if any(wanted == person or wanted.casefold() in named for wanted in self.names):
            return True
        household = async_household(hass)
        meant = [one for one in household if one.id in self.names or one.linked in self.linked]
        # Whom the event names by the household's id is that person, and no namesake.
        exact = person in {one.id for one in household}
        if any(one.id == person if exact else one.name.casefold() in named for one in meant):
            return True
        return not exact and not named.isdisjoint(self._async_namesakes(hass, meant))

    def _async_namesakes(self, hass: HomeAssistant, meant: list[Profile]) -> Iterator[str]:
        """Give the names of those persons of Home Assistant who are linked to nobody."""
        linked = {one.linked for one in meant}
        for entity_id in self.linked:
            if entity_id not in linked and (state := hass.states.get(entity_id)) is not None:
                yield state.name.casefold()


@callback
def async_household(hass: HomeAssistant) -> list[Profile]:
    """Find everybody whom the household named, as far as they are loaded."""
    entry = async_entry(hass)
    if entry is None or entry.state is not ConfigEntryState.LOADED:
        return []
    return list(async_profiles(entry).values())

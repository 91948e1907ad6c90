"""Whom an automation means: names, ids, and persons of Home Assistant, as far as an event names somebody."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
import probatio as vol

from ..people.model import Profile
from .people.entry import async_entry, async_profiles

CONF_PERSON: Final = "person"
CONF_LINKED: Final = "person_entity"
CONF_MINIMUM_SCORE: Final = "minimum_score"

type Test = Callable[[Mapping[str, Any]], bool]

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
        return self.async_test(hass)(attributes)

    @callback
    def async_test(self, hass: HomeAssistant) -> Test:
        """Give the test for many events, with what has to be looked up for it looked up once."""
        if not self.names and not self.linked:
            return self._is_sure
        household = async_household(hass)
        known = {one.id for one in household}
        meant = [one for one in household if one.id in self.names or one.linked in self.linked]
        ids, names = {one.id for one in meant}, {name.casefold() for name in self.names}
        # One whom only the station knows has but a name here; one whom the household knows is themselves, no namesake.
        linked = {one.name.casefold() for one in meant if one.linked in self.linked}
        namesakes = names | linked | set(self._async_unlinked(hass, meant))
        owners = namesakes | {one.name.casefold() for one in meant}

        def fits(attributes: Mapping[str, Any]) -> bool:
            if not self._is_sure(attributes):
                return False
            named = {str(name).casefold() for key in ("person", "owner") if (name := attributes.get(key))}
            person = attributes.get("person_id")
            # A station may count with numbers that the household uses for somebody else.
            if attributes.get("household", person in known):
                return person in ids or person in self.names or bool(named & names)
            if person is None:
                # A way in has no id, only an owner.
                return bool(named & owners)
            # Whoever is chosen by an id is not a namesake with another one.
            return (person in self.names and person not in known) or bool(named & namesakes)

        return fits

    def _is_sure(self, attributes: Mapping[str, Any]) -> bool:
        if self.minimum_score is None:
            return True
        score = attributes.get("score")
        return isinstance(score, int | float) and score >= self.minimum_score

    def _async_unlinked(self, hass: HomeAssistant, meant: list[Profile]) -> Iterator[str]:
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

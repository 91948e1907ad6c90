"""Whom an automation means: names, ids, and persons of Home Assistant, as far as an event names somebody."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import config_validation as cv
import probatio as vol

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
        named = {text for key in ("person", "owner") if (text := attributes.get(key))}
        ids = {text} if (text := attributes.get("person_id")) else set()
        folded = {name.casefold() for name in named}
        return any(wanted in ids or wanted.casefold() in folded for wanted in self._async_wanted(hass))

    def _async_wanted(self, hass: HomeAssistant) -> Iterator[str]:
        """Give all words for those who are meant: what is linked, or called otherwise, may change at any time."""
        yield from self.names
        for entity_id in self.linked:
            profiles = [profile for profile in _profiles(hass) if profile.linked == entity_id]
            for profile in profiles:
                yield profile.id
                yield profile.name
            if not profiles and (state := hass.states.get(entity_id)) is not None:
                yield state.name


def _profiles(hass: HomeAssistant) -> list[Any]:
    """Find everybody of the household, as far as they are loaded."""
    entry = async_entry(hass)
    if entry is None or getattr(entry, "runtime_data", None) is None:
        return []
    return list(async_profiles(entry).values())

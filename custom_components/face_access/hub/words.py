"""Words of ours that no entity shows, in the language of the house: for the logbook and the media browser."""

import re
import unicodedata

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_cached_translations

from ..access import Sighting, SightingKey
from ..access.naming import SightingKind, kind_of
from ..const import DOMAIN
from .history.past_sightings import PastSighting

# Longer ones break the tiles of the media browser; devices take names of up to hundreds of bytes.
_LONGEST_NAME = 40
_JOINER = "\u200d"


@callback
def async_word(hass: HomeAssistant, key: str, **values: str) -> str:
    """Give a text of `common`; the key itself where there is none."""
    words = async_get_cached_translations(hass, hass.config.language, "common", DOMAIN)
    return _filled(words.get(f"component.{DOMAIN}.common.{key}", key), values)


@callback
def async_event_word(hass: HomeAssistant, entity: str, attribute: str, value: str) -> str:
    """Give the word that an event entity has for a value of one of its attributes; the value where there is none."""
    words = async_get_cached_translations(hass, hass.config.language, "entity", DOMAIN)
    return words.get(f"component.{DOMAIN}.entity.event.{entity}.state_attributes.{attribute}.state.{value}", value)


def shown_name(name: str, longest: int = _LONGEST_NAME) -> str:
    """Cut a name at a character that people see as one, without what would turn or break the line around it."""
    clean = "".join(char if char.isprintable() or char == _JOINER else " " for char in name)
    clean = " ".join(clean.split())
    if len(clean) <= longest:
        return clean
    end = longest - 1
    while end > 1 and (_continues(clean[end]) or clean[end - 1] == _JOINER):
        end -= 1
    return f"{clean[:end].rstrip()}…"


def kind_of_past(past: PastSighting) -> SightingKind:
    """Put a past sighting into its kind, as it was when it was new."""
    return kind_of(
        Sighting(
            source=past.source,
            key=SightingKey(sequence=past.sequence, captured=past.reference),
            captured_at=past.captured_at,
            realtime=False,
            person_id=past.person_id,
            score=past.score,
            liveness=past.liveness,
            verdict=past.verdict,
            refused=past.reason,
        )
    )


def _continues(char: str) -> bool:
    """Whether a character is drawn together with the one before it: accents, joiners, variants, skin tones."""
    return bool(unicodedata.category(char) in ("Mn", "Me", "Mc") or char == _JOINER or 0x1F3FB <= ord(char) <= 0x1F3FF)


def _filled(text: str, values: dict[str, str]) -> str:
    # Not str.format: a translation with a stray brace must not break the page.
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), text)

"""Why a target does not have somebody: the reasons of our own, and what is kept of a target's own words."""

from dataclasses import dataclass
import re
from typing import Final, Self

from ..devices.errors import StationRefusedError

PHOTO_MISSING: Final = "photo_missing"
INVALID: Final = "invalid_value"
NOT_REMOVED: Final = "not_removed"
FULL: Final = "limit_reached"
GONE: Final = "record_not_found"
BUSY: Final = "busy"
"""Nobody is at fault but the target, and only for now: it is asked again at the next round."""

_MOST: Final = 200
# Far more than is shown, and little enough to look through.
_MOST_READ: Final = 2000
_FIGURES: Final = re.compile(r"\S*(?:\d|[0-9a-f]{2}[:-][0-9a-f]{2})\S*", re.IGNORECASE)
# No language has such words, but a photo in Base64 has.
_DATA: Final = re.compile(r"[\w+/=-]{41,}", re.ASCII)
_LEFT_OUT: Final = "…"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a target has somebody not, or not as they shall be.

    `code` is a translation key, `words` what the target itself said, `field` what it found at fault; empty for nothing.
    """

    code: str
    words: str = ""
    field: str = ""

    @classmethod
    def of(cls, err: StationRefusedError, *, figures: bool) -> Self:
        """Take it from what the target said; `figures` as for `own_words`."""
        return cls(err.code, own_words(err.detail, figures=figures), own_words(err.field, figures=figures))


def own_words(text: str | None, *, figures: bool) -> str:
    """Keep what a target says as one short line of printable text, for people to read.

    Words with digits stay only with `figures`: what is said of somebody with a card may repeat its number.
    """
    printable = "".join(character if character.isprintable() else " " for character in (text or "")[:_MOST_READ])
    line = _DATA.sub(_LEFT_OUT, " ".join(printable.split()))
    if not figures:
        line = _FIGURES.sub(_LEFT_OUT, line)
    return line if len(line) <= _MOST else f"{line[: _MOST - 1].rstrip()}{_LEFT_OUT}"

"""Second factors: what a door may ask for besides a face, and which of it was given."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final


class Factor(StrEnum):
    """What a person gives besides the face."""

    CREDENTIAL = "credential"
    """A card or a code, shown at the door."""
    PRESENCE = "presence"
    """A device tracker of theirs is at home."""
    CONFIRMATION = "confirmation"
    """Somebody of the household said yes on a phone."""


AT_THE_DOOR: Final = frozenset({Factor.CREDENTIAL})
"""Those that count only where the door's device tells of them. The others are given to the house."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One factor that was given: by whom, at which door (as the house names it), at what moment (aware).

    A presence is true for the moment at which it was read.
    """

    factor: Factor
    person_id: str
    door: str
    at: datetime

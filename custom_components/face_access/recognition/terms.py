"""The words for faces that every engine uses, local or a server: plain, without numpy, which no server needs."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_BYTES: Final = 32 * 1024 * 1024
"""What a picture may have, encoded: more is no camera's."""


_FARTHEST: Final = 1e9
"""Pixels, far beyond any picture."""


class FaceLiveness(StrEnum):
    """Whether a face belongs to somebody present, as far as the local models can tell."""

    LIVE = "live"
    SPOOF = "spoof"
    UNKNOWN = "unknown"
    """Checked without a clear answer, or not checkable: too small, cut off, infrared."""
    NOT_CHECKED = "not_checked"
    """Nobody asked for it, or there are no models for it."""


class Flaw(StrEnum):
    """Why a face cannot be trusted to show who it is; the words of translations."""

    FACE_TOO_SMALL = "face_too_small"
    EYES_TOO_CLOSE = "eyes_too_close"
    CUT_OFF = "cut_off"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    TURNED_AWAY = "turned_away"
    TILTED = "tilted"
    NOT_CLEARLY_A_FACE = "not_clearly_a_face"
    COVERED = "covered"
    """A mask, a scarf or dark glasses: likeness then says little, and whom it names may be another masked one."""


class Outcome(StrEnum):
    """What came of one face."""

    RECOGNISED = "recognised"
    STRANGER = "stranger"
    AMBIGUOUS = "ambiguous"
    """Two people fit almost equally well."""
    UNCERTAIN = "uncertain"
    """Somebody fits a little, as a covered face does, or the face is too flawed to name anybody."""
    SPOOF = "spoof"
    NOT_COMPARED = "not_compared"
    """There is nobody to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where a face is, in pixels of the upright picture at its full size. It may reach over the edge."""

    x: float
    y: float
    width: float
    height: float

    @property
    def is_place(self) -> bool:
        """Whether it says where something is: some servers send numbers that no picture has."""
        numbers = (self.x, self.y, self.width, self.height)
        # Neither NaN nor infinity is within these bounds.
        return min(self.width, self.height) > 0 and all(abs(number) <= _FARTHEST for number in numbers)

    @property
    def area(self) -> float:
        """Pixels inside."""
        return self.width * self.height

    def scaled(self, factor: float) -> Box:
        """The same box in a picture scaled by a factor."""
        return Box(x=self.x * factor, y=self.y * factor, width=self.width * factor, height=self.height * factor)

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0-1."""
        across = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        down = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        shared = max(0.0, across) * max(0.0, down)
        union = self.area + other.area - shared
        return shared / union if union > 0 else 0.0

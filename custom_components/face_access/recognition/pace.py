"""How many frames must agree, for how long one counts, and when a machine is too slow to follow. Plain Python."""

from collections import deque
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

SLOW: Final = 0.7
"""Seconds a picture may take: from here on a machine should look at snapshots only."""
NOT_SLOW: Final = 0.5
"""Seconds a picture must stay below on a machine that was slow, to be followed again."""
LONGEST: Final = 10.0
"""Seconds that a frame counts at most, as long as a sighting may be old that opens a door (`DoorPolicy.freshness`)."""
PATIENCE: Final = 20.0
"""Seconds that a frame counts at most where it takes seconds to look at one."""
DOUBTED: Final = 30.0
"""Seconds after a face that a frame took for a spoof went, in which nobody who comes and is like it counts as live."""
_REACH: Final = 1.5
"""Times the seconds between two frames: far enough for the next one, and never for the one after it."""
_FOLLOWED: Final = 4.0
"""Seconds without a question after which nobody knows when a camera had a new picture."""
_REMEMBERED: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How many frames must agree: `needed` of the last `of`, no older than `within` seconds."""

    needed: int = 2
    of: int = 5
    within: float = 3.0
    strangers: int = 3
    """Frames until somebody is called a stranger: a familiar face may need a moment to turn to the camera."""

    def at(self, interval: float) -> Rule:
        """Give the rule for frames `interval` seconds apart: where they are rare each counts for longer.

        Only until the next one, so that two frames in a row name somebody, and `LONGEST` at most. Two strangers are
        enough then: there was time to turn to the camera.
        """
        within = min(_REACH * interval, LONGEST)
        return self if within <= self.within else replace(self, within=within, strangers=self.needed)


class Stills:
    """The pictures that one camera gives: which are new, and how long it takes it to have a new one.

    Many cameras give the picture of before until they have a new one; one that hangs shows for ever who was there. So a
    picture that repeats the one before to the last byte was not taken twice, and agrees with itself alone. One with the
    same pixels neither, which takes decoding to find out (repeats.py). Times are seconds of any clock that never goes
    back.
    """

    def __init__(self) -> None:
        """Begin with a camera that has given nothing."""
        self._shown = b""
        self._shown_at = self._answered_at = float("-inf")
        self._needed: float | None = None
        self._gaps: deque[float] = deque(maxlen=_REMEMBERED)

    def take(self, content: bytes, asked_at: float, answered_at: float) -> bool:
        """Take what the camera answered; whether it is a new picture."""
        if asked_at - self._answered_at > _FOLLOWED:
            self._needed = None
        self._answered_at = answered_at
        if content == self._shown:
            if self._needed is not None:
                # Until the next one at least.
                self._needed = float("inf")
            return False
        if self._needed is not None:
            # How rarely it was asked says nothing of the camera, unless it was asked in vain.
            self._gaps.append(min(self._needed, asked_at - self._shown_at))
        self._shown, self._shown_at, self._needed = content, asked_at, answered_at - asked_at
        return True

    @property
    def interval(self) -> float | None:
        """Seconds that the camera takes to have a new picture, median of the last few; None while that is unknown."""
        return median(self._gaps) if self._gaps else None

    def shown_for(self, at: float) -> float:
        """How long the picture has been the same."""
        return at - self._shown_at

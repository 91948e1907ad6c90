"""Who a face that a server found is to the household, and whether two of its faces are at one place. Plain Python."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ...access import Role
from ..interface import Match, Score, SeenFace
from ..terms import Box, FaceLiveness

_SAME_PLACE: Final = 0.3
"""Overlap (intersection over union) of two boxes, from which they are one face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Whom the household knows under a key of a server's."""

    id: str
    name: str = field(repr=False)
    role: Role = Role.NORMAL


type Find = Callable[[str], Resident | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One face of one frame. `person` is None for somebody whom nobody knows; `score` is that of whom it is like."""

    person: Resident | None = None
    score: Score | None = None
    liveness: FaceLiveness = FaceLiveness.NOT_CHECKED
    box: Box | None = None

    @property
    def id(self) -> str | None:
        """Who it is."""
        return None if self.person is None else self.person.id


def look(face: SeenFace, find: Find) -> Look:
    """Say who a face is to the household. Its best match decides, and none that it does not know is anybody.

    Whoever is like two people to the same degree is neither of them; a match that is nobody to the household, as one
    of a key that was given up, is no rival.
    """
    if not face.matches:
        return Look(liveness=face.liveness.state, box=face.box)
    best = face.matches[0]
    equals = (find(match.key) for match in face.matches if match.score.value >= best.score.value)
    people = {one.id: one for one in equals if one is not None}
    person = next(iter(people.values())) if len(people) == 1 and _reached(best) else None
    return Look(person=person, score=best.score, liveness=face.liveness.state, box=face.box)


def _reached(match: Match) -> bool:
    return match.score.threshold is None or match.score.value >= match.score.threshold


def same_place(one: Box | None, other: Box | None) -> bool:
    """Whether two faces may be one. Where a server does not say where they are, they may."""
    if one is None or other is None or not one.is_place or not other.is_place:
        return True
    return one.overlap(other) >= _SAME_PLACE

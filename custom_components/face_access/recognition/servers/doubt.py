"""Faces that a server took for a photo, whatever it called them: a photo need not have a name to be one.

A server may name a photo in one frame and not in the next, so what speaks against it belongs to the place and to every
name that was seen there, and lasts for as long as one of them is in view. A photo may also be moved farther between two
frames than a face is followed: for a while after a spoof everybody is doubted whom no frame showed beside it. And it
may be hidden for a moment: by whatever names it went it is doubted for longer. Plain Python.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ..pace import DOUBTED
from ..terms import Box, FaceLiveness
from .look import Look, same_place

_SPOOF: Final = FaceLiveness.SPOOF


@dataclass(frozen=True, slots=True)
class _Glimpse:
    """What one frame showed of a suspect."""

    at: float
    spoof: bool
    boxes: tuple[Box | None, ...]


@dataclass(slots=True)
class _Suspect:
    """A face that was a spoof in at least one frame."""

    glimpses: deque[_Glimpse]
    people: set[str] = field(default_factory=set)
    beside: dict[str, float] = field(default_factory=dict)
    """Whom a frame showed elsewhere while this was a spoof, and when they were last seen: they are not it."""
    spoof_at: float = float("-inf")
    caught: bool = False
    """Once a spoof, always a spoof."""

    @property
    def seen_at(self) -> float:
        return self.glimpses[-1].at

    @property
    def doubted(self) -> bool:
        return self.caught or any(one.spoof for one in self.glimpses)

    def may_be(self, look: Look) -> bool:
        if look.id in self.people:
            return True
        return any(same_place(box, look.box) for glimpse in self.glimpses for box in glimpse.boxes)

    def may_have_become(self, look: Look, at: float, within: float) -> bool:
        """Whether a face elsewhere may be it all the same, moved there between two frames."""
        return look.id not in self.beside and at - self.spoof_at <= within

    def note_beside(self, looks: Sequence[Look], at: float) -> None:
        """Remember who else is in a frame in which this is a spoof; from then on they are followed by their names."""
        for one in looks:
            if one.id is not None and not self.may_be(one) and (self.spoof_at == at or one.id in self.beside):
                self.beside[one.id] = at

    def take(self, looks: Sequence[Look], followed: Sequence[Look], at: float) -> None:
        """Add one frame's. Who was followed to the place of a spoof is meant by it too."""
        spoofs = [one for one in looks if one.liveness is _SPOOF]
        if spoofs:
            self.spoof_at = at
        there = [one for one in followed if any(same_place(one.box, spoof.box) for spoof in spoofs)]
        self.people.update(one.id for one in (*looks, *there) if one.id is not None)
        self.glimpses.append(_Glimpse(at, bool(spoofs), tuple(one.box for one in looks)))


@dataclass(slots=True)
class Doubts:
    """The suspects before one camera. Times are seconds of any clock that never goes back."""

    _suspects: list[_Suspect] = field(default_factory=list)
    _left: dict[str, float] = field(default_factory=dict)
    """By what names doubted faces went that are gone, and when each was last seen."""

    def observe(
        self, looks: Sequence[Look], followed: Sequence[Look], at: float, *, needed: int, of: int
    ) -> list[Look]:
        """Take one frame, and give a look at each that is a spoof from now on: in `needed` of its last `of` frames.

        `followed` are the latest looks at everybody who was seen lately.
        """
        self._left = {key: seen_at for key, seen_at in self._left.items() if at - seen_at <= DOUBTED}
        taken = [(suspect, [one for one in looks if suspect.may_be(one)]) for suspect in self._suspects]
        for spoof in looks:
            if spoof.liveness is _SPOOF and not any(spoof in mine for _, mine in taken):
                mine = [one for one in looks if one is spoof or _may_be_one(one, spoof)]
                taken.append((_Suspect(deque(maxlen=of)), mine))
        self._suspects = [suspect for suspect, _ in taken]
        found: list[Look] = []
        for suspect, mine in taken:
            if mine:
                suspect.take(mine, followed, at)
            suspect.note_beside(looks, at)
            if not suspect.caught and sum(one.spoof for one in suspect.glimpses) >= needed:
                suspect.caught = True
                found.append(next(one for one in mine if one.liveness is _SPOOF))
        return found

    def expire(self, at: float, within: float) -> None:
        """Forget who was not seen for `within` seconds, but for their names."""
        for suspect in self._suspects:
            if suspect.doubted and not at - suspect.seen_at <= within:
                self._left.update(dict.fromkeys(suspect.people, suspect.seen_at))
        self._suspects = [suspect for suspect in self._suspects if at - suspect.seen_at <= within]
        for suspect in self._suspects:
            suspect.beside = {key: seen_at for key, seen_at in suspect.beside.items() if at - seen_at <= within}

    def doubted(self, look: Look, at: float, within: float) -> bool:
        """Whether a face may be one that was a spoof lately, if only once; elsewhere, within so many seconds."""
        return look.id in self._left or any(
            suspect.doubted if suspect.may_be(look) else suspect.may_have_become(look, at, within)
            for suspect in self._suspects
        )

    def caught(self, look: Look) -> bool:
        """Whether a face may be one that was found to be a spoof."""
        return any(suspect.caught and suspect.may_be(look) for suspect in self._suspects)


def _may_be_one(one: Look, other: Look) -> bool:
    return same_place(one.box, other.box) or (one.id is not None and one.id == other.id)

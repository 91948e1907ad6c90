"""Several frames decide, also where a server looks at them: whom it names, it must name twice.

A server need not say where a face is, so people are followed by who they are. Where it does say, two names at one place
are one face that nobody knows for certain; where it does not, two names in turn are taken for that. Plain Python.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from ...access import Liveness, Pictures, Reason, Sighting, SightingKey, Verdict
from ..interface import Score
from ..pace import Rule
from ..terms import FaceLiveness, Outcome
from .doubt import Doubts
from .look import Look, Resident, same_place

_LIVENESS: Final = {FaceLiveness.LIVE: Liveness.LIVE, FaceLiveness.SPOOF: Liveness.SPOOF}


PATIENT: Final = Rule(within=5.0)
"""What a server says of a frame takes its way over a network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the frames agree on about one of the people before the camera. `latest` is the face in the newest frame."""

    outcome: Outcome
    liveness: FaceLiveness
    latest: Look
    person: Resident | None = None
    score: Score | None = None

    @property
    def rank(self) -> int:
        """How much it says, to be repeated only by what says more. A spoof is told apart from this, once."""
        if self.outcome is Outcome.RECOGNISED:
            return 3 if self.liveness is FaceLiveness.LIVE else 2
        return 1 if self.outcome is Outcome.STRANGER else 0


@dataclass(slots=True)
class _Follow:
    """Somebody who was seen lately."""

    looks: deque[tuple[float, Look]]
    reported: Report | None = None
    caught: bool = False
    """Known to be a spoof, of which there is no more to say."""

    @property
    def seen_at(self) -> float:
        return self.looks[-1][0]

    @property
    def latest(self) -> Look:
        return self.looks[-1][1]


@dataclass(slots=True)
class ServerTracker:
    """Who is before one camera. Times are seconds of any clock that never goes back."""

    rule: Rule = PATIENT
    _followed: dict[str | None, _Follow] = field(default_factory=dict)
    _doubts: Doubts = field(default_factory=Doubts)

    @property
    def idle(self) -> bool:
        """Whether there is nobody of whom anything is left to say."""
        return not self._followed

    def observe(self, looks: Sequence[Look], at: float) -> list[Report]:
        """Take one frame, and give what can be said now that could not be said before."""
        reports = self.expire(at)
        latest = [follow.latest for follow in self._followed.values()]
        # A photo is told of once, by whatever names it goes; all of them are silent from then on.
        spoofs = self._doubts.observe(looks, latest, at, needed=self.rule.needed, of=self.rule.of)
        reports += [_report(Outcome.SPOOF, FaceLiveness.SPOOF, [one]) for one in spoofs]
        touched: list[str | None] = []
        for one in looks:
            if one.id in touched or (one.person is None and self._flickers(one, looks)):
                continue
            follow = self._followed.setdefault(one.id, _Follow(deque(maxlen=self.rule.of)))
            follow.looks.append((at, one))
            touched.append(one.id)
        for key, follow in self._followed.items():
            follow.caught = self._doubts.caught(follow.latest) or (follow.caught and key not in touched)
        for key in touched:
            follow = self._followed[key]
            report = self._decide(key, follow, at)
            if report is not None and (follow.reported is None or report.rank > follow.reported.rank):
                follow.reported = report
                reports.append(report)
        return reports

    def expire(self, at: float) -> list[Report]:
        """Forget who is gone, and give what was seen of those that never got an answer."""
        gone = [key for key, follow in self._followed.items() if not at - follow.seen_at <= self.rule.within]
        followed = [self._followed.pop(key) for key in gone]
        self._doubts.expire(at, self.rule.within)
        return [_remainder(follow) for follow in followed if follow.reported is None and not follow.caught]

    def _flickers(self, unknown: Look, looks: Sequence[Look]) -> bool:
        """Whether a face without a name is one that had a name a moment ago: it turned away.

        What speaks against it is not lost: a spoof is one without a name too (doubt.py).
        """
        named = {key for key in self._followed if key is not None} - {each.id for each in looks}
        return any(same_place(self._followed[key].latest.box, unknown.box) for key in named)

    def _decide(self, key: str | None, follow: _Follow, at: float) -> Report | None:
        if follow.caught:
            return None
        looks = [one for seen, one in follow.looks if at - seen <= self.rule.within]
        doubted = self._doubts.doubted(follow.latest, at, self.rule.within)
        if key is None:
            stranger = self._is_stranger(looks)
            return _report(Outcome.STRANGER, _agreed(looks, self.rule, doubted=doubted), looks) if stranger else None
        looks = _enough(looks)
        if len(looks) < self.rule.needed or self._contested(key, follow, at):
            return None
        return _report(Outcome.RECOGNISED, _agreed(looks, self.rule, doubted=doubted), looks)

    def _is_stranger(self, looks: Sequence[Look]) -> bool:
        return len(looks) >= self.rule.strangers

    def _contested(self, key: str, follow: _Follow, at: float) -> bool:
        """Whether the same face was somebody else in another frame."""
        times = {seen for seen, _ in follow.looks}
        mine = follow.latest.box
        for other, rival in self._followed.items():
            if other is None or other == key:
                continue
            for seen, one in rival.looks:
                if seen in times or at - seen > self.rule.within:
                    continue
                if same_place(mine, one.box):
                    return True
        return False


def _enough(looks: Sequence[Look]) -> list[Look]:
    """Those that are as alike as is asked for now, whatever was asked for when they were seen."""
    newest = looks[-1].score
    asked = None if newest is None else newest.threshold
    if asked is None:
        return list(looks)
    scored = [(one, one.score) for one in looks if one.score and one.score.value >= asked]
    return [replace(one, score=replace(score, threshold=asked)) for one, score in scored]


def _agreed(looks: Sequence[Look], rule: Rule, *, doubted: bool) -> FaceLiveness:
    """Live needs as many frames as a name does, and none that says otherwise."""
    states = [one.liveness for one in looks]
    if not doubted and FaceLiveness.SPOOF not in states and states.count(FaceLiveness.LIVE) >= rule.needed:
        return FaceLiveness.LIVE
    return FaceLiveness.NOT_CHECKED if set(states) == {FaceLiveness.NOT_CHECKED} else FaceLiveness.UNKNOWN


def _report(outcome: Outcome, liveness: FaceLiveness, looks: Sequence[Look]) -> Report:
    latest = looks[-1]
    named = outcome is Outcome.RECOGNISED
    return Report(
        outcome=outcome,
        liveness=liveness,
        latest=latest,
        person=latest.person if named else None,
        # The lowest of those that agree: nobody is let in by one lucky frame.
        score=min((one.score for one in looks if one.score), key=lambda score: score.value, default=None),
    )


def _remainder(follow: _Follow) -> Report:
    """What is left to say of somebody who went before enough frames agreed: that they were there, unnamed."""
    looks = [one for _, one in follow.looks]
    outcome = Outcome.UNCERTAIN if looks[-1].person is not None else Outcome.STRANGER
    return Report(outcome=outcome, liveness=FaceLiveness.UNKNOWN, latest=looks[-1])


def sighting_of(
    report: Report,
    *,
    source: str,
    sequence: int,
    captured_at: datetime,
    antispoofing: bool,
    pictures: Pictures,
) -> Sighting:
    """Make a sighting of a report, as `sighting.sighting` does of a vote.

    In mode *antispoofing* a face that was not proved live carries a refusal, so that no door opens for it.
    """
    person, score = report.person, report.score
    return Sighting(
        source=source,
        key=SightingKey(sequence=sequence, captured=captured_at.isoformat()),
        captured_at=captured_at,
        realtime=True,
        person_id=None if person is None else person.id,
        person_name=None if person is None else person.name,
        role=None if person is None else person.role,
        score=None if score is None else score.percent,
        threshold=None if score is None or score.threshold is None else score.threshold / score.maximum * 100,
        liveness=_LIVENESS.get(report.liveness, Liveness.UNCHECKED),
        verdict=Verdict.NONE,
        refused=_refusal(report, antispoofing=antispoofing),
        household=person is not None,
        pictures=pictures,
    )


def _refusal(report: Report, *, antispoofing: bool) -> Reason | None:
    if report.outcome is Outcome.SPOOF:
        return Reason.SPOOF
    if report.outcome is Outcome.STRANGER:
        return Reason.UNKNOWN
    if antispoofing and report.liveness is not FaceLiveness.LIVE and report.person is not None:
        return Reason.LIVENESS
    return None

"""Several frames decide, not one: faces are followed from frame to frame, and each reports when enough frames agree.

A face reports again only when there is more to say: a stranger turns out to be somebody, somebody proves to be live.
Once it was taken for a spoof it stays one for as long as it is in view, and whoever is like it is not live for a while
after: a photo may be moved farther between two frames than a face is followed, or be hidden for a moment.
"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Final

from .pace import DOUBTED, Rule
from .results import Face, FaceLiveness, Outcome, Recognition
from .score import POSSIBLE

_SAME_FACE: Final = 0.3
"""Overlap (intersection over union) from one frame to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """What the frames agree on.

    `face` is the clearest of those that voted for it, `latest` the one in the newest frame; `score` the lowest of
    theirs, 0-100: nobody is let in by one lucky frame.
    """

    track: int
    outcome: Outcome
    liveness: FaceLiveness
    face: Face
    latest: Face
    frames: int
    person_id: str | None = None
    score: float | None = None

    @property
    def rank(self) -> int:
        """How much it says, to be repeated only by what says more."""
        if self.outcome is Outcome.SPOOF:
            return 5
        if self.outcome is Outcome.RECOGNISED:
            return 4 if self.liveness is FaceLiveness.LIVE else 3
        return {Outcome.STRANGER: 2, Outcome.AMBIGUOUS: 1}.get(self.outcome, 0)


@dataclass(slots=True)
class _Track:
    number: int
    frames: deque[tuple[float, Face]]
    reported: Vote | None = None
    burned: bool = False
    """Once a spoof, always a spoof."""
    like: set[str] = field(default_factory=set)
    """Whom it may be by its looks, named or not: a spoof is not."""
    beside: set[int] = field(default_factory=set)
    """The faces, itself too, that some frame showed along with it: it is none of the others."""

    @property
    def last(self) -> Face:
        return self.frames[-1][1]

    @property
    def seen_at(self) -> float:
        return self.frames[-1][0]

    @property
    def doubted(self) -> bool:
        return self.burned or any(face.liveness.state is FaceLiveness.SPOOF for _, face in self.frames)

    def take(self, face: Face, at: float) -> None:
        self.frames.append((at, face))
        if face.candidates and face.candidates[0].score >= POSSIBLE:
            self.like.add(face.candidates[0].person_id)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """What is kept of a doubted face that is gone."""

    number: int
    seen_at: float
    like: frozenset[str]


@dataclass(slots=True)
class Tracker:
    """The faces before one camera. Times are seconds of any clock that never goes back."""

    rule: Rule = field(default_factory=Rule)
    _tracks: list[_Track] = field(default_factory=list)
    _count: int = 0
    _doubts: list[_Doubt] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether there is nobody of whom anything is left to say."""
        return not self._tracks

    def observe(self, recognition: Recognition, at: float) -> list[Vote]:
        """Take one frame and give what can be said now that could not be said before."""
        votes = self.expire(at)
        self._doubts = [doubt for doubt in self._doubts if at - doubt.seen_at <= DOUBTED]
        open_ = list(self._tracks)
        seen: list[_Track] = []
        for face in recognition.faces:
            track = max(open_, key=lambda one: one.last.detection.box.overlap(face.detection.box), default=None)
            if track is None or track.last.detection.box.overlap(face.detection.box) < _SAME_FACE:
                self._count += 1
                track = _Track(self._count, deque(maxlen=self.rule.of))
                self._tracks.append(track)
            else:
                open_.remove(track)
            track.take(face, at)
            seen.append(track)
        # Only now it is known who is not where they were.
        for track in seen:
            track.beside.update(one.number for one in seen)
            if (vote := self._decide(track, at)) is not None and _says_more(vote, track.reported):
                track.reported = vote
                votes.append(vote)
        return votes

    def expire(self, at: float) -> list[Vote]:
        """Forget faces that are gone, and give what was seen of those that never got an answer."""
        gone = [track for track in self._tracks if not at - track.seen_at <= self.rule.within]
        self._tracks = [track for track in self._tracks if track not in gone]
        self._doubts += [_Doubt(one.number, one.seen_at, frozenset(one.like)) for one in gone if one.doubted]
        return [_remainder(track) for track in gone if track.reported is None]

    def _decide(self, track: _Track, at: float) -> Vote | None:
        faces = [face for seen, face in track.frames if at - seen <= self.rule.within]
        spoofs = [face for face in faces if face.outcome is Outcome.SPOOF]
        moved = any(one.burned and _may_be_one(track, one) for one in self._tracks)
        if track.burned or len(spoofs) >= self.rule.needed or moved:
            track.burned = True
            return self._vote(track, Outcome.SPOOF, spoofs or faces)
        named = Counter(face.person_id for face in faces if face.outcome is Outcome.RECOGNISED)
        for person, count in named.most_common(1):
            if count >= self.rule.needed and len(named) > 1:
                return self._vote(track, Outcome.AMBIGUOUS, faces)
            if count >= self.rule.needed:
                return self._vote(track, Outcome.RECOGNISED, [face for face in faces if face.person_id == person])
        strangers = [face for face in faces if face.outcome in (Outcome.STRANGER, Outcome.NOT_COMPARED)]
        if len(strangers) >= self.rule.strangers and not named:
            return self._vote(track, strangers[-1].outcome, strangers)
        return self._vote(track, Outcome.UNCERTAIN, faces) if len(faces) >= self.rule.of else None

    def _doubted(self, track: _Track) -> bool:
        """Whether it, or one that it may have been before, was a spoof in any of the last frames."""
        doubts: list[_Track | _Doubt] = [*(one for one in self._tracks if one.doubted), *self._doubts]
        return track.doubted or any(_may_be_one(track, one) for one in doubts)

    def _liveness(self, track: _Track, faces: list[Face]) -> FaceLiveness:
        """Live needs as many frames as a name does, and none of the last that says otherwise."""
        if track.burned:
            return FaceLiveness.SPOOF
        states = Counter(face.liveness.state for face in faces)
        if states[FaceLiveness.LIVE] >= self.rule.needed and not self._doubted(track):
            return FaceLiveness.LIVE
        return _unproved(faces)

    def _vote(self, track: _Track, outcome: Outcome, faces: list[Face]) -> Vote:
        recognised = outcome is Outcome.RECOGNISED
        scores = [face.score for face in faces if face.score is not None]
        return Vote(
            track=track.number,
            outcome=outcome,
            liveness=self._liveness(track, faces),
            face=max(faces, key=lambda face: face.quality.score),
            latest=track.last,
            frames=len(faces),
            person_id=faces[-1].person_id if recognised else None,
            score=min(scores) if recognised else None,
        )


def _says_more(vote: Vote, reported: Vote | None) -> bool:
    if reported is None:
        return True
    if vote.rank > reported.rank:
        return True
    # Somebody else, clearly: the face before was hidden by this one.
    return vote.outcome is reported.outcome is Outcome.RECOGNISED and vote.person_id != reported.person_id


def _may_be_one(track: _Track, other: _Track | _Doubt) -> bool:
    """Whether it is like the same person as another that was never seen along with it: that one, elsewhere."""
    return other.number not in track.beside and bool(other.like & track.like)


def _unproved(faces: list[Face]) -> FaceLiveness:
    """What is known of faces that were not found to be live."""
    checked = any(face.liveness.state is not FaceLiveness.NOT_CHECKED for face in faces)
    return FaceLiveness.UNKNOWN if checked else FaceLiveness.NOT_CHECKED


def _remainder(track: _Track) -> Vote:
    """What is left to say of a face that went before enough frames agreed: that somebody was there, unnamed."""
    faces = [face for _, face in track.frames]
    strangers = all(face.outcome is Outcome.STRANGER for face in faces)
    return Vote(
        track=track.number,
        outcome=Outcome.STRANGER if strangers else Outcome.UNCERTAIN,
        liveness=_unproved(faces),
        face=max(faces, key=lambda face: face.quality.score),
        latest=track.last,
        frames=len(faces),
    )

"""What the house hears of a camera: a vote of the engine as a sighting, in the words of every other source."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ..access import Liveness, Pictures, Reason, Role, Sighting, SightingKey, Verdict
from .engine import Mode, Settings
from .results import FaceLiveness, Outcome
from .vote import Vote

_LIVENESS: Final[Mapping[FaceLiveness, Liveness]] = {
    FaceLiveness.LIVE: Liveness.LIVE,
    FaceLiveness.SPOOF: Liveness.SPOOF,
    # Not to know is not to have checked: a door that wants a live face stays shut.
    FaceLiveness.UNKNOWN: Liveness.UNCHECKED,
    FaceLiveness.NOT_CHECKED: Liveness.UNCHECKED,
}


def sighting(
    vote: Vote,
    *,
    source: str,
    sequence: int,
    captured_at: datetime,
    settings: Settings,
    name: str | None = None,
    role: Role | None = None,
    pictures: Pictures | None = None,
) -> Sighting:
    """Make a sighting of a vote; `captured_at` is aware. The engine only sees: the verdict is left to `decide`.

    Whom it recognises the household enrolled, so their id is the household's own.

    In mode *antispoofing* a face that was not proved live carries a refusal, so that no door opens for it.
    """
    recognised = vote.outcome is Outcome.RECOGNISED
    return Sighting(
        source=source,
        key=SightingKey(sequence=sequence, captured=captured_at.isoformat()),
        captured_at=captured_at,
        realtime=True,
        person_id=vote.person_id,
        person_name=name if recognised else None,
        role=role if recognised else None,
        score=_score(vote),
        threshold=settings.threshold,
        liveness=_LIVENESS[vote.liveness],
        verdict=Verdict.NONE,
        refused=_refusal(vote, settings),
        household=vote.person_id is not None,
        pictures=pictures or Pictures(),
    )


def _score(vote: Vote) -> float | None:
    if vote.score is not None:
        return vote.score
    return vote.face.candidates[0].score if vote.face.candidates else None


def _refusal(vote: Vote, settings: Settings) -> Reason | None:
    if vote.outcome is Outcome.SPOOF:
        return Reason.SPOOF
    if vote.outcome is Outcome.STRANGER:
        return Reason.UNKNOWN
    if settings.mode is Mode.ANTISPOOFING and vote.liveness is not FaceLiveness.LIVE and vote.person_id is not None:
        return Reason.LIVENESS
    return None

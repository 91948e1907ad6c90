"""What the server says of liveness, and what that means: an unsuitable picture is never a spoof (section 1.6)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ..interface import Judgement, Score
from ..terms import FaceLiveness
from .read import Fields
from .tuning import SpoofDetector, Tuning

MAX_SCORE: Final = 100.0
NOT_PERFORMED: Final = "not_performed"
_MAX_REASONS: Final = 20
_MAX_REASON: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class KindCheck:
    """The judgement of one kind of liveness. `reasons` say why it was not `performed`; `score` 0-100."""

    performed: bool
    passed: bool
    score: float | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoofCheck:
    """The whole judgement, and that of each kind which was asked for."""

    performed: bool
    passed: bool
    distant: KindCheck | None = None
    nearby: KindCheck | None = None

    def of(self, detector: SpoofDetector) -> KindCheck | None:
        """The judgement of this detector's kind."""
        return self.distant if detector.kind == "distant" else self.nearby


def parse_spoof_check(fields: Fields) -> SpoofCheck:
    """Read SpoofCheckResponse or SearchByImageSpoofResult. Raises EngineProtocolError."""
    return SpoofCheck(
        performed=fields.maybe_flag("performed") or False,
        passed=fields.maybe_flag("passed") or False,
        distant=_kind(fields.maybe_object("distantLivenessSpoofCheck")),
        nearby=_kind(fields.maybe_object("nearbyLivenessSpoofCheck")),
    )


def _kind(fields: Fields | None) -> KindCheck | None:
    if fields is None:
        return None
    messages = (reason.maybe_text("reasonMessage") for reason in fields.maybe_objects("notPerformedReasons"))
    return KindCheck(
        performed=fields.maybe_flag("performed") or False,
        passed=fields.maybe_flag("passed") or False,
        score=fields.maybe_number("score"),
        reasons=tuple(" ".join(text.split())[:_MAX_REASON] for text in messages if text)[:_MAX_REASONS],
    )


def judge_liveness(check: SpoofCheck | None, tuning: Tuning) -> Judgement:
    """Say whether a face is live, by the detectors that were asked.

    Live is who passed the whole check and each kind; a spoof only who failed a kind that was performed. Everything
    else, contradictions included, is not known.
    """
    if check is None or not check.performed:
        return Judgement(state=FaceLiveness.UNKNOWN, reasons=_reasons(check, tuning.spoof))
    asked = [(detector, kind) for detector in tuning.spoof if (kind := check.of(detector)) is not None]
    done = [(detector, kind) for detector, kind in asked if kind.performed]
    failed = [(detector, kind) for detector, kind in done if not kind.passed]
    if failed and not check.passed:
        return Judgement(state=FaceLiveness.SPOOF, score=_lowest(failed, tuning))
    if check.passed and len(done) == len(tuning.spoof) and not failed:
        return Judgement(state=FaceLiveness.LIVE, score=_lowest(done, tuning))
    return Judgement(state=FaceLiveness.UNKNOWN, reasons=_reasons(check, tuning.spoof))


def _lowest(kinds: Iterable[tuple[SpoofDetector, KindCheck]], tuning: Tuning) -> Score | None:
    """The score that decided, with the threshold of its kind."""
    thresholds = {"distant": tuning.distant_threshold, "nearby": tuning.nearby_threshold}
    scores = [
        Score(value=kind.score, maximum=MAX_SCORE, threshold=thresholds[detector.kind])
        for detector, kind in kinds
        if kind.score is not None and 0 <= kind.score <= MAX_SCORE
    ]
    return min(scores, key=lambda score: score.value - (score.threshold or 0), default=None)


def _reasons(check: SpoofCheck | None, detectors: Iterable[SpoofDetector]) -> tuple[str, ...]:
    """The server's reasons, each of them once; our own word where it gives none."""
    kinds = [check.of(detector) for detector in detectors] if check is not None else []
    found = dict.fromkeys(reason for kind in kinds if kind is not None for reason in kind.reasons)
    return tuple(found) or (NOT_PERFORMED,)

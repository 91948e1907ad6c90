"""Judging liveness: a face on paper is a spoof, and one with too little around it cannot be judged."""

from collections.abc import Mapping
from typing import Any, Final

from .problems import Refusal
from .vision import Seen

_KINDS: Final = ("distant", "nearby")
_SUITABLE_SIZE: Final = 30


def check(seen: Seen, detectors: list[str], config: Mapping[str, Any]) -> dict[str, Any]:
    """The schema SpoofCheckResponse. Raises `Refusal` 400 for the same kind on two resources."""
    kinds = [detector.split("_")[1] for detector in detectors]
    if len(kinds) != len(set(kinds)):
        raise Refusal(400, "The same spoof detector must not be used on several resources.")
    judged = {kind: _judge(seen, kind, config) for kind in kinds}
    answer: dict[str, Any] = {
        "performed": bool(judged) and all(result["performed"] for result in judged.values()),
        "passed": bool(judged) and all(result["passed"] for result in judged.values()),
    }
    return answer | {f"{kind}LivenessSpoofCheck": judged.get(kind, _skipped(None)) for kind in _KINDS}


def none() -> dict[str, Any]:
    """The result of a search that was not to judge liveness."""
    skipped = {f"{kind}LivenessSpoofCheck": _skipped(None) for kind in _KINDS}
    return {"performed": False, "passed": False, **skipped}


def _judge(seen: Seen, kind: str, config: Mapping[str, Any]) -> dict[str, Any]:
    reasons = []
    if seen.paper is None:
        reasons.append("Face is too close to the border of the image.")
    if seen.weak:
        reasons.append("Image contrast is too low.")
    if seen.size < _SUITABLE_SIZE:
        reasons.append("Face is too small.")
    if reasons:
        return _skipped(reasons if config["keepEvaluatingConditionsAfterFirstFail"] else reasons[:1])
    score = 3.5 if seen.paper else 99.25
    passed = score >= config[f"{kind}LivenessScoreThreshold"]
    return {"performed": True, "passed": passed, "score": score, "notPerformedReasons": None}


def _skipped(reasons: list[str] | None) -> dict[str, Any]:
    told = None if reasons is None else [{"reasonMessage": reason} for reason in reasons]
    return {"performed": False, "passed": False, "score": 0.0, "notPerformedReasons": told}

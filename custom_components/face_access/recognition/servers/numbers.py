"""The scores that a household may set for a server, on the server's own scale. Plain data, as its form has it."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from ...access import Similarity

_KEYS: Final[Mapping[Similarity, str]] = {similarity: f"score_{similarity}" for similarity in Similarity}


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One number that may be set, from `low` to `high` in steps. `default` is what the server's documents say."""

    key: str
    default: float
    low: float
    high: float
    step: float


def scores(defaults: Mapping[Similarity, float], *, low: float, high: float, step: float) -> tuple[Number, ...]:
    """Make the numbers for what each similarity asks for."""
    return tuple(
        Number(key=_KEYS[similarity], default=default, low=low, high=high, step=step)
        for similarity, default in defaults.items()
    )


def thresholds(values: Mapping[str, Any], defaults: Mapping[Similarity, float]) -> dict[Similarity, float]:
    """Read what each similarity asks for; its default where nothing was set."""
    return {similarity: float(values.get(_KEYS[similarity], default)) for similarity, default in defaults.items()}


def in_order(values: Mapping[str, Any]) -> bool:
    """Whether no similarity asks for less than the one below it."""
    asked = [float(values[key]) for key in _KEYS.values() if key in values]
    return all(lower <= higher for lower, higher in pairwise(asked))

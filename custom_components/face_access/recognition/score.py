"""Cosines as scores from 0 to 100 that mean the same for every model: the logarithm of the false-match rate.

70, 80 and 90 stand for one false match in 1,000, 10,000 and 100,000 comparisons with strangers, and are the levels low,
normal and high. Terminals use the same range (70-100), so the numbers look familiar; they are not converted from there.
"""

from bisect import bisect_right
from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from ..access import Similarity

_SCORES: Final[Mapping[str, float]] = {
    "1e-1": 30,
    "1e-2": 50,
    "1e-3": 70,
    "1e-4": 80,
    "1e-5": 90,
    "1e-6": 95,
    "1e-8": 100,
}
RATES: Final = tuple(_SCORES)
THRESHOLDS: Final[Mapping[Similarity, float]] = {Similarity.LOW: 70, Similarity.NORMAL: 80, Similarity.HIGH: 90}
POSSIBLE: Final = 50
"""The score from which somebody is at least possible: a covered face falls between this and the threshold."""


class Scale:
    """The scale of one model."""

    def __init__(self, cosine_at_rate: Mapping[str, float]) -> None:
        """Take the cosine at each false-match rate. Raises ValueError unless all are there and they rise."""
        anchors = [(0.0, 0.0), *((cosine_at_rate.get(rate, -1.0), score) for rate, score in _SCORES.items())]
        if any(low[0] >= high[0] for low, high in pairwise(anchors)) or anchors[-1][0] > 1:
            raise ValueError(f"cosines must rise from above 0 to 1 over the rates {', '.join(RATES)}")
        self._cosines = [cosine for cosine, _ in anchors]
        self._scores = [score for _, score in anchors]

    def score(self, cosine: float) -> float:
        """Give the score, 0-100: straight lines between the anchors, 0 for a cosine of 0 and less."""
        if not cosine > 0:  # not a number is no likeness either
            return 0.0
        if cosine >= self._cosines[-1]:
            return self._scores[-1]
        index = bisect_right(self._cosines, cosine)
        low, high = self._cosines[index - 1], self._cosines[index]
        share = (cosine - low) / (high - low)
        return self._scores[index - 1] + share * (self._scores[index] - self._scores[index - 1])

    def cosine(self, score: float) -> float:
        """Give the cosine of a score from 0 to 100."""
        if score >= self._scores[-1]:
            return self._cosines[-1]
        index = max(1, bisect_right(self._scores, score))
        low, high = self._scores[index - 1], self._scores[index]
        share = (score - low) / (high - low)
        return self._cosines[index - 1] + share * (self._cosines[index] - self._cosines[index - 1])

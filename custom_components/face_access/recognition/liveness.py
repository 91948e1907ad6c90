"""Whether a face is that of somebody present: MiniFASNet's two networks on two crops of different width.

Source: minivision-ai/Silent-Face-Anti-Spoofing: the detector's box is widened around its centre by 2.7 and by 4.0, held
inside the picture, and scaled to 80x80 in BGR from 0 to 255 (not to 1, whatever ports do); of three classes, 1 is live.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from PIL import Image

from ..access import Similarity
from .results import Box, FaceLiveness, Floats, LivenessCheck, Pixels, Quality

SIZE: Final = 80
LIVE_CLASS: Final = 1

MINIMUM_EYE_DISTANCE: Final = 32
MINIMUM_SCALE: Final = 2.0
"""The wide crop is cut down when the face fills the picture; below this it says nothing (measured)."""

_NEEDED: Final[Mapping[Similarity, float]] = {Similarity.LOW: 0.6, Similarity.NORMAL: 0.8, Similarity.HIGH: 0.9}
_SPOOF_BELOW: Final = 0.5


def scale_within(box: Box, scale: float, size: tuple[int, int]) -> float:
    """How far a box can be widened in a picture of `size` (width, height), up to `scale`."""
    if box.width <= 0 or box.height <= 0:
        return 0.0
    return min((size[0] - 1) / box.width, (size[1] - 1) / box.height, scale)


def askable(box: Box, measured: Quality, widest: float, size: tuple[int, int]) -> bool:
    """Whether the networks can say anything: in colour, large enough, and with enough around the face."""
    return (
        not measured.infrared
        and measured.eye_distance >= MINIMUM_EYE_DISTANCE
        and scale_within(box, widest, size) >= min(widest, MINIMUM_SCALE)
    )


def region(box: Box, scale: float, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Find the crop around a box as (left, top, right, bottom), the last two just outside of it."""
    scale = scale_within(box, scale, size)
    horizontal = _span(box.x + box.width / 2, box.width * scale, size[0])
    vertical = _span(box.y + box.height / 2, box.height * scale, size[1])
    return horizontal[0], vertical[0], horizontal[1] + 1, vertical[1] + 1


def _span(centre: float, length: float, limit: int) -> tuple[int, int]:
    low, high = centre - length / 2, centre + length / 2
    if low < 0:
        low, high = 0.0, high - low
    if high > limit - 1:
        low, high = low - (high - limit + 1), limit - 1.0
    return max(0, int(low)), min(limit - 1, int(high))


def crop(image: Image.Image, box: Box, scale: float) -> Pixels:
    """Cut out what one network sees, (80, 80, 3) in RGB; `box` is in pixels of `image`.

    Sampled without smoothing, as the networks were trained: the grain of a print is what they look at.
    """
    extent = region(box, scale, image.size)
    return np.asarray(image.transform((SIZE, SIZE), Image.Transform.EXTENT, extent, Image.Resampling.BILINEAR))


def probability(output: Floats) -> float:
    """Read how likely a face is live, 0-1, from logits or from probabilities; 0 for what is not finite."""
    row = output.reshape(-1).astype(np.float64)
    if not np.isfinite(row).all() or len(row) <= LIVE_CLASS:
        return 0.0
    if row.min() < 0 or abs(row.sum() - 1) > 1e-3:
        raised = np.exp(row - row.max())
        row = raised / raised.sum()
    return float(row[LIVE_CLASS])


def judge(models: Mapping[str, float], similarity: Similarity) -> LivenessCheck:
    """Combine what the models say: live only where both agree and together are sure enough for the level."""
    least, mean = min(models.values()), sum(models.values()) / len(models)
    score = least if similarity is Similarity.HIGH else mean
    if least >= _SPOOF_BELOW and score >= _NEEDED[similarity]:
        state = FaceLiveness.LIVE
    else:
        state = FaceLiveness.SPOOF if mean < _SPOOF_BELOW else FaceLiveness.UNKNOWN
    return LivenessCheck(state=state, score=score, models=dict(models))

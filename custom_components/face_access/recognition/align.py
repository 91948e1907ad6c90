"""Faces turned upright and scaled to the position that embedders are trained on.

Source: the ArcFace template for 112x112 and the least-squares similarity transform (Umeyama 1991) of five points.
"""

from typing import Final

import numpy as np
from PIL import Image

from .results import Floats, Pixels

SIZE: Final = 112
TEMPLATE: Final = np.array(
    [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)], np.float64
)


def similarity(points: Floats) -> tuple[complex, complex]:
    """Find turn and scale `a` and shift `b`: a * z + b, of points as complex numbers, is nearest to the template."""
    source = points[:, 0].astype(np.float64) + 1j * points[:, 1]
    target = TEMPLATE[:, 0] + 1j * TEMPLATE[:, 1]
    centred = source - source.mean()
    spread = float((np.abs(centred) ** 2).sum())
    if spread < 1e-6:  # all points in one place: any similarity is as good
        return 1 + 0j, complex(target.mean() - source.mean())
    turn = complex((np.conj(centred) * (target - target.mean())).sum() / spread)
    if abs(turn) < 1e-6:
        return 1 + 0j, complex(target.mean() - source.mean())
    return turn, complex(target.mean() - turn * source.mean())


def align(image: Image.Image, points: Floats) -> Pixels:
    """Cut out an upright face, (112, 112, 3) in RGB; `points` are its landmarks in pixels of `image`.

    Outside of the picture is black. A large face is averaged down first, so that no detail turns into noise.
    """
    turn, shift = similarity(points)
    shrink = int(1 / abs(turn))
    if shrink >= 2:
        image, points = _reduced(image, points, turn, shift, shrink)
        turn, shift = similarity(points)
    # From the template back to the picture. Pillow counts from a pixel's corner, landmarks from its centre.
    back = 1 / turn
    origin = (0.5 * (1 + 1j) - 0.5 * (1 + 1j) * back) - shift * back
    matrix = (back.real, -back.imag, origin.real, back.imag, back.real, origin.imag)
    return np.asarray(image.transform((SIZE, SIZE), Image.Transform.AFFINE, matrix, Image.Resampling.BILINEAR))


def _reduced(
    image: Image.Image, points: Floats, turn: complex, shift: complex, shrink: int
) -> tuple[Image.Image, Floats]:
    """Cut the region of the face out and make it `shrink` times smaller."""
    corners = (np.array([0, SIZE, SIZE * 1j, SIZE * (1 + 1j)]) - shift) / turn
    left, top = max(0, int(corners.real.min()) - shrink), max(0, int(corners.imag.min()) - shrink)
    right = min(image.width, int(corners.real.max()) + shrink + 1)
    bottom = min(image.height, int(corners.imag.max()) + shrink + 1)
    if right - left < shrink or bottom - top < shrink:
        return image, points
    small = image.reduce(shrink, box=(left, top, right, bottom))
    # Positions of centres: the first new pixel covers the first `shrink` old ones.
    moved = (points - np.array([left, top], np.float32) + 0.5) / shrink - 0.5
    return small, moved.astype(np.float32)

"""YuNet's outputs as faces.

Source: ShiqiYu/libfacedetection.train and OpenCV's FaceDetectorYN: per stride s and cell (column, row), the score is
sqrt(cls * obj), the centre ((column + dx) * s, (row + dy) * s), the size (exp(dw) * s, exp(dh) * s), and each landmark
((column + kx) * s, (row + ky) * s) in the order right eye, left eye, nose, right and left corner of the mouth.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from .errors import GraphError
from .onnx.graph import Array
from .results import Box, Detection, Floats, Landmarks

STRIDES: Final = (8, 16, 32)

MINIMUM_SCORE: Final = 0.6
MAXIMUM_OVERLAP: Final = 0.3
_CANDIDATES: Final = 512
"""Boxes that are compared with each other: more than one picture of a door ever has."""


def decode(outputs: Mapping[str, Array], height: int, width: int, factor: float) -> list[Detection]:
    """Read the faces in an input of `height` x `width`, the surest first, in pixels of the picture.

    `factor` is that from picture to input. Raises GraphError when the outputs are not those of YuNet.
    """
    rows = np.concatenate([_stride(outputs, stride, height, width) for stride in STRIDES])
    rows = rows[np.argsort(-rows[:, 0], kind="stable")][:_CANDIDATES]
    kept = _suppress(rows)
    return [_detection(row) for row in _scaled(rows[kept], factor)]


def _stride(outputs: Mapping[str, Array], stride: int, height: int, width: int) -> Floats:
    """Give one row per promising cell: score, x, y, width, height, five points."""
    lines, columns = height // stride, width // stride
    parts = {}
    for name, size in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        found = outputs.get(f"{name}_{stride}")
        if found is None or found.size != lines * columns * size:
            raise GraphError(f"the detector has no output {name}_{stride} of the right size")
        parts[name] = found.reshape(-1, size)
    # Almost no cell is promising: all that follows is for those few.
    chosen = np.flatnonzero(parts["cls"] * parts["obj"] >= MINIMUM_SCORE**2)
    if not len(chosen):
        return np.zeros((0, 15), np.float32)
    score = np.sqrt(np.clip(parts["cls"][chosen, 0], 0, 1) * np.clip(parts["obj"][chosen, 0], 0, 1))
    cells = np.stack([chosen % columns, chosen // columns], axis=1).astype(np.float32)
    box = parts["bbox"][chosen]
    # A size of e^16 pixels is nonsense already, and the limit keeps it finite.
    size = np.exp(np.clip(box[:, 2:], -16, 16)) * stride
    corner = (cells + box[:, :2]) * stride - size / 2
    points = (parts["kps"][chosen] + np.tile(cells, 5)) * stride
    rows = np.concatenate([score[:, None], corner, size, points], axis=1).astype(np.float32)
    sound: Floats = rows[np.isfinite(rows).all(axis=1) & (score >= MINIMUM_SCORE)]
    return sound


def _suppress(rows: Floats) -> list[int]:
    """Drop what overlaps a surer face: greedy, by intersection over union."""
    left, top = rows[:, 1], rows[:, 2]
    right, bottom = left + rows[:, 3], top + rows[:, 4]
    area = rows[:, 3] * rows[:, 4]
    kept: list[int] = []
    open_ = np.ones(len(rows), bool)
    for index in range(len(rows)):
        if not open_[index]:
            continue
        kept.append(index)
        across = np.minimum(right, right[index]) - np.maximum(left, left[index])
        down = np.minimum(bottom, bottom[index]) - np.maximum(top, top[index])
        shared = np.clip(across, 0, None) * np.clip(down, 0, None)
        open_ &= shared <= MAXIMUM_OVERLAP * (area + area[index] - shared)
    return kept


def _scaled(rows: Floats, factor: float) -> Floats:
    rows[:, 1:] /= np.float32(factor)
    return rows


def _detection(row: Floats) -> Detection:
    score, x, y, width, height, *points = (float(number) for number in row)
    eyes = [(points[index], points[index + 1]) for index in range(0, 10, 2)]
    return Detection(
        box=Box(x=x, y=y, width=width, height=height),
        landmarks=Landmarks(right_eye=eyes[0], left_eye=eyes[1], nose=eyes[2], mouth_right=eyes[3], mouth_left=eyes[4]),
        score=score,
    )

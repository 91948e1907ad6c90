"""The steps between a JPEG and the networks, by Pillow and numpy beside OpenCV where it is. Part of `recognition`."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
import statistics
from typing import Any, Final

import numpy as np

from custom_components.face_access.recognition import align
from custom_components.face_access.recognition.picture import Picture, letterbox
from custom_components.face_access.recognition.results import Floats

from .decisions import in_turn
from .local import SETTINGS, Local
from .report import Result, ms, times

# As a decision decodes a full-HD JPEG: at half its size.
_REDUCTION: Final = 2
_OURS: Final = "Pillow and numpy"

type Way = Callable[[], object]


def steps(found: Local, rounds: int) -> Result:
    """Time each step in both ways, in turn."""
    points = found.engine("numpy").detect(Picture(found.photo))[0].landmarks.points / _REDUCTION
    ways = {_OURS: _ours(found.photo, points)}
    if find_spec("cv2") is not None:
        cv2: Any = import_module("cv2")
        cv2.setNumThreads(1)
        ways[f"OpenCV {cv2.__version__}"] = _by_opencv(cv2, found.photo, points)
    taken = in_turn({f"{step} {way}": run for way, jobs in ways.items() for step, run in jobs.items()}, rounds)
    rows = []
    for step in ways[_OURS]:
        medians = [statistics.median(taken[f"{step} {way}"]) for way in ways]
        rows.append((step, *(ms(one) for one in medians), *([times(medians[0] / medians[1])] if medians[1:] else [])))
    columns = ("step", *ways, *(["ratio"] if len(ways) > 1 else []))
    return Result(name="steps", columns=columns, rows=rows, notes=["Each on one thread, in turn."])


def _ours(photo: bytes, points: Floats) -> Mapping[str, Way]:
    image = Picture(photo).image(_REDUCTION)
    return {
        "decode, at half the size": lambda: Picture(photo).image(_REDUCTION),
        "letterbox": lambda: letterbox(image, SETTINGS.detector_size),
        "warp": lambda: align.align(image, points),
    }


def _by_opencv(cv2: Any, photo: bytes, points: Floats) -> Mapping[str, Way]:
    data = np.frombuffer(photo, np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_REDUCED_COLOR_2)
    height, width = image.shape[:2]
    longest = SETTINGS.detector_size

    def fit() -> object:
        factor = longest / max(height, width)
        size = round(width * factor), round(height * factor)
        canvas = np.zeros((-(-size[1] // 32) * 32, -(-size[0] // 32) * 32, 3), np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return canvas

    def warp() -> object:
        turn, shift = align.similarity(points)
        matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
        return cv2.warpAffine(image, matrix, (align.SIZE, align.SIZE))

    return {
        "decode, at half the size": lambda: cv2.imdecode(data, cv2.IMREAD_REDUCED_COLOR_2),
        "letterbox": fit,
        "warp": warp,
    }

"""What the simulated server sees: the drawn faces of the other simulators, told apart by what is around their noses.

A drawn face has a nose of one marker colour. What is around it, at the scale of the nose, is the template: the same
person gives nearly the same one, another person another. A picture without a marker (a photograph) counts as one face,
unless it is all of one colour. A face on a sheet of paper is a spoof; where too little is to be seen around a face, its
liveness cannot be judged.
"""

from dataclasses import dataclass, field
from functools import lru_cache
import hashlib
from io import BytesIO
import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageStat

from .problems import Refusal

type Pixels = NDArray[np.uint8]

_LONGEST: Final = 960
_SMALLEST_NOSE: Final = 24  # pixels of area at that size
# The part of a drawing that makes the template, in diameters of the nose: left, up, right, down.
_AROUND: Final = (1.9, 4.0, 1.9, 2.4)
_SIDE: Final = 16
# Eyes of drawn faces are this many noses apart.
_EYES: Final = 2.5
# Where a sheet of paper shows beside a head, in noses from the nose.
_PAPER: Final = ((-3.6, -4.7), (3.6, -4.7))
_WHITE: Final = 238
_LEAST_CONTRAST: Final = 2.0
_WEAK_CONTRAST: Final = 10.0
# Templates are brought to one brightness and one contrast: grain and exposure say nothing of who it is.
_MIDDLE: Final = 128
_SPREAD: Final = 55
# How far the score falls for each step that two templates differ by on average. Drawings of the same person differ by
# less than 6, those of two people by more than 10.
_FALL: Final = 7.5


@dataclass(frozen=True, slots=True)
class Seen:
    """A face in a picture: the middle of its nose, the nose's diameter, the template, and what is known of liveness.

    `paper` is None where too little is to be seen around the face. `weak` faces do not pass the server's own limits.
    """

    x: float
    y: float
    nose: float
    template: bytes = field(repr=False)
    paper: bool | None
    weak: bool

    @property
    def size(self) -> float:
        """The distance of the eyes in pixels."""
        return self.nose * _EYES

    @property
    def number(self) -> int:
        """A number of this very face, from which ages and the like are made up."""
        return int.from_bytes(hashlib.sha256(self.template).digest()[:4])

    @property
    def roll(self) -> float:
        """How far the face is turned, in degrees."""
        return float(self.number % 17 - 8)

    def corners(self) -> dict[str, float]:
        """The frame around the face, turned with it."""
        across, up, down = self.nose * 3.1, self.nose * 4.4, self.nose * 3.6
        turn = math.radians(self.roll)
        places = {"LeftTop": (-across, -up), "RightTop": (across, -up)}
        places |= {"LeftBottom": (-across, down), "RightBottom": (across, down)}
        found: dict[str, float] = {}
        for name, (right, below) in places.items():
            found[f"crop{name}X"] = round(self.x + right * math.cos(turn) - below * math.sin(turn), 2)
            found[f"crop{name}Y"] = round(self.y + right * math.sin(turn) + below * math.cos(turn), 2)
        return found


def look(data: bytes) -> tuple[Seen, ...]:
    """Find every face, the largest first. Raises `Refusal` 400 for what is no JPEG or PNG."""
    return _look(data)


@lru_cache(maxsize=256)
def _look(data: bytes) -> tuple[Seen, ...]:
    image = decode(data)
    contrast = ImageStat.Stat(image.convert("L")).stddev[0]
    if contrast < _LEAST_CONTRAST:
        return ()
    weak = contrast < _WEAK_CONTRAST
    small = image.copy()
    small.thumbnail((_LONGEST, _LONGEST))
    factor = image.width / small.width
    noses = _noses(np.asarray(small))
    if not noses:
        template = _template(small)
        nose = min(image.size) / 12
        return (Seen(image.width / 2, image.height / 2, nose, template, paper=False, weak=weak),)
    faces = [_face(small, factor, nose, weak=weak) for nose in noses]
    return tuple(sorted(faces, key=lambda face: face.nose, reverse=True))


def decode(data: bytes) -> Image.Image:
    """Decode a picture completely. Raises `Refusal` 400."""
    try:
        return Image.open(BytesIO(data), formats=("JPEG", "PNG")).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as err:
        raise Refusal(400, "The image could not be decoded.") from err


def _noses(pixels: Pixels) -> list[tuple[float, float, float]]:
    """The marker blobs: middle and diameter."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    rows, columns = np.nonzero((red > 200) & (green < 110) & (blue > 115) & (blue < 205))
    marked = set(zip(rows.tolist(), columns.tolist(), strict=True))
    found = []
    while marked:
        stack, blob = [marked.pop()], list[tuple[int, int]]()
        while stack:
            row, column = stack.pop()
            blob.append((row, column))
            near = {(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)} & marked
            marked -= near
            stack.extend(near)
        if len(blob) >= _SMALLEST_NOSE:
            y, x = np.mean(blob, axis=0)
            found.append((float(x), float(y), 2 * math.sqrt(len(blob) / math.pi)))
    return found


def _face(small: Image.Image, factor: float, place: tuple[float, float, float], *, weak: bool) -> Seen:
    x, y, nose = place
    left, up, right, down = (part * nose for part in _AROUND)
    patch = small.crop((round(x - left), round(y - up), round(x + right), round(y + down)))
    return Seen(x * factor, y * factor, nose * factor, _template(patch), _paper(small, place), weak)


def _template(patch: Image.Image) -> bytes:
    pixels = np.asarray(patch.resize((_SIDE, _SIDE), Image.Resampling.BOX)).astype(np.float32)
    level = (pixels - pixels.mean()) / max(float(pixels.std()), 1.0)
    return np.clip(_MIDDLE + level * _SPREAD, 0, 255).astype(np.uint8).tobytes()


def _paper(small: Image.Image, place: tuple[float, float, float]) -> bool | None:
    x, y, nose = place
    points = [(round(x + right * nose), round(y + down * nose)) for right, down in _PAPER]
    if any(not 0 <= px < small.width or not 0 <= py < small.height for px, py in points):
        return None
    shades = [small.getpixel(point) for point in points]
    return all(isinstance(shade, tuple) and min(shade) >= _WHITE for shade in shades)


def alike(first: bytes, second: bytes) -> int:
    """The score of two templates, 0-100."""
    one, other = np.frombuffer(first, np.uint8), np.frombuffer(second, np.uint8)
    difference = float(np.mean(np.abs(one.astype(np.int16) - other.astype(np.int16))))
    return max(0, min(100, round(100 - _FALL * difference)))

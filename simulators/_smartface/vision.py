"""What the simulated server sees: the drawn faces of the other simulators, told apart by what is around their noses.

A picture without a nose (a photograph) counts as one face, unless it is all of one colour. A face on a sheet of paper
is a spoof; where too little is to be seen around a face, its liveness cannot be judged.
"""

from dataclasses import dataclass, field
from functools import lru_cache
import hashlib
import math
from typing import Final

from PIL import Image, ImageStat

from .. import _sight
from .problems import Refusal

# Where a sheet of paper shows beside a head, in noses from the nose.
_PAPER: Final = ((-3.6, -4.7), (3.6, -4.7))
_WHITE: Final = 238
_LEAST_CONTRAST: Final = 2.0
_WEAK_CONTRAST: Final = 10.0
# How far the score falls for each step that two templates differ by on average.
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
        return self.nose * _sight.EYES

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
    noses = _sight.find_noses(image)
    if not noses:
        template, nose = _sight.template(image, None), min(image.size) / 12
        return (Seen(image.width / 2, image.height / 2, nose, template, paper=False, weak=weak),)
    return tuple(
        Seen(nose.x, nose.y, nose.diameter, _sight.template(image, nose), _paper(image, nose), weak) for nose in noses
    )


def decode(data: bytes) -> Image.Image:
    """Decode a picture completely. Raises `Refusal` 400."""
    try:
        return _sight.decode(data)
    except _sight.NoPictureError as err:
        raise Refusal(400, "The image could not be decoded.") from err


def _paper(image: Image.Image, nose: _sight.Nose) -> bool | None:
    points = [(round(nose.x + right * nose.diameter), round(nose.y + down * nose.diameter)) for right, down in _PAPER]
    if any(not 0 <= px < image.width or not 0 <= py < image.height for px, py in points):
        return None
    shades = [image.getpixel(point) for point in points]
    return all(isinstance(shade, tuple) and min(shade) >= _WHITE for shade in shades)


def alike(first: bytes, second: bytes) -> int:
    """The score of two templates, 0-100."""
    return max(0, min(100, round(100 - _FALL * _sight.difference(first, second))))

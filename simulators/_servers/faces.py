"""Eyes for simulated servers: where the faces of a drawn picture are, whose they are, and what is wrong with them.

The faces that terminals and panels draw (`_terminal/pictures.py`) have a nose of one colour, and everything else of
them follows from it: how large they are, how far apart the eyes, whether there is a mask or a sheet of paper around
them. Two faces are compared by what is around the nose. A picture without such a nose has nobody on it.
"""

from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
import math
from typing import Final

from PIL import Image, ImageChops, ImageStat, UnidentifiedImageError

from .._terminal.pictures import MARKER

_SIZE: Final = 400  # the longer side at which noses are looked for
_NEAR: Final = 60  # how far a pixel may be from the colour of the marker
_LEAST: Final = 6
_MASK: Final = (216, 236, 245)
_GRID: Final = (12, 16)
_SPREAD: Final = 40.0  # mean difference of two faces at which nothing is alike; one face has up to 4.5 with itself


class NoPictureError(Exception):
    """These bytes are no picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFace:
    """One face. Sizes in pixels of the picture; `look` is what it is compared by."""

    left: int
    top: int
    right: int
    bottom: int
    eye_distance: float
    luminance: float
    masked: bool
    printed: bool
    near_border: bool
    cropped: bool
    look: Image.Image

    @property
    def width(self) -> int:
        """Of the box."""
        return self.right - self.left


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPicture:
    """A picture and its faces, the largest first."""

    width: int
    height: int
    faces: tuple[SeenFace, ...]


@lru_cache(maxsize=64)
def see(data: bytes) -> SeenPicture:
    """Look at a JPEG, PNG or WebP; raise `NoPictureError`."""
    try:
        image = Image.open(BytesIO(data), formats=("JPEG", "PNG", "WEBP")).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as err:
        raise NoPictureError from err
    faces = [_face(image, x, y, size) for x, y, size in _noses(image)]
    faces.sort(key=lambda face: -face.eye_distance)
    return SeenPicture(width=image.width, height=image.height, faces=tuple(faces))


def likeness(one: SeenFace, other: SeenFace) -> float:
    """How much two faces are alike, 0 to 1."""
    difference = ImageStat.Stat(ImageChops.difference(one.look, other.look)).mean
    return round(max(0.0, 1 - sum(difference) / 3 / _SPREAD), 4)


def _noses(image: Image.Image) -> list[tuple[float, float, float]]:
    """Centre (x, y) and width of each blob in the colour of noses, in pixels of the picture."""
    small = image.copy()
    small.thumbnail((_SIZE, _SIZE))
    width, _height = small.size
    factor = image.width / width
    difference = ImageChops.difference(small, Image.new("RGB", small.size, MARKER))
    red, green, blue = difference.split()
    far = ImageChops.lighter(ImageChops.lighter(red, green), blue).tobytes()
    marked = {i for i, distance in enumerate(far) if distance < _NEAR}
    found = []
    while marked:
        stack, blob = [marked.pop()], set[int]()
        while stack:
            here = stack.pop()
            blob.add(here)
            near = {here - 1, here + 1, here - width, here + width} & marked
            marked -= near
            stack.extend(near)
        if len(blob) >= _LEAST:
            x = sum(i % width for i in blob) / len(blob) + 0.5
            y = sum(i // width for i in blob) / len(blob) + 0.5
            found.append((x * factor, y * factor, 2 * math.sqrt(len(blob) / math.pi) * factor))
    return found


def _face(image: Image.Image, x: float, y: float, nose: float) -> SeenFace:
    left, top = round(x - 3.1 * nose), round(y - 4.5 * nose)
    right, bottom = round(x + 3.1 * nose), round(y + 3.2 * nose)
    inside = image.crop((max(0, left), max(0, top), min(image.width, right), min(image.height, bottom)))
    look = image.crop((round(x - 2 * nose), round(y - 4 * nose), round(x + 2 * nose), round(y + 2.4 * nose))).resize(
        _GRID, Image.Resampling.BOX
    )
    over = max(-left, -top, right - image.width, bottom - image.height)
    return SeenFace(
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        eye_distance=2.5 * nose,
        luminance=ImageStat.Stat(inside.convert("L")).mean[0],
        masked=_near(_pixel(image, x, y + 1.5 * nose), _MASK),
        printed=_paper(inside) > 0.05,
        near_border=over > -15,
        cropped=over > 0.8 * nose,
        look=look,
    )


def _pixel(image: Image.Image, x: float, y: float) -> tuple[int, ...]:
    where = min(image.width - 1, max(0, round(x))), min(image.height - 1, max(0, round(y)))
    pixel = image.getpixel(where)
    assert isinstance(pixel, tuple)
    return pixel


def _near(pixel: tuple[int, ...], colour: tuple[int, int, int]) -> bool:
    return max(abs(have - want) for have, want in zip(pixel, colour, strict=True)) < 25


def _paper(image: Image.Image) -> float:
    """How much of a picture is as white as paper."""
    darkest = image.convert("RGB").split()
    mask = ImageChops.darker(ImageChops.darker(darkest[0], darkest[1]), darkest[2]).point([0] * 246 + [255] * 10)
    return ImageStat.Stat(mask).mean[0] / 255

"""Eyes for simulated servers: where the faces of a drawn picture are, whose they are, and what is wrong with them.

A picture without a nose (a photograph) counts as one face, unless it is all of one colour. There may be a mask or a
sheet of paper around a nose.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from PIL import Image, ImageChops, ImageStat

from .._sight import EYES, NoPictureError, Nose, decode, difference, find_noses, template

__all__ = ["NoPictureError", "SeenFace", "SeenPicture", "likeness", "see"]

_MASK: Final = (216, 236, 245)
_LEAST_CONTRAST: Final = 2.0
_SPREAD: Final = 28.0  # mean difference of two templates at which nothing is alike


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenFace:
    """One face. Sizes in pixels of the picture; `template` is what it is compared by."""

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
    template: bytes = field(repr=False)

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
    image = decode(data, ("JPEG", "PNG", "WEBP"))
    if noses := find_noses(image):
        faces = tuple(_face(image, nose, template(image, nose)) for nose in noses)
    elif ImageStat.Stat(image.convert("L")).stddev[0] < _LEAST_CONTRAST:
        faces = ()
    else:
        middle = Nose(x=image.width / 2, y=image.height / 2, diameter=min(image.size) / 12, at_border=False)
        faces = (_face(image, middle, template(image, None)),)
    return SeenPicture(width=image.width, height=image.height, faces=faces)


def likeness(one: SeenFace, other: SeenFace) -> float:
    """How much two faces are alike, 0 to 1."""
    return round(max(0.0, 1 - difference(one.template, other.template) / _SPREAD), 4)


def _face(image: Image.Image, found: Nose, looks: bytes) -> SeenFace:
    x, y, nose = found.x, found.y, found.diameter
    left, top = round(x - 3.1 * nose), round(y - 4.5 * nose)
    right, bottom = round(x + 3.1 * nose), round(y + 3.2 * nose)
    inside = image.crop((max(0, left), max(0, top), min(image.width, right), min(image.height, bottom)))
    over = max(-left, -top, right - image.width, bottom - image.height)
    return SeenFace(
        left=left,
        top=top,
        right=right,
        bottom=bottom,
        eye_distance=EYES * nose,
        luminance=ImageStat.Stat(inside.convert("L")).mean[0],
        masked=_near(_pixel(image, x, y + 1.5 * nose), _MASK),
        printed=_paper(inside) > 0.05,
        near_border=over > -15,
        cropped=over > 0.8 * nose,
        template=looks,
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

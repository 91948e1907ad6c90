"""What every simulator sees of a picture: the noses of drawn faces, and how much two faces are alike.

A drawn face (`_terminal/pictures.py`) has a nose of one marker colour, and everything else of it follows from there:
its place and size, the distance of its eyes. What is around the nose, at the scale of the nose, is its template: the
same person gives nearly the same one, another person another.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from itertools import compress
import math
from typing import Final

import numpy as np
from PIL import Image, ImageChops, UnidentifiedImageError

EYES: Final = 2.5
"""How many noses the eyes of a drawn face are apart."""
_LONGEST: Final = 960
_LEAST: Final = 24
# Red, green and blue of the marker, each from and to.
_COLOUR: Final = ((201, 255), (0, 109), (116, 204))
# The part of a drawing that makes the template, in diameters of the nose: left, up, right, down.
_AROUND: Final = (1.9, 4.0, 1.9, 2.4)
_SIDE: Final = 16
# Templates are brought to one brightness and one contrast: grain and exposure say nothing of who it is.
_MIDDLE: Final = 128
_SPREAD: Final = 55


class NoPictureError(Exception):
    """These bytes are no picture."""


@dataclass(frozen=True, slots=True)
class Nose:
    """A nose: its middle and its diameter in pixels, and whether it touches the border of the picture."""

    x: float
    y: float
    diameter: float
    at_border: bool


def decode(data: bytes, formats: Iterable[str] = ("JPEG", "PNG")) -> Image.Image:
    """Decode a picture completely. Raises NoPictureError."""
    try:
        return Image.open(BytesIO(data), formats=list(formats)).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as err:
        raise NoPictureError("the picture does not decode") from err


@lru_cache(maxsize=64)
def next_picture(data: bytes, number: int) -> bytes:
    """Give the same view as a camera does that takes pictures: a corner shows its number, 0 to 15."""
    image = decode(data)
    image.paste((number * 16,) * 3, (0, 0, 16, 16))
    stream = BytesIO()
    image.save(stream, "JPEG", quality=95, subsampling=0, exif=Image.open(BytesIO(data)).getexif())
    return stream.getvalue()


def find_noses(image: Image.Image, *, longest: int = _LONGEST, least: int = _LEAST) -> list[Nose]:
    """Find every nose, the largest first: it has `least` pixels where the longer side has `longest`, or fewer."""
    small = image.copy()
    small.thumbnail((longest, longest))
    factor = image.width / small.width
    right, bottom = small.width - 1, small.height - 1
    found = []
    for blob in _blobs(small):
        if len(blob) < least:
            continue
        rows, columns = zip(*blob, strict=True)
        found.append(
            Nose(
                x=(sum(columns) / len(blob) + 0.5) * factor,
                y=(sum(rows) / len(blob) + 0.5) * factor,
                diameter=2 * math.sqrt(len(blob) / math.pi) * factor,
                at_border=min(rows) == 0 or min(columns) == 0 or max(rows) == bottom or max(columns) == right,
            )
        )
    return sorted(found, key=lambda nose: nose.diameter, reverse=True)


def _blobs(image: Image.Image) -> list[list[tuple[int, int]]]:
    """Rows and columns of the pixels of each patch in the colour of noses."""
    masks = (
        band.point([255 if low <= value <= high else 0 for value in range(256)])
        for band, (low, high) in zip(image.split(), _COLOUR, strict=True)
    )
    red, green, blue = masks
    hits = ImageChops.darker(ImageChops.darker(red, green), blue).tobytes()
    marked = {divmod(index, image.width) for index in compress(range(len(hits)), hits)}
    found = []
    while marked:
        stack, blob = [marked.pop()], list[tuple[int, int]]()
        while stack:
            row, column = stack.pop()
            blob.append((row, column))
            near = {(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)} & marked
            marked -= near
            stack.extend(near)
        found.append(blob)
    return found


def template(image: Image.Image, nose: Nose | None) -> bytes:
    """Make the template of the face around a nose; of the whole picture where there is none."""
    if nose is not None:
        left, up, right, down = (part * nose.diameter for part in _AROUND)
        image = image.crop((round(nose.x - left), round(nose.y - up), round(nose.x + right), round(nose.y + down)))
    pixels = np.asarray(image.resize((_SIDE, _SIDE), Image.Resampling.BOX)).astype(np.float32)
    level = (pixels - pixels.mean()) / max(float(pixels.std()), 1.0)
    made: bytes = np.clip(_MIDDLE + level * _SPREAD, 0, 255).astype(np.uint8).tobytes()
    return made


def difference(first: bytes, second: bytes) -> float:
    """How many steps two templates differ by on average.

    Drawings of the same person differ by less than 6, those of two people by more than 10, but for a few lookalikes.
    """
    one, other = np.frombuffer(first, np.uint8), np.frombuffer(second, np.uint8)
    return float(np.mean(np.abs(one.astype(np.int16) - other.astype(np.int16))))

"""Encoded pictures as pixels, no larger than they need to be, and never trusted to be what they say."""

from io import BytesIO
from typing import Final

import numpy as np
from PIL import Image, ImageOps

from .errors import PictureError
from .results import Box, Floats, Pixels
from .terms import MAX_BYTES

MAX_PIXELS: Final = 64_000_000
"""A picture of a telephone has up to 50 million; 200 MB decoded is where it ends."""

_FORMATS: Final = ("JPEG", "PNG", "WEBP")
_REDUCTIONS: Final = (8, 4, 2, 1)
_ORIENTATION: Final = 0x0112


class Picture:
    """One encoded picture, decoded at the sizes that are asked for.

    A JPEG can be decoded at a half, a quarter or an eighth of its size for a third of the time. Sizes and coordinates
    are those of the upright picture: a telephone writes it lying and adds how to turn it.
    """

    def __init__(self, data: bytes) -> None:
        """Read the header alone. Raises PictureError."""
        if len(data) > MAX_BYTES:
            raise PictureError(f"the picture has {len(data)} bytes, more than {MAX_BYTES}")
        self._data = data
        self._images: dict[int, Image.Image] = {}
        image = self._open()
        turned = _orientation(image) >= 5
        self.width, self.height = (image.height, image.width) if turned else image.size
        if self.width * self.height > MAX_PIXELS:
            raise PictureError(f"the picture has {self.width}x{self.height} pixels, too many")
        if min(self.width, self.height) < 16:
            raise PictureError(f"the picture has {self.width}x{self.height} pixels, too few")

    def _open(self) -> Image.Image:
        try:
            return Image.open(BytesIO(self._data), formats=_FORMATS)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as err:
            raise PictureError("this is no JPEG, PNG or WebP picture") from err

    def image(self, reduction: int = 1) -> Image.Image:
        """Give the picture in RGB at 1/1, 1/2, 1/4 or 1/8 of its size (rounded up). Raises PictureError."""
        if reduction not in self._images:
            self._images[reduction] = self._decode(reduction)
        return self._images[reduction]

    def _decode(self, reduction: int) -> Image.Image:
        image = self._open()
        try:
            if reduction > 1:
                image.draft("RGB", (image.width // reduction, image.height // reduction))
            image = ImageOps.exif_transpose(image.convert("RGB")) if _orientation(image) > 1 else image.convert("RGB")
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as err:
            raise PictureError("the picture is damaged") from err
        # Formats other than JPEG come at full size.
        return image.reduce(reduction) if image.width == self.width else image

    def reduction(self, longest: int) -> int:
        """Find how far the picture can be reduced with its longer side not below `longest`."""
        side = max(self.width, self.height)
        return next(reduction for reduction in _REDUCTIONS if reduction == 1 or side >= reduction * longest)

    def close_up(self, box: Box, margin: float = 0.4) -> bytes:
        """Cut out a face with some of what is around it, as a JPEG of at most 480 pixels. Raises PictureError."""
        across, down = box.width * margin, box.height * margin
        left, top = max(0, int(box.x - across)), max(0, int(box.y - down))
        right = min(self.width, int(box.x + box.width + across) + 1)
        bottom = min(self.height, int(box.y + box.height + down) + 1)
        if right <= left or bottom <= top:
            raise PictureError("the face is outside of the picture")
        face = self.image().crop((left, top, right, bottom))
        face.thumbnail((480, 480))
        stream = BytesIO()
        face.save(stream, "JPEG", quality=85)
        return stream.getvalue()


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION, 1)
    except OSError, ValueError, SyntaxError, KeyError, TypeError:
        return 1  # a broken note about the picture does not spoil the picture
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def letterbox(image: Image.Image, longest: int, fixed: tuple[int, int] | None = None) -> tuple[Pixels, float]:
    """Fit a picture into a detector's input: pixels (height, width, 3) and the factor from picture to input.

    The longer side becomes `longest`; what lacks to a multiple of 32 (or to `fixed`, as height and width) is black,
    at the right and below.
    """
    factor = longest / max(image.size) if fixed is None else min(fixed[0] / image.height, fixed[1] / image.width)
    width, height = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    rows, columns = fixed or (-(-height // 32) * 32, -(-width // 32) * 32)
    # The whole part of the factor by averaging, the rest by interpolation: half the time of doing all by the latter.
    resized = image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=1.0)
    canvas = np.zeros((rows, columns, 3), np.uint8)
    canvas[:height, :width] = np.asarray(resized)[:rows, :columns]
    return canvas, factor


def grey(pixels: Pixels) -> Floats:
    """Luma (ITU-R BT.601) of RGB pixels, 0-255."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return pixels.astype(np.float32) @ weights

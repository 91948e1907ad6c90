"""Photos of people, made ready to be kept. Blocking: for an executor."""

from io import BytesIO
import struct
from typing import Final

from PIL import Image, ImageOps

from .model import PersonError

# Enough for every target; a phone's photo is ten times as large.
LARGEST_SIDE: Final = 1280
THUMBNAIL_SIDE: Final = 320
SMALLEST_SIDE: Final = 80
_QUALITY: Final = 88
# More is a mistake or an attack: a few kilobytes of PNG can unpack to gigabytes.
_MOST_PIXELS: Final = 50_000_000
_FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF")


def prepare(content: bytes, side: int = LARGEST_SIDE) -> bytes:
    """Decode, turn upright, shrink and encode as JPEG without metadata: where a photo was taken is nobody's business.

    Raises PersonError.
    """
    Image.init()
    formats: list[str] = [name for name in _FORMATS if name in Image.OPEN]
    try:
        with Image.open(BytesIO(content), formats=formats) as picture:
            _check_size(picture)
            picture.draft("RGB", (side, side))
            upright = ImageOps.exif_transpose(picture).convert("RGB")
    except PersonError:
        raise
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as err:
        raise PersonError("photo_unreadable") from err
    upright.thumbnail((side, side))
    buffer = BytesIO()
    upright.save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def _check_size(picture: Image.Image) -> None:
    if picture.width * picture.height > _MOST_PIXELS:
        raise PersonError("photo_too_large")
    if min(picture.size) < SMALLEST_SIDE:
        raise PersonError("photo_too_small", limit=str(SMALLEST_SIDE))


def thumbnail(photo: bytes) -> bytes:
    """Make the small version of a photo that was prepared. Raises PersonError."""
    return prepare(photo, THUMBNAIL_SIDE)

"""Any picture as a JPEG that a station's screen can show. Blocking: for an executor."""

from io import BytesIO
import struct

from PIL import Image, ImageOps

# The largest screen that a terminal has (HTTP API 2.13.1) is 1280x800, and may be mounted on end.
LARGEST_SIDE = 1280
QUALITY = 85
# More is a mistake or an attack: a few kilobytes of PNG can unpack to gigabytes.
MOST_PIXELS = 50_000_000
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "AVIF")


class NotAPictureError(ValueError):
    """The bytes are no picture that can be read."""


def to_jpeg(content: bytes) -> bytes:
    """Decode, turn upright, shrink to the screen and encode without metadata. Raises NotAPictureError."""
    Image.init()
    # Pillow does without AVIF where its library is missing, and trips over formats it does not know.
    formats = [name for name in _FORMATS if name in Image.OPEN]
    try:
        with Image.open(BytesIO(content), formats=formats) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise NotAPictureError("too many pixels")
            picture.draft("RGB", (LARGEST_SIDE, LARGEST_SIDE))
            upright = ImageOps.exif_transpose(picture)
            upright.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            return _encode(_opaque(upright))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError) as err:
        raise NotAPictureError(type(err).__name__) from err


def _opaque(picture: Image.Image) -> Image.Image:
    """Put what is transparent on black, the colour of an idle screen: JPEG has no transparency."""
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    ground = Image.new("RGBA", layer.size, "black")
    ground.alpha_composite(layer)
    return ground.convert("RGB")


def _encode(picture: Image.Image) -> bytes:
    buffer = BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()

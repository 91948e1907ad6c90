"""Pictures on their way to a server: raw, and of the kinds that servers take."""

from base64 import b64decode
import binascii
from typing import Final

from ..errors import PictureError
from ..terms import MAX_BYTES

_KINDS: Final = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


def type_of(picture: bytes) -> str:
    """Name the kind of a picture. Raises PictureError for what is neither JPEG nor PNG, or too large."""
    if len(picture) > MAX_BYTES:
        raise PictureError(f"the picture has {len(picture)} bytes, more than {MAX_BYTES}")
    for start, kind in _KINDS:
        if picture.startswith(start):
            return kind
    raise PictureError("this is no JPEG or PNG picture")


def checked(picture: bytes | str) -> bytes:
    """Pass a picture, or decode one that came as base64, with or without a `data:` prefix. Raises PictureError."""
    if isinstance(picture, str):
        text = "".join(picture.split())
        if text[:5].lower() == "data:":
            text = text.partition(",")[2]
        try:
            picture = b64decode(text, validate=True)
        except binascii.Error, ValueError:
            raise PictureError("this is no base64") from None
    type_of(picture)
    return picture

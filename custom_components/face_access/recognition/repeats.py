"""Whether a picture is one of the last, whatever is written beside its pixels: the camera did not take it anew.

A camera may write the time into a picture that it has given before, and may have several such in turn.
"""

from collections import deque
from hashlib import blake2b
from typing import Final

from .picture import Picture

_REMEMBERED: Final = 8


class Repeats:
    """The last pictures of one camera, of which digests alone are kept."""

    def __init__(self) -> None:
        """Begin with a camera that has given nothing."""
        self._digests: deque[bytes] = deque(maxlen=_REMEMBERED)

    def observe(self, picture: Picture) -> bool:
        """Take a picture; whether one of the last is the same to the last pixel. Raises PictureError."""
        # At an eighth of the size noise is left enough: two pictures of one camera are never equal there.
        pixels = picture.image(8)
        digest = blake2b(pixels.tobytes(), digest_size=16, salt=b"%dx%d" % pixels.size).digest()
        if digest in self._digests:
            return True
        self._digests.append(digest)
        return False

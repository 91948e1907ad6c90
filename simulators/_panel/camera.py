"""What the camera sees, as the formats in which panels give it."""

import asyncio
import base64
from contextlib import suppress
from io import BytesIO
import time
from typing import TYPE_CHECKING

from aiohttp import web

from .._terminal import pictures

if TYPE_CHECKING:
    from .core import Core


class Camera:
    """Takes one photo after another, each in its time."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.taken: list[float] = []  # monotonic seconds at which a photo was asked for
        self.off = asyncio.Event()  # a photo that is being taken then is not waited for
        self._busy = asyncio.Lock()

    async def take(self) -> web.Response:
        """`GET /photo/file`."""
        now = time.monotonic()
        if self._busy.locked():
            self.core.violation("a photo was asked for while another was being taken")
        elif self.taken and now - self.taken[-1] < self.core.timings.photo_pace:
            self.core.violation("photos are asked for too fast")
        self.taken.append(now)
        async with self._busy:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.off.wait(), self.core.timings.snapshot)
            # Every panel says image/jpeg, whatever it sends.
            return web.Response(body=self.encoded(), content_type="image/jpeg")

    def jpeg(self) -> bytes:
        """The picture as a page shows it."""
        return pictures.panorama(self.core.visitor, False, self.core.visitor_photo)

    def encoded(self) -> bytes:
        """The picture in the format of the panel."""
        if self.core.photo == "jpeg":
            return self.jpeg()
        buffer = BytesIO()
        pictures.draw(self.core.visitor, photo=self.core.visitor_photo).save(buffer, "WEBP", quality=80)
        return base64.b64encode(buffer.getvalue()) if self.core.photo == "base64" else buffer.getvalue()

"""Pictures that the server keeps (operation 3 of the document)."""

from uuid import UUID

from ..errors import EngineProtocolError
from .caller import Caller
from .transport import MAX_IMAGE

_MAX_EDGE = 2**31 - 1


class Images:
    """Pictures of stored faces, by `StoredFace.image_id`."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a server."""
        self._caller = caller

    async def get(self, image: str, *, min_size: int | None = None, max_size: int | None = None) -> bytes:
        """Download a picture (JPEG). `min_size` scales its shorter edge to that many pixels, `max_size` its longer one.

        Raises every kind of EngineError: EngineNotFoundError for one that is not there; ValueError for what is no id or
        no size.
        """
        query = {name: str(size) for name, size in (("minSize", min_size), ("maxSize", max_size)) if size is not None}
        if any(not 1 <= int(size) <= _MAX_EDGE for size in query.values()):
            raise ValueError("a picture has at least one pixel")
        answer = await self._caller.exchange(
            "GET", f"Images/{UUID(image)}", query=query, limit=MAX_IMAGE, wordless=True
        )
        if not answer.content_type.startswith("image/") or not answer.body:
            raise EngineProtocolError("the answer is no picture")
        return answer.body

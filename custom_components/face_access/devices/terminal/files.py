"""Files to and from a terminal, in pieces that are checked by md5 and can be resumed (HTTP API 2.14)."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
import hashlib
from typing import Any, Final

from ..errors import InvalidValueError, StationProtocolError
from ..values import as_int, as_text, check_number, check_text, from_base64, to_base64
from .caller import LONG_TIMEOUT, Caller, Effect

MAX_DOWNLOAD_CHUNK: Final = 10240
MAX_UPLOAD_CHUNK: Final = 204800
MAX_FILE: Final = 64 * 1024 * 1024
_TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a file from `offset` on; the next one begins at `end`. `total` is the size of the whole file."""

    offset: int
    data: bytes = field(repr=False)
    total: int

    @property
    def end(self) -> int:
        """Where the next piece begins."""
        return self.offset + len(self.data)


class Files:
    """Commands on files."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def chunks(self, path: str, offset: int = 0) -> AsyncIterator[Chunk]:
        """Read a file piece by piece (2.14.1); to resume, begin at the `end` of the last piece that came.

        Raises StationProtocolError for a file that changes meanwhile, or pieces that stay wrong.
        """
        check_text("path", path, empty=False)
        check_number("offset", offset, 0, MAX_FILE)
        total: int | None = None
        while total is None or offset < total:
            chunk = await self._chunk(path, offset)
            if total is not None and chunk.total != total:
                raise StationProtocolError("the file changed while it was read")
            total = chunk.total
            if not chunk.data and offset < total:
                raise StationProtocolError("a piece of the file is empty")
            if chunk.data:
                yield chunk
            offset = chunk.end

    async def download(self, path: str, into: bytearray | None = None) -> bytes:
        """Read a whole file; call again with the same `into` to resume after an error."""
        content = bytearray() if into is None else into
        async for chunk in self.chunks(path, len(content)):
            content += chunk.data
        return bytes(content)

    async def upload(
        self, path: str, content: bytes, *, offset: int = 0, progress: Callable[[int], None] | None = None
    ) -> None:
        """Write a file piece by piece (2.14.2). `progress` hears the offset up to which the device has it.

        To resume after an error, begin at the last `offset` that `progress` heard.
        """
        check_text("path", path, empty=False)
        if not content or len(content) > MAX_FILE:
            raise InvalidValueError("content", f"must be 1 to {MAX_FILE} bytes")
        check_number("offset", offset, 0, len(content))
        while offset < len(content):
            data = content[offset : offset + MAX_UPLOAD_CHUNK]
            fields = {
                "path": path,
                "total_size": len(content),
                "offset": offset,
                "size": len(data),
                "data": to_base64(data),
                "md5sum": _md5(data),
            }
            reply = await self._call("upload file", fields, effect=Effect.SET, timeout=LONG_TIMEOUT)
            if as_int(reply.get("offset")) not in (None, offset):
                raise StationProtocolError("the device took another piece of the file")
            offset += len(data)
            if progress is not None:
                progress(offset)

    async def _chunk(self, path: str, offset: int) -> Chunk:
        """Read one piece; a damaged one is asked for again."""
        fields = {"path": path, "offset": offset, "size": MAX_DOWNLOAD_CHUNK}
        for _ in range(_TRIES - 1):
            reply = await self._call("download file", fields, timeout=LONG_TIMEOUT)
            if (chunk := _parse_chunk(reply, offset)) is not None:
                return chunk
        reply = await self._call("download file", fields, timeout=LONG_TIMEOUT)
        if (chunk := _parse_chunk(reply, offset)) is None:
            raise StationProtocolError("a piece of the file does not fit its md5")
        return chunk


def _parse_chunk(reply: Mapping[str, Any], offset: int) -> Chunk | None:
    """Read a piece; None for one that was damaged on the way. The length counts, not the "size" that is printed."""
    data = from_base64(reply.get("data")) or b""
    total = as_int(reply.get("total_size"))
    if total is None or not 0 <= total <= MAX_FILE:
        raise StationProtocolError("the size of the file makes no sense")
    if as_int(reply.get("offset")) not in (None, offset) or offset + len(data) > total:
        raise StationProtocolError("the piece of the file is not the one asked for")
    if _md5(data) != (as_text(reply.get("md5sum")) or "").strip().lower():
        return None
    return Chunk(offset=offset, data=data, total=total)


def _md5(data: bytes) -> str:
    """Compute what the protocol checks pieces by; it guards against accidents, not against people."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()

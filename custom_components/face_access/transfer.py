"""Reading what others send over HTTP, for everything that talks to a device or a server. It knows neither."""

from collections.abc import Callable

import aiohttp


async def read_bounded(response: aiohttp.ClientResponse, limit: int, error: Callable[[str], Exception]) -> bytes:
    """Read an answer of at most `limit` bytes, unpacked. Raises what `error` makes of words where it is longer."""
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > limit:
            raise error(f"the answer is longer than {limit} bytes")
        parts.append(part)
    return b"".join(parts)

"""Whether anybody serves a stream where a station is said to have one: ports of streams are hardly documented."""

import asyncio
import contextlib
from typing import Final

from yarl import URL

_RTSP_PORT: Final = 554
_TIMEOUT: Final = 5.0
_ANSWER: Final = b"RTSP/"


async def async_answers(url: str) -> bool:
    """Ask a server of streams (RTSP) what it can do; whether it answered at all. The login is not sent."""
    address = URL(url)
    request = f"OPTIONS {address.with_user(None)} RTSP/1.0\r\nCSeq: 1\r\n\r\n"
    try:
        async with asyncio.timeout(_TIMEOUT):
            reader, writer = await asyncio.open_connection(address.host, address.port or _RTSP_PORT)
            try:
                writer.write(request.encode())
                await writer.drain()
                return await reader.readexactly(len(_ANSWER)) == _ANSWER
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except OSError, EOFError:
        return False

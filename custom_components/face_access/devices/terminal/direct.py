"""Home Assistant calls the terminal: HTTP POST to its port 8000 (HTTP API 1.1.1)."""

import asyncio
from collections.abc import Callable
import io
from typing import Any, Final, override

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from ...transfer import read_bounded
from ..errors import InvalidValueError, StationConnectionError, StationError, StationProtocolError, StationTimeoutError
from ..values import as_int
from .codes import ReplyCode
from .link import Link
from .wire import CONTENT_TYPE, decode, encode

DEFAULT_PORT: Final = 8000
MAX_REPLY: Final = 64 * 1024 * 1024
_TRIES: Final = 3
_PAUSE: Final = 0.5
# From this size on, JSON is read and written in a thread: the event loop must not wait for pictures.
_LARGE: Final = 256 * 1024
_HEADERS: Final = {"Content-Type": CONTENT_TYPE, "Accept": "application/json", "Connection": "close"}


class DirectLink(Link):
    """Commands to a terminal that listens. Its server takes one request at a time, so we send one at a time."""

    def __init__(
        self, session: aiohttp.ClientSession, host: str, port: int = DEFAULT_PORT, *, pause: float = _PAUSE
    ) -> None:
        """Bind to an address; `pause` is how long to wait before another try. Raises InvalidValueError."""
        try:
            self._url = URL.build(scheme="http", host=host.strip(), port=port, path="/")
        except ValueError:
            raise InvalidValueError("host", "is no host name or address") from None
        self._session = session
        self._pause = pause
        self._lock = asyncio.Lock()
        self._closed = False

    @override
    async def request(self, body: dict[str, Any], *, timeout: float, idempotent: bool) -> dict[str, Any]:
        data = await _maybe_in_thread(encode, body, _weight(body))
        await self._wait_for_line(timeout)
        try:
            return await self._try(data, timeout, _TRIES if idempotent else 1)
        finally:
            self._lock.release()

    @override
    async def close(self) -> None:
        self._closed = True

    async def _wait_for_line(self, timeout: float) -> None:
        """Take the lock, or give up: a door must not open when nobody waits for it any more."""
        try:
            async with asyncio.timeout(timeout):
                await self._lock.acquire()
        except TimeoutError:
            raise StationConnectionError("other commands to the device took too long; this one was not sent") from None

    async def _try(self, data: bytes, timeout: float, tries: int) -> dict[str, Any]:
        """Post until there is a reply that is not "busy"; the last try counts whatever comes of it."""
        for _ in range(tries - 1):
            try:
                reply = await self._post(data, timeout)
            except StationConnectionError:
                pass
            else:
                if as_int(reply.get("code")) != ReplyCode.BUSY:
                    return reply
            await asyncio.sleep(self._pause)
        return await self._post(data, timeout)

    async def _post(self, data: bytes, timeout: float) -> dict[str, Any]:
        if self._closed:
            raise StationConnectionError("the link is closed")
        try:
            reply = await self._exchange(data, timeout)
        except StationError:
            raise
        except TimeoutError:
            raise StationTimeoutError(f"no answer within {timeout:g} s") from None
        except aiohttp.ClientResponseError as err:
            raise StationProtocolError(f"the answer is no HTTP ({type(err).__name__})") from err
        except (aiohttp.ClientError, OSError) as err:
            raise StationConnectionError(str(err) or type(err).__name__) from err
        return await _maybe_in_thread(decode, reply, len(reply))

    async def _exchange(self, data: bytes, timeout: float) -> bytes:
        """One HTTP request. A body of known size gets a Content-Length: chunked ones are refused (1.2.1, note 8)."""
        response = await self._session.post(
            self._url,
            data=_Body(io.BytesIO(data)),
            headers=_HEADERS,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=timeout),
        )
        try:
            if response.status != 200:
                raise StationProtocolError(f"the device answered with HTTP {response.status}")
            if "chunked" in response.headers.get("Transfer-Encoding", "").lower():
                raise StationProtocolError("the answer is chunked")
            return await read_bounded(response, MAX_REPLY, StationProtocolError)
        finally:
            response.close()


class _Body(aiohttp.BytesIOPayload):
    """A body whose connection is closed after the reply.

    These small servers close when they like, whatever they announced, and a door command must not be the one that is
    sent into a connection that they are just closing. The session belongs to others, and only it could be told so.
    """

    @override
    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        protocol = getattr(writer, "protocol", None)
        if isinstance(protocol, ResponseHandler):
            protocol.force_close()
        await super().write_with_length(writer, content_length)


async def _maybe_in_thread[A, R](function: Callable[[A], R], argument: A, size: int) -> R:
    """Run a pure function here or, where its argument is large, in a thread."""
    return await asyncio.to_thread(function, argument) if size > _LARGE else function(argument)


def _weight(value: Any) -> int:
    """Estimate how many bytes a value will have as JSON: its texts."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_weight, value.values()))
    return sum(map(_weight, value)) if isinstance(value, list) else 0

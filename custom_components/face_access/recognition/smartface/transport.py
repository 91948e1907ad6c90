"""One HTTP request and its answer, whatever its status; sizes are capped and no exception names what was sent."""

import asyncio
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from typing import Any, Final

import aiohttp
from yarl import URL

from ..errors import (
    EngineCertificateError,
    EngineError,
    EngineProtocolError,
    EngineTimeoutError,
    EngineUnreachableError,
)

# The server gives up on its own parts after 10 s, and says so with 408: we must still be there to hear it.
TIMEOUT: Final = 15.0
# A registration looks at several photos, one after the other.
LONG_TIMEOUT: Final = 45.0
MAX_ANSWER: Final = 8 * 1024 * 1024
MAX_IMAGE: Final = 32 * 1024 * 1024
# Above this, writing and reading JSON takes longer than Home Assistant's loop may be held up.
_LARGE: Final = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `body` is sent as JSON, `form` as a form; bytes in a body are pictures, and become base64."""

    method: str
    url: URL
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout: float = TIMEOUT
    limit: int = MAX_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)

    async def json(self) -> Any:
        """Read it as JSON. Raises EngineProtocolError."""
        try:
            if len(self.body) > _LARGE:
                return await asyncio.to_thread(json.loads, self.body)
            return json.loads(self.body)
        except ValueError, RecursionError:
            raise EngineProtocolError("the answer is not JSON") from None


async def send(session: aiohttp.ClientSession, request: Request, *, verify: bool = True) -> Answer:
    """Send once. Raises EngineUnreachableError and its kinds, EngineProtocolError.

    Redirections are not followed: they would carry a token, or a face, to somebody else.
    """
    data, headers = await _payload(request)
    try:
        return await _exchange(session, request, data, headers, verify=verify)
    except EngineError:
        raise
    except TimeoutError:
        raise EngineTimeoutError(f"no answer within {request.timeout:g} s") from None
    except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as err:
        raise EngineCertificateError(type(err).__name__) from None
    except aiohttp.ClientResponseError as err:
        raise EngineProtocolError(f"the answer is no HTTP ({type(err).__name__})") from None
    except (aiohttp.ClientError, OSError) as err:
        raise EngineUnreachableError(type(err).__name__) from None


async def _exchange(
    session: aiohttp.ClientSession, request: Request, data: Any, headers: dict[str, str], *, verify: bool
) -> Answer:
    async with session.request(
        request.method,
        request.url,
        data=data,
        headers=headers,
        allow_redirects=False,
        ssl=verify,
        timeout=aiohttp.ClientTimeout(total=request.timeout),
    ) as response:
        if 300 <= response.status < 400:
            raise EngineProtocolError(f"the server points elsewhere (HTTP {response.status})")
        body = await _read(response, request.limit)
        return Answer(status=response.status, content_type=response.content_type, body=body)


async def _payload(request: Request) -> tuple[bytes | aiohttp.FormData | None, dict[str, str]]:
    headers = {"Accept": "application/json, application/problem+json, image/*", **request.headers}
    if request.form is not None:
        return aiohttp.FormData(dict(request.form)), headers
    if request.body is None:
        return None, headers
    headers["Content-Type"] = "application/json"
    if _weight(request.body) > _LARGE:
        return await asyncio.to_thread(_encode, request.body), headers
    return _encode(request.body), headers


def _weight(value: Any) -> int:
    """How many bytes of pictures a body has."""
    if isinstance(value, bytes):
        return len(value)
    if isinstance(value, Mapping):
        return sum(_weight(item) for item in value.values())
    return sum(_weight(item) for item in value) if isinstance(value, (list, tuple)) else 0


def _encode(body: Mapping[str, Any]) -> bytes:
    # In ASCII, since half a character (a lone surrogate) in a name has no UTF-8.
    return json.dumps(body, allow_nan=False, default=_base64).encode()


def _base64(value: Any) -> str:
    """Write a picture: plain base64, without a `data:` prefix and without line breaks."""
    if isinstance(value, bytes):
        return b2a_base64(value, newline=False).decode("ascii")
    raise TypeError(type(value).__name__)


async def _read(response: aiohttp.ClientResponse, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > limit:
            raise EngineProtocolError(f"the answer is longer than {limit} bytes")
        parts.append(part)
    return b"".join(parts)

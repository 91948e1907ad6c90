"""One HTTP request to a panel and its answer, whatever its status."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
import json
from typing import Any, Final

import aiohttp
from yarl import URL

from ...transfer import read_bounded
from ..errors import (
    InvalidValueError,
    StationCertificateError,
    StationConnectionError,
    StationError,
    StationProtocolError,
    StationTimeoutError,
)

TIMEOUT: Final = 10.0
# Photos take two to four seconds, templates of faces longer.
LONG_TIMEOUT: Final = 30.0
MAX_ANSWER: Final = 32 * 1024 * 1024


class Effect(Enum):
    """What a request does to the panel, and so whether it may be sent again when its answer was lost."""

    READ = "read"
    """Nothing."""
    SET = "set"
    """The same thing, however often it is done."""
    ACT = "act"
    """Something each time: never repeated without being asked. Some of these are a GET."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `path` follows the base of the API; `photo` is sent as the only part of a form, named `part`."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    photo: bytes | None = field(default=None, repr=False)
    part: str = "file"
    effect: Effect = Effect.READ
    timeout: float = TIMEOUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)


class _LostError(aiohttp.ClientError):
    """The connection broke before the answer."""


async def _once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from repeating a GET whose connection broke: some GETs of panels open doors."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as err:
        raise _LostError(type(err).__name__) from err


class Transport:
    """Requests to one address."""

    def __init__(self, session: aiohttp.ClientSession, host: str, port: int, *, secure: bool, verify: bool) -> None:
        """Bind to an address; without `verify` any certificate will do. Raises InvalidValueError."""
        try:
            self._url = URL.build(scheme="https" if secure else "http", host=host.strip(), port=port)
        except ValueError:
            raise InvalidValueError("host", "is no host name or address") from None
        self._session = session
        self._verify = verify

    @property
    def host(self) -> str:
        """The address."""
        return self._url.host or ""

    async def send(self, request: Request, base: str = "", authorization: str | None = None) -> Answer:
        """Send once. Raises StationConnectionError and its kinds, StationProtocolError.

        No exception names the URL: the query of a login holds the password's sum.
        """
        headers = {"Accept": "*/*"}
        if authorization is not None:
            headers["Authorization"] = authorization
        try:
            return await self._exchange(request, base, headers)
        except StationError:
            raise
        except TimeoutError:
            raise StationTimeoutError(f"no answer within {request.timeout:g} s") from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as err:
            raise StationCertificateError(type(err).__name__) from None
        except aiohttp.ClientResponseError as err:
            raise StationProtocolError(f"the answer is no HTTP ({type(err).__name__})") from None
        except (aiohttp.ClientError, OSError) as err:
            raise StationConnectionError(type(err).__name__) from None

    async def _exchange(self, request: Request, base: str, headers: dict[str, str]) -> Answer:
        async with self._session.request(
            request.method,
            self._url.with_path(f"{base}{request.path}"),
            params=dict(request.query),
            data=_payload(request, headers),
            headers=headers,
            allow_redirects=False,
            ssl=self._verify,
            timeout=aiohttp.ClientTimeout(total=request.timeout),
            middlewares=(_once,),
        ) as response:
            body = await read_bounded(response, MAX_ANSWER, StationProtocolError)
            return Answer(status=response.status, content_type=response.content_type, body=body)


def _payload(request: Request, headers: dict[str, str]) -> bytes | aiohttp.FormData | None:
    if request.photo is not None:
        form = aiohttp.FormData()
        form.add_field(request.part, request.photo, filename="face.jpg", content_type="image/jpeg")
        return form
    if request.body is None:
        return None
    headers["Content-Type"] = "application/json"
    return json.dumps(request.body, ensure_ascii=False, allow_nan=False).encode()

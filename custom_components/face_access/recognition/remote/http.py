"""One HTTP request to a recognition server and its answer, whatever its status."""

import asyncio
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from typing import Any, Final, NoReturn

import aiohttp
from yarl import URL

from ...transfer import read_bounded
from ..errors import (
    EngineAddressError,
    EngineAuthError,
    EngineCertificateError,
    EngineError,
    EngineProtocolError,
    EngineTimeoutError,
    EngineUnreachableError,
)
from .pictures import type_of

TIMEOUT: Final = 15.0
MAX_ANSWER: Final = 2 * 1024 * 1024
"""Bytes of an answer that holds no picture."""
# Above this, reading JSON takes longer than Home Assistant's loop may be held up.
_LARGE: Final = 128 * 1024
MAX_ECHO: Final = 48 * 1024 * 1024
"""Bytes of an answer that may hold the picture that was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field of a form: a text, or a picture as a file."""

    name: str
    text: str | None = field(default=None, repr=False)
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request. `path` follows the base. Bytes in JSON become base64.

    The body is `json`, the parts of a form (multipart), or plain `fields` (URL-encoded, as logins want them).
    `repeatable` is whether it may be sent again when the connection breaks before the answer: one that was kept open
    may be closed by the server in the very moment of its next use.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: tuple[Part, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    repeatable: bool = False
    timeout: float = TIMEOUT
    limit: int = MAX_ANSWER


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)

    @property
    def ok(self) -> bool:
        """Whether the status says that all went well."""
        return 200 <= self.status < 300

    async def json(self) -> Any:
        """Read the body. Raises EngineProtocolError for what is no JSON by the letter (NaN is none)."""
        try:
            if len(self.body) > _LARGE:
                return await asyncio.to_thread(json.loads, self.body, parse_constant=_no_number)
            return json.loads(self.body, parse_constant=_no_number)
        except (ValueError, RecursionError) as err:
            raise EngineProtocolError(f"the answer ({self.status}) is no JSON: {type(err).__name__}") from None

    async def object_or_none(self) -> dict[str, Any] | None:
        """Read the body of a refusal, which need not be what the server's document says: None for no JSON object."""
        try:
            body = await self.json()
        except EngineProtocolError:
            return None
        return body if isinstance(body, dict) else None


def base_of(address: str) -> URL:
    """Read an address such as `http://192.168.1.20:8080/fr`. Raises EngineAddressError, which names none of it."""
    text = address.strip()
    try:
        url = URL(text)
        port = url.port
    except ValueError, TypeError:
        raise EngineAddressError("the address cannot be read") from None
    if not text.isprintable() or " " in text:
        raise EngineAddressError("the address has characters that no address has")
    if url.scheme not in ("http", "https") or not url.host or not port:
        raise EngineAddressError("the address must begin with http or https, and name a host")
    if url.user is not None or url.password is not None:
        raise EngineAddressError("a login does not belong into the address")
    if url.query_string or url.fragment:
        raise EngineAddressError("the address must end with its path")
    return url.with_path(url.raw_path.rstrip("/"), encoded=True)


def for_header(secret: str) -> str:
    """Pass a key or token that a header can carry, without the spaces of a pasted one. Raises EngineAuthError."""
    text = secret.strip()
    if not text or not text.isascii() or not text.isprintable():
        raise EngineAuthError("the key or token is empty, or has a character that no header can carry")
    return text


class Http:
    """Requests to one server."""

    def __init__(self, session: aiohttp.ClientSession, address: str, *, verify: bool = True) -> None:
        """Bind to an address; without `verify` any certificate will do. Raises EngineAddressError."""
        self._base = base_of(address)
        self._session = session
        self._verify = verify

    async def send(self, request: Request) -> Answer:
        """Send. Raises EngineUnreachableError and its kinds, EngineProtocolError. No exception names URL or headers."""
        try:
            try:
                return await self._exchange(request)
            except aiohttp.ServerDisconnectedError, ConnectionResetError:
                if not request.repeatable:
                    raise
                return await self._exchange(request)
        except EngineError:
            raise
        except TimeoutError:
            raise EngineTimeoutError(f"no answer within {request.timeout:g} s") from None
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as err:
            raise EngineCertificateError(type(err).__name__) from None
        except aiohttp.ClientResponseError as err:
            raise EngineProtocolError(f"the answer is no HTTP answer ({type(err).__name__})") from None
        except (aiohttp.ClientError, OSError) as err:
            raise EngineUnreachableError(type(err).__name__) from None

    async def _exchange(self, request: Request) -> Answer:
        headers = {"Accept": "application/json", **request.headers}
        async with self._session.request(
            request.method,
            # A path of ours is made of plain letters and ids, which are quoted where they are put in.
            URL(f"{self._base}{request.path}", encoded=True),
            params=dict(request.query) or None,
            data=await _payload(request, headers),
            headers=headers,
            allow_redirects=False,
            ssl=self._verify,
            timeout=aiohttp.ClientTimeout(total=request.timeout),
        ) as response:
            if 300 <= response.status < 400:
                # A login page, or http where https is meant: pictures and keys do not follow it.
                raise EngineProtocolError(f"the server sends us elsewhere ({response.status})")
            body = await read_bounded(response, request.limit, EngineProtocolError)
            return Answer(status=response.status, content_type=response.content_type, body=body)


async def _payload(request: Request, headers: dict[str, str]) -> bytes | aiohttp.FormData | None:
    if request.form:
        form = aiohttp.FormData(default_to_multipart=True)
        for part in request.form:
            if part.picture is not None:
                kind = type_of(part.picture)
                name = f"{part.name}.{kind.rpartition('/')[2]}"
                form.add_field(part.name, part.picture, filename=name, content_type=kind)
            else:
                form.add_field(part.name, part.text or "")
        return form
    if request.fields:
        return aiohttp.FormData(dict(request.fields))
    if request.json is None:
        return None
    headers["Content-Type"] = "application/json"
    # Pictures are in nearly every body, and writing one as base64 is no work for Home Assistant's loop.
    return await asyncio.to_thread(_written, request.json)


def _written(body: Any) -> bytes:
    # Half a character, from a name that was cut, is written as its escape, which every reader of JSON takes.
    return json.dumps(body, allow_nan=False, default=_base64).encode()


def _base64(value: Any) -> str:
    """Write a picture: plain base64, neither with a prefix nor with line breaks."""
    if not isinstance(value, bytes):
        raise TypeError(type(value).__name__)
    return b64encode(value).decode("ascii")


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)

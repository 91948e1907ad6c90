"""Calls of the server's API: a path, a body, and an answer as JSON, or the reason why not."""

from collections.abc import Callable, Mapping
from dataclasses import replace
import re
from typing import Any, Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from ..errors import (
    EngineAuthError,
    EngineError,
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnreachableError,
    PhotoRefusedError,
    RecognitionError,
)
from .login import Login
from .server import Server, base_of
from .transport import MAX_ANSWER, TIMEOUT, Answer, Request, send

_BASE: Final = "api/v1"
_MAX_DETAIL: Final = 200
# Something as long as this is no word: a picture, a token, a template.
_LONG_RUN: Final = re.compile(r"[A-Za-z0-9+/=_.~-]{40,}")

BAD_REQUEST: Final = "bad_request"
NOT_FOUND: Final = "not_found"
CONFLICT: Final = "conflict"
TOO_MANY: Final = "too_many_requests"
UNSUITABLE: Final = "unsuitable_photo"
SERVER_ERROR: Final = "server_error"

type Meanings = Mapping[int, Callable[[str], RecognitionError]]
"""What a status means for one call alone, made of the server's own words."""


class Caller:
    """Calls to one server, with its login."""

    def __init__(self, session: aiohttp.ClientSession, server: Server, *, timeout: float = TIMEOUT) -> None:
        """Bind to a server. `timeout` in seconds is the shortest that a call waits for its answer."""
        self._session = session
        self._base = base_of(server.url)
        self._verify = server.verify
        self._timeout = timeout
        self._login = Login(session, server)

    async def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        meanings: Meanings | None = None,
        timeout: float = 0.0,
    ) -> Any:
        """Call and return the answer's JSON; None for an answer without a body (204).

        Raises every kind of EngineError, and what `meanings` makes of a status.
        """
        answer = await self.exchange(
            method, path, query=query, body=body, headers=headers, meanings=meanings, timeout=timeout
        )
        return await answer.json() if answer.status != 204 else None

    async def exchange(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        meanings: Meanings | None = None,
        timeout: float = 0.0,
        limit: int = MAX_ANSWER,
        wordless: bool = False,
    ) -> Answer:
        """Call as `call` does, and return the answer as it came; `wordless` where a refusal comes without a body."""
        request = Request(
            method=method,
            url=URL(f"{str(self._base).rstrip('/')}/{_BASE}/{path}", encoded=True).with_query(query or None),
            body=body,
            headers=headers or {},
            timeout=max(timeout, self._timeout),
            limit=limit,
        )
        answer, header = await self._send(request)
        # Nothing was done before it was clear who asks, so the call can be made once more.
        if answer.status == 401 and self._login.refused(header):
            answer, _ = await self._send(request)
        await _judge(answer, meanings or {}, wordless=wordless)
        return answer

    async def _send(self, request: Request) -> tuple[Answer, dict[str, str]]:
        """Send with the login; the answer, and the header that proved who we are."""
        header = await self._login.header()
        signed = replace(request, headers={**request.headers, **header})
        return await send(self._session, signed, verify=self._verify), header


def segment(name: str) -> str:
    """Write an id of any characters as one part of a path. Raises ValueError for what no path can carry."""
    if name in {"", ".", ".."}:
        raise ValueError("this is no id")
    return quote(name, safe="")


async def _judge(answer: Answer, meanings: Meanings, *, wordless: bool) -> None:
    """Pass a success; raise what any other status means."""
    if 200 <= answer.status < 300:
        return
    problem = {} if wordless else await _problem(answer)
    if problem is None and answer.status in _SPOKEN:
        # A gateway on the way, or a server of another kind: it says nothing of faces and people.
        raise EngineProtocolError(f"HTTP {answer.status} without the words of SmartFace")
    problem = problem or {}
    text = _words(problem)
    if answer.status == 400 and isinstance(problem.get("errors"), dict):
        # It is the request that has the wrong form, whatever 400 means for this call otherwise.
        raise EngineRefusedError(BAD_REQUEST, text)
    if (meaning := meanings.get(answer.status)) is not None:
        raise meaning(text)
    if (usual := _STATUSES.get(answer.status)) is not None:
        raise usual(text)
    raise EngineProtocolError(f"the server answered with HTTP {answer.status}")


# What these mean hangs on who says it; the server always says it with ProblemDetails.
_SPOKEN: Final = frozenset({400, 404, 409, 422})
_STATUSES: Final[Mapping[int, Callable[[str], EngineError]]] = {
    400: lambda text: EngineRefusedError(BAD_REQUEST, text),
    401: lambda _text: EngineAuthError("the server wants a login"),
    403: lambda _text: EngineAuthError("the login may not do this"),
    404: lambda text: EngineNotFoundError(NOT_FOUND, text),
    408: lambda _text: EngineTimeoutError("the server was not done in time"),
    # The licence's limit, or two who change the same at once: both are for another time.
    409: lambda text: EngineLimitError(CONFLICT, text),
    422: lambda text: PhotoRefusedError(UNSUITABLE, (text,) if text else (), text),
    429: lambda text: EngineLimitError(TOO_MANY, text),
    500: lambda text: EngineRefusedError(SERVER_ERROR, text),
    502: lambda _text: EngineUnreachableError("the server behind the gateway does not answer"),
    503: lambda _text: EngineUnreachableError("the server is not ready"),
    504: lambda _text: EngineUnreachableError("the server behind the gateway does not answer"),
}


async def _problem(answer: Answer) -> dict[str, Any] | None:
    """Read ProblemDetails, under whatever content type; None where the body is something else."""
    try:
        body = await answer.json()
    except EngineProtocolError:
        return None
    return body if isinstance(body, dict) else None


def _words(problem: Mapping[str, Any]) -> str:
    """The server's own words: `detail`, else the title; without anything long enough to be a picture or a token."""
    for name in ("detail", "title"):
        value = problem.get(name)
        if isinstance(value, str) and value.strip():
            line = " ".join(value.encode(errors="replace").decode().split())
            return _LONG_RUN.sub("…", line)[:_MAX_DETAIL]
    return ""

"""Calls of the server's API: a path, a body, and an answer as JSON, or the reason why not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
import re
from typing import Any, Final
from urllib.parse import quote

import aiohttp

from ..errors import (
    EngineError,
    EngineFaultError,
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    EngineUnreachableError,
    PhotoRefusedError,
    RecognitionError,
)
from ..remote.http import Answer, Request
from ..remote.status import refused_by
from ..remote.values import words
from ..remote.words import CONFLICT
from .login import Login
from .server import Server
from .transport import MAX_ANSWER, TIMEOUT, SmartFaceHttp

_BASE: Final = "/api/v1/"

# What changes nothing at the server, and so may be asked again where a kept connection broke.
_QUESTIONS: Final = frozenset({"Faces/SpoofCheck", "Faces/Verify", "Watchlists/Search"})

BAD_REQUEST: Final = "bad_request"
NOT_FOUND: Final = "not_found"
LICENCE: Final = "licence_limit"
TOO_MANY: Final = "too_many_requests"
UNSUITABLE: Final = "unsuitable_photo"
SERVER_ERROR: Final = "server_error"

type Meanings = Mapping[int, Callable[[str], RecognitionError]]
"""What a status means for one call alone, made of the server's own words."""


class Caller:
    """Calls to one server, with its login."""

    def __init__(self, session: aiohttp.ClientSession, server: Server, *, timeout: float = TIMEOUT) -> None:
        """Bind to a server. `timeout` in seconds is the shortest that a call waits for its answer."""
        self._http = SmartFaceHttp(session, server.url, verify=server.verify)
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
            path=f"{_BASE}{path}",
            query=query or {},
            json=body,
            headers=headers or {},
            repeatable=method == "GET" or path in _QUESTIONS,
            timeout=max(timeout, self._timeout),
            limit=limit,
        )
        answer, header = await self._send(request)
        # Nothing was done before it was clear who asks, so the call can be made once more.
        if answer.status == 401 and self._login.refused(header):
            answer, header = await self._send(request)
        # Servers like to quote what they were sent.
        secrets = (*(value.removeprefix("Bearer ") for value in header.values()), *self._login.secrets)
        await _judge(answer, meanings or {}, secrets, wordless=wordless)
        return answer

    async def _send(self, request: Request) -> tuple[Answer, dict[str, str]]:
        """Send with the login; the answer, and the header that proved who we are."""
        header = await self._login.header()
        signed = replace(request, headers={**request.headers, **header})
        return await self._http.send(signed), header


def segment(name: str) -> str:
    """Write an id of any characters as one part of a path. Raises ValueError for what no path can carry."""
    if name in {"", ".", ".."}:
        raise ValueError("this is no id")
    return quote(name, safe="")


async def _judge(answer: Answer, meanings: Meanings, secrets: Iterable[str], *, wordless: bool) -> None:
    """Pass a success; raise what any other status means."""
    if answer.ok:
        return
    # ProblemDetails, under whatever content type.
    problem = {} if wordless else await answer.object_or_none()
    if problem is None and answer.status in _SPOKEN:
        # A gateway on the way, or a server of another kind: it says nothing of faces and people.
        raise EngineProtocolError(f"HTTP {answer.status} without the words of SmartFace")
    problem = problem or {}
    text = _words(problem, *secrets)
    if answer.status == 400 and isinstance(problem.get("errors"), dict):
        # It is the request that has the wrong form, whatever 400 means for this call otherwise.
        raise EngineRefusedError(BAD_REQUEST, text)
    if (meaning := meanings.get(answer.status)) is not None:
        raise meaning(text)
    if (usual := _STATUSES.get(answer.status)) is not None:
        raise usual(text)
    if (code := _USUAL.get(answer.status)) is not None:
        raise refused_by(answer.status, code, text)
    raise EngineProtocolError(f"the server answered with HTTP {answer.status}")


_LICENCE: Final = re.compile("licen[cs]e", re.IGNORECASE)
# What these mean hangs on who says it; the server always says it with ProblemDetails.
_SPOKEN: Final = frozenset({400, 404, 409, 422})
_STATUSES: Final[Mapping[int, Callable[[str], EngineError]]] = {
    400: lambda text: EngineRefusedError(BAD_REQUEST, text),
    404: lambda text: EngineNotFoundError(NOT_FOUND, text),
    # The licence's limit, or two who change the same at once. Only the server's words tell; the second is over soon.
    409: lambda text: EngineLimitError(LICENCE if _LICENCE.search(text) else CONFLICT, text),
    422: lambda text: PhotoRefusedError(UNSUITABLE, (text,) if text else (), text),
    500: lambda text: EngineFaultError(SERVER_ERROR, text),
    502: lambda _text: EngineUnreachableError("the server behind the gateway does not answer"),
    503: lambda _text: EngineUnreachableError("the server is not ready"),
    504: lambda _text: EngineUnreachableError("the server behind the gateway does not answer"),
}
# These mean what they mean everywhere; with our code where there is one.
_USUAL: Final[Mapping[int, str]] = {401: "", 403: "", 408: "", 429: TOO_MANY}


def _words(problem: Mapping[str, Any], *secrets: str) -> str:
    """The server's own words, without `secrets`: `detail`, else the title."""
    return words(problem.get("detail"), *secrets) or words(problem.get("title"), *secrets)

"""The header that proves who we are: none, a token that stays, or one that is fetched and kept until it runs out."""

import asyncio
from collections.abc import Callable
import math
import time
from typing import Any, Final

import aiohttp

from ..errors import EngineAuthError, EngineProtocolError, EngineUnreachableError
from ..remote.http import Answer, Request
from ..remote.values import an_object
from .server import Server, usable_token
from .transport import TIMEOUT, SmartFaceHttp

_MAX_ANSWER: Final = 256 * 1024
# A token is renewed before its end: on its way it must not run out.
_MARGIN: Final = 30.0
# How long a token counts whose answer does not say it.
_UNSAID: Final = 60.0
# Longer than this nobody means: what a server says may be wrong.
_LONGEST: Final = 24 * 3600.0


class Login:
    """Gives the header `Authorization`. Nothing that it raises or prints holds a token or a secret."""

    def __init__(
        self, session: aiohttp.ClientSession, server: Server, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` counts seconds."""
        self._session = session
        self._server = server
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token: str | None = None
        self._ends_at = 0.0

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no text may repeat, beside the token of a header."""
        return () if self._server.login is None else (self._server.login.client_secret,)

    async def header(self) -> dict[str, str]:
        """Give the header, empty where there is no login. Raises what `_fetch` does."""
        if self._server.token is not None:
            return {"Authorization": f"Bearer {self._server.token}"}
        if self._server.login is None:
            return {}
        async with self._lock:
            if self._token is None or self._clock() >= self._ends_at:
                await self._fetch()
            return {"Authorization": f"Bearer {self._token}"}

    def refused(self, header: dict[str, str]) -> bool:
        """Forget a token that was refused; whether another try with a new one makes sense."""
        if self._server.token is not None or self._server.login is None:
            return False
        # Whoever met the same beside us may have a new one already.
        if header.get("Authorization") == f"Bearer {self._token}":
            self._token = None
        return True

    async def _fetch(self) -> None:
        """Ask for a token. Raises EngineAuthError, EngineUnreachableError, EngineProtocolError."""
        login = self._server.login
        assert login is not None  # noqa: S101 (header() has looked)
        self._token = None
        form = {"grant_type": "client_credentials", "client_id": login.client_id, "client_secret": login.client_secret}
        if login.audience:
            form["audience"] = login.audience
        http = SmartFaceHttp(self._session, login.token_url, verify=self._server.verify)
        asked_at = self._clock()
        answer = await http.send(Request(method="POST", path="", fields=form, timeout=TIMEOUT, limit=_MAX_ANSWER))
        self._judge(answer)
        reply = an_object(await answer.json(), "the answer to a login")
        token = reply.get("access_token")
        if not isinstance(token, str) or not usable_token(token):
            raise EngineProtocolError("the answer to a login has no token")
        self._ends_at = asked_at + _lasts(reply.get("expires_in"))
        self._token = token

    def _judge(self, answer: Answer) -> None:
        if answer.ok:
            return
        if answer.status in {429, 500, 502, 503, 504}:
            raise EngineUnreachableError(f"the login server answered with HTTP {answer.status}")
        if answer.status in {400, 401, 403}:
            raise EngineAuthError("the login server does not accept the client id and its secret")
        raise EngineProtocolError(f"the login server answered with HTTP {answer.status}")


def _lasts(seconds: Any) -> float:
    """How long a token is used; some servers write the number as a text."""
    try:
        number = float(seconds) if isinstance(seconds, (int, float, str)) else _UNSAID
    except ValueError, OverflowError:
        number = _UNSAID
    if not math.isfinite(number) or number <= 0:
        number = _UNSAID
    number = min(number, _LONGEST)
    return max(number - _MARGIN, number / 2)

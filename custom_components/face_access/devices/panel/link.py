"""The way to one panel: one login, one request at a time, and beside it one that takes long."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import hashlib
import json
import time
from typing import Any, Final

import aiohttp

from ..errors import (
    StationAuthError,
    StationCertificateError,
    StationConnectionError,
    StationProtocolError,
    StationTimeoutError,
    StationUnsupportedError,
    WrongStationError,
)
from ..values import as_text
from .info import BASES, INFO_PATH, PanelInfo, parse_info
from .judge import judge
from .transport import LONG_TIMEOUT, Answer, Effect, Request, Transport

HTTP_PORT: Final = 80
HTTPS_PORT: Final = 443
# What panels call the account that may do everything: its usual name, and its type.
ADMIN: Final = "admin"
_TRIES: Final = 2
_PAUSE: Final = 0.5
# How long a device that answered counts as the one at this address. A router may give the address to another one.
IDENTITY_AGE: Final = 60.0
# How long a password that was refused is not tried again: each try is logged, and panels ban whoever guesses.
REJECTED_FOR: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The account; the password in clear."""

    username: str
    password: str = field(repr=False)


class PanelLink:
    """Requests to a panel, with its login. `account_type` is what the panel calls the account, once it is known."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        host: str,
        port: int | None = None,
        *,
        credentials: Credentials,
        secure: bool = False,
        verify: bool = False,
        pause: float = _PAUSE,
    ) -> None:
        """Bind to an address. `secure` for HTTPS, `verify` for certificates that somebody trusts.

        `pause` is how long to wait before another try. Raises InvalidValueError.
        """
        wanted = port or (HTTPS_PORT if secure else HTTP_PORT)
        self._transport = Transport(session, host, wanted, secure=secure, verify=verify)
        self._credentials = credentials
        self._pause = pause
        self._lock = asyncio.Lock()
        # A photo takes seconds: nobody who opens a door shall wait for one.
        self._slow = asyncio.Lock()
        self._logging_in = asyncio.Lock()
        self._closed = False
        self._token: str | None = None
        self._base: str | None = None
        self._basic = False
        self._rejected_at: float | None = None
        self._identified_at: float | None = None
        self.info: PanelInfo | None = None
        self.serial: str | None = None
        self.account_type: str | None = None

    @property
    def host(self) -> str:
        """The address of the panel."""
        return self._transport.host

    async def identify(self) -> PanelInfo:
        """Ask the panel who it is; no login is needed. Raises WrongStationError when it is not the one of `serial`."""
        async with self._line(Request(method="GET", path=INFO_PATH)):
            return await self._identify()

    async def call(self, request: Request) -> Answer:
        """Send a request with the login and return the answer, whatever its status.

        Before a request that changes anything, and before the password is shown, the panel is made to say who it is,
        unless it just did. An answer 401 means one new login and one more try; nothing was done before it.
        Raises StationConnectionError and its kinds, StationProtocolError, StationAuthError, WrongStationError.
        """
        async with self._line(request):
            delicate = request.effect is not Effect.READ or self._basic
            if not self._known() or (delicate and not self._identified_lately()):
                await self._identify()
            return await self._authorised(request)

    async def close(self) -> None:
        """Fail whatever is asked from now on. The token ends by itself: a logout would need the panel to be there."""
        self._closed = True
        self._token = None

    @asynccontextmanager
    async def _line(self, request: Request) -> AsyncIterator[None]:
        """Take the lock, or give up: a door must not open when nobody waits for it any more."""
        lock = self._lock if request.timeout < LONG_TIMEOUT else self._slow
        try:
            async with asyncio.timeout(request.timeout):
                await lock.acquire()
        except TimeoutError:
            raise StationConnectionError("other requests to the panel took too long; this one was not sent") from None
        try:
            yield
        finally:
            lock.release()

    # Who is there

    async def _identify(self) -> PanelInfo:
        answer = await self._send(Request(method="GET", path=INFO_PATH))
        judge(answer)
        info = parse_info(_object(answer))
        if self.serial is not None and info.serial != self.serial:
            self._identified_at = None
            raise WrongStationError(self.serial, info.serial)
        if self.info is not None and info.base != self.info.base:
            # After an update of the firmware the API may have moved.
            self._token, self._base = None, info.base
        self.info = info
        self._identified_at = time.monotonic()
        return info

    def _known(self) -> bool:
        """Whether the panel that answered last is the one that is wanted: `serial` may have been set since."""
        return self.info is not None and self.serial in (None, self.info.serial)

    def _identified_lately(self) -> bool:
        if self._identified_at is None or not self._known():
            return False
        return time.monotonic() - self._identified_at < IDENTITY_AGE

    # Login

    async def _authorised(self, request: Request) -> Answer:
        while True:
            async with self._logging_in:
                fresh = await self._log_in()
                token, base = self._token, self._base or BASES[0]
            answer = await self._send(request, base, self._authorization(token))
            if answer.status != 401:
                return answer
            if token is None:
                self._basic = False
                raise self._reject("the panel accepts neither a token nor HTTP Basic")
            if token == self._token:
                self._token = None
                # A token that is refused right after it was given: this panel wants HTTP Basic.
                self._basic = fresh
            # Otherwise the request beside this one has met the same, and logged in already.

    def _authorization(self, token: str | None) -> str:
        if token is not None:
            return f"Bearer {token}"
        pair = f"{self._credentials.username}:{self._credentials.password}"
        return f"Basic {b64encode(pair.encode()).decode()}"

    async def _log_in(self) -> bool:
        """Get a token where there is none; whether this one is new. A panel without logins gets HTTP Basic."""
        if self._token is not None or self._basic:
            return False
        if self._rejected_at is not None and time.monotonic() - self._rejected_at < REJECTED_FOR:
            raise StationAuthError("wrong user name or password")
        if (info := self.info) is None or not self._identified_lately():
            info = await self._identify()
        self._base = info.base
        for base in (info.base, *(base for base in BASES if base != info.base)):
            try:
                self._take_token(await self._ask_token(base))
            except StationUnsupportedError:
                continue
            self._base = base
            return True
        self._basic = True
        return False

    async def _ask_token(self, base: str) -> dict[str, Any]:
        # The panel wants the sum, and compares nothing else: it is as good as the password, and no protection of it.
        digest = hashlib.md5(self._credentials.password.encode(), usedforsecurity=False).hexdigest()
        query = {"username": self._credentials.username, "password": digest}
        answer = await self._send(Request(method="GET", path="/login", query=query), base)
        try:
            judge(answer, secret=True)
        except StationAuthError:
            raise self._reject("wrong user name or password") from None
        return _object(answer)

    def _take_token(self, reply: dict[str, Any]) -> None:
        if not (token := as_text(reply.get("token"))) or not token.isascii() or not token.isprintable():
            raise StationProtocolError("the answer to a login has no token")
        self._token = token
        self._rejected_at = None
        self.account_type = as_text(reply.get("account_type")) or None

    def _reject(self, reason: str) -> StationAuthError:
        self._rejected_at = time.monotonic()
        return StationAuthError(reason)

    # Requests

    async def _send(self, request: Request, base: str = "", authorization: str | None = None) -> Answer:
        """Send until there is an answer; what acts is sent once. The last try counts whatever comes of it."""
        tries = 1 if request.effect is Effect.ACT else _TRIES
        for _ in range(tries - 1):
            try:
                return await self._send_once(request, base, authorization)
            except StationCertificateError, StationTimeoutError:
                # One that is slow is still at it: a second request would come on top.
                raise
            except StationConnectionError:
                await asyncio.sleep(self._pause)
        return await self._send_once(request, base, authorization)

    async def _send_once(self, request: Request, base: str, authorization: str | None) -> Answer:
        if self._closed:
            raise StationConnectionError("the link is closed")
        return await self._transport.send(request, base, authorization)


def _object(answer: Answer) -> dict[str, Any]:
    try:
        value = json.loads(answer.body)
    except ValueError, RecursionError:
        raise StationProtocolError("the answer is not JSON") from None
    if not isinstance(value, dict):
        raise StationProtocolError("the answer is not a JSON object")
    return value

"""One connection to an inference server, kept open between requests; each request is bounded in time and size.

It blocks, and so belongs on the worker's thread. Nothing of a body appears in an error.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
import io
import socket
import ssl
import time
from typing import Any, Final, override

from ..errors import EngineProtocolError, EngineUnreachableError
from ..remote.http import for_header
from .address import Address

MAX_ANSWER: Final = 16 * 1024 * 1024
"""Bytes of an answer: the largest detector's outputs written as JSON are a fifth of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class _Stream(io.RawIOBase):
    """Reads a socket until a moment: a server that sends a byte a second does not stop the clock."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._sock = sock
        self._until = until
        # Whoever says "Connection: close" has its socket closed before its body is read: this keeps it until then.
        self._held = sock.makefile("rb", buffering=0)

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_left(self._until))
        return self._held.readinto(buffer)

    @override
    def close(self) -> None:
        self._held.close()
        super().close()


class _Timed:
    """The little of a socket that an HTTPResponse asks for."""

    def __init__(self, sock: socket.socket, until: float) -> None:
        self._stream = _Stream(sock, until)

    def makefile(self, mode: str) -> io.BufferedReader:
        del mode  # always "rb"
        return io.BufferedReader(self._stream, 256 * 1024)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


class Connection:
    """Requests to one address, one after the other."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._http: HTTPConnection | None = None
        self._headers = {"Accept": "*/*"}
        if address.token is not None:
            self._headers["Authorization"] = f"Bearer {for_header(address.token)}"

    def close(self) -> None:
        """Hang up. The next request connects anew."""
        if self._http is not None:
            self._http.close()
            self._http = None

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Ask once, below `/v2`. Raises EngineUnreachableError and EngineProtocolError.

        A connection that was kept open may have been closed meanwhile at the other end: then the request is sent once
        more over a new one. Nothing that is asked here changes anything there.
        """
        until = time.monotonic() + self._address.timeout
        kept = self._http is not None and self._http.sock is not None
        try:
            try:
                return self._ask(method, path, body, headers or {}, until)
            except ConnectionError, ssl.SSLEOFError:  # http.client's RemoteDisconnected is one of the first
                if not kept:
                    raise
                self.close()
                return self._ask(method, path, body, headers or {}, until)
        except TimeoutError as err:
            self.close()
            raise EngineUnreachableError("no answer in time") from err
        except OSError as err:
            self.close()
            raise EngineUnreachableError(f"no connection ({type(err).__name__})") from err
        except (HTTPException, ValueError) as err:
            self.close()
            raise EngineProtocolError(f"the answer is not HTTP ({type(err).__name__})") from err
        except EngineProtocolError:
            self.close()
            raise

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], until: float) -> Answer:
        http = self._connect(until)
        sock = http.sock
        sock.settimeout(_left(until))
        http.response_class = lambda _, **more: HTTPResponse(_Timed(sock, until), **more)  # type: ignore[assignment, arg-type]
        http.request(method, f"{self._address.path}/v2{path}", body, {**self._headers, **headers})
        with http.getresponse() as response:
            if (response.length or 0) > MAX_ANSWER:
                raise EngineProtocolError("the answer is too long")
            found = response.read(MAX_ANSWER + 1)
            if len(found) > MAX_ANSWER:
                raise EngineProtocolError("the answer is too long")
            if response.length:
                raise EngineProtocolError("the answer breaks off")
            return Answer(
                status=response.status,
                headers={name.lower(): value for name, value in response.getheaders()},
                body=found,
            )

    def _connect(self, until: float) -> HTTPConnection:
        http = self._http
        if http is None:
            address = self._address
            if address.secure:
                context = ssl.create_default_context()
                if not address.verify:
                    context.check_hostname = False
                    context.verify_mode = ssl.CERT_NONE
                http = HTTPSConnection(address.host, address.port, timeout=_left(until), context=context)
            else:
                http = HTTPConnection(address.host, address.port, timeout=_left(until))
            self._http = http
        if http.sock is None:
            http.timeout = _left(until)
            http.connect()
        return http

"""A simulated SmartFace server (vendor's document "SmartFace REST API"): as a class and as a process.

As a process: `python -m simulators.smartface --version 4.25 --port 8098`.
In a test:    `server = SimulatedSmartFace(version="4.25"); await server.start(); ...; await server.stop()`.
`violations` lists everything the peer did that the document forbids; a test asserts that it is empty.

It is stricter than the real one: members that the document does not list are refused, pictures are plain base64, nobody
is linked twice. What no document shows is the simulator's own choice: the words of its errors, 409 for a registration
of somebody who is there, 422 for a photo with several faces (from 4.35), 20 as the size of a page, and its scores.
"""

from collections.abc import Callable
import time
from typing import Any

from ._process import parser, run
from ._smartface.auth import TOKEN_PATH, Access
from ._smartface.core import Core
from ._smartface.model import FULL_VERSIONS
from ._smartface.page import Page
from ._smartface.server import ApiServer

__all__ = ["FULL_VERSIONS", "Access", "SimulatedSmartFace", "main"]


class SimulatedSmartFace(Core):
    """One server. Attributes of `Core` are its state; `state` is that as JSON, without anything biometric."""

    def __init__(
        self,
        *,
        version: str = "4.25",
        host: str = "127.0.0.1",
        port: int = 0,
        page_port: int | None = None,
        access: Access | None = None,
        licence: int | None = None,
        burst: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        delay: float = 0.0,
    ) -> None:
        """Port 0 takes a free port; see `Core` and `Access` for the rest. `delay` in seconds for every answer."""
        super().__init__(version=version, licence=licence, burst=burst, clock=clock)
        self.host, self.port = host, port
        self._wanted_page = page_port
        self.access = access or Access()
        self.server = ApiServer(self, self.access, delay=delay)
        self.page = Page(self)

    async def start(self) -> None:
        """Open the ports; the port of the API stays the same over stops."""
        self.port = await self.server.start(self.host, self.port)
        if self._wanted_page is not None:
            await self.page.start(self.host, self._wanted_page)

    async def stop(self) -> None:
        """Close everything; what is kept stays."""
        await self.server.stop()
        await self.page.stop()

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://{self.host}:{self.port}"

    @property
    def page_url(self) -> str | None:
        """Where the page and the control API are, if there is one."""
        return f"http://{self.host}:{self.page.port}/" if self._wanted_page is not None else None

    @property
    def token_url(self) -> str:
        """Where tokens are given."""
        return f"{self.url}{TOKEN_PATH}"

    @property
    def state(self) -> dict[str, Any]:
        """Everything that a test or a demonstration wants to see, as JSON."""
        return {
            "version": self.full_version,
            "access": self.access.kind,
            "logins": self.access.logins,
            "watchlists": [
                {**found.as_json(self.release), "members": found.members} for found in self.watchlists.values()
            ],
            "members": [{**found.as_json(self.release), "faces": len(found.faces)} for found in self.members.values()],
            "images": len(self.images),
            "requests": [list(request) for request in self.requests[-50:]],
            "violations": self.violations,
            "log": list(self.log)[-60:],
        }

    # Scenes

    def revoke_tokens(self) -> None:
        """End every token that was given."""
        self.access.revoke()

    def delete_watchlist(self, watchlist: str) -> None:
        """Delete a list, as somebody at the server would."""
        del self.watchlists[watchlist]

    def clear_violations(self) -> None:
        """Forget what the peer did wrong so far."""
        self.violations.clear()


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    options = parser("smartface", "A simulated SmartFace server.", 8098)
    options.add_argument("--version", choices=sorted(FULL_VERSIONS), default="4.25")
    options.add_argument("--auth", choices=("none", "bearer", "client_credentials"), default="none")
    options.add_argument("--token", default="simulated-token", help="the bearer token")
    options.add_argument("--client-id", default="face-access")
    options.add_argument("--client-secret", default="simulated-secret")
    options.add_argument("--audience", default="https://smartface.example")
    options.add_argument("--expires-in", type=float, default=3600.0, metavar="SECONDS", help="how long tokens last")
    options.add_argument("--licence", type=int, metavar="FACES", help="how many faces may be kept")
    options.add_argument("--burst", type=int, metavar="NUMBER", help="how many registrations are taken within a second")
    options.add_argument("--delay", type=float, default=0.0, metavar="SECONDS", help="how long every answer takes")
    given = options.parse_args(argv)
    access = Access(
        kind=given.auth,
        token=given.token,
        client_id=given.client_id,
        client_secret=given.client_secret,
        audience=given.audience,
        expires_in=given.expires_in,
    )
    server = SimulatedSmartFace(
        version=given.version,
        host=given.host,
        port=given.port,
        page_port=given.page_port,
        access=access,
        licence=given.licence,
        burst=given.burst,
        delay=given.delay,
    )
    lines = {"smartface": lambda: server.full_version, "api": lambda: server.url, "page": lambda: server.page_url}
    run(server, lines)


if __name__ == "__main__":
    main()

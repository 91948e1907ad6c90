"""The one interface that both working modes share: a request goes out, its reply comes back."""

from typing import Any, Protocol


class Link(Protocol):
    """A way to one terminal. Commands go one at a time, in the order in which they were asked for."""

    async def request(self, body: dict[str, Any], *, timeout: float, idempotent: bool) -> dict[str, Any]:
        """Send a request (HTTP API 1.3) and return the reply as it was decoded, whatever its code.

        `timeout` in seconds bounds the wait for the line and then, anew, the wait for the reply. Only an idempotent
        request is ever sent twice. Raises StationConnectionError (StationTimeoutError where the terminal may have
        acted) and StationProtocolError.
        """
        ...

    async def close(self) -> None:
        """Fail with StationConnectionError whatever was not sent yet, and everything from now on."""
        ...

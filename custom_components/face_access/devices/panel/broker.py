"""MQTT: a panel that publishes its log to a broker. It then leaves BAS-IP Link, which has the same setting."""

from collections.abc import Mapping
from typing import Any

from ...access import StationEvent
from .push import Receiver
from .state import PanelState
from .system import Management, Protocol


class PanelBroker:
    """The panel's publications. Which user name it gives the broker is in no document."""

    def __init__(self, state: PanelState, receiver: Receiver) -> None:
        """Bind to a panel; `receiver` knows what came another way."""
        self._state = state
        self._receiver = receiver

    @property
    def topic(self) -> str:
        """Where the panel publishes."""
        return f"server/request/v0/{self._state.context.serial}"

    def receive(self, payload: bytes) -> tuple[StationEvent, ...]:
        """Understand a publication. Never raises."""
        return self._receiver.publication(payload)

    async def redirect(self, url: str, password: str, *, encrypted: bool = False) -> Mapping[str, Any] | None:
        """Let the panel speak to this broker; what was there before, None if that was it.

        Raises StationUnsupportedError where the panel has no such setting: its path is inferred.
        """
        system = self._state.client.system
        before = await system.management()
        if _speaks_to(before, url):
            return None
        await system.set_broker(url, password, encrypted=encrypted)
        return before.raw

    async def restore(self, previous: Mapping[str, Any]) -> None:
        """Put back what was there."""
        await self._state.client.system.restore_management(previous)

    async def points_to(self, url: str) -> bool:
        """Ask whether the panel speaks to this broker."""
        return _speaks_to(await self._state.client.system.management(), url)


def _speaks_to(server: Management, url: str) -> bool:
    told = server.enabled is True and server.logging is True
    return told and server.protocol is Protocol.MQTT and server.url == url

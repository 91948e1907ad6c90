"""MQTT: a panel publishes its log to a broker that it is pointed to, in place of BAS-IP Link.

There is no place for a user name in what is written, and no document says which one a panel gives to a broker.
"""

from collections.abc import Mapping
from typing import Any

from ...access import StationEvent
from ..station import BrokerTarget
from ..values import as_text, section
from .client import PanelClient
from .push import Receiver
from .system import Management, Protocol


class PanelBroker:
    """The panel's publications, and whom it tells them."""

    def __init__(self, serial: str, client: PanelClient, receiver: Receiver) -> None:
        """Bind to a panel; `receiver` knows what came another way."""
        self.topic = f"server/request/v0/{serial}"
        self._client = client
        self._receiver = receiver

    def receive(self, payload: bytes) -> tuple[StationEvent, ...]:
        """Understand a publication. Never raises."""
        return self._receiver.publication(payload)

    async def redirect(self, target: BrokerTarget) -> Mapping[str, Any] | None:
        """Let the panel speak to a broker; what was there before, None if it was that one."""
        before = await self._client.system.management()
        ours = _speaks_to(before, target.url)
        known = as_text(section(before.raw, "settings").get("password")) or target.password
        if ours and before.logging and bool(before.encrypted) is target.encrypted and known == target.password:
            return None
        await self._client.system.set_broker(target.url, target.password, encrypted=target.encrypted)
        return None if ours else before.raw

    async def restore(self, previous: Mapping[str, Any], url: str) -> None:
        """Put back what was there, unless the panel speaks to somebody else by now."""
        if await self.points_to(url):
            await self._client.system.restore_management(previous)

    async def points_to(self, url: str) -> bool:
        """Ask whether the panel speaks to that broker."""
        return _speaks_to(await self._client.system.management(), url)


def _speaks_to(server: Management, url: str) -> bool:
    return server.enabled is True and server.protocol is Protocol.MQTT and server.url == url

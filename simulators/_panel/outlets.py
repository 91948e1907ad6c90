"""Where else the log goes: to an MQTT broker as publications, and to a syslog server by HTTP."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
import json
from typing import TYPE_CHECKING, Any, Final

import aiohttp

from .settings import MANAGEMENT, SYSLOG

if TYPE_CHECKING:
    from .core import Core

_FACILITY: Final = 16  # local0
_HTTP_OK: Final = 200

type Publish = Callable[[str, str], None]


class Mqtt:
    """What the panel publishes while its management server speaks MQTT.

    There is no broker here: `publications` lists topic and payload, and `on_publish` is told of each, so that a test
    can hand it to a broker of its own. The topics are documented; the envelope's keys are not.
    """

    def __init__(self, core: Core) -> None:
        self.core = core
        self.publications: list[tuple[str, str]] = []
        self.on_publish: Publish = lambda _topic, _payload: None
        core.journal.listeners.append(self._on_event)

    @property
    def enabled(self) -> bool:
        """Whether the panel talks to a broker."""
        values = self.core.settings.values.get(MANAGEMENT)
        return self.core.online and values is not None and values["is_enabled"] and values["protocol"] == "mqtt"

    def status(self, word: str) -> None:
        """Say `online` or `offline` (the will message, when the power is gone)."""
        values = self.core.settings.values.get(MANAGEMENT)
        if values and values["is_enabled"] and values["protocol"] == "mqtt":
            self._publish(f"device/status/v0/{self.core.serial}", word)

    def _on_event(self, item: dict[str, Any]) -> None:
        if not self.enabled or not self.core.settings.values[MANAGEMENT]["settings"].get("is_logging_enabled"):
            return
        event = {
            "created_at": item["timestamp"],
            "category": item["category"],
            "code": item["name"]["key"],
            "info": item["info"]["model"],
        }
        envelope = {
            "method": "PUT",
            "uri": "/api/v0/devices/logs",
            "headers": {"Content-Type": "application/json"},
            "body": {"events": [event]},
        }
        self._publish(f"server/request/v0/{self.core.serial}", json.dumps(envelope))

    def _publish(self, topic: str, payload: str) -> None:
        self.publications.append((topic, payload))
        self.on_publish(topic, payload)


class Syslog:
    """Posts lines `<PRI> time host app message` to `/` of the server; those of an outage come together after it."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.lines: deque[str] = deque(maxlen=1000)  # not delivered yet
        self._task: asyncio.Task[Any] | None = None
        self._session: aiohttp.ClientSession | None = None
        core.journal.listeners.append(self._on_event)

    def start(self, session: aiohttp.ClientSession) -> None:
        """Deliver from now on."""
        self._session = session

    def _on_event(self, item: dict[str, Any]) -> None:
        values = self.core.settings.values.get(SYSLOG)
        if not values or not values["enabled"] or self._session is None:
            return
        stamp = datetime.fromtimestamp(item["timestamp"] / 1000, UTC).isoformat()
        priority = _FACILITY * 8 + values["server"]["severity"]
        message = f"{item['name']['text']}. Info {item['info']['text']}"
        self.lines.append(f"<{priority}> {stamp} {self.core.name} {values['tag'] or 'panel'} {message}")
        if self._task is None or self._task.done():
            self._task = self.core.background(self._deliver())

    async def _deliver(self) -> None:
        while self.lines and self._session is not None:
            count = len(self.lines)
            body = "".join(f"{line}\n" for line in list(self.lines)[:count])
            if not await self._post(body):
                await asyncio.sleep(self.core.timings.syslog_retry)
                continue
            for _ in range(count):
                self.lines.popleft()

    async def _post(self, body: str) -> bool:
        server = self.core.settings.values[SYSLOG]["server"]
        if self._session is None or not self.core.online:
            return False
        try:
            async with self._session.post(f"http://{server['server']}:{server['port']}/", data=body) as answer:
                return answer.status == _HTTP_OK
        except aiohttp.ClientError, TimeoutError, OSError:
            return False

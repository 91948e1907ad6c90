"""The door and its sensor: open, closed, open too long."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

from .errors import wrong

if TYPE_CHECKING:
    from .core import Core

PATH = "/access/door/sensor"


class Door:
    """What the contact of the door says, when a sensor is configured."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.is_open = False
        self.exceeded = False
        self._since = 0.0
        self._timer: asyncio.Task[Any] | None = None

    @property
    def _settings(self) -> dict[str, Any]:
        return self.core.settings.values[PATH]

    @property
    def watched(self) -> bool:
        """Whether the door input is a door sensor."""
        return bool(self._settings["enable"]) and self._settings["mode"] == "door_sensor"

    def status(self) -> dict[str, Any]:
        """`GET /access/door/status`."""
        if not self.watched:
            raise wrong("Door sensor mode is not activated")
        seconds = (time.monotonic() - self._since) / self.core.timings.second if self.is_open else 0
        return {
            "status": "open" if self.is_open else "closed",
            "is_timeout_exceed": self.exceeded,
            "opentime": int(seconds),
            "mode": self._settings["mode"],
        }

    def open(self) -> bool:
        """The door opens; False when it was open."""
        if self.is_open:
            return False
        self.is_open, self._since = True, time.monotonic()
        if self.watched:
            self.core.journal.write("door_sensor_was_opened")
            self._timer = self.core.background(self._watch())
        return True

    def close(self) -> bool:
        """The door closes; False when it was closed."""
        if not self.is_open:
            return False
        self.is_open = self.exceeded = False
        if self._timer is not None:
            self._timer.cancel()
        if self.watched:
            self.core.journal.write("door_sensor_was_closed")
        return True

    async def _watch(self) -> None:
        """Say that the door is open too long, and say it again if so configured."""
        await asyncio.sleep(self._settings["opening_delay"] * self.core.timings.second)
        while True:
            self.exceeded = True
            self.core.journal.write("door_was_not_closed_too_long")
            if not self._settings["repeating_message_enable"]:
                return
            await asyncio.sleep(self._settings["repeating_message_delay"] * self.core.timings.second)

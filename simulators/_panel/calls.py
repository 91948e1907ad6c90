"""Calls and SIP: one call at a time, its way through the log, and whether the panel is registered."""

import asyncio
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .core import Core


class Calls:
    """`state` is idle, dialling or talking."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.state = "idle"
        self.number = ""
        self.made: list[str] = []  # every number called
        self.ended_at = 0.0  # monotonic
        self.registered = False
        self.failed = False  # the SIP server refuses
        self.last_attempt: int | None = None
        self._timer: asyncio.Task[Any] | None = None

    def call(self, number: str, /, **model: Any) -> bool:
        """Call somebody; False while there is a call already."""
        if self.state != "idle":
            return False
        self.state, self.number = "dialling", number
        self.made.append(number)
        self.core.journal.write("outgoing_call", **model)
        self._timer = self.core.background(self._dial())
        return True

    def answer(self) -> bool:
        """The called side answers."""
        if self.state != "dialling":
            return False
        self._next_timer()
        self.state = "talking"
        self._timer = self.core.background(self._talk())
        return True

    def end(self, *, missed: bool = False) -> bool:
        """The call ends; False when there is none."""
        if self.state == "idle":
            return False
        self._next_timer()
        self.state, self.ended_at = "idle", time.monotonic()
        if missed:
            self.core.journal.write("outgoing_call_missed", number=self.number)
        return True

    def open_by_host(self, code: str) -> int | None:
        """The called side sends a DTMF code; the lock it opened, None when it opened none."""
        if self.state != "talking":
            raise ValueError("there is no conversation")
        for lock in (1, 2):
            if self.core.settings.of_lock("dtmf", lock)["dtmf_code"] == code:
                self.core.locks.open(lock, "access_granted_by_call_host")
                self.core.journal.write("access_granted_by_call_host", lock=lock, host=self.number)
                return lock
        return None

    # SIP.

    def status(self) -> dict[str, Any]:
        """`GET /sip/status`."""
        state = "OK" if self.registered else "ERROR" if self.failed else "OFFLINE"
        newest = self.core.model.family == "android" and self.core.model.since("2.15.0")
        return {"sip_status": state, **({"register_last_attempt": self.last_attempt} if newest else {})}

    def register(self) -> None:
        """Register anew, if SIP is on and a server is set."""
        self.registered = False
        if self.core.settings.values["/device/sip/enable"]["sip_enable"]:
            self.core.background(self._register())

    def lose(self) -> None:
        """The SIP server is gone."""
        if self.registered:
            self.registered, self.failed = False, True
            self.core.journal.write("sip_registration_lost")

    def reset(self) -> None:
        """Power is gone."""
        self._next_timer()
        self.state, self.registered, self.failed = "idle", False, False

    async def _register(self) -> None:
        await asyncio.sleep(self.core.timings.sip_register)
        self.last_attempt = self.core.milliseconds()
        settings = self.core.settings.values["/device/sip/settings"]
        self.failed = not settings["proxy"] or not settings["user"]
        self.registered = not self.failed

    def _next_timer(self) -> None:
        if self._timer is not None and self._timer is not asyncio.current_task():
            self._timer.cancel()
        self._timer = None

    async def _dial(self) -> None:
        await asyncio.sleep(self._seconds("/device/call/dial/timeout", "dial_timeout"))
        self.end(missed=True)

    async def _talk(self) -> None:
        await asyncio.sleep(self._seconds("/device/call/talk/timeout", "talk_timeout"))
        self.end()

    def _seconds(self, path: str, field: str) -> float:
        return float(self.core.settings.values[path][field]) * self.core.timings.second

"""The intercom part: one SIP call at a time, and the events it pushes (2.16)."""

import asyncio
from typing import Any, Final

import aiohttp

from .commands import encode
from .core import Core
from .fields import PROTOCOL
from .push import framing, post

ENDED: Final = 0
STARTED: Final = 1
RINGING: Final = 2
REJECTED: Final = 3
CONNECTED: Final = 4
CALLED: Final = 5
CALLED_CONNECTED: Final = 6


class Phone:
    """`state` is idle, started, ringing, called or connected."""

    def __init__(self, core: Core, session: aiohttp.ClientSession) -> None:
        self.core = core
        self.state = "idle"
        self.peer = ""
        self.calls: list[dict[str, Any]] = []
        self.events: list[int] = []  # every event that happened, pushed or not
        self._session = session
        self._queue: asyncio.Queue[int] = asyncio.Queue()
        self._timer: asyncio.TimerHandle | None = None

    def call(self, peer: str) -> None:
        """Start a call to `peer`; it rings, and ends when nobody takes it."""
        self._begin(peer, "out", "started", STARTED)
        self._later(self.core.timings.sip_ring, self._ring)

    def incoming(self, peer: str) -> None:
        """Be called by `peer`."""
        self._begin(peer, "in", "called", CALLED)
        self._later(self.core.timings.sip_no_answer, self.hang_up)

    def take(self) -> bool:
        """The called side takes the call; False when there is none to take."""
        if self.state not in {"started", "ringing", "called"}:
            return False
        self._cancel()
        self._event(CALLED_CONNECTED if self.state == "called" else CONNECTED)
        self.state = "connected"
        return True

    def reject(self) -> bool:
        """The called side refuses; False when there is no call to refuse."""
        if self.state not in {"started", "ringing"}:
            return False
        self._event(REJECTED)
        return self.hang_up()

    def hang_up(self) -> bool:
        """End the call; False when there is none."""
        if self.state == "idle":
            return False
        self._cancel()
        self.state = "idle"
        self._event(ENDED)
        return True

    def reset(self) -> None:
        """A power failure ends the call without a word."""
        self._cancel()
        self.state = "idle"

    async def run(self) -> None:
        """Push the events, each once and in order."""
        while True:
            event = await self._queue.get()
            url = self.core.upload_url()
            if url is not None:
                await self._push(event, url)

    def _begin(self, peer: str, direction: str, state: str, event: int) -> None:
        self.state, self.peer = state, peer
        self.calls.append({"time": self.core.local_time(), "peer": peer, "direction": direction})
        self._event(event)

    def _ring(self) -> None:
        self.state = "ringing"
        self._event(RINGING)
        self._later(self.core.timings.sip_no_answer, self.hang_up)

    def _event(self, event: int) -> None:
        self.events.append(event)
        self._queue.put_nowait(event)

    def _later(self, seconds: float, what: Any) -> None:
        self._cancel()
        self._timer = asyncio.get_running_loop().call_later(seconds, what)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _push(self, event: int, url: str) -> None:
        body = {
            "version": PROTOCOL,
            "cmd": "sip event",
            "device_sn": self.core.serial,
            **self.core.app["device_info"],
            "sip_event": event,
        }
        try:
            answer = await post(self._session, url, encode(body), self.core.timings.push_timeout)
        except (TimeoutError, aiohttp.ClientError, OSError) as err:
            self.core.note("link", f"sip event {event}: {type(err).__name__}")
            return
        if problem := framing(answer):
            self.core.violation(f"answer to sip event: {problem}")
        self.core.note("out", f"sip event {event}: HTTP {answer.status}")

"""The terminal calls Home Assistant: commands wait for its next question, results come with the one after (1.1.3)."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
import logging
import secrets
import time
from typing import Any, Final, override

from ..errors import StationConnectionError, StationProtocolError, StationTimeoutError
from ..values import as_text
from .link import Link
from .wire import answers, command_of, decode, encode

_LOGGER = logging.getLogger(__name__)

HOLD: Final = 10.0
# The device asks again 15 s after no answer, or at once after ours, which may be held for 10 s. The rest is slack.
WINDOW: Final = 40.0
HEARTBEAT: Final = "heart beat"
# An idempotent command whose result is lost with a restart of the device is handed out so often at most.
_HAND_OUTS: Final = 3
# While Home Assistant goes down, questions are slowed down rather than held: its server waits for them.
_CLOSING: Final = 1.0
_NOTHING_TO_DO: Final = encode({"reply": "ACK", "cmd": HEARTBEAT, "code": 0})


def is_control(body: Mapping[str, Any]) -> bool:
    """Whether a decoded body belongs to `QueuedLink.exchange`: a heartbeat, or the result of a command.

    Everything else that a device may send to the same address (`face`, `sip event`, `ask_upgrade`) is a push and wants
    an acknowledgement of its own; whoever receives it tells the two apart before `exchange`.
    """
    return _is_result(body) or command_of(body) == HEARTBEAT


def _is_result(body: Mapping[str, Any]) -> bool:
    """Whether a body is the result of a command; some are documented without "reply" (2.15.2.2, 2.16.2.2)."""
    return "reply" in body or ("code" in body and "cmd" in body)


class _Command:
    """A request on its way to the device. `result` is done as soon as nobody waits any more, for whatever reason."""

    def __init__(self, command_id: str, body: dict[str, Any], timeout: float, *, idempotent: bool) -> None:
        self.id = command_id
        self.cmd = command_of(body)
        self.body = encode({**body, "command_id": command_id})
        self.idempotent = idempotent
        self.hand_outs = 0
        self.result: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._timeout = timeout
        self._scope = asyncio.timeout(timeout)

    async def wait(self) -> dict[str, Any]:
        """Wait to be handed out, and then as long again for the result."""
        try:
            async with self._scope:
                return await self.result
        except TimeoutError:
            if self.hand_outs:
                raise StationTimeoutError(f"no result within {self._timeout:g} s") from None
            message = f"the device did not ask for the command within {self._timeout:g} s; it was not sent"
            raise StationConnectionError(message) from None

    def hand_out(self) -> bytes:
        """Give the body for the device; from now on it may act."""
        self.hand_outs += 1
        self._scope.reschedule(asyncio.get_running_loop().time() + self._timeout)
        return self.body

    def fail(self, error: Exception) -> None:
        """Tell whoever waits, if anybody still does."""
        if not self.result.done():
            self.result.set_exception(error)


class QueuedLink(Link):
    """Commands to a terminal that asks for them. They are handed out in order, one in flight.

    A command is never handed out after its caller gave up: a door must not open minutes later. It is handed out a
    second time only if it is idempotent and the device started again instead of answering.
    """

    def __init__(
        self,
        *,
        hold: float = HOLD,
        window: float = WINDOW,
        on_seen: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> None:
        """Start without any question of the device; `on_seen` hears every heartbeat, decoded.

        `hold` in seconds is how long a question waits for a command: an instant empty answer makes the device ask in an
        endless loop. A device that is silent for `window` seconds counts as offline.
        """
        self.on_seen = on_seen
        self._hold = hold
        self._window = window
        self._last_seen: float | None = None
        self._created = time.monotonic()
        self._queue: deque[_Command] = deque()
        self._in_flight: _Command | None = None
        self._held: asyncio.Event | None = None
        self._closed = False
        self._knows_garbage = False
        # Results of an earlier run of Home Assistant must fit no command of this one.
        self._run = secrets.token_hex(4)
        self._count = 0

    @property
    def last_seen(self) -> float | None:
        """When the device last asked, as `time.monotonic()`; None for never."""
        return self._last_seen

    @property
    def online(self) -> bool:
        """Whether the device asks for commands: a question of it is being held, or the last one is not long ago."""
        return self._held is not None or self._within(self._last_seen)

    @override
    async def request(self, body: dict[str, Any], *, timeout: float, idempotent: bool) -> dict[str, Any]:
        if self._closed:
            raise StationConnectionError("the link is closed")
        # A device that has not had its time to ask, after we started, is not silent yet.
        if not self.online and not self._within(self._created):
            raise StationConnectionError("the device has not asked for commands for a while; this one was not sent")
        self._count += 1
        command = _Command(f"{self._run}-{self._count}", body, timeout, idempotent=idempotent)
        self._queue.append(command)
        self._wake()
        try:
            return await command.wait()
        finally:
            self._forget(command)

    async def exchange(self, body: bytes) -> bytes:
        """Serve one request of the device: take in its result, answer with the next command as soon as there is one.

        No body makes this raise. Without a command the answer comes after `hold`. A body that is neither heartbeat nor
        result gets that late answer, and never a command: the device's next question will.
        """
        request = self._understand(body)
        if request is None:
            await asyncio.sleep(self._hold)
            return _NOTHING_TO_DO
        self._last_seen = time.monotonic()
        # Asked before the other: the result of a heartbeat that we asked for is no heartbeat.
        if _is_result(request):
            self._resolve(request)
        else:
            self._lose_in_flight()
            if self.on_seen is not None:
                self.on_seen(request)
        return await self._next()

    @override
    async def close(self) -> None:
        """Fail what waits, and answer the question that is being held.

        The device will ask again at once, and go on so: close only when nobody will be there to hold its questions.
        """
        self._closed = True
        if self._held is not None:
            self._held.set()
            self._held = None
        error = StationConnectionError("the link is closed")
        for command in (*self._queue, *([self._in_flight] if self._in_flight else [])):
            command.fail(error)

    def _understand(self, body: bytes) -> dict[str, Any] | None:
        try:
            request = decode(body)
        except StationProtocolError:
            request = {}
        if is_control(request):
            return request
        # Once, and without the content: a broken device would fill the log.
        _LOGGER.log(logging.DEBUG if self._knows_garbage else logging.WARNING, "A device asked for nothing known")
        self._knows_garbage = True
        return None

    async def _next(self) -> bytes:
        """Hold the question until there is a command, a newer question, or the time is up.

        The command is taken and returned in one step, without a moment between in which a cancelled request could
        swallow it.
        """
        mine = asyncio.Event()
        # The device asks one question at a time: the connection of an older one is dead.
        if self._held is not None:
            self._held.set()
        self._held = mine
        try:
            async with asyncio.timeout(min(self._hold, _CLOSING) if self._closed else self._hold):
                while self._held is mine:
                    if (command := self._take()) is not None:
                        return command.hand_out()
                    mine.clear()
                    await mine.wait()
        except TimeoutError:
            pass
        finally:
            if self._held is mine:
                self._held = None
        return _NOTHING_TO_DO

    def _take(self) -> _Command | None:
        """Take the next command that somebody still waits for, if none is in flight."""
        while self._in_flight is None and self._queue:
            command = self._queue.popleft()
            if not command.result.done():
                self._in_flight = command
                return command
        return None

    def _wake(self) -> None:
        if self._held is not None:
            self._held.set()

    def _forget(self, command: _Command) -> None:
        """Make sure that a command is never handed out again."""
        if command in self._queue:
            self._queue.remove(command)
        if self._in_flight is command:
            self._in_flight = None
            self._wake()

    def _lose_in_flight(self) -> None:
        """A heartbeat instead of a result: the device started again, or never got the command."""
        command, self._in_flight = self._in_flight, None
        if command is None or command.result.done():
            return
        if command.idempotent and command.hand_outs < _HAND_OUTS:
            self._queue.appendleft(command)
        else:
            command.fail(StationTimeoutError("the device started again without giving a result"))

    def _resolve(self, reply: dict[str, Any]) -> None:
        """Give a result to whoever waits for it. Firmwares that do not know `command_id` are told by the command."""
        command = self._in_flight
        found = (as_text(reply.get("command_id")) or "").strip()
        fits = command is not None and (found == command.id if found else answers(command.cmd, reply))
        if command is None or not fits or command.result.done():
            _LOGGER.debug("A result came that nobody waits for")
            return
        self._in_flight = None
        command.result.set_result(reply)

    def _within(self, moment: float | None) -> bool:
        return moment is not None and time.monotonic() - moment < self._window

"""Sends a command and judges its reply: who answered, to what, and with which code (HTTP API 1.4)."""

from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
import time
from typing import Any, Final

from ..errors import StationProtocolError, StationRefusedError, StationUnsupportedError, WrongStationError
from ..values import as_int, as_text
from .codes import ReplyCode, refusal
from .link import Link
from .wire import answers, command_of, envelope

# Terminals answer at once; those that work on a picture or write a file take longer.
TIMEOUT: Final = 10.0
LONG_TIMEOUT: Final = 30.0
# How long a device that answered counts as the one at this address. A router may give the address to another one.
IDENTITY_AGE: Final = 60.0


class Effect(Enum):
    """What a command does to the terminal, and so whether it may be sent again when its reply was lost."""

    READ = "read"
    """Nothing."""
    SET = "set"
    """The same thing, however often it is done."""
    ACT = "act"
    """Something each time: never repeated without being asked."""


class Caller:
    """What all command groups share."""

    def __init__(self, link: Link, serial: str | None = None) -> None:
        """Bind a link to the terminal `serial`; without one, the first that answers is bound."""
        self._link = link
        self.serial = serial
        self._identified_at: float | None = None

    async def call(
        self,
        cmd: str,
        fields: Mapping[str, Any] | None = None,
        *,
        effect: Effect = Effect.READ,
        timeout: float = TIMEOUT,
    ) -> dict[str, Any]:
        """Send a command and return its reply, which says that it was done.

        Before a command that changes anything, the terminal is made to say who it is, unless it just did: another
        device may have got its address. Raises any StationError but InvalidValueError; StationProtocolError for a
        device that keeps its serial number to itself.
        """
        if effect is not Effect.READ and self.serial is not None and not self._identified_lately():
            await self._identify()
        return await self._send(cmd, fields or {}, effect, timeout)

    async def _send(self, cmd: str, fields: Mapping[str, Any], effect: Effect, timeout: float) -> dict[str, Any]:
        idempotent = effect is not Effect.ACT
        reply = await self._link.request(envelope(cmd, fields), timeout=timeout, idempotent=idempotent)
        self._check_serial(reply)
        return _judge(cmd, reply)

    async def _identify(self) -> None:
        """Ask something harmless. Every reply should have the serial number; this one has it by 2.13.1."""
        # A refusal names its sender as well, and that was compared before the refusal was raised.
        with suppress(StationRefusedError, StationUnsupportedError):
            await self._send("get hardware info", {}, Effect.READ, TIMEOUT)
        if not self._identified_lately():
            # It cannot be told from another device, and another device's door is not ours to open.
            raise StationProtocolError("the device does not say its serial number; nothing was sent to it")

    def _identified_lately(self) -> bool:
        return self._identified_at is not None and time.monotonic() - self._identified_at < IDENTITY_AGE

    def _check_serial(self, reply: Mapping[str, Any]) -> None:
        found = (as_text(reply.get("device_sn")) or "").strip()
        if not found:
            return
        if self.serial is not None and found != self.serial:
            self._identified_at = None
            raise WrongStationError(self.serial, found)
        self.serial = found
        self._identified_at = time.monotonic()


def _judge(cmd: str, reply: dict[str, Any]) -> dict[str, Any]:
    """Pass a reply that means yes. Some are documented without "reply", so its absence means nothing."""
    code = as_int(reply.get("code"))
    if code is None:
        raise StationProtocolError(f"the answer to {cmd!r} has no code")
    if not answers(cmd, reply):
        raise StationProtocolError(f"asked {cmd!r} but got the answer to another command")
    if code != ReplyCode.OK:
        raise refusal(code, as_text(reply.get("desc")))
    if "cmd" in reply and not command_of(reply):
        raise StationProtocolError(f"the answer to {cmd!r} does not say what it answers")
    return reply

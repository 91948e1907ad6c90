"""The remote access server: whom a panel asks about cards, codes and QR codes before it decides itself.

It waits ten seconds for the answer. Faces are not among what it asks about.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
import json
from typing import Any, Final

from ...access import Method
from ..values import as_bool, as_text, check_text
from .caller import Caller

PATH: Final = "/access/general/remote/control/settings"
MAX_URL: Final = 2000
# How long a panel waits before it decides itself, in seconds.
PATIENCE: Final = 10.0
# With relay modules on a Camdroid panel; Android panels have two.
MAX_LOCK: Final = 8
# One of the two, depending on the version of the API: what was read is written.
_SWITCHES: Final = ("enabled", "enable")
_KINDS: Final[Mapping[str, Method]] = {"card": Method.CARD, "input_code": Method.CODE, "qr": Method.QR}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteServer:
    """Whether and where a panel asks. `raw` is the object as the panel printed it, for putting it back."""

    enabled: bool | None = None
    custom: bool | None = None
    url: str | None = field(default=None, repr=False)
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def active(self) -> bool:
        """Whether the panel really asks."""
        return self.enabled is True and self.custom is True


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """May somebody with this in? The number is a secret."""

    method: Method
    number: str = field(repr=False)


def parse_question(body: Mapping[str, Any]) -> Question | None:
    """Read a panel's question; None for anything else."""
    kind, number = as_text(body.get("identifier_type")), as_text(body.get("identifier_number"))
    if kind is None or not number:
        return None
    return Question(method=_KINDS.get(kind, Method.IDENTIFIER), number=number)


def no_opinion() -> bytes:
    """Let the panel decide itself."""
    return json.dumps({"handled": False}).encode()


def grant(lock: int) -> bytes:
    """Let somebody in; lock 0 is all."""
    return json.dumps({"handled": True, "access": {"granted": True, "lock_number": lock}}).encode()


def refuse() -> bytes:
    """Turn somebody away. The lock is part of the documented answer: without it a panel might decide itself."""
    return json.dumps({"handled": True, "access": {"granted": False, "lock_number": 0}}).encode()


class Remote:
    """Commands on the remote access server's settings."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a panel."""
        self._caller = caller

    async def read(self) -> RemoteServer:
        """Read where the panel asks."""
        raw = await self._caller.get(PATH, secret=True)
        return RemoteServer(
            enabled=next((as_bool(raw[key]) for key in _SWITCHES if key in raw), None),
            custom=as_bool(raw.get("custom_server_enabled")),
            url=as_text(raw.get("custom_server_api_url")) or None,
            raw=raw,
        )

    async def write(self, url: str, *, enabled: bool = True) -> None:
        """Let the panel ask at this address. Raises InvalidValueError."""
        check_text("url", url, MAX_URL, empty=False)
        raw = (await self.read()).raw
        switch = next((key for key in _SWITCHES if key in raw), _SWITCHES[0])
        await self.restore({**raw, switch: enabled, "custom_server_enabled": enabled, "custom_server_api_url": url})

    async def restore(self, raw: Mapping[str, Any]) -> None:
        """Put back a `RemoteServer.raw` to the letter."""
        await self._caller.send("POST", PATH, dict(raw), secret=True)

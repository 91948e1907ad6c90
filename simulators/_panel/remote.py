"""The remote access server: before it decides itself the panel asks about cards, codes and QR codes."""

from dataclasses import dataclass
import time
from typing import TYPE_CHECKING, Any

import aiohttp

from .settings import REMOTE

if TYPE_CHECKING:
    from .core import Core


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the server said: let in by `lock` (0: all), or not."""

    granted: bool
    lock: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question and its answer: the verdict, None when the panel decides itself; how long it took (s)."""

    identifier_type: str
    verdict: Verdict | None
    seconds: float
    status: int | None


class Remote:
    """Asks, waits no longer than ten seconds, and falls back to the panel's own decision."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.questions: list[Question] = []
        self.session: aiohttp.ClientSession | None = None

    @property
    def enabled(self) -> bool:
        """Whether a server is to be asked."""
        values = self.core.settings.values[REMOTE]
        return bool(values[self.core.switch_field] and values["custom_server_enabled"])

    async def ask(self, kind: str, number: str) -> Verdict | None:
        """Ask about a `card`, `input_code` or `qr`; None when the panel must decide."""
        if not self.enabled:
            return None
        url, begun = self.core.settings.values[REMOTE]["custom_server_api_url"], time.monotonic()
        status, answer = None, None
        timeout = aiohttp.ClientTimeout(total=self.core.timings.remote_wait)
        question = {"identifier_number": number, "identifier_type": kind}
        if self.session is not None and self.core.online:
            try:
                async with self.session.post(url, json=question, timeout=timeout) as response:
                    status, answer = response.status, await response.json(content_type=None)
            except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as err:
                self.core.note("out", f"remote access server: {type(err).__name__}")
        verdict = self._read(answer) if status == 200 else None
        self.questions.append(
            Question(identifier_type=kind, verdict=verdict, seconds=time.monotonic() - begun, status=status)
        )
        return verdict

    def _read(self, answer: Any) -> Verdict | None:
        """Read `handled`, `granted` and `lock_number`; anything else is a mistake, and no answer."""
        match answer:
            case {"handled": False}:
                return None
            case {"handled": True, "access": {"granted": False}}:
                return Verdict(granted=False)
            case {"handled": True, "access": {"granted": True, "lock_number": int(number)}} if not isinstance(
                number, bool
            ) and number in (0, *self.core.locks.numbers):
                return Verdict(granted=True, lock=number)
        self.core.violation("the remote access server gave an answer that is none")
        return None

"""The locks: opened once, held open in an emergency, closed again; the log of what they did."""

import time
from typing import TYPE_CHECKING, Any, Final

from .errors import wrong
from .model import Opening

if TYPE_CHECKING:
    from .core import Core

MAX_EMERGENCY: Final = 86400  # the document's text; its schema says 604800


class Locks:
    """Two locks; a Camdroid panel with SH-42 modules has eight. Number 0 means all of them."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.openings: list[Opening] = []
        self.denials = 0
        self._from: dict[int, float] = {}
        self._until: dict[int, float] = {}
        self._emergency: dict[int, float] = {}

    @property
    def numbers(self) -> range:
        """The numbers of the locks."""
        return range(1, 9 if self.core.model.family == "camdroid" else 3)

    def chosen(self, number: int) -> list[int]:
        """The locks that a number means; raise `Refusal` 400 for one that there is not."""
        if number == 0:
            return [1, 2]
        if number not in self.numbers:
            listed = ", ".join(str(known) for known in (0, *self.numbers))
            raise wrong(f"Only {listed} indexes available for the lock number")
        return [number]

    def is_open(self, number: int) -> bool:
        """Whether a lock is open now."""
        now = time.monotonic()
        opened = self._from.get(number, now) <= now < self._until.get(number, 0)
        return opened or now < self._emergency.get(number, 0)

    def open(self, number: int, reason: str, *, seconds: float = 0, owner: str = "") -> None:
        """Open for the configured time, or for `seconds`. `reason` is the key that the log has for it."""
        for lock in self.chosen(number):
            unlocked = seconds or self.core.settings.of_lock("timeout", lock)["lock_timeout"]
            delay = self.core.settings.of_lock("delay", lock)["lock_delay"]
            scale = self.core.timings.second
            self._from[lock] = time.monotonic() + delay * scale
            self._until[lock] = self._from[lock] + unlocked * scale
            self._log(lock, unlocked, reason, owner)

    def open_emergency(self, orders: list[dict[str, Any]]) -> None:
        """Hold open for the given seconds."""
        for order in orders:
            for lock in self.chosen(order["lock_number"]):
                self._emergency[lock] = time.monotonic() + order["unlock_time"] * self.core.timings.second
                self._log(lock, order["unlock_time"], "emergency_lock_is_opened", "")
            self.core.journal.write("emergency_lock_is_opened", lock=order["lock_number"])

    def close_emergency(self, numbers: list[int]) -> None:
        """End the emergency."""
        for number in numbers:
            for lock in self.chosen(number):
                self._emergency.pop(lock, None)
        self.core.note("door", f"emergency ended for {numbers}")

    def deny(self) -> None:
        """Show and play that access is denied."""
        self.denials += 1
        self.core.texts.append("access denied")

    def reset(self) -> None:
        """Power is gone: every lock falls back."""
        self._from.clear()
        self._until.clear()
        self._emergency.clear()

    def _log(self, lock: int, seconds: float, reason: str, owner: str) -> None:
        stamp = self.core.milliseconds()
        self.openings.append(Opening(timestamp=stamp, lock=lock, seconds=seconds, reason=reason, owner=owner))
        self.core.note("door", f"lock {lock} open for {seconds:g} s: {reason}")


def lock_number(name: str) -> int:
    """The number of `first`, `second` or `all`."""
    return {"first": 1, "second": 2, "all": 0}[name]

"""The relays and the Wiegand output of the terminal, and the log of what they did."""

from collections.abc import Callable
import time
from typing import Any

from .model import Opening


class Doors:
    """Relays that close by themselves after `gpio_retention_time`, or stay open while `gpio_state` is 1."""

    def __init__(self, relays: int, gate: Callable[[], dict[str, Any]], now: Callable[[], str]) -> None:
        """`gate` gives the current gate_control parameters, `now` the device-local time as text."""
        self._until = [0.0] * relays
        self._gate = gate
        self._now = now
        self.openings: list[Opening] = []
        self.wiegand: list[dict[str, Any]] = []

    def is_open(self, port: int) -> bool:
        """Whether this relay (counted from 1) is open now."""
        return self._gate()["gpio_state"] == 1 or time.monotonic() < self._until[port - 1]

    @property
    def ports(self) -> range:
        """The relay numbers."""
        return range(1, len(self._until) + 1)

    def open(self, port: int, reason: str, person_id: str | None = None, *, is_realtime: bool = True) -> None:
        """Open one relay for the configured time and log it."""
        seconds = self._gate()["gpio_retention_time"] / 1000
        self._until[port - 1] = time.monotonic() + seconds
        self._log(port, reason, seconds, person_id, is_realtime=is_realtime)

    def held(self) -> None:
        """Log that `gpio_state` now holds every relay open."""
        for port in self.ports:
            self._log(port, "gpio_state", 0.0, None)

    def pass_person(self, person_id: str | None, card: int | None) -> None:
        """Let a person in whom the terminal itself has accepted: relay, Wiegand output, or both when linked."""
        gate = self._gate()
        by_relay = gate["output_mode"] == "gpio"
        if by_relay or gate["wg_linked"]:
            for port in self.ports if gate["gpio_linked"] else (1,):
                self.open(port, "local match", person_id)
        if not by_relay or gate["wg_linked"]:
            self.send_card(card or gate["wg_id_public"], "local match", person_id)

    def send_card(self, number: int, reason: str, person_id: str | None = None) -> None:
        """Put a card number on the Wiegand output."""
        self.wiegand.append({"time": self._now(), "number": number, "reason": reason, "person_id": person_id})

    def _log(self, port: int, reason: str, seconds: float, person_id: str | None, *, is_realtime: bool = True) -> None:
        opening = Opening(
            time=self._now(),
            port=port,
            reason=reason,
            seconds=seconds,
            person_id=person_id,
            is_realtime=is_realtime,
        )
        self.openings.append(opening)

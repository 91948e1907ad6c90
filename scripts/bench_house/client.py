"""The pushing side: connections that are kept open, and bodies sent over them one after the other or all at once."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection
import json
import time
from typing import Final

_TIMEOUT: Final = 30.0
_HEADERS: Final = {"Content-Type": "application/json; charset=utf-8"}


class BenchError(Exception):
    """A measurement that is worth nothing: something was lost, refused or not as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Somewhere to push to. `key` names its handler in the reports of its process."""

    name: str
    port: int
    path: str
    key: str


class Pusher:
    """One connection to a target, blocking: nothing of an event loop is in its times."""

    def __init__(self, target: Target) -> None:
        """Connect at the first push."""
        self.target = target
        self._connection = HTTPConnection("127.0.0.1", target.port, timeout=_TIMEOUT)

    def push(self, body: bytes) -> float:
        """Push and check the acknowledgement; the seconds between. Raises BenchError."""
        began = time.perf_counter()
        self._connection.request("POST", self.target.path, body, _HEADERS)
        response = self._connection.getresponse()
        answer = response.read()
        taken = time.perf_counter() - began
        if response.status != 200 or not answer or not acknowledges(answer, body):
            raise BenchError(f"{self.target.name} answered {response.status}: {answer[:200]!r}")
        return taken

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


def acknowledges(answer: bytes, body: bytes) -> bool:
    """Whether an answer carries the sequence number and the time of a push, which stand in its first bytes."""
    ack = json.loads(answer)
    said = (f'"sequence_no": {ack.get("sequence_no")},'.encode(), f'"cap_time": "{ack.get("cap_time")}"'.encode())
    return ack.get("code") == 0 and all(text in body[:1000] for text in said)


async def in_turns(
    targets: Sequence[Target], make: Callable[[], bytes], rounds: int, pause: float
) -> list[list[float]]:
    """Push once to each target per round, each time another one first; seconds by target.

    The pause after each push lets its server finish what it does after the answer: it must not burden the next target.
    """
    return await asyncio.to_thread(_in_turns, targets, make, rounds, pause)


def _in_turns(targets: Sequence[Target], make: Callable[[], bytes], rounds: int, pause: float) -> list[list[float]]:
    pushers = [Pusher(target) for target in targets]
    seconds: list[list[float]] = [[] for _ in targets]
    try:
        for number in range(rounds):
            for offset in range(len(pushers)):
                index = (number + offset) % len(pushers)
                body = make()
                seconds[index].append(pushers[index].push(body))
                time.sleep(pause)
    finally:
        for pusher in pushers:
            pusher.close()
    return seconds


async def all_at_once(target: Target, bodies: Sequence[bytes], connections: int) -> float:
    """Push all bodies over so many connections, each as fast as it is acknowledged; the seconds it took."""
    began = time.perf_counter()
    shares = [bodies[number::connections] for number in range(connections)]
    await asyncio.gather(*(asyncio.to_thread(_push_all, target, share) for share in shares))
    return time.perf_counter() - began


def _push_all(target: Target, bodies: Sequence[bytes]) -> None:
    with closing(Pusher(target)) as pusher:
        for body in bodies:
            pusher.push(body)

"""A slow machine: one process runs for a small share of the time only, and is stopped for the rest of it."""

from collections.abc import Generator
from contextlib import contextmanager
import signal
import threading
import time
from typing import Final

from .processes import Child

_PERIOD: Final = 0.25


@contextmanager
def throttled(child: Child, share: float) -> Generator[None]:
    """Let a process run for `share` (0 to 1) of the time until the end of the block, however that ends."""
    over = threading.Event()
    # A thread of its own: the share must not depend on what else the demo does.
    thread = threading.Thread(target=_throttle, args=(child, share * _PERIOD, over), name="throttle", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _throttle(child: Child, runs: float, over: threading.Event) -> None:
    try:
        while child.running and not over.is_set():
            child.signal(signal.SIGSTOP)
            over.wait(_PERIOD - runs)
            child.signal(signal.SIGCONT)
            time.sleep(runs)
    finally:
        child.signal(signal.SIGCONT)

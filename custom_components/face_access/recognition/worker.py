"""One thread for all cameras: the latest frame wins, nothing piles up, and idle networks are let go.

Nothing here knows an event loop: results come on the worker's thread, and whoever wants them elsewhere passes them on.
"""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
import logging
import threading
import time
from typing import Final

from .engine import Engine
from .errors import RecognitionError, WorkerBusyError

_LOGGER = logging.getLogger(__name__)

type Job = Callable[[Engine], None]
"""Handles one frame. It may raise RecognitionError, which is logged once per source until it goes well again."""

MAXIMUM_RATE: Final = 5.0
IDLE: Final = 300.0

_REMEMBERED: Final = 9
_QUESTIONS: Final = 32


@dataclass(slots=True)
class _Source:
    """One camera: the frame that waits, and when the next may be looked at."""

    interval: float
    waiting: Job | None = None
    ready_at: float = 0.0
    failing: bool = False
    frames: int = 0
    dropped: int = 0
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How a source fares: frames looked at, frames that a later one replaced, median seconds of the last few."""

    frames: int
    dropped: int
    seconds: float | None


class Worker:
    """Runs an engine. The thread begins with the first work, and ends when there was none for `idle` seconds.

    So long networks are kept, too, of which none was used.
    """

    def __init__(self, engine: Engine, *, idle: float = IDLE) -> None:
        self._engine = engine
        self._idle = idle
        self._wake = threading.Condition()
        self._sources: dict[str, _Source] = {}
        self._turns: deque[str] = deque()
        self._questions: deque[tuple[Future[object], Callable[[Engine], object]]] = deque()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(self, source: str, job: Job, *, rate: float = MAXIMUM_RATE) -> None:
        """Let a camera's newest frame be looked at, no more often than `rate` per second. Never blocks.

        A frame that still waits is dropped for it.
        """
        if not 0 < rate <= MAXIMUM_RATE:
            raise ValueError(f"a rate is above 0 and at most {MAXIMUM_RATE:.0f} per second")
        with self._wake:
            if self._closed:
                return
            entry = self._sources.get(source)
            if entry is None:
                entry = self._sources[source] = _Source(1 / rate)
                self._turns.append(source)
            entry.interval = 1 / rate
            entry.dropped += entry.waiting is not None
            entry.waiting = job
            self._start()

    def ask[T](self, question: Callable[[Engine], T]) -> Future[T]:
        """Put a question to the engine, before all frames. Raises WorkerBusyError when too many wait."""
        future: Future[T] = Future()
        with self._wake:
            if self._closed or len(self._questions) >= _QUESTIONS:
                raise WorkerBusyError("recognition is closed" if self._closed else "recognition has too much to do")
            self._questions.append((future, question))  # type: ignore[arg-type] # one queue for all types
            self._start()
        return future

    def forget(self, source: str) -> None:
        """Drop a camera and the frame that waits."""
        with self._wake:
            if self._sources.pop(source, None) is not None:
                self._turns.remove(source)

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why networks run here and not at the inference server; see `Engine.troubles`. Never blocks."""
        return self._engine.troubles

    def server_answered(self) -> None:
        """Hear that somebody has reached the inference server: it may be asked at once. Never blocks."""
        self._engine.server_answered()

    def load(self, source: str) -> Load | None:
        """Say how a source fares; None for one that never had a frame."""
        with self._wake:
            entry = self._sources.get(source)
            if entry is None:
                return None
            ordered = sorted(entry.seconds)
            return Load(
                frames=entry.frames,
                dropped=entry.dropped,
                seconds=ordered[len(ordered) // 2] if ordered else None,
            )

    def close(self, timeout: float = 10.0) -> None:
        """End the thread after the frame it is at. Blocks up to `timeout` seconds; cancels questions that wait."""
        with self._wake:
            self._closed = True
            for future, _ in self._questions:
                future.cancel()
            self._questions.clear()
            self._sources.clear()
            self._turns.clear()
            self._wake.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="face_access recognition", daemon=True)
            self._thread.start()
        self._wake.notify_all()

    def _run(self) -> None:
        used_at = time.monotonic()
        while True:
            with self._wake:
                work = self._next()
                while work is None:
                    left = used_at + self._idle - time.monotonic()
                    if self._closed or left <= 0:
                        # Under the lock: whoever submits from now on starts a new thread.
                        self._engine.unload()
                        self._thread = None
                        return
                    self._wake.wait(min(left, self._pause()))
                    work = self._next()
            work()
            used_at = time.monotonic()
            # Frames in which nothing moves keep the thread, and no network.
            if self._engine.loaded and used_at - self._engine.used_at >= self._idle:
                self._engine.unload()

    def _pause(self) -> float:
        """Seconds until a frame that waits may be looked at."""
        now = time.monotonic()
        waits = [entry.ready_at - now for entry in self._sources.values() if entry.waiting is not None]
        return max(0.0, min(waits, default=self._idle))

    def _next(self) -> Callable[[], None] | None:
        """Choose what to do: questions first, then the cameras in turn."""
        if self._closed:
            return None
        if self._questions:
            future, question = self._questions.popleft()
            return lambda: self._answer(future, question)
        now = time.monotonic()
        for _ in range(len(self._turns)):
            name = self._turns[0]
            self._turns.rotate(-1)
            entry = self._sources[name]
            if entry.waiting is not None and entry.ready_at <= now:
                job, entry.waiting = entry.waiting, None
                entry.ready_at = now + entry.interval
                return lambda: self._look(name, entry, job)
        return None

    def _answer(self, future: Future[object], question: Callable[[Engine], object]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(question(self._engine))
        except BaseException as err:  # noqa: BLE001 - whoever asked gets it
            future.set_exception(err)

    def _look(self, name: str, entry: _Source, job: Job) -> None:
        began = time.monotonic()
        try:
            job(self._engine)
        except RecognitionError as err:
            if not entry.failing:
                _LOGGER.warning("Recognition for %s failed: %s", name, err)
            entry.failing = True
        except Exception:
            # A fault of ours in one frame must not end the recognition of all cameras.
            if not entry.failing:
                _LOGGER.exception("Recognition for %s failed", name)
            entry.failing = True
        else:
            entry.failing = False
        with self._wake:
            entry.frames += 1
            entry.seconds.append(time.monotonic() - began)

"""What watching a camera costs the house: processor, memory, delay of everything else. Part of `recognition`."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import subprocess
import sys
import threading
from typing import Final

from custom_components.face_access.recognition.engine import Engine
from custom_components.face_access.recognition.gallery import Gallery
from custom_components.face_access.recognition.onnx import Runtime, runtimes
from custom_components.face_access.recognition.picture import Picture
from custom_components.face_access.recognition.worker import MAXIMUM_RATE, Worker

from .client import BenchError
from .local import PEOPLE, SETTINGS, Local, local, people
from .report import Result, ms, percentile, verdict
from .vitals import vitals

_MEMORY: Final = 120 * 1024 * 1024
_DELAY: Final = 0.020


@dataclass(frozen=True, slots=True)
class _Spell:
    """How late a timer of the main thread was, each millisecond, and what the process computed meanwhile."""

    late: list[float]
    cpu: float
    wall: float

    @property
    def share(self) -> float:
        return self.cpu / self.wall


def watch(found: Local, runtime: Runtime, seconds: float) -> tuple[_Spell, _Spell, float]:
    """Watch a camera at the highest pace: the time before it, the time of it, and the frames a second."""
    worker, photo, gallery = Worker(found.engine(runtime)), found.photo, Gallery(*people(PEOPLE))

    def look(engine: Engine) -> None:
        engine.recognise(Picture(photo), gallery, SETTINGS)

    worker.ask(look).result()
    idle = asyncio.run(_tick(seconds / 3, lambda: None))
    busy = asyncio.run(_tick(seconds, lambda: worker.submit("camera", look)))
    load = worker.load("camera")
    worker.close()
    return idle, busy, (load.frames if load is not None else 0) / busy.wall


async def _tick(seconds: float, act: Callable[[], object]) -> _Spell:
    """Let a timer fall due every millisecond, act twenty times a second, and note how late each was."""
    late, loop = [], asyncio.get_running_loop()
    before, began, acted = vitals()["cpu"], loop.time(), 0.0
    while (now := loop.time()) < began + seconds:
        if now - acted >= 1 / (4 * MAXIMUM_RATE):
            act()
            acted = now
        due = loop.time() + 0.001
        await asyncio.sleep(0.001)
        late.append(max(0.0, loop.time() - due))
    return _Spell(late, vitals()["cpu"] - before, loop.time() - began)


def memory(runtime: Runtime) -> int:
    """Measure in a process of its own what recognition adds to one that has the libraries of Home Assistant."""
    command = [sys.executable, "-m", "bench_house.watching", runtime]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - ourselves
    if finished.returncode:
        raise BenchError(f"measuring memory failed: {finished.stderr[-300:]}")
    return int(finished.stdout)


def _add(runtime: Runtime) -> int:
    """What twenty decisions add to this process. numpy and Pillow are there already, as in every Home Assistant."""
    found = local()
    photo, gallery = found.photo, Gallery(*people(PEOPLE))
    before = vitals()["memory"]
    engine = found.engine(runtime)
    thread = threading.Thread(target=lambda: [engine.recognise(Picture(photo), gallery, SETTINGS) for _ in range(20)])
    thread.start()
    thread.join()
    return int(vitals()["memory"] - before)


def running(found: Local, seconds: float) -> Result:
    """Measure what watching a camera costs the house, on every runtime."""
    rows, notes = [], [f"One camera in full HD, {MAXIMUM_RATE:.0f} frames per second, every frame with one face."]
    for runtime in runtimes():
        (idle, busy, frames), added = watch(found, runtime, seconds), memory(runtime)
        size, worst, before = f"{added / 1024 / 1024:.0f} MB", max(busy.late), max(idle.late)
        # What the timer itself takes is no part of the watch.
        share = f"{(busy.share - idle.share) * 100:.0f} %"
        rows.append((runtime, share, f"{frames:.1f}", size, ms(percentile(busy.late, 99)), ms(worst), ms(before)))
        notes += [
            verdict(f"{runtime} adds at most 120 MB", size, met=added <= _MEMORY),
            verdict(
                f"{runtime} adds at most 20 ms to the worst delay of the loop",
                ms(max(0.0, worst - before)),
                met=worst - before <= _DELAY,
            ),
        ]
    columns = (
        "runtime",
        "of one core",
        "frames per second",
        "memory added",
        "delay p99",
        "delay worst",
        "worst when idle",
    )
    return Result(name="watching", columns=columns, rows=rows, notes=notes)


if __name__ == "__main__":
    print(_add(sys.argv[1]))  # type: ignore[arg-type]

"""Local recognition against its own networks, OpenCV and faiss: `scripts/bench recognition [--quick] [--json]`.

All ways to a decision are timed in turn, round by round, so that a busy moment of the machine meets each of them.
"""

import argparse
import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from typing import Any, Final

from inference_house.triton import Triton, TritonError, environment
import numpy as np

from custom_components.face_access.recognition import liveness
from custom_components.face_access.recognition.engine import Engine, Mode, Settings
from custom_components.face_access.recognition.errors import RecognitionError
from custom_components.face_access.recognition.gallery import Gallery
from custom_components.face_access.recognition.inference import RUNTIME, Address
from custom_components.face_access.recognition.models import ModelRole
from custom_components.face_access.recognition.networks import prepare
from custom_components.face_access.recognition.onnx import Runtime, load, runtimes
from custom_components.face_access.recognition.onnx.blas import one_thread
from custom_components.face_access.recognition.picture import Picture, letterbox
from custom_components.face_access.recognition.store import ModelStore
from custom_components.face_access.recognition.worker import MAXIMUM_RATE, Worker

from . import peers
from .client import BenchError
from .local import Local, local
from .report import Result, machine, ms, percentile, render, times, verdict
from .vitals import vitals

_ROUNDS: Final = 60
_QUICK_ROUNDS: Final = 8
_PEOPLE: Final = 1000
_SIZES: Final = (1_000, 10_000, 100_000)
_WATCH_SECONDS: Final = 15.0
_QUICK_SECONDS: Final = 3.0
_MEMORY: Final = 120 * 1024 * 1024
_DELAY: Final = 0.020
_THERE: Final = "whole decision, networks at Triton over loopback"
_SETTINGS: Final = Settings(mode=Mode.ANTISPOOFING)


def people(count: int, size: int = 128) -> tuple[list[str], np.ndarray[Any, np.dtype[np.float32]]]:
    """Make up centroids, the same every time."""
    matrix = np.random.default_rng(count).standard_normal((count, size)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return [f"person {number}" for number in range(count)], matrix


def _decide(found: Local, runtime: Runtime) -> Callable[[], object]:
    engine, photo, gallery = found.engine(runtime), found.photo, Gallery(*people(_PEOPLE))

    def run() -> object:
        return engine.recognise(Picture(photo), gallery, _SETTINGS)

    return run


def _networks(found: Local) -> Callable[[], object]:
    """Run the networks of a decision in onnxruntime and do nothing else."""
    store, picture = ModelStore(found.models), Picture(found.photo)
    engine = found.engine("onnxruntime")
    face = engine.detect(picture)[0]
    # What a network is shown changes its time by half: it gets what it sees in a decision.
    image = picture.image(2)
    shown = {
        ModelRole.DETECTOR: lambda model: letterbox(image, _SETTINGS.detector_size, model.input.size)[0],
        ModelRole.EMBEDDER: lambda model: engine.cut(picture, face),
        ModelRole.LIVENESS: lambda model: liveness.crop(image, face.box.scaled(0.5), model.crop),
    }
    jobs = []
    for role in ModelRole:
        for model in store.choose(role):
            net = load(store.load(model).data, "onnxruntime")
            jobs.append((net, {net.inputs[0].name: prepare(shown[role](model), model.input)}))

    def run() -> object:
        return [net.run(feeds) for net, feeds in jobs]

    return run


def _decode(found: Local) -> Callable[[], object]:
    photo = found.photo
    return lambda: Picture(photo).image(2)


def _in_turn(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 2):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            if number >= 2:  # the first rounds load and warm up
                taken[name].append(time.perf_counter() - began)
    return taken


@contextmanager
def _server(found: Local) -> Iterator[str | None]:
    """Start a real inference server with the same networks on this machine; None where none is installed."""
    store = ModelStore(found.models)
    networks = {model.id: store.find(model).path for role in ModelRole for model in store.choose(role)}
    try:
        venv = environment()
    except TritonError:
        yield None
        return
    with Triton(venv, networks) as triton:
        yield triton.url


def _decide_there(found: Local, url: str, *, binary: bool) -> Callable[[], object]:
    runtime, photo, gallery = runtimes()[0], found.photo, Gallery(*people(_PEOPLE))
    engine = Engine(ModelStore(found.models), runtime=runtime, remote=Address(url=url, timeout=30, binary=binary))

    def run() -> object:
        result = engine.recognise(Picture(photo), gallery, _SETTINGS)
        if result.runtime != RUNTIME:
            raise BenchError("the inference server was not used")
        return result

    return run


def decisions(found: Local, rounds: int) -> tuple[Result, dict[str, float]]:
    """Time a whole decision on every runtime and at a server, beside its networks alone and beside OpenCV."""
    ways: dict[str, Callable[[], object]] = {"decoding alone": _decode(found)}
    if "onnxruntime" in runtimes():
        ways["networks alone, onnxruntime"] = _networks(found)
    ways.update({f"whole decision, {runtime}": _decide(found, runtime) for runtime in runtimes()})
    with _server(found) as url:
        if url is not None:
            ways[_THERE] = _decide_there(found, url, binary=True)
            ways[f"{_THERE}, JSON"] = _decide_there(found, url, binary=False)
        ways.update(peers.decisions(found, people(_PEOPLE)[1]))
        taken = _in_turn(ways, rounds)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    rows = [(name, ms(medians[name]), ms(percentile(seconds, 95))) for name, seconds in taken.items()]
    return (
        Result(
            name="recognition",
            columns=("full-HD JPEG to an identity", "median", "p95"),
            rows=rows,
            notes=_decision_notes(medians),
        ),
        medians,
    )


def _decision_notes(medians: dict[str, float]) -> list[str]:
    notes = [
        f"One face, liveness checked by both networks, {_PEOPLE} people; every way on one thread, in turn.",
    ]
    ours, numpy = medians.get("whole decision, onnxruntime"), medians["whole decision, numpy"]
    if ours is None:
        return [*notes, "onnxruntime is not installed here: no ratios."]
    bound = 1.3 * medians["networks alone, onnxruntime"] + medians["decoding alone"]
    if (there := medians.get(_THERE)) is None:
        notes.append("No inference server is installed here: scripts/inference installs one.")
    else:
        notes.append(
            f"Triton runs the same networks by onnxruntime on the same cores. Asking it makes {ms(there - ours)}, "
            f"{times(there / ours)} of the decision here. On a busy machine it may gain, since its processes get a "
            "share of the cores of their own."
        )
    return [
        *notes,
        verdict(
            "onnxruntime at most 1.3 times its networks plus decoding",
            f"{times(ours / bound)} of that",
            met=ours <= bound,
        ),
        verdict("numpy at most 3 times onnxruntime", times(numpy / ours), met=numpy <= 3 * ours),
    ]


def matching(rounds: int) -> Result:
    """Time one comparison with everybody, against faiss."""
    rows, notes = [], []
    for count in _SIZES:
        names, matrix = people(count)
        gallery, query = Gallery(names, matrix), matrix[count // 2].copy()
        scale = _scale()
        ways = {"ours": lambda g=gallery, q=query, s=scale: g.match(q, s), **peers.search(matrix, query)}
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds * 3):
            for name, run in ways.items():
                with one_thread():  # as in a decision
                    began = time.perf_counter()
                    run()
                    taken[name].append(time.perf_counter() - began)
        medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
        rows.append((f"{count:,} people", *(ms(medians[name]) for name in ways)))
        if "faiss" in medians:
            ratio = medians["ours"] / medians["faiss"]
            notes.append(verdict(f"{count:,} people not slower than faiss", times(ratio), met=ratio <= 1))
    header = ("128 numbers each, three best", "ours", *(["faiss IndexFlatIP"] if len(rows[0]) > 2 else []))
    return Result(name="matching", columns=header, rows=rows, notes=notes or ["faiss is not installed here."])


def _scale() -> Any:
    return Engine(ModelStore(local().models), runtime="numpy").scale


def watch(found: Local, runtime: Runtime, seconds: float) -> dict[str, float]:
    """Watch a camera at the highest pace: processor share, and how late a timer of the main thread gets."""
    worker, photo, gallery = Worker(found.engine(runtime)), found.photo, Gallery(*people(_PEOPLE))
    worker.ask(lambda engine: engine.recognise(Picture(photo), gallery, _SETTINGS)).result()
    idle = asyncio.run(_tick(seconds / 3, lambda: None))
    before, began = vitals()["cpu"], time.perf_counter()

    def submit() -> None:
        worker.submit("camera", lambda engine: _discard(engine.recognise(Picture(photo), gallery, _SETTINGS)))

    busy = asyncio.run(_tick(seconds, submit))
    wall, cpu = time.perf_counter() - began, vitals()["cpu"] - before
    frames = load_.frames if (load_ := worker.load("camera")) is not None else 0
    worker.close()
    return {
        "cpu": cpu / wall,
        "frames_per_second": frames / wall,
        "p99": percentile(busy, 99),
        "worst": max(busy),
        "idle_worst": max(idle),
    }


def _discard(result: object) -> None:
    del result


async def _tick(seconds: float, act: Callable[[], None]) -> list[float]:
    """Let a timer fall due every millisecond, act twenty times a second, and note how late each was."""
    late, loop = [], asyncio.get_running_loop()
    end, acted = loop.time() + seconds, 0.0
    while (now := loop.time()) < end:
        if now - acted >= 1 / (4 * MAXIMUM_RATE):
            act()
            acted = now
        due = loop.time() + 0.001
        await asyncio.sleep(0.001)
        late.append(max(0.0, loop.time() - due))
    return late


def memory(runtime: Runtime) -> int:
    """Measure in a process of its own what recognition adds to one that has the libraries of Home Assistant."""
    command = [sys.executable, "-m", "bench_house.recognition", "--memory", runtime]
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - ourselves
    if finished.returncode:
        raise BenchError(f"measuring memory failed: {finished.stderr[-300:]}")
    return int(finished.stdout)


def _add(runtime: Runtime) -> int:
    """What twenty decisions add to this process. numpy and Pillow are there already, as in every Home Assistant."""
    found = local()
    photo, gallery = found.photo, Gallery(*people(_PEOPLE))
    before = vitals()["memory"]
    engine = found.engine(runtime)
    thread = threading.Thread(target=lambda: [engine.recognise(Picture(photo), gallery, _SETTINGS) for _ in range(20)])
    thread.start()
    thread.join()
    return int(vitals()["memory"] - before)


def running(found: Local, seconds: float) -> Result:
    """Measure what watching a camera costs the house, on every runtime."""
    rows, notes = [], [f"One camera in full HD, {MAXIMUM_RATE:.0f} frames per second, every frame with one face."]
    for runtime in runtimes():
        seen, added = watch(found, runtime, seconds), memory(runtime)
        rows.append(
            (
                runtime,
                f"{seen['cpu'] * 100:.0f} %",
                f"{seen['frames_per_second']:.1f}",
                f"{added / 1024 / 1024:.0f} MB",
                ms(seen["p99"]),
                ms(seen["worst"]),
                ms(seen["idle_worst"]),
            )
        )
        notes += [
            verdict(f"{runtime} adds at most 120 MB", f"{added / 1024 / 1024:.0f} MB", met=added <= _MEMORY),
            verdict(f"{runtime} delays the loop by at most 20 ms", ms(seen["worst"]), met=seen["worst"] <= _DELAY),
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


def measure(*, quick: bool) -> list[Result]:
    """Measure all. Raises BenchError and RecognitionError."""
    found = local()
    decided, _ = decisions(found, _QUICK_ROUNDS if quick else _ROUNDS)
    return [
        decided,
        matching(_QUICK_ROUNDS if quick else _ROUNDS),
        running(found, _QUICK_SECONDS if quick else _WATCH_SECONDS),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="scripts/bench recognition", description="Measures local recognition.")
    parser.add_argument("--quick", action="store_true", help="short, to see that it works")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parser.add_argument("--memory", choices=runtimes(), help=argparse.SUPPRESS)
    parsed = parser.parse_args(arguments)
    try:
        if parsed.memory:
            print(_add(parsed.memory))
            return 0
        load_before = os.getloadavg()[0]
        results = measure(quick=parsed.quick)
    except (BenchError, RecognitionError) as err:
        print(f"recognition: {err}", file=sys.stderr)
        return 1
    if parsed.json:
        shown = [{"name": one.name, "columns": one.columns, "rows": one.rows, "notes": one.notes} for one in results]
        print(json.dumps(shown, indent=2))
    else:
        for one in results:
            print(f"\n## {one.name}\n\n{render(one, 'scripts/bench recognition', machine('none'), load_before)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

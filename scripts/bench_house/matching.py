"""Comparing one face with everybody, against faiss. Part of `recognition`."""

from collections.abc import Callable, Mapping
import statistics
import time
from typing import Final

from custom_components.face_access.recognition.gallery import Gallery
from custom_components.face_access.recognition.onnx.blas import one_thread
from custom_components.face_access.recognition.score import Scale

from . import peers
from .local import Local, people
from .report import Result, times, verdict

_SIZES: Final = (1_000, 10_000, 100_000)
# At least so many comparisons before the clock is read: one query among a thousand takes it microseconds.
_STEADY: Final = 20_000


def matching(found: Local, rounds: int) -> Result:
    """Time one comparison with so many people, against faiss."""
    scale = found.engine("numpy").scale
    rows, notes = (
        [],
        ["One query as a camera makes it, the three best, on one thread; median of the thread's own CPU time."],
    )
    for count in _SIZES:
        seconds = _take_turns(_ways(count, scale), rounds, calls=max(1, _STEADY // count))
        taken = {name: statistics.median(each) for name, each in seconds.items()}
        ratios = [times(taken["ours"] / taken["faiss"])] if "faiss" in taken else []
        rows.append((f"{count:,} people", *(f"{each * 1_000_000:,.1f} µs" for each in taken.values()), *ratios))
        if ratios:
            met = taken["ours"] <= taken["faiss"]
            notes.append(verdict(f"{count:,} people not slower than faiss", ratios[0], met=met))
    found_faiss = len(rows[0]) > 2
    if not found_faiss:
        notes.append("faiss is not installed here.")
    columns = ("128 numbers each", "ours", *(("faiss IndexFlatIP", "ratio") if found_faiss else ()))
    return Result(name="matching", columns=columns, rows=rows, notes=notes)


def _ways(count: int, scale: Scale) -> Mapping[str, Callable[[], object]]:
    names, matrix = people(count)
    gallery, query = Gallery(names, matrix), matrix[count // 2].copy()
    return {"ours": lambda: gallery.match(query, scale), **peers.search(matrix, query)}


def _take_turns(ways: Mapping[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, list[float]]:
    """Time all ways, each as often after another as before it: who comes second finds other data in the caches."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    with one_thread():  # as in a decision
        for number in range(rounds):
            for name, run in list(ways.items())[:: -1 if number % 2 else 1]:
                began = time.thread_time()
                for _ in range(calls):
                    run()
                taken[name].append((time.thread_time() - began) / calls)
    return taken

"""Keeps numpy's matrix products on one thread while a network runs.

OpenBLAS starts as many threads as there are cores, and for small matrices they wait for each other: on a busy machine a
decision took three times as long. Its only switch at run time is a function of the library, for the whole process; it
is found among the libraries that are loaded, set for the time of a run, and set back.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import ctypes
from functools import cache
from pathlib import Path
import re
from typing import Final

_MAPS: Final = Path("/proc/self/maps")
_NAMES: Final = re.compile(r"(/\S*openblas\S*\.so[\w.]*)$", re.MULTILINE)
_VARIANTS: Final = [
    (f"{prefix}openblas_set_num_threads{suffix}", f"{prefix}openblas_get_num_threads{suffix}")
    for prefix in ("scipy_", "")
    for suffix in ("64_", "")
]


@cache
def _switches() -> list[tuple[Callable[[int], None], Callable[[], int]]]:
    """Find the setter and getter of every OpenBLAS in this process; none where the system cannot tell."""
    found: list[tuple[Callable[[int], None], Callable[[], int]]] = []
    try:
        paths = sorted(set(_NAMES.findall(_MAPS.read_text())))
    except OSError:
        return found
    for path in paths:
        try:
            library = ctypes.CDLL(path)
        except OSError:
            continue  # deleted since it was loaded: an update in place
        for setter, getter in _VARIANTS:
            if hasattr(library, setter) and hasattr(library, getter):
                found.append((getattr(library, setter), getattr(library, getter)))
                break
    return found


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy multiply on the calling thread alone. Does nothing where numpy uses another library than OpenBLAS."""
    before = [(setter, getter()) for setter, getter in _switches()]
    for setter, threads in before:
        if threads != 1:
            setter(1)
    try:
        yield
    finally:
        for setter, threads in before:
            if threads != 1:
                setter(threads)

"""Local recognition against its networks, OpenCV and faiss: `scripts/bench recognition`."""

import argparse
from collections.abc import Iterator, Sequence
import json
import os
import sys
from typing import Final

from custom_components.face_access.recognition.errors import RecognitionError

from .client import BenchError
from .decisions import decisions
from .local import local
from .matching import matching
from .report import Result, machine, render, write
from .steps import steps
from .watching import running

_ROUNDS: Final = 60
_QUICK_ROUNDS: Final = 8
_WATCH_SECONDS: Final = 15.0
_QUICK_SECONDS: Final = 3.0


def measure(*, quick: bool) -> Iterator[Result]:
    """Measure one after the other. Raises BenchError and RecognitionError."""
    found, rounds = local(), _QUICK_ROUNDS if quick else _ROUNDS
    yield decisions(found, rounds)
    yield steps(found, rounds)
    yield matching(found, rounds * 5)
    yield running(found, _QUICK_SECONDS if quick else _WATCH_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="scripts/bench recognition", description="Measures local recognition.")
    parser.add_argument("--quick", action="store_true", help="short, to see that it works")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--json", action="store_true", help="machine-readable")
    parsed = parser.parse_args(arguments)
    command, load = f"scripts/bench recognition{' --quick' if parsed.quick else ''}", os.getloadavg()[0]
    found = []
    try:
        for result in measure(quick=parsed.quick):
            found.append(result)
            text = render(result, command, machine(), load)
            if not parsed.json:
                print(f"\n## {result.name}\n\n{text}", flush=True)
            if parsed.write:
                write(result.name, text)
    except (BenchError, RecognitionError) as err:
        print(f"recognition: {err}", file=sys.stderr)
        return 1
    if parsed.json:
        shown = [{"name": one.name, "columns": one.columns, "rows": one.rows, "notes": one.notes} for one in found]
        print(json.dumps(shown, indent=2))
    return 0

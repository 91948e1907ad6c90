"""The command behind scripts/bench."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
import os
import signal
import sys
from typing import Final, Protocol

from aiohttp import ClientError
from demo_house.api import ApiError
from demo_house.processes import ChildError

from . import accuracy, delay, fleet, people, pushes, rate, recognition, watch_delay
from .client import BenchError
from .house import Scene, scene
from .report import Result, machine, render, write


class Measurement(Protocol):
    """Measures in a Home Assistant that has just been started."""

    def __call__(self, scene: Scene, *, quick: bool) -> Awaitable[Result]:
        """Raise BenchError where something was lost or refused."""


MEASUREMENTS: Final[Mapping[str, Measurement]] = {
    "push": pushes.measure,
    "rate": rate.measure,
    "delay": delay.measure,
    "fleet": fleet.measure,
    "people": people.measure,
    "watch": watch_delay.measure,
}


ALONE: Final[Mapping[str, Callable[[Sequence[str]], int]]] = {
    "recognition": recognition.main,
    "--accuracy": accuracy.main,
}
"""What is measured without a Home Assistant, by its first argument, with options of its own."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Measures the integration in a real Home Assistant, as ratios to baselines."
    )
    parser.add_argument("measurements", nargs="*", metavar="MEASUREMENT", help=f"of {', '.join(MEASUREMENTS)}")
    parser.epilog = (
        "recognition [--quick] [--write] [--json], or --accuracy FOLDER [--json], measures local recognition alone."
    )
    parser.add_argument("--quick", action="store_true", help="short, to see that it works")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.measurements if name not in MEASUREMENTS]:
        parser.error(f"no such measurement: {', '.join(unknown)}")
    return arguments


async def _measure(name: str, arguments: argparse.Namespace) -> None:
    load = os.getloadavg()[0]
    async with scene() as started:
        result = await MEASUREMENTS[name](started, quick=arguments.quick)
        facts = machine(started.version)
    command = f"scripts/bench {'--quick ' if arguments.quick else ''}{name}"
    text = render(result, command, facts, load)
    print(f"\n## {name}\n\n{text}", flush=True)
    if arguments.write:
        write(name, text)


async def _all(arguments: argparse.Namespace) -> int:
    for name in arguments.measurements or MEASUREMENTS:
        try:
            await _measure(name, arguments)
        except (ApiError, BenchError, ChildError, ClientError, OSError, TimeoutError) as err:
            print(f"{name}: {type(err).__name__}: {err}", file=sys.stderr, flush=True)
            return 1
    return 0


async def _main(arguments: argparse.Namespace) -> int:
    """Run until the end or until a signal; every child is stopped on the way out."""
    task = asyncio.ensure_future(_all(arguments))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 130


if __name__ == "__main__":
    if sys.argv[1:] and (alone := ALONE.get(sys.argv[1])) is not None:
        sys.exit(alone(sys.argv[2:]))
    sys.exit(asyncio.run(_main(_arguments())))

"""A simulator as a process: the options that every one has, and running until a signal comes."""

import argparse
import asyncio
from collections.abc import Callable, Iterable, Mapping
import contextlib
import signal
from typing import Protocol


class Startable(Protocol):
    """What can be run."""

    async def start(self) -> None:
        """Open the ports."""

    async def stop(self) -> None:
        """Close them."""


def parser(name: str, what: str, port: int) -> argparse.ArgumentParser:
    """The options that every simulator's command line has."""
    made = argparse.ArgumentParser(prog=f"simulators.{name}", description=what)
    made.add_argument("--host", default="127.0.0.1")
    made.add_argument("--port", type=int, default=port, help="where it answers, 0: any")
    made.add_argument("--page-port", type=int, help="port of the page and the control API, 0: any")
    return made


def add_times(made: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """An option `--time-...` for each of a device's times."""
    for name in names:
        made.add_argument(f"--time-{name.replace('_', '-')}", type=float, metavar="SECONDS", dest=f"time_{name}")


def times(given: argparse.Namespace) -> dict[str, float]:
    """The times that were given, by their names."""
    return {
        key.removeprefix("time_"): value
        for key, value in vars(given).items()
        if key.startswith("time_") and value is not None
    }


def run(
    simulator: Startable,
    lines: Mapping[str, Callable[[], str | None]],
    *,
    started: Callable[[], None] | None = None,
) -> None:
    """Run until a signal comes; print addresses first: one line for each that there is, which begins with its name."""

    async def serve() -> None:
        await simulator.start()
        if started is not None:
            started()
        for name, text in lines.items():
            if (shown := text()) is not None:
                print(f"{name} {shown}", flush=True)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()
        await simulator.stop()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())

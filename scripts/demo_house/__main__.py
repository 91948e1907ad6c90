"""The command behind scripts/demo."""

import argparse
import asyncio
from pathlib import Path
import signal
import sys

from .check import check
from .demo import demo
from .house import ROOT


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/demo",
        description="A real Home Assistant with Face Access, simulated devices and recognition servers.",
    )
    parser.add_argument("--check", action="store_true", help="play the scenario without anybody watching, and stop")
    parser.add_argument("--fresh", action="store_true", help="forget the house of the last demo and begin anew")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=8123, help="first port to try (default: 8123)")
    parser.add_argument("--folder", type=Path, default=ROOT / ".cache" / "demo", help="where the house is kept")
    return parser.parse_args()


async def _main(arguments: argparse.Namespace) -> int:
    """Run until the end or until a signal; every child is stopped on the way out."""
    task = asyncio.ensure_future(check() if arguments.check else demo(arguments))
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        # Ctrl-C is how a demo ends; a check that was stopped has shown nothing.
        return 130 if arguments.check else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(_arguments())))

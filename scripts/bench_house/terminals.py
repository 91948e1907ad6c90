"""Many simulated terminals in one process, all of them calling: `python -m bench_house.terminals PORT COUNT`.

POST /connect {"number": 0..COUNT-1, "control_url": "..."} enters a control URL at one of them, GET /report tells what
all of them went through.
"""

import asyncio
import signal
import sys
from typing import Final

from aiohttp import web

from simulators.terminal import SimulatedTerminal

from .vitals import vitals

_SERIAL: Final = "0123A1-0000C5-{number:06X}"


class Terminals:
    """The terminals and their address."""

    def __init__(self, count: int) -> None:
        """Make them; `start` switches them on."""
        self._terminals = [
            SimulatedTerminal(serial=_SERIAL.format(number=number), name=f"Door {number + 1}", port=None)
            for number in range(count)
        ]

    async def start(self) -> None:
        """Switch all of them on."""
        for terminal in self._terminals:
            await terminal.start()

    async def stop(self) -> None:
        """Switch all of them off."""
        await asyncio.gather(*(terminal.stop() for terminal in self._terminals))

    async def connect(self, request: web.Request) -> web.Response:
        """Type an address into one of them."""
        wanted = await request.json()
        self._terminals[wanted["number"]].connect(control_url=wanted["control_url"])
        return web.json_response({})

    async def report(self, _request: web.Request) -> web.Response:
        """Sum up what they asked and answered, and what they complain about."""
        return web.json_response(
            {
                **vitals(),
                "heartbeats": sum(terminal.control.heartbeats for terminal in self._terminals),
                "results": sum(terminal.control.results for terminal in self._terminals),
                "violations": sorted({text for terminal in self._terminals for text in map(str, terminal.violations)}),
            }
        )


async def serve(port: int, count: int) -> None:
    """Run until a signal comes."""
    terminals = Terminals(count)
    await terminals.start()
    app = web.Application()
    app.router.add_post("/connect", terminals.connect)
    app.router.add_get("/report", terminals.report)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await terminals.stop()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))

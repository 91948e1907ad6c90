"""A simulated terminal that learns people, as a process: `python -m bench_house.learners PORT COMMANDS NUMBER`.

It takes commands on the port COMMANDS. GET /report tells how many people it knows and, since the last time: how many
requests it answered, how many of them were uploads, and from the first to the last of those for how long it was
answering, and how long that took.
"""

import asyncio
import signal
import sys
from typing import Final

from aiohttp import web

from simulators.terminal import SimulatedTerminal, Timings

from .vitals import vitals

# To find a face and describe it takes any device longer than this; what the simulator computes comes on top.
_TIMINGS: Final = Timings(command=0.05)
_UPLOAD: Final = "upload person"
SERIAL: Final = "0123A1-0000C6-{number:06X}"


class Learner:
    """One terminal."""

    def __init__(self, port: int, number: int) -> None:
        """Make it, knowing nobody; `start` switches it on."""
        self.terminal = SimulatedTerminal(
            serial=SERIAL.format(number=number), name=f"Door {number + 1}", port=port, people=(), timings=_TIMINGS
        )

    async def report(self, _request: web.Request) -> web.Response:
        """Tell what it answered since the last time, from the first upload of somebody to the last one."""
        spans = list(self.terminal.server.spans)
        self.terminal.server.spans.clear()
        places = [place for place, (name, _, _) in enumerate(spans) if name == _UPLOAD]
        learning = spans[places[0] : places[-1] + 1] if places else []
        return web.json_response(
            {
                **vitals(),
                "uploads": len(places),
                "requests": len(spans),
                "answering": sum(ended - arrived for _, arrived, ended in learning),
                "took": learning[-1][2] - learning[0][1] if learning else 0.0,
                "people": len(self.terminal.people),
                "violations": sorted(map(str, self.terminal.violations)),
            }
        )


async def serve(port: int, commands: int, number: int) -> None:
    """Run until a signal comes."""
    learner = Learner(commands, number)
    await learner.terminal.start()
    app = web.Application()
    app.router.add_get("/report", learner.report)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await learner.terminal.stop()
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:4])))

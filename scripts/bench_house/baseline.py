"""What pushes are measured against: handlers that parse a body, decode its pictures, and do nothing else.

As a process (`python -m bench_house.baseline PORT FOLDER`) they are served by bare aiohttp; the probe component serves
the first one as a webhook of Home Assistant.
"""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
import json
from pathlib import Path
import signal
import sqlite3
import sys
import time
from typing import Any

from aiohttp import web

from .vitals import vitals

type Handler = Callable[[web.Request], Awaitable[web.Response]]


def understand(body: bytes) -> tuple[dict[str, Any], list[bytes]]:
    """Parse a push and decode the pictures in it, trusting it blindly."""
    content: dict[str, Any] = json.loads(body)
    pictures = [b64decode(content[key]["data"]) for key in ("closeup_pic", "overall_pic") if key in content]
    return content, pictures


def acknowledge(content: dict[str, Any]) -> web.Response:
    """Answer as the terminal demands (2.2.1.2)."""
    keys = ("sequence_no", "cap_time")
    body = {"reply": "ACK", "cmd": "face", "code": 0, **{key: content[key] for key in keys}}
    return web.Response(body=json.dumps(body).encode(), content_type="application/json")


async def parse_only(request: web.Request) -> web.Response:
    """Parse and decode."""
    content, _ = understand(await request.read())
    return acknowledge(content)


class Store:
    """Parse, decode, and keep the pictures before the answer: one SQLite transaction that survives a power cut."""

    def __init__(self, path: Path) -> None:
        """Open a file with one table."""
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._connection = sqlite3.connect(path, autocommit=True, check_same_thread=False)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE picture (data BLOB)"):
            self._connection.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._thread.shutdown()
        self._connection.close()

    async def handle(self, request: web.Request) -> web.Response:
        """Take one push."""
        content, pictures = understand(await request.read())
        await asyncio.get_running_loop().run_in_executor(self._thread, self._insert, pictures)
        return acknowledge(content)

    def _insert(self, pictures: list[bytes]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("INSERT INTO picture VALUES (?)", [(picture,) for picture in pictures])
        self._connection.execute("COMMIT")


class Stopwatch:
    """How long the calls of a handler took, the arrival of the body included: by the clock, and computing.

    What its event loop does for others in the meantime counts as computing too, so such pushes come one by one.
    """

    def __init__(self) -> None:
        """Start with nothing noted."""
        self.wall: list[float] = []
        self.cpu: list[float] = []

    def around[**P, R](self, handler: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        """Take the time of every call of a handler."""

        async def handle(*args: P.args, **kwargs: P.kwargs) -> R:
            began, computed = time.perf_counter(), time.thread_time()
            try:
                return await handler(*args, **kwargs)
            finally:
                self.wall.append(time.perf_counter() - began)
                self.cpu.append(time.thread_time() - computed)

        return handle

    def read(self) -> dict[str, list[float]]:
        """Give the seconds of all calls since the last time."""
        seen = {"wall": self.wall, "cpu": self.cpu}
        self.wall, self.cpu = [], []
        return seen


async def serve(port: int, folder: Path) -> None:
    """Serve both handlers and what they took until a signal comes."""
    store = Store(folder / "baseline.db")
    watches = {"parse": Stopwatch(), "store": Stopwatch()}

    async def report(_request: web.Request) -> web.Response:
        return web.json_response({**vitals(), "handlers": {key: watch.read() for key, watch in watches.items()}})

    app = web.Application()
    app.router.add_post("/parse", watches["parse"].around(parse_only))
    app.router.add_post("/store", watches["store"].around(store.handle))
    app.router.add_get("/report", report)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await runner.cleanup()
    store.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), Path(sys.argv[2])))

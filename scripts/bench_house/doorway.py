"""A terminal at the door of the measured house, and everything that its pushes are compared with."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
import sqlite3
from typing import Any, Final

from demo_house.processes import free_port
from demo_house.stations import FRONT_DOOR, Terminal

from .bodies import Bodies
from .client import BenchError, Target
from .house import Scene

# The id under which the probe serves its baseline.
_BASELINE_WEBHOOK: Final = "bench-parse"
# What entities do with a sighting ends long before.
SETTLING: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Doorway:
    """Four handlers of the same push, from the barest to ours."""

    scene: Scene
    bodies: Bodies
    baseline: str
    parse: Target
    store: Target
    webhook: Target
    ours: Target

    @property
    def targets(self) -> Sequence[Target]:
        """All of them, ours last."""
        return (self.parse, self.store, self.webhook, self.ours)

    async def report(self, target: Target) -> dict[str, Any]:
        """Ask the process behind a target what it saw since the last time."""
        if target in (self.parse, self.store):
            return await self.scene.report(self.baseline)
        return await self.scene.seen()

    async def stored(self) -> tuple[int, int]:
        """How many sightings history holds, and how many of them counted as live."""
        await asyncio.sleep(SETTLING)
        return await asyncio.to_thread(self._stored)

    def _stored(self) -> tuple[int, int]:
        path = self.scene.house.config / "face_access" / "history.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            count, live = connection.execute("SELECT COUNT(*), SUM(live) FROM sighting").fetchone()
        return count, live or 0


async def doorway(scene: Scene) -> Doorway:
    """Add a terminal that Home Assistant calls, by the config flow, and start the bare baseline."""
    station = Terminal(FRONT_DOOR, scene.folder, scene.session)
    scene.stack.push_async_callback(station.child.stop)
    await station.start()
    await station.add_to(scene.api)
    ours = await scene.webhook()
    port = free_port()
    baseline = await scene.serve("bench_house.baseline", port, str(scene.folder))
    await scene.watch(_BASELINE_WEBHOOK, ours)
    path = "/api/webhook/"
    return Doorway(
        scene=scene,
        bodies=Bodies(FRONT_DOOR.serial),
        baseline=baseline,
        parse=Target(name="bare aiohttp: parse and decode", port=port, path="/parse", key="parse"),
        store=Target(name="bare aiohttp: parse, decode, store durably", port=port, path="/store", key="store"),
        webhook=Target(
            name="Home Assistant webhook: parse and decode",
            port=scene.port,
            path=path + _BASELINE_WEBHOOK,
            key=_BASELINE_WEBHOOK,
        ),
        ours=Target(name="Face Access", port=scene.port, path=path + ours, key=ours),
    )


async def check_stored(door: Doorway, pushed: int) -> None:
    """Nothing is lost, and nothing is kept twice. Raises BenchError."""
    stored, live = await door.stored()
    if (stored, live) != (pushed, pushed):
        raise BenchError(f"{pushed} sightings were pushed; history has {stored}, {live} of them live")

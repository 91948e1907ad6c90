"""How late Home Assistant's event loop gets while pushes come in."""

import asyncio
from collections.abc import Sequence
from typing import Any

from .bodies import Bodies
from .client import Target, all_at_once
from .doorway import Doorway, check_stored, doorway
from .house import Scene
from .report import Result, ms, percentile, verdict

_IDLE = 15.0
_QUICK_IDLE = 4.0
_PUSHES = 400
_QUICK_PUSHES = 60
_LARGE_PUSHES = 20
_CONNECTIONS = 8
_LARGE_PICTURE = 3_000_000
_TARGET = 0.020


async def measure(scene: Scene, *, quick: bool) -> Result:
    """Tick while nothing happens, then during bursts."""
    door = await doorway(scene)
    pushes = _QUICK_PUSHES if quick else _PUSHES
    large = Bodies(door.ours.key, _LARGE_PICTURE)
    large.continue_as(door.bodies)
    await scene.watch(ticks=True)
    await asyncio.sleep(_QUICK_IDLE if quick else _IDLE)
    rows = {"idle": await scene.seen()}
    for name, target, connections in (
        ("baseline webhook, 8 connections", door.webhook, _CONNECTIONS),
        ("Face Access, 1 connection", door.ours, 1),
        ("Face Access, 8 connections", door.ours, _CONNECTIONS),
    ):
        rows[name] = await _burst(door, target, [door.bodies.make() for _ in range(pushes)], connections)
    return Result(name="delay", columns=(), rows=())

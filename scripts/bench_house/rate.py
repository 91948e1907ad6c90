"""Pushes from many connections at once: how many a second are taken in, at what CPU, and whether one is lost."""

import asyncio
from typing import Final

from .client import all_at_once
from .doorway import SETTLING, check_stored, doorway
from .house import Scene
from .report import Result, times

_CONNECTIONS: Final = 8
_ROUNDS: Final = 5
_PUSHES: Final = 120
_QUICK_PUSHES: Final = 24


async def measure(scene: Scene, *, quick: bool) -> Result:
    """Push bursts to every target in turns."""
    pushes = _QUICK_PUSHES if quick else _PUSHES
    door = await doorway(scene)
    for target in door.targets:
        await all_at_once(target, [door.bodies.make() for _ in range(_CONNECTIONS)], _CONNECTIONS)
    seconds = dict.fromkeys(door.targets, 0.0)
    cpu = dict.fromkeys(door.targets, 0.0)
    for _ in range(_ROUNDS):
        for target in door.targets:
            # Made right before: a push that is not fresh would be history alone.
            bodies = [door.bodies.make() for _ in range(pushes)]
            before = (await door.report(target))["cpu"]
            seconds[target] += await all_at_once(target, bodies, _CONNECTIONS)
            await asyncio.sleep(SETTLING)
            cpu[target] += (await door.report(target))["cpu"] - before
    total = _ROUNDS * pushes
    await check_stored(door, _CONNECTIONS + total)
    rows = [
        (
            target.name,
            f"{total / seconds[target]:.0f}",
            times(seconds[target] / seconds[door.parse]),
            f"{cpu[target] / total * 1000:.2f} ms",
            times(cpu[target] / cpu[door.parse]),
        )
        for target in door.targets
    ]
    return Result(
        name="rate",
        columns=("handler", "pushes a second", "slower by", "CPU per push", "ratio"),
        rows=rows,
        notes=(
            (
                f"{_CONNECTIONS} connections, {total} pushes of {door.bodies.size / 1000:.0f} kB to each target, "
                f"in {_ROUNDS} turns; the client shares the machine with the servers."
            ),
            f"Without loss: history holds each of the {_CONNECTIONS + total} sightings once, all of them live.",
            "CPU is that of the whole process, with what entities and the recorder do after the answer.",
        ),
    )

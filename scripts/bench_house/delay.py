"""How late Home Assistant's event loop gets while pushes come in."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from demo_house.stations import FRONT_DOOR

from .bodies import PICTURE_BYTES, Bodies
from .client import Target, all_at_once
from .doorway import SETTLING, Doorway, check_stored, doorway
from .house import Scene
from .report import Result, ms, percentile, times, verdict

# About as long as a burst: the longer one looks, the worse the worst.
_IDLE: Final = 4.0
_PUSHES: Final = 400
_QUICK_PUSHES: Final = 80
_LARGE_PUSHES: Final = 20
_LARGE_PICTURE: Final = 3_000_000
_MANY: Final = 8
_TARGET: Final = 0.020

type Phase = tuple[str, dict[str, Any]]


async def measure(scene: Scene, *, quick: bool) -> Result:
    """Tick while nothing happens, then during bursts."""
    door = await doorway(scene)
    pushes = _QUICK_PUSHES if quick else _PUSHES
    large = Bodies(FRONT_DOOR.serial, _LARGE_PICTURE, first=2_000_000_000)
    await _burst(door, door.ours, [door.bodies.make() for _ in range(_MANY)], _MANY)
    await scene.watch(ticks=True)
    await asyncio.sleep(_IDLE)
    idle = await scene.seen()
    phases: list[Phase] = []
    for target, connections in ((door.webhook, 1), (door.ours, 1), (door.webhook, _MANY), (door.ours, _MANY)):
        bodies = [door.bodies.make() for _ in range(pushes)]
        name = f"{target.name}, {pushes} pushes over {connections}"
        phases.append((name, await _burst(door, target, bodies, connections)))
    for target in (door.webhook, door.ours):
        name = f"{target.name}, {_LARGE_PUSHES} pushes with a picture of 3 MB over 1"
        phases.append((name, await _burst(door, target, [large.make() for _ in range(_LARGE_PUSHES)], 1)))
    await check_stored(door, _MANY + 2 * pushes + _LARGE_PUSHES)
    worst = [max(phases[number][1]["late"]) for number in (1, 3, 5)]
    return Result(
        name="delay",
        columns=("what happens", "median", "p99", "worst", "ratio to nothing", "longest computing"),
        rows=[row(name, seen, max(idle["late"])) for name, seen in (("nothing", idle), *phases)],
        notes=(
            "Lateness of a timer that is due every millisecond, from the first push until a second after the last.",
            f"Pictures of {PICTURE_BYTES // 1000} kB unless said otherwise, over so many connections, each as fast as "
            + "it is acknowledged.",
            "Longest computing: the most that the loop's thread itself computed between two ticks. Where the worst is "
            + "more, another thread or process had the core.",
            verdict(
                f"delay at most {_TARGET * 1000:.0f} ms, even if none of it counts as having been there before",
                f"{ms(worst[0])} with one terminal, {ms(worst[1])} with {_MANY}, {ms(worst[2])} with large pictures",
                met=max(worst) <= _TARGET,
            ),
        ),
    )


async def _burst(door: Doorway, target: Target, bodies: Sequence[bytes], connections: int) -> dict[str, Any]:
    """Push a burst; what the probe saw until all of it was dealt with."""
    await door.scene.seen()
    await all_at_once(target, bodies, connections)
    await asyncio.sleep(SETTLING)
    return await door.scene.seen()


def row(name: str, seen: dict[str, Any], idle: float) -> tuple[str, ...]:
    """How late the loop was: what the probe saw, beside the worst of an idle house in seconds."""
    late = seen["late"]
    return (
        name,
        ms(percentile(late, 50)),
        ms(percentile(late, 99)),
        ms(max(late)),
        times(max(late) / idle),
        ms(max(seen["busy"])),
    )

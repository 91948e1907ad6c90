"""One push after the other: how long it takes, as its terminal sees it and inside the handler."""

from collections.abc import Sequence
from statistics import median
from typing import Final

from .bodies import PICTURE_BYTES
from .client import in_turns
from .doorway import check_stored, doorway
from .house import Scene
from .report import Result, ms, percentile, times, verdict

_ROUNDS: Final = 300
_QUICK_ROUNDS: Final = 40
_WARM_UP: Final = 10
_PAUSE: Final = 0.02
_TARGET: Final = 1.5


async def measure(scene: Scene, *, quick: bool) -> Result:
    """Push to every target in turns."""
    rounds = _QUICK_ROUNDS if quick else _ROUNDS
    door = await doorway(scene)
    await in_turns(door.targets, door.bodies.make, _WARM_UP, _PAUSE)
    for target in door.targets:
        await door.report(target)
    client = await in_turns(door.targets, door.bodies.make, rounds, _PAUSE)
    inside = (await door.report(door.parse))["handlers"] | (await door.report(door.ours))["handlers"]
    await check_stored(door, _WARM_UP + rounds)
    wall = [inside[target.key]["wall"] for target in door.targets]
    cpu = [inside[target.key]["cpu"] for target in door.targets]
    rows = [
        (target.name, *_cells(client, index), *_cells(wall, index), *_cells(cpu, index))
        for index, target in enumerate(door.targets)
    ]
    what = ("from the client", "in the handler", "computing")
    return Result(
        name="push",
        columns=("handler", *(text for part in what for text in (part, "p95", "ratio"))),
        rows=rows,
        notes=(
            (
                f"{rounds} pushes of {door.bodies.size // 1000} kB each, with a picture of {PICTURE_BYTES // 1000} kB "
                "in base64, to every handler in turns; medians."
            ),
            (
                "From the client: first byte sent to acknowledgement read. In the handler: the part of it inside the "
                "handler. Computing: what of that kept the event loop's thread busy; the rest is waiting, for the body "
                "and for the disk."
            ),
            *_judge(wall, cpu),
        ),
    )


def _cells(seconds: Sequence[Sequence[float]], index: int) -> tuple[str, str, str]:
    mine = seconds[index]
    return ms(median(mine)), ms(percentile(mine, 95)), times(median(mine) / median(seconds[0]))


def _judge(wall: Sequence[Sequence[float]], cpu: Sequence[Sequence[float]]) -> tuple[str, ...]:
    """Compare ours, the last one, with each of the others."""
    ratios = [
        (median(wall[-1]) / median(wall[index]), median(cpu[-1]) / median(cpu[index])) for index in range(len(wall))
    ]
    texts = [f"{times(clock)} by the clock, {times(computing)} computing" for clock, computing in ratios]
    target = f"time inside the integration at most {_TARGET}x of bare parsing and decoding"
    return (
        verdict(target, texts[0], met=ratios[0][0] <= _TARGET),
        f"Against bare aiohttp that also stores before it acknowledges, as every safe handler must: {texts[1]}.",
        f"Against the same webhook of Home Assistant that only parses and decodes: {texts[2]}.",
    )

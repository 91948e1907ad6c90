"""One push after the other: how long it takes, as its terminal sees it and inside the handler."""

from .client import in_turns
from .doorway import check_stored, doorway
from .house import Scene
from .report import Result, ms, spread, times, verdict

_ROUNDS = 300
_QUICK_ROUNDS = 40
_WARM_UP = 10
_PAUSE = 0.02
_TARGET = 1.5


async def measure(scene: Scene, *, quick: bool) -> Result:
    """Push to every target in turns."""
    rounds = _QUICK_ROUNDS if quick else _ROUNDS
    door = await doorway(scene)
    await in_turns(door.targets, door.bodies.make, _WARM_UP, _PAUSE)
    for target in door.targets:
        await door.report(target)
    seen = await in_turns(door.targets, door.bodies.make, rounds, _PAUSE)
    inside = (await door.report(door.parse))["handlers"] | (await door.report(door.ours))["handlers"]
    await check_stored(door, _WARM_UP + rounds)

    handlers = [inside[target.key] for target in door.targets]
    first_seen, first_inside = spread(seen[0])[0], spread(handlers[0])[0]
    rows = []
    for target, client, handler in zip(door.targets, seen, handlers, strict=True):
        (middle, late), (middle_inside, late_inside) = spread(client), spread(handler)
        cells = (ms(middle), ms(late), times(middle / first_seen))
        rows.append((target.name, *cells, ms(middle_inside), ms(late_inside), times(middle_inside / first_inside)))
    bare, stored, webhook, ours = (spread(values)[0] for values in handlers)
    return Result(
        name="push",
        columns=("handler", "client: median", "p95", "ratio", "handler: median", "p95", "ratio"),
        rows=rows,
        notes=(
            f"{rounds} pushes of {door.bodies.size / 1000:.0f} kB (a picture of 200 kB in base64) to each, in turns.",
            verdict(
                f"time inside the integration at most {_TARGET}x of bare parsing and decoding",
                f"{times(ours / bare)}",
                met=ours <= _TARGET * bare,
            ),
            f"Against the same webhook that only parses and decodes: {times(ours / webhook)}. "
            f"Against bare aiohttp that also stores durably, as an acknowledgement demands: {times(ours / stored)}.",
        ),
    )

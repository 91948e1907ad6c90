"""How late Home Assistant's event loop gets while a camera is watched: real networks, and a face in every picture."""

import asyncio
from typing import Any, Final

from demo_house.cameras import AGAIN, ENROLLED, STRANGER, Garden, lacking
from demo_house.film import entity_of
from demo_house.steps import CheckError
from demo_house.watch import watching

from .client import BenchError
from .delay import row
from .house import Scene
from .local import PHOTO
from .report import Result, ms, verdict

_FASTEST: Final = 5
_SECONDS: Final = 30.0
_QUICK_SECONDS: Final = 4.0
# Whoever stands there goes the next second, so that there is always somebody to be told of.
_STAYS: Final = 1.0
# A look lasts five seconds.
_LOOK_EVERY: Final = 4.0
_WARM: Final = 5.0
_TARGET: Final = 0.020


async def measure(scene: Scene, *, quick: bool) -> Result:
    """Tick while the camera is not looked at, and while it is."""
    if (missing := lacking()) is not None:
        raise BenchError(f"there are {missing}")
    seconds = _QUICK_SECONDS if quick else _SECONDS
    garden = Garden(scene.folder)
    async with garden.playing():
        entry = await garden.add_to(scene.api)
        garden.stands(ENROLLED)
        await garden.enrol(scene.api, "Gardener")
    await scene.api.options(entry, frames_per_second=_FASTEST)
    await scene.api.entry_loaded(entry)
    switch = await entity_of(scene.api, entry, "switch", "-recognition")
    button = await entity_of(scene.api, entry, "button", "-look_now")
    face = await entity_of(scene.api, entry, "event", "-face")
    async with garden.passing([garden.photo(name) for name in (PHOTO, STRANGER, AGAIN)], stays=_STAYS):
        await scene.api.action("switch.turn_off", {"entity_id": switch})
        idle = await _ticks(scene, seconds)
        async with watching(scene.api) as watch:
            await scene.api.action("switch.turn_on", {"entity_id": switch})
            looking = asyncio.create_task(_look(scene, button))
            try:
                await watch.until(face, since=0, what="somebody who is seen")
                await asyncio.sleep(_WARM)
                busy = await _ticks(scene, seconds)
            except CheckError as err:
                raise BenchError(f"nobody is seen, perhaps this machine is too busy: {err}") from err
            finally:
                looking.cancel()
            seen = len(watch.of(face, since=0))
    worst = max(busy["late"])
    return Result(
        name="watch",
        columns=("recognition", "median", "p99", "worst", "ratio to off", "longest computing", "CPU (of one core)"),
        rows=[
            _row(name, found, max(idle["late"]), seconds)
            for name, found in (("switched off", idle), (f"of {_FASTEST} pictures a second", busy))
        ],
        notes=(
            f"Lateness of a timer that is due every millisecond, over {seconds:.0f} s each. CPU is that of the "
            + "whole process, of which the timer takes some percent.",
            "A photo in full HD and two smaller ones in turn, each of a face, with liveness; "
            + f"{seen} sightings were stored and told.",
            verdict(
                f"delay at most {_TARGET * 1000:.0f} ms, even if none of it counts as having been there before",
                ms(worst),
                met=worst <= _TARGET,
            ),
        ),
    )


async def _look(scene: Scene, button: str) -> None:
    """Press the button again before a look is over: then all pictures are looked at, whatever moves in them."""
    while True:
        await scene.api.action("button.press", {"entity_id": button})
        await asyncio.sleep(_LOOK_EVERY)


async def _ticks(scene: Scene, seconds: float) -> dict[str, Any]:
    """Watch the loop for a while; what the probe saw, with the CPU time that passed."""
    await scene.watch(ticks=True)
    before = (await scene.seen())["cpu"]
    await asyncio.sleep(seconds)
    found = await scene.seen()
    return {**found, "cpu": found["cpu"] - before}


def _row(name: str, found: dict[str, Any], idle: float, seconds: float) -> tuple[str, ...]:
    return (*row(name, found, idle), f"{found['cpu'] / seconds:.0%}")

"""Many terminals that call one Home Assistant: what each of them costs it in memory and CPU."""

import asyncio
import time
from typing import Any, Final

from demo_house.processes import free_port
from demo_house.stations import DOMAIN

from .client import BenchError
from .house import Scene
from .report import Result, ms, percentile

_TERMINALS: Final = 200
_QUICK_TERMINALS: Final = 10
# One whole period of reading (five minutes): every terminal's reading is in it once.
_WINDOW: Final = 300.0
_QUICK_WINDOW: Final = 20.0
_AT_ONCE: Final = 8
_PATIENCE: Final = 120.0
_SETTLING: Final = 20.0
_MEGABYTE: Final = 1024 * 1024


async def measure(scene: Scene, *, quick: bool) -> Result:
    """Watch Home Assistant without terminals, add them by the config flow, and watch it again."""
    count, window = (_QUICK_TERMINALS, _QUICK_WINDOW) if quick else (_TERMINALS, _WINDOW)
    address = await scene.serve("bench_house.terminals", free_port(), str(count))
    await asyncio.sleep(_SETTLING)
    without = await _watch(scene, window)
    began, cpu = time.monotonic(), (await scene.seen())["cpu"]
    await _add_all(scene, address, count)
    added, adding = time.monotonic() - began, (await scene.seen())["cpu"] - cpu
    await asyncio.sleep(_SETTLING)
    before = await scene.report(address)
    with_all = await _watch(scene, window)
    after = await scene.report(address)
    await _check_online(scene, count)
    if after["violations"]:
        raise BenchError(f"the terminals complain: {after['violations'][:3]}")
    memory = [seen["memory"] / _MEGABYTE for seen in (without, with_all)]
    load = [seen["cpu"] / window for seen in (without, with_all)]
    asked = (after["heartbeats"] + after["results"] - before["heartbeats"] - before["results"]) / window
    entities = len(await scene.api.states())
    return Result(
        name="fleet",
        columns=("Home Assistant", "memory (RSS)", "CPU (of one core)", "loop delay: p99", "worst"),
        rows=[
            _row("without terminals", memory[0], load[0], without["late"]),
            _row(f"with {count} terminals", memory[1], load[1], with_all["late"]),
            (
                "each terminal",
                f"{(memory[1] - memory[0]) / count:.2f} MB",
                f"{(load[1] - load[0]) / count * 100:.3f} %",
                "-",
                "-",
            ),
            ("ratio", f"{memory[1] / memory[0]:.2f}x", f"{load[1] / load[0]:.1f}x", "-", "-"),
        ],
        notes=(
            (
                f"Each row over {window:.0f} s. The terminals ran in one other process; they asked {asked:.1f} questions "
                f"a second, and none complained about an answer. {entities} entities in the end."
            ),
            (
                f"All were added through the config flow, {_AT_ONCE} at a time: {added:.0f} s, of which Home Assistant "
                f"computed {adding:.0f} s ({ms(adding / count)} each)."
            ),
            "The probe's own ticks are in the CPU of both rows.",
        ),
    )


def _row(name: str, memory: float, load: float, late: list[float]) -> tuple[str, ...]:
    return name, f"{memory:.0f} MB", f"{load * 100:.1f} %", ms(percentile(late, 99)), ms(max(late))


async def _watch(scene: Scene, window: float) -> dict[str, Any]:
    """Watch for a while; `cpu` is what was spent meanwhile."""
    await scene.watch(ticks=True)
    before = (await scene.seen())["cpu"]
    await asyncio.sleep(window)
    seen = await scene.seen()
    await scene.watch()
    return {**seen, "cpu": seen["cpu"] - before}


async def _add_all(scene: Scene, address: str, count: int) -> None:
    """Add every terminal as a user would, some at a time, and wait until all are online."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def add(number: int) -> None:
        async with places:
            await _add(scene, address, number)

    # Not a task group: the first error is told as it is.
    tasks = [asyncio.ensure_future(add(number)) for number in range(count)]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
    async with asyncio.timeout(_PATIENCE):
        while await _online(scene) < count:
            await asyncio.sleep(1)


async def _add(scene: Scene, address: str, number: int) -> None:
    """Go through the flow: what it shows is entered at the terminal, which calls."""
    api = scene.api
    step = await api.flow_next(await api.flow_start(DOMAIN), {"next_step_id": "callback"})
    shown = step["description_placeholders"]
    control_url = f"http://{shown['server']}:{shown['port']}/{shown['control_path']}"

    async def enter() -> None:
        body = {"number": number, "control_url": control_url}
        async with scene.session.post(f"{address}/connect", json=body) as response:
            response.raise_for_status()

    step = await api.flow_progress(step, enter, patience=_PATIENCE)
    if step["step_id"] != "push":
        raise BenchError(f"the flow of terminal {number} went to the step {step['step_id']}")
    await api.flow_next(step, {"push": True})


async def _online(scene: Scene) -> int:
    """Count the terminals that are online."""
    states = await scene.api.states()
    return sum(
        state["state"] == "on" and state["attributes"].get("device_class") == "connectivity"
        for entity, state in states.items()
        if entity.startswith("binary_sensor.")
    )


async def _check_online(scene: Scene, count: int) -> None:
    if (online := await _online(scene)) != count:
        raise BenchError(f"{online} of {count} terminals are online at the end")

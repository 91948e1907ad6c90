"""Many terminals that call one Home Assistant: what each of them costs it in memory and CPU."""

import asyncio
import time
from typing import Any, Final

from demo_house.processes import free_port
from demo_house.stations import DOMAIN

from .client import BenchError
from .house import Scene
from .report import Result, ms, percentile, times

_TERMINALS: Final = 200
_QUICK_TERMINALS: Final = 10
# One whole period of reading (five minutes): every terminal's reading is in it once.
_WINDOW: Final = 300.0
_QUICK_WINDOW: Final = 20.0
# Nothing of Home Assistant's own takes that long to come round.
_WINDOW_WITHOUT: Final = 30.0
_TICKING: Final = 20.0
_AT_ONCE: Final = 8
_PATIENCE: Final = 120.0
_SETTLING: Final = 10.0
_MEGABYTE: Final = 1024 * 1024


async def measure(scene: Scene, *, quick: bool) -> Result:
    """Watch Home Assistant without terminals, add them by the config flow, and watch it again."""
    count, window, alone = (
        (_QUICK_TERMINALS, _QUICK_WINDOW, _QUICK_WINDOW) if quick else (_TERMINALS, _WINDOW, _WINDOW_WITHOUT)
    )
    address = await scene.serve("bench_house.terminals", free_port(), str(count))
    await asyncio.sleep(_SETTLING)
    without = await _watch(scene, alone)
    began, before = time.monotonic(), await scene.seen()
    await _add_all(scene, address, count)
    adding, computed = time.monotonic() - began, (await scene.seen())["cpu"] - before["cpu"]
    await asyncio.sleep(_SETTLING)
    earlier = await _questions(scene, address)
    with_all = await _watch(scene, window)
    asked = (await _questions(scene, address) - earlier) / (window + _TICKING)
    await _check_online(scene, count)
    entities = len(await scene.api.states())
    (memory, load), (more_memory, more_load) = ((seen["memory"], seen["cpu"]) for seen in (without, with_all))
    each = (f"{(more_memory - memory) / count:.2f} MB", f"{(more_load - load) / count * 100:.4f} %", "-", "-", "-")
    return Result(
        name="fleet",
        columns=(
            "Home Assistant",
            "memory (RSS)",
            "CPU (of one core)",
            "loop delay: p99",
            "worst",
            "longest garbage collection",
        ),
        rows=[
            _row("without terminals", without),
            _row(f"with {count} terminals", with_all),
            ("ratio", times(more_memory / memory), times(more_load / load), "-", "-", "-"),
            ("each terminal adds", *each),
        ],
        notes=(
            f"CPU over {alone:.0f} s without and {window:.0f} s with terminals, the delay over {_TICKING:.0f} s more "
            + "(the probe does not tick while the CPU is taken).",
            "Python's garbage collector stops everything while it runs, for longer the more entities there are.",
            f"The terminals ran in one other process; they asked {asked:.1f} questions a second, and none complained "
            + f"about an answer. {entities} entities in the end. The integration's own code is in their memory.",
            f"All were added through the config flow, {_AT_ONCE} at a time, in {adding:.0f} s; Home Assistant computed "
            + f"{ms(computed / count)} for each.",
        ),
    )


async def _watch(scene: Scene, window: float) -> dict[str, Any]:
    """Watch for a while: memory in MB, CPU as the share of one core, and for a while more how late the loop is."""
    before = (await scene.seen())["cpu"]
    await asyncio.sleep(window)
    seen = await scene.seen()
    await scene.watch(ticks=True)
    await asyncio.sleep(_TICKING)
    ticking = await scene.seen()
    await scene.watch()
    return {**ticking, "memory": seen["memory"] / _MEGABYTE, "cpu": (seen["cpu"] - before) / window}


def _row(name: str, seen: dict[str, Any]) -> tuple[str, ...]:
    late = seen["late"]
    return (
        name,
        f"{seen['memory']:.0f} MB",
        f"{seen['cpu'] * 100:.2f} %",
        ms(percentile(late, 99)),
        ms(max(late)),
        ms(max(seen["collections"], default=0.0)),
    )


async def _questions(scene: Scene, address: str) -> int:
    """Count the requests of all terminals so far. Raises BenchError if one has a complaint."""
    report = await scene.report(address)
    if report["violations"]:
        raise BenchError(f"the terminals complain: {report['violations'][:3]}")
    return int(report["heartbeats"] + report["results"])


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

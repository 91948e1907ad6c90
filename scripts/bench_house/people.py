"""A household of a thousand and the terminals that learn it: how long that takes, beside the terminals' own answers."""

import asyncio
import csv
from dataclasses import dataclass
from pathlib import Path
import time
from typing import Any, Final

from demo_house.api import ApiError
from demo_house.household import Household
from demo_house.processes import free_port
from demo_house.stations import DOMAIN

from simulators._terminal import pictures

from .client import BenchError
from .house import Scene
from .report import Result, ms, times, verdict

_PEOPLE: Final = 1000
_QUICK_PEOPLE: Final = 60
_TERMINALS: Final = 5
_TARGET: Final = 1.2
_PATIENCE: Final = 900.0
# Results are written down in bites of so many: what is lost of them is done again.
_BITE: Final = 20


@dataclass(slots=True)
class Learner:
    """One terminal: where it reports, where it takes commands, and its entry."""

    number: int
    address: str
    port: int
    entry_id: str = ""


async def measure(scene: Scene, *, quick: bool) -> Result:
    """Import everybody, let five terminals learn them at once, and interrupt a sixth. Raises BenchError."""
    count = _QUICK_PEOPLE if quick else _PEOPLE
    photos = await asyncio.to_thread(_write, scene.house.config / "media" / "people", count)
    await Household(scene.api).begin()
    learners = [await _learner(scene, number) for number in range(_TERMINALS)]
    for learner in learners:
        await _disable(scene, learner, by="user")
    importing = await _import(scene, count)
    before = await scene.seen()
    for learner in learners:
        await scene.report(learner.address)
    began = time.monotonic()
    await asyncio.gather(*(_disable(scene, learner, by=None) for learner in learners))
    await asyncio.gather(*(_until(scene, learner, count) for learner in learners))
    everything = time.monotonic() - began
    computed = (await scene.seen())["cpu"] - before["cpu"]
    reports = [_checked(await scene.report(learner.address)) for learner in learners]
    reading = await _read_again(scene, learners)
    repeated = await _interrupt(scene, count)
    ratios = [report["took"] / report["answering"] for report in reports]
    return Result(
        name="people",
        columns=("terminal", "uploads", "requests", "answering", "from the first to the last upload", "ratio"),
        rows=[_row(learner, report) for learner, report in zip(learners, reports, strict=True)],
        notes=(
            f"{count} people, each with a photo of {photos / count / 1000:.0f} kB, at {_TERMINALS} terminals at once, "
            + "each a process of its own. Answering: from a request that is there as a whole to its answer.",
            verdict(f"at most {_TARGET}x", times(max(ratios)), met=max(ratios) <= _TARGET),
            "Never more than one request at a time: a terminal complains about a second one, and none did. "
            + f"All of it, with the readings of five terminals that come back, took {everything:.1f} s; Home Assistant "
            + f"computed {ms(computed / count / _TERMINALS)} for each person and terminal.",
            f"To read all {_TERMINALS * count} back, twenty in a page, and to compare them took {reading:.1f} s: "
            + "nothing was sent again.",
            f"Home Assistant was killed when a sixth terminal had half of them: after its start, {repeated} of "
            + f"{count} uploads were repeated.",
            f"Before that, the {count} came from a CSV file with their photos: {importing:.1f} s.",
        ),
    )


def _write(folder: Path, count: int) -> int:
    """Draw everybody and describe them in a CSV file; how many bytes all photos have."""
    folder.mkdir(parents=True)
    size = 0
    with (folder / "people.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("person_id", "name", "photos"))
        for number in range(count):
            photo = pictures.panorama(f"person {number}")
            (folder / f"{number}.jpg").write_bytes(photo)
            size += len(photo)
            writer.writerow((f"person_{number}", f"Person {number}", f"{number}.jpg"))
    return size


async def _learner(scene: Scene, number: int) -> Learner:
    """Start a terminal and add it by the config flow."""
    commands = free_port()
    address = await scene.serve("bench_house.learners", free_port(), str(commands), str(number))
    api = scene.api
    form = await api.flow_next(await api.flow_start(DOMAIN), {"next_step_id": "direct"})
    push = await api.flow_next(form, {"host": "127.0.0.1", "port": commands})
    entry_id = str((await api.flow_next(push, {"push": True}))["result"]["entry_id"])
    await api.entry_loaded(entry_id)
    return Learner(number, address, commands, entry_id)


async def _disable(scene: Scene, learner: Learner, *, by: str | None) -> None:
    """Disable an entry, or enable it with None: so that all of them begin at once."""
    async with scene.api.socket() as socket:
        await socket.command("config_entries/disable", entry_id=learner.entry_id, disabled_by=by)


async def _import(scene: Scene, count: int) -> float:
    """Import everybody; the seconds that it took. Raises BenchError."""
    began = time.monotonic()
    path = str(scene.house.config / "media" / "people" / "people.csv")
    async with scene.api.socket() as socket:
        answer = await socket.command(
            "call_service", domain=DOMAIN, service="import_people", service_data={"path": path}, return_response=True
        )
    results = [person["result"] for person in answer["response"]["persons"]]
    if results != ["added"] * count:
        raise BenchError(f"of {count} people {results.count('added')} were imported")
    return time.monotonic() - began


async def _has(scene: Scene, learner: Learner) -> str:
    """Find how many people a terminal has, as its sensor says: of ten thousand states, it alone is asked for."""
    try:
        return str((await scene.api.state(f"sensor.door_{learner.number + 1}_people_synced"))["state"])
    except ApiError:
        # Not before its entry is loaded.
        return "unknown"


async def _until(scene: Scene, learner: Learner, count: int) -> None:
    """Wait until Home Assistant says that a terminal has everybody."""
    async with asyncio.timeout(_PATIENCE):
        while await _has(scene, learner) != str(count):
            await asyncio.sleep(2)


def _checked(report: dict[str, Any]) -> dict[str, Any]:
    if report["violations"]:
        raise BenchError(f"a terminal complains: {report['violations'][:3]}")
    return report


async def _read_again(scene: Scene, learners: list[Learner]) -> float:
    """Have everything read back and compared; the seconds that it took. Raises BenchError if anything was sent."""
    began = time.monotonic()
    answer = await scene.api.action(f"{DOMAIN}.sync_people", {"wait": {"minutes": 5}}, response=True)
    took = time.monotonic() - began
    if not all(station["done"] for station in answer["stations"]):
        raise BenchError(f"the stations were not all read: {answer['stations']}")
    for learner in learners:
        if (sent := _checked(await scene.report(learner.address))["uploads"]) != 0:
            raise BenchError(f"{sent} people were sent again though nothing had changed")
    return took


async def _interrupt(scene: Scene, count: int) -> int:
    """Kill Home Assistant when another terminal has half of the people; how many uploads were repeated after that."""
    learner = await _learner(scene, _TERMINALS)
    uploads = 0
    async with asyncio.timeout(_PATIENCE):
        while (report := await scene.report(learner.address))["people"] < count // 2:
            uploads += report["uploads"]
            await asyncio.sleep(0.05)
    uploads += report["uploads"]
    scene.house.child.kill()
    await scene.house.child.wait()
    await scene.house.start("bench", scene.password)
    await _until(scene, learner, count)
    uploads += _checked(await scene.report(learner.address))["uploads"]
    if uploads > count + _BITE + 1:
        raise BenchError(f"{uploads} uploads were needed for {count} people: the work did not resume")
    return uploads - count


def _row(learner: Learner, report: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"{learner.number + 1}",
        str(report["uploads"]),
        str(report["requests"]),
        f"{report['answering']:.1f} s ({ms(report['answering'] / report['uploads'])} each)",
        f"{report['took']:.1f} s",
        times(report["took"] / report["answering"]),
    )

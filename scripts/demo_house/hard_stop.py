"""Steps of the check: Home Assistant is killed in the middle of a burst, and nothing that it acknowledged is lost."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from pathlib import Path
import sqlite3
from typing import Final

from . import messages
from .doorstep import Doorstep
from .house import House
from .patience import until
from .stations import Terminal
from .steps import expect, step
from .views import View
from .watch import watching

# So many are acknowledged before the end, and at most so many come: as many as the terminal's page tells of.
_ENOUGH: Final = 8
_AT_MOST: Final = 50

_KEPT: Final = """
SELECT sequence, face IS NOT NULL FROM sighting LEFT JOIN picture ON picture.sighting = sighting.id WHERE source = ?
"""


class _Burst:
    """Strangers who pass at one terminal, one after the other, until somebody says that it is over."""

    def __init__(self, door: Doorstep, history: Path) -> None:
        """Nobody has come yet."""
        self.door = door
        self.terminal = door.view.station
        self.came: list[int] = []
        self._history = history
        self._over = asyncio.Event()

    async def run(self) -> None:
        """Let strangers come."""
        while not self._over.is_set() and len(self.came) < _AT_MOST:
            self.came.append((await self.terminal.scene("present_stranger"))["sequence"])

    def ends(self) -> None:
        """Let nobody come any more."""
        self._over.set()

    async def acknowledged(self) -> set[int]:
        """Which of them the terminal need not push any more."""
        records = (await self.terminal.state())["records"]
        return {record["sequence"] for record in records if record["uploaded"]} & set(self.came)

    async def is_under_way(self) -> bool:
        """Whether enough of them have been acknowledged."""
        return len(await self.acknowledged()) >= _ENOUGH

    async def kept(self) -> Counter[int]:
        """Which of them are in the file of history, with their pictures, and how often."""
        rows = await asyncio.to_thread(self._rows)
        return Counter(sequence for sequence, pictured in rows if pictured and sequence in self.came)

    def _rows(self) -> list[tuple[int, int]]:
        with closing(sqlite3.connect(self._history)) as connection:
            return connection.execute(_KEPT, (self.terminal.place.serial,)).fetchall()


async def play_hard_stop(
    house: House, added: Sequence[tuple[Terminal, str]], restart: Callable[[], Awaitable[None]]
) -> None:
    """Kill Home Assistant while faces pass at every terminal, and start it again."""
    async with watching(house.api) as watch:
        doors = [Doorstep(View(house, terminal, entry_id, watch)) for terminal, entry_id in added]
        for door in doors:
            await door.view.refresh()
            await door.begin()
    bursts = [_Burst(door, house.config / "face_access" / "history.db") for door in doors]
    async with step("Home Assistant is killed while faces pass at each terminal") as measured:
        await _kill(house, bursts)
        acknowledged = [await burst.acknowledged() for burst in bursts]
        measured += [f"{len(each)} of {len(burst.came)}" for each, burst in zip(acknowledged, bursts, strict=True)]
    async with step("every sighting that was acknowledged is in the file, once and with its picture"):
        for burst, each in zip(bursts, acknowledged, strict=True):
            kept = await burst.kept()
            expect(each - kept.keys(), set(), "what was acknowledged and is not kept")
            expect(set(kept.values()), {1}, "how often each is kept")
    async with step("Home Assistant starts again"):
        await restart()
    async with watching(house.api) as watch:
        for burst in bursts:
            burst.door.view.watch = watch
            await _catches_up(burst)
        for burst in bursts:
            await messages.no_violations(burst.door)


async def _kill(house: House, bursts: Sequence[_Burst]) -> None:
    """Let faces pass until enough of them are acknowledged at each terminal, and kill while more of them come."""
    passing = [asyncio.create_task(burst.run()) for burst in bursts]
    try:
        for burst in bursts:
            await until(burst.is_under_way, "a burst")
        house.child.kill()
        await house.child.wait()
    finally:
        for burst in bursts:
            burst.ends()
        await asyncio.gather(*passing)


async def _catches_up(burst: _Burst) -> None:
    """See that the rest comes as well, once, and opens nothing."""
    door, view = burst.door, burst.door.view
    async with door.step("history has the whole burst, each once, and nothing opened"):
        # Home Assistant itself forgets the newest devices in a hard stop, and makes them anew.
        await view.refresh()
        await view.until("binary_sensor", "online", "on")
        await view.station.scene("wait_for_pushes", seconds=30)
        await view.action("get_records", response=True, fetch=True)
        expect(await burst.kept(), Counter(burst.came), "what is kept of the burst")
        await door.shut()
    await messages.forgive_the_restart(door)

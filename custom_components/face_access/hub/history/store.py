"""Every sighting with its pictures, and what else happened at the stations: one file, one thread that owns it.

`file` says why it is a file of our own. What is done in it is in `writing`, `past_sightings` (reading), `past_events`
and `forgetting`; here is when.
"""

import asyncio
import builtins
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, tzinfo
from pathlib import Path
import sqlite3
from typing import Concatenate

from ...access import Momentary, Sighting, Verdict
from ...const import LOGGER
from . import file as history_file, forgetting, past_events, past_sightings, writing as history_writing
from .forgetting import FORGET_AT_ONCE, TABLES
from .past_events import EventKind, PastEvent
from .past_sightings import Group, PastSighting
from .retention import Retention


class History:
    """The store. One thread owns the connection: writes keep their order, and the event loop never waits for a disk."""

    def __init__(self, path: Path) -> None:
        """Remember where; `open` does the work."""
        self._path = path
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="face_access_history")
        self._connection: sqlite3.Connection | None = None
        self._closing = False

    async def open(self) -> None:
        """Open or make the file. Raises sqlite3.Error when it is not a database or cannot be written."""
        await self._run(self._open)

    async def close(self) -> None:
        """Finish what was asked for, then close."""
        self._closing = True
        await self._run(self._close)
        # The thread has nothing left to do: it ends within the same breath.
        self._executor.shutdown()

    # Writing

    async def add(self, sighting: Sighting, *, live: bool) -> bool:
        """Store a sighting for good; False when the same one is there already. Raises sqlite3.Error.

        One that was fetched from the device a moment before its own push arrived counts as new once more, when it is
        `live`: else a catch-up that runs while somebody stands at the door would swallow the event.
        """
        added = await self._do(history_writing.add, sighting, live=live)
        self._prune_soon("sighting", sighting.source)
        return added

    async def judged(self, sighting: Sighting, *, late: bool = False) -> bool:
        """Correct what came of a sighting after it was stored; whether there was anything to. Raises sqlite3.Error.

        `late` for a push that came too late to be live: it says what came of a record that was fetched before it.
        """
        return await self._do(history_writing.correct, sighting, late=late)

    async def enrolled(self, sighting_id: int, person: str) -> None:
        """Remember that a sighting in which nobody of the household was recognised shows one. Raises sqlite3.Error."""
        await self._do(history_writing.enrolled, sighting_id, person)

    async def add_event(self, event: Momentary, *, live: bool) -> bool:
        """Store for good what happened; False when it is there already. Raises sqlite3.Error."""
        added = await self._do(past_events.add, event, live=live)
        self._prune_soon("event", event.source)
        return added

    async def complete_until(self, source: str) -> datetime | None:
        """Up to when everything that `source` saw is here; None for never.

        Not the newest sighting: one that was pushed after an outage says nothing about what was seen during it.
        """
        return await self._do(history_writing.complete_until, source)

    async def set_complete(self, source: str, until: datetime) -> None:
        """Keep up to when everything that `source` saw is here. Raises sqlite3.Error."""
        await self._do(history_writing.set_complete, source, until)

    # Reading

    async def last(self, source: str) -> Sighting | None:
        """The newest live sighting of `source` with its pictures: what its entities show after a restart."""
        return await self._do(past_sightings.last, source)

    async def list(
        self,
        *,
        source: str | None,
        person: str | None = None,
        who: str | None = None,
        verdict: Verdict | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[PastSighting]:
        """Sightings from `start` up to but without `end`, newest first.

        `source`, `person` (an id) and `verdict` None for all. `who` is a name as `people` gives it, empty for
        strangers. `before` is the id of a sighting: only those that come after it in this order.
        """
        return await self._do(
            past_sightings.select,
            source=source,
            person=person,
            who=who,
            verdict=verdict,
            start=start,
            end=end,
            before=before,
            limit=limit,
        )

    async def events(
        self,
        *,
        source: str | None,
        kinds: Sequence[EventKind] | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 100,
    ) -> builtins.list[PastEvent]:
        """What happened from `start` up to but without `end`, newest first; `source` and `kinds` None for all."""
        return await self._do(past_events.find, source=source, kinds=kinds, start=start, end=end, limit=limit)

    async def picture(self, sighting_id: int) -> bytes | None:
        """The close-up of a sighting, or its scene."""
        return await self._do(past_sightings.picture, sighting_id, scene=False)

    async def scene(self, sighting_id: int) -> bytes | None:
        """The scene of a sighting, or its close-up."""
        return await self._do(past_sightings.picture, sighting_id, scene=True)

    async def find(self, reference: str) -> PastSighting | None:
        """Find the sighting that a reference names."""
        return await self._do(past_sightings.find, reference)

    async def sources(self) -> Sequence[Group]:
        """All that saw somebody."""
        return await self._do(past_sightings.sources)

    async def people(self) -> Sequence[Group]:
        """All who were recognised, by name; strangers have none."""
        return await self._do(past_sightings.people)

    async def days(self, zone: tzinfo, *, end: date | None = None, limit: int = 100) -> Sequence[Group]:
        """The days (ISO 8601) of a zone on which somebody was seen, newest first, only those before `end`."""
        return await self._do(past_sightings.days, zone, end=end, limit=limit)

    # Forgetting

    async def keep(self, source: str, retention: Retention) -> bool:
        """Set how long and how many sightings of `source` are kept; whether that is news. Raises sqlite3.Error.

        It stands in the file, so that a station that is not loaded loses nothing that the household wants kept.
        """
        return await self._do(forgetting.keep, source, retention)

    async def prune(self) -> None:
        """Delete all that is too old. A house without visitors forgets its last ones too. Raises sqlite3.Error."""
        for table in TABLES:
            for source in await self._do(forgetting.sources_in, table):
                while await self._do(forgetting.prune, table, source):
                    pass

    async def forget(self, source: str) -> None:
        """Delete everything that `source` saw and told, overwriting it in the file."""
        for table in TABLES:
            while await self._do(forgetting.forget_some, table, source):
                pass
        await self._do(forgetting.forget_notes, source)
        await self._do(history_file.overwrite_log)

    async def forget_person(self, person: str, aliases: Sequence[tuple[str, str]] = ()) -> None:
        """Take somebody of the household out of what was seen: who it was, and their pictures, overwritten in the file.

        That somebody came stays. `aliases` are sources, each with the id by which it knew them. Raises sqlite3.Error.
        """
        found = await self._do(forgetting.of_person, person, aliases)
        for start in range(0, len(found), FORGET_AT_ONCE):
            await self._do(forgetting.make_anonymous, found[start : start + FORGET_AT_ONCE])
        await self._do(past_events.forget_owners, aliases)
        await self._do(history_file.overwrite_log)

    # The thread

    async def _do[**P, T](
        self, work: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do something in the file, in the thread."""
        return await self._run(lambda: work(self._open_connection, *args, **kwargs))

    async def _run[T](self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    @property
    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("history is closed")
        return self._connection

    def _open(self) -> None:
        # Kept before it is used, so that `close` closes it even if the file turns out to be no database.
        self._connection = connection = history_file.connect(self._path)
        history_file.prepare(connection)
        for table in TABLES:
            for source in forgetting.sources_in(connection, table):
                self._prune_after(table, source)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _prune_soon(self, table: str, source: str) -> None:
        if not self._closing:
            self._executor.submit(self._prune_after, table, source)

    def _prune_after(self, table: str, source: str) -> None:
        """Follow everything that is stored, so that this never falls behind."""
        try:
            forgetting.prune(self._open_connection, table, source)
        except sqlite3.Error as err:
            LOGGER.warning("Old sightings could not be deleted: %s", err)

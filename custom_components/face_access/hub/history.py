"""Every sighting with its pictures, and what else happened at the stations, kept in a SQLite file of our own.

Home Assistant's recorder is not the place: it purges on its own terms, keeps no pictures, and states must not hold
biometric data. Standard-library SQLite needs no wheel, and one transaction holds the row and its pictures, so a
sighting that was acknowledged is there after a hard stop.
"""

import asyncio
import builtins
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial
from hashlib import sha256
from pathlib import Path
import re
import sqlite3

from ..access import Liveness, Momentary, Pictures, Reason, Sighting, SightingKey, Verdict
from ..const import LOGGER
from . import past_events
from .past_events import EventKind, PastEvent
from .retention import DEFAULT, Retention

# Deleting overwrites pictures, which takes its time on a memory card: in small bites, so that no push waits for it.
_PRUNE_AT_ONCE = 5
_FORGET_AT_ONCE = 20

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sighting (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    captured TEXT NOT NULL,
    captured_at REAL NOT NULL,
    stored_at REAL NOT NULL,
    live INTEGER NOT NULL,
    person_id TEXT,
    person_name TEXT,
    score REAL,
    threshold REAL,
    liveness TEXT NOT NULL,
    verdict TEXT NOT NULL,
    reason TEXT,
    temperature REAL,
    mask INTEGER,
    shows TEXT,
    UNIQUE (source, sequence, captured)
);
CREATE INDEX IF NOT EXISTS sighting_by_time ON sighting (captured_at);
CREATE INDEX IF NOT EXISTS sighting_by_source ON sighting (source);
CREATE INDEX IF NOT EXISTS sighting_by_source_and_time ON sighting (source, captured_at);
CREATE TABLE IF NOT EXISTS picture (
    sighting INTEGER PRIMARY KEY REFERENCES sighting (id) ON DELETE CASCADE,
    face BLOB,
    scene BLOB
);
CREATE TABLE IF NOT EXISTS complete (
    source TEXT PRIMARY KEY,
    until REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS retention (
    source TEXT PRIMARY KEY,
    span REAL NOT NULL,
    most INTEGER NOT NULL
);
"""

_INSERT = """
INSERT INTO sighting (source, sequence, captured, captured_at, stored_at, live, person_id, person_name, score,
    threshold, liveness, verdict, reason, temperature, mask, shows)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET live = 1 WHERE excluded.live AND NOT live
RETURNING id
"""

# Whom a sighting shows, by name: the same person has another number at each station, and a photo of somebody is nobody.
_WHO = f"""
CASE WHEN liveness = '{Liveness.SPOOF}' OR reason = '{Reason.SPOOF}' THEN ''
    ELSE COALESCE(NULLIF(TRIM(person_name), ''), person_id, '') END
"""

# The type of a picture is told without reading it.
_PICTURES = """
typeof(face) = 'blob' OR typeof(scene) = 'blob' AS picture, typeof(face) = 'blob' AND typeof(scene) = 'blob' AS scenery
"""

_COLUMNS = f"""
id, source, sequence, captured, captured_at, stored_at, live, person_id, person_name, score, liveness, verdict, reason,
temperature, mask, shows, {_WHO} AS who, {_PICTURES}
"""

_SELECT = f"""
SELECT {_COLUMNS} FROM sighting LEFT JOIN picture ON picture.sighting = sighting.id
WHERE (:source IS NULL OR source = :source) AND captured_at >= :start AND captured_at < :end
    AND (:person IS NULL OR person_id = :person)
    AND (:who IS NULL OR {_WHO} = :who)
    AND (:verdict IS NULL OR verdict = :verdict)
    AND (:before IS NULL OR (captured_at, id) < (SELECT captured_at, id FROM sighting WHERE id = :before))
ORDER BY captured_at DESC, id DESC LIMIT :limit
"""  # noqa: S608

_FIND = f"""
SELECT {_COLUMNS} FROM sighting LEFT JOIN picture ON picture.sighting = sighting.id WHERE id = ?
"""  # noqa: S608

# Whom the household knows by this id, and whom a station knew by its own before the household did.
_OF_PERSON = """
SELECT id FROM sighting WHERE shows = ?
UNION SELECT id FROM sighting WHERE shows IS NULL AND source = ? AND person_id = ?
"""

_SOURCES = "SELECT source AS name, COUNT(*) AS count FROM sighting GROUP BY source"

# With its time, which is called by what it is in each of them.
_TABLES = {"sighting": "captured_at", "event": "happened_at"}

_PEOPLE = f"SELECT {_WHO} AS name, COUNT(*) AS count FROM sighting GROUP BY name"  # noqa: S608

_DAY_BEFORE = "SELECT MAX(captured_at) FROM sighting WHERE captured_at < ?"

_COUNT_DAY = "SELECT COUNT(*) FROM sighting WHERE captured_at >= ? AND captured_at < ?"


_LAST = f"""
SELECT {_COLUMNS}, threshold, face, scene FROM sighting LEFT JOIN picture ON picture.sighting = sighting.id
WHERE source = ? AND live ORDER BY captured_at DESC, id DESC LIMIT 1
"""  # noqa: S608


# Rows are numbered in the order in which they were stored: the first ones are the oldest. What was fetched afterwards
# goes by when it was seen, unless a broken clock says that this was long before it came.
_PRUNE = """
DELETE FROM {table} WHERE id IN (
    SELECT id FROM (SELECT id, stored_at FROM {table} WHERE source = :source ORDER BY id LIMIT :bite)
    WHERE stored_at < :oldest
) OR id IN (
    SELECT id FROM {table} WHERE source = :source AND id <= (
        SELECT id FROM {table} WHERE source = :source ORDER BY id DESC LIMIT 1 OFFSET :most
    ) ORDER BY id LIMIT :bite
) OR id IN (
    SELECT id FROM {table} WHERE source = :source AND {time} < :oldest AND {time} > stored_at - :span
    ORDER BY {time} LIMIT :bite
)
"""

_REFERENCE = re.compile(r"([0-9]{1,18})-[0-9a-f]{16}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSighting:
    """One row of history. `live` is False for what was fetched from the device afterwards.

    `household` is whether `person_id` is the household's own. `reference` names it for good, and cannot be guessed from
    that of another. `scenery` is whether a picture of the whole scene is kept beside the close-up. `who` is the name or
    id of the person, empty for a stranger and a spoof.
    """

    id: int
    reference: str
    source: str
    sequence: int
    captured_at: datetime
    live: bool
    person_id: str | None
    person_name: str | None
    household: bool
    who: str
    score: float | None
    liveness: Liveness
    verdict: Verdict
    reason: Reason | None
    temperature: float | None
    mask: bool | None
    picture: bool
    scenery: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Sightings that have a source, a person or a day in common, and how many they are."""

    name: str
    count: int


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

    async def add(self, sighting: Sighting, *, live: bool) -> bool:
        """Store a sighting for good; False when the same one is there already. Raises sqlite3.Error.

        One that was fetched from the device a moment before its own push arrived counts as new once more, when it is
        `live`: else a catch-up that runs while somebody stands at the door would swallow the event.
        """
        added = await self._run(lambda: self._add(sighting, live))
        self._prune_soon("sighting", sighting.source)
        return added

    async def judged(self, sighting: Sighting) -> None:
        """Correct what came of a sighting after it was stored, and that alone. Raises sqlite3.Error.

        Whom it shows stays as it is: they may have been forgotten meanwhile.
        """
        statement = "UPDATE sighting SET verdict = ?, reason = ? WHERE source = ? AND sequence = ? AND captured = ?"
        key = (sighting.source, sighting.key.sequence, sighting.key.captured)
        came_of_it = (sighting.verdict, sighting.refused)
        await self._run(lambda: self._open_connection.execute(statement, (*came_of_it, *key)))

    async def add_event(self, event: Momentary, *, live: bool) -> bool:
        """Store for good what happened; False when it is there already. Raises sqlite3.Error."""
        added = await self._run(lambda: past_events.add(self._open_connection, event, live=live))
        self._prune_soon("event", event.source)
        return added

    async def prune(self) -> None:
        """Delete all that is too old. A house without visitors forgets its last ones too. Raises sqlite3.Error."""
        for table in _TABLES:
            for source in await self._run(partial(self._sources_in, table)):
                while await self._run(partial(self._prune, table, source)):
                    pass

    async def keep(self, source: str, retention: Retention) -> bool:
        """Set how long and how many sightings of `source` are kept; whether that is news. Raises sqlite3.Error.

        It stands in the file, so that a station that is not loaded loses nothing that the household wants kept.
        """
        return await self._run(lambda: self._keep(source, retention))

    async def complete_until(self, source: str) -> datetime | None:
        """Up to when everything that `source` saw is here; None for never.

        Not the newest sighting: one that was pushed after an outage says nothing about what was seen during it.
        """
        return await self._run(lambda: self._complete_until(source))

    async def set_complete(self, source: str, until: datetime) -> None:
        """Keep up to when everything that `source` saw is here. Raises sqlite3.Error."""
        statement = "INSERT OR REPLACE INTO complete VALUES (?, ?)"
        await self._run(lambda: self._open_connection.execute(statement, (source, until.timestamp())))

    async def last(self, source: str) -> Sighting | None:
        """The newest live sighting of `source` with its pictures: what its entities show after a restart."""
        return await self._run(lambda: self._last(source))

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
        wanted = {
            "source": source,
            "person": person,
            "who": who,
            "verdict": verdict,
            "before": before,
            # A clock that starts at midnight of 1970 is before zero in half of the world.
            "start": start.timestamp() if start else float("-inf"),
            "end": end.timestamp() if end else float("inf"),
            "limit": limit,
        }
        return await self._run(lambda: [_past(row) for row in self._open_connection.execute(_SELECT, wanted)])

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
        find = partial(past_events.find, source=source, kinds=kinds, start=start, end=end, limit=limit)
        return await self._run(lambda: find(self._open_connection))

    async def picture(self, sighting_id: int) -> bytes | None:
        """The close-up of a sighting, or its scene."""
        return await self._run(lambda: self._picture(sighting_id, "COALESCE(face, scene)"))

    async def scene(self, sighting_id: int) -> bytes | None:
        """The scene of a sighting, or its close-up."""
        return await self._run(lambda: self._picture(sighting_id, "COALESCE(scene, face)"))

    async def find(self, reference: str) -> PastSighting | None:
        """Find the sighting that a reference names."""
        if (match := _REFERENCE.fullmatch(reference)) is None:
            return None
        row = await self._run(lambda: self._open_connection.execute(_FIND, (int(match[1]),)).fetchone())
        return past if row is not None and (past := _past(row)).reference == reference else None

    async def sources(self) -> Sequence[Group]:
        """All that saw somebody."""
        return await self._run(lambda: self._groups(_SOURCES))

    async def people(self) -> Sequence[Group]:
        """All who were recognised, by name; strangers have none."""
        return await self._run(lambda: self._groups(_PEOPLE))

    async def days(self, zone: tzinfo, *, end: date | None = None, limit: int = 100) -> Sequence[Group]:
        """The days (ISO 8601) of a zone on which somebody was seen, newest first, only those before `end`."""
        return await self._run(lambda: self._days(zone, end, limit))

    async def forget(self, source: str) -> None:
        """Delete everything that `source` saw and told, overwriting it in the file."""
        for table in _TABLES:
            while await self._run(partial(self._forget_some, table, source)):
                pass
        await self._run(lambda: self._forget_rest(source))

    async def enrolled(self, sighting_id: int, person: str) -> None:
        """Remember that a sighting in which nobody of the household was recognised shows one. Raises sqlite3.Error."""
        statement = "UPDATE sighting SET shows = ? WHERE id = ? AND shows IS NULL"
        await self._run(lambda: self._open_connection.execute(statement, (person, sighting_id)))

    async def forget_person(self, person: str, aliases: Sequence[tuple[str, str]] = ()) -> None:
        """Take somebody of the household out of what was seen: who it was, and their pictures, overwritten in the file.

        That somebody came stays. `aliases` are sources, each with the id by which it knew them. Raises sqlite3.Error.
        """
        found = await self._run(lambda: self._of_person(person, aliases))
        for start in range(0, len(found), _FORGET_AT_ONCE):
            await self._run(partial(self._make_anonymous, found[start : start + _FORGET_AT_ONCE]))
        await self._run(lambda: past_events.forget_owners(self._open_connection, aliases))
        await self._run(lambda: self._open_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"))

    async def _run[T](self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    @property
    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("history is closed")
        return self._connection

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        # Kept from here on, so that `close` closes it even if the file turns out to be no database.
        self._connection = connection = sqlite3.connect(self._path, autocommit=True, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        # FULL: an acknowledged sighting must survive a power cut too. secure_delete: faces must not linger in the file.
        # Large pages, since nearly everything in the file is pictures.
        for pragma in (
            "page_size=16384",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(_SCHEMA + past_events.SCHEMA)
        if "shows" not in {row["name"] for row in connection.execute("PRAGMA table_info(sighting)")}:
            connection.execute("ALTER TABLE sighting ADD COLUMN shows TEXT")
        for table in _TABLES:
            for source in self._sources_in(table):
                self._prune_after(table, source)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _add(self, sighting: Sighting, live: bool) -> bool:
        connection = self._open_connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            row = connection.execute(_INSERT, _row(sighting, live)).fetchone()
            pictures = sighting.pictures
            if row is not None and pictures.best is not None:
                connection.execute(
                    "INSERT OR REPLACE INTO picture VALUES (?, ?, ?)", (row["id"], pictures.face, pictures.scene)
                )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        return row is not None

    def _complete_until(self, source: str) -> datetime | None:
        row = self._open_connection.execute("SELECT until FROM complete WHERE source = ?", (source,)).fetchone()
        return None if row is None else datetime.fromtimestamp(row["until"], UTC)

    def _last(self, source: str) -> Sighting | None:
        row = self._open_connection.execute(_LAST, (source,)).fetchone()
        if row is None:
            return None
        past = _past(row)
        return Sighting(
            source=past.source,
            key=SightingKey(sequence=past.sequence, captured=row["captured"]),
            captured_at=past.captured_at,
            realtime=False,
            repeated=True,
            person_id=past.person_id,
            person_name=past.person_name,
            score=past.score,
            threshold=row["threshold"],
            liveness=Liveness(row["liveness"]),
            verdict=past.verdict,
            refused=past.reason,
            temperature=past.temperature,
            mask=past.mask,
            household=past.household,
            pictures=Pictures(face=row["face"], scene=row["scene"]),
        )

    def _picture(self, sighting_id: int, which: str) -> bytes | None:
        statement = f"SELECT {which} AS picture FROM picture WHERE sighting = ?"  # noqa: S608
        row = self._open_connection.execute(statement, (sighting_id,)).fetchone()
        return None if row is None else row["picture"]

    def _groups(self, statement: str) -> Sequence[Group]:
        return [Group(name=row["name"], count=row["count"]) for row in self._open_connection.execute(statement)]

    def _days(self, zone: tzinfo, end: date | None, limit: int) -> Sequence[Group]:
        """Go from day to day: a few look-ups in an index, however many sightings there are."""
        found: builtins.list[Group] = []
        until = float("inf") if end is None else day_start(end, zone).timestamp()
        while len(found) < limit:
            (newest,) = self._open_connection.execute(_DAY_BEFORE, (until,)).fetchone()
            if newest is None:
                break
            day = datetime.fromtimestamp(newest, zone).date()
            start = day_start(day, zone).timestamp()
            (count,) = self._open_connection.execute(_COUNT_DAY, (start, until)).fetchone()
            found.append(Group(name=day.isoformat(), count=count))
            until = start
        return found

    def _keep(self, source: str, retention: Retention) -> bool:
        cursor = self._open_connection.execute(
            "INSERT INTO retention VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET span = excluded.span, "
            "most = excluded.most WHERE span != excluded.span OR most != excluded.most",
            (source, retention.span.total_seconds(), retention.most),
        )
        return cursor.rowcount > 0

    def _retention(self, source: str) -> Retention:
        row = self._open_connection.execute("SELECT span, most FROM retention WHERE source = ?", (source,)).fetchone()
        return DEFAULT if row is None else Retention(span=timedelta(seconds=row["span"]), most=row["most"])

    def _sources_in(self, table: str) -> Sequence[str]:
        rows = self._open_connection.execute(f"SELECT DISTINCT source FROM {table}")  # noqa: S608
        return [row["source"] for row in rows]

    def _forget_some(self, table: str, source: str) -> bool:
        some = f"SELECT id FROM {table} WHERE source = ? LIMIT ?"  # noqa: S608
        delete = f"DELETE FROM {table} WHERE id IN ({some})"  # noqa: S608
        return self._open_connection.execute(delete, (source, _FORGET_AT_ONCE)).rowcount > 0

    def _forget_rest(self, source: str) -> None:
        for table in ("complete", "retention"):
            self._open_connection.execute(f"DELETE FROM {table} WHERE source = ?", (source,))  # noqa: S608
        self._open_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _of_person(self, person: str, aliases: Sequence[tuple[str, str]]) -> builtins.list[int]:
        rows = (self._open_connection.execute(_OF_PERSON, (person, *alias)) for alias in aliases or [("", "")])
        return sorted({row["id"] for found in rows for row in found})

    def _make_anonymous(self, ids: Sequence[int]) -> None:
        connection = self._open_connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            rows = [(number,) for number in ids]
            connection.executemany("DELETE FROM picture WHERE sighting = ?", rows)
            statement = "UPDATE sighting SET person_id = NULL, person_name = NULL, shows = NULL WHERE id = ?"
            connection.executemany(statement, rows)
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _prune(self, table: str, source: str) -> bool:
        """Delete some of what is too old or too much; whether there was any."""
        retention = self._retention(source)
        limits = {
            "source": source,
            "oldest": (datetime.now(UTC) - retention.span).timestamp(),
            "span": retention.span.total_seconds(),
            "most": retention.most,
            "bite": _PRUNE_AT_ONCE,
        }
        statement = _PRUNE.format(table=table, time=_TABLES[table])
        return self._open_connection.execute(statement, limits).rowcount > 0

    def _prune_soon(self, table: str, source: str) -> None:
        if not self._closing:
            self._executor.submit(self._prune_after, table, source)

    def _prune_after(self, table: str, source: str) -> None:
        """Follow everything that is stored, so that this never falls behind."""
        try:
            self._prune(table, source)
        except sqlite3.Error as err:
            LOGGER.warning("Old sightings could not be deleted: %s", err)


def day_start(day: date, zone: tzinfo) -> datetime:
    """Find when a day begins in a zone."""
    return datetime.combine(day, time(), zone)


def _reference(row: sqlite3.Row) -> str:
    """Name a row so that no other is ever meant: numbers alone would lead from one picture to the next."""
    facts = repr((row["source"], row["sequence"], row["captured"], row["stored_at"]))
    return f"{row['id']}-{sha256(facts.encode()).hexdigest()[:16]}"


def _row(sighting: Sighting, live: bool) -> tuple[object, ...]:
    return (
        sighting.source,
        sighting.key.sequence,
        sighting.key.captured,
        sighting.captured_at.timestamp(),
        datetime.now(UTC).timestamp(),
        live,
        sighting.person_id,
        sighting.person_name,
        sighting.score,
        sighting.threshold,
        sighting.liveness,
        sighting.verdict,
        sighting.refused,
        sighting.temperature,
        sighting.mask,
        sighting.person_id if sighting.household else None,
    )


def _past(row: sqlite3.Row) -> PastSighting:
    return PastSighting(
        id=row["id"],
        reference=_reference(row),
        source=row["source"],
        sequence=row["sequence"],
        captured_at=datetime.fromtimestamp(row["captured_at"], UTC),
        live=bool(row["live"]),
        person_id=row["person_id"],
        person_name=row["person_name"],
        household=row["shows"] is not None and row["shows"] == row["person_id"],
        who=row["who"],
        score=row["score"],
        liveness=Liveness(row["liveness"]),
        verdict=Verdict(row["verdict"]),
        reason=None if row["reason"] is None else Reason(row["reason"]),
        temperature=row["temperature"],
        mask=None if row["mask"] is None else bool(row["mask"]),
        picture=bool(row["picture"]),
        scenery=bool(row["scenery"]),
    )

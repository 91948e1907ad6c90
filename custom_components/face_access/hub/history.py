"""Every sighting with its pictures, kept in a SQLite file of our own.

Home Assistant's recorder is not the place: it purges on its own terms, keeps no pictures, and states must not hold
biometric data. Standard-library SQLite needs no wheel, and one transaction holds the row and its pictures, so a
sighting that was acknowledged is there after a hard stop.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3

from ..access import Liveness, Pictures, Reason, Sighting, SightingKey, Verdict
from ..const import LOGGER

# Enough for a household to look back; a terminal itself keeps some thousands of records.
KEEP_FOR = timedelta(days=30)
KEEP_AT_MOST = 5000
# Deleting overwrites pictures, which takes its time on a memory card: in small bites, so that no push waits for it.
_PRUNE_AT_ONCE = 5
_FORGET_AT_ONCE = 20

_SCHEMA = """
CREATE TABLE IF NOT EXISTS sighting (
    id INTEGER PRIMARY KEY,
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
    UNIQUE (source, sequence, captured)
);
CREATE INDEX IF NOT EXISTS sighting_by_time ON sighting (captured_at);
CREATE TABLE IF NOT EXISTS picture (
    sighting INTEGER PRIMARY KEY REFERENCES sighting (id) ON DELETE CASCADE,
    face BLOB,
    scene BLOB
);
CREATE TABLE IF NOT EXISTS complete (
    source TEXT PRIMARY KEY,
    until REAL NOT NULL
);
"""

_INSERT = """
INSERT INTO sighting (source, sequence, captured, captured_at, stored_at, live, person_id, person_name, score,
    threshold, liveness, verdict, reason, temperature, mask)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET live = 1 WHERE excluded.live AND NOT live
RETURNING id
"""

_SELECT = """
SELECT id, source, sequence, captured_at, live, person_id, person_name, score, verdict, reason, temperature, mask,
    EXISTS (SELECT 1 FROM picture WHERE picture.sighting = sighting.id) AS picture
FROM sighting WHERE (:source IS NULL OR source = :source) AND captured_at >= :start AND captured_at < :end
    AND (:person IS NULL OR person_id = :person)
ORDER BY captured_at DESC, id DESC LIMIT :limit
"""


_LAST = """
SELECT sighting.*, face, scene, face IS NOT NULL OR scene IS NOT NULL AS picture
FROM sighting LEFT JOIN picture ON picture.sighting = sighting.id
WHERE source = ? AND live ORDER BY captured_at DESC, sighting.id DESC LIMIT 1
"""


# Rows are numbered in the order in which they were stored: the first ones are the oldest. What was fetched afterwards
# goes by when it was seen, unless a broken clock says that this was long before it came.
_PRUNE = """
DELETE FROM sighting WHERE id IN (
    SELECT id FROM (SELECT id, stored_at FROM sighting ORDER BY id LIMIT :bite)
    WHERE stored_at < :oldest OR id <= (SELECT MAX(id) FROM sighting) - :most
) OR id IN (
    SELECT id FROM sighting WHERE captured_at < :oldest AND captured_at > stored_at - :span
    ORDER BY captured_at LIMIT :bite
)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSighting:
    """One row of history. `live` is False for what was fetched from the device afterwards."""

    id: int
    source: str
    sequence: int
    captured_at: datetime
    live: bool
    person_id: str | None
    person_name: str | None
    score: float | None
    verdict: Verdict
    reason: Reason | None
    temperature: float | None
    mask: bool | None
    picture: bool


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
        if not self._closing:
            self._executor.submit(self._prune_after)
        return added

    async def prune(self) -> None:
        """Delete all that is too old. A house without visitors forgets its last ones too. Raises sqlite3.Error."""
        while await self._run(self._prune):
            pass

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
        start: datetime | None = None,
        end: datetime | None = None,
        limit: int = 100,
    ) -> list[PastSighting]:
        """Sightings from `start` up to but without `end`, newest first; `source` and `person` None for all."""
        wanted = {
            "source": source,
            "person": person,
            "start": start.timestamp() if start else 0,
            "end": end.timestamp() if end else float("inf"),
            "limit": limit,
        }
        return await self._run(lambda: [_past(row) for row in self._open_connection.execute(_SELECT, wanted)])

    async def picture(self, sighting_id: int) -> bytes | None:
        """The close-up of a sighting, or its scene."""
        return await self._run(lambda: self._picture(sighting_id))

    async def forget(self, source: str) -> None:
        """Delete everything that `source` saw, overwriting it in the file."""
        while await self._run(lambda: self._forget_some(source)):
            pass
        await self._run(lambda: self._forget_rest(source))

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
        connection.executescript(_SCHEMA)
        self._prune_after()

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
            pictures=Pictures(face=row["face"], scene=row["scene"]),
        )

    def _picture(self, sighting_id: int) -> bytes | None:
        row = self._open_connection.execute(
            "SELECT COALESCE(face, scene) AS best FROM picture WHERE sighting = ?", (sighting_id,)
        ).fetchone()
        return None if row is None else row["best"]

    def _forget_some(self, source: str) -> bool:
        cursor = self._open_connection.execute(
            "DELETE FROM sighting WHERE id IN (SELECT id FROM sighting WHERE source = ? LIMIT ?)",
            (source, _FORGET_AT_ONCE),
        )
        return cursor.rowcount > 0

    def _forget_rest(self, source: str) -> None:
        self._open_connection.execute("DELETE FROM complete WHERE source = ?", (source,))
        self._open_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _prune(self) -> bool:
        """Delete some of what is too old or too much; whether there was any."""
        limits = {
            "oldest": (datetime.now(UTC) - KEEP_FOR).timestamp(),
            "span": KEEP_FOR.total_seconds(),
            "most": KEEP_AT_MOST,
            "bite": _PRUNE_AT_ONCE,
        }
        return self._open_connection.execute(_PRUNE, limits).rowcount > 0

    def _prune_after(self) -> None:
        """Follow every sighting, so that this never falls behind."""
        try:
            self._prune()
        except sqlite3.Error as err:
            LOGGER.warning("Old sightings could not be deleted: %s", err)


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
    )


def _past(row: sqlite3.Row) -> PastSighting:
    return PastSighting(
        id=row["id"],
        source=row["source"],
        sequence=row["sequence"],
        captured_at=datetime.fromtimestamp(row["captured_at"], UTC),
        live=bool(row["live"]),
        person_id=row["person_id"],
        person_name=row["person_name"],
        score=row["score"],
        verdict=Verdict(row["verdict"]),
        reason=None if row["reason"] is None else Reason(row["reason"]),
        temperature=row["temperature"],
        mask=None if row["mask"] is None else bool(row["mask"]),
        picture=bool(row["picture"]),
    )

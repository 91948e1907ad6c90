"""Forgetting in history: what is too old or too much, a station that is gone, and somebody who was removed.

Deleting overwrites pictures, which takes its time on a memory card: all of it is done in small bites, so that no push
waits for it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
import sqlite3
from typing import Final

from .file import transaction
from .retention import DEFAULT, Retention

# With its time, which is called by what it is in each of them.
TABLES: Final[Mapping[str, str]] = {"sighting": "captured_at", "event": "happened_at"}

_PRUNE_AT_ONCE: Final = 5
# However little is kept: a push that comes again while it still counts as live must be known for the same one. Either
# way of now: a clock that was set back must not keep the surplus until that time comes again.
_SETTLED_AFTER: Final = timedelta(minutes=1)
FORGET_AT_ONCE: Final = 20

# Rows are numbered in the order in which they were stored: the first ones are the oldest. What was fetched afterwards
# goes by when it was seen, unless a broken clock says that this was long before it came.
_PRUNE: Final = """
DELETE FROM {table} WHERE id IN (
    SELECT id FROM (SELECT id, stored_at FROM {table} WHERE source = :source ORDER BY id LIMIT :bite)
    WHERE stored_at < :oldest
) OR id IN (
    SELECT id FROM {table} WHERE source = :source AND id <= (
        SELECT id FROM {table} WHERE source = :source ORDER BY id DESC LIMIT 1 OFFSET :most
    ) AND ABS(stored_at - :now) > :settled ORDER BY id LIMIT :bite
) OR id IN (
    SELECT id FROM {table} WHERE source = :source AND {time} < :oldest AND {time} > stored_at - :span
    ORDER BY {time} LIMIT :bite
)
"""

_KEEP: Final = """
INSERT INTO retention VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET span = excluded.span, most = excluded.most
WHERE span != excluded.span OR most != excluded.most
"""

# Whom the household knows by this id, and whom a station knew by its own before the household did.
_OF_PERSON: Final = """
SELECT id FROM sighting WHERE shows = ?
UNION SELECT id FROM sighting WHERE shows IS NULL AND source = ? AND person_id = ?
"""


def keep(connection: sqlite3.Connection, source: str, retention: Retention) -> bool:
    """Note how long and how many sightings of a source are kept; whether that is news. Raises sqlite3.Error."""
    return connection.execute(_KEEP, (source, retention.span.total_seconds(), retention.most)).rowcount > 0


def sources_in(connection: sqlite3.Connection, table: str) -> list[str]:
    """Find the sources of which a table has something."""
    return [row["source"] for row in connection.execute(f"SELECT DISTINCT source FROM {table}")]  # noqa: S608


def prune(connection: sqlite3.Connection, table: str, source: str) -> bool:
    """Delete a bite of what is too old or too much; whether there was any. Raises sqlite3.Error."""
    retention = _retention(connection, source)
    now = datetime.now(UTC)
    limits = {
        "source": source,
        "now": now.timestamp(),
        "settled": _SETTLED_AFTER.total_seconds(),
        "oldest": (now - retention.span).timestamp(),
        "span": retention.span.total_seconds(),
        "most": retention.most,
        "bite": _PRUNE_AT_ONCE,
    }
    return connection.execute(_PRUNE.format(table=table, time=TABLES[table]), limits).rowcount > 0


def _retention(connection: sqlite3.Connection, source: str) -> Retention:
    row = connection.execute("SELECT span, most FROM retention WHERE source = ?", (source,)).fetchone()
    return DEFAULT if row is None else Retention(span=timedelta(seconds=row["span"]), most=row["most"])


def forget_some(connection: sqlite3.Connection, table: str, source: str) -> bool:
    """Delete a bite of what a source saw or told; whether there was any. Raises sqlite3.Error."""
    some = f"SELECT id FROM {table} WHERE source = ? LIMIT ?"  # noqa: S608
    return connection.execute(f"DELETE FROM {table} WHERE id IN ({some})", (source, FORGET_AT_ONCE)).rowcount > 0  # noqa: S608


def forget_notes(connection: sqlite3.Connection, source: str) -> None:
    """Delete what was noted about a source itself. Raises sqlite3.Error."""
    for table in ("complete", "retention"):
        connection.execute(f"DELETE FROM {table} WHERE source = ?", (source,))  # noqa: S608


def of_person(connection: sqlite3.Connection, person: str, aliases: Sequence[tuple[str, str]]) -> list[int]:
    """Find the sightings of a person: by the household's id, and by those that sources knew them by."""
    rows = (connection.execute(_OF_PERSON, (person, *alias)) for alias in aliases or [("", "")])
    return sorted({row["id"] for found in rows for row in found})


def make_anonymous(connection: sqlite3.Connection, sightings: Sequence[int]) -> None:
    """Take pictures and names off sightings, all or none. Raises sqlite3.Error."""
    rows = [(number,) for number in sightings]
    with transaction(connection):
        connection.executemany("DELETE FROM picture WHERE sighting = ?", rows)
        statement = "UPDATE sighting SET person_id = NULL, person_name = NULL, shows = NULL WHERE id = ?"
        connection.executemany(statement, rows)

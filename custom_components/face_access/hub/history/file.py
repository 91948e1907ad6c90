"""The SQLite file of history: its tables, what a file of an older version lacks, and how it is opened.

Home Assistant's recorder is not the place: it purges on its own terms, keeps no pictures, and states must not hold
biometric data. Standard-library SQLite needs no wheel, and one transaction holds the row and its pictures, so a
sighting that was acknowledged is there after a hard stop.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import sqlite3
from typing import Final

_SCHEMA: Final = """
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
CREATE TABLE IF NOT EXISTS event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    moment INTEGER NOT NULL,
    approximate INTEGER NOT NULL,
    happened_at REAL NOT NULL,
    stored_at REAL NOT NULL,
    live INTEGER NOT NULL,
    kind TEXT NOT NULL,
    method TEXT,
    owner TEXT,
    reason TEXT,
    doors TEXT NOT NULL,
    UNIQUE (source, name, moment)
);
CREATE INDEX IF NOT EXISTS event_by_time ON event (happened_at);
CREATE INDEX IF NOT EXISTS event_by_source_and_time ON event (source, happened_at);
"""

# FULL: an acknowledged sighting must survive a power cut too. secure_delete: faces must not linger in the file. Large
# pages, since nearly everything in the file is pictures.
_PRAGMAS: Final = (
    "page_size=16384",
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
)


def connect(path: Path) -> sqlite3.Connection:
    """Connect to the file, which is made where there is none. Raises OSError and sqlite3.Error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, autocommit=True, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """Make what the file lacks. Raises sqlite3.Error when it is no database or cannot be written."""
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")
    connection.executescript(_SCHEMA)
    _take_over(connection)


def _take_over(connection: sqlite3.Connection) -> None:
    """Bring a file of an older version up to date."""
    if "shows" not in {row["name"] for row in connection.execute("PRAGMA table_info(sighting)")}:
        connection.execute("ALTER TABLE sighting ADD COLUMN shows TEXT")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Write all of it or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def overwrite_log(connection: sqlite3.Connection) -> None:
    """Have what was deleted leave the write-ahead log too."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

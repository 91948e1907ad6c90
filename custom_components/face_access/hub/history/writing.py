"""Writing into history: sightings with their pictures, what came of them, and whom they turned out to show."""

from datetime import UTC, datetime
import sqlite3
from typing import Any, Final

from ...access import Sighting
from .file import transaction

# A sighting that was fetched a moment before its own push arrived takes everything from the push: the record knows
# neither life nor our decision. It keeps its number and when it was stored, by which others may name it already.
_INSERT: Final = """
INSERT INTO sighting (source, sequence, captured, captured_at, stored_at, live, person_id, person_name, score,
    threshold, liveness, verdict, reason, temperature, mask, shows)
VALUES (:source, :sequence, :captured, :captured_at, :stored_at, :live, :person_id, :person_name, :score,
    :threshold, :liveness, :verdict, :reason, :temperature, :mask, :shows)
ON CONFLICT DO UPDATE SET live = 1, person_id = excluded.person_id, person_name = excluded.person_name,
    score = excluded.score, threshold = excluded.threshold, liveness = excluded.liveness, verdict = excluded.verdict,
    reason = excluded.reason, temperature = COALESCE(excluded.temperature, temperature),
    mask = COALESCE(excluded.mask, mask), shows = COALESCE(excluded.shows, shows)
WHERE excluded.live AND NOT live
RETURNING id
"""

_CORRECT: Final = """
UPDATE sighting SET verdict = :verdict, reason = :reason
WHERE source = :source AND sequence = :sequence AND captured = :captured
"""

# Somebody in a record of whom nothing was decided yet.
_DECIDE: Final = f"{_CORRECT} AND NOT live AND verdict = 'none'"


def add(connection: sqlite3.Connection, sighting: Sighting, *, live: bool) -> bool:
    """Store a sighting and its pictures, both or neither; whether it is a new one. Raises sqlite3.Error."""
    with transaction(connection):
        row = connection.execute(_INSERT, _row(sighting, live=live)).fetchone()
        pictures = sighting.pictures
        if row is not None and pictures.best is not None:
            connection.execute(
                "INSERT OR REPLACE INTO picture VALUES (?, ?, ?)", (row["id"], pictures.face, pictures.scene)
            )
    return row is not None


def correct(connection: sqlite3.Connection, sighting: Sighting, *, late: bool) -> bool:
    """Write what came of a sighting, and that alone; whether there was anything to write. Raises sqlite3.Error.

    Whom it shows stays as it is: they may have been forgotten meanwhile. `late` is for one whose record was fetched
    before it was decided on: what a live one came to is left alone.
    """
    return connection.execute(_DECIDE if late else _CORRECT, _row(sighting, live=False)).rowcount > 0


def enrolled(connection: sqlite3.Connection, sighting: int, person: str) -> None:
    """Note whom a sighting shows in which nobody of the household was recognised. Raises sqlite3.Error."""
    connection.execute("UPDATE sighting SET shows = ? WHERE id = ? AND shows IS NULL", (person, sighting))


def complete_until(connection: sqlite3.Connection, source: str) -> datetime | None:
    """Read up to when everything that a source saw is here; None for never."""
    row = connection.execute("SELECT until FROM complete WHERE source = ?", (source,)).fetchone()
    return None if row is None else datetime.fromtimestamp(row["until"], UTC)


def set_complete(connection: sqlite3.Connection, source: str, until: datetime) -> None:
    """Write up to when everything that a source saw is here. Raises sqlite3.Error."""
    connection.execute("INSERT OR REPLACE INTO complete VALUES (?, ?)", (source, until.timestamp()))


def _row(sighting: Sighting, *, live: bool) -> dict[str, Any]:
    return {
        "source": sighting.source,
        "sequence": sighting.key.sequence,
        "captured": sighting.key.captured,
        "captured_at": sighting.captured_at.timestamp(),
        "stored_at": datetime.now(UTC).timestamp(),
        "live": live,
        "person_id": sighting.person_id,
        "person_name": sighting.person_name,
        "score": sighting.score,
        "threshold": sighting.threshold,
        "liveness": sighting.liveness,
        "verdict": sighting.verdict,
        "reason": sighting.refused,
        "temperature": sighting.temperature,
        "mask": sighting.mask,
        "shows": sighting.person_id if sighting.household else None,
    }

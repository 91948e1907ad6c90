"""Sightings as history has them: reading them back, one by one, in pages, and by day, station or person."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from hashlib import sha256
import re
import sqlite3
from typing import Final

from ...access import Liveness, Pictures, Reason, Sighting, SightingKey, Verdict

# Whom a sighting shows, by name: the same person has another number at each station, and a photo of somebody is nobody.
_WHO: Final = f"""
CASE WHEN liveness = '{Liveness.SPOOF}' OR reason = '{Reason.SPOOF}' THEN ''
    ELSE COALESCE(NULLIF(TRIM(person_name), ''), person_id, '') END
"""

# The type of a picture is told without reading it.
_PICTURES: Final = """
typeof(face) = 'blob' OR typeof(scene) = 'blob' AS picture, typeof(face) = 'blob' AND typeof(scene) = 'blob' AS scenery
"""

_COLUMNS: Final = f"""
id, source, sequence, captured, captured_at, stored_at, live, person_id, person_name, score, liveness, verdict, reason,
temperature, mask, shows, {_WHO} AS who, {_PICTURES}
"""

_SELECT: Final = f"""
SELECT {_COLUMNS} FROM sighting LEFT JOIN picture ON picture.sighting = sighting.id
WHERE (:source IS NULL OR source = :source) AND captured_at >= :start AND captured_at < :end
    AND (:person IS NULL OR person_id = :person)
    AND (:who IS NULL OR {_WHO} = :who)
    AND (:verdict IS NULL OR verdict = :verdict)
    AND (:before IS NULL OR (captured_at, id) < (SELECT captured_at, id FROM sighting WHERE id = :before))
ORDER BY captured_at DESC, id DESC LIMIT :limit
"""  # noqa: S608

_FIND: Final = f"""
SELECT {_COLUMNS} FROM sighting LEFT JOIN picture ON picture.sighting = sighting.id WHERE id = ?
"""  # noqa: S608

_LAST: Final = f"""
SELECT {_COLUMNS}, threshold, face, scene FROM sighting LEFT JOIN picture ON picture.sighting = sighting.id
WHERE source = ? AND live ORDER BY captured_at DESC, id DESC LIMIT 1
"""  # noqa: S608

_SOURCES: Final = "SELECT source AS name, COUNT(*) AS count FROM sighting GROUP BY source"

_PEOPLE: Final = f"SELECT {_WHO} AS name, COUNT(*) AS count FROM sighting GROUP BY name"  # noqa: S608

_DAY_BEFORE: Final = "SELECT MAX(captured_at) FROM sighting WHERE captured_at < ?"

_COUNT_DAY: Final = "SELECT COUNT(*) FROM sighting WHERE captured_at >= ? AND captured_at < ?"

_REFERENCE: Final = re.compile(r"([0-9]{1,18})-[0-9a-f]{16}", re.ASCII)


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


def day_start(day: date, zone: tzinfo) -> datetime:
    """Find when a day begins in a zone."""
    return datetime.combine(day, time(), zone)


def select(
    connection: sqlite3.Connection,
    *,
    source: str | None,
    person: str | None,
    who: str | None,
    verdict: Verdict | None,
    start: datetime | None,
    end: datetime | None,
    before: int | None,
    limit: int,
) -> list[PastSighting]:
    """Read sightings as `History.list` describes them."""
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
    return [_past(row) for row in connection.execute(_SELECT, wanted)]


def find(connection: sqlite3.Connection, reference: str) -> PastSighting | None:
    """Find the sighting that a reference names."""
    if (match := _REFERENCE.fullmatch(reference)) is None:
        return None
    row = connection.execute(_FIND, (int(match[1]),)).fetchone()
    return past if row is not None and (past := _past(row)).reference == reference else None


def last(connection: sqlite3.Connection, source: str) -> Sighting | None:
    """Give the newest live sighting of a source with its pictures, as one that opens nothing."""
    row = connection.execute(_LAST, (source,)).fetchone()
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
        liveness=past.liveness,
        verdict=past.verdict,
        refused=past.reason,
        temperature=past.temperature,
        mask=past.mask,
        household=past.household,
        pictures=Pictures(face=row["face"], scene=row["scene"]),
    )


def picture(connection: sqlite3.Connection, sighting: int, *, scene: bool) -> bytes | None:
    """Read the scene or the close-up of a sighting, or the other one where it has only that."""
    row = connection.execute("SELECT face, scene FROM picture WHERE sighting = ?", (sighting,)).fetchone()
    if row is None:
        return None
    close_up: bytes | None = row["face"]
    whole: bytes | None = row["scene"]
    return (whole or close_up) if scene else (close_up or whole)


def sources(connection: sqlite3.Connection) -> list[Group]:
    """Count the sightings of each source."""
    return _groups(connection, _SOURCES)


def people(connection: sqlite3.Connection) -> list[Group]:
    """Count the sightings of each name; strangers have none."""
    return _groups(connection, _PEOPLE)


def days(connection: sqlite3.Connection, zone: tzinfo, *, end: date | None, limit: int) -> list[Group]:
    """Go from day to day, newest first: a few look-ups in an index, however many sightings there are."""
    found: list[Group] = []
    until = float("inf") if end is None else day_start(end, zone).timestamp()
    while len(found) < limit:
        (newest,) = connection.execute(_DAY_BEFORE, (until,)).fetchone()
        if newest is None:
            break
        day = datetime.fromtimestamp(newest, zone).date()
        start = day_start(day, zone).timestamp()
        (count,) = connection.execute(_COUNT_DAY, (start, until)).fetchone()
        found.append(Group(name=day.isoformat(), count=count))
        until = start
    return found


def _groups(connection: sqlite3.Connection, statement: str) -> list[Group]:
    return [Group(name=row["name"], count=row["count"]) for row in connection.execute(statement)]


def _reference(row: sqlite3.Row) -> str:
    """Name a row so that no other is ever meant: numbers alone would lead from one picture to the next."""
    facts = repr((row["source"], row["sequence"], row["captured"], row["stored_at"]))
    return f"{row['id']}-{sha256(facts.encode()).hexdigest()[:16]}"


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

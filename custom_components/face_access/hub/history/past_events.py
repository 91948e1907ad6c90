"""What happened at stations besides the faces they saw, kept in history's file: rings, passages, doors, alarms.

A passage is kept with whose card or code it was, as far as the station says; numbers of cards and codes never get here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
import json
import sqlite3
from typing import Any

from ...access import Alarm, ContactMoved, EventKey, Method, Momentary, Passage, Reason, Ring
from .file import transaction

# What a message tells of is in the station's log with a time of its own, a moment before: milliseconds.
_ABOUT_THEN = 2000

_INSERT = """
INSERT INTO event (source, name, moment, approximate, happened_at, stored_at, live, kind, method, owner, reason, doors)
VALUES (:source, :name, :moment, :approximate, :happened_at, :stored_at, :live, :kind, :method, :owner, :reason, :doors)
ON CONFLICT DO UPDATE SET live = 1 WHERE excluded.live AND NOT live
RETURNING id
"""

# The same event once more, fetched with its exact time: it takes that, so that it stands for this one alone. What comes
# live is never compared by about then: whoever understands the station has done so, and knows more.
_TAKE_EXACT = """
UPDATE event SET moment = :moment, happened_at = :happened_at, approximate = 0 WHERE id = (
    SELECT id FROM event WHERE source = :source AND name = :name AND approximate
        AND ABS(moment - :moment) <= :about AND NOT :approximate AND NOT :live
    ORDER BY ABS(moment - :moment) LIMIT 1
) AND NOT EXISTS (SELECT 1 FROM event WHERE source = :source AND name = :name AND moment = :moment)
"""

# But it may have been fetched a moment before.
_TAKE_LIVE = """
UPDATE event SET live = 1 WHERE id = (
    SELECT id FROM event WHERE source = :source AND name = :name AND NOT live
        AND ABS(moment - :moment) <= :about AND :approximate AND :live
    ORDER BY ABS(moment - :moment) LIMIT 1
)
"""

_KNOWN = """
SELECT 1 FROM event WHERE source = :source AND name = :name AND ABS(moment - :moment) <= :about
    AND :approximate AND NOT :live
"""

_SELECT = """
SELECT * FROM event WHERE (:source IS NULL OR source = :source) AND happened_at >= :start AND happened_at < :end
    AND (:kinds IS NULL OR kind IN (SELECT value FROM json_each(:kinds)))
ORDER BY happened_at DESC, id DESC LIMIT :limit
"""


class EventKind(StrEnum):
    """What happened, in one word."""

    RING = "ring"
    GRANTED = "granted"
    DENIED = "denied"
    DOOR_OPENED = "door_opened"
    DOOR_CLOSED = "door_closed"
    TAMPER = "tamper"
    DOOR_LEFT_OPEN = "door_left_open"
    SIP_LOST = "sip_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEvent:
    """One row. `live` is False for what was fetched from the station afterwards; `doors` are those that opened."""

    id: int
    source: str
    kind: EventKind
    at: datetime
    live: bool
    method: Method | None
    owner: str | None
    reason: Reason | None
    doors: tuple[str, ...]


def add(connection: sqlite3.Connection, event: Momentary, *, live: bool) -> bool:
    """Store an event, whole or not at all; whether it is a new one. Raises sqlite3.Error.

    The same one comes from the station's log and by messages, of which some know only about when it was.
    """
    row = _row(event, live=live)
    with transaction(connection):
        return not _is_known(connection, row) and connection.execute(_INSERT, row).fetchone() is not None


def _is_known(connection: sqlite3.Connection, row: dict[str, Any]) -> bool:
    return (
        connection.execute(_TAKE_EXACT, row).rowcount > 0
        or connection.execute(_TAKE_LIVE, row).rowcount > 0
        or connection.execute(_KNOWN, row).fetchone() is not None
    )


def find(
    connection: sqlite3.Connection,
    *,
    source: str | None,
    kinds: Sequence[EventKind] | None,
    start: datetime | None,
    end: datetime | None,
    limit: int,
) -> list[PastEvent]:
    """Give events from `start` up to but without `end`, newest first; None for all."""
    wanted = {
        "source": source,
        "kinds": None if kinds is None else json.dumps(kinds),
        "start": start.timestamp() if start else float("-inf"),
        "end": end.timestamp() if end else float("inf"),
        "limit": limit,
    }
    return [_past(row) for row in connection.execute(_SELECT, wanted)]


def forget_owners(connection: sqlite3.Connection, owners: Sequence[tuple[str, str]]) -> None:
    """Take people out of what happened: pairs of a source and a name there. Raises sqlite3.Error."""
    connection.executemany("UPDATE event SET owner = NULL WHERE source = ? AND owner = ?", owners)


def _row(event: Momentary, *, live: bool) -> dict[str, Any]:
    kind, passage = _kind(event), event if isinstance(event, Passage) else None
    at = event.at.timestamp()
    key = event.key or EventKey(name=kind, moment=round(at * 1000))
    return {
        "source": event.source,
        "name": key.name,
        "moment": key.moment,
        "approximate": key.approximate,
        "about": _ABOUT_THEN,
        "happened_at": at,
        "stored_at": datetime.now(UTC).timestamp(),
        "live": live,
        "kind": kind,
        "method": passage and passage.method,
        "owner": passage and passage.owner,
        "reason": passage and passage.reason,
        "doors": json.dumps(passage.doors if passage else ()),
    }


def _kind(event: Momentary) -> EventKind:
    match event:
        case Ring():
            return EventKind.RING
        case Passage():
            return EventKind.GRANTED if event.granted else EventKind.DENIED
        case ContactMoved():
            return EventKind.DOOR_OPENED if event.open else EventKind.DOOR_CLOSED
        case Alarm():
            return EventKind(event.kind.value)


def _past(row: sqlite3.Row) -> PastEvent:
    return PastEvent(
        id=row["id"],
        source=row["source"],
        kind=EventKind(row["kind"]),
        at=datetime.fromtimestamp(row["happened_at"], UTC),
        live=bool(row["live"]),
        method=None if row["method"] is None else Method(row["method"]),
        owner=row["owner"],
        reason=None if row["reason"] is None else Reason(row["reason"]),
        doors=tuple(json.loads(row["doors"])),
    )

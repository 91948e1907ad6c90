"""The SQLite file of people: what is asked of it and what is changed in it. Blocking: for the one thread that owns it.

A change is one transaction, so a hard stop leaves either all of it or nothing. Whatever is done raises sqlite3.Error.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
import json
from pathlib import Path
import sqlite3

from .findings import Learned, Seen
from .holding import Gone, Holding, HoldingState
from .model import Profile, digest
from .refusal import Refusal
from .schema import prepare

_PUT_GONE = "INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?)"
_PUT_HOLDING = (
    "INSERT OR REPLACE INTO holding (target, key, person, alias, facts, photos, state, code, words, field)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_HOLDINGS = "SELECT target, key, person, alias, facts, photos, state, code, words, field FROM holding"


class PeopleFile:
    """One file."""

    def __init__(self, path: Path) -> None:
        """Remember where; `open` does the work."""
        self.path = path
        self._connection: sqlite3.Connection | None = None

    @property
    def connection(self) -> sqlite3.Connection:
        """The connection, once it is open."""
        if self._connection is None:
            raise sqlite3.ProgrammingError("the store of people is not open")
        return self._connection

    def open(self) -> tuple[list[Profile], list[Holding], list[Gone]]:
        """Open or make the file, and read what everybody needs at once. Raises ValueError for another version's."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        self._connection = connection = sqlite3.connect(self.path, autocommit=True, check_same_thread=False)
        # FULL: who was added must survive a power cut. secure_delete: faces must not linger in the file.
        for pragma in (
            "page_size=16384",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        prepare(connection)
        try:
            profiles = [
                Profile.from_json(row[0]) for row in connection.execute("SELECT profile FROM person ORDER BY rowid")
            ]
        except (KeyError, TypeError) as err:
            raise ValueError("the file of people is of another version") from err
        holdings = [_holding(row) for row in connection.execute(_HOLDINGS)]
        gone = [
            Gone(target=row[0], key=row[1], person=row[2], facts=row[3])
            for row in connection.execute("SELECT target, key, person, facts FROM gone")
        ]
        return profiles, holdings, gone

    def close(self) -> None:
        """Close it, if it was opened."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    # People

    def add(self, profile: Profile, photos: Sequence[bytes], holding: Holding | None) -> None:
        """Add somebody, with what a target has of them already."""
        with self._transaction() as connection:
            connection.execute("INSERT INTO person VALUES (?, ?, ?)", (profile.id, profile.key, profile.to_json()))
            connection.executemany("INSERT INTO photo VALUES (?, ?, ?)", _photo_rows(profile.id, photos))
            if holding is not None:
                connection.execute(_PUT_HOLDING, _holding_row(holding))
                # By that key the target knows them from now on, and nobody of before.
                connection.execute("DELETE FROM gone WHERE target = ? AND key = ?", (holding.target, holding.key))

    def update(self, profile: Profile, photos: Sequence[bytes] | None) -> None:
        """Write somebody anew; what was learned of photos that are no longer theirs goes."""
        with self._transaction() as connection:
            connection.execute("UPDATE person SET profile = ? WHERE id = ?", (profile.to_json(), profile.id))
            if photos is not None:
                connection.execute("DELETE FROM photo WHERE person = ?", (profile.id,))
                connection.executemany("INSERT INTO photo VALUES (?, ?, ?)", _photo_rows(profile.id, photos))
                connection.execute(
                    "DELETE FROM template WHERE person = ?1"
                    " AND photo NOT IN (SELECT digest FROM photo WHERE person = ?1)",
                    (profile.id,),
                )

    def remove(self, person: str, departs: bool, gone: Sequence[Gone]) -> None:
        """Remove somebody with all that was kept of them."""
        with self._transaction() as connection:
            connection.executemany(_PUT_GONE, map(_gone_row, gone))
            connection.execute("DELETE FROM person WHERE id = ?", (person,))
            if departs:
                connection.execute("INSERT OR IGNORE INTO departed VALUES (?)", (person,))
        self._forget_log()

    def departed(self) -> tuple[str, ...]:
        """Read who departed and is not forgotten everywhere."""
        return tuple(row[0] for row in self.connection.execute("SELECT person FROM departed"))

    def forgotten(self, person: str) -> None:
        """Somebody is forgotten everywhere."""
        self.connection.execute("DELETE FROM departed WHERE person = ?", (person,))

    # Photos, and what was found out

    def photos(self, person: str) -> dict[str, bytes]:
        """Read the photos that were kept, by their names."""
        rows = self.connection.execute(
            "SELECT digest, content FROM photo WHERE person = ? AND content IS NOT NULL", (person,)
        )
        return dict(rows.fetchall())

    def keep_instead(self, person: str, contents: Mapping[str, bytes | None]) -> None:
        """Put something else in the place of photos."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE photo SET content = ? WHERE person = ? AND digest = ?",
                [(content, person, name) for name, content in contents.items()],
            )
        self._forget_log()

    def _forget_log(self) -> None:
        """Empty the log beside the file, which holds what was there before."""
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def learn(self, person: str, learned: Mapping[str, Learned]) -> None:
        """Put what was learned in the place of what was before."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM template WHERE person = ?", (person,))
            connection.executemany(
                "INSERT INTO template SELECT person, digest, ?, ? FROM photo WHERE person = ? AND digest = ?",
                [
                    (None if one.template is None else json.dumps(one.template), one.code, person, photo)
                    for photo, one in learned.items()
                ],
            )

    def learned(self, person: str | None) -> dict[str, dict[str, Learned]]:
        """Read what was learned, of everybody with None."""
        found: dict[str, dict[str, Learned]] = {}
        rows = self.connection.execute(
            "SELECT person, photo, content, code FROM template WHERE ?1 IS NULL OR person = ?1", (person,)
        )
        for owner, photo, content, code in rows:
            template = None if content is None else json.loads(content)
            found.setdefault(owner, {})[photo] = Learned(template=template, code=code)
        return found

    def see(self, person: str, seen: Seen) -> None:
        """Keep when and where somebody was last seen."""
        self.connection.execute(
            "INSERT OR REPLACE INTO seen SELECT id, ?, ?, ? FROM person WHERE id = ?",
            (seen.at.timestamp(), seen.place, seen.picture, person),
        )

    def seen(self) -> dict[str, Seen]:
        """Read when and where everybody was last seen."""
        rows = self.connection.execute("SELECT person, at, place, picture FROM seen")
        return {row[0]: Seen(at=datetime.fromtimestamp(row[1], UTC), place=row[2], picture=row[3]) for row in rows}

    # Targets

    def keep(self, holdings: Sequence[Holding]) -> None:
        """Keep what targets were given."""
        with self._transaction() as connection:
            connection.executemany(_PUT_HOLDING, map(_holding_row, holdings))

    def drop(self, target: str, key: str | None, gone: Sequence[Gone]) -> None:
        """Forget what a target was given of one person, of everybody with None, but for what must be remembered."""
        with self._transaction() as connection:
            connection.execute("DELETE FROM holding WHERE target = ?1 AND (?2 IS NULL OR key = ?2)", (target, key))
            connection.executemany(_PUT_GONE, map(_gone_row, gone))


def _photo_rows(person: str, photos: Sequence[bytes]) -> list[tuple[str, str, bytes]]:
    return [(person, digest(photo), photo) for photo in photos]


def _gone_row(gone: Gone) -> tuple[str, str, str, str]:
    return gone.target, gone.key, gone.person, gone.facts


def _holding_row(holding: Holding) -> tuple[str | None, ...]:
    refusal = holding.refusal
    return (
        holding.target,
        holding.key,
        holding.person,
        holding.alias,
        holding.facts,
        holding.photos,
        holding.state,
        *((None, "", "") if refusal is None else (refusal.code, refusal.words, refusal.field)),
    )


def _holding(row: tuple[str, str, str, str, str, str, str, str | None, str, str]) -> Holding:
    target, key, person, alias, facts, photos, state, code, words, field = row
    return Holding(
        target=target,
        key=key,
        person=person,
        alias=alias,
        facts=facts,
        photos=photos,
        state=HoldingState(state),
        # Of earlier versions, some that are still to be given have a code of before.
        refusal=Refusal(code, words, field) if state == HoldingState.REFUSED and code is not None else None,
    )

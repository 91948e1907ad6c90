"""The people of the household and what each target was given, kept in a SQLite file of our own.

Photos are biometric data: they live here, in the config directory, and in no config entry, log or state. One
transaction holds a person and their photos, so a hard stop leaves either all of a change or nothing. What every reader
needs at once (profiles, and who was given to whom) is in memory as well; photos are read when they are needed.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
import json
from pathlib import Path
import sqlite3
from types import MappingProxyType
from typing import Any

from .model import PersonError, Profile, is_new_key

_SCHEMA = """
CREATE TABLE IF NOT EXISTS person (
    id TEXT PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    profile TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS photo (
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    digest TEXT NOT NULL,
    content BLOB,
    PRIMARY KEY (person, digest)
);
CREATE TABLE IF NOT EXISTS seen (
    person TEXT PRIMARY KEY REFERENCES person (id) ON DELETE CASCADE,
    at REAL NOT NULL,
    place TEXT NOT NULL,
    picture BLOB
);
CREATE TABLE IF NOT EXISTS template (
    person TEXT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    photo TEXT NOT NULL,
    content TEXT,
    code TEXT,
    PRIMARY KEY (person, photo)
);
CREATE TABLE IF NOT EXISTS departed (
    person TEXT PRIMARY KEY
);
CREATE TABLE IF NOT EXISTS gone (
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    person TEXT NOT NULL,
    facts TEXT NOT NULL,
    PRIMARY KEY (target, key)
);
CREATE TABLE IF NOT EXISTS holding (
    target TEXT NOT NULL,
    key TEXT NOT NULL,
    person TEXT NOT NULL,
    alias TEXT NOT NULL,
    facts TEXT NOT NULL,
    photos TEXT NOT NULL,
    state TEXT NOT NULL,
    code TEXT,
    PRIMARY KEY (target, key)
);
"""
# Enough to tell somebody else by, and too little to guess a card number from.
_GIST = 4
# The target of a key of ours that is gone: such a key means the same wherever it turns up.
_EVERYWHERE = ""
_PUT_GONE = "INSERT OR REPLACE INTO gone VALUES (?, ?, ?, ?)"
_PUT_HOLDING = "INSERT OR REPLACE INTO holding VALUES (?, ?, ?, ?, ?, ?, ?, ?)"


class HoldingState(StrEnum):
    """How far a target is with a person."""

    PENDING = "pending"
    """Given or about to be given; whether it arrived is not known."""
    HELD = "held"
    """The target has it."""
    REFUSED = "refused"
    """The target said no; `code` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """What a target was given of a person, under the key `key`; sightings there name them `alias`.

    `facts` and `photos` are digests of what was given; empty where nothing arrived for certain.
    """

    target: str
    key: str
    person: str
    alias: str
    facts: str = ""
    photos: str = ""
    state: HoldingState = HoldingState.PENDING
    code: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A key by which a target knew somebody, and that means nobody there any more, should it turn up again.

    `person` is who it was where they are still of the house, else empty; nothing else of them is kept. `facts` is the
    beginning of the digest of what the target had, for keys that the target may give to somebody else; empty for ours.
    """

    target: str
    key: str
    person: str = ""
    facts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """When (aware) and where a person was last seen: `place` is what the household calls the station."""

    at: datetime
    place: str
    picture: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What recognition made of one photo: a template as plain data, or the code of why there is none.

    Both are None where the photo is fine and adds nothing to the others. Biometric: in no repr, log or diagnostics.
    """

    template: Mapping[str, Any] | None = field(default=None, repr=False)
    code: str | None = None


def digest(photo: bytes) -> str:
    """Make the name of a photo."""
    return sha256(photo).hexdigest()


class PeopleStore:
    """The store. One thread owns the connection: writes keep their order, and the event loop never waits for a disk."""

    def __init__(self, path: Path) -> None:
        """Remember where; `open` does the work."""
        self._path = path
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="face_access_people")
        self._connection: sqlite3.Connection | None = None
        self._closed = False
        self._writing = asyncio.Lock()
        self._changes: set[asyncio.Task[Any]] = set()
        self._profiles: dict[str, Profile] = {}
        self._holdings: dict[str, dict[str, Holding]] = {}
        self._keys: dict[str, str] = {}
        self._gone: dict[tuple[str, str], Gone] = {}

    async def open(self) -> None:
        """Open or make the file. Raises sqlite3.Error when it is not a database, ValueError when it is another's."""
        profiles, holdings, gone = await self._run(self._open)
        self._profiles = {profile.id: profile for profile in profiles}
        self._keys = {profile.key: profile.id for profile in profiles}
        self._gone = {(each.target, each.key): each for each in gone}
        for holding in holdings:
            self._holdings.setdefault(holding.target, {})[holding.key] = holding

    async def close(self) -> None:
        """Finish what was asked for, then close."""
        await self._run(self._close)
        self._closed = True
        self._executor.shutdown()

    # People

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """Everybody, by id."""
        return MappingProxyType(self._profiles)

    async def add(self, profile: Profile, photos: Sequence[bytes] = (), holding: Holding | None = None) -> Profile:
        """Add a person with their photos (JPEG), and return them. Raises PersonError where the id is taken.

        `holding` is what a target has of them already, where they come from there.
        """
        return await self._whole(self._add_whole(profile, photos, holding))

    async def _add_whole(self, profile: Profile, photos: Sequence[bytes], holding: Holding | None) -> Profile:
        async with self._writing:
            if profile.id in self._profiles:
                raise PersonError("person_exists")
            profile = replace(profile, photos=_digests(photos)).checked()
            await self._run(lambda: self._add(profile, photos, holding))
            self._profiles[profile.id] = profile
            self._keys[profile.key] = profile.id
            if holding is not None:
                self._holdings.setdefault(holding.target, {})[holding.key] = holding
        return profile

    async def update(self, profile: Profile, photos: Sequence[bytes] | None = None) -> Profile:
        """Write a person anew; photos None keeps theirs. Raises PersonError where there is nobody of that id."""
        return await self._whole(self._update_whole(profile, photos))

    async def _update_whole(self, profile: Profile, photos: Sequence[bytes] | None) -> Profile:
        async with self._writing:
            if (known := self._profiles.get(profile.id)) is None:
                raise PersonError("person_unknown")
            names = known.photos if photos is None else _digests(photos)
            profile = replace(profile, key=known.key, photos=names).checked()
            await self._run(lambda: self._update(profile, photos))
            self._profiles[profile.id] = profile
        return profile

    async def remove(self, person: str, *, departs: bool = False) -> None:
        """Remove a person with their photos, overwriting them in the file. Raises PersonError for nobody.

        What targets were given of them stays known until each target has forgotten it; one who `departs` is among
        `departed` until what was seen of them is forgotten as well.
        """
        await self._whole(self._remove_whole(person, departs))

    async def _remove_whole(self, person: str, departs: bool) -> None:
        async with self._writing:
            if person not in self._profiles:
                raise PersonError("person_unknown")
            key = self._profiles[person].key
            gone = [Gone(target=_EVERYWHERE, key=key), *self._gone_with(person)]
            await self._run(lambda: self._remove(person, departs, gone))
            del self._profiles[person]
            del self._keys[key]
            self._bury(gone)

    def _gone_with(self, person: str) -> list[Gone]:
        """Find by which keys of their own choice targets know, or knew, somebody who is removed."""
        known = [
            Gone(target=target, key=holding.key, facts=holding.facts[:_GIST])
            for target, holdings in self._holdings.items()
            for holding in holdings.values()
            if holding.person == person and not is_new_key(holding.key)
        ]
        return [*(replace(each, person="") for each in self._gone.values() if each.person == person), *known]

    def _bury(self, gone: Iterable[Gone]) -> None:
        self._gone.update({(each.target, each.key): each for each in gone})

    async def departed(self) -> tuple[str, ...]:
        """Read who was removed and is still to be forgotten elsewhere."""
        return await self._run(
            lambda: tuple(row[0] for row in self._open_connection.execute("SELECT person FROM departed"))
        )

    async def forgotten(self, person: str) -> None:
        """Somebody who departed is forgotten everywhere."""
        await self._run(lambda: self._write("DELETE FROM departed WHERE person = ?", (person,)))

    async def photos(self, person: str) -> tuple[bytes, ...]:
        """Read a person's photos in their order; fewer where they were not to be kept."""
        return tuple((await self.named_photos(person)).values())

    async def named_photos(self, person: str) -> dict[str, bytes]:
        """Read a person's photos by their names, in their order; without those that were not to be kept."""
        names = self._profiles[person].photos if person in self._profiles else ()
        kept = await self._run(lambda: self._photos(person))
        return {name: kept[name] for name in names if name in kept}

    async def keep_instead(self, person: str, contents: Mapping[str, bytes | None]) -> None:
        """Put something smaller in the place of photos, or nothing. They keep their names: no target wants them anew.

        Raises PersonError for nobody.
        """
        await self._whole(self._keep_instead_whole(person, contents))

    async def _keep_instead_whole(self, person: str, contents: Mapping[str, bytes | None]) -> None:
        async with self._writing:
            if person not in self._profiles:
                raise PersonError("person_unknown")
            await self._run(lambda: self._keep_instead(person, contents))

    async def learn(self, person: str, learned: Mapping[str, Learned]) -> None:
        """Put what was learned of a person's photos, by their names, in the place of what was before.

        Photos that are no longer theirs are passed over, and so is a person who is gone by now.
        """
        await self._whole(self._run(lambda: self._learn(person, learned)))

    async def learned(self, person: str | None = None) -> dict[str, dict[str, Learned]]:
        """Read what was learned of everybody, or of one person, by the names of their photos."""
        return await self._run(lambda: self._learned(person))

    async def see(self, person: str, seen: Seen) -> None:
        """Keep when and where a person was last seen; for somebody who is gone by now, nothing."""
        await self._run(lambda: self._see(person, seen))

    async def seen(self) -> dict[str, Seen]:
        """Read when and where everybody was last seen."""
        return await self._run(self._seen)

    # Targets

    def holdings(self, target: str) -> Mapping[str, Holding]:
        """What a target was given, by key."""
        return MappingProxyType(self._holdings.get(target, {}))

    def person_of(self, key: str) -> str | None:
        """Find whose key of ours that is, on whatever target it turns up."""
        return self._keys.get(key)

    @property
    def keys(self) -> Mapping[str, str]:
        """Whose every key of ours is or was; empty for whoever is gone."""
        gone = {key: "" for target, key in self._gone if target == _EVERYWHERE}
        return gone | self._keys

    def gone(self, target: str, key: str) -> Gone | None:
        """Find out whether a key is one that means nobody any more, on this target or on any."""
        return self._gone.get((_EVERYWHERE, key)) or self._gone.get((target, key))

    @property
    def targets(self) -> frozenset[str]:
        """Every target that was given something."""
        return frozenset(self._holdings)

    async def keep(self, holdings: Iterable[Holding]) -> None:
        """Keep what targets were given, all in one transaction."""
        if kept := tuple(holdings):
            await self._whole(self._keep_whole(kept))

    async def _keep_whole(self, kept: tuple[Holding, ...]) -> None:
        await self._run(lambda: self._keep(kept))
        for holding in kept:
            self._holdings.setdefault(holding.target, {})[holding.key] = holding

    async def drop(self, target: str, key: str) -> None:
        """A target has forgotten somebody: by that key it knows nobody of ours from now on."""
        await self._whole(self._drop_whole(target, key))

    async def _drop_whole(self, target: str, key: str) -> None:
        held = self._holdings.get(target, {})
        gone = self._gone_from([held[key]] if key in held else [])
        await self._run(lambda: self._drop(gone, "DELETE FROM holding WHERE target = ? AND key = ?", (target, key)))
        held.pop(key, None)
        self._bury(gone)

    async def drop_target(self, target: str) -> None:
        """A target is gone, with all it was given."""
        await self._whole(self._drop_target_whole(target))

    async def _drop_target_whole(self, target: str) -> None:
        gone = self._gone_from(self._holdings.get(target, {}).values())
        await self._run(lambda: self._drop(gone, "DELETE FROM holding WHERE target = ?", (target,)))
        self._holdings.pop(target, None)
        self._bury(gone)

    def _gone_from(self, holdings: Iterable[Holding]) -> list[Gone]:
        """Find what must be remembered of holdings that go. A key of ours speaks for itself."""
        return [
            Gone(
                target=holding.target,
                key=holding.key,
                person=holding.person if holding.person in self._profiles else "",
                facts=holding.facts[:_GIST],
            )
            for holding in holdings
            if not is_new_key(holding.key)
        ]

    # In the thread

    async def _run[T](self, work: Callable[[], T]) -> T:
        if self._closed:
            raise sqlite3.ProgrammingError("the store of people is closed")
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    async def _whole[T](self, change: Coroutine[Any, Any, T]) -> T:
        """Finish a change even if its caller gives up in the middle: memory must say what the file says."""
        task = asyncio.create_task(change)
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)
        return await asyncio.shield(task)

    @property
    def _open_connection(self) -> sqlite3.Connection:
        if self._connection is None:
            raise sqlite3.ProgrammingError("the store of people is not open")
        return self._connection

    def _open(self) -> tuple[list[Profile], list[Holding], list[Gone]]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        self._connection = connection = sqlite3.connect(self._path, autocommit=True, check_same_thread=False)
        # FULL: who was added must survive a power cut. secure_delete: faces must not linger in the file.
        for pragma in (
            "page_size=16384",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(_SCHEMA)
        try:
            profiles = [
                Profile.from_json(row[0]) for row in connection.execute("SELECT profile FROM person ORDER BY rowid")
            ]
        except (KeyError, TypeError) as err:
            raise ValueError("the file of people is of another version") from err
        gone = [
            Gone(target=row[0], key=row[1], person=row[2], facts=row[3])
            for row in connection.execute("SELECT * FROM gone")
        ]
        return profiles, [_holding(row) for row in connection.execute("SELECT * FROM holding")], gone

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._open_connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        self._open_connection.execute(statement, values)

    def _add(self, profile: Profile, photos: Sequence[bytes], holding: Holding | None) -> None:
        with self._transaction() as connection:
            connection.execute("INSERT INTO person VALUES (?, ?, ?)", (profile.id, profile.key, profile.to_json()))
            connection.executemany("INSERT INTO photo VALUES (?, ?, ?)", _photo_rows(profile.id, photos))
            if holding is not None:
                connection.execute(_PUT_HOLDING, _holding_row(holding))

    def _update(self, profile: Profile, photos: Sequence[bytes] | None) -> None:
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

    def _learn(self, person: str, learned: Mapping[str, Learned]) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM template WHERE person = ?", (person,))
            connection.executemany(
                "INSERT INTO template SELECT person, digest, ?, ? FROM photo WHERE person = ? AND digest = ?",
                [
                    (None if one.template is None else json.dumps(one.template), one.code, person, photo)
                    for photo, one in learned.items()
                ],
            )

    def _learned(self, person: str | None) -> dict[str, dict[str, Learned]]:
        found: dict[str, dict[str, Learned]] = {}
        rows = self._open_connection.execute(
            "SELECT person, photo, content, code FROM template WHERE ?1 IS NULL OR person = ?1", (person,)
        )
        for owner, photo, content, code in rows:
            template = None if content is None else json.loads(content)
            found.setdefault(owner, {})[photo] = Learned(template=template, code=code)
        return found

    def _drop(self, gone: Sequence[Gone], statement: str, values: tuple[object, ...]) -> None:
        with self._transaction() as connection:
            connection.execute(statement, values)
            connection.executemany(_PUT_GONE, map(_gone_row, gone))

    def _remove(self, person: str, departs: bool, gone: Sequence[Gone]) -> None:
        with self._transaction() as connection:
            connection.executemany(_PUT_GONE, map(_gone_row, gone))
            connection.execute("DELETE FROM person WHERE id = ?", (person,))
            if departs:
                connection.execute("INSERT OR IGNORE INTO departed VALUES (?)", (person,))
        # The log beside the file holds what was there before.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _photos(self, person: str) -> dict[str, bytes]:
        rows = self._open_connection.execute(
            "SELECT digest, content FROM photo WHERE person = ? AND content IS NOT NULL", (person,)
        )
        return dict(rows.fetchall())

    def _keep_instead(self, person: str, contents: Mapping[str, bytes | None]) -> None:
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE photo SET content = ? WHERE person = ? AND digest = ?",
                [(content, person, name) for name, content in contents.items()],
            )
        self._open_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _see(self, person: str, seen: Seen) -> None:
        self._open_connection.execute(
            "INSERT OR REPLACE INTO seen SELECT id, ?, ?, ? FROM person WHERE id = ?",
            (seen.at.timestamp(), seen.place, seen.picture, person),
        )

    def _seen(self) -> dict[str, Seen]:
        rows = self._open_connection.execute("SELECT * FROM seen")
        return {row[0]: Seen(at=datetime.fromtimestamp(row[1], UTC), place=row[2], picture=row[3]) for row in rows}

    def _keep(self, holdings: tuple[Holding, ...]) -> None:
        with self._transaction() as connection:
            connection.executemany(_PUT_HOLDING, map(_holding_row, holdings))


def _digests(photos: Sequence[bytes]) -> tuple[str, ...]:
    names = tuple(map(digest, photos))
    if len(set(names)) != len(names):
        raise PersonError("person_photo_twice")
    return names


def _photo_rows(person: str, photos: Sequence[bytes]) -> list[tuple[str, str, bytes]]:
    return [(person, digest(photo), photo) for photo in photos]


def _gone_row(gone: Gone) -> tuple[str, str, str, str]:
    return gone.target, gone.key, gone.person, gone.facts


def _holding_row(holding: Holding) -> tuple[object, ...]:
    return (
        holding.target,
        holding.key,
        holding.person,
        holding.alias,
        holding.facts,
        holding.photos,
        holding.state,
        holding.code,
    )


def _holding(row: tuple[str, str, str, str, str, str, str, str | None]) -> Holding:
    target, key, person, alias, facts, photos, state, code = row
    return Holding(
        target=target,
        key=key,
        person=person,
        alias=alias,
        facts=facts,
        photos=photos,
        state=HoldingState(state),
        code=code,
    )

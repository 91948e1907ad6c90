"""The people of the household and what each target was given, kept in a SQLite file of our own.

Photos are biometric data: they live here, in the config directory, and in no config entry, log or state. What every
reader needs at once (profiles, and who was given to whom) is in memory as well; photos are read when they are needed.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
import sqlite3
from types import MappingProxyType
from typing import Any

from .file import PeopleFile
from .findings import Learned, Seen
from .holding import EVERYWHERE, Gone, Holding, gone_of
from .model import PersonError, Profile, digest


class PeopleStore:
    """The store. One thread owns the connection: writes keep their order, and the event loop never waits for a disk."""

    def __init__(self, path: Path) -> None:
        """Remember where; `open` does the work."""
        self._file = PeopleFile(path)
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="face_access_people")
        self._closed = False
        self._writing = asyncio.Lock()
        self._changes: set[asyncio.Task[Any]] = set()
        self._profiles: dict[str, Profile] = {}
        self._holdings: dict[str, dict[str, Holding]] = {}
        self._keys: dict[str, str] = {}
        self._gone: dict[tuple[str, str], Gone] = {}

    async def open(self) -> None:
        """Open or make the file. Raises sqlite3.Error when it is not a database, ValueError when it is another's."""
        profiles, holdings, gone = await self._run(self._file.open)
        self._profiles = {profile.id: profile for profile in profiles}
        self._keys = {profile.key: profile.id for profile in profiles}
        self._gone = {(each.target, each.key): each for each in gone}
        for holding in holdings:
            self._holdings.setdefault(holding.target, {})[holding.key] = holding

    async def close(self) -> None:
        """Finish what was asked for, then close."""
        await self._run(self._file.close)
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
            await self._run(lambda: self._file.add(profile, photos, holding))
            self._profiles[profile.id] = profile
            self._keys[profile.key] = profile.id
            if holding is not None:
                self._holdings.setdefault(holding.target, {})[holding.key] = holding
                self._gone.pop((holding.target, holding.key), None)
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
            await self._run(lambda: self._file.update(profile, photos))
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
            gone = [Gone(target=EVERYWHERE, key=key), *self._gone_with(person)]
            await self._run(lambda: self._file.remove(person, departs, gone))
            del self._profiles[person]
            del self._keys[key]
            self._bury(gone)

    def _gone_with(self, person: str) -> list[Gone]:
        """Find by which keys of their own choice targets know, or knew, somebody who is removed."""
        theirs = [each for held in self._holdings.values() for each in held.values() if each.person == person]
        return [
            *(replace(each, person="") for each in self._gone.values() if each.person == person),
            *gone_of(theirs, ()),
        ]

    def _bury(self, gone: Iterable[Gone]) -> None:
        self._gone.update({(each.target, each.key): each for each in gone})

    async def departed(self) -> tuple[str, ...]:
        """Read who was removed and is still to be forgotten elsewhere."""
        return await self._run(self._file.departed)

    async def forgotten(self, person: str) -> None:
        """Somebody who departed is forgotten everywhere."""
        await self._run(lambda: self._file.forgotten(person))

    async def photos(self, person: str) -> tuple[bytes, ...]:
        """Read a person's photos in their order; fewer where they were not to be kept."""
        return tuple((await self.named_photos(person)).values())

    async def named_photos(self, person: str) -> dict[str, bytes]:
        """Read a person's photos by their names, in their order; without those that were not to be kept."""
        names = self._profiles[person].photos if person in self._profiles else ()
        kept = await self._run(lambda: self._file.photos(person))
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
            await self._run(lambda: self._file.keep_instead(person, contents))

    async def learn(self, person: str, learned: Mapping[str, Learned]) -> None:
        """Put what was learned of a person's photos, by their names, in the place of what was before.

        Photos that are no longer theirs are passed over, and so is a person who is gone by now.
        """
        await self._whole(self._run(lambda: self._file.learn(person, learned)))

    async def learned(self, person: str | None = None) -> dict[str, dict[str, Learned]]:
        """Read what was learned of everybody, or of one person, by the names of their photos."""
        return await self._run(lambda: self._file.learned(person))

    async def see(self, person: str, seen: Seen) -> None:
        """Keep when and where a person was last seen; for somebody who is gone by now, nothing."""
        await self._run(lambda: self._file.see(person, seen))

    async def seen(self) -> dict[str, Seen]:
        """Read when and where everybody was last seen."""
        return await self._run(self._file.seen)

    # Targets

    def holdings(self, target: str) -> Mapping[str, Holding]:
        """What a target was given, by key."""
        return MappingProxyType(self._holdings.get(target, {}))

    def whose(self, holding: Holding) -> str:
        """Find who is meant by what a target was given; empty for somebody who was removed since.

        Somebody else may have their id by now, and is not the one whose face the target has.
        """
        gone = self.gone(holding.target, holding.key)
        return holding.person if gone is None or (gone.person and gone.person == holding.person) else ""

    def person_of(self, key: str) -> str | None:
        """Find whose key of ours that is, on whatever target it turns up."""
        return self._keys.get(key)

    @property
    def keys(self) -> Mapping[str, str]:
        """Whose every key of ours is or was; empty for whoever is gone."""
        gone = {key: "" for target, key in self._gone if target == EVERYWHERE}
        return gone | self._keys

    def gone(self, target: str, key: str) -> Gone | None:
        """Find out whether a key is one that means nobody any more, on this target or on any."""
        return self._gone.get((EVERYWHERE, key)) or self._gone.get((target, key))

    @property
    def targets(self) -> frozenset[str]:
        """Every target that was given something."""
        return frozenset(self._holdings)

    async def keep(self, holdings: Iterable[Holding]) -> None:
        """Keep what targets were given, all in one transaction."""
        if kept := tuple(holdings):
            await self._whole(self._keep_whole(kept))

    async def _keep_whole(self, kept: tuple[Holding, ...]) -> None:
        await self._run(lambda: self._file.keep(kept))
        for holding in kept:
            self._holdings.setdefault(holding.target, {})[holding.key] = holding

    async def drop(self, target: str, key: str) -> None:
        """A target has forgotten somebody: by that key it knows nobody of ours from now on."""
        await self._whole(self._drop_whole(target, key))

    async def drop_target(self, target: str) -> None:
        """A target is gone, with all it was given."""
        await self._whole(self._drop_whole(target, None))

    async def _drop_whole(self, target: str, key: str | None) -> None:
        held = self._holdings.get(target, {})
        dropped = list(held.values()) if key is None else [held[key]] if key in held else []
        gone = gone_of([replace(each, person=self.whose(each)) for each in dropped], self._profiles)
        await self._run(lambda: self._file.drop(target, key, gone))
        if key is None:
            self._holdings.pop(target, None)
        else:
            held.pop(key, None)
        self._bury(gone)

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


def _digests(photos: Sequence[bytes]) -> tuple[str, ...]:
    names = tuple(map(digest, photos))
    if len(set(names)) != len(names):
        raise PersonError("person_photo_twice")
    return names

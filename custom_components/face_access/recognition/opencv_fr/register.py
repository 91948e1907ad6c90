"""A collection of OpenCV FR Server as the register of the house, which alone knows who is in it."""

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, override

from ..errors import (
    DuplicateError,
    EngineAuthError,
    EngineError,
    EngineFaultError,
    EngineLimitError,
    EngineNotFoundError,
    EngineRefusedError,
    EngineUnableError,
    PhotoRefusedError,
)
from ..interface import Member, Rebuilt
from ..remote.words import Unfit
from .client import Enrolment, OpenCvFrClient, Storage

_BULK: Final = 20
_BULK_BYTES: Final = 8 * 1024 * 1024
"""How many people and how many bytes of photos go in one bulk enrolment; the server's limit is in no document."""
_LASTING: Final = (EngineAuthError, EngineFaultError, EngineLimitError, EngineNotFoundError)
"""What is not about one person: it ends the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is checked of somebody who is enrolled.

    `duplicates` is the likeness (0-1) from which a face counts as one that is there already under another key, None for
    no such check; `liveness` refuses photos of photos, and many good ones that miss its requirements.
    """

    duplicates: float | None = None
    liveness: bool = False

    @property
    def any(self) -> bool:
        """Whether anything is checked, which a bulk enrolment cannot do."""
        return self.duplicates is not None or self.liveness


@dataclass(slots=True)
class _Batch:
    """Those who wait for the next bulk enrolment."""

    waiting: list[tuple[Member, tuple[bytes, ...]]] = field(default_factory=list)
    size: int = 0

    def add(self, member: Member, photos: tuple[bytes, ...]) -> None:
        self.waiting.append((member, photos))
        self.size += len(photos[0])

    @property
    def full(self) -> bool:
        return len(self.waiting) >= _BULK or self.size >= _BULK_BYTES


class _Nobody(AsyncIterator[Member]):
    """The people of a register that cannot be read."""

    @override
    async def __anext__(self) -> Member:
        raise StopAsyncIteration


class OpenCvFrRegister:
    """Who is in one collection, as far as it can be changed from outside."""

    lists = False
    deletes = False

    def __init__(self, client: OpenCvFrClient, collection: str, *, storage: Storage, checks: Checks) -> None:
        self._client = client
        self._collection = collection
        self._storage = storage
        self._checks = checks
        self.anew = False

    async def ensure(self) -> None:
        """Make the collection where there is none. One that was made is empty, whoever was in it before: `anew`."""
        self.anew |= await self._make()

    async def _make(self) -> bool:
        """Make the collection; False where there is one."""
        try:
            await self._client.create_collection(self._collection)
        except DuplicateError:
            return False
        return True

    def as_held(self, member: Member) -> Member:
        """As it is given: nothing that the server says could be compared with it."""
        return member

    def all(self) -> AsyncIterator[Member]:
        """Nobody: the server does not tell."""
        return _Nobody()

    async def find(self, key: str) -> Member | None:
        """Nobody: the server does not tell."""
        del key
        return None

    async def put(self, member: Member, photos: tuple[bytes, ...] | None) -> None:
        """Enrol or change somebody by the first photo that the server takes.

        It is in no document whether a second enrolment of a key adds a face or replaces the one that is there, so one
        photo is what everybody has. Raises EngineUnableError without photos, PhotoRefusedError, DuplicateError.
        """
        if photos is None:
            raise EngineUnableError("the server changes nobody without a photo")
        try:
            await self._put(member, photos)
        except EngineNotFoundError:
            await self.ensure()
            await self._put(member, photos)

    async def remove(self, key: str) -> None:
        """Raise EngineUnableError: only a rebuilt collection is without somebody."""
        del key
        raise EngineUnableError("the server removes nobody; its collection has to be rebuilt")

    async def rebuild(self, people: AsyncIterable[tuple[Member, tuple[bytes, ...]]]) -> Rebuilt:
        """Delete the collection with all in it, make it again, and enrol `people`. See `interface.Rebuild`."""
        with suppress(EngineNotFoundError):
            await self._client.delete_collection(self._collection)
        # Whoever rebuilds knows that nobody is left.
        await self._make()
        self.anew = False
        held: list[str] = []
        refused: dict[str, EngineRefusedError] = {}
        batch = _Batch()

        async def each(member: Member, photos: tuple[bytes, ...]) -> None:
            await self._sort(member.key, lambda: self._put(member, photos), held, refused)

        async def all_of_batch() -> None:
            for member, photos in await self._bulk(batch.waiting, held):
                await each(member, photos)
            batch.waiting, batch.size = [], 0

        async for member, photos in people:
            if self._checks.any or not photos:
                await each(member, photos)
                continue
            batch.add(member, photos)
            if batch.full:
                await all_of_batch()
        if batch.waiting:
            await all_of_batch()
        return Rebuilt(held=tuple(held), refused=refused)

    async def _bulk(
        self, people: list[tuple[Member, tuple[bytes, ...]]], held: list[str]
    ) -> list[tuple[Member, tuple[bytes, ...]]]:
        """Enrol many; those who have to be enrolled one by one, to find out whose photo is refused, or by another."""
        try:
            result = await self._client.enrol_many(
                self._collection, [_enrolment(member, photos[0]) for member, photos in people], storage=self._storage
            )
        except PhotoRefusedError:
            # One photo can spoil the whole call; which one is not told.
            return people
        for error in result.refused.values():
            if isinstance(error, _LASTING):
                raise error
        if result.unclear:
            return people
        held.extend(member.key for member, _ in people if member.key not in result.refused)
        return [(member, photos) for member, photos in people if member.key in result.refused]

    @staticmethod
    async def _sort(
        key: str, put: Callable[[], Awaitable[None]], held: list[str], refused: dict[str, EngineRefusedError]
    ) -> None:
        """Enrol one, and note what came of it. What is not about this person is raised."""
        try:
            await put()
        except _LASTING:
            raise
        except EngineRefusedError as err:
            refused[key] = err
        else:
            held.append(key)

    async def _put(self, member: Member, photos: tuple[bytes, ...]) -> None:
        """Try one photo after the other. Raises what was said about the last one."""
        error: EngineError = PhotoRefusedError("no_photo", (Unfit.NO_FACE,), "there is no photo")
        for photo in photos:
            try:
                await self._client.enrol(
                    self._collection,
                    _enrolment(member, photo),
                    storage=self._storage,
                    duplicate_similarity=self._checks.duplicates,
                    liveness=self._checks.liveness,
                )
            except PhotoRefusedError as err:
                error = err
            else:
                return
        raise error


def _enrolment(member: Member, photo: bytes) -> Enrolment:
    metadata = {**member.metadata, "role": member.role.value}
    return Enrolment(key=member.key, name=member.name, photo=photo, metadata=metadata)

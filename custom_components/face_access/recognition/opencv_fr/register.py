"""A collection of OpenCV FR Server as the register of the house, which alone knows who is in it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, override

from ..errors import (
    DuplicateError,
    EngineAuthError,
    EngineError,
    EngineFaultError,
    EngineForbiddenError,
    EngineLimitError,
    EngineNotFoundError,
    EngineUnableError,
    PhotoRefusedError,
)
from ..interface import Member
from ..remote.words import Unfit
from .client import Enrolment, OpenCvFrClient, Storage

_LASTING: Final = (EngineAuthError, EngineFaultError, EngineForbiddenError, EngineLimitError, EngineNotFoundError)
"""What is not about one person, but about the server."""


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


class _Nobody(AsyncIterator[Member]):
    """The people of a register that cannot be read."""

    @override
    async def __anext__(self) -> Member:
        raise StopAsyncIteration


class OpenCvFrRegister:
    """Who is in one collection, as far as it can be changed from outside."""

    lists = False
    deletes = False
    # Whether a second enrolment takes the photo of the first one away is in no document: only a rebuild does.
    terms = ""

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

    async def empty(self) -> None:
        """Delete the collection with all in it, and make it again. Whoever asks knows that nobody is left."""
        with suppress(EngineNotFoundError):
            await self._client.delete_collection(self._collection)
        await self._make()
        self.anew = False

    async def put_many(self, people: Sequence[tuple[Member, tuple[bytes, ...]]]) -> frozenset[str]:
        """Enrol many by their first photos. See `interface.EnrolMany`."""
        enrolments = [_enrolment(member, photos[0]) for member, photos in people if photos]
        if not enrolments:
            return frozenset()
        try:
            answer = await self._client.enrol_many(self._collection, enrolments, storage=self._storage)
        except EngineNotFoundError:
            await self.ensure()
            answer = await self._client.enrol_many(self._collection, enrolments, storage=self._storage)
        for error in answer.refused.values():
            if isinstance(error, _LASTING):
                raise error
        return frozenset() if answer.unclear else frozenset({one.key for one in enrolments} - answer.refused.keys())

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

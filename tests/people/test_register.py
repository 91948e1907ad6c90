"""A server's register as a target of sync: what it holds, and what its errors mean to sync."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from typing import Any

import pytest

from custom_components.face_access.access import Role
from custom_components.face_access.devices.errors import (
    StationAuthError,
    StationConnectionError,
    StationError,
    StationPhotoError,
    StationProtocolError,
    StationRefusedError,
    StationTimeoutError,
)
from custom_components.face_access.devices.station import Enrolment
from custom_components.face_access.people.register import RegisterTarget
from custom_components.face_access.recognition.errors import (
    DuplicateError,
    EngineAuthError,
    EngineFaultError,
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnableError,
    EngineUnreachableError,
    PhotoRefusedError,
    PictureError,
    RecognitionError,
)
from custom_components.face_access.recognition.interface import EngineInfo, Member, RemoteEngine

ANNA = Enrolment(key="k", name="Anna with a name that is long", role=Role.BLOCKED, card=7, suspended=True, text="Hello")
PHOTO = b"\xff\xd8\xff photo"


class Register:
    """A register in memory that fails when it is told to."""

    def __init__(self, *, lists: bool = True, deletes: bool = True) -> None:
        self.lists, self.deletes, self.anew = lists, deletes, False
        self.terms = ""
        self.members: dict[str, Member] = {}
        self.error: RecognitionError | None = None

    def as_held(self, member: Member) -> Member:
        return Member(key=member.key, name=member.name[:10], role=member.role)

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error

    async def all(self) -> AsyncIterator[Member]:
        self._fail()
        for member in self.members.values():
            yield member

    async def find(self, key: str) -> Member | None:
        self._fail()
        return self.members.get(key)

    async def put(self, member: Member, photos: tuple[bytes, ...] | None) -> None:
        self._fail()
        self.members[member.key] = self.as_held(member)

    async def remove(self, key: str) -> None:
        self._fail()
        self.members.pop(key, None)

    async def put_many(self, people: Sequence[tuple[Member, tuple[bytes, ...]]]) -> frozenset[str]:
        for member, photos in people:
            await self.put(member, photos)
        return frozenset(member.key for member, _ in people)


async def ask(question: Awaitable[Any]) -> Any:
    return await question


def target(register: Register, *, photos_always: bool = False, many: bool = True) -> RegisterTarget:
    async def probe() -> EngineInfo:
        return EngineInfo(name="x")

    engine = RemoteEngine(
        probe=probe,
        register=register,
        photos_always=photos_always,
        enrol_many=register.put_many if many else None,
    )
    return RegisterTarget(engine, register, ask)


async def test_only_what_a_server_has_room_for() -> None:
    """Neither card nor dates: doors are decided here."""
    register = Register()
    people = target(register)
    held = people.as_held(ANNA)
    assert held == Enrolment(key="k", name="Anna with ", role=Role.BLOCKED)
    await people.put(ANNA, (PHOTO,))
    assert [each async for each in people.all()] == [held]
    assert await people.find("k") == held
    assert await people.find("nobody") is None
    assert people.sighted_as(ANNA) == "k"
    assert await people.photo("k") is None
    await people.remove("k")
    assert register.members == {}


async def test_many_at_once() -> None:
    """Where the server takes them so."""
    register = Register()
    assert target(register, many=False).put_many is None
    put_many = target(register).put_many
    assert put_many is not None
    assert await put_many([(ANNA, (PHOTO,)), (Enrolment(key="b", name="Bob"), (PHOTO,))]) == {"k", "b"}
    assert register.members["k"] == Member(key="k", name="Anna with ", role=Role.BLOCKED)


async def test_a_change_where_a_photo_is_always_wanted() -> None:
    """Whoever syncs then gives the photos."""
    people = target(Register(), photos_always=True)
    with pytest.raises(StationRefusedError) as caught:
        await people.put(ANNA, None)
    assert caught.value.code == "record_not_found"


async def test_nobody_can_be_removed() -> None:
    register = Register(lists=False, deletes=False)
    people = target(register)
    assert not people.lists
    await people.put(ANNA, (PHOTO,))
    with pytest.raises(StationRefusedError) as caught:
        await people.remove("k")
    assert caught.value.code == "cannot_remove"
    assert "k" in register.members


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (EngineTimeoutError("x"), StationTimeoutError, None),
        (EngineUnreachableError("x"), StationConnectionError, None),
        (EngineFaultError("500"), StationConnectionError, None),
        (EngineAuthError("x"), StationAuthError, None),
        (EngineProtocolError("x"), StationProtocolError, None),
        (EngineUnableError("x"), StationProtocolError, None),
        (EngineNotFoundError("404"), StationRefusedError, "record_not_found"),
        (DuplicateError("409"), StationRefusedError, "duplicate_face"),
        (EngineLimitError("too_many_requests"), StationRefusedError, "busy"),
        (EngineLimitError("HTTP 429"), StationRefusedError, "busy"),
        (EngineLimitError("conflict"), StationRefusedError, "busy"),
        (EngineLimitError("licence_limit"), StationRefusedError, "limit_reached"),
        (EngineRefusedError("400"), StationRefusedError, "server_refused"),
        (PictureError("x"), StationPhotoError, "photo_photo_unreadable"),
        (PhotoRefusedError("x", ("no_face",)), StationPhotoError, "photo_face_not_found"),
        (PhotoRefusedError("x", ("a word of theirs", "covered")), StationPhotoError, "photo_face_is_occluded"),
        (PhotoRefusedError("x", ("a word of theirs",)), StationPhotoError, "photo_unclear"),
        (PhotoRefusedError("x"), StationPhotoError, "photo_unclear"),
        (RecognitionError("x"), StationPhotoError, "photo_unclear"),
    ],
)
async def test_errors(error: RecognitionError, kind: type[StationError], code: str | None) -> None:
    """In the words of stations, the same for each call."""
    register = Register()
    register.error = error
    people = target(register)

    async def everybody() -> None:
        async for _ in people.all():
            pass

    put_many = people.put_many
    assert put_many is not None
    many = put_many([(ANNA, (PHOTO,))])
    for call in (everybody(), people.find("k"), people.put(ANNA, (PHOTO,)), people.remove("k"), many):
        with pytest.raises(kind) as caught:
            await call
        assert type(caught.value) is kind
        if isinstance(caught.value, StationRefusedError):
            assert caught.value.code == code

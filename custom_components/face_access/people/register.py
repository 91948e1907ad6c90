"""The register of a recognition server (a watchlist, a collection) as a target of sync.

A server only has to know faces by our keys: cards, doors and dates stay in the house, which decides.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from typing import Final, Protocol

from ..devices.errors import (
    StationAuthError,
    StationConnectionError,
    StationError,
    StationPhotoError,
    StationProtocolError,
    StationRefusedError,
    StationTimeoutError,
)
from ..devices.station import Enrolment
from ..recognition.errors import (
    DuplicateError,
    EngineAuthError,
    EngineError,
    EngineFaultError,
    EngineLimitError,
    EngineNotFoundError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnreachableError,
    PhotoRefusedError,
    PictureError,
    RecognitionError,
)
from ..recognition.interface import Member, Register, RemoteEngine
from ..recognition.remote.words import CONFLICT, Unfit
from .bulk import People, PutMany

CANNOT_REMOVE: Final = "cannot_remove"
DUPLICATE_FACE: Final = "duplicate_face"
SERVER_REFUSED: Final = "server_refused"
PHOTO_CODES: Final[Mapping[str, str]] = {
    Unfit.NO_FACE: "photo_face_not_found",
    Unfit.SEVERAL_FACES: "photo_too_many_faces",
    Unfit.FACE_TOO_SMALL: "photo_face_too_small",
    Unfit.FACE_TOO_CLOSE: "photo_face_too_close",
    Unfit.CUT_OFF: "photo_face_cropped",
    Unfit.NEAR_BORDER: "photo_face_close_to_border",
    Unfit.TURNED_AWAY: "photo_face_angle_too_large",
    Unfit.COVERED: "photo_face_is_occluded",
    Unfit.EYES_CLOSED: "photo_eyes_closed",
    Unfit.MOUTH_OPEN: "photo_mouth_open",
    Unfit.POOR_QUALITY: "photo_poor_quality",
    Unfit.TOO_DARK: "photo_face_too_dark",
    Unfit.TOO_BRIGHT: "photo_face_too_bright",
    Unfit.NOT_LIVE: "photo_face_not_live",
    Unfit.NOT_A_PICTURE: "photo_photo_unreadable",
    Unfit.TOO_LARGE: "photo_too_large",
    Unfit.UNCLEAR: "photo_unclear",
}
"""Why a photo will not do, in the words of refusals."""
_GONE: Final = "record_not_found"
_BUSY: Final = "busy"
_FULL: Final = "limit_reached"


class Ask(Protocol):
    """Awaits an answer of the engine, for whoever wants to know how the server does."""

    async def __call__[T](self, question: Awaitable[T]) -> T:
        """Await it. Raises what it raises."""


class RegisterTarget:
    """Holds people as a server's register does; see `devices.station.People`."""

    knows_faces = True

    def __init__(self, engine: RemoteEngine, register: Register, ask: Ask) -> None:
        """Bind to the register of an engine."""
        self._register = register
        self._photos_always = engine.photos_always
        self._enrol_many = engine.enrol_many
        self._ask = ask

    @property
    def lists(self) -> bool:
        """Whether the server can say whom it knows. Where it cannot, what we wrote down is all that is known."""
        return self._register.lists

    @property
    def put_many(self) -> PutMany | None:
        """How many people are given at once; None where the server takes one at a time."""
        enrol_many = self._enrol_many
        if enrol_many is None:
            return None

        async def put(people: People) -> Collection[str]:
            try:
                return await self._ask(enrol_many([(_member(one), photos) for one, photos in people]))
            except RecognitionError as err:
                raise _as_station(err) from err

        return put

    def as_held(self, enrolment: Enrolment) -> Enrolment:
        """Give what the server has room for: key, name and role."""
        return _enrolment(self._register.as_held(_member(enrolment)))

    def sighted_as(self, enrolment: Enrolment) -> str:
        """Matches name people by our keys."""
        return enrolment.key

    async def all(self) -> AsyncIterator[Enrolment]:
        """Everybody on the list; nobody where the server does not tell."""
        members = self._register.all()
        while True:
            try:
                member = await self._ask(anext(members))
            except StopAsyncIteration:
                return
            except RecognitionError as err:
                raise _as_station(err) from err
            yield _enrolment(member)

    async def find(self, key: str) -> Enrolment | None:
        """Find one by the key."""
        try:
            member = await self._ask(self._register.find(key))
        except RecognitionError as err:
            raise _as_station(err) from err
        return None if member is None else _enrolment(member)

    async def photo(self, key: str) -> bytes | None:
        """Photos stay where they are."""
        del key
        return None

    async def put(self, enrolment: Enrolment, photos: tuple[bytes, ...] | None) -> None:
        """Add or change somebody."""
        if photos is None and self._photos_always:
            # Whoever asks has the photos, and gives them where nobody is to be changed.
            raise StationRefusedError(_GONE)
        try:
            await self._ask(self._register.put(_member(enrolment), photos))
        except RecognitionError as err:
            raise _as_station(err) from err

    async def remove(self, key: str) -> None:
        """Remove somebody. Where the server cannot, they stay on it, and nobody here minds their matches."""
        if not self._register.deletes:
            raise StationRefusedError(CANNOT_REMOVE)
        try:
            await self._ask(self._register.remove(key))
        except RecognitionError as err:
            raise _as_station(err) from err


def _member(enrolment: Enrolment) -> Member:
    return Member(key=enrolment.key, name=enrolment.name, role=enrolment.role)


def _enrolment(member: Member) -> Enrolment:
    return Enrolment(key=member.key, name=member.name, role=member.role)


def _as_station(err: RecognitionError) -> StationError:
    """Say what an engine said in the words of stations, which sync knows."""
    if isinstance(err, PhotoRefusedError):
        return _photo(err.reasons, err.code)
    if isinstance(err, EngineLimitError):
        # A licence that is full stays so; too many requests, or two who write at once, are over soon.
        passing = "429" in err.code or "too_many" in err.code or err.code == CONFLICT
        return StationRefusedError(_BUSY if passing else _FULL, err.code)
    make = next((make for kind, make in _WORDS if isinstance(err, kind)), None)
    return StationPhotoError(PHOTO_CODES[Unfit.UNCLEAR]) if make is None else make(err)


# The most specific class comes first.
_WORDS: Final[tuple[tuple[type[RecognitionError], Callable[[RecognitionError], StationError]], ...]] = (
    (EngineTimeoutError, lambda err: StationTimeoutError(str(err))),
    (EngineUnreachableError, lambda err: StationConnectionError(str(err))),
    # Something is broken there for now: the round ends, and another one comes.
    (EngineFaultError, lambda err: StationConnectionError(str(err))),
    (EngineAuthError, lambda err: StationAuthError(str(err))),
    (PictureError, lambda _err: StationPhotoError(PHOTO_CODES[Unfit.NOT_A_PICTURE])),
    (EngineNotFoundError, lambda _err: StationRefusedError(_GONE)),
    (DuplicateError, lambda _err: StationRefusedError(DUPLICATE_FACE)),
    (EngineRefusedError, lambda err: StationRefusedError(SERVER_REFUSED, getattr(err, "words", ""))),
    (EngineError, lambda err: StationProtocolError(str(err))),
)


def _photo(reasons: tuple[str, ...], code: str) -> StationPhotoError:
    known = next((PHOTO_CODES[reason] for reason in reasons if reason in PHOTO_CODES), PHOTO_CODES[Unfit.UNCLEAR])
    return StationPhotoError(known, ", ".join(reasons) or code)

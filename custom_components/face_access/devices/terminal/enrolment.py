"""The people of a terminal as a target of sync (HTTP API 2.1)."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from typing import Final

from ...access import Role
from ..errors import InvalidValueError, StationPhotoError, StationRefusedError
from ..station import Enrolment
from .codes import ReplyCode
from .people import NAME_LIMIT
from .person import PersonData, PersonQuery, Role as DeviceRole, StoredPerson, UploadMode
from .state import TerminalState
from .values import CUSTOMER_TEXT_LIMIT, Moment, Term
from .wire import cut_text

# What a terminal says of a photo, and not of the person or of itself (1.6).
_PHOTO_CODES: Final = frozenset(
    code.key
    for code in (
        ReplyCode.FEATURE_EXTRACTION_FAILED,
        ReplyCode.QUALITY_TOO_LOW,
        ReplyCode.IMAGE_DECODING_FAILED,
        ReplyCode.IMAGE_TOO_LARGE,
        ReplyCode.NORMALIZATION_FAILED,
        ReplyCode.FACE_TOO_SMALL,
        ReplyCode.FACE_QUALITY_TOO_LOW,
        ReplyCode.NOT_ONE_FACE,
        ReplyCode.FACE_INCOMPLETE,
    )
)
# An upload takes no ordinary people (2.1.2): whoever is not blocked is on the allowed list.
_ROLES: Final[Mapping[Role, DeviceRole]] = {
    Role.NORMAL: DeviceRole.ALLOWED,
    Role.ALLOWED: DeviceRole.ALLOWED,
    Role.BLOCKED: DeviceRole.BLOCKED,
}
_HELD_ROLES: Final[Mapping[int, Role]] = {
    DeviceRole.ORDINARY: Role.NORMAL,
    DeviceRole.ALLOWED: Role.ALLOWED,
    DeviceRole.BLOCKED: Role.BLOCKED,
}


class TerminalPeople:
    """Whom the terminal recognises."""

    knows_faces = True

    def __init__(self, state: TerminalState) -> None:
        """Bind to a terminal."""
        self._people = state.client.people
        self._zone = state.time_zone

    def as_held(self, enrolment: Enrolment) -> Enrolment:
        """Cut and round as the terminal does."""
        zone, suspended = self._zone, _suspended(enrolment)
        return replace(
            enrolment,
            name=_cut(enrolment.name, NAME_LIMIT),
            role=Role.BLOCKED if enrolment.role is Role.BLOCKED else Role.ALLOWED,
            # 0 is how the terminal writes that there is none.
            card=enrolment.card or None,
            valid_from=_read(_local(enrolment.valid_from, zone), zone),
            valid_until=None if suspended else _read(_local(enrolment.valid_until, zone), zone),
            suspended=suspended,
            text=_cut(enrolment.text, CUSTOMER_TEXT_LIMIT),
            door=None,
        )

    def sighted_as(self, enrolment: Enrolment) -> str:
        """Pushes carry the id."""
        return enrolment.key

    async def all(self) -> AsyncIterator[Enrolment]:
        """Read everybody, twenty at a time."""
        async for person in self._people.all():
            if person.id:
                yield self._enrolment(person)

    async def find(self, key: str) -> Enrolment | None:
        """Read one person."""
        return next((self._enrolment(person) for person in await self._with_id(key)), None)

    async def photo(self, key: str) -> bytes | None:
        """Read the registered picture, which the terminal has made smaller."""
        return next((image for person in await self._with_id(key, images=True) for image in person.images), None)

    async def put(self, enrolment: Enrolment, photos: tuple[bytes, ...] | None) -> None:
        """Upload (2.1.2) with the first photo that the terminal can use, or without one."""
        data = self._data(enrolment)
        mode = UploadMode.MODIFY if photos is None else UploadMode.AUTO
        refused: StationPhotoError | None = None
        for photo in photos or (None,):
            try:
                await self._people.upload(replace(data, photo=photo), mode)
            except StationRefusedError as err:
                if photo is None or err.code not in _PHOTO_CODES:
                    raise
                # The first photo is the one that the household thinks best of: its reason is the one to tell.
                refused = refused or StationPhotoError(err.code, err.detail)
            else:
                return
        if refused is not None:
            raise refused

    async def remove(self, key: str) -> None:
        """Delete by id (2.1.5)."""
        await self._people.delete(key)

    async def _with_id(self, key: str, *, images: bool = False) -> tuple[StoredPerson, ...]:
        page = await self._people.page(1, 1, PersonQuery(id=key, images=images))
        return tuple(person for person in page.items if person.id == key)

    def _data(self, enrolment: Enrolment) -> PersonData:
        start = _local(enrolment.valid_from, self._zone)
        end = Term.NEVER if _suspended(enrolment) else _local(enrolment.valid_until, self._zone)
        return PersonData(
            id=enrolment.key,
            name=_cut(enrolment.name, NAME_LIMIT),
            role=_ROLES[enrolment.role],
            # What is not sent stays as it was, so that "none" must be written as well.
            card=enrolment.card or 0,
            start=start or Term.USELESS,
            end=end or Term.FOREVER,
            customer_text=_cut(enrolment.text, CUSTOMER_TEXT_LIMIT),
        )

    def _enrolment(self, person: StoredPerson) -> Enrolment:
        # Whoever is on neither list could only be written to the allowed one: they come as one who is not let in.
        suspended = person.end is Term.NEVER or person.role not in (DeviceRole.ALLOWED, DeviceRole.BLOCKED)
        return Enrolment(
            key=person.id,
            name=(person.name or "").strip(),
            # A role that no document knows is treated as the terminal treats strangers to its lists.
            role=_HELD_ROLES.get(person.role if person.role is not None else -1, Role.NORMAL),
            card=person.card,
            valid_from=_read(person.start, self._zone),
            valid_until=_read(person.end, self._zone),
            suspended=suspended,
            text=(person.customer_text or "").strip(),
            transferable=person.kind == 0 and _has_clear_times(person),
        )


def _has_clear_times(person: StoredPerson) -> bool:
    """Whether both ends can be read: to `_read`, one that cannot is no limit."""
    return (isinstance(person.start, datetime) or person.start is Term.USELESS) and (
        isinstance(person.end, datetime) or person.end in (Term.FOREVER, Term.NEVER)
    )


def _suspended(enrolment: Enrolment) -> bool:
    """Whether they must never be let in. A terminal that decides by itself opens its first door, and no other."""
    return enrolment.suspended or enrolment.door not in (None, 1)


def _cut(text: str, limit: int) -> str:
    """Cut at a character. Spaces at the ends may or may not survive in the terminal: they are left off."""
    return cut_text(text.strip(), limit).strip()


def _local(moment: datetime | None, zone: tzinfo) -> datetime | None:
    """Write a moment as the terminal's local time, which has no zone. Raises InvalidValueError."""
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InvalidValueError("valid", "must have a time zone")
    try:
        return moment.astimezone(zone).replace(tzinfo=None, microsecond=0, fold=0)
    except OverflowError:
        raise InvalidValueError("valid", "is beyond the calendar") from None


def _read(moment: Moment | None, zone: tzinfo) -> datetime | None:
    """Read the terminal's local time; its words for no limit are none."""
    if not isinstance(moment, datetime):
        return None
    try:
        return moment.replace(tzinfo=zone).astimezone(UTC)
    except OverflowError:
        return None

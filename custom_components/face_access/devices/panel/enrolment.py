"""The faces of a panel as a target of sync: identifiers with a link id of ours (`/access/identifier/items/link`)."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid5

from ...access import Role
from ..errors import InvalidValueError, StationPhotoError, StationRefusedError
from ..station import Enrolment
from .client import PanelClient
from .identifier import Identifier, IdentifierType
from .judge import NO_FACE, UNREADABLE, UPLOAD_FAILED
from .locks import ALL

# Link ids are made of our short ids in full: two people never get the same.
_SPACE: Final = UUID("5b1f5a36-6a3c-5d6e-9c41-0b1c4c1d7f10")
_MAX_NAME: Final = 255
# A panel knows no "never": a time that has long been over says it.
_OVER: Final = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
_DONE: Final = frozenset({"created", "updated"})
_PHOTO_CODES: Final = frozenset({NO_FACE, UNREADABLE, UPLOAD_FAILED})
_EXCEEDED: Final = "exceeded"


class PanelPeople:
    """Whose face the panel recognises. It has neither cards nor texts beside a face, and turns nobody away by name."""

    def __init__(self, client: PanelClient) -> None:
        """Bind to a panel."""
        self._identifiers = client.identifiers

    def as_held(self, enrolment: Enrolment) -> Enrolment:
        """Cut and round as the panel does. Somebody who is blocked is known there and never valid."""
        suspended = enrolment.suspended or enrolment.role is Role.BLOCKED
        return Enrolment(
            key=_link_id(enrolment.key),
            name=enrolment.name.strip()[:_MAX_NAME].strip(),
            valid_from=None if suspended else _whole(enrolment.valid_from),
            valid_until=None if suspended else _whole(enrolment.valid_until),
            suspended=suspended,
            door=enrolment.door,
        )

    def sighted_as(self, enrolment: Enrolment) -> str:
        """The log names the owner, and no id."""
        return self.as_held(enrolment).name

    async def all(self) -> AsyncIterator[Enrolment]:
        """Read every face that has a link id. Whoever enrolled the others gave them none, and keeps them."""
        async for identifier in self._identifiers.linked():
            if identifier.type is IdentifierType.FACE and identifier.link_id is not None:
                yield _enrolment(identifier, identifier.link_id)

    async def find(self, key: str) -> Enrolment | None:
        """Read one: the panel does not filter by link ids."""
        async for enrolment in self.all():
            if enrolment.key == key:
                return enrolment
        return None

    async def photo(self, key: str) -> bytes | None:
        """A panel keeps templates, and gives away no photo."""
        return None

    async def put(self, enrolment: Enrolment, photos: tuple[bytes, ...] | None) -> None:
        """Create or replace by the link id, with the first photo that the panel can use."""
        identifier = self._identifier(enrolment)
        if photos is None:
            await self._change(identifier)
            return
        refused: StationPhotoError | None = None
        for photo in photos:
            try:
                results = await self._identifiers.upsert_linked([replace(identifier, photo=photo)])
            except StationRefusedError as err:
                if err.code not in _PHOTO_CODES:
                    raise
                refused = refused or StationPhotoError(err.code, err.detail)
            else:
                _judge(results)
                return
        raise refused or StationPhotoError(NO_FACE)

    async def _change(self, identifier: Identifier) -> None:
        """Write anew by the uid, which leaves the face alone; the link variant might take an empty one for it."""
        async for known in self._identifiers.all(("identifier_type", IdentifierType.FACE.value)):
            if known.link_id == identifier.link_id and known.uid is not None:
                await self._identifiers.update(known.uid, identifier)
                return
        raise StationRefusedError("record_not_found")

    async def remove(self, key: str) -> None:
        """Delete by the link id."""
        await self._identifiers.delete_linked([key])

    def _identifier(self, enrolment: Enrolment) -> Identifier:
        held = self.as_held(enrolment)
        return Identifier(
            type=IdentifierType.FACE,
            owner=held.name,
            link_id=held.key,
            lock=ALL if held.door is None else held.door,
            valid_from=held.valid_from,
            valid_until=_OVER if held.suspended else held.valid_until,
        )


def _link_id(key: str) -> str:
    """Take a link id as it is, and make one of anything else."""
    try:
        return str(UUID(key))
    except ValueError:
        return str(uuid5(_SPACE, key))


def _whole(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InvalidValueError("valid", "must have a time zone")
    return moment.astimezone(UTC).replace(microsecond=0)


def _enrolment(identifier: Identifier, link_id: str) -> Enrolment:
    suspended = identifier.valid_until == _OVER
    return Enrolment(
        key=_link_id(link_id),
        name=identifier.owner.strip(),
        valid_from=None if suspended else identifier.valid_from,
        valid_until=None if suspended else identifier.valid_until,
        suspended=suspended,
        door=None if identifier.lock == ALL else identifier.lock,
    )


def _judge(results: Mapping[str, str]) -> None:
    """Pass what was done. The panel tells in words what was not."""
    for status in results.values():
        if status.strip().lower() in _DONE:
            continue
        raise StationRefusedError("limit_reached" if _EXCEEDED in status.lower() else "unknown_code", status or None)

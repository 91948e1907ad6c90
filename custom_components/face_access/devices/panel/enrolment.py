"""The people of a panel as a target of sync: identifiers with link ids of ours (`/access/identifier/items/link`)."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
import re
from typing import Final
from uuid import uuid4

from ...access import Role
from ..errors import InvalidValueError, StationError, StationPhotoError, StationRefusedError
from ..station import Enrolment
from .client import PanelClient
from .identifier import Identifier, IdentifierType
from .judge import NO_FACE, UNREADABLE, UPLOAD_FAILED, refusal
from .link_ids import Numbers, alone, beside, link_id
from .locks import ALL
from .own_people import own_people

_MAX_NAME: Final = 255
_MAX_DIGITS: Final = 10
# A panel knows no "never": a time that has long been over says it.
_OVER: Final = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
_DONE: Final = frozenset({"created", "updated"})
_PHOTO_CODES: Final = frozenset({NO_FACE, UNREADABLE, UPLOAD_FAILED})
_EXCEEDED: Final = "exceeded"


class PanelPeople:
    """Whose face and whose card the panel recognises. It has no texts beside them, and turns nobody away by name.

    A person is up to two identifiers there: the face with the link id that is their key, and the card with one that is
    made of it, which also says whether it stands beside a face or alone.
    """

    def __init__(self, client: PanelClient, *, faces: bool = True) -> None:
        """Bind to a panel; `faces` for one that recognises them, else it is given cards alone."""
        self._identifiers = client.identifiers
        self.knows_faces = faces
        self._cards: set[str] | None = None
        self._numbers = Numbers(client.identifiers)

    def as_held(self, enrolment: Enrolment) -> Enrolment:
        """Cut and round as the panel does. Somebody who is blocked is known there and never valid."""
        suspended = enrolment.suspended or enrolment.role is Role.BLOCKED
        return Enrolment(
            key=link_id(enrolment.key),
            name=enrolment.name.strip()[:_MAX_NAME].strip(),
            card=enrolment.card or None,
            valid_from=None if suspended else _whole(enrolment.valid_from),
            valid_until=None if suspended else _whole(enrolment.valid_until),
            suspended=suspended,
            door=enrolment.door,
        )

    def sighted_as(self, enrolment: Enrolment) -> str:
        """The log names the owner, and no id."""
        return self.as_held(enrolment).name

    async def all(self) -> AsyncIterator[Enrolment]:
        """Read everybody who has a link id. Whoever enrolled the others gave them none, and keeps them."""
        faces: dict[str, Enrolment] = {}
        cards: dict[str, Enrolment] = {}
        async for identifier in self._identifiers.linked():
            if identifier.link_id is None:
                continue
            if identifier.type is IdentifierType.FACE:
                faces[link_id(identifier.link_id)] = _enrolment(identifier, identifier.link_id)
            elif identifier.type is IdentifierType.CARD:
                cards[link_id(identifier.link_id)] = _enrolment(identifier, identifier.link_id)
        self._cards = set(cards)
        for key, face in faces.items():
            card = cards.pop(beside(key), None)
            # A card that counts otherwise than the face is as good as missing: it is written anew.
            same = card is not None and replace(card, key=key, card=None, transferable=face.transferable) == face
            transferable = face.transferable and (card is None or (same and card.transferable))
            yield replace(face, card=card.card if card is not None and same else None, transferable=transferable)
        for key, card in cards.items():
            yield replace(card, key=alone(key))

    async def find(self, key: str) -> Enrolment | None:
        """Read one: the panel does not filter by link ids."""
        found = None
        async for enrolment in self.all():
            if enrolment.key == key:
                found = enrolment
        return found

    async def photo(self, key: str) -> bytes | None:
        """A panel keeps templates, and gives away no photo."""
        return None

    async def put(self, enrolment: Enrolment, photos: tuple[bytes, ...] | None) -> None:
        """Create or replace by the link ids: the face with the first photo that the panel can use, and the card."""
        held = self.as_held(enrolment)
        if photos is None:
            await self._change(held)
            return
        with_face = self.knows_faces and bool(photos)
        if with_face:
            await self._put_face(held, photos)
        elif held.card is None:
            raise StationPhotoError(NO_FACE)
        await self._put_card(held, with_face=with_face)

    async def _put_face(self, held: Enrolment, photos: tuple[bytes, ...]) -> None:
        refused: StationPhotoError | None = None
        for photo in photos:
            try:
                await self._write(replace(_face(held), photo=photo))
            except StationRefusedError as err:
                if err.code not in _PHOTO_CODES:
                    raise
                refused = refused or StationPhotoError(err.code, err.detail)
            else:
                return
        raise refused or StationPhotoError(NO_FACE)

    async def _put_card(self, held: Enrolment, *, with_face: bool) -> None:
        """Write the card; another one, or one that there shall not be any more, goes first."""
        wanted = None if held.card is None else (beside if with_face else alone)(held.key)
        links = [link for link in (beside(held.key), alone(held.key)) if link != wanted]
        if self._cards is None or not self._cards.isdisjoint(links):
            await self._identifiers.delete_linked(links)
            (self._cards or set()).difference_update(links)
        if wanted is not None:
            await self._write(_card(held, wanted))
            if self._cards is not None:
                self._cards.add(wanted)

    async def _write(self, *identifiers: Identifier) -> None:
        """Create or replace by the link ids."""
        for identifier in identifiers:
            self._numbers.forget(identifier.link_id)
        _judge(await self._identifiers.upsert_linked(identifiers))

    async def _change(self, held: Enrolment) -> None:
        """Write anew by the uid, which leaves the face alone; the link variant might take an empty one for it."""
        face = await self._numbers.find(held.key, IdentifierType.FACE)
        if face is not None:
            await self._identifiers.update(face, _face(held))
        elif held.card is None or not await self._has_card(held.key):
            raise StationRefusedError("record_not_found")
        await self._put_card(held, with_face=face is not None)

    async def _has_card(self, key: str) -> bool:
        found = [await self._numbers.find(link, IdentifierType.CARD) for link in (beside(key), alone(key))]
        return found != [None, None]

    async def others(self) -> AsyncIterator[Enrolment]:
        """Read those who were enrolled at the panel itself, each with a key for when they are taken over."""
        for own in await own_people(self._identifiers):
            first = own.face or own.card
            if first is not None:
                card = None if own.card is None else _number(own.card)
                yield replace(_enrolment(first, str(uuid4())), name=own.name, card=card)

    async def take_over(self, enrolment: Enrolment) -> None:
        """Give one of `others` link ids: copies that have them first, read back, and then the originals go."""
        found = next((own for own in await own_people(self._identifiers) if own.name == enrolment.name), None)
        if found is None:
            raise StationRefusedError("record_not_found")
        found.check_transferable()
        card_link = (alone if found.face is None else beside)(enrolment.key)
        copies = [] if found.face is None else [replace(found.face, link_id=enrolment.key)]
        copies += [] if found.card is None else [replace(found.card, link_id=card_link)]
        try:
            await self._copy(copies, enrolment)
        except BaseException:
            with suppress(StationError):
                await self.remove(enrolment.key)
            raise
        await self._identifiers.delete_many(own.uid for own in found.identifiers if own.uid is not None)

    async def _copy(self, copies: list[Identifier], enrolment: Enrolment) -> None:
        await self._write(*copies)
        if await self.find(enrolment.key) != enrolment:
            raise StationRefusedError("write_failed")

    async def remove(self, key: str) -> None:
        """Delete by the link ids."""
        links = [key, beside(key), alone(key)]
        await self._identifiers.delete_linked(links)
        if self._cards is not None:
            self._cards.difference_update(links)


def _face(held: Enrolment) -> Identifier:
    return Identifier(
        type=IdentifierType.FACE,
        owner=held.name,
        link_id=held.key,
        lock=ALL if held.door is None else held.door,
        valid_from=held.valid_from,
        valid_until=_OVER if held.suspended else held.valid_until,
    )


def _card(held: Enrolment, link_id: str) -> Identifier:
    """Describe the card: ten digits, or where they do not do, bytes in hex."""
    number = str(held.card or 0)
    if len(number) > _MAX_DIGITS:
        number = f"{held.card or 0:016x}"
        number = ":".join(number[place : place + 2] for place in range(0, len(number), 2))
    return replace(_face(held), type=IdentifierType.CARD, link_id=link_id, number=number)


def _number(identifier: Identifier) -> int | None:
    """Read a card as the number that it was made of; None for one that says nothing readable."""
    text = identifier.number
    try:
        return int(re.sub("[:-]", "", text), 16) if re.search("[:-]", text) else int(text)
    except ValueError:
        return None


def _whole(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise InvalidValueError("valid", "must have a time zone")
    return moment.astimezone(UTC).replace(microsecond=0)


def _enrolment(identifier: Identifier, link: str) -> Enrolment:
    suspended = identifier.valid_until == _OVER
    return Enrolment(
        key=link_id(link),
        name=identifier.owner.strip(),
        card=_number(identifier) if identifier.type is IdentifierType.CARD else None,
        valid_from=None if suspended else identifier.valid_from,
        valid_until=None if suspended else identifier.valid_until,
        suspended=suspended,
        door=None if identifier.lock == ALL else identifier.lock,
        transferable=identifier.is_plain,
    )


def _judge(results: Mapping[str, str]) -> None:
    """Pass what was done. The panel tells in words what was not."""
    for status in results.values():
        if status.strip().lower() in _DONE:
            continue
        if _EXCEEDED in status.lower():
            raise StationRefusedError("limit_reached", status)
        raise refusal(status or None)

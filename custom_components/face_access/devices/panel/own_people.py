"""People who were enrolled at the panel itself: their faces and cards lack the link id by which sync keeps somebody."""

from dataclasses import dataclass
from typing import Final

from ..errors import NOT_TRANSFERABLE, StationRefusedError
from .identifier import Identifier, IdentifierType
from .identifiers import Identifiers

_KINDS: Final = frozenset({IdentifierType.FACE, IdentifierType.CARD})


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPerson:
    """One name that the panel keeps by itself, with the faces and cards under it. The panel knows no person beside."""

    name: str
    identifiers: tuple[Identifier, ...]

    @property
    def face(self) -> Identifier | None:
        """The face, or the first of several."""
        return self._first(IdentifierType.FACE)

    @property
    def card(self) -> Identifier | None:
        """The card, or the first of several."""
        return self._first(IdentifierType.CARD)

    def check_transferable(self) -> None:
        """Pass somebody of whom a copy counts exactly as the original. Raises StationRefusedError `not_transferable`.

        Nobody shall get in more often, longer or elsewhere for being taken over, and no second card shall go on opening
        once they are removed.
        """
        single = len(self.identifiers) == len({one.type for one in self.identifiers})
        terms = {(one.lock, one.valid_from, one.valid_until) for one in self.identifiers}
        plain = all(one.number and one.uid is not None and one.is_plain for one in self.identifiers)
        if not (single and plain and len(terms) == 1):
            raise StationRefusedError(NOT_TRANSFERABLE)

    def _first(self, kind: IdentifierType) -> Identifier | None:
        return next((one for one in self.identifiers if one.type is kind), None)


async def own_people(identifiers: Identifiers) -> tuple[OwnPerson, ...]:
    """Read everybody with a face or a card that has no link id, by name. Those without a name are nobody's.

    Some panels leave link ids out of the long list: what is in the list of those that have one is not theirs either.
    """
    linked = {_same(one) async for one in identifiers.linked()}
    by_name: dict[str, list[Identifier]] = {}
    async for one in identifiers.all():
        if one.type in _KINDS and one.link_id is None and _same(one) not in linked and (name := one.owner.strip()):
            by_name.setdefault(name, []).append(one)
    return tuple(OwnPerson(name=name, identifiers=tuple(found)) for name, found in by_name.items())


def _same(one: Identifier) -> tuple[IdentifierType, str, str]:
    return one.type, one.number, one.owner

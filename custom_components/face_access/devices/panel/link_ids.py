"""The link ids by which a panel knows people of ours, and the uids that go with them."""

from collections.abc import Mapping
import time
from typing import Final
from uuid import UUID, uuid5

from ..errors import StationProtocolError, StationRefusedError
from .identifier import IdentifierType
from .identifiers import Identifiers

# Link ids are made of our short ids in full: two people never get the same.
_SPACE: Final = UUID("5b1f5a36-6a3c-5d6e-9c41-0b1c4c1d7f10")
# For how many seconds a list counts as what the panel has. Whoever works on it by hand takes longer.
_FRESH: Final = 60.0


def link_id(key: str) -> str:
    """Take a link id as it is, and make one of anything else."""
    try:
        return str(UUID(key))
    except ValueError:
        return str(uuid5(_SPACE, key))


def beside(key: str) -> str:
    """Make the link id of a card beside a face, and the key of it again."""
    return str(UUID(int=UUID(key).int ^ 1))


def alone(key: str) -> str:
    """Make the link id of the card of somebody without a face, and the key of it again."""
    return str(UUID(int=UUID(key).int ^ 2))


class Numbers:
    """Finds uids by link ids. Only the whole list tells them: it is remembered, for the next of a thousand changes."""

    def __init__(self, identifiers: Identifiers) -> None:
        """Read nothing yet."""
        self._identifiers = identifiers
        self._uids: Mapping[tuple[str, IdentifierType], int] = {}
        self._written: set[str] = set()
        self._read_at: float | None = None

    def forget(self, link: str | None) -> None:
        """Something is written by its link id: nobody knows its uid."""
        if link is not None:
            self._written.add(link)

    async def find(self, link: str, kind: IdentifierType) -> int | None:
        """Find a uid; None where the panel has nothing of that link id and kind. Raises StationError.

        A uid of a moment ago is looked at before it is given: another identifier may have it by now.
        """
        if self._is_fresh and link not in self._written:
            uid = self._uids.get((link, kind))
            if uid is None or await self._is(uid, link, kind):
                return uid
        self._written.clear()
        self._uids = {
            (link_id(identifier.link_id), identifier.type): identifier.uid
            async for identifier in self._identifiers.all()
            if identifier.link_id is not None and identifier.uid is not None
        }
        self._read_at = time.monotonic()
        return self._uids.get((link, kind))

    @property
    def _is_fresh(self) -> bool:
        return self._read_at is not None and time.monotonic() - self._read_at < _FRESH

    async def _is(self, uid: int, link: str, kind: IdentifierType) -> bool:
        try:
            found = await self._identifiers.read(uid)
        except StationRefusedError, StationProtocolError:
            # Nothing stands there any more, or something that cannot be understood.
            return False
        return found.type is kind and found.link_id is not None and link_id(found.link_id) == link

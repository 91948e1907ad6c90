"""Gives many people at once, to a target that takes them so: in batches, and only those who need a face there."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from dataclasses import replace
import logging
from typing import Final, Protocol

from ..devices.errors import StationConnectionError, StationError, StationProtocolError, StationRefusedError
from ..devices.station import Enrolment
from .plan import Plan
from .refusal import BUSY
from .store import PeopleStore

_LOGGER: Final = logging.getLogger(__name__)
MOST: Final = 20
MOST_BYTES: Final = 8 * 1024 * 1024
"""How many people, and how many bytes of photos, go in one batch; the limit of a target is in no document."""

type People = Sequence[tuple[Enrolment, tuple[bytes, ...]]]


class PutMany(Protocol):
    """Adds or changes many people, each by their photos."""

    async def __call__(self, people: People) -> Collection[str]:
        """Give the keys of those whom the target holds now; whoever is not among them is to be given alone.

        Raises StationError.
        """


class Bulk:
    """Gives to one target during one round."""

    def __init__(self, store: PeopleStore, put_many: PutMany) -> None:
        """Begin a round: what went wrong in the last one may go well."""
        self._store = store
        self._put_many = put_many
        self._stopped = False

    async def give(self, plans: Iterable[Plan]) -> AsyncIterator[tuple[list[Plan], Collection[str]]]:
        """Give whoever needs a face: after each batch who was in it, and the keys of those who are held.

        Raises StationRefusedError `busy`, and sqlite3.Error.
        """
        batch: list[Plan] = []
        people: list[tuple[Enrolment, tuple[bytes, ...]]] = []
        size = 0
        for plan in plans:
            photos = await self._store.photos(plan.wanted.person) if plan.needs_photos and plan.wanted.photos else ()
            if not photos or self._stopped:
                continue
            batch.append(plan)
            people.append((replace(plan.wanted.enrolment, key=plan.enrolment.key), photos))
            size += sum(map(len, photos))
            if len(batch) >= MOST or size >= MOST_BYTES:
                yield batch, await self._put(people)
                batch, people, size = [], [], 0
        if batch:
            yield batch, await self._put(people)

    async def _put(self, people: People) -> Collection[str]:
        if len(people) == 1:
            return ()
        try:
            return await self._put_many(people)
        except StationRefusedError as err:
            if err.code == BUSY:
                raise
            return _nobody(people, err)
        except (StationProtocolError, StationConnectionError) as err:
            # It may not take many at all, not be done in time, or stumble over one of them. If it is away, the first
            # who is given alone finds that out.
            self._stopped = True
            return _nobody(people, err)


def _nobody(people: People, err: StationError) -> Collection[str]:
    _LOGGER.debug("%d people could not be given at once, and are given one by one: %s", len(people), err)
    return ()

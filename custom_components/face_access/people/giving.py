"""Gives people to one target, one after the other, and tells what came of it."""

import asyncio
from dataclasses import replace

from ..devices.errors import InvalidValueError, StationPhotoError, StationRefusedError
from ..devices.station import Enrolment, People
from .holding import Holding, HoldingState
from .plan import Plan
from .refusal import BUSY, FULL, GONE, INVALID, PHOTO_MISSING, Refusal
from .store import PeopleStore


class Giver:
    """Gives to one target during one round."""

    def __init__(self, target: str, people: People, store: PeopleStore) -> None:
        """Begin a round: the target may have room again."""
        self._target = target
        self._people = people
        self._store = store
        self._is_full = False
        self._ahead: tuple[str, asyncio.Task[tuple[bytes, ...]]] | None = None

    def pending(self, plan: Plan) -> Holding:
        """Make what is to be written down before a person is given."""
        return Holding(
            target=self._target,
            key=plan.enrolment.key,
            person=plan.wanted.person,
            alias=self._people.sighted_as(plan.enrolment),
            # The face that is there stays what it was until another one is on its way.
            photos=plan.photos if not plan.needs_photos else "",
        )

    def held(self, plan: Plan) -> Holding:
        """Make what is to be written down of a person whom the target holds as planned."""
        return replace(self.pending(plan), facts=plan.facts, photos=plan.photos, state=HoldingState.HELD)

    async def give(self, plan: Plan, following: Plan | None) -> Holding:
        """Give one person, and tell what came of it. While the target works, the photos of `following` are read.

        Raises StationError where the target cannot be talked to, and sqlite3.Error.
        """
        photos = await self._photos(plan)
        self._look_ahead(following)
        return await self._put(plan, photos)

    def stop(self) -> None:
        """End the round: nobody wants what was read ahead."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and not ahead[1].cancel() and not ahead[1].cancelled():
            # That these photos could not be read is no news.
            ahead[1].exception()

    async def _photos(self, plan: Plan) -> tuple[bytes, ...]:
        """Read the photos that are to be given, if any."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == plan.wanted.person:
            return await ahead[1]
        return await self._store.photos(plan.wanted.person) if plan.needs_photos and plan.wanted.photos else ()

    def _look_ahead(self, plan: Plan | None) -> None:
        if plan is not None and plan.needs_photos and plan.wanted.photos:
            person = plan.wanted.person
            self._ahead = person, asyncio.create_task(self._store.photos(person), name="face_access photos ahead")

    async def _put(self, plan: Plan, photos: tuple[bytes, ...]) -> Holding:
        given = replace(self.pending(plan), facts=plan.facts, photos=plan.photos)
        # What is refused for itself may be taken tomorrow: nothing counts as given.
        nothing = replace(given, facts="", photos="", state=HoldingState.REFUSED)
        if self._is_full and not plan.is_there:
            return replace(nothing, refusal=Refusal(FULL))
        figures = plan.enrolment.card is None
        try:
            await self._give(plan, photos)
        except StationPhotoError as err:
            return refused(given, err, figures=figures)
        except InvalidValueError:
            return replace(given, state=HoldingState.REFUSED, refusal=Refusal(INVALID))
        except StationRefusedError as err:
            self._is_full |= err.code == FULL
            return refused(nothing, err, figures=figures)
        return self.held(plan)

    async def _give(self, plan: Plan, photos: tuple[bytes, ...]) -> None:
        enrolment = replace(plan.wanted.enrolment, key=plan.enrolment.key)
        if not plan.needs_photos:
            try:
                await self._people.put(enrolment, None)
            except StationRefusedError as err:
                if err.code != GONE:
                    raise
            else:
                return
            photos = await self._store.photos(plan.wanted.person)
        if plan.wanted.photos and not photos:
            # Their photos were not to be kept, and this target came later.
            await self._give_without_face(plan, enrolment)
            raise StationPhotoError(PHOTO_MISSING)
        try:
            await self._people.put(enrolment, photos)
        except StationPhotoError:
            await self._give_without_face(plan, enrolment)
            raise

    async def _give_without_face(self, plan: Plan, enrolment: Enrolment) -> None:
        """No photo will do. Whoever is there already, or has a card, gets the rest: it may be what shuts a door."""
        if await self._people.find(enrolment.key) is not None:
            await self._people.put(enrolment, None)
        elif plan.enrolment.card is not None:
            await self._people.put(enrolment, ())


def refused(holding: Holding, err: StationRefusedError, *, figures: bool) -> Holding:
    """Write down a refusal that concerns one person; one that concerns the target ends the round: it is raised."""
    if err.code == BUSY:
        raise err
    return replace(holding, state=HoldingState.REFUSED, refusal=Refusal.of(err, figures=figures))

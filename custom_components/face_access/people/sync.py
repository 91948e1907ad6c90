"""Brings one target to what the household wants it to hold: only differences, one request at a time, resumable.

What a target was given is written down before it is given (pending) and after (held, or refused with the reason), so
that work that broke off anywhere is taken up again. What is on a target and was never given by us is left alone; what
was, and turns up again once it is gone, is taken off once more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import zip_longest
from typing import Final

from ..devices.errors import StationRefusedError
from ..devices.station import Enrolment, People
from .bulk import Bulk, PutMany
from .comparing import Comparison
from .giving import Giver, refused
from .holding import Holding, HoldingState
from .plan import Plan, Planner, Progress, Wanted
from .refusal import NOT_REMOVED
from .store import PeopleStore

# Results are written down in bites: a memory card must not set the pace. What is lost with them is only done again.
_BITE: Final = 20


class Synchroniser:
    """Keeps one target at what is wanted. Rounds must not overlap: the caller runs one at a time."""

    def __init__(
        self,
        target: str,
        people: People,
        store: PeopleStore,
        *,
        wanted: Callable[[], Iterable[Wanted]],
        on_progress: Callable[[], None] = lambda: None,
        lists: bool = True,
        put_many: PutMany | None = None,
    ) -> None:
        """`wanted` gives the desired state, as it is now; `on_progress` is called after every step.

        A target that cannot say whom it has (`lists` False) has whom we wrote down. `put_many` is for one that takes
        many people in one request.
        """
        self._target = target
        self._people = people
        self._store = store
        self._planner = Planner(target, people, store, wanted)
        self._comparison = Comparison(target, people, store)
        self._on_progress = on_progress
        self._lists = lists
        self._put_many = put_many
        self._outcomes: dict[str, HoldingState] = {}
        self._leaving: set[str] = set()
        self._results: list[Holding] = []
        self._writing: asyncio.Task[None] | None = None
        self._is_stale = False

    @property
    def progress(self) -> Progress:
        """How far the target was at the last step; no request."""
        return Progress.of(self._outcomes.values(), len(self._leaving))

    def changed(self) -> None:
        """Something else is wanted by now: a round that is under way ends at its next step, and another one is due.

        Nobody who must not come in any more shall wait until a thousand others have been given.
        """
        self._is_stale = True

    async def run(self, *, full: bool, retry: bool = False) -> bool:
        """Do what is to be done; False where `changed` cut it short.

        `full` reads what is really there first; `retry` asks again what was refused. Raises StationError where the
        target cannot be talked to: the rest is for the next round.
        """
        self._is_stale = False
        if full and self._lists:
            await self._comparison.reconcile(_keys(await self._plan()))
        plans = await self._plan()
        try:
            return await self._remove_unwanted() and await self._put_all(plans, retry=retry)
        finally:
            await self._write_results()
            await self._written()

    async def look(self) -> None:
        """Find how far the target is by what is written down; no request."""
        await self._plan()
        self._on_progress()

    async def start_over(self, empty: Callable[[], Awaitable[None]]) -> None:
        """Empty the target by `empty`: whoever is still wanted is given anew.

        Of one that cannot remove one person everybody else is gone; of another they are removed as usual. Written down
        first, so that work that breaks off anywhere ends with everybody being given. Raises what `empty` does.
        """
        await self._store.keep([holding.anew() for holding in self._store.holdings(self._target).values()])
        await empty()
        await self._plan()
        for key in () if self._lists else tuple(self._leaving):
            await self._store.drop(self._target, key)
        await self.look()

    async def foreign(self) -> tuple[Enrolment, ...]:
        """Read who is on the target without having been put there by us. Raises StationError."""
        return await self._comparison.foreign(_keys(await self._plan()))

    def adopted(self, person: str, held: Enrolment, photos: tuple[str, ...]) -> Holding:
        """Make what is to be written down of a person who was on the target before: as if we had put them there."""
        return self._comparison.adopted(person, held, photos)

    async def _plan(self) -> list[Plan]:
        plans = await self._planner.plans()
        self._outcomes = {plan.enrolment.key: plan.outcome for plan in plans}
        self._leaving = self._store.holdings(self._target).keys() - self._outcomes.keys()
        return plans

    async def _remove_unwanted(self) -> bool:
        """Removals come first: they make room, and nobody shall come in who must not any more."""
        holdings = self._store.holdings(self._target)
        for key in tuple(self._leaving):
            if self._is_stale:
                return False
            if (kept := await self._remove(holdings[key])) is None:
                await self._store.drop(self._target, key)
                self._leaving.discard(key)
            else:
                await self._store.keep([kept])
            self._on_progress()
        return True

    async def _remove(self, holding: Holding) -> Holding | None:
        """Remove somebody and look whether they are gone; else what is to be written down of them."""
        try:
            await self._people.remove(holding.key)
            if await self._people.find(holding.key) is None:
                return None
        except StationRefusedError as err:
            return refused(holding, err, figures=False)
        return refused(holding, StationRefusedError(NOT_REMOVED), figures=False)

    async def _put_all(self, plans: list[Plan], *, retry: bool) -> bool:
        due = [plan for plan in plans if plan.is_due or (retry and plan.outcome is HoldingState.REFUSED)]
        # Facts alone (a card, a date) go first: they may be what shuts a door.
        due.sort(key=lambda plan: plan.needs_photos)
        giver = Giver(self._target, self._people, self._store)
        await self._store.keep(giver.pending(plan) for plan in due)
        try:
            if self._put_many is not None:
                due = await self._put_batches(due, Bulk(self._store, self._put_many), giver)
            for plan, following in zip_longest(due, due[1:]):
                if self._is_stale:
                    return False
                await self._note(await giver.give(plan, following))
        finally:
            giver.stop()
        return True

    async def _put_batches(self, due: list[Plan], bulk: Bulk, giver: Giver) -> list[Plan]:
        """Give many at once, and leave those who are still to be given one by one."""
        held: set[str] = set()
        async for batch, taken in bulk.give(due):
            held.update(taken)
            for plan in batch:
                if plan.enrolment.key in held:
                    await self._note(giver.held(plan))
            if self._is_stale:
                break
        return [plan for plan in due if plan.enrolment.key not in held]

    async def _note(self, result: Holding) -> None:
        self._results.append(result)
        self._outcomes[result.key] = result.state
        if len(self._results) >= _BITE:
            await self._write_results()
        self._on_progress()

    async def _write_results(self) -> None:
        """Begin to write down what came of the last ones; the ones before them are written by then."""
        await self._written()
        results, self._results = self._results, []
        self._writing = asyncio.create_task(self._store.keep(results), name="face_access results")

    async def _written(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing


def _keys(plans: Iterable[Plan]) -> set[str]:
    return {plan.enrolment.key for plan in plans}

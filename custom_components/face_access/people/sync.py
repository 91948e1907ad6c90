"""Brings one target to what the household wants it to hold: only differences, one request at a time, resumable.

What a target was given is written down before it is given (pending) and after (held, or refused with the reason), so
that work that broke off anywhere is taken up again. What is on a target and was never given by us is left alone; what
was, and turns up again once it is gone, is taken off once more.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import zip_longest
from typing import Final

from ..devices.errors import InvalidValueError, StationPhotoError, StationRefusedError
from ..devices.station import Enrolment, People
from .store import Holding, HoldingState, PeopleStore

PHOTO_MISSING: Final = "photo_missing"
INVALID: Final = "invalid_value"
NOT_REMOVED: Final = "not_removed"
_FULL: Final = "limit_reached"
_GONE: Final = "record_not_found"
# Nobody is at fault but the target, and only for now: it is asked again at the next round.
_BUSY: Final = "busy"
# Results are written down in bites: a memory card must not set the pace. What is lost with them is only done again.
_BITE: Final = 20
# How many people are planned for before everybody else in the house gets a turn.
_BREATH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a target shall hold of a person. `photos` are the names of their photos, in the order of preference."""

    person: str
    enrolment: Enrolment
    photos: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a target is: of `total` people it has `held`, and `refused` some. `leaving` are still to be removed."""

    total: int = 0
    held: int = 0
    refused: int = 0
    leaving: int = 0

    @property
    def waiting(self) -> int:
        """How many are still to be given."""
        return self.total - self.held - self.refused

    @property
    def done(self) -> bool:
        """Whether nothing is left that could be done."""
        return self.waiting == 0 and self.leaving == 0

    @property
    def described(self) -> dict[str, int]:
        """What stands beside the number of those who are held."""
        return {"total": self.total, "waiting": self.waiting, "refused": self.refused, "leaving": self.leaving}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """One person, as they shall be here, and what was given of them before."""

    wanted: Wanted
    enrolment: Enrolment
    facts: str
    photos: str
    known: Holding | None

    @property
    def outcome(self) -> HoldingState:
        """Whether the target has it, said no to just this, or is still to be given it."""
        known = self.known
        if known is None or known.state is HoldingState.PENDING:
            return HoldingState.PENDING
        if known.state is HoldingState.REFUSED and not known.facts:
            return HoldingState.REFUSED
        return known.state if (known.facts, known.photos) == (self.facts, self.photos) else HoldingState.PENDING

    @property
    def is_due(self) -> bool:
        """Whether it is to be given now: also what was refused for a reason that has nothing to do with the person."""
        passing = self.known is not None and not self.known.facts
        return passing or self.outcome is HoldingState.PENDING

    @property
    def is_there(self) -> bool:
        """Whether the target holds some face or facts of theirs that we gave."""
        return self.known is not None and bool(self.known.photos)

    @property
    def needs_photos(self) -> bool:
        """Whether a face must be given along with the facts."""
        return self.known is None or self.known.state is HoldingState.REFUSED or self.known.photos != self.photos


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
    ) -> None:
        """`wanted` gives the desired state, as it is now; `on_progress` is called after every step.

        A target that cannot say whom it has (`lists` False) has whom we wrote down.
        """
        self._target = target
        self._people = people
        self._store = store
        self._wanted = wanted
        self._on_progress = on_progress
        self._lists = lists
        self._outcomes: dict[str, HoldingState] = {}
        self._leaving: set[str] = set()
        self._results: list[Holding] = []
        self._writing: asyncio.Task[None] | None = None
        self._ahead: tuple[str, asyncio.Task[tuple[bytes, ...]]] | None = None
        self._is_full = False
        self._is_stale = False

    @property
    def progress(self) -> Progress:
        """How far the target was at the last step; no request."""
        counts = Counter(self._outcomes.values())
        return Progress(
            total=len(self._outcomes),
            held=counts[HoldingState.HELD],
            refused=counts[HoldingState.REFUSED],
            leaving=len(self._leaving),
        )

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
        self._is_full = self._is_stale = False
        if full and self._lists:
            await self._reconcile(await self._plan())
        plans = await self._plan()
        try:
            return await self._remove_unwanted() and await self._put_all(plans, retry=retry)
        finally:
            self._drop_ahead()
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
        await self._store.keep(
            replace(holding, facts="", photos="", state=HoldingState.PENDING, code=None)
            for holding in tuple(self._store.holdings(self._target).values())
        )
        await empty()
        await self._plan()
        for key in () if self._lists else tuple(self._leaving):
            await self._store.drop(self._target, key)
        await self.look()

    async def foreign(self) -> tuple[Enrolment, ...]:
        """Read who is on the target without having been put there by us. Raises StationError."""
        ours = {*self._store.holdings(self._target), *(plan.enrolment.key for plan in await self._plan())}
        once = self._ours_once()
        return tuple(
            [held async for held in self._people.all() if held.key not in ours and self._back(held, once) is None]
        )

    def adopted(self, person: str, held: Enrolment, photos: tuple[str, ...]) -> Holding:
        """Make what is to be written down of a person who was on the target before: as if we had put them there."""
        return Holding(
            target=self._target,
            key=held.key,
            person=person,
            alias=self._people.sighted_as(held),
            facts=_facts(held),
            photos=_names(photos),
            state=HoldingState.HELD,
        )

    async def _plan(self) -> list[_Plan]:
        """Find everybody who shall be there. One who came from the target keeps the key that they had there.

        Somebody who was removed and added again does not: their old key means nobody any more.
        """
        holdings = self._store.holdings(self._target)
        ours = self._store.keys
        keys = {holding.person: key for key, holding in holdings.items() if ours.get(key) != ""}
        plans: list[_Plan] = []
        for number, wanted in enumerate(self._wanted(), start=1):
            if number % _BREATH == 0:
                await asyncio.sleep(0)
            here = wanted if self._people.knows_faces else replace(wanted, photos=())
            plan = self._plan_one(here, keys.get(wanted.person, wanted.enrolment.key), holdings)
            known = self._people.knows_faces and plan.known is not None
            if not here.photos and plan.enrolment.card is None and not known:
                # Nothing of theirs could be given to this target, or not any more.
                continue
            plans.append(plan)
        self._outcomes = {plan.enrolment.key: plan.outcome for plan in plans}
        self._leaving = holdings.keys() - self._outcomes.keys()
        return plans

    def _plan_one(self, wanted: Wanted, key: str, holdings: Mapping[str, Holding]) -> _Plan:
        enrolment = replace(wanted.enrolment, key=key)
        # What cannot even be written for this target is refused by `put`, with the reason.
        with suppress(InvalidValueError):
            enrolment = self._people.as_held(enrolment)
        return _Plan(
            wanted=wanted,
            enrolment=enrolment,
            facts=_facts(enrolment),
            photos=_names(wanted.photos),
            known=holdings.get(enrolment.key),
        )

    async def _reconcile(self, plans: list[_Plan]) -> None:
        """Compare what is really there with what is written down, and correct the latter."""
        on_it = [held async for held in self._people.all()]
        there = {held.key: _facts(held) for held in on_it}
        wanted = {plan.enrolment.key for plan in plans}
        corrected = []
        for key, holding in tuple(self._store.holdings(self._target).items()):
            found = there.get(key)
            if found is None and key not in wanted and holding.state is not HoldingState.PENDING:
                await self._store.drop(self._target, key)
            elif found is None and holding.state is HoldingState.HELD:
                corrected.append(replace(holding, facts="", photos="", state=HoldingState.PENDING))
            elif found is not None and holding.facts and found != holding.facts:
                corrected.append(replace(holding, facts="", state=HoldingState.PENDING))
        ours = {*self._store.holdings(self._target), *wanted}
        ours_once = self._ours_once()
        returned = [self._back(held, ours_once) for held in on_it if held.key not in ours]
        await self._store.keep([*corrected, *(holding for holding in returned if holding is not None)])

    def _ours_once(self) -> dict[str, str]:
        """Find whose every key is or was that this target might have been given; empty for whoever is gone."""
        return {
            self._people.as_held(Enrolment(key=key, name="")).key: person for key, person in self._store.keys.items()
        }

    def _back(self, held: Enrolment, ours_once: Mapping[str, str]) -> Holding | None:
        """Write down somebody of ours who is back, as from a backup of the target; None for one who is not ours.

        Whoever is still of the house and was known here by the target's own key is so again. Everybody else goes.
        """
        facts, photos = _facts(held), ""
        if (person := ours_once.get(held.key)) is None:
            gone = self._store.gone(self._target, held.key)
            if gone is None or not gone.facts or not facts.startswith(gone.facts):
                # By its own numbers, the target may have called somebody else so by now.
                return None
            person = gone.person
            if (profile := self._store.profiles.get(person)) is not None:
                photos = _names(profile.photos)
        return Holding(
            target=self._target,
            key=held.key,
            person=person,
            alias=self._people.sighted_as(held),
            facts=facts,
            photos=photos,
            state=HoldingState.HELD if person else HoldingState.PENDING,
        )

    async def _remove_unwanted(self) -> bool:
        """Removals come first: they make room, and nobody shall come in who must not any more."""
        holdings = self._store.holdings(self._target)
        for key in tuple(self._leaving):
            if self._is_stale:
                return False
            if (code := await self._remove(key)) is None:
                await self._store.drop(self._target, key)
                self._leaving.discard(key)
            else:
                await self._store.keep([replace(holdings[key], state=HoldingState.REFUSED, code=code)])
            self._on_progress()
        return True

    async def _remove(self, key: str) -> str | None:
        """Remove somebody and look whether they are gone; else why not."""
        try:
            await self._people.remove(key)
            return None if await self._people.find(key) is None else NOT_REMOVED
        except StationRefusedError as err:
            return _passing(err)

    async def _put_all(self, plans: list[_Plan], *, retry: bool) -> bool:
        due = [plan for plan in plans if plan.is_due or (retry and plan.outcome is HoldingState.REFUSED)]
        # Facts alone (a card, a date) go first: they may be what shuts a door.
        due.sort(key=lambda plan: plan.needs_photos)
        await self._store.keep(self._pending(plan) for plan in due)
        for plan, following in zip_longest(due, due[1:]):
            if self._is_stale:
                return False
            photos = await self._photos(plan)
            # While the target works on this one, which is most of the time, what comes next is read from the disk.
            self._look_ahead(following)
            result = await self._put(plan, photos)
            self._results.append(result)
            self._outcomes[result.key] = result.state
            if len(self._results) >= _BITE:
                await self._write_results()
            self._on_progress()
        return True

    def _pending(self, plan: _Plan) -> Holding:
        return Holding(
            target=self._target,
            key=plan.enrolment.key,
            person=plan.wanted.person,
            alias=self._people.sighted_as(plan.enrolment),
            # The face that is there stays what it was until another one is on its way.
            photos=plan.photos if not plan.needs_photos else "",
        )

    async def _photos(self, plan: _Plan) -> tuple[bytes, ...]:
        """Read the photos that are to be given, if any."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == plan.wanted.person:
            return await ahead[1]
        return await self._store.photos(plan.wanted.person) if plan.needs_photos and plan.wanted.photos else ()

    def _look_ahead(self, plan: _Plan | None) -> None:
        if plan is not None and plan.needs_photos and plan.wanted.photos:
            person = plan.wanted.person
            self._ahead = person, asyncio.create_task(self._store.photos(person), name="face_access photos ahead")

    def _drop_ahead(self) -> None:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and not ahead[1].cancel() and not ahead[1].cancelled():
            # Nobody wants these photos any more: that they could not be read is no news.
            ahead[1].exception()

    async def _put(self, plan: _Plan, photos: tuple[bytes, ...]) -> Holding:
        """Give one person, and tell what came of it."""
        given = replace(self._pending(plan), facts=plan.facts, photos=plan.photos)
        refused = replace(given, state=HoldingState.REFUSED)
        if self._is_full and not plan.is_there:
            return replace(refused, facts="", photos="", code=_FULL)
        try:
            await self._give(plan, photos)
        except StationPhotoError as err:
            return replace(refused, code=err.code)
        except InvalidValueError:
            return replace(refused, code=INVALID)
        except StationRefusedError as err:
            # It may be gone tomorrow: nothing is taken for given.
            return replace(refused, facts="", photos="", code=self._noted(err))
        return replace(given, state=HoldingState.HELD)

    async def _give(self, plan: _Plan, photos: tuple[bytes, ...]) -> None:
        enrolment = replace(plan.wanted.enrolment, key=plan.enrolment.key)
        if not plan.needs_photos:
            try:
                await self._people.put(enrolment, None)
            except StationRefusedError as err:
                if err.code != _GONE:
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

    async def _give_without_face(self, plan: _Plan, enrolment: Enrolment) -> None:
        """No photo will do. Whoever is there already, or has a card, gets the rest: it may be what shuts a door."""
        if await self._people.find(enrolment.key) is not None:
            await self._people.put(enrolment, None)
        elif plan.enrolment.card is not None:
            await self._people.put(enrolment, ())

    def _noted(self, err: StationRefusedError) -> str:
        self._is_full |= err.code == _FULL
        return _passing(err)

    async def _write_results(self) -> None:
        """Begin to write down what came of the last ones; the ones before them are written by then."""
        await self._written()
        results, self._results = self._results, []
        self._writing = asyncio.create_task(self._store.keep(results), name="face_access results")

    async def _written(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            await writing


def _passing(err: StationRefusedError) -> str:
    """Give the reason of a refusal that concerns one person; one that concerns the target ends the round."""
    if err.code == _BUSY:
        raise err
    return err.code


def _facts(enrolment: Enrolment) -> str:
    """Digest what can be read back of a person."""
    return sha256(
        "\0".join(
            str(fact)
            for fact in (
                enrolment.key,
                enrolment.name,
                enrolment.role,
                enrolment.card,
                enrolment.valid_from and enrolment.valid_from.timestamp(),
                enrolment.valid_until and enrolment.valid_until.timestamp(),
                enrolment.suspended,
                enrolment.text,
                enrolment.door,
            )
        ).encode(errors="surrogatepass")
    ).hexdigest()


def _names(photos: tuple[str, ...]) -> str:
    return sha256("\0".join(photos).encode()).hexdigest()

"""What is really on one target, beside what it was given: what is missing, what is changed, and who is back."""

from collections.abc import Collection, Mapping
from dataclasses import replace

from ..devices.station import Enrolment, People
from .holding import Holding, HoldingState
from .plan import digest_of_facts, digest_of_names
from .store import PeopleStore


class Comparison:
    """Reads one target. What it finds is written down, and the next plans are made of that."""

    def __init__(self, target: str, people: People, store: PeopleStore) -> None:
        """Bind to a target and to what it was given."""
        self._target = target
        self._people = people
        self._store = store

    async def reconcile(self, wanted: Collection[str]) -> None:
        """Correct what is written down by what is there; `wanted` are the keys of those who shall be.

        Whoever is to leave stays written down until they were removed: a list may leave somebody out. Raises
        StationError.
        """
        on_it = [held async for held in self._people.all()]
        there = {held.key: digest_of_facts(held) for held in on_it}
        corrected = []
        for key, holding in tuple(self._store.holdings(self._target).items()):
            if key not in wanted:
                continue
            found = there.get(key)
            if found is None and holding.state is HoldingState.HELD:
                corrected.append(holding.anew())
            elif found is not None and holding.facts and found != holding.facts:
                corrected.append(replace(holding.anew(), photos=holding.photos))
        ours = {*self._store.holdings(self._target), *wanted}
        once = self._ours_once()
        returned = [self._back(held, once) for held in on_it if held.key not in ours]
        await self._store.keep([*corrected, *(holding for holding in returned if holding is not None)])

    async def foreign(self, wanted: Collection[str]) -> tuple[Enrolment, ...]:
        """Read who is there without having been put there by us. Raises StationError."""
        ours = {*self._store.holdings(self._target), *wanted}
        once = self._ours_once()
        return tuple(
            [held async for held in self._people.all() if held.key not in ours and self._back(held, once) is None]
        )

    def adopted(self, person: str, held: Enrolment, photos: tuple[str, ...]) -> Holding:
        """Make what is to be written down of a person who was there before: as if we had put them there."""
        return self._there(person, held, digest_of_names(photos))

    def _ours_once(self) -> dict[str, str]:
        """Find whose every key is or was that this target might have been given; empty for whoever is gone."""
        return {
            self._people.as_held(Enrolment(key=key, name="")).key: person for key, person in self._store.keys.items()
        }

    def _back(self, held: Enrolment, once: Mapping[str, str]) -> Holding | None:
        """Write down somebody of ours who is back, as from a backup of the target; None for one who is not ours.

        Whoever is still of the house and was known here by the target's own key is so again. Everybody else goes.
        """
        if (person := once.get(held.key)) is not None:
            return self._there(person, held, "")
        gone = self._store.gone(self._target, held.key)
        if gone is None or not gone.facts or not digest_of_facts(held).startswith(gone.facts):
            # By its own numbers, the target may have called somebody else so by now.
            return None
        profile = self._store.profiles.get(gone.person)
        return self._there(gone.person, held, "" if profile is None else digest_of_names(profile.photos))

    def _there(self, person: str, held: Enrolment, photos: str) -> Holding:
        return Holding(
            target=self._target,
            key=held.key,
            person=person,
            alias=self._people.sighted_as(held),
            facts=digest_of_facts(held),
            photos=photos,
            state=HoldingState.HELD if person else HoldingState.PENDING,
        )

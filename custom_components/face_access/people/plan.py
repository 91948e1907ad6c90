"""What one target shall hold, person by person, beside what it was given of them."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from ..devices.errors import InvalidValueError
from ..devices.station import Enrolment, People
from .holding import Holding, HoldingState
from .store import PeopleStore

# How many people are planned for before everybody else in the house gets a turn.
_BREATH: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a target shall hold of a person. `photos` are the names of their photos, in the order of preference.

    `terms` are those on which the target has photos: on others, a face that it has is given anew.
    """

    person: str
    enrolment: Enrolment
    photos: tuple[str, ...] = ()
    terms: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a target is: of `total` people it has `held`, and `refused` some. `leaving` are still to be removed."""

    total: int = 0
    held: int = 0
    refused: int = 0
    leaving: int = 0

    @classmethod
    def of(cls, outcomes: Iterable[HoldingState], leaving: int) -> Progress:
        """Count what came of everybody who shall be there."""
        counts = Counter(outcomes)
        return cls(
            total=counts.total(),
            held=counts[HoldingState.HELD],
            refused=counts[HoldingState.REFUSED],
            leaving=leaving,
        )

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
class Plan:
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


class Planner:
    """Makes the plans for one target."""

    def __init__(self, target: str, people: People, store: PeopleStore, wanted: Callable[[], Iterable[Wanted]]) -> None:
        """`wanted` gives the desired state, as it is now."""
        self._target = target
        self._people = people
        self._store = store
        self._wanted = wanted

    async def plans(self) -> list[Plan]:
        """Find everybody who shall be there. One who came from the target keeps the key that they had there.

        Somebody who was removed and added again does not: their old key means nobody any more.
        """
        holdings = self._store.holdings(self._target)
        keys = {person: key for key, holding in holdings.items() if (person := self._store.whose(holding))}
        plans: list[Plan] = []
        for number, wanted in enumerate(self._wanted(), start=1):
            if number % _BREATH == 0:
                await asyncio.sleep(0)
            here = wanted if self._people.knows_faces else replace(wanted, photos=())
            plan = self._plan(here, keys.get(wanted.person, wanted.enrolment.key), holdings)
            known = self._people.knows_faces and plan.known is not None
            if not here.photos and plan.enrolment.card is None and not known:
                # Nothing of theirs could be given to this target, or not any more.
                continue
            plans.append(plan)
        return plans

    def _plan(self, wanted: Wanted, key: str, holdings: Mapping[str, Holding]) -> Plan:
        enrolment = replace(wanted.enrolment, key=key)
        # What cannot even be written for this target is refused by `put`, with the reason.
        with suppress(InvalidValueError):
            enrolment = self._people.as_held(enrolment)
        return Plan(
            wanted=wanted,
            enrolment=enrolment,
            facts=digest_of_facts(enrolment),
            photos=digest_of_names(wanted.photos, wanted.terms),
            known=holdings.get(enrolment.key),
        )


def digest_of_facts(enrolment: Enrolment) -> str:
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


def digest_of_names(photos: tuple[str, ...], terms: str = "") -> str:
    """Digest the names of photos, in their order, and the terms on which they are given."""
    return sha256("\0".join((*photos, terms) if terms else photos).encode()).hexdigest()

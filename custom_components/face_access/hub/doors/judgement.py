"""A door that waits for our word: who judges for it, and what was judged."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from homeassistant.util import dt as dt_util

from ...access import Decision, Person, Reason, Sighting, Verdict

if TYPE_CHECKING:
    from ...coordinator import FaceAccessCoordinator


class Judge(Protocol):
    """Judges for a door."""

    def __call__(self, sighting: Sighting, person: Person | None, *, held: datetime | None = None) -> Decision:
        """Say whether a sighting of a person opens the door, at the moment of the call; `held` is as for `decide`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A door, by the household's name for it, and its judge."""

    door: str
    judge: Judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What was decided `at` a moment (aware) about a sighting, which has the household's name and no decision on it.

    `known` is whom the source itself knows under the identity that it saw.
    """

    coordinator: FaceAccessCoordinator
    asked: Asked
    sighting: Sighting
    known: Person | None
    decision: Decision
    at: datetime

    @property
    def judged(self) -> Sighting:
        """The sighting with the decision on it."""
        return put_on(self.sighting, self.decision)


def put_on(sighting: Sighting, decision: Decision) -> Sighting:
    """Put our decision on a sighting. A door that only notifies judges nobody."""
    if decision.granted:
        return replace(sighting, verdict=Verdict.GRANTED)
    if decision.reason is Reason.NOTIFY_ONLY:
        return replace(sighting, verdict=Verdict.NONE)
    return replace(sighting, verdict=Verdict.DENIED, refused=decision.reason)


def judge(
    coordinator: FaceAccessCoordinator,
    asked: Asked,
    sighting: Sighting,
    known: Person | None,
    *,
    held: datetime | None = None,
) -> Case:
    """Judge a sighting of the coordinator's source by all that is known now, who it is included."""
    now = dt_util.utcnow()
    sighting, person = coordinator.async_identify(sighting, known)
    decision = asked.judge(sighting, person, held=held)
    return Case(coordinator=coordinator, asked=asked, sighting=sighting, known=known, decision=decision, at=now)


def judge_again(case: Case) -> Case:
    """Judge once more, by all that is known by now; the same case where it still waits for a factor.

    A face that lacked nothing else was fresh when it was judged first, and may wait from then on.
    """
    waits = case.decision.reason is Reason.SECOND_FACTOR
    again = judge(case.coordinator, case.asked, case.sighting, case.known, held=case.at if waits else None)
    return case if waits and again.decision.reason is Reason.SECOND_FACTOR else again

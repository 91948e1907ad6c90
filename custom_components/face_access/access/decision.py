"""The one place that says yes: may this sighting open this door, now?"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from .factors import Factor, Proof
from .model import DoorMode, DoorPolicy, Liveness, Person, Reason, Role, Sighting, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to open, and the first reason not to. Granted exactly when there is no reason."""

    reason: Reason | None

    @property
    def granted(self) -> bool:
        """Whether the door may open."""
        return self.reason is None


def decide(
    sighting: Sighting,
    person: Person | None,
    door: str,
    now: datetime,
    policy: DoorPolicy,
    *,
    proofs: Collection[Proof] = (),
    held: datetime | None = None,
) -> Decision:
    """Say whether `sighting` of `person` opens `door` at `now` (aware) under `policy`.

    Every condition must hold; the first that fails is the reason, the most alarming ones first. `person` is whom the
    household knows under the sighting's identity, None for a stranger. `proofs` are the second factors given so far.
    `held` (aware) is when the sighting was judged before and lacked nothing but those: it must have been fresh then,
    and waits no longer than they may take.
    """
    return Decision(reason=next(_objections(sighting, person, door, now, policy, proofs=proofs, held=held), None))


def explain(
    sighting: Sighting,
    person: Person | None,
    door: str,
    now: datetime,
    policy: DoorPolicy,
    *,
    proofs: Collection[Proof] = (),
) -> tuple[Reason, ...]:
    """Name every reason not to open, in the order in which `decide` minds them; none when it would say yes."""
    return tuple(dict.fromkeys(_objections(sighting, person, door, now, policy, proofs=proofs, held=None)))


def decide_shown(person: Person | None, door: str, now: datetime, policy: DoorPolicy) -> Decision:
    """Say whether a card or a code of `person` opens `door` at `now` (aware) under `policy`; nobody's opens nothing.

    What belongs to a face, likeness and liveness, is not asked of a card.
    """
    return Decision(reason=next(_objections_to_shown(person, door, now, policy), None))


def objection(person: Person | None, doors: Collection[str], now: datetime) -> Reason | None:
    """Name what the household holds against `person` at `now` (aware), whatever a door's policy or a device says.

    Whoever may pass one of `doors` may be there; somebody who may pass only some doors passes none where there is none.
    """
    if person is None:
        return Reason.UNKNOWN
    found = [next(_about_person(person, door, now), None) for door in doors or ("",)]
    return None if None in found else found[0]


def _objections_to_shown(person: Person | None, door: str, now: datetime, policy: DoorPolicy) -> Iterator[Reason]:
    if person is None:
        yield Reason.UNKNOWN
    else:
        yield from _about_person(person, door, now)
    if policy.mode is DoorMode.NOTIFY_ONLY:
        yield Reason.NOTIFY_ONLY
    if policy.mode is DoorMode.NEVER:
        yield Reason.POLICY
    if policy.factors:
        # What is shown is one factor, and this door wants more than one.
        yield Reason.SECOND_FACTOR


def _objections(
    sighting: Sighting,
    person: Person | None,
    door: str,
    now: datetime,
    policy: DoorPolicy,
    *,
    proofs: Collection[Proof],
    held: datetime | None,
) -> Iterator[Reason]:
    yield from _about_sighting(sighting, now, policy, held)
    if person is None or not sighting.recognised or person.id != sighting.person_id:
        yield Reason.UNKNOWN
    else:
        yield from _about_person(person, door, now)
    if not _reaches(sighting.score, policy.minimum_score) or not _reaches(sighting.score, sighting.threshold or 0):
        yield Reason.SIMILARITY
    if policy.liveness_required and sighting.liveness is not Liveness.LIVE:
        yield Reason.LIVENESS
    # After all that: whoever would not be let in anyway shall not be told of as if they were.
    if policy.mode is DoorMode.NOTIFY_ONLY:
        yield Reason.NOTIFY_ONLY
    if policy.mode is DoorMode.NEVER:
        yield Reason.POLICY
    # Last: whoever asks a phone to confirm may then know that nothing else is in the way.
    if _missing_factors(sighting, policy, proofs, door, now):
        yield Reason.SECOND_FACTOR


def _about_sighting(sighting: Sighting, now: datetime, policy: DoorPolicy, held: datetime | None) -> Iterator[Reason]:
    if sighting.liveness is Liveness.SPOOF:
        yield Reason.SPOOF
    if sighting.refused is not None:
        yield sighting.refused
    elif sighting.verdict is Verdict.DENIED:
        yield Reason.DEVICE
    if sighting.repeated:
        yield Reason.REPEATED
    if not sighting.realtime or not _is_fresh(sighting, now, policy, held):
        yield Reason.STALE
    if sighting.role is Role.BLOCKED:
        yield Reason.BLOCKED


def _is_fresh(sighting: Sighting, now: datetime, policy: DoorPolicy, held: datetime | None) -> bool:
    """Whether the face was there when it was judged, and has not waited too long for second factors since."""
    judged = now if held is None else held
    # A capture time in the future is as suspect as an old one: the clock is wrong or the message is forged.
    return abs(judged - sighting.captured_at) <= policy.freshness and _is_in_time(judged, now, policy)


def _about_person(person: Person, door: str, now: datetime) -> Iterator[Reason]:
    if person.role is Role.BLOCKED:
        yield Reason.BLOCKED
    if not person.enabled:
        yield Reason.DISABLED
    if person.valid_from is not None and now < person.valid_from:
        yield Reason.NOT_YET_VALID
    if person.valid_until is not None and now >= person.valid_until:
        yield Reason.EXPIRED
    if person.doors is not None and door not in person.doors:
        yield Reason.NOT_PERMITTED
    if person.schedule_on is False:
        yield Reason.SCHEDULE


def _missing_factors(
    sighting: Sighting, policy: DoorPolicy, proofs: Collection[Proof], door: str, now: datetime
) -> set[Factor]:
    """Find the factors that are wanted and were not given: for this person, at this door, in time.

    A card is no second factor to a card: where one is shown, perhaps no face was looked at.
    """
    given = {
        proof.factor
        for proof in proofs
        if (proof.person_id, proof.door) == (sighting.person_id, door)
        and _is_in_time(proof.at, now, policy)
        and not (sighting.card and proof.factor is Factor.CREDENTIAL)
    }
    return set(policy.factors) - given


def _is_in_time(moment: datetime, now: datetime, policy: DoorPolicy) -> bool:
    """Whether it was lately enough for factors. The future never is: a clock is wrong or somebody made it up."""
    return timedelta() <= now - moment <= policy.factors_within


def _reaches(score: float | None, limit: float) -> bool:
    """Compare so that what is no number (NaN) never reaches and is never reached."""
    return score is not None and score >= limit

"""The one place that says yes: may this sighting open this door, now?"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from .model import DoorMode, DoorPolicy, Liveness, Person, Reason, Role, Sighting


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether to open, and the first reason not to. Granted exactly when there is no reason."""

    reason: Reason | None

    @property
    def granted(self) -> bool:
        """Whether the door may open."""
        return self.reason is None


def decide(sighting: Sighting, person: Person | None, door: str, now: datetime, policy: DoorPolicy) -> Decision:
    """Say whether `sighting` of `person` opens `door` at `now` (aware) under `policy`.

    Every condition must hold; the first that fails is the reason, the most alarming ones first. `person` is whom the
    household knows under the sighting's identity, None for a stranger.
    """
    return Decision(reason=next(_objections(sighting, person, door, now, policy), None))


def decide_shown(person: Person | None, door: str, now: datetime, policy: DoorPolicy) -> Decision:
    """Say whether a card or a code of `person` opens `door` at `now` (aware) under `policy`; nobody's opens nothing.

    What belongs to a face, likeness and liveness, is not asked of a card.
    """
    return Decision(reason=next(_objections_to_shown(person, door, now, policy), None))


def _objections_to_shown(person: Person | None, door: str, now: datetime, policy: DoorPolicy) -> Iterator[Reason]:
    if person is None:
        yield Reason.UNKNOWN
    else:
        yield from _about_person(person, door, now)
    if policy.mode is DoorMode.NOTIFY_ONLY:
        yield Reason.NOTIFY_ONLY
    if policy.mode is DoorMode.NEVER:
        yield Reason.POLICY


def _objections(
    sighting: Sighting, person: Person | None, door: str, now: datetime, policy: DoorPolicy
) -> Iterator[Reason]:
    yield from _about_sighting(sighting, now, policy)
    if person is None or not sighting.recognised or person.id != sighting.person_id:
        yield Reason.UNKNOWN
    else:
        yield from _about_person(person, door, now)
    if sighting.score is None or sighting.score < max(policy.minimum_score, sighting.threshold or 0):
        yield Reason.SIMILARITY
    if policy.liveness_required and sighting.liveness is not Liveness.LIVE:
        yield Reason.LIVENESS
    # Last: whoever would not be let in anyway shall not be told of as if they were.
    if policy.mode is DoorMode.NOTIFY_ONLY:
        yield Reason.NOTIFY_ONLY
    if policy.mode is DoorMode.NEVER:
        yield Reason.POLICY


def _about_sighting(sighting: Sighting, now: datetime, policy: DoorPolicy) -> Iterator[Reason]:
    if sighting.liveness is Liveness.SPOOF:
        yield Reason.SPOOF
    if sighting.refused is not None:
        yield sighting.refused
    if sighting.repeated:
        yield Reason.REPEATED
    # A capture time in the future is as suspect as an old one: the clock is wrong or the message is forged.
    if not sighting.realtime or abs(now - sighting.captured_at) > policy.freshness:
        yield Reason.STALE
    if sighting.role is Role.BLOCKED:
        yield Reason.BLOCKED


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

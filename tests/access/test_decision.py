"""The decision never says yes while any single condition fails, whatever else is true."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.access import (
    DoorMode,
    DoorPolicy,
    Factor,
    Liveness,
    Person,
    Proof,
    Reason,
    Role,
    Sighting,
    SightingKey,
    Verdict,
    decide,
    decide_shown,
    explain,
    objection,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DOOR = "SN-1_1"
POLICY = DoorPolicy(mode=DoorMode.OPEN, minimum_score=60)
PERSON = Person(id="0001", name="Alice", doors=frozenset({DOOR}), schedule_on=True)
SIGHTING = Sighting(
    source="SN-1",
    key=SightingKey(sequence=1, captured="2026/11/21 12:00:00.000"),
    captured_at=NOW - timedelta(seconds=1),
    realtime=True,
    person_id="0001",
    role=Role.ALLOWED,
    score=90,
    threshold=70,
    liveness=Liveness.LIVE,
)


def test_opens_for_a_live_matched_permitted_person() -> None:
    """The one case that opens, so that the refusals below mean something."""
    decision = decide(SIGHTING, PERSON, DOOR, NOW, POLICY)
    assert decision.granted
    assert decision.reason is None


# What breaks the case above -> the reason given. Each entry changes one thing.
BROKEN = {
    "spoof": ({"liveness": Liveness.SPOOF}, {}, {}, Reason.SPOOF),
    "liveness not checked": ({"liveness": Liveness.UNCHECKED}, {}, {}, Reason.LIVENESS),
    "device says no": ({"refused": Reason.MASK}, {}, {}, Reason.MASK),
    "device says no without a word": ({"verdict": Verdict.DENIED}, {}, {}, Reason.DEVICE),
    "repeated": ({"repeated": True}, {}, {}, Reason.REPEATED),
    "not real-time": ({"realtime": False}, {}, {}, Reason.STALE),
    "too old": ({"captured_at": NOW - timedelta(seconds=11)}, {}, {}, Reason.STALE),
    "from the future": ({"captured_at": NOW + timedelta(seconds=11)}, {}, {}, Reason.STALE),
    "clock from 1970": ({"captured_at": datetime(1970, 1, 1, tzinfo=UTC)}, {}, {}, Reason.STALE),
    "nobody recognised": ({"person_id": None}, {}, {}, Reason.UNKNOWN),
    "not compared": ({"score": None}, {}, {}, Reason.UNKNOWN),
    "somebody else": ({}, {"id": "0002"}, {}, Reason.UNKNOWN),
    "blocked on the device": ({"role": Role.BLOCKED}, {}, {}, Reason.BLOCKED),
    "blocked in the house": ({}, {"role": Role.BLOCKED}, {}, Reason.BLOCKED),
    "disabled": ({}, {"enabled": False}, {}, Reason.DISABLED),
    "not yet valid": ({}, {"valid_from": NOW + timedelta(seconds=1)}, {}, Reason.NOT_YET_VALID),
    "expired": ({}, {"valid_until": NOW}, {}, Reason.EXPIRED),
    "other door": ({}, {"doors": frozenset({"SN-1_2"})}, {}, Reason.NOT_PERMITTED),
    "no door at all": ({}, {"doors": frozenset()}, {}, Reason.NOT_PERMITTED),
    "out of schedule": ({}, {"schedule_on": False}, {}, Reason.SCHEDULE),
    "below the policy": ({"score": 59.9, "threshold": 50}, {}, {}, Reason.SIMILARITY),
    "below the device's threshold": ({"score": 69.9, "threshold": 70}, {}, {}, Reason.SIMILARITY),
    "door never opens": ({}, {}, {"mode": DoorMode.NEVER}, Reason.POLICY),
    "door only notifies": ({}, {}, {"mode": DoorMode.NOTIFY_ONLY}, Reason.NOTIFY_ONLY),
}


@pytest.mark.parametrize(("sighting", "person", "policy", "reason"), BROKEN.values(), ids=BROKEN)
def test_one_failing_condition_is_enough(sighting: dict, person: dict, policy: dict, reason: Reason) -> None:
    """Each condition alone keeps the door shut and is named."""
    decision = decide(replace(SIGHTING, **sighting), replace(PERSON, **person), DOOR, NOW, replace(POLICY, **policy))
    assert not decision.granted
    assert decision.reason is reason


def test_a_stranger_is_unknown() -> None:
    """Nobody of the household."""
    assert decide(SIGHTING, None, DOOR, NOW, POLICY).reason is Reason.UNKNOWN


def test_the_default_policy_never_opens() -> None:
    """A door must be told to open by itself."""
    assert decide(SIGHTING, PERSON, DOOR, NOW, DoorPolicy()).reason is Reason.NOTIFY_ONLY


times = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
near = st.timedeltas(min_value=-timedelta(minutes=1), max_value=timedelta(minutes=1)).map(lambda delta: NOW + delta)
sightings = st.builds(
    Sighting,
    source=st.just("SN-1"),
    key=st.just(SIGHTING.key),
    captured_at=times | near,
    realtime=st.booleans(),
    repeated=st.booleans(),
    person_id=st.sampled_from([None, "0001", "0002"]),
    role=st.none() | st.sampled_from(Role),
    score=st.none() | st.floats(-10, 110),
    threshold=st.none() | st.floats(0, 100),
    liveness=st.sampled_from(Liveness),
    refused=st.none() | st.sampled_from(Reason),
    verdict=st.sampled_from(Verdict),
    card=st.booleans(),
    household=st.booleans(),
)
persons = st.none() | st.builds(
    Person,
    id=st.sampled_from(["0001", "0002"]),
    name=st.just("Alice"),
    role=st.sampled_from(Role),
    enabled=st.booleans(),
    valid_from=st.none() | times | near,
    valid_until=st.none() | times | near,
    doors=st.none() | st.frozensets(st.sampled_from([DOOR, "SN-1_2"])),
    schedule_on=st.none() | st.booleans(),
)
policies = st.builds(
    DoorPolicy,
    mode=st.sampled_from(DoorMode),
    liveness_required=st.booleans(),
    minimum_score=st.floats(0, 100),
    freshness=st.timedeltas(min_value=timedelta(), max_value=timedelta(seconds=60)),
)


@given(sightings, persons, policies)
def test_grants_only_when_every_condition_holds(sighting: Sighting, person: Person | None, policy: DoorPolicy) -> None:
    """The whole input space, against the conditions written a second time and another way."""
    expected = (
        person is not None
        and person.id == sighting.person_id
        and all(
            (
                policy.mode is DoorMode.OPEN,
                sighting.liveness is Liveness.LIVE
                or (sighting.liveness is Liveness.UNCHECKED and not policy.liveness_required),
                sighting.refused is None,
                sighting.verdict is not Verdict.DENIED,
                not sighting.repeated,
                sighting.realtime,
                -policy.freshness <= NOW - sighting.captured_at <= policy.freshness,
                sighting.score is not None
                and sighting.score > 0
                and sighting.score >= policy.minimum_score
                and (sighting.threshold is None or sighting.score >= sighting.threshold),
                sighting.role is not Role.BLOCKED,
                person.role is not Role.BLOCKED,
                person.enabled,
                person.valid_from is None or person.valid_from <= NOW,
                person.valid_until is None or person.valid_until > NOW,
                person.doors is None or DOOR in person.doors,
                person.schedule_on is not False,
            )
        )
    )
    assert decide(sighting, person, DOOR, NOW, policy).granted is expected


conditions = st.sampled_from(sorted(BROKEN))


@given(st.sets(conditions, min_size=1))
def test_no_combination_of_failures_opens(names: set[str]) -> None:
    """Two wrongs do not make a right."""
    sighting, person, policy = SIGHTING, PERSON, POLICY
    for name in names:
        of_sighting, of_person, of_policy, _ = BROKEN[name]
        sighting = replace(sighting, **of_sighting)
        person = replace(person, **of_person)
        policy = replace(policy, **of_policy)
    assert not decide(sighting, person, DOOR, NOW, policy).granted


FACTORS = frozenset(Factor)
GUARDED = replace(POLICY, factors=FACTORS, factors_within=timedelta(seconds=20))
PROOFS = {factor: Proof(factor=factor, person_id="0001", door=DOOR, at=NOW - timedelta(seconds=5)) for factor in Factor}


def test_opens_when_every_wanted_factor_was_given() -> None:
    """The guarded door opens, so that the refusals below mean something."""
    assert decide(SIGHTING, PERSON, DOOR, NOW, GUARDED, proofs=PROOFS.values()).granted


@pytest.mark.parametrize("factor", Factor)
@pytest.mark.parametrize(
    "change",
    [
        None,
        {"person_id": "0002"},
        {"door": "SN-1_2"},
        {"at": NOW - timedelta(seconds=20, microseconds=1)},
        {"at": NOW + timedelta(microseconds=1)},
    ],
    ids=["not given", "of somebody else", "at another door", "too long ago", "from the future"],
)
def test_one_missing_factor_keeps_the_door_shut(factor: Factor, change: dict | None) -> None:
    """Each factor on its own: for the person, at the door, in time."""
    proofs = dict(PROOFS)
    proof = proofs.pop(factor)
    if change is not None:
        proofs[factor] = replace(proof, **change)
    assert decide(SIGHTING, PERSON, DOOR, NOW, GUARDED, proofs=proofs.values()).reason is Reason.SECOND_FACTOR


proofs = st.lists(
    st.builds(
        Proof,
        factor=st.sampled_from(Factor),
        person_id=st.sampled_from(["0001", "0002"]),
        door=st.sampled_from([DOOR, "SN-1_2"]),
        at=near | times,
    ),
    max_size=6,
)
guards = st.builds(
    replace,
    policies,
    factors=st.frozensets(st.sampled_from(Factor)),
    factors_within=st.timedeltas(min_value=timedelta(), max_value=timedelta(minutes=2)),
)


@given(sightings, persons, guards, proofs)
def test_factors_only_ever_add_to_the_conditions(
    sighting: Sighting, person: Person | None, policy: DoorPolicy, given: list[Proof]
) -> None:
    """With factors a door opens exactly when it would without them and each of them was given."""
    without = decide(sighting, person, DOOR, NOW, replace(policy, factors=frozenset())).granted
    complete = person is not None and all(
        any(
            proof.factor is factor
            and proof.person_id == person.id
            and proof.door == DOOR
            and NOW - policy.factors_within <= proof.at <= NOW
            and not (factor is Factor.CREDENTIAL and sighting.card)
            for proof in given
        )
        for factor in policy.factors
    )
    assert decide(sighting, person, DOOR, NOW, policy, proofs=given).granted is (without and complete)


@given(sightings, persons, guards, proofs, near | times)
def test_waiting_only_ever_changes_when_a_face_was_fresh(
    sighting: Sighting, person: Person | None, policy: DoorPolicy, given: list[Proof], held: datetime
) -> None:
    """Held for a factor, a face opens exactly when it would if it were now as long ago as it was then, and in time."""
    granted = decide(sighting, person, DOOR, NOW, policy, proofs=given, held=held).granted
    fresh = replace(sighting, captured_at=NOW - (held - sighting.captured_at))
    in_time = held <= NOW <= held + policy.factors_within
    assert granted is (in_time and decide(fresh, person, DOOR, NOW, policy, proofs=given).granted)


@pytest.mark.parametrize(
    ("held", "captured", "reason"),
    [
        (20, 29, None),
        (20, 31, Reason.STALE),
        (20, 9, Reason.STALE),
        (20.001, 21, Reason.STALE),
        (-0.001, 1, Reason.STALE),
    ],
)
def test_a_held_face_waits_no_longer_than_factors_may_take(held: float, captured: float, reason: Reason | None) -> None:
    """It must have been fresh when it was judged; all in seconds before now."""
    before = NOW - timedelta(seconds=held)
    sighting = replace(SIGHTING, captured_at=NOW - timedelta(seconds=captured))
    assert decide(sighting, PERSON, DOOR, NOW, GUARDED, proofs=PROOFS.values(), held=before).reason is reason


@pytest.mark.parametrize("live", [True, False])
def test_a_card_is_no_second_factor_to_itself(live: bool) -> None:
    """Whoever shows a card may not have shown a face: the same card twice is one factor."""
    policy = replace(GUARDED, factors=frozenset({Factor.CREDENTIAL}), liveness_required=live)
    assert decide(SIGHTING, PERSON, DOOR, NOW, policy, proofs=PROOFS.values()).granted
    card = replace(SIGHTING, card=True)
    assert decide(card, PERSON, DOOR, NOW, policy, proofs=PROOFS.values()).reason is Reason.SECOND_FACTOR
    assert decide(card, PERSON, DOOR, NOW, replace(policy, factors=frozenset())).granted


@given(sightings, persons, guards, proofs)
def test_the_explanation_agrees_with_the_decision(
    sighting: Sighting, person: Person | None, policy: DoorPolicy, given: list[Proof]
) -> None:
    """The decision's reason is the explanation's first, and there is none exactly when the door opens."""
    reasons = explain(sighting, person, DOOR, NOW, policy, proofs=given)
    decision = decide(sighting, person, DOOR, NOW, policy, proofs=given)
    assert decision.reason is (reasons[0] if reasons else None)
    assert decision.granted is (not reasons)
    assert len(set(reasons)) == len(reasons)


@pytest.mark.parametrize("score", [float("nan"), float("-inf")])
@pytest.mark.parametrize("where", ["score", "threshold", "minimum"])
def test_a_number_that_is_none_opens_nothing(score: float, where: str) -> None:
    """Comparisons with what is no number are false: they must fall on the side of no."""
    sighting, policy = SIGHTING, POLICY
    if where == "minimum":
        policy = replace(policy, minimum_score=score)
    else:
        sighting = replace(sighting, **{where: score})
    granted = decide(sighting, PERSON, DOOR, NOW, policy).granted
    assert granted is (where != "score" and score == float("-inf"))


@given(persons, policies, st.frozensets(st.sampled_from(Factor)))
def test_a_card_opens_only_when_every_condition_holds(
    person: Person | None, policy: DoorPolicy, factors: frozenset[Factor]
) -> None:
    """The same for what is shown: whose it is counts, and that one factor is enough at this door."""
    policy = replace(policy, factors=factors)
    decision = decide_shown(person, DOOR, NOW, policy)
    expected = (
        person is not None
        and not factors
        and policy.mode is DoorMode.OPEN
        and person.role is not Role.BLOCKED
        and person.enabled
        and (person.valid_from is None or person.valid_from <= NOW)
        and (person.valid_until is None or person.valid_until > NOW)
        and (person.doors is None or DOOR in person.doors)
        and person.schedule_on is not False
    )
    assert decision.granted is expected
    assert (decision.reason is None) is expected


@given(persons, policies)
def test_a_card_opens_what_a_live_face_would(person: Person | None, policy: DoorPolicy) -> None:
    """What is held against a person is held against their card, with the same reason."""
    if person is None:
        assert decide_shown(None, DOOR, NOW, policy).reason is Reason.UNKNOWN
        return
    seen = replace(SIGHTING, captured_at=NOW, person_id=person.id, score=100, threshold=None)
    assert decide_shown(person, DOOR, NOW, policy) == decide(seen, person, DOOR, NOW, policy)


@pytest.mark.parametrize(
    ("person", "policy", "reason"),
    [(one[1], one[2], one[3]) for one in BROKEN.values() if not one[0] and "id" not in one[1]],
)
def test_one_failing_condition_is_enough_for_a_card(person: dict, policy: dict, reason: Reason) -> None:
    assert decide_shown(PERSON, DOOR, NOW, POLICY).granted
    decision = decide_shown(replace(PERSON, **person), DOOR, NOW, replace(POLICY, **policy))
    assert decision.reason is reason


@pytest.mark.parametrize(
    ("changes", "doors", "expected"),
    [
        ({}, [DOOR], None),
        ({}, ["SN-1_2", DOOR], None),
        ({}, ["SN-1_2"], Reason.NOT_PERMITTED),
        ({}, [], Reason.NOT_PERMITTED),
        ({"doors": None}, [], None),
        ({"enabled": False}, ["SN-1_2", DOOR], Reason.DISABLED),
        ({"role": Role.BLOCKED, "enabled": False}, [DOOR], Reason.BLOCKED),
        ({"valid_until": NOW}, [DOOR], Reason.EXPIRED),
        ({"valid_from": NOW + timedelta(seconds=1)}, [DOOR], Reason.NOT_YET_VALID),
        ({"schedule_on": False}, [DOOR], Reason.SCHEDULE),
    ],
)
def test_what_the_household_holds_against_somebody(
    changes: dict[str, object], doors: list[str], expected: Reason | None
) -> None:
    """Without a face, and without a door's policy."""
    assert objection(replace(PERSON, **changes), doors, NOW) is expected
    assert objection(None, doors, NOW) is Reason.UNKNOWN

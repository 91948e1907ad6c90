"""Frames of a server vote: two must agree, a face is one person, and what is unclear is nobody."""

from datetime import UTC, datetime

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.access import Liveness, Pictures, Reason, Role
from custom_components.face_access.recognition.interface import Judgement, Match, Score, SeenFace
from custom_components.face_access.recognition.server_vote import (
    Look,
    Report,
    Resident,
    Rule,
    ServerTracker,
    look,
    sighting_of,
)
from custom_components.face_access.recognition.terms import Box, FaceLiveness, Outcome

ANNA, BOB = Resident(id="anna", name="Anna"), Resident(id="bob", name="Bob", role=Role.ALLOWED)
KNOWN = {"a": ANNA, "b": BOB}
HERE, THERE = Box(x=0, y=0, width=10, height=10), Box(x=100, y=0, width=10, height=10)
LIVE, SPOOF = FaceLiveness.LIVE, FaceLiveness.SPOOF


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


def score(value: float, threshold: float | None = 40) -> Score:
    return Score(value=value, maximum=100, threshold=threshold)


def match(key: str, value: float = 70) -> Match:
    return Match(key=key, score=score(value))


def seen(person: Resident | None, state: FaceLiveness = LIVE, box: Box | None = None, value: float = 70) -> Look:
    return Look(person=person, score=None if person is None else score(value), liveness=state, box=box)


def told(frames: list[list[Look]], rule: Rule | None = None, step: float = 0.5) -> list[tuple[str, str | None, str]]:
    """Show frames, and give what was said of them."""
    tracker = ServerTracker(rule=rule or Rule())
    reports = [each for number, frame in enumerate(frames) for each in tracker.observe(frame, number * step)]
    return [(one.outcome.value, one.person.id if one.person else None, one.liveness.value) for one in reports]


# Who it is


@pytest.mark.parametrize(
    ("matches", "expected"),
    [
        ((), None),
        ((match("a"),), "anna"),
        ((match("a", 70), match("b", 60)), "anna"),
        ((match("a", 70), match("b", 70)), None),
        ((match("a", 70), match("a", 70)), "anna"),
        ((match("gone", 70), match("a", 60)), None),
        ((match("a", 39),), None),
        ((match("a", 40),), "anna"),
    ],
)
def test_the_best_match_decides(matches: tuple[Match, ...], expected: str | None) -> None:
    """Not the next best where that one is nobody of the house."""
    found = look(SeenFace(matches=matches, liveness=Judgement(state=LIVE), box=HERE), KNOWN.get)
    assert (found.id, found.liveness, found.box) == (expected, LIVE, HERE)


# The vote


def test_two_frames_must_agree() -> None:
    assert told([[seen(ANNA)]]) == []
    assert told([[seen(ANNA)], [seen(ANNA)], [seen(ANNA)]]) == [("recognised", "anna", "live")]


def test_live_comes_later_and_is_told_then() -> None:
    unsure = FaceLiveness.UNKNOWN
    frames = [[seen(ANNA, unsure)], [seen(ANNA, unsure)], [seen(ANNA)], [seen(ANNA)]]
    assert told(frames) == [("recognised", "anna", "unknown"), ("recognised", "anna", "live")]


def test_not_asked_is_not_checked() -> None:
    state = FaceLiveness.NOT_CHECKED
    assert told([[seen(ANNA, state)], [seen(ANNA, state)]]) == [("recognised", "anna", "not_checked")]


def test_once_a_spoof_always_a_spoof() -> None:
    frames = [[seen(ANNA, SPOOF)], [seen(ANNA, SPOOF)], *[[seen(ANNA)]] * 6]
    assert told(frames) == [("spoof", None, "spoof")]


def test_one_doubt_is_enough_against_live() -> None:
    """Named, and not live while the doubt is in view."""
    frames = [[seen(ANNA, SPOOF)], [seen(ANNA)], [seen(ANNA)]]
    assert told(frames) == [("recognised", "anna", "unknown")]


def test_a_stranger_needs_three() -> None:
    assert told([[seen(None)]] * 2) == []
    assert told([[seen(None)]] * 4) == [("stranger", None, "live")]


def test_a_familiar_face_that_turns_away_is_no_stranger() -> None:
    frames = [[seen(ANNA)], [seen(None)], [seen(None)], [seen(None)], [seen(None)]]
    assert told(frames) == []
    boxed = [[seen(ANNA, box=HERE)], *[[seen(None, box=HERE)]] * 4]
    assert told(boxed) == []


def test_somebody_beside_a_familiar_face_is_a_stranger() -> None:
    frames = [[seen(ANNA, box=HERE), seen(None, box=THERE)]] * 3
    assert told(frames) == [("recognised", "anna", "live"), ("stranger", None, "live")]


def test_two_people_at_once() -> None:
    frames = [[seen(ANNA), seen(BOB)]] * 2
    assert told(frames) == [("recognised", "anna", "live"), ("recognised", "bob", "live")]


@pytest.mark.parametrize("box", [None, HERE])
def test_one_face_with_two_names_is_nobody(box: Box | None) -> None:
    frames = [[seen(ANNA, box=box)], [seen(BOB, box=box)]] * 4
    assert told(frames) == []


def test_two_places_with_two_names_are_two() -> None:
    frames = [[seen(ANNA, box=HERE)], [seen(BOB, box=THERE)]] * 2
    assert told(frames) == [("recognised", "anna", "live"), ("recognised", "bob", "live")]


def test_whoever_comes_next_is_named_once_the_other_is_gone() -> None:
    frames = [[seen(ANNA)]] * 2 + [[seen(BOB)]] * 12
    assert told(frames, Rule(within=2)) == [("recognised", "anna", "live"), ("recognised", "bob", "live")]


def test_what_is_left_to_say() -> None:
    """Somebody who went before two frames agreed was there, and is not named."""
    tracker = ServerTracker()
    tracker.observe([seen(ANNA, box=HERE), seen(None, box=THERE)], 0)
    assert sorted(one.outcome.value for one in tracker.expire(100)) == ["stranger", "uncertain"]
    assert tracker.expire(200) == []


def test_after_a_while_it_is_told_again() -> None:
    tracker = ServerTracker()
    for at in (0, 1, 100, 101):
        reports = tracker.observe([seen(ANNA)], at)
        assert bool(reports) == (at in (1, 101))


def test_the_lowest_score_counts() -> None:
    tracker = ServerTracker()
    tracker.observe([seen(ANNA, value=90)], 0)
    (report,) = tracker.observe([seen(ANNA, value=55)], 1)
    assert report.score == score(55)


@given(
    st.lists(
        st.lists(
            st.builds(
                seen,
                st.sampled_from([None, ANNA, BOB]),
                st.sampled_from(list(FaceLiveness)),
                st.sampled_from([None, HERE, THERE]),
            ),
            max_size=3,
        ),
        max_size=12,
    )
)
def test_nobody_is_named_or_live_without_two_frames_that_say_so(frames: list[list[Look]]) -> None:
    """Whatever a server says, in whatever order."""
    tracker = ServerTracker()
    for number, frame in enumerate(frames):
        for report in tracker.observe(frame, number * 0.5):
            so_far = frames[: number + 1]
            if report.outcome is Outcome.RECOGNISED:
                assert report.person is not None
                assert sum(any(one.person == report.person for one in each) for each in so_far) >= 2
            else:
                assert report.person is None
            if report.liveness is LIVE:
                assert sum(any(one.liveness is LIVE for one in each) for each in so_far) >= 2


# Sightings


def sighting(report: Report, *, antispoofing: bool = True):  # noqa: ANN201
    return sighting_of(
        report,
        source="porch",
        sequence=7,
        captured_at=datetime(2026, 11, 21, tzinfo=UTC),
        antispoofing=antispoofing,
        pictures=Pictures(scene=b"scene"),
    )


def test_a_resident_is_the_households_own() -> None:
    report = Report(outcome=Outcome.RECOGNISED, liveness=LIVE, latest=seen(BOB), person=BOB, score=score(0.7 * 100))
    found = sighting(report)
    assert (found.person_id, found.person_name, found.role, found.household) == ("bob", "Bob", Role.ALLOWED, True)
    assert (found.score, found.threshold, found.liveness, found.refused) == (70, 40, Liveness.LIVE, None)
    assert (found.key.sequence, found.realtime, found.pictures.best) == (7, True, b"scene")


def test_a_score_of_one_is_shown_of_a_hundred() -> None:
    small = Score(value=0.75, maximum=1, threshold=0.7)
    report = Report(outcome=Outcome.RECOGNISED, liveness=LIVE, latest=seen(BOB), person=BOB, score=small)
    found = sighting(report)
    assert (found.score, found.threshold) == (pytest.approx(75), pytest.approx(70))


@pytest.mark.parametrize(
    ("outcome", "state", "antispoofing", "refused", "liveness"),
    [
        (Outcome.RECOGNISED, FaceLiveness.UNKNOWN, True, Reason.LIVENESS, Liveness.UNCHECKED),
        (Outcome.RECOGNISED, FaceLiveness.NOT_CHECKED, True, Reason.LIVENESS, Liveness.UNCHECKED),
        (Outcome.RECOGNISED, FaceLiveness.NOT_CHECKED, False, None, Liveness.UNCHECKED),
        (Outcome.SPOOF, SPOOF, True, Reason.SPOOF, Liveness.SPOOF),
        (Outcome.STRANGER, LIVE, True, Reason.UNKNOWN, Liveness.LIVE),
        (Outcome.UNCERTAIN, FaceLiveness.UNKNOWN, True, None, Liveness.UNCHECKED),
    ],
)
def test_what_is_refused(
    outcome: Outcome, state: FaceLiveness, antispoofing: bool, refused: Reason | None, liveness: Liveness
) -> None:
    person = ANNA if outcome is Outcome.RECOGNISED else None
    report = Report(outcome=outcome, liveness=state, latest=seen(person), person=person)
    found = sighting(report, antispoofing=antispoofing)
    assert (found.refused, found.liveness) == (refused, liveness)

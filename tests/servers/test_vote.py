"""Frames of a server vote: two must agree, a face is one person, and what is unclear is nobody."""

from datetime import UTC, datetime

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.access import Liveness, Pictures, Reason, Role
from custom_components.face_access.recognition.interface import Judgement, Match, Score, SeenFace
from custom_components.face_access.recognition.pace import DOUBTED, Rule
from custom_components.face_access.recognition.servers.look import Look, Resident, look
from custom_components.face_access.recognition.servers.vote import PATIENT, Report, ServerTracker, sighting_of
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
    tracker = ServerTracker(rule=rule or PATIENT)
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
        # Whoever was removed, and added again with the same photo.
        ((match("gone", 70), match("a", 70)), "anna"),
        ((match("a", 70), match("gone", 70)), "anna"),
        ((match("gone", 70), match("a", 70), match("b", 70)), None),
        ((match("a", 39),), None),
        ((match("a", 40),), "anna"),
    ],
)
def test_the_best_match_decides(matches: tuple[Match, ...], expected: str | None) -> None:
    """Not the next best where that one is nobody of the house."""
    found = look(SeenFace(matches=matches, liveness=Judgement(state=LIVE), box=HERE), KNOWN.get)
    assert (found.id, found.liveness, found.box) == (expected, LIVE, HERE)


# What is no place

NOWHERE = [
    Box(x=0, y=0, width=0, height=0),
    Box(x=5, y=5, width=10, height=0),
    Box(x=-1e308, y=0, width=float("inf"), height=10),
    Box(x=0, y=0, width=float("nan"), height=10),
]


@pytest.mark.parametrize("box", NOWHERE)
def test_two_names_at_no_place_are_taken_for_one_face(box: Box) -> None:
    """As without a box: neither of them is let in by names in turn."""
    frames = [[seen((ANNA, BOB)[number % 2], box=box)] for number in range(8)]
    assert [report for report in told(frames) if report[0] == "recognised"] == []


@pytest.mark.parametrize("box", NOWHERE)
def test_a_nameless_spoof_at_no_place(box: Box) -> None:
    """It is told of, and who comes after it is seen; everybody is doubted while it may be there."""
    spoof, later = seen(None, SPOOF, box), [seen(ANNA, box=HERE)]
    assert ("spoof", None, "spoof") in told([[spoof], [spoof], [spoof]])
    assert ("recognised", "anna", "live") in told([[spoof], *[later] * 12], step=2.0)


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


# A photo that goes by several names, or by none

PHOTOS = {
    "between": [LIVE, SPOOF, SPOOF, LIVE],
    "first": [SPOOF, SPOOF, LIVE, LIVE],
    "apart": [SPOOF, SPOOF, LIVE, SPOOF, SPOOF, LIVE],
}


def alternating(states: list[FaceLiveness], box: Box | None, person: Resident | None = None) -> list[list[Look]]:
    """Give a face that has a name only where it is not found to be a spoof."""
    return [[seen(ANNA if state is LIVE else person, state, box)] for state in states]


@pytest.mark.parametrize("person", [None, BOB])
@pytest.mark.parametrize("box", [None, HERE])
@pytest.mark.parametrize("states", PHOTOS.values(), ids=PHOTOS)
def test_a_photo_is_one_by_any_name(states: list[FaceLiveness], box: Box | None, person: Resident | None) -> None:
    """Told once, and nothing else of it for as long as it is in view."""
    assert told(alternating([*states, *[LIVE] * 12], box, person)) == [("spoof", None, "spoof")]


@pytest.mark.parametrize("box", [None, HERE])
def test_one_doubt_about_nobody_is_one_about_whoever_is_there(box: Box | None) -> None:
    """Until enough frames have passed without another."""
    assert told(alternating([LIVE, SPOOF, LIVE], box)) == [("recognised", "anna", "unknown")]
    later = told(alternating([LIVE, SPOOF, *[LIVE] * 5], box))
    assert later == [("recognised", "anna", "unknown"), ("recognised", "anna", "live")]
    in_turn = told(alternating([LIVE, SPOOF, LIVE, SPOOF, *[LIVE] * 12], box))
    assert in_turn == [("recognised", "anna", "unknown"), ("spoof", None, "spoof")]


def test_a_photo_is_followed_where_it_goes() -> None:
    """By its place, step by step, and by its name, from one place to another."""
    steps = [Box(x=x, y=0, width=10, height=10) for x in range(0, 40, 4)]
    photo = [
        [seen(None, SPOOF, steps[0])],
        [seen(None, SPOOF, steps[1])],
        *[[seen(None, LIVE, one)] for one in steps[2:]],
    ]
    assert told([*photo, *[[seen(ANNA, LIVE, steps[-1])]] * 4]) == [("spoof", None, "spoof")]
    named = alternating([LIVE, SPOOF, SPOOF], HERE)
    assert told([*named, *[[seen(ANNA, LIVE, THERE)]] * 4]) == [("spoof", None, "spoof")]


def test_a_photo_beside_somebody_is_not_held_against_them() -> None:
    """Where the server says where they are; a second nameless face is seen as well as the first."""
    frame = [seen(None, LIVE, THERE), seen(None, SPOOF, HERE), seen(BOB, LIVE, Box(x=0, y=100, width=10, height=10))]
    after = [[seen(ANNA, LIVE, HERE), seen(BOB, LIVE, Box(x=0, y=100, width=10, height=10))]] * 3
    assert told([frame, frame, *after]) == [("spoof", None, "spoof"), ("recognised", "bob", "live")]


FAR = [Box(x=x, y=300, width=10, height=10) for x in range(0, 400, 20)]


def test_a_photo_that_jumps_is_live_nowhere_for_a_while() -> None:
    """It is found out without a name, and named out of reach of where it was: it does not start clean."""
    doubted, live = ("recognised", "anna", "unknown"), ("recognised", "anna", "live")
    jumping = [[seen(None, SPOOF, HERE)], *[[seen(ANNA, LIVE, box)] for box in FAR[:11]]]
    assert told(jumping[:-1]) == [doubted]
    assert live in told(jumping)
    again = [*jumping[:9], [seen(None, SPOOF, THERE)], *[[seen(ANNA, LIVE, box)] for box in FAR[:11]]]
    assert live not in told(again[:-1])
    assert live in told(again)


def test_a_photo_that_leaves_its_place_to_another_face_is_no_cleaner() -> None:
    """Whoever steps to where it was, and is no spoof there, does not speak for the face that appears elsewhere."""
    frames = [[seen(None, SPOOF, HERE)], *[[seen(None, LIVE, HERE), seen(ANNA, LIVE, THERE)]] * 4]
    assert ("recognised", "anna", "live") not in told(frames)


def test_somebody_who_comes_while_a_photo_is_in_view_is_live_at_once() -> None:
    """A poster in the hall: in one frame both are seen, so they are two, wherever either is seen next."""
    poster = seen(None, SPOOF, HERE)
    frames = [[poster], [poster], [poster, seen(BOB, LIVE, FAR[0])], [seen(BOB, LIVE, FAR[5])]]
    assert told(frames) == [("spoof", None, "spoof"), ("recognised", "bob", "live")]
    gone = [[poster, seen(BOB, LIVE, THERE)], *[[poster]] * 11, [seen(BOB, LIVE, FAR[0])], [seen(BOB, LIVE, FAR[5])]]
    assert told(gone)[-1] == ("recognised", "bob", "unknown")


@given(
    st.lists(st.tuples(st.sampled_from([None, ANNA]), st.sampled_from([LIVE, SPOOF]), st.integers(0, 9)), max_size=20)
)
def test_one_face_alone_is_never_live_soon_after_a_spoof(
    steps: list[tuple[Resident | None, FaceLiveness, int]],
) -> None:
    """Wherever it goes between frames, and whatever it is called."""
    tracker, spoof_at = ServerTracker(), float("-inf")
    for number, (person, state, place) in enumerate(steps):
        at = number * 2.0
        spoof_at = at if state is SPOOF else spoof_at
        for report in tracker.observe([seen(person, state, FAR[place])], at):
            assert report.liveness is not LIVE or report.person is None or at - spoof_at > tracker.rule.within


def test_a_photo_that_is_gone_is_forgotten() -> None:
    tracker = ServerTracker()
    tracker.observe([seen(None, SPOOF)], 0)
    assert [one.outcome for one in tracker.observe([seen(None, SPOOF)], 1)] == [Outcome.SPOOF]
    assert tracker.expire(100) == []
    assert tracker.idle
    tracker.observe([seen(ANNA)], 101)
    assert [one.liveness for one in tracker.observe([seen(ANNA)], 102)] == [LIVE]


@pytest.mark.parametrize("spoofs", [1, 2])
@pytest.mark.parametrize("settled", [False, True])
def test_a_photo_that_was_hidden_is_not_live_for_a_while(spoofs: int, settled: bool) -> None:
    """By the name that it went by, also when it was told meanwhile what was left to say of it; somebody else is."""

    def then(person: Resident, hidden: float) -> FaceLiveness:
        tracker = ServerTracker()
        for number in range(spoofs):
            tracker.observe([seen(ANNA, SPOOF, HERE)], number)
        if settled:
            tracker.expire(float("inf"))
        last = spoofs - 1
        reports = [
            each for step in (0, 1) for each in tracker.observe([seen(person, LIVE, HERE)], last + hidden + step)
        ]
        assert reports[-1].person is person
        return reports[-1].liveness

    assert then(ANNA, 5.5) is then(ANNA, DOUBTED - 1.5) is FaceLiveness.UNKNOWN
    assert then(ANNA, DOUBTED + 0.5) is then(BOB, 5.5) is LIVE


NEAR = Box(x=1, y=1, width=10, height=10)


@given(
    st.lists(
        st.builds(
            seen,
            st.sampled_from([None, ANNA, BOB]),
            st.sampled_from([LIVE, LIVE, SPOOF, FaceLiveness.UNKNOWN]),
            st.sampled_from([None, HERE, NEAR]),
        ),
        max_size=24,
    )
)
def test_nobody_is_live_of_whom_enough_frames_said_otherwise(looks: list[Look]) -> None:
    """One face, whatever it is called: none of the last frames doubted it, and never did two of five."""
    tracker, rule = ServerTracker(), PATIENT
    for number, one in enumerate(looks):
        reports = tracker.observe([one], number * 0.5)
        past = [each.liveness is SPOOF for each in looks[: number + 1]]
        caught = any(sum(past[start : start + rule.of]) >= rule.needed for start in range(len(past)))
        for report in reports:
            if report.outcome is Outcome.RECOGNISED:
                assert not caught
            if report.liveness is LIVE:
                assert not any(past[-rule.of :])
        assert caught == any(suspect.caught for suspect in tracker._doubts._suspects)


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


def test_what_was_enough_before_is_not_once_more_is_asked_for() -> None:
    """Nor does it count again when the newest frame would."""
    tracker = ServerTracker()
    assert tracker.observe([Look(person=ANNA, score=score(55, 40), liveness=LIVE)], 0) == []
    assert tracker.observe([Look(person=ANNA, score=score(85, 80), liveness=LIVE)], 1) == []
    (report,) = tracker.observe([Look(person=ANNA, score=score(82, 80), liveness=LIVE)], 2)
    assert (report.score, report.liveness) == (score(82, 80), LIVE)
    (less,) = told_of(ANNA, (score(85, 80), score(55, 40)))
    assert less.score == score(55, 40)
    (untold,) = told_of(ANNA, (score(85, None), score(55, None)))
    assert untold.score == score(55, None)


def told_of(person: Resident, scores: tuple[Score, ...]) -> list[Report]:
    """Show somebody with these scores, frame by frame."""
    tracker = ServerTracker()
    looks = [Look(person=person, score=one, liveness=LIVE) for one in scores]
    return [report for at, one in enumerate(looks) for report in tracker.observe([one], at)]


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

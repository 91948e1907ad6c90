"""How long frames count: cameras with few pictures name somebody too, and none does so by old or by single ones."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.access import DoorPolicy
from custom_components.face_access.recognition.pace import LONGEST, Rule, Stills
from custom_components.face_access.recognition.results import Outcome

from .test_judgement import KNOWN, STRANGER, votes

intervals = st.floats(0, 1000)
rare = st.floats(2.01, LONGEST)


@given(intervals, intervals)
def test_a_window_is_never_shorter_than_usual_nor_longer_than_a_door_allows(one: float, other: float) -> None:
    usual = Rule()
    shorter, longer = (usual.at(interval) for interval in sorted((one, other)))
    assert usual.within <= shorter.within <= longer.within <= LONGEST
    assert DoorPolicy().freshness.total_seconds() >= LONGEST
    assert (longer.needed, longer.of) == (usual.needed, usual.of)
    assert longer.strangers >= longer.needed


@given(rare, st.floats(0.9, 1.1))
def test_two_pictures_in_a_row_name_somebody_however_rare_they_are(interval: float, punctuality: float) -> None:
    rule, step = Rule().at(interval), min(interval * punctuality, LONGEST)
    assert [vote.outcome for vote in votes((KNOWN,), (KNOWN,), step=step, rule=rule)] == [Outcome.RECOGNISED]
    assert [vote.outcome for vote in votes((STRANGER,), (STRANGER,), step=step, rule=rule)] == [Outcome.STRANGER]
    assert votes((KNOWN,), step=step, rule=rule) == []


@given(rare)
def test_two_pictures_with_another_between_them_do_not(interval: float) -> None:
    found = votes((KNOWN,), (STRANGER,), (KNOWN,), (STRANGER,), (KNOWN,), step=interval, rule=Rule().at(interval))
    assert Outcome.RECOGNISED not in [vote.outcome for vote in found]


@given(st.floats(LONGEST + 0.001, 1000))
def test_old_pictures_never_count(interval: float) -> None:
    found = votes(*[(KNOWN,)] * 5, step=interval, rule=Rule().at(interval))
    assert {vote.outcome for vote in found} == {Outcome.UNCERTAIN}


def ask(stills: Stills, moments: list[float], picture_at: float, took: float = 0.01) -> int:
    """Ask a camera that has a new picture every `picture_at` seconds; how many were taken for new."""
    return sum(stills.take(b"%d" % (moment // picture_at), moment, moment + took) for moment in moments)


@given(st.floats(1.0, 20.0), st.floats(0.2, 1.0), st.floats(0.0, 1.0))
def test_the_interval_of_a_camera_is_found(every: float, pause: float, begin: float) -> None:
    stills, moments = Stills(), [begin + number * pause for number in range(int(4 * every / pause))]
    shown = [int(moment // every) for moment in moments]
    assert ask(stills, moments, every) == 1 + sum(one != other for one, other in pairwise(shown))
    if every > 2 * pause:
        assert stills.interval is not None
        assert every - pause <= stills.interval <= every + pause


@given(st.floats(0.01, 0.2), st.floats(0.2, 2.0))
def test_rare_questions_say_nothing_of_the_camera(every: float, pause: float) -> None:
    stills = Stills()
    ask(stills, [number * pause for number in range(20)], every / 10)
    assert stills.interval == pytest.approx(0.01)


def test_a_camera_that_takes_long_to_answer_is_rare_too() -> None:
    stills = Stills()
    ask(stills, [0.0, 4.0, 8.0, 12.0], 1, took=4.0)
    assert stills.interval == 4


@pytest.mark.parametrize("paused", [True, False])
def test_nobody_knows_what_came_while_nobody_asked(paused: bool) -> None:
    stills = Stills()
    ask(stills, [0.0, 2.0], 5)
    assert stills.interval is None
    ask(stills, [61.0, 62.0, 65.5] if paused else [4.0, 6.0], 5)
    assert stills.interval == (pytest.approx(4.5) if paused else 6)


def test_how_long_a_picture_has_been_the_same() -> None:
    stills = Stills()
    assert stills.take(b"one", 1.0, 1.1)
    assert not stills.take(b"one", 3.0, 3.1)
    assert stills.shown_for(3.0) == 2.0
    assert stills.take(b"two", 4.0, 4.1)
    assert stills.shown_for(4.0) == 0.0

"""Answers of any shape: each is read, or refused as what no SmartFace says; nothing else ever comes of them."""

from collections.abc import Callable
from contextlib import suppress
import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.recognition.errors import EngineProtocolError
from custom_components.face_access.recognition.interface import Judgement
from custom_components.face_access.recognition.results import FaceLiveness
from custom_components.face_access.recognition.smartface import SpoofDetector, Tuning
from custom_components.face_access.recognition.smartface.models import (
    parse_details,
    parse_member,
    parse_page,
    parse_registered,
    parse_stored_face,
    parse_watchlist,
)
from custom_components.face_access.recognition.smartface.read import Fields, objects
from custom_components.face_access.recognition.smartface.release import parse_version, read_release
from custom_components.face_access.recognition.smartface.search import _found
from custom_components.face_access.recognition.smartface.spoof import judge_liveness, parse_spoof_check

from .conftest import FACE_ID, VERSION, found_face, match

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["\ud800", "2026-13-01", "2026-01-01T00:00:00Z", FACE_ID, "Male", 10**400, 0.5, -1])
)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)

SPOOF = {
    "performed": True,
    "passed": True,
    "distantLivenessSpoofCheck": {
        "performed": True,
        "passed": True,
        "score": 99.0,
        "notPerformedReasons": [{"reasonMessage": "none"}],
    },
    "nearbyLivenessSpoofCheck": None,
}
STORED = {"id": FACE_ID, "imageDataId": FACE_ID, "type": "Regular", "state": "New", "gender": 1.0, "size": 60.0}
MEMBER = {"id": "a", "displayName": "A", "fullName": "A", "note": None, "labels": [{"key": "k", "value": "v"}]}
LIST = {"id": "l", "displayName": "L", "fullName": "L", "threshold": 40, "createdAt": "2026-01-15T08:30:00"}
PAGE = {"items": [LIST], "nextPage": None, "pageNumber": 1, "pageSize": 1, "totalItemsCount": None}


def _search(value: Any) -> Any:
    return [_found(item, 3) for item in objects(value, "x")]


def _judge(value: Any) -> Judgement:
    tuning = Tuning(spoof=(SpoofDetector.DISTANT_ANY, SpoofDetector.NEARBY_ANY))
    return judge_liveness(parse_spoof_check(Fields(value, "x")), tuning)


ANSWERS: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "version": (VERSION, parse_version),
    "search": ([found_face(matchResults=[match(40)], spoofCheckResult=SPOOF)], _search),
    "spoof check": (SPOOF, _judge),
    "stored face": (STORED, lambda value: parse_stored_face(Fields(value, "x"))),
    "details": (found_face(), lambda value: parse_details(Fields(value, "x"))),
    "member": (MEMBER, lambda value: parse_member(Fields(value, "x"))),
    "watchlist": (LIST, lambda value: parse_watchlist(Fields(value, "x"))),
    "page": (PAGE, lambda value: parse_page(value, "x", parse_watchlist)),
    "registered": ({**MEMBER, "watchlists": [LIST], "faces": [STORED]}, lambda v: parse_registered(Fields(v, "x"))),
}


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Find every place in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))]


def _changed(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Put something else at a place; None removes what is there."""
    if not place:
        return new
    copy = json.loads(json.dumps(value))
    inner = copy
    for key in place[:-1]:
        inner = inner[key]
    if new is Ellipsis:
        del inner[place[-1]]
    else:
        inner[place[-1]] = new
    return copy


@pytest.mark.parametrize("name", ANSWERS)
def test_the_answers_themselves_are_read(name: str) -> None:
    value, parse = ANSWERS[name]
    assert parse(value) is not None


@pytest.mark.parametrize("name", ANSWERS)
@given(data=st.data())
def test_an_answer_with_one_thing_changed(name: str, data: st.DataObject) -> None:
    value, parse = ANSWERS[name]
    place = data.draw(st.sampled_from(_places(value)))
    new = data.draw(ANYTHING | (st.just(...) if place else st.nothing()))
    with suppress(EngineProtocolError):
        parse(_changed(value, place, new))


@given(value=ANYTHING)
def test_anything_at_all(value: Any) -> None:
    for _, parse in ANSWERS.values():
        with suppress(EngineProtocolError):
            parse(value)


@given(value=ANYTHING)
def test_nothing_but_a_clear_pass_is_live(value: Any) -> None:
    for place in (("performed",), ("passed",), ("distantLivenessSpoofCheck",), ("distantLivenessSpoofCheck", "passed")):
        changed = _changed(SPOOF, place, value)
        try:
            judged = judge_liveness(parse_spoof_check(Fields(changed, "x")), Tuning())
        except EngineProtocolError:
            continue
        assert (judged.state is FaceLiveness.LIVE) is (value is True or value == SPOOF["distantLivenessSpoofCheck"])


@given(text=st.text(max_size=40) | st.from_regex(r"(v\d_)?\d+\.\d+(\.\d+)*"))
def test_versions(text: str) -> None:
    release = read_release(text)
    assert release is None or len(release) == 3


@pytest.mark.parametrize(
    ("reader", "good", "wrong"),
    [
        ("text", ["a", "\ud800"], [None, 1, True, [], {}]),
        ("maybe_text", ["a", None], [1, True]),
        ("number", [1, 0.5], [None, True, "1", float("inf"), float("nan"), 10**400]),
        ("whole", [40, 40.0], [None, 40.5, "40", True]),
        ("maybe_whole", [None, 1], [0.5]),
        ("maybe_flag", [None, True, False], [0, 1, "true", []]),
        ("maybe_moment", [None, "2026-01-15T08:30:00"], ["yesterday", 0, "2026-02-30"]),
        ("uuid", [FACE_ID, FACE_ID.upper()], [None, "", "1", 5]),
        ("maybe_uuid", [None, FACE_ID], ["x"]),
        ("maybe_object", [None, {}], [[], 1, "a"]),
        ("maybe_objects", [None, [], [{}]], [{}, [1], "a"]),
        ("objects", [[], [{}]], [None, {}, [None]]),
    ],
)
def test_readers_take_what_the_document_says_and_name_no_value(reader: str, good: list[Any], wrong: list[Any]) -> None:
    for value in good:
        getattr(Fields({"member": value}, "thing"), reader)("member")
    for value in wrong:
        with pytest.raises(EngineProtocolError, match=r"thing.*member"):
            getattr(Fields({"member": value}, "thing"), reader)("member")


@pytest.mark.parametrize("reader", ["number", "whole", "maybe_flag", "maybe_moment", "uuid", "maybe_object", "objects"])
def test_a_refusal_does_not_repeat_the_value(reader: str) -> None:
    with pytest.raises(EngineProtocolError) as refused:
        getattr(Fields({"member": "Zacharias"}, "thing"), reader)("member")
    assert "Zacharias" not in str(refused.value)

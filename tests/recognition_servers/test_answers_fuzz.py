"""Whatever a server answers, parsers give a result that keeps their promises, or an error of ours."""

import json
from typing import Any

from hypothesis import given, strategies as st

from custom_components.face_access.recognition.errors import EngineError, EngineProtocolError, RecognitionError
from custom_components.face_access.recognition.face_scan import records
from custom_components.face_access.recognition.interface import SeenFace
from custom_components.face_access.recognition.kby.answers import comparison, judgement
from custom_components.face_access.recognition.opencv_fr import answers
from custom_components.face_access.recognition.opencv_fr.client import OpenCvFrClient
from custom_components.face_access.recognition.opencv_fr.codes import LivenessError, item_refusal, refusal
from custom_components.face_access.recognition.remote.http import Answer
from custom_components.face_access.recognition.remote.values import words
from custom_components.face_access.recognition.results import FaceLiveness

_WORDS = st.sampled_from(
    (
        "Same person",
        "Different person",
        "No face1",
        "None",
        "Ok",
        "Real",
        "Spoof",
        "Multiple face",
        "ERR_LIVENESS_ERROR",
        "FACE_NOT_LIVE",
        "FACE_TOO_SMALL",
        "f2d051aa-045d-4f87-822f-ad694464614c",
        "",
        "\ud800",
    )
)
_LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(-1, 1),
    st.text(max_size=6),
    _WORDS,
)
_KEYS = st.sampled_from(
    (
        *("compare_result", "compare_similarity", "face1", "face2", "resultCode", "faces1", "faces2", "results"),
        *("similarity", "face_state", "result", "liveness_score", "is_small", "quality", "x1", "y1", "x2", "y2", "yaw"),
        *("person_id", "person_name", "person", "score", "matches", "faces", "box", "left", "top", "right", "bottom"),
        *("x", "y", "width", "height", "collection_name", "is_match", "code", "message", "metadata", "id", "content"),
        *("companyId", "elapsedTime", "compareResult", "totalElements", "last", "created", "channel", "reference"),
    )
)
ANYTHING = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=6)),
    max_leaves=25,
)
_NUMBERS = st.one_of(st.floats(-0.2, 1.2), _LEAVES)
_CANDIDATES = st.lists(
    st.fixed_dictionaries(
        {"person_id": st.one_of(st.sampled_from(("a", "b", "c")), _LEAVES), "similarity": _NUMBERS},
        optional={"person_name": _LEAVES, "metadata": ANYTHING},
    ),
    max_size=5,
)


def _promised(seen: SeenFace, limit: int, threshold: float) -> None:
    keys = [match.key for match in seen.matches]
    scores = [match.score.value for match in seen.matches]
    assert len(keys) == len(set(keys)) <= limit
    assert all(isinstance(key, str) and key for key in keys)
    assert scores == sorted(scores, reverse=True)
    assert all(threshold <= score <= 1 for score in scores)
    assert seen.box is None or seen.box.area > 0


@given(st.one_of(ANYTHING, _CANDIDATES, st.dictionaries(_KEYS, _CANDIDATES, max_size=2)))
def test_candidates(body: Any) -> None:
    try:
        found = answers.matches(body, "house", 0.7, 3)
    except EngineProtocolError:
        return
    _promised(SeenFace(matches=found), 3, 0.7)


@given(st.one_of(ANYTHING, _CANDIDATES, st.lists(_CANDIDATES, max_size=3), st.dictionaries(_KEYS, ANYTHING)))
def test_faces(body: Any) -> None:
    try:
        found = answers.faces(body, "house", 0.67, 2)
    except EngineProtocolError:
        return
    for seen in found:
        _promised(seen, 2, 0.67)
    areas = [seen.box.area for seen in found if seen.box]
    assert areas == sorted(areas, reverse=True)


@given(st.one_of(ANYTHING, st.dictionaries(st.just("is_match"), ANYTHING)))
def test_verdict(body: Any) -> None:
    try:
        assert isinstance(answers.is_match(body), bool)
    except EngineProtocolError:
        return


@given(
    st.one_of(
        ANYTHING,
        st.fixed_dictionaries(
            {"compare_result": st.one_of(_WORDS, _LEAVES), "compare_similarity": _NUMBERS},
            optional={"face1": ANYTHING, "face2": ANYTHING},
        ),
        st.fixed_dictionaries(
            {
                "resultCode": st.one_of(st.just("Ok"), _LEAVES),
                "faces1": st.lists(st.one_of(st.just({}), ANYTHING), max_size=2),
                "faces2": st.lists(st.one_of(st.just({}), ANYTHING), max_size=2),
                "results": st.lists(
                    st.fixed_dictionaries(
                        {"face1": st.integers(-1, 2), "face2": st.integers(-1, 2), "similarity": _NUMBERS}
                    )
                ),
            }
        ),
    )
)
def test_comparison(body: Any) -> None:
    """Nothing but a likeness that reaches the threshold ever is a match."""
    try:
        compared = comparison(body)
    except RecognitionError:
        return
    result = compared.verification(0.7)
    assert result.score is not None
    assert -1 < result.score.value <= 1.0001
    if result.matched:
        assert result.score.value >= 0.7
        if "compare_result" in body:
            assert body["compare_result"].strip().lower().split() == ["same", "person"]


@given(st.one_of(ANYTHING, st.dictionaries(st.just("face_state"), st.dictionaries(_KEYS, st.one_of(_WORDS, _LEAVES)))))
def test_judgement(body: Any) -> None:
    try:
        judged = judgement(body)
    except RecognitionError:
        return
    word = body["face_state"]["result"].strip().lower()
    assert (judged.state is FaceLiveness.SPOOF) == (word == "spoof")
    assert judged.state is not FaceLiveness.LIVE or word == "real"


@given(st.one_of(ANYTHING, st.fixed_dictionaries({"id": _WORDS}, optional={"companyId": _LEAVES})))
def test_records(body: Any) -> None:
    for read in (records.record, records.page, records.scan):
        try:
            read(body)
        except RecognitionError:
            continue


@given(st.integers(100, 599), st.one_of(ANYTHING.map(lambda body: json.dumps(body).encode()), st.binary(max_size=40)))
async def test_refusals(status: int, body: bytes) -> None:
    """Every status but 2xx is an error; only the one detail is a spoof."""
    error = await refusal(Answer(status=status, body=body), "secret")
    assert (error is None) <= (200 <= status < 300)
    if isinstance(error, LivenessError) and error.spoof:
        assert b"FACE_NOT_LIVE" in body
    assert error is None or str(error).isprintable()


@given(ANYTHING)
def test_bulk_answers(body: Any) -> None:
    client = OpenCvFrClient(None, "http://127.0.0.1:1", "key")  # type: ignore[arg-type]
    try:
        answer = client._bulk(body if isinstance(body, list) else [body], ["a", "b"])
    except EngineProtocolError:
        return
    assert set(answer.refused) <= {"a", "b"}
    assert all(isinstance(error, EngineError) for error in answer.refused.values())


@given(st.dictionaries(_KEYS, ANYTHING))
def test_items_of_bulk_answers(item: dict[str, Any]) -> None:
    error = item_refusal(item)
    code = item.get("code")
    assert (error is not None) == (isinstance(code, str) and code.startswith("ERR_"))


@given(st.one_of(_LEAVES, st.text()), st.text(min_size=4, max_size=12).filter(str.isalnum))
def test_words_for_a_log(value: Any, secret: str) -> None:
    text = words(f"{value}{secret}{value}", secret)
    assert secret not in text
    assert text == "" or text.isprintable()
    assert len(text) <= 200
    assert words(7) == ""
    assert words("f" * 40) == "…"
    assert words("Ada\ud83d") == "Ada?"

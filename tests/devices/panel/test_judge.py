"""Every error body that is documented becomes an exception with its field."""

import json
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.devices.errors import (
    StationAuthError,
    StationError,
    StationForbiddenError,
    StationProtocolError,
    StationRefusedError,
    StationUnsupportedError,
)
from custom_components.face_access.devices.panel.judge import error_text, judge
from custom_components.face_access.devices.panel.transport import Answer


def answer(status: int, error: Any) -> Answer:
    return Answer(status=status, body=json.dumps({"error": error}).encode())


@pytest.mark.parametrize(
    ("text", "code", "field"),
    [
        ("Wrong JSON body", "wrong_body", None),
        ("Wrong JSON body: no value for `similarity`", "missing_field", "similarity"),
        ("Wrong JSON body: value `enable` was of the wrong type", "wrong_type", "enable"),
        (
            "Wrong similarity field=wrong_similarity. Available values: [low, normal, high]",
            "wrong_similarity",
            "similarity",
        ),
        ("Wrong mode field=wrong_mode. Available values: [software, 3D]", "wrong_mode", "mode"),
        ("Wrong event_types field=log.x", "wrong_value", "event_types"),
        ("Required parameters missed", "missing_field", None),
        ("Wrong pagination limit", "wrong_query", None),
        ("Wrong page number", "wrong_query", None),
        ("Wrong sort type", "wrong_query", None),
        ("Wrong sort field", "wrong_query", None),
        ("Wrong filter type", "wrong_query", None),
        ("Wrong filter field", "wrong_query", None),
        ("Wrong filter value", "wrong_query", None),
        ("Wrong filter format", "wrong_query", None),
        ("Wrong time format", "wrong_query", None),
        ("Wrong time range: from is later than to", "wrong_query", None),
        ("Only 0, 1, 2 indexes available for the lock number", "wrong_lock", None),
        ("Door sensor mode is not activated", "door_sensor_off", None),
        ("Wrong identifier-uid. Missed temporary identifier for adding faceId", "no_identifier", None),
        ("Wrong image file", "image_decoding_failed", None),
        ("Wrong file format", "image_decoding_failed", None),
        ("Loading file in progress. Wait for result", "busy", None),
        ("Loading file error", "upload_failed", None),
        ("Face hasn't been detected on image", "feature_extraction_failed", None),
        ("Wrong webhook uid", "no_webhook", None),
        ("Input code is already used by an identifier", "record_exists", None),
        ("Something nobody has seen", "unknown_code", None),
    ],
)
def test_documented_refusals(text: str, code: str, field: str | None) -> None:
    with pytest.raises(StationRefusedError) as raised:
        judge(answer(400, text))
    assert (raised.value.code, raised.value.field, raised.value.detail) == (code, field, text)


def test_a_wrong_login_is_400_and_an_authentication_failure() -> None:
    with pytest.raises(StationAuthError):
        judge(answer(400, "Wrong login or password"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, StationAuthError),
        (403, StationForbiddenError),
        (404, StationUnsupportedError),
        (405, StationUnsupportedError),
        (501, StationUnsupportedError),
        (500, StationProtocolError),
        (302, StationProtocolError),
    ],
)
def test_statuses(status: int, kind: type[StationError]) -> None:
    with pytest.raises(kind):
        judge(Answer(status=status, body=b"This feature is disabled on your device"))


@pytest.mark.parametrize("status", [429, 503])
def test_busy(status: int) -> None:
    with pytest.raises(StationRefusedError) as raised:
        judge(Answer(status=status))
    assert raised.value.code == "busy"


@pytest.mark.parametrize("error", [True, 1, None, {"code": 4}, "", ["x"]])
def test_an_error_that_is_no_text_as_some_documents_print_it(error: Any) -> None:
    with pytest.raises(StationRefusedError) as raised:
        judge(answer(400, error))
    assert (raised.value.code, raised.value.detail) == ("unknown_code", None)


@pytest.mark.parametrize(
    "text",
    ["Wrong identifier_number field=4711", "Number 4711 is bad", "Wrong JSON body: value `4711` was of the wrong"],
)
def test_what_may_repeat_a_secret_is_not_passed_on(text: str) -> None:
    with pytest.raises(StationRefusedError) as raised:
        judge(answer(400, text), secret=True)
    assert raised.value.detail is None


def test_a_secret_field_keeps_its_value_to_itself() -> None:
    with pytest.raises(StationRefusedError) as raised:
        judge(answer(400, "Wrong url field=http://house/api/webhook/abc"))
    assert (raised.value.field, raised.value.detail) == ("url", None)


def test_success_passes() -> None:
    judge(Answer(status=200))
    judge(Answer(status=204))


@given(status=st.integers(100, 599), body=st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_no_answer_breaks_it(status: int, body: bytes) -> None:
    found = Answer(status=status, body=body)
    text = error_text(found)
    assert text is None or text.strip() == text
    try:
        judge(found)
    except StationError:
        assert not 200 <= status < 300
    else:
        assert 200 <= status < 300


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=20), lambda inner: st.lists(inner, max_size=3)))
def test_no_error_body_breaks_it(error: Any) -> None:
    with pytest.raises(StationError):
        judge(answer(400, error))

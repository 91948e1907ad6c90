"""JSON read with patience: any body gives an object or StationProtocolError, any value something useful or None."""

from datetime import UTC, datetime
import json
import math
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.face_access.devices import values
from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationError,
    StationProtocolError,
    ValueTooLongError,
)
from custom_components.face_access.devices.terminal import wire
from custom_components.face_access.devices.terminal.person import parse_person
from custom_components.face_access.devices.terminal.phone import parse_gps
from custom_components.face_access.devices.terminal.records import parse_record
from custom_components.face_access.devices.terminal.schedule import parse_rules
from custom_components.face_access.devices.terminal.services import ControlService, UploadInfo
from custom_components.face_access.devices.terminal.system import parse_hardware
from custom_components.face_access.devices.terminal.upgrade import UpgradeRequest
from custom_components.face_access.devices.terminal.values import (
    MAX_U64,
    Term,
    card_fields,
    check_term,
    image_format,
    read_card,
    read_term,
    read_time,
)
from custom_components.face_access.devices.values import check_number, check_text, from_base64, to_base64

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
# Keys that the parsers look for, with values that they do not expect.
_KEYS = st.sampled_from(
    (
        "id",
        "name",
        "role",
        "kind",
        "term",
        "term_start",
        "wg_card_id",
        "long_card_id",
        "reg_images",
        "image_data",
        "feature_data",
        "sequence",
        "time",
        "score",
        "match_failed_reson",
        "face_image",
        "upload_state",
        "body_temp",
        "kinds",
        "days",
        "mode",
        "sections",
        "start",
        "end",
        "hour",
        "minute",
        "enable",
        "server_port",
        "method",
        "Lcd",
        "Board",
        "support",
        "manu",
        "model",
        "size",
        "FourG",
        "moduler_4g",
        "n",
        "e",
        "strength",
        "firmware",
        "last_upgrade_code",
        "device_sn",
        "code",
        "cmd",
        "reply",
        "url",
    )
)
_BODIES = st.dictionaries(_KEYS, st.recursive(_JSON, lambda v: st.dictionaries(_KEYS, v, max_size=4), max_leaves=8))
_READERS = (
    values.as_int,
    values.as_float,
    values.as_bool,
    values.as_text,
    values.as_object,
    values.as_list,
    values.as_objects,
    read_time,
    read_term,
    from_base64,
)
_PARSERS = (
    parse_person,
    parse_record,
    parse_rules,
    parse_hardware,
    parse_gps,
    read_card,
    UploadInfo.parse,
    ControlService.parse,
    UpgradeRequest.parse,
    wire.command_of,
)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode) | _JSON.map(json.dumps).map(str.encode))
def test_any_bytes_are_an_object_or_a_protocol_error(body: bytes) -> None:
    try:
        value = wire.decode(body)
    except StationProtocolError:
        return
    assert isinstance(value, dict)


@settings(deadline=None)
@given(_JSON)
def test_any_value_is_read_without_an_error(value: Any) -> None:
    for reader in _READERS:
        reader(value)
    number = values.as_float(value)
    assert number is None or math.isfinite(number)


@settings(deadline=None)
@given(_BODIES)
def test_any_body_is_parsed_without_an_error(body: dict[str, Any]) -> None:
    for parser in _PARSERS:
        parser(body)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=8).map(str.strip), st.text(max_size=8)))
def test_what_is_encoded_is_decoded(body: dict[str, str]) -> None:
    try:
        encoded = wire.encode(body)
    except UnicodeEncodeError:
        return
    assert wire.decode(encoded) == body


def test_keys_with_stray_spaces_are_read() -> None:
    body = b'{"image ": {"image_data ": "AA=="}, "list": [{"origin ": 1}], "a ": 1, "a": 2}'
    assert wire.decode(body) == {"image": {"image_data": "AA=="}, "list": [{"origin": 1}], "a": 2}


@pytest.mark.parametrize(
    "body", [b'\xef\xbb\xbf{"a": 1}', b'{"a": 1}\0', b' \r\n{"a": 1}\r\n', b'\xef\xbb\xbf{"a": 1}\0\0']
)
def test_byte_order_mark_and_padding_are_ignored(body: bytes) -> None:
    assert wire.decode(body) == {"a": 1}


def test_a_name_that_the_device_cut_in_the_middle_of_a_character_is_read() -> None:
    cut = "小明".encode()[:-1]
    assert wire.decode(b'{"name": "' + cut + b'"}')["name"].startswith("小")


def test_numbers_that_are_none_are_missing() -> None:
    assert wire.decode(b'{"a": NaN, "b": -Infinity}') == {"a": None, "b": None}


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"text"', b"{", b"[" * 100000, b'{"a": ' + b"9" * 5000 + b"}", b"<html>"]
)
def test_what_is_no_object_is_a_protocol_error(body: bytes) -> None:
    with pytest.raises(StationProtocolError) as error:
        wire.decode(body)
    # The body may hold personal data, and must not travel with the error.
    assert error.value.__cause__ is None


def test_64_bit_numbers_survive() -> None:
    assert wire.decode(b'{"long_card_id": 18446744073709551615}')["long_card_id"] == MAX_U64
    assert values.as_int("18446744073709551615") == MAX_U64


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ("80", 80),
        (80.0, 80),
        (True, 1),
        ("80.0", 80),
        (" 80 ", 80),
        (80.5, None),
        ("x", None),
        (None, None),
        ([], None),
        ("9" * 50, None),
        (1e300, int(1e300)),
        ("1e400", None),
        (10**400, 10**400),
        ("1.5", None),
    ],
)
def test_whole_numbers(value: Any, number: int | None) -> None:
    assert values.as_int(value) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [("36.5", 36.5), (36, 36.0), ("x", None), (10**400, None), ("nan", None), ({}, None), ("9" * 50, None)],
)
def test_numbers(value: Any, number: float | None) -> None:
    assert values.as_float(value) == number


@pytest.mark.parametrize(
    ("value", "switch"),
    [
        (1, True),
        (0, False),
        ("1", True),
        ("YES", True),
        ("NO", False),
        (" true ", True),
        (2, None),
        ("x", None),
        (None, None),
    ],
)
def test_switches(value: Any, switch: bool | None) -> None:
    assert values.as_bool(value) is switch


@pytest.mark.parametrize(
    ("value", "text"), [("x", "x"), (5, "5"), (True, None), (None, None), (1.5, "1.5"), ([], None)]
)
def test_texts(value: Any, text: str | None) -> None:
    assert values.as_text(value) == text


def test_a_number_too_long_to_be_printed_is_no_text() -> None:
    assert values.as_text(10**5000) is None
    assert values.as_text(10**45) is None


def test_text_is_cut_between_characters() -> None:
    assert wire.cut_text("小明明", 7) == "小明"
    assert wire.cut_text("short", 64) == "short"
    assert wire.cut_text("a\ud800b", 64) == "ab"


def test_utf8_is_written_as_itself() -> None:
    assert wire.encode({"name": "小明"}) == '{"name": "小明"}'.encode()
    assert wire.envelope("x", {"a": 1}) == {"version": "0.2", "cmd": "x", "a": 1}


def test_limits_are_in_bytes_and_the_error_names_field_limit_and_length() -> None:
    assert check_text("id", "a" * 19, 19) == "a" * 19
    with pytest.raises(ValueTooLongError) as error:
        check_text("id", "ä" * 10, 19)
    assert (error.value.field, error.value.limit, error.value.length) == ("id", 19, 20)
    assert "ä" not in str(error.value)
    with pytest.raises(InvalidValueError):
        check_text("id", " ", empty=False)
    with pytest.raises(InvalidValueError):
        check_text("id", "\ud800")


def test_ranges() -> None:
    assert check_number("x", 5, 1, 9) == 5
    with pytest.raises(InvalidValueError, match="between 1 and 9"):
        check_number("x", 10, 1, 9)
    with pytest.raises(InvalidValueError, match="out of range"):
        check_number("x", -1, 0, 2**40)
    with pytest.raises(InvalidValueError):
        check_number("x", math.nan, 1, 9)


def test_times_have_no_zone() -> None:
    assert check_term("t", datetime.fromisoformat("2026-01-02 03:04:05")) == "2026/01/02 03:04:05"
    assert check_term("t", datetime.fromisoformat("0826-01-02")) == "0826/01/02 00:00:00"
    assert read_time("2026/01/02 03:04:05.678") == datetime.fromisoformat("2026-01-02 03:04:05.678000")
    assert read_time("1970/01/01 00:00:00") == datetime.fromisoformat("1970-01-01")
    assert read_time("yesterday") is None
    with pytest.raises(InvalidValueError, match="without a zone"):
        check_term("t", datetime(2026, 1, 2, tzinfo=UTC))


def test_validity_words() -> None:
    assert [read_term(word) for word in ("useless", "forever", "never", "Forever ")] == [*Term, Term.FOREVER]
    assert check_term("end", Term.NEVER, Term.FOREVER, Term.NEVER) == "never"
    with pytest.raises(InvalidValueError):
        check_term("end", Term.USELESS, Term.FOREVER, Term.NEVER)


def test_cards_go_into_the_field_of_their_size() -> None:
    keys = {"short_key": "s", "long_key": "l"}
    assert card_fields(2**32 - 1, **keys) == {"s": 2**32 - 1}
    assert card_fields(2**32, **keys) == {"l": 2**32}
    assert card_fields(8, long=True, **keys) == {"l": 8}
    for wrong in (-1, 2**64):
        with pytest.raises(InvalidValueError) as error:
            card_fields(wrong, **keys)
        assert str(wrong) not in str(error.value)


def test_the_long_card_counts_only_without_a_short_one() -> None:
    assert read_card({"wg_card_id": 8, "long_card_id": 9}) == (8, False)
    assert read_card({"wg_card_id": 0, "long_card_id": 9}) == (9, True)
    assert read_card({"wg_card_id": 0}) == (None, False)


def test_base64_is_forgiving() -> None:
    assert from_base64("QUJ\nD") == b"ABC"
    assert from_base64("QUI") == b"AB"
    assert from_base64("?") is None
    assert from_base64("") is None
    assert to_base64(b"AB") == "QUI="


def test_pictures_are_known_by_their_content() -> None:
    assert image_format("p", b"\xff\xd8\xff\xe0") == "jpg"
    assert image_format("p", b"\x89PNG\r\n\x1a\n") == "png"
    for wrong, png in ((b"GIF89a", True), (b"\x89PNG\r\n\x1a\n", False)):
        with pytest.raises(StationError):
            image_format("p", wrong, png=png)

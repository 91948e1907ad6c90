"""Fields: what they take, what they refuse, and that a refusal never repeats the value."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, strategies as st
import probatio as vol
import pytest

from custom_components.face_access.actions import fields

DAY = [{"start": "08:10", "end": "18:10"}]
RULE = {"kind": 1, "name": "Office", "mode": "daily", "days": [DAY]}
CARD = fields.whole(0, 2**64 - 1, exact=True)


@pytest.mark.parametrize(
    ("validate", "value", "expected"),
    [
        (fields.text, "hello", "hello"),
        (fields.text, 5, "5"),
        (fields.secret, " pass word ", " pass word "),
        (fields.whole(1, 8), 2, 2),
        (fields.whole(1, 8), 2.0, 2),
        (fields.whole(1, 8), " 2 ", 2),
        (CARD, "18446744073709551615", 2**64 - 1),
        (CARD, 2**64 - 1, 2**64 - 1),
        (CARD, "007", 7),
        (CARD, 0, 0),
        (fields.duration, 5, timedelta(seconds=5)),
        (fields.duration, "00:01:00", timedelta(minutes=1)),
        (fields.duration, {"minutes": 2}, timedelta(minutes=2)),
        (fields.duration, 0, timedelta()),
        (fields.positive_duration, 0.5, timedelta(milliseconds=500)),
        (fields.color, [255, 200, 0], 0xFFFFC800),
        (fields.color, (0, 0, 0), 0xFF000000),
        (fields.moment, "2026-11-01T00:00:00+01:00", datetime(2026, 10, 31, 23, tzinfo=UTC)),
        (fields.media, {"media_content_id": "media-source://a", "media_content_type": "image/png"}, "media-source://a"),
        (fields.media, "media-source://a", "media-source://a"),
        (fields.sip_url, "sip:a@b.example:7121", "sip:a@b.example:7121"),
        (fields.sip_url, " SIP:a@192.168.1.2 ", "sip:a@192.168.1.2:5060"),
        (fields.sip_url, "0123@b", "sip:0123@b:5060"),
        (fields.rules(0), [], []),
        (fields.rules(1), RULE, [RULE]),
        (fields.rules(1), {**RULE, "mode": "weekly", "days": [DAY, [], [], [], [], [], DAY]}, None),
    ],
)
def test_takes(validate: Any, value: Any, expected: Any) -> None:
    taken = validate(value)
    assert expected is None or taken == expected


@pytest.mark.parametrize(
    ("validate", "value"),
    [
        (fields.text, ""),
        (fields.text, "  "),
        (fields.text, None),
        (fields.text, ["a"]),
        (fields.text, "\ud800"),
        (fields.file_path, "/config/a\x00.png"),
        (fields.secret, 123456),
        (fields.whole(1, 8), 0),
        (fields.whole(1, 8), 9),
        (fields.whole(1, 8), True),
        (fields.whole(1, 8), 1.5),
        (fields.whole(1, 8), float("inf")),
        (fields.whole(1, 8), "one"),
        (fields.whole(1, 8), "²"),
        (fields.whole(1, 8), None),
        (CARD, 1e17),
        (CARD, -1),
        (CARD, 2**64),
        (CARD, "1" * 5000),
        (fields.duration, -1),
        (fields.duration, 86401),
        (fields.duration, "inf"),
        (fields.duration, "soon"),
        (fields.positive_duration, 0),
        (fields.color, [1, 2]),
        (fields.color, [1, 2, 256]),
        (fields.color, "red"),
        (fields.moment, "yesterday"),
        (fields.moment, "0001-01-01T00:00:00+14:00"),
        (fields.media, {"media_content_type": "image/png"}),
        (fields.sip_url, "tel:123"),
        (fields.sip_url, "a@b:0"),
        (fields.sip_url, "a@b:65536"),
        (fields.sip_url, "a b@c"),
        (fields.sip_url, "a@b;transport=tls"),
        (fields.sip_url, "a@b\r\nVia: c"),
        (fields.sip_url, 7),
        (fields.rules(1), []),
        (fields.rules(0), [{**RULE, "kind": kind} for kind in range(1, 17)]),
        (fields.rules(0), [RULE, RULE]),
        (fields.rules(0), {**RULE, "kind": 0}),
        (fields.rules(0), {**RULE, "kind": 16}),
        (fields.rules(0), {**RULE, "mode": "yearly"}),
        (fields.rules(0), {**RULE, "mode": "weekly"}),
        (fields.rules(0), {**RULE, "days": [DAY, DAY]}),
        (fields.rules(0), {**RULE, "days": [DAY * 11]}),
        (fields.rules(0), {**RULE, "days": [[{"start": "18:10", "end": "08:10"}]]}),
        (fields.rules(0), {**RULE, "days": [[{"start": "08:10", "end": "08:10"}]]}),
        (fields.rules(0), {**RULE, "days": [[{"start": "8:10", "end": "18:10"}]]}),
        (fields.rules(0), {**RULE, "days": [[{"start": "08:10", "end": "24:00"}]]}),
        (fields.rules(0), {**RULE, "days": [[{"start": "08:10", "end": 1090}]]}),
        (fields.rules(0), {**RULE, "days": [[{"start": "08:10"}]]}),
        (fields.rules(0), {**RULE, "more": 1}),
        (fields.rules(0), "always"),
    ],
)
def test_refuses(validate: Any, value: Any) -> None:
    with pytest.raises(vol.Invalid):
        validate(value)


@given(st.one_of(st.text(min_size=4), st.integers(), st.floats(), st.binary(min_size=4), st.lists(st.integers())))
def test_a_refused_card_is_in_no_error(value: Any) -> None:
    try:
        taken = CARD(value)
    except vol.Invalid as err:
        assert str(err) == "expected a whole number from 0 to 18446744073709551615"  # noqa: PT017
    else:
        assert 0 <= taken < 2**64
        assert taken == int(value)


def test_a_refused_password_is_in_no_error() -> None:
    with pytest.raises(vol.Invalid) as raised:
        fields.secret(987654)
    assert "987654" not in str(raised.value)

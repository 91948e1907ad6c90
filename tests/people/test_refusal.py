"""A target's own words become one short line for people to read, without anything that must not be shown."""

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.devices.errors import StationRefusedError
from custom_components.face_access.people.refusal import Refusal, own_words


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Face hasn't been detected on image", "Face hasn't been detected on image"),
        ("  two\r\n lines\tand \x1b[31ma colour\x00 ", "two lines and [31ma colour"),
        # Nothing turns the direction of what stands around it.
        ("read \u202ebackwards\u2069", "read backwards"),
        ("未检测到人脸", "未检测到人脸"),
        ("", ""),
        (None, ""),
    ],
)
def test_what_can_be_read_is_kept(text: str | None, kept: str) -> None:
    assert own_words(text, figures=True) == kept


def test_it_is_short() -> None:
    assert own_words("word " * 100, figures=True) == f"{'word ' * 39}word…"
    assert own_words("a" * 40, figures=True) == "a" * 40
    assert own_words("/9j/4AAQSkZJRgABAQAAAQABAAD" * 9 + " is no photo", figures=True) == "… is no photo"


@pytest.mark.parametrize("number", ["1234567", "No:1234567,", "00:AB:CD:EF", "ab-cd-ef-ab", "٤٧١١", "7"])
def test_no_number_of_a_card_is_kept(number: str) -> None:
    text = f"The number {number} is used"
    assert own_words(text, figures=False) == "The number … is used"
    assert own_words(text, figures=True) == text


@given(text=st.text(max_size=3000), figures=st.booleans())
def test_whatever_is_said_is_one_short_line(text: str, figures: bool) -> None:
    kept = own_words(text, figures=figures)
    assert len(kept) <= 200
    assert kept.isprintable()
    assert kept == " ".join(kept.split())
    assert figures or not any(character.isdecimal() for character in kept)


def test_the_field_is_cleaned_as_well() -> None:
    err = StationRefusedError("wrong_value", "no\nsuch 12", "na\x00me")
    assert Refusal.of(err, figures=True) == Refusal("wrong_value", "no such 12", "na me")
    assert Refusal.of(err, figures=False) == Refusal("wrong_value", "no such …", "na me")
    assert Refusal.of(StationRefusedError("busy"), figures=True) == Refusal("busy")

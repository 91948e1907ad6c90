"""What may be written about a person, and what is kept of it."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.access import Role
from custom_components.face_access.people.model import PersonError, Profile, Storage, new_key

from .conftest import profile

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_keys_fit_every_target_and_do_not_collide() -> None:
    keys = {new_key() for _ in range(10_000)}
    assert len(keys) == 10_000
    assert max(len(key.encode()) for key in keys) <= 19
    assert all(key.isascii() and key.isalnum() for key in keys)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": ""}, "person_id_invalid"),
        ({"id": "two words"}, "person_id_invalid"),
        ({"id": "a" * 65}, "person_id_invalid"),
        ({"id": "../a"}, "person_id_invalid"),
        ({"id": "a\n"}, "person_id_invalid"),
        ({"name": "  "}, "person_name_missing"),
        ({"name": "a" * 256}, "person_text_invalid"),
        ({"name": "a\nb"}, "person_text_invalid"),
        ({"text": "\x1b[2J"}, "person_text_invalid"),
        ({"card": 0}, "person_card_invalid"),
        ({"card": -1}, "person_card_invalid"),
        ({"card": 2**64}, "person_card_invalid"),
        ({"photos": tuple("abcdef")}, "person_photos_too_many"),
        ({"metadata": {str(n): "x" for n in range(21)}}, "person_metadata_too_much"),
        ({"valid_from": datetime(2026, 1, 1)}, "person_time_without_zone"),  # noqa: DTZ001
        ({"valid_from": NOW, "valid_until": NOW}, "person_times_reversed"),
    ],
)
def test_refuses_what_cannot_be_kept(changes: dict, code: str) -> None:
    with pytest.raises(PersonError) as caught:
        profile(**changes).checked()
    assert caught.value.code == code


@pytest.mark.parametrize("person", ["a", "Anna", "anna.b@house", "0001", "a" * 64])
def test_takes_ids_as_they_are(person: str) -> None:
    assert profile(person).checked().id == person


def test_the_repr_tells_no_secret() -> None:
    """Card, photos, texts and metadata stay out of logs."""
    shown = repr(profile(card=12345678, photos=("digest",), text="spoken", metadata={"a": "private"}))
    assert not any(secret in shown for secret in ("12345678", "digest", "spoken", "private"))


@given(
    st.builds(
        Profile,
        id=st.text(min_size=1),
        key=st.just("key"),
        name=st.text(),
        role=st.sampled_from(Role),
        enabled=st.booleans(),
        valid_from=st.none() | st.datetimes(timezones=st.just(UTC)),
        valid_until=st.none() | st.datetimes(timezones=st.just(UTC)),
        doors=st.none() | st.frozensets(st.text()),
        schedule=st.none() | st.text(),
        card=st.none() | st.integers(1, 2**64 - 1),
        text=st.text(),
        linked=st.none() | st.text(),
        metadata=st.dictionaries(st.text(), st.text()),
        storage=st.sampled_from(Storage),
        photos=st.lists(st.text()).map(tuple),
    )
)
def test_the_file_gives_back_what_was_written(one: Profile) -> None:
    assert Profile.from_json(one.to_json()) == one


def test_a_schedule_that_nobody_looked_up_is_no_yes() -> None:
    with pytest.raises(ValueError, match="schedule"):
        profile(schedule="schedule.day").person(schedule_on=None)
    with pytest.raises(ValueError, match="schedule"):
        profile().person(schedule_on=True)
    assert profile(schedule="schedule.day").person(schedule_on=False).schedule_on is False


def test_the_decision_sees_the_whole_of_a_person() -> None:
    one = profile(
        role=Role.BLOCKED,
        enabled=False,
        valid_from=NOW,
        valid_until=NOW + timedelta(days=1),
        doors=frozenset({"a_1"}),
    )
    person = one.person(schedule_on=None)
    names = ("id", "name", "role", "enabled", "valid_from", "valid_until", "doors")
    assert [getattr(person, name) for name in names] == [getattr(one, name) for name in names]

"""What is checked before somebody is enrolled, by action and by form; what was not checked is not said to be."""

from collections.abc import Callable
import csv
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ConfigEntryNotReady, ServiceValidationError
import probatio as vol
import pytest

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.house import async_get_history
from custom_components.face_access.hub.local.gallery import HouseGallery
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.store import PeopleStore
from tests.forms import filled
from tests.recognition import toys

from .conftest import ALICE, BOB, Call, Photo, learned

NOT_CHECKED = dict.fromkeys(("duplicates", "liveness", "quality"), "not_checked")
SPOOF = {"light": 60}


@pytest.fixture
async def store(home: HomeAssistant) -> PeopleStore:
    return (await async_get_people(home)).store


async def refused(call: Call, action: str, **data: Any) -> ServiceValidationError:
    """Call an action that must be refused, and give the error."""
    with pytest.raises(ServiceValidationError) as raised:
        await call(action, **data)
    return raised.value


async def test_a_good_photo_passes_all_checks(models: Path, call: Call, photo: Photo, store: PeopleStore) -> None:
    added = await call(
        "add_person",
        name="Alice",
        path=photo("a", ALICE),
        check_duplicates=True,
        check_liveness=True,
        check_quality=True,
    )
    assert added["photo_checks"] == dict.fromkeys(NOT_CHECKED, "passed")
    changed = await call("update_person", person_id="alice", path=photo("b", (ALICE, 25, 11)), check_quality=True)
    assert changed["photo_checks"] == {**NOT_CHECKED, "quality": "passed"}
    # A change without a photo checks none.
    changed = await call("update_person", person_id="alice", name="A", check_liveness=True)
    assert changed["photo_checks"] == NOT_CHECKED


@pytest.mark.parametrize(
    ("people", "more", "code"),
    [
        ((), {}, "FACE_NOT_FOUND"),
        (((ALICE, 10, 10), (BOB, 30, 10)), {}, "TOO_MANY_FACES"),
        (((ALICE, 1, 10),), {}, "FACE_CROPPED"),
        ((ALICE,), {"light": 245}, "FACE_TOO_BRIGHT"),
        ((ALICE,), {"light": 60}, "FACE_NOT_LIVE"),
    ],
)
async def test_a_bad_photo_says_its_code(
    models: Path, call: Call, photo: Photo, store: PeopleStore, people: Any, more: dict, code: str
) -> None:
    bad = photo("bad", *people, **more) if people else photo("bad", toys.portrait())
    good = photo("good", BOB)
    error = await refused(call, "add_person", name="A", path=[good, bad], check_liveness=True)
    assert error.translation_key == "photo_check_failed"
    assert error.translation_placeholders["photo"] == "2"
    assert error.translation_placeholders["photo_code"] == code
    assert code in str(error)
    assert store.profiles == {}


async def test_liveness_is_checked_where_it_is_asked_for(models: Path, call: Call, photo: Photo) -> None:
    added = await call("add_person", name="Alice", path=photo("a", ALICE, **SPOOF), check_quality=True)
    assert added["photo_checks"] == {**NOT_CHECKED, "quality": "passed"}
    error = await refused(
        call, "update_person", person_id="alice", path=photo("b", ALICE, light=61), check_liveness=True
    )
    assert error.translation_placeholders["photo_code"] == "FACE_NOT_LIVE"


async def test_somebody_who_is_there_already(
    home: HomeAssistant, models: Path, call: Call, photo: Photo, store: PeopleStore
) -> None:
    await call("add_person", name="Alice", path=photo("a", ALICE))
    again = photo("b", (ALICE, 25, 11))
    error = await refused(call, "add_person", name="Alicia", path=again, check_duplicates=True)
    assert error.translation_key == "person_resembles"
    assert error.translation_placeholders["person"] == "Alice"
    assert 0.7 <= float(error.translation_placeholders["similarity"]) <= 1
    # They look like themselves.
    await call("update_person", person_id="alice", path=again, check_duplicates=True)
    # And nobody has to look like more than is asked.
    await call("add_person", name="Bob", path=photo("c", BOB), check_duplicates=True)
    error = await refused(
        call, "add_person", name="Carol", path=photo("d", 3), check_duplicates=True, duplicate_check_min_similarity=0
    )
    assert error.translation_key == "person_resembles"
    assert set(store.profiles) == {"alice", "bob"}
    error = await refused(call, "add_person", name="Carol", path=photo("e", toys.portrait()), check_duplicates=True)
    assert error.translation_placeholders["photo_code"] == "FACE_NOT_FOUND"


async def test_without_models_a_check_is_refused_and_never_skipped(
    home: HomeAssistant, call: Call, photo: Photo, store: PeopleStore
) -> None:
    for check in ("check_duplicates", "check_liveness", "check_quality"):
        error = await refused(call, "add_person", name="Alice", path=photo("a", ALICE), **{check: True})
        assert error.translation_key == "photo_check_unavailable"
        assert "yunet" in str(error)
    assert store.profiles == {}
    added = await call("add_person", name="Alice", path=photo("a", ALICE), check_liveness=False)
    assert added["photo_checks"] == NOT_CHECKED


async def test_without_numpy_a_check_is_refused(home: HomeAssistant, call: Call, photo: Photo) -> None:
    error = ConfigEntryNotReady("no numpy")
    with patch("custom_components.face_access.hub.people.photo_checks.async_get_gallery", side_effect=error):
        told = await refused(call, "add_person", name="Alice", path=photo("a", ALICE), check_quality=True)
    assert told.translation_key == "photo_check_unavailable"
    assert "no numpy" in str(told)


async def test_nobody_is_called_new_before_all_are_learned(
    home: HomeAssistant, models: Path, call: Call, photo: Photo
) -> None:
    with patch.object(HouseGallery, "async_settled", return_value=False):
        error = await refused(call, "add_person", name="Alice", path=photo("a", ALICE), check_duplicates=True)
    assert error.translation_key == "photo_check_busy"


async def test_a_file_of_people_has_a_result_for_each(
    home: HomeAssistant, models: Path, call: Call, photo: Photo
) -> None:
    file = Path(photo("a", ALICE)).with_name("people.csv")
    photo("b", (ALICE, 25, 11))
    photo("c", toys.portrait())
    with file.open("w", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerows([["name", "photos"], ["Alice", "a.png"], ["Alicia", "b.png"], ["Nobody", "c.png"]])
    results = (await call("import_people", path=str(file), check_duplicates=True, check_quality=True))["persons"]
    assert [one["result"] for one in results] == ["added", "person_resembles", "photo_check_failed"]
    assert float(results[1]["similarity"]) > 0.7
    assert (results[2]["photo_code"], results[2]["photo"]) == ("FACE_NOT_FOUND", "1")
    assert results[2]["reason"] == "There is no face in the photo"


async def test_a_past_sighting_is_checked_too(home: HomeAssistant, models: Path, call: Call) -> None:
    history = await async_get_history(home)
    with patch.object(history, "picture", return_value=toys.portrait((ALICE, 20, 10), light=60)):
        error = await refused(call, "enroll_from_sighting", sighting_id=1, name="Alice", check_liveness=True)
        assert error.translation_placeholders["photo_code"] == "FACE_NOT_LIVE"
        added = await call("enroll_from_sighting", sighting_id=1, name="Alice", check_duplicates=True)
    assert added["photo_checks"] == {**NOT_CHECKED, "duplicates": "passed"}


@pytest.mark.parametrize("share", [-0.1, 1.1, "much", None, True, float("nan")])
async def test_a_similarity_is_a_share(call: Call, photo: Photo, share: Any) -> None:
    with pytest.raises(vol.Invalid):
        await call("add_person", name="A", path=photo("a", ALICE), duplicate_check_min_similarity=share)


@pytest.fixture
async def form(home: HomeAssistant, call: Call, photo: Photo) -> Callable[..., Any]:
    """Fill in the form of a person, with the picture of an image entity."""
    await call("add_person", name="First", card=1)
    (entry,) = home.config_entries.async_entries(DOMAIN)

    async def fill(picture: bytes, **data: Any) -> Any:
        result = await home.config_entries.subentries.async_init((entry.entry_id, "person"), context={"source": "user"})
        with patch("custom_components.face_access.flows.people.async_picture_of", return_value=picture):
            return await home.config_entries.subentries.async_configure(
                result["flow_id"],
                filled(result, **{"name": "Alice", "photo_entity": "camera.porch", **data}),
            )

    return fill


async def test_the_form_says_what_is_wrong_with_a_photo(
    home: HomeAssistant, models: Path, form: Callable[..., Any]
) -> None:
    shown = await form(toys.portrait((ALICE, 20, 10), light=60), check_liveness=True)
    assert (shown["type"], shown["errors"]) == (FlowResultType.FORM, {"base": "photo_check_failed"})
    assert shown["description_placeholders"]["photo_code"] == "FACE_NOT_LIVE"
    made = await form(toys.portrait((ALICE, 20, 10)), check_liveness=True, check_duplicates=True, check_quality=True)
    assert made["type"] is FlowResultType.CREATE_ENTRY
    await learned(home)
    twice = await form(toys.portrait((ALICE, 25, 11)), name="Alicia", check_duplicates=True)
    assert twice["errors"] == {"base": "person_resembles"}
    assert twice["description_placeholders"]["person"] == "Alice"


async def test_the_form_without_models(form: Callable[..., Any]) -> None:
    shown = await form(toys.portrait((ALICE, 20, 10)), check_quality=True)
    assert shown["errors"] == {"base": "photo_check_unavailable"}


def _entry(home: HomeAssistant) -> ConfigEntry[Any]:
    (entry,) = home.config_entries.async_entries(DOMAIN)
    return entry


async def test_changing_somebody_in_the_form_checks_the_new_photo(
    home: HomeAssistant, models: Path, form: Callable[..., Any]
) -> None:
    (subentry,) = _entry(home).subentries.values()
    result = await home.config_entries.subentries.async_init(
        (_entry(home).entry_id, "person"), context={"source": "reconfigure", "subentry_id": subentry.subentry_id}
    )
    with patch("custom_components.face_access.flows.people.async_picture_of", return_value=toys.portrait()):
        shown = await home.config_entries.subentries.async_configure(
            result["flow_id"],
            filled(result, name="First", photo_entity="camera.porch", check_quality=True),
        )
    assert shown["errors"] == {"base": "photo_check_failed"}
    assert shown["description_placeholders"]["photo_code"] == "FACE_NOT_FOUND"

"""Actions that ask the house's own engine about pictures."""

from collections.abc import Iterator
import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import MockUser

from custom_components.face_access.actions.recognition import RECOGNITION_ACTIONS
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.local.engine import async_get_local
from custom_components.face_access.hub.local.gallery import HouseGallery
from tests.recognition import toys

from .conftest import ALICE, BOB, CAROL, Call, Photo, learned

FACE = {
    "eye_dist",
    "face_luminance",
    "face_occlusion",
    "face_quality",
    "landmark_68",
    "left_eye_closed",
    "mouth_opened",
    "pitch",
    "right_eye_closed",
    "roll",
    "x1",
    "x2",
    "y1",
    "y2",
    "yaw",
}


@pytest.fixture
async def household(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> HouseGallery:
    """Alice and Bob are enrolled."""
    await call("add_person", name="Alice", path=photo("alice", ALICE))
    await call("add_person", name="Bob", path=photo("bob", BOB))
    return await learned(home)


def _numbers(answer: Any) -> Iterator[int]:
    """How long each list of numbers in an answer is: a template would be a long one."""
    if isinstance(answer, list) and all(isinstance(one, (int, float)) for one in answer):
        yield len(answer)
    for one in answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ():
        yield from _numbers(one)


async def test_recognizes_whom_it_knows(household: HouseGallery, call: Call, photo: Photo) -> None:
    seen = await call("recognize", path=photo("both", (ALICE, 10, 10), (CAROL, 30, 11)))
    assert {face["outcome"]: (face["person_id"], face["person"]) for face in seen["faces"]} == {
        "recognised": ("alice", "Alice"),
        "stranger": (None, None),
    }
    (alice,) = (face for face in seen["faces"] if face["person_id"])
    assert alice["liveness"] == "live"
    assert alice["score"] >= seen["threshold"] == 80
    assert [one["person"] for one in alice["candidates"]] == ["Alice", "Bob"]
    assert alice["box"].keys() == {"x", "y", "width", "height"}
    assert len(alice["landmarks"]) == 5
    assert (seen["people"], seen["people_waiting"]) == (2, 0)
    assert max(_numbers(seen)) == 2
    json.dumps(seen)


async def test_a_printed_photo_is_nobody(household: HouseGallery, call: Call, photo: Photo) -> None:
    picture = photo("print", ALICE, light=60)
    (face,) = (await call("recognize", path=picture))["faces"]
    assert (face["outcome"], face["liveness"], face["person_id"], face["person"]) == ("spoof", "spoof", None, None)
    # Unless liveness is no question.
    (face,) = (await call("recognize", path=picture, liveness=False))["faces"]
    assert (face["liveness"], face["person"]) == ("not_checked", "Alice")


async def test_far_faces_are_found_when_asked_for(household: HouseGallery, call: Call, photo: Photo) -> None:
    picture = photo("far", toys.portrait((ALICE, 20, 10)))
    with patch("custom_components.face_access.recognition.compare.recognize", side_effect=AssertionError) as asked:
        for far, size in ((True, 640), (False, 320)):
            with pytest.raises(AssertionError):
                await call("recognize", path=picture, far_faces=far, similarity="high")
            settings = asked.call_args.args[3]
            assert (settings.detector_size, settings.threshold) == (size, 90)


async def test_a_picture_of_a_camera(home: HomeAssistant, household: HouseGallery, call: Call, photo: Photo) -> None:
    picture = toys.portrait((BOB, 20, 10))
    with patch("custom_components.face_access.actions.media._async_picture_of") as taken:
        taken.return_value.content = picture
        (face,) = (await call("recognize", image_entity="camera.porch"))["faces"]
    assert face["person"] == "Bob"


async def test_without_anybody_enrolled(models: Path, call: Call, photo: Photo) -> None:
    seen = await call("recognize", path=photo("a", ALICE))
    assert [face["outcome"] for face in seen["faces"]] == ["not_compared"]
    assert seen["people"] == 0
    assert (await call("recognize", path=photo("n", toys.portrait())))["faces"] == []


async def test_a_call_needs_one_picture(models: Path, call: Call, photo: Photo) -> None:
    for data in ({}, {"path": photo("a", ALICE), "image_entity": "camera.porch"}):
        with pytest.raises(ServiceValidationError) as raised:
            await call("recognize", **data)
        assert raised.value.translation_key == "exactly_one"
    with pytest.raises(ServiceValidationError) as raised:
        await call("compare_faces", path=photo("a", ALICE))
    assert raised.value.translation_placeholders == {
        "fields": "other_upload, other_media, other_image_entity, other_path"
    }
    with pytest.raises(ServiceValidationError) as raised:
        await call("compare_faces", path=photo("a", ALICE), other_image_entity="camera.gone")
    assert raised.value.translation_placeholders == {"field": "other_image_entity"}
    with pytest.raises(ServiceValidationError):
        await call("recognize", path="/etc/passwd")
    with pytest.raises(vol.Invalid):
        await call("recognize", path=photo("a", ALICE), similarity="some")


async def test_what_is_no_picture_says_so(models: Path, call: Call, photo: Photo) -> None:
    bad = photo("bad", b"no picture")
    for action, more in (("recognize", {}), ("check_liveness", {}), ("compare_faces", {"other_path": bad})):
        with pytest.raises(HomeAssistantError) as raised:
            await call(action, path=bad, **more)
        assert raised.value.translation_key == "picture_unusable"


async def test_models_that_are_missing_are_named(call: Call, photo: Photo) -> None:
    picture = photo("a", ALICE)
    folder = str(Path(picture).parent)
    for action, data in (
        ("recognize", {"path": picture}),
        ("compare_faces", {"path": picture, "other_path": picture}),
        ("check_liveness", {"path": picture}),
        ("test_recognition", {"path": folder}),
    ):
        with pytest.raises(HomeAssistantError) as raised:
            await call(action, **data)
        assert raised.value.translation_key == "model_missing", action
        assert raised.value.translation_placeholders["model"] == "yunet_n"


async def test_only_liveness_lacks_its_models(household: HouseGallery, models: Path, call: Call, photo: Photo) -> None:
    """What needs them is refused; what does not goes on."""
    (models / "toy_near.onnx").unlink()
    await household.local.async_models_changed()
    picture = photo("a", ALICE)
    for action in ("recognize", "check_liveness"):
        with pytest.raises(HomeAssistantError) as raised:
            await call(action, path=picture)
        assert raised.value.translation_placeholders["model"] == "toy_near"
    (face,) = (await call("recognize", path=picture, liveness=False))["faces"]
    assert face["person"] == "Alice"


async def test_compares_two_pictures_in_the_words_of_the_service(models: Path, call: Call, photo: Photo) -> None:
    found = await call(
        "compare_faces", path=photo("a", ALICE), other_path=photo("b", (ALICE, 25, 11)), reference="0002", channel="WEB"
    )
    assert found["compare_result"] == "Same person"
    assert 0.8 <= found["compare_similarity"] <= 1
    assert (found["reference"], found["channel"]) == ("0002", "WEB")
    assert found["face1"].keys() == found["face2"].keys() == FACE
    assert found["face1"]["eye_dist"] > 90
    assert found["face1"]["landmark_68"] is None
    assert found.keys() == {
        "channel",
        "compare_result",
        "compare_similarity",
        "created",
        "face1",
        "face2",
        "id",
        "reference",
    }
    other = await call("compare_faces", path=photo("c", ALICE), other_path=photo("d", BOB))
    assert other["compare_result"] == "Different person"
    assert other["compare_similarity"] < 0.7
    assert other["reference"] is None
    unsure = await call("compare_faces", path=photo("c", ALICE), other_path=photo("e", ALICE, light=245))
    assert unsure["compare_result"] == "Not sure"
    with pytest.raises(HomeAssistantError) as raised:
        await call("compare_faces", path=photo("c", ALICE), other_path=photo("n", toys.portrait()))
    assert (raised.value.translation_key, raised.value.translation_placeholders["picture"]) == ("no_face", "2")


async def test_liveness_of_a_picture(models: Path, call: Call, photo: Photo) -> None:
    live = await call("check_liveness", path=photo("a", ALICE))
    assert (live["liveness"], live["codes"], len(live["faces"])) == ("live", [], 1)
    spoof = await call("check_liveness", path=photo("b", ALICE, light=60))
    assert (spoof["liveness"], spoof["codes"]) == ("spoof", ["FACE_NOT_LIVE"])
    assert spoof["faces"][0]["liveness_score"] < 0.5
    grey = await call("check_liveness", path=photo("c", ALICE, grey=True))
    assert (grey["liveness"], grey["codes"]) == ("unknown", ["FACE_WITHOUT_COLOR"])
    nobody = await call("check_liveness", path=photo("d", toys.portrait()))
    assert (nobody["liveness"], nobody["codes"], nobody["faces"]) == (None, ["FACE_NOT_FOUND"], [])


async def test_how_well_it_works_on_a_folder(household: HouseGallery, call: Call, photo: Photo) -> None:
    folder = Path(photo("bob2", (BOB, 20, 11))).parent
    (folder / "later").mkdir()
    photo("later/stranger", CAROL)
    photo("later/dark", ALICE, light=60)
    photo("broken", b"no picture")
    (folder / "notes.txt").write_text("no picture either")
    (folder / "gone.jpg").symlink_to(folder / "nowhere.jpg")
    found = await call("test_recognition", path=str(folder))
    assert (found["pictures"], found["faces"], found["unreadable"]) == (5, 5, 2)
    assert found["outcomes"] == {"recognised": 3, "stranger": 1, "spoof": 1}
    assert found["liveness"] == {"live": 4, "spoof": 1}
    assert {one["person"]: one["pictures"] for one in found["people"]} == {"Alice": 1, "Bob": 2}
    assert {found["closest"]["first"], found["closest"]["second"]} == {"Alice", "Bob"}
    assert found["margin"] > 0.5
    assert (found["confusable"], found["advice"]) == ([], [])
    lines = found["report"].splitlines()
    assert "Recognized: 3 of 5." in lines
    assert "Outcomes: recognized 3, stranger 1, spoof 1. Liveness: live 4, spoof 1." in lines
    (who,) = (line for line in lines if line.startswith("Who was recognized"))
    assert {"Alice in 1", "Bob in 2"} == set(who.partition(": ")[2].rstrip(".").split(", "))
    assert f"Score: {found['score']} (80 is needed)." in lines
    assert f"Smallest lead over the next person: {found['margin']} (cosine; 0.05 is needed)." in lines
    assert found["eye_distance"] > 90
    json.dumps(found)


async def test_how_well_it_works_with_a_camera(household: HouseGallery, call: Call) -> None:
    pictures = [toys.portrait((ALICE, 20, 10)), toys.portrait((ALICE, 20, 10), grey=True)]
    with patch("custom_components.face_access.actions.recognition.async_picture_of", side_effect=pictures) as taken:
        found = await call("test_recognition", image_entity="camera.porch", count=2, interval=0)
    assert taken.call_count == 2
    assert found["liveness"] == {"live": 1, "unknown": 1}
    assert found["advice"] == ["liveness_unsure"]


async def test_a_model_that_nobody_measured(home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    """The report says that its thresholds are assumed, and for which model."""
    folder = str(Path(photo("a", ALICE)).parent)
    found = await call("test_recognition", path=folder)
    assert (found["unmeasured_model"], "unmeasured" in found["advice"]) == (None, False)
    described = json.loads((models / "models.json").read_text())
    for model in described["models"]:
        model.pop("cosine_at_fmr", None)
    (models / "models.json").write_text(json.dumps(described))
    await (await async_get_local(home)).async_models_changed()
    found = await call("test_recognition", path=folder)
    assert found["unmeasured_model"] == "toy_embedder"
    assert "unmeasured" in found["advice"]
    assert "thresholds are assumed" in found["report"]


async def test_advice_where_there_is_little_to_see(models: Path, call: Call, photo: Photo) -> None:
    folder = str(Path(photo("empty", toys.portrait())).parent)
    found = await call("test_recognition", path=folder)
    assert found["advice"] == ["no_faces", "nobody_enrolled"]
    assert "No face was found" in found["report"]
    photo("bright", ALICE, light=245)
    with patch("custom_components.face_access.hub.local.report.SLOW", 0):
        found = await call("test_recognition", path=folder)
    assert {"faces_bright", "nobody_enrolled", "slow"} <= set(found["advice"])


async def test_people_who_are_alike_are_told(
    home: HomeAssistant, household: HouseGallery, call: Call, photo: Photo
) -> None:
    await call("add_person", name="Twin", path=photo("twin", (ALICE, 25, 11)))
    await learned(home)
    folder = Path(photo("x", ALICE)).parent
    found = await call("test_recognition", path=str(folder), liveness=False)
    assert {found["confusable"][0]["first"], found["confusable"][0]["second"]} == {"Alice", "Twin"}
    assert "confusable" in found["advice"]


async def test_a_folder_that_may_not_be_read(
    home: HomeAssistant, models: Path, call: Call, photo: Photo, tmp_path: Path
) -> None:
    folder = Path(photo("a", ALICE)).parent
    for path, key in (("/etc", "path_not_allowed"), (str(folder / "gone"), "media_unavailable")):
        with pytest.raises(ServiceValidationError) as raised:
            await call("test_recognition", path=path)
        assert raised.value.translation_key == key
    with pytest.raises(ServiceValidationError) as raised:
        await call("test_recognition", path=str(folder), image_entity="camera.porch")
    assert raised.value.translation_key == "exactly_one"
    # A link leads nowhere else.
    (tmp_path / "elsewhere.jpg").write_bytes(toys.portrait((BOB, 20, 10)))
    (folder / "link.jpg").symlink_to(tmp_path / "elsewhere.jpg")
    assert (await call("test_recognition", path=str(folder)))["pictures"] == 1
    with patch("custom_components.face_access.actions.recognition._MOST_PICTURES", 0):
        with pytest.raises(ServiceValidationError) as raised:
            await call("test_recognition", path=str(folder))
        assert raised.value.translation_key == "too_many_pictures"


@pytest.mark.parametrize("action", RECOGNITION_ACTIONS)
async def test_they_are_an_administrators(home: HomeAssistant, models: Path, photo: Photo, action: str) -> None:
    user = MockUser(groups=[]).add_to_hass(home)
    with pytest.raises(Unauthorized):
        await home.services.async_call(
            DOMAIN,
            action,
            {"path": photo("a", ALICE)},
            blocking=True,
            return_response=True,
            context=Context(user_id=user.id),
        )

"""Actions on pictures that are uploaded for them, as a browser does."""

from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
import pytest

from tests.conftest import Upload
from tests.recognition import toys

from .conftest import ALICE, CAROL, Call, Photo, learned

ALICES = toys.portrait((ALICE, 20, 10))


@pytest.fixture
async def household(web: str, home: HomeAssistant, models: Path, call: Call, photo: Photo) -> None:
    """Alice is enrolled, and files can be uploaded."""
    await call("add_person", name="Alice", path=photo("alice", ALICE))
    await learned(home)


def gone(home: HomeAssistant, upload: str) -> bool:
    return not home.data["file_upload"].has_file(upload) and not home.data["file_upload"].file_dir(upload).exists()


async def test_each_action_takes_one(household: None, home: HomeAssistant, call: Call, upload: Upload) -> None:
    """Once: then it is deleted."""
    picture = await upload(ALICES)
    (face,) = (await call("recognize", upload=picture))["faces"]
    assert face["person"] == "Alice"
    assert gone(home, picture)
    first, second = await upload(ALICES), await upload(toys.portrait((CAROL, 20, 10)))
    compared = await call("compare_faces", upload=first, other_upload=second)
    assert compared["compare_result"] == "Different person"
    assert gone(home, first)
    assert gone(home, second)
    assert (await call("check_liveness", upload=await upload(ALICES)))["liveness"] == "live"


async def test_what_is_not_there_any_more(household: None, call: Call, upload: Upload) -> None:
    picture = await upload(ALICES)
    for data, field in (
        ({"upload": "../../secrets.yaml"}, "upload"),
        ({"upload": picture, "other_upload": picture}, "other_upload"),
    ):
        with pytest.raises(ServiceValidationError) as raised:
            await call("compare_faces" if "other_upload" in data else "recognize", **data)
        assert raised.value.translation_key == "upload_gone"
        assert raised.value.translation_placeholders == {"field": field}
    with pytest.raises(ServiceValidationError) as raised:
        await call("recognize", upload=picture, image_entity="camera.porch")
    assert raised.value.translation_key == "exactly_one"


async def test_what_is_no_picture(
    household: None, home: HomeAssistant, call: Call, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor anything that is too large: it is deleted all the same."""
    picture = await upload(b"no picture")
    with pytest.raises(HomeAssistantError) as raised:
        await call("recognize", upload=picture)
    assert raised.value.translation_key == "picture_unusable"
    assert gone(home, picture)
    monkeypatch.setattr("custom_components.face_access.actions.media.LARGEST_FILE", 1000)
    picture = await upload(ALICES)
    with pytest.raises(ServiceValidationError) as raised:
        await call("recognize", upload=picture)
    assert raised.value.translation_key == "media_too_large"
    assert gone(home, picture)

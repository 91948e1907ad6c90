"""The real networks and real photos, from the actions to the answers; skipped where there are none."""

from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.local.gallery import HouseGallery

from .conftest import Call, learned


@pytest.fixture
def models(hass: HomeAssistant, real_models: Path) -> Path:
    """Put the real networks where a user would put own ones."""
    folder = Path(hass.config.path(DOMAIN)) / "models"
    folder.mkdir(parents=True)
    for file in real_models.glob("*.onnx"):
        (folder / file.name).symlink_to(file)
    return folder


@pytest.fixture
async def faces(home: HomeAssistant, models: Path, real_faces: Path) -> Path:
    """Give the photos, from where actions may read them."""
    home.config.allowlist_external_dirs.add(str(real_faces.resolve()))
    return real_faces


@pytest.fixture
async def household(home: HomeAssistant, faces: Path, call: Call) -> HouseGallery:
    """Two people are enrolled, one of them with two photos."""
    portraits = faces / "portraits"
    await call("add_person", name="One", path=[str(portraits / f"{name}.jpg") for name in ("obama", "obama2")])
    await call("add_person", name="Two", path=str(portraits / "biden.jpg"))
    return await learned(home)


async def test_the_enrolled_are_recognized_and_strangers_are_not(
    household: HouseGallery, faces: Path, call: Call
) -> None:
    async def first(name: str) -> dict[str, Any]:
        return (await call("recognize", path=str(faces / name), liveness=False))["faces"][0]

    assert (await first("portraits/obama3.jpg"))["person"] == "One"
    assert (await first("portraits/biden2.jpg"))["person"] == "Two"
    for folder in sorted((faces / "johns").iterdir()):
        stranger = await first(str(min(folder.glob("*.jpg")).relative_to(faces)))
        assert stranger["person_id"] is None
    both = await call("recognize", path=str(faces / "portraits/obama_and_biden.jpg"), liveness=False, similarity="low")
    assert {face["person"] for face in both["faces"]} >= {"One", "Two"}


async def test_printed_photos_are_refused_and_a_live_face_is_live(faces: Path, call: Call) -> None:
    live = await call("check_liveness", path=str(faces / "liveness/image_T1.jpg"))
    assert live["liveness"] == "live"
    assert "FACE_NOT_LIVE" not in live["codes"]
    for name in ("F1", "F2"):
        path = str(faces / f"liveness/image_{name}.jpg")
        spoof = await call("check_liveness", path=path)
        assert spoof["liveness"] == "spoof"
        assert "FACE_NOT_LIVE" in spoof["codes"]
        (face, *_) = (await call("recognize", path=path))["faces"]
        assert (face["outcome"], face["person_id"]) == ("spoof", None)


async def test_two_photos_of_one_and_of_two_people(faces: Path, call: Call) -> None:
    one, again, other = (str(faces / f"portraits/{name}.jpg") for name in ("obama", "obama2", "biden"))
    assert (await call("compare_faces", path=one, other_path=again))["compare_result"] == "Same person"
    different = await call("compare_faces", path=one, other_path=other)
    assert different["compare_result"] == "Different person"
    assert different["compare_similarity"] < 0.5


async def test_somebody_who_is_there_is_not_added_twice(household: HouseGallery, faces: Path, call: Call) -> None:
    with pytest.raises(Exception, match="One"):
        await call("add_person", name="Double", path=str(faces / "portraits/obama3.jpg"), check_duplicates=True)
    john = str(min((faces / "johns").rglob("*.jpg")))
    added = await call("add_person", name="John", path=john, check_duplicates=True)
    assert added["photo_checks"]["duplicates"] == "passed"


async def test_a_folder_of_one_man(home: HomeAssistant, faces: Path, call: Call) -> None:
    folder = min((faces / "johns").iterdir())
    photos = [str(file) for file in sorted(folder.glob("*.jpg"))]
    await call("add_person", name="John", path=photos[:3])
    await learned(home)
    found = await call("test_recognition", path=str(folder), liveness=False)
    assert found["pictures"] == len(photos)
    (john,) = found["people"]
    assert john["pictures"] >= 8

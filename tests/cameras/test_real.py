"""The real models and photos, where they are: through Home Assistant from the camera to the event."""

import os
from pathlib import Path

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.hub.local.engine import MODELS_VARIABLE
from custom_components.face_access.hub.local.gallery import async_get_gallery
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.photos import prepare

from .conftest import PlayedCamera, add_camera, has_seen, look, preferring

FACE = "event.porch_face"


def _folder(variable: str, name: str) -> Path:
    shared = Path(__file__).parents[2].parent / "shared"
    folder = Path(os.environ.get(variable) or shared / name)
    if not folder.is_dir():
        pytest.skip(f"there are no real {name}: neither {variable} nor ../shared/{name} names a folder")
    return folder


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(MODELS_VARIABLE, str(_folder(MODELS_VARIABLE, "models")))
    return _folder("FACE_ACCESS_FACES", "faces")


@pytest.fixture
async def real(hass: HomeAssistant, faces: Path, porch: PlayedCamera) -> MockConfigEntry:
    """One person is enrolled with one photo, and the camera looks when it is asked to."""
    photo = prepare((faces / "portraits" / "obama.jpg").read_bytes())
    profile = Profile(id="barack", name="Barack", key=new_key())
    await (await async_get_people(hass)).async_add(profile, [photo])
    assert await (await async_get_gallery(hass)).async_settled()
    entry = await add_camera(hass)
    await preferring(hass, entry, settings={"autostart": False, "recognition_mode": "software"}, frames_per_second=5)
    return entry


@pytest.mark.parametrize(
    ("photo", "kind", "person"),
    [("obama2", "recognised", "Barack"), ("biden", "stranger", None)],
)
async def test_who_it_is(
    hass: HomeAssistant,
    real: MockConfigEntry,
    faces: Path,
    porch: PlayedCamera,
    photo: str,
    kind: str,
    person: str | None,
) -> None:
    porch.pictures = ((faces / "portraits" / f"{photo}.jpg").read_bytes(),)
    await look(hass)
    await has_seen(hass, kind)
    assert hass.states.get(FACE).attributes["person"] == person


@pytest.mark.parametrize("photo", ["image_F1", "image_F2"])
async def test_a_photo_of_somebody(
    hass: HomeAssistant, real: MockConfigEntry, faces: Path, porch: PlayedCamera, photo: str
) -> None:
    await preferring(hass, real, settings={"autostart": False, "recognition_mode": "antispoofing"})
    porch.pictures = ((faces / "liveness" / f"{photo}.jpg").read_bytes(),)
    await look(hass)
    await has_seen(hass, "spoof")

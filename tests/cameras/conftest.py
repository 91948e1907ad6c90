"""A camera of another integration that plays pictures, watched by the engine with networks small enough to be known."""

from itertools import count
from pathlib import Path

from homeassistant.components.camera import DATA_COMPONENT, Camera
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.cameras import fitness, occasions, watching
from custom_components.face_access.hub.local.engine import MODELS_VARIABLE, Local, async_get_local
from custom_components.face_access.hub.local.gallery import async_get_gallery
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.model import Profile
from custom_components.face_access.people.photos import prepare
from simulators._sight import NoPictureError, next_picture
from tests.conftest import until
from tests.recognition import toys

ALICE, CAROL = 1, 3
"""Seeds of faces."""
EMPTY = toys.portrait()


class PlayedCamera(Camera):
    """Plays its pictures in turn, for ever; None is one that it cannot give.

    Each is given `repeats` times, to the last byte, as by a camera that waits for a new one; no other two in a row have
    the same pixels.
    """

    _attr_name = "Porch"
    _attr_unique_id = "porch"

    def __init__(self, *pictures: bytes | None) -> None:
        super().__init__()
        self.pictures = pictures
        self.frozen = False
        self.repeats = 1
        self.taken = 0
        self.error: Exception | None = None
        self._count = count()

    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        self.taken += 1
        if self.error is not None:
            raise self.error
        number = 0 if self.frozen else next(self._count) // self.repeats
        picture = self.pictures[number % len(self.pictures)]
        if picture is None:
            return None
        try:
            return next_picture(picture, number % 16)
        except NoPictureError:
            return picture + number.to_bytes(4, "little")

    def go(self) -> None:
        """Fall silent, as when its network is gone."""
        self._attr_available = False
        self.async_write_ha_state()

    def come(self) -> None:
        self._attr_available = True
        self.async_write_ha_state()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what need not take its time, and take no busy machine for a slow one."""
    monkeypatch.setattr(fitness, "SLOW", 1000.0)
    monkeypatch.setattr(watching, "IDLE_PAUSE", 0.05)
    monkeypatch.setattr(watching, "SETTLE_AFTER", 0.3)
    monkeypatch.setattr(watching, "LOOK_FOR", 1.5)
    monkeypatch.setattr(occasions, "PATIENCE", 3.0)


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the engine toys for models."""
    folder = toys.install(tmp_path / "models")
    monkeypatch.setenv(MODELS_VARIABLE, str(folder))
    return folder


@pytest.fixture
async def porch(hass: HomeAssistant, web: str) -> PlayedCamera:
    """A camera before which nobody stands."""
    camera = PlayedCamera(EMPTY)
    await hass.data[DATA_COMPONENT].async_add_entities([camera])
    return camera


@pytest.fixture
async def local(hass: HomeAssistant, models: Path) -> Local:
    return await async_get_local(hass)


@pytest.fixture
async def alice(hass: HomeAssistant, local: Local) -> Profile:
    """Somebody of the household whom the engine knows."""
    people = await async_get_people(hass)
    photo = prepare(toys.portrait((ALICE, 20, 10)))
    profile = await people.async_add(Profile(id="alice", name="Alice", key="k" * 15), [photo])
    assert await (await async_get_gallery(hass)).async_settled()
    return profile


async def add_camera(hass: HomeAssistant, entity_id: str = "camera.porch") -> MockConfigEntry:
    """Go through the flow of a camera whose models are there."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "camera"})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"camera": entity_id})
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED
    return result["result"]


@pytest.fixture
async def camera_entry(hass: HomeAssistant, porch: PlayedCamera, local: Local) -> MockConfigEntry:
    entry = await add_camera(hass)
    await until(lambda: entry.runtime_data.last_update_success)
    return entry


async def look(hass: HomeAssistant) -> None:
    """Press the button of the camera on the porch."""
    await hass.services.async_call("button", "press", {"entity_id": "button.porch_look_now"}, blocking=True)


async def has_seen(hass: HomeAssistant, kind: str) -> None:
    """Wait until the camera on the porch reports a sighting of that kind."""
    await until(lambda: hass.states.get("event.porch_face").attributes.get("event_type") == kind)


async def preferring(hass: HomeAssistant, entry: MockConfigEntry, **options: object) -> None:
    """Load a camera again with other preferences."""
    hass.config_entries.async_update_entry(entry, options={**entry.options, **options})
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()

"""A camera of another integration that plays pictures, watched by the engine with networks small enough to be known."""

from collections.abc import Awaitable, Callable, Iterator
from itertools import count
from pathlib import Path

from homeassistant.components.camera import DATA_COMPONENT, Camera
from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub import watching
from custom_components.face_access.hub.gallery import async_get_gallery
from custom_components.face_access.hub.local import MODELS_VARIABLE, Local, async_get_local
from custom_components.face_access.hub.people import async_get_people
from custom_components.face_access.people.model import Profile
from custom_components.face_access.people.photos import prepare
from tests.conftest import settle, until
from tests.recognition import toys

ALICE, CAROL = 1, 3
"""Seeds of faces."""
EMPTY = toys.portrait()


class PlayedCamera(Camera):
    """Plays its pictures in turn, for ever; None is one that it cannot give. Each is another file, as a camera's are."""

    _attr_name = "Porch"
    _attr_unique_id = "porch"

    def __init__(self, *pictures: bytes | None) -> None:
        super().__init__()
        self.pictures = pictures
        self.frozen = False
        self.taken = 0
        self.error: Exception | None = None
        self._count = count()

    async def async_camera_image(self, width: int | None = None, height: int | None = None) -> bytes | None:
        self.taken += 1
        if self.error is not None:
            raise self.error
        number = 0 if self.frozen else next(self._count)
        picture = self.pictures[number % len(self.pictures)]
        # What follows the end of a picture is read by nobody.
        return None if picture is None else picture + number.to_bytes(4, "little")

    def go(self) -> None:
        """Fall silent, as when its network is gone."""
        self._attr_available = False
        self.async_write_ha_state()

    def come(self) -> None:
        self._attr_available = True
        self.async_write_ha_state()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what need not take its time."""
    monkeypatch.setattr(watching, "IDLE_PAUSE", 0.05)
    monkeypatch.setattr(watching, "SETTLE_AFTER", 0.3)


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

"""A house without stations whose own recognition runs on toy networks, and photos that they know."""

from collections.abc import AsyncIterator, Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.local.engine import MODELS_VARIABLE
from custom_components.face_access.hub.local.gallery import HouseGallery, async_gallery, async_get_gallery
from tests.conftest import settle
from tests.recognition import toys
from tests.recognition.conftest import real_faces, real_models

__all__ = ["real_faces", "real_models"]

ALICE, BOB, CAROL = 1, 2, 3

type Call = Callable[..., Coroutine[Any, Any, Any]]
type Photo = Callable[..., str]


@cache
def portrait(*people: tuple[int, int, int], **more: Any) -> bytes:
    """The same picture as of the toys, made once."""
    return toys.portrait(*people, **more)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long, and no machine has models of its own."""
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    monkeypatch.setattr("custom_components.face_access.hub.local.gallery.GATHER", 0.01)
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.01)


@pytest.fixture
async def home(hass: HomeAssistant) -> AsyncIterator[HomeAssistant]:
    """Give a house with the integration and no entry."""
    assert await async_setup_component(hass, "homeassistant", {})
    assert await async_setup_component(hass, DOMAIN, {})
    yield hass
    await settle(hass)


@pytest.fixture
def models(hass: HomeAssistant) -> Path:
    """Put the toy networks where a user would put own ones."""
    return toys.install(Path(hass.config.path(DOMAIN)) / "models")


@pytest.fixture
def photo(hass: HomeAssistant) -> Photo:
    """Put a photo where actions may read it: of one face in the middle, or as `portrait` is told."""
    folder = Path(hass.config.path("photos"))
    folder.mkdir()
    hass.config.allowlist_external_dirs.add(str(folder))

    def put(name: str, *people: int | tuple[int, int, int] | bytes, **more: Any) -> str:
        (first, *_) = people or (0,)
        content = first if isinstance(first, bytes) else portrait(*_places(people), **more)
        (folder / f"{name}.png").write_bytes(content)
        return str(folder / f"{name}.png")

    return put


def _places(people: tuple[Any, ...]) -> tuple[tuple[int, int, int], ...]:
    return tuple((one, 20, 10) if isinstance(one, int) else one for one in people)


@pytest.fixture
def call(home: HomeAssistant) -> Call:
    """Call an action and give its answer."""

    async def act(action: str, **data: Any) -> Any:
        return await home.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)

    return act


async def learned(hass: HomeAssistant) -> HouseGallery:
    """Give the gallery once everybody has been learned."""
    gallery = await async_get_gallery(hass)
    assert await gallery.async_settled()
    return gallery


async def restart_gallery(hass: HomeAssistant) -> HouseGallery:
    """Let go of the gallery as a restart does, and give the next one."""
    gallery = async_gallery(hass)
    assert gallery is not None
    gallery.async_stop()
    assert async_gallery(hass) is None
    return await learned(hass)

"""A watched camera and the household that Home Assistant learned for it."""

import json
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.diagnostics import async_get_config_entry_diagnostics
from custom_components.face_access.hub.local.gallery import async_gallery
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.gallery import TARGET
from custom_components.face_access.people.model import Profile
from tests.cameras.conftest import PlayedCamera, add_camera, alice, camera_entry, local, porch
from tests.conftest import until, web
from tests.recognition import toys

from .conftest import ALICE, BOB, learned

__all__ = ["alice", "camera_entry", "local", "porch", "web"]


@pytest.fixture(autouse=True)
async def home_assistant(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "homeassistant", {})


async def test_whoever_was_learned_is_named(
    hass: HomeAssistant, porch: PlayedCamera, alice: Profile, camera_entry: MockConfigEntry
) -> None:
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await hass.services.async_call("button", "press", {"entity_id": "button.porch_look_now"}, blocking=True)
    await until(lambda: hass.states.get("event.porch_face").attributes.get("person") == "Alice")
    await (await async_get_people(hass)).async_remove("alice")
    gallery = await learned(hass)
    assert gallery.gallery is None


async def test_templates_go_with_the_last_camera(
    hass: HomeAssistant, models: Path, porch: PlayedCamera, alice: Profile, camera_entry: MockConfigEntry
) -> None:
    people = await async_get_people(hass)
    other = PlayedCamera(toys.portrait((BOB, 20, 10)))
    other._attr_name, other._attr_unique_id = "Yard", "yard"
    await hass.data["camera"].async_add_entities([other])
    second = await add_camera(hass, "camera.yard")
    assert await hass.config_entries.async_remove(camera_entry.entry_id)
    assert async_gallery(hass) is not None
    assert (await people.store.learned())["alice"]
    assert await hass.config_entries.async_remove(second.entry_id)
    assert async_gallery(hass) is None
    assert await people.store.learned() == {}
    assert dict(people.store.holdings(TARGET)) == {}
    assert len(await people.store.photos("alice")) == 1


async def test_diagnostics_count_and_show_nothing(
    hass: HomeAssistant, alice: Profile, camera_entry: MockConfigEntry
) -> None:
    entry = MockConfigEntry(domain=DOMAIN, data={"people": True})
    shown = await async_get_config_entry_diagnostics(hass, entry)
    assert shown["recognition"] == {
        "total": 1,
        "held": 1,
        "refused": 0,
        "leaving": 0,
        "error": None,
        "photos": {},
    }
    (kept,) = (await (await async_get_people(hass)).store.learned())["alice"].values()
    everything = json.dumps([shown, await async_get_config_entry_diagnostics(hass, camera_entry)], default=str)
    assert kept.template is not None
    assert kept.template["vector"][:40] not in everything
    assert "alice" not in everything.lower()

"""What a watched camera says of itself: how fast it is looked at, and whom it can name."""

from homeassistant.components.homeassistant import DOMAIN as HOMEASSISTANT_DOMAIN
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.entity import Entity
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.hub.local.gallery import async_get_gallery
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.model import Profile
from custom_components.face_access.people.photos import prepare
from tests.conftest import until
from tests.recognition import toys

from .conftest import ALICE, CAROL, PlayedCamera, has_seen, look, preferring

TIME = "sensor.porch_recognition_time"
INTERVAL = "sensor.porch_time_between_pictures"
PEOPLE = "sensor.porch_people_synced"


@pytest.fixture
def measuring(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have entities that are off at first be there."""
    monkeypatch.setattr(Entity, "entity_registry_enabled_default", True)


async def refreshed(hass: HomeAssistant, *entity_ids: str) -> None:
    await hass.services.async_call(
        HOMEASSISTANT_DOMAIN, "update_entity", {"entity_id": list(entity_ids)}, blocking=True
    )


async def test_how_fast_it_is(
    hass: HomeAssistant, measuring: None, porch: PlayedCamera, alice: Profile, camera_entry: MockConfigEntry
) -> None:
    """Unknown until something was looked at."""
    assert await async_setup_component(hass, HOMEASSISTANT_DOMAIN, {})
    await preferring(hass, camera_entry, settings={"autostart": False}, frames_per_second=5)
    assert (hass.states.get(TIME).state, hass.states.get(INTERVAL).state) == (STATE_UNKNOWN, STATE_UNKNOWN)
    porch.pictures, porch.repeats = (toys.portrait((ALICE, 20, 10)),), 2
    await look(hass)
    await has_seen(hass, "recognised")
    await refreshed(hass, TIME, INTERVAL)
    took, interval = hass.states.get(TIME), hass.states.get(INTERVAL)
    assert 0 < float(took.state) < 60_000
    assert took.attributes["unit_of_measurement"] == "ms"
    # Two pictures at five per second, as long as this machine is not busy.
    assert float(interval.state) >= 0.4


async def test_measurements_are_off_at_first(
    hass: HomeAssistant, camera_entry: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    for name in (TIME, INTERVAL):
        assert entity_registry.async_get(name).disabled_by is er.RegistryEntryDisabler.INTEGRATION
    assert entity_registry.async_get(PEOPLE).disabled_by is None


async def test_whom_it_can_name(hass: HomeAssistant, alice: Profile, camera_entry: MockConfigEntry) -> None:
    """And how many of them it cannot."""
    await until(lambda: hass.states.get(PEOPLE).state == "1")
    people = await async_get_people(hass)
    await people.async_add(Profile(id="carol", name="Carol", key="c" * 15), [prepare(toys.portrait((CAROL, 20, 10)))])
    await people.async_add(Profile(id="nobody", name="Nobody", key="n" * 15), [prepare(toys.portrait())])
    assert await (await async_get_gallery(hass)).async_settled()
    state = hass.states.get(PEOPLE)
    assert state.state == "2"
    assert {key: state.attributes[key] for key in ("total", "waiting", "refused")} == {
        "total": 3,
        "waiting": 0,
        "refused": 1,
    }

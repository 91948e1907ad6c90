"""A simulated panel in Home Assistant, and short ways to its entities."""

from collections.abc import Awaitable, Callable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.hub.news.ladder import Rung
from simulators.panel import SimulatedPanel
from tests.conftest import until
from tests.panels import add_panel

type Find = Callable[[str, str], str]
type Call = Callable[..., Awaitable[None]]
type State = Callable[[str, str], str]


@pytest.fixture
async def panel_entry(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> MockConfigEntry:
    """Set the panel up, and wait until its news arrive at once, or are known to have to be asked for."""
    entry = await add_panel(hass, panel)
    ladder = entry.runtime_data.ladder
    await until(lambda: ladder.webhook is (Rung.PROVEN if panel.model.has_webhooks else Rung.OFF))
    # To ask for what it lacks is how to find out; afterwards nothing of the kind happens.
    panel.clear_violations()
    return entry


@pytest.fixture
def coordinator(panel_entry: MockConfigEntry) -> FaceAccessCoordinator:
    return panel_entry.runtime_data


@pytest.fixture
def find(entity_registry: er.EntityRegistry, panel: SimulatedPanel) -> Find:
    """Find an entity by its platform and key."""

    def found(platform: str, key: str) -> str:
        entity_id = entity_registry.async_get_entity_id(platform, DOMAIN, f"{panel.serial}-{key}")
        assert entity_id is not None, f"no {platform} {key}"
        return entity_id

    return found


@pytest.fixture
def state(hass: HomeAssistant, find: Find) -> State:
    """Read the state of an entity by its platform and key."""

    def read(platform: str, key: str) -> str:
        found = hass.states.get(find(platform, key))
        assert found is not None, f"{platform} {key} is disabled"
        return found.state

    return read


@pytest.fixture
def call(hass: HomeAssistant, find: Find) -> Call:
    """Call an action of Home Assistant on an entity by its platform and key."""

    async def act(platform: str, key: str, action: str, **data: Any) -> None:
        await hass.services.async_call(platform, action, {"entity_id": find(platform, key), **data}, blocking=True)

    return act

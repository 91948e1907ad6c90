"""How a panel's news arrive: by its webhook where that works, else because it is asked; each once."""

from homeassistant.core import HomeAssistant
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import Ring, StationEvent
from custom_components.face_access.hub.ladder import Rung
from simulators.panel import SimulatedPanel

from .conftest import settle, until


def listen(entry: MockConfigEntry) -> list[StationEvent]:
    """Keep every live event."""
    heard: list[StationEvent] = []
    entry.runtime_data.async_subscribe(heard.append)
    return heard


async def test_ring_arrives_once_by_webhook(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """The webhook was tried out, so nobody asks the panel; a resent delivery is no second ring."""
    ladder = panel_entry.runtime_data.ladder
    await until(lambda: ladder.webhook is Rung.PROVEN)
    assert not ladder.asks
    heard = listen(panel_entry)
    await panel.ring()
    await until(lambda: any(isinstance(event, Ring) for event in heard))
    await panel.resend_webhook()
    await settle(hass)
    assert sum(isinstance(event, Ring) for event in heard) == 1

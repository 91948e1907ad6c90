"""Adding a panel: every path of the flow, and back onto the path after every error."""

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType

from simulators.panel import SimulatedPanel

from .conftest import settle
from .panels import answers, begin


async def test_panel(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    """Address and account, consent, done: named as the panel is, known by its serial number."""
    flow = await begin(hass)
    assert flow["step_id"] == "panel"
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"], answers(panel))
    assert flow["step_id"] == "push"
    assert flow["description_placeholders"] == {"name": "Gate", "serial": panel.serial}
    flow = await hass.config_entries.flow.async_configure(flow["flow_id"], {"push": True})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    entry = flow["result"]
    assert (entry.title, entry.unique_id) == ("Gate", panel.serial)
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED

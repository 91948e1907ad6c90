"""A simulated panel, and Home Assistant with it set up through the real flow."""

from typing import Any

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from simulators.panel import SimulatedPanel, Timings

PASSWORD = "123456"
FAST_PANEL = Timings(
    command=0,
    second=0.01,
    snapshot=0.02,
    photo_pace=0,
    enrol=0.05,
    remote_wait=5,
    webhook_retry=0.02,
    syslog_retry=0.02,
    sip_register=0.01,
    face_rest=0.1,
    down_after=0.02,
    reboot=0.1,
    restart=0.05,
)


def answers(panel: SimulatedPanel, **more: Any) -> dict[str, Any]:
    """Fill in the form of a panel."""
    return {
        "host": "127.0.0.1",
        "port": panel.port,
        "username": "admin",
        "password": PASSWORD,
        "ssl": panel.tls,
        "verify_ssl": not panel.tls,
        **more,
    }


async def begin(hass: HomeAssistant) -> dict[str, Any]:
    """Open the form of a panel."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    return await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "panel"})


async def add_panel(hass: HomeAssistant, panel: SimulatedPanel, *, push: bool = True) -> MockConfigEntry:
    """Go through the flow of a panel."""
    result = await begin(hass)
    result = await hass.config_entries.flow.async_configure(result["flow_id"], answers(panel))
    assert result["step_id"] == "push", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"push": push})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await hass.async_block_till_done(wait_background_tasks=True)
    entry: MockConfigEntry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    return entry

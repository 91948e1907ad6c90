"""Adding a panel: every path of the flow, and back onto the path after every error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from aiohttp import web as web_module
from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_RECONFIGURE, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.devices.panel.transport import Request
from simulators.panel import SimulatedPanel

from .conftest import free_port, settle
from .panels import FAST_PANEL, PASSWORD, add_panel, answers, begin

type Flow = dict[str, Any]


async def fill(hass: HomeAssistant, flow: Flow, filled: dict[str, Any]) -> Flow:
    """Answer a form."""
    return await hass.config_entries.flow.async_configure(flow["flow_id"], filled)


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    """Open the flow that changes an entry."""
    context = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    return await hass.config_entries.flow.async_init(DOMAIN, context=context)


@asynccontextmanager
async def moved(panel: SimulatedPanel) -> AsyncIterator[SimulatedPanel]:
    """Have the same panel answer at another address."""
    twin = SimulatedPanel(name="Gate", serial=panel.serial, timings=FAST_PANEL)
    await twin.start()
    yield twin
    await twin.stop()
    assert twin.violations == []


async def test_panel(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    """Address and account, consent, done: named as the panel is, known by its serial number."""
    flow = await begin(hass)
    assert flow["step_id"] == "panel"
    flow = await fill(hass, flow, answers(panel))
    assert flow["step_id"] == "push"
    assert flow["description_placeholders"] == {"name": "Gate", "serial": panel.serial}
    flow = await fill(hass, flow, {"push": True})
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    entry = flow["result"]
    assert (entry.title, entry.unique_id) == ("Gate", panel.serial)
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED


@pytest.mark.parametrize("panel_model", ["BI-06FB", "AV-08FB", "AA-07", "AV-03BD"])
async def test_every_kind(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """Faces or none, Android or Camdroid: each comes in by the same form."""
    assert panel_entry.runtime_data.last_update_success


async def test_without_consent_nothing_is_written(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    """The panel has no webhook of ours, and is asked instead."""
    entry = await add_panel(hass, panel, push=False)
    assert panel.webhooks.items == {}
    assert entry.runtime_data.ladder.asks


async def test_wrong_password_then_the_right_one(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    flow = await fill(hass, await begin(hass), answers(panel, password="guess"))
    assert flow["errors"] == {"base": "invalid_auth"}
    flow = await fill(hass, flow, answers(panel))
    assert flow["step_id"] == "push"


async def test_account_that_is_no_administrators(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    await panel.set_password("secret", "manager")
    flow = await fill(hass, await begin(hass), answers(panel, username="manager", password="secret"))
    assert flow["errors"] == {"base": "forbidden"}


async def test_nothing_answers(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    flow = await fill(hass, await begin(hass), answers(panel, port=free_port()))
    assert flow["errors"] == {"base": "cannot_connect"}


async def test_no_host(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    flow = await fill(hass, await begin(hass), answers(panel, host="http://gate/"))
    assert flow["errors"] == {"host": "invalid_host"}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, "", "unsupported"),
        (200, '{"device_serial_number": "1", "device_type": "monitor"}', "unsupported"),
        (200, "<html>It works!</html>", "not_a_station"),
        (400, '{"error": "no"}', "refused"),
    ],
)
async def test_something_else_answers(hass: HomeAssistant, web: str, status: int, body: str, error: str) -> None:
    """Another web server, an indoor monitor, something that refuses."""

    async def answer(_request: web_module.Request) -> web_module.Response:
        return web_module.Response(text=body, status=status)

    app = web_module.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web_module.AppRunner(app)
    await runner.setup()
    await web_module.TCPSite(runner, "127.0.0.1", 0).start()
    filled = {"host": "127.0.0.1", "port": runner.addresses[0][1], "username": "admin", "password": "x"}
    flow = await fill(hass, await begin(hass), {**filled, "ssl": False, "verify_ssl": True})
    assert flow["errors"] == {"base": error}
    await runner.cleanup()


async def test_something_silent_answers(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> None:
    async def listen(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with patch.dict(Request.__init__.__kwdefaults__, timeout=0.1):
        flow = await fill(hass, await begin(hass), answers(panel, port=port))
    assert flow["errors"] == {"base": "timeout"}
    server.close()
    server.close_clients()


async def test_self_signed_certificate(hass: HomeAssistant, web: str) -> None:
    """Taken only when the user says so, and then kept for the entry."""
    panel = SimulatedPanel(name="Gate", https=True, timings=FAST_PANEL)
    await panel.start()
    flow = await fill(hass, await begin(hass), answers(panel, verify_ssl=True))
    assert flow["errors"] == {"base": "certificate"}
    flow = await fill(hass, flow, answers(panel, verify_ssl=False))
    assert flow["step_id"] == "push"
    entry = (await fill(hass, flow, {"push": True}))["result"]
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert (entry.data["ssl"], entry.data["verify_ssl"]) == (True, False)
    await hass.config_entries.async_unload(entry.entry_id)
    await panel.stop()
    assert panel.violations == []


@pytest.mark.parametrize(("ssl", "port"), [(False, 80), (True, 443)])
async def test_port_is_the_usual_one(hass: HomeAssistant, web: str, ssl: bool, port: int) -> None:
    """An empty field is not port 0."""
    filled = {"host": "127.0.0.1", "username": "admin", "password": "x", "ssl": ssl, "verify_ssl": True}
    flow = await begin(hass)
    opening = patch("custom_components.face_access.config_flow.async_open_link", side_effect=RuntimeError)
    with opening as opened, pytest.raises(RuntimeError):
        await fill(hass, flow, filled)
    assert opened.call_args.args[1]["port"] == port


async def test_the_same_panel_twice(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """One entry per serial number; what was proven is what the entry has from then on."""
    async with moved(panel) as twin:
        flow = await fill(hass, await begin(hass), answers(twin))
        assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")
        assert panel_entry.data["port"] == twin.port
        await settle(hass)
        await hass.config_entries.async_unload(panel_entry.entry_id)


async def test_reconfigure_keeps_the_password(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """The form does not show it, and an empty field is no new one."""
    flow = await reconfigure(hass, panel_entry)
    assert flow["step_id"] == "panel"
    assert PASSWORD not in str(flow)
    async with moved(panel) as twin:
        filled = answers(twin)
        del filled["password"]
        flow = await fill(hass, flow, filled)
        assert flow["step_id"] == "push"
        flow = await fill(hass, flow, {"push": True})
        assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
        await settle(hass)
        assert (panel_entry.data["port"], panel_entry.data["password"]) == (twin.port, PASSWORD)
        assert panel_entry.state is ConfigEntryState.LOADED
        await hass.config_entries.async_unload(panel_entry.entry_id)


async def test_reconfigure_to_another_panel(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """A door must not change behind an entity."""
    other = SimulatedPanel(model="BI-06FB", timings=FAST_PANEL)
    await other.start()
    flow = await fill(hass, await reconfigure(hass, panel_entry), answers(other))
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "wrong_station")
    assert flow["description_placeholders"] == {"expected": panel.serial, "found": other.serial}
    await other.stop()


async def test_consent_is_taken_back_and_given(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """Our webhook goes and comes with it; others stay."""
    assert len(panel.webhooks.items) == 1
    for push in (False, True):
        flow = await fill(hass, await reconfigure(hass, panel_entry), answers(panel))
        await fill(hass, flow, {"push": push})
        await settle(hass)
        assert len(panel.webhooks.items) == push


async def test_password_was_changed(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """The panel says no, Home Assistant asks for the new one, and all goes on; a wrong one is told."""
    await panel.set_password("new one")
    await panel_entry.runtime_data.async_refresh()
    await settle(hass)
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert (flow["context"]["source"], flow["step_id"]) == (SOURCE_REAUTH, "reauth_confirm")
    assert not panel_entry.runtime_data.last_update_success
    flow = await fill(hass, flow, {"username": "admin", "password": "wrong again"})
    assert flow["errors"] == {"base": "invalid_auth"}
    flow = await fill(hass, flow, {"username": "admin", "password": "new one"})
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reauth_successful")
    await settle(hass)
    assert panel_entry.state is ConfigEntryState.LOADED
    assert panel_entry.runtime_data.last_update_success


async def test_password_is_wrong_at_start(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """The entry waits for the user instead of trying passwords."""
    await hass.config_entries.async_unload(panel_entry.entry_id)
    await panel.set_password("new one")
    assert not await hass.config_entries.async_setup(panel_entry.entry_id)
    assert panel_entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    flow = await fill(hass, flow, {"username": "admin", "password": "new one"})
    assert flow["reason"] == "reauth_successful"
    await settle(hass)
    assert panel_entry.state is ConfigEntryState.LOADED


async def test_options_of_a_panel(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """It has no voice and is asked for no liveness; without MQTT nothing is said of a broker."""
    flow = await hass.config_entries.options.async_init(panel_entry.entry_id)
    fields = {str(key) for key in flow["data_schema"].schema}
    kept = {"keep_days", "keep_most", "second_factors", "second_factors_within"}
    assert fields == {"doors", "door_mode", "answer_questions", "local_only", "stream_port", "stream_path"} | kept


async def test_options_of_a_terminal(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """It asks about faces, and has nothing to publish."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    fields = {str(key) for key in flow["data_schema"].schema}
    assert {"liveness_required", "granted_text", "denied_text"} <= fields
    assert not {"answer_questions", "broker"} & fields

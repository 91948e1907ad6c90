"""Adding a terminal: every path of the flow, and back onto the path after every error."""

import asyncio
from unittest.mock import patch

from aiohttp import web as web_module
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers.network import NoURLAvailableError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.devices.terminal.caller import Caller
from simulators.terminal import SimulatedTerminal

from .conftest import FAST, SERIAL, add_direct, choose_options, free_port, settle, until

type Flow = dict


async def start(hass: HomeAssistant, way: str) -> Flow:
    """Open the flow and choose who calls whom."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert result["type"] is FlowResultType.MENU
    assert result["menu_options"] == ["panel", "direct", "callback", "camera", "people", "server"]
    return await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": way})


async def go_on(hass: HomeAssistant, flow: Flow, **answers: object) -> Flow:
    """Answer a form."""
    return await hass.config_entries.flow.async_configure(flow["flow_id"], answers)


async def reconfigure(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    """Open the flow that changes an entry."""
    return await hass.config_entries.flow.async_init(
        DOMAIN, context={"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    )


async def test_terminal_that_we_call(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """Address, consent, done: named by its place, known by its serial number."""
    flow = await start(hass, "direct")
    assert flow["step_id"] == "direct"
    flow = await go_on(hass, flow, host="127.0.0.1", port=terminal.port)
    assert flow["step_id"] == "push"
    assert flow["description_placeholders"] == {"name": "Front door", "serial": SERIAL}
    flow = await go_on(hass, flow, push=True)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    entry = flow["result"]
    assert (entry.title, entry.unique_id) == ("Front door", SERIAL)
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED
    upload = terminal.app["upload_info"]
    assert upload["method"] == "http"
    assert f"http://{upload['server_ip']}:{upload['server_port']}" == web
    assert entry.data["webhook_id"] in upload["service_url"]


async def test_without_consent_nothing_is_written(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """The terminal's upload setting is the user's."""
    before = dict(terminal.app["upload_info"])
    await add_direct(hass, terminal, push=False)
    assert terminal.app["upload_info"] == before


async def test_nothing_answers_then_the_right_port(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """A wrong port is an error in the form, and the form goes on."""
    flow = await start(hass, "direct")
    flow = await go_on(hass, flow, host="127.0.0.1", port=free_port())
    assert flow["errors"] == {"base": "cannot_connect"}
    flow = await go_on(hass, flow, host="127.0.0.1", port=terminal.port)
    assert flow["step_id"] == "push"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"<html>It works!</html>", "not_a_station"),
        (b'{"reply": "ACK", "cmd": "get hardware info", "code": 4}', "refused"),
    ],
)
async def test_something_else_answers(hass: HomeAssistant, web: str, reply: bytes, error: str) -> None:
    """Another web server, or a terminal that will not say who it is."""

    async def answer(_request: web_module.Request) -> web_module.Response:
        return web_module.Response(body=reply)

    app = web_module.Application()
    app.router.add_post("/", answer)
    runner = web_module.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web_module.TCPSite(runner, "127.0.0.1", port).start()
    flow = await go_on(hass, await start(hass, "direct"), host="127.0.0.1", port=port)
    assert flow["errors"] == {"base": error}
    await runner.cleanup()


async def test_something_silent_answers(hass: HomeAssistant, web: str) -> None:
    """A port that takes the connection and says nothing."""

    async def listen(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with patch.dict(Caller.call.__kwdefaults__, timeout=0.1):
        flow = await go_on(hass, await start(hass, "direct"), host="127.0.0.1", port=port)
    assert flow["errors"] == {"base": "timeout"}
    server.close()
    server.close_clients()


async def test_not_a_host_name(hass: HomeAssistant, web: str) -> None:
    """What cannot be an address is told before anything is sent."""
    flow = await go_on(hass, await start(hass, "direct"), host="http://terminal/", port=8000)
    assert flow["errors"] == {"host": "invalid_host"}


async def test_the_same_terminal_twice(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """One entry per serial number."""
    flow = await go_on(hass, await start(hass, "direct"), host="127.0.0.1", port=terminal.port)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "already_configured")


async def test_new_address_of_the_same_terminal(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Reconfigure takes the new address and loads again."""
    flow = await reconfigure(hass, entry)
    assert flow["step_id"] == "direct"
    moved = SimulatedTerminal(serial=SERIAL, timings=FAST)
    await moved.start()
    flow = await go_on(hass, flow, host="127.0.0.1", port=moved.port)
    assert flow["step_id"] == "push"
    flow = await go_on(hass, flow, push=True)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await settle(hass)
    assert entry.data["port"] == moved.port
    assert entry.state is ConfigEntryState.LOADED
    await moved.stop()
    assert moved.violations == []


async def test_new_address_of_another_terminal(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """The serial number is enforced: a door must not change behind an entity."""
    other = SimulatedTerminal(serial="FFFFFF-000000-0000EE", timings=FAST)
    await other.start()
    flow = await go_on(hass, await reconfigure(hass, entry), host="127.0.0.1", port=other.port)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "wrong_station")
    assert flow["description_placeholders"] == {"expected": SERIAL, "found": "FFFFFF-000000-0000EE"}
    await other.stop()
    assert other.violations == []


async def test_terminal_that_calls_us(hass: HomeAssistant, web: str, behind_nat: SimulatedTerminal) -> None:
    """The flow shows two different URLs, waits for the first question, and goes on by itself."""
    flow = await start(hass, "callback")
    assert flow["type"] is FlowResultType.SHOW_PROGRESS
    shown = flow["description_placeholders"]
    assert shown["control_path"] != shown["upload_path"]
    assert f"http://{shown['server']}:{shown['port']}" == web
    behind_nat.connect(f"{web}/{shown['control_path']}")
    flow = await until_seen(hass, flow)
    assert flow["step_id"] == "push"
    flow = await go_on(hass, flow, push=True)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    entry = flow["result"]
    assert entry.unique_id == SERIAL
    assert "host" not in entry.data
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED


async def until_seen(hass: HomeAssistant, flow: Flow) -> Flow:
    """Poll a waiting flow as the frontend does."""
    async with asyncio.timeout(20):
        while flow["type"] in (FlowResultType.SHOW_PROGRESS, FlowResultType.SHOW_PROGRESS_DONE):
            await asyncio.sleep(0.05)
            flow = await hass.config_entries.flow.async_configure(flow["flow_id"])
    return flow


async def test_nobody_calls_then_somebody_does(hass: HomeAssistant, web: str, behind_nat: SimulatedTerminal) -> None:
    """After the time is up the flow shows the addresses again and waits once more."""
    with patch("custom_components.face_access.config_flow._FIRST_CONTACT_TIMEOUT", 0.1):
        flow = await until_seen(hass, await start(hass, "callback"))
    assert flow["step_id"] == "not_seen"
    shown = flow["description_placeholders"]
    behind_nat.connect(f"{web}/{shown['control_path']}")
    flow = await until_seen(hass, await go_on(hass, flow))
    assert flow["step_id"] == "push"


async def test_abandoned_flow_closes_its_addresses(hass: HomeAssistant, web: str) -> None:
    """An address that nobody waits behind any more is not left open."""
    flow = await start(hass, "callback")
    assert len(hass.data["webhook"]) == 2
    hass.config_entries.flow.async_abort(flow["flow_id"])
    assert hass.data["webhook"] == {}


async def test_home_assistant_without_an_address(hass: HomeAssistant, web: str) -> None:
    """There is nothing to show to the user, so the flow says what is missing."""
    with patch("custom_components.face_access.hub.news.push_target.get_url", side_effect=NoURLAvailableError):
        flow = await start(hass, "callback")
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "no_url")


async def test_addresses_can_be_shown_again(
    hass: HomeAssistant, calling_entry: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """Reconfigure of a terminal that calls us shows what it was given, and asks for consent again."""
    flow = await reconfigure(hass, calling_entry)
    assert flow["step_id"] == "addresses"
    assert calling_entry.data["control_id"] in flow["description_placeholders"]["control_path"]
    flow = await go_on(hass, flow)
    assert flow["step_id"] == "push"
    flow = await go_on(hass, flow, push=False)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await until(lambda: behind_nat.app["upload_info"]["method"] == "none")
    assert calling_entry.data["push"] is False
    await hass.async_block_till_done()
    assert calling_entry.state is ConfigEntryState.LOADED


async def test_consent_is_taken_back(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """What was in the terminal before us is there again, and nothing is written any more."""
    before = dict(entry.data["previous_target"])
    flow = await go_on(hass, await reconfigure(hass, entry), host="127.0.0.1", port=terminal.port)
    flow = await go_on(hass, flow, push=False)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "reconfigure_successful")
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED
    assert terminal.app["upload_info"]["method"] == before["method"]
    assert "previous_target" not in entry.data


async def test_calling_terminal_is_not_made_a_direct_one(
    hass: HomeAssistant, web: str, calling_entry: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """Adding it again by an address says so, and leaves its way alone."""
    twin = SimulatedTerminal(serial=SERIAL, timings=FAST)
    await twin.start()
    flow = await go_on(hass, await start(hass, "direct"), host="127.0.0.1", port=twin.port)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "calls_already")
    assert "host" not in calling_entry.data
    await twin.stop()
    assert twin.violations == []


async def test_addresses_without_an_address(hass: HomeAssistant, calling_entry: MockConfigEntry) -> None:
    """The same without a local URL."""
    with patch("custom_components.face_access.hub.news.push_target.get_url", side_effect=NoURLAvailableError):
        flow = await reconfigure(hass, calling_entry)
    assert (flow["type"], flow["reason"]) == (FlowResultType.ABORT, "no_url")


async def test_options_are_kept_and_used(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Two relays: two locks, after the reload that the options ask for."""
    flow = await choose_options(hass, entry, {"door_mode": "open"}, {}, granted_text="Hi")
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    await settle(hass)
    assert entry.options["doors"] == 2
    assert len(hass.states.async_entity_ids("lock")) == 2

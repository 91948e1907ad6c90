"""What every test shares: a simulated terminal, and Home Assistant with it set up through the real flow."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
import os
import socket
import threading
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER, ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import device_registry as dr, issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from hypothesis import HealthCheck, settings
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

# Tests import onnxruntime as an oracle too: it must not report to its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

# The test harness has a custom_components of its own. Whichever is imported first is the one that Home Assistant sees.
import custom_components.face_access  # noqa: F401
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.devices.panel.capabilities import PanelFeed
from custom_components.face_access.hub.house import async_close_link
from simulators.panel import SimulatedPanel
from simulators.terminal import SimulatedTerminal, Timings

from .panels import FAST_PANEL, add_panel
from .time_travel import Clock

# How long an example takes says how busy the machine is, and nothing of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

type Upload = Callable[[bytes], Awaitable[str]]
SERIAL = "0123A1-0000C4-0001EE"
FAST = Timings(
    command=0, push_resend=0.05, heartbeat_retry=0.05, reconnect=0.01, reboot=0.3, restart=0.2, sip_ring=0.05
)


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations(enable_custom_integrations: None) -> None:
    """Let Home Assistant load the integration in every test."""


@pytest.fixture(autouse=True)
async def enable_event_loop_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse what another thread asks of the loop, as its debug mode does.

    In place of that mode, which the harness would switch on: it also writes down the whole stack for every task and
    future, and takes more time for it than all that the tests do."""
    loop = asyncio.get_running_loop()
    thread = threading.get_ident()

    def guarded[**P, R](method: Callable[P, R]) -> Callable[P, R]:
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if threading.get_ident() != thread:
                raise RuntimeError("Non-thread-safe operation invoked on an event loop other than the current one")
            return method(*args, **kwargs)

        return call

    for name in ("call_soon", "call_at"):
        monkeypatch.setattr(loop, name, guarded(getattr(loop, name)))


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    """Give every test a config directory of its own: history must not be another test's."""
    return hass_tmp_config_dir


@pytest.fixture
async def web(hass: HomeAssistant, socket_enabled: None, hass_client_no_auth: ClientSessionGenerator) -> str:
    """Serve Home Assistant's HTTP on a real port, and tell it so: devices are pointed to this address."""
    # All that adds a route goes first: once the server runs, its router takes no more.
    for component in (
        "http",
        "webhook",
        "repairs",
        "image",
        "camera",
        "media_player",
        "tts",
        "diagnostics",
        "file_upload",
    ):
        assert await async_setup_component(hass, component, {})
    # As Home Assistant's own server does: an integration that comes later adds routes too.
    hass.http.app._router.freeze = lambda: None
    client = await hass_client_no_auth()
    url = f"http://127.0.0.1:{client.port}"
    await hass.config.async_update(internal_url=url)
    return url


@pytest.fixture
def upload(hass: HomeAssistant, hass_client: ClientSessionGenerator) -> Upload:
    """Upload a file as a browser does."""

    async def put(content: bytes) -> str:
        client = await hass_client()
        answer = await client.post("/api/file_upload", data={"file": BytesIO(content)})
        assert answer.status == 200, await answer.text()
        return (await answer.json())["file_id"]

    return put


@pytest.fixture
async def terminal(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[SimulatedTerminal]:
    """Switch a terminal on. It must have no complaint about us at the end, unless the test cleared them."""
    simulated = SimulatedTerminal(serial=SERIAL, timings=FAST, utc_offset=house_zone())
    await simulated.start()
    yield simulated
    # Before it goes off: what was begun ends, and an entry that is unloaded puts the terminal's settings back.
    await settle(hass)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await simulated.stop()
    assert simulated.violations == []


@pytest.fixture
async def entry(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> MockConfigEntry:
    """Set the terminal up as one that Home Assistant calls, with its consent to send what it sees."""
    return await add_direct(hass, terminal)


@pytest.fixture
def panel_model() -> str:
    """Which panel there is, for tests to override."""
    return "AA-12FB"


@pytest.fixture
async def panel(hass: HomeAssistant, web: str, panel_model: str) -> AsyncIterator[SimulatedPanel]:
    """Switch a panel on. It is off before Home Assistant's server is: what it still has to deliver arrives.

    It must have no complaint about us at the end, unless the test cleared them."""
    simulated = SimulatedPanel(model=panel_model, name="Gate", timings=FAST_PANEL)
    await simulated.start()
    yield simulated
    await settle(hass)
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await simulated.stop()
    assert simulated.violations == []


@pytest.fixture
async def panel_entry(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> MockConfigEntry:
    """Set the panel up, with its consent to send what it sees."""
    return await add_panel(hass, panel)


@pytest.fixture
def quick_ladder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask a panel all the time, and have what it was told looked after just as often."""
    monkeypatch.setattr("custom_components.face_access.hub.news.ladder.READ_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(PanelFeed, "interval", timedelta(seconds=0.1))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the clock of the house, to be put forward."""
    return Clock(monkeypatch)


@pytest.fixture
def device_id(entry: MockConfigEntry, device_registry: dr.DeviceRegistry) -> str:
    """Find the terminal's device."""
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    return device.id


@pytest.fixture
async def behind_nat(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[SimulatedTerminal]:
    """Switch a terminal on that nobody can reach: it has no port."""
    simulated = SimulatedTerminal(serial=SERIAL, port=None, timings=FAST, utc_offset=house_zone())
    await simulated.start()
    yield simulated
    await simulated.stop()
    # The test's web server waits for questions that are being held; the real one is stopped by an event first.
    for entry in hass.config_entries.async_entries(DOMAIN):
        await async_close_link(hass, entry.data)
    assert simulated.violations == []


@pytest.fixture
async def calling_entry(hass: HomeAssistant, web: str, behind_nat: SimulatedTerminal) -> AsyncIterator[MockConfigEntry]:
    """Set the terminal up as one that calls Home Assistant."""
    return await add_calling(hass, web, behind_nat)


async def add_calling(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> MockConfigEntry:
    """Go through the flow of a terminal that calls Home Assistant."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "callback"})
    terminal.connect(f"{web}/{result['description_placeholders']['control_path']}")
    async with asyncio.timeout(20):
        while result["type"] in (FlowResultType.SHOW_PROGRESS, FlowResultType.SHOW_PROGRESS_DONE):
            await asyncio.sleep(0.05)
            result = await hass.config_entries.flow.async_configure(result["flow_id"])
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"push": True})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    entry = result["result"]
    await until(lambda: entry.runtime_data.redirected)
    return entry


async def until(condition: Callable[[], object], seconds: float = 15) -> None:
    """Wait for something that a device does in its own time."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (the device has no event to wait for)
            await asyncio.sleep(0.02)


async def add_direct(hass: HomeAssistant, terminal: SimulatedTerminal, *, push: bool = True) -> MockConfigEntry:
    """Go through the flow of a terminal that Home Assistant calls."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "direct"})
    result = await hass.config_entries.flow.async_configure(
        result["flow_id"], {"host": "127.0.0.1", "port": terminal.port}
    )
    assert result["step_id"] == "push", result
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"push": push})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await settle(hass)
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    return entry


async def settle(hass: HomeAssistant) -> None:
    """Wait for everything that was begun, background reading included."""
    await hass.async_block_till_done(wait_background_tasks=True)


def house_zone() -> float:
    """Find how many seconds the house is ahead of UTC: its terminals show its time, whatever this machine's is."""
    offset = dt_util.now().utcoffset()
    assert offset is not None
    return offset.total_seconds()


def set_policy(hass: HomeAssistant, entry: MockConfigEntry, *, door: int = 1, **chosen: Any) -> None:
    """Choose something of what a door asks for, past the form; nothing is loaded again."""
    policies = dict(entry.options.get("door_policies", {}))
    policies[str(door)] = {**policies.get(str(door), {}), **chosen}
    hass.config_entries.async_update_entry(entry, options={**entry.options, "door_policies": policies})


async def choose_options(
    hass: HomeAssistant, entry: MockConfigEntry, *doors: dict[str, Any], **common: Any
) -> ConfigFlowResult:
    """Go through the options as a user does: what is the station's, and what each of its doors asks for."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    left = list(enumerate(doors, start=1))
    filled = {"doors": len(doors), **common}
    if "door_mode" in flow["data_schema"].schema:
        filled |= left.pop(0)[1]
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], filled)
    for number, door in left:
        assert (flow["step_id"], flow["description_placeholders"]["number"]) == ("door", str(number))
        flow = await hass.config_entries.options.async_configure(flow["flow_id"], door)
    return flow


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@asynccontextmanager
async def killed(hass: HomeAssistant, entry: MockConfigEntry) -> AsyncIterator[None]:
    """Take the entry away as a hard stop does, without a word to the station, and start it again afterwards."""
    with patch("custom_components.face_access.push_target.async_restore"):
        assert await hass.config_entries.async_unload(entry.entry_id)
    yield
    assert await hass.config_entries.async_setup(entry.entry_id)


async def repair(hass: HomeAssistant, hass_client: ClientSessionGenerator, key: str, entry: MockConfigEntry) -> dict:
    """Open the fix of an issue and press its button; the last answer of the flow."""
    client = await hass_client()
    started = await client.post("/api/repairs/issues/fix", json={"handler": DOMAIN, "issue_id": issue_id(key, entry)})
    assert started.status == 200
    flow = await started.json()
    if flow["type"] != "form":
        return flow
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id(key, entry))
    assert (flow["step_id"], flow["description_placeholders"]) == ("confirm", issue.translation_placeholders)
    return await press(hass_client, flow)


async def press(hass_client: ClientSessionGenerator, flow: dict, answer: dict | None = None) -> dict:
    """Press the button of a fix, or look how far it is."""
    client = await hass_client()
    path = f"/api/repairs/issues/fix/{flow['flow_id']}"
    pressed = await (client.get(path) if flow["type"] == "progress" else client.post(path, json=answer or {}))
    assert pressed.status == 200
    return await pressed.json()


def issue_id(key: str, entry: MockConfigEntry) -> str:
    """Name an entry's repair issue."""
    return f"{key}_{entry.entry_id}"

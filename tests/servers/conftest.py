"""Recognition servers in Home Assistant: simulated ones, set up through the real flow."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.people import sync as people_sync
from simulators.kby import SimulatedKby
from simulators.opencv_fr import SimulatedOpenCvFr
from simulators.smartface import SimulatedSmartFace
from tests.conftest import settle

type Flow = dict[str, Any]
type Start = Callable[[Any], Awaitable[Any]]

ANNA, BOB = "anna", "bob"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what need not take its time."""
    monkeypatch.setattr(people_sync, "GATHER", 0.01)


@pytest.fixture
async def started(hass: HomeAssistant, web: str) -> AsyncIterator[Start]:
    """Start servers. None may have a complaint about us at the end, unless the test cleared them."""
    async with AsyncExitStack() as stack:

        async def stop(server: Any) -> None:
            await server.stop()
            assert server.violations == []

        async def start(server: Any) -> Any:
            await server.start()
            stack.push_async_callback(stop, server)
            return server

        yield start
        await settle(hass)
        for entry in hass.config_entries.async_loaded_entries(DOMAIN):
            await hass.config_entries.async_unload(entry.entry_id)


@pytest.fixture
async def smartface(started: Start) -> SimulatedSmartFace:
    return await started(SimulatedSmartFace(version="4.25"))


@pytest.fixture
async def opencv(started: Start) -> SimulatedOpenCvFr:
    return await started(SimulatedOpenCvFr())


@pytest.fixture
async def kby(started: Start) -> SimulatedKby:
    return await started(SimulatedKby())


@pytest.fixture
async def kby_liveness(started: Start) -> SimulatedKby:
    return await started(SimulatedKby(image="liveness"))


async def begin(hass: HomeAssistant, kind: str) -> Flow:
    """Open the form of a kind of server."""
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    flow = await go_on(hass, flow, next_step_id="server")
    assert flow["type"] is FlowResultType.MENU
    flow = await go_on(hass, flow, next_step_id=f"server_{kind}")
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, f"server_{kind}")
    return flow


async def change(hass: HomeAssistant, entry: MockConfigEntry) -> Flow:
    """Open the form that changes a server."""
    context = {"source": SOURCE_RECONFIGURE, "entry_id": entry.entry_id}
    return await hass.config_entries.flow.async_init(DOMAIN, context=context)


async def go_on(hass: HomeAssistant, flow: Flow, **answers: object) -> Flow:
    """Answer a form."""
    return await hass.config_entries.flow.async_configure(flow["flow_id"], answers)


async def add(hass: HomeAssistant, kind: str, **answers: object) -> MockConfigEntry:
    """Go through the flow of a server."""
    flow = await go_on(hass, await begin(hass, kind), **answers)
    assert flow["type"] is FlowResultType.CREATE_ENTRY, flow
    entry: MockConfigEntry = flow["result"]
    await settle(hass)
    assert entry.state is ConfigEntryState.LOADED
    return entry


@pytest.fixture
async def smartface_entry(hass: HomeAssistant, smartface: SimulatedSmartFace) -> MockConfigEntry:
    return await add(hass, "smartface", url=smartface.url)


@pytest.fixture
async def opencv_entry(hass: HomeAssistant, opencv: SimulatedOpenCvFr) -> MockConfigEntry:
    return await add(hass, "opencv_fr", url=opencv.url, api_key=opencv.api_key)


@pytest.fixture
async def kby_entry(hass: HomeAssistant, kby: SimulatedKby, kby_liveness: SimulatedKby) -> MockConfigEntry:
    return await add(hass, "kby", compare_url=kby.url, liveness_url=kby_liveness.url)

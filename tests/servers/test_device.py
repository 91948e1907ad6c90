"""A recognition server as a device: its entities, its diagnostics, and what happens when it is away from the start."""

from collections.abc import Iterator
import json

from homeassistant.config_entries import SOURCE_REAUTH, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.local.engine import async_get_local
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.recognition.errors import EngineError
from custom_components.face_access.recognition.network_server import KIND
from simulators.inference import SimulatedInferenceServer
from simulators.kby import SimulatedKby
from simulators.opencv_fr import SimulatedOpenCvFr
from simulators.smartface import Access, SimulatedSmartFace
from tests.conftest import settle

from .conftest import Start, add, begin, go_on
from .test_people import name_somebody, synced


@pytest.fixture(params=["smartface", "opencv_fr", "kby"])
async def some_entry(
    hass: HomeAssistant,
    request: pytest.FixtureRequest,
    smartface: SimulatedSmartFace,
    opencv: SimulatedOpenCvFr,
    kby: SimulatedKby,
    kby_liveness: SimulatedKby,
) -> MockConfigEntry:
    answers = {
        "smartface": {"url": smartface.url},
        "opencv_fr": {"url": opencv.url, "api_key": opencv.api_key},
        "kby": {"compare_url": kby.url, "liveness_url": kby_liveness.url},
    }
    return await add(hass, request.param, **answers[request.param])


async def test_entities(
    hass: HomeAssistant,
    some_entry: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
    entity_registry: er.EntityRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """Only what the server can: a compare service has nobody to be synced."""
    entry = some_entry
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device.identifiers == {(DOMAIN, entry.entry_id)}
    described = (device.name, device.manufacturer, device.model, device.sw_version, str(device.entry_type))
    assert described == snapshot(name="device")
    entities = {
        each.entity_id: (
            each.translation_key,
            str(each.entity_category),
            each.disabled,
            each.unique_id.split("-", 1)[1],
        )
        for each in er.async_entries_for_config_entry(entity_registry, entry.entry_id)
    }
    assert entities == snapshot(name="entities")
    states = {
        state.entity_id: (state.state, {str(name): str(value) for name, value in state.attributes.items()})
        for state in hass.states.async_all()
    }
    assert {name: states[name] for name in entities if name in states} == snapshot(name="states")


async def test_diagnostics(
    hass: HomeAssistant, some_entry: MockConfigEntry, hass_client: ClientSessionGenerator, snapshot: SnapshotAssertion
) -> None:
    assert await get_diagnostics_for_config_entry(hass, hass_client, some_entry) == snapshot


async def test_nothing_leaks(hass: HomeAssistant, started: Start, hass_client: ClientSessionGenerator) -> None:
    """Addresses, keys, tokens, names of lists and people."""
    access = Access(kind="client_credentials", client_secret="very-secret", client_id="client-4711")
    server = await started(SimulatedSmartFace(access=access))
    entry = await add(
        hass,
        "smartface",
        url=server.url,
        watchlist="villa-gardner",
        token_url=server.token_url,
        client_id=access.client_id,
        client_secret=access.client_secret,
        audience=access.audience,
    )
    people = await async_get_people(hass)
    anna = await name_somebody(people, "anna")
    await synced(people, entry)
    found = json.dumps(await get_diagnostics_for_config_entry(hass, hass_client, entry))
    everything = [str(state.as_dict()) for state in hass.states.async_all()]
    for secret in ("very-secret", "client-4711", access.audience, *access.tokens):
        assert secret not in found
        assert not any(secret in each for each in everything)
    for private in ("127.0.0.1", "villa-gardner", "Anna", anna.key, entry.entry_id):
        assert private not in found


async def test_away_from_the_start(
    hass: HomeAssistant, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    """Tried again by Home Assistant itself, until it is there."""
    await smartface.stop()
    assert not await hass.config_entries.async_reload(smartface_entry.entry_id)
    assert smartface_entry.state is ConfigEntryState.SETUP_RETRY
    await smartface.start()
    assert await hass.config_entries.async_reload(smartface_entry.entry_id)
    assert smartface_entry.state is ConfigEntryState.LOADED


async def test_a_key_that_is_wrong_from_the_start(
    hass: HomeAssistant, opencv: SimulatedOpenCvFr, opencv_entry: MockConfigEntry
) -> None:
    opencv.api_key = "another"
    assert not await hass.config_entries.async_reload(opencv_entry.entry_id)
    assert opencv_entry.state is ConfigEntryState.SETUP_ERROR
    (flow,) = hass.config_entries.flow.async_progress()
    assert flow["context"]["source"] == SOURCE_REAUTH


async def test_an_entry_that_cannot_be(hass: HomeAssistant, opencv_entry: MockConfigEntry) -> None:
    """Somebody edited what Home Assistant keeps: the login is asked for, and nothing is sent anywhere."""
    hass.config_entries.async_update_entry(opencv_entry, data={**opencv_entry.data, "url": "nowhere"})
    assert not await hass.config_entries.async_reload(opencv_entry.entry_id)
    assert opencv_entry.state is ConfigEntryState.SETUP_ERROR


async def test_an_update_of_the_server(
    hass: HomeAssistant,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """The device says so with the next set-up, and nobody has to be given again."""
    smartface.set_version("4.40")
    assert await hass.config_entries.async_reload(smartface_entry.entry_id)
    await settle(hass)
    (device,) = dr.async_entries_for_config_entry(device_registry, smartface_entry.entry_id)
    assert device.sw_version == smartface.full_version


# A server that runs networks


@pytest.fixture
def inference_url(socket_enabled: None) -> Iterator[str]:
    with SimulatedInferenceServer({}) as server:
        yield server.url
    assert server.violations == []


async def test_networks(hass: HomeAssistant, started: Start, inference_url: str) -> None:
    """Local recognition runs its networks there while the entry is loaded."""
    entry = await add(hass, "inference", url=inference_url)
    assert entry.title == "Inference server (127.0.0.1)"
    assert hass.states.get("binary_sensor.inference_server_127_0_0_1_online").state == "on"
    local = await async_get_local(hass)
    assert await local.ask(lambda engine: engine._nets._server is not None)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert await local.ask(lambda engine: engine._nets._server is None)


async def test_one_server_for_networks_is_enough(hass: HomeAssistant, started: Start, inference_url: str) -> None:
    await add(hass, "inference", url=inference_url)
    with SimulatedInferenceServer({}) as other:
        flow = await go_on(hass, await begin(hass, "inference"), url=other.url)
    assert flow["reason"] == "already_configured"


async def test_networks_want_another_token(hass: HomeAssistant, web: str) -> None:
    """What is no token in a header is said to be no address: nothing is sent."""
    made = KIND.make(None, {"url": "http://127.0.0.1:1", "token": "ü"}, None)
    with pytest.raises(EngineError):
        await made.engine.probe()

"""A server that shall run the networks of local recognition: whether it does, and what the house hears of it."""

from collections.abc import Iterator
from pathlib import Path

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.local import lending
from custom_components.face_access.hub.local.engine import MODELS_VARIABLE, async_get_local
from custom_components.face_access.recognition.engine import Engine, Settings
from custom_components.face_access.recognition.inference import RUNTIME
from custom_components.face_access.recognition.picture import Picture
from simulators.inference import SimulatedInferenceServer
from tests.conftest import issue_id, settle, until
from tests.recognition import toys
from tests.recognition.test_inference import served

from .conftest import Start, add


@pytest.fixture
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = toys.install(tmp_path / "models")
    monkeypatch.setenv(MODELS_VARIABLE, str(folder))
    return folder


@pytest.fixture
def server(socket_enabled: None, started: Start) -> Iterator[SimulatedInferenceServer]:
    with SimulatedInferenceServer({name: served(make()) for name, make in toys.FILES.items()}) as server:
        yield server
    assert server.violations == []


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id("networks_here", entry))


async def looked(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let a minute pass, and wait until the server was looked at where there is reason to."""
    async_fire_time_changed(hass, dt_util.utcnow() + lending.LOOK_EVERY)
    await hass.async_block_till_done()
    await until(lambda: not entry.runtime_data.lending._looking)


async def recognise(hass: HomeAssistant) -> str:
    """Have local recognition look at a picture; its networks ran `here`, `there`, or at `both`."""

    def look(engine: Engine) -> str:
        return engine.recognise(Picture(toys.portrait((1, 20, 10))), None, Settings()).runtime

    ran = set((await (await async_get_local(hass)).ask(look)).split("+"))
    if RUNTIME not in ran:
        return "here"
    return "both" if len(ran) > 1 else "there"


async def begun(hass: HomeAssistant, server: SimulatedInferenceServer) -> MockConfigEntry:
    """Set the server up, and wait until it was looked at."""
    entry = await add(hass, "inference", url=server.url)
    await until(lambda: not entry.runtime_data.lending._looking)
    return entry


async def test_all_is_well(
    hass: HomeAssistant, models: Path, server: SimulatedInferenceServer, hass_client: ClientSessionGenerator
) -> None:
    """Nothing to say, and nothing is asked again and again."""
    entry = await begun(hass, server)
    assert await recognise(hass) == "there"
    assert issue(hass, entry) is None
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["networks"] == {"models": dict.fromkeys(toys.FILES), "troubles": []}
    asked = server.requests.count("GET /v2/models/toy_far")
    await looked(hass, entry)
    assert server.requests.count("GET /v2/models/toy_far") == asked


async def test_a_model_that_the_server_lacks(
    hass: HomeAssistant, models: Path, server: SimulatedInferenceServer, hass_client: ClientSessionGenerator
) -> None:
    """Found at the start, before any camera looks; told until the model is there."""
    far = server.models.pop("toy_far")
    entry = await begun(hass, server)
    found = issue(hass, entry)
    assert found is not None
    assert found.severity is ir.IssueSeverity.WARNING
    assert found.translation_placeholders == {
        "name": entry.title,
        "problem": "toy_far: the model toy_far is not ready (404)",
    }
    assert await recognise(hass) == "both"
    said = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert said["networks"] == {
        "models": {**dict.fromkeys(toys.FILES), "toy_far": "the model toy_far is not ready (404)"},
        "troubles": ["Model toy_far at inference server **: the model toy_far is not ready (404)"],
    }
    server.models["toy_far"] = far
    await (await async_get_local(hass)).async_models_changed()
    await until(lambda: issue(hass, entry) is None)


async def test_another_model_of_that_name(hass: HomeAssistant, models: Path, server: SimulatedInferenceServer) -> None:
    """Only running it tells; a minute later the house is told."""
    entry = await begun(hass, server)
    right = server.models["toy_near"]
    server.models["toy_near"] = type(right)(
        right.input, right.outputs, lambda array: {"logits": -right.run(array)["logits"]}
    )
    assert await recognise(hass) == "both"
    assert issue(hass, entry) is None
    await looked(hass, entry)
    assert "another one than the file here" in issue(hass, entry).translation_placeholders["problem"]
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert issue(hass, entry) is None


async def test_a_server_that_goes_and_comes(
    hass: HomeAssistant, models: Path, server: SimulatedInferenceServer
) -> None:
    """Networks run here meanwhile; that it is back is seen without a picture."""
    entry = await begun(hass, server)
    server.stop()
    assert await recognise(hass) == "here"
    await looked(hass, entry)
    assert "no connection" in issue(hass, entry).translation_placeholders["problem"]
    server.start()
    await looked(hass, entry)
    assert issue(hass, entry) is None
    assert await recognise(hass) == "there"


async def test_whoever_finds_it_away_tells_the_house(
    hass: HomeAssistant, models: Path, server: SimulatedInferenceServer
) -> None:
    """No minute has to pass: the house hears of it when the server is found to have gone, or to be back."""
    entry = await begun(hass, server)
    server.stop()
    assert await recognise(hass) == "here"
    await entry.runtime_data.async_refresh()
    await until(lambda: issue(hass, entry) is not None)
    server.start()
    await entry.runtime_data.async_refresh()
    await until(lambda: issue(hass, entry) is None)
    assert await recognise(hass) == "there"


async def test_nothing_to_compare_with(
    hass: HomeAssistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: SimulatedInferenceServer
) -> None:
    """No model is here: that is for the cameras to say."""
    monkeypatch.setenv(MODELS_VARIABLE, str(tmp_path))
    entry = await begun(hass, server)
    assert entry.state is ConfigEntryState.LOADED
    assert issue(hass, entry) is None
    await settle(hass)

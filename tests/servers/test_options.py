"""The scores that a household sets for a server: asked for by cameras and actions, on the server's own scale."""

from typing import Any

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType, InvalidData
from hypothesis import given, strategies as st
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import Similarity
from custom_components.face_access.people.model import Profile
from custom_components.face_access.recognition.servers.numbers import in_order
from custom_components.face_access.recognition.servers.table import SERVERS
from custom_components.face_access.recognition.terms import FaceLiveness
from simulators.inference import SimulatedInferenceServer
from tests.cameras.conftest import PlayedCamera, patience, porch
from tests.conftest import settle

from .conftest import Start, add
from .test_camera import ANNA, anna, camera, seen

__all__ = ["anna", "camera", "patience", "porch"]

USUAL = {"score_low": 30, "score_normal": 40, "score_high": 50, "live_distant": 90, "live_nearby": 90}


async def choose(hass: HomeAssistant, entry: MockConfigEntry, **numbers: float) -> dict[str, Any]:
    """Answer the form of a server's preferences with what it suggests, but for these."""
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    assert (flow["type"], flow["step_id"]) == (FlowResultType.FORM, "server")
    shown = {
        str(key): (key.description or {}).get("suggested_value", key.default()) for key in flow["data_schema"].schema
    }
    flow = await hass.config_entries.options.async_configure(flow["flow_id"], {**shown, **numbers})
    await settle(hass)
    return {**flow, "shown": shown}


@pytest.mark.parametrize("kind", [kind for kind, found in SERVERS.items() if found.numbers])
def test_the_defaults_can_be_chosen(kind: str) -> None:
    """They rise, and every number lies within its bounds."""
    numbers = SERVERS[kind].numbers
    assert all(0 < number.low <= number.default <= number.high for number in numbers)
    assert in_order({number.key: number.default for number in numbers})


@given(st.fixed_dictionaries({}, optional={f"score_{each}": st.integers(0, 9) for each in Similarity}))
def test_order(values: dict[str, int]) -> None:
    asked = [values[f"score_{each}"] for each in Similarity if f"score_{each}" in values]
    assert in_order(values) == (asked == sorted(asked))


async def test_a_camera_asks_for_it(
    hass: HomeAssistant, smartface_entry: MockConfigEntry, camera: MockConfigEntry, porch: PlayedCamera, anna: Profile
) -> None:
    """From the next frame on; what was chosen is what the form shows next."""
    flow = await choose(hass, smartface_entry, score_normal=47)
    assert (flow["type"], flow["shown"]) == (FlowResultType.CREATE_ENTRY, USUAL)
    assert smartface_entry.state is ConfigEntryState.LOADED
    said = await seen(hass, porch, ANNA)
    assert (said["event_type"], said["threshold"]) == ("recognised", 47)
    assert (await choose(hass, smartface_entry))["shown"] == {**USUAL, "score_normal": 47}


async def test_liveness_is_held_against_it(hass: HomeAssistant, smartface_entry: MockConfigEntry) -> None:
    """By the server, which is told, and by nobody else."""
    flow = await choose(hass, smartface_entry, live_distant=100)
    assert flow["type"] is FlowResultType.CREATE_ENTRY
    found = await smartface_entry.runtime_data.engine.liveness.check(ANNA)
    assert found.score is not None
    assert (found.state, found.score.threshold) == (FaceLiveness.SPOOF, 100)


async def test_other_servers(hass: HomeAssistant, opencv_entry: MockConfigEntry, kby_entry: MockConfigEntry) -> None:
    """On a scale of one, for whatever they can be asked."""
    for entry in (opencv_entry, kby_entry):
        flow = await choose(hass, entry, score_high=0.99, score_normal=0.98)
        assert flow["shown"] == {"score_low": 0.67, "score_normal": 0.7, "score_high": 0.8}
    opencv, kby = opencv_entry.runtime_data.engine, kby_entry.runtime_data.engine
    assert opencv.search.thresholds == {Similarity.LOW: 0.67, Similarity.NORMAL: 0.98, Similarity.HIGH: 0.99}
    found = await kby.verify.verify(ANNA, ANNA, Similarity.HIGH)
    assert found.score is not None
    assert found.score.threshold == 0.99


async def test_numbers_that_cannot_be_meant(hass: HomeAssistant, smartface_entry: MockConfigEntry) -> None:
    """Nothing is kept of them."""
    flow = await choose(hass, smartface_entry, score_low=60)
    assert flow["errors"] == {"base": "scores_out_of_order"}
    for wrong in ({"score_low": 5}, {"score_high": 101}, {"live_distant": "x"}):
        with pytest.raises(InvalidData):
            await choose(hass, smartface_entry, **wrong)
    assert smartface_entry.options == {}


async def test_nothing_to_set(hass: HomeAssistant, started: Start) -> None:
    """A server that runs networks judges nobody."""
    with SimulatedInferenceServer({}) as server:
        entry = await add(hass, "inference", url=server.url)
        assert not entry.supports_options
        assert await hass.config_entries.async_unload(entry.entry_id)

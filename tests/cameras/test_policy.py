"""What a door asks for besides the camera, and what the household changes while a frame is under way."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import count
import threading
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import Factor, Similarity
from custom_components.face_access.hub.local.engine import async_get_local
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.model import Profile
from custom_components.face_access.recognition import engine
from simulators.panel import SimulatedPanel
from simulators.terminal import SimulatedTerminal
from tests.conftest import SERIAL, set_policy, settle, until
from tests.test_people_decision import explained

from .conftest import EMPTY, PlayedCamera, look, preferring
from .test_doors import ALICE_COMES, DOOR, FACE, decided, door

__all__ = ["door"]

SOFTWARE = {"autostart": False, "recognition_mode": "software"}


async def test_the_door_wants_a_live_face(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
) -> None:
    """Then a camera that wants none does not open it; a door that wants none either is opened."""
    set_policy(hass, entry, liveness_required=True)
    await preferring(hass, door, liveness_required=False, settings=SOFTWARE)
    assert await decided(hass, porch) == ("denied", "liveness")
    assert terminal.openings == []
    set_policy(hass, entry, liveness_required=False)
    await hass.config_entries.async_reload(door.entry_id)
    await look(hass)
    await until(lambda: len(terminal.openings) == 1)


async def test_what_a_camera_would_open(
    hass: HomeAssistant, entry: MockConfigEntry, door: MockConfigEntry, alice: Profile, device_id: str
) -> None:
    """By the camera's own choice at a door that only notifies, and by what the door asks for besides."""
    set_policy(hass, entry, door_mode="notify_only")
    (camera,) = dr.async_entries_for_config_entry(dr.async_get(hass), door.entry_id)

    async def reasons(**data: object) -> list[str]:
        return (await explained(hass, device_id, person_id="alice", **data))["reasons"]

    assert await reasons() == ["notify_only"]
    answer = await explained(hass, device_id, person_id="alice", camera=camera.id)
    assert (answer["granted"], answer["mode"], answer["decides"]) == (True, "open", "home_assistant")
    assert answer["station_lets_in"] is None
    assert await reasons(camera=camera.id, liveness="unchecked", score=1) == ["similarity", "liveness"]
    set_policy(hass, entry, second_factors=["credential"])
    assert await reasons(camera=camera.id) == ["second_factor"]
    await preferring(hass, door, settings={"autostart": False, "recognition": False})
    assert await reasons(camera=camera.id) == ["policy", "second_factor"]
    await preferring(hass, door, door=f"{SERIAL}_2")
    for wrong in (camera.id, device_id):
        with pytest.raises(ServiceValidationError, match="told to open this door"):
            await reasons(camera=wrong)


async def test_a_door_that_has_no_such_preference(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    panel_entry: MockConfigEntry,
    camera_entry: MockConfigEntry,
    porch: PlayedCamera,
    alice: Profile,
) -> None:
    """A panel sees no faces: only the camera says whether they must be live."""
    mine = {"door": panel_entry.runtime_data.door_id(1), "door_mode": "open", "settings": SOFTWARE}
    await preferring(hass, camera_entry, **mine)
    assert await decided(hass, porch) == ("denied", "liveness")
    await preferring(hass, camera_entry, liveness_required=False)
    await look(hass)
    await until(lambda: hass.states.get(FACE).attributes["verdict"] == "granted")
    await settle(hass)


@pytest.mark.parametrize(
    ("theirs", "mine", "expected"),
    [
        ({"second_factors": ["credential"], "second_factors_within": 10}, 300, ("denied", "second_factor")),
        ({"second_factors": ["credential"], "second_factors_within": 300}, 10, ("denied", "second_factor")),
        ({"second_factors": ["credential"], "second_factors_within": 300}, 300, ("granted", None)),
        ({"second_factors_within": 10}, 300, ("granted", None)),
    ],
)
async def test_the_shorter_time_for_second_factors_counts(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    door: MockConfigEntry,
    porch: PlayedCamera,
    alice: Profile,
    theirs: dict[str, Any],
    mine: int,
    expected: tuple[str, str | None],
) -> None:
    """A card of twenty seconds ago; a time that is no factor's says nothing."""
    set_policy(hass, entry, **theirs)
    await preferring(hass, door, second_factors=["credential"], second_factors_within=mine)
    shown_at = dt_util.utcnow() - timedelta(seconds=20)
    people = await async_get_people(hass)
    assert not await people.factors.async_give(Factor.CREDENTIAL, "alice", [DOOR], shown_at)
    assert await decided(hass, porch) == expected
    await settle(hass)


async def test_a_card_at_the_panel_after_the_camera_saw_the_face(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    panel_entry: MockConfigEntry,
    camera_entry: MockConfigEntry,
    porch: PlayedCamera,
    alice: Profile,
) -> None:
    """The panel asks whose card it is and is told no: a card is not enough. With the face of before, the door opens."""
    people = await async_get_people(hass)
    await people.async_update(replace(people.store.profiles["alice"], card=4711))
    policy = {"door_mode": "open", "second_factors": ["credential"]}
    hass.config_entries.async_update_entry(panel_entry, options={"answer_questions": True})
    set_policy(hass, panel_entry, **policy)
    assert await hass.config_entries.async_reload(panel_entry.entry_id)
    coordinator = panel_entry.runtime_data
    await settle(hass)
    await preferring(hass, camera_entry, door=coordinator.door_id(1), **policy, settings={"autostart": False})
    assert await decided(hass, porch) == ("denied", "second_factor")
    assert panel.openings == []
    assert await panel.swipe_card("4711") == "access_denied_by_remote_server_api_call"
    await until(lambda: panel.openings)
    await until(lambda: hass.states.get(FACE).attributes["verdict"] == "granted")
    await settle(hass)
    assert len(panel.openings) == 1


@dataclass
class Held:
    """The second frame of somebody, under way for as long as a test wants; it was looked at already."""

    begun: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    async def while_under_way(self, hass: HomeAssistant, porch: PlayedCamera, change: Callable[[], Any]) -> None:
        """Change something then; nobody is there afterwards."""
        porch.pictures = (ALICE_COMES,)
        await look(hass)
        await until(self.begun.is_set)
        porch.pictures, taken = (EMPTY,), porch.taken
        await until(lambda: porch.taken > taken + 1)
        await change()
        self.release.set()
        # The engine answers once the frame is done, which was reported by then.
        await (await async_get_local(hass)).ask(lambda _engine: None)
        await settle(hass)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    held, numbers, recognise = Held(), count(1), engine.Engine.recognise

    def slow(self: engine.Engine, *args: Any) -> Any:
        found = recognise(self, *args)
        if next(numbers) == 2:
            held.begun.set()
            held.release.wait(10)
        return found

    monkeypatch.setattr(engine.Engine, "recognise", slow)
    return held


def calling(hass: HomeAssistant, action: str, **data: str) -> Callable[[], Any]:
    domain, name = action.split(".")
    return lambda: hass.services.async_call(domain, name, data, blocking=True)


async def test_nothing_happened(
    hass: HomeAssistant,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    held: Held,
) -> None:
    """A frame that takes its time opens: what follows here is not by chance."""
    await held.while_under_way(hass, porch, lambda: settle(hass))
    await until(lambda: len(terminal.openings) == 1)


async def test_switched_off_while_a_frame_is_under_way(
    hass: HomeAssistant,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    held: Held,
) -> None:
    """From the switch on nobody is seen."""
    off = calling(hass, "switch.turn_off", entity_id="switch.porch_face_recognition")
    await held.while_under_way(hass, porch, off)
    assert hass.states.get(FACE).state == "unknown"
    assert terminal.openings == []


async def test_switched_off_while_it_is_stored(
    hass: HomeAssistant, door: MockConfigEntry, porch: PlayedCamera, terminal: SimulatedTerminal, alice: Profile
) -> None:
    """The last look at the rules is at the door."""
    history = door.runtime_data.history
    add = history.add

    async def slow(*args: Any, **more: Any) -> bool:
        await calling(hass, "switch.turn_off", entity_id="switch.porch_face_recognition")()
        return await add(*args, **more)

    with patch.object(history, "add", slow):
        assert await decided(hass, porch) == ("denied", "policy")
    assert terminal.openings == []


async def test_another_mode_while_a_frame_is_under_way(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    held: Held,
) -> None:
    """Liveness is wanted from now on, and nobody looked at it."""
    set_policy(hass, entry, liveness_required=False)
    await preferring(hass, door, liveness_required=False, settings=SOFTWARE)
    mode = {"entity_id": "select.porch_recognition_mode", "option": "antispoofing"}
    await held.while_under_way(hass, porch, calling(hass, "select.select_option", **mode))
    await until(lambda: "person" in hass.states.get(FACE).attributes)
    said = hass.states.get(FACE).attributes
    assert (said["person"], said["verdict"], said["reason"]) == ("Alice", "denied", "liveness")
    assert terminal.openings == []


async def test_more_similarity_while_a_frame_is_under_way(
    hass: HomeAssistant,
    door: MockConfigEntry,
    porch: PlayedCamera,
    terminal: SimulatedTerminal,
    alice: Profile,
    held: Held,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More than Alice has."""
    monkeypatch.setattr(engine, "THRESHOLDS", {Similarity.LOW: 70, Similarity.NORMAL: 80, Similarity.HIGH: 100.5})
    similarity = {"entity_id": "select.porch_required_similarity", "option": "high"}
    await held.while_under_way(hass, porch, calling(hass, "select.select_option", **similarity))
    await until(lambda: "person" in hass.states.get(FACE).attributes)
    said = hass.states.get(FACE).attributes
    assert (said["person"], said["verdict"], said["reason"]) == ("Alice", "denied", "similarity")
    assert terminal.openings == []

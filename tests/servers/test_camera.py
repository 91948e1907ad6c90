"""A camera that a recognition server looks through: the same events and doors as with Home Assistant's own engine."""

from collections.abc import Iterable
import logging
from unittest.mock import patch

from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState
from homeassistant.const import Platform
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.exceptions import ConfigEntryNotReady, HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.cameras import watching
from custom_components.face_access.hub.cameras.server_eye import ServerEye
from custom_components.face_access.hub.cameras.watching import Watching
from custom_components.face_access.hub.people.household import async_get_people
from custom_components.face_access.people.model import Profile
from simulators import opencv_fr
from simulators._terminal import pictures
from simulators.opencv_fr import SimulatedOpenCvFr
from simulators.smartface import SimulatedSmartFace
from simulators.terminal import SimulatedTerminal
from tests.cameras.conftest import PlayedCamera, has_seen, look, patience, porch, preferring
from tests.conftest import SERIAL, issue_id, settle, until
from tests.recognition_servers.conftest import large

from .conftest import change, go_on
from .test_people import name_somebody, synced

__all__ = ["patience", "porch"]

FACE = "event.porch_face"
DOOR = f"{SERIAL}_1"
EMPTY = pictures.sample("empty")
ANNA = pictures.panorama("anna")


def garden(*seeds: str) -> bytes:
    """Draw a wide view in which somebody covers little."""
    image = Image.new("RGB", (960, 480), "#9fb4c0")
    for seed in seeds:
        image.paste(pictures.draw(seed).resize((400, 300)), (20, 100))
    return pictures.to_jpeg(image)


@pytest.fixture
async def anna(hass: HomeAssistant, smartface_entry: MockConfigEntry) -> Profile:
    """Somebody whom the server knows."""
    people = await async_get_people(hass)
    profile = await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    return profile


async def watch(hass: HomeAssistant, engine: MockConfigEntry) -> MockConfigEntry:
    """Go through the flow of a camera, with a server: no models are asked for."""
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    flow = await go_on(hass, flow, next_step_id="camera")
    flow = await go_on(hass, flow, camera="camera.porch", engine=engine.entry_id)
    assert flow["type"] is FlowResultType.CREATE_ENTRY, flow
    await hass.async_block_till_done()
    entry: MockConfigEntry = flow["result"]
    assert entry.state is ConfigEntryState.LOADED
    await until(lambda: entry.runtime_data.last_update_success)
    return entry


@pytest.fixture
async def camera(hass: HomeAssistant, porch: PlayedCamera, smartface_entry: MockConfigEntry) -> MockConfigEntry:
    """A camera that looks only when it is asked to."""
    porch.pictures = (EMPTY,)
    entry = await watch(hass, smartface_entry)
    await preferring(hass, entry, settings={"autostart": False}, frames_per_second=5)
    return entry


async def seen(hass: HomeAssistant, porch: PlayedCamera, *shown: bytes) -> dict[str, object]:
    """Let somebody come before the camera: what the event says of them."""
    porch.pictures = shown
    await look(hass)
    await until(lambda: hass.states.get(FACE).state != "unknown")
    await settle(hass)
    return dict(hass.states.get(FACE).attributes)


async def test_somebody_comes(
    hass: HomeAssistant, camera: MockConfigEntry, porch: PlayedCamera, smartface: SimulatedSmartFace, anna: Profile
) -> None:
    """By the household's name, with the server's score; no frame is looked at twice at a time."""
    said = await seen(hass, porch, ANNA)
    assert (said["event_type"], said["person"], said["person_id"]) == ("recognised", "Anna", "anna")
    assert said["score"] >= said["threshold"] == 40
    assert said["scale"] == 100
    assert hass.states.get("sensor.porch_last_person").state == "Anna"
    # Whom it can name is the server's to say; how long that takes it is known here too.
    assert hass.states.get("sensor.porch_people_synced") is None
    assert camera.runtime_data.station.lookout.took > 0


async def test_a_door_opens(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    entry: MockConfigEntry,
    camera: MockConfigEntry,
    porch: PlayedCamera,
    anna: Profile,
) -> None:
    """For a live, recognised, permitted person, once."""
    await preferring(hass, camera, door=DOOR, door_mode="open")
    said = await seen(hass, porch, ANNA)
    assert (said["verdict"], said["reason"]) == ("granted", None)
    await until(lambda: len(terminal.openings) == 1)


@pytest.mark.parametrize(
    ("shown", "kind"),
    [
        (pictures.panorama("carol"), "stranger"),
        (pictures.panorama("anna", photo=True), "spoof"),
    ],
)
async def test_strangers_and_photos(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    entry: MockConfigEntry,
    camera: MockConfigEntry,
    porch: PlayedCamera,
    anna: Profile,
    shown: bytes,
    kind: str,
) -> None:
    await preferring(hass, camera, door=DOOR, door_mode="open")
    said = await seen(hass, porch, shown)
    assert said["event_type"] == kind
    assert terminal.openings == []


async def test_without_liveness_no_door_that_wants_it_opens(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    entry: MockConfigEntry,
    camera: MockConfigEntry,
    porch: PlayedCamera,
    anna: Profile,
) -> None:
    """In the mode *software* nobody asked the server for it: not checked is not live."""
    settings = {"autostart": False, "recognition_mode": "software"}
    await preferring(hass, camera, door=DOOR, door_mode="open", settings=settings)
    said = await seen(hass, porch, ANNA)
    assert (said["verdict"], said["reason"]) == ("denied", "liveness")
    assert terminal.openings == []


async def test_a_picture_that_the_server_cannot_judge_is_no_spoof(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    entry: MockConfigEntry,
    porch: PlayedCamera,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
) -> None:
    """A face that misses the requirements of a check for life is not live, and nothing is said against it."""
    people = await async_get_people(hass)
    await name_somebody(people, "anna")
    await synced(people, opencv_entry)
    porch.pictures = (EMPTY,)
    camera = await watch(hass, opencv_entry)
    await preferring(hass, camera, door=DOOR, door_mode="open", settings={"autostart": False}, frames_per_second=5)
    said = await seen(hass, porch, large("anna", factor=0.5))
    assert (said["event_type"], said["person"]) == ("denied", "Anna")
    assert (said["verdict"], said["reason"]) == ("denied", "liveness")
    assert terminal.openings == []


async def test_opencv_fr_opens_too(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    entry: MockConfigEntry,
    porch: PlayedCamera,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
) -> None:
    """A face that is large enough for its check."""
    people = await async_get_people(hass)
    await name_somebody(people, "anna")
    await synced(people, opencv_entry)
    porch.pictures = (EMPTY,)
    camera = await watch(hass, opencv_entry)
    await preferring(hass, camera, door=DOOR, door_mode="open", settings={"autostart": False}, frames_per_second=5)
    said = await seen(hass, porch, large("anna"))
    assert (said["event_type"], said["verdict"]) == ("recognised", "granted")
    await until(lambda: len(terminal.openings) == 1)


async def test_a_photo_that_passes_now_and_then_opens_nothing(
    hass: HomeAssistant,
    terminal: SimulatedTerminal,
    entry: MockConfigEntry,
    porch: PlayedCamera,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server names it where it takes it for live, and says nothing of who it is where it does not."""
    people = await async_get_people(hass)
    await name_somebody(people, "anna")
    await synced(people, opencv_entry)
    porch.pictures = (EMPTY,)
    camera = await watch(hass, opencv_entry)
    await preferring(hass, camera, door=DOOR, door_mode="open", settings={"autostart": False}, frames_per_second=5)
    checks: list[str | None] = []

    def check(_seen: object) -> str | None:
        checks.append(None if len(checks) % 3 == 0 else "FACE_NOT_LIVE")
        return checks[-1]

    monkeypatch.setattr(opencv_fr, "_problem", check)
    monkeypatch.setattr(watching, "LOOK_FOR", 60.0)
    porch.pictures = (large("anna"),)
    await look(hass)
    await until(lambda: len(checks) > 7)
    await settle(hass)
    said = hass.states.get(FACE).attributes
    assert (said["event_type"], said["verdict"], said["reason"]) == ("spoof", "denied", "spoof")
    assert terminal.openings == []


async def test_somebody_who_was_removed_is_a_stranger(
    hass: HomeAssistant,
    camera: MockConfigEntry,
    porch: PlayedCamera,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    anna: Profile,
) -> None:
    """Whatever the server still says."""
    # Not through the house: the server has not heard of it.
    await (await async_get_people(hass)).store.remove("anna")
    said = await seen(hass, porch, ANNA)
    assert said["event_type"] == "stranger"


async def test_a_server_that_is_away(
    hass: HomeAssistant,
    camera: MockConfigEntry,
    porch: PlayedCamera,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    anna: Profile,
    issue_registry: ir.IssueRegistry,
) -> None:
    """The camera says so, nobody is seen, and all is well once it is back."""
    await smartface.stop()
    await smartface_entry.runtime_data.async_refresh()
    await settle(hass)
    issue = (DOMAIN, issue_id("engine_away", camera))
    assert issue in issue_registry.issues
    porch.pictures = (ANNA,)
    with pytest.raises(HomeAssistantError) as caught:
        await look(hass)
    assert caught.value.translation_key == "engine_cannot_connect"
    assert hass.states.get(FACE).state == "unknown"
    await smartface.start()
    await smartface_entry.runtime_data.async_refresh()
    await settle(hass)
    assert issue not in issue_registry.issues
    assert (await seen(hass, porch, ANNA))["person"] == "Anna"


async def test_a_server_that_stumbles(
    hass: HomeAssistant,
    camera: MockConfigEntry,
    porch: PlayedCamera,
    smartface: SimulatedSmartFace,
    anna: Profile,
) -> None:
    """A frame that failed is followed by a pause, not by a flood; then it goes on."""
    smartface.fail("Search", status=500, times=1)
    before = len(smartface.requests)
    porch.pictures = (ANNA,)
    await look(hass)
    await until(lambda: len(smartface.requests) > before)
    await settle(hass)
    # Another look, once the pause is over.
    await until(lambda: not smartface.failures)
    await hass.config_entries.async_reload(camera.entry_id)
    await hass.async_block_till_done()
    assert (await seen(hass, porch, ANNA))["person"] == "Anna"


async def test_a_server_entry_that_is_unloaded(
    hass: HomeAssistant,
    camera: MockConfigEntry,
    porch: PlayedCamera,
    smartface_entry: MockConfigEntry,
    anna: Profile,
    issue_registry: ir.IssueRegistry,
) -> None:
    await hass.config_entries.async_unload(smartface_entry.entry_id)
    await settle(hass)
    assert (DOMAIN, issue_id("engine_away", camera)) in issue_registry.issues
    await hass.config_entries.async_setup(smartface_entry.entry_id)
    await settle(hass)
    assert (DOMAIN, issue_id("engine_away", camera)) not in issue_registry.issues
    assert (await seen(hass, porch, ANNA))["person"] == "Anna"


async def test_a_server_that_was_removed(
    hass: HomeAssistant, camera: MockConfigEntry, smartface_entry: MockConfigEntry
) -> None:
    """The camera says that it does not know who shall look."""
    await hass.config_entries.async_remove(smartface_entry.entry_id)
    await settle(hass)
    assert not await hass.config_entries.async_reload(camera.entry_id)
    assert camera.state is ConfigEntryState.SETUP_ERROR


async def test_a_server_that_comes_while_the_camera_is_set_up(
    hass: HomeAssistant,
    camera: MockConfigEntry,
    porch: PlayedCamera,
    smartface_entry: MockConfigEntry,
    anna: Profile,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody looks yet: there is nothing to be checked before the start, and after it all is well."""
    forward = hass.config_entries.async_forward_entry_setups

    async def interrupted(entry: ConfigEntry, platforms: Iterable[Platform]) -> None:
        if entry is camera:
            await hass.config_entries.async_unload(smartface_entry.entry_id)
            await hass.config_entries.async_setup(smartface_entry.entry_id)
        await forward(entry, platforms)

    await hass.config_entries.async_unload(camera.entry_id)
    with patch.object(hass.config_entries, "async_forward_entry_setups", interrupted):
        assert await hass.config_entries.async_setup(camera.entry_id)
    await settle(hass)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert (await seen(hass, porch, ANNA))["person"] == "Anna"


async def test_a_camera_whose_set_up_fails_halfway(
    hass: HomeAssistant, camera: MockConfigEntry, smartface_entry: MockConfigEntry
) -> None:
    """It listens to its server no more."""
    await hass.config_entries.async_unload(camera.entry_id)
    stopped = []
    stop = ServerEye.stop
    with (
        patch.object(hass.config_entries, "async_forward_entry_setups", side_effect=ConfigEntryNotReady),
        patch.object(ServerEye, "stop", lambda self: (stopped.append(self), stop(self))[1]),
        patch.object(Watching, "async_check_soon") as heard,
    ):
        assert not await hass.config_entries.async_setup(camera.entry_id)
        assert camera.state is ConfigEntryState.SETUP_RETRY
        await hass.config_entries.async_unload(smartface_entry.entry_id)
        await settle(hass)
    assert len(stopped) == 1
    heard.assert_not_called()


async def test_motion_alone(
    hass: HomeAssistant,
    porch: PlayedCamera,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    anna: Profile,
) -> None:
    """By itself a camera asks the server only while something moves."""
    porch.pictures = (garden(),)
    await watch(hass, smartface_entry)
    taken, asked = porch.taken, len(smartface.requests)
    await until(lambda: porch.taken > taken + 3)
    assert not [path for _, path, _ in list(smartface.requests)[asked:] if "Search" in path]
    porch.pictures = (garden("anna"),)
    await has_seen(hass, "recognised")


async def test_another_engine(
    hass: HomeAssistant,
    camera: MockConfigEntry,
    porch: PlayedCamera,
    opencv_entry: MockConfigEntry,
    smartface_entry: MockConfigEntry,
) -> None:
    """A camera may change its engine; what it saw stays."""
    source = camera.unique_id
    flow = await change(hass, camera)
    assert flow["step_id"] == "camera"
    flow = await go_on(hass, flow, camera="camera.porch", engine=opencv_entry.entry_id)
    assert flow["reason"] == "reconfigure_successful", flow
    await settle(hass)
    assert (camera.data["engine"], camera.unique_id) == (opencv_entry.entry_id, source)

"""A watched camera: which entities it has, when it is looked at, and what they then say."""

import asyncio
from functools import partial
import logging
import threading
from unittest.mock import patch

from homeassistant.components.camera import DATA_COMPONENT
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from syrupy.assertion import SnapshotAssertion

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.cameras import local_eye, watching
from custom_components.face_access.hub.house import async_get_history
from custom_components.face_access.hub.local.engine import Local
from custom_components.face_access.people.model import Profile
from custom_components.face_access.recognition.errors import (
    EngineError,
    PhotoRefusedError,
    PictureError,
    WorkerBusyError,
)
from custom_components.face_access.recognition.pace import Rule
from tests.conftest import issue_id, settle, until
from tests.recognition import toys

from .conftest import ALICE, CAROL, EMPTY, PlayedCamera, add_camera, has_seen, look, preferring

FACE = "event.porch_face"
MOTION = "binary_sensor.motion"
BELL = "event.bell"


async def switch(hass: HomeAssistant, key: str, *, on: bool) -> None:
    await hass.services.async_call(
        "switch", "turn_on" if on else "turn_off", {"entity_id": f"switch.porch_{key}"}, blocking=True
    )


async def quiet(hass: HomeAssistant, camera: PlayedCamera) -> None:
    """See that nobody looks any more."""
    lookouts = [entry.runtime_data.station.lookout for entry in hass.config_entries.async_loaded_entries(DOMAIN)]
    await until(lambda: all(one._timer is None and not one._fetching.locked() for one in lookouts))
    taken = camera.taken
    await asyncio.sleep(0.2)
    assert camera.taken == taken


async def test_entities(
    hass: HomeAssistant,
    camera_entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
    snapshot: SnapshotAssertion,
) -> None:
    """The settings of a panel, an event and what was seen last, and no door."""
    (device,) = dr.async_entries_for_config_entry(device_registry, camera_entry.entry_id)
    assert (device.name, device.model, device.serial_number) == ("Porch", "Watched camera", None)
    found = {
        entity.entity_id: (
            "off at first" if entity.disabled else hass.states.get(entity.entity_id).state,
            entity.translation_key,
            entity.entity_category,
            entity.unique_id.removeprefix(camera_entry.unique_id),
        )
        for entity in er.async_entries_for_config_entry(entity_registry, camera_entry.entry_id)
    }
    assert found == snapshot


async def test_somebody_of_the_household(
    hass: HomeAssistant, porch: PlayedCamera, alice: Profile, camera_entry: MockConfigEntry
) -> None:
    """By name, with picture, score and liveness, in history too."""
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await look(hass)
    await has_seen(hass, "recognised")
    said = hass.states.get(FACE).attributes
    assert (said["person"], said["person_id"], said["liveness"]) == ("Alice", "alice", "live")
    assert (said["verdict"], said["reason"], said["threshold"]) == ("none", None, 80)
    assert said["score"] > 80
    assert hass.states.get("sensor.porch_last_person").state == "Alice"
    assert hass.states.get(said["picture"]).state != STATE_UNKNOWN
    history = await async_get_history(hass)
    sighting = await history.last(camera_entry.unique_id)
    assert sighting.person_id == "alice"
    assert sighting.pictures.face
    assert sighting.pictures.scene


@pytest.mark.parametrize(
    ("pictures", "kind"),
    [
        ([toys.portrait((CAROL, 20, 10))], "stranger"),
        ([toys.portrait((ALICE, 20, 10), light=60)], "spoof"),
        ([toys.portrait((ALICE, 20, 10)), EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY, EMPTY], "seen"),
    ],
    ids=["a stranger", "a photo of somebody", "somebody who does not stay"],
)
async def test_others(
    hass: HomeAssistant,
    porch: PlayedCamera,
    alice: Profile,
    camera_entry: MockConfigEntry,
    pictures: list[bytes],
    kind: str,
) -> None:
    porch.pictures = tuple(pictures)
    await look(hass)
    await has_seen(hass, kind)
    assert hass.states.get("sensor.porch_last_person").state == STATE_UNKNOWN


async def test_nobody_enrolled(hass: HomeAssistant, porch: PlayedCamera, camera_entry: MockConfigEntry) -> None:
    """There is nobody to compare with: somebody was seen, and nobody is called a stranger."""
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await look(hass)
    await has_seen(hass, "seen")


async def test_mode_software(
    hass: HomeAssistant, porch: PlayedCamera, alice: Profile, camera_entry: MockConfigEntry
) -> None:
    """Matching alone: liveness is not looked at."""
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.porch_recognition_mode", "option": "software"},
        blocking=True,
    )
    porch.pictures = (toys.portrait((ALICE, 20, 10), light=60),)
    await look(hass)
    await has_seen(hass, "recognised")
    assert hass.states.get(FACE).attributes["liveness"] == "unchecked"


async def test_something_moves(
    hass: HomeAssistant, porch: PlayedCamera, alice: Profile, camera_entry: MockConfigEntry
) -> None:
    """Without a sensor the pictures themselves tell when somebody comes."""
    await until(lambda: porch.taken > 3)
    assert hass.states.get(FACE).state == STATE_UNKNOWN
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await has_seen(hass, "recognised")


async def test_a_sensor_says_so(hass: HomeAssistant, porch: PlayedCamera, alice: Profile, local: Local) -> None:
    """Nobody looks before it is on, and nobody soon after it is off again."""
    hass.states.async_set(MOTION, "off")
    entry = await add_camera(hass)
    await preferring(hass, entry, triggers=[MOTION])
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await quiet(hass, porch)
    hass.states.async_set(MOTION, "on")
    await has_seen(hass, "recognised")
    hass.states.async_set(MOTION, "on", {"battery": 90})
    hass.states.async_set(MOTION, "off")


async def test_a_sensor_stays_on(
    hass: HomeAssistant, porch: PlayedCamera, local: Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who sits in the garden all day is looked at now and then."""
    monkeypatch.setattr(watching, "WATCH_FOR", 0.0)
    hass.states.async_set(MOTION, "on")
    entry = await add_camera(hass)
    await preferring(hass, entry, triggers=[MOTION])
    taken = porch.taken
    await until(lambda: porch.taken > taken + 2)
    hass.states.async_set(MOTION, STATE_UNAVAILABLE)
    await quiet(hass, porch)


async def test_somebody_rings(hass: HomeAssistant, porch: PlayedCamera, alice: Profile, local: Local) -> None:
    """A doorbell that only comes back has not rung."""
    hass.states.async_set(BELL, "2026-11-20T10:00:00")
    entry = await add_camera(hass)
    await preferring(hass, entry, triggers=[BELL])
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    hass.states.async_set(BELL, STATE_UNAVAILABLE)
    hass.states.async_set(BELL, "2026-11-20T10:00:00")
    hass.states.async_set(BELL, "2026-11-20T10:00:00", {"event_type": "ring"})
    await quiet(hass, porch)
    hass.states.async_set(BELL, "2026-11-20T11:00:00")
    await has_seen(hass, "recognised")
    hass.states.async_remove(BELL)
    await hass.async_block_till_done()


async def test_not_by_itself(hass: HomeAssistant, porch: PlayedCamera, alice: Profile, local: Local) -> None:
    """With autostart off only whoever asks gets a look, whatever the sensor says."""
    hass.states.async_set(MOTION, "off")
    entry = await add_camera(hass)
    await preferring(hass, entry, triggers=[MOTION])
    await switch(hass, "start_recognition_on_motion", on=False)
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    hass.states.async_set(MOTION, "on")
    await quiet(hass, porch)
    await look(hass)
    await has_seen(hass, "recognised")
    await quiet(hass, porch)


async def test_switched_off(hass: HomeAssistant, porch: PlayedCamera, camera_entry: MockConfigEntry) -> None:
    await switch(hass, "face_recognition", on=False)
    await quiet(hass, porch)
    with pytest.raises(HomeAssistantError) as error:
        await look(hass)
    assert error.value.translation_key == "recognition_off"
    taken = porch.taken
    await switch(hass, "face_recognition", on=True)
    await until(lambda: porch.taken > taken)


async def test_no_more_pictures_than_allowed(
    hass: HomeAssistant, porch: PlayedCamera, camera_entry: MockConfigEntry
) -> None:
    """However often somebody asks: 5 per second at most, here 1."""
    await preferring(hass, camera_entry, frames_per_second=1)
    await switch(hass, "start_recognition_on_motion", on=False)
    await settle(hass)
    began, taken = hass.loop.time(), porch.taken
    await look(hass)
    while hass.loop.time() - began < 1.5:
        camera_entry.runtime_data.station.lookout._occasions.demand(1)
        camera_entry.runtime_data.station.lookout._async_plan()
        await asyncio.sleep(0.02)
    # One that was asked for, and those of the rhythm.
    assert porch.taken - taken <= 1 + 2


async def test_camera_goes_and_comes(hass: HomeAssistant, porch: PlayedCamera, camera_entry: MockConfigEntry) -> None:
    """Its settings wait for it, what was seen stays, and nobody asks it for pictures meanwhile."""
    porch.go()
    await until(lambda: hass.states.get("binary_sensor.porch_online").state == "off")
    assert hass.states.get("switch.porch_face_recognition").state == STATE_UNAVAILABLE
    assert hass.states.get(FACE).state == STATE_UNKNOWN
    await quiet(hass, porch)
    porch.come()
    await until(lambda: hass.states.get("switch.porch_face_recognition").state == "on")
    taken = porch.taken
    await until(lambda: porch.taken > taken)


async def test_camera_is_not_there_yet(
    hass: HomeAssistant, porch: PlayedCamera, camera_entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """After a restart its own integration may be slower than ours; that is nobody's error."""
    await hass.config_entries.async_unload(camera_entry.entry_id)
    await porch.async_remove()
    caplog.clear()
    assert await hass.config_entries.async_setup(camera_entry.entry_id)
    assert camera_entry.state is ConfigEntryState.LOADED
    assert hass.states.get("switch.porch_face_recognition").state == STATE_UNAVAILABLE
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
    again = PlayedCamera(EMPTY)
    await hass.data[DATA_COMPONENT].async_add_entities([again])
    await until(lambda: hass.states.get("switch.porch_face_recognition").state == "on")
    await until(lambda: again.taken > 0)


@pytest.mark.parametrize("error", [HomeAssistantError("Stream broken"), OSError(113, "No route to host"), None])
async def test_camera_gives_no_pictures(
    hass: HomeAssistant,
    porch: PlayedCamera,
    camera_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception | None,
) -> None:
    """Said once, whatever its integration raises; asked ever more rarely."""
    monkeypatch.setattr(watching, "LONGEST_PAUSE", 0.1)
    porch.error, porch.pictures = error, (None,)
    taken = porch.taken
    await until(lambda: porch.taken > taken + 3)
    with pytest.raises(HomeAssistantError) as raised:
        await look(hass)
    assert raised.value.translation_key == "cannot_connect"
    assert sum(record.levelno == logging.WARNING and "no picture" in record.message for record in caplog.records) == 1
    porch.error, porch.pictures = None, (EMPTY,)
    await until(lambda: "gives pictures again" in caplog.text)


async def test_something_that_is_no_picture(
    hass: HomeAssistant, porch: PlayedCamera, camera_entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """A page of an expired login, for example: said once, and the next picture counts."""
    porch.pictures = (b"<html>Please log in</html>",)
    await until(lambda: "this is no JPEG" in caplog.text)
    taken = porch.taken
    await until(lambda: porch.taken > taken + 3)
    assert caplog.text.count("this is no JPEG") == 1
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await look(hass)
    await has_seen(hass, "seen")


async def test_a_picture_that_stays(
    hass: HomeAssistant,
    porch: PlayedCamera,
    alice: Profile,
    camera_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A camera that has no new one for long: somebody was there, and one picture does not say who."""
    monkeypatch.setattr(watching, "STILL", 0.2)
    monkeypatch.setattr(watching, "SETTLE_AFTER", 60)
    await until(lambda: porch.taken > 1)
    porch.frozen, porch.pictures = True, (toys.portrait((ALICE, 20, 10)),)
    await has_seen(hass, "seen")
    taken, told = porch.taken, hass.states.get(FACE).state
    await until(lambda: porch.taken > taken + 5)
    assert hass.states.get(FACE).state == told
    porch.frozen = False
    await has_seen(hass, "recognised")


async def test_a_camera_that_rarely_has_a_new_picture(
    hass: HomeAssistant,
    porch: PlayedCamera,
    alice: Profile,
    camera_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its pictures count until the next one, and whoever asks for a look waits for that."""
    # Shorter than the time between two of its pictures.
    monkeypatch.setattr(local_eye, "Rule", partial(Rule, within=0.1))
    monkeypatch.setattr(watching, "LOOK_FOR", 0.0)
    await preferring(hass, camera_entry, settings={"autostart": False}, frames_per_second=5)
    porch.pictures, porch.repeats = (toys.portrait((ALICE, 20, 10)),), 2
    await look(hass)
    await has_seen(hass, "recognised")
    assert hass.states.get(FACE).attributes["liveness"] == "live"


async def test_one_refused_picture_says_nothing(
    hass: HomeAssistant, camera_entry: MockConfigEntry, issue_registry: ir.IssueRegistry
) -> None:
    """Neither that recognition is away, nor that it is back."""
    await settle(hass)
    lookout, issue = camera_entry.runtime_data.station.lookout, (DOMAIN, issue_id("engine_away", camera_entry))
    for picture in (PhotoRefusedError("413"), PictureError("torn")):
        lookout.async_trouble(picture)
        assert issue not in issue_registry.issues
        lookout.async_trouble(EngineError("broken"))
        lookout.async_trouble(picture)
        assert issue in issue_registry.issues
        lookout.async_trouble(None)


async def test_camera_is_renamed(
    hass: HomeAssistant,
    porch: PlayedCamera,
    camera_entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> None:
    entity_registry.async_update_entity("camera.porch", new_entity_id="camera.front")
    await settle(hass)
    assert await hass.config_entries.async_reload(camera_entry.entry_id)
    taken = porch.taken
    await until(lambda: porch.taken > taken)
    assert hass.states.get("binary_sensor.porch_online").state == "on"


async def test_settings_last(hass: HomeAssistant, camera_entry: MockConfigEntry) -> None:
    await switch(hass, "start_recognition_on_motion", on=False)
    await hass.services.async_call(
        "select",
        "select_option",
        {"entity_id": "select.porch_required_similarity", "option": "high"},
        blocking=True,
    )
    assert await hass.config_entries.async_reload(camera_entry.entry_id)
    assert hass.states.get("switch.porch_start_recognition_on_motion").state == "off"
    assert hass.states.get("select.porch_required_similarity").state == "high"
    assert hass.states.get("switch.porch_face_recognition").state == "on"


async def test_settings_that_make_no_sense(hass: HomeAssistant, camera_entry: MockConfigEntry) -> None:
    """Of another version, or of somebody who edited the file: the default counts, and nothing of it is written."""
    await preferring(hass, camera_entry, settings={"similarity": "utter", "recognition": 1, "autostart": False})
    assert hass.states.get("select.porch_required_similarity").state == "normal"
    assert hass.states.get("switch.porch_face_recognition").state == "on"
    assert hass.states.get("switch.porch_start_recognition_on_motion").state == "off"
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": "select.porch_required_similarity", "option": "utter"},
            blocking=True,
        )
    from custom_components.face_access.devices.errors import InvalidValueError

    with pytest.raises(InvalidValueError):
        await camera_entry.runtime_data.station.settings.write("similarity", "utter")
    with pytest.raises(InvalidValueError):
        await camera_entry.runtime_data.station.settings.write("autostart", "yes")


async def test_unloaded(hass: HomeAssistant, porch: PlayedCamera, local: Local, camera_entry: MockConfigEntry) -> None:
    """Nobody looks any more, also not because of a picture that was on its way: a camera lets nobody cancel that."""
    release, asked = asyncio.Event(), asyncio.Event()

    async def slow(width: int | None = None, height: int | None = None) -> bytes:
        porch.taken += 1
        asked.set()
        await release.wait()
        return EMPTY

    with patch.object(porch, "async_camera_image", slow):
        await asked.wait()
        unloading = hass.async_create_task(hass.config_entries.async_unload(camera_entry.entry_id))
        await asyncio.sleep(0)
        release.set()
        assert await unloading
    await quiet(hass, porch)
    assert local.worker.load(camera_entry.unique_id) is None


async def test_removed(hass: HomeAssistant, porch: PlayedCamera, camera_entry: MockConfigEntry) -> None:
    """What it saw goes with it."""
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await look(hass)
    await has_seen(hass, "seen")
    await hass.config_entries.async_remove(camera_entry.entry_id)
    history = await async_get_history(hass)
    assert await history.last(camera_entry.unique_id) is None
    await quiet(hass, porch)


async def test_another_engine(hass: HomeAssistant, porch: PlayedCamera, camera_entry: MockConfigEntry) -> None:
    """Of a version to come: nothing else looks in its place."""
    await hass.config_entries.async_unload(camera_entry.entry_id)
    hass.config_entries.async_update_entry(camera_entry, data={**camera_entry.data, "engine": "01ABC"})
    assert not await hass.config_entries.async_setup(camera_entry.entry_id)
    assert camera_entry.state is ConfigEntryState.SETUP_ERROR
    assert camera_entry.error_reason_translation_key == "engine_unknown"
    await quiet(hass, porch)


async def test_too_much_to_do(
    hass: HomeAssistant, porch: PlayedCamera, local: Local, camera_entry: MockConfigEntry
) -> None:
    """What could not be told now is told later; nothing breaks."""
    await switch(hass, "start_recognition_on_motion", on=False)
    with patch.object(local.worker, "ask", side_effect=WorkerBusyError("too much")):
        await look(hass)
        camera_entry.runtime_data.station.lookout.async_check_soon()
        await until(lambda: not camera_entry.runtime_data.station.lookout._occasions.demanded)
        await settle(hass)
    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    await look(hass)
    await has_seen(hass, "seen")


async def test_pictures_are_looked_at_elsewhere(
    hass: HomeAssistant, porch: PlayedCamera, alice: Profile, camera_entry: MockConfigEntry
) -> None:
    """Never on the thread that Home Assistant runs on."""
    threads = set()
    from custom_components.face_access.recognition.engine import Engine

    recognise = Engine.recognise

    def spied(self: Engine, *args: object) -> object:
        threads.add(threading.current_thread().name)
        return recognise(self, *args)

    porch.pictures = (toys.portrait((ALICE, 20, 10)),)
    with patch.object(Engine, "recognise", spied):
        await look(hass)
        await has_seen(hass, "recognised")
    assert threads == {"face_access recognition"}


async def test_it_has_no_door_of_its_own(
    hass: HomeAssistant, camera_entry: MockConfigEntry, device_registry: dr.DeviceRegistry
) -> None:
    """Actions of stations say so."""
    (device,) = dr.async_entries_for_config_entry(device_registry, camera_entry.entry_id)
    with pytest.raises(ServiceValidationError) as error:
        await hass.services.async_call(DOMAIN, "open_door", {"device_id": device.id}, blocking=True)
    assert error.value.translation_key == "not_capable"

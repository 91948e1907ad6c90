"""What a station reports: events, image, sensors, camera."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from homeassistant.components.camera import async_get_image
from homeassistant.components.image import async_get_image as async_get_picture
from homeassistant.const import STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import Event, EventStateChangedData, HomeAssistant, State, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.entity_component import DATA_INSTANCES
from homeassistant.helpers.event import async_track_state_change_event
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import mock_restore_cache_with_extra_data
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.access import (
    CallChanged,
    CallState,
    Liveness,
    Pictures,
    Reason,
    Ring,
    Sighting,
    SightingKey,
    Verdict,
)
from custom_components.face_access.camera import SnapshotCamera
from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.devices.errors import StationConnectionError, StationTimeoutError
from custom_components.face_access.hub.house import async_get_history
from tests.fakes import JPEG, PNG, SERIAL, FakeDevice, known, sighting

from .conftest import SetUp

type Find = Callable[[str, str], str]


async def test_known_face(hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find) -> None:
    coordinator.async_dispatch(
        known(verdict=Verdict.GRANTED, liveness=Liveness.LIVE, temperature=36.5, mask=False, card=True)
    )
    state = hass.states.get(entity_id("event", "face"))
    assert {name: state.attributes[name] for name in FACE_ATTRIBUTES} == {
        "event_type": "recognised",
        "person": "Anna",
        "person_id": "7",
        "score": 91.5,
        "threshold": 80,
        "verdict": "granted",
        "reason": None,
        "liveness": "live",
        "temperature": 36.5,
        "mask": False,
        "card": True,
        "picture": entity_id("image", "last_sighting"),
    }
    assert hass.states.get(entity_id("sensor", "last_person")).state == "Anna"
    assert hass.states.get(entity_id("sensor", "temperature")).state == "36.5"
    assert hass.states.get(entity_id("sensor", "last_denial")).state == STATE_UNKNOWN


FACE_ATTRIBUTES = (
    *("event_type", "person", "person_id", "score", "threshold", "verdict", "reason", "liveness"),
    *("temperature", "mask", "card", "picture"),
)


async def test_who_was_here_last_survives_the_stranger_and_the_photo(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    person, reason, seen = (entity_id("sensor", key) for key in ("last_person", "last_denial", "last_seen"))
    coordinator.async_dispatch(known())
    coordinator.async_dispatch(sighting(refused=Reason.UNKNOWN))
    assert hass.states.get(entity_id("event", "face")).attributes["event_type"] == "stranger"
    assert (hass.states.get(person).state, hass.states.get(reason).state) == ("Anna", "stranger")
    later = known("Bob", liveness=Liveness.SPOOF, captured_at=datetime(2026, 11, 20, 12, tzinfo=UTC))
    coordinator.async_dispatch(later)
    assert hass.states.get(entity_id("event", "face")).attributes["event_type"] == "spoof"
    assert (hass.states.get(person).state, hass.states.get(reason).state) == ("Anna", "spoof")
    assert hass.states.get(seen).state == "2026-11-20T12:00:00+00:00"


async def test_image_and_sensors_are_there_before_the_event(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    found: list[tuple[str, str]] = []

    @callback
    def look(_event: Event[EventStateChangedData]) -> None:
        image = hass.states.get(entity_id("image", "last_sighting")).state
        found.append((image, hass.states.get(entity_id("sensor", "last_person")).state))

    async_track_state_change_event(hass, entity_id("event", "face"), look)
    coordinator.async_dispatch(known())
    await hass.async_block_till_done()
    ((image, person),) = found
    assert dt_util.parse_datetime(image) is not None
    assert person == "Anna"


async def test_no_picture_is_named_when_there_is_none(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    """The image still shows the visitor before: a message about this one must not carry it."""
    coordinator.async_dispatch(known())
    coordinator.async_dispatch(sighting())
    state = hass.states.get(entity_id("event", "face"))
    assert (state.attributes["event_type"], state.attributes["picture"]) == ("seen", None)


async def test_ring(hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find) -> None:
    coordinator.async_dispatch(known())
    assert hass.states.get(entity_id("event", "doorbell")).state == STATE_UNKNOWN
    coordinator.async_dispatch(Ring(source=SERIAL, at=dt_util.utcnow()))
    assert hass.states.get(entity_id("event", "doorbell")).attributes["event_type"] == "ring"
    assert hass.states.get(entity_id("event", "face")).attributes["event_type"] == "recognised"


async def test_a_clock_that_jumped_does_not_silence_the_bell(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    """The ring of a future that was corrected is no reason to take every ring until then for its echo."""
    heard = []
    coordinator.async_subscribe(heard.append)
    now = dt_util.utcnow()
    for ahead in (timedelta(hours=1), timedelta(), timedelta(seconds=2), timedelta(seconds=6)):
        coordinator.async_dispatch(Ring(source=SERIAL, at=now + ahead))
    assert [event.at - now for event in heard] == [timedelta(hours=1), timedelta(), timedelta(seconds=6)]
    coordinator.called_at = now + timedelta(minutes=1)
    coordinator.async_dispatch(Ring(source=SERIAL, at=now + timedelta(seconds=50)))
    coordinator.async_dispatch(Ring(source=SERIAL, at=now + timedelta(seconds=62)))
    assert [event.at - now for event in heard][3:] == [timedelta(seconds=50)]


async def test_one_entitys_fault_does_not_silence_the_bell(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_event: object) -> None:
        raise ValueError("broken picture")

    coordinator.async_subscribe(broken)
    coordinator.async_dispatch(Ring(source=SERIAL, at=dt_util.utcnow()))
    assert hass.states.get(entity_id("event", "doorbell")).attributes["event_type"] == "ring"
    assert "an event could not be shown" in caplog.text


async def test_outage_fires_nothing(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    """Reports stay while the station is away, since an automation would take their return for a visitor."""
    coordinator.async_dispatch(known())
    entities = [
        entity_id("event", "face"),
        entity_id("event", "doorbell"),
        entity_id("image", "last_sighting"),
        entity_id("sensor", "last_person"),
        entity_id("sensor", "last_seen"),
    ]
    before = [hass.states.get(entity) for entity in entities]
    device.trouble = StationConnectionError("gone")
    await coordinator.async_refresh()
    assert hass.states.get(entity_id("sensor", "people")).state == STATE_UNAVAILABLE
    assert [hass.states.get(entity).state for entity in entities] == [state.state for state in before]
    device.trouble = None
    await coordinator.async_refresh()
    assert [hass.states.get(entity).last_changed for entity in entities] == [state.last_changed for state in before]


async def test_image(
    hass: HomeAssistant,
    coordinator: FaceAccessCoordinator,
    entity_id: Find,
    hass_client: ClientSessionGenerator,
) -> None:
    image = entity_id("image", "last_sighting")
    assert hass.states.get(image).state == STATE_UNKNOWN
    with pytest.raises(HomeAssistantError):
        await async_get_picture(hass, image)
    coordinator.async_dispatch(known())
    first = hass.states.get(image).state
    client = await hass_client()
    response = await client.get(f"/api/image_proxy/{image}")
    assert (response.status, response.content_type, await response.read()) == (HTTPStatus.OK, "image/jpeg", JPEG)
    for same in (known(number=2), sighting(number=3)):
        coordinator.async_dispatch(same)
        assert hass.states.get(image).state == first
    coordinator.async_dispatch(known(number=4, pictures=Pictures(scene=PNG)))
    assert hass.states.get(image).state != first
    response = await client.get(f"/api/image_proxy/{image}")
    assert (response.content_type, await response.read()) == ("image/png", PNG)


async def test_restart_shows_the_last_live_sighting(
    hass: HomeAssistant, device: FakeDevice, set_up: SetUp, entity_id: Find, tmp_path: object
) -> None:
    history = await async_get_history(hass)
    last = replace(
        known(refused=Reason.MASK, temperature=38.4),
        key=SightingKey(sequence=77, captured="the last one"),
    )
    await history.forget(SERIAL)
    assert await history.add(last, live=True)
    await set_up(device.station())
    assert hass.states.get(entity_id("sensor", "last_person")).state == "Anna"
    assert hass.states.get(entity_id("sensor", "last_denial")).state == "mask"
    assert hass.states.get(entity_id("sensor", "temperature")).state == "38.4"
    assert hass.states.get(entity_id("image", "last_sighting")).state == last.captured_at.isoformat()
    assert (await async_get_picture(hass, entity_id("image", "last_sighting"))).content == JPEG
    assert hass.states.get(entity_id("event", "face")).state == STATE_UNKNOWN
    await history.forget(SERIAL)


@pytest.mark.parametrize(
    ("key", "stored", "state"),
    [
        ("last_person", "Bob", "Bob"),
        ("last_denial", "expired", "expired"),
        ("last_denial", "a word of an earlier version", STATE_UNKNOWN),
        ("last_seen", {"__type": "<class 'datetime.datetime'>", "isoformat": "2026-01-02T03:04:05+00:00"}, None),
        ("last_seen", "yesterday", STATE_UNKNOWN),
    ],
)
async def test_restored(
    hass: HomeAssistant, device: FakeDevice, set_up: SetUp, key: str, stored: object, state: str | None
) -> None:
    entity = f"sensor.front_door_{key}"
    data = {"native_value": stored, "native_unit_of_measurement": None}
    mock_restore_cache_with_extra_data(hass, [(State(entity, "x"), data)])
    await set_up(device.station())
    assert hass.states.get(entity).state == (state or "2026-01-02T03:04:05+00:00")


async def test_call_state(hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find) -> None:
    call = entity_id("sensor", "call_state")
    assert hass.states.get(call).state == STATE_UNKNOWN
    for state in CallState:
        coordinator.async_dispatch(CallChanged(source=SERIAL, state=state))
        assert hass.states.get(call).state == state
    coordinator.async_dispatch(known())
    assert hass.states.get(call).state == state


async def test_facts(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    assert hass.states.get(entity_id("sensor", "people")).state == "3"
    assert hass.states.get(entity_id("sensor", "traffic_received")).state == "5.0"
    device.facts["people"] = 4
    await coordinator.async_read_again()
    assert hass.states.get(entity_id("sensor", "people")).state == "4"
    assert not [entity for entity in hass.states.async_entity_ids("sensor") if "signal" in entity]


async def test_station_without_telephone_thermometer_and_camera(
    hass: HomeAssistant, device: FakeDevice, set_up: SetUp
) -> None:
    del device.settings["temperature_check"]
    del device.facts["people"]
    coordinator = await set_up(device.station(sip=None, camera=None))
    assert coordinator.last_update_success
    assert hass.states.async_entity_ids("camera") == []
    assert hass.states.async_entity_ids("event") == ["event.front_door_face"]


async def test_camera(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    image = await async_get_image(hass, entity_id("camera", "camera"))
    assert (image.content, image.content_type) == (JPEG, "image/jpeg")
    assert device.did("snapshot") == [()]


async def test_camera_asks_once_for_many_viewers(
    hass: HomeAssistant,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0
    running = 0

    async def snapshot() -> bytes:
        nonlocal asked, running
        asked += 1
        running += 1
        assert running == 1
        await asyncio.sleep(0)
        running -= 1
        return PNG

    monkeypatch.setattr(coordinator.station.camera, "snapshot", snapshot)
    camera = entity_id("camera", "camera")
    images = await asyncio.gather(*(async_get_image(hass, camera) for _ in range(5)))
    assert asked == 1
    assert {(image.content, image.content_type) for image in images} == {(PNG, "image/png")}
    later = hass.loop.time() + 1.6
    monkeypatch.setattr(hass.loop, "time", lambda: later)
    await async_get_image(hass, camera)
    assert asked == 2


async def test_camera_without_answer(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    camera = entity_id("camera", "camera")
    device.trouble = StationTimeoutError("no answer")
    with pytest.raises(HomeAssistantError):
        await async_get_image(hass, camera)
    component = hass.data[DATA_INSTANCES]["camera"]
    entity = component.get_entity(camera)
    assert isinstance(entity, SnapshotCamera)
    assert await entity.async_camera_image() is None


async def test_no_picture_or_card_number_in_any_state(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    event: Sighting = known(card=True)
    coordinator.async_dispatch(event)
    states = "".join(str(state.as_dict()) for state in hass.states.async_all())
    assert "fake" not in states.replace("face_access", "").lower().replace(SERIAL.lower(), "")

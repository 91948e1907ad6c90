"""Doors as buttons and locks, and the other buttons."""

from collections.abc import Callable
from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.helpers import device_registry as dr, entity_registry as er
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.face_access.access import DoorMoved, Method, Passage, StationEvent
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.devices.errors import StationTimeoutError
from custom_components.face_access.hub.doors.wired import async_hold_open
from tests.fakes import SERIAL, FakeDevice, FakeHeldDoor, known

from .conftest import SetUp

type Find = Callable[[str, str], str]


async def call(hass: HomeAssistant, platform: str, action: str, entity: str) -> None:
    await hass.services.async_call(platform, action, {"entity_id": entity}, blocking=True)


def opened_by(coordinator: FaceAccessCoordinator, method: Method) -> tuple[StationEvent, ...]:
    """What a log tells of an opening."""
    door = coordinator.door_id(1)
    return (
        Passage(source=SERIAL, at=dt_util.utcnow(), granted=True, method=method, doors=(door,)),
        DoorMoved(source=SERIAL, door=door, open=True),
    )


async def pass_time(hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float) -> None:
    freezer.tick(timedelta(seconds=seconds))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()


@pytest.mark.parametrize(("platform", "key", "action"), [("button", "open_door", "press"), ("lock", "door", "open")])
async def test_lock_is_open_while_the_relay_is_held(
    hass: HomeAssistant,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    freezer: FrozenDateTimeFactory,
    platform: str,
    key: str,
    action: str,
) -> None:
    lock = entity_id("lock", "door_1")
    assert hass.states.get(lock).state == STATE_UNKNOWN
    await call(hass, platform, action, entity_id(platform, f"{key}_1"))
    assert device.did("open") == [(1,)]
    assert hass.states.get(lock).state == "open"
    await pass_time(hass, freezer, 2)
    assert hass.states.get(lock).state == "open"
    await pass_time(hass, freezer, 2)
    assert hass.states.get(lock).state == STATE_UNKNOWN


async def test_opening_again_holds_longer(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find, freezer: FrozenDateTimeFactory
) -> None:
    lock = entity_id("lock", "door_1")
    await call(hass, "lock", "open", lock)
    await pass_time(hass, freezer, 2)
    await call(hass, "lock", "unlock", lock)
    await pass_time(hass, freezer, 2)
    assert hass.states.get(lock).state == "open"
    await pass_time(hass, freezer, 2)
    assert hass.states.get(lock).state == STATE_UNKNOWN


async def test_nothing_is_claimed_when_the_station_did_not_answer(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    device.trouble = StationTimeoutError("no answer")
    for platform, action, key in (("lock", "open", "door_1"), ("button", "press", "open_door_1")):
        with pytest.raises(HomeAssistantError) as error:
            await call(hass, platform, action, entity_id(platform, key))
        assert error.value.translation_key == "timeout"
    assert hass.states.get(entity_id("lock", "door_1")).state == STATE_UNKNOWN


async def test_lock_cannot_lock(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await call(hass, "lock", "lock", entity_id("lock", "door_1"))
    assert error.value.translation_key == "cannot_lock"
    assert not device.did("open")


async def test_seeing_somebody_claims_nothing_about_the_door(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    coordinator.async_dispatch(known())
    assert hass.states.get(entity_id("lock", "door_1")).state == STATE_UNKNOWN


async def test_at_rest_nothing_is_known(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    """Nothing measures a strike: nobody shall believe that it is locked."""
    assert hass.states.get(entity_id("lock", "door_1")).state == STATE_UNKNOWN


@pytest.fixture
def held_doors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the station doors that can be held open."""
    monkeypatch.setattr("tests.fakes.FakeDoor", FakeHeldDoor)


async def test_held_open_until_the_time_is_up(
    hass: HomeAssistant,
    held_doors: None,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    freezer: FrozenDateTimeFactory,
) -> None:
    lock = entity_id("lock", "door_1")
    await async_hold_open(coordinator, coordinator.station.doors[0], timedelta(seconds=60))
    assert device.did("hold_open") == [(1, timedelta(seconds=60))]
    await pass_time(hass, freezer, 50)
    # Another opening, or a late echo of our own in a log, shortens nothing.
    for method in (Method.CARD, Method.EMERGENCY):
        for event in opened_by(coordinator, method):
            coordinator.async_dispatch(event)
    assert hass.states.get(lock).state == "open"
    await pass_time(hass, freezer, 9)
    assert hass.states.get(lock).state == "open"
    await pass_time(hass, freezer, 2)
    assert hass.states.get(lock).state == STATE_UNKNOWN


async def test_locking_ends_holding_open(
    hass: HomeAssistant,
    held_doors: None,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
) -> None:
    lock = entity_id("lock", "door_1")
    await async_hold_open(coordinator, coordinator.station.doors[0], timedelta(hours=1))
    device.trouble = StationTimeoutError("no answer")
    with pytest.raises(HomeAssistantError):
        await call(hass, "lock", "lock", lock)
    assert hass.states.get(lock).state == "open"
    device.trouble = None
    await call(hass, "lock", "lock", lock)
    assert device.did("release") == [(1,)]
    assert hass.states.get(lock).state == STATE_UNKNOWN


async def test_held_open_by_somebody_else(
    hass: HomeAssistant,
    held_doors: None,
    coordinator: FaceAccessCoordinator,
    entity_id: Find,
    freezer: FrozenDateTimeFactory,
) -> None:
    """For how long nobody knows: after the usual time it is not known to be locked, until somebody locks it."""
    lock = entity_id("lock", "door_1")
    for event in opened_by(coordinator, Method.EMERGENCY):
        coordinator.async_dispatch(event)
    assert hass.states.get(lock).state == "open"
    await pass_time(hass, freezer, 10)
    assert hass.states.get(lock).state == STATE_UNKNOWN
    await call(hass, "lock", "open", lock)
    await pass_time(hass, freezer, 10)
    assert hass.states.get(lock).state == STATE_UNKNOWN
    await call(hass, "lock", "lock", lock)
    assert hass.states.get(lock).state == STATE_UNKNOWN


async def test_the_echo_of_our_own_command_comes_after_its_end(
    hass: HomeAssistant, held_doors: None, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    lock = entity_id("lock", "door_1")
    await call(hass, "lock", "open", lock)
    await call(hass, "lock", "lock", lock)
    for event in opened_by(coordinator, Method.API):
        coordinator.async_dispatch(event)
    assert hass.states.get(lock).state == STATE_UNKNOWN


async def test_a_card_is_over_after_the_hold_time(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find, freezer: FrozenDateTimeFactory
) -> None:
    lock = entity_id("lock", "door_1")
    for event in opened_by(coordinator, Method.CARD):
        coordinator.async_dispatch(event)
    assert hass.states.get(lock).state == "open"
    await pass_time(hass, freezer, 4)
    assert hass.states.get(lock).state == STATE_UNKNOWN


async def test_saying_no(
    hass: HomeAssistant, held_doors: None, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    await call(hass, "button", "press", entity_id("button", "deny_access"))
    assert device.did("deny") == [(1,)]


async def test_reported_movement(hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find) -> None:
    lock = entity_id("lock", "door_1")
    for door, opened, state in ((2, True, STATE_UNKNOWN), (1, True, "open"), (1, False, STATE_UNKNOWN)):
        coordinator.async_dispatch(DoorMoved(source=SERIAL, door=coordinator.door_id(door), open=opened))
        assert hass.states.get(lock).state == state


async def test_unloading_while_open_leaves_no_timer(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find
) -> None:
    """The harness fails a test that leaves a timer behind."""
    await call(hass, "lock", "open", entity_id("lock", "door_1"))
    assert await hass.config_entries.async_unload(coordinator.config_entry.entry_id)


async def test_one_door_has_no_number(hass: HomeAssistant, coordinator: FaceAccessCoordinator, entity_id: Find) -> None:
    assert hass.states.get(entity_id("button", "open_door_1")).name == "Front door Open door"
    assert hass.states.get(entity_id("lock", "door_1")).name == "Front door Door"
    assert len(hass.states.async_entity_ids("lock")) == 1


@pytest.mark.parametrize("options", [{"doors": 2}])
async def test_second_door_and_taking_it_back(
    hass: HomeAssistant,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    fake_entry: MockConfigEntry,
    entity_registry: er.EntityRegistry,
) -> None:
    assert hass.states.get(entity_id("button", "open_door_2")).name == "Front door Open door 2"
    assert hass.states.get(entity_id("lock", "door_1")).name == "Front door Door 1"
    await call(hass, "lock", "open", entity_id("lock", "door_2"))
    assert device.did("open") == [(2,)]
    assert hass.states.get(entity_id("lock", "door_1")).state == STATE_UNKNOWN
    hass.config_entries.async_update_entry(fake_entry, options={"doors": 1})
    await hass.config_entries.async_reload(fake_entry.entry_id)
    await hass.async_block_till_done()
    for platform, key in (("lock", "door_2"), ("button", "open_door_2")):
        assert entity_registry.async_get_entity_id(platform, DOMAIN, f"{SERIAL}-{key}") is None
    assert len(hass.states.async_entity_ids("lock")) == 1


@pytest.mark.parametrize(
    ("key", "command"),
    [("reboot", "reboot"), ("restart_application", "restart_application"), ("sync_clock", "set_clock")],
)
async def test_buttons(
    hass: HomeAssistant,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    key: str,
    command: str,
) -> None:
    await call(hass, "button", "press", entity_id("button", key))
    (arguments,) = device.did(command)
    assert all(argument.tzinfo is not None for argument in arguments)
    device.trouble = StationTimeoutError("no answer")
    with pytest.raises(HomeAssistantError) as error:
        await call(hass, "button", "press", entity_id("button", key))
    assert error.value.translation_key == "timeout"


async def test_station_without_buttons(hass: HomeAssistant, device: FakeDevice, set_up: SetUp) -> None:
    await set_up(device.station(power=None, clock=None))
    assert hass.states.async_entity_ids("button") == ["button.front_door_open_door"]


async def test_device(
    hass: HomeAssistant,
    coordinator: FaceAccessCoordinator,
    fake_entry: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
) -> None:
    (device,) = dr.async_entries_for_config_entry(device_registry, fake_entry.entry_id)
    assert device.identifiers == {(DOMAIN, SERIAL)}
    assert (device.name, device.manufacturer, device.model) == ("Front door", "Nobody", "Model X-1")
    assert (device.hw_version, device.sw_version, device.serial_number) == ("B", "1.0", SERIAL)

"""Doors, cards and calls: what arrives at the station."""

from datetime import timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest

from custom_components.face_access.access import DoorMoved, StationEvent
from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationError,
    StationRefusedError,
    StationTimeoutError,
    StationUnsupportedError,
)
from tests.actions.conftest import Act, FullDevice, fails
from tests.fakes import SERIAL, FakeDoor, FakeHeldDoor


async def test_a_door_opens_and_everybody_hears(
    act: Act, device: FullDevice, coordinator: FaceAccessCoordinator
) -> None:
    heard: list[StationEvent] = []
    coordinator.async_subscribe(heard.append)
    await act("open_door")
    assert device.did("open") == [(1,)]
    assert heard == [DoorMoved(source=SERIAL, door=f"{SERIAL}_1", open=True)]


async def test_a_door_that_is_not_wired_stays_shut(
    hass: HomeAssistant, act: Act, device: FullDevice, coordinator: FaceAccessCoordinator
) -> None:
    with fails("no_door", device="Front door", door="2", doors="1"):
        await act("open_door", door=2)
    assert device.did("open") == []
    hass.config_entries.async_update_entry(coordinator.config_entry, options={"doors": 2})
    await act("open_door", door=2)
    assert device.did("open") == [(2,)]
    with fails("no_door", door="3", doors="2"):
        await act("open_door", door=3)


async def test_a_door_that_did_not_open_is_not_told_as_open(
    act: Act, device: FullDevice, coordinator: FaceAccessCoordinator
) -> None:
    heard: list[StationEvent] = []
    coordinator.async_subscribe(heard.append)
    device.trouble = StationTimeoutError("late")
    with fails("timeout"):
        await act("open_door")
    assert heard == []


@pytest.fixture
def mixed_doors(device: FullDevice, changes: dict[str, Any]) -> None:
    """Two doors, the first of which can be held open."""
    changes["doors"] = (FakeHeldDoor(device, 1), FakeDoor(device, 2))


async def test_only_a_door_that_can_be_held_is(
    hass: HomeAssistant, mixed_doors: None, act: Act, device: FullDevice, coordinator: FaceAccessCoordinator
) -> None:
    hass.config_entries.async_update_entry(coordinator.config_entry, options={"doors": 2})
    for action, data in (("hold_door_open", {"duration": 60}), ("close_door", {})):
        with fails("door_not_held", device="Front door", door="2"):
            await act(action, door=2, **data)
    with fails("hold_too_long", limit="7200"):
        await act("hold_door_open", duration=7201)
    assert device.commands == []
    await act("hold_door_open", duration="02:00:00")
    assert device.did("hold_open") == [(1, timedelta(hours=2))]


async def test_everybody_hears_of_a_door_that_is_held(
    mixed_doors: None, act: Act, device: FullDevice, coordinator: FaceAccessCoordinator
) -> None:
    heard: list[StationEvent] = []
    coordinator.async_subscribe(heard.append)
    await act("hold_door_open", duration=60)
    await act("close_door")
    await act("deny_access")
    door = f"{SERIAL}_1"
    assert heard == [
        DoorMoved(source=SERIAL, door=door, open=True, held_for=timedelta(minutes=1)),
        DoorMoved(source=SERIAL, door=door, open=False),
    ]
    assert (device.did("release"), device.did("deny")) == ([(1,)], [(1,)])


async def test_a_card_number_keeps_all_its_digits(act: Act, device: FullDevice) -> None:
    await act("send_wiegand", card="18446744073709551615")
    assert device.did("send") == [(2**64 - 1, None)]


async def test_an_account(act: Act, device: FullDevice) -> None:
    await act("sip_register", domain="192.0.2.7", username="door", password=" s3 ")
    await act("sip_register", domain="pbx.example", port=7121, username="0123")
    assert device.did("register") == [("192.0.2.7", 5060, "door", " s3 "), ("pbx.example", 7121, "0123", None)]


async def test_a_call_is_known_as_ours(
    act: Act, device: FullDevice, coordinator: FaceAccessCoordinator, freezer: FrozenDateTimeFactory
) -> None:
    await act("sip_call", url="hall@192.0.2.7")
    assert device.did("call") == [("sip:hall@192.0.2.7:5060",)]
    assert coordinator.called_at == dt_util.utcnow()
    await act("sip_hangup")
    assert device.did("hang_up") == [()]


@pytest.mark.parametrize(
    ("trouble", "known"),
    [
        (StationRefusedError("busy"), False),
        (StationUnsupportedError("new"), False),
        (InvalidValueError("url", "odd"), False),
        (StationTimeoutError("late"), True),
    ],
)
async def test_a_call_that_never_began_does_not_hide_a_visitor(
    act: Act,
    device: FullDevice,
    coordinator: FaceAccessCoordinator,
    trouble: StationError,
    known: bool,
) -> None:
    before = coordinator.called_at = dt_util.utcnow() - timedelta(hours=1)
    device.trouble = trouble
    with pytest.raises(HomeAssistantError):
        await act("sip_call", url="a@b")
    assert (coordinator.called_at != before) is known

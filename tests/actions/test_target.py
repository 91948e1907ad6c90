"""Whom an action is for, who may call it, and what a station that lacks something says."""

import logging
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized, UnknownUser
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.face_access.actions import ACTIONS
from custom_components.face_access.actions.request import Action
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.devices.errors import (
    StationConnectionError,
    StationError,
    StationRefusedError,
    StationTimeoutError,
    StationUnsupportedError,
)
from tests.actions.conftest import Act, FullDevice, fails

CAPABILITIES = ("speech", "screen", "audio", "sip", "card_output", "schedule", "screensaver", "records", "credentials")
DATA: dict[str, dict[str, Any]] = {
    "say": {"message": "hello"},
    "show_text": {"message": "hello"},
    "send_wiegand": {"card": "4711471147"},
    "sip_register": {"domain": "192.0.2.7", "username": "door", "password": "opensesame"},
    "sip_call": {"url": "a@b"},
    "set_schedule": {"rules": []},
    "add_schedule": {"rules": [{"kind": 1, "mode": "daily", "days": [[]]}]},
    "delete_screensaver": {"names": "a"},
    "hold_door_open": {"duration": 60},
    "add_identifier": {"kind": "code", "owner": "Anna", "number": "4711471147"},
    "remove_identifier": {"uid": 7},
    "reset_passes": {"uid": 7},
    "get_qr_code": {"uid": 7},
    "confirm_access": {"person_id": "anna"},
    "test_access": {"person_id": "anna"},
}


@pytest.mark.parametrize("changes", [{**dict.fromkeys(CAPABILITIES), "doors": ()}])
@pytest.mark.parametrize("action", [action for action in ACTIONS if action.name != "get_records"], ids=lambda a: a.name)
async def test_a_station_without_the_capability(act: Act, device: FullDevice, action: Action[Any]) -> None:
    with fails("not_capable", device="Front door", action=f"face_access.{action.name}"):
        await act(action.name, **DATA.get(action.name, {}))
    assert device.commands == []


async def _error_of(hass: HomeAssistant, device_id: str) -> str | None:
    with pytest.raises(ServiceValidationError) as raised:
        await hass.services.async_call(DOMAIN, "open_door", {"device_id": device_id}, blocking=True)
    return raised.value.translation_key


async def test_a_device_that_is_not_there(hass: HomeAssistant, coordinator: FaceAccessCoordinator) -> None:
    assert await _error_of(hass, "nothing") == "service_device_not_found"


async def test_a_device_of_somebody_else(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device_registry: dr.DeviceRegistry
) -> None:
    other = MockConfigEntry(domain="other")
    other.add_to_hass(hass)
    device = device_registry.async_get_or_create(config_entry_id=other.entry_id, identifiers={("other", "1")})
    assert await _error_of(hass, device.id) == "service_device_wrong_domain"


async def test_an_entry_that_is_not_loaded(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device_id: str, device: FullDevice
) -> None:
    await hass.config_entries.async_unload(coordinator.config_entry.entry_id)
    assert await _error_of(hass, device_id) == "service_config_entry_not_loaded"
    assert device.did("open") == []


@pytest.mark.parametrize(
    ("trouble", "key"),
    [
        (StationConnectionError("gone"), "cannot_connect"),
        (StationTimeoutError("late"), "timeout"),
        (StationUnsupportedError("new"), "unsupported"),
        (StationError("odd"), "station"),
    ],
)
async def test_what_goes_wrong_at_the_station(act: Act, device: FullDevice, trouble: StationError, key: str) -> None:
    device.trouble = trouble
    with fails(key):
        await act("open_door")


async def test_a_refusal_is_told_as_one(act: Act, device: FullDevice) -> None:
    device.trouble = StationRefusedError("busy", "later")
    with pytest.raises(HomeAssistantError) as raised:
        await act("say", message="hello")
    assert raised.value.translation_key == "refused_busy"
    assert raised.value.translation_placeholders == {"detail": "later", "field": "-"}


async def test_who_may_only_look_may_not_act(
    hass: HomeAssistant, act: Act, device: FullDevice, hass_read_only_user: MockUser
) -> None:
    device.rules = [{"kind": 1}]
    context = Context(user_id=hass_read_only_user.id)
    for action in ("open_door", "send_wiegand", "set_schedule", "sip_register"):
        with pytest.raises(Unauthorized):
            await act(action, context=context, **DATA.get(action, {}))
    assert device.commands == []
    assert await act("get_schedule", context=context) == {"rules": [{"kind": 1}]}


async def test_who_may_control_everything_may_act(
    hass: HomeAssistant, act: Act, device: FullDevice, hass_admin_user: MockUser
) -> None:
    await act("open_door", context=Context(user_id=hass_admin_user.id))
    resident = MockUser(groups=[await hass.auth.async_get_group("system-users")]).add_to_hass(hass)
    await act("open_door", context=Context(user_id=resident.id))
    assert device.did("open") == [(1,), (1,)]


async def test_who_may_control_another_device_may_not_act(hass: HomeAssistant, act: Act, device: FullDevice) -> None:
    guest = MockUser().add_to_hass(hass)
    guest.mock_policy({"entities": {"entity_ids": {"light.garden": True}}})
    with pytest.raises(Unauthorized):
        await act("open_door", context=Context(user_id=guest.id))
    assert device.commands == []


async def test_a_user_who_is_gone_may_not_act(act: Act, device: FullDevice) -> None:
    with pytest.raises(UnknownUser):
        await act("open_door", context=Context(user_id="nobody"))
    assert device.commands == []


async def test_a_device_without_entities_is_for_administrators(
    hass: HomeAssistant,
    coordinator: FaceAccessCoordinator,
    device: FullDevice,
    device_registry: dr.DeviceRegistry,
    hass_admin_user: MockUser,
) -> None:
    bare = device_registry.async_get_or_create(
        config_entry_id=coordinator.config_entry.entry_id, identifiers={(DOMAIN, "bare")}
    )
    resident = MockUser(groups=[await hass.auth.async_get_group("system-users")]).add_to_hass(hass)
    call = (DOMAIN, "open_door", {"device_id": bare.id})
    with pytest.raises(Unauthorized):
        await hass.services.async_call(*call, blocking=True, context=Context(user_id=resident.id))
    assert device.commands == []
    await hass.services.async_call(*call, blocking=True, context=Context(user_id=hass_admin_user.id))
    assert device.did("open") == [(1,)]


async def test_secrets_are_in_no_log_of_ours(act: Act, device: FullDevice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "homeassistant.core")
    await act("send_wiegand", **DATA["send_wiegand"])
    await act("sip_register", **DATA["sip_register"])
    device.trouble = StationRefusedError("busy")
    for action in ("send_wiegand", "sip_register"):
        with pytest.raises(HomeAssistantError) as raised:
            await act(action, **DATA[action])
        told = f"{raised.value} {raised.value.translation_placeholders}"
        assert "4711471147" not in told
        assert "opensesame" not in told
    assert "4711471147" not in caplog.text
    assert "opensesame" not in caplog.text

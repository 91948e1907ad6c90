"""Settings of panels, those of face recognition first: written, refused, and shown as the panel has them."""

from typing import Any
from unittest.mock import AsyncMock, patch

from homeassistant.config_entries import SOURCE_REAUTH
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.coordinator import FaceAccessCoordinator
from simulators.panel import MODELS, SimulatedPanel
from tests.conftest import until

from .conftest import Call, Find, State

FACES = [name for name, model in MODELS.items() if model.has("face")]
PATH = "/access/general/facerecognition"


@pytest.mark.parametrize("panel_model", FACES)
async def test_recognition(panel_entry: MockConfigEntry, panel: SimulatedPanel, call: Call, state: State) -> None:
    faces = panel.settings.values["face"]
    await call("switch", "recognition", "turn_off")
    assert (faces["enable"], state("switch", "recognition")) == (False, "off")
    await call("switch", "recognition", "turn_on")
    assert (faces["enable"], state("switch", "recognition")) == (True, "on")
    await call("select", "similarity", "select_option", option="high")
    assert (faces["similarity"], state("select", "similarity")) == ("high", "high")
    await call("select", "recognition_mode", "select_option", option="antispoofing")
    assert (faces["mode"], state("select", "recognition_mode")) == ("antispoofing", "antispoofing")


async def test_modes_are_those_of_the_model(
    hass: HomeAssistant, panel_entry: MockConfigEntry, find: Find, panel: SimulatedPanel, call: Call
) -> None:
    options = hass.states.get(find("select", "recognition_mode")).attributes["options"]
    assert options == ["software", "3d", "antispoofing"]
    await call("select", "recognition_mode", "select_option", option="3d")
    assert panel.settings.values["face"]["mode"] == "3D"


@pytest.mark.parametrize("panel_model", ["AV-08FB"])
async def test_an_individual_panel_has_no_3d(hass: HomeAssistant, panel_entry: MockConfigEntry, find: Find) -> None:
    options = hass.states.get(find("select", "recognition_mode")).attributes["options"]
    assert options == ["software", "antispoofing"]


@pytest.mark.parametrize("panel_model", list(MODELS))
async def test_autostart_is_for_aa_panels_with_faces(
    panel_entry: MockConfigEntry, panel: SimulatedPanel, entity_registry: er.EntityRegistry, call: Call, state: State
) -> None:
    there = entity_registry.async_get_entity_id("switch", DOMAIN, f"{panel.serial}-autostart")
    wanted = panel.model.has("face") and panel.model.kind == "aa"
    assert (there is not None) == wanted
    if wanted:
        was = state("switch", "autostart") == "on"
        await call("switch", "autostart", "turn_off" if was else "turn_on")
        assert panel.settings.values["face"]["autostart"] is not was
        assert state("switch", "autostart") == ("off" if was else "on")


@pytest.mark.parametrize(
    ("status", "text", "key", "named"),
    [
        (400, "Wrong JSON body", "refused_wrong_body", None),
        (400, "Wrong JSON body: no value for `autostart`", "refused_missing_field", "autostart"),
        (400, "Wrong JSON body: value `enable` was of the wrong type", "refused_wrong_type", "enable"),
        (400, "Wrong similarity field=x. Available values: [low, normal, high]", "refused_wrong_similarity", None),
        (400, "Wrong mode field=x. Available values: [software, 3D]", "refused_wrong_mode", None),
        (403, "Administrator rights required", "forbidden", None),
        (404, "This feature is disabled on your device", "unsupported", None),
        (500, "", "protocol", None),
    ],
)
async def test_a_refusal_is_told_and_the_true_state_shown(
    panel_entry: MockConfigEntry,
    panel: SimulatedPanel,
    call: Call,
    state: State,
    status: int,
    text: str,
    key: str,
    named: str | None,
) -> None:
    before = state("switch", "recognition")
    # Meanwhile somebody else changes something: that must show although our own write failed.
    await panel.change_face(similarity="low")
    body = f'{{"error": "{text}"}}'
    await panel.fail(PATH, status, method="POST", body=body, content_type="application/json")
    with pytest.raises(HomeAssistantError) as error:
        await call("switch", "recognition", "turn_off" if before == "on" else "turn_on")
    assert (error.value.translation_domain, error.value.translation_key) == (DOMAIN, key)
    if status == 400:
        assert error.value.translation_placeholders["detail"] == text
    if named is not None:
        assert error.value.translation_placeholders["field"] == named
    assert "{" not in str(error.value)
    assert state("switch", "recognition") == before
    assert state("select", "similarity") == "low"


@pytest.mark.parametrize("path", ["login", "basic", "action"])
async def test_a_command_that_is_not_let_in_asks_for_the_account_at_once(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel, find: Find, path: str
) -> None:
    """Not half a minute later, when the panel is read again: whoever stands at the door waits."""
    if path == "basic":
        # It gives a token, and accepts none: 401 after the new login too.
        await panel.fail("lock/open", 401, times=3)
    else:
        await panel.set_password("another one")
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), panel_entry.entry_id)
    command: tuple[str, str, dict[str, Any]] = ("button", "press", {"entity_id": find("button", "open_door_1")})
    if path == "action":
        command = (DOMAIN, "open_door", {"device_id": device.id})
    with (
        patch.object(type(panel_entry.runtime_data), "async_refresh", AsyncMock()),
        pytest.raises(HomeAssistantError) as error,
    ):
        await hass.services.async_call(*command, blocking=True)
    assert error.value.translation_key == "invalid_auth"
    await hass.async_block_till_done()
    (flow,) = hass.config_entries.flow.async_progress_by_handler(DOMAIN)
    assert (flow["context"]["source"], flow["context"]["entry_id"]) == (SOURCE_REAUTH, panel_entry.entry_id)
    assert panel.openings == []
    panel.clear_violations()


async def test_a_login_that_counts_no_more_is_told(
    panel_entry: MockConfigEntry, panel: SimulatedPanel, call: Call, state: State
) -> None:
    before = panel.settings.values["face"]["enable"]
    await panel.set_password("another one")
    with pytest.raises(HomeAssistantError) as error:
        await call("switch", "recognition", "turn_off" if before else "turn_on")
    assert error.value.translation_key == "invalid_auth"
    assert panel.settings.values["face"]["enable"] is before
    panel.clear_violations()


async def test_an_expired_token_is_nobodys_business(
    panel_entry: MockConfigEntry, panel: SimulatedPanel, call: Call, state: State
) -> None:
    await panel.expire_tokens()
    await call("switch", "recognition", "turn_off")
    assert state("switch", "recognition") == "off"


async def test_what_somebody_changes_at_the_panel_shows(
    panel_entry: MockConfigEntry, panel: SimulatedPanel, coordinator: FaceAccessCoordinator, state: State
) -> None:
    await panel.change_face(enable=False, similarity="low", mode="antispoofing")
    await coordinator.async_read_again()
    assert state("switch", "recognition") == "off"
    assert state("select", "similarity") == "low"
    assert state("select", "recognition_mode") == "antispoofing"


OTHERS: list[tuple[str, str, str, dict[str, Any], str]] = [
    ("number", "volume", "set_value", {"value": 2}, "2"),
    ("number", "microphone", "set_value", {"value": 5}, "5"),
    ("number", "open_time_1", "set_value", {"value": 7}, "7"),
    ("number", "open_delay_2", "set_value", {"value": 4}, "4"),
    ("number", "door_alarm_after", "set_value", {"value": 45}, "45"),
    ("number", "door_alarm_repeat_every", "set_value", {"value": 120}, "120"),
    ("number", "dial_timeout", "set_value", {"value": 40}, "40"),
    ("number", "talk_timeout", "set_value", {"value": 100}, "100"),
    ("select", "door_input", "select_option", {"option": "enter_button"}, "enter_button"),
    ("switch", "door_sensor", "turn_on", {}, "on"),
    ("switch", "door_alarm_repeat", "turn_on", {}, "on"),
    ("switch", "free_access", "turn_on", {}, "on"),
    ("switch", "master_code", "turn_on", {}, "on"),
    ("switch", "sip", "turn_on", {}, "on"),
    ("switch", "motion_sensor", "turn_off", {}, "off"),
    ("switch", "ntp", "turn_off", {}, "off"),
]


@pytest.mark.parametrize(("platform", "key", "action", "data", "after"), OTHERS, ids=[case[1] for case in OTHERS])
async def test_other_settings(
    hass: HomeAssistant,
    panel_entry: MockConfigEntry,
    call: Call,
    state: State,
    platform: str,
    key: str,
    action: str,
    data: dict[str, Any],
    after: str,
) -> None:
    assert state(platform, key) != after
    await call(platform, key, action, **data)
    # A setting that brings new entities, such as the door contact, reloads the entry.
    await until(lambda: state(platform, key) == after)


async def test_a_louder_panel_has_the_more_to_choose_from(
    hass: HomeAssistant,
    panel_entry: MockConfigEntry,
    panel: SimulatedPanel,
    coordinator: FaceAccessCoordinator,
    find: Find,
) -> None:
    assert hass.states.get(find("number", "volume")).attributes["max"] == 6
    panel.settings.values["/device/settings/volume"]["volume_level"] = 9
    await coordinator.async_read_again()
    assert hass.states.get(find("number", "volume")).attributes["max"] == 9

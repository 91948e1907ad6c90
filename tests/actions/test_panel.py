"""Actions through Home Assistant to a simulated panel: what the panel then opens, calls, knows and forgets."""

from base64 import b64decode
from collections.abc import Callable, Coroutine
from datetime import timedelta
from io import BytesIO
import logging
from pathlib import Path
import stat
from typing import Any

from homeassistant.const import STATE_UNKNOWN
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, Unauthorized
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
from PIL import Image
import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.face_access.const import DOMAIN
from simulators._terminal import pictures
from simulators.panel import MODELS, SimulatedPanel
from tests.actions.conftest import fails, picture_file
from tests.conftest import settle, until
from tests.panels import add_panel

type Act = Callable[..., Coroutine[Any, Any, Any]]

ANSWERS = ("get_", "list_", "add_identifier")
CARD = "0012345679"


@pytest.fixture
async def panel_entry(hass: HomeAssistant, web: str, panel: SimulatedPanel) -> MockConfigEntry:
    """Set the panel up. To ask for what it lacks is how to find out; afterwards nothing of the kind happens."""
    entry = await add_panel(hass, panel)
    panel.clear_violations()
    return entry


@pytest.fixture
def act(hass: HomeAssistant, panel_entry: MockConfigEntry, device_registry: dr.DeviceRegistry) -> Act:
    """Call an action of the simulated panel."""
    (device,) = dr.async_entries_for_config_entry(device_registry, panel_entry.entry_id)

    async def call(action: str, *, context: Context | None = None, **data: Any) -> Any:
        return await hass.services.async_call(
            DOMAIN,
            action,
            {"device_id": device.id, **data},
            blocking=True,
            return_response=action.startswith(ANSWERS),
            context=context,
        )

    return call


def known(panel: SimulatedPanel, owner: str) -> list[dict[str, Any]]:
    """What the panel knows of somebody."""
    return [item for item in panel.identifiers.items.values() if item["identifier_owner"]["name"] == owner]


@pytest.mark.parametrize("panel_model", list(MODELS))
async def test_doors(hass: HomeAssistant, act: Act, panel: SimulatedPanel) -> None:
    await act("open_door")
    assert [opening.lock for opening in panel.openings] == [1]
    await act("hold_door_open", duration={"hours": 1})
    assert panel.openings[-1].seconds == 3600
    assert panel.locks.is_open(1)
    assert hass.states.get("lock.gate_door").state == "open"
    await act("close_door")
    await until(lambda: not panel.locks.is_open(1))
    assert hass.states.get("lock.gate_door").state == STATE_UNKNOWN
    await act("deny_access")
    assert panel.locks.denials == 1


async def test_doors_that_are_not_wired_stay_as_they_are(act: Act, panel: SimulatedPanel) -> None:
    for action, data in (("open_door", {}), ("hold_door_open", {"duration": 60}), ("close_door", {})):
        with fails("no_door", door="2", doors="1"):
            await act(action, door=2, **data)
    assert panel.openings == []


@pytest.mark.parametrize("duration", [0, -5, "soon", {"days": 2}, 86401, None])
async def test_how_long_a_door_may_be_held(act: Act, panel: SimulatedPanel, duration: Any) -> None:
    with pytest.raises(vol.Invalid):
        await act("hold_door_open", duration=duration)
    assert panel.openings == []


async def test_a_door_whose_answer_was_lost_is_not_told_as_open(
    hass: HomeAssistant, act: Act, panel: SimulatedPanel
) -> None:
    await panel.fail("/open/emergency", 500, times=3)
    with fails("protocol"):
        await act("hold_door_open", duration=60)
    assert hass.states.get("lock.gate_door").state == STATE_UNKNOWN
    assert panel.count("POST", "/access/general/lock/open/emergency") == 1


@pytest.mark.parametrize("panel_model", ["AV-03BD"])
async def test_calls_of_a_camdroid_panel(act: Act, panel: SimulatedPanel) -> None:
    await act("sip_call", url="hall@192.0.2.7")
    assert panel.calls.state != "idle"
    await act("sip_hangup")
    assert panel.calls.state == "idle"


async def test_an_android_panel_cannot_be_made_to_call(act: Act, panel: SimulatedPanel) -> None:
    for action, data in (("sip_call", {"url": "hall@192.0.2.7"}), ("sip_hangup", {})):
        with fails("unsupported"):
            await act(action, **data)


async def test_an_account(act: Act, panel: SimulatedPanel) -> None:
    await act("sip_register", domain="192.0.2.7", username="gate", password="s3cret")
    account = panel.settings.values["/device/sip/settings"]
    assert (account["proxy"], account["user"], account["password"]) == ("sip:192.0.2.7:5060", "gate", "s3cret")
    assert panel.settings.values["/device/sip/enable"]["sip_enable"]
    with fails("invalid_too_short", field="password", least="6"):
        await act("sip_register", domain="192.0.2.7", username="gate", password="short")


@pytest.mark.parametrize("panel_model", list(MODELS))
async def test_a_card_comes_and_goes(act: Act, panel: SimulatedPanel) -> None:
    end = dt_util.utcnow().replace(microsecond=0) + timedelta(days=1)
    answer = await act(
        "add_identifier",
        kind="card",
        owner=" Painter ",
        number=CARD,
        guest=True,
        door=1,
        valid_until=end.isoformat(),
        max_passes=3,
    )
    (item,) = known(panel, "Painter")
    assert (item["identifier_number"], item["lock"]) == (CARD, "first")
    assert item["identifier_owner"]["type"] == "guest"
    assert item["valid"]["time"]["to"] == end.timestamp()
    assert await panel.swipe_card(CARD) == "access_granted_by_valid_identifier"
    listed = {one["uid"]: one for one in (await act("list_identifiers", kind="card"))["identifiers"]}
    told = listed[answer["uid"]]
    assert (told["owner"], told["kind"], told["guest"], told["door"]) == ("Painter", "card", True, 1)
    assert (told["max_passes"], dt_util.parse_datetime(told["valid_until"])) == (3, end)
    assert "number" not in told
    await act("reset_passes", uid=answer["uid"])
    assert item["passes_left"] == 3
    await act("remove_identifier", uid=answer["uid"])
    assert known(panel, "Painter") == []
    with fails("refused_no_identifier"):
        await act("remove_identifier", uid=answer["uid"])


async def test_numbers_are_given_to_who_asks_for_them(act: Act) -> None:
    uid = (await act("add_identifier", kind="code", owner="Anna", number="0815"))["uid"]
    listed = (await act("list_identifiers", numbers=True))["identifiers"]
    assert [one["number"] for one in listed if one["uid"] == uid] == ["0815"]
    assert all(one["number"] is None for one in listed if one["kind"] == "face")


async def test_numbers_are_in_no_log_and_no_error(
    act: Act, panel: SimulatedPanel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "homeassistant.core")
    number = "4711471147"
    await act("add_identifier", kind="card", owner="Anna", number=number)
    await act("list_identifiers", numbers=True)
    with pytest.raises(HomeAssistantError) as raised:
        await act("add_identifier", kind="card", owner="Otto", number=number)
    assert raised.value.translation_key == "refused_record_exists"
    for wrong in (int(number), number * 11, ""):
        with pytest.raises(vol.Invalid) as invalid:
            await act("add_identifier", kind="card", owner="Otto", number=wrong)
        assert number not in str(invalid.value)
    with fails("invalid_digits", field="number"):
        await act("add_identifier", kind="code", owner="Otto", number=f"x{number}")
    assert number not in f"{raised.value} {raised.value.translation_placeholders}"
    assert number not in caplog.text


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("number_missing", {"kind": "card"}),
        ("number_missing", {"kind": "code"}),
        ("invalid_card_number", {"kind": "card", "number": "12345678901"}),
        ("invalid_uuid", {"kind": "qr", "number": "7"}),
        (
            "invalid_before_start",
            {"kind": "code", "number": "1", "valid_from": "2026-02-02", "valid_until": "2026-02-01"},
        ),
        ("invalid_bounds", {"kind": "code", "number": "1", "door": 3}),
        ("photo_not_wanted", {"kind": "code", "number": "1", "path": "/media/anna.jpg"}),
        ("number_not_wanted", {"kind": "face", "number": "1", "path": "/media/anna.jpg"}),
        ("exactly_one", {"kind": "face"}),
        ("path_not_allowed", {"kind": "face", "path": "/etc/passwd"}),
    ],
)
async def test_identifiers_that_make_no_sense(act: Act, panel: SimulatedPanel, key: str, data: dict[str, Any]) -> None:
    with fails(key):
        await act("add_identifier", owner="Anna B", **data)
    assert known(panel, "Anna B") == []


@pytest.mark.parametrize("panel_model", ["AV-03BD", "AA-07"])
async def test_a_panel_without_faces_takes_none(act: Act, panel: SimulatedPanel) -> None:
    with fails("kind_unknown"):
        await act("add_identifier", kind="face", owner="Anna B", path="/media/anna.jpg")


async def test_a_face(act: Act, panel: SimulatedPanel, allowed: Path) -> None:
    file = allowed / "anna.png"
    buffer = BytesIO()
    pictures.draw("Anna B").save(buffer, "PNG")
    file.write_bytes(buffer.getvalue())
    uid = (await act("add_identifier", kind="face", owner="Anna B", path=str(file)))["uid"]
    assert panel.identifiers.items[uid]["enrolled"]
    assert await panel.present_known("Anna B", started=True) in (None, "access_granted_by_valid_face_identifier")


async def test_a_photo_that_is_none(act: Act, panel: SimulatedPanel, allowed: Path) -> None:
    file = allowed / "anna.jpg"
    file.write_text("no picture")
    with fails("not_a_picture"):
        await act("add_identifier", kind="face", owner="Anna B", path=str(file))
    file.write_bytes(picture_file((40, 30)))
    with pytest.raises(HomeAssistantError) as raised:
        await act("add_identifier", kind="face", owner="Anna B", path=str(file))
    assert raised.value.translation_key.startswith("refused_")
    assert known(panel, "Anna B") == []


async def test_a_qr_code(act: Act, panel: SimulatedPanel, allowed: Path) -> None:
    uid = (await act("add_identifier", kind="qr", owner="Guest"))["uid"]
    file = allowed / "guest.png"
    answer = await act("get_qr_code", uid=uid, path=str(file))
    assert (answer["content_type"], answer["path"]) == ("image/png", str(file.resolve()))
    assert file.read_bytes() == b64decode(answer["data"])
    assert Image.open(file).format == "PNG"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "path" not in await act("get_qr_code", uid=uid)
    assert (
        await panel.show_qr(panel.identifiers.items[uid]["identifier_number"]) == "access_granted_by_valid_identifier"
    )


async def test_where_a_qr_code_may_be_written(act: Act, panel: SimulatedPanel, allowed: Path) -> None:
    uid = (await act("add_identifier", kind="qr", owner="Guest"))["uid"]
    for path in ("/etc/guest.png", str(allowed / "guest.py"), str(allowed / ".." / "guest.png")):
        with fails("target_not_allowed", path=path):
            await act("get_qr_code", uid=uid, path=path)
    with fails("target_unwritable"):
        await act("get_qr_code", uid=uid, path=str(allowed / "missing" / "guest.png"))
    assert list(allowed.iterdir()) == []


async def test_who_may_only_look_gets_neither_names_nor_codes(
    hass: HomeAssistant, act: Act, panel: SimulatedPanel, hass_read_only_user: MockUser
) -> None:
    context = Context(user_id=hass_read_only_user.id)
    before = len(panel.identifiers.items)
    for action, data in (
        ("list_identifiers", {}),
        ("get_qr_code", {"uid": 1}),
        ("add_identifier", {"kind": "code", "owner": "Me", "number": "1"}),
        ("remove_identifier", {"uid": 1}),
        ("reset_passes", {"uid": 1}),
        ("hold_door_open", {"duration": 60}),
        ("close_door", {}),
        ("deny_access", {}),
    ):
        with pytest.raises(Unauthorized):
            await act(action, context=context, **data)
    assert (len(panel.identifiers.items), panel.openings, panel.locks.denials) == (before, [], 0)


async def test_a_panel_that_is_away(hass: HomeAssistant, act: Act, panel: SimulatedPanel) -> None:
    await panel.cut_network()
    for action, data in (("hold_door_open", {"duration": 60}), ("list_identifiers", {}), ("deny_access", {})):
        with fails("cannot_connect"):
            await act(action, **data)
    await panel.restore_network()
    await settle(hass)
    assert panel.openings == []

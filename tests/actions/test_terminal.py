"""Actions through Home Assistant to a simulated terminal: what the device itself then shows, plays, opens and keeps."""

from collections.abc import Callable, Coroutine
from io import BytesIO
from pathlib import Path
from typing import Any
import wave

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from PIL import Image
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from simulators.terminal import SimulatedTerminal
from tests.actions.conftest import fails, picture_file

type Act = Callable[..., Coroutine[Any, Any, Any]]

RULE = {"kind": 1, "name": "Office", "mode": "daily", "days": [[{"start": "08:10", "end": "18:10"}]]}


@pytest.fixture
def act(hass: HomeAssistant, entry: MockConfigEntry, device_registry: dr.DeviceRegistry) -> Act:
    """Call an action of the simulated terminal."""
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)

    async def call(action: str, **data: Any) -> Any:
        answers = action.startswith(("get_", "list_", "upload_"))
        return await hass.services.async_call(
            DOMAIN, action, {"device_id": device.id, **data}, blocking=True, return_response=answers
        )

    return call


async def test_door_and_card(act: Act, terminal: SimulatedTerminal) -> None:
    await act("open_door")
    assert [opening.port for opening in terminal.doors.openings] == [1]
    assert terminal.doors.is_open(1)
    for card in (2**64 - 1, "4711", 0):
        await act("send_wiegand", card=card)
    assert [sent["number"] for sent in terminal.doors.wiegand] == [2**64 - 1, 4711, 0]


async def test_speech(act: Act, terminal: SimulatedTerminal) -> None:
    await act("say", message="请进")
    assert [spoken["text"] for spoken in terminal.spoken] == ["请进"]
    with fails("too_long", field="message", limit="64", length="65"):
        await act("say", message="x" * 65)
    assert len(terminal.spoken) == 1


async def test_text(act: Act, terminal: SimulatedTerminal) -> None:
    await act("show_text", title="Parcel", message="leave it", color=[255, 200, 0], duration=20)
    shown = [(text["text"], text["position"], text["font_color"], text["alive_time"]) for text in terminal.texts]
    assert shown == [
        ("Parcel", {"x": 0, "y": 500}, "0xffffc800", 20000),
        ("leave it", {"x": 0, "y": 566}, "0xffffc800", 20000),
    ]


async def test_picture(act: Act, terminal: SimulatedTerminal, allowed: Path) -> None:
    (allowed / "a.png").write_bytes(picture_file((3000, 1500)))
    await act("show_image", path=str(allowed / "a.png"), x=10, y=20, duration=0)
    (shown,) = terminal.images
    picture = Image.open(BytesIO(shown["data"]))
    assert (picture.format, picture.size) == ("JPEG", (1280, 640))
    assert shown["position"] == {"x": 10, "y": 20}
    assert shown["until"] == float("inf")


async def test_sounds(hass: HomeAssistant, act: Act, terminal: SimulatedTerminal, allowed: Path) -> None:
    assert await async_setup_component(hass, "ffmpeg", {})
    listed = (await act("list_sounds"))["sounds"]
    assert "NO0.pass.wav" in [sound["name"] for sound in listed]
    await act("play_audio", sound=listed[1]["number"])
    assert terminal.audio[0]["name"] == listed[1]["name"]
    with wave.open(str(allowed / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(44100)
        file.writeframes(bytes(4 * 44100))
    await act("play_audio", path=str(allowed / "a.wav"))
    assert terminal.audio[1]["seconds"] == pytest.approx(1, abs=0.1)


async def test_telephone(act: Act, terminal: SimulatedTerminal, entry: MockConfigEntry) -> None:
    await act("sip_register", domain="192.0.2.7", username="door", password="opensesame")
    account = {"domain": "192.0.2.7", "port": 5060, "username": "door", "password": "opensesame"}
    assert terminal.sip_account is not None
    assert account.items() <= terminal.sip_account.items()
    await act("sip_call", url="hall@192.0.2.7")
    assert [call["peer"] for call in terminal.phone.calls] == ["sip:hall@192.0.2.7:5060"]
    assert entry.runtime_data.called_at is not None
    await act("sip_hangup")
    assert terminal.phone.state == "idle"


async def test_schedule(act: Act, terminal: SimulatedTerminal) -> None:
    await act("set_schedule", rules=RULE)
    await act("add_schedule", rules={**RULE, "kind": 2, "mode": "weekly", "days": [[]] * 6 + RULE["days"]})
    assert [rule["kind"] for rule in terminal.schedule] == [1, 2]
    section = {"start": {"hour": 8, "minute": 10}, "end": {"hour": 18, "minute": 10}}
    assert terminal.schedule[0] == {"kind": 1, "name": "Office", "mode": "daily", "days": [{"sections": [section]}]}
    read = await act("get_schedule")
    assert read["rules"][0] == RULE
    await act("set_schedule", **read)
    assert [rule["kind"] for rule in terminal.schedule] == [1, 2]
    with fails("kind_taken", kinds="2"):
        await act("add_schedule", rules={**RULE, "kind": 2})
    await act("set_schedule", rules=[])
    assert terminal.schedule == []


async def test_screensavers(act: Act, terminal: SimulatedTerminal, allowed: Path) -> None:
    (allowed / "a.png").write_bytes(picture_file())
    assert await act("upload_screensaver", path=str(allowed / "a.png"), name="Welcome") == {"name": "welcome.jpg"}
    (allowed / "b.mp4").write_bytes(b"v" * 500_000)
    await act("upload_screensaver", path=str(allowed / "b.mp4"))
    assert sorted(terminal.media.values()) == ["b.mp4", "welcome.jpg"]
    assert {len(content) for path, content in terminal.files.items() if path.endswith(".mp4")} == {500_000}
    listed = await act("list_screensavers")
    assert sorted(listed["names"]) == ["b.mp4", "welcome.jpg"]
    await act("delete_screensaver", names="welcome.jpg")
    assert list(terminal.media.values()) == ["b.mp4"]


async def test_records(hass: HomeAssistant, act: Act, terminal: SimulatedTerminal) -> None:
    before = dt_util.utcnow()
    await terminal.present_known()
    await terminal.idle()
    await hass.async_block_till_done(wait_background_tasks=True)
    (record,) = (await act("get_records", start=before.isoformat(timespec="seconds")))["records"]
    assert record["person_id"] in terminal.people
    assert (record["live"], record["picture"], record["verdict"]) == (True, True, "granted")
    assert (await act("get_records", fetch=True))["fetched"] == 0

"""A terminal in online mode asks before it opens: the acknowledgement carries our decision."""

from datetime import UTC, datetime, timedelta
import json
import sqlite3
from typing import Any
from unittest.mock import patch

from homeassistant.const import EVENT_STATE_CHANGED
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events, async_fire_time_changed

from custom_components.face_access.const import PING_EVERY
from custom_components.face_access.hub.doors.policies import per_door
from custom_components.face_access.hub.telling import EVENT_DECIDED
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, add_direct, killed, set_policy, settle, until
from .test_catch_up import hold_back, read_again
from .test_push import FACE, answer, face, seen

ONLINE = 2


@pytest.fixture
async def online(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal, request: pytest.FixtureRequest
) -> MockConfigEntry:
    """Set up a terminal that asks, at a door that opens for faces unless the test says otherwise."""
    terminal.app["gate_control"]["match_mode"] = ONLINE
    entry = await add_direct(hass, terminal)
    chosen = {"door_mode": "open", "liveness_required": True, **getattr(request, "param", {})}
    hass.config_entries.async_update_entry(entry, options=per_door(chosen))
    return entry


async def test_opens_for_a_live_known_face(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Gate, speech and text come with the acknowledgement, within 300 ms."""
    capture = await terminal.present_known("0001")
    state = await seen(hass, capture)
    assert [opening.reason for opening in terminal.openings] == ["online gateway force"]
    assert capture.latency < 0.3
    assert capture.answer["gateway_ctrl"] == {
        "device_type": "gpio",
        "device_no": 1,
        "ctrl_mode": "force",
        "person_id": "0001",
    }
    assert capture.answer["tts"] == {"text": "Welcome, Alice Gardner"}
    assert capture.answer["Text_display"]["text"] == "Welcome, Alice Gardner"
    assert state.attributes["event_type"] == "recognised"
    assert state.attributes["verdict"] == "granted"


@pytest.mark.parametrize(
    ("online", "granted"), [({"granted_text": "Hi {name}, {x} }{"}, "Hi Alice Gardner, {x} }{")], indirect=["online"]
)
async def test_greeting_is_the_users_text(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal, granted: str
) -> None:
    """Stray braces are text."""
    capture = await terminal.present_known("0001")
    await seen(hass, capture)
    assert capture.answer["tts"]["text"] == granted


@pytest.mark.parametrize("online", [{"granted_text": "あ" * 40}], indirect=True)
async def test_greeting_is_cut_at_a_character(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """64 bytes of UTF-8, never half a character."""
    capture = await terminal.present_known("0001")
    await seen(hass, capture)
    assert capture.answer["tts"]["text"] == "あ" * 21


@pytest.mark.parametrize("online", [{"granted_text": ""}], indirect=True)
async def test_no_greeting(hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Empty is silence."""
    capture = await terminal.present_known("0001")
    await seen(hass, capture)
    assert "tts" not in capture.answer
    assert len(terminal.openings) == 1


@pytest.mark.parametrize("online", [{"denied_text": "Sorry"}], indirect=True)
async def test_stranger_is_turned_away(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """No gate in the answer, and the text for the refused."""
    capture = await terminal.present_stranger()
    state = await seen(hass, capture)
    assert terminal.openings == []
    assert "gateway_ctrl" not in capture.answer
    assert capture.answer["tts"] == {"text": "Sorry"}
    assert state.attributes["event_type"] == "stranger"


@pytest.mark.parametrize("online", [{"door_mode": "never", "denied_text": "Sorry"}], indirect=True)
async def test_door_that_never_opens_for_a_face(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """A no is a no, and is told to whoever stands there."""
    capture = await terminal.present_known("0001")
    state = await seen(hass, capture)
    assert terminal.openings == []
    assert capture.answer["tts"] == {"text": "Sorry"}
    assert (state.attributes["event_type"], state.attributes["reason"]) == ("denied", "policy")


@pytest.mark.parametrize("online", [{"door_mode": "notify_only"}], indirect=True)
async def test_door_that_does_not_open_by_itself(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Recognised and announced; the door is for somebody else to open."""
    capture = await terminal.present_known("0001")
    state = await seen(hass, capture)
    assert terminal.openings == []
    assert "tts" not in capture.answer
    assert state.attributes["event_type"] == "recognised"
    assert state.attributes["verdict"] == "none"


async def test_without_liveness_detection(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """A photo matches while the device does not check for life: the door stays shut."""
    terminal.app["gate_control"]["match_mode"] = ONLINE
    terminal.app["face"]["enable_alive"] = False
    entry = await add_direct(hass, terminal)
    set_policy(hass, entry, door_mode="open")
    state = await seen(hass, await terminal.present_photo("0001"))
    assert terminal.openings == []
    assert state.attributes["reason"] == "liveness"


async def test_liveness_detection_switched_off_at_the_device(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """A terminal that opens by our word is asked at every ping whether it still checks."""
    terminal.app["face"]["enable_alive"] = False
    async_fire_time_changed(hass, datetime.now(UTC) + PING_EVERY)
    await settle(hass)
    state = await seen(hass, await terminal.present_photo("0001"))
    assert terminal.openings == []
    assert state.attributes["reason"] == "liveness"


async def test_what_was_known_long_ago_opens_nothing(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """It pushes and does not answer: whether it checks for life is not known any more."""
    with patch("custom_components.face_access.devices.terminal.state._LIVENESS_AGE", -1):
        state = await seen(hass, await terminal.present_known("0001"))
    assert terminal.openings == []
    assert state.attributes["reason"] == "liveness"


async def test_the_devices_no_beats_our_yes(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Fever at the door of a person who may come in."""
    terminal.app["face"]["body_temperature"]["enable"] = True
    state = await seen(hass, await terminal.present_known("0001", temperature=39.9))
    assert terminal.openings == []
    assert state.attributes["reason"] == "temperature"


async def test_repeated_push_opens_nothing(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """The very same body again: acknowledged, without a gate."""
    await seen(hass, await terminal.present_known("0001"))
    result = await terminal.resend_last()
    assert "gateway_ctrl" not in str(result)
    assert len(terminal.openings) == 1


async def test_late_push_opens_nothing(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Somebody stood at the door while the network was down, and has left."""
    terminal.clock_offset = -60
    capture = await terminal.present_known("0001")
    await capture.wait()
    await settle(hass)
    assert terminal.openings == []
    assert hass.states.get(FACE).state == "unknown"


async def test_what_is_not_stored_opens_nothing(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """A door that opens leaves a trace, or stays shut."""
    with patch.object(online.runtime_data.history, "add", side_effect=sqlite3.OperationalError):
        state = await seen(hass, await terminal.present_known("0001"))
    assert terminal.openings == []
    assert state.attributes["reason"] == "not_stored"
    # The record of it does not know what we decided; we do.
    await read_again(hass, online)
    assert await remembered(online) == [("denied", "not_stored")]


async def test_what_is_not_stored_is_told_of_once(
    hass: HomeAssistant, web: str, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """No disk remembers it, so we do: the same push once more is no second visitor, whether the disk is back or not."""
    body = json.dumps(face(match={**face()["match"], "person_attr": "permanent_list"})).encode()
    heard = async_capture_events(hass, EVENT_STATE_CHANGED)
    with patch.object(online.runtime_data.history, "add", side_effect=sqlite3.OperationalError):
        for _ in range(2):
            await answer(web, online, body)
            await settle(hass)
    assert (await answer(web, online, body))["code"] == 0
    await settle(hass)
    assert [event.data["entity_id"] for event in heard].count(FACE) == 1
    assert terminal.openings == []
    # The disk is back, and keeps what came of it then.
    assert await remembered(online) == [("denied", "not_stored")]


async def test_a_push_behind_its_own_record_is_decided_on_and_kept_so(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """A catch-up is faster than the push of somebody who stands at the door: they are let in, and history says so."""
    terminal.uploader.transmit, transmit = hold_back(terminal.uploader.transmit)
    capture = await terminal.present_known("0001")
    await read_again(hass, online)
    assert await remembered(online) == [("none", None)]
    transmit.set()
    state = await seen(hass, capture)
    assert (state.attributes["event_type"], state.attributes["verdict"]) == ("recognised", "granted")
    assert await remembered(online) == [("granted", None)]
    (past,) = await online.runtime_data.history.list(source=SERIAL)
    assert (past.live, past.liveness) == (True, "live")
    await terminal.resend_last()
    await settle(hass)
    assert len(terminal.openings) == 1
    assert await remembered(online) == [("granted", None)]


async def test_a_late_push_behind_its_own_record_is_decided_on_once(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Somebody stood at the door while Home Assistant was away: too late is a no, and stays the same no."""
    decisions = async_capture_events(hass, EVENT_DECIDED)
    async with killed(hass, online):
        await terminal.present_known("0001")
        # From its first failure on, the terminal knows that what it sends is late.
        await until(lambda: terminal.uploader._stuck)
        terminal.uploader.transmit, transmit = hold_back(terminal.uploader.transmit)
    await settle(hass)
    assert await remembered(online) == [("none", None)]
    transmit.set()
    await terminal.wait_for_pushes()
    await settle(hass)
    assert await remembered(online) == [("denied", "stale")]
    await terminal.resend_last()
    await settle(hass)
    await read_again(hass, online)
    assert await remembered(online) == [("denied", "stale")]
    assert [decision.data["reason"] for decision in decisions] == ["stale", "repeated"]
    assert terminal.openings == []
    assert hass.states.get(FACE).state == "unknown"


async def test_slow_disk_opens_nothing(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """When the sighting is stored at last, whoever it was has left."""
    add, late = online.runtime_data.history.add, timedelta()

    async def slow_add(*args: object, **kwargs: object) -> bool:
        nonlocal late
        late = timedelta(seconds=11)
        return await add(*args, **kwargs)

    with (
        patch.object(online.runtime_data.history, "add", slow_add),
        patch("homeassistant.util.dt.utcnow", lambda: datetime.now(UTC) + late),
    ):
        state = await seen(hass, await terminal.present_known("0001"))
    assert terminal.openings == []
    assert state.attributes["reason"] == "stale"
    assert await remembered(online) == [("denied", "stale")]


async def test_a_disk_that_is_done_after_all_keeps_what_came_of_it(
    hass: HomeAssistant, online: MockConfigEntry, terminal: SimulatedTerminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waited for it any more, and the door stayed shut: history does not say that somebody was let in."""
    add = online.runtime_data.history.add

    async def add_late(*args: Any, **kwargs: Any) -> bool:
        await add(*args, **kwargs)
        raise TimeoutError

    monkeypatch.setattr(online.runtime_data.history, "add", add_late)
    state = await seen(hass, await terminal.present_known("0001"))
    assert terminal.openings == []
    assert state.attributes["reason"] == "not_stored"
    assert await remembered(online) == [("denied", "not_stored")]


async def test_what_cannot_be_corrected_is_logged(
    hass: HomeAssistant,
    online: MockConfigEntry,
    terminal: SimulatedTerminal,
    caplog: pytest.LogCaptureFixture,
) -> None:
    history = online.runtime_data.history
    with (
        patch.object(history, "add", side_effect=sqlite3.OperationalError),
        patch.object(history, "judged", side_effect=sqlite3.OperationalError),
    ):
        await seen(hass, await terminal.present_known("0001"))
    assert terminal.openings == []
    assert "what came of a sighting could not be corrected: OperationalError" in caplog.text


async def remembered(entry: MockConfigEntry) -> list[tuple[str, str | None]]:
    """What history says came of what the terminal saw."""
    return [(past.verdict, past.reason) for past in await entry.runtime_data.history.list(source=SERIAL)]

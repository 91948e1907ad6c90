"""A terminal that calls Home Assistant: behind NAT, without a port, and with all that the other kind has."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
import json
import time
from types import SimpleNamespace
from unittest.mock import patch

import aiohttp
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import EVENT_HOMEASSISTANT_STOP, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.face_access.const import DOMAIN, SILENT_AFTER
from custom_components.face_access.devices.terminal import queue
from custom_components.face_access.devices.terminal.caller import Caller
from custom_components.face_access.hub.house import async_close_link
from custom_components.face_access.hub.news import edge
from simulators.terminal import SimulatedTerminal

from .conftest import (
    FAST,
    SERIAL,
    add_calling,
    add_direct,
    choose_options,
    house_zone,
    issue_id,
    killed,
    set_policy,
    settle,
    until,
)
from .test_push import FACE, face, seen

ONLINE = "binary_sensor.front_door_online"
OPEN = "button.front_door_open_door"
ADDRESSES = ("control_id", "webhook_id")
# Much less than the time for which a question is held: who is faster did not wait for a new one.
AT_ONCE = 3


@pytest.fixture
def calling_device(calling_entry: MockConfigEntry, device_registry: dr.DeviceRegistry) -> str:
    (device,) = dr.async_entries_for_config_entry(device_registry, calling_entry.entry_id)
    return device.id


@pytest.fixture
async def online(hass: HomeAssistant, calling_entry: MockConfigEntry) -> MockConfigEntry:
    """The entry after the terminal's first question was answered and everything was read, its records included."""
    await until(lambda: hass.states.get(ONLINE).state == "on")
    await settle(hass)
    return calling_entry


@pytest.fixture
async def stranger(hass: HomeAssistant) -> AsyncIterator[SimulatedTerminal]:
    """Another terminal behind NAT, that takes an answer after 0.1 s for a slow one."""
    other = SimulatedTerminal(
        serial="FFFFFF-000000-0000EE", port=None, timings=replace(FAST, instant=0.1), utc_offset=house_zone()
    )
    await other.start()
    yield other
    await other.stop()


@contextmanager
def an_hour_later() -> Iterator[None]:
    """Let an hour pass for links."""
    with patch.object(queue, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + 3600)):
        yield


async def goes_silent(hass: HomeAssistant, terminal: SimulatedTerminal) -> None:
    """The terminal leaves without a word, and its time to ask passes."""
    await terminal.cut_network()
    async_fire_time_changed(hass, datetime.now(UTC) + SILENT_AFTER + timedelta(seconds=1))
    await until(lambda: hass.states.get(ONLINE).state == "off")
    await lets_go(hass)


async def lets_go(hass: HomeAssistant) -> None:
    """Wait until the question of a dead connection, whose time is up, is held no longer."""
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    await until(lambda: entry.runtime_data.station.inbox._link._held is None)


async def post(url: str, body: dict) -> dict:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 0
        return json.loads(await response.read())


async def test_entities_come_with_the_first_question(
    hass: HomeAssistant, online: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """The same entities as of a terminal that we call, all of them available."""
    entities = er.async_entries_for_config_entry(entity_registry, online.entry_id)
    states = {entity.entity_id: hass.states.get(entity.entity_id) for entity in entities if not entity.disabled_by}
    assert [name for name, state in states.items() if state is None or state.state == STATE_UNAVAILABLE] == []
    assert states["number.front_door_volume"].state == "50"
    assert states["sensor.front_door_people"].state == "3"


async def test_both_modes_have_the_same_entities(
    hass: HomeAssistant, online: MockConfigEntry, entity_registry: er.EntityRegistry
) -> None:
    """One interface over both links (unique ids differ in nothing but the serial number)."""
    direct = SimulatedTerminal(serial="FFFFFF-000000-0000EE", timings=FAST, utc_offset=house_zone())
    await direct.start()
    other = await add_direct(hass, direct)
    keys = [
        {
            (entity.domain, entity.unique_id.removeprefix(entry.unique_id), entity.disabled_by)
            for entity in er.async_entries_for_config_entry(entity_registry, entry.entry_id)
        }
        for entry in (online, other)
    ]
    assert keys[0] == keys[1]
    assert len(keys[0]) > 80
    await hass.config_entries.async_unload(other.entry_id)
    await direct.stop()
    assert direct.violations == []


async def test_door_opens_at_once(hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal) -> None:
    """A held question is answered with the command; nobody waits for the next one."""
    for _ in range(3):
        async with asyncio.timeout(AT_ONCE):
            await hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)
    assert [opening.reason for opening in behind_nat.openings] == ["gpio control force"] * 3


async def test_settings_are_written(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """Write, read back, show: a dozen commands over the queue."""
    await hass.services.async_call(
        "number", "set_value", {"entity_id": "number.front_door_volume", "value": 35}, blocking=True
    )
    await hass.services.async_call(
        "select", "select_option", {"entity_id": "select.front_door_fill_light", "option": "off"}, blocking=True
    )
    assert behind_nat.volume == 35
    assert behind_nat.app["led_control"]["led_mode"] == 3
    assert hass.states.get("number.front_door_volume").state == "35"
    assert hass.states.get("select.front_door_fill_light").state == "off"


async def test_pushes_come_on_the_upload_url(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """Beside the questions, while one of them is held."""
    async with asyncio.timeout(AT_ONCE):
        state = await seen(hass, await behind_nat.present_known("0001"))
    assert state.attributes["person"] == "Alice Gardner"


async def test_online_decision_comes_with_the_push(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """The door is opened by the acknowledgement, not by the queue."""
    set_policy(hass, online, door_mode="open")
    await hass.services.async_call(
        "select", "select_option", {"entity_id": "select.front_door_who_decides", "option": "online"}, blocking=True
    )
    capture = await behind_nat.present_known("0001")
    await seen(hass, capture)
    assert [opening.reason for opening in behind_nat.openings] == ["online gateway force"]
    assert capture.latency < 0.3


async def test_silence(hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal) -> None:
    """A terminal that stopped asking is offline: what it has is unavailable, what it saw stays true."""
    await seen(hass, await behind_nat.present_known("0001"))
    before = hass.states.get(FACE)
    await goes_silent(hass, behind_nat)
    for entity in (OPEN, "lock.front_door_door", "number.front_door_volume", "switch.front_door_face_recognition"):
        assert hass.states.get(entity).state == STATE_UNAVAILABLE, entity
    assert hass.states.get(FACE) == before
    assert hass.states.get("sensor.front_door_last_person").state == "Alice Gardner"
    await behind_nat.restore_network()
    await until(lambda: hass.states.get(ONLINE).state == "on", AT_ONCE)
    await until(lambda: hass.states.get("number.front_door_volume").state == "50")
    assert hass.states.get(FACE) == before


async def test_call_of_before_the_silence_is_forgotten(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """A connected call that is over when the terminal comes back must not be shown as connected."""
    call = "sensor.front_door_call"
    await behind_nat.ring()
    await until(lambda: hass.states.get(call).state == "ringing")
    behind_nat.phone.reset()
    await goes_silent(hass, behind_nat)
    assert hass.states.get(call).state == STATE_UNAVAILABLE
    await behind_nat.restore_network()
    await until(lambda: hass.states.get(call).state == "unknown")


async def test_questions_keep_it_online(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """Every question starts the time anew."""
    await behind_nat.cut_network()
    async_fire_time_changed(hass, datetime.now(UTC) + SILENT_AFTER - timedelta(seconds=5))
    await lets_go(hass)
    assert hass.states.get(ONLINE).state == "on"
    await behind_nat.restore_network()
    await hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)
    assert len(behind_nat.openings) == 1
    await behind_nat.cut_network()
    async_fire_time_changed(hass, datetime.now(UTC) + SILENT_AFTER - timedelta(seconds=5))
    await settle(hass)
    assert hass.states.get(ONLINE).state == "on"


@pytest.mark.parametrize("silence", ["just now", "long ago"])
async def test_command_to_a_silent_terminal_is_never_delivered(
    hass: HomeAssistant,
    online: MockConfigEntry,
    behind_nat: SimulatedTerminal,
    calling_device: str,
    silence: str,
) -> None:
    """The command fails, and the door does not open when the terminal is back: whoever stands there is another one."""
    open_door = hass.services.async_call(DOMAIN, "open_door", {"device_id": calling_device}, blocking=True)
    if silence == "just now":
        await behind_nat.cut_network()
        # Let the question go that Home Assistant still holds for a dead connection.
        async_fire_time_changed(hass, datetime.now(UTC) + timedelta(seconds=queue.HOLD + 1))
        await lets_go(hass)
        with short_patience(), pytest.raises(HomeAssistantError) as error:
            await open_door
    else:
        await goes_silent(hass, behind_nat)
        with an_hour_later(), pytest.raises(HomeAssistantError) as error:
            await open_door
    assert error.value.translation_key == "cannot_connect"
    await behind_nat.restore_network()
    await until(lambda: hass.states.get(ONLINE).state == "on")
    await hass.services.async_call(
        "number", "set_value", {"entity_id": "number.front_door_volume", "value": 1}, blocking=True
    )
    assert behind_nat.openings == []
    assert "gpio control" not in behind_nat.commands


@contextmanager
def short_patience() -> Iterator[None]:
    """Let commands wait for a fraction of a second."""
    with patch.dict(Caller.call.__kwdefaults__, timeout=0.2), patch(f"{Caller.__module__}.TIMEOUT", 0.2):
        yield


async def test_button_of_a_silent_terminal(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """An unavailable button does nothing, now or later."""
    await goes_silent(hass, behind_nat)
    await hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)
    await behind_nat.restore_network()
    await until(lambda: hass.states.get(ONLINE).state == "on")
    assert behind_nat.openings == []


async def test_reload_keeps_the_held_question(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """Commands go on at once; on a new link they would wait until the old question's time is up."""
    await settle(hass)
    async with asyncio.timeout(AT_ONCE):
        assert await hass.config_entries.async_reload(online.entry_id)
        await until(lambda: hass.states.get(ONLINE).state == "on")
        await hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)
    assert len(behind_nat.openings) == 1
    assert behind_nat.control.instant == 0


async def test_options_are_changed(hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal) -> None:
    """The reload that the options ask for is as quick."""
    async with asyncio.timeout(AT_ONCE):
        await choose_options(hass, online, {"door_mode": "never"}, {}, local_only=True)
        await until(lambda: hass.states.get(ONLINE) is not None and hass.states.get(ONLINE).state == "on")
    assert len(hass.states.async_entity_ids("lock")) == 2


async def test_home_assistant_starts_again(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """The terminal is away at the start: its entities are there, and wait for its first question."""
    async with killed(hass, online):
        await behind_nat.cut_network()
        await async_close_link(hass, online.data)
    assert online.state is ConfigEntryState.LOADED
    assert hass.states.get(ONLINE).state == "off"
    assert hass.states.get("number.front_door_volume").state == STATE_UNAVAILABLE
    await online.runtime_data.async_refresh()
    assert hass.states.get(ONLINE).state == "off", "nobody can be asked who does not ask"
    await behind_nat.restore_network()
    await until(lambda: hass.states.get("number.front_door_volume").state == "50")
    await hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)
    assert len(behind_nat.openings) == 1


async def test_home_assistant_goes_down(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """The held question is answered, else Home Assistant's server would wait for it; the next ones are slowed down."""
    behind_nat.timings = replace(FAST, instant=0.5, reconnect=0.6)
    await settle(hass)
    asked = behind_nat.control.heartbeats
    hass.bus.async_fire(EVENT_HOMEASSISTANT_STOP)
    await until(lambda: behind_nat.control.heartbeats > asked + 1, AT_ONCE)
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)
    assert behind_nat.openings == []


async def test_terminal_starts_again(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """After a reboot by button it asks again, and works."""
    await hass.services.async_call("button", "press", {"entity_id": "button.front_door_restart_device"}, blocking=True)
    await until(lambda: not behind_nat.online)
    await until(lambda: behind_nat.online)
    await hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)
    assert len(behind_nat.openings) == 1
    assert hass.states.get(ONLINE).state == "on"


async def test_another_device_on_the_control_url(
    hass: HomeAssistant,
    online: MockConfigEntry,
    behind_nat: SimulatedTerminal,
    stranger: SimulatedTerminal,
    issue_registry: ir.IssueRegistry,
) -> None:
    """It is kept waiting, gets no command, and an issue names it. The right one goes on."""
    with patch.object(edge, "_HOLD", 0.2):
        stranger.connect(behind_nat.control_url())
        await until(lambda: stranger.control.heartbeats > 2)
        async with asyncio.timeout(AT_ONCE):
            await hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)
        stranger.disconnect()
        await asyncio.sleep(0.2)
    assert stranger.commands == []
    assert stranger.violations == []
    assert (len(behind_nat.openings), stranger.openings) == (1, [])
    issue = issue_registry.async_get_issue(DOMAIN, issue_id("wrong_station", online))
    assert issue.is_fixable is False
    assert issue.translation_placeholders == {"name": "Front door", "expected": SERIAL, "found": stranger.serial}


async def test_another_device_on_the_upload_url(
    hass: HomeAssistant,
    online: MockConfigEntry,
    behind_nat: SimulatedTerminal,
    stranger: SimulatedTerminal,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Its faces are acknowledged, and nobody's."""
    stranger.connect(upload_url=behind_nat.upload_url())
    await seen(hass, await stranger.present_known("0001"))
    assert hass.states.get(FACE).state == "unknown"
    assert await online.runtime_data.history.list(source=None) == []
    assert issue_registry.async_get_issue(DOMAIN, issue_id("wrong_station", online)) is not None
    assert stranger.violations == []


async def test_face_on_the_control_url(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """A terminal with one URL for both: the push is acknowledged at once, as a push."""
    body = face()
    async with asyncio.timeout(AT_ONCE):
        answered = await post(behind_nat.control_url(), body)
    assert answered == {"reply": "ACK", "cmd": "face", "code": 0, "sequence_no": 4711, "cap_time": body["cap_time"]}
    await settle(hass)
    assert hass.states.get(FACE).attributes["event_type"] == "recognised"


async def test_heartbeat_on_the_upload_url(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal, caplog: pytest.LogCaptureFixture
) -> None:
    """Both addresses mixed up at the device: answered late, or it would ask again without end."""
    heartbeat = json.dumps({"cmd": "heart beat", "device_sn": SERIAL}).encode()
    with patch.object(edge, "_HOLD", 0.3):
        answers = [await post_bytes(behind_nat.upload_url(), heartbeat) for _ in range(2)]
    assert all(json.loads(body)["code"] == 0 and seconds >= 0.3 for body, seconds in answers)
    assert caplog.text.count("asks for commands at the address for pushes") == 1


async def test_bell_on_the_control_url(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """So is a call."""
    body = {"cmd": "sip event", "device_sn": SERIAL, "sip_event": 1}
    async with asyncio.timeout(AT_ONCE):
        assert await post(behind_nat.control_url(), body) == {"reply": "ACK", "cmd": "sip event", "code": 0}
    await settle(hass)
    assert hass.states.get("event.front_door_doorbell").state != "unknown"
    assert hass.states.get("sensor.front_door_call").state == "calling"


async def test_question_for_firmware(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """Asked on the control URL; nothing is on offer, and the version is known from then on."""
    async with asyncio.timeout(AT_ONCE):
        assert await behind_nat.ask_upgrade() is False
    await settle(hass)
    assert hass.states.get("update.front_door_firmware").attributes["installed_version"] == "0.10.2"


async def test_garbage_on_the_control_url(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal, caplog: pytest.LogCaptureFixture
) -> None:
    """Acknowledged late, each kind logged once, and it takes no command away."""
    url = behind_nat.control_url()
    with patch.object(edge, "_HOLD", 0.2):
        answers = await asyncio.gather(*(post_bytes(url, b"\x00garbage") for _ in range(3)))
        answers += await asyncio.gather(*(post_bytes(url, b'{"cmd": "new thing"}') for _ in range(2)))
    assert all(json.loads(body)["code"] == 0 and seconds >= 0.2 for body, seconds in answers)
    said = [record.getMessage() for record in caplog.records if "something unusable" in record.msg]
    assert [text.partition("(")[2].partition(")")[0] for text in said] == ["not JSON", "unknown command"]
    async with asyncio.timeout(AT_ONCE):
        await hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)
    assert len(behind_nat.openings) == 1


async def post_bytes(url: str, body: bytes) -> tuple[bytes, float]:
    """Post anything; the answer and how long it took."""
    start = time.monotonic()
    async with aiohttp.ClientSession() as session, session.post(url, data=body) as response:
        return await response.read(), time.monotonic() - start


async def test_removal(
    hass: HomeAssistant, online: MockConfigEntry, behind_nat: SimulatedTerminal, issue_registry: ir.IssueRegistry
) -> None:
    """The terminal is told over the queue to send its faces where it did before; then its addresses are closed."""
    await seen(hass, await behind_nat.present_known("0001"))
    history = online.runtime_data.history
    await hass.config_entries.async_remove(online.entry_id)
    await behind_nat.cut_network()
    assert behind_nat.upload_url() is None
    assert hass.data["webhook"] == {}
    assert await history.list(source=None) == []
    assert hass.states.async_all() == []
    assert [issue for issue in issue_registry.issues if issue[0] == DOMAIN] == []
    # Nobody holds questions at an address that is closed: the user switches them off at the device.
    behind_nat.clear_violations()


async def test_set_up_again_after_removal(hass: HomeAssistant, web: str, behind_nat: SimulatedTerminal) -> None:
    """New addresses; the old ones are nobody's."""
    first = await add_calling(hass, web, behind_nat)
    await hass.config_entries.async_remove(first.entry_id)
    second = await add_calling(hass, web, behind_nat)
    assert not {first.data[key] for key in ADDRESSES} & {second.data[key] for key in ADDRESSES}
    await until(lambda: hass.states.get(ONLINE).state == "on")
    await behind_nat.stop()
    await async_close_link(hass, second.data)
    behind_nat.clear_violations()

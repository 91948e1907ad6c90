"""What a terminal pushes: all of it is acknowledged, the right bodies become events, and nothing opens by mistake."""

import asyncio
from datetime import datetime, timedelta
import json
import logging
import sqlite3
from unittest.mock import patch

import aiohttp
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.news import edge
from simulators.terminal import Capture, SimulatedTerminal

from .conftest import SERIAL, settle, until

FACE = "event.front_door_face"
IMAGE = "image.front_door_last_sighting"


async def seen(hass: HomeAssistant, capture: Capture | None) -> State:
    """Wait until a capture is acknowledged and everybody has heard of it."""
    assert capture is not None
    await capture.wait()
    await settle(hass)
    state = hass.states.get(FACE)
    assert state is not None
    return state


async def post(
    web: str, entry: MockConfigEntry, body: bytes, method: str = "POST"
) -> tuple[aiohttp.ClientResponse, bytes]:
    """Send anything to the terminal's webhook."""
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, f"{web}/api/webhook/{entry.data['webhook_id']}", data=body) as response,
    ):
        return response, await response.read()


async def answer(web: str, entry: MockConfigEntry, body: bytes) -> dict:
    """Send anything and read the acknowledgement."""
    response, content = await post(web, entry, body)
    assert response.status == 200
    assert int(response.headers["Content-Length"]) > 0
    assert "Transfer-Encoding" not in response.headers
    return json.loads(content)


def face(**changes: object) -> dict:
    """Make a push by hand, for what no terminal would send."""
    now = dt_util.now()
    return {
        "version": "0.2",
        "cmd": "face",
        "sequence_no": 4711,
        "device_sn": SERIAL,
        "cap_time": now.strftime("%Y/%m/%d %H:%M:%S.%f")[:-3],
        "is_realtime": 1,
        "match_result": 91,
        "match_failed_reson": 0,
        "match": {"person_id": "0001", "person_name": "Alice Gardner", "person_role": 1},
        **changes,
    }


async def test_known_face(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Event, picture and sensors, and the picture is there before the event fires."""
    terminal.app["face"]["body_temperature"]["enable"] = True
    terminal.app["face"]["mask"]["enable"] = True
    changes = async_capture_events(hass, "state_changed")
    state = await seen(hass, await terminal.present_known("0001", temperature=36.6, mask=True))
    assert state.attributes["event_type"] == "recognised"
    assert state.attributes["person"] == "Alice Gardner"
    assert state.attributes["verdict"] == "granted"
    assert state.attributes["liveness"] == "live"
    assert (state.attributes["temperature"], state.attributes["mask"]) == (36.6, True)
    assert state.attributes["picture"] == IMAGE
    assert hass.states.get("sensor.front_door_last_person").state == "Alice Gardner"
    order = [change.data["entity_id"] for change in changes]
    assert order.index(IMAGE) < order.index(FACE)


async def test_stranger(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """A stranger is announced and gets nowhere."""
    state = await seen(hass, await terminal.present_stranger())
    assert state.attributes["event_type"] == "stranger"
    assert state.attributes["verdict"] == "denied"
    assert terminal.openings == []


async def test_photo_of_a_face_with_liveness_detection(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """The device does not match it. The protocol has no word for a spoof, so it is a stranger."""
    state = await seen(hass, await terminal.present_photo("0001"))
    assert state.attributes["event_type"] == "stranger"
    assert terminal.openings == []


@pytest.mark.parametrize(
    ("settings", "scene", "reason"),
    [
        ({("body_temperature", "enable"): True}, {"temperature": 39.5}, "temperature"),
        ({("mask", "enable"): True, ("mask", "must_wear_mask"): True}, {"mask": False}, "mask"),
        ({}, {"person_id": "0003"}, "blocked"),
    ],
)
async def test_the_devices_no_stands(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    settings: dict,
    scene: dict,
    reason: str,
) -> None:
    """match_failed_reson below 0: somebody is known, and stays outside."""
    for (group, key), value in settings.items():
        terminal.app["face"][group][key] = value
    state = await seen(hass, await terminal.present_known(**{"person_id": "0001", **scene}))
    assert state.attributes["event_type"] == "denied"
    assert state.attributes["reason"] == reason
    assert terminal.openings == []


async def test_unregistered_card(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """A card that nobody knows is refused, and its number is nowhere."""
    state = await seen(hass, await terminal.swipe_card(987654321))
    assert state.attributes["event_type"] == "denied"
    assert (state.attributes["reason"], state.attributes["card"]) == ("card", True)
    assert "987654321" not in str(hass.states.async_all())


async def test_the_same_push_twice(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Repeated: acknowledged and ignored."""
    await seen(hass, await terminal.present_known("0001"))
    events = async_capture_events(hass, "state_changed")
    result = await terminal.resend_last()
    await settle(hass)
    assert result["status"] == 200
    assert [event for event in events if event.data["entity_id"] == FACE] == []
    assert len(await entry.runtime_data.history.list(source=SERIAL)) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"is_realtime": 0},
        {"is_realtime": None},
        {"cap_time": "1970/01/01 00:00:10.000"},
        {"cap_time": "2099/01/01 00:00:00.000"},
        {"cap_time": (datetime.now().astimezone() - timedelta(minutes=5)).strftime("%Y/%m/%d %H:%M:%S.000")},
    ],
    ids=["back-filled", "no age", "1970", "2099", "five minutes late"],
)
async def test_old_pushes_are_history_only(
    hass: HomeAssistant, web: str, entry: MockConfigEntry, changes: dict
) -> None:
    """Back-filled, a clock from 1970, five minutes late: kept, and no event."""
    body = face(**changes)
    acknowledged = await answer(web, entry, json.dumps(body).encode())
    assert acknowledged == {
        "reply": "ACK",
        "cmd": "face",
        "code": 0,
        "sequence_no": 4711,
        "cap_time": body["cap_time"],
    }
    await settle(hass)
    assert hass.states.get(FACE).state == "unknown"
    (past,) = await entry.runtime_data.history.list(source=SERIAL)
    assert not past.live


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", {}),
        (b"\x00\xff\xfe garbage", {}),
        (b"[]", {}),
        (b'{"cmd": "face"', {}),
        (b'{"cmd": "face", "sequence_no": 12, "cap_time": "2026/11/21 1', {"sequence_no": 12}),
        (
            b'{"cmd": "face", "sequence_no": 12, "cap_time": "2026/11/21 10:00:00.001", "match": {',
            {"sequence_no": 12, "cap_time": "2026/11/21 10:00:00.001"},
        ),
        (b'{"cmd": "face", "sequence_no": "x", "cap_time": 5}', {"sequence_no": "x", "cap_time": 5}),
        pytest.param(
            json.dumps(face(match_result="many", match=[1, 2], person="x", closeup_pic={"data": "!"})).encode(),
            None,
            id="wrong types",
        ),
    ],
)
async def test_malformed_bodies_are_acknowledged(
    hass: HomeAssistant, web: str, entry: MockConfigEntry, body: bytes, expected: dict | None
) -> None:
    """A device is never left resending, however broken its body; nothing opens, nothing fires as recognised."""
    acknowledged = await answer(web, entry, body)
    assert (acknowledged["reply"], acknowledged["cmd"], acknowledged["code"]) == ("ACK", "face", 0)
    if expected is not None:
        assert {key: acknowledged[key] for key in acknowledged.keys() - {"reply", "cmd", "code"}} == expected
    await settle(hass)
    assert hass.states.get(FACE).attributes.get("event_type") != "recognised"


async def test_garbage_is_logged_once(
    hass: HomeAssistant, web: str, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """A broken device does not fill the log, and its content is not in it."""
    for _ in range(3):
        await answer(web, entry, b"secret garbage")
    assert caplog.text.count("sent something unusable") == 1
    assert "secret garbage" not in caplog.text


async def test_only_post(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """Nothing else is accepted."""
    response, _ = await post(web, entry, b"", "PUT")
    assert response.status == 405


async def test_another_devices_push(
    hass: HomeAssistant, web: str, entry: MockConfigEntry, issue_registry: ir.IssueRegistry
) -> None:
    """Two devices on one URL: acknowledged, not taken, and a repair issue says so."""
    body = face(device_sn="FFFFFF-000000-0000EE")
    assert (await answer(web, entry, json.dumps(body).encode()))["sequence_no"] == 4711
    await settle(hass)
    assert hass.states.get(FACE).state == "unknown"
    assert await entry.runtime_data.history.list(source=None) == []
    issue = issue_registry.async_get_issue(DOMAIN, f"wrong_station_{entry.entry_id}")
    assert issue is not None
    assert issue.translation_placeholders["found"] == "FFFFFF-000000-0000EE"


async def test_push_without_serial_number(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """Who does not say who they are is nobody."""
    body = face()
    del body["device_sn"]
    assert (await answer(web, entry, json.dumps(body).encode()))["sequence_no"] == 4711
    assert await entry.runtime_data.history.list(source=None) == []


async def test_body_beyond_the_limit(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """A video nobody asked for: acknowledged by what its head says."""
    body = json.dumps(face(video={"data": "A" * 20000})).encode()
    with patch.object(edge, "BODY_LIMIT", 10000):
        acknowledged = await answer(web, entry, body)
    assert acknowledged["sequence_no"] == 4711
    assert "cap_time" in acknowledged


async def test_large_body_is_parsed_in_a_thread(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """More than a megabyte is understood all the same."""
    body = json.dumps(face(feature_data="0" * 2_000_000)).encode()
    assert (await answer(web, entry, body))["sequence_no"] == 4711
    await settle(hass)
    assert hass.states.get(FACE).attributes["event_type"] == "recognised"


async def test_body_that_breaks_off(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """A device that dies in the middle of a body leaves nothing behind."""
    host, port = web.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /api/webhook/{entry.data['webhook_id']} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    writer.write(head.encode() + b'{"cmd": "face", "sequence_no": 1')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await settle(hass)
    assert await entry.runtime_data.history.list(source=None) == []


async def test_slow_body(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """A body that never ends is answered with what came."""
    host, port = web.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /api/webhook/{entry.data['webhook_id']} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
    writer.write(head.encode() + b'{"cmd": "face", "sequence_no": 77, ')
    with patch.object(edge, "_READ_TIMEOUT", 0.2):
        async with asyncio.timeout(5):
            received = await reader.read(4096)
    assert b'"sequence_no": 77' in received
    writer.close()
    await writer.wait_closed()


async def test_full_disk(
    hass: HomeAssistant, web: str, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be stored is acknowledged and announced, and fetched from the device's records later."""
    with patch.object(entry.runtime_data.history, "add", side_effect=sqlite3.OperationalError("disk is full")):
        assert (await answer(web, entry, json.dumps(face()).encode()))["sequence_no"] == 4711
    await settle(hass)
    assert "could not be stored" in caplog.text
    assert hass.states.get(FACE).attributes["event_type"] == "recognised"
    assert entry.runtime_data.catch_up._missed_since is not None


async def test_our_own_fault(
    hass: HomeAssistant, web: str, entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of ours is logged whole, and the device goes on."""
    with patch.object(entry.runtime_data.history, "add", side_effect=RuntimeError("our fault")):
        assert (await answer(web, entry, json.dumps(face()).encode()))["sequence_no"] == 4711
    assert "could not be handled" in caplog.text
    assert "our fault" in caplog.text


async def test_encrypted_names_are_no_names(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """Ids and names in AES (2.15) are of no use: somebody was seen, nobody is named."""
    match = {"person_id": "c2VjcmV0", "person_name": "c2VjcmV0", "person_role": 1, "is_encryption": True}
    await answer(web, entry, json.dumps(face(match=match)).encode())
    await settle(hass)
    state = hass.states.get(FACE)
    assert state.attributes["person"] is None
    assert "c2VjcmV0" not in str(hass.states.async_all())


async def test_right_spelling_of_a_misspelt_key(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """A firmware that mends match_failed_reson must not open doors by that."""
    body = face(match_failed_reason=-4)
    del body["match_failed_reson"]
    await answer(web, entry, json.dumps(body).encode())
    await settle(hass)
    assert hass.states.get(FACE).attributes["reason"] == "schedule"


async def test_unknown_refusal_is_a_refusal(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """A number that the document does not have."""
    await answer(web, entry, json.dumps(face(match_failed_reson=-99)).encode())
    await settle(hass)
    assert hass.states.get(FACE).attributes["reason"] == "device"


async def test_unknown_command(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """Objects may expand without notice (1.2.1, note 7), commands too."""
    body = json.dumps({"cmd": "new thing", "device_sn": SERIAL}).encode()
    assert await answer(web, entry, body) == {"reply": "ACK", "cmd": "new thing", "code": 0}


async def test_heartbeat_on_the_upload_link(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """The optional one of a device that is a data client (2.7)."""
    body = json.dumps({"cmd": "heart beat", "device_sn": SERIAL}).encode()
    assert await answer(web, entry, body) == {"reply": "ACK", "cmd": "heart beat", "code": 0}


async def test_bell(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """A call that the terminal begins is its bell; the call is followed to its end."""
    await terminal.ring()
    await until(lambda: hass.states.get("event.front_door_doorbell").state != "unknown")
    await until(lambda: hass.states.get("sensor.front_door_call").state == "ringing")
    await terminal.answer_call()
    await until(lambda: hass.states.get("sensor.front_door_call").state == "connected")
    await terminal.hang_up()
    await until(lambda: hass.states.get("sensor.front_door_call").state == "idle")


async def test_bell_twice_in_one_breath(hass: HomeAssistant, web: str, entry: MockConfigEntry) -> None:
    """A device that missed our answer sends the event again: one ring."""
    events = async_capture_events(hass, "state_changed")
    for _ in range(2):
        await answer(web, entry, json.dumps({"cmd": "sip event", "device_sn": SERIAL, "sip_event": 1}).encode())
    await settle(hass)
    assert len([event for event in events if event.data["entity_id"] == "event.front_door_doorbell"]) == 1


async def test_our_own_call_is_no_bell(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, device_id: str
) -> None:
    """Home Assistant begins a call: nobody rang."""
    await hass.services.async_call(
        DOMAIN, "sip_register", {"device_id": device_id, "domain": "127.0.0.1", "username": "door"}, blocking=True
    )
    await hass.services.async_call(
        DOMAIN, "sip_call", {"device_id": device_id, "url": "sip:house@127.0.0.1:5060"}, blocking=True
    )
    await until(lambda: hass.states.get("sensor.front_door_call").state == "ringing")
    assert hass.states.get("event.front_door_doorbell").state == "unknown"


@pytest.mark.parametrize("number", [99, "x", None])
async def test_sip_event_without_meaning(hass: HomeAssistant, web: str, entry: MockConfigEntry, number: object) -> None:
    """Acknowledged, and nothing more."""
    body = json.dumps({"cmd": "sip event", "device_sn": SERIAL, "sip_event": number}).encode()
    assert (await answer(web, entry, body))["code"] == 0
    assert hass.states.get("sensor.front_door_call").state == "unknown"


async def test_no_secret_in_log_or_state(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the webhook's id nor a card number nor a picture leaves the edge in our log or in a state."""
    caplog.set_level(logging.DEBUG, "custom_components.face_access")
    await seen(hass, await terminal.swipe_card(12345678))
    await seen(hass, await terminal.present_known("0001"))
    ours = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith("custom_components.face_access")
    )
    everything = ours + "".join(str(state.as_dict()) for state in hass.states.async_all())
    for secret in (entry.data["webhook_id"], "12345678", "/9j/", "ÿØÿ"):
        assert secret not in everything

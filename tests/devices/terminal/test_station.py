"""A terminal as a station: what it reads where firmwares differ, and what it writes."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
import json
from typing import Any

import pytest

from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationConnectionError,
    StationProtocolError,
    StationRefusedError,
    StationTimeoutError,
)
from custom_components.face_access.devices.station import FirmwareOffer, PushTarget, Reading, Station, StationInfo
from custom_components.face_access.devices.terminal.capabilities import TerminalRecords
from custom_components.face_access.devices.terminal.client import TerminalClient
from custom_components.face_access.devices.terminal.state import TerminalState
from custom_components.face_access.devices.terminal.station import TerminalFamily, TerminalReader
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, FakeLink

TARGET = PushTarget(host="192.0.2.4", port=8123, path="api/webhook/abc")
OURS = {"method": "http", "server_ip": "192.0.2.4", "server_port": 8123, "service_url": "api/webhook/abc"}
APP: dict[str, Any] = {
    "face": {"enable_match": True, "match_score": 85, "enable_alive": True},
    "gate_control": {"match_mode": 2, "gpio_retention_time": 2500},
    "lcd_control": {"lcd_display_item": 5},
}
NOT_THERE = {"code": 2}
BUSY = {"code": 5}
NOW = {"date_time": "2026/11/21 10:00:00"}


class Device(FakeLink):
    """Answers each command with what the test says about it, else as one that does not know it."""

    def __init__(self, **replies: Any) -> None:
        super().__init__()
        self.by_command = {command.replace("_", " "): reply for command, reply in replies.items()}

    async def request(self, body: dict[str, Any], *, timeout: float, idempotent: bool) -> dict[str, Any]:
        reply = self.by_command.get(body["cmd"], NOT_THERE)
        self.replies = [{"device_sn": SERIAL, **reply} if isinstance(reply, dict) else reply]
        return await super().request(body, timeout=timeout, idempotent=idempotent)

    @property
    def commands(self) -> list[str]:
        return [body["cmd"] for body in self.asked]


def station(link: FakeLink) -> Station:
    info = StationInfo(serial=SERIAL, name="Front door", manufacturer="FSAN")
    return TerminalFamily().station(link, info, UTC)


async def test_identity() -> None:
    """Board, chip and place; names where the device gives none."""
    device = Device(get_hardware_info={"device_sn": SERIAL}, request_app_params={})
    assert await TerminalFamily().identify(device) == StationInfo(
        serial=SERIAL, name="Face terminal", manufacturer="Face Capture", model=None, hardware=None
    )


async def test_device_without_a_serial_number_is_no_station() -> None:
    """It could not be told from another one."""
    with pytest.raises(StationProtocolError):
        await TerminalFamily().identify(Device(get_hardware_info={"device_sn": ""}, request_app_params={}))


async def test_old_firmware() -> None:
    """What it does not know is left out, and never asked for again."""
    device = Device(request_app_params=APP, get_hardware_info={}, request_date_time=NOW)
    old = station(device)
    reading = await old.reader.read()
    assert reading.settings["match_score"] == 85
    assert reading.settings["display_title"] is True
    assert reading.settings["display_time"] is False
    assert "volume" not in reading.settings
    assert reading.facts == {}
    device.asked.clear()
    await old.reader.read()
    assert device.commands == ["request app params", "request date time"]


@pytest.mark.parametrize("reply", [BUSY, {"volume": "loud"}, {}], ids=str)
async def test_what_could_not_be_read_this_time_is_asked_for_again(reply: dict[str, Any]) -> None:
    device = Device(request_app_params=APP, get_hardware_info={}, request_date_time=NOW, camera_volume=reply)
    terminal = station(device)
    assert "volume" not in (await terminal.reader.read()).settings
    device.by_command["camera volume"] = {"volume": 40}
    assert (await terminal.reader.read()).settings["volume"] == 40


@pytest.mark.parametrize("error", [StationConnectionError("gone"), StationTimeoutError("late")], ids=repr)
async def test_device_that_goes_away_in_the_middle(error: Exception) -> None:
    """Half a reading is none."""
    device = Device(request_app_params=APP, get_hardware_info={}, request_date_time=NOW, camera_volume=error)
    with pytest.raises(type(error)):
        await station(device).reader.read()


async def test_mobile_network() -> None:
    """Signal and the month's traffic; an operator that the module does not know yet is left out."""
    device = Device(
        request_app_params=APP,
        get_hardware_info={"FourG": {"moduler_4g": "YES"}},
        request_date_time=NOW,
        request_4g_infor={"module_ready": True, "signal_strength": -70},
        traffic_statistics={"statistics": [{"date": "11-1", "bytes_rx": 5, "bytes_tx": 7}, {"date": "11-2"}]},
    )
    assert (await station(device).reader.read()).facts == {
        "signal_strength": -70,
        "traffic_received": 5,
        "traffic_sent": 7,
    }


async def test_mobile_network_that_does_not_answer() -> None:
    """The module is there, its commands are not."""
    device = Device(request_app_params=APP, get_hardware_info={"FourG": {"moduler_4g": "YES"}}, request_date_time=NOW)
    assert (await station(device).reader.read()).facts == {}


async def test_clock() -> None:
    """Seconds are noise, minutes are not."""
    device = Device(request_date_time={"date_time": f"{datetime.now(UTC):%Y/%m/%d %H:%M:%S}"})
    terminal = station(device)
    assert await terminal.reader.ping() == timedelta()
    device.by_command["request date time"] = {
        "date_time": f"{datetime.now(UTC) + timedelta(minutes=3):%Y/%m/%d %H:%M:%S}"
    }
    assert abs(await terminal.reader.ping() - timedelta(minutes=3)) < timedelta(seconds=2)


@pytest.mark.parametrize(
    ("key", "value", "sent"),
    [
        ("temperature_fast", True, {"face": {"body_temperature": {"fast_mode": True}}}),
        ("repeat_time", 9, {"face": {"derep_timeout ": 9}}),
        ("similarity", "high", {"face": {"match_score": 90}}),
        ("display_ip", False, {"lcd_control": {"lcd_display_item": 1}}),
        ("hold_time", 3.5, {"gate_control": {"gpio_retention_time": 3500}}),
    ],
)
async def test_write(key: str, value: Any, sent: dict[str, Any]) -> None:
    """One setting, in the device's words and at its place."""
    face = {**APP["face"], "enable_dereplication": True, "derep_timeout ": 3}
    device = Device(
        request_app_params={**APP, "face": face}, get_hardware_info={}, request_date_time=NOW, update_app_params={}
    )
    terminal = station(device)
    await terminal.reader.read()
    await terminal.settings.write(key, value)
    assert device.fields == sent


async def test_bits_of_one_mask_are_written_one_after_the_other() -> None:
    """The second one knows of the first, without a reading in between."""
    device = Device(request_app_params=APP, get_hardware_info={}, request_date_time=NOW, update_app_params={})
    terminal = station(device)
    await terminal.reader.read()
    await terminal.settings.write("display_time", True)
    await terminal.settings.write("display_title", False)
    assert device.fields == {"lcd_control": {"lcd_display_item": 0b110}}


@pytest.mark.parametrize(
    ("key", "value"), [("self_destruct", True), ("match_score", 120), ("led_brightness", "bright"), ("gate_mode", "x")]
)
async def test_what_cannot_be_written_is_not_sent(key: str, value: Any) -> None:
    device = Device(request_app_params=APP, get_hardware_info={}, request_date_time=NOW, update_app_params={})
    terminal = station(device)
    await terminal.reader.read()
    device.asked.clear()
    with pytest.raises((InvalidValueError, KeyError)):
        await terminal.settings.write(key, value)
    assert device.commands == []


@pytest.mark.parametrize(
    ("score", "similarity"), [(60, "low"), (70, "low"), (79, "low"), (80, "normal"), (89, "normal"), (100, "high")]
)
async def test_similarity_is_the_nearest_below(score: int, similarity: str) -> None:
    app = {"face": {"enable_match": True, "match_score": score}}
    device = Device(request_app_params=app, get_hardware_info={}, request_date_time=NOW)
    assert (await station(device).reader.read()).settings["similarity"] == similarity


async def test_value_of_a_newer_firmware_is_left_out() -> None:
    """A mode that we do not know is no reason to lose the rest."""
    app = {"gate_control": {"gate_mode": 99, "match_mode": 1}}
    device = Device(request_app_params=app, get_hardware_info={}, request_date_time=NOW)
    settings = (await station(device).reader.read()).settings
    assert "gate_mode" not in settings
    assert settings["match_mode"] == "auto"


def test_hold_time_is_a_second_unless_the_device_says_so() -> None:
    door = station(FakeLink()).doors[0]
    assert door.hold_time(Reading()) == timedelta(seconds=1)
    assert door.hold_time(Reading(settings={"hold_time": 2.5})) == timedelta(seconds=2.5)


async def test_who_is_not_asked_for_commands_serves_none() -> None:
    """A terminal that we call has no business on a control URL."""
    inbox = station(FakeLink()).inbox
    assert inbox.asking is False
    with pytest.raises(StationProtocolError):
        await inbox.exchange(b'{"cmd": "heart beat"}')


async def test_redirect_and_restore() -> None:
    """What was there comes back to the letter, keys that we do not know included."""
    previous = {"method": "http", "server_ip": "192.0.2.9", "server_port": 80, "service_url": "x", "new_key": [1]}
    device = Device(request_app_params={"upload_info": previous}, update_app_params={}, get_hardware_info={})
    inbox = station(device).inbox
    assert await inbox.redirect(TARGET) == previous
    assert not await inbox.points_to(TARGET)
    device.by_command["request app params"] = {"upload_info": OURS}
    await inbox.restore(previous, TARGET)
    assert device.fields == {"upload_info": previous}
    await inbox.restore({}, TARGET)
    assert device.fields == {"upload_info": {"method": "none"}}


@pytest.mark.parametrize("upload", [{"service_url": "theirs"}, {"method": "none"}, {"method": "tcp"}], ids=str)
async def test_what_somebody_else_wrote_is_not_put_back(upload: dict[str, Any]) -> None:
    """It is theirs now."""
    device = Device(request_app_params={"upload_info": {**OURS, **upload}}, update_app_params={})
    await station(device).inbox.restore({"method": "none"}, TARGET)
    assert "update app params" not in device.commands


async def test_our_own_old_address_is_nothing_to_go_back_to() -> None:
    """Our path at another address is what Home Assistant itself wrote before it moved."""
    device = Device(
        request_app_params={"upload_info": {**OURS, "server_ip": "192.0.2.9"}},
        update_app_params={},
        get_hardware_info={},
    )
    inbox = station(device).inbox
    assert await inbox.redirect(TARGET) is None
    assert device.commands.count("update app params") == 1
    await inbox.restore({"method": "none"}, TARGET)
    assert device.fields == {"upload_info": {"method": "none"}}


@pytest.mark.parametrize(
    ("upload", "here"),
    [
        ({}, True),
        ({"service_url": "/api/webhook/abc"}, True),
        ({"service_url": "api/webhook/abcd"}, False),
        ({"server_ip": "https://192.0.2.4"}, False),
        ({"server_ip": None, "server_domain": "192.0.2.4"}, True),
        ({"server_port": "8123"}, True),
        ({"server_port": 443}, False),
        ({"method": "tcp"}, False),
        ({"method": "new"}, False),
        ({"service_url": None}, False),
    ],
    ids=str,
)
async def test_where_pushes_go(upload: dict[str, Any], here: bool) -> None:
    """However the device prints it; what is right is not written again."""
    device = Device(
        request_app_params={"upload_info": {**OURS, **upload}},
        update_app_params={},
        get_hardware_info={},
        request_date_time=NOW,
    )
    terminal = station(device)
    await terminal.reader.read()
    assert await terminal.inbox.points_to(TARGET) is here
    await terminal.inbox.redirect(TARGET)
    assert ("update app params" in device.commands) is not here


def ask_upgrade(version: str, code: int = 0) -> bytes:
    firmware = {"system": "FaceGate", "appversion": version, "board": "FSAN_02", "timestamp": "2019-02-28 18:22:01"}
    body = {"cmd": "ask_upgrade", "device_sn": SERIAL, "last_upgrade_code": code, "firmware": firmware}
    return json.dumps(body).encode()


async def test_firmware() -> None:
    """Nothing without an offer; the offer once; what came of it; and nothing more when it runs."""
    device = Device(update_app_params={}, get_hardware_info={})
    terminal = station(device)

    def asked(version: str, code: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(terminal.inbox.receive(ask_upgrade(version, code)).answer())
        return answer

    assert asked("1.0", code=10)["upgrade_type"] == "none"
    assert (terminal.firmware.installed, terminal.firmware.last_code) == ("1.0", None)
    built = datetime(2026, 5, 4, 3, 2, 1)  # noqa: DTZ001
    await terminal.firmware.offer(FirmwareOffer(version="1.1", url="http://h/f", md5="a" * 32, built=built))
    assert device.fields == {"remote_upgrader": {"enable": True}}
    answer = asked("1.0", code=10)
    assert answer["upgrade_type"] == "normal"
    assert answer["upgrade_file"] == {"url": "http://h/f", "md5sum": "a" * 32}
    assert answer["firmware"] == {
        "system": "FaceGate",
        "appversion": "1.1",
        "board": "FSAN_02",
        "timestamp": "2026-05-04 03:02:01",
    }
    assert terminal.firmware.last_code is None, "that was about an older attempt"
    asked("1.0", code=11)
    assert terminal.firmware.last_code == 11
    assert asked("1.1")["upgrade_type"] == "none"
    await terminal.firmware.offer(None)
    assert asked("1.0")["upgrade_type"] == "none"


async def test_firmware_is_for_our_terminal_alone() -> None:
    """A question without a serial number is acknowledged, and changes nothing that we know."""
    terminal = station(Device())
    body = b'{"cmd": "ask_upgrade", "firmware": {"appversion": "6.6"}}'
    assert json.loads(terminal.inbox.receive(body).answer()) == {"reply": "ACK", "cmd": "ask_upgrade", "code": 0}
    assert terminal.firmware.installed is None


async def records(raw: list[dict[str, Any]]) -> list[Any]:
    device = Device(request_records={"total": len(raw), "records": raw})
    terminal = TerminalState(TerminalClient(device, serial=SERIAL), UTC)
    end = datetime(2026, 11, 21, 12, tzinfo=UTC)
    return [item async for item in TerminalRecords(terminal).since(end - timedelta(hours=2), end)]


async def test_records_are_sorted_and_broken_ones_left_out() -> None:
    """Oldest first, whatever the device's order; each once although several zones were asked."""
    found = await records(
        [
            {"sequence": 3, "time": "2026/11/21 11:30:00.000", "score": 90, "id": "1", "role": 1},
            {"sequence": 1, "time": "2026/11/21 10:30:00.000", "score": -1, "match_failed_reson": -11},
            {"sequence": 2, "time": "2026/11/21 10:30:00.000", "score": 0},
            {"sequence": 9, "time": "2026/11/20 10:30:00.000", "score": 90},
            {"sequence": 10**30, "time": "2026/11/21 11:00:00.000"},
            {"sequence": 5, "time": "0001/01/01 00:00:00"},
            {"sequence": 6, "time": "noon"},
            {"time": "2026/11/21 11:00:00.000"},
        ]
    )
    assert [item.key.sequence for item in found] == [1, 2, 3]
    assert not any(item.realtime for item in found)
    assert [item.verdict for item in found] == ["denied", "none", "granted"]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [(UTC, 2), (timedelta(hours=8), 2), (timedelta(hours=-8), 3)],
    ids=["UTC", "the vendor's", "another"],
)
async def test_unix_seconds_are_asked_for_by_every_zone(zone: Any, expected: int) -> None:
    """A span of five minutes: disjoint intervals, none of them before 1970."""
    device = Device(request_records={"total": 0, "records": []})
    house = zone if zone is UTC else timezone(zone)
    terminal = TerminalRecords(TerminalState(TerminalClient(device, serial=SERIAL), house))
    end = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert [item async for item in terminal.since(end - timedelta(minutes=5), end)] == []
    spans = sorted((body["time_start"], body["time_end"]) for body in device.asked)
    assert len(spans) == expected
    assert all(0 <= low < high < next_low for (low, high), (next_low, _) in pairwise(spans))


async def test_clock_of_1970_is_asked_in_its_own_time() -> None:
    """A device that lost its time: what it saw since is found, and nothing before its beginning asked."""
    raw = {"sequence": 1, "time": "1970/01/01 00:10:00.000", "score": -1}
    device = Device(
        request_records={"total": 1, "records": [raw]}, request_date_time={"date_time": "1970/01/01 00:20:00"}
    )
    state = TerminalState(TerminalClient(device, serial=SERIAL), UTC)
    await TerminalReader(state).ping()
    device.asked.clear()
    now = datetime.now(UTC)
    (item,) = [item async for item in TerminalRecords(state).since(now - timedelta(hours=1), now)]
    assert abs(now - timedelta(minutes=10) - item.captured_at) < timedelta(seconds=5)
    assert all(body["time_start"] >= 0 for body in device.asked)


async def test_full_screensaver(simulated: SimulatedTerminal, client: TerminalClient) -> None:
    """Ten files are all that the device takes; and what is not there cannot be removed."""
    info = StationInfo(serial=SERIAL, name="x", manufacturer="x")
    screensaver = TerminalFamily().station(client.link, info, UTC).screensaver
    simulated.media = {number: f"{number}.jpg" for number in range(1, 11)}
    with pytest.raises(StationRefusedError) as error:
        await screensaver.add("11.jpg", b"x")
    assert error.value.code == "limit_reached"
    with pytest.raises(StationRefusedError) as error:
        await screensaver.remove(("1.jpg", "12.jpg"))
    assert error.value.code == "record_not_found"
    assert len(simulated.media) == 10


async def test_unknown_sound(simulated: SimulatedTerminal, client: TerminalClient) -> None:
    info = StationInfo(serial=SERIAL, name="x", manufacturer="x")
    audio = TerminalFamily().station(client.link, info, UTC).audio
    with pytest.raises(InvalidValueError):
        await audio.play_built_in("fanfare")


def test_every_capability_is_there() -> None:
    """A face terminal pushes by itself and looks by itself, and people take the place of credentials."""
    terminal = station(FakeLink())
    lacking = {name for name in terminal.__dataclass_fields__ if getattr(terminal, name) is None}
    assert lacking == {"broker", "credentials", "feed", "lookout", "questions"}
    assert [door.number for door in terminal.doors] == [1, 2, 3, 4]

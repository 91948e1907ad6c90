"""Every command group on every model, against the simulated panels."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from custom_components.face_access.devices.errors import InvalidValueError, StationRefusedError, StationUnsupportedError
from custom_components.face_access.devices.panel.door import Day, FreeAccess, FreeDay
from custom_components.face_access.devices.panel.locks import lock_name, read_lock
from custom_components.face_access.devices.panel.media import PictureFormat
from custom_components.face_access.devices.panel.phone import Forward, SipState
from custom_components.face_access.devices.panel.profiles import TimeProfile
from custom_components.face_access.devices.panel.system import Protocol
from simulators.panel import MODELS

from .conftest import Pair, Running, until

ANDROID = [name for name, model in MODELS.items() if model.family == "android"]
KEYPADS = [name for name, model in MODELS.items() if model.has("keypad")]
CAMDROID = "AV-03BD"
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(params=list(MODELS))
async def each(request: pytest.FixtureRequest, running: Running) -> Pair:
    return await running(request.param)


@pytest.fixture(params=ANDROID)
async def android(request: pytest.FixtureRequest, running: Running) -> Pair:
    return await running(request.param)


# Locks


async def test_open_once(each: Pair) -> None:
    await each.client.locks.open(2)
    await each.client.locks.open(0)
    assert [opening.lock for opening in each.panel.openings] == [2, 1, 2]


async def test_open_for_so_long(running: Running) -> None:
    pair = await running(CAMDROID)
    await pair.client.locks.open(5, seconds=12)
    assert (pair.panel.openings[-1].lock, pair.panel.openings[-1].seconds) == (5, 12)
    with pytest.raises(InvalidValueError):
        await pair.client.locks.open(1, seconds=604801)


async def test_android_has_two_locks_and_its_own_time(android: Pair) -> None:
    with pytest.raises(InvalidValueError):
        await android.client.locks.open(3)
    with pytest.raises(InvalidValueError):
        await android.client.locks.open(1, seconds=5)
    assert android.panel.openings == []


async def test_deny(each: Pair) -> None:
    await each.client.locks.deny()
    await each.client.locks.deny_for_server()
    await each.client.locks.open_for_server(1)
    assert each.panel.locks.denials == 2
    assert each.panel.openings[-1].reason == "access_granted_by_remote_server_api_call"


async def test_hold_open_and_release(each: Pair) -> None:
    await each.client.locks.hold_open(3600, 1)
    assert each.panel.locks.is_open(1)
    await each.client.locks.release((1,))
    assert not each.panel.locks.is_open(1)
    await each.client.locks.hold_open(3600)
    assert each.panel.locks.is_open(2)
    await each.client.locks.release()
    assert not each.panel.locks.is_open(2)


@pytest.mark.parametrize("seconds", [0, 86401, 604800])
async def test_the_range_that_both_places_of_the_document_allow(running: Running, seconds: int) -> None:
    pair = await running()
    with pytest.raises(InvalidValueError):
        await pair.client.locks.hold_open(seconds)


async def test_times_and_codes_of_locks(each: Pair) -> None:
    await each.client.locks.set_open_time(2, 40)
    await each.client.locks.set_delay(2, 9)
    await each.client.locks.set_dtmf(2, "*12#")
    assert await each.client.locks.open_time(2) == 40
    assert await each.client.locks.delay(2) == 9
    assert await each.client.locks.dtmf(2) == "*12#"
    for command in (
        each.client.locks.set_open_time(1, 0),
        each.client.locks.set_delay(1, 10),
        each.client.locks.set_dtmf(1, "1a"),
        each.client.locks.set_open_time(3, 5),
    ):
        with pytest.raises(InvalidValueError):
            await command


async def test_camdroid_tells_more_of_its_locks(running: Running) -> None:
    pair = await running(CAMDROID)
    assert await pair.client.locks.type() == ("electromagnetic", "electromagnetic")
    assert len((await pair.client.locks.all_settings())["settings"]) == 8
    assert await pair.client.access.exit_button() is True


def test_locks_by_name() -> None:
    assert [lock_name(number) for number in (0, 1, 2)] == ["all", "first", "second"]
    with pytest.raises(InvalidValueError):
        lock_name(3)
    assert [read_lock(value) for value in ("all", " Second", 8, "1", 9, "x", None, -1)] == [
        0,
        2,
        8,
        1,
        None,
        None,
        None,
        None,
    ]


# The door


async def test_door_status(each: Pair) -> None:
    assert await each.client.access.status() is None
    await each.client.access.set_sensor(enabled=True, mode="door_sensor", alarm_after=5)
    status = await each.client.access.status()
    assert status is not None
    assert (status.open, status.too_long, status.mode) == (False, False, "door_sensor")
    await each.panel.open_door()
    status = await each.client.access.status()
    assert status is not None
    assert status.open


async def test_door_sensor(each: Pair) -> None:
    await each.client.access.set_sensor(repeat=True, repeat_every=77)
    sensor = await each.client.access.sensor()
    assert (sensor.enabled, sensor.repeat, sensor.repeat_every, sensor.alarm_after) == (False, True, 77, 30)
    assert sensor.modes == each.panel.model.door_modes
    for wrong in ({"mode": "catflap"}, {"alarm_after": 86401}, {"repeat_every": 4}):
        with pytest.raises(InvalidValueError):
            await each.client.access.set_sensor(**wrong)


@pytest.mark.parametrize("model", KEYPADS)
async def test_free_access_and_master_code(running: Running, model: str) -> None:
    pair = await running(model)
    days = (FreeDay(day=Day.MONDAY, enabled=True, start=3600, end=7200, lock=2),)
    await pair.client.access.set_free_access(enabled=True, days=days)
    assert await pair.client.access.free_access() == FreeAccess(enabled=True, days=days)
    await pair.client.access.set_free_access(enabled=False)
    assert await pair.client.access.free_access() == FreeAccess(enabled=False, days=days)
    await pair.client.access.set_master_code(enabled=True, code="0815")
    code = await pair.client.access.master_code()
    assert (code.enabled, code.code) == (True, "0815")
    assert "0815" not in repr(code)
    with pytest.raises(StationRefusedError) as raised:
        await pair.client.access.set_master_code(enabled=True, code="4711")
    assert (raised.value.code, raised.value.detail) == ("record_exists", None)
    for wrong in ("", "123456789", "12a", "٣٤"):
        with pytest.raises(InvalidValueError):
            await pair.client.access.set_master_code(enabled=True, code=wrong)
    with pytest.raises(InvalidValueError):
        await pair.client.access.set_free_access(days=(FreeDay(day=Day.SUNDAY, enabled=True, start=2, end=1),))
    assert await pair.client.access.master_card() is None


@pytest.mark.parametrize("model", ["BI-06FB", "AV-08FB"])
async def test_panels_without_a_keypad(running: Running, model: str) -> None:
    pair = await running(model)
    for ask in (pair.client.access.free_access, pair.client.access.master_code, pair.client.phone.auto_dial):
        with pytest.raises(StationUnsupportedError):
            await ask()


# The remote access server


@pytest.mark.parametrize("switch", ["enable", "enabled"])
async def test_remote_server_by_the_spelling_that_was_read(running: Running, switch: str) -> None:
    pair = await running(switch_field=switch)
    before = await pair.client.remote.read()
    assert not before.active
    await pair.client.remote.write("http://house/ask")
    server = await pair.client.remote.read()
    assert (server.active, server.url) == (True, "http://house/ask")
    assert "house" not in repr(server)
    await pair.client.remote.restore(before.raw)
    assert not (await pair.client.remote.read()).active
    with pytest.raises(InvalidValueError):
        await pair.client.remote.write("")


# SIP and calls


async def test_sip(each: Pair) -> None:
    phone = each.client.phone
    assert (await phone.status()).state is SipState.OFFLINE
    await phone.set_account(domain="pbx.example", port=5060, username="door", password="secret1", transport="tcp")
    await phone.set_enabled(True)
    await until(lambda: each.panel.calls.registered)
    assert (await phone.status()).state is SipState.REGISTERED
    account = await phone.account()
    assert (account.proxy, account.realm, account.user) == ("sip:pbx.example:5060", "pbx.example", "door")
    assert (account.transport, account.interval) == ("tcp", 900)
    assert "secret1" not in repr(account)
    assert await phone.enabled() is True


async def test_the_newest_panels_tell_when_they_last_registered(running: Running) -> None:
    pair = await running()
    assert (await pair.client.phone.status()).last_attempt is None
    await pair.client.phone.set_account(domain="pbx", port=5060, username="door", password="secret1")
    await pair.client.phone.set_enabled(True)
    await until(lambda: pair.panel.calls.registered)
    last = (await pair.client.phone.status()).last_attempt
    assert last is not None
    assert abs(last - datetime.now(UTC)) < timedelta(seconds=10)


async def test_the_mask_of_a_password_is_never_written_back(running: Running) -> None:
    pair = await running()
    await pair.client.phone.set_account(domain="pbx", port=5060, username="door", password="secret1")
    assert (await pair.client.phone.account()).password is None
    with pytest.raises(InvalidValueError):
        await pair.client.phone.set_account(domain="pbx", port=5060, username="door", password=None)


async def test_a_password_that_an_old_panel_shows_is_kept(running: Running) -> None:
    pair = await running(CAMDROID)
    await pair.client.phone.set_account(domain="pbx", port=5060, username="door", password="secret1")
    await pair.client.phone.set_account(domain="other", port=5060, username="door", password=None)
    account = await pair.client.phone.account()
    assert (account.realm, account.password) == ("other", "secret1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"domain": ""},
        {"port": 0},
        {"username": ""},
        {"username": "x" * 32},
        {"password": "short"},
        {"password": "x" * 32},
        {"transport": "pigeon"},
    ],
)
async def test_accounts_that_no_panel_takes(running: Running, wrong: dict[str, Any]) -> None:
    pair = await running()
    given = {"domain": "pbx", "port": 5060, "username": "door", "password": "secret1"} | wrong
    with pytest.raises(InvalidValueError):
        await pair.client.phone.set_account(**given)
    assert pair.panel.count("POST", "/device/sip/settings") == 0


async def test_calls_and_where_they_go(each: Pair) -> None:
    phone = each.client.phone
    await phone.set_dial_timeout(11)
    await phone.set_talk_timeout(22)
    assert await phone.timeouts() == (11, 22)
    await phone.set_concierge(enabled=True, number="sip:desk@pbx")
    concierge = await phone.concierge()
    assert (concierge.enabled, concierge.number) == (True, "sip:desk@pbx")
    for apartment in range(1, 61):
        await phone.set_forward(apartment, ("sip:a@pbx", "sip:b@pbx"))
    rules = await phone.forwards()
    assert len(rules) == 60
    assert rules[0] == Forward(apartment=1, targets=("sip:a@pbx", "sip:b@pbx"))
    await phone.delete_forwards(range(1, 61))
    assert await phone.forwards() == ()
    with pytest.raises(InvalidValueError):
        await phone.set_concierge(enabled=True, number="desk")


async def test_camdroid_calls(running: Running) -> None:
    pair = await running(CAMDROID)
    await pair.client.phone.call("sip:house@pbx")
    assert pair.panel.calls.made == ["sip:house@pbx"]
    await pair.client.phone.hang_up()
    assert pair.panel.calls.state == "idle"
    assert await pair.client.phone.reregisters() is True
    with pytest.raises(InvalidValueError):
        await pair.client.phone.call("house")


async def test_no_call_is_known_on_android(android: Pair) -> None:
    for command in (android.client.phone.call("sip:a@b"), android.client.phone.hang_up()):
        with pytest.raises(StationUnsupportedError):
            await command


@pytest.mark.parametrize("model", KEYPADS)
async def test_auto_dial(running: Running, model: str) -> None:
    pair = await running(model)
    assert await pair.client.phone.auto_dial() == {"enable": False}


# Picture and sound


@pytest.mark.parametrize(
    ("photo", "form"),
    [("webp", PictureFormat.WEBP), ("jpeg", PictureFormat.JPEG), ("base64", PictureFormat.WEBP)],
)
async def test_photos_in_every_dress(running: Running, photo: str, form: PictureFormat) -> None:
    pair = await running(photo=photo)
    picture = await pair.client.media.photo()
    assert picture.format is form
    assert len(picture.data) > 1000


async def test_stream(each: Pair) -> None:
    await each.client.media.set_stream_account("eye", "p@ss/word")
    url = await each.client.media.stream_url()
    assert url == "rtsp://eye:p%40ss%2Fword@127.0.0.1:8554/ch01"
    account = await each.client.media.stream_account()
    assert (account.username, account.password) == ("eye", "p@ss/word")
    assert "p@ss" not in repr(account)
    assert (await each.client.media.video())["fps"] == 25


async def test_volume(each: Pair) -> None:
    await each.client.media.set_volume(6)
    assert await each.client.media.volume() == 6
    # Which levels there are is the panel's to say.
    with pytest.raises(StationRefusedError):
        await each.client.media.set_volume(7)
    with pytest.raises(InvalidValueError):
        await each.client.media.set_volume(-1)


async def test_android_sound_and_light(android: Pair) -> None:
    media = android.client.media
    await media.set_microphone(2)
    assert await media.microphone() == 2
    assert await media.led() == {"auto_mode": True}
    await media.set_infrared(False)
    assert await media.infrared() is False
    await media.set_stream_account("eye", "password", audio=True)
    assert (await media.stream_account()).audio is True


async def test_proximity(running: Running) -> None:
    pair = await running()
    await pair.client.media.set_proximity(False)
    assert await pair.client.media.proximity_enabled() is False
    older = await running("AA-07")
    with pytest.raises(StationUnsupportedError):
        await older.client.media.set_proximity(False)


# Time profiles


async def test_time_profiles(each: Pair) -> None:
    profiles = each.client.profiles
    week = TimeProfile(
        name="Work week",
        start=1540819272,
        end=1540819300,
        all_day=True,
        days=(Day.MONDAY, Day.FRIDAY),
        every=2,
        until=1640819272,
    )
    uid = await profiles.create(week)
    assert await profiles.read(uid) == TimeProfile(**_fields(week), uid=uid)
    once = TimeProfile(name="Once", start=1, end=2)
    await profiles.update(uid, once)
    assert [profile async for profile in profiles.all()] == [TimeProfile(**_fields(once), uid=uid)]
    await profiles.delete(uid)
    assert [profile async for profile in profiles.all()] == []
    for wrong in (
        TimeProfile(name="", start=1, end=2),
        TimeProfile(name="x", start=2, end=1),
        TimeProfile(name="x", start=1, end=2, every=0),
    ):
        with pytest.raises(InvalidValueError):
            await profiles.create(wrong)


def _fields(profile: TimeProfile) -> dict[str, Any]:
    names = ("name", "start", "end", "all_day", "days", "every", "until")
    return {name: getattr(profile, name) for name in names}


# The panel itself


async def test_system(each: Pair) -> None:
    system = each.client.system
    assert (await system.info()).serial == each.panel.serial
    assert (await system.dashboard())["device_name"] == each.panel.name
    assert await system.name() == each.panel.name
    assert await system.mode() == "Unit"
    await system.set_language("Ukrainian")
    language = await system.language()
    assert language.current == "Ukrainian"
    assert "Deutsch" in language.all
    network = await system.network()
    assert (network.dhcp, network.address) == (True, "127.0.0.1")
    await system.set_static(address="10.0.0.5", mask="255.0.0.0", gateway="10.0.0.1", dns="10.0.0.1")
    assert (await system.network()).address == "10.0.0.5"
    await system.set_dhcp()
    assert (await system.network()).dhcp is True
    with pytest.raises(InvalidValueError):
        await system.set_static(address="10.0.0.500", mask="255.0.0.0", gateway="10.0.0.1", dns="10.0.0.1")


async def test_clock_and_zone(each: Pair) -> None:
    system = each.client.system
    await system.set_zone("UTC+05:30")
    assert await system.zone() == "UTC+05:30"
    clock = await system.time()
    assert abs(clock.now - datetime.now(UTC)) < timedelta(seconds=5)
    assert clock.zone == "UTC+05:30"
    await system.set_ntp(enabled=False, server="time.example")
    ntp = await system.ntp()
    assert (ntp.enabled, ntp.own_server, ntp.server) == (False, True, "time.example")
    await system.set_ntp(server="")
    assert (await system.ntp()).own_server is False
    with pytest.raises(InvalidValueError):
        await system.set_zone("Europe/Kyiv")


async def test_setting_the_clock(android: Pair) -> None:
    with pytest.raises(StationRefusedError):
        await android.client.system.set_time(NOON)
    await android.client.system.set_ntp(enabled=False)
    await android.client.system.set_time(NOON)
    assert abs((await android.client.system.time()).now - NOON) < timedelta(seconds=5)


async def test_camdroid_has_no_known_call_to_set_the_clock(running: Running) -> None:
    pair = await running(CAMDROID)
    with pytest.raises(StationUnsupportedError):
        await pair.client.system.set_time(NOON)


async def test_firmware(each: Pair) -> None:
    assert (await each.client.system.firmware()).available is False
    await each.panel.offer_firmware("9.9.9")
    check = await each.client.system.firmware()
    assert (check.available, check.version) == (True, "9.9.9")


async def test_reboot(each: Pair) -> None:
    await each.client.system.reboot()
    await until(lambda: not each.panel.online)
    await until(lambda: each.panel.online)
    assert await each.client.system.mac()


async def test_management_server(running: Running) -> None:
    pair = await running()
    before = await pair.client.system.management()
    await pair.client.system.set_broker("mqtts://broker:8883", "secret", encrypted=True)
    now = await pair.client.system.management()
    assert (now.enabled, now.protocol, now.url) == (True, Protocol.MQTT, "mqtts://broker:8883")
    assert (now.logging, now.encrypted) == (True, True)
    assert "secret" not in repr(now)
    await pair.client.system.restore_management(before.raw)
    assert (await pair.client.system.management()).enabled is False
    older = await running("AA-07")
    with pytest.raises(StationUnsupportedError):
        await older.client.system.management()


async def test_syslog(android: Pair) -> None:
    await android.client.system.set_syslog(enabled=True, host="10.0.0.9", port=5140, severity=5)
    syslog = await android.client.system.syslog()
    assert (syslog.enabled, syslog.host, syslog.port, syslog.severity) == (True, "10.0.0.9", 5140, 5)
    await android.client.system.set_syslog(enabled=False)
    assert (await android.client.system.syslog()).host == "10.0.0.9"


async def test_what_no_document_shows_is_probed(running: Running) -> None:
    pair = await running(inferred=False)
    client = pair.client
    for ask in (
        client.locks.release(),
        client.webhooks.list(),
        client.media.proximity_enabled(),
        client.system.management(),
    ):
        with pytest.raises(StationUnsupportedError):
            await ask
    with pytest.raises(StationUnsupportedError):
        await client.media.feeds()
    pair.panel.clear_violations()

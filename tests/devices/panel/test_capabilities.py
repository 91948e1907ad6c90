"""What a panel can do, in the house's words, on every model."""

import asyncio
from datetime import UTC, datetime, timedelta
import time
from types import SimpleNamespace
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.face_access.access import (
    Alarm,
    Booted,
    DoorMoved,
    Method,
    Missed,
    Passage,
    Ring,
    Sighting,
    Verdict,
)
from custom_components.face_access.devices.address import Address
from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationAuthError,
    StationForbiddenError,
    StationProtocolError,
    StationUnsupportedError,
    WrongStationError,
)
from custom_components.face_access.devices.panel import FAMILY, capabilities as module, station as station_module
from custom_components.face_access.devices.panel.capabilities import PanelFeed, target_url
from custom_components.face_access.devices.panel.client import PanelClient
from custom_components.face_access.devices.panel.info import parse_info
from custom_components.face_access.devices.panel.link import Credentials
from custom_components.face_access.devices.panel.state import PanelState
from custom_components.face_access.devices.station import (
    Credential,
    CredentialKind,
    HeldDoor,
    PushTarget,
    Reading,
    Station,
    StationInfo,
    StreamCamera,
)
from simulators._terminal import pictures
from simulators.panel import MODELS

from .conftest import INFO, SERIAL, Pair, Running, ScriptedPanel, link_to, until

TARGET = PushTarget(host="127.0.0.1", port=9, path="api/webhook/secret-id")
ANDROID = [name for name, model in MODELS.items() if model.family == "android"]
WITH_FACES = [name for name, model in MODELS.items() if model.has("face")]
CAMDROID = "AV-03BD"


@pytest.fixture(params=list(MODELS))
async def each(request: pytest.FixtureRequest, running: Running) -> Pair:
    return await running(request.param)


async def station_of(pair: Pair, session: aiohttp.ClientSession) -> Station:
    link = link_to(session, pair.panel.port)
    return FAMILY.station(link, await FAMILY.identify(link))


# What it is and has


async def test_what_each_model_has(each: Pair, session: aiohttp.ClientSession) -> None:
    model = each.panel.model
    station = await station_of(each, session)
    assert (station.info.model, station.info.manufacturer) == (model.name, "BAS-IP")
    assert (station.info.serial, station.info.firmware) == (each.panel.serial, model.firmware)
    assert len(station.doors) == (8 if model.family == "camdroid" else 2)
    assert station.sees_faces == model.has("face")
    assert station.records is not None
    assert (station.clock is not None) == (model.family == "android")
    assert (station.broker is not None) == model.has_mqtt
    has_faces = station.credentials is not None and CredentialKind.FACE in station.credentials.kinds
    assert has_faces == model.has("face")
    lacking = {name for name in station.__dataclass_fields__ if getattr(station, name) is None}
    assert lacking >= {"speech", "screen", "audio", "schedule", "screensaver", "card_output", "firmware"}


async def test_a_panel_that_is_away_is_what_it_was(session: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    info = StationInfo(serial=SERIAL, name="Door", manufacturer="BAS-IP", model="AV-08FB")
    station = FAMILY.station(link_to(session, unused_tcp_port), info)
    assert (len(station.doors), station.sees_faces) == (2, True)


@pytest.mark.parametrize(
    ("raw", "name", "model"),
    [
        ({"device_model": "aa12fb", "device_name": ""}, "AA-12FB", "AA-12FB"),
        ({"device_model": "x", "device_name": "Gate"}, "Gate", "x"),
        ({"device_model": "", "device_name": None}, "Intercom panel", None),
    ],
)
def test_names(raw: dict[str, Any], name: str, model: str | None) -> None:
    info = station_module.describe(parse_info({**INFO, **raw}))
    assert (info.name, info.model) == (name, model)


async def test_panels_ask_for_no_commands() -> None:
    with pytest.raises(StationUnsupportedError):
        FAMILY.queued()


async def test_https_and_another_account(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running(https=True)
    address = Address(host="127.0.0.1", port=pair.panel.port, password="123456", secure=True)
    link = FAMILY.direct(session, address)
    assert (await FAMILY.identify(link)).serial == pair.panel.serial
    manager = Address(host="127.0.0.1", port=pair.panel.port, username="manager", password="123456", secure=True)
    with pytest.raises(StationForbiddenError):
        await FAMILY.identify(FAMILY.direct(session, manager))
    wrong = Address(host="127.0.0.1", port=pair.panel.port, password="guess", secure=True)
    with pytest.raises(StationAuthError):
        await FAMILY.identify(FAMILY.direct(session, wrong))


# Doors


async def test_doors_open_hold_and_deny(each: Pair, session: aiohttp.ClientSession) -> None:
    station = await station_of(each, session)
    door = station.doors[1]
    assert isinstance(door, HeldDoor)
    assert (door.number, door.max_hold) == (2, timedelta(days=1))
    await door.open("somebody")
    await door.hold_open(timedelta(seconds=59.2))
    assert [(opening.lock, opening.seconds) for opening in each.panel.openings][-1] == (2, 60)
    await door.release()
    await until(lambda: not each.panel.locks.is_open(2))
    await door.deny()
    assert each.panel.locks.denials == 1
    for wrong in (timedelta(), timedelta(days=1, seconds=1)):
        with pytest.raises(InvalidValueError):
            await door.hold_open(wrong)


async def test_how_long_an_opening_lasts(running: Running, session: aiohttp.ClientSession) -> None:
    doors = (await station_of(await running(CAMDROID), session)).doors
    reading = Reading(settings={"open_time_1": 4, "open_time_2": 9})
    assert [door.hold_time(reading).seconds for door in doors[:3]] == [4, 9, 9]
    assert doors[0].hold_time(Reading()) == timedelta(seconds=3)


async def test_releasing_where_the_path_is_only_inferred(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running(inferred=False)
    door = (await station_of(pair, session)).doors[0]
    assert isinstance(door, HeldDoor)
    await door.hold_open(timedelta(seconds=5))
    with pytest.raises(StationUnsupportedError):
        await door.release()


async def test_no_door_of_another_panel_opens(running: Running, session: aiohttp.ClientSession) -> None:
    """The panel was swapped between the identification and the command, and said so already."""
    pair = await running()
    link = link_to(session, pair.panel.port)
    info = await FAMILY.identify(link)
    other = StationInfo(serial="another", name=info.name, manufacturer=info.manufacturer, model=info.model)
    for door in FAMILY.station(link, other).doors:
        assert isinstance(door, HeldDoor)
        for command in (door.open(), door.hold_open(timedelta(seconds=5)), door.release(), door.deny()):
            with pytest.raises(WrongStationError):
                await command
    assert pair.panel.openings == []
    assert pair.panel.locks.denials == 0


# Camera, telephone, power, clock


async def test_a_photo_is_shared_while_it_is_recent(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    camera = (await station_of(pair, session)).camera
    assert camera is not None
    photos = await asyncio.gather(*(camera.snapshot() for _ in range(4)))
    assert len(set(photos)) == 1
    assert len(pair.panel.camera.taken) == 1


async def test_where_the_stream_is(each: Pair, session: aiohttp.ClientSession) -> None:
    camera = (await station_of(each, session)).camera
    assert isinstance(camera, StreamCamera)
    assert await camera.stream_url() == "rtsp://admin:123456@127.0.0.1:8554/ch01"
    port = each.panel.stream.port
    assert await camera.stream_url(port=port, path="/ch01") == each.panel.stream.url


async def test_the_telephone(running: Running, session: aiohttp.ClientSession) -> None:
    camdroid, android = await running(CAMDROID), await running("AA-12FB")
    sip = (await station_of(camdroid, session)).sip
    assert sip is not None
    await sip.register(domain="pbx.local", port=5060, username="door", password="secret1")
    await sip.call("sip:1@pbx.local")
    assert camdroid.panel.calls.state != "idle"
    await sip.hang_up()
    assert camdroid.panel.calls.state == "idle"
    sip = (await station_of(android, session)).sip
    assert sip is not None
    for command in (sip.call("sip:1@pbx.local"), sip.hang_up()):
        with pytest.raises(StationUnsupportedError):
            await command


async def test_a_restart(each: Pair, session: aiohttp.ClientSession) -> None:
    station = await station_of(each, session)
    assert station.power is not None
    assert station.power.restart_application is None
    await station.power.reboot()
    assert each.panel.acts["/system/reboot/run"] == 1


@pytest.mark.parametrize("model", ANDROID)
async def test_the_clock_is_set(running: Running, session: aiohttp.ClientSession, model: str) -> None:
    pair = await running(model)
    station = await station_of(pair, session)
    await pair.client.system.set_ntp(enabled=False)
    await pair.panel.set_clock(3600)
    assert await station.reader.ping() > timedelta(minutes=59)
    assert station.clock is not None
    await station.clock.set(datetime.now(UTC))
    assert await station.reader.ping() == timedelta()


# News and history


async def test_the_first_poll_tells_nothing_of_before(each: Pair, session: aiohttp.ClientSession) -> None:
    feed = (await station_of(each, session)).feed
    assert feed is not None
    assert feed.interval == timedelta(seconds=2)
    await each.panel.ring()
    assert await feed.poll() == ()
    await each.panel.press_exit()
    assert DoorMoved(source=each.panel.serial, door=f"{each.panel.serial}_1", open=True) in await feed.poll()


async def test_what_happened_while_nobody_could_ask_rings_nobody(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = await running()
    state = PanelState(pair.client, pair.panel.serial)
    feed = PanelFeed(state)
    await feed.poll()
    await pair.panel.ring()
    # Both clocks go on by a minute, but not the event loop's.
    later = time.monotonic() + 60
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: later))
    pair.panel.clock_offset += 60
    await pair.panel.tamper()
    events = await feed.poll()
    assert [type(event) for event in events] == [Missed, Alarm]
    assert isinstance(events[0], Missed)
    assert isinstance(events[0].event, Ring)


async def test_a_clock_that_is_set_back_does_not_stop_the_news(running: Running) -> None:
    pair = await running()
    feed = PanelFeed(PanelState(pair.client, pair.panel.serial))
    await pair.panel.set_clock(7200)
    await pair.panel.press_exit()
    await feed.poll()
    await pair.panel.set_clock(0)
    await pair.panel.ring()
    told = [*await feed.poll(), *await feed.poll()]
    assert [event for event in told if isinstance(event, Ring)]
    await pair.panel.hang_up()
    await pair.panel.ring()
    assert [event for event in await feed.poll() if isinstance(event, Ring)]


async def test_a_start_is_told(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    station = await station_of(pair, session)
    assert station.feed is not None
    await station.feed.poll()
    first = (await station.reader.read()).booted_at
    await pair.panel.power_cycle(0.05)
    assert [event for event in await station.feed.poll() if isinstance(event, Booted)]
    later = (await station.reader.read()).booted_at
    assert first is not None
    assert later is not None
    assert later > first


@pytest.mark.parametrize("model", WITH_FACES)
async def test_faces_of_the_past_are_history(running: Running, session: aiohttp.ClientSession, model: str) -> None:
    pair = await running(model)
    await pair.client.faces.write(enabled=True)
    await pair.panel.set_clock(600)
    await pair.panel.present_stranger(started=True)
    await pair.panel.present_known(started=True)
    await pair.panel.swipe_card()
    station = await station_of(pair, session)
    await station.reader.ping()
    assert station.records is not None
    now = datetime.now(UTC)
    everything = [one async for one in station.records.since(now - timedelta(minutes=1), now + timedelta(minutes=1))]
    passed = [one.event for one in everything if isinstance(one, Missed)]
    assert [(one.method, one.granted) for one in passed if isinstance(one, Passage)] == [
        (Method.FACE, False),
        (Method.FACE, True),
        (Method.CARD, True),
    ]
    found = [one for one in everything if isinstance(one, Sighting)]
    assert [(one.verdict, one.person_name) for one in found] == [
        (Verdict.DENIED, None),
        (Verdict.GRANTED, "Alice Gardner"),
    ]
    assert not any(one.realtime for one in found)
    assert all(isinstance(one, Sighting) and abs(one.captured_at - now) < timedelta(minutes=1) for one in found)


# Questions and the broker


async def test_whom_the_panel_asked_before_is_put_back(each: Pair, session: aiohttp.ClientSession) -> None:
    questions = (await station_of(each, session)).questions
    assert questions is not None
    assert not await questions.points_to(TARGET)
    previous = await questions.redirect(TARGET)
    assert previous is not None
    assert await questions.points_to(TARGET)
    assert await questions.redirect(TARGET) is None
    assert each.panel.remote.enabled
    await questions.restore(previous)
    assert not each.panel.remote.enabled
    assert not await questions.points_to(TARGET)


async def test_what_a_panel_publishes_on_a_broker(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    station = await station_of(pair, session)
    assert station.broker is not None
    assert station.feed is not None
    await station.feed.poll()
    await pair.client.system.set_broker("mqtt://127.0.0.1:1883", "secret", encrypted=True)
    await pair.panel.ring()
    topic, payload = pair.panel.mqtt.publications[-1]
    assert topic == station.broker.topic == f"server/request/v0/{pair.panel.serial}"
    assert [event for event in station.broker.receive(payload.encode()) if isinstance(event, Ring)]
    # One ring is one event, whichever way it came.
    assert station.broker.receive(payload.encode()) == ()
    assert await station.feed.poll() == ()


@pytest.mark.parametrize(
    ("host", "secure", "url"),
    [("ha.local", False, "http://ha.local:8123/x"), ("fe80::1", True, "https://[fe80::1]:8123/x")],
)
def test_addresses_of_ours(host: str, secure: bool, url: str) -> None:
    assert target_url(PushTarget(host=host, port=8123, path="x", secure=secure)) == url


# Cards and faces


async def test_credentials_are_added_listed_and_removed(each: Pair, session: aiohttp.ClientSession) -> None:
    credentials = (await station_of(each, session)).credentials
    assert credentials is not None
    until = datetime(2027, 1, 1, tzinfo=UTC)
    uid = await credentials.add(
        Credential(kind=CredentialKind.CODE, owner="Ann", number="31415", door=2, valid_until=until, max_passes=5)
    )
    found = next(one for one in await credentials.list() if one.uid == uid)
    assert (found.number, found.door, found.valid_until, found.max_passes) == ("31415", 2, until, 5)
    assert (found.guest, found.valid_from, found.passes_left) == (False, None, 5)
    assert "31415" not in repr(found)
    each.panel.identifiers.passed(uid)
    await credentials.reset_passes(uid)
    assert each.panel.identifiers.items[uid]["passes_left"] == 5
    await credentials.remove(uid)
    assert uid not in {one.uid for one in await credentials.list()}


async def test_a_qr_code_gets_a_number_by_itself(each: Pair, session: aiohttp.ClientSession) -> None:
    credentials = (await station_of(each, session)).credentials
    assert credentials is not None
    uid = await credentials.add(Credential(kind=CredentialKind.QR, owner="Guest", guest=True))
    assert (await credentials.qr_code(uid)).startswith(b"\x89PNG")
    assert each.panel.identifiers.items[uid]["identifier_owner"]["type"] == "guest"


@pytest.mark.parametrize("model", WITH_FACES)
async def test_a_face_has_a_photo_and_no_number(running: Running, session: aiohttp.ClientSession, model: str) -> None:
    pair = await running(model)
    credentials = (await station_of(pair, session)).credentials
    assert credentials is not None
    with pytest.raises(InvalidValueError):
        await credentials.add(Credential(kind=CredentialKind.FACE, owner="Erin"))
    uid = await credentials.add(
        Credential(kind=CredentialKind.FACE, owner="Erin", number="1", photo=pictures.panorama("Erin"))
    )
    found = [one for one in await credentials.list() if one.kind is CredentialKind.FACE]
    assert {one.number for one in found} == {None}
    assert uid in {one.uid for one in found}


async def test_a_time_without_a_zone_is_refused(each: Pair, session: aiohttp.ClientSession) -> None:
    credentials = (await station_of(each, session)).credentials
    assert credentials is not None
    naive = datetime(2027, 1, 1)  # noqa: DTZ001 (that is the mistake)
    with pytest.raises(InvalidValueError):
        await credentials.add(Credential(kind=CredentialKind.CODE, owner="Ann", number="1", valid_from=naive))


# Reading and writing


async def test_what_a_panel_lacks_is_asked_for_again_after_an_hour(
    running: Running, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 404 may mean no more than that it is switched off."""
    pair = await running("BI-06FB")
    station = await station_of(pair, session)

    def asked() -> int:
        return pair.panel.count("GET", "/access/freeaccess")

    await station.reader.read()
    await station.reader.read()
    assert asked() == 1
    monkeypatch.setattr(station_module, "_LACKING_FOR", 0)
    await station.reader.read()
    assert asked() == 2


async def test_other_firmware_may_have_what_was_lacking(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running("BI-06FB")
    station = await station_of(pair, session)
    await station.reader.read()
    pair.panel.model = pair.panel.model.with_versions(None, "3.30.0")
    await station.reader.read()
    assert pair.panel.count("GET", "/access/freeaccess") == 2
    assert (await station.reader.info()).firmware == "3.30.0"


async def test_an_account_that_was_demoted_is_told(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    station = await station_of(pair, session)
    await station.reader.read()
    pair.panel.accounts.accounts["admin"]["type"] = "manager"
    await pair.panel.expire_tokens()
    with pytest.raises(StationForbiddenError):
        await station.reader.read()


async def test_one_thing_that_an_administrator_may_not_is_lacking(
    running: Running, session: aiohttp.ClientSession
) -> None:
    pair = await running()
    station = await station_of(pair, session)
    await pair.panel.fail("/access/freeaccess", 403, body='{"error": "Administrator rights required"}')
    assert "free_access" not in (await station.reader.read()).settings


@pytest.mark.parametrize(("status", "body"), [(400, '{"error": "No"}'), (500, ""), (200, "noise")])
async def test_one_answer_of_no_use_spoils_no_reading(
    running: Running, session: aiohttp.ClientSession, status: int, body: str
) -> None:
    pair = await running()
    station = await station_of(pair, session)
    await pair.panel.fail("/device/settings/volume", status, body=body, times=2)
    reading = await station.reader.read()
    assert "volume" not in reading.settings
    assert "open_time_1" in reading.settings
    assert "volume" not in (await station.reader.read()).settings
    assert "volume" in (await station.reader.read()).settings


async def test_facts(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    station = await station_of(pair, session)
    reading = await station.reader.read()
    assert reading.facts["sip_registered"] is False
    assert "door_open" not in reading.facts
    assert reading.facts["latest_firmware"] == reading.facts["firmware"] == "3.26.0"
    assert station.settings is not None
    await station.settings.write("door_sensor", True)
    await pair.panel.open_door()
    await pair.panel.offer_firmware("3.27.0")
    facts = (await station.reader.read()).facts
    assert (facts["door_open"], facts["door_left_open"]) == (True, False)
    # The vendor's server is asked once a day.
    assert facts["latest_firmware"] == "3.26.0"


async def test_newer_firmware_is_a_fact(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    await pair.panel.offer_firmware("3.27.0")
    station = await station_of(pair, session)
    assert (await station.reader.read()).facts["latest_firmware"] == "3.27.0"


async def test_a_sip_state_that_nobody_knows_is_none(scripted: ScriptedPanel, session: aiohttp.ClientSession) -> None:
    scripted.on("GET /device/time", (200, {"time_unix": 1}))
    scripted.on("GET /sip/status", (200, {"sip_status": "DREAMING"}))
    link = link_to(session, scripted.port)
    reading = await FAMILY.station(link, await FAMILY.identify(link)).reader.read()
    assert reading.facts == {"firmware": "3.26.0"}


@pytest.mark.parametrize("model", list(MODELS))
async def test_every_setting_that_was_read_can_be_written_back(
    running: Running, session: aiohttp.ClientSession, model: str
) -> None:
    pair = await running(model)
    station = await station_of(pair, session)
    before = (await station.reader.read()).settings
    assert station.settings is not None
    for key, value in before.items():
        if key == "master_code":
            continue  # there is no code yet, and it cannot be switched on without one
        await station.settings.write(key, value)
    assert (await station.reader.read()).settings == before


async def test_settings_that_cannot_be(running: Running, session: aiohttp.ClientSession) -> None:
    station = await station_of(await running("AV-08FB"), session)
    await station.reader.read()
    assert station.settings is not None
    for key, value in (("nonsense", 1), ("recognition_mode", "3d"), ("door_input", "concierge")):
        with pytest.raises(InvalidValueError):
            await station.settings.write(key, value)


async def test_older_panels_call_the_motion_sensor_infrared(running: Running, session: aiohttp.ClientSession) -> None:
    for model, path in (("AA-07", "/device/settings/ir"), ("AA-12FB", "/device/proximity/sensor")):
        pair = await running(model)
        station = await station_of(pair, session)
        assert station.settings is not None
        await station.settings.write("motion_sensor", False)
        assert (await station.reader.read()).settings["motion_sensor"] is False
        assert pair.panel.count("POST", path) == 1


async def test_two_settings_written_at_once_do_not_undo_each_other(
    running: Running, session: aiohttp.ClientSession
) -> None:
    """The panel takes its face settings as a whole."""
    pair = await running()
    station = await station_of(pair, session)
    await station.reader.read()
    assert station.settings is not None
    await asyncio.gather(
        station.settings.write("recognition", True),
        station.settings.write("similarity", "high"),
        station.settings.write("recognition_mode", "antispoofing"),
        station.settings.write("autostart", False),
        station.settings.write("door_sensor", True),
        station.settings.write("door_alarm_after", 77),
    )
    read = (await station.reader.read()).settings
    assert (read["recognition"], read["similarity"], read["recognition_mode"]) == (True, "high", "antispoofing")
    assert (read["autostart"], read["door_sensor"], read["door_alarm_after"]) == (False, True, 77)


async def test_a_louder_panel_has_more_levels(running: Running, session: aiohttp.ClientSession) -> None:
    pair = await running()
    pair.panel.settings.values["/device/settings/volume"]["volume_level"] = 9
    station = await station_of(pair, session)
    assert (await station.reader.read()).settings["volume"] == 9
    assert station.settings is not None
    assert station.settings.described["volume"].maximum == 9


async def test_identifying_needs_a_login_but_no_answer_of_use(
    scripted: ScriptedPanel, session: aiohttp.ClientSession
) -> None:
    for reply in ((404, ""), (400, {"error": "No"}), (200, "noise")):
        scripted.on("GET /device/time", reply)
        assert (await FAMILY.identify(link_to(session, scripted.port))).serial == SERIAL
    scripted.on("GET /login", web.Response(status=400, body=b'{"error": "Wrong login or password"}'))
    credentials = Credentials(username="admin", password="guess")
    with pytest.raises(StationAuthError):
        await FAMILY.identify(link_to(session, scripted.port, credentials=credentials))


async def test_a_clock_that_is_none(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /device/time", (200, {"time_unix": "soon"}))
    with pytest.raises(StationProtocolError):
        await PanelState(client, SERIAL).read_clock()

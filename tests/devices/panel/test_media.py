"""Photos in every dress that panels give them, and the levels, lights and sensors of those that name them otherwise."""

import asyncio
from base64 import b64encode
from datetime import UTC, datetime
import json
from typing import Any

from aiohttp import web
from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.devices.errors import InvalidValueError, StationConnectionError, StationProtocolError
from custom_components.face_access.devices.panel.client import PanelClient
from custom_components.face_access.devices.panel.door import Day, FreeDay, MasterCode
from custom_components.face_access.devices.panel.media import PictureFormat, StreamAccount, read_picture
from custom_components.face_access.devices.panel.phone import Concierge
from custom_components.face_access.devices.panel.profiles import TimeProfile
from custom_components.face_access.devices.panel.system import Management
from simulators._terminal import pictures

from .conftest import Running, ScriptedPanel, link_to

JPEG = pictures.panorama("Erin")
WEBP = b"RIFF\x10\0\0\0WEBPVP8 " + bytes(8)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def text(data: bytes) -> bytes:
    return b64encode(data)


@pytest.mark.parametrize(
    ("body", "form"),
    [
        (JPEG, PictureFormat.JPEG),
        (WEBP, PictureFormat.WEBP),
        (PNG, PictureFormat.PNG),
        (text(WEBP), PictureFormat.WEBP),
        (b"\n".join(text(JPEG)[at : at + 76] for at in range(0, 4000, 76)) + b"AAAA", PictureFormat.JPEG),
        (json.dumps(text(WEBP).decode()).encode(), PictureFormat.WEBP),
        (b"data:image/webp;base64," + text(WEBP), PictureFormat.WEBP),
        (json.dumps("data:image/jpeg;base64," + text(JPEG).decode()).encode(), PictureFormat.JPEG),
        (text(text(JPEG)), PictureFormat.JPEG),
    ],
)
def test_a_photo_is_known_by_its_content_and_not_by_its_type(body: bytes, form: PictureFormat) -> None:
    assert read_picture(body).format is form


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b'"', b'"\\ud800"', b"data:", b"\xff\xd8", text(b"no picture"), text(text(text(JPEG)))]
)
def test_what_is_no_photo(body: bytes) -> None:
    with pytest.raises(StationProtocolError):
        read_picture(body)


@given(st.binary(max_size=80) | st.text(max_size=40).map(lambda value: json.dumps(value).encode()))
def test_no_photo_breaks_it(body: bytes) -> None:
    try:
        picture = read_picture(body)
    except StationProtocolError:
        return
    assert picture.data


async def test_photos_are_paced(scripted: ScriptedPanel, session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A panel takes seconds for one, and does nothing else meanwhile; one that failed took its time too."""
    waited: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await real(0)

    client = PanelClient(link_to(session, scripted.port), pace=30)
    scripted.on("GET /photo/file", web.Response(body=b"noise"), web.Response(body=JPEG))
    with pytest.raises(StationProtocolError):
        await client.media.photo()
    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert (await client.media.photo()).format is PictureFormat.JPEG
    assert 25 < waited[-1] <= 30
    assert (await client.media.recent_photo()).data == JPEG
    assert len(scripted.of("/photo/file")) == 2


async def test_a_photo_that_failed_is_not_shown_again(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /photo/file", web.Response(body=JPEG), (500, ""))
    await client.media.recent_photo()
    with pytest.raises(StationProtocolError):
        await client.media.recent_photo()


# The stream


@pytest.mark.parametrize(
    ("account", "url"),
    [
        ({}, None),
        ({"username": "eye"}, "rtsp://eye@127.0.0.1:8554/ch01"),
        ({"username": "e:e", "password": "p@s/s"}, "rtsp://e%3Ae:p%40s%2Fs@127.0.0.1:8554/ch01"),
    ],
)
async def test_the_address_of_the_stream(
    scripted: ScriptedPanel, client: PanelClient, account: dict[str, Any], url: str | None
) -> None:
    scripted.on("GET /device/settings/rtsp", (200, account))
    assert await client.media.stream_url() == url


async def test_the_stream_of_a_panel_with_an_ipv6_address(running: Running) -> None:
    pair = await running()
    pair.client.link._transport._url = pair.client.link._transport._url.with_host("::1")
    pair.client.link.call = None  # type: ignore[assignment,method-assign]

    async def account() -> StreamAccount:
        return StreamAccount(username="eye", password=None)

    pair.client.media.stream_account = account  # type: ignore[method-assign]
    assert await pair.client.media.stream_url(554, "/live") == "rtsp://eye@[::1]:554/live"


# Sensors


@pytest.mark.parametrize("name", ["enable", "enabled", "is_enabled"])
async def test_the_proximity_sensor_by_the_name_that_was_read(
    scripted: ScriptedPanel, client: PanelClient, name: str
) -> None:
    """Only its path is documented."""
    scripted.on("GET /device/proximity/sensor", (200, {name: True, "distance": 80}))
    scripted.on("POST /device/proximity/sensor", (200, ""))
    assert await client.media.proximity_enabled() is True
    await client.media.set_proximity(False)
    assert scripted.asked[-1].json == {name: False, "distance": 80}


async def test_a_proximity_sensor_without_a_switch(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /device/proximity/sensor", (200, {"distance": 80}))
    scripted.on("POST /device/settings/ir", (200, ""))
    assert await client.media.proximity_enabled() is None
    with pytest.raises(StationProtocolError):
        await client.media.set_proximity(True)


async def test_feeds_and_lights_are_read_as_printed(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /advanced/rtsp/feed", (200, [{"url": "rtsp://x"}]))
    scripted.on("GET /device/settings/led", (200, {"auto_mode": True}))
    assert await client.media.feeds() == {"list_items": [{"url": "rtsp://x"}]}
    assert await client.media.led() == {"auto_mode": True}


# The door


@pytest.mark.parametrize("reply", [{}, {"status": "ajar"}, {"status": 1}])
async def test_a_door_that_is_neither_open_nor_closed(
    scripted: ScriptedPanel, client: PanelClient, reply: dict[str, Any]
) -> None:
    scripted.on("GET /access/door/status", (200, reply))
    assert await client.access.status() is None


async def test_a_door_status_that_fails(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /access/door/status", (400, {"error": "No"}))
    with pytest.raises(Exception, match="unknown_code"):
        await client.access.status()


@pytest.mark.parametrize("name", ["repeating_message_enable", "repeating_message_enabled"])
async def test_the_repeating_message_by_the_spelling_that_was_read(
    scripted: ScriptedPanel, client: PanelClient, name: str
) -> None:
    scripted.on("GET /access/door/sensor", (200, {"enable": True, name: False, "available_modes": ["door_sensor"]}))
    scripted.on("POST /access/door/sensor", (200, ""))
    await client.access.set_sensor(repeat=True)
    assert scripted.asked[-1].json == {"enable": True, name: True}


async def test_days_that_are_none_are_left_out(scripted: ScriptedPanel, client: PanelClient) -> None:
    good = {"day": "SUN", "enable": True, "time_from": 0, "time_to": 9, "lock": "nowhere"}
    scripted.on("GET /access/freeaccess", (200, {"days": [good, {"day": "XXX"}, {"day": "MON", "time_from": 1}]}))
    found = (await client.access.free_access()).days
    assert found == (FreeDay(day=Day.SUNDAY, enabled=True, start=0, end=9),)


async def test_a_free_day_that_ends_before_it_begins(client: PanelClient) -> None:
    with pytest.raises(InvalidValueError):
        FreeDay(day=Day.SUNDAY, enabled=True, start=5, end=4).body()


async def test_free_access_and_codes_of_nobody(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /access/freeaccess", (200, {"enable": True, "days": []}))
    scripted.on("POST /access/freeaccess", (200, ""))
    day = FreeDay(day=Day.MONDAY, enabled=True, start=1, end=2, lock=1)
    await client.access.set_free_access(days=(day,))
    assert scripted.asked[-1].json == {"enable": True, "days": [day.body()]}
    for code in ("", "123456789", "12a", "\u0661"):
        with pytest.raises(InvalidValueError) as raised:
            await client.access.set_master_code(enabled=True, code=code)
        assert not code or code not in str(raised.value)


def test_no_secret_is_in_what_is_shown_of_a_setting() -> None:
    shown = (
        MasterCode(enabled=True, code="73129846"),
        StreamAccount(username="eye", password="73129846"),
        Concierge(enabled=True, number="73129846"),
        Management.parse({"settings": {"url": "mqtt://x", "password": "73129846"}}),
    )
    assert "73129846" not in repr(shown)


# Time profiles


@pytest.mark.parametrize(
    "profile",
    [
        TimeProfile(name="x", start=2, end=1),
        TimeProfile(name="x", start=-1, end=1),
        TimeProfile(name="x", start=0, end=1, every=0),
        TimeProfile(name=" ", start=0, end=1),
    ],
)
def test_profiles_that_no_panel_takes(profile: TimeProfile) -> None:
    with pytest.raises(InvalidValueError):
        profile.body()


async def test_profiles_of_any_quality(scripted: ScriptedPanel, client: PanelClient) -> None:
    span = {"date_from": 1, "date_to": 2}
    scripted.on("POST /access/timeprofile", (200, {"uid": -1}))
    scripted.on("GET /access/timeprofile/item/3", (200, {"name": "x"}))
    scripted.on("GET /access/timeprofile/items", (200, {"list_items": [{"uid": 4, "time_options": span}, {"uid": 5}]}))
    with pytest.raises(StationProtocolError):
        await client.profiles.create(TimeProfile(name="x", start=0, end=1))
    with pytest.raises(StationProtocolError):
        await client.profiles.read(3)
    assert [profile.uid async for profile in client.profiles.all()] == [4]
    weekly = TimeProfile(name="x", start=0, end=1, days=(Day.MONDAY,))
    assert TimeProfile.parse(weekly.body()) == weekly


async def test_a_zone_by_the_name_that_was_read(scripted: ScriptedPanel, client: PanelClient) -> None:
    """`timezone` on Android panels, `current_timezone` on others."""
    for name in ("timezone", "current_timezone", "device_timezone"):
        scripted.on("GET /network/timezone", (200, {name: "UTC+00:00"}))
        scripted.on("POST /network/timezone", (200, ""))
        await client.system.set_zone("UTC+03:00")
        assert scripted.asked[-1].json == {name: "UTC+03:00"}
    with pytest.raises(InvalidValueError):
        await client.system.set_zone("Europe/Prague")


async def test_the_clock_is_not_set_while_the_zone_is_unknown(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /network/timezone", (200, {}))
    with pytest.raises(StationProtocolError):
        await client.system.set_time(datetime.now(UTC))


async def test_what_cannot_be_reached_is_no_photo(running: Running) -> None:
    pair = await running()
    await pair.client.media.photo()
    await pair.panel.cut_network()
    with pytest.raises(StationConnectionError):
        await pair.client.media.photo()

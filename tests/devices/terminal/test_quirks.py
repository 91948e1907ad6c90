"""What the document prints in a way of its own, a test for each: written as the device wants it, read with patience."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
import hashlib
from typing import Any

import pytest

from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationProtocolError,
    StationRefusedError,
    ValueTooLongError,
)
from custom_components.face_access.devices.terminal.audio import BuiltInAudio
from custom_components.face_access.devices.terminal.client import TerminalClient
from custom_components.face_access.devices.terminal.control import OutputMode
from custom_components.face_access.devices.terminal.params import APP_PARAMS
from custom_components.face_access.devices.terminal.person import PersonData, PersonQuery, Role, UpdateFlags, UploadMode
from custom_components.face_access.devices.terminal.phone import Gps, Traffic
from custom_components.face_access.devices.terminal.records import RecordQuery
from custom_components.face_access.devices.terminal.schedule import ClockTime, RuleMode, ScheduleRule, Section
from custom_components.face_access.devices.terminal.screen import Medium, OsdText
from custom_components.face_access.devices.terminal.services import (
    ControlMode,
    ControlService,
    UploadInfo,
    UploadMethod,
)
from custom_components.face_access.devices.terminal.upgrade import (
    Firmware,
    UpgradeFile,
    UpgradeRequest,
    UpgradeType,
    upgrade_answer,
)
from custom_components.face_access.devices.terminal.values import Term

from .conftest import FakeLink

type Talk = Callable[..., tuple[TerminalClient, FakeLink]]

JPEG = b"\xff\xd8\xff\xe0picture"
PNG = b"\x89PNG\r\n\x1a\npicture"
WAV = b"RIFF\0\0\0\0WAVEfmt "


async def test_snapshot_comes_under_image_with_a_space(talk: Talk) -> None:
    client, _link = talk({"image ": {"format": "jpg", "image_data": "/9j/", "time_stamp": "2020/01/01 00:00:00"}})
    snapshot = await client.control.snapshot()
    assert (snapshot.image, snapshot.time) == (b"\xff\xd8\xff", datetime.fromisoformat("2020-01-01"))


async def test_derep_timeout_is_written_with_a_space_and_read_either_way(talk: Talk) -> None:
    client, link = talk({"face": {"derep_timeout ": 5}}, {"face": {"derep_timeout": 6}})
    assert (await client.app.read()).get("face.derep_timeout") == 5
    assert (await client.app.read()).get("face.derep_timeout") == 6
    await client.app.write({"face.derep_timeout": 7})
    assert link.fields == {"face": {"derep_timeout ": 7}}


async def test_end_of_validity_is_searched_with_a_space_in_its_key(talk: Talk) -> None:
    client, link = talk({"persons": [], "total": 0})
    await client.people.page(query=PersonQuery(ends=(datetime.fromisoformat("2017-01-01"), Term.FOREVER)))
    assert link.fields["condition"] == {"term_start": "2017/01/01 00:00:00", "term ": "forever"}


@pytest.mark.parametrize("cmd", [" gpio control", "gpio control ", "gpio control"])
async def test_replies_name_their_command_with_stray_spaces(talk: Talk, cmd: str) -> None:
    client, _link = talk({"cmd": cmd})
    await client.control.open()


async def test_update_person_jpg_is_answered_as_update_person(talk: Talk) -> None:
    client, link = talk({"cmd": "update person"})
    await client.people.update_jpg(PersonData(id="1", name="x"))
    assert link.asked[-1]["cmd"] == "update person jpg"


async def test_upload_file_is_answered_as_set_hardware_info(talk: Talk) -> None:
    client, link = talk({"cmd": "set hardware info"})
    await client.files.upload("/p", b"x")
    assert link.asked[-1]["cmd"] == "upload file"


async def test_aes_is_written_as_updata(talk: Talk) -> None:
    client, link = talk({"cmd": " updata aes "})
    await client.encryption.set(b"12345", enable=True)
    assert link.asked[-1] == {"version": "0.2", "cmd": "updata aes", "ori_key": "MTIzNDU=", "enable": True}


async def test_replies_without_the_reply_mark_count(talk: Talk) -> None:
    client, link = talk()

    async def request(body: dict[str, Any], **_more: Any) -> dict[str, Any]:
        return {"version": "0.21", "cmd": body["cmd"], "code": 0, "volume": "50"}

    link.request = request  # type: ignore[method-assign]
    assert await client.system.volume() == 50


async def test_misspelt_match_failed_reson_is_read_and_so_is_the_right_spelling(talk: Talk) -> None:
    records = [{"match_failed_reson": -4}, {"match_failed_reason": -6}]
    client, _link = talk({"records": records, "total": 2})
    assert [record.reason for record in (await client.records.page()).items] == [-4, -6]


async def test_remote_upgrader_is_read_inside_face_and_written_at_the_top(talk: Talk) -> None:
    client, link = talk({"face": {"remote_upgrader": {"enable": True}}}, {"remote_upgrader": {"enable": False}})
    params = await client.app.read()
    assert params.get("remote_upgrader.enable") is True
    assert (await client.app.read()).get("remote_upgrader.enable") is False
    await client.app.write({"remote_upgrader.enable": False}, params)
    assert link.fields == {"remote_upgrader": {"enable": False}}


async def test_a_parameter_that_the_device_lacks_is_none(talk: Talk) -> None:
    client, _link = talk({"face": {"match_score": "x", "mask": 5}})
    params = await client.app.read()
    assert params.get("face.match_score") is None
    assert params.get("face.mask.enable") is None
    assert params.values() == {}
    assert params.upload_info.method is None
    assert params.extranet.enabled is None


async def test_unknown_fields_are_ignored(talk: Talk) -> None:
    client, _link = talk({"date_time": "2018/11/23 16:00:00", "news": {"deep": [1]}})
    assert await client.system.time() == datetime.fromisoformat("2018-11-23 16:00:00")


@pytest.mark.parametrize(("value", "number"), [("80", 80), (80.0, 80), (True, 1)])
async def test_numbers_come_as_texts_and_switches_as_numbers(talk: Talk, value: Any, number: int) -> None:
    client, _link = talk({"face": {"match_score": value, "enable_match": 1, "enable_alive": "0"}})
    params = await client.app.read()
    assert params.get("face.match_score") == number
    assert params.get("face.enable_match") is True
    assert params.get("face.enable_alive") is False


async def test_content_is_checked_in_bytes_before_it_is_sent(talk: Talk) -> None:
    client, link = talk()
    person = PersonData(id="1")
    long = "ä" * 40
    limits: list[tuple[str, int, Any]] = [
        ("id", 19, lambda: client.people.upload(PersonData(id="ä" * 10))),
        ("name", 63, lambda: client.people.upload(PersonData(id="1", name=long))),
        ("name", 15, lambda: client.people.add_jpg(PersonData(id="1", name="ä" * 8, photo=JPEG))),
        ("name", 15, lambda: client.people.update(PersonData(id="1", name="ä" * 8))),
        ("customer_text", 68, lambda: client.people.upload(PersonData(id="1", customer_text=long))),
        ("text", 64, lambda: client.audio.say(long)),
        ("id", 19, lambda: client.people.delete(long)),
        ("id", 19, lambda: client.records.page(query=RecordQuery(id=long))),
        ("person_id", 19, lambda: client.control.open(person_id=long)),
        ("device_info.device_no", 31, lambda: client.app.write({"device_info.device_no": long})),
        ("device_info.addr_name", 95, lambda: client.app.write({"device_info.addr_name": long * 2})),
        ("service_url", 101, lambda: client.app.write_upload(_http(service_url="x" * 102))),
        ("pattern", 69, lambda: client.app.write_upload(_http(method=UploadMethod.FTP, pattern="x" * 70))),
    ]
    for field, limit, call in limits:
        with pytest.raises(ValueTooLongError) as error:
            await call()
        assert (error.value.field, error.value.limit) == (field, limit)
        assert error.value.length > limit
    assert link.asked == []
    assert person.name is None


def _http(**changes: Any) -> UploadInfo:
    fields: dict[str, Any] = {"method": UploadMethod.HTTP, "server_ip": "10.0.0.1", "server_port": 80}
    return UploadInfo(**fields | changes)


async def test_card_of_64_bits_goes_into_the_long_field_with_0_in_the_short_one(talk: Talk) -> None:
    client, link = talk()
    await client.control.send_card(2**64 - 1)
    assert link.fields == {"wiegand_card_no": 0, "long_card_id": 2**64 - 1, "ctrl_mode": "force"}
    await client.control.send_card(8, mode=OutputMode.SCENE)
    assert link.fields == {"wiegand_card_no": 8, "ctrl_mode": "scene"}
    await client.people.upload(PersonData(id="1", card=8, long_card=True))
    assert link.fields["long_card_id"] == 8
    assert "wg_card_id" not in link.fields


async def test_useless_forever_and_never(talk: Talk) -> None:
    client, link = talk({"persons": [{"id": 7, "term_start": "useless", "term": "never"}, {"id": "8", "term": "soon"}]})
    first, second = (await client.people.page()).items
    assert (first.id, first.start, first.end) == ("7", Term.USELESS, Term.NEVER)
    assert (second.start, second.end) == (None, None)
    await client.people.upload(PersonData(id="1", start=Term.USELESS, end=Term.FOREVER))
    assert (link.fields["term_start"], link.fields["term"]) == ("useless", "forever")
    for wrong in (PersonData(id="1", start=Term.FOREVER), PersonData(id="1", end=Term.USELESS)):
        with pytest.raises(InvalidValueError):
            await client.people.upload(wrong)


async def test_the_clock_is_local_time_without_a_zone(talk: Talk) -> None:
    client, link = talk()
    await client.system.set_time(datetime.fromisoformat("2018-11-23 16:00:00"))
    assert link.fields == {"date_time": "2018/11/23 16:00:00"}
    with pytest.raises(InvalidValueError):
        await client.system.set_time(datetime(2018, 11, 23, 16, tzinfo=UTC))
    # By the time it is sent again it would be another time.
    assert link.idempotent == [False]


async def test_4g_is_told_by_yes_and_no(talk: Talk) -> None:
    client, link = talk({"FourG": {"moduler_4g": "NO"}, "Flash": {"size": "8"}, "device_sn": " A "})
    hardware = await client.system.hardware()
    assert (hardware.four_g, hardware.flash_size, hardware.serial) == (False, 8, "A")
    await client.system.set_hardware(lcd_model="LCD", four_g=True)
    assert link.fields == {"Lcd": {"manu": "", "model": "LCD"}, "FourG": {"moduler_4g": "YES"}}


async def test_downloads_may_come_in_larger_pieces_than_asked_for(talk: Talk) -> None:
    data = bytes(range(256)) * 80
    piece = {
        "total_size": len(data),
        "offset": 0,
        "size": 204800,
        "data": base64.b64encode(data).decode(),
        "md5sum": hashlib.md5(data, usedforsecurity=False).hexdigest().upper(),
    }
    client, link = talk(piece)
    assert await client.files.download("/p") == data
    assert link.fields == {"path": "/p", "offset": 0, "size": 10240}


async def test_days_of_traffic_are_written_as_the_device_wants_them(talk: Talk) -> None:
    client, link = talk(*[{"statistics": [{"date": "6-1", "bytes_rx": 1, "bytes_tx": "2"}, {"date": "June"}]}] * 9)
    days = [await client.mobile.traffic(6), await client.mobile.traffic(6, first=1, last=9)]
    assert days[0] == (Traffic(month=6, day=1, received=1, sent=2),)
    assert "day" not in link.asked[0]
    assert link.fields["day"] == "1-9"
    await client.mobile.traffic(6, first=1)
    assert link.fields["day"] == "1-"
    await client.mobile.traffic(6, first=1, last=1)
    assert link.fields["day"] == "1"
    for wrong in ({"last": 3}, {"first": 5, "last": 4}, {"first": 0}):
        with pytest.raises(InvalidValueError):
            await client.mobile.traffic(6, **wrong)


async def test_position_is_two_texts(talk: Talk) -> None:
    client, _link = talk({"gps": {"n": "48.1", "e": "11.5", "strength": 7}}, {"gps": {"n": "", "e": "", "strength": 0}})
    assert (await client.mobile.info()).gps == Gps(latitude=48.1, longitude=11.5, satellites=7)
    assert (await client.mobile.info()).gps is None


async def test_the_end_of_a_day_may_come_as_24_00(talk: Talk) -> None:
    day = {"sections": [{"start": {"hour": 0, "minute": 0}, "end": {"hour": 24, "minute": 0}}, {"start": {}}, 5]}
    rules = [{"kind": "1", "name": "n", "mode": "daily", "days": [day]}, {"mode": "daily"}, {"kind": 2, "mode": "x"}]
    client, _link = talk({"kinds": rules})
    [rule] = await client.schedule.read()
    assert [(str(part.start), str(part.end)) for part in rule.days[0]] == [("00:00", "24:00")]
    with pytest.raises(InvalidValueError):
        await client.schedule.replace((rule,))


async def test_hands_off_what_the_device_would_refuse(talk: Talk) -> None:
    """Values outside the document's ranges are never sent."""
    client, link = talk()
    part = Section(start=ClockTime(hour=9, minute=0), end=ClockTime(hour=8, minute=0))
    rule = ScheduleRule(kind=1, name="", mode=RuleMode.DAILY, days=((),))
    wrong: list[Any] = [
        lambda: client.people.upload(PersonData(id="")),
        lambda: client.people.upload(PersonData(id="1", role=0)),
        lambda: client.people.upload(PersonData(id="1", kind=16)),
        lambda: client.people.upload(PersonData(id="1", photo=b"GIF")),
        lambda: client.people.upload(PersonData(id="1", photo=JPEG + bytes(10 * 1024 * 1024))),
        lambda: client.people.upload(PersonData(id="1", thumbnail=PNG)),
        lambda: client.people.upload(PersonData(id="1", normalised=(b"a", b"b"))),
        lambda: client.people.add_jpg(PersonData(id="1")),
        lambda: client.people.add_jpg(PersonData(id="1", photo=PNG)),
        lambda: client.people.add(PersonData(id="1", normalised=(b"x",) * 6)),
        lambda: client.people.update(PersonData(id="1")),
        lambda: client.people.update(PersonData(id="1"), UpdateFlags.NAME),
        lambda: client.people.update(PersonData(id="1"), UpdateFlags.THUMBNAIL),
        lambda: client.people.page(0),
        lambda: client.people.page(1, 21),
        lambda: client.people.page(query=PersonQuery(card=8, fuzzy=True)),
        lambda: client.people.page(
            query=PersonQuery(ends=(datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2019-01-01")))
        ),
        lambda: client.people.delete(""),
        lambda: client.records.page(query=RecordQuery(scores=(80, 101))),
        lambda: client.records.page(query=RecordQuery(times=(2, 1))),
        lambda: client.schedule.replace((rule, rule)),
        lambda: client.schedule.replace((ScheduleRule(kind=1, name="", mode=RuleMode.WEEKLY, days=((),)),)),
        lambda: client.schedule.replace((ScheduleRule(kind=1, name="", mode=RuleMode.DAILY, days=((part,),)),)),
        lambda: client.schedule.replace((ScheduleRule(kind=16, name="", mode=RuleMode.DAILY, days=((),)),)),
        lambda: client.schedule.add(()),
        lambda: client.control.open(0),
        lambda: client.control.send_card(2**64),
        lambda: client.system.set_volume(101),
        lambda: client.screen.set_media(()),
        lambda: client.screen.set_media((Medium(sequence=1, name="a"), Medium(sequence=1, name="b"))),
        lambda: client.screen.set_media((Medium(sequence=1, name="../a"),)),
        lambda: client.screen.delete_media((Medium(sequence=11, name="a"),)),
        lambda: client.screen.show_text(()),
        lambda: client.screen.show_text((OsdText(text="x", color=2**32),)),
        lambda: client.screen.show_image(b"GIF"),
        lambda: client.audio.say(""),
        lambda: client.audio.play(b"MP3"),
        lambda: client.audio.play_built_in(BuiltInAudio(number=-1, name="x")),
        lambda: client.files.upload("/p", b""),
        lambda: client.files.upload("/p", b"x", offset=2),
        lambda: client.encryption.set(bytes(17)),
        lambda: client.sip.register(domain="", port=1, username="x"),
        lambda: client.sip.register(domain="x", port=0, username="x"),
        lambda: client.sip.call("someone@host:5060"),
        lambda: client.sip.call("sip:someone@host:99999"),
        lambda: client.mobile.traffic(13),
    ]
    for call in wrong:
        with pytest.raises(InvalidValueError):
            await call()
    assert link.asked == []


async def test_what_acts_is_never_repeated_and_what_sets_is(talk: Talk) -> None:
    client, link = talk(*[{"screensaver_media_list": []}] * 99)
    acts: list[Any] = [
        client.control.open,
        lambda: client.control.send_card(1),
        lambda: client.audio.say("x"),
        lambda: client.audio.play(WAV),
        lambda: client.audio.play_built_in(BuiltInAudio(number=0, name="x")),
        lambda: client.sip.call("sip:a@b:1"),
        client.sip.hang_up,
        client.system.reboot,
        client.system.restart_application,
        lambda: client.people.upload(PersonData(id="1"), UploadMode.ADD),
        lambda: client.people.add(PersonData(id="1")),
        lambda: client.people.add_jpg(PersonData(id="1", photo=JPEG)),
        lambda: client.schedule.add((ScheduleRule(kind=1, name="", mode=RuleMode.DAILY, days=((),)),)),
        lambda: client.encryption.set(b""),
        lambda: client.screen.delete_media((Medium(sequence=1, name="x"),)),
    ]
    sets: list[Any] = [
        lambda: client.people.upload(PersonData(id="1")),
        lambda: client.people.upload(PersonData(id="1"), UploadMode.MODIFY),
        lambda: client.people.add(PersonData(id="1"), cover=True),
        lambda: client.people.delete("1"),
        client.people.delete_all,
        lambda: client.app.write({"face.match_score": 80}),
        lambda: client.schedule.replace(()),
        lambda: client.system.set_volume(5),
        client.screen.media,
        lambda: client.files.upload("/p", b"x"),
    ]
    for call in [*acts, *sets]:
        await call()
    assert link.idempotent == [False] * len(acts) + [True] * len(sets)


async def test_delete_reports_only_a_missing_person_as_false(talk: Talk) -> None:
    client, _link = talk({"code": 22}, {"code": 23})
    assert await client.people.delete("1") is False
    with pytest.raises(StationRefusedError, match="write_failed"):
        await client.people.delete("1")


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.control.snapshot(),
        lambda client: client.system.time(),
        lambda client: client.system.volume(),
        lambda client: client.screen.screensaver(),
        lambda client: client.encryption.enabled(),
    ],
)
async def test_a_reply_without_what_was_asked_for_is_a_protocol_error(
    talk: Talk, ask: Callable[[TerminalClient], Any]
) -> None:
    client, _link = talk({"date_time": "?", "volume": "loud", "enable": "?", "image": {"image_data": "?"}})
    with pytest.raises(StationProtocolError):
        await ask(client)


async def test_lists_without_items_are_empty_and_broken_items_are_left_out(talk: Talk) -> None:
    client, _link = talk(
        {},
        {"screensaver_media_list": [{"sequence": 1}, {"media_name": "x"}, 5, {"sequence": "2", "media_name": "y"}]},
        {"audio_list": [{"audio_no": 0}, None, {"audio_no": 1, "audio_name": "x"}]},
        {"persons": [{"id": "1", "reg_images": [{"image_data": "?"}, 5], "feature_data": [1, "x", 2.5]}]},
    )
    assert await client.screen.media() == ()
    assert [medium.sequence for medium in await client.screen.media()] == [2]
    assert await client.audio.built_in() == (BuiltInAudio(number=1, name="x"),)
    [person] = (await client.people.page(query=PersonQuery(features=True))).items
    assert (person.images, person.features) == ((), (1.0, 2.5))


async def test_auth_code_may_be_missing(talk: Talk) -> None:
    client, _link = talk({}, {"customer_auth_code": "AAA"})
    assert await client.system.auth_code() == b""
    assert await client.system.auth_code() == b"\0\0"


async def test_close_up_of_a_record_may_come_as_an_object(talk: Talk) -> None:
    pictures = [
        {"face_image": {"format": "jpg", "data": "/9j/"}},
        {"face_image": "/9j/"},
        {"face_image": {"image_data": "?"}},
    ]
    client, _link = talk({"records": pictures, "total": 3})
    assert [record.face_image for record in (await client.records.page()).items] == [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff",
        None,
    ]


async def test_names_codes_and_pictures_are_in_no_repr(talk: Talk) -> None:
    secrets = ("Alice", "4711", "secret", "picture", "12345")
    client, _link = talk(
        {"persons": [{"id": "1", "name": "Alice", "wg_card_id": 4711, "customer_text": "secret"}]},
        {"upload_info": {"method": "ftp", "user": "Alice", "password": "secret"}, "total": 1},
        {"records": [{"id": "1", "name": "Alice", "customer_id": "secret", "face_image": "cGljdHVyZQ=="}]},
        {"ICCID": "12345", "IMSI": "4711"},
    )
    shown = [
        PersonData(id="1", name="Alice", card=4711, customer_text="secret", photo=b"picture"),
        PersonQuery(name="Alice", card=4711),
        await client.people.page(),
        await client.app.read(),
        (await client.app.read()).upload_info,
        await client.records.page(),
        await client.mobile.info(),
    ]
    for item in shown:
        assert not [secret for secret in secrets if secret in repr(item)]


async def test_upload_without_a_target_is_not_sent(talk: Talk) -> None:
    client, link = talk()
    wrong: list[Any] = [
        lambda: client.app.write_upload(UploadInfo()),
        lambda: client.app.write_upload(_http(server_port=None)),
        lambda: client.app.write_upload(_http(server_port=0)),
        lambda: client.app.write_upload(_http(server_ip=None)),
        lambda: client.app.write_upload(_http(method=UploadMethod.TCP, server_ip=None, server_domain="x")),
        lambda: client.app.write_extranet(ControlService()),
        lambda: client.app.write_extranet(ControlService(enabled=True)),
    ]
    for call in wrong:
        with pytest.raises(InvalidValueError):
            await call()
    assert link.asked == []


async def test_upload_has_only_the_fields_of_its_method(talk: Talk) -> None:
    client, link = talk()
    await client.app.write_upload(_http(server_domain="ignored", service_url="a/b", password="ignored"))
    http = {"method": "http", "server_ip": "10.0.0.1", "server_port": 80, "service_url": "a/b"}
    assert link.fields == {"upload_info": http}
    await client.app.write_upload(_http(method=UploadMethod.TCP, service_url="ignored"))
    assert link.fields == {"upload_info": {"method": "tcp", "server_ip": "10.0.0.1", "server_port": 80}}
    service = ControlService(enabled=True, server_ip="10.0.0.1", server_port=80, url="ignored")
    await client.app.write_extranet(service)
    assert link.fields == {"extranet": {"enable": True, "mode": "tcp", "server_ip": "10.0.0.1", "server_port": 80}}


def test_control_service_without_a_mode_uses_tcp() -> None:
    assert ControlService.parse({"enable": True}).mode is ControlMode.TCP
    assert ControlService.parse({"enable": True, "mode": "HTTP"}).mode is ControlMode.HTTP
    assert ControlService.parse({"enable": False}).mode is None


async def test_writes_send_only_what_changed(talk: Talk) -> None:
    client, link = talk({"face": {"match_score": 80, "enable_match": True, "mask": {"enable": False}}})
    current = await client.app.read()
    wanted = {"face.match_score": 80, "face.mask.enable": True, "face.body_temperature.limit": 38}
    assert current.changes(wanted) == {"face": {"mask": {"enable": True}, "body_temperature": {"limit": 38.0}}}
    assert await client.app.write({"face.match_score": 80}, current) is False
    assert len(link.asked) == 1


async def test_parameters_after_a_write_are_known_without_reading_them_again(talk: Talk) -> None:
    client, _link = talk({"face": {"derep_timeout ": 3, "remote_upgrader": {"enable": True}}, "upload_info": {"x": 1}})
    current = await client.app.read()
    updated = current.updated({"face.derep_timeout": 9, "remote_upgrader.enable": False, "face.mask.enable": True})
    assert updated.values() == {"face.derep_timeout": 9, "remote_upgrader.enable": False, "face.mask.enable": True}
    assert updated.upload_info.raw == {"x": 1}
    assert updated.changes({"face.derep_timeout": 3}) == {"face": {"derep_timeout ": 3}}
    assert current.values() == {"face.derep_timeout": 3, "remote_upgrader.enable": True}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("face.match_score", 69),
        ("face.match_score", "80"),
        ("face.match_score", 80.5),
        ("face.enable_match", 2),
        ("face.pic_form", "square"),
        ("face.pic_form", True),
        ("gate_control.gate_mode", 14),
        ("gate_control.gpio_retention_time", 5001),
        ("lcd_control.lcd_title", 5),
        ("gate_control.wg_id_public", 2**32),
        ("face.nothing", 1),
    ],
)
async def test_parameters_out_of_range_are_named_and_not_sent(talk: Talk, path: str, value: Any) -> None:
    client, link = talk()
    with pytest.raises(InvalidValueError) as error:
        await client.app.write({path: value})
    assert error.value.field == path
    assert link.asked == []


async def test_a_score_needs_the_comparison_to_be_on(talk: Talk) -> None:
    client, link = talk({"face": {"enable_match": False}})
    current = await client.app.read()
    with pytest.raises(InvalidValueError, match="only while"):
        await client.app.write({"face.match_score": 80}, current)
    assert await client.app.write({"face.match_score": 80, "face.enable_match": True}, current) is True
    assert link.fields == {"face": {"match_score": 80, "enable_match": True}}


def test_every_parameter_of_the_document_is_in_the_table() -> None:
    groups: dict[str, int] = {}
    for path in APP_PARAMS:
        groups[path.split(".")[0]] = groups.get(path.split(".")[0], 0) + 1
    assert groups == {
        "device_info": 3,
        "face": 25,
        "remote_upgrader": 1,
        "gate_control": 11,
        "led_control": 3,
        "lcd_control": 3,
        "qr_code_control": 2,
        "name_list": 1,
    }


def test_upgrade_is_asked_for_and_answered() -> None:
    request = UpgradeRequest.parse(
        {"cmd": "ask_upgrade", "device_sn": "A", "last_upgrade_code": 9, "firmware": {"appversion": "0.10.2beta"}}
    )
    assert (request.serial, request.last_code, request.firmware.version) == ("A", 9, "0.10.2beta")
    nothing = {"reply": "ACK", "cmd": "ask_upgrade", "code": 0, "upgrade_type": "none"}
    assert upgrade_answer() == nothing
    file = UpgradeFile(url="http://10.0.0.1/f", md5="621B929A45C388C7E5AC4E260EA3DC99")
    assert upgrade_answer(UpgradeType.NORMAL, file, Firmware(version="0.11", platform="HI")) == nothing | {
        "upgrade_type": "normal",
        "upgrade_file": {"url": file.url, "md5sum": file.md5.lower()},
        "firmware": {"appversion": "0.11", "platform": "HI"},
    }
    with pytest.raises(InvalidValueError):
        upgrade_answer(UpgradeType.FORCE)
    with pytest.raises(InvalidValueError):
        upgrade_answer(UpgradeType.FORCE, UpgradeFile(url="x", md5="short"), Firmware())


async def test_roles_are_deleted_one_at_a_time(talk: Talk) -> None:
    client, link = talk()
    await client.people.delete_role(Role.ALLOWED)
    assert link.fields == {"flag": 1, "id": ""}

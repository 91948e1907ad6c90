"""Every command of chapter 2 against the simulated terminal, in both working modes."""

from datetime import datetime, timedelta
import io
import math
import wave

import pytest

from custom_components.face_access.devices.errors import StationRefusedError
from custom_components.face_access.devices.terminal.audio import BuiltInAudio
from custom_components.face_access.devices.terminal.client import TerminalClient
from custom_components.face_access.devices.terminal.control import OutputMode
from custom_components.face_access.devices.terminal.direct import DirectLink
from custom_components.face_access.devices.terminal.person import PersonData, PersonQuery, Role, UpdateFlags, UploadMode
from custom_components.face_access.devices.terminal.records import RecordQuery
from custom_components.face_access.devices.terminal.schedule import ClockTime, RuleMode, ScheduleRule, Section
from custom_components.face_access.devices.terminal.screen import Medium, OsdText, ScreensaverMode
from custom_components.face_access.devices.terminal.services import (
    ControlMode,
    ControlService,
    UploadInfo,
    UploadMethod,
)
from custom_components.face_access.devices.terminal.values import Term
from simulators._terminal import pictures
from simulators.terminal import SimulatedTerminal

NORMALISED = bytes(150 * 150 * 3)
LOCAL = datetime.fromisoformat("2026-03-04 05:06:07")


def _wav(seconds: float = 0.25) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(2 * int(8000 * seconds)))
    return buffer.getvalue()


async def _ids(client: TerminalClient, query: PersonQuery | None = None) -> list[str]:
    return [person.id async for person in client.people.all(query, size=2)]


async def test_people_are_listed_page_by_page(client: TerminalClient) -> None:
    page = await client.people.page(1, 2, PersonQuery(images=True))
    assert [person.id for person in page.items] == ["0001", "0002"]
    assert (page.number, page.total) == (1, 3)
    assert page.items[0].images[0].startswith(b"\xff\xd8")
    assert page.items[0].name == "Alice Gardner"
    assert (page.items[0].start, page.items[0].end) == (Term.USELESS, Term.FOREVER)
    assert page.items[1].card == 12345678
    assert await _ids(client) == ["0001", "0002", "0003"]
    assert await client.people.count() == 3


async def test_people_are_found_by_every_condition(client: TerminalClient) -> None:
    first, last = datetime.fromisoformat("2026-01-01"), datetime.fromisoformat("2026-12-31")
    await client.people.upload(
        PersonData(id="temp", name="Visitor", role=Role.ALLOWED, card=2**63, start=first, end=last)
    )
    assert await _ids(client, PersonQuery(role=Role.BLOCKED)) == ["0003"]
    assert await _ids(client, PersonQuery(id="0002")) == ["0002"]
    assert await _ids(client, PersonQuery(id="000", fuzzy=True)) == ["0001", "0002", "0003"]
    assert await _ids(client, PersonQuery(name="Bob Mason")) == ["0002"]
    assert await _ids(client, PersonQuery(card=12345678)) == ["0002"]
    assert await _ids(client, PersonQuery(card=2**63)) == ["temp"]
    assert await _ids(client, PersonQuery(starts=(first, first + timedelta(days=1)))) == ["temp"]
    assert await _ids(client, PersonQuery(ends=(first, last))) == ["temp"]
    assert await _ids(client, PersonQuery(ends=(last, Term.FOREVER), role=Role.BLOCKED)) == ["0003"]


async def test_upload_adds_and_modifies(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    person = PersonData(
        id="p1",
        name="Zoë",
        role=Role.ALLOWED,
        kind=3,
        card=77,
        start=LOCAL,
        end=Term.NEVER,
        customer_text="uuid",
        photo=pictures.sample(),
    )
    await client.people.upload(person)
    stored = simulated.people["p1"]
    assert (stored.name, stored.kind, stored.wg_card_id, stored.customer_text) == ("Zoë", 3, 77, "uuid")
    assert (stored.term_start, stored.term) == ("2026/03/04 05:06:07", "never")
    assert stored.has_face
    await client.people.upload(PersonData(id="p1", name="Zoe"), UploadMode.MODIFY)
    assert (simulated.people["p1"].name, simulated.people["p1"].kind) == ("Zoe", 3)
    with pytest.raises(StationRefusedError) as refused:
        await client.people.upload(PersonData(id="p1"), UploadMode.ADD)
    assert refused.value.code == "record_exists"
    with pytest.raises(StationRefusedError) as refused:
        await client.people.upload(PersonData(id="nobody"), UploadMode.MODIFY)
    assert refused.value.code == "record_not_found"
    await client.people.upload(
        PersonData(id="p2", normalised=(NORMALISED,), thumbnail=pictures.closeup("p2")), UploadMode.ADD
    )
    [found] = (await client.people.page(query=PersonQuery(id="p2", images=True))).items
    assert found.images == (pictures.closeup("p2"),)


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("empty", "feature_extraction_failed"),
        ("small", "face_too_small"),
        ("two", "not_one_face"),
        ("cut", "face_incomplete"),
    ],
)
async def test_a_photo_that_cannot_be_used_is_refused_by_name(client: TerminalClient, what: str, code: str) -> None:
    with pytest.raises(StationRefusedError) as refused:
        await client.people.upload(PersonData(id="p1", photo=pictures.sample(what)))
    assert refused.value.code == code


async def test_add_and_update_with_normalised_pictures(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    person = PersonData(id="p1", name="One", normalised=(NORMALISED,), thumbnail=pictures.closeup("a"))
    await client.people.add(person)
    with pytest.raises(StationRefusedError, match="record_exists"):
        await client.people.add(person)
    await client.people.add(person, cover=True)
    await client.people.update(PersonData(id="p1", name="Uno", role=Role.BLOCKED, card=5, kind=2))
    stored = simulated.people["p1"]
    assert (stored.name, stored.role, stored.wg_card_id, stored.kind, stored.term) == ("Uno", 2, 5, 2, "forever")
    await client.people.update(PersonData(id="p1", name="ignored", end=Term.NEVER), UpdateFlags.END)
    assert (simulated.people["p1"].name, simulated.people["p1"].term) == ("Uno", "never")
    await client.people.update(
        PersonData(id="p1", normalised=(NORMALISED,), thumbnail=pictures.closeup("b"), start=LOCAL, customer_text="x")
    )
    assert simulated.people["p1"].picture == pictures.closeup("b")
    assert simulated.people["p1"].customer_text == "x"


async def test_add_and_update_with_a_photo(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    await client.people.add_jpg(PersonData(id="p1", name="One", photo=pictures.sample()))
    before = simulated.people["p1"].picture
    await client.people.update_jpg(PersonData(id="p1", name="Uno"))
    assert (simulated.people["p1"].name, simulated.people["p1"].picture) == ("Uno", before)
    await client.people.update_jpg(PersonData(id="p1", photo=pictures.sample()))
    with pytest.raises(StationRefusedError, match="record_not_found"):
        await client.people.update_jpg(PersonData(id="p2", name="Uno"))


async def test_people_are_deleted_by_id_role_and_all(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    assert await client.people.delete("0001") is True
    assert await client.people.delete("0001") is False
    await client.people.delete_role(Role.BLOCKED)
    assert list(simulated.people) == ["0002"]
    await client.people.delete_all()
    assert simulated.people == {}


async def test_records_are_read_in_order_with_every_filter(
    client: TerminalClient, simulated: SimulatedTerminal
) -> None:
    await client.app.write({"face.body_temperature.enable": True})
    await simulated.set_temperature(36.4)
    await simulated.present_known("0001")
    await simulated.present_known("0002")
    await simulated.present_stranger()
    records = [record async for record in client.records.all(size=2)]
    assert [record.person_id for record in records] == ["0001", "0002", None]
    first, stranger = records[0], records[2]
    assert first.person_name == "Alice Gardner"
    assert first.score is not None
    assert first.score > 70
    assert first.temperature == pytest.approx(36.4)
    assert first.time is not None
    assert first.captured.startswith(first.time.strftime("%Y/%m/%d %H:%M:%S"))
    assert stranger.score == -1
    assert first.face_image is None
    page = await client.records.page(1, 1, RecordQuery(id="0001", face_image=True, template_image=True))
    assert page.items[0].face_image is not None
    assert page.items[0].template_image is not None
    stamp = int(simulated.records[0].stamp)
    queries = {
        "times": RecordQuery(times=(stamp - 5, stamp + 5)),
        "scores": RecordQuery(scores=(70, 100)),
        "uploaded": RecordQuery(uploaded=True),
        "not uploaded": RecordQuery(uploaded=False),
        "name": RecordQuery(name="Mason", fuzzy=True),
    }
    totals = {name: (await client.records.page(query=query)).total for name, query in queries.items()}
    assert totals == {"times": 3, "scores": 2, "uploaded": 0, "not uploaded": 3, "name": 1}


async def test_application_parameters_are_read_written_and_reset(
    client: TerminalClient, simulated: SimulatedTerminal
) -> None:
    params = await client.app.read()
    assert params.get("face.match_score") == 80
    assert params.get("gate_control.gpio_retention_time") == 1000
    wanted = {"face.match_score": 90, "face.enable_alive": True, "face.body_temperature.limit": 38.5}
    assert await client.app.write(wanted, params) is True
    assert simulated.app["face"]["match_score"] == 90
    assert simulated.app["face"]["body_temperature"]["limit"] == 38.5
    count = len(simulated.commands)
    assert await client.app.write(wanted, await client.app.read()) is False
    assert simulated.commands[count:] == ["request app params"]


async def test_every_application_parameter_can_be_written_as_it_was_read(client: TerminalClient) -> None:
    params = await client.app.read()
    values = params.values()
    assert len(values) > 40
    assert await client.app.write(values) is True
    assert (await client.app.read()).values() == values


async def test_reset_gives_the_values_of_a_new_device(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    await client.app.write({"face.match_score": 99})
    await client.app.reset()
    assert simulated.app["face"]["match_score"] == 80


async def test_upload_target_is_written_and_restored_to_the_letter(client: TerminalClient) -> None:
    ftp = UploadInfo(
        method=UploadMethod.FTP, server_ip="10.0.0.9", server_port=21, user="u", password="p", pattern="%Y%/"
    )
    await client.app.write_upload(ftp)
    before = (await client.app.read()).upload_info
    assert before == ftp
    ours = UploadInfo(method=UploadMethod.HTTP, server_domain="ha.local", server_port=8123, service_url="api/webhook/x")
    await client.app.write_upload(ours)
    assert (await client.app.read()).upload_info == ours
    await client.app.restore_upload(before.raw)
    assert (await client.app.read()).upload_info.raw == before.raw
    await client.app.write_upload(UploadInfo(method=UploadMethod.NONE))
    assert (await client.app.read()).upload_info == UploadInfo(method=UploadMethod.NONE)


async def test_control_service_is_written(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    service = ControlService(
        enabled=True, mode=ControlMode.HTTP, server_ip="127.0.0.1", server_port=1, url="other/control"
    )
    await client.app.write_extranet(service)
    assert simulated.control_url() == "http://127.0.0.1:1/other/control"
    # In the queued mode the terminal is out of reach from here on.
    if isinstance(client.link, DirectLink):
        assert (await client.app.read()).extranet == service
        await client.app.write_extranet(ControlService(enabled=False))
        assert (await client.app.read()).extranet == ControlService(enabled=False)


async def test_stream_parameters_are_read_written_and_reset(
    client: TerminalClient, simulated: SimulatedTerminal
) -> None:
    params = await client.stream.read()
    assert params.values()["image.brightness"] == 46
    assert await client.stream.write({"image.brightness": 60, "image.contrast": 60}, params) is True
    assert simulated.stream["image"]["brightness"] == 60
    assert await client.stream.write({"image.brightness": 46}, params) is False
    await client.stream.reset()
    assert simulated.stream["image"]["brightness"] == 46


def _rule(kind: int, mode: RuleMode = RuleMode.DAILY) -> ScheduleRule:
    part = Section(start=ClockTime(hour=8, minute=10), end=ClockTime(hour=18, minute=10))
    days = ((part,),) if mode is RuleMode.DAILY else ((part,),) * 5 + ((),) * 2
    return ScheduleRule(kind=kind, name=f"rule {kind}", mode=mode, days=days)


async def test_schedule_rules_are_replaced_added_and_read(client: TerminalClient) -> None:
    assert await client.schedule.read() == ()
    await client.schedule.replace((_rule(1),))
    await client.schedule.add((_rule(2, RuleMode.WEEKLY),))
    assert await client.schedule.read() == (_rule(1), _rule(2, RuleMode.WEEKLY))
    with pytest.raises(StationRefusedError, match="record_exists"):
        await client.schedule.add((_rule(2),))
    await client.schedule.replace(())
    assert await client.schedule.read() == ()


async def test_snapshot(client: TerminalClient) -> None:
    snapshot = await client.control.snapshot()
    assert snapshot.image.startswith(b"\xff\xd8")
    assert snapshot.format == "jpg"
    assert snapshot.time is not None


async def test_relay_opens(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    await client.control.open(2, person_id="0001")
    [opening] = simulated.openings
    assert (opening.port, opening.person_id) == (2, "0001")
    with pytest.raises(StationRefusedError):
        await client.control.open(3)
    simulated.clear_violations()


async def test_cards_are_sent(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    await client.control.send_card(8)
    await client.control.send_card(2**64 - 1, mode=OutputMode.TEST, person_id="0001")
    assert [sent["number"] for sent in simulated.doors.wiegand] == [8, 2**64 - 1]


async def test_system_commands(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    await client.system.heartbeat()
    assert await client.system.auth_code() == simulated.auth_code
    moment = simulated.local().replace(microsecond=0) + timedelta(hours=5)
    await client.system.set_time(moment)
    assert abs(await client.system.time() - moment) <= timedelta(seconds=2)
    hardware = await client.system.hardware()
    assert hardware.serial == simulated.serial
    assert (hardware.board.maker, hardware.board.model) == ("FSAN", "FSAN_02")
    assert (hardware.four_g, hardware.flash.maker, hardware.flash_size, hardware.motor_type) == (True, None, 0, "RSA")
    await client.system.set_hardware(lcd_model=hardware.lcd_models[1], four_g=False)
    assert (await client.system.hardware()).lcd.model == hardware.lcd_models[1]
    await client.system.set_volume(77)
    assert await client.system.volume() == 77


@pytest.mark.parametrize("command", ["reboot", "restart_application"])
async def test_device_starts_again(client: TerminalClient, simulated: SimulatedTerminal, command: str) -> None:
    await getattr(client.system, command)()
    assert simulated.commands[-1] == command.replace("_", " ")


async def test_screensaver_media_and_their_files(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    await client.screen.set_screensaver(ScreensaverMode.MEDIA)
    assert await client.screen.screensaver() is ScreensaverMode.MEDIA
    [medium] = await client.screen.set_media((Medium(sequence=1, name="news.png"),))
    assert medium.path is not None
    content = bytes(range(256)) * 1000
    offsets: list[int] = []
    await client.files.upload(medium.path, content, progress=offsets.append)
    assert offsets == [204800, 256000]
    assert simulated.files[medium.path] == content
    assert await client.screen.media() == (medium,)
    assert await client.files.download(medium.path) == content
    assert len([name for name in simulated.commands if name == "download file"]) == math.ceil(len(content) / 10240)
    [deleted] = await client.screen.delete_media((medium,))
    assert deleted.name == "news.png"
    with pytest.raises(StationRefusedError, match="record_not_found"):
        await client.screen.delete_media((medium,))


async def test_text_and_picture_on_screen(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    await client.screen.show_text((OsdText(text="Hello", color=0x80FF00FF), OsdText(text="世界", y=600, duration=1000)))
    assert [line["text"] for line in simulated.texts] == ["Hello", "世界"]
    assert simulated.texts[0]["font_color"] == "0x80ff00ff"
    await client.screen.show_image(pictures.sample(), x=1, y=2, duration=0)
    assert simulated.images[0]["data"] == pictures.sample()
    assert simulated.images[0]["position"] == {"x": 1, "y": 2}


async def test_sounds(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    await client.audio.say("认证成功")
    assert simulated.spoken[-1]["text"] == "认证成功"
    await client.audio.play(_wav())
    assert simulated.audio[-1]["seconds"] == pytest.approx(0.25)
    sounds = await client.audio.built_in()
    assert sounds[0].number == 0
    await client.audio.play_built_in(sounds[1])
    assert simulated.audio[-1]["name"] == sounds[1].name
    with pytest.raises(StationRefusedError):
        await client.audio.play_built_in(BuiltInAudio(number=99, name="nothing"))
    simulated.clear_violations()


async def test_encryption(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    assert await client.encryption.enabled() is False
    await client.encryption.set(b"12345", enable=True, new_key=b"0123456789abcdef")
    assert await client.encryption.enabled() is True
    with pytest.raises(StationRefusedError, match="authentication_failed"):
        await client.encryption.set(b"wrong", enable=False)
    await client.encryption.set(b"0123456789abcdef", enable=False)
    assert simulated.aes_enabled is False


async def test_telephone(client: TerminalClient, simulated: SimulatedTerminal) -> None:
    await client.sip.register(domain="192.168.0.12", port=5060, username="door", password="secret")
    assert simulated.sip_account is not None
    assert simulated.sip_account["username"] == "door"
    await client.sip.call("sip:someone@192.168.0.188:5060")
    assert simulated.phone.state in {"started", "ringing"}
    await client.sip.hang_up()
    assert simulated.phone.state == "idle"
    await client.sip.register(domain="192.168.0.12", port=5060, username="door")


async def test_mobile_network(client: TerminalClient) -> None:
    info = await client.mobile.info()
    assert info.module_ready is True
    assert info.operator
    days = await client.mobile.traffic(1, first=1, last=3)
    assert all(day.month == 1 and 1 <= day.day <= 3 for day in days)
    assert isinstance(await client.mobile.traffic(2), tuple)

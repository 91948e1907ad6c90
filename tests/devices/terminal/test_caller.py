"""Who answers, to what, and with which code."""

from collections.abc import Callable
import time
from typing import Any

import pytest

from custom_components.face_access.devices.errors import (
    StationProtocolError,
    StationRefusedError,
    StationTimeoutError,
    StationUnsupportedError,
    WrongStationError,
)
from custom_components.face_access.devices.terminal.client import TerminalClient
from custom_components.face_access.devices.terminal.codes import ReplyCode, refusal

from .conftest import FakeLink

type Talk = Callable[..., tuple[TerminalClient, FakeLink]]


@pytest.mark.parametrize("code", [code for code in ReplyCode if code not in (ReplyCode.OK, ReplyCode.UNSUPPORTED)])
async def test_every_code_is_a_refusal_of_its_own(talk: Talk, code: ReplyCode) -> None:
    client, _link = talk({"code": code.value, "desc": "why"})
    with pytest.raises(StationRefusedError) as refused:
        await client.system.time()
    assert (refused.value.code, refused.value.detail) == (code.name.lower(), "why")


@pytest.mark.parametrize("code", [12, 19, 27, 99, -1])
async def test_codes_that_nobody_knows_are_refusals_too(talk: Talk, code: int) -> None:
    client, _link = talk({"code": code})
    with pytest.raises(StationRefusedError) as refused:
        await client.system.time()
    assert (refused.value.code, refused.value.detail) == ("unknown_code", str(code))
    assert str(refusal(code, "why")) == f"unknown_code: {code}: why"


async def test_code_2_means_unsupported(talk: Talk) -> None:
    client, _link = talk({"code": 2})
    with pytest.raises(StationUnsupportedError):
        await client.mobile.info()


async def test_codes_written_as_text_count(talk: Talk) -> None:
    client, _link = talk({"code": "22"})
    with pytest.raises(StationRefusedError, match="record_not_found"):
        await client.system.time()


@pytest.mark.parametrize("code", [None, "x", [], 0.5])
async def test_a_reply_without_a_code_is_no_reply(talk: Talk, code: Any) -> None:
    client, _link = talk({"code": code})
    with pytest.raises(StationProtocolError):
        await client.system.reboot()


async def test_the_reply_to_another_command_is_no_reply(talk: Talk) -> None:
    client, _link = talk({"cmd": "request app params"})
    with pytest.raises(StationProtocolError):
        await client.system.time()


async def test_a_command_that_could_not_be_read_is_named_by_its_code(talk: Talk) -> None:
    client, _link = talk({"cmd": "", "code": 3}, {"cmd": ""})
    with pytest.raises(StationRefusedError, match="illegal_fields"):
        await client.system.time()
    with pytest.raises(StationProtocolError):
        await client.system.time()


async def test_serial_number_is_learned_from_the_first_reply(talk: Talk) -> None:
    client, _link = talk({"device_sn": "A"}, {"device_sn": "B"})
    assert client.serial is None
    await client.system.heartbeat()
    assert client.serial == "A"
    with pytest.raises(WrongStationError) as wrong:
        await client.system.heartbeat()
    assert (wrong.value.expected, wrong.value.found) == ("A", "B")


async def test_another_device_at_the_address_is_found_before_its_door_opens(talk: Talk) -> None:
    client, link = talk({"device_sn": "B"}, serial="A")
    with pytest.raises(WrongStationError):
        await client.control.open()
    assert [body["cmd"] for body in link.asked] == ["get hardware info"]


async def test_the_device_is_asked_who_it_is_only_when_it_has_not_just_said_so(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, link = talk(*[{"device_sn": "A"}] * 10, serial="A")
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    await client.control.open()
    await client.control.open()
    assert [body["cmd"] for body in link.asked] == ["get hardware info", "gpio control", "gpio control"]
    now += 61
    await client.control.open()
    assert [body["cmd"] for body in link.asked][3:] == ["get hardware info", "gpio control"]


async def test_reading_does_not_ask_who_it_is(talk: Talk) -> None:
    client, link = talk(serial="A")
    await client.system.heartbeat()
    assert [body["cmd"] for body in link.asked] == ["heart beat"]


@pytest.mark.parametrize("answer", [{"code": 2}, {"code": 7}, {}, {"device_sn": " "}, {"device_sn": []}])
async def test_a_device_that_does_not_say_who_it_is_opens_nothing(talk: Talk, answer: dict[str, Any]) -> None:
    client, link = talk(answer, serial="A")
    with pytest.raises(StationProtocolError, match="serial number"):
        await client.control.open()
    assert [body["cmd"] for body in link.asked] == ["get hardware info"]


async def test_a_refusal_that_says_who_it_is_from_is_enough(talk: Talk) -> None:
    """A firmware without that command is still the right device."""
    client, link = talk({"code": 2, "device_sn": " A "}, serial="A")
    await client.control.open()
    assert link.asked[-1]["cmd"] == "gpio control"


async def test_a_refusal_of_another_device_is_not_mistaken(talk: Talk) -> None:
    client, link = talk({"code": 2, "device_sn": "B"}, serial="A")
    with pytest.raises(WrongStationError):
        await client.control.open()
    assert len(link.asked) == 1


async def test_a_device_that_does_not_answer_opens_nothing(talk: Talk) -> None:
    client, link = talk(StationTimeoutError("late"), serial="A")
    with pytest.raises(StationTimeoutError):
        await client.control.open()
    assert [body["cmd"] for body in link.asked] == ["get hardware info"]


async def test_closing_the_client_closes_its_link(talk: Talk) -> None:
    client, link = talk()
    await client.close()
    assert link.closed

"""Lists by page, and files by piece: resumed where they broke off, and never believed without their md5."""

import base64
from collections.abc import Callable
import hashlib
from typing import Any

import pytest

from custom_components.face_access.devices.errors import StationProtocolError, StationRefusedError, StationTimeoutError
from custom_components.face_access.devices.terminal.client import TerminalClient

from .conftest import FakeLink

type Talk = Callable[..., tuple[TerminalClient, FakeLink]]

CONTENT = bytes(range(256)) * 100


def _piece(start: int, /, **changes: Any) -> dict[str, Any]:
    data = CONTENT[start : start + 10240]
    return {
        "offset": start,
        "size": len(data),
        "total_size": len(CONTENT),
        "data": base64.b64encode(data).decode(),
        "md5sum": hashlib.md5(data, usedforsecurity=False).hexdigest(),
    } | changes


async def test_download_is_resumed_where_it_broke_off(talk: Talk) -> None:
    client, link = talk(_piece(0), StationTimeoutError("late"), _piece(10240), _piece(20480))
    content = bytearray()
    with pytest.raises(StationTimeoutError):
        await client.files.download("/p", content)
    assert len(content) == 10240
    assert await client.files.download("/p", content) == CONTENT
    assert [body["offset"] for body in link.asked] == [0, 10240, 10240, 20480]


async def test_damaged_piece_is_asked_for_again(talk: Talk) -> None:
    client, link = talk(_piece(0, md5sum="0" * 32), _piece(0, data="?"), _piece(0), _piece(10240), _piece(20480))
    assert await client.files.download("/p") == CONTENT
    assert len(link.asked) == 5


async def test_piece_that_stays_damaged_is_an_error(talk: Talk) -> None:
    client, link = talk(*[_piece(0, md5sum="0" * 32)] * 9)
    with pytest.raises(StationProtocolError, match="md5"):
        await client.files.download("/p")
    assert len(link.asked) == 3


@pytest.mark.parametrize(
    "piece",
    [
        _piece(0, total_size=None),
        _piece(0, total_size=-1),
        _piece(0, total_size=2**40),
        _piece(0, total_size=100),
        _piece(0, offset=5),
        _piece(0, size=0, data="", md5sum=hashlib.md5(b"", usedforsecurity=False).hexdigest()),
    ],
)
async def test_pieces_that_make_no_sense_are_errors(talk: Talk, piece: dict[str, Any]) -> None:
    client, _link = talk(piece)
    with pytest.raises(StationProtocolError):
        await client.files.download("/p")


async def test_file_that_changes_meanwhile_is_an_error(talk: Talk) -> None:
    client, _link = talk(_piece(0), _piece(10240, total_size=len(CONTENT) + 1))
    with pytest.raises(StationProtocolError, match="changed"):
        await client.files.download("/p")


async def test_empty_file(talk: Talk) -> None:
    client, _link = talk({"total_size": 0, "data": "", "md5sum": hashlib.md5(b"", usedforsecurity=False).hexdigest()})
    assert await client.files.download("/p") == b""


async def test_upload_is_resumed_where_it_broke_off(talk: Talk) -> None:
    content = bytes(500_000)
    client, link = talk({}, StationTimeoutError("late"), {}, {"offset": 409600})
    done = [0]
    with pytest.raises(StationTimeoutError):
        await client.files.upload("/p", content, progress=done.append)
    assert done == [0, 204800]
    await client.files.upload("/p", content, offset=done[-1])
    assert [(body["offset"], body["size"]) for body in link.asked] == [
        (0, 204800),
        (204800, 204800),
        (204800, 204800),
        (409600, 90400),
    ]
    assert {body["total_size"] for body in link.asked} == {500_000}
    assert link.asked[0]["md5sum"] == hashlib.md5(content[:204800], usedforsecurity=False).hexdigest()


async def test_upload_stops_when_the_device_took_another_piece_or_refuses(talk: Talk) -> None:
    client, _link = talk({"offset": 5}, {"code": 11})
    with pytest.raises(StationProtocolError):
        await client.files.upload("/p", b"x")
    with pytest.raises(StationRefusedError, match="integrity_check_failed"):
        await client.files.upload("/p", b"x")


def _people(*ids: str, total: int) -> dict[str, Any]:
    return {"persons": [{"id": person} for person in ids], "total": total}


async def _walk(client: TerminalClient, size: int = 2) -> list[str]:
    return [person.id async for person in client.people.all(size=size)]


async def test_all_pages_are_read(talk: Talk) -> None:
    client, link = talk(_people("1", "2", total=3), _people("3", total=3))
    assert await _walk(client) == ["1", "2", "3"]
    assert [body["page_no"] for body in link.asked] == [1, 2]


async def test_entry_that_moved_to_the_next_page_is_not_repeated(talk: Talk) -> None:
    client, _link = talk(_people("2", "1", total=3), _people("1", "0", total=4), _people(total=4))
    assert await _walk(client) == ["2", "1", "0"]


async def test_device_that_repeats_a_page_for_ever_is_left(talk: Talk) -> None:
    client, link = talk(*[_people("1", "2", total=1000)] * 50)
    assert await _walk(client) == ["1", "2"]
    assert len(link.asked) == 2


async def test_empty_page_ends_the_list_whatever_the_total(talk: Talk) -> None:
    client, link = talk(_people("1", "2", total=1000), _people(total=1000))
    assert await _walk(client) == ["1", "2"]
    assert len(link.asked) == 2


async def test_list_without_a_total_is_one_page(talk: Talk) -> None:
    client, link = talk({"persons": [{"id": "1"}]})
    assert await _walk(client) == ["1"]
    assert len(link.asked) == 1


async def test_records_without_a_total_are_one_page(talk: Talk) -> None:
    client, _link = talk({"records": [{"sequence": 1, "time": "2020/06/05 11:51:18.454"}] * 2})
    assert [record.sequence async for record in client.records.all()] == [1]

"""History and schedule: what comes back, and what arrives at the station."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
import sqlite3
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
import pytest

from custom_components.face_access.access import Pictures, Reason, SightingKey, Verdict
from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.hub.history.store import History
from tests.actions.conftest import Act, FullDevice, fails
from tests.fakes import known, sighting

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def _at(minute: int, **changes: Any) -> dict[str, Any]:
    moment = NOON + timedelta(minutes=minute)
    return {"captured_at": moment, "key": SightingKey(sequence=minute, captured=str(minute)), **changes}


@pytest.fixture
async def seen(coordinator: FaceAccessCoordinator, hass: HomeAssistant) -> None:
    """Three sightings, the last of them fetched afterwards."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    history = coordinator.history
    await history.add(replace(known(), **_at(0, verdict=Verdict.GRANTED, temperature=36.6, mask=True)), live=True)
    refused = _at(1, verdict=Verdict.DENIED, refused=Reason.UNKNOWN, pictures=Pictures())
    await history.add(replace(sighting(), **refused), live=True)
    await history.add(replace(sighting(), **_at(2)), live=False)


async def test_records_come_newest_first_with_all_that_is_known(act: Act, seen: None) -> None:
    records = (await act("get_records"))["records"]
    assert [record["time"] for record in records] == [f"2026-11-01T13:0{minute}:00+01:00" for minute in (2, 1, 0)]
    assert [record["live"] for record in records] == [False, True, True]
    assert records[1] == {
        "time": "2026-11-01T13:01:00+01:00",
        "person_id": None,
        "person": None,
        "score": None,
        "verdict": "denied",
        "reason": "unknown",
        "temperature": None,
        "mask": None,
        "live": True,
        "picture": False,
    }
    assert records[2] == {
        "time": "2026-11-01T13:00:00+01:00",
        "person_id": "7",
        "person": "Anna",
        "score": 91.5,
        "verdict": "granted",
        "reason": None,
        "temperature": 36.6,
        "mask": True,
        "live": True,
        "picture": True,
    }


@pytest.mark.parametrize(
    ("wanted", "minutes"),
    [
        ({"start": "2026-11-01 13:01:00"}, [2, 1]),
        ({"end": "2026-11-01T12:01:00Z"}, [0]),
        ({"start": "2026-11-01T12:01:00Z", "end": "2026-11-01T12:02:00Z"}, [1]),
        ({"limit": 1}, [2]),
        ({"start": "2027-01-01 00:00:00"}, []),
    ],
)
async def test_part_of_the_records(act: Act, seen: None, wanted: dict[str, Any], minutes: list[int]) -> None:
    records = (await act("get_records", **wanted))["records"]
    assert [dt_util.parse_datetime(record["time"]) for record in records] == [
        NOON + timedelta(minutes=minute) for minute in minutes
    ]


async def test_records_that_were_missed_are_fetched_first(act: Act, device: FullDevice, seen: None) -> None:
    device.past = [replace(sighting(), **_at(5)), replace(known(), **_at(0))]
    answer = await act("get_records", fetch=True, limit=1)
    assert answer["fetched"] == 1
    assert answer["records"][0]["time"] == "2026-11-01T13:05:00+01:00"
    assert "fetched" not in await act("get_records")


@pytest.mark.parametrize("changes", [{"records": None}])
async def test_a_station_without_records_has_a_history_all_the_same(act: Act, seen: None) -> None:
    assert len((await act("get_records"))["records"]) == 3
    with fails("no_records", device="Front door"):
        await act("get_records", fetch=True)


async def test_a_time_that_runs_backwards(act: Act) -> None:
    with fails("start_after_end"):
        await act("get_records", start="2026-11-02 00:00:00", end="2026-11-01 00:00:00")


async def test_a_history_that_is_broken(act: Act) -> None:
    with patch.object(History, "list", side_effect=sqlite3.OperationalError("disk")), fails("history_unreadable"):
        await act("get_records")


# Schedule

RULE = {"kind": 1, "name": "Office", "mode": "daily", "days": [[{"start": "08:10", "end": "18:10"}]]}


async def test_what_is_read_can_be_written_back(act: Act, device: FullDevice) -> None:
    device.rules = [RULE]
    read = await act("get_schedule")
    assert read == {"rules": [RULE]}
    await act("set_schedule", **read)
    assert device.did("replace") == [([RULE],)]
    await act("set_schedule", rules=[])
    assert device.rules == []


async def test_rules_are_added(act: Act, device: FullDevice) -> None:
    await act("add_schedule", rules=RULE)
    await act("add_schedule", rules=[{"kind": 3, "mode": "daily", "days": [[]]}])
    assert device.did("add") == [([RULE],), ([{"kind": 3, "name": "", "mode": "daily", "days": [[]]}],)]
    with fails("kind_taken", kinds="1, 3"):
        await act("add_schedule", rules=[{**RULE, "kind": 3}, RULE, {**RULE, "kind": 4}])
    assert len(device.did("add")) == 2


async def test_there_is_no_room_for_a_sixteenth_rule(act: Act, device: FullDevice) -> None:
    device.rules = [{**RULE, "kind": kind} for kind in (*range(1, 14), 99)]
    with fails("too_many_rules", limit="15", count="16"):
        await act("add_schedule", rules=[{**RULE, "kind": 14}, {**RULE, "kind": 15}])
    assert device.commands == []

"""What happened is kept once, whichever way and however often it came, and goes with its station."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
import subprocess
import sys
from unittest.mock import patch

from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.access import (
    Alarm,
    AlarmKind,
    ContactMoved,
    EventKey,
    Method,
    Momentary,
    Passage,
    Reason,
    Ring,
)
from custom_components.face_access.hub.history import file as history_file, past_events
from custom_components.face_access.hub.history.past_events import EventKind
from custom_components.face_access.hub.history.retention import DEFAULT, Retention
from custom_components.face_access.hub.history.store import History
from tests.time_travel import history_ahead

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
MOMENT = 1_780_000_000_000


def ring(number: float = 0, *, source: str = "P-1", approximate: bool = False) -> Ring:
    """Make a ring that many seconds after the start."""
    key = EventKey(name="outgoing_call", moment=MOMENT + round(number * 1000), approximate=approximate)
    return Ring(source=source, at=START + timedelta(seconds=number), key=key)


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    """Open a history in an empty folder."""
    store = History(tmp_path / "history.db")
    await store.open()
    yield store
    await store.close()


async def rings(history: History) -> list[tuple[float, bool]]:
    """How many seconds after the start it rang, oldest first, and whether that was news."""
    return [((past.at - START).total_seconds(), past.live) for past in (await history.events(source=None))[::-1]]


async def test_every_fact_comes_back(history: History) -> None:
    """Who came in by what, why somebody did not, what moved and what warned."""
    events: list[Momentary] = [
        ring(),
        Passage(source="P-1", at=START, granted=True, method=Method.CARD, owner="Bob", doors=("P-1_1", "P-1_2")),
        Passage(source="P-1", at=START, granted=False, method=Method.CODE, reason=Reason.UNKNOWN),
        ContactMoved(source="P-1", at=START, open=True),
        ContactMoved(source="P-1", at=START, open=False),
        *(Alarm(source="P-1", at=START, kind=kind) for kind in AlarmKind),
    ]
    for event in events:
        assert await history.add_event(event, live=True)
        assert not await history.add_event(event, live=True)
    found = (await history.events(source="P-1"))[::-1]
    assert [past.kind for past in found] == [
        EventKind.RING,
        EventKind.GRANTED,
        EventKind.DENIED,
        EventKind.DOOR_OPENED,
        EventKind.DOOR_CLOSED,
        EventKind.TAMPER,
        EventKind.DOOR_LEFT_OPEN,
        EventKind.SIP_LOST,
    ]
    assert all(past.at == START and past.live and past.source == "P-1" for past in found)
    granted, denied = found[1:3]
    assert (granted.method, granted.owner, granted.doors) == (Method.CARD, "Bob", ("P-1_1", "P-1_2"))
    assert (denied.method, denied.owner, denied.reason, denied.doors) == (Method.CODE, None, Reason.UNKNOWN, ())


async def test_what_was_fetched_first_is_news_once(history: History) -> None:
    """A catch-up that is faster than the push."""
    assert await history.add_event(ring(), live=False)
    assert not await history.add_event(ring(), live=False)
    assert await history.add_event(ring(), live=True)
    assert not await history.add_event(ring(), live=True)
    assert await rings(history) == [(0, True)]


async def test_the_log_tells_again_what_a_message_told(history: History) -> None:
    """A message knows only about when. After a hard stop nobody remembers it, and the log tells the exact time."""
    await history.add_event(ring(0.9, approximate=True), live=True)
    assert not await history.add_event(ring(0.3), live=False)
    # It stands for that one: the next ring is another one.
    assert await history.add_event(ring(1.2), live=False)
    assert not await history.add_event(ring(0.3), live=False)
    assert await rings(history) == [(0.3, True), (1.2, False)]


async def test_a_message_tells_again_what_the_log_told(history: History) -> None:
    """The other way round: whichever was first, there is one, and it was news if a message said so in time."""
    await history.add_event(ring(10), live=False)
    assert not await history.add_event(ring(11.9, approximate=True), live=False)
    assert await rings(history) == [(10, False)]
    assert not await history.add_event(ring(11.9, approximate=True), live=True)
    assert await rings(history) == [(10, True)]
    assert await history.add_event(ring(12.1, approximate=True), live=True)


async def test_what_is_live_is_another_one(history: History) -> None:
    """Two rings in a moment: whoever understands the panel has told them apart already."""
    for moment in (0, 0.5):
        assert await history.add_event(ring(moment, approximate=True), live=True)
    assert await history.add_event(ring(1), live=True)
    assert len(await rings(history)) == 3


async def test_stations_are_apart(history: History) -> None:
    assert await history.add_event(ring(approximate=True), live=True)
    assert await history.add_event(ring(source="P-2"), live=False)
    assert len(await history.events(source=None)) == 2


async def test_list_is_newest_first_within_bounds(history: History) -> None:
    for number in (3, 1, 2):
        await history.add_event(ring(number * 60), live=True)
    await history.add_event(Alarm(source="P-1", at=START, kind=AlarmKind.TAMPER), live=True)
    assert [past.kind for past in await history.events(source=None, limit=1)] == [EventKind.RING]
    minute = timedelta(minutes=1)
    (second,) = await history.events(source="P-1", start=START + 2 * minute, end=START + 3 * minute)
    assert second.at == START + 2 * minute
    assert [past.kind for past in await history.events(source=None, kinds=[EventKind.TAMPER])] == [EventKind.TAMPER]
    assert await history.events(source="P-2") == []


async def test_old_and_surplus_ones_go(history: History) -> None:
    """By the station's own retention, as sightings do; nothing of another station."""
    await history.keep("P-1", Retention(span=DEFAULT.span, most=3))
    for number in range(8):
        await history.add_event(ring(number * 60), live=True)
        await history.add_event(ring(number * 60, source="P-2"), live=True)
    with history_ahead(timedelta(minutes=2)):
        await history.prune()
    assert [past.at for past in await history.events(source="P-1")] == [
        START + timedelta(minutes=number) for number in (7, 6, 5)
    ]
    assert len(await history.events(source="P-2")) == 8
    await history.keep("P-2", Retention(span=timedelta(seconds=-1), most=5000))
    await history.prune()
    assert {past.source for past in await history.events(source=None)} == {"P-1"}


async def test_forgetting_leaves_no_trace_in_the_file(history: History, tmp_path: Path) -> None:
    """Whose card it was is private too."""
    passage = Passage(source="P-1", at=START, granted=True, method=Method.CARD, owner="Unmistakable Name")
    for second in range(50):
        await history.add_event(replace(passage, at=START + timedelta(seconds=second)), live=True)
    await history.add_event(ring(source="P-2"), live=True)
    await history.forget("P-1")
    assert [past.source for past in await history.events(source=None)] == ["P-2"]
    for file in tmp_path.glob("history.db*"):
        assert b"Unmistakable" not in file.read_bytes()


async def test_a_failed_write_leaves_the_store_usable(history: History) -> None:
    with (
        patch.object(past_events, "_INSERT", "INSERT INTO nothing"),
        pytest.raises(sqlite3.Error),
    ):
        await history.add_event(ring(), live=True)
    assert await history.add_event(ring(), live=True)


KILLED = """
import asyncio, os, sys
from pathlib import Path
from tests.hub.test_past_events import History, ring

async def main():
    store = History(Path(sys.argv[1]))
    await store.open()
    for number in range(1000):
        await store.add_event(ring(number * 10), live=True)
        print(number, flush=True)
        if number == 50:
            os.kill(os.getpid(), 9)

asyncio.run(main())
"""


async def test_a_hard_stop_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Kill -9 in the middle: every number that was printed is there."""
    path = tmp_path / "history.db"
    command = [sys.executable, "-c", KILLED, path]
    run = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == -9, run.stderr
    store = History(path)
    await store.open()
    kept = await store.events(source=None, limit=2000)
    await store.close()
    assert len(kept) >= len(run.stdout.split()) == 51


@given(st.lists(st.tuples(st.integers(0, 8), st.booleans(), st.booleans()), max_size=12))
def test_nothing_is_kept_twice_in_any_order(told: list[tuple[int, bool, bool]]) -> None:
    """Rings ten seconds apart, each told by the log and by messages in any order: as many rows as rings."""
    connection = sqlite3.connect(":memory:", autocommit=True)
    connection.row_factory = sqlite3.Row
    history_file.prepare(connection)
    first: set[int] = set()
    for number, by_message, live in told:
        # By message it is live once: after that, whoever understands the panel knows it.
        event = ring(number * 10 + (0.7 if by_message else 0), approximate=by_message)
        past_events.add(connection, event, live=live and number not in first)
        first.add(number)
    found = past_events.find(connection, source=None, kinds=None, start=None, end=None, limit=100)
    assert len(found) == len({number for number, _, _ in told})
    connection.close()


async def test_whoever_is_removed_is_taken_out_of_what_happened(history: History, tmp_path: Path) -> None:
    """That a card let somebody in stays; whose card it was does not, at the station that knew them by this name."""
    for number, (source, owner) in enumerate((("P-1", "Anna Berg"), ("P-1", "Bob"), ("P-2", "Anna Berg"))):
        at = START + timedelta(minutes=number)
        passage = Passage(source=source, at=at, granted=True, method=Method.CARD, owner=owner)
        assert await history.add_event(passage, live=True)

    await history.forget_person("anna", [("P-1", "Anna Berg")])

    kept = [(past.source, past.owner) for past in (await history.events(source=None))[::-1]]
    assert kept == [("P-1", None), ("P-1", "Bob"), ("P-2", "Anna Berg")]
    await history.forget_person("anna", [("P-2", "Anna Berg")])
    assert all(b"Anna Berg" not in file.read_bytes() for file in tmp_path.iterdir() if file.is_file())

"""History keeps what was acknowledged, once, in order, and forgets on request."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
import subprocess
import sys
from unittest.mock import patch

import pytest

from custom_components.face_access.access import Liveness, Pictures, Reason, Sighting, SightingKey, Verdict
from custom_components.face_access.hub.history import forgetting
from custom_components.face_access.hub.history.retention import DEFAULT, Retention
from custom_components.face_access.hub.history.store import History
from tests.time_travel import history_ahead

START = datetime(2026, 11, 21, 8, tzinfo=UTC)
JPEG = b"\xff\xd8\xff" + b"picture" * 10


def sighting(number: int, *, source: str = "SN-1", picture: bytes | None = JPEG, **facts: object) -> Sighting:
    """Make the number-th sighting of a source."""
    captured_at = START + timedelta(minutes=number)
    return Sighting(
        source=source,
        key=SightingKey(sequence=number, captured=captured_at.isoformat()),
        captured_at=captured_at,
        realtime=True,
        pictures=Pictures(face=picture),
        **facts,
    )


@pytest.fixture
async def history(tmp_path: Path) -> AsyncIterator[History]:
    """Open a history in an empty folder."""
    store = History(tmp_path / "face_access" / "history.db")
    await store.open()
    yield store
    await store.close()


async def test_keeps_every_fact_of_a_sighting(history: History) -> None:
    """What goes in comes out, pictures included."""
    one = sighting(
        1,
        person_id="0001",
        person_name="Alice",
        score=91.5,
        threshold=70,
        liveness=Liveness.LIVE,
        verdict=Verdict.DENIED,
        refused=Reason.MASK,
        temperature=36.6,
        mask=False,
    )
    assert await history.add(one, live=True)
    (past,) = await history.list(source="SN-1")
    assert (past.person_id, past.person_name, past.score) == ("0001", "Alice", 91.5)
    assert (past.verdict, past.reason) == (Verdict.DENIED, Reason.MASK)
    assert (past.temperature, past.mask, past.live, past.picture) == (36.6, False, True, True)
    assert past.captured_at == one.captured_at
    assert await history.picture(past.id) == JPEG

    last = await history.last("SN-1")
    assert last is not None
    assert last.pictures == one.pictures
    assert last.liveness is Liveness.LIVE
    # What comes back from history can never open a door again.
    assert last.repeated
    assert not last.realtime


async def test_the_same_sighting_is_kept_once(history: History) -> None:
    """Same device, sequence and capture time: repeated. Any of them different: another one."""
    assert await history.add(sighting(1), live=True)
    assert not await history.add(sighting(1), live=True)
    assert not await history.add(sighting(1), live=False)
    assert await history.add(sighting(1, source="SN-2"), live=True)
    assert await history.add(sighting(2), live=True)
    assert len(await history.list(source=None)) == 3


async def test_a_push_after_its_own_catch_up_counts_once(history: History) -> None:
    """A catch-up that is faster than the push must not swallow the event, and only one push gets through."""
    assert await history.add(sighting(1, picture=None), live=False)
    assert await history.last("SN-1") is None
    assert await history.add(sighting(1), live=True)
    assert not await history.add(sighting(1), live=True)
    (past,) = await history.list(source="SN-1")
    assert past.live
    assert await history.picture(past.id) == JPEG


async def test_list_is_newest_first_within_bounds(history: History) -> None:
    """Order of capture, whatever the order of arrival."""
    for number in (3, 1, 2):
        await history.add(sighting(number), live=True)
    assert [past.sequence for past in await history.list(source="SN-1")] == [3, 2, 1]
    assert [past.sequence for past in await history.list(source="SN-1", limit=1)] == [3]
    span = await history.list(source="SN-1", start=START + timedelta(minutes=2), end=START + timedelta(minutes=3))
    assert [past.sequence for past in span] == [2]
    assert await history.picture(99) is None


async def test_up_to_when_a_source_is_complete(history: History) -> None:
    """Kept for each source; newer sightings say nothing about a gap before them."""
    await history.add(sighting(3), live=True)
    assert await history.complete_until("SN-1") is None
    for until in (START + timedelta(minutes=1), START):
        await history.set_complete("SN-1", until)
        assert await history.complete_until("SN-1") == until
    assert await history.complete_until("SN-2") is None
    await history.forget("SN-1")
    assert await history.complete_until("SN-1") is None


async def test_forgetting_leaves_no_trace_in_the_file(history: History, tmp_path: Path) -> None:
    """Pictures are biometric data: they are overwritten, not only unlinked."""
    picture = b"\xff\xd8\xff" + b"unmistakable-face" * 1000
    await history.add(sighting(1, picture=picture), live=True)
    await history.add(sighting(2, source="SN-2"), live=True)
    await history.forget("SN-1")
    assert [past.source for past in await history.list(source=None)] == ["SN-2"]
    for file in (tmp_path / "face_access").iterdir():
        assert b"unmistakable-face" not in file.read_bytes()


async def test_the_file_is_private(history: History, tmp_path: Path) -> None:
    """Nobody else on the machine reads faces."""
    assert (tmp_path / "face_access" / "history.db").stat().st_mode & 0o077 == 0


async def test_old_and_surplus_sightings_go(tmp_path: Path) -> None:
    """Retention by age and by count, checked as sightings come in, and for each source alone."""
    store = History(tmp_path / "history.db")
    await store.open()
    await store.keep("SN-1", Retention(span=DEFAULT.span, most=5))
    with history_ahead(timedelta(minutes=2)):
        for number in range(10):
            await store.add(sighting(number), live=True)
            await store.add(sighting(number, source="SN-2"), live=True)
        await store.list(source=None)
    assert [past.sequence for past in await store.list(source="SN-1")] == [9, 8, 7, 6, 5]
    assert len(await store.list(source="SN-2")) == 10
    await store.keep("SN-1", Retention(span=timedelta(seconds=-1), most=5))
    await store.close()
    store = History(tmp_path / "history.db")
    await store.open()
    assert [group.name for group in await store.sources()] == ["SN-2"]
    await store.close()


async def test_what_has_just_come_is_no_surplus(history: History) -> None:
    """However little is kept: a push that comes again at once is no second event."""
    await history.keep("SN-1", Retention(span=DEFAULT.span, most=1))
    assert await history.add(sighting(1), live=True)
    assert await history.add(sighting(2), live=True)
    with history_ahead(timedelta(seconds=55)):
        await history.prune()
        assert not await history.add(sighting(1), live=True)
    # Nor does a clock that is set back keep it for good.
    with history_ahead(-timedelta(hours=1)):
        await history.prune()
    assert [past.sequence for past in await history.list(source="SN-1")] == [2]


async def test_a_quiet_house_forgets_too(history: History) -> None:
    """Nobody comes any more, and what is old goes all the same, however much there is."""
    for number in range(12):
        await history.add(sighting(number), live=True)
        await history.add(sighting(number, source="SN-2"), live=True)
    await history.prune()
    assert len(await history.list(source=None)) == 24
    await history.keep("SN-1", Retention(span=timedelta(seconds=-1), most=5000))
    await history.keep("SN-2", Retention(span=DEFAULT.span, most=1))
    with history_ahead(timedelta(minutes=2)):
        await history.prune()
    assert [(past.source, past.sequence) for past in await history.list(source=None)] == [("SN-2", 11)]


async def test_retention_is_noted_once_and_goes_with_the_source(history: History) -> None:
    """What the household prefers survives, so that a station that is not loaded loses nothing."""
    longer = Retention(span=timedelta(days=365), most=100)
    assert await history.keep("SN-1", longer)
    assert not await history.keep("SN-1", longer)
    old = replace(sighting(1), captured_at=datetime.now(UTC) - timedelta(days=100))
    await history.add(old, live=False)
    await history.prune()
    assert len(await history.list(source="SN-1")) == 1
    await history.forget("SN-1")
    assert await history.keep("SN-1", longer)


async def test_a_disk_that_deletes_nothing_is_told_of(history: History, caplog: pytest.LogCaptureFixture) -> None:
    """What was stored is acknowledged all the same."""
    with patch.object(forgetting, "prune", side_effect=sqlite3.OperationalError("disk is full")):
        assert await history.add(sighting(1), live=True)
        assert await history.sources()
    assert "Old sightings could not be deleted: disk is full" in caplog.text


async def test_a_reference_names_one_sighting_for_good(history: History) -> None:
    """Not the next one, and not one that came in its place; each source, person and day is counted."""
    await history.add(sighting(1, person_name=" Anna ", person_id="7"), live=True)
    await history.add(sighting(2, source="SN-2", liveness=Liveness.SPOOF, person_name="Anna"), live=True)
    first, second = reversed(await history.list(source=None))
    assert await history.find(first.reference) == first
    assert await history.find(f"{second.id}-{first.reference.partition('-')[2]}") is None
    for wrong in ("", "1", "1-", "-1", f"{first.reference}0", f" {first.reference}", "x" * 1000):
        assert await history.find(wrong) is None
    assert {(group.name, group.count) for group in await history.people()} == {("Anna", 1), ("", 1)}
    await history.forget("SN-2")
    await history.add(sighting(2, source="SN-2"), live=True)
    assert await history.find(second.reference) is None
    assert await history.picture(second.id) is None


async def test_a_fetched_sighting_goes_by_when_it_was_seen(history: History) -> None:
    """Not by when it was fetched, unless the device's clock stood in another year: that one goes by when it came."""
    now = datetime.now(UTC)
    ages = {1: timedelta(days=29), 2: timedelta(days=30, seconds=-2), 3: timedelta(days=20000)}
    for number, age in ages.items():
        await history.add(replace(sighting(number), captured_at=now - age), live=False)
    await history.prune()
    assert {past.sequence for past in await history.list(source=None)} == {1, 2, 3}
    with history_ahead(timedelta(days=1, seconds=1)):
        await history.prune()
    assert {past.sequence for past in await history.list(source=None)} == {3}


async def test_a_failed_write_leaves_the_store_usable(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row whose pictures cannot be written is not kept half."""
    with pytest.raises(sqlite3.Error):
        await history.add(sighting(1, picture=object()), live=True)  # type: ignore[arg-type]
    assert await history.list(source=None) == []
    assert await history.add(sighting(1), live=True)


async def test_closed_history_says_so(tmp_path: Path) -> None:
    """Using it before it is open is a programming error with a name."""
    with pytest.raises(sqlite3.ProgrammingError):
        await History(tmp_path / "history.db").list(source=None)


async def test_what_is_not_a_database_is_refused(tmp_path: Path) -> None:
    """A damaged file is an error, not an empty history."""
    (tmp_path / "history.db").write_bytes(b"not a database, not at all" * 100)
    store = History(tmp_path / "history.db")
    with pytest.raises(sqlite3.DatabaseError):
        await store.open()
    await store.close()


KILLED = """
import asyncio, os, sys
from pathlib import Path
from tests.hub.test_history import History, sighting

async def main():
    store = History(Path(sys.argv[1]))
    await store.open()
    for number in range(1000):
        await store.add(sighting(number), live=True)
        print(number, flush=True)
        if number == 50:
            os.kill(os.getpid(), 9)

asyncio.run(main())
"""


async def test_a_hard_stop_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """Kill -9 in the middle of a burst: every number that was printed is there."""
    path = tmp_path / "history.db"
    command = [sys.executable, "-c", KILLED, path]
    run = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == -9, run.stderr
    store = History(path)
    await store.open()
    kept = {past.sequence for past in await store.list(source=None, limit=2000)}
    await store.close()
    assert {int(line) for line in run.stdout.split()} <= kept


async def test_a_person_is_forgotten_and_what_happened_is_not(history: History, tmp_path: Path) -> None:
    """Their pictures leave the file, with who it was; nobody else loses anything."""
    anna, secret = {"person_id": "anna", "person_name": "Anna Berg"}, b"\xff\xd8\xff" + b"annas face" * 50
    seen = [
        sighting(1, picture=secret, household=True, verdict=Verdict.GRANTED, **anna),
        # Before the household knew her, under the station's own id; and somebody else's anna at another station.
        sighting(2, picture=secret, person_id="0007", person_name="A. Berg"),
        sighting(3, source="SN-2", **anna),
        sighting(4, person_id="0007", person_name="Zoe", source="SN-2"),
        # She was a stranger when she was added.
        sighting(5, picture=secret),
        sighting(6, household=True, person_id="bob", person_name="Bob"),
        *(sighting(number, household=True, **anna) for number in range(10, 60)),
    ]
    for one in seen:
        await history.add(one, live=True)
    by_minute = {one.sequence: one for one in await history.list(source=None, limit=1000)}
    assert (by_minute[1].household, by_minute[2].household, by_minute[3].household) == (True, False, False)
    await history.enrolled(by_minute[5].id, "anna")
    await history.enrolled(by_minute[6].id, "anna")

    await history.forget_person("anna", [("SN-1", "0007")])

    after = {one.sequence: one for one in await history.list(source=None, limit=1000)}
    assert after.keys() == by_minute.keys()
    gone = {number for number, one in after.items() if not one.picture}
    assert gone == {1, 2, 5, *range(10, 60)}
    assert {(after[number].person_id, after[number].person_name, after[number].who) for number in gone} == {
        (None, None, "")
    }
    assert after[1].verdict is Verdict.GRANTED
    assert (after[3].person_id, after[4].person_id, after[6].person_id) == ("anna", "0007", "bob")
    await history.forget_person("nobody")
    for file in (tmp_path / "face_access").iterdir():
        assert b"annas face" not in file.read_bytes()
        assert b"A. Berg" not in file.read_bytes()


async def test_a_person_is_forgotten_whole_or_not(history: History) -> None:
    await history.add(sighting(1, household=True, person_id="anna"), live=True)
    (one,) = await history.list(source=None)
    with pytest.raises(sqlite3.Error):
        await history._do(forgetting.make_anonymous, [one.id, object()])
    (still,) = await history.list(source=None)
    assert (still.person_id, still.picture) == ("anna", True)


async def test_a_history_of_before_is_taken_over(tmp_path: Path) -> None:
    """The file of an older version has no column for whom a sighting shows."""
    path = tmp_path / "history.db"
    old = History(path)
    await old.open()
    await old.add(sighting(1, person_id="0001"), live=True)
    await old._do(lambda file: file.execute("ALTER TABLE sighting DROP COLUMN shows"))
    await old.close()
    new = History(path)
    await new.open()
    await new.add(sighting(2, household=True, person_id="anna"), live=True)
    assert [one.household for one in await new.list(source=None)] == [True, False]
    await new.close()

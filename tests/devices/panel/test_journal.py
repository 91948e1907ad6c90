"""What of a panel's log is new, by the panel's own clock alone."""

from dataclasses import replace

import pytest

from custom_components.face_access.devices.panel.journal import Journal, Way
from custom_components.face_access.devices.panel.log import LogEntry, parse_entry
from simulators.panel import MODELS

from .conftest import Running

NOW = 1_780_000_000_000


@pytest.mark.parametrize("model", list(MODELS))
async def test_nothing_of_before_and_everything_after_once(running: Running, model: str) -> None:
    pair = await running(model)
    journal = Journal(pair.client.log)
    await pair.panel.ring()
    assert await journal.poll() == ()
    await pair.panel.hang_up()
    for number in range(35):
        pair.panel.clock_offset = 1 + number / 100
        pair.panel.journal.write("lock_was_opened_by_exit_btn", lock=1, number=number)
    assert [found.model["number"] for found in await journal.poll()] == list(range(35))
    assert await journal.poll() == ()
    assert not journal.needs_clock


async def test_two_entries_of_one_millisecond(running: Running) -> None:
    pair = await running()
    journal = Journal(pair.client.log)
    moment = pair.panel.timestamp() + 1
    pair.panel._clock = lambda: moment
    assert await journal.poll() == ()
    await pair.panel.press_exit()
    assert [found.key for found in await journal.poll()] == ["lock_was_opened_by_exit_btn"]
    await pair.panel.tamper()
    assert [found.key for found in await journal.poll()] == ["tamper_event"]
    assert await journal.poll() == ()


async def test_what_was_pushed_is_not_polled_again(running: Running) -> None:
    pair = await running()
    journal = Journal(pair.client.log)
    await journal.poll()
    await pair.panel.ring()
    pushed = parse_entry(pair.panel.journal.items[-1])
    assert pushed is not None
    assert journal.take([pushed, pushed]) == (pushed,)
    assert await journal.poll() == ()
    assert not journal.needs_clock


def test_a_message_about_an_entry_is_that_entry() -> None:
    journal = Journal(None)  # type: ignore[arg-type]
    about = LogEntry(time=NOW + 900, key="outgoing_call", approximate=True)
    assert journal.take([about], Way.WEBHOOK) == (about,)
    assert journal.take([replace(about, time=NOW + 940)], Way.BROKER) == ()
    for _ in range(3):
        # The log is read again and again.
        assert journal.take([LogEntry(time=NOW, key="outgoing_call")]) == ()
    assert journal.told_by_message(LogEntry(time=NOW, key="outgoing_call"))
    later = LogEntry(time=NOW + 5000, key="outgoing_call")
    assert journal.take([later]) == (later,)


def test_a_door_that_opens_twice_in_a_moment_opened_twice() -> None:
    """Messages do not tell the very time, and the second is no echo of the first: it came the same way."""
    journal = Journal(None)  # type: ignore[arg-type]
    moved = [("opened", 0), ("closed", 900), ("opened", 1800)]
    pushed = [LogEntry(time=NOW + 40 + time, key=f"door_sensor_was_{way}", approximate=True) for way, time in moved]
    logged = [LogEntry(time=NOW + time, key=f"door_sensor_was_{way}") for way, time in moved]
    assert journal.take(pushed, Way.WEBHOOK) == tuple(pushed)
    assert all(journal.knows(entry) for entry in logged)
    assert journal.take(logged) == ()
    third = LogEntry(time=NOW + 1900, key="door_sensor_was_opened")
    assert journal.take([third]) == (third,)


@pytest.mark.parametrize("back", [3600, 50 * 365 * 86400])
async def test_a_clock_that_is_set_back_loses_nothing(running: Running, back: int) -> None:
    pair = await running()
    panel, journal = pair.panel, Journal(pair.client.log)
    for _ in range(20):
        await panel.press_exit()
    await journal.poll()
    await panel.set_clock(-back)
    await panel.ring()
    assert await journal.poll() == ()
    assert journal.needs_clock
    journal.take_clock(panel.milliseconds())
    assert [found.key for found in await journal.poll()] == ["outgoing_call"]
    await panel.set_clock(1)
    journal.take_clock(panel.milliseconds())
    assert await journal.poll() == ()
    await panel.hang_up()
    await panel.press_exit()
    assert [found.key for found in await journal.poll()] == ["lock_was_opened_by_exit_btn"]

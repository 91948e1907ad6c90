"""After an outage the records that were missed come into history: in order, once, and without a sound."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
import json
import sqlite3
from unittest.mock import patch

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import Event, HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events, async_fire_time_changed

from custom_components.face_access.const import DOMAIN, PING_EVERY, READ_EVERY
from custom_components.face_access.devices.errors import StationRefusedError
from custom_components.face_access.devices.terminal.capabilities import TerminalRecords
from custom_components.face_access.hub.history.past_sightings import PastSighting
from custom_components.face_access.hub.history.store import History
from simulators._terminal import commands
from simulators.terminal import Capture, SimulatedTerminal

from .conftest import SERIAL, issue_id, killed, settle, until
from .test_push import FACE, IMAGE, answer, face, seen

VISITOR = ("event.", "image.", "sensor.front_door_last", "lock.")


@pytest.fixture
def loud(hass: HomeAssistant) -> Callable[[], list[str]]:
    """Collect what automations would take for a visitor: states that are new, not those that come back."""
    known: dict[str, str] = {}
    changes: list[str] = []

    def changed(event: Event) -> None:
        entity_id, new = event.data["entity_id"], event.data["new_state"]
        if new is None or new.state in ("unavailable", "unknown") or not entity_id.startswith(VISITOR):
            return
        if known.get(entity_id) != new.state:
            changes.append(entity_id)
        known[entity_id] = new.state

    hass.bus.async_listen("state_changed", changed)
    return lambda: changes


@pytest.fixture
def history(entry: MockConfigEntry) -> History:
    """Find the house's history, which outlives an entry."""
    return entry.runtime_data.history


async def past(hass: HomeAssistant, history: History) -> list[PastSighting]:
    """Read history, oldest first, after everything that is going on."""
    await settle(hass)
    return (await history.list(source=SERIAL))[::-1]


async def sequences(hass: HomeAssistant, history: History) -> list[int]:
    return [sighting.sequence for sighting in await past(hass, history)]


async def read_again(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Take a full reading now, and all that comes of it."""
    await entry.runtime_data.async_read_again()
    await settle(hass)


async def three_faces(terminal: SimulatedTerminal) -> list[Capture]:
    """Somebody known, nobody known, somebody blocked."""
    captures = [
        await terminal.present_known("0001"),
        await terminal.present_stranger(),
        await terminal.present_known("0003"),
    ]
    assert None not in captures
    return captures


def forget_pushes(terminal: SimulatedTerminal) -> None:
    """A device of little memory, started again: what it has not pushed yet it never will."""
    terminal.uploader.queue.clear()


async def test_faces_while_home_assistant_was_down(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    history: History,
    terminal: SimulatedTerminal,
    loud: Callable[[], list[str]],
) -> None:
    """Three faces pass: history has all three, from records and from late pushes, each once and in order."""
    async with killed(hass, entry):
        captures = [await terminal.present_known("0001")]
        # From its first failure on, the terminal knows that what it sends is late.
        await until(lambda: terminal.uploader._stuck)
        captures += [await terminal.present_stranger(), await terminal.present_known("0003")]
        openings = list(terminal.openings)
    await terminal.wait_for_pushes()
    await settle(hass)
    sightings = await past(hass, history)
    assert [sighting.sequence for sighting in sightings] == [capture.sequence for capture in captures]
    assert [sighting.person_id for sighting in sightings] == ["0001", None, "0003"]
    assert [sighting.verdict for sighting in sightings] == ["granted", "denied", "denied"]
    assert [sighting.reason for sighting in sightings] == [None, "unauthorized", "blocked"]
    assert all(sighting.picture and not sighting.live for sighting in sightings)
    assert terminal.openings == openings
    assert loud() == []
    assert hass.states.get(FACE).state == "unknown"
    assert hass.states.get("sensor.front_door_last_person").state == "unknown"


async def test_pushes_that_the_device_forgot(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    history: History,
    terminal: SimulatedTerminal,
    loud: Callable[[], list[str]],
) -> None:
    """Its records still have them; temperature and picture included."""
    terminal.app["face"]["body_temperature"]["enable"] = True
    async with killed(hass, entry):
        capture = await terminal.present_known("0001", temperature=36.7)
        forget_pushes(terminal)
    (sighting,) = await past(hass, history)
    assert (sighting.sequence, sighting.person_name, sighting.temperature) == (capture.sequence, "Alice Gardner", 36.7)
    assert (await history.picture(sighting.id)).startswith(b"\xff\xd8\xff")
    assert loud() == []


async def test_network_is_cut(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    history: History,
    terminal: SimulatedTerminal,
    loud: Callable[[], list[str]],
    issue_registry: ir.IssueRegistry,
) -> None:
    """Home Assistant runs, the terminal cannot be reached, and somebody is seen before anybody has noticed its return.

    The sighting after the outage is an event like any other, and hides nothing of what came before it.
    """
    await seen(hass, await terminal.present_known("0002"))
    await terminal.cut_network()
    async_fire_time_changed(hass, datetime.now(UTC) + PING_EVERY)
    await until(lambda: hass.states.get("binary_sensor.front_door_online").state == "off")
    missed = await three_faces(terminal)
    forget_pushes(terminal)
    await asyncio.sleep(0.01)
    before = len(loud())
    await terminal.restore_network()
    now = await terminal.present_known("0001")
    await seen(hass, now)
    assert [entity for entity in loud()[before:] if entity == FACE] == [FACE]
    shown = hass.states.get(IMAGE).state
    async_fire_time_changed(hass, datetime.now(UTC) + PING_EVERY)
    await until(lambda: hass.states.get("binary_sensor.front_door_online").state == "on")
    await settle(hass)
    sightings = await past(hass, history)
    assert [sighting.sequence for sighting in sightings] == [1, *(capture.sequence for capture in missed), now.sequence]
    assert [sighting.live for sighting in sightings] == [True, False, False, False, True]
    assert hass.states.get(IMAGE).state == shown
    assert issue_registry.async_get_issue(DOMAIN, issue_id("push_missing", entry)) is None


async def test_gap_survives_a_restart(
    hass: HomeAssistant, entry: MockConfigEntry, history: History, terminal: SimulatedTerminal
) -> None:
    """A catch-up fails, somebody is pushed live, Home Assistant starts again: the gap is still filled."""
    async with killed(hass, entry):
        missed = await three_faces(terminal)
        forget_pushes(terminal)
        patched = patch.object(TerminalRecords, "since", nothing_but_trouble)
        patched.start()
    await seen(hass, await terminal.present_known("0002"))
    assert await sequences(hass, history) == [4]
    async with killed(hass, entry):
        patched.stop()
    assert await sequences(hass, history) == [*(capture.sequence for capture in missed), 4]


async def nothing_but_trouble(*_arguments: object) -> AsyncIterator[None]:
    """Give what a terminal gives that is too busy for its records."""
    raise StationRefusedError("busy")
    yield


async def test_interrupted_catch_up_goes_on(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    history: History,
    terminal: SimulatedTerminal,
    loud: Callable[[], list[str]],
) -> None:
    """The terminal goes away between two pages of its records. The next full reading brings the rest, nothing twice."""
    async with killed(hass, entry):
        for _ in range(25):
            await terminal.present_stranger()
        forget_pushes(terminal)
        second_page = patch("simulators._terminal.server.execute", side_effect=gone_at_the_second_page(terminal))
        second_page.start()
    assert await past(hass, history) == []
    second_page.stop()
    await terminal.restore_network()
    await read_again(hass, entry)
    assert await sequences(hass, history) == list(range(1, 26))
    assert loud() == []
    terminal.commands.clear()
    await read_again(hass, entry)
    assert len(await past(hass, history)) == 25


def gone_at_the_second_page(terminal: SimulatedTerminal) -> Callable[..., dict]:
    """Answer commands until the second page of records is asked for, then leave the network without an answer."""

    def execute(core: SimulatedTerminal, body: bytes) -> dict:
        if b'"page_no": 2' in body:
            terminal.go_offline()
        return commands.execute(core, body)

    return execute


async def test_full_disk_in_the_middle(
    hass: HomeAssistant, entry: MockConfigEntry, history: History, terminal: SimulatedTerminal
) -> None:
    """What cannot be stored now is fetched when there is room again, the first one not twice."""
    add, calls = history.add, 0

    async def full_after_one(*arguments: object, **keywords: object) -> bool:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise sqlite3.OperationalError("database or disk is full")
        return await add(*arguments, **keywords)

    with patch.object(history, "add", full_after_one):
        async with killed(hass, entry):
            await three_faces(terminal)
            forget_pushes(terminal)
        assert await sequences(hass, history) == [1]
    await read_again(hass, entry)
    assert await sequences(hass, history) == [1, 2, 3]


async def test_push_that_could_not_be_stored_is_fetched(
    hass: HomeAssistant, entry: MockConfigEntry, history: History, terminal: SimulatedTerminal, web: str
) -> None:
    """It was acknowledged, so the device never sends it again."""
    with patch.object(history, "add", side_effect=sqlite3.OperationalError):
        await seen(hass, await terminal.present_known("0001"))
    assert await past(hass, history) == []
    await read_again(hass, entry)
    (sighting,) = await past(hass, history)
    assert (sighting.sequence, sighting.live) == (1, False)


async def test_old_push_that_could_not_be_stored_is_fetched(
    hass: HomeAssistant, entry: MockConfigEntry, history: History, terminal: SimulatedTerminal, web: str
) -> None:
    """Older than the last catch-up: it goes back as far as that, and keeps it in mind while the terminal is busy."""
    terminal.clock_offset = -600
    capture = await terminal.present_known("0001")
    with patch.object(history, "add", side_effect=sqlite3.OperationalError):
        await capture.wait()
    terminal.clock_offset = 0
    with patch.object(TerminalRecords, "since", nothing_but_trouble):
        await read_again(hass, entry)
    assert await past(hass, history) == []
    await read_again(hass, entry)
    assert await sequences(hass, history) == [1]


async def test_live_push_in_the_middle_of_a_catch_up(
    hass: HomeAssistant, entry: MockConfigEntry, history: History, terminal: SimulatedTerminal
) -> None:
    """The record of somebody who stands at the door is fetched before their push arrives: the event fires, once."""
    events = async_capture_events(hass, "state_changed")
    terminal.uploader.transmit, transmit = hold_back(terminal.uploader.transmit)
    capture = await terminal.present_known("0001")
    await read_again(hass, entry)
    assert [sighting.live for sighting in await past(hass, history)] == [False]
    assert hass.states.get(FACE).state == "unknown"
    transmit.set()
    state = await seen(hass, capture)
    assert state.attributes["event_type"] == "recognised"
    assert [sighting.live for sighting in await past(hass, history)] == [True]
    await terminal.resend_last()
    await settle(hass)
    assert len([event for event in events if event.data["entity_id"] == FACE]) == 1


def hold_back(transmit: Callable[..., object]) -> tuple[Callable[..., object], asyncio.Event]:
    """Let a push wait until we say so."""
    go = asyncio.Event()

    async def wait(*arguments: object) -> object:
        await go.wait()
        return await transmit(*arguments)

    return wait, go


@pytest.mark.parametrize(
    ("zone", "right"),
    [(0, True), (8, True), (5.75, True), (-11, True), (0, False), (8, False)],
    ids=str,
)
async def test_zone_of_the_devices_timestamps(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    history: History,
    terminal: SimulatedTerminal,
    zone: float,
    right: bool,
) -> None:
    """Local time is all that a device knows; its Unix seconds come of a zone that nobody can ask it for.

    Its clock is `right` when it shows its own zone's time; otherwise somebody set it to the house's.
    """
    terminal._zone = timezone(timedelta(hours=zone))
    if not right:
        terminal.set_local(dt_util.now().replace(tzinfo=None))
    async with killed(hass, entry):
        start = datetime.now(UTC)
        await three_faces(terminal)
        forget_pushes(terminal)
    sightings = await past(hass, history)
    assert [sighting.sequence for sighting in sightings] == [1, 2, 3]
    assert all(abs(sighting.captured_at - start) < timedelta(seconds=4) for sighting in sightings)


@pytest.mark.parametrize("ahead", [3600, -3600, 7 * 3600 + 12.5])
async def test_device_clock_is_wrong(
    hass: HomeAssistant, entry: MockConfigEntry, history: History, terminal: SimulatedTerminal, ahead: float
) -> None:
    """The device is asked in its own time, and history is written in ours."""
    async with killed(hass, entry):
        await terminal.set_clock(ahead=ahead)
        start = datetime.now(UTC)
        await three_faces(terminal)
        forget_pushes(terminal)
        end = datetime.now(UTC)
    sightings = await past(hass, history)
    assert [sighting.sequence for sighting in sightings] == [1, 2, 3]
    slack = timedelta(seconds=2)  # the device tells whole seconds
    assert all(start - slack <= sighting.captured_at <= end + slack for sighting in sightings)


async def test_sighting_from_the_future_hides_nothing(
    hass: HomeAssistant, web: str, entry: MockConfigEntry, history: History, terminal: SimulatedTerminal
) -> None:
    """A push with a clock from 2099 is kept, and catch-ups go on from where they were."""
    await answer(web, entry, json.dumps(face(cap_time="2099/01/01 00:00:00.000")).encode())
    async with killed(hass, entry):
        await three_faces(terminal)
        forget_pushes(terminal)
    assert await sequences(hass, history) == [1, 2, 3, 4711]


async def test_days_of_records(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    history: History,
    terminal: SimulatedTerminal,
    loud: Callable[[], list[str]],
) -> None:
    """A week away: day by day, oldest first. What is older than history keeps is not asked for."""
    async with killed(hass, entry):
        for days in (40, 6, 3, 1.5, 0):
            terminal.clock_offset = -days * 86400
            await terminal.present_stranger()
        forget_pushes(terminal)
        complete = datetime.now(UTC) - timedelta(days=90)
        await history.set_complete(SERIAL, complete)
        terminal.commands.clear()
    assert await sequences(hass, history) == [2, 3, 4, 5]
    assert 30 <= terminal.commands.count("request records") <= 32
    assert loud() == []


async def test_records_that_name_nobody_and_no_time(
    hass: HomeAssistant, entry: MockConfigEntry, history: History, terminal: SimulatedTerminal
) -> None:
    """A broken record is left out; those around it are kept."""
    async with killed(hass, entry):
        captures = await three_faces(terminal)
        forget_pushes(terminal)
        captures[1].cap_time = "yesterday"
    assert await sequences(hass, history) == [1, 3]


async def test_terminal_that_calls_us(
    hass: HomeAssistant, calling_entry: MockConfigEntry, behind_nat: SimulatedTerminal, loud: Callable[[], list[str]]
) -> None:
    """The same over the queue: a live push may even come before its first question."""
    history = calling_entry.runtime_data.history
    async with killed(hass, calling_entry):
        await behind_nat.cut_network()
        missed = await three_faces(behind_nat)
        forget_pushes(behind_nat)
        await asyncio.sleep(0.01)
    await behind_nat.restore_network()
    await (await behind_nat.present_known("0002")).wait()
    await until(lambda: hass.states.get("binary_sensor.front_door_online").state == "on")
    assert await sequences(hass, history) == [*(capture.sequence for capture in missed), 4]
    assert [entity for entity in loud() if entity == FACE] == [FACE]


async def test_pushes_that_do_not_arrive(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    history: History,
    terminal: SimulatedTerminal,
    issue_registry: ir.IssueRegistry,
    freezer: FrozenDateTimeFactory,
) -> None:
    """The terminal was there all the time, and its record had to be fetched: an issue, until a push arrives."""
    terminal._clock = lambda: datetime.now(UTC).timestamp()
    for _ in range(2):
        freezer.tick(PING_EVERY)
        async_fire_time_changed(hass)
        await settle(hass)
    terminal.uploader.core.app["upload_info"]["server_port"] = 9
    await terminal.present_known("0001")
    forget_pushes(terminal)
    terminal.uploader.core.app["upload_info"]["server_port"] = int(hass.config.internal_url.rpartition(":")[2])
    freezer.tick(READ_EVERY)
    async_fire_time_changed(hass)
    await settle(hass)
    assert [sighting.live for sighting in await past(hass, history)] == [False]
    assert issue_registry.async_get_issue(DOMAIN, issue_id("push_missing", entry)) is not None
    assert hass.states.get(FACE).state == "unknown"
    await seen(hass, await terminal.present_known("0002"))
    assert issue_registry.async_get_issue(DOMAIN, issue_id("push_missing", entry)) is None


async def test_station_without_records(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Nothing to fetch, nothing to say."""
    coordinator = entry.runtime_data
    coordinator.station = replace(coordinator.station, records=None)
    assert await coordinator.catch_up.async_run() == 0

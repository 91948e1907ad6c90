"""The people of a simulated terminal, as a target of sync."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
from hypothesis import given, strategies as st
import pytest

from custom_components.face_access.access import Role
from custom_components.face_access.devices.errors import (
    InvalidValueError,
    StationConnectionError,
    StationPhotoError,
    StationRefusedError,
)
from custom_components.face_access.devices.station import Enrolment
from custom_components.face_access.devices.terminal.client import TerminalClient
from custom_components.face_access.devices.terminal.direct import DirectLink
from custom_components.face_access.devices.terminal.enrolment import TerminalPeople
from custom_components.face_access.devices.terminal.state import TerminalState
from custom_components.face_access.people.model import new_key
from custom_components.face_access.people.plan import Progress, Wanted
from custom_components.face_access.people.store import PeopleStore
from custom_components.face_access.people.sync import Synchroniser
from simulators._terminal.pictures import sample
from simulators.terminal import Person as DevicePerson, SimulatedTerminal

from .conftest import FAST, SERIAL, FakeLink

ZONE = ZoneInfo("Europe/Berlin")
GOOD, SMALL, TWO = sample("good"), sample("small"), sample("two")
ANNA = Enrolment(
    key="fa-anna",
    name="Anna",
    role=Role.ALLOWED,
    card=12345678,
    valid_from=datetime(2026, 1, 1, tzinfo=UTC),
    valid_until=datetime(2027, 7, 1, 12, 30, 15, tzinfo=UTC),
    text="Hello",
)


def people_of(client: TerminalClient) -> TerminalPeople:
    """Make a target of a client, in a zone that has a summer time."""
    return TerminalPeople(TerminalState(client, ZONE))


@pytest.fixture
def people(client: TerminalClient) -> TerminalPeople:
    return people_of(client)


async def test_holds_what_it_was_given(people: TerminalPeople, simulated: SimulatedTerminal) -> None:
    await people.put(ANNA, (GOOD,))
    assert people.as_held(ANNA) == ANNA
    assert await people.find("fa-anna") == ANNA
    assert ANNA in [held async for held in people.all()]
    device = simulated.people["fa-anna"]
    # Local time: winter, and then summer.
    assert (device.term_start, device.term) == ("2026/01/01 01:00:00", "2027/07/01 14:30:15")
    assert device.has_face
    assert (await people.photo("fa-anna")).startswith(b"\xff\xd8\xff")
    assert people.sighted_as(ANNA) == "fa-anna"


async def test_a_change_without_photos_keeps_the_face(people: TerminalPeople, simulated: SimulatedTerminal) -> None:
    await people.put(ANNA, (GOOD,))
    face = simulated.people["fa-anna"].picture
    changed = Enrolment(key="fa-anna", name="Anna B", role=Role.BLOCKED)
    await people.put(changed, None)
    assert await people.find("fa-anna") == changed
    assert simulated.people["fa-anna"].picture == face


async def test_a_suspended_person_is_never_valid(people: TerminalPeople, simulated: SimulatedTerminal) -> None:
    await people.put(ANNA, (GOOD,))
    suspended = replace(ANNA, suspended=True)
    await people.put(suspended, None)
    assert simulated.people["fa-anna"].term == "never"
    assert await people.find("fa-anna") == people.as_held(suspended)
    await people.put(ANNA, None)
    assert await people.find("fa-anna") == ANNA


async def test_whoever_may_pass_another_door_alone_is_not_let_in_by_the_terminal(
    people: TerminalPeople, simulated: SimulatedTerminal
) -> None:
    """By itself it opens its first door and no other."""
    await people.put(replace(ANNA, door=2), (GOOD,))
    assert simulated.people["fa-anna"].term == "never"
    assert await people.find("fa-anna") == people.as_held(replace(ANNA, door=2))
    await people.put(replace(ANNA, door=1), None)
    assert await people.find("fa-anna") == ANNA


async def test_a_change_of_nobody_is_refused(people: TerminalPeople) -> None:
    with pytest.raises(StationRefusedError) as caught:
        await people.put(ANNA, None)
    assert caught.value.code == "record_not_found"
    assert await people.find("fa-anna") is None
    assert await people.photo("fa-anna") is None


async def test_a_card_alone_may_be_put(people: TerminalPeople, simulated: SimulatedTerminal) -> None:
    await people.put(ANNA, ())
    assert not simulated.people["fa-anna"].has_face
    assert await people.find("fa-anna") == ANNA
    await people.put(replace(ANNA, card=None), None)
    assert simulated.people["fa-anna"].cards == set()


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("empty", "feature_extraction_failed"),
        ("poor", "face_quality_too_low"),
        ("small", "face_too_small"),
        ("two", "not_one_face"),
        ("cut", "face_incomplete"),
    ],
)
async def test_tells_what_is_wrong_with_a_photo(people: TerminalPeople, what: str, code: str) -> None:
    with pytest.raises(StationPhotoError) as caught:
        await people.put(ANNA, (sample(what),))
    assert caught.value.code == code
    assert await people.find("fa-anna") is None


async def test_tries_one_photo_after_the_other(people: TerminalPeople) -> None:
    await people.put(ANNA, (SMALL, TWO, GOOD))
    assert await people.find("fa-anna") == ANNA
    with pytest.raises(StationPhotoError) as caught:
        await people.put(replace(ANNA, key="fa-bob"), (TWO, SMALL))
    assert caught.value.code == "not_one_face"


async def test_a_full_terminal_is_no_fault_of_the_photo(people: TerminalPeople, simulated: SimulatedTerminal) -> None:
    simulated.capacity = 3
    with pytest.raises(StationRefusedError) as caught:
        await people.put(ANNA, (GOOD, SMALL))
    assert type(caught.value) is StationRefusedError
    assert caught.value.code == "limit_reached"


async def test_removes(people: TerminalPeople) -> None:
    await people.put(ANNA, (GOOD,))
    await people.remove("fa-anna")
    assert await people.find("fa-anna") is None
    await people.remove("fa-anna")


async def test_reads_whom_others_put_there(people: TerminalPeople, simulated: SimulatedTerminal) -> None:
    """Words, roles and numbers that we never write; an entry without an id is nobody's."""
    simulated.people["0009"] = DevicePerson(id="0009", name="Guest ", role=0, term="2020/01/01 00:00:00")
    simulated.people["0010"] = DevicePerson(id="0010", role=99, long_card_id=2**40, term="never")
    held = {one.key: one async for one in people.all()}
    assert set(held) == {"0001", "0002", "0003", "0009", "0010"}
    assert held["0003"].role is Role.BLOCKED
    assert held["0002"].card == 12345678
    assert (held["0009"].name, held["0009"].role) == ("Guest", Role.NORMAL)
    assert held["0009"].valid_until == datetime(2019, 12, 31, 23, tzinfo=UTC)
    assert (held["0010"].role, held["0010"].card, held["0010"].suspended) == (Role.NORMAL, 2**40, True)
    # On neither list: who knows whether the terminal lets them in.
    assert (held["0009"].suspended, held["0001"].suspended, held["0003"].suspended) == (True, False, False)
    assert all(one.transferable for one in held.values())


@pytest.mark.parametrize(
    "entry",
    [
        {"kind": 3},
        {"kind": "?"},
        {"term": "2026-12-31"},
        {"term": "useless"},
        {"term": None},
        {"term_start": "soon"},
        {"term_start": "never"},
    ],
)
async def test_terms_that_have_no_place_in_the_household_are_told(entry: dict) -> None:
    plain = {"id": "0001", "role": 1, "kind": 0, "term_start": "useless", "term": "forever"}
    link = FakeLink({"total": 2, "persons": [plain, {**plain, "id": "0002", **entry}]})
    people = TerminalPeople(TerminalState(TerminalClient(link), ZONE))
    assert [one.transferable async for one in people.all()] == [True, False]


async def test_entries_without_an_id_are_nobody() -> None:
    link = FakeLink({"total": 2, "persons": [{"name": "x"}, {"id": "0001", "term": "9999/12/31 23:59:59"}]})
    people = TerminalPeople(TerminalState(TerminalClient(link), ZoneInfo("America/New_York")))
    (held,) = [one async for one in people.all()]
    # A time beyond the calendar is no limit.
    assert (held.key, held.valid_until) == ("0001", None)


@pytest.mark.parametrize("moment", [datetime(2026, 1, 1), datetime.max.replace(tzinfo=UTC)])  # noqa: DTZ001
async def test_times_that_cannot_be_written_are_errors(people: TerminalPeople, moment: datetime) -> None:
    enrolment = replace(ANNA, valid_until=moment)
    with pytest.raises(InvalidValueError):
        people.as_held(enrolment)
    with pytest.raises(InvalidValueError):
        await people.put(enrolment, (GOOD,))


@given(
    st.builds(
        Enrolment,
        key=st.just("fa-anna"),
        name=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80),
        role=st.sampled_from(Role),
        card=st.none() | st.integers(1, 2**64 - 1),
        valid_from=st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        valid_until=st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        suspended=st.booleans(),
        text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=80),
    )
)
def test_what_it_will_hold_is_known_before(enrolment: Enrolment) -> None:
    """Else every full round would find differences, for ever: what comes back is what `as_held` said, and stays so."""
    terminal = SimulatedTerminal(serial=SERIAL, timings=FAST)

    class Inside(FakeLink):
        async def request(self, body: dict, *, timeout: float, idempotent: bool) -> dict:
            from custom_components.face_access.devices.terminal.wire import decode, encode

            return decode(encode(terminal.execute(encode(body))))

    people = people_of(TerminalClient(Inside(), serial=SERIAL))

    async def there_and_back() -> Enrolment | None:
        await people.put(enrolment, ())
        return await people.find("fa-anna")

    held = asyncio.run(there_and_back())
    assert held == people.as_held(enrolment)
    assert people.as_held(held) == held
    assert terminal.violations == []


def test_texts_are_cut_between_characters() -> None:
    people = people_of(TerminalClient(FakeLink()))
    held = people.as_held(replace(ANNA, name="ä" * 40, text="日" * 30))
    assert (held.name, held.text) == ("ä" * 31, "日" * 22)


# A thousand people


class Crowd:
    """A thousand people of the household, and one terminal that shall know them."""

    def __init__(self, store: PeopleStore, terminal: SimulatedTerminal, session: aiohttp.ClientSession) -> None:
        self.store = store
        self.people = people_of(TerminalClient(DirectLink(session, "127.0.0.1", terminal.port, pause=0.01)))
        self.wanted = [
            Wanted(person=f"p{number}", enrolment=Enrolment(key=new_key(), name=f"Person {number}", card=number))
            for number in range(1, 1001)
        ]
        self.sync = self.synchroniser()

    def synchroniser(self, on_progress: Callable[[], None] = lambda: None) -> Synchroniser:
        return Synchroniser(SERIAL, self.people, self.store, wanted=lambda: self.wanted, on_progress=on_progress)


@pytest.fixture
async def crowd(tmp_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[tuple[Crowd, SimulatedTerminal]]:
    terminal = SimulatedTerminal(serial=SERIAL, timings=replace(FAST, command=0), utc_offset=3600)
    await terminal.start()
    store = PeopleStore(tmp_path / "people.db")
    await store.open()
    yield Crowd(store, terminal, session), terminal
    await store.close()
    await terminal.stop()
    assert terminal.violations == []


async def test_a_thousand_people_arrive_and_go(crowd: tuple[Crowd, SimulatedTerminal]) -> None:
    """Cut off in the middle, taken up again, nothing twice; and the terminal's own three stay."""
    house, terminal = crowd
    house.sync = house.synchroniser(lambda: terminal.go_offline() if len(terminal.people) >= 333 else None)
    with pytest.raises(StationConnectionError):
        await house.sync.run(full=True)
    arrived = len(terminal.people)
    assert arrived == 333
    terminal.go_online(booted=False)
    terminal.commands.clear()
    house.sync = house.synchroniser()
    assert await house.sync.run(full=True)
    assert house.sync.progress == Progress(total=1000, held=1000)
    uploads = [command for command in terminal.commands if command == "upload person"]
    # At most the bite that had not been written down is given again.
    assert len(uploads) <= 1003 - arrived + 21
    assert len(terminal.people) == 1003
    house.wanted = house.wanted[:500]
    assert await house.sync.run(full=False)
    assert house.sync.progress == Progress(total=500, held=500)
    assert {"0001", "0002", "0003"} < terminal.people.keys()
    assert len(terminal.people) == 503

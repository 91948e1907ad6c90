"""The log in every style, on panels that sort and on those that do not."""

from typing import Any

import pytest

from custom_components.face_access.devices.errors import StationRefusedError
from custom_components.face_access.devices.panel.client import PanelClient
from custom_components.face_access.devices.panel.journal import Journal
from custom_components.face_access.devices.panel.log import parse_entry
from simulators.panel import MODELS

from .conftest import INFO, Pair, Running, ScriptedPanel

T = 1_780_000_000_000
LOG = "/log/items"


@pytest.fixture(params=list(MODELS))
async def each(request: pytest.FixtureRequest, running: Running) -> Pair:
    return await running(request.param)


def entry(number: int, key: str = "tamper_event") -> dict[str, Any]:
    return {"timestamp": T + number, "name": {"key": key}, "info": {"model": {"number": number}}}


async def test_the_newest_first_and_how_many_there_are(each: Pair) -> None:
    await each.client.system.mac()
    for _ in range(3):
        await each.panel.press_exit()
    entries, total = await each.client.log.newest(10)
    assert entries[0].key == "lock_was_opened_by_exit_btn"
    assert entries == sorted(entries, key=lambda found: -found.time)
    assert total == len(each.panel.journal.items)


async def test_a_category_between_two_times(each: Pair) -> None:
    each.panel._clock = lambda: T / 1000
    for number in range(70):
        each.panel.clock_offset = number
        await each.panel.press_exit()
        each.panel.journal.write("incoming_call")
    found = [one async for one in each.client.log.between(T + 3000, T + 60000, "access")]
    assert [one.time for one in found] == [T + number * 1000 for number in range(3, 61)]
    assert {one.category for one in found} == {"access"}


async def test_times_that_a_panel_took_for_another_unit_are_left_out(
    scripted: ScriptedPanel, client: PanelClient
) -> None:
    """The unit is seen, not documented."""
    scripted.on(f"GET {LOG}", (200, {"list_items": [entry(number) for number in range(5)]}))
    assert [one.time - T async for one in client.log.between(T + 1, T + 3)] == [1, 2, 3]


async def test_a_panel_that_does_not_sort_is_read_from_its_end(scripted: ScriptedPanel, client: PanelClient) -> None:
    pages = {"list_option": {"pagination": {"total_items": 25, "total_pages": 3}}}

    def page(*numbers: int) -> tuple[int, dict[str, Any]]:
        return 200, {"list_items": [entry(number) for number in numbers], **pages}

    scripted.on(
        f"GET {LOG}", (400, {"error": "Wrong sort type"}), page(*range(10)), page(*range(20, 25)), page(*range(10, 20))
    )
    found = [entries async for entries, _total in client.log.back(10, pages=2)]
    assert [[one.time - T for one in entries] for entries in found] == [[24, 23, 22, 21, 20], [*range(19, 9, -1)]]
    assert [asked.query.get("sort_type") for asked in scripted.of(LOG)] == ["desc", None, None, None]
    assert [asked.query["page_number"] for asked in scripted.of(LOG)] == ["1", "1", "3", "2"]


async def test_an_empty_log_that_does_not_sort(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on(f"GET {LOG}", (400, {"error": "Wrong sort field"}), (200, {"list_items": []}))
    assert await client.log.newest(10) == ([], None)


async def test_no_page_at_all(client: PanelClient, scripted: ScriptedPanel) -> None:
    scripted.on(
        f"GET {LOG}",
        (400, {"error": "Wrong sort field"}),
        (200, {"list_items": [], "list_options": {"pagination": {"total_pages": -1}}}),
    )
    assert await client.log.newest(10) == ([], None)


async def test_another_refusal_is_told(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on(f"GET {LOG}", (400, {"error": "Wrong pagination limit"}))
    with pytest.raises(StationRefusedError):
        await client.log.newest()


async def test_camdroid_names_the_field_to_sort_by(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on("GET /api/info", (200, {**INFO, "device_model": "av03bd", "api_version": "1.3.5"}))
    scripted.on(f"GET {LOG}", (200, {"list_items": []}))
    await client.log.page(category="access")
    query = scripted.of(LOG)[0].query
    assert (query["order_by"], query["filter"]) == ("timestamp desc", "category eq 'access'")


async def test_entries_without_a_time_or_a_key_are_no_entries(scripted: ScriptedPanel, client: PanelClient) -> None:
    """The name may stand there by itself, as older panels have it."""
    items = [entry(2), {"timestamp": T + 1, "name": "tamper_event"}, {"timestamp": T}, {"name": {"key": "x"}}, 7]
    scripted.on(f"GET {LOG}", (200, {"list_items": items}))
    entries, total = await client.log.newest()
    assert [(one.time - T, one.key) for one in entries] == [(2, "tamper_event"), (1, "tamper_event")]
    assert total is None


# The journal on panels of every sort


def page(*items: dict[str, Any], total: int | None = None) -> tuple[int, dict[str, Any]]:
    reply: dict[str, Any] = {"list_items": list(items)}
    if total is not None:
        reply["list_option"] = {"pagination": {"total_items": total}}
    return 200, reply


async def test_an_empty_log_has_no_mark_and_its_first_entry_is_news(
    scripted: ScriptedPanel, client: PanelClient
) -> None:
    scripted.on(f"GET {LOG}", page(total=0), page(entry(1), total=1))
    journal = Journal(client.log)
    assert await journal.poll() == ()
    assert [one.time - T for one in await journal.poll()] == [1]


async def test_a_log_that_was_cleared_goes_on(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on(f"GET {LOG}", page(entry(1), total=1), page(total=0), page(entry(5), total=1))
    journal = Journal(client.log)
    assert await journal.poll() == ()
    assert await journal.poll() == ()
    assert [one.time - T for one in await journal.poll()] == [5]


async def test_a_burst_is_read_no_deeper_than_ten_pages(scripted: ScriptedPanel, client: PanelClient) -> None:
    """What lies deeper is history to be fetched, and no news."""
    scripted.on(f"GET {LOG}", page(entry(0), total=1), *(page(*_ten(number), total=500) for number in range(20)))
    journal = Journal(client.log)
    await journal.poll()
    assert len(await journal.poll()) == 100
    assert len(scripted.of(LOG)) == 11
    assert journal.needs_clock
    # The clock is right: then it was only too much at once.
    journal.take_clock(T + 10_000_000)
    assert not journal.needs_clock


def _ten(number: int) -> list[dict[str, Any]]:
    return [entry(10_000 - number * 10 - each) for each in range(10)]


async def test_the_start_that_the_panel_last_told(scripted: ScriptedPanel, client: PanelClient) -> None:
    scripted.on(
        f"GET {LOG}", page(entry(7, "device_booted"), entry(3, "device_booted")), page(entry(9, "device_booted"))
    )
    journal = Journal(client.log)
    journal.take_clock(T)
    await journal.poll()
    assert journal.booted is not None
    assert journal.booted.time == T + 7
    assert len(await journal.poll()) == 1
    assert journal.booted.time == T + 9


async def test_what_is_remembered_has_an_end(client: PanelClient) -> None:
    journal = Journal(client.log)
    entries = [one for number in range(2500) if (one := parse_entry(entry(number))) is not None]
    assert len(journal.take(entries)) == 2500
    assert len(journal._told) == 2000
    assert journal.take(entries[-5:]) == ()

"""A station is looked after when what it shall know changes by itself, and work that broke off goes on."""

import asyncio
import json
from typing import Any
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.devices.terminal.enrolment import TerminalPeople
from custom_components.face_access.hub.people import household as hub_people
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from custom_components.face_access.people.holding import HoldingState
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.photos import prepare
from simulators._terminal.commands import HANDLERS
from simulators._terminal.pictures import sample
from simulators.panel import SimulatedPanel
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, choose_options, settle, until

DECIDES = "select.front_door_who_decides"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


async def synced(people: HousePeople, serial: str = SERIAL) -> None:
    """Wait until a station has all that it shall have."""
    async with asyncio.timeout(20):
        await people.workers[serial].done.wait()


@pytest.fixture
async def people(hass: HomeAssistant, entry: MockConfigEntry) -> HousePeople:
    """Give the people of a house with one terminal that has been looked at."""
    house = await async_get_people(hass)
    await synced(house)
    return house


def somebody(person: str = "anna", **changes: object) -> Profile:
    """Describe somebody with a card."""
    return Profile(**{"id": person, "key": new_key(), "name": person.title(), "card": 7, **changes})


async def test_a_terminal_learns_that_its_door_never_opens_and_that_it_does_again(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, entry: MockConfigEntry
) -> None:
    key = (await people.async_add(somebody(), [])).key
    await synced(people)
    assert terminal.people[key].term == "forever"
    await choose_options(hass, entry, {"door_mode": "never"})
    await settle(hass)
    await until(lambda: terminal.people[key].term == "never")
    await synced(people)
    await choose_options(hass, entry, {"door_mode": "notify_only"})
    await settle(hass)
    await until(lambda: terminal.people[key].term == "forever")


async def test_who_decides_is_a_setting_that_people_depend_on(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, entry: MockConfigEntry
) -> None:
    """Where Home Assistant decides, a terminal may know whom its door never opens for."""
    await choose_options(hass, entry, {"door_mode": "never"})
    await settle(hass)
    key = (await people.async_add(somebody(), [])).key
    await synced(people)
    assert terminal.people[key].term == "never"
    for mode, term in (("online", "forever"), ("offline", "never")):
        await hass.services.async_call("select", "select_option", {"entity_id": DECIDES, "option": mode}, blocking=True)
        await until(lambda term=term: terminal.people[key].term == term)
    # Somebody may set it at the terminal itself, too.
    terminal.app["gate_control"]["match_mode"] = 2
    await entry.runtime_data.async_read_again()
    await until(lambda: terminal.people[key].term == "forever")


async def test_a_restart_goes_on_where_work_broke_off(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, entry: MockConfigEntry
) -> None:
    """The store is opened anew, as at a start: nobody is given twice, and nobody is missing."""
    put, given = TerminalPeople.put, []

    async def counted(self: TerminalPeople, enrolment: Any, photos: Any, *, most: int = 100) -> None:
        given.append(enrolment.key)
        if len(given) > most:
            await asyncio.Event().wait()
        await put(self, enrolment, photos)

    async def stuck(self: TerminalPeople, enrolment: Any, photos: Any) -> None:
        await counted(self, enrolment, photos, most=25)

    profiles = [somebody(f"p{number}", card=number) for number in range(1, 41)]
    with patch.object(TerminalPeople, "put", stuck):
        for profile in profiles:
            await people.store.add(profile)
        people.async_wake()
        await until(lambda: len(given) == 26)
        assert await hass.config_entries.async_unload(entry.entry_id)
    held = people.store.holdings(SERIAL).values()
    await until(lambda: [one.state for one in held].count(HoldingState.HELD) == 25)
    del hass.data[hub_people._PEOPLE]
    first, given[:] = given[:25], []
    with patch.object(TerminalPeople, "put", counted):
        assert await hass.config_entries.async_setup(entry.entry_id)
        again = await async_get_people(hass)
        assert again is not people
        await synced(again)
    assert len(given) == 15
    assert {*first, *given} == {profile.key for profile in profiles} <= terminal.people.keys()


async def test_a_terminal_that_only_says_it_forgot_somebody_is_found_out(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    key = (await people.async_add(somebody(), [])).key
    await synced(people)
    with patch.dict(HANDLERS, {"delete person(s)": lambda _core, request: {"id": request["id"]}}):
        await people.async_remove("anna")
        await synced(people)
    assert key in terminal.people
    assert people.workers[SERIAL].progress.leaving == 1
    issues = ir.async_get(hass).issues
    (issue,) = [one for one in issues.values() if one.translation_key == "person_refused"]
    assert "still has the person" in issue.translation_placeholders["reason"]
    people.async_wake()
    await until(lambda: key not in terminal.people)
    await synced(people)
    assert not [one for one in ir.async_get(hass).issues.values() if one.translation_key == "person_refused"]


async def test_a_terminal_that_only_says_it_took_somebody_is_found_out(
    people: HousePeople, terminal: SimulatedTerminal
) -> None:
    with patch.dict(HANDLERS, {"upload person": lambda _core, request: {"id": request["id"]}}):
        key = (await people.async_add(somebody(), [])).key
        await synced(people)
    assert key not in terminal.people
    people.async_wake(look=True)
    await until(lambda: key in terminal.people)
    await synced(people)
    (holding,) = people.store.holdings(SERIAL).values()
    assert holding.state is HoldingState.HELD


EVIL = "Photo no. 12 <img src=x onerror=alert(1)> [is bad](http://evil.example) \u202e*see* www.evil.example"
CLEAN = "Photo no. 12 <img src=x onerror=alert(1)> [is bad](http://evil.example) *see* www.evil.example"
ESCAPED = (
    r"Photo no\. 12 \<img src\=x onerror\=alert\(1\)\> \[is bad\]\(http\:\/\/evil\.example\) \*see\* www\.evil\.example"
)


async def test_a_panels_own_words_are_told_as_plain_text(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """On the person's page, in the answers of actions, and in a repair issue, where markup would count."""
    people = await async_get_people(hass)
    await hass.services.async_call(DOMAIN, "list_persons", {}, blocking=True, return_response=True)
    await synced(people, panel.serial)
    await panel.fail(
        "/access/identifier/items/link",
        400,
        method="POST",
        body=json.dumps({"error": EVIL}),
        content_type="application/json",
        times=100,
    )
    photo = await asyncio.to_thread(prepare, sample("good"))
    await people.async_add(Profile(id="anna", key=new_key(), name="Anna Berg"), [photo])
    await synced(people, panel.serial)
    said = f"The device refused for a reason that is not documented ({CLEAN})"
    answer = await hass.services.async_call(DOMAIN, "list_persons", {}, blocking=True, return_response=True)
    (listed,) = answer["persons"]
    assert [station["reason"] for station in listed["stations"]] == [said]
    (issue,) = [one for one in ir.async_get(hass).issues.values() if one.translation_key == "person_refused"]
    assert issue.translation_placeholders["reason"] == said.replace(CLEAN, ESCAPED)
    panel.failures.clear()
    await people.async_update(people.store.profiles["anna"])
    await until(lambda: people.workers[panel.serial].progress.held == 1)
    await synced(people, panel.serial)
    assert not [one for one in ir.async_get(hass).issues.values() if one.translation_key == "person_refused"]

"""A terminal that asks gets the household's word: whom it named, whether they may come in here and now."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import Method, Person, Role, Sighting
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from custom_components.face_access.people.holding import Holding
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.photos import prepare
from simulators._terminal.pictures import sample
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, add_direct, set_policy, settle
from .fakes import known
from .test_push import seen

ONLINE = 2
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


@pytest.fixture
async def entry(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> MockConfigEntry:
    """Set up a terminal that asks, at a door that opens for faces."""
    terminal.app["gate_control"]["match_mode"] = ONLINE
    entry = await add_direct(hass, terminal)
    set_policy(hass, entry, door_mode="open", liveness_required=True)
    return entry


@pytest.fixture
async def people(hass: HomeAssistant, entry: MockConfigEntry) -> HousePeople:
    """Add Anna, whom the terminal knows."""
    house = await async_get_people(hass)
    photo = await asyncio.to_thread(prepare, sample("good"))
    await house.async_add(Profile(id="anna", key=new_key(), name="Anna Berg"), [photo])
    await synced(house)
    return house


async def synced(people: HousePeople) -> None:
    """Wait until the terminal has all that it shall have."""
    async with asyncio.timeout(20):
        await people.workers[SERIAL].done.wait()


async def test_opens_for_somebody_of_the_household(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    key = people.store.profiles["anna"].key
    capture = await terminal.present_known(key)
    state = await seen(hass, capture)
    # The terminal is answered by the id that it knows; the house hears its own.
    assert capture.answer["gateway_ctrl"]["person_id"] == key
    assert (state.attributes["person_id"], state.attributes["person"]) == ("anna", "Anna Berg")
    assert state.attributes["verdict"] == "granted"
    assert people.seen["anna"].place == "Front door"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"enabled": False}, "disabled"),
        ({"valid_until": LONG_AGO}, "expired"),
        ({"valid_from": datetime(2100, 1, 1, tzinfo=UTC)}, "not_yet_valid"),
        ({"doors": frozenset({f"{SERIAL}_2"})}, "not_permitted"),
        ({"schedule": "schedule.cleaning"}, "schedule"),
        ({"role": Role.BLOCKED}, "blocked"),
        (None, "unknown"),
    ],
    ids=str,
)
async def test_the_household_decides_before_the_terminal_has_heard(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, changes: dict | None, reason: str
) -> None:
    """Written past the sync: the terminal still takes her for somebody who may come in."""
    profile = people.store.profiles["anna"]
    if changes is None:
        await people.store.remove("anna")
    else:
        await people.store.update(replace(profile, **changes))
    capture = await terminal.present_known(profile.key)
    state = await seen(hass, capture)
    assert "gateway_ctrl" not in capture.answer
    assert terminal.openings == []
    assert state.attributes["reason"] == reason
    assert people.seen.get("anna") is None or state.attributes["event_type"] != "recognised"


async def test_whom_the_terminal_knows_by_itself_is_as_before(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    state = await seen(hass, await terminal.present_known("0001"))
    assert (state.attributes["person_id"], state.attributes["verdict"]) == ("0001", "granted")
    assert not people.seen


async def test_an_id_of_the_terminal_is_not_an_id_of_the_house(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """Somebody of the house who is called 0001 is not the terminal's own 0001."""
    await people.async_add(Profile(id="0001", key=new_key(), name="Zoe", card=5, enabled=False), [])
    await synced(people)
    state = await seen(hass, await terminal.present_known("0001"))
    assert state.attributes["person"] == "Alice Gardner"
    assert "0001" not in people.seen


def sighted(alias: str) -> Sighting:
    """A terminal saw somebody whom it calls so."""
    return known(person_id=alias, source=SERIAL)


async def test_identifies(hass: HomeAssistant, people: HousePeople) -> None:
    anna = people.store.profiles["anna"]
    sighting, person = people.identity.async_identify(sighted(anna.key))
    assert (sighting.person_id, sighting.household, person.id) == ("anna", True, "anna")
    assert people.identity.async_identify(sighting) == (sighting, person)
    # What the station holds against her counts as well.
    _, person = people.identity.async_identify(sighted(anna.key), Person(id=anna.key, name="x", enabled=False))
    assert person.enabled is False
    nobody = known(person_id=None, source=SERIAL)
    assert people.identity.async_identify(nobody) == (nobody, None)


async def test_two_people_of_one_name_are_nobody(hass: HomeAssistant, people: HousePeople) -> None:
    """A station that tells names alone."""
    await people.async_add(Profile(id="anna2", key=new_key(), name="Anna Berg", card=3), [])
    await people.store.keep(
        Holding(target="panel", key=key, person=person, alias="Anna Berg")
        for key, person in (("1", "anna"), ("2", "anna2"))
    )
    sighting, person = people.identity.async_identify(known(person_id="Anna Berg", source="panel"))
    assert (sighting.household, person) == (False, None)
    await people.store.drop("panel", "2")
    assert people.identity.async_identify(known(person_id="Anna Berg", source="panel"))[1].id == "anna"


async def test_finds_whose_card_it_is(hass: HomeAssistant, people: HousePeople) -> None:
    class Shown:
        method = Method.CARD

        def __init__(self, number: str, method: Method = Method.CARD) -> None:
            self.number, self.method = number, method

    await people.async_add(Profile(id="bob", key=new_key(), name="Bob", card=4711), [])
    assert people.identity.async_find_shown(Shown("4711")).id == "bob"
    assert people.identity.async_find_shown(Shown("0004711")).id == "bob"
    for other in (Shown("4712"), Shown("12:67"), Shown(""), Shown("4711", Method.CODE)):
        assert people.identity.async_find_shown(other) is None
    await people.async_add(Profile(id="carl", key=new_key(), name="Carl", card=4711), [])
    assert people.identity.async_find_shown(Shown("4711")) is None


async def test_nobody_unknown_is_confirmed(hass: HomeAssistant, people: HousePeople, device_id: str) -> None:
    with pytest.raises(ServiceValidationError):
        await hass.services.async_call(
            DOMAIN, "confirm_access", {"device_id": device_id, "person_id": "nobody"}, blocking=True
        )


async def explained(hass: HomeAssistant, device_id: str, **data: object) -> dict:
    """Ask what would happen."""
    return await hass.services.async_call(
        DOMAIN, "test_access", {"device_id": device_id, **data}, blocking=True, return_response=True
    )


async def test_explains_what_would_happen(
    hass: HomeAssistant, entry: MockConfigEntry, people: HousePeople, device_id: str, terminal: SimulatedTerminal
) -> None:
    assert await explained(hass, device_id, person_id="anna") == {
        "granted": True,
        "reason": None,
        "reasons": [],
        "door": f"{SERIAL}_1",
        "mode": "open",
        "decides": "home_assistant",
        "station_lets_in": None,
    }
    answer = await explained(hass, device_id, person_id="anna", liveness="unchecked", score=0)
    assert (answer["granted"], answer["reason"]) == (False, answer["reasons"][0])
    assert {"liveness"} <= set(answer["reasons"])
    await people.async_update(replace(people.store.profiles["anna"], enabled=False))
    assert (await explained(hass, device_id, person_id="anna"))["reasons"] == ["disabled"]
    assert (await explained(hass, device_id, person_id="nobody"))["reason"] == "unknown"
    hass.config_entries.async_update_entry(entry, options={})
    assert (await explained(hass, device_id, person_id="anna"))["reasons"] == ["disabled", "notify_only"]
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert (await explained(hass, device_id, person_id="anna", at=later))["granted"] is False
    with pytest.raises(ServiceValidationError):
        await explained(hass, device_id, person_id="anna", door=9)
    await settle(hass)
    assert terminal.openings == []

"""Taking over the people of a panel: those whom somebody enrolled there are the household's, on the terms they had."""

import asyncio
from typing import Any
from uuid import uuid4

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from simulators.panel import SimulatedPanel

from .conftest import settle, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


@pytest.fixture
async def people(hass: HomeAssistant, panel_entry: MockConfigEntry) -> HousePeople:
    """Give the people of a house with one panel."""
    return await async_get_people(hass)


async def imported(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, dict]:
    """Call the action; what came of each, by name."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    answer = await hass.services.async_call(
        DOMAIN, "import_people", {"device_id": device.id}, blocking=True, return_response=True
    )
    return {one["name"]: one for one in answer["persons"]}


async def synced(people: HousePeople, panel: SimulatedPanel) -> None:
    """Wait until the panel has all that it shall have."""
    async with asyncio.timeout(20):
        await people.workers[panel.serial].done.wait()


def enrolled(panel: SimulatedPanel) -> list[tuple[str, str, str]]:
    """What the panel knows of faces and cards: the name, the number, the lock."""
    return sorted(
        (item["identifier_owner"]["name"], item["identifier_number"], item["lock"])
        for item in panel.identifiers.items.values()
        if item["identifier_type"] in {"face_id", "card"}
    )


def card(panel: SimulatedPanel, owner: str, number: str, lock: str) -> None:
    """Enrol a card at the panel itself."""
    panel.identifiers.create(
        {
            "identifier_owner": {"name": owner, "type": "owner"},
            "identifier_type": "card",
            "identifier_number": number,
            "lock": lock,
        }
    )


async def test_who_was_enrolled_at_a_panel_is_taken_over(
    hass: HomeAssistant, people: HousePeople, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    card(panel, "Carla", "77", "first")
    card(panel, "Carla", "78", "first")
    card(panel, "Dora", "79", "second")
    before = enrolled(panel)
    results = await imported(hass, panel_entry)
    assert {name: one["result"] for name, one in results.items()} == {
        "Alice Gardner": "added",
        "Bob Mason": "added",
        "Mallory Pike": "added",
        "Carla": "person_not_taken_over",
        "Dora": "person_door_not_wired",
    }
    assert "several faces or cards" in results["Carla"]["reason"]
    await synced(people, panel)
    await settle(hass)
    assert enrolled(panel) == before
    bob = people.store.profiles[results["Bob Mason"]["person_id"]]
    # Whoever may pass the door of this panel may pass no other one of the house.
    assert (bob.card, bob.doors) == (12345678, {f"{panel.serial}_1"})
    # Those who could not be taken over can be once what was in the way is gone.
    assert set(await imported(hass, panel_entry)) == {"Carla", "Dora"}

    await hass.services.async_call(DOMAIN, "remove_person", {"person_id": "alice_gardner"}, blocking=True)
    await until(lambda: "Alice Gardner" not in str(enrolled(panel)))
    assert len(enrolled(panel)) == len(before) - 1


async def test_who_may_pass_one_of_two_doors_goes_on_passing_that_one(
    hass: HomeAssistant, people: HousePeople, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    card(panel, "Dora", "79", "second")
    card(panel, "Emil", "80", "all")
    hass.config_entries.async_update_entry(panel_entry, options={**panel_entry.options, "doors": 2})
    await hass.config_entries.async_reload(panel_entry.entry_id)
    before = enrolled(panel)
    await imported(hass, panel_entry)
    assert people.store.profiles["dora"].doors == {f"{panel.serial}_2"}
    assert people.store.profiles["bob_mason"].doors == {f"{panel.serial}_1"}
    assert people.store.profiles["emil"].doors == {f"{panel.serial}_1", f"{panel.serial}_2"}
    await synced(people, panel)
    assert enrolled(panel) == before


def linked(panel: SimulatedPanel, owner: str, number: str, **changes: Any) -> None:
    """Let another manager of the panel enrol a card, with a link id of theirs."""
    card = {
        "link_id": str(uuid4()),
        "identifier_owner": {"name": owner, "type": "owner"},
        "identifier_type": "card",
        "identifier_number": number,
        "lock": "first",
        **changes,
    }
    assert panel.identifiers.upsert({"list_items": [card]})[0]["status"] == "Created"


async def test_limits_that_another_manager_of_the_panel_set_stay(
    hass: HomeAssistant, people: HousePeople, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    linked(panel, "Paul", "77")
    linked(panel, "Once", "78", valid={"passes": {"is_permanent": False, "max_passes": 1}})
    linked(panel, "Guest", "79", identifier_owner={"name": "Guest", "type": "guest"})
    before = enrolled(panel)
    results = await imported(hass, panel_entry)
    assert {name: results[name]["result"] for name in ("Paul", "Once", "Guest")} == {
        "Paul": "added",
        "Once": "person_not_taken_over",
        "Guest": "person_not_taken_over",
    }
    assert "a number of passes" in results["Once"]["reason"]
    assert people.store.profiles["paul"].doors == {f"{panel.serial}_1"}
    await synced(people, panel)
    assert enrolled(panel) == before
    assert {"Once", "Guest"} == set(await imported(hass, panel_entry))

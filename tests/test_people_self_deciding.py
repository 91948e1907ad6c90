"""Stations that decide by themselves open for whom they know: they must know it where a door never opens."""

import asyncio

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.photos import prepare
from simulators._terminal.pictures import sample
from simulators.panel import SimulatedPanel

from .conftest import set_policy, settle


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


async def synced(people: HousePeople, serial: str) -> None:
    """Wait until the panel has all that it shall have."""
    async with asyncio.timeout(20):
        await people.workers[serial].done.wait()


async def explained(hass: HomeAssistant, entry: MockConfigEntry) -> dict:
    """Ask what happens when Anna comes."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    return await hass.services.async_call(
        DOMAIN, "test_access", {"device_id": device.id, "person_id": "anna"}, blocking=True, return_response=True
    )


@pytest.mark.parametrize(("mode", "opens"), [("never", False), ("notify_only", True), ("open", True)])
async def test_a_panel_opens_or_does_not_as_it_is_said(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, mode: str, opens: bool
) -> None:
    set_policy(hass, panel_entry, door_mode=mode)
    people = await async_get_people(hass)
    photo = await asyncio.to_thread(prepare, sample("good"))
    await people.async_add(Profile(id="anna", key=new_key(), name="Anna Berg"), [photo])
    assert (await explained(hass, panel_entry))["station_lets_in"] is False
    await synced(people, panel.serial)
    answer = await explained(hass, panel_entry)
    assert (answer["decides"], answer["station_lets_in"]) == ("station", opens)
    await panel.change_face(enable=True)
    before = len(panel.openings)
    await panel.present_known(owner="Anna Berg", started=True)
    await settle(hass)
    assert (len(panel.openings) > before) is opens

"""Cards and codes that a panel tells of are second factors: whose they are it says by name."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events

from custom_components.face_access.access import Method, Missed, Passage
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from custom_components.face_access.people.model import Profile, new_key
from custom_components.face_access.people.photos import prepare
from simulators._terminal.pictures import sample
from simulators.panel import SimulatedPanel

from .conftest import set_policy, settle, until
from .test_people_decision import explained

ACCESS = "event.gate_access"
# Those who have a card, a code and a QR code at a new panel, and one whose card is over.
NAMES = {"bob": "Bob Mason", "carol": "Carol Fisher", "dan": "Dan Guest", "mallory": "Mallory Pike"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


@pytest.fixture
async def people(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> HousePeople:
    """Give the panel the faces of those who have their cards and codes there already."""
    set_policy(hass, panel_entry, door_mode="open", second_factors=["credential"])
    house = await async_get_people(hass)
    photo = await asyncio.to_thread(prepare, sample("good"))
    for one, name in NAMES.items():
        await house.async_add(Profile(id=one, key=new_key(), name=name), [photo])
    async with asyncio.timeout(20):
        await house.workers[panel.serial].done.wait()
    await settle(hass)
    return house


async def given(hass: HomeAssistant, entry: MockConfigEntry) -> set[str]:
    """Find whose face would open the gate now: who gave what it wants besides."""
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    asked = {one: (await explained(hass, device.id, person_id=one))["reasons"] for one in NAMES}
    assert all(reasons in ([], ["second_factor"]) for reasons in asked.values())
    return {one for one, reasons in asked.items() if not reasons}


async def test_what_the_panel_took_counts(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, people: HousePeople
) -> None:
    """And what it refused does not; the number is told nowhere."""
    events = async_capture_events(hass, "state_changed")

    async def shows(scene: Awaitable[str]) -> set[str]:
        before = hass.states.get(ACCESS).state
        await scene
        await until(lambda: hass.states.get(ACCESS).state != before)
        await settle(hass)
        return await given(hass, panel_entry)

    assert await given(hass, panel_entry) == set()
    # A card that is over, one that nobody has, and a code that nobody has.
    assert await shows(panel.swipe_card("87654321")) == set()
    assert await shows(panel.swipe_card("99999999")) == set()
    assert await shows(panel.enter_code("0000")) == set()
    assert await shows(panel.swipe_card("12345678")) == {"bob"}
    assert await shows(panel.enter_code("4711")) == {"bob", "carol"}
    assert await shows(panel.show_qr()) == {"bob", "carol", "dan"}
    assert not any(number in str(event.data) for event in events for number in ("12345678", "4711", "87654321"))


async def test_what_is_no_news_does_not_count(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, people: HousePeople
) -> None:
    """What was missed, what is told late, and what names nobody, somebody unknown or the wrong panel."""
    coordinator, now = panel_entry.runtime_data, dt_util.utcnow()
    card = {"granted": True, "method": Method.CARD}
    shown = Passage(source=panel.serial, at=now, owner="Bob Mason", **card)
    await coordinator.ladder._edge.async_report([Missed(event=shown)])
    for passage in (
        Passage(source=panel.serial, at=now - timedelta(seconds=40), owner="Bob Mason", **card),
        Passage(source=panel.serial, at=now, owner=None, **card),
        Passage(source=panel.serial, at=now, owner="bob mason", **card),
        Passage(source="another", at=now, owner="Bob Mason", **card),
    ):
        coordinator.async_dispatch(passage)
    await settle(hass)
    assert await given(hass, panel_entry) == set()
    coordinator.async_dispatch(shown)
    await settle(hass)
    assert await given(hass, panel_entry) == {"bob"}


async def test_namesakes_are_nobody(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, people: HousePeople
) -> None:
    """Two people of one name: it may be the card of either."""
    await people.async_add(Profile(id="bob2", key=new_key(), name="Bob Mason", card=31), [])
    async with asyncio.timeout(20):
        await people.workers[panel.serial].done.wait()
    before = hass.states.get(ACCESS).state
    await panel.swipe_card("12345678")
    await until(lambda: hass.states.get(ACCESS).state != before)
    await settle(hass)
    assert await given(hass, panel_entry) == set()

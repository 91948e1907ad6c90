"""How a panel's news arrive: by its webhook where that works, else because it is asked; each once."""

from datetime import timedelta
from unittest.mock import patch

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.network import NoURLAvailableError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.access import ContactMoved, Passage, Ring, Sighting, StationEvent
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.news.ladder import Ladder, Rung
from simulators.panel import SimulatedPanel

from .conftest import issue_id, killed, repair, settle, until
from .panels import add_panel


class Ear:
    """Keeps every live event of an entry."""

    def __init__(self, entry: MockConfigEntry) -> None:
        self.heard: list[StationEvent] = []
        entry.runtime_data.async_subscribe(self.heard.append)

    def count(self, kind: type[StationEvent]) -> int:
        return sum(isinstance(event, kind) for event in self.heard)


def ladder_of(entry: MockConfigEntry) -> Ladder:
    ladder = entry.runtime_data.ladder
    assert ladder is not None
    return ladder


def issue(hass: HomeAssistant, key: str, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id(key, entry))


async def polled(panel: SimulatedPanel, times: int = 2) -> None:
    """Wait until the panel was asked for its log some more times."""

    def count() -> int:
        return sum(path.startswith("/log/") for _method, path, _status in panel.requests)

    before = count()
    await until(lambda: count() >= before + times)


# By webhook


async def test_ring_arrives_once_by_webhook(panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """The webhook was tried out, so nobody asks the panel; a resent delivery is no second ring."""
    await until(lambda: ladder_of(panel_entry).webhook is Rung.PROVEN)
    assert not ladder_of(panel_entry).asks
    ear = Ear(panel_entry)
    await panel.ring()
    await until(lambda: ear.count(Ring))
    assert await panel.resend_webhook() == 200
    ladder_of(panel_entry)._now()
    await polled(panel, 1)
    assert ear.count(Ring) == 1


async def test_other_events_arrive(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """Who came in, the door's contact, a face that goes into history."""
    await panel.change_face(enable=True)
    ear = Ear(panel_entry)
    await panel.present_known()
    await panel.press_exit()
    await until(lambda: ear.count(Passage) == 2 and ear.count(Sighting) == 1)
    assert await panel_entry.runtime_data.history.last(panel.serial) is not None


async def test_contact_is_known_at_once(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """What the panel told of its door holds until the next reading says otherwise."""
    await panel_entry.runtime_data.async_write_setting("door_sensor", True)
    # The door's state is a new feature of the panel: the entry loads again.
    await settle(hass)
    coordinator = panel_entry.runtime_data
    assert coordinator.data.facts["door_open"] is False
    ear = Ear(panel_entry)
    await panel.press_exit()
    await panel.open_door()
    await until(lambda: ear.count(ContactMoved))
    assert coordinator.data.facts["door_open"] is True


async def test_webhook_is_made_again(
    hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None, panel_entry: MockConfigEntry
) -> None:
    """Removed behind our back: it is back soon, works, and nobody is bothered."""
    await until(lambda: ladder_of(panel_entry).webhook is Rung.PROVEN)
    await panel.remove_webhooks()
    await until(lambda: len(panel.webhooks.items) == 1)
    ear = Ear(panel_entry)
    await panel.ring()
    await until(lambda: ear.count(Ring))
    assert issue(hass, "webhook_missing", panel_entry) is None


async def test_webhook_goes_with_the_entry(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """Others stay. After a hard stop ours is found again, and not made twice."""
    theirs = {"url": "http://192.0.2.1/x", "status": "active", "event_types": ["log.tamper_event"]}
    panel.webhooks.items[99] = theirs
    async with killed(hass, panel_entry):
        assert len(panel.webhooks.items) == 2
    await until(lambda: ladder_of(panel_entry).webhook is Rung.PROVEN)
    assert len(panel.webhooks.items) == 2
    assert await hass.config_entries.async_unload(panel_entry.entry_id)
    assert list(panel.webhooks.items.values()) == [theirs]


async def test_forged_delivery(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """Since a genuine signature was seen to fit, one that does not is nothing: no ring, no proof."""
    await until(lambda: ladder_of(panel_entry).webhook is Rung.PROVEN)
    ear = Ear(panel_entry)
    (webhook,) = panel.webhooks.items.values()
    body = {"event_type": "log.outgoing_call", "event_id": 7, "created_at": panel.milliseconds(), "data": {}}
    panel_entry.runtime_data.pushed.clear()
    async with aiohttp.ClientSession() as session, session.post(webhook["url"], json=body) as answer:
        assert answer.status == 200
    await settle(hass)
    assert ear.heard == []
    assert not panel_entry.runtime_data.pushed.is_set()


# When that does not work


@pytest.mark.parametrize("panel_model", ["BI-06FB", "AV-03BD", "AA-07"])
async def test_panels_without_webhooks_are_asked(
    hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None, panel_entry: MockConfigEntry
) -> None:
    """Old firmware and Camdroid: nothing is broken, so nobody is told; every ring arrives, once."""
    ladder = ladder_of(panel_entry)
    assert (ladder.webhook, ladder.asks) == (Rung.OFF, True)
    ear = Ear(panel_entry)
    await panel.ring()
    await until(lambda: ear.count(Ring))
    await polled(panel)
    assert ear.count(Ring) == 1
    assert issue(hass, "webhook_missing", panel_entry) is None


async def test_nothing_of_before_rings(hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None) -> None:
    """What happened before Home Assistant came is history, and what happens while the panel is away for long."""
    await panel.ring()
    entry = await add_panel(hass, panel, push=False)
    ear = Ear(entry)
    await polled(panel)
    assert ear.count(Ring) == 0


async def test_face_of_a_poll_goes_into_history(
    hass: HomeAssistant, web: str, panel: SimulatedPanel, quick_ladder: None
) -> None:
    """The same as one that was pushed."""
    await panel.change_face(enable=True)
    entry = await add_panel(hass, panel, push=False)
    ear = Ear(entry)
    await panel.present_stranger()
    await until(lambda: ear.count(Sighting))
    assert await entry.runtime_data.history.last(panel.serial) is not None
    await polled(panel)
    assert ear.count(Sighting) == 1


async def test_home_assistant_cannot_be_reached(
    hass: HomeAssistant, web: str, panel: SimulatedPanel, quick_ladder: None, hass_client: ClientSessionGenerator
) -> None:
    """The webhook is there and its test never arrives: an issue, and polling meanwhile. Its fix tries once more."""
    await hass.config.async_update(internal_url="http://127.0.0.1:9")
    with patch("custom_components.face_access.hub.news.ladder._PROOF_WITHIN", 0.2):
        entry = await add_panel(hass, panel)
        await until(lambda: issue(hass, "webhook_missing", entry) is not None)
        assert ladder_of(entry).asks
        ear = Ear(entry)
        await panel.ring()
        await until(lambda: ear.count(Ring))
        answer = await repair(hass, hass_client, "webhook_missing", entry)
        assert (answer["type"], answer["errors"]) == ("form", {"base": "cannot_fix"})
    await hass.config.async_update(internal_url=web)
    assert (await repair(hass, hass_client, "webhook_missing", entry))["type"] == "create_entry"
    assert not ladder_of(entry).asks
    await settle(hass)
    assert ear.count(Ring) == 1


async def test_home_assistant_without_an_address(
    hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None
) -> None:
    """There is nothing to write into the panel: an issue until there is, then all is well by itself."""
    with patch("custom_components.face_access.hub.news.push_target.get_url", side_effect=NoURLAvailableError):
        entry = await add_panel(hass, panel)
        await until(lambda: issue(hass, "webhook_missing", entry) is not None)
    await until(lambda: issue(hass, "webhook_missing", entry) is None)
    assert ladder_of(entry).webhook is Rung.PROVEN


async def test_panel_refuses_the_webhook(hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None) -> None:
    """An account that may not: an issue, and polling."""
    await panel.fail("/webhooks", 403, times=1000)
    entry = await add_panel(hass, panel)
    await until(lambda: issue(hass, "webhook_missing", entry) is not None)
    ear = Ear(entry)
    await panel.ring()
    await until(lambda: ear.count(Ring))
    panel.failures.clear()
    await until(lambda: ladder_of(entry).webhook is Rung.PROVEN)


async def test_panel_cannot_send_a_test(hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None) -> None:
    """Nothing is proven and nothing is wrong: it is asked until the first delivery arrives. The ring is one."""
    await panel.fail("/test", 404, times=1000)
    entry = await add_panel(hass, panel)
    await until(lambda: ladder_of(entry).webhook is Rung.OPEN)
    assert ladder_of(entry).asks
    ear = Ear(entry)
    await panel.ring()
    await until(lambda: ladder_of(entry).webhook is Rung.PROVEN)
    await settle(hass)
    assert ear.count(Ring) == 1


async def test_webhook_that_misses_something_is_not_trusted(
    hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None, panel_entry: MockConfigEntry
) -> None:
    """Its test works, a ring did not come that way: from then on the panel is asked, until the next day's trial."""
    ladder = ladder_of(panel_entry)
    await until(lambda: ladder.webhook is Rung.PROVEN)
    (webhook,) = panel.webhooks.items.values()
    webhook["event_types"] = ["log.tamper_event"]
    ear = Ear(panel_entry)
    with patch("custom_components.face_access.hub.news.ladder._ON_ITS_WAY", timedelta()):
        await panel.ring()
        await until(lambda: ear.count(Ring))
        await until(lambda: ladder.webhook is Rung.LEAKING)
    assert ladder.asks
    with patch("custom_components.face_access.hub.news.ladder.PROVE_EVERY", timedelta()):
        await until(lambda: ladder.webhook is Rung.PROVEN)


async def test_panel_goes_while_it_is_asked(hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None) -> None:
    """The first question without an answer says that it is away; nothing is asked until it is back."""
    entry = await add_panel(hass, panel, push=False)
    await panel.cut_network()
    await until(lambda: not entry.runtime_data.last_update_success)
    await panel.restore_network()
    await entry.runtime_data.async_refresh()
    ear = Ear(entry)
    await polled(panel)
    await panel.ring()
    await until(lambda: ear.count(Ring))


@pytest.mark.parametrize(("status", "key"), [(403, "log_forbidden"), (404, "log_refused"), (400, "log_refused")])
async def test_panel_that_tells_nothing(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    quick_ladder: None,
    hass_client: ClientSessionGenerator,
    status: int,
    key: str,
) -> None:
    """It refuses its log: that takes nothing else away, and somebody who can mend it is told."""
    await panel.fail("/log/items", status, times=10000)
    entry = await add_panel(hass, panel, push=False)
    await until(lambda: issue(hass, key, entry) is not None)
    await entry.runtime_data.async_refresh()
    assert entry.runtime_data.last_update_success
    answer = await repair(hass, hass_client, key, entry)
    assert (answer["type"], answer["errors"]) == ("form", {"base": "cannot_fix"})
    panel.failures.clear()
    if issue(hass, key, entry) is not None:
        assert (await repair(hass, hass_client, key, entry))["type"] == "create_entry"
    await until(lambda: issue(hass, key, entry) is None)
    ear = Ear(entry)
    await panel.ring()
    await until(lambda: ear.count(Ring))


async def test_one_refusal_of_the_log_bothers_nobody(
    hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None
) -> None:
    """A panel that is busy for a moment."""
    entry = await add_panel(hass, panel, push=False)
    await panel.fail("/log/items", 503)
    with patch("custom_components.face_access.hub.issues.log_refused") as told:
        await polled(panel, 3)
    assert not told.called
    assert entry.runtime_data.ladder._refused == 0


async def test_reason_of_the_refusal_changes(hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None) -> None:
    """There is one issue at a time, about what is wrong now."""
    entry = await add_panel(hass, panel, push=False)
    await panel.fail("/log/items", 403, times=10000)
    await until(lambda: issue(hass, "log_forbidden", entry) is not None)
    panel.failures.clear()
    await panel.fail("/log/items", 404, times=10000)
    await until(lambda: issue(hass, "log_refused", entry) is not None)
    assert issue(hass, "log_forbidden", entry) is None
    panel.failures.clear()


async def test_webhook_that_misses_something_for_minutes_is_seen_to_leak(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    quick_ladder: None,
    panel_entry: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Asked rarely while the webhook is trusted, the panel tells of a ring too late: no news, but a sign."""
    ladder = ladder_of(panel_entry)
    await until(lambda: ladder.webhook is Rung.PROVEN)
    (webhook,) = panel.webhooks.items.values()
    webhook["event_types"] = ["log.tamper_event"]
    ear = Ear(panel_entry)
    with (
        patch("custom_components.face_access.devices.panel.capabilities.LIVE_WITHIN", timedelta(seconds=-5)),
        patch("custom_components.face_access.hub.news.ladder._ON_ITS_WAY", timedelta()),
    ):
        await panel.ring()
        await until(lambda: ladder.webhook is Rung.LEAKING)
    assert ear.count(Ring) == 0
    assert issue_registry.async_get_issue(DOMAIN, issue_id("webhook_missing", panel_entry)) is not None

"""What Home Assistant must know of a panel's webhook over a restart, and what it leaves behind when an entry goes."""

from dataclasses import replace
from unittest.mock import patch

import aiohttp
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.face_access.access import Ring
from custom_components.face_access.hub.news.ladder import Rung
from simulators.panel import SimulatedPanel
from simulators.terminal import SimulatedTerminal

from .conftest import killed, settle, until
from .test_panel_ladder import Ear, issue, ladder_of
from .test_panel_life import asks_us

REMOTE = "/access/general/remote/control/settings"


@pytest.fixture
async def proven(panel_entry: MockConfigEntry) -> MockConfigEntry:
    """A panel whose webhook was tried out."""
    await until(lambda: ladder_of(panel_entry).webhook is Rung.PROVEN)
    return panel_entry


def memory(entry: MockConfigEntry) -> dict[str, object]:
    return dict(entry.data.get("inbox", {}))


# Over a restart


async def test_the_secret_outlives_a_restart(
    hass: HomeAssistant, panel: SimulatedPanel, proven: MockConfigEntry
) -> None:
    """The webhook is there and works: nothing is written into the panel, and deliveries count at once."""
    (webhook,) = panel.webhooks.items.values()
    assert memory(proven) == {"secret": webhook["secret"], "verified": True}
    secret = webhook["secret"]
    async with killed(hass, proven):
        panel.requests.clear()
    await until(lambda: ladder_of(proven).webhook is Rung.PROVEN)
    written = [(method, path) for method, path, _ in panel.requests if "webhooks" in path and method != "GET"]
    assert [path.rpartition("/")[2] for _, path in written] == ["test"]
    (webhook,) = panel.webhooks.items.values()
    assert webhook["secret"] == secret
    ear = Ear(proven)
    await panel.ring()
    await until(lambda: ear.count(Ring))


async def test_what_is_delivered_before_the_panel_is_asked_counts(
    hass: HomeAssistant, panel: SimulatedPanel, proven: MockConfigEntry
) -> None:
    """Home Assistant has just started. What is signed is the panel's; what is not is nobody's."""
    with patch("custom_components.face_access.hub.news.ladder.Ladder._climb"):
        async with killed(hass, proven):
            pass
        ear = Ear(proven)
        (webhook,) = panel.webhooks.items.values()
        body = {"event_type": "log.outgoing_call", "event_id": 7, "created_at": panel.milliseconds(), "data": {}}
        async with aiohttp.ClientSession() as session, session.post(webhook["url"], json=body) as answer:
            assert answer.status == 200
        await settle(hass)
        assert ear.heard == []
        await panel.tamper()
        await until(lambda: ear.heard)
    assert memory(proven)["verified"] is True


async def test_a_panel_with_another_secret_gets_ours_again(
    hass: HomeAssistant, panel: SimulatedPanel, proven: MockConfigEntry, quick_ladder: None
) -> None:
    """Somebody put an old backup into it: nothing it sends fits, until the next trial writes ours."""
    (webhook,) = panel.webhooks.items.values()
    secret, webhook["secret"] = webhook["secret"], "of an old backup of it"
    with patch("custom_components.face_access.hub.news.ladder._PROOF_WITHIN", 0.3):
        async with killed(hass, proven):
            pass
        await until(lambda: ladder_of(proven).webhook is Rung.PROVEN)
    (webhook,) = panel.webhooks.items.values()
    assert webhook["secret"] == secret
    await until(lambda: issue(hass, "webhook_missing", proven) is None)


async def test_a_killed_start_that_kept_no_secret(
    hass: HomeAssistant, panel: SimulatedPanel, proven: MockConfigEntry
) -> None:
    """The panel has a webhook of ours and nobody knows its secret: it gets a new one."""
    (webhook,) = panel.webhooks.items.values()
    secret = webhook["secret"]
    async with killed(hass, proven):
        data = {key: value for key, value in proven.data.items() if key != "inbox"}
        hass.config_entries.async_update_entry(proven, data=data)
    await until(lambda: ladder_of(proven).webhook is Rung.PROVEN)
    (webhook,) = panel.webhooks.items.values()
    assert webhook["secret"] != secret
    assert memory(proven) == {"secret": webhook["secret"], "verified": True}


async def test_the_secret_goes_with_the_webhook(
    hass: HomeAssistant, panel: SimulatedPanel, proven: MockConfigEntry
) -> None:
    """That this panel signs is not forgotten: its next webhook is never taken at its word."""
    assert await hass.config_entries.async_unload(proven.entry_id)
    assert panel.webhooks.items == {}
    assert memory(proven) == {"verified": True}


# When the entry goes


@pytest.fixture
async def never_loaded(hass: HomeAssistant, panel: SimulatedPanel, proven: MockConfigEntry) -> MockConfigEntry:
    """The panel was away when Home Assistant started; what was written into it before is still there."""
    await asks_us(hass, panel, proven)
    await until(lambda: "previous_target" in proven.data and "previous_questions" in proven.data)
    await panel.cut_network()
    await hass.config_entries.async_unload(proven.entry_id)
    assert not await hass.config_entries.async_setup(proven.entry_id)
    assert proven.state is ConfigEntryState.SETUP_RETRY
    return proven


async def test_removal_of_an_entry_that_never_loaded(
    hass: HomeAssistant, panel: SimulatedPanel, never_loaded: MockConfigEntry
) -> None:
    """The panel is back by then: nothing of ours is left on it."""
    await panel.restore_network()
    await hass.config_entries.async_remove(never_loaded.entry_id)
    assert panel.webhooks.items == {}
    assert panel.settings.values[REMOTE]["custom_server_enabled"] is False


async def test_removal_while_the_panel_is_away(
    hass: HomeAssistant, panel: SimulatedPanel, never_loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes all the same, and the log says what is left."""
    caplog.clear()
    await hass.config_entries.async_remove(never_loaded.entry_id)
    assert hass.config_entries.async_get_entry(never_loaded.entry_id) is None
    assert "still sends its pushes here" in caplog.text
    assert "still asks here" in caplog.text
    await panel.restore_network()
    assert len(panel.webhooks.items) == 1


async def test_removal_does_not_wait_for_ever(
    hass: HomeAssistant, panel: SimulatedPanel, never_loaded: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """A panel that takes the connection and says nothing."""
    await panel.restore_network()
    panel.timings = replace(panel.timings, command=1)
    with patch("custom_components.face_access.hub.news.farewell._LAST_TRY_WITHIN", 0.2):
        await hass.config_entries.async_remove(never_loaded.entry_id)
    panel.timings = replace(panel.timings, command=0)
    assert "what Home Assistant wrote into it stays there" in caplog.text
    assert hass.config_entries.async_get_entry(never_loaded.entry_id) is None


async def test_removal_of_a_loaded_entry_asks_once(
    hass: HomeAssistant, panel: SimulatedPanel, proven: MockConfigEntry
) -> None:
    """All was taken back when it was unloaded: the panel is left alone."""
    with patch("custom_components.face_access.hub.news.farewell.async_open_link") as opened:
        await hass.config_entries.async_remove(proven.entry_id)
    assert not opened.called
    assert panel.webhooks.items == {}


async def test_removal_of_a_terminals_entry_that_never_loaded(
    hass: HomeAssistant, terminal: SimulatedTerminal, entry: MockConfigEntry
) -> None:
    """Terminals get back where they pushed before."""
    before = dict(entry.data["previous_target"])
    assert terminal.app["upload_info"]["server_port"] == int(hass.config.internal_url.rpartition(":")[2])
    await terminal.cut_network()
    await hass.config_entries.async_unload(entry.entry_id)
    assert not await hass.config_entries.async_setup(entry.entry_id)
    await terminal.restore_network()
    await hass.config_entries.async_remove(entry.entry_id)
    assert before.items() <= terminal.app["upload_info"].items()

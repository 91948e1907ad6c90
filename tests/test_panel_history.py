"""What happened at a panel is kept: at once when it is news, and without a sound when it had to be fetched."""

from datetime import timedelta
import json
import sqlite3
from unittest.mock import patch

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.face_access.access import Ring
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.history.past_events import EventKind, PastEvent
from custom_components.face_access.hub.history.store import History
from custom_components.face_access.hub.house import async_get_history
from simulators.panel import SimulatedPanel
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, killed, settle, until
from .panels import add_panel
from .test_panel_ladder import Ear, ladder_of, polled
from .test_push import answer

CARD = "12345678"
UNKNOWN_CARD = "99999999"
# Everything that happens in `busy_hour`, oldest first.
HAPPENED = ["ring", "granted", "denied", "granted", "tamper"]


async def busy_hour(panel: SimulatedPanel) -> None:
    """Somebody rings, somebody comes in by card, another one does not, the exit button, a crowbar."""
    await panel.ring()
    await panel.cancel()
    await panel.swipe_card(CARD)
    await panel.swipe_card(UNKNOWN_CARD)
    await panel.press_exit()
    await panel.tamper()


async def past(hass: HomeAssistant) -> list[PastEvent]:
    """Read what is kept, oldest first."""
    return (await (await async_get_history(hass)).events(source=None))[::-1]


async def kinds(hass: HomeAssistant) -> list[str]:
    return [event.kind.value for event in await past(hass)]


async def act(hass: HomeAssistant, **data: object) -> list[dict]:
    found = await hass.services.async_call(DOMAIN, "get_events", data, blocking=True, return_response=True)
    return found["events"]


async def test_news_are_kept(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """As they come, each once, and not again from the log; no number is among it."""
    ear = Ear(panel_entry)
    await busy_hour(panel)
    await until(lambda: len([event for event in ear.heard if event]) >= len(HAPPENED))
    await panel.idle()
    await settle(hass)
    assert await kinds(hass) == HAPPENED
    await panel_entry.runtime_data.catch_up.async_run()
    events = await past(hass)
    assert [event.kind.value for event in events] == HAPPENED
    assert all(event.live for event in events)
    assert CARD not in repr(events)
    # In no column either.
    history: History = panel_entry.runtime_data.history
    rows = await history._do(lambda file: [tuple(row) for row in file.execute("SELECT * FROM event")])
    assert CARD not in repr(rows)
    assert UNKNOWN_CARD not in repr(rows)


@pytest.mark.parametrize("panel_model", ["AA-12FB", "BI-06FB", "AA-07", "AV-03BD"])
@pytest.mark.parametrize("push", [True, False])
async def test_an_outage_is_filled_in(
    hass: HomeAssistant, web: str, panel: SimulatedPanel, panel_model: str, push: bool
) -> None:
    """Home Assistant was down: everything is in history, nothing rings, opens or fires."""
    entry = await add_panel(hass, panel, push=push)
    states = [state for state in hass.states.async_all() if state.domain in ("event", "lock")]
    async with killed(hass, entry):
        await busy_hour(panel)
        await panel.idle()
    await settle(hass)
    expected = [kind for kind in HAPPENED if panel.model.family == "android" or kind != "tamper"]
    assert await kinds(hass) == expected
    assert not any(event.live for event in await past(hass))
    assert {hass.states.get(state.entity_id).state for state in states} <= {"unknown"}
    by_card = (await past(hass))[1]
    assert (by_card.method, by_card.owner) == ("card", "Bob Mason")
    # And once more: nothing comes twice.
    assert await entry.runtime_data.catch_up.async_run() == 0


async def test_a_door_that_moved_during_an_outage(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    await panel_entry.runtime_data.async_write_setting("door_sensor", True)
    await settle(hass)
    async with killed(hass, panel_entry):
        await panel.press_exit()
        await panel.open_door()
        await panel.close_door()
    await settle(hass)
    assert await kinds(hass) == ["granted", "door_opened", "door_closed"]


async def test_panel_was_off_the_network(hass: HomeAssistant, panel: SimulatedPanel, quick_ladder: None) -> None:
    """What is older than half a minute when it can be asked again is history."""
    entry = await add_panel(hass, panel, push=False)
    await polled(panel)
    await panel.cut_network()
    await until(lambda: not entry.runtime_data.last_update_success)
    ear = Ear(entry)
    await panel.ring()
    with patch("custom_components.face_access.devices.panel.capabilities.LIVE_WITHIN", timedelta(seconds=-5)):
        await panel.restore_network()
        await entry.runtime_data.async_refresh()
        await polled(panel)
    await settle(hass)
    assert ear.count(Ring) == 0
    assert await kinds(hass) == ["ring"]


async def test_a_late_delivery_is_kept(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """The panel tried again for minutes: nobody rings any more, and it is not lost."""
    ear = Ear(panel_entry)
    with (
        patch("custom_components.face_access.devices.panel.push.LIVE_WITHIN", timedelta(seconds=-5)),
        patch.object(type(panel_entry.runtime_data.station.feed), "interval", timedelta(hours=1)),
    ):
        await panel.ring()
        await panel.idle()
    await settle(hass)
    assert await kinds(hass) == ["ring"]
    assert ear.count(Ring) == 0
    assert not (await past(hass))[0].live


async def test_what_could_not_be_stored_is_fetched(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """The bell rings all the same; the disk gets it with the next reading."""
    ear = Ear(panel_entry)
    await until(lambda: not ladder_of(panel_entry).asks)
    with patch.object(History, "add_event", side_effect=sqlite3.OperationalError("disk is full")):
        await panel.ring()
        await until(lambda: ear.count(Ring))
        await panel.idle()
        await settle(hass)
    assert "could not be stored" in caplog.text
    assert await kinds(hass) == []
    await panel_entry.runtime_data.async_read_again()
    await settle(hass)
    assert await kinds(hass) == ["ring"]


async def test_removal_forgets(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    await panel.swipe_card(CARD)
    await panel.idle()
    await settle(hass)
    assert await kinds(hass) == ["granted"]
    await hass.config_entries.async_remove(panel_entry.entry_id)
    assert await kinds(hass) == []


async def test_action(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    panel_entry: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
    hass_read_only_user: MockUser,
) -> None:
    """All of it, of a device, of some kinds, within bounds; an administrator's alone."""
    await busy_hour(panel)
    await panel.idle()
    await settle(hass)
    everything = await act(hass)
    assert [event["kind"] for event in everything][::-1] == HAPPENED
    assert {event["station"] for event in everything} == {"Gate"}
    (device,) = dr.async_entries_for_config_entry(device_registry, panel_entry.entry_id)
    chosen = {"device_id": device.id, "kinds": ["granted", "denied"], "limit": 3, "start": "2020-01-01 00:00:00"}
    denied, granted = (await act(hass, **chosen))[1:]
    assert (denied["method"], denied["reason"], denied["doors"]) == ("card", "unknown", [])
    assert (granted["method"], granted["owner"], granted["doors"], granted["live"]) == ("card", "Bob Mason", [1], True)
    assert await act(hass, end="2020-01-01 00:00:00") == []
    assert CARD not in str(everything)
    with pytest.raises(ServiceValidationError, match="must be before"):
        await act(hass, start="2026-01-02 00:00:00", end="2026-01-01 00:00:00")
    with (
        patch.object(History, "events", side_effect=sqlite3.OperationalError),
        pytest.raises(HomeAssistantError, match="history"),
    ):
        await act(hass)
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "get_events",
            {},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )


async def test_ring_of_a_terminal_is_kept(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal, entry: MockConfigEntry
) -> None:
    """Once, also when the device missed our answer and sends it again."""
    for _ in range(2):
        await answer(web, entry, json.dumps({"cmd": "sip event", "device_sn": SERIAL, "sip_event": 1}).encode())
        await settle(hass)
    assert [event.kind for event in await past(hass)] == [EventKind.RING]

"""A panel's days in Home Assistant: away and back, tokens that end, restarts, questions, and nothing that leaks."""

import asyncio
from typing import Any
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_capture_events
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.access import Method, Person, Role
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.doors import questions
from simulators.panel import SimulatedPanel

from .conftest import choose_options, issue_id, press, repair, settle, until
from .panels import PASSWORD, answers, begin
from .test_diagnostics import assert_none_of

ONLINE = "binary_sensor.gate_online"
RESTART = "restart_needed"


def issue(hass: HomeAssistant, key: str, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id(key, entry))


async def choose_mode(hass: HomeAssistant, entry: MockConfigEntry, mode: str) -> None:
    await entry.runtime_data.async_write_setting("recognition_mode", mode)
    await settle(hass)


# The connection


async def test_token_ends(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """One new login, and nobody notices."""
    logins = panel.count("GET", "/login")
    await panel.expire_tokens()
    await panel_entry.runtime_data.async_refresh()
    assert panel_entry.runtime_data.last_update_success
    assert panel.count("GET", "/login") == logins + 1


async def test_panel_is_away_and_back(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """Its entities are unavailable meanwhile, and all of it is checked when it is back."""
    await panel.cut_network()
    await panel_entry.runtime_data.async_refresh()
    await settle(hass)
    assert hass.states.get("lock.gate_door").state == "unavailable"
    assert hass.states.get("binary_sensor.gate_online").state == "off"
    await panel.remove_webhooks()
    await panel.restore_network()
    await panel_entry.runtime_data.async_refresh()
    await until(lambda: len(panel.webhooks.items) == 1)
    assert hass.states.get("lock.gate_door").state != "unavailable"
    assert hass.states.get("binary_sensor.gate_online").state == "on"


async def test_panel_is_away_at_start(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """The entry tries again, as Home Assistant does."""
    await hass.config_entries.async_unload(panel_entry.entry_id)
    await panel.cut_network()
    assert not await hass.config_entries.async_setup(panel_entry.entry_id)
    assert panel_entry.state is ConfigEntryState.SETUP_RETRY
    await panel.restore_network()
    assert await hass.config_entries.async_reload(panel_entry.entry_id)
    await settle(hass)
    assert panel_entry.state is ConfigEntryState.LOADED


async def test_link_ends_with_the_entry(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """Whatever still holds the station cannot open a door any more."""
    door = panel_entry.runtime_data.station.doors[0]
    assert await hass.config_entries.async_unload(panel_entry.entry_id)
    with pytest.raises(Exception, match="closed"):
        await door.open()
    assert panel.openings == []
    assert panel.webhooks.items == {}


# Settings that need a restart


async def test_restart_mends(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """The fix restarts the panel; the issue goes when the panel says that it started, and not before."""
    await choose_mode(hass, panel_entry, "antispoofing")
    raised = issue(hass, RESTART, panel_entry)
    assert (raised.severity, raised.is_fixable, raised.is_persistent) == (ir.IssueSeverity.WARNING, True, True)
    flow = await repair(hass, hass_client, RESTART, panel_entry)
    assert (flow["type"], flow["progress_action"]) == ("progress", "restarting")
    assert panel.acts["/system/reboot/run"] == 1
    assert issue(hass, RESTART, panel_entry) is not None
    assert (await press(hass_client, flow))["type"] == "progress"
    # Nobody else asks: the webhook is trusted, and tells nothing of it.
    await until(lambda: issue(hass, RESTART, panel_entry) is None)
    assert panel.faces.active_mode == "antispoofing"
    async with asyncio.timeout(10):
        while (ended := await press(hass_client, flow))["type"] == "progress":  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert ended["type"] == "create_entry"
    assert issue(hass, RESTART, panel_entry) is None


async def test_panel_that_does_not_come_back(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """Nobody waits for ever; the issue stays, and goes by itself when the panel is heard of again."""
    await choose_mode(hass, panel_entry, "antispoofing")
    with patch("custom_components.face_access.hub.restart._BACK_WITHIN", 0.2):
        flow = await repair(hass, hass_client, RESTART, panel_entry)
        await asyncio.sleep(0.3)
        await settle(hass)
    flow = await press(hass_client, flow)
    assert (flow["type"], flow["reason"]) == ("abort", "not_restarted")
    assert issue(hass, RESTART, panel_entry) is not None
    await until(lambda: panel.online)
    await panel_entry.runtime_data.async_refresh()
    panel_entry.runtime_data.ladder._now()
    await until(lambda: issue(hass, RESTART, panel_entry) is None)


async def test_window_is_closed(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """The household need not look on: the issue stays until the panel says so."""
    await choose_mode(hass, panel_entry, "antispoofing")
    before = panel.booted_at
    flow = await repair(hass, hass_client, RESTART, panel_entry)
    client = await hass_client()
    assert (await client.delete(f"/api/repairs/issues/fix/{flow['flow_id']}")).status == 200
    assert issue(hass, RESTART, panel_entry) is not None
    await until(lambda: panel.online and panel.booted_at != before)
    await panel_entry.runtime_data.async_refresh()
    panel_entry.runtime_data.ladder._now()
    await until(lambda: issue(hass, RESTART, panel_entry) is None)


async def test_panel_refuses_to_restart(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    await choose_mode(hass, panel_entry, "antispoofing")
    await panel.fail("/system/reboot/run", 403)
    flow = await repair(hass, hass_client, RESTART, panel_entry)
    assert (flow["type"], flow["errors"]) == ("form", {"base": "cannot_fix"})
    assert issue(hass, RESTART, panel_entry) is not None


async def test_somebody_else_restarts(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """A power cut does as well; the panel tells of its start when it is asked."""
    await choose_mode(hass, panel_entry, "antispoofing")
    await panel.power_cycle()
    await panel_entry.runtime_data.async_refresh()
    panel_entry.runtime_data.ladder._now()
    await until(lambda: issue(hass, RESTART, panel_entry) is None)


async def test_restart_of_before_does_not_count(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """The panel told of a start already: that one knew nothing of the new mode. A reload changes nothing of that."""
    await panel.power_cycle()
    await choose_mode(hass, panel_entry, "antispoofing")
    await panel_entry.runtime_data.async_read_again()
    assert await hass.config_entries.async_reload(panel_entry.entry_id)
    await settle(hass)
    await panel_entry.runtime_data.async_read_again()
    assert issue(hass, RESTART, panel_entry) is not None


async def test_mode_is_put_back(hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry) -> None:
    """As it was at the last start: there is nothing to restart for."""
    before = panel_entry.runtime_data.data.settings["recognition_mode"]
    others = [mode for mode in ("software", "3d", "antispoofing") if mode != before]
    for mode in others:
        await choose_mode(hass, panel_entry, mode)
        assert issue(hass, RESTART, panel_entry) is not None
    await choose_mode(hass, panel_entry, before)
    assert issue(hass, RESTART, panel_entry) is None


async def test_the_first_start_that_is_told_is_no_new_feature(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """The sensor is there already: the entry has no reason to load again."""
    coordinator = panel_entry.runtime_data
    coordinator.station.reader._state.journal.booted = None
    await coordinator.async_read_again()
    await panel.power_cycle()
    await coordinator.async_refresh()
    coordinator.ladder._now()
    await until(lambda: coordinator.station.reader._state.journal.booted is not None)
    await coordinator.async_read_again()
    await settle(hass)
    assert panel_entry.runtime_data is coordinator
    assert coordinator.data.booted_at is not None
    assert "booted_at" not in panel_entry.data["features"]


async def test_refused_mode_needs_no_restart(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """The panel said no: nothing waits for anything, and the state is the true one."""
    before = panel_entry.runtime_data.data.settings["recognition_mode"]
    await panel.fail("facerecognition", 400, method="POST", body='{"error": "Wrong mode value"}')
    with pytest.raises(Exception, match="mode"):
        await panel_entry.runtime_data.async_write_setting("recognition_mode", "antispoofing")
    assert issue(hass, RESTART, panel_entry) is None
    assert panel_entry.runtime_data.data.settings["recognition_mode"] == before


async def test_removal_takes_the_issue_along(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    await choose_mode(hass, panel_entry, "antispoofing")
    await hass.config_entries.async_remove(panel_entry.entry_id)
    assert issue(hass, RESTART, panel_entry) is None


# Questions


async def set_options(hass: HomeAssistant, entry: MockConfigEntry, *modes: str, answer_questions: bool = True) -> None:
    """Go through the options as a user does."""
    doors = [{"door_mode": mode} for mode in modes or ("open", "open")]
    await choose_options(hass, entry, *doors, answer_questions=answer_questions)
    await settle(hass)


async def asks_us(hass: HomeAssistant, panel: SimulatedPanel, entry: MockConfigEntry) -> None:
    await set_options(hass, entry)
    await until(lambda: panel.remote.enabled)


async def test_panel_asks_only_with_consent(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """What was there before comes back when the consent is taken back."""
    before = dict(panel.settings.values["/access/general/remote/control/settings"])
    assert not panel.remote.enabled
    await asks_us(hass, panel, panel_entry)
    await set_options(hass, panel_entry, answer_questions=False)
    assert panel.settings.values["/access/general/remote/control/settings"] == before
    assert "previous_questions" not in panel_entry.data


async def test_no_opinion_about_strangers(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """Nobody of the household is known: the panel decides as if we were not there."""
    await asks_us(hass, panel, panel_entry)
    key = await panel.swipe_card()
    (question,) = panel.remote.questions
    assert (question.status, question.verdict) == (200, None)
    assert question.seconds < 5
    assert key.startswith("access_granted")


@pytest.mark.parametrize(
    ("person", "verdict"),
    [
        (Person(id="1", name="Ada"), (True, 1)),
        (Person(id="1", name="Ada", role=Role.BLOCKED), (False, 0)),
        (Person(id="1", name="Ada", enabled=False), (False, 0)),
        (Person(id="1", name="Ada", doors=frozenset()), (False, 0)),
    ],
)
async def test_decision_about_somebody_known(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    panel_entry: MockConfigEntry,
    person: Person,
    verdict: tuple[bool, int],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whoever knows whose card it is takes part; the number is in no log."""
    await asks_us(hass, panel, panel_entry)
    asked = []

    def find(question: questions.Question) -> Person | None:
        asked.append(question.method)
        return person if question.number == "55512345" else None

    forget = questions.async_register_finder(hass, find)
    await panel.swipe_card("55512345")
    (question,) = panel.remote.questions
    assert (question.verdict.granted, question.verdict.lock) == verdict
    assert asked == [Method.CARD]
    assert "55512345" not in caplog.text
    forget()
    await panel.swipe_card("55512345")
    assert panel.remote.questions[-1].verdict is None


async def test_person_of_the_second_door(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """The panel does not say where somebody stands: whoever may not pass every door is for the panel to decide."""
    await asks_us(hass, panel, panel_entry)
    doors = frozenset({panel_entry.runtime_data.door_id(2)})
    questions.async_register_finder(hass, lambda _question: Person(id="1", name="Ada", doors=doors))
    await panel.show_qr("some-code")
    assert panel.remote.questions[-1].verdict is None


@pytest.mark.parametrize(
    ("modes", "opinion"),
    [
        (("never", "never"), False),
        (("notify_only", "notify_only"), False),
        (("open", "notify_only"), False),
        (("never", "open"), False),
        (("open", "open"), True),
        (("open",), True),
        (("notify_only",), False),
    ],
)
@pytest.mark.parametrize("role", [Role.NORMAL, Role.BLOCKED])
async def test_house_that_does_not_open(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    panel_entry: MockConfigEntry,
    modes: tuple[str, ...],
    opinion: bool,
    role: Role,
) -> None:
    """A door that only tells opens for nobody and keeps nobody out whom the panel knows: and it may be that door."""
    await set_options(hass, panel_entry, *modes)
    await until(lambda: panel.remote.enabled)
    questions.async_register_finder(hass, lambda _question: Person(id="1", name="Ada", role=role))
    await panel.swipe_card("55512345")
    verdict = panel.remote.questions[-1].verdict
    assert (None if verdict is None else verdict.granted) is ((role is Role.NORMAL) if opinion else None)


GUARDED = {"second_factors": ["presence"]}
OPEN, NOTIFY, NEVER = ({"door_mode": mode} for mode in ("open", "notify_only", "never"))


@pytest.mark.parametrize(
    "doors",
    [
        [OPEN | GUARDED],
        [OPEN | GUARDED, NOTIFY],
        [OPEN | GUARDED, OPEN],
        [OPEN, OPEN | GUARDED],
        [NOTIFY, OPEN | GUARDED],
        [NEVER, OPEN | GUARDED],
        [NOTIFY | GUARDED],
        [OPEN, NOTIFY | GUARDED],
    ],
)
@pytest.mark.parametrize(
    ("person", "reason"),
    [
        ({}, "second_factor"),
        ({"doors": [1]}, "second_factor"),
        ({"doors": []}, "not_permitted"),
        ({"role": Role.BLOCKED}, "blocked"),
    ],
)
async def test_a_card_alone_where_a_door_wants_more(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    panel_entry: MockConfigEntry,
    doors: list[dict[str, object]],
    person: dict[str, Any],
    reason: str,
) -> None:
    """It may be that door: whatever the other one does, the panel is not left to open it to a card."""
    told = async_capture_events(hass, "face_access_decided")
    await choose_options(hass, panel_entry, *doors, answer_questions=True)
    await settle(hass)
    await until(lambda: panel.remote.enabled)
    if "doors" in person:
        person = person | {"doors": frozenset(map(panel_entry.runtime_data.door_id, person["doors"]))}
    ada = Person(id="1", name="Ada", **person)
    forget = questions.async_register_finder(hass, lambda _question: ada)
    await panel.swipe_card("55512345")
    assert panel.remote.questions[-1].verdict.granted is False
    await settle(hass)
    assert [(event.data["person"], event.data["reason"]) for event in told] == [("Ada", reason)]
    forget()
    await panel.swipe_card("55512345")
    assert panel.remote.questions[-1].verdict is None


async def test_failure_is_no_opinion(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever breaks on our side, the panel gets its answer at once."""
    await asks_us(hass, panel, panel_entry)

    def broken(_question: questions.Question) -> Person | None:
        raise RuntimeError("broken")

    questions.async_register_finder(hass, broken)
    await panel.swipe_card("55512345")
    assert panel.remote.questions[-1].verdict is None
    assert panel.remote.questions[-1].status == 200
    assert "could not be answered" in caplog.text


async def test_somebody_else_is_asked(
    hass: HomeAssistant,
    panel: SimulatedPanel,
    panel_entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    quick_ladder: None,
) -> None:
    """No fight: an issue says so, and its fix has the panel ask us again. Left alone, it stays theirs."""
    await asks_us(hass, panel, panel_entry)
    settings = panel.settings.values["/access/general/remote/control/settings"]
    settings["custom_server_api_url"] = "http://192.0.2.7/"
    await until(lambda: issue(hass, "questions_missing", panel_entry) is not None)
    assert settings["custom_server_api_url"] == "http://192.0.2.7/"
    assert (await repair(hass, hass_client, "questions_missing", panel_entry))["type"] == "create_entry"
    assert panel_entry.data["webhook_id"] in settings["custom_server_api_url"]
    settings["custom_server_api_url"] = "http://192.0.2.7/"
    await hass.config_entries.async_unload(panel_entry.entry_id)
    assert settings["custom_server_api_url"] == "http://192.0.2.7/"


async def test_panel_will_not_ask(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, quick_ladder: None
) -> None:
    """It refuses the setting: told, and its news still arrive."""
    await panel.fail("/remote/control/settings", 403, times=1000)
    await set_options(hass, panel_entry)
    await until(lambda: issue(hass, "questions_missing", panel_entry) is not None)
    heard: list[object] = []
    panel_entry.runtime_data.async_subscribe(heard.append)
    await panel.press_exit()
    await until(lambda: heard)
    panel.failures.clear()
    assert not panel.remote.enabled


async def test_panel_is_away_when_the_entry_goes(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    """It keeps asking here, and the log says so; what was there before is remembered for the next time."""
    await asks_us(hass, panel, panel_entry)
    await panel.cut_network()
    assert await hass.config_entries.async_unload(panel_entry.entry_id)
    assert "still asks here" in caplog.text
    assert "previous_questions" in panel_entry.data
    await panel.restore_network()
    assert await hass.config_entries.async_setup(panel_entry.entry_id)
    await settle(hass)
    assert await hass.config_entries.async_unload(panel_entry.entry_id)
    assert not panel.remote.enabled


async def test_consent_is_taken_back_while_the_panel_is_away(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry
) -> None:
    """Once it is back it asks nobody here any more, and pushes nothing."""
    await asks_us(hass, panel, panel_entry)
    await panel.cut_network()
    await set_options(hass, panel_entry, answer_questions=False)
    hass.config_entries.async_update_entry(panel_entry, data={**panel_entry.data, "push": False})
    assert "previous_questions" in panel_entry.data
    await panel.restore_network()
    await hass.config_entries.async_reload(panel_entry.entry_id)
    await until(lambda: not panel.remote.enabled and not panel.webhooks.items)
    await until(lambda: not {"previous_questions", "previous_target"} & set(panel_entry.data))


async def test_entry_goes_while_a_test_is_on_its_way(hass: HomeAssistant, panel: SimulatedPanel, web: str) -> None:
    """Nobody waits for a delivery that does not come."""
    await hass.config.async_update(internal_url="http://127.0.0.1:9")
    with (
        patch("custom_components.face_access.hub.news.ladder._PROOF_WITHIN", 60),
        patch("custom_components.face_access.hub.news.ladder._STOP_WITHIN", 0.05),
    ):
        flow = await begin(hass)
        flow = await hass.config_entries.flow.async_configure(flow["flow_id"], answers(panel))
        entry = (await hass.config_entries.flow.async_configure(flow["flow_id"], {"push": True}))["result"]
        await until(lambda: panel.webhooks.deliveries)
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert panel.webhooks.items == {}


# Diagnostics


async def test_nothing_leaks(
    hass: HomeAssistant, panel: SimulatedPanel, panel_entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """The account, the webhook, its secret, and whose card it was."""
    panel.settings.values["/access/general/remote/control/settings"]["custom_server_api_url"] = (
        "http://192.0.2.7/s3cret"
    )
    await asks_us(hass, panel, panel_entry)
    await panel.swipe_card("12345678")
    await panel.present_known()
    await settle(hass)
    found = await get_diagnostics_for_config_entry(hass, hass_client, panel_entry)
    assert found["news"] == {"webhook": "proven", "broker": "off", "asks": False}
    (webhook,) = panel.webhooks.items.values()
    (owner,) = {item["identifier_owner"]["name"] for item in panel.identifiers.items.values() if item.get("enrolled")}
    assert_none_of(
        found,
        PASSWORD,
        "admin",
        panel.serial,
        "127.0.0.1",
        panel_entry.data["webhook_id"],
        webhook["secret"],
        webhook["description"],
        "s3cret",
        "12345678",
        owner,
        *panel.accounts.tokens,
    )

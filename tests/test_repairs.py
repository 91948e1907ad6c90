"""Repair issues: raised when something is wrong, mended by a button where that is possible, gone when it is right."""

from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub import issues
from simulators.terminal import SimulatedTerminal

from .conftest import issue_id, killed, repair, settle


@pytest.fixture
def issue(issue_registry: ir.IssueRegistry, entry: MockConfigEntry) -> object:
    return lambda key: issue_registry.async_get_issue(DOMAIN, issue_id(key, entry))


@pytest.fixture
async def wrong_clock(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    await terminal.set_clock(ahead=-600)
    await entry.runtime_data.async_read_again()


@pytest.mark.parametrize(
    ("ahead", "minutes"), [(600, "10"), (-7200, "120"), (62, "1"), (-56 * 365 * 86400, "29433600")]
)
async def test_clock_is_wrong(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, issue: object, ahead: float, minutes: str
) -> None:
    """Told in minutes, as a warning."""
    await terminal.set_clock(ahead=ahead)
    await entry.runtime_data.async_read_again()
    raised = issue("clock_wrong")
    assert (raised.severity, raised.is_fixable) == (ir.IssueSeverity.WARNING, True)
    assert raised.translation_placeholders == {"name": "Front door", "minutes": minutes}


@pytest.mark.parametrize("ahead", [0, 55, -55])
async def test_clock_is_right_enough(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, issue: object, ahead: float
) -> None:
    """Less than a minute is no trouble."""
    await terminal.set_clock(ahead=ahead)
    await entry.runtime_data.async_read_again()
    assert issue("clock_wrong") is None


async def test_clock_is_mended(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    issue: object,
    wrong_clock: None,
    hass_client: ClientSessionGenerator,
) -> None:
    """The fix sets the clock to the house's time."""
    assert (await repair(hass, hass_client, "clock_wrong", entry))["type"] == "create_entry"
    assert abs(terminal.clock_offset) < 2
    assert issue("clock_wrong") is None


async def test_clock_is_right_again_by_itself(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, issue: object, wrong_clock: None
) -> None:
    """Somebody set it at the device, or by the button."""
    assert issue("clock_wrong") is not None
    await hass.services.async_call("button", "press", {"entity_id": "button.front_door_set_clock"}, blocking=True)
    await entry.runtime_data.async_refresh()
    assert issue("clock_wrong") is None


async def test_terminal_is_away_when_its_clock_is_mended(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    issue: object,
    wrong_clock: None,
    hass_client: ClientSessionGenerator,
) -> None:
    """The form says so and stays; the issue too."""
    await terminal.cut_network()
    answer = await repair(hass, hass_client, "clock_wrong", entry)
    assert (answer["type"], answer["errors"]) == ("form", {"base": "cannot_fix"})
    assert issue("clock_wrong") is not None
    await terminal.restore_network()
    assert (await repair(hass, hass_client, "clock_wrong", entry))["type"] == "create_entry"
    assert issue("clock_wrong") is None


async def test_terminal_is_away_when_its_pushes_are_mended(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    issue: object,
    hass_client: ClientSessionGenerator,
) -> None:
    """The other fix says the same."""
    terminal.app["upload_info"]["method"] = "none"
    await entry.runtime_data.async_read_again()
    await terminal.cut_network()
    answer = await repair(hass, hass_client, "push_missing", entry)
    assert (answer["type"], answer["errors"]) == ("form", {"base": "cannot_fix"})
    assert issue("push_missing") is not None


@pytest.mark.parametrize("key", ["clock_wrong", "push_missing"])
async def test_entry_is_not_loaded(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator, key: str
) -> None:
    """There is nobody to mend anything with."""
    issues._raise(hass, entry, key, {"minutes": "3"}, fixable=True)
    async with killed(hass, entry):
        answer = await repair(hass, hass_client, key, entry)
        assert (answer["type"], answer["reason"]) == ("abort", "not_loaded")


async def test_another_device_has_no_fix(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, issue: object
) -> None:
    """Only the user knows which device is whose."""
    terminal.serial = "FFFFFF-000000-0000EE"
    await entry.runtime_data.async_refresh()
    raised = issue("wrong_station")
    assert (raised.severity, raised.is_fixable) == (ir.IssueSeverity.ERROR, False)
    assert raised.translation_placeholders["found"] == "FFFFFF-000000-0000EE"
    terminal.serial = entry.unique_id


async def test_reload_starts_afresh(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, issue: object, wrong_clock: None
) -> None:
    """Issues that no longer hold are not carried over; those that do are raised anew."""
    issues.push_missing(hass, entry)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert issue("push_missing") is None
    assert issue("clock_wrong") is not None


async def test_removal_takes_issues_along(
    hass: HomeAssistant, entry: MockConfigEntry, issue: object, wrong_clock: None
) -> None:
    """Nobody is left to be mended."""
    issues.wrong_station(hass, entry, "x" * 100)
    assert issue("wrong_station").translation_placeholders["found"] == "x" * 32
    await hass.config_entries.async_remove(entry.entry_id)
    assert [issue(key) for key in ("clock_wrong", "push_missing", "wrong_station")] == [None] * 3

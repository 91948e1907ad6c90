"""Where a terminal sends what it sees: written with consent, remembered, and put back to the letter."""

import asyncio
from dataclasses import replace
import logging
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.network import NoURLAvailableError
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.news import push_target
from simulators.terminal import SimulatedTerminal

from .conftest import FAST, add_direct, issue_id, killed, repair, settle

SOMEBODY_ELSE = {"method": "http", "server_ip": "192.0.2.9", "server_port": 8080, "service_url": "their/path"}
PREVIOUS = [
    {"method": "none"},
    SOMEBODY_ELSE,
    {"method": "http", "server_domain": "https://faces.example.com", "server_port": 443, "service_url": "/in?to=me"},
    {"method": "tcp", "server_ip": "192.0.2.9", "server_port": 7000},
    {"method": "webservice", "server_ip": "192.0.2.9", "server_port": 80, "service_url": "soap"},
    {
        "method": "ftp",
        "server_ip": "192.0.2.9",
        "server_port": 21,
        "user": "door",
        "password": "Sesame!",
        "pattern": "%D/%T",
    },
]


def names(parameter: object) -> str | None:
    return str(parameter["method"]) if isinstance(parameter, dict) else None


def printed(terminal: SimulatedTerminal) -> dict:
    """Read the upload settings as the device prints them."""
    return terminal.execute(b'{"version": "0.2", "cmd": "request app params"}')["upload_info"]


def points_here(terminal: SimulatedTerminal, entry: MockConfigEntry) -> bool:
    return entry.data["webhook_id"] in printed(terminal).get("service_url", "")


async def changed_at_the_device(terminal: SimulatedTerminal, entry: MockConfigEntry, upload: dict) -> None:
    """Somebody writes another address, and Home Assistant reads everything again."""
    terminal.app["upload_info"] |= upload
    await entry.runtime_data.async_read_again()


@pytest.mark.parametrize("previous", PREVIOUS, ids=names)
async def test_unload_puts_back_to_the_letter(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal, previous: dict
) -> None:
    """Whatever there was: no upload, another server, a name, https, FTP with its password."""
    terminal.app["upload_info"] = {"user": "", "password": "", "pattern": "", **previous}
    assert printed(terminal) == previous
    entry = await add_direct(hass, terminal)
    assert points_here(terminal, entry)
    assert entry.data["previous_target"] == previous
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert printed(terminal) == previous
    assert "previous_target" not in entry.data


async def test_removal_puts_back_too(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """Without Home Assistant the device is as it was."""
    terminal.app["upload_info"] |= SOMEBODY_ELSE
    entry = await add_direct(hass, terminal)
    await hass.config_entries.async_remove(entry.entry_id)
    assert printed(terminal) == SOMEBODY_ELSE


async def test_without_consent_nothing_is_put_back(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """What was never written is not touched at the end either: somebody may have changed it meanwhile."""
    entry = await add_direct(hass, terminal, push=False)
    terminal.app["upload_info"] |= SOMEBODY_ELSE
    await hass.config_entries.async_unload(entry.entry_id)
    assert printed(terminal) == SOMEBODY_ELSE
    assert "previous_target" not in entry.data


async def test_hard_stop_does_not_make_us_our_own_predecessor(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal
) -> None:
    """After a power cut the device still points here; what was there before us stays remembered."""
    terminal.app["upload_info"] |= SOMEBODY_ELSE
    entry = await add_direct(hass, terminal)
    for _ in range(2):
        async with killed(hass, entry):
            assert points_here(terminal, entry)
        assert points_here(terminal, entry)
        assert entry.data["previous_target"] == SOMEBODY_ELSE
    await hass.config_entries.async_unload(entry.entry_id)
    assert printed(terminal) == SOMEBODY_ELSE


async def test_new_address_of_home_assistant(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """The old address of our own is nothing to go back to."""
    terminal.app["upload_info"] |= SOMEBODY_ELSE
    entry = await add_direct(hass, terminal)
    async with killed(hass, entry):
        await hass.config.async_update(internal_url="http://192.0.2.77:8123")
    assert (printed(terminal)["server_ip"], printed(terminal)["server_port"]) == ("192.0.2.77", 8123)
    assert entry.data["previous_target"] == SOMEBODY_ELSE
    await hass.config.async_update(internal_url=web)


async def test_reload_leaves_the_device_pointing_here(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Put back and written again."""
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert points_here(terminal, entry)
    assert entry.data["previous_target"] == {"method": "none"}


async def test_what_is_right_is_not_written_again(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """The device's flash wears out."""
    async with killed(hass, entry):
        terminal.commands.clear()
    assert "update app params" not in terminal.commands


@pytest.mark.parametrize(
    "upload", [SOMEBODY_ELSE, {"method": "none"}, {"server_port": 1}, {"service_url": "api/webhook/other"}], ids=str
)
async def test_somebody_points_it_elsewhere(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
    upload: dict,
) -> None:
    """No fight over it: an issue, and its fix points the device here again."""
    await changed_at_the_device(terminal, entry, upload)
    issue = issue_registry.async_get_issue(DOMAIN, issue_id("push_missing", entry))
    assert (issue.severity, issue.is_fixable) == (ir.IssueSeverity.ERROR, True)
    await entry.runtime_data.async_read_again()
    assert printed(terminal).items() >= upload.items(), "Home Assistant fought"
    assert (await repair(hass, hass_client, "push_missing", entry))["type"] == "create_entry"
    assert points_here(terminal, entry)
    assert issue_registry.async_get_issue(DOMAIN, issue_id("push_missing", entry)) is None
    await entry.runtime_data.async_read_again()
    assert issue_registry.async_get_issue(DOMAIN, issue_id("push_missing", entry)) is None
    assert entry.data["previous_target"] == {"method": "none"}


async def test_slash_before_the_path_is_no_difference(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, issue_registry: ir.IssueRegistry
) -> None:
    """Some firmwares print the slash that they put before the path."""
    await changed_at_the_device(terminal, entry, {"service_url": f"/{printed(terminal)['service_url']}"})
    assert issue_registry.async_get_issue(DOMAIN, issue_id("push_missing", entry)) is None


async def test_device_is_away_when_we_go(
    hass: HomeAssistant,
    web: str,
    terminal: SimulatedTerminal,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The entry goes all the same, the log says what is left, and the next unload makes up for it."""
    terminal.app["upload_info"] |= SOMEBODY_ELSE
    entry = await add_direct(hass, terminal)
    await terminal.cut_network()
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    (warning,) = (r for r in caplog.records if r.levelno == logging.WARNING and r.name == push_target.LOGGER.name)
    assert "Front door still sends its pushes here" in warning.getMessage()
    await terminal.restore_network()
    assert points_here(terminal, entry)
    assert await hass.config_entries.async_setup(entry.entry_id)
    await hass.config_entries.async_unload(entry.entry_id)
    assert printed(terminal) == SOMEBODY_ELSE


async def test_silent_device_does_not_hold_up_the_unload(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, caplog: pytest.LogCaptureFixture
) -> None:
    """One that takes the request and does not answer in time."""
    terminal.timings = replace(FAST, command=0.3)
    with patch.object(push_target, "_RESTORE_TIMEOUT", 0.05):
        assert await hass.config_entries.async_unload(entry.entry_id)
    assert "could not be told (TimeoutError)" in caplog.text
    await asyncio.sleep(0.3)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://home.example.com:8443", {"server_domain": "https://home.example.com", "server_port": 8443}),
        ("https://home.example.com", {"server_domain": "https://home.example.com", "server_port": 443}),
        ("http://homeassistant.local:8123", {"server_domain": "homeassistant.local", "server_port": 8123}),
        ("http://192.0.2.4", {"server_ip": "192.0.2.4", "server_port": 80}),
        ("https://192.0.2.4:8123", {"server_ip": "https://192.0.2.4", "server_port": 8123}),
        ("http://[2001:db8::1]:8123", {"server_ip": "2001:db8::1", "server_port": 8123}),
    ],
)
async def test_forms_of_an_address(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal, url: str, expected: dict
) -> None:
    """An address, a name, and https as a prefix of either; read again, it is the same."""
    await hass.config.async_update(internal_url=url)
    entry = await add_direct(hass, terminal)
    upload = printed(terminal)
    assert points_here(terminal, entry)
    assert upload == {"method": "http", "service_url": upload["service_url"], **expected}
    terminal.commands.clear()
    await entry.runtime_data.async_read_again()
    async with killed(hass, entry):
        pass
    assert "update app params" not in terminal.commands
    assert ir.async_get(hass).async_get_issue(DOMAIN, issue_id("push_missing", entry)) is None


async def test_home_assistant_without_an_address(
    hass: HomeAssistant,
    web: str,
    terminal: SimulatedTerminal,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """The terminal works, its pushes cannot: an issue whose fix says so until there is an address."""
    terminal.app["upload_info"] |= SOMEBODY_ELSE
    with patch("custom_components.face_access.hub.news.push_target.get_url", side_effect=NoURLAvailableError):
        entry = await add_direct(hass, terminal)
        assert hass.states.get("binary_sensor.front_door_online").state == "on"
        assert printed(terminal) == SOMEBODY_ELSE
        assert issue_registry.async_get_issue(DOMAIN, issue_id("push_missing", entry)) is not None
        answer = await repair(hass, hass_client, "push_missing", entry)
        assert (answer["type"], answer["errors"]) == ("form", {"base": "cannot_fix"})
    assert (await repair(hass, hass_client, "push_missing", entry))["type"] == "create_entry"
    assert points_here(terminal, entry)
    assert entry.data["previous_target"] == SOMEBODY_ELSE


async def test_upload_and_control_urls_differ(
    hass: HomeAssistant, calling_entry: MockConfigEntry, behind_nat: SimulatedTerminal
) -> None:
    """As the document demands of a terminal that calls us (1.1.3)."""
    assert points_here(behind_nat, calling_entry)
    assert behind_nat.upload_url() != behind_nat.control_url()
    assert calling_entry.data["control_id"] in behind_nat.control_url()
    assert await hass.config_entries.async_unload(calling_entry.entry_id)
    assert printed(behind_nat) == {"method": "none"}
    assert calling_entry.data["control_id"] in behind_nat.control_url(), "it must find its way back"


async def test_unload_leaves_what_somebody_else_wrote(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Moved to another server on purpose: that is not ours to undo."""
    theirs = {**terminal.app["upload_info"], "server_ip": "192.0.2.9", "service_url": "theirs"}
    terminal.app["upload_info"] = dict(theirs)
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert terminal.app["upload_info"] == theirs


async def test_what_was_there_survives_a_new_address_of_home_assistant(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal
) -> None:
    """Our own old address is no predecessor: the user's target comes back in the end."""
    before = dict(terminal.app["upload_info"])
    entry = await add_direct(hass, terminal)
    await hass.config.async_update(internal_url=web.replace("127.0.0.1", "127.0.0.2"))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert terminal.app["upload_info"]["server_ip"] == "127.0.0.2"
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert terminal.app["upload_info"]["method"] == before["method"]

"""Diagnostics help to find a fault, and tell nobody who lives here or how to get in."""

import json
from typing import Any

from homeassistant.core import HomeAssistant
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
from syrupy.assertion import SnapshotAssertion
from syrupy.filters import props

from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, add_direct, settle, until

FTP = {
    "method": "ftp",
    "server_ip": "192.0.2.9",
    "server_port": 21,
    "user": "ftp-user",
    "password": "Sesame!",
    "pattern": "%D/%T",
}


async def test_direct(
    hass: HomeAssistant, entry: MockConfigEntry, hass_client: ClientSessionGenerator, snapshot: SnapshotAssertion
) -> None:
    """A terminal that we call, before anybody came."""
    # The port and the day of the month are another one each time.
    assert await get_diagnostics_for_config_entry(hass, hass_client, entry) == snapshot(
        exclude=props("port", "traffic_received", "traffic_sent")
    )


async def test_calling(
    hass: HomeAssistant,
    calling_entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    snapshot: SnapshotAssertion,
) -> None:
    """A terminal that calls us: what differs."""
    await until(lambda: hass.states.get("binary_sensor.front_door_online").state == "on")
    found = await get_diagnostics_for_config_entry(hass, hass_client, calling_entry)
    assert {key: found[key] for key in ("data", "online", "calls_us")} == snapshot


async def test_nothing_leaks(
    hass: HomeAssistant, web: str, terminal: SimulatedTerminal, hass_client: ClientSessionGenerator
) -> None:
    """Addresses, ids, passwords, names, cards, pictures, places: whatever was read, seen or remembered."""
    terminal.app["upload_info"] |= FTP
    terminal.app["device_info"] |= {"addr_name": "Villa Gardner", "addr_no": "No 17", "device_no": "dev-4711"}
    terminal.app["lcd_control"]["lcd_title"] = "Gardner family"
    entry = await add_direct(hass, terminal)
    for capture in (await terminal.present_known("0001"), await terminal.swipe_card(12345678)):
        await capture.wait()
    await settle(hass)
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["data"]["previous_target"] == "**REDACTED**"
    assert found["last_sighting"] == {
        "verdict": "granted",
        "refused": None,
        "liveness": "unchecked",
        "compared": True,
        "has_picture": True,
    }
    assert_none_of(
        found,
        SERIAL,
        "127.0.0.1",
        *(value for value in FTP.values() if isinstance(value, str) and value != "ftp"),
        entry.data["webhook_id"],
        "Gardner",
        "Mason",
        "0001",
        "No 17",
        "dev-4711",
        "12345678",
        "/9j/",
        entry.entry_id,
    )


async def test_nothing_leaks_of_a_calling_terminal(
    hass: HomeAssistant, calling_entry: MockConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    """Its control URL opens the door to whoever knows it."""
    found = await get_diagnostics_for_config_entry(hass, hass_client, calling_entry)
    assert_none_of(found, calling_entry.data["control_id"], calling_entry.data["webhook_id"], SERIAL)


@pytest.mark.parametrize("ahead", [90, -3600])
async def test_clock(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    hass_client: ClientSessionGenerator,
    ahead: float,
) -> None:
    """The offset of the device's clock, since so much goes wrong with it."""
    await terminal.set_clock(ahead=ahead)
    await entry.runtime_data.async_refresh()
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["clock_offset_seconds"] == pytest.approx(ahead, abs=1.5)


async def test_device_that_is_away(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, hass_client: ClientSessionGenerator
) -> None:
    """What was last known, and that it is offline."""
    await terminal.cut_network()
    await entry.runtime_data.async_refresh()
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert found["online"] is False
    assert found["settings"]["volume"] == 50


def assert_none_of(found: Any, *secrets: str) -> None:
    text = json.dumps(found, ensure_ascii=False)
    assert [secret for secret in secrets if secret in text] == []

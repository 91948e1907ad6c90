"""An entry's life: set up, set up again later, unloaded, removed; and several of them side by side."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.face_access.access import SightingKey
from custom_components.face_access.const import DOMAIN, PING_EVERY, READ_EVERY
from custom_components.face_access.hub.history.retention import Retention
from custom_components.face_access.hub.house import async_get_history
from simulators.terminal import SimulatedTerminal

from .conftest import FAST, SERIAL, add_direct, house_zone, issue_id, settle, until
from .test_push import FACE, IMAGE, seen
from .time_travel import history_ahead

OTHER = "FFFFFF-000000-0000EE"
ONLINE = "binary_sensor.front_door_online"
OPEN = "button.front_door_open_door"


@pytest.fixture
async def back_door(hass: HomeAssistant, terminal: SimulatedTerminal) -> AsyncIterator[SimulatedTerminal]:
    """Switch a second terminal on."""
    other = SimulatedTerminal(serial=OTHER, name="Back door", timings=FAST, utc_offset=house_zone())
    await other.start()
    yield other
    for entry in hass.config_entries.async_loaded_entries(DOMAIN):
        await hass.config_entries.async_unload(entry.entry_id)
    await other.stop()
    assert other.violations == []


async def retry(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let the time pass after which Home Assistant tries again."""
    async_fire_time_changed(hass, datetime.now(UTC) + timedelta(minutes=20))
    await until(lambda: entry.state is not ConfigEntryState.SETUP_IN_PROGRESS)
    await settle(hass)


async def test_device_page(hass: HomeAssistant, entry: MockConfigEntry, device_registry: dr.DeviceRegistry) -> None:
    """Named by its place, with model, hardware and serial number."""
    (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
    assert device.identifiers == {(DOMAIN, SERIAL)}
    assert (device.name, device.manufacturer, device.model) == ("Front door", "FSAN", "FSAN_02")
    assert (device.hw_version, device.serial_number) == ("HI3516AV200", SERIAL)


async def test_terminal_is_away_at_the_start(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Set up later, by itself."""
    await terminal.cut_network()
    assert not await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "cannot_connect"
    await terminal.restore_network()
    await retry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert hass.states.get(ONLINE).state == "on"


async def test_another_terminal_at_the_address_at_the_start(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, issue_registry: ir.IssueRegistry
) -> None:
    """The router gave the address away: nothing is written to the other one, and an issue names both."""
    await hass.config_entries.async_unload(entry.entry_id)
    terminal.serial = OTHER
    terminal.commands.clear()
    assert not await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "wrong_station"
    issue = issue_registry.async_get_issue(DOMAIN, issue_id("wrong_station", entry))
    assert issue.translation_placeholders == {"name": "Front door", "expected": SERIAL, "found": OTHER}
    assert [command for command in terminal.commands if command.startswith(("update", "gpio", "set"))] == []
    terminal.serial = SERIAL
    await retry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED
    assert issue_registry.async_get_issue(DOMAIN, issue_id("wrong_station", entry)) is None


async def test_another_terminal_at_the_address_later(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    device_id: str,
    issue_registry: ir.IssueRegistry,
) -> None:
    """A door must not change behind a button: the wrong relay stays where it is."""
    terminal.serial = OTHER
    async_fire_time_changed(hass, datetime.now(UTC) + PING_EVERY)
    await until(lambda: hass.states.get(ONLINE).state == "off")
    assert hass.states.get(OPEN).state == STATE_UNAVAILABLE
    with pytest.raises(HomeAssistantError) as error:
        await hass.services.async_call(DOMAIN, "open_door", {"device_id": device_id}, blocking=True)
    assert error.value.translation_key == "wrong_station"
    assert terminal.openings == []
    assert issue_registry.async_get_issue(DOMAIN, issue_id("wrong_station", entry)) is not None
    terminal.serial = SERIAL
    async_fire_time_changed(hass, datetime.now(UTC) + PING_EVERY)
    await until(lambda: hass.states.get(ONLINE).state == "on")
    await settle(hass)
    assert issue_registry.async_get_issue(DOMAIN, issue_id("wrong_station", entry)) is None


async def test_terminal_goes_and_comes(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """Pinged in between, read in full when it is back."""
    await seen(hass, await terminal.present_known("0001"))
    before = {name: hass.states.get(name) for name in (FACE, IMAGE, "sensor.front_door_last_person")}
    terminal.commands.clear()
    async_fire_time_changed(hass, datetime.now(UTC) + PING_EVERY)
    await settle(hass)
    assert terminal.commands == ["request date time"]
    await terminal.cut_network()
    async_fire_time_changed(hass, datetime.now(UTC) + PING_EVERY)
    await until(lambda: hass.states.get(ONLINE).state == "off")
    assert hass.states.get("number.front_door_volume").state == STATE_UNAVAILABLE
    terminal.volume = 77
    await terminal.restore_network()
    async_fire_time_changed(hass, datetime.now(UTC) + PING_EVERY)
    await until(lambda: hass.states.get(ONLINE).state == "on")
    assert hass.states.get("number.front_door_volume").state == "77"
    assert {name: hass.states.get(name) for name in before} == before


async def test_everything_is_read_from_time_to_time(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, freezer: object
) -> None:
    """What was changed at the device itself shows within some minutes."""
    terminal._clock = lambda: datetime.now(UTC).timestamp()
    terminal.volume = 12
    freezer.tick(PING_EVERY)
    async_fire_time_changed(hass)
    await settle(hass)
    assert hass.states.get("number.front_door_volume").state == "50"
    freezer.tick(READ_EVERY)
    async_fire_time_changed(hass)
    await settle(hass)
    assert hass.states.get("number.front_door_volume").state == "12"


async def test_unload(hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal) -> None:
    """Nothing of it is left running: no entity, no webhook, no request."""
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert entry.state is ConfigEntryState.NOT_LOADED
    assert {state.state for state in hass.states.async_all()} == {STATE_UNAVAILABLE}
    assert hass.data["webhook"] == {}
    terminal.commands.clear()
    async_fire_time_changed(hass, datetime.now(UTC) + READ_EVERY)
    await settle(hass)
    assert terminal.commands == []


async def test_reload_keeps_what_was_seen(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal
) -> None:
    """The picture and the last person are there again, and nothing happened."""
    await seen(hass, await terminal.present_known("0001"))
    picture = (await entry.runtime_data.history.last(SERIAL)).pictures.best
    before = {name: hass.states.get(name).state for name in (FACE, IMAGE, "sensor.front_door_last_person")}
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settle(hass)
    assert {name: hass.states.get(name).state for name in before if name != FACE} == {
        name: state for name, state in before.items() if name != FACE
    }
    assert entry.runtime_data.last_sighting.pictures.best == picture


async def test_removal_forgets_everything(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    terminal: SimulatedTerminal,
    entity_registry: er.EntityRegistry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """History, pictures, entities, the device; also in the file, where a picture could be found again."""
    capture = await terminal.present_known("0001")
    await seen(hass, capture)
    history = await async_get_history(hass)
    (sighting,) = await history.list(source=SERIAL)
    picture = await history.picture(sighting.id)
    folder = Path(hass.config.path(DOMAIN))
    await hass.config_entries.async_remove(entry.entry_id)
    assert await history.list(source=None) == []
    for file in folder.rglob("*"):
        assert file.is_dir() or picture[64:128] not in file.read_bytes(), file
        assert file.is_dir() or b"Alice" not in file.read_bytes(), file
    assert er.async_entries_for_config_entry(entity_registry, entry.entry_id) == []
    assert dr.async_entries_for_config_entry(device_registry, entry.entry_id) == []


async def test_history_is_no_database(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """A broken file: told in the house's words, tried again, and never overwritten."""
    file = Path(hass.config.path(DOMAIN)) / "history.db"
    file.parent.mkdir()
    file.write_bytes(b"this is no database" * 100)
    with pytest.raises(AssertionError):
        await add_direct(hass, terminal)
    (entry,) = hass.config_entries.async_entries(DOMAIN)
    assert entry.state is ConfigEntryState.SETUP_RETRY
    assert entry.error_reason_translation_key == "history"
    assert file.read_bytes() == b"this is no database" * 100
    file.unlink()
    await retry(hass, entry)
    assert entry.state is ConfigEntryState.LOADED


async def test_new_firmware_has_more_settings(hass: HomeAssistant, web: str, terminal: SimulatedTerminal) -> None:
    """Entities for what is new come by themselves; those of what went away stay, as unknown."""
    led = terminal.app.pop("led_control")
    entry = await add_direct(hass, terminal)
    assert hass.states.get("select.front_door_fill_light") is None
    terminal.app["led_control"] = led
    await entry.runtime_data.async_read_again()
    await settle(hass)
    assert hass.states.get("select.front_door_fill_light").state == "auto"
    terminal.app.pop("led_control")
    await entry.runtime_data.async_read_again()
    await settle(hass)
    assert hass.states.get("select.front_door_fill_light").state == "unknown"
    terminal.app["led_control"] = led


async def test_two_terminals(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, back_door: SimulatedTerminal
) -> None:
    """Each has its own address for pushes, its own door and its own visitors."""
    other = await add_direct(hass, back_door)
    assert terminal.upload_url() != back_door.upload_url()
    await hass.services.async_call("button", "press", {"entity_id": "button.back_door_open_door"}, blocking=True)
    assert (len(terminal.openings), len(back_door.openings)) == (0, 1)
    capture = await back_door.present_known("0002")
    await seen(hass, capture)
    assert hass.states.get("event.back_door_face").attributes["person"] == "Bob Mason"
    assert hass.states.get(FACE).state == "unknown"
    await hass.config_entries.async_remove(other.entry_id)
    await seen(hass, await terminal.present_known("0001"))
    history = await async_get_history(hass)
    assert [sighting.source for sighting in await history.list(source=None)] == [SERIAL]


async def test_one_terminals_trouble_stays_its_own(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, back_door: SimulatedTerminal
) -> None:
    """One takes ages for every command: the other's door opens at once, and its faces are acknowledged."""
    await add_direct(hass, back_door)
    terminal.timings = replace(FAST, command=0.5)
    slow = [
        hass.async_create_task(entry.runtime_data.async_read_again()),
        hass.async_create_task(hass.services.async_call("button", "press", {"entity_id": OPEN}, blocking=True)),
    ]
    await asyncio.sleep(0.05)
    loop = hass.loop.time
    start = loop()
    await hass.services.async_call("button", "press", {"entity_id": "button.back_door_open_door"}, blocking=True)
    await (await back_door.present_known("0001")).wait()
    assert loop() - start < 0.4
    assert len(back_door.openings) == 2  # the button's, and the device's own for Alice
    assert not any(task.done() for task in slow)
    terminal.timings = FAST
    await asyncio.gather(*slow)


async def test_one_terminal_is_away(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, back_door: SimulatedTerminal
) -> None:
    """And the other is not."""
    await add_direct(hass, back_door)
    await terminal.cut_network()
    async_fire_time_changed(hass, datetime.now(UTC) + PING_EVERY)
    await until(lambda: hass.states.get(ONLINE).state == "off")
    assert hass.states.get("binary_sensor.back_door_online").state == "on"
    await terminal.restore_network()


async def test_old_faces_go_while_nobody_comes(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, caplog: pytest.LogCaptureFixture
) -> None:
    """Thirty days are thirty days in a quiet house too; a full disk is told of, and tried again."""
    await seen(hass, await terminal.present_known("0001"))
    history = entry.runtime_data.history
    with patch.object(history, "prune", side_effect=sqlite3.OperationalError("disk is full")):
        async_fire_time_changed(hass, datetime.now(UTC) + timedelta(hours=6, minutes=1))
        await settle(hass)
    assert "Old sightings could not be deleted: disk is full" in caplog.text
    assert len(await history.list(source=SERIAL)) == 1
    await history.keep(SERIAL, Retention(span=timedelta(seconds=-1), most=5000))
    async_fire_time_changed(hass, datetime.now(UTC) + timedelta(hours=13))
    await settle(hass)
    assert await history.list(source=SERIAL) == []


async def test_options_say_how_long_sightings_are_kept(
    hass: HomeAssistant, entry: MockConfigEntry, terminal: SimulatedTerminal, caplog: pytest.LogCaptureFixture
) -> None:
    """Fewer are deleted at once; a terminal that is not loaded keeps what it has."""
    history = entry.runtime_data.history
    for _ in range(3):
        await seen(hass, await terminal.present_known("0001"))
    old = replace(entry.runtime_data.last_sighting, key=SightingKey(sequence=999, captured="old"))
    await history.add(replace(old, captured_at=datetime.now(UTC) - timedelta(days=29)), live=False)
    flow = await hass.config_entries.options.async_init(entry.entry_id)
    chosen = {"doors": 1, "door_mode": "notify_only", "keep_days": 20, "keep_most": 2}
    # Nothing goes in its first minute: a push that comes again must be known.
    with history_ahead(timedelta(minutes=2)):
        await hass.config_entries.options.async_configure(flow["flow_id"], chosen)
        await settle(hass)
        assert len(await history.list(source=SERIAL)) == 2
    assert await hass.config_entries.async_unload(entry.entry_id)
    await history.prune()
    assert len(await history.list(source=SERIAL)) == 2
    with patch.object(history, "keep", side_effect=sqlite3.OperationalError("disk is full")):
        assert await hass.config_entries.async_setup(entry.entry_id)
    assert "how long sightings are kept could not be noted: disk is full" in caplog.text

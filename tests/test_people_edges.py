"""What goes wrong around people is said, and nobody is lost over it."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
import sqlite3
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.people import sync as people_sync
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from custom_components.face_access.hub.picture_of import async_picture_of
from custom_components.face_access.people.holding import HoldingState
from custom_components.face_access.people.model import PersonError, Profile, Storage, new_key
from custom_components.face_access.people.photos import prepare
from simulators._terminal.pictures import closeup, sample
from simulators.panel import SimulatedPanel
from simulators.terminal import Person as DevicePerson, SimulatedTerminal

from .conftest import SERIAL, settle, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


@pytest.fixture
async def people(hass: HomeAssistant, entry: MockConfigEntry) -> HousePeople:
    """Give the people of a house with one terminal that has been looked at."""
    house = await async_get_people(hass)
    await synced(house)
    return house


async def synced(people: HousePeople) -> None:
    """Wait until the terminal has all that it shall have."""
    async with asyncio.timeout(20):
        await people.workers[SERIAL].done.wait()


async def call(hass: HomeAssistant, action: str, **data: object) -> dict:
    """Call an action and give its answer."""
    return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)


def somebody(person: str = "anna", **changes: object) -> Profile:
    """Describe somebody with a card."""
    return Profile(**{"id": person, "key": new_key(), "name": person.title(), "card": 7, **changes})


async def test_a_terminal_that_fails_is_tried_again_later(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """It answers the cheap question and is too busy for people: nobody asks it all the time."""
    with patch.object(people.store, "keep", side_effect=sqlite3.OperationalError("disk full")):
        await people.async_add(somebody(), [])
        worker = people.workers[SERIAL]
        await until(lambda: worker._stop_retry is not None)
        assert not worker.done.is_set()
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=people_sync.RETRY_AFTER + 1))
    await synced(people)
    assert people.store.profiles["anna"].key in terminal.people


async def test_a_change_does_not_wait_for_the_retry(hass: HomeAssistant, people: HousePeople) -> None:
    worker = people.workers[SERIAL]
    with patch.object(people.store, "keep", side_effect=sqlite3.OperationalError("disk full")):
        await people.async_add(somebody(), [])
        await until(lambda: worker._stop_retry is not None)
    await people.async_add(somebody("bob", card=8), [])
    await synced(people)
    assert worker._stop_retry is None


async def test_what_is_on_the_terminal_is_looked_at_again_after_hours(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, entry: MockConfigEntry
) -> None:
    await people.async_add(somebody(), [])
    await synced(people)
    key = people.store.profiles["anna"].key
    del terminal.people[key]
    people.workers[SERIAL]._looked_at = dt_util.utcnow() - people_sync.LOOK_EVERY
    entry.runtime_data.async_update_listeners()
    await until(lambda: key in terminal.people)


async def test_an_unloaded_station_is_left_alone_and_a_removed_one_forgotten(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, entry: MockConfigEntry
) -> None:
    await people.async_add(somebody(), [])
    await synced(people)
    await hass.config_entries.async_unload(entry.entry_id)
    assert people.workers == {}
    await people.async_add(somebody("bob", card=8), [])
    await settle(hass)
    assert people.store.profiles["bob"].key not in terminal.people
    await hass.config_entries.async_remove(entry.entry_id)
    assert people.store.targets == frozenset()
    assert people.async_station_name(SERIAL) == SERIAL


async def test_what_cannot_be_written_is_an_error(hass: HomeAssistant, people: HousePeople) -> None:
    await call(hass, "add_person", name="Anna", card=7)
    await settle(hass)
    switch = next(state.entity_id for state in hass.states.async_all("switch") if "anna" in state.entity_id)
    with patch.object(people.store, "update", side_effect=sqlite3.OperationalError("disk full")):
        with pytest.raises(HomeAssistantError) as caught:
            await call(hass, "update_person", person_id="anna", name="B")
        assert caught.value.translation_key == "person_not_written"
        with pytest.raises(HomeAssistantError):
            await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    assert people.store.profiles["anna"].enabled


async def test_an_import_goes_on_after_one_who_cannot_be_taken(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    """Two entries with the very same picture; one without a name."""
    terminal.people["0004"] = DevicePerson(id="0004", name="", wg_card_id=5)
    terminal.people["0005"] = DevicePerson(id="0005", name="Twin", picture=terminal.people["0001"].thumbnail())
    answer = await call(hass, "import_people", device_id=device_id)
    results = {one["key"]: one["result"] for one in answer["persons"]}
    assert results == {"0001": "added", "0002": "added", "0003": "added", "0004": "added", "0005": "person_duplicate"}
    assert people.store.profiles["0004"].name == "0004"
    await synced(people)
    # Whoever could not be taken over is left alone.
    assert {"0001", "0002", "0003", "0004", "0005"} == set(terminal.people)


async def test_an_import_lifts_no_limit_of_a_terminal(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    """Not the schedule and not a date that nobody can read; and nobody comes onto the allowed list by it."""
    terminal.people["0004"] = DevicePerson(id="0004", name="Nora", kind=2, wg_card_id=5)
    terminal.people["0005"] = DevicePerson(id="0005", name="Otto", term="tomorrow", wg_card_id=6)
    terminal.people["0006"] = DevicePerson(id="0006", name="Paul", role=0, wg_card_id=7)
    before = {key: replace(terminal.people[key]) for key in ("0004", "0005")}
    answer = await call(hass, "import_people", device_id=device_id)
    results = {one["key"]: one for one in answer["persons"]}
    assert {key: results[key]["result"] for key in ("0004", "0005", "0006")} == {
        "0004": "person_not_taken_over",
        "0005": "person_not_taken_over",
        "0006": "added",
    }
    assert "a schedule" in results["0004"]["reason"]
    assert {profile.doors for profile in people.store.profiles.values()} == {frozenset({f"{SERIAL}_1"})}
    assert not people.store.profiles["paul"].enabled
    await synced(people)
    assert {key: terminal.people[key] for key in before} == before
    assert terminal.people["0006"].term == "never"
    # Turning their access on is the household's word.
    await call(hass, "update_person", person_id="paul", enabled=True)
    await synced(people)
    assert (terminal.people["0006"].role, terminal.people["0006"].term) == (1, "forever")


async def test_actions_need_a_station_that_holds_people(hass: HomeAssistant, people: HousePeople) -> None:
    from homeassistant.helpers import device_registry as dr

    await call(hass, "add_person", name="Anna", card=7)
    await settle(hass)
    (entry,) = [one for one in hass.config_entries.async_entries(DOMAIN) if "people" in one.data]
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    for action in ("sync_people", "import_people", "get_sightings"):
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, action, device_id=device.id)
        assert caught.value.translation_key == "not_capable"
    with pytest.raises(ServiceValidationError) as caught:
        await hass.services.async_call(DOMAIN, "open_door", {"device_id": device.id}, blocking=True)
    assert caught.value.translation_key == "not_capable"


async def test_sync_does_not_wait_for_ever(
    hass: HomeAssistant, people: HousePeople, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 5)
    answer = await call(hass, "sync_people", wait=0)
    assert answer["stations"][0]["done"] is False


async def test_files_that_cannot_be_read_say_so(hass: HomeAssistant, people: HousePeople) -> None:
    folder = Path(hass.config.path("people"))
    await asyncio.to_thread(folder.mkdir)
    hass.config.allowlist_external_dirs.add(str(folder))
    for content in (b"\xff\xfe\x00", b'name\n"never ends', b"x" * (10 * 1024 * 1024 + 1)):
        await asyncio.to_thread((folder / "people.csv").write_bytes, content)
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, "import_people", path=str(folder / "people.csv"))
        assert caught.value.translation_key == "people_file_unreadable"
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "import_people", path="/etc/passwd")
    assert caught.value.translation_key == "people_path_not_allowed"
    lines = b"name,card,photos\nAnna,7,missing.jpg\nBob,8,\n"
    await asyncio.to_thread((folder / "people.csv").write_bytes, lines)
    answer = await call(hass, "import_people", path=str(folder / "people.csv"))
    assert [one["result"] for one in answer["persons"]] == ["photo_unreadable", "added"]
    await asyncio.to_thread((folder / "file").write_bytes, b"")
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "export_people", path=str(folder / "file"))
    assert caught.value.translation_key == "target_unwritable"


async def test_photos_that_cannot_be_let_go_of_go_the_next_time(
    hass: HomeAssistant, people: HousePeople, caplog: pytest.LogCaptureFixture
) -> None:
    photo = await asyncio.to_thread(prepare, sample("good"))
    with patch.object(people.store, "keep_instead", side_effect=sqlite3.OperationalError("disk full")):
        await people.async_add(somebody(storage=Storage.NONE), [photo])
        await synced(people)
        await settle(hass)
    assert "photos could not be let go of: OperationalError" in caplog.text
    assert await people.store.photos("anna") == (photo,)
    await call(hass, "sync_people")
    await settle(hass)
    assert await people.store.photos("anna") == ()


async def test_another_schedule_is_followed_and_the_old_one_is_not(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    hass.states.async_set("schedule.day", "on")
    hass.states.async_set("schedule.night", "off")
    profile = await people.async_add(somebody(schedule="schedule.day"), [])
    await until(lambda: profile.key in terminal.people and terminal.people[profile.key].term == "forever")
    await people.async_update(replace(profile, schedule="schedule.night"))
    await until(lambda: terminal.people[profile.key].term == "never")
    hass.states.async_set("schedule.night", "on")
    await until(lambda: terminal.people[profile.key].term == "forever")


async def test_many_are_told_of_how_far_their_stations_are(hass: HomeAssistant, people: HousePeople) -> None:
    """More than are told of in one breath."""
    names = [f"p{number}" for number in range(45)]
    for number, name in enumerate(names, start=1):
        await people.async_add(somebody(name, card=number), [])
    heard: list[str] = []
    stops = [people.known_at.async_listen(name, partial(heard.append, name)) for name in names]
    await synced(people)
    await settle(hass)
    assert set(heard) == set(names)
    known = people.known_at.async_of("p7")
    assert [state for state, _ in known.values()] == [HoldingState.HELD]
    for stop in stops:
        stop()
    heard.clear()
    await people.async_remove("p7")
    await synced(people)
    await settle(hass)
    assert heard == []
    assert people.known_at.async_of("p7") == {}


async def test_a_panel_opens_the_wired_locks_alone(
    hass: HomeAssistant, panel_entry: MockConfigEntry, panel: SimulatedPanel
) -> None:
    """With one of two wired, somebody who may pass every door opens that one; with both, both."""
    people = await async_get_people(hass)
    await people.async_add(somebody(), [])

    def locks() -> list[str]:
        return [item["lock"] for item in panel.identifiers.items.values() if item["identifier_owner"]["name"] == "Anna"]

    await until(lambda: locks() == ["first"])
    hass.config_entries.async_update_entry(panel_entry, options={**panel_entry.options, "doors": 2})
    await hass.config_entries.async_reload(panel_entry.entry_id)
    await until(lambda: locks() == ["all"])


async def test_a_folder_of_photos_is_people(hass: HomeAssistant, people: HousePeople) -> None:
    """A picture is somebody of that name, a folder somebody with several; one who cannot be added stops nobody else."""
    folder, outside = Path(hass.config.path("people")), Path(hass.config.path("secret.jpg"))

    def prepare_folder() -> None:
        (folder / "Bob Mason").mkdir(parents=True)
        (folder / "Nobody").mkdir()
        (folder / "Anna Berg.jpg").write_bytes(closeup("anna"))
        for name in ("1.jpg", "2.PNG", "notes.txt"):
            (folder / "Bob Mason" / name).write_bytes(closeup(f"bob {name}"))
        (folder / "Carl.jpeg").write_bytes(b"no picture")
        outside.write_bytes(closeup("secret"))
        (folder / "Dora.jpg").symlink_to(outside)
        (folder / ".hidden.jpg").write_bytes(closeup("hidden"))

    await asyncio.to_thread(prepare_folder)
    hass.config.allowlist_external_dirs.add(str(folder))
    answer = await call(hass, "import_people", path=str(folder))
    assert {one["file"]: one["result"] for one in answer["persons"]} == {
        "Anna Berg.jpg": "added",
        "Bob Mason": "added",
        "Carl.jpeg": "photo_unreadable",
        "Dora.jpg": "photo_unreadable",
    }
    profiles = people.store.profiles
    assert {name: (one.name, len(one.photos)) for name, one in profiles.items()} == {
        "anna_berg": ("Anna Berg", 1),
        "bob_mason": ("Bob Mason", 2),
    }


async def test_what_is_exported_can_be_imported(hass: HomeAssistant, people: HousePeople) -> None:
    """All that is said of somebody, free words included; from the folder, too."""
    folder = Path(hass.config.path("people"))
    hass.config.allowlist_external_dirs.add(str(folder.parent))
    before = await people.async_add(somebody(metadata={"flat": "12, left", "Ämter": "x"}, text="Hello"), [])
    await call(hass, "export_people", path=str(folder))
    await call(hass, "remove_person", person_id="anna")
    answer = await call(hass, "import_people", path=str(folder))
    assert [one["result"] for one in answer["persons"]] == ["added"]
    after = people.store.profiles["anna"]
    assert (after.metadata, after.text, after.card) == (before.metadata, before.text, before.card)
    broken = b"name,card,metadata\nBob,8,not json\n"
    await asyncio.to_thread((folder / "people.csv").write_bytes, broken)
    answer = await call(hass, "import_people", path=str(folder))
    assert [one["result"] for one in answer["persons"]] == ["person_line_invalid"]


async def test_no_door_is_no_door(hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal) -> None:
    """An empty list is not every door: in an action, and in a file that was exported."""
    folder = Path(hass.config.path("people"))
    hass.config.allowlist_external_dirs.add(str(folder.parent))
    await people.async_add(somebody(doors=frozenset({f"{SERIAL}_1"})), [])
    await synced(people)
    key = people.store.profiles["anna"].key
    assert key in terminal.people
    await call(hass, "update_person", person_id="anna", doors=[])
    assert people.store.profiles["anna"].doors == frozenset()
    await until(lambda: key not in terminal.people)
    assert (await call(hass, "add_person", name="Bob", card=8, doors=[]))["doors"] == []
    await call(hass, "add_person", name="Carl", card=9)
    await call(hass, "export_people", path=str(folder))
    for name in ("anna", "bob", "carl"):
        await call(hass, "remove_person", person_id=name)
    await call(hass, "import_people", path=str(folder))
    doors = {name: profile.doors for name, profile in people.store.profiles.items()}
    assert doors == {"anna": frozenset(), "bob": frozenset(), "carl": None}
    await call(hass, "update_person", person_id="anna", doors=None)
    assert people.store.profiles["anna"].doors is None


async def test_nothing_is_exported_to_where_everybody_may_read(hass: HomeAssistant, people: HousePeople) -> None:
    """Home Assistant serves the folder www without a login; a link into it is no way round."""
    www, link = Path(hass.config.path("www")), Path(hass.config.path("link"))
    hass.config.allowlist_external_dirs |= {str(www), str(link.parent)}
    await people.async_add(somebody(), [])

    def prepare_folders() -> None:
        www.mkdir()
        link.symlink_to(www)

    await asyncio.to_thread(prepare_folders)
    for path in (www, www / "people", link, link / "people"):
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, "export_people", path=str(path))
        assert caught.value.translation_key == "people_path_public"
    assert await asyncio.to_thread(lambda: list(www.iterdir())) == []


async def test_a_line_that_cannot_be_stored_stops_nobody_else(
    hass: HomeAssistant, people: HousePeople, caplog: pytest.LogCaptureFixture
) -> None:
    folder = Path(hass.config.path("people"))
    hass.config.allowlist_external_dirs.add(str(folder.parent))
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread((folder / "people.csv").write_text, "name,card\nAnna,7\nBob,8\nCarl,9\n")
    store, number = people.store.add, 0

    async def fails_once(*args: object) -> Profile:
        nonlocal number
        number += 1
        if number == 2:
            raise sqlite3.OperationalError("disk full")
        return await store(*args)

    with patch.object(people.store, "add", fails_once):
        answer = await call(hass, "import_people", path=str(folder))
    assert [one["result"] for one in answer["persons"]] == ["added", "person_not_written", "added"]
    assert set(people.store.profiles) == {"anna", "carl"}
    assert "{'line': 3}" in caplog.text


async def test_a_file_changes_who_is_there_where_that_is_wanted(hass: HomeAssistant, people: HousePeople) -> None:
    """By the same id; what the file does not say stays, and without the wish they are left alone."""
    folder = Path(hass.config.path("people"))
    hass.config.allowlist_external_dirs.add(str(folder.parent))
    await people.async_add(somebody(metadata={"flat": "12"}, text="Hello"), [])
    lines = "person_id,name,card,text,metadata\nanna,Anna B,99,,\nAnna,Another,100,Hi,\nanna,,,,\n"
    await asyncio.to_thread(folder.mkdir)
    await asyncio.to_thread((folder / "people.csv").write_text, lines)
    for update, first in ((False, "person_exists"), (True, "updated")):
        answer = await call(hass, "import_people", path=str(folder), update=update)
        second = "updated" if update else "added"
        assert [one["result"] for one in answer["persons"]] == [first, second, "person_line_invalid"]
    anna = people.store.profiles["anna"]
    assert (anna.name, anna.card, anna.text, anna.metadata) == ("Anna B", 99, "Hello", {"flat": "12"})
    assert people.store.profiles["Anna"].name == "Another"
    # What is given as nothing goes back to its default.
    await call(hass, "update_person", person_id="anna", metadata=None, role=None, enabled=None, photo_storage=None)
    anna = people.store.profiles["anna"]
    assert (anna.metadata, anna.role, anna.enabled, anna.storage) == ({}, "normal", True, "full")


async def test_pictures_come_from_entities_that_are_there(hass: HomeAssistant, people: HousePeople) -> None:
    hass.states.async_set("camera.hall", "idle")

    class Picture:
        content = b"picture"

    async def snapshot(_hass: HomeAssistant, _entity_id: str) -> Picture:
        return Picture()

    with patch("homeassistant.components.camera.async_get_image", snapshot):
        assert await async_picture_of(hass, "camera.hall") == b"picture"
    with pytest.raises(HomeAssistantError):
        await async_picture_of(hass, "camera.nowhere")


@pytest.fixture
def too_many(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr("custom_components.face_access.people.photos._MOST_PIXELS", 100)


def test_a_bomb_of_pixels_is_no_photo(too_many: Callable[[], None]) -> None:
    too_many()
    with pytest.raises(PersonError, match="photo_too_large"):
        prepare(sample("good"))


async def test_last_seen_survives_trouble_with_the_disk(
    hass: HomeAssistant, people: HousePeople, caplog: pytest.LogCaptureFixture
) -> None:
    from .fakes import known

    await people.async_add(somebody(), [])
    await synced(people)
    coordinator = people.workers[SERIAL].coordinator
    with patch.object(people.store, "see", side_effect=sqlite3.OperationalError("disk full")):
        coordinator.async_dispatch(known(person_id=people.store.profiles["anna"].key, source=SERIAL))
        await settle(hass)
    assert "last seen could not be kept" in caplog.text
    assert people.seen["anna"].place == "Front door"
    assert coordinator.config_entry.state is ConfigEntryState.LOADED

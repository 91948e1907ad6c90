"""The forms of people: what is chosen in them becomes a person, and what cannot be is said in them."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
import sqlite3
from unittest.mock import patch

from homeassistant.components.file_upload import process_uploaded_file
from homeassistant.config_entries import SOURCE_RECONFIGURE, SOURCE_USER, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed

from custom_components.face_access.access import Role
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.house import async_get_history
from custom_components.face_access.hub.people.entry import RETRY_AFTER
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from custom_components.face_access.people.model import Storage
from simulators._terminal.pictures import closeup, sample
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, Upload, settle, until
from .forms import filled, suggestions

STATIONS_OWN = 3
"""Who is on the simulated terminal from the beginning."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


@pytest.fixture
async def list_entry(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Add the entry of the people by hand."""
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert "people" in result["menu_options"]
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "people"})
    assert result["type"] is FlowResultType.CREATE_ENTRY
    await settle(hass)
    return result["result"]


@pytest.fixture
async def people(hass: HomeAssistant, list_entry: MockConfigEntry) -> HousePeople:
    """Give the people of the house."""
    return await async_get_people(hass)


async def add(hass: HomeAssistant, entry: MockConfigEntry, **data: object) -> dict:
    """Fill in the form of a new person."""
    manager = hass.config_entries.subentries
    form = await manager.async_init((entry.entry_id, "person"), context={"source": SOURCE_USER})
    assert form["type"] is FlowResultType.FORM
    return await manager.async_configure(form["flow_id"], filled(form, **{"name": "Anna", **data}))


async def change(hass: HomeAssistant, entry: MockConfigEntry, **data: object) -> tuple[dict, dict]:
    """Fill in the form of the only person; the form and what came of it."""
    (subentry_id,) = entry.subentries
    manager = hass.config_entries.subentries
    form = await manager.async_init(
        (entry.entry_id, "person"), context={"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id}
    )
    return form, await manager.async_configure(form["flow_id"], filled(form, **{"name": "Anna", **data}))


async def test_one_entry_is_enough(hass: HomeAssistant, list_entry: MockConfigEntry) -> None:
    result = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    result = await hass.config_entries.flow.async_configure(result["flow_id"], {"next_step_id": "people"})
    assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "already_configured")
    assert not list_entry.supports_options


async def test_adds_a_person_with_everything(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople, upload: Upload, terminal: SimulatedTerminal
) -> None:
    result = await add(
        hass,
        list_entry,
        person_id="Anna-1",
        photo=await upload(sample("good")),
        photo_2=await upload(closeup("anna")),
        role="allowed",
        doors=[f"{SERIAL}_1"],
        valid_from="2026-01-01 00:00:00",
        valid_until="2036-01-01 00:00:00",
        card="4711",
        text="Hello",
        photo_storage="thumbnail",
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    (subentry,) = list_entry.subentries.values()
    assert (subentry.unique_id, dict(subentry.data)) == ("Anna-1", {"person_id": "Anna-1"})
    profile = people.store.profiles["Anna-1"]
    assert (profile.role, profile.card, profile.text, profile.storage) == (
        Role.ALLOWED,
        4711,
        "Hello",
        Storage.THUMBNAIL,
    )
    assert profile.doors == {f"{SERIAL}_1"}
    assert len(profile.photos) == 2
    await until(lambda: profile.key in terminal.people)
    assert terminal.people[profile.key].term == "2036/01/01 00:00:00"
    await settle(hass)
    assert hass.states.get("switch.anna_access").state == "on"


async def test_changes_a_person(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople, upload: Upload, terminal: SimulatedTerminal
) -> None:
    await add(hass, list_entry, photo=await upload(sample("good")), card="4711", valid_until="2036-01-01 00:00:00")
    form, result = await change(
        hass, list_entry, name="Anna B", photo=await upload(closeup("anna")), valid_until="2036-01-01 00:00:00"
    )
    shown = suggestions(form)
    assert (shown["name"], shown["valid_until"], shown["card"]) == ("Anna", "2036-01-01 00:00:00", None)
    assert result["reason"] == "reconfigure_successful"
    profile = people.store.profiles["anna"]
    # The number is never shown: an empty field keeps it. New photos come after the old one.
    assert (profile.name, profile.card, len(profile.photos)) == ("Anna B", 4711, 2)
    assert profile.valid_until is not None
    assert [one.title for one in list_entry.subentries.values()] == ["Anna B"]
    _, result = await change(hass, list_entry, photo=await upload(closeup("b")), replace_photos=True, no_card=True)
    profile = people.store.profiles["anna"]
    assert (profile.card, len(profile.photos), profile.valid_until) == (None, 1, None)
    await until(lambda: profile.key in terminal.people and not terminal.people[profile.key].cards)


async def test_takes_a_photo_from_a_past_sighting_and_from_an_entity(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    await (await terminal.present_stranger()).wait()
    await settle(hass)
    manager = hass.config_entries.subentries
    form = await manager.async_init((list_entry.entry_id, "person"), context={"source": SOURCE_USER})
    photos = form["data_schema"].schema["other_photos"].schema.schema
    (option,) = photos["photo_sighting"].config["options"]
    assert "Front door" in option["label"]
    answers = filled(form, name="Visitor", photo_sighting=option["value"])
    result = await manager.async_configure(form["flow_id"], answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY
    image = next(state.entity_id for state in hass.states.async_all("image") if "front_door" in state.entity_id)
    result = await add(hass, list_entry, photo_entity=image)
    # The same picture is somebody's by now.
    assert result["errors"] == {"base": "person_duplicate"}
    assert result["description_placeholders"] == {"person": "visitor"}
    result = await add(hass, list_entry, photo_entity="image.nobody")
    assert result["errors"] == {"base": "photo_gone"}
    assert list(people.store.profiles) == ["visitor"]


async def test_the_last_permitted_door_is_not_every_door(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople
) -> None:
    """Emptied by mistake, the choice is asked for; every door is given only where that is said."""
    await add(hass, list_entry, card="1", doors=[f"{SERIAL}_1"])
    for emptied in ({}, {"doors": []}):
        _, result = await change(hass, list_entry, **emptied)
        assert result["errors"] == {"base": "person_doors_missing"}
        assert people.store.profiles["anna"].doors == {f"{SERIAL}_1"}
    # The doors are still shown when every one is chosen.
    await change(hass, list_entry, doors=[f"{SERIAL}_1"], every_door=True)
    assert people.store.profiles["anna"].doors is None
    await change(hass, list_entry, text="Hello")
    assert people.store.profiles["anna"].doors is None
    await people.async_update(replace(people.store.profiles["anna"], doors=frozenset()))
    await change(hass, list_entry, text="Hello again")
    assert people.store.profiles["anna"].doors == frozenset()


async def test_doors_of_a_station_that_is_away_stay_chosen(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople, entry: MockConfigEntry
) -> None:
    """Any other change can be made meanwhile, and gives nobody another door."""
    doors = [f"{SERIAL}_1", "GONE_1"]
    await add(hass, list_entry, card="1", doors=doors[:1])
    await people.async_update(replace(people.store.profiles["anna"], doors=frozenset(doors)))
    await hass.config_entries.async_unload(entry.entry_id)
    form, result = await change(hass, list_entry, text="Hello", doors=doors)
    assert suggestions(form)["doors"] == sorted(doors)
    assert result["reason"] == "reconfigure_successful"
    assert (people.store.profiles["anna"].text, people.store.profiles["anna"].doors) == ("Hello", set(doors))


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({}, "person_photo_missing"),
        ({"card": "47 11"}, "person_card_invalid"),
        ({"card": "9" * 30}, "person_card_invalid"),
        ({"card": "1", "name": " "}, "person_name_missing"),
        ({"card": "1", "person_id": "a b"}, "person_id_invalid"),
        ({"card": "1", "photo": "01234567-89ab-cdef-0123-456789abcdef"}, "photo_gone"),
        (
            {"card": "1", "valid_from": "2027-01-01 00:00:00", "valid_until": "2026-01-01 00:00:00"},
            "person_times_reversed",
        ),
    ],
)
async def test_says_what_cannot_be(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople, data: dict, error: str
) -> None:
    result = await add(hass, list_entry, **data)
    assert result["errors"] == {"base": error}
    assert not people.store.profiles
    # The card number does not go back to the browser.
    assert suggestions(result)["card"] is None
    answers = filled(result, name="Anna", card="7")
    result = await hass.config_entries.subentries.async_configure(result["flow_id"], answers)
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_notes_are_kept_shown_and_taken_away(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople
) -> None:
    """Free metadata: written in the form, told by actions, and gone when it is emptied."""
    notes = [{"name": "Company", "text": "Post"}, {"name": "Days", "text": "Mo-Fr"}]
    await add(hass, list_entry, card="1", metadata=notes)
    assert people.store.profiles["anna"].metadata == {"Company": "Post", "Days": "Mo-Fr"}
    form, result = await change(hass, list_entry, metadata=notes[1:])
    assert suggestions(form)["metadata"] == notes
    assert result["reason"] == "reconfigure_successful"
    listed = await hass.services.async_call(DOMAIN, "list_persons", {}, blocking=True, return_response=True)
    assert listed["persons"][0]["metadata"] == {"Days": "Mo-Fr"}
    for wrong in ([notes[0], notes[0]], [{"name": " ", "text": "x"}]):
        _, result = await change(hass, list_entry, metadata=wrong)
        assert result["errors"] == {"base": "person_metadata_twice"}
        assert suggestions(result)["metadata"] == wrong
    _, result = await change(hass, list_entry, metadata=[{"name": "x", "text": "x" * 256}])
    assert result["errors"] == {"base": "person_text_invalid"}
    await change(hass, list_entry)
    assert people.store.profiles["anna"].metadata == {}


async def test_photos_come_from_media(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """Several at once, also of what was seen; what is no picture there is said."""
    assert await async_setup_component(hass, "media_source", {})
    for capture in (await terminal.present_stranger(), await terminal.present_known("0002")):
        await capture.wait()
    await settle(hass)
    answer = await hass.services.async_call(DOMAIN, "get_sightings", {}, blocking=True, return_response=True)
    media = [
        {"media_content_id": one["media"], "media_content_type": "image/jpeg", "metadata": {}}
        for one in answer["sightings"]
    ]
    result = await add(hass, list_entry, photo_media=media)
    assert result["type"] is FlowResultType.CREATE_ENTRY, result
    assert len(people.store.profiles["anna"].photos) == 2
    # What shows her goes with her, though the terminal knew somebody else or nobody there.
    history = await async_get_history(hass)
    await people.async_remove("anna")
    assert [one.picture for one in await history.list(source=None)] == [False, False]
    gone = [{"media_content_id": "media-source://face_access/nothing", "media_content_type": "image/jpeg"}]
    assert (await add(hass, list_entry, photo_media=gone))["errors"] == {"base": "photo_gone"}


async def test_ids_are_taken_once(hass: HomeAssistant, list_entry: MockConfigEntry) -> None:
    await add(hass, list_entry, card="1", person_id="anna")
    assert (await add(hass, list_entry, card="2", person_id="anna"))["errors"] == {"base": "person_exists"}
    assert (await add(hass, list_entry, card="2", person_id="Anna"))["type"] is FlowResultType.CREATE_ENTRY


async def test_an_upload_survives_an_id_that_is_taken(
    hass: HomeAssistant, list_entry: MockConfigEntry, upload: Upload
) -> None:
    await add(hass, list_entry, card="1", person_id="anna")
    photo = await upload(closeup("anna"))
    assert (await add(hass, list_entry, photo=photo, person_id="anna"))["errors"] == {"base": "person_exists"}
    assert (await add(hass, list_entry, photo=photo, person_id="berta"))["type"] is FlowResultType.CREATE_ENTRY


async def test_an_upload_that_another_form_takes_is_gone(
    hass: HomeAssistant, list_entry: MockConfigEntry, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def taken(hass: HomeAssistant, file_id: str) -> Iterator[Path]:
        with process_uploaded_file(hass, file_id) as path, process_uploaded_file(hass, file_id):
            yield path

    monkeypatch.setattr("custom_components.face_access.flows.people.process_uploaded_file", taken)
    result = await add(hass, list_entry, photo=await upload(closeup("anna")))
    assert result["errors"] == {"base": "photo_gone"}


async def test_what_was_read_wrong_in_the_change_is_said(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople
) -> None:
    await add(hass, list_entry, card="1")
    _, result = await change(hass, list_entry, name="Another", card="x")
    assert result["errors"] == {"base": "person_card_invalid"}
    # The form still says whom it is about.
    assert result["description_placeholders"] == {"name": "Anna", "person_id": "anna", "photos": "0"}
    assert people.store.profiles["anna"].card == 1


async def test_forms_need_the_entry(hass: HomeAssistant, list_entry: MockConfigEntry) -> None:
    await add(hass, list_entry, card="1")
    (subentry_id,) = list_entry.subentries
    await hass.config_entries.async_unload(list_entry.entry_id)
    assert list_entry.state is ConfigEntryState.NOT_LOADED
    manager = hass.config_entries.subentries
    for context in ({"source": SOURCE_USER}, {"source": SOURCE_RECONFIGURE, "subentry_id": subentry_id}):
        result = await manager.async_init((list_entry.entry_id, "person"), context=context)
        assert (result["type"], result["reason"]) == (FlowResultType.ABORT, "entry_not_loaded")


async def test_a_start_mends_what_a_hard_stop_left(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople
) -> None:
    """A subentry whose person was never stored goes; a person who got no subentry gets one."""
    await add(hass, list_entry, card="1")
    await hass.config_entries.async_unload(list_entry.entry_id)
    await people.store.remove("anna")
    from custom_components.face_access.people.model import Profile, new_key

    await people.store.add(Profile(id="bob", key=new_key(), name="Bob", card=2))
    await hass.config_entries.async_setup(list_entry.entry_id)
    assert [one.title for one in list_entry.subentries.values()] == ["Bob"]


async def test_one_who_is_deleted_while_the_list_is_not_loaded_stays_deleted(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """Added by the form or by an action, also while the list was not there: the next start removes them everywhere."""
    await add(hass, list_entry, card="1")
    data = {"name": "Bob", "card": 2}
    await hass.services.async_call(DOMAIN, "add_person", data, blocking=True)
    await until(lambda: len(terminal.people) == STATIONS_OWN + 2)
    await hass.config_entries.async_unload(list_entry.entry_id)
    for number, name in enumerate(("Carl", "Dora"), start=3):
        await hass.services.async_call(DOMAIN, "add_person", {"name": name, "card": number}, blocking=True)
    for subentry in list(list_entry.subentries.values()):
        if subentry.title != "Dora":
            hass.config_entries.async_remove_subentry(list_entry, subentry.subentry_id)
    assert await hass.config_entries.async_setup(list_entry.entry_id)
    assert [one.title for one in list_entry.subentries.values()] == ["Dora"]
    assert list(people.store.profiles) == ["dora"]
    await until(lambda: len(terminal.people) == STATIONS_OWN + 1)
    # The same id, and somebody else: nobody holds it against them.
    await add(hass, list_entry, card="1")
    await hass.config_entries.async_reload(list_entry.entry_id)
    assert set(people.store.profiles) == {"anna", "dora"}


async def test_one_whom_the_disk_keeps_is_removed_later(
    hass: HomeAssistant, list_entry: MockConfigEntry, people: HousePeople, issue_registry: ir.IssueRegistry
) -> None:
    """Deleted in the list, kept by the disk: said, tried again, over a reload too, and never put back on the list."""
    await add(hass, list_entry, card="1")
    await add(hass, list_entry, name="Bob", card="2")
    await settle(hass)
    remove, broken = people.store.remove, {"anna"}

    async def fails(person: str, *, departs: bool) -> None:
        if person in broken:
            raise sqlite3.OperationalError("disk full")
        await remove(person, departs=departs)

    def issue() -> ir.IssueEntry | None:
        return issue_registry.async_get_issue(DOMAIN, "people_undeleted")

    async def a_minute_later() -> None:
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=RETRY_AFTER + 1))
        await settle(hass)

    with patch.object(people.store, "remove", fails):
        for subentry_id in list(list_entry.subentries):
            hass.config_entries.async_remove_subentry(list_entry, subentry_id)
        await until(lambda: list(people.store.profiles) == ["anna"])
        await until(issue)
        assert issue().translation_placeholders == {"persons": "Anna"}
        await a_minute_later()
        await hass.config_entries.async_reload(list_entry.entry_id)
        assert list_entry.state is ConfigEntryState.LOADED
        assert (list_entry.subentries, list(people.store.profiles)) == ({}, ["anna"])
        assert issue()
        broken.clear()
        await a_minute_later()
        await until(lambda: not people.store.profiles)
    await until(lambda: issue() is None)


async def test_a_store_that_cannot_be_read_is_tried_again(hass: HomeAssistant, web: str) -> None:
    from pathlib import Path

    folder = Path(hass.config.path(DOMAIN))
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    await asyncio.to_thread((folder / "people.db").write_bytes, b"this is not a database at all" * 100)
    entry = MockConfigEntry(domain=DOMAIN, data={"people": True}, unique_id="people", title="People")
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    assert entry.state is ConfigEntryState.SETUP_RETRY

"""People of the household in Home Assistant: added once, learned by every terminal, named in what it sees."""

import asyncio
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
import json
from pathlib import Path
import sqlite3
from unittest.mock import patch

from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import STATE_OFF, STATE_ON, STATE_UNAVAILABLE
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
from homeassistant.helpers import device_registry as dr, entity_registry as er, issue_registry as ir
from homeassistant.setup import async_setup_component
import probatio as vol
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.access import Pictures, SightingKey, Verdict
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.history.store import History
from custom_components.face_access.hub.people import departures
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from simulators._terminal.pictures import closeup, sample
from simulators.terminal import SimulatedTerminal

from .conftest import SERIAL, settle, until

GOOD, SMALL = sample("good"), sample("small")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes are gathered for less long."""
    monkeypatch.setattr("custom_components.face_access.hub.people.sync.GATHER", 0.02)


@pytest.fixture
async def photos(hass: HomeAssistant) -> Callable[[str, bytes], str]:
    """Put photos where actions may read them."""
    folder = Path(hass.config.path("photos"))
    folder.mkdir()
    hass.config.allowlist_external_dirs.add(str(folder))

    def put(name: str, content: bytes) -> str:
        (folder / name).write_bytes(content)
        return str(folder / name)

    return put


async def call(hass: HomeAssistant, action: str, **data: object) -> dict:
    """Call an action and give its answer."""
    return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)


async def synced(people: HousePeople, serial: str = SERIAL) -> None:
    """Wait until a station has all that it shall have."""
    async with asyncio.timeout(20):
        await people.workers[serial].done.wait()


@pytest.fixture
async def people(hass: HomeAssistant, entry: MockConfigEntry) -> HousePeople:
    """Give the people of a house with one terminal that has been looked at."""
    house = await async_get_people(hass)
    await synced(house)
    return house


async def add(hass: HomeAssistant, people: HousePeople, path: str, **data: object) -> dict:
    """Add a person and wait for the terminal."""
    answer = await call(hass, "add_person", **{"name": "Anna Berg", "path": path, **data})
    await synced(people)
    return answer


def entity(hass: HomeAssistant, people: HousePeople, platform: str, key: str, person: str = "anna_berg") -> str:
    """Find an entity of a person."""
    registry = er.async_get(hass)
    found = registry.async_get_entity_id(platform, DOMAIN, f"person-{people.store.profiles[person].key}-{key}")
    assert found is not None
    return found


async def test_a_person_is_added_once_and_learned(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    answer = await add(hass, people, photos("a.jpg", GOOD), card=4711, text="Hello Anna")
    assert answer["person_id"] == "anna_berg"
    assert (answer["has_card"], answer["photos"]) == (True, 1)
    assert "4711" not in json.dumps(answer)
    profile = people.store.profiles["anna_berg"]
    device = terminal.people[profile.key]
    assert (device.name, device.role, device.term, device.customer_text) == ("Anna Berg", 1, "forever", "Hello Anna")
    assert device.cards == {4711}
    assert device.has_face
    assert {"0001", "0002", "0003"} < terminal.people.keys()
    (listed,) = (await call(hass, "list_persons"))["persons"]
    assert listed["stations"] == [{"station": "Front door", "state": "held", "code": None, "reason": None}]
    (entry,) = [one for one in hass.config_entries.async_entries(DOMAIN) if "people" in one.data]
    (subentry,) = entry.subentries.values()
    assert (subentry.title, dict(subentry.data)) == ("Anna Berg", {"person_id": "anna_berg"})


async def test_what_a_terminal_sees_carries_the_name_of_the_house(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    profile = people.store.profiles["anna_berg"]
    await hass.services.async_call(DOMAIN, "update_person", {"person_id": "anna_berg", "name": "Änne"}, blocking=True)
    assert "entity_picture" not in hass.states.get(entity(hass, people, "image", "picture")).attributes
    capture = await terminal.present_known(profile.key)
    await capture.wait()
    await settle(hass)
    last = entity(hass, people, "sensor", "last_seen")
    await until(lambda: hass.states.get(last).state not in ("unknown", STATE_UNAVAILABLE))
    assert hass.states.get(entity(hass, people, "sensor", "last_door")).state == "Front door"
    event = hass.states.get(entity(hass, people, "event", "seen"))
    assert event.attributes["event_type"] == "recognised"
    assert event.attributes["station"] == "Front door"
    face = next(state for state in hass.states.async_all("event") if state.attributes.get("person_id"))
    assert (face.attributes["person_id"], face.attributes["person"]) == ("anna_berg", "Änne")
    picture = hass.states.get(entity(hass, people, "image", "picture"))
    assert picture.state not in ("unknown", STATE_UNAVAILABLE)
    assert "entity_picture" in picture.attributes
    # And after a restart.
    assert (await people.store.seen())["anna_berg"].place == "Front door"
    (entry,) = [one for one in hass.config_entries.async_entries(DOMAIN) if "people" in one.data]
    (device,) = dr.async_entries_for_config_entry(dr.async_get(hass), entry.entry_id)
    assert device.name == "Änne"


async def test_the_switch_shuts_somebody_out_everywhere(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    switch = entity(hass, people, "switch", "access")
    assert hass.states.get(switch).state == STATE_ON
    await hass.services.async_call("switch", "turn_off", {"entity_id": switch}, blocking=True)
    await synced(people)
    key = people.store.profiles["anna_berg"].key
    assert hass.states.get(switch).state == STATE_OFF
    assert terminal.people[key].term == "never"
    await hass.services.async_call("switch", "turn_on", {"entity_id": switch}, blocking=True)
    await synced(people)
    assert terminal.people[key].term == "forever"


async def test_a_schedule_reaches_the_terminal(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    """A schedule that cannot be read is off."""
    await add(hass, people, photos("a.jpg", GOOD), schedule="schedule.cleaning")
    key = people.store.profiles["anna_berg"].key
    assert terminal.people[key].term == "never"
    hass.states.async_set("schedule.cleaning", STATE_ON)
    await until(lambda: terminal.people[key].term == "forever")
    hass.states.async_set("schedule.cleaning", STATE_OFF)
    await until(lambda: terminal.people[key].term == "never")


async def test_only_permitted_doors_learn_somebody_and_all_learn_who_is_blocked(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("a.jpg", GOOD), doors=["elsewhere_1"])
    key = people.store.profiles["anna_berg"].key
    assert key not in terminal.people
    await call(hass, "update_person", person_id="anna_berg", doors=[f"{SERIAL}_1"])
    await until(lambda: key in terminal.people)
    await call(hass, "update_person", person_id="anna_berg", doors=["elsewhere_1"])
    await until(lambda: key not in terminal.people)
    await call(hass, "update_person", person_id="anna_berg", role="blocked")
    await until(lambda: key in terminal.people and terminal.people[key].role == 2)


async def test_a_removed_person_goes_everywhere(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    key = people.store.profiles["anna_berg"].key
    switch = entity(hass, people, "switch", "access")
    await call(hass, "remove_person", person_id="anna_berg")
    await synced(people)
    assert key not in terminal.people
    await settle(hass)
    assert hass.states.get(switch) is None
    assert er.async_get(hass).async_get(switch) is None
    assert not people.store.holdings(SERIAL)


async def seen_once(hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal) -> int:
    """Let Anna be seen; the number of the sighting."""
    key = people.store.profiles["anna_berg"].key
    # Removing somebody of this name may still be under way.
    await until(lambda: key in terminal.people)
    capture = await terminal.present_known(key)
    await capture.wait()
    await settle(hass)
    (one,) = (await call(hass, "get_sightings", person_id="anna_berg"))["sightings"]
    assert one["picture"]
    return one["sighting_id"]


@pytest.mark.parametrize("keep", [False, True])
async def test_what_was_seen_of_a_removed_person_goes_too(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable, keep: bool
) -> None:
    """History keeps that somebody came; neither who, nor a picture, nor the image of the last sighting."""
    await add(hass, people, photos("a.jpg", GOOD))
    await seen_once(hass, people, terminal)
    image = hass.states.get("image.front_door_last_sighting")
    assert image.state != "unknown"
    await call(hass, "remove_person", person_id="anna_berg", keep_history=keep)
    await settle(hass)
    (one,) = (await call(hass, "get_sightings"))["sightings"]
    assert (one["person_id"], one["person"], one["picture"]) == (
        ("anna_berg", "Anna Berg", True) if keep else (None, None, False)
    )
    assert one["verdict"] == "granted"
    assert (hass.states.get("image.front_door_last_sighting").state == "unknown") is not keep
    assert await people.store.departed() == ()


async def test_what_a_hard_stop_left_is_forgotten_after_the_start(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    await seen_once(hass, people, terminal)
    with patch.object(History, "forget_person", side_effect=sqlite3.OperationalError("disk")):
        await call(hass, "remove_person", person_id="anna_berg")
    assert await people.store.departed() == ("anna_berg",)
    await departures.async_forget_departed(hass, people.store)
    (one,) = (await call(hass, "get_sightings"))["sightings"]
    assert (one["person"], one["picture"]) == (None, False)
    assert await people.store.departed() == ()
    # One who came back under the same id keeps what was seen since.
    await people.store._run(
        lambda: people.store._file.connection.execute("INSERT INTO departed VALUES (?)", ("anna_berg",))
    )
    await add(hass, people, photos("a.jpg", GOOD))
    await seen_once(hass, people, terminal)
    await departures.async_forget_departed(hass, people.store)
    assert await people.store.departed() == ()
    assert len((await call(hass, "get_sightings", person_id="anna_berg"))["sightings"]) == 1


async def test_a_terminal_that_has_not_heard_brings_no_picture_back(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    key = people.store.profiles["anna_berg"].key
    people.workers[SERIAL]._stopped = True
    await call(hass, "remove_person", person_id="anna_berg")
    capture = await terminal.present_known(key)
    await capture.wait()
    await settle(hass)
    (one,) = (await call(hass, "get_sightings"))["sightings"]
    assert (one["person_id"], one["picture"]) == (key, False)


async def test_the_sighting_of_which_somebody_was_added_goes_with_them(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    capture = await terminal.present_stranger()
    await capture.wait()
    await settle(hass)
    (stranger,) = (await call(hass, "get_sightings"))["sightings"]
    await call(hass, "enroll_from_sighting", sighting_id=stranger["sighting_id"], name="Carla")
    (still,) = (await call(hass, "get_sightings"))["sightings"]
    assert (still["person_id"], still["picture"]) == (None, True)
    await call(hass, "remove_person", person_id="carla")
    (gone,) = (await call(hass, "get_sightings"))["sightings"]
    assert gone["picture"] is False


async def test_one_who_is_deleted_in_the_list_goes_everywhere(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    key = people.store.profiles["anna_berg"].key
    (entry,) = [one for one in hass.config_entries.async_entries(DOMAIN) if "people" in one.data]
    (subentry_id,) = entry.subentries
    assert hass.config_entries.async_remove_subentry(entry, subentry_id)
    await until(lambda: not people.store.profiles)
    await until(lambda: key not in terminal.people)


async def test_a_refused_photo_is_a_repair_issue_until_there_is_a_better_one(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("two.jpg", sample("two")))
    await add(hass, people, photos("b.jpg", GOOD), name="Bob")
    issues = ir.async_get(hass).issues
    (issue,) = [one for one in issues.values() if one.translation_key == "person_refused"]
    assert issue.translation_placeholders["person"] == "Anna Berg"
    assert issue.translation_placeholders["station"] == "Front door"
    assert "face" in issue.translation_placeholders["reason"].lower()
    listed = {one["person_id"]: one for one in (await call(hass, "list_persons"))["persons"]}
    assert listed["anna_berg"]["stations"][0]["code"] == "not_one_face"
    assert listed["bob"]["stations"][0]["state"] == "held"
    known = {name: hass.states.get(entity(hass, people, "sensor", "known_at", name)) for name in listed}
    assert (known["bob"].state, known["bob"].attributes["stations"]) == ("1", ["Front door"])
    assert known["anna_berg"].state == "0"
    assert known["anna_berg"].attributes["refused"] == {"Front door": issue.translation_placeholders["reason"]}
    sensor = next(state for state in hass.states.async_all("sensor") if "leaving" in state.attributes)
    assert (sensor.state, sensor.attributes["total"], sensor.attributes["refused"]) == ("1", 2, 1)
    await call(hass, "update_person", person_id="anna_berg", path=photos("c.jpg", closeup("anna")))
    await synced(people)
    assert not [one for one in ir.async_get(hass).issues.values() if one.translation_key == "person_refused"]
    await until(lambda: hass.states.get(entity(hass, people, "sensor", "known_at")).state == "1")
    assert hass.states.get(entity(hass, people, "sensor", "known_at")).attributes["refused"] == {}


async def test_a_terminal_that_was_away_catches_up(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, entry: MockConfigEntry, photos: Callable
) -> None:
    terminal.go_offline()
    await entry.runtime_data.async_refresh()
    assert not entry.runtime_data.last_update_success
    await call(hass, "add_person", name="Anna Berg", path=photos("a.jpg", GOOD))
    sensor = next(state.entity_id for state in hass.states.async_all("sensor") if "leaving" in state.attributes)
    await until(lambda: hass.states.get(sensor).attributes["waiting"] == 1)
    terminal.go_online(booted=False)
    await entry.runtime_data.async_refresh()
    await synced(people)
    assert people.store.profiles["anna_berg"].key in terminal.people
    assert hass.states.get(sensor).state == "1"


async def test_people_of_a_terminal_are_taken_over_and_left_as_they_are(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    before = dict(terminal.people)
    answer = await call(hass, "import_people", device_id=device_id)
    assert [one["result"] for one in answer["persons"]] == ["added"] * 3
    assert set(people.store.profiles) == {"alice_gardner", "bob_mason", "mallory_pike"}
    assert people.store.profiles["mallory_pike"].role == "blocked"
    assert people.store.profiles["bob_mason"].card == 12345678
    await synced(people)
    await call(hass, "sync_people", device_id=device_id)
    assert terminal.people == before
    assert (await call(hass, "import_people", device_id=device_id))["persons"] == []
    # They are the household's now: whoever goes there goes here.
    await call(hass, "remove_person", person_id="alice_gardner")
    await synced(people)
    assert set(terminal.people) == {"0002", "0003"}


async def test_sync_tells_how_far_stations_are(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    key = people.store.profiles["anna_berg"].key
    del terminal.people[key]
    answer = await call(hass, "sync_people")
    assert answer["stations"] == [
        {
            "station": "Front door",
            "online": True,
            "total": 1,
            "synced": 1,
            "refused": 0,
            "waiting": 0,
            "leaving": 0,
            "done": True,
        }
    ]
    assert key in terminal.people


@pytest.mark.parametrize(("storage", "kept"), [("none", 0), ("thumbnail", 1), ("full", 1)])
async def test_photos_are_kept_as_long_as_wanted(
    hass: HomeAssistant, people: HousePeople, photos: Callable, storage: str, kept: int
) -> None:
    await add(hass, people, photos("a.jpg", GOOD), photo_storage=storage)
    await settle(hass)
    assert len(await people.store.photos("anna_berg")) == kept
    await call(hass, "sync_people")
    assert (await call(hass, "list_persons"))["persons"][0]["stations"][0]["state"] == "held"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"name": "Anna"}, "person_photo_missing"),
        ({"name": "Anna", "person_id": "no good"}, "person_id_invalid"),
        ({"name": "Anna", "card": 1, "sighting_id": 99}, "photo_gone"),
        (
            {"name": "Anna", "card": 1, "valid_from": "2027-01-01 00:00:00", "valid_until": "2026-01-01 00:00:00"},
            "person_times_reversed",
        ),
    ],
)
async def test_what_cannot_be_is_said(hass: HomeAssistant, people: HousePeople, data: dict, key: str) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await call(hass, "add_person", **data)
    assert caught.value.translation_key == key
    assert not people.store.profiles


async def test_ids_and_photos_are_nobody_elses(hass: HomeAssistant, people: HousePeople, photos: Callable) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    for data, key in (
        ({"name": "X", "person_id": "anna_berg", "card": 1}, "person_exists"),
        ({"name": "X", "path": photos("b.jpg", GOOD)}, "person_duplicate"),
        ({"name": "X", "path": [photos("c.jpg", SMALL)]}, "photo_too_small"),
        ({"name": "X", "path": [photos("d.jpg", b"no picture")]}, "photo_unreadable"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await call(hass, "add_person", **data)
        assert caught.value.translation_key == key
    with pytest.raises(ServiceValidationError):
        await call(hass, "update_person", person_id="nobody", name="X")
    # A second Anna Berg gets an id of her own.
    second = await add(hass, people, photos("e.jpg", closeup("other")))
    assert second["person_id"] == "anna_berg_2"


async def test_only_an_administrator_may(
    hass: HomeAssistant, people: HousePeople, hass_read_only_user: MockUser
) -> None:
    from homeassistant.core import Context

    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN,
            "list_persons",
            {},
            blocking=True,
            return_response=True,
            context=Context(user_id=hass_read_only_user.id),
        )


async def test_enrols_whom_the_terminal_saw(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, device_id: str
) -> None:
    await (await terminal.present_stranger()).wait()
    await settle(hass)
    (past,) = (await call(hass, "get_sightings", device_id=device_id))["sightings"]
    assert (past["station"], past["person_id"], past["picture"]) == ("Front door", None, True)
    answer = await call(hass, "enroll_from_sighting", sighting_id=past["sighting_id"], name="Visitor")
    await synced(people)
    assert answer["photos"] == 1
    assert people.store.profiles["visitor"].key in terminal.people
    with pytest.raises(ServiceValidationError):
        await call(hass, "enroll_from_sighting", sighting_id=past["sighting_id"], name="Somebody else")
    await (await terminal.present_known(people.store.profiles["visitor"].key)).wait()
    await settle(hass)
    (seen,) = (await call(hass, "get_sightings", person_id="visitor"))["sightings"]
    assert seen["person"] == "Visitor"
    answer = await call(hass, "enroll_from_sighting", sighting_id=seen["sighting_id"], person_id="visitor")
    assert (answer["person_id"], answer["photos"]) == ("visitor", 2)
    with pytest.raises(ServiceValidationError):
        await call(hass, "get_sightings", start="2026-01-02 00:00:00", end="2026-01-01 00:00:00")


async def test_sightings_name_their_pictures_and_hold_them_when_asked(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, entry: MockConfigEntry
) -> None:
    for scene in (terminal.present_stranger(), terminal.present_known("0001")):
        await (await scene).wait()
        await settle(hass)
    history = entry.runtime_data.history
    bare = {"key": SightingKey(sequence=9, captured="9"), "pictures": Pictures(), "source": SERIAL}
    await history.add(replace(entry.runtime_data.last_sighting, **bare, verdict=Verdict.NONE), live=False)
    (granted,) = (await call(hass, "get_sightings", verdict="granted"))["sightings"]
    assert "content" not in granted
    (past,) = await history.list(source=None, verdict=Verdict.GRANTED)
    assert granted["media"] == f"media-source://face_access/sighting/{past.reference}"
    answer = (await call(hass, "get_sightings", verdict="granted", pictures=True))["sightings"]
    assert b64decode(answer[0]["content"]) == await history.picture(past.id)
    assert answer[0]["content_type"] == "image/jpeg"
    (without,) = (await call(hass, "get_sightings", verdict="none", pictures=True))["sightings"]
    assert (without["media"], without["content_type"], without["content"]) == (None, None, None)
    with patch("custom_components.face_access.actions.sightings.MOST_PICTURES", 2):
        assert len((await call(hass, "get_sightings", pictures=True))["sightings"]) == 2
        assert len((await call(hass, "get_sightings"))["sightings"]) == 3
    with pytest.raises(vol.Invalid):
        await call(hass, "get_sightings", verdict="perhaps")
    broken = sqlite3.OperationalError("disk")
    with patch.object(history, "list", side_effect=broken), pytest.raises(HomeAssistantError, match="read"):
        await call(hass, "get_sightings")


async def test_a_sighting_is_media_for_other_actions(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal
) -> None:
    """The picture comes by its signed address, as any media does."""
    assert await async_setup_component(hass, "media_source", {})
    await (await terminal.present_stranger()).wait()
    await settle(hass)
    (past,) = (await call(hass, "get_sightings"))["sightings"]
    answer = await call(hass, "add_person", name="Visitor", media=past["media"])
    assert answer["photos"] == 1
    # The picture there is theirs, and goes with them.
    await call(hass, "remove_person", person_id="visitor")
    assert (await call(hass, "get_sightings"))["sightings"][0]["picture"] is False


async def test_people_travel_in_files(
    hass: HomeAssistant, people: HousePeople, photos: Callable, tmp_path: Path
) -> None:
    await add(hass, people, photos("a.jpg", GOOD), card=4711, valid_until="2030-01-01T00:00:00+00:00")
    await add(hass, people, photos("b.jpg", closeup("bob")), name="Bob", doors=[f"{SERIAL}_1", "x_2"])
    folder = Path(hass.config.path("photos")) / "export"
    await call(hass, "export_people", path=str(folder))
    files = sorted(folder.iterdir())
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in files)
    before = dict(people.store.profiles)
    for person in before:
        await call(hass, "remove_person", person_id=person)
    with (folder / "people.csv").open("a", encoding="utf-8") as opened:
        opened.write("bad id,Bad,,,,,,,,,,,,\n,Zoe,,,,,,,no number,,,,,\n,Photo,,,,,,,,,,,,../../secret.jpg\n")
    answer = await call(hass, "import_people", path=str(folder / "people.csv"))
    results = {one["line"]: one["result"] for one in answer["persons"]}
    assert results == {2: "added", 3: "added", 4: "person_id_invalid", 5: "person_line_invalid", 6: "photo_unreadable"}
    again = people.store.profiles
    assert (again["anna_berg"].card, again["anna_berg"].valid_until) == (4711, before["anna_berg"].valid_until)
    assert again["bob"].doors == {f"{SERIAL}_1", "x_2"}
    with pytest.raises(ServiceValidationError):
        await call(hass, "export_people", path=str(tmp_path / "elsewhere"))
    with pytest.raises(ServiceValidationError):
        await call(hass, "import_people", path=str(folder / "missing.csv"))
    with pytest.raises(ServiceValidationError):
        await call(hass, "import_people")


async def test_nothing_private_leaves(
    hass: HomeAssistant,
    people: HousePeople,
    photos: Callable,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither states nor diagnostics nor logs nor the entry's file have a card or a photo."""
    from pytest_homeassistant_custom_component.components.diagnostics import get_diagnostics_for_config_entry

    await add(hass, people, photos("a.jpg", GOOD), card=47114711, metadata={"note": "very private"})
    (entry,) = [one for one in hass.config_entries.async_entries(DOMAIN) if "people" in one.data]
    shown = json.dumps(await get_diagnostics_for_config_entry(hass, hass_client, entry))
    shown += repr([state.as_dict() for state in hass.states.async_all()]) + repr(entry.as_dict()) + caplog.text
    assert "47114711" not in shown
    assert "very private" not in shown
    assert "anna" not in json.dumps(await get_diagnostics_for_config_entry(hass, hass_client, entry)).lower()


async def test_the_house_forgets_everybody_with_the_entry(
    hass: HomeAssistant, people: HousePeople, terminal: SimulatedTerminal, photos: Callable
) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    key = people.store.profiles["anna_berg"].key
    (entry,) = [one for one in hass.config_entries.async_entries(DOMAIN) if "people" in one.data]
    await hass.config_entries.async_remove(entry.entry_id)
    await until(lambda: key not in terminal.people)
    assert not people.store.profiles


async def test_a_reload_keeps_everybody(hass: HomeAssistant, people: HousePeople, photos: Callable) -> None:
    await add(hass, people, photos("a.jpg", GOOD))
    (entry,) = [one for one in hass.config_entries.async_entries(DOMAIN) if "people" in one.data]
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert entry.state is ConfigEntryState.LOADED
    assert list(people.store.profiles) == ["anna_berg"]
    assert hass.states.get(entity(hass, people, "switch", "access")).state == STATE_ON

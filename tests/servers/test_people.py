"""People on recognition servers: given, changed, removed, refused; and begun anew where a server removes nobody."""

from dataclasses import replace
import json
import sqlite3
from unittest.mock import patch

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, issue_registry as ir
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.face_access.access import Role, Similarity
from custom_components.face_access.const import DOMAIN
from custom_components.face_access.devices.errors import StationConnectionError
from custom_components.face_access.hub.local.answers import Look
from custom_components.face_access.hub.people import sync as people_sync
from custom_components.face_access.hub.people.household import HousePeople, async_get_people
from custom_components.face_access.hub.people.input import new_profile
from custom_components.face_access.hub.servers.answers import async_resident, async_server_answers
from custom_components.face_access.people.holding import HoldingState
from custom_components.face_access.people.model import Profile, Storage, new_key
from custom_components.face_access.people.photos import prepare
from simulators._terminal import pictures
from simulators.opencv_fr import SimulatedOpenCvFr
from simulators.smartface import SimulatedSmartFace
from tests.conftest import issue_id, repair, settle, until

from .conftest import Start, add, begin, change, go_on


@pytest.fixture
async def people(hass: HomeAssistant, web: str) -> HousePeople:
    return await async_get_people(hass)


def photo(seed: str) -> bytes:
    """A photo of somebody, as the house keeps it."""
    return prepare(pictures.panorama(seed))


async def name_somebody(people: HousePeople, person: str, **changes: object) -> Profile:
    """Add somebody with a photo."""
    profile = Profile(**{"id": person, "key": new_key(), "name": person.title(), **changes})
    return await people.async_add(profile, [photo(person)])


async def synced(people: HousePeople, entry: MockConfigEntry) -> None:
    """Wait until a server has what it shall have."""
    worker = people.workers[entry.entry_id]
    await until(worker.done.is_set)
    await settle(people._hass)


def shown(hass: HomeAssistant, name: str) -> dict[str, int]:
    """What the sensor of a server says."""
    state = hass.states.get(f"sensor.{name}_people_synced")
    assert state is not None
    numbers = {key: state.attributes[key] for key in ("total", "waiting", "refused", "leaving")}
    return {"held": int(state.state), **numbers}


async def test_smartface_learns_and_forgets(
    hass: HomeAssistant, people: HousePeople, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    """The same sync as for devices: added, renamed without a photo, removed."""
    anna = await name_somebody(people, "anna", role=Role.ALLOWED)
    bob = await name_somebody(people, "bob", doors=frozenset())
    await synced(people, smartface_entry)
    assert smartface.watchlists["home_assistant"].members == [anna.key, bob.key]
    assert {key: len(member.faces) for key, member in smartface.members.items()} == {anna.key: 1, bob.key: 1}
    everybody = {"total": 2, "waiting": 0, "refused": 0, "leaving": 0}
    assert shown(hass, "smartface_127_0_0_1") == {"held": 2, **everybody}

    smartface.requests.clear()
    await people.async_update(replace(anna, name="Anna B."))
    await synced(people, smartface_entry)
    assert smartface.members[anna.key].facts["displayName"] == "Anna B."
    assert not [path for _, path, _ in smartface.requests if "Face" in path.rpartition("/")[2]]

    await people.async_remove("bob")
    await synced(people, smartface_entry)
    assert list(smartface.members) == [anna.key]
    assert shown(hass, "smartface_127_0_0_1")["held"] == 1


async def test_a_removed_person_is_not_who_has_their_id_now(
    hass: HomeAssistant, people: HousePeople, opencv: SimulatedOpenCvFr, opencv_entry: MockConfigEntry
) -> None:
    """The server cannot remove the face of before: it names nobody, also once another Anna has come."""
    old = await people.async_add(new_profile(people, {"name": "Anna"}), [photo("anna")])
    await synced(people, opencv_entry)
    await people.async_remove(old.id)
    new = await people.async_add(new_profile(people, {"name": "Anna"}), [photo("carol")])
    assert new.id == old.id
    await synced(people, opencv_entry)
    assert people.store.holdings(opencv_entry.entry_id)[old.key].code == "cannot_remove"
    answers = await async_server_answers(hass, opencv_entry.entry_id)
    look = Look(similarity=Similarity.NORMAL, liveness=False, far=False)
    for seed, outcome, person in (("anna", "stranger", None), ("carol", "recognised", new.id)):
        (face,) = (await answers.recognize(pictures.panorama(seed), look))["faces"]
        assert (face["outcome"], face["person_id"]) == (outcome, person)


async def test_a_removed_person_while_the_server_does_not_remove(
    people: HousePeople, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    """As before, for as long as the server answers with an error."""
    old = await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    smartface.fail("WatchlistMembers/", method="DELETE", status=500, times=50)
    await people.async_remove("anna")
    await people.async_add(Profile(id="anna", key=new_key(), name="Anna"), [photo("carol")])
    await settle(people._hass)
    assert old.key in people.store.holdings(smartface_entry.entry_id)
    assert async_resident(people.store, smartface_entry.entry_id, old.key) is None


async def test_whoever_has_no_face_is_not_wanted(
    hass: HomeAssistant, people: HousePeople, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    """A card means nothing to a server; who is blocked has to be recognised all the same."""
    await people.async_add(Profile(id="card", key=new_key(), name="Card", card=7), [])
    blocked = await name_somebody(people, "bob", role=Role.BLOCKED)
    await synced(people, smartface_entry)
    assert list(smartface.members) == [blocked.key]


async def test_a_photo_that_will_not_do(
    hass: HomeAssistant,
    people: HousePeople,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Said in words, and gone with a better photo."""
    profile = Profile(id="anna", key=new_key(), name="Anna")
    profile = await people.async_add(profile, [prepare(pictures.sample("empty"))])
    await synced(people, smartface_entry)
    assert shown(hass, "smartface_127_0_0_1")["refused"] == 1
    (issue,) = (issue for issue in issue_registry.issues.values() if issue.domain == DOMAIN)
    assert issue.translation_placeholders == {
        "person": "Anna",
        "station": "SmartFace (127.0.0.1)",
        "reason": "There is no face in the photo",
    }
    await people.async_update(profile, [photo("anna")])
    await synced(people, smartface_entry)
    assert shown(hass, "smartface_127_0_0_1")["held"] == 1
    assert not [issue for issue in issue_registry.issues.values() if issue.domain == DOMAIN]


async def test_what_somebody_changed_at_the_server(
    hass: HomeAssistant, people: HousePeople, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    """Looked at again it is put right; strangers on the list are left alone."""
    anna = await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    smartface.delete_member(anna.key)
    smartface.put_member("somebody", {"displayName": "Somebody"})
    smartface.link("home_assistant", ["somebody"])
    answer = await hass.services.async_call(DOMAIN, "sync_people", {"wait": 10}, blocking=True, return_response=True)
    assert answer["stations"] == [
        {
            "station": "SmartFace (127.0.0.1)",
            "online": True,
            "total": 1,
            "synced": 1,
            "refused": 0,
            "waiting": 0,
            "leaving": 0,
            "done": True,
        }
    ]
    assert set(smartface.members) == {anna.key, "somebody"}


async def test_a_server_that_was_away(
    hass: HomeAssistant,
    people: HousePeople,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
) -> None:
    """What was to be given meanwhile is given when it is back."""
    await smartface.stop()
    await smartface_entry.runtime_data.async_refresh()
    assert hass.states.get("binary_sensor.smartface_127_0_0_1_online").state == "off"
    anna = await name_somebody(people, "anna")
    await settle(hass)
    assert shown(hass, "smartface_127_0_0_1")["waiting"] == 1
    await smartface.start()
    await smartface_entry.runtime_data.async_refresh()
    await synced(people, smartface_entry)
    assert list(smartface.members) == [anna.key]


async def test_a_licence_that_is_full(
    hass: HomeAssistant,
    people: HousePeople,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One fits; the other is told of, and nobody floods the server for them."""
    register = smartface_entry.runtime_data.engine.register
    monkeypatch.setattr(register, "_pause", 0.001)
    smartface.licence = 1
    await name_somebody(people, "anna")
    await name_somebody(people, "bob")
    await synced(people, smartface_entry)
    assert shown(hass, "smartface_127_0_0_1") == {"held": 1, "total": 2, "waiting": 0, "refused": 1, "leaving": 0}
    assert {each.code for each in people.store.holdings(smartface_entry.entry_id).values()} == {None, "limit_reached"}


@pytest.mark.parametrize("status", [409, 500])
async def test_a_server_that_stumbles(
    hass: HomeAssistant,
    people: HousePeople,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
) -> None:
    """Two who write at once, or a broken server, are nobody's fault here: the rest is done at the next round."""
    monkeypatch.setattr(smartface_entry.runtime_data.engine.register, "_pause", 0.001)
    body = json.dumps({"title": "Conflict", "status": status, "detail": "Somebody else changes the same."})
    smartface.fail("Register", status=status, times=4 if status == 409 else 1, body=body, kind="application/json")
    anna, bob = await name_somebody(people, "anna"), await name_somebody(people, "bob")
    worker = people.workers[smartface_entry.entry_id]
    await until(lambda: worker._stop_retry is not None)
    assert shown(hass, "smartface_127_0_0_1") == {"held": 0, "total": 2, "waiting": 2, "refused": 0, "leaving": 0}
    assert not [issue for issue in issue_registry.issues.values() if issue.domain == DOMAIN]
    worker.async_wake()
    await synced(people, smartface_entry)
    assert set(smartface.members) == {anna.key, bob.key}


async def test_opencv_fr_learns(
    hass: HomeAssistant, people: HousePeople, opencv: SimulatedOpenCvFr, opencv_entry: MockConfigEntry
) -> None:
    """It cannot say whom it knows: what we wrote down is the register, also after another look."""
    anna = await name_somebody(people, "anna")
    await synced(people, opencv_entry)
    assert {key: one.name for key, one in opencv.collections["home_assistant"].items()} == {anna.key: "Anna"}
    given = opencv.count("/person")
    people.workers[opencv_entry.entry_id].async_wake(look=True)
    await synced(people, opencv_entry)
    assert opencv.count("/person") == given
    await people.async_update(replace(anna, name="Anna B."))
    await synced(people, opencv_entry)
    assert opencv.collections["home_assistant"][anna.key].name == "Anna B."


@pytest.mark.parametrize("found_by", ["the next look", "a new person", "a start", "the form", "another form"])
async def test_a_collection_that_is_lost(
    hass: HomeAssistant,
    people: HousePeople,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    found_by: str,
) -> None:
    """Somebody deletes the collection, or resets the server: whoever finds it missing, all are given again."""
    keys = {(await name_somebody(people, name)).key for name in ("anna", "bob", "carl")}
    await synced(people, opencv_entry)
    assert set(opencv.collections["home_assistant"]) == keys
    batches = opencv.count("/persons")
    opencv.collections.clear()
    match found_by:
        case "the next look":
            await opencv_entry.runtime_data.async_refresh()
            assert "has lost its list of people" in caplog.text
        case "a new person":
            keys.add((await name_somebody(people, "dora")).key)
        case "a start":
            assert await hass.config_entries.async_reload(opencv_entry.entry_id)
        case "the form":
            flow = await go_on(hass, await change(hass, opencv_entry), url=opencv.url)
            assert flow["reason"] == "reconfigure_successful"
        case _:
            flow = await go_on(hass, await begin(hass, "opencv_fr"), url=opencv.url, api_key=opencv.api_key)
            assert flow["reason"] == "already_configured"
    await settle(hass)
    await until(lambda: set(opencv.collections.get("home_assistant", ())) == keys)
    await synced(people, opencv_entry)
    everybody = {"total": len(keys), "waiting": 0, "refused": 0, "leaving": 0}
    assert shown(hass, "opencv_fr_server_127_0_0_1") == {"held": len(keys), **everybody}
    assert opencv.count("/persons") > batches
    given = opencv.count("/person")
    await opencv_entry.runtime_data.async_refresh()
    await settle(hass)
    assert opencv.count("/person") == given


@pytest.mark.parametrize("found_by", ["the next look", "a new person", "a search", "a start"])
async def test_a_watchlist_that_is_lost(
    hass: HomeAssistant,
    people: HousePeople,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    caplog: pytest.LogCaptureFixture,
    found_by: str,
) -> None:
    """Members outlive their list: whoever is wanted is on the new one at once, whoever is not is deleted."""
    keys = [(await name_somebody(people, name)).key for name in ("anna", "bob")]
    await synced(people, smartface_entry)
    coordinator = smartface_entry.runtime_data
    with patch.object(people.workers[smartface_entry.entry_id].people, "remove", side_effect=StationConnectionError):
        await people.async_remove("bob")
        await settle(hass)
    del smartface.watchlists["home_assistant"]
    match found_by:
        case "the next look":
            await coordinator.async_refresh()
        case "a new person":
            keys.append((await name_somebody(people, "dora")).key)
        case "a search":
            await coordinator.ask(coordinator.engine.search.search(photo("anna"), Similarity.NORMAL))
        case _:
            assert await hass.config_entries.async_reload(smartface_entry.entry_id)
    await settle(hass)
    wanted = {key for key in keys if key != keys[1]}
    await until(lambda: set(smartface.watchlists["home_assistant"].members) == wanted == set(smartface.members))
    await synced(people, smartface_entry)
    assert shown(hass, "smartface_127_0_0_1")["held"] == len(wanted)
    assert caplog.text.count("has lost its list of people") == 1
    given = len([path for _, path, _ in smartface.requests if path.endswith("Register")])
    await smartface_entry.runtime_data.async_refresh()
    await settle(hass)
    assert len([path for _, path, _ in smartface.requests if path.endswith("Register")]) == given


async def test_a_lost_collection_that_cannot_be_written_down(
    hass: HomeAssistant,
    people: HousePeople,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is found again at the next look."""
    anna = await name_somebody(people, "anna")
    await synced(people, opencv_entry)
    opencv.collections.clear()

    async def full(_holdings: object) -> None:
        raise sqlite3.OperationalError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(people.store, "keep", full)
        await opencv_entry.runtime_data.async_refresh()
        await settle(hass)
    assert opencv.collections == {"home_assistant": {}}
    await opencv_entry.runtime_data.async_refresh()
    await until(lambda: set(opencv.collections["home_assistant"]) == {anna.key})


@pytest.mark.parametrize("way", ["repair", "button"])
async def test_opencv_fr_removes_nobody(
    hass: HomeAssistant,
    people: HousePeople,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
    way: str,
) -> None:
    """Whoever is removed here stays there until the collection is built anew, and the house is told."""
    anna, bob = await name_somebody(people, "anna"), await name_somebody(people, "bob")
    await synced(people, opencv_entry)
    await people.async_remove("bob")
    await synced(people, opencv_entry)
    assert set(opencv.collections["home_assistant"]) == {anna.key, bob.key}
    assert shown(hass, "opencv_fr_server_127_0_0_1")["leaving"] == 1
    issues = [issue for issue in issue_registry.issues.values() if issue.domain == DOMAIN]
    assert [(issue.translation_key, issue.translation_placeholders["count"]) for issue in issues] == [
        ("server_rebuild", "1")
    ]
    if way == "repair":
        flow = await repair(hass, hass_client, "server_rebuild", opencv_entry)
        assert flow["type"] == "create_entry"
    else:
        button = "button.opencv_fr_server_127_0_0_1_learn_people_anew"
        await hass.services.async_call("button", "press", {"entity_id": button}, blocking=True)
    await synced(people, opencv_entry)
    assert set(opencv.collections["home_assistant"]) == {anna.key}
    assert shown(hass, "opencv_fr_server_127_0_0_1") == {
        "held": 1,
        "total": 1,
        "waiting": 0,
        "refused": 0,
        "leaving": 0,
    }
    assert (DOMAIN, issue_id("server_rebuild", opencv_entry)) not in issue_registry.issues


async def test_photos_that_the_server_shall_no_longer_keep(
    hass: HomeAssistant, people: HousePeople, started: Start
) -> None:
    """Also those of people who are there already: they are given again when the form says so."""
    server = await started(SimulatedSmartFace(version="4.40"))
    entry = await add(hass, "smartface", url=server.url, keep_pictures=True)
    anna = await name_somebody(people, "anna")
    await synced(people, entry)
    assert len(server.images) == 1
    assert all(server.members[anna.key].facts["privacy"].values())
    server.members[anna.key].facts["note"] = "Rings twice"
    for keeps in (False, True):
        await go_on(hass, await change(hass, entry), url=server.url, keep_pictures=keeps)
        await settle(hass)
        await synced(people, entry)
        assert set(server.members[anna.key].facts["privacy"].values()) == {keeps}
        assert len(server.images) == keeps
        assert len(server.members[anna.key].faces) == 1
        assert server.members[anna.key].facts["note"] == "Rings twice"


async def test_photos_of_a_server_that_could_not_be_told(
    people: HousePeople, smartface: SimulatedSmartFace, smartface_entry: MockConfigEntry
) -> None:
    """It kept them all, and is told once it is one that can be."""
    anna = await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    assert len(smartface.images) == 1
    smartface.set_version("4.40")
    await smartface_entry.runtime_data.async_refresh()
    people.workers[smartface_entry.entry_id].async_wake()
    await synced(people, smartface_entry)
    assert set(smartface.members[anna.key].facts["privacy"].values()) == {False}
    assert len(smartface.images) == 0


async def test_photos_that_only_a_rebuild_takes_away(
    hass: HomeAssistant,
    people: HousePeople,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
    issue_registry: ir.IssueRegistry,
    hass_client: ClientSessionGenerator,
) -> None:
    """A change in the form is offered as a repair, where there is anybody whom it concerns."""
    issue = (DOMAIN, issue_id("server_photos", opencv_entry))

    async def keep(what: str) -> None:
        await go_on(hass, await change(hass, opencv_entry), url=opencv.url, server_photos=what)
        await settle(hass)

    await keep("picture")
    assert issue not in issue_registry.issues
    anna = await name_somebody(people, "anna")
    await synced(people, opencv_entry)
    await keep("nothing")
    assert issue_registry.issues[issue].is_persistent
    assert opencv.collections["home_assistant"][anna.key].storage == "StoreFullImage"
    flow = await repair(hass, hass_client, "server_photos", opencv_entry)
    assert flow["type"] == "create_entry"
    await synced(people, opencv_entry)
    assert opencv.collections["home_assistant"][anna.key].storage == "NoStorage"
    assert issue not in issue_registry.issues


async def test_beginning_anew_goes_wrong(
    hass: HomeAssistant,
    people: HousePeople,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
) -> None:
    """A server that breaks in the middle: everybody is still given in the end, and the issue stays."""
    anna, bob = await name_somebody(people, "anna"), await name_somebody(people, "bob")
    await synced(people, opencv_entry)
    await people.async_remove("bob")
    await synced(people, opencv_entry)
    # The collection is gone, and cannot be made.
    opencv.fail(path="/collection", status=500, times=1)
    flow = await repair(hass, hass_client, "server_rebuild", opencv_entry)
    assert flow["errors"] == {"base": "cannot_fix"}
    holdings = people.store.holdings(opencv_entry.entry_id)
    assert {each.state for each in holdings.values()} == {HoldingState.PENDING}
    people.workers[opencv_entry.entry_id].async_wake()
    await synced(people, opencv_entry)
    assert anna.key in opencv.collections["home_assistant"]
    assert bob.key in people.store.holdings(opencv_entry.entry_id)


async def test_photos_that_were_not_to_be_kept(
    hass: HomeAssistant, people: HousePeople, opencv: SimulatedOpenCvFr, opencv_entry: MockConfigEntry
) -> None:
    """A change of somebody without a photo reaches no server that wants one each time; the old face stays."""
    anna = await name_somebody(people, "anna", storage=Storage.NONE)
    await synced(people, opencv_entry)
    await until(lambda: people._photos._let_go)
    await settle(hass)
    await people.async_update(replace(anna, name="Anna B."))
    await synced(people, opencv_entry)
    assert opencv.collections["home_assistant"][anna.key].name == "Anna"
    (holding,) = people.store.holdings(opencv_entry.entry_id).values()
    assert (holding.state, holding.code) == (HoldingState.REFUSED, "photo_missing")


async def test_duplicates(
    hass: HomeAssistant, people: HousePeople, opencv: SimulatedOpenCvFr, opencv_entry: MockConfigEntry
) -> None:
    """A server that was asked to refuses somebody who is there under another name."""
    flow = await go_on(hass, await change(hass, opencv_entry), url=opencv.url, check_duplicates=True)
    assert flow["reason"] == "reconfigure_successful"
    await settle(hass)
    await name_somebody(people, "anna")
    await synced(people, opencv_entry)
    await people.async_add(
        Profile(id="double", key=new_key(), name="Double"), [prepare(pictures.panorama("anna", mask=False) + b" ")]
    )
    await synced(people, opencv_entry)
    codes = {each.person: each.code for each in people.store.holdings(opencv_entry.entry_id).values()}
    assert codes == {"anna": None, "double": "duplicate_face"}


async def test_another_collection_knows_nobody(
    hass: HomeAssistant, people: HousePeople, opencv: SimulatedOpenCvFr, opencv_entry: MockConfigEntry
) -> None:
    """What was given to the one says nothing of the other: everybody is given again."""
    anna = await name_somebody(people, "anna")
    await synced(people, opencv_entry)
    flow = await go_on(hass, await change(hass, opencv_entry), url=opencv.url, collection="new")
    assert flow["reason"] == "reconfigure_successful"
    await settle(hass)
    await synced(people, opencv_entry)
    assert set(opencv.collections["new"]) == {anna.key}


async def test_a_server_that_is_removed(
    hass: HomeAssistant,
    people: HousePeople,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
    issue_registry: ir.IssueRegistry,
) -> None:
    """Nothing is left of it here; what is on it is its owner's business."""
    await name_somebody(people, "anna")
    bob = await name_somebody(people, "bob")
    await synced(people, opencv_entry)
    await people.async_remove("bob")
    await synced(people, opencv_entry)
    await hass.config_entries.async_remove(opencv_entry.entry_id)
    await settle(hass)
    assert dict(people.store.holdings(opencv_entry.entry_id)) == {}
    assert opencv_entry.entry_id not in people.workers
    assert not [issue for issue in issue_registry.issues.values() if issue.domain == DOMAIN]
    assert not dr.async_entries_for_config_entry(device_registry, opencv_entry.entry_id)
    assert bob.key in opencv.collections["home_assistant"]


async def test_list_persons_names_servers(
    hass: HomeAssistant, people: HousePeople, smartface_entry: MockConfigEntry
) -> None:
    await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    answer = await hass.services.async_call(DOMAIN, "list_persons", {}, blocking=True, return_response=True)
    (person,) = answer["persons"]
    assert person["stations"] == [{"station": "SmartFace (127.0.0.1)", "state": "held", "code": None, "reason": None}]


async def test_sync_of_one_server(
    hass: HomeAssistant,
    people: HousePeople,
    smartface_entry: MockConfigEntry,
    kby_entry: MockConfigEntry,
    device_registry: dr.DeviceRegistry,
) -> None:
    """By its device; one that keeps nobody cannot."""
    for entry, problem in ((smartface_entry, None), (kby_entry, "not_capable")):
        (device,) = dr.async_entries_for_config_entry(device_registry, entry.entry_id)
        call = hass.services.async_call(
            DOMAIN, "sync_people", {"device_id": device.id, "wait": 5}, blocking=True, return_response=True
        )
        if problem is None:
            assert len((await call)["stations"]) == 1
        else:
            with pytest.raises(Exception, match=r".+") as caught:
                await call
            assert caught.value.translation_key == problem


def test_patience() -> None:
    """What these tests make quick is slow in a house."""
    assert people_sync.RETRY_AFTER >= 10

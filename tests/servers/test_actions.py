"""Actions that ask a recognition server: in its own scores, by what it can, with clear errors; and records of scans."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, MockUser

from custom_components.face_access.const import DOMAIN
from custom_components.face_access.hub.people.household import async_get_people
from simulators._terminal import pictures
from simulators.face_scan import SimulatedFaceScan
from simulators.kby import SimulatedKby
from simulators.opencv_fr import SimulatedOpenCvFr
from simulators.smartface import SimulatedSmartFace
from tests.conftest import settle
from tests.recognition_servers.conftest import large, pair

from .test_face_scan import credentials, entry as face_scan_entry, service
from .test_people import name_somebody, synced

__all__ = ["credentials", "face_scan_entry", "service"]

type Call = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture
def put(hass: HomeAssistant) -> Callable[[str, bytes], str]:
    """Put a picture where actions may read it."""
    folder = Path(hass.config.path("photos"))
    folder.mkdir()
    hass.config.allowlist_external_dirs.add(str(folder))

    def write(name: str, content: bytes) -> str:
        (folder / f"{name}.jpg").write_bytes(content)
        return str(folder / f"{name}.jpg")

    return write


@pytest.fixture
def call(hass: HomeAssistant) -> Call:
    """Call an action and give its answer."""

    async def act(action: str, **data: Any) -> Any:
        return await hass.services.async_call(DOMAIN, action, data, blocking=True, return_response=True)

    return act


async def test_recognize_with_smartface(
    hass: HomeAssistant,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    call: Call,
    put: Callable[[str, bytes], str],
) -> None:
    """The household's names, the server's scores."""
    people = await async_get_people(hass)
    await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    engine = smartface_entry.entry_id
    answer = await call("recognize", engine=engine, path=put("both", pair("anna", "carol")))
    assert (answer["engine"], answer["version"]) == ("SmartFace (127.0.0.1)", smartface.full_version)
    assert (answer["people"], answer["people_waiting"]) == (1, 0)
    anna, carol = answer["faces"]
    assert (anna["outcome"], anna["person_id"], anna["person"]) == ("recognised", "anna", "Anna")
    assert anna["score"] >= anna["threshold"] == 40
    assert anna["scale"] == 100
    assert (carol["outcome"], carol["person_id"], carol["candidates"]) == ("stranger", None, [])
    assert anna["box"]["width"] > 20
    spoof = await call("recognize", engine=engine, path=put("spoof", pictures.panorama("anna", photo=True)))
    assert [face["outcome"] for face in spoof["faces"]] == ["spoof"]
    assert spoof["faces"][0]["person"] is None


async def test_whoever_the_household_does_not_know_is_nobody(
    hass: HomeAssistant,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    call: Call,
    put: Callable[[str, bytes], str],
) -> None:
    """Somebody whom others put on our list, and somebody who was removed while the server was away."""
    people = await async_get_people(hass)
    anna = await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    holding = people.store.holdings(smartface_entry.entry_id)[anna.key]
    await people.store.drop(smartface_entry.entry_id, anna.key)
    path = put("anna", pictures.panorama("anna"))
    answer = await call("recognize", engine=smartface_entry.entry_id, path=path, liveness=False)
    (face,) = answer["faces"]
    assert (face["outcome"], face["person_id"]) == ("stranger", None)
    assert [one["person_id"] for one in face["candidates"]] == [None]
    await people.store.keep([holding])


async def test_compare_and_liveness_with_smartface(
    smartface_entry: MockConfigEntry, call: Call, put: Callable[[str, bytes], str]
) -> None:
    engine, anna = smartface_entry.entry_id, put("anna", pictures.panorama("anna"))
    same = await call("compare_faces", engine=engine, path=anna, other_path=anna, reference="7", channel="WEB")
    assert (same["compare_result"], same["scale"], same["threshold"]) == ("Same person", 100, 40)
    assert (same["reference"], same["channel"]) == ("7", "WEB")
    other = await call("compare_faces", engine=engine, path=anna, other_path=put("bob", pictures.panorama("bob")))
    assert other["compare_result"] == "Different person"
    assert other["compare_similarity"] == pytest.approx(other["score"] / 100)
    live = await call("check_liveness", engine=engine, path=anna)
    assert (live["liveness"], live["codes"]) == ("live", [])
    spoof = await call("check_liveness", engine=engine, path=put("s", pictures.panorama("anna", photo=True)))
    assert spoof["liveness"] == "spoof"


async def test_no_face(smartface_entry: MockConfigEntry, call: Call, put: Callable[[str, bytes], str]) -> None:
    """Said with the picture's number; for a search it is an answer like another."""
    engine, empty = smartface_entry.entry_id, put("empty", pictures.sample("empty"))
    anna = put("anna", pictures.panorama("anna"))
    assert (await call("recognize", engine=engine, path=empty))["faces"] == []
    with pytest.raises(HomeAssistantError) as caught:
        await call("compare_faces", engine=engine, path=anna, other_path=empty)
    assert caught.value.translation_key == "no_face"


async def test_testing_with_a_server(
    hass: HomeAssistant, smartface_entry: MockConfigEntry, call: Call, put: Callable[[str, bytes], str]
) -> None:
    """A folder of pictures; one that is none says nothing against the others."""
    people = await async_get_people(hass)
    await name_somebody(people, "anna")
    await synced(people, smartface_entry)
    put("anna", pictures.panorama("anna"))
    put("spoof", pictures.panorama("anna", photo=True))
    put("carol", pictures.panorama("carol"))
    folder = str(Path(put("broken", b"no picture")).parent)
    answer = await call("test_recognition", engine=smartface_entry.entry_id, path=folder)
    assert (answer["pictures"], answer["unreadable"], answer["faces"]) == (3, 1, 3)
    assert answer["outcomes"] == {"recognised": 1, "spoof": 1, "stranger": 1}
    assert answer["people"] == [{"person_id": "anna", "person": "Anna", "pictures": 1}]


async def test_opencv_fr_gives_no_score_of_a_comparison(
    opencv: SimulatedOpenCvFr, opencv_entry: MockConfigEntry, call: Call, put: Callable[[str, bytes], str]
) -> None:
    engine, anna = opencv_entry.entry_id, put("anna", large("anna"))
    answer = await call("compare_faces", engine=engine, path=anna, other_path=anna)
    assert answer["compare_result"] == "Same person"
    assert (answer["score"], answer["compare_similarity"]) == (None, None)
    assert (await call("check_liveness", engine=engine, path=anna))["liveness"] == "live"


@pytest.mark.parametrize("action", ["recognize", "test_recognition"])
async def test_kby_searches_nobody(
    kby: SimulatedKby, kby_entry: MockConfigEntry, call: Call, put: Callable[[str, bytes], str], action: str
) -> None:
    """What a server cannot do is refused by name; the rest works."""
    path = put("anna", large("anna"))
    with pytest.raises(ServiceValidationError) as caught:
        await call(action, engine=kby_entry.entry_id, path=path if action == "recognize" else str(Path(path).parent))
    assert caught.value.translation_key == "engine_not_able"
    assert caught.value.translation_placeholders == {
        "engine": "KBY-AI (127.0.0.1)",
        "action": f"face_access.{action}",
    }
    same = await call("compare_faces", engine=kby_entry.entry_id, path=path, other_path=path)
    assert same["compare_result"] == "Same person"
    assert (await call("check_liveness", engine=kby_entry.entry_id, path=path))["liveness"] == "live"


@pytest.mark.parametrize("engine", ["nobody", "people"])
async def test_an_engine_that_is_none(
    hass: HomeAssistant,
    web: str,
    smartface_entry: MockConfigEntry,
    call: Call,
    put: Callable[[str, bytes], str],
    engine: str,
) -> None:
    """No entry at all, or that of something else."""
    if engine == "people":
        await hass.services.async_call(DOMAIN, "add_person", {"name": "Anna", "card": 1}, blocking=True)
        (found,) = (entry for entry in hass.config_entries.async_entries(DOMAIN) if "people" in entry.data)
        engine = found.entry_id
    with pytest.raises(ServiceValidationError) as caught:
        await call("recognize", engine=engine, path=put("anna", pictures.panorama("anna")))
    assert caught.value.translation_key == "engine_none"
    await settle(hass)


async def test_a_server_that_is_not_set_up(
    hass: HomeAssistant, smartface_entry: MockConfigEntry, call: Call, put: Callable[[str, bytes], str]
) -> None:
    await hass.config_entries.async_unload(smartface_entry.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await call("recognize", engine=smartface_entry.entry_id, path=put("anna", pictures.panorama("anna")))
    assert caught.value.translation_key == "engine_not_loaded"


async def test_a_server_that_is_away_shows_so_at_once(
    hass: HomeAssistant,
    smartface: SimulatedSmartFace,
    smartface_entry: MockConfigEntry,
    call: Call,
    put: Callable[[str, bytes], str],
) -> None:
    """An action finds out before the next look at the server does, and finds out first when it is back."""
    path = put("anna", pictures.panorama("anna"))
    await smartface.stop()
    with pytest.raises(HomeAssistantError) as caught:
        await call("recognize", engine=smartface_entry.entry_id, path=path)
    assert caught.value.translation_key == "engine_cannot_connect"
    online = "binary_sensor.smartface_127_0_0_1_online"
    assert hass.states.get(online).state == "off"
    await smartface.start()
    await call("recognize", engine=smartface_entry.entry_id, path=path)
    assert hass.states.get(online).state == "on"


async def test_a_login_that_counts_no_more_is_asked_for(
    hass: HomeAssistant,
    opencv: SimulatedOpenCvFr,
    opencv_entry: MockConfigEntry,
    call: Call,
    put: Callable[[str, bytes], str],
) -> None:
    opencv.api_key = "another"
    with pytest.raises(HomeAssistantError) as caught:
        await call("check_liveness", engine=opencv_entry.entry_id, path=put("anna", large("anna")))
    assert caught.value.translation_key == "engine_auth"
    await hass.async_block_till_done()
    assert [flow["step_id"] for flow in hass.config_entries.flow.async_progress()] == ["server_login"]


# Records of scans


@pytest.mark.usefixtures("current_request_with_host")
async def test_scans(
    hass: HomeAssistant,
    service: SimulatedFaceScan,
    face_scan_entry: MockConfigEntry,
    call: Call,
    put: Callable[[str, bytes], str],
) -> None:
    """Made, read, listed and changed."""
    engine, anna = face_scan_entry.entry_id, put("anna", pictures.panorama("anna"))
    made = await call("create_scan", engine=engine, path=anna, other_path=anna, reference="0002", channel="WEB")
    assert (made["reference"], made["channel"], made["result"]) == ("0002", "WEB", True)
    assert made["similarity"] > 0.7
    assert len(made["faces"]) == 2
    read = await call("get_scan", engine=engine, scan_id=made["id"])
    assert (read["id"], read["sales_channel"], read["compare_result"]) == (made["id"], "WEB", "Same person")
    listed = await call("list_scans", engine=engine, page=0, size=10, query={"sort": "createdDate"})
    assert ([each["id"] for each in listed["scans"]], listed["total"], listed["last"]) == ([made["id"]], 1, True)
    changed = await call("update_scan", engine=engine, scan_id=made["id"], compare_result="Checked by hand")
    assert changed["compare_result"] == "Checked by hand"
    assert service.records[made["id"]]["salesChannel"] == "WEB"


@pytest.mark.usefixtures("current_request_with_host")
async def test_comparing_with_the_service(
    service: SimulatedFaceScan, face_scan_entry: MockConfigEntry, call: Call, put: Callable[[str, bytes], str]
) -> None:
    """Without notes it is a comparison like any other, with them a record that can be found."""
    engine, anna, bob = (
        face_scan_entry.entry_id,
        put("a", pictures.panorama("anna")),
        put("b", pictures.panorama("bob")),
    )
    plain = await call("compare_faces", engine=engine, path=anna, other_path=bob)
    assert (plain["compare_result"], plain["scale"]) == ("Different person", 1)
    assert plain["id"] in service.records
    noted = await call("compare_faces", engine=engine, path=anna, other_path=bob, channel="mobile", similarity="high")
    assert service.records[noted["id"]]["salesChannel"] == "MOBILE"
    assert (noted["channel"], noted["reference"]) == ("MOBILE", "Home Assistant")
    assert noted["created"] == service.records[noted["id"]]["createdDate"]
    assert noted.keys() == plain.keys()
    assert (noted["compare_result"], noted["scale"], noted["threshold"]) == ("Different person", 1, 0.8)
    assert (noted["score"], noted["face1"]) == (plain["score"], plain["face1"])
    kept = len(service.records)
    with pytest.raises(HomeAssistantError) as caught:
        await call("compare_faces", engine=engine, path=anna, other_path=bob, channel="door 7")
    assert (caught.value.translation_key, len(service.records)) == ("engine_refused", kept)


@pytest.mark.usefixtures("current_request_with_host")
async def test_scans_that_go_wrong(
    hass: HomeAssistant,
    service: SimulatedFaceScan,
    face_scan_entry: MockConfigEntry,
    smartface_entry: MockConfigEntry,
    call: Call,
    put: Callable[[str, bytes], str],
) -> None:
    """A record that is not there, an id that is none, nothing to change, no credit left, another kind of server."""
    engine = face_scan_entry.entry_id
    anna = put("anna", pictures.panorama("anna"))
    nowhere = "00000000-0000-4000-8000-000000000000"
    for action, data, key in (
        ("get_scan", {"scan_id": nowhere}, "engine_not_found"),
        ("get_scan", {"scan_id": "seven"}, "engine_refused"),
        ("update_scan", {"scan_id": nowhere}, "nothing_to_change"),
        ("update_scan", {"scan_id": nowhere, "elapsed_time": 1}, "engine_not_found"),
    ):
        with pytest.raises(HomeAssistantError) as caught:
            await call(action, engine=engine, **data)
        assert caught.value.translation_key == key
    service.use_up_quota()
    with pytest.raises(HomeAssistantError) as caught:
        await call("create_scan", engine=engine, path=anna, other_path=anna, reference="1")
    assert caught.value.translation_key == "engine_limit"
    with pytest.raises(ServiceValidationError) as refused:
        await call("list_scans", engine=smartface_entry.entry_id)
    assert refused.value.translation_key == "engine_not_able"


@pytest.mark.parametrize("action", ["recognize", "list_scans"])
async def test_for_administrators_alone(
    hass: HomeAssistant,
    smartface_entry: MockConfigEntry,
    hass_read_only_user: MockUser,
    put: Callable[[str, bytes], str],
    action: str,
) -> None:
    data = {"engine": smartface_entry.entry_id}
    if action == "recognize":
        data["path"] = put("anna", pictures.panorama("anna"))
    with pytest.raises(Unauthorized):
        await hass.services.async_call(
            DOMAIN, action, data, blocking=True, return_response=True, context=Context(user_id=hass_read_only_user.id)
        )

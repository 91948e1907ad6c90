"""OpenCV FR Server: the engine on the simulated server, and each quirk of its pages by name."""

from collections.abc import Awaitable, Callable
import json
from typing import Any

import aiohttp
import pytest

from custom_components.face_access.access import Role, Similarity
from custom_components.face_access.recognition.errors import (
    DuplicateError,
    EngineAuthError,
    EngineError,
    EngineFaultError,
    EngineForbiddenError,
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnableError,
    NoFaceError,
    PhotoRefusedError,
    PictureError,
)
from custom_components.face_access.recognition.interface import Member, RemoteEngine
from custom_components.face_access.recognition.opencv_fr import (
    Checks,
    OpenCvFrClient,
    OpenCvFrSettings,
    Storage,
    answers,
    opencv_fr_engine,
)
from custom_components.face_access.recognition.opencv_fr.client import Enrolment
from custom_components.face_access.recognition.opencv_fr.codes import LivenessError
from custom_components.face_access.recognition.remote.words import Unfit
from custom_components.face_access.recognition.results import FaceLiveness
from simulators.opencv_fr import SHAPES, SimulatedOpenCvFr

from .conftest import NO_PICTURE, empty, face, pair, png
from .scripted import ScriptedServer

type Start = Callable[..., Awaitable[Any]]
KEY = "sim-key"
ALICE = Member(key="Kx1", name="Alice Gardner", metadata={"household": "1"})
BOB = Member(key="Kx2", name="Dora", role=Role.BLOCKED)


@pytest.fixture
async def server(started: Start) -> SimulatedOpenCvFr:
    made: SimulatedOpenCvFr = await started(SimulatedOpenCvFr())
    return made


@pytest.fixture
def engine(session: aiohttp.ClientSession, server: SimulatedOpenCvFr) -> RemoteEngine:
    return engine_on(session, server.url)


@pytest.fixture
def client(session: aiohttp.ClientSession, scripted: ScriptedServer) -> OpenCvFrClient:
    """Talk to the server whose answers the test writes."""
    return OpenCvFrClient(session, scripted.url, KEY)


def engine_on(session: aiohttp.ClientSession, url: str, key: str = KEY, **settings: Any) -> RemoteEngine:
    return opencv_fr_engine(OpenCvFrClient(session, url, key), OpenCvFrSettings(collection="house", **settings))


async def put(engine: RemoteEngine, member: Member, *photos: bytes) -> None:
    assert engine.register is not None
    await engine.register.put(member, photos)


async def look(engine: RemoteEngine, picture: bytes, **more: Any) -> Any:
    assert engine.search is not None
    return await engine.search.search(picture, Similarity.NORMAL, **more)


@pytest.fixture
async def house(engine: RemoteEngine, server: SimulatedOpenCvFr) -> RemoteEngine:
    await engine.probe()
    await put(engine, ALICE, face("Alice"))
    await put(engine, BOB, face("Dora"))
    return engine


# Address and login.


async def test_probing_makes_the_collection_once(engine: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    info = await engine.probe()
    assert (info.name, info.version) == ("OpenCV FR Server", None)
    await engine.probe()
    assert list(server.collections) == ["house"]


async def test_wrong_key_is_an_auth_error(session: aiohttp.ClientSession, server: SimulatedOpenCvFr) -> None:
    with pytest.raises(EngineAuthError) as caught:
        await engine_on(session, server.url, "another-key").probe()
    assert "another-key" not in str(caught.value)


@pytest.mark.parametrize("code", ["ERR_API_KEY_NOT_PRESENT", "ERR_API_KEY_NOT_VALID"])
@pytest.mark.parametrize("status", [200, 400, 401, 403, 500])
async def test_key_errors_go_by_their_code_since_their_status_is_unknown(
    client: OpenCvFrClient, scripted: ScriptedServer, code: str, status: int
) -> None:
    scripted.answers((status, {"code": code, "message": "no"}))
    with pytest.raises(EngineAuthError):
        await client.create_collection("house")


@pytest.mark.parametrize("key", ["", "  ", "two\nlines", "schlüssel", "nul\0"])
def test_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(EngineAuthError):
        OpenCvFrClient(None, "http://127.0.0.1:1", key)  # type: ignore[arg-type]


async def test_restarts_use_up_the_instances_of_the_licence(engine: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    for _ in range(5):
        server.restart()
    with pytest.raises(EngineLimitError) as caught:
        await engine.probe()
    assert caught.value.code == "ERR_NUMBER_OF_AVAILABLE_INSTANCES_EXCEEDED"


async def test_licence_and_database(engine: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    server.expire_licence()
    with pytest.raises(EngineLimitError):
        await engine.probe()
    server.expire_licence(expired=False)
    server.lose_database()
    with pytest.raises(EngineFaultError):
        await engine.probe()
    server.lose_database(lost=False)
    await engine.probe()


async def test_base_path_of_the_address_is_kept(session: aiohttp.ClientSession, scripted: ScriptedServer) -> None:
    scripted.answers({"name": "house", "num_persons": 0})
    await OpenCvFrClient(session, f"{scripted.url}/fr/", f" {KEY} ").create_collection("house")
    (asked,) = scripted.asked
    assert asked.path == "/fr/collection"
    assert asked.headers["x-api-key"] == KEY
    assert asked.headers["Content-Type"] == "application/json"


async def test_another_base_is_no_missing_collection(client: OpenCvFrClient, scripted: ScriptedServer) -> None:
    scripted.answers((404, {"detail": "Not Found"}))
    with pytest.raises(EngineProtocolError):
        await client.delete_collection("house")


# Collections.


async def test_deleting_a_collection_sends_a_body_and_reads_none(
    client: OpenCvFrClient, scripted: ScriptedServer
) -> None:
    scripted.answers((200, ""))
    await client.delete_collection("house")
    assert (scripted.asked[0].method, scripted.asked[0].json) == ("DELETE", {"name": "house"})


async def test_proxy_that_drops_the_body_of_a_delete(client: OpenCvFrClient, scripted: ScriptedServer) -> None:
    scripted.answers((422, {"detail": [{"loc": ["body"], "msg": "Field required"}]}))
    with pytest.raises(EngineRefusedError) as caught:
        await client.delete_collection("house")
    assert caught.value.code == "HTTP 422"


async def test_deleting_a_collection_deletes_its_people(
    session: aiohttp.ClientSession, house: RemoteEngine, server: SimulatedOpenCvFr
) -> None:
    await OpenCvFrClient(session, server.url, KEY).delete_collection("house")
    assert server.collections == {}
    with pytest.raises(EngineNotFoundError):
        await look(house, face("Alice"))


@pytest.mark.parametrize("name", ["", "a b", "straße", "a/b", "x" * 101])
def test_name_that_no_collection_can_have(name: str) -> None:
    client = OpenCvFrClient(None, "http://127.0.0.1:1", KEY)  # type: ignore[arg-type]
    with pytest.raises(EngineRefusedError) as caught:
        opencv_fr_engine(client, OpenCvFrSettings(collection=name))
    assert caught.value.code == "ERR_INVALID_COLLECTION_NAME"


async def test_creating_tells_how_many_are_in_it(client: OpenCvFrClient, scripted: ScriptedServer) -> None:
    scripted.answers({"name": "house", "num_persons": 7}, {"name": "house", "num_persons": "many"})
    assert await client.create_collection("house") == 7
    assert await client.create_collection("house") == 0


# Enrolment.


async def test_people_are_enrolled_with_all_that_the_page_requires(
    house: RemoteEngine, server: SimulatedOpenCvFr
) -> None:
    alice, bob = server.collections["house"].values()
    assert (alice.name, alice.metadata) == ("Alice Gardner", {"household": "1", "role": "normal"})
    assert (bob.metadata, bob.storage) == ({"role": "blocked"}, "NoStorage")


async def test_photos_are_stored_only_where_that_is_wanted(
    session: aiohttp.ClientSession, server: SimulatedOpenCvFr
) -> None:
    engine = engine_on(session, server.url, storage=Storage.PICTURE)
    await put(engine, ALICE, face("Alice"))
    assert server.collections["house"]["Kx1"].storage == "StoreFullImage"


async def test_enrolling_into_a_missing_collection_makes_it(engine: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    await put(engine, ALICE, face("Alice"))
    assert list(server.collections["house"]) == ["Kx1"]


async def test_key_is_case_sensitive(house: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    await put(house, Member(key="kX1", name="Carol"), face("Carol"))
    assert list(server.collections["house"]) == ["Kx1", "Kx2", "kX1"]


async def test_renaming_wants_the_photo_again(house: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    assert house.register is not None
    assert house.photos_always
    renamed = Member(key="Kx1", name="Alice Miller")
    with pytest.raises(EngineUnableError):
        await house.register.put(renamed, None)
    await house.register.put(renamed, (face("Alice"),))
    assert server.collections["house"]["Kx1"].name == "Alice Miller"


@pytest.mark.parametrize("replaces", [True, False])
async def test_second_enrolment_may_replace_or_add_a_face(
    engine: RemoteEngine, server: SimulatedOpenCvFr, replaces: bool
) -> None:
    """Either way the person is found, once."""
    server.replaces = replaces
    await put(engine, ALICE, face("Alice"))
    await put(engine, ALICE, png("Alice"))
    (seen,) = await look(engine, face("Alice"))
    assert [match.key for match in seen.matches] == ["Kx1"]


async def test_first_photo_that_will_do_is_taken(engine: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    await put(engine, ALICE, empty(), pair("Alice", "Dora"), face("Alice"), face("Dora"))
    (seen,) = await look(engine, face("Alice"))
    assert seen.matches[0].key == "Kx1"
    assert server.count("/person") == 4  # one for the collection that was missing


@pytest.mark.parametrize(
    ("photos", "reason"),
    [
        ((empty(),), Unfit.NO_FACE),
        ((pair("Alice", "Dora"),), Unfit.SEVERAL_FACES),
        ((NO_PICTURE,), Unfit.NOT_A_PICTURE),
        ((), Unfit.NO_FACE),
    ],
)
async def test_photo_that_is_refused_says_why(engine: RemoteEngine, photos: tuple[bytes, ...], reason: Unfit) -> None:
    await engine.probe()
    with pytest.raises(PhotoRefusedError) as caught:
        await put(engine, ALICE, *photos)
    assert caught.value.reasons == (reason,)


async def test_photo_that_is_no_picture_is_not_sent(engine: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    await engine.probe()
    with pytest.raises(PictureError):
        await put(engine, ALICE, b"GIF89a")
    assert server.count("/person") == 0


async def test_duplicate_face_is_refused_where_that_is_checked(
    session: aiohttp.ClientSession, house: RemoteEngine, server: SimulatedOpenCvFr
) -> None:
    checking = engine_on(session, server.url, checks=Checks(duplicates=0.7))
    again = Member(key="Kx9", name="Alice again")
    with pytest.raises(DuplicateError):
        await put(checking, again, face("Alice"))
    await put(checking, ALICE, face("Alice"))  # their own face is none
    await put(house, again, face("Alice"))
    assert len(server.collections["house"]) == 3


async def test_duplicate_may_have_no_code(client: OpenCvFrClient, scripted: ScriptedServer) -> None:
    scripted.answers((409, {"message": "Another person with a similar face already exists in the collection"}))
    with pytest.raises(DuplicateError):
        await client.enrol("house", Enrolment(key="k", name="n", photo=face("Alice")))


async def test_photo_of_a_photo_is_refused_where_that_is_checked(
    session: aiohttp.ClientSession, server: SimulatedOpenCvFr
) -> None:
    checking = engine_on(session, server.url, checks=Checks(liveness=True))
    with pytest.raises(LivenessError) as caught:
        await put(checking, ALICE, face("Alice", photo=True))
    assert caught.value.spoof
    assert caught.value.reasons == (Unfit.NOT_LIVE,)
    await put(checking, ALICE, face("Alice"))


async def test_missing_collection_has_no_code_but_a_message(client: OpenCvFrClient, scripted: ScriptedServer) -> None:
    scripted.answers((400, {"message": "The requested entity could not be found."}))
    with pytest.raises(EngineNotFoundError):
        await client.enrol("house", Enrolment(key="k", name="n", photo=face("Alice")))


async def test_enrolling_somebody_else_is_an_error(client: OpenCvFrClient, scripted: ScriptedServer) -> None:
    scripted.answers({"person_id": "K", "person_name": "n", "face_base_64": "", "metadata": {}})
    with pytest.raises(EngineProtocolError):
        await client.enrol("house", Enrolment(key="k", name="n", photo=face("Alice")))


# The register, which cannot be read.


async def test_register_can_neither_list_nor_remove(house: RemoteEngine) -> None:
    register = house.register
    assert register is not None
    assert (register.lists, register.deletes) == (False, False)
    assert [member async for member in register.all()] == []
    assert await register.find("Kx1") is None
    assert register.as_held(ALICE) is ALICE
    with pytest.raises(EngineUnableError):
        await register.remove("Kx1")


@pytest.mark.parametrize("bulk", ["failed", "all"])
@pytest.mark.parametrize("names", [True, False])
async def test_bulk_answer_may_list_all_or_those_who_failed(
    house: RemoteEngine, server: SimulatedOpenCvFr, bulk: str, names: bool
) -> None:
    """And say who each is, or not; then nobody counts as enrolled unless it is clear that they are."""
    server.bulk, server.bulk_names = bulk, names
    carol, dan = Member(key="Kx3", name="Carol"), Member(key="Kx4", name="Dan")
    everybody = [(ALICE, (empty(), face("Alice"))), (carol, (face("Gustav"),)), (dan, (empty(),)), (BOB, ())]
    assert house.empty is not None
    assert house.enrol_many is not None
    await house.empty()
    held = await house.enrol_many(everybody)
    assert held == (set() if bulk == "failed" and not names else {"Kx3"})
    assert set(server.collections["house"]) == {"Kx3"}
    assert await house.enrol_many([(BOB, ())]) == frozenset()
    assert server.count("/persons") == 1


async def test_emptying_forgets_everybody(house: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    """Also where somebody else has deleted the collection meanwhile."""
    assert house.empty is not None
    await put(house, ALICE, face("Alice"))
    await house.empty()
    assert server.collections == {"house": {}}
    server.collections.clear()
    await house.empty()
    assert server.collections == {"house": {}}
    assert house.register is not None
    assert not house.register.anew


async def test_bulk_makes_a_collection_that_is_lost(house: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    server.collections.clear()
    assert house.enrol_many is not None
    assert await house.enrol_many([(ALICE, (face("Alice"),)), (BOB, (face("Dora"),))]) == {"Kx1", "Kx2"}
    assert house.register is not None
    assert house.register.anew


def test_bulk_checks_nothing_so_checked_people_go_one_by_one(session: aiohttp.ClientSession) -> None:
    for checks in (Checks(duplicates=0.7), Checks(liveness=True)):
        assert engine_on(session, "http://127.0.0.1:1", checks=checks).enrol_many is None


async def test_bulk_that_breaks_off_says_so(house: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    assert house.enrol_many is not None
    everybody = [(ALICE, (face("Alice"),)), (BOB, (face("Dora"),))]
    server.fail(path="/persons", status=500, body="broken")
    with pytest.raises(EngineFaultError):
        await house.enrol_many(everybody)
    database = [{"code": "ERR_DATABASE_ERROR", "message": "", "metadata": {}}] * 2
    server.fail(path="/persons", status=200, body=json.dumps(database), content_type="application/json")
    with pytest.raises(EngineFaultError):
        await house.enrol_many(everybody)
    server.fail(path="/persons", status=413)
    with pytest.raises(PhotoRefusedError):
        await house.enrol_many(everybody)


# Search.


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("liveness", [True, False])
async def test_answer_of_a_search_is_in_no_document(
    house: RemoteEngine, server: SimulatedOpenCvFr, shape: str, liveness: bool
) -> None:
    server.shape = shape
    (seen,) = await look(house, face("Alice"), liveness=liveness)
    (match,) = seen.matches
    assert (match.key, match.name, match.group) == ("Kx1", "Alice Gardner", "house")
    assert (match.score.maximum, match.score.threshold) == (1, 0.7)
    assert match.score.value > 0.9
    assert seen.liveness.state is (FaceLiveness.LIVE if liveness else FaceLiveness.NOT_CHECKED)
    assert (seen.box is None) == (liveness or shape == "bare")
    (stranger,) = await look(house, face("Carol"), liveness=liveness)
    assert stranger.matches == ()


ONE = {"person_id": "a", "similarity": 0.9}


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ([], []),
        ([ONE], ["a"]),
        ([{"id": "a", "score": 1}], ["a"]),
        ([{"person_id": "a", "person": {"person_name": "A"}, "match_score": 0.7}], ["a"]),
        ({"data": [ONE], "count": 1}, ["a"]),
        ([{**ONE, "person_id": "b", "similarity": 0.8}, ONE], ["a", "b"]),
        ([ONE, {**ONE, "similarity": 0.95}], ["a"]),
        ([{**ONE, "similarity": 0.69}], []),
        ([{**ONE, "person_name": ""}], ["a"]),
    ],
)
def test_candidates_by_plausible_names(body: Any, keys: list[str]) -> None:
    """The best first, each person once, and nobody below what was asked for."""
    assert [match.key for match in answers.matches(body, "house", 0.7, 3)] == keys


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"result": "none"},
        ["a"],
        [{}],
        [{"person_id": "a"}],
        [{"similarity": 0.9}],
        [{"person_id": "", "similarity": 0.9}],
        [{"person_id": 7, "similarity": 0.9}],
        [{"person_id": "a", "similarity": "0.9"}],
        [{"person_id": "a", "similarity": 90}],
        [{"person_id": "a", "similarity": -0.1}],
        [{"person_id": "a", "similarity": True}],
        [{"person_id": "a", "distance": 0.1}],
        [{"person_id": "a", "min_similarity_score": 0.9}],
        [{"person_id": "a", "similarity": 0.9, "person_name": 7}],
    ],
    ids=repr,
)
def test_answer_that_fits_no_plausible_name_is_an_error_and_never_nobody(body: Any) -> None:
    for read in (answers.matches, answers.faces):
        with pytest.raises(EngineProtocolError):
            read(body, "house", 0.7, 3)


@pytest.mark.parametrize(
    ("box", "wanted"),
    [
        ({"x": 1, "y": 2, "width": 3, "height": 4}, (1, 2, 3, 4)),
        ({"left": 1, "top": 2, "right": 4, "bottom": 6}, (1, 2, 3, 4)),
        ({"x1": 1, "y1": 2, "x2": 4, "y2": 6}, (1, 2, 3, 4)),
        ({"x_min": 1, "y_min": 2, "x_max": 4, "y_max": 6}, (1, 2, 3, 4)),
        ({"x": 1, "y": 2, "width": 0, "height": 4}, None),
        ({"left": 4, "top": 2, "right": 1, "bottom": 6}, None),
        ({"left": -1.7e308, "top": 2, "right": 1.7e308, "bottom": 6}, None),
        ({"x": 1e308, "y": 2, "width": 3, "height": 4}, None),
        ({"left": "4", "top": 2, "right": 1, "bottom": 6}, None),
        ({"cx": 1, "cy": 2}, None),
        ([1, 2, 3, 4], None),
        (None, None),
    ],
)
def test_box_of_a_face_is_read_where_it_can_be(box: Any, wanted: tuple[int, ...] | None) -> None:
    (seen,) = answers.faces([{"bounding_box": box, "matches": [ONE]}], "house", 0.7, 3)
    found = seen.box and (seen.box.x, seen.box.y, seen.box.width, seen.box.height)
    assert found == wanted
    assert [match.key for match in seen.matches] == ["a"]
    if wanted:
        assert answers.faces([{"bounding_box": box}], "house", 0.7, 3)[0].matches == ()
    else:
        with pytest.raises(EngineProtocolError):
            answers.faces([{"bounding_box": box}], "house", 0.7, 3)


@pytest.mark.parametrize(
    "body", [[{"matches": [ONE]}] * 51, {"faces": [[]] * 51}, [{"matches": [ONE] * 201}], {"results": [ONE] * 201}]
)
def test_more_than_a_picture_has_is_no_answer(body: Any) -> None:
    with pytest.raises(EngineProtocolError, match="has more than"):
        answers.faces(body, "house", 0.7, 3)


def test_plain_list_for_several_faces_is_one_face() -> None:
    """Nobody is told to be there for having been the second candidate."""
    (seen,) = answers.faces([ONE, {**ONE, "person_id": "b", "similarity": 0.8}], "house", 0.7, 1)
    assert [match.key for match in seen.matches] == ["a"]


@pytest.mark.parametrize("answer", [None, [], {}, {"is_match": None}, {"is_match": "true"}, {"is_match": 2}], ids=repr)
def test_verdict_that_is_none(answer: Any) -> None:
    with pytest.raises(EngineProtocolError):
        answers.is_match(answer)


async def test_several_faces_the_largest_first(house: RemoteEngine) -> None:
    assert house.several
    seen = await look(house, pair("Dora", "Carol", "Alice"))
    assert [[match.key for match in one.matches] for one in seen] == [["Kx2"], [], ["Kx1"]]


async def test_search_for_one_face_alone(
    session: aiohttp.ClientSession, house: RemoteEngine, server: SimulatedOpenCvFr
) -> None:
    """For a server whose search for several faces is not what we think it is."""
    single = engine_on(session, server.url, several=False)
    assert not single.several
    (seen,) = await look(single, face("Alice"))
    assert [match.key for match in seen.matches] == ["Kx1"]
    assert (await look(single, face("Alice")))[0].liveness.state is FaceLiveness.NOT_CHECKED
    for liveness in (True, False):
        (seen,) = await look(single, pair("Alice", "Dora"), liveness=liveness)
        assert seen.matches == ()
    assert await look(single, empty()) == ()
    with pytest.raises(PictureError):
        await look(single, NO_PICTURE)
    assert server.count("/multi-face-search") == 0


async def test_picture_without_a_face_is_nobody(house: RemoteEngine) -> None:
    assert await look(house, empty()) == ()
    assert await look(house, empty(), liveness=True) == ()


@pytest.mark.parametrize("code", ["ERR_FACE_NOT_DETECTED", "ERR_NO_FACE_DETECTED"])
async def test_search_of_several_may_refuse_a_picture_without_a_face(
    session: aiohttp.ClientSession, scripted: ScriptedServer, code: str
) -> None:
    scripted.answers((400, {"code": code, "message": ""}))
    assert await look(engine_on(session, scripted.url), empty()) == ()


async def test_picture_that_the_server_cannot_read(house: RemoteEngine) -> None:
    for liveness in (True, False):
        with pytest.raises(PictureError):
            await look(house, NO_PICTURE, liveness=liveness)


async def test_nobody_found_says_nothing_of_a_live_face(house: RemoteEngine) -> None:
    (seen,) = await look(house, face("Carol"), liveness=True)
    assert seen.matches == ()
    assert seen.liveness.state is FaceLiveness.UNKNOWN


async def test_photo_of_somebody_is_a_spoof_and_nobody(house: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    (seen,) = await look(house, face("Alice", photo=True), liveness=True)
    assert seen.liveness.state is FaceLiveness.SPOOF
    assert seen.matches == ()
    assert server.count("/multi-face-search") == 0


async def test_unsuitable_picture_is_never_a_spoof(house: RemoteEngine) -> None:
    (seen,) = await look(house, face("Dora", mask=True), liveness=True)
    assert seen.liveness.state is FaceLiveness.UNKNOWN
    assert seen.liveness.reasons == (Unfit.COVERED,)


async def test_liveness_of_several_faces_cannot_be_told_but_their_names_can(house: RemoteEngine) -> None:
    seen = await look(house, pair("Alice", "Dora"), liveness=True)
    assert [one.matches[0].key for one in seen] == ["Kx1", "Kx2"]
    for one in seen:
        assert one.liveness.state is FaceLiveness.UNKNOWN
        assert one.liveness.reasons == (Unfit.SEVERAL_FACES,)


async def test_several_faces_may_be_refused_before_liveness(
    session: aiohttp.ClientSession, scripted: ScriptedServer
) -> None:
    scripted.answers((400, {"code": "ERR_MULTIPLE_FACES_DETECTED", "message": ""}), {"faces": [[], []]})
    seen = await look(engine_on(session, scripted.url), pair("Alice", "Dora"), liveness=True)
    assert [one.liveness.reasons for one in seen] == [(Unfit.SEVERAL_FACES,)] * 2


async def test_detail_that_is_nested_without_end(client: OpenCvFrClient, scripted: ScriptedServer) -> None:
    deep: Any = {"code": "FACE_NOT_LIVE"}
    for _ in range(9):
        deep = [deep]
    scripted.answers((400, {"code": "ERR_LIVENESS_ERROR", "metadata": deep}))
    with pytest.raises(LivenessError) as caught:
        await client.compare(face("Alice"), face("Alice"), threshold=0.7, liveness=True)
    assert caught.value.reasons == (Unfit.UNCLEAR,)


DETAILS = {
    "EYES_CLOSED": Unfit.EYES_CLOSED,
    "FACE_CLOSE_TO_BORDER": Unfit.NEAR_BORDER,
    "FACE_CROPPED": Unfit.CUT_OFF,
    "FACE_TOO_CLOSE": Unfit.FACE_TOO_CLOSE,
    "FACE_ANGLE_TOO_LARGE": Unfit.TURNED_AWAY,
    "FACE_IS_OCCLUDED": Unfit.COVERED,
    "FACE_TOO_SMALL": Unfit.FACE_TOO_SMALL,
    "TOO_MANY_FACES": Unfit.SEVERAL_FACES,
    "UNKNOWN_ERROR": Unfit.UNCLEAR,
    "SOMETHING_NEWER": Unfit.UNCLEAR,
}


@pytest.mark.parametrize("detail", [*DETAILS, "FACE_NOT_FOUND", "FACE_NOT_LIVE"])
@pytest.mark.parametrize(
    "metadata",
    [
        lambda detail: {"code": detail},
        lambda detail: {"any_key": detail},
        lambda detail: {detail: "true"},
        lambda detail: {"errors": [{"reason": f"code={detail}"}]},
        lambda detail: detail,
    ],
    ids=["value", "another key", "key", "nested", "text"],
)
async def test_key_of_a_liveness_detail_is_unknown(
    session: aiohttp.ClientSession, scripted: ScriptedServer, detail: str, metadata: Callable[[str], Any]
) -> None:
    """Only FACE_NOT_LIVE is a spoof, whatever key it stands under."""
    scripted.answers((400, {"code": "ERR_LIVENESS_ERROR", "message": "not live?", "metadata": metadata(detail)}))
    liveness = engine_on(session, scripted.url).liveness
    assert liveness is not None
    if detail == "FACE_NOT_FOUND":
        with pytest.raises(NoFaceError):
            await liveness.check(face("Alice"))
        return
    judged = await liveness.check(face("Alice"))
    if detail == "FACE_NOT_LIVE":
        assert (judged.state, judged.reasons) == (FaceLiveness.SPOOF, ())
    else:
        assert (judged.state, judged.reasons) == (FaceLiveness.UNKNOWN, (DETAILS[detail],))


@pytest.mark.parametrize(
    "metadata", [None, {}, 7, {"code": "FACE_NOT_LIVE || FACE_TOO_SMALL"}, {"a": "FACE_NOT_LIVE", "b": "EYES_CLOSED"}]
)
async def test_only_face_not_live_alone_is_a_spoof(
    session: aiohttp.ClientSession, scripted: ScriptedServer, metadata: Any
) -> None:
    scripted.answers((400, {"code": "ERR_LIVENESS_ERROR", "message": "FACE_NOT_LIVE", "metadata": metadata}))
    liveness = engine_on(session, scripted.url).liveness
    assert liveness is not None
    assert (await liveness.check(face("Alice"))).state is FaceLiveness.UNKNOWN


async def test_licence_error_in_a_liveness_detail_is_no_judgement(
    session: aiohttp.ClientSession, scripted: ScriptedServer
) -> None:
    scripted.answers((400, {"code": "ERR_LIVENESS_ERROR", "message": "", "metadata": {"code": "LICENSE_ERROR"}}))
    liveness = engine_on(session, scripted.url).liveness
    assert liveness is not None
    with pytest.raises(EngineLimitError):
        await liveness.check(face("Alice"))


async def test_threshold_and_number_of_results_are_always_sent(
    session: aiohttp.ClientSession, scripted: ScriptedServer
) -> None:
    """The pages disagree on the defaults."""
    scripted.answers([])
    engine = engine_on(session, scripted.url)
    assert engine.search is not None
    for similarity, threshold in engine.search.thresholds.items():
        for liveness in (True, False):
            await engine.search.search(face("Alice"), similarity, liveness=liveness, limit=4)
            sent = scripted.asked[-1].json
            assert (sent["min_similarity_score"], sent["max_results"]) == (threshold, 4)
            assert sent.get("check_liveness") == (True if liveness else None)
    assert dict(engine.search.thresholds) == {"low": 0.67, "normal": 0.7, "high": 0.8}


async def test_picture_is_plain_base64_in_one_line(session: aiohttp.ClientSession, server: SimulatedOpenCvFr) -> None:
    """With a prefix or line breaks the server would refuse it; where one comes so, they are taken off."""
    import base64

    client = OpenCvFrClient(session, server.url, KEY)
    await client.create_collection("house")
    lines = base64.encodebytes(face("Alice")).decode()
    assert await client.search("house", f"data:image/jpeg;base64,{lines}", threshold=0.7) == ()
    assert await client.compare(lines, face("Alice"), threshold=0.7)
    with pytest.raises(PictureError):
        await client.search("house", "data:image/jpeg;base64,???", threshold=0.7)


# Comparing.


async def test_comparing_gives_a_verdict_without_a_score(engine: RemoteEngine) -> None:
    assert engine.verify is not None
    same = await engine.verify.verify(face("Alice"), png("Alice"), Similarity.HIGH)
    assert (same.matched, same.score, same.first) == (True, None, None)
    assert not (await engine.verify.verify(face("Alice"), face("Dora"), Similarity.LOW)).matched


@pytest.mark.parametrize(("pictures", "missing"), [(("", "Dora"), 1), (("Alice", ""), 2), (("", ""), 1)])
async def test_server_does_not_say_which_picture_has_no_face_but_we_do(
    engine: RemoteEngine, pictures: tuple[str, str], missing: int
) -> None:
    assert engine.verify is not None
    first, second = (face(seed) if seed else empty() for seed in pictures)
    with pytest.raises(NoFaceError) as caught:
        await engine.verify.verify(first, second, Similarity.NORMAL)
    assert caught.value.picture == missing


async def test_comparing_what_cannot_be_compared(engine: RemoteEngine) -> None:
    assert engine.verify is not None
    with pytest.raises(PhotoRefusedError) as caught:
        await engine.verify.verify(pair("Alice", "Dora"), face("Alice"), Similarity.NORMAL)
    assert caught.value.reasons == (Unfit.SEVERAL_FACES,)
    with pytest.raises(PictureError):
        await engine.verify.verify(face("Alice"), NO_PICTURE, Similarity.NORMAL)


async def test_liveness_alone_compares_a_picture_with_itself(engine: RemoteEngine, server: SimulatedOpenCvFr) -> None:
    assert engine.liveness is not None
    assert (await engine.liveness.check(face("Alice"))).state is FaceLiveness.LIVE
    assert (await engine.liveness.check(face("Alice", photo=True))).state is FaceLiveness.SPOOF
    assert (await engine.liveness.check(face("Alice", mask=True))).reasons == (Unfit.COVERED,)
    assert (await engine.liveness.check(pair("Alice", "Dora"))).reasons == (Unfit.SEVERAL_FACES,)
    with pytest.raises(NoFaceError):
        await engine.liveness.check(empty())
    with pytest.raises(PictureError):
        await engine.liveness.check(NO_PICTURE)
    assert server.collections == {}


# Its errors in our words.


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((403, {"code": "ERR_LICENSE_EXPIRED"}), EngineLimitError),
        ((403, {"code": "ERR_CANNOT_CONNECT_TO_TIME_SERVER"}), EngineLimitError),
        ((403, {"code": "ERR_CANNOT_CONNECT_TO_HOME_SERVER"}), EngineLimitError),
        ((413, {"code": "ERR_PAYLOAD_IS_TOO_LARGE"}), PhotoRefusedError),
        ((422, {"code": "ERR_UNPROCESSABLE_CONTENT"}), EngineRefusedError),
        ((418, {"code": "ERR_OF_TOMORROW"}), EngineRefusedError),
        ((200, {"code": "ERR_OF_TOMORROW"}), EngineRefusedError),
        ((404, {"code": "ERR_WHATEVER_IS_NOT_THERE"}), EngineNotFoundError),
        ((401, "<html>"), EngineAuthError),
        ((403, ""), EngineForbiddenError),
        ((404, "<html>"), EngineProtocolError),
        ((405, ""), EngineProtocolError),
        ((409, {}), DuplicateError),
        ((429, "slow down"), EngineLimitError),
        ((402, ""), EngineLimitError),
        ((502, "<html>Bad Gateway"), EngineFaultError),
        ((408, ""), EngineTimeoutError),
        ((504, "<html>"), EngineTimeoutError),
        ((400, [1]), EngineRefusedError),
        ((400, {"code": 7, "message": ["x"]}), EngineRefusedError),
        ((400, {"code": "not a code at all!"}), EngineRefusedError),
        ((200, "half a bo"), EngineProtocolError),
        ((200, "NaN"), EngineProtocolError),
        ((200, "[" * 100_000), EngineProtocolError),
        ((302, ""), EngineProtocolError),
    ],
)
async def test_its_errors_in_our_words(
    client: OpenCvFrClient, scripted: ScriptedServer, answer: Any, kind: type[EngineError]
) -> None:
    scripted.answers(answer)
    with pytest.raises(EngineError) as caught:
        await client.compare(face("Alice"), face("Dora"), threshold=0.7)
    assert type(caught.value) is kind


async def test_neither_key_nor_picture_is_in_an_error(client: OpenCvFrClient, scripted: ScriptedServer) -> None:
    """Servers like to quote what they were sent."""
    picture = "/9j/" + "A" * 500
    scripted.answers((400, {"code": "ERR_X", "message": f"bad {KEY} and\n{picture} \x1b[31m{'long ' * 90}"}))
    with pytest.raises(EngineRefusedError) as caught:
        await client.compare(face("Alice"), face("Dora"), threshold=0.7)
    assert str(caught.value) == "the server refuses (ERR_X)"
    text = caught.value.words
    assert text.startswith("bad … and")
    assert KEY not in text
    assert "AAAA" not in text
    assert text.isprintable()
    assert len(text) < 300


def test_neither_key_nor_picture_is_in_a_repr() -> None:
    client = OpenCvFrClient(None, "http://127.0.0.1:1", KEY)  # type: ignore[arg-type]
    shown = repr([client, Enrolment(key="k", name="Alice", photo=b"JPEG", metadata={"card": "card-17"}), client])
    assert "Alice" not in shown
    assert "JPEG" not in shown
    assert "card-17" not in shown

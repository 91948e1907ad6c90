"""The engine of a house on a simulated server: who is it, is it live, and the register of its people."""

from typing import Any

import pytest

from custom_components.face_access.access import Role, Similarity
from custom_components.face_access.recognition.errors import (
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    NoFaceError,
    PhotoRefusedError,
    PictureError,
)
from custom_components.face_access.recognition.interface import Member, RemoteEngine
from custom_components.face_access.recognition.results import FaceLiveness
from custom_components.face_access.recognition.smartface import THRESHOLDS, EngineOptions, SpoofDetector, Tuning
from simulators._terminal import pictures

from .conftest import (
    JPEG,
    LIST,
    NAMED_LIST,
    VERSION,
    Running,
    ScriptedServer,
    doorstep,
    found_face,
    match,
    portrait,
    problem,
    side_by_side,
)

ANNA = Member(key="anna", name="Anna Ax", metadata={"person": "person.anna"})
BERT = Member(key="bert", name="Bert Bo", role=Role.BLOCKED)
EVERY_RELEASE = pytest.mark.parametrize("version", ["4.25", "4.29", "4.40"])


async def everybody(engine: RemoteEngine) -> list[Member]:
    assert engine.register is not None
    return [member async for member in engine.register.all()]


@EVERY_RELEASE
async def test_people_are_given_found_changed_and_removed(running: Running, version: str) -> None:
    engine = (await running(version)).engine
    assert engine.register
    assert engine.search
    await engine.register.put(ANNA, (portrait("anna"), doorstep("anna")))
    await engine.register.put(BERT, (portrait("bert"),))
    assert await everybody(engine) == [ANNA, BERT]
    assert await engine.register.find("bert") == BERT

    (seen,) = await engine.search.search(doorstep("anna"), Similarity.HIGH)
    (best,) = seen.matches
    assert (best.key, best.name, best.group) == ("anna", "Anna Ax", LIST)
    assert (best.score.maximum, best.score.threshold) == (100, THRESHOLDS[Similarity.HIGH])
    assert best.score.value >= 50
    (stranger,) = await engine.search.search(doorstep("carla"), Similarity.LOW)
    assert stranger.matches == ()

    renamed = Member(key="anna", name="Anna By", role=Role.ALLOWED)
    await engine.register.put(renamed, None)
    assert await engine.register.find("anna") == renamed
    assert (await engine.search.search(doorstep("anna"), Similarity.NORMAL))[0].matches[0].name == "Anna By"

    await engine.register.remove("anna")
    assert await everybody(engine) == [BERT]
    assert (await engine.search.search(doorstep("anna"), Similarity.LOW))[0].matches == ()
    await engine.register.remove("anna")


@EVERY_RELEASE
async def test_new_photos_replace_the_old_ones(running: Running, version: str) -> None:
    trio = await running(version)
    engine = trio.engine
    assert engine.register
    assert engine.search
    await engine.register.put(ANNA, (portrait("anna"), doorstep("anna")))
    old = [face.id async for face in trio.client.members.faces("anna")]
    await engine.register.put(ANNA, (portrait("emil"),))
    new = [face.id async for face in trio.client.members.faces("anna")]
    assert len(old) == 2
    assert len(new) == 1
    assert not {*old} & {*new}
    assert (await engine.search.search(doorstep("anna"), Similarity.LOW))[0].matches == ()
    assert (await engine.search.search(doorstep("emil"), Similarity.NORMAL))[0].matches[0].key == "anna"


async def test_photos_that_do_not_do_are_left_out_of_a_registration(running: Running) -> None:
    for version in ("4.25", "4.40"):
        trio = await running(version)
        assert trio.engine.register
        photos = (pictures.sample("empty"), portrait("anna"), side_by_side("anna", "bert"), doorstep("anna"))
        await trio.engine.register.put(ANNA, photos)
        assert len([face async for face in trio.client.members.faces("anna")]) == 2


async def test_photos_that_do_not_do_leave_the_old_ones_alone(running: Running) -> None:
    for version in ("4.25", "4.40"):
        engine = (await running(version)).engine
        assert engine.register
        assert engine.search
        await engine.register.put(ANNA, (portrait("anna"),))
        with pytest.raises(PhotoRefusedError):
            await engine.register.put(ANNA, (pictures.sample("empty"), side_by_side("anna", "bert")))
        assert (await engine.search.search(doorstep("anna"), Similarity.NORMAL))[0].matches[0].key == "anna"


@pytest.mark.parametrize(
    "photos",
    [(), (pictures.sample("empty"),), (side_by_side("anna", "bert"),)],
    ids=["no photo", "no face", "two faces"],
)
@EVERY_RELEASE
async def test_nobody_is_registered_without_a_photo_that_does(
    running: Running, version: str, photos: tuple[bytes, ...]
) -> None:
    trio = await running(version)
    assert trio.engine.register
    with pytest.raises(PhotoRefusedError) as refused:
        await trio.engine.register.put(ANNA, photos)
    assert refused.value.reasons
    assert trio.server.members == {}


async def test_all_photos_weak_on_a_newer_server_is_the_last_refusal(running: Running) -> None:
    trio = await running("4.40")
    assert trio.engine.register
    with pytest.raises(PhotoRefusedError) as refused:
        await trio.engine.register.put(ANNA, (pictures.sample("poor"), pictures.sample("poor")))
    assert "FaceQuality" in refused.value.words


async def test_a_change_of_nobody_is_refused_instead_of_making_somebody_without_a_face(running: Running) -> None:
    trio = await running()
    assert trio.engine.register
    with pytest.raises(EngineNotFoundError):
        await trio.engine.register.put(ANNA, None)
    assert trio.server.members == {}


async def test_a_member_who_was_taken_off_our_list_is_put_back(running: Running) -> None:
    trio = await running()
    assert trio.engine.register
    await trio.engine.register.put(ANNA, (portrait("anna"),))
    await trio.client.members.unlink(LIST, ["anna"])
    assert await everybody(trio.engine) == []
    await trio.engine.register.put(ANNA, None)
    assert await everybody(trio.engine) == [ANNA]


async def test_a_list_that_somebody_deleted_is_made_again(running: Running) -> None:
    trio = await running()
    assert trio.engine.register
    assert trio.engine.search
    await trio.engine.register.put(ANNA, (portrait("anna"),))
    trio.server.delete_watchlist(LIST)
    (seen,) = await trio.engine.search.search(doorstep("anna"), Similarity.NORMAL)
    assert seen.matches == ()
    assert LIST in trio.server.watchlists
    await trio.engine.register.put(ANNA, (portrait("anna"),))
    (seen,) = await trio.engine.search.search(doorstep("anna"), Similarity.NORMAL)
    assert [found.key for found in seen.matches] == ["anna"]


async def test_a_list_that_is_there_keeps_its_name_and_threshold(running: Running) -> None:
    trio = await running()
    assert trio.engine.register
    await trio.client.watchlists.put(LIST, "The neighbours' own", threshold=77)
    await trio.engine.register.put(ANNA, (portrait("anna"),))
    found = await trio.client.watchlists.get(LIST)
    assert (found.name, found.threshold) == ("The neighbours' own", 77)


async def test_a_note_that_somebody_wrote_on_the_server_stays(running: Running) -> None:
    trio = await running()
    assert trio.engine.register
    await trio.engine.register.put(ANNA, (portrait("anna"),))
    trio.server.members["anna"].facts["note"] = "rings twice"
    await trio.engine.register.put(Member(key="anna", name="Anna By"), None)
    assert (await trio.client.members.get("anna")).note == "rings twice"


async def test_what_is_held_is_what_was_said_to_be_held(running: Running) -> None:
    engine = (await running()).engine
    assert engine.register
    long = Member(
        key="anna",
        name="  " + "A" * 198 + "\ud800 and more",
        role=Role.ALLOWED,
        metadata={
            "k" * 128: "v" * 255 + "\udfff",
            "k" * 129: "no",
            "": "no",
            "long": "v" * 257,
            "face_access_role": "blocked",
        },
    )
    await engine.register.put(long, (portrait("anna"),))
    held = await engine.register.find("anna")
    assert held == engine.register.as_held(long)
    assert held is not None
    assert (held.name, dict(held.metadata)) == ("A" * 198 + "?", {"k" * 128: "v" * 255 + "?"})


async def test_hundreds_of_people_come_in_pages_each_once(running: Running) -> None:
    trio = await running()
    assert trio.engine.register
    await trio.engine.register.put(ANNA, (portrait("anna"),))
    keys = [f"p{number}" for number in range(250)]
    for key in keys:
        trio.server.put_member(key, {"displayName": key})
    trio.server.link(LIST, keys)
    assert [member.key for member in await everybody(trio.engine)] == ["anna", *keys]


async def test_a_burst_of_registrations_is_spread_out(running: Running) -> None:
    trio = await running(burst=1, clock=lambda: now)
    now = 0.0
    assert trio.engine.register

    async def soon(_request: Any, _answer: Any) -> None:
        nonlocal now
        now += 0.23

    trio.server.server.on_exchange = soon
    await trio.engine.register.put(ANNA, (portrait("anna"),))
    await trio.engine.register.put(BERT, (portrait("bert"),))
    tries = [status for _, path, status in trio.server.requests if path.endswith("Register")]
    assert tries == [201, 429, 201]


async def test_a_licence_that_is_used_up_is_said_to_be(running: Running) -> None:
    trio = await running(licence=1)
    assert trio.engine.register
    await trio.engine.register.put(ANNA, (portrait("anna"),))
    with pytest.raises(EngineLimitError) as full:
        await trio.engine.register.put(BERT, (portrait("bert"),))
    assert full.value.code == "licence_limit"


async def test_a_removal_that_did_not_happen_is_no_success(
    scripted: ScriptedServer, scripted_engine: RemoteEngine
) -> None:
    assert scripted_engine.register
    scripted.on("DELETE WatchlistMembers/anna", (204, ""))
    scripted.on("GET WatchlistMembers/anna", (200, {"id": "anna"}))
    with pytest.raises(EngineRefusedError) as refused:
        await scripted_engine.register.remove("anna")
    assert refused.value.code == "not_removed"


async def test_a_registration_without_a_face_in_its_answer_is_refused(
    scripted: ScriptedServer, scripted_engine: RemoteEngine
) -> None:
    assert scripted_engine.register
    scripted.on("GET Version", (200, VERSION))
    scripted.on(f"GET Watchlists/{LIST}", (200, NAMED_LIST))
    scripted.on("GET WatchlistMembers/anna", problem(404))
    scripted.on("POST Watchlists/Search", (200, [found_face()]))
    scripted.on("POST WatchlistMembers/Register", (201, {"id": "anna", "watchlists": [], "faces": []}))
    with pytest.raises(PhotoRefusedError):
        await scripted_engine.register.put(ANNA, (JPEG,))


async def test_a_link_that_is_refused_to_somebody_who_is_not_on_the_list_is_an_error(
    scripted: ScriptedServer, scripted_engine: RemoteEngine
) -> None:
    assert scripted_engine.register
    scripted.on(f"GET Watchlists/{LIST}", (200, NAMED_LIST))
    scripted.on("GET Version", (200, VERSION))
    scripted.on("GET WatchlistMembers/anna", (200, {"id": "anna"}))
    scripted.on("PUT WatchlistMembers", (200, {"id": "anna"}))
    scripted.on("POST WatchlistMembers/LinkToWatchlist", problem(400, "no"), problem(404, "gone"))
    page = {"items": [{"id": "bert"}], "pageSize": 100, "pageNumber": 1, "nextPage": None}
    scripted.on(f"GET Watchlists/{LIST}/WatchlistMembers", (200, page))
    with pytest.raises(EngineRefusedError) as refused:
        await scripted_engine.register.put(ANNA, None)
    assert (type(refused.value), refused.value.words) == (EngineRefusedError, "no")
    with pytest.raises(EngineNotFoundError):
        await scripted_engine.register.put(ANNA, None)


async def test_faces_that_were_gone_already_are_no_trouble(
    scripted: ScriptedServer, scripted_engine: RemoteEngine
) -> None:
    assert scripted_engine.register
    scripted.on("GET Version", (200, {**VERSION, "fullVersion": "v5_4.40.1"}))
    scripted.on(f"GET Watchlists/{LIST}", (200, NAMED_LIST))
    scripted.on("GET WatchlistMembers/anna", (200, {"id": "anna"}))
    scripted.on("PUT WatchlistMembers", (200, {"id": "anna"}))
    scripted.on("POST WatchlistMembers/LinkToWatchlist", (204, ""))
    old, new = "497f6eca-6276-4993-bfeb-53cbbbba6f08", "b12fe1ff-6e7b-48d0-b0e3-b407b5f728e2"
    # A server that knows the photo may give the face that it has: that one must stay.
    faces = {"items": [{"id": old}, {"id": new}], "nextPage": None}
    scripted.on("GET WatchlistMembers/anna/Faces", (200, faces))
    scripted.on("POST WatchlistMembers/anna/AddNewFace", (201, {"id": new}))
    scripted.on("POST WatchlistMembers/anna/RemoveFace", problem(404))
    await scripted_engine.register.put(ANNA, (JPEG,))
    assert [asked.json for asked in scripted.of("WatchlistMembers/anna/RemoveFace")] == [{"faceId": old}]


@EVERY_RELEASE
async def test_several_faces_come_largest_first_each_with_its_own_matches(running: Running, version: str) -> None:
    engine = (await running(version)).engine
    assert engine.register
    assert engine.search
    assert engine.several
    for member, who in ((ANNA, "anna"), (BERT, "bert")):
        await engine.register.put(member, (portrait(who),))
    seen = await engine.search.search(side_by_side("anna", "carla", "bert"), Similarity.NORMAL)
    assert [[found.key for found in face.matches] for face in seen] == [["anna"], [], ["bert"]]
    assert all(face.box is not None for face in seen)
    assert [face.liveness.state for face in seen] == [FaceLiveness.NOT_CHECKED] * 3


async def test_liveness_beside_a_search(running: Running) -> None:
    engine = (await running()).engine
    assert engine.register
    assert engine.search
    await engine.register.put(ANNA, (portrait("anna"),))
    for picture, state in (
        (doorstep("anna"), FaceLiveness.LIVE),
        (doorstep("anna", photo=True), FaceLiveness.SPOOF),
        (portrait("anna"), FaceLiveness.UNKNOWN),
    ):
        (seen,) = await engine.search.search(picture, Similarity.NORMAL, liveness=True)
        assert seen.liveness.state is state
        assert [found.key for found in seen.matches] == ["anna"]
    assert seen.liveness.reasons == ("Face is too close to the border of the image.",)


async def test_liveness_alone(running: Running) -> None:
    engine = (await running()).engine
    assert engine.liveness
    live = await engine.liveness.check(doorstep("anna"))
    assert live.state is FaceLiveness.LIVE
    assert live.score is not None
    assert (live.score.value, live.score.maximum, live.score.threshold) == (99.25, 100, 90)
    spoof = await engine.liveness.check(doorstep("anna", photo=True))
    assert (spoof.state, spoof.score.value if spoof.score else None) == (FaceLiveness.SPOOF, 3.5)
    unsuitable = await engine.liveness.check(portrait("anna"))
    assert (unsuitable.state, unsuitable.score) == (FaceLiveness.UNKNOWN, None)
    assert unsuitable.reasons
    with pytest.raises(NoFaceError):
        await engine.liveness.check(pictures.sample("empty"))


async def test_a_picture_too_poor_to_be_judged_is_not_known(
    scripted: ScriptedServer, scripted_engine: RemoteEngine
) -> None:
    assert scripted_engine.liveness
    assert scripted_engine.search
    scripted.on("POST Faces/SpoofCheck", problem(422, "too dark"), problem(422))
    assert (await scripted_engine.liveness.check(JPEG)).reasons == ("too dark",)
    judged = await scripted_engine.liveness.check(JPEG)
    assert (judged.state, judged.reasons) == (FaceLiveness.UNKNOWN, ("No",))
    scripted.on("POST Watchlists/Search", problem(422, "too dark"))
    assert await scripted_engine.search.search(JPEG, Similarity.NORMAL) == ()


async def test_without_detectors_there_is_no_liveness(running: Running) -> None:
    trio = await running(options={"tuning": Tuning(spoof=(), max_faces=1)})
    engine = trio.engine
    assert (engine.liveness, engine.several) == (None, False)
    assert engine.register
    assert engine.search
    await engine.register.put(ANNA, (portrait("anna"),))
    (seen,) = await engine.search.search(side_by_side("anna", "bert"), Similarity.NORMAL, liveness=True)
    assert seen.liveness.state is FaceLiveness.NOT_CHECKED


async def test_verify_holds_the_confidence_against_our_threshold(running: Running) -> None:
    engine = (await running()).engine
    assert engine.verify
    same = await engine.verify.verify(doorstep("anna"), portrait("anna"), Similarity.HIGH)
    assert same.matched
    assert same.score is not None
    assert (same.score.maximum, same.score.threshold) == (100, 50)
    assert same.first
    assert same.first.box
    assert same.second
    assert same.second.attributes["gender"] in {"Male", "Female"}
    other = await engine.verify.verify(doorstep("anna"), portrait("carla"), Similarity.LOW)
    assert not other.matched


async def test_verify_says_which_picture_has_no_face(running: Running) -> None:
    engine = (await running()).engine
    assert engine.verify
    nothing = pictures.sample("empty")
    for pair, number in (((nothing, doorstep("anna")), 1), ((doorstep("anna"), nothing), 2)):
        with pytest.raises(NoFaceError) as missing:
            await engine.verify.verify(*pair, Similarity.NORMAL)
        assert missing.value.picture == number


async def test_a_picture_without_a_face_is_an_empty_answer(running: Running) -> None:
    trio = await running()
    assert trio.engine.search
    await trio.client.watchlists.put(LIST, "Home")
    assert await trio.engine.search.search(pictures.sample("empty"), Similarity.NORMAL) == ()


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8 ", b"\xff\xd8\xff" + bytes(33 * 1024 * 1024)],
    ids=["nothing", "gif", "webp", "large"],
)
async def test_what_is_no_picture_is_not_sent(
    scripted: ScriptedServer, scripted_engine: RemoteEngine, data: bytes
) -> None:
    assert scripted_engine.search
    assert scripted_engine.verify
    assert scripted_engine.liveness
    with pytest.raises(PictureError):
        await scripted_engine.search.search(data, Similarity.NORMAL)
    with pytest.raises(PictureError):
        await scripted_engine.verify.verify(JPEG, data, Similarity.NORMAL)
    with pytest.raises(PictureError):
        await scripted_engine.liveness.check(data)
    assert scripted.asked == []


async def test_matches_that_were_not_asked_for_are_nobody(
    scripted: ScriptedServer, scripted_engine: RemoteEngine
) -> None:
    assert scripted_engine.search
    found = [
        match(45),
        match(39, watchlistMemberId="below"),
        match(90, watchlistMemberId="elsewhere", watchlistId="another"),
        match(90, watchlistMemberId=None),
        match(41, watchlistMemberId="unlisted", watchlistId=None),
    ]
    scripted.on("POST Watchlists/Search", (200, [found_face(matchResults=found)]))
    (seen,) = await scripted_engine.search.search(JPEG, Similarity.NORMAL, limit=5)
    assert [(each.key, each.score.value) for each in seen.matches] == [("anna", 45), ("unlisted", 41)]


@pytest.mark.parametrize("score", [101, -1, 2**40])
async def test_a_score_off_the_scale_is_no_match(
    scripted: ScriptedServer, scripted_engine: RemoteEngine, score: int
) -> None:
    assert scripted_engine.search
    assert scripted_engine.verify
    scripted.on("POST Watchlists/Search", (200, [found_face(matchResults=[match(score)])]))
    scripted.on("POST Faces/Verify", (200, {"confidence": score}))
    with pytest.raises(EngineProtocolError):
        await scripted_engine.search.search(JPEG, Similarity.NORMAL)
    with pytest.raises(EngineProtocolError):
        await scripted_engine.verify.verify(JPEG, JPEG, Similarity.NORMAL)


async def test_faces_without_a_frame_are_ordered_by_their_size(
    scripted: ScriptedServer, scripted_engine: RemoteEngine
) -> None:
    assert scripted_engine.search
    faces = [found_face(cropLeftTopX=None, faceSize=size, age=size) for size in (30.0, 90.0, None, 1e300, 60.0)]
    scripted.on("POST Watchlists/Search", (200, faces))
    seen = await scripted_engine.search.search(JPEG, Similarity.NORMAL)
    assert [face.attributes.get("age") for face in seen] == [1e300, 90, 60, 30, None]
    assert all(face.box is None for face in seen)


async def test_probe_names_the_server(running: Running) -> None:
    engine = (await running("4.40")).engine
    info = await engine.probe()
    assert (info.name, info.version) == ("SmartFace", "v5_4.40.1.9120")


@pytest.mark.parametrize(("text", "error"), [("v5_4.24.0.5398", EngineRefusedError), ("apache", EngineProtocolError)])
async def test_probe_refuses_what_it_cannot_work_with(
    scripted: ScriptedServer, scripted_engine: RemoteEngine, text: str, error: type[Exception]
) -> None:
    scripted.on("GET Version", (200, {**VERSION, "fullVersion": text}))
    with pytest.raises(error):
        await scripted_engine.probe()


async def test_an_engine_without_attributes_asks_for_none(running: Running) -> None:
    trio = await running(options={"attributes": False})
    assert trio.engine.search
    await trio.client.watchlists.put(LIST, "Home")
    (seen,) = await trio.engine.search.search(doorstep("anna"), Similarity.NORMAL)
    assert "glass_status" not in seen.attributes


@pytest.mark.parametrize("watchlist", ["", ".", "..", "our list", "a/b", "x" * 101])
def test_an_id_that_not_every_server_takes_is_refused(watchlist: str) -> None:
    with pytest.raises(ValueError, match="letters"):
        EngineOptions(watchlist=watchlist)


@pytest.mark.parametrize("thresholds", [{}, {**THRESHOLDS, "low": 0}, {**THRESHOLDS, "high": 101}])
def test_a_threshold_that_anybody_reaches_is_refused(thresholds: Any) -> None:
    with pytest.raises(ValueError, match="threshold"):
        EngineOptions(watchlist=LIST, thresholds=thresholds)


def test_thresholds_are_those_of_the_options(scripted_engine: RemoteEngine) -> None:
    assert scripted_engine.search
    assert scripted_engine.search.thresholds == {Similarity.LOW: 30, Similarity.NORMAL: 40, Similarity.HIGH: 50}


async def test_nothing_of_a_house_that_wants_no_pictures_kept_is_kept(running: Running) -> None:
    trio = await running("4.40", options={"keep_pictures": False})
    assert trio.engine.register
    await trio.engine.register.put(ANNA, (portrait("anna"),))
    await trio.engine.register.put(ANNA, (doorstep("anna"),))
    assert trio.server.images == {}
    assert {face.image_id async for face in trio.client.members.faces("anna")} == {None}


async def test_two_kinds_of_liveness_at_once(running: Running) -> None:
    both: dict[str, Any] = {"tuning": Tuning(spoof=(SpoofDetector.DISTANT_CPU, SpoofDetector.NEARBY_ANY))}
    engine = (await running(options=both)).engine
    assert engine.liveness
    assert (await engine.liveness.check(doorstep("anna"))).state is FaceLiveness.LIVE
    assert (await engine.liveness.check(doorstep("anna", photo=True))).state is FaceLiveness.SPOOF

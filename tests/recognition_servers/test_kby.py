"""KBY-AI's images: the engine on the simulated ones, and each quirk of both shapes by name."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from custom_components.face_access.access import Similarity
from custom_components.face_access.recognition.errors import (
    EngineAddressError,
    EngineAuthError,
    EngineError,
    EngineFaultError,
    EngineLimitError,
    EngineProtocolError,
    EngineRefusedError,
    EngineUnableError,
    NoFaceError,
    PictureError,
)
from custom_components.face_access.recognition.interface import RemoteEngine
from custom_components.face_access.recognition.kby import KbyClient, KbySettings, kby_engine
from custom_components.face_access.recognition.kby.answers import comparison, judgement
from custom_components.face_access.recognition.remote.words import Unfit
from custom_components.face_access.recognition.results import FaceLiveness
from simulators.kby import SHAPES, SimulatedKby

from .conftest import NO_PICTURE, empty, face, large, pair, png
from .scripted import ScriptedServer

type Start = Callable[..., Awaitable[Any]]


@pytest.fixture(params=SHAPES)
async def server(started: Start, request: pytest.FixtureRequest) -> SimulatedKby:
    made: SimulatedKby = await started(SimulatedKby(shape=request.param))
    return made


@pytest.fixture
async def living(started: Start) -> SimulatedKby:
    made: SimulatedKby = await started(SimulatedKby(image="liveness"))
    return made


@pytest.fixture(params=[False, True], ids=["files", "base64"])
def engine(
    session: aiohttp.ClientSession, server: SimulatedKby, living: SimulatedKby, request: pytest.FixtureRequest
) -> RemoteEngine:
    client = KbyClient(session, compare=server.url, liveness=living.url)
    return kby_engine(client, KbySettings(as_text=request.param))


async def verify(engine: RemoteEngine, first: bytes, second: bytes) -> Any:
    assert engine.verify is not None
    return await engine.verify.verify(first, second, Similarity.NORMAL)


def older(result: Any = "Same person", similarity: Any = 0.9, **more: Any) -> dict[str, Any]:
    return {"compare_result": result, "compare_similarity": similarity, "face1": None, "face2": None, **more}


BOX = {"x1": 10, "y1": 20, "x2": 60, "y2": 90}


def newer(result: Any = "Ok", *results: Any, faces: int = 2) -> dict[str, Any]:
    found = list(results) or [{"face1": 0, "face2": 0, "similarity": 0.9}]
    return {"resultCode": result, "faces1": [BOX] * faces, "faces2": [BOX] * faces, "results": found}


# Both shapes.


async def test_comparing(engine: RemoteEngine) -> None:
    same = await verify(engine, face("Alice"), png("Alice"))
    assert same.matched
    assert same.score.value > 0.9
    assert (same.score.maximum, same.score.threshold) == (1, 0.7)
    assert same.first.box.width > 150
    assert same.first.attributes["eye_distance"] == pytest.approx(80, abs=3)
    assert same.record is None
    other = await verify(engine, face("Alice"), face("Carol"))
    assert not other.matched
    assert other.score.value < 0.7


@pytest.mark.parametrize(("pictures", "number"), [(("", "Dora"), 1), (("Alice", ""), 2), (("", ""), 1)])
async def test_all_outcomes_come_with_status_200(engine: RemoteEngine, pictures: tuple[str, str], number: int) -> None:
    first, second = (face(seed) if seed else empty() for seed in pictures)
    with pytest.raises(NoFaceError) as caught:
        await verify(engine, first, second)
    assert caught.value.picture == number


@pytest.mark.parametrize("number", [1, 2])
async def test_file_that_cannot_be_opened(engine: RemoteEngine, number: int) -> None:
    first, second = (NO_PICTURE, face("Alice")) if number == 1 else (face("Alice"), NO_PICTURE)
    with pytest.raises(PictureError) as caught:
        await verify(engine, first, second)
    assert str(number) in str(caught.value)


async def test_what_is_no_picture_is_not_sent(engine: RemoteEngine, server: SimulatedKby) -> None:
    with pytest.raises(PictureError):
        await verify(engine, face("Alice"), b"<svg>")
    assert list(server.requests) == []


async def test_probing_shows_nobody_to_each_image(
    engine: RemoteEngine, server: SimulatedKby, living: SimulatedKby
) -> None:
    assert (await engine.probe()).name == "KBY-AI"
    assert len(server.requests) == len(living.requests) == 1


async def test_several_faces_in_one_picture(engine: RemoteEngine, server: SimulatedKby) -> None:
    """The server of 2023 looks at one of them, that of 2025 at each."""
    result = await verify(engine, pair("Carol", "Alice"), face("Alice"))
    assert result.matched == (server.shape == "2025")
    assert (await verify(engine, pair("Alice", "Carol"), face("Alice"))).matched


async def test_upgrade_of_the_image_changes_the_shape_and_nothing_else(
    session: aiohttp.ClientSession, started: Start
) -> None:
    server = await started(SimulatedKby(shape="2023"))
    engine = kby_engine(KbyClient(session, compare=server.url))
    before = await verify(engine, face("Alice"), png("Alice"))
    server.upgrade()
    assert await verify(engine, face("Alice"), png("Alice")) == before


async def test_what_there_is_an_address_for(
    session: aiohttp.ClientSession, server: SimulatedKby, living: SimulatedKby
) -> None:
    client = KbyClient(session, liveness=living.url)
    engine = kby_engine(client)
    assert (engine.verify, engine.search, engine.register) == (None, None, None)
    await engine.probe()
    with pytest.raises(EngineUnableError):
        await client.compare(face("Alice"), face("Alice"))
    comparing = KbyClient(session, compare=server.url)
    assert kby_engine(comparing).liveness is None
    await kby_engine(comparing).probe()
    with pytest.raises(EngineUnableError):
        await comparing.check_liveness(face("Alice"))
    with pytest.raises(EngineAddressError):
        KbyClient(session)


async def test_the_other_image_at_an_address_is_noticed(session: aiohttp.ClientSession, living: SimulatedKby) -> None:
    with pytest.raises(EngineProtocolError):
        await kby_engine(KbyClient(session, compare=living.url)).probe()
    assert living.violations == ["POST /compare_face is no call of this server"]
    living.clear_violations()


# The shape of 2023.


def test_verdict_and_our_threshold_must_agree() -> None:
    assert comparison(older("Same person", 0.75)).verification(0.7).matched
    assert not comparison(older("Same person", 0.75)).verification(0.8).matched
    assert not comparison(older("Different person", 0.69)).verification(0.67).matched


@pytest.mark.parametrize("similarity", [-1, -1.0])
def test_minus_one_is_no_comparison(similarity: float) -> None:
    with pytest.raises(EngineProtocolError):
        comparison(older("Same person", similarity))


def test_no_face_goes_before_the_minus_one() -> None:
    with pytest.raises(NoFaceError):
        comparison(older("No face1", -1.0))


def test_none_is_a_text_for_no_comparison() -> None:
    with pytest.raises(EngineRefusedError) as caught:
        comparison(older("None", -1.0))
    assert caught.value.code == "None"


def test_box_may_lie_outside_of_the_picture() -> None:
    first = comparison(older(face1={"x1": -12, "y1": -3.5, "x2": 900, "y2": 20})).first
    assert first.box is not None
    assert (first.box.x, first.box.y, first.box.width) == (-12, -3.5, 912)


def test_box_beyond_any_picture() -> None:
    with pytest.raises(EngineProtocolError):
        comparison(older(face1={"x1": -1e308, "y1": 0, "x2": 1.7e308, "y2": 20}))


def test_face_without_a_place() -> None:
    assert comparison(older(face1={"yaw": 4})).first.box is None


def test_points_of_a_face_are_not_kept() -> None:
    given = {**BOX, "yaw": -25.7, "landmark_68": [{"x": 1.0, "y": 2.0}] * 68, "eye_dist": 50.0}
    first = comparison(older(face1=given)).first
    assert dict(first.attributes) == {"yaw": -25.7, "eye_distance": 50.0}


# The shape of 2025.


def test_there_is_no_verdict_so_our_threshold_decides() -> None:
    compared = comparison(newer("Ok", {"face1": 0, "face2": 1, "similarity": 0.68}))
    assert compared.verdict is None
    assert compared.verification(0.67).matched
    assert not compared.verification(0.7).matched


def test_of_several_pairs_the_most_alike_counts() -> None:
    pairs = [{"face1": a, "face2": b, "similarity": s} for a, b, s in ((0, 0, 0.2), (1, 0, 0.91), (1, 1, -0.1))]
    answer = {**newer("Ok", *pairs), "faces1": [BOX, {**BOX, "yaw": 3}]}
    compared = comparison(answer)
    assert compared.similarity == 0.91
    assert compared.first.attributes == {"yaw": 3}


def test_ok_without_faces_is_no_face() -> None:
    with pytest.raises(NoFaceError) as caught:
        comparison({**newer(), "faces2": []})
    assert caught.value.picture == 2


def test_both_shapes_at_once_are_neither() -> None:
    with pytest.raises(EngineProtocolError):
        comparison({**older(), **newer()})


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "Same person",
        {},
        older(None),
        older(7),
        older(""),
        older("same person?"),
        older("Same person", None),
        older("Same person", "0.9"),
        older("Same person", True),
        older("Same person", 1.5),
        older("Same person", 10**400),
        older(face1=[1]),
        older(face1={"x1": 1}),
        older(face2={**BOX, "x2": 10}),
        older(face2={**BOX, "yaw": "left"}),
        newer("Okay"),
        newer(None),
        {**newer(), "faces1": None},
        {**newer(), "faces1": [BOX] * 101},
        {**newer(), "results": []},
        {**newer(), "results": {}},
        newer("Ok", 5),
        newer("Ok", {"face1": 0, "face2": 2, "similarity": 0.9}),
        newer("Ok", {"face1": -1, "face2": 0, "similarity": 0.9}),
        newer("Ok", {"face1": True, "face2": 0, "similarity": 0.9}),
        newer("Ok", {"face1": 0, "similarity": 0.9}),
        newer("Ok", {"face1": 0, "face2": 0, "similarity": -1}),
        newer("Ok", {"face1": 0, "face2": 0}),
    ],
    ids=repr,
)
def test_comparison_that_is_none(answer: Any) -> None:
    with pytest.raises(EngineProtocolError):
        comparison(answer)


# Liveness.


@pytest.mark.parametrize("as_text", [True, False])
async def test_live_and_spoof(session: aiohttp.ClientSession, living: SimulatedKby, as_text: bool) -> None:
    liveness = kby_engine(KbyClient(session, liveness=living.url), KbySettings(as_text=as_text)).liveness
    assert liveness is not None
    live = await liveness.check(large("Alice"))
    assert (live.state, live.reasons) == (FaceLiveness.LIVE, ())
    assert live.score is not None
    assert (live.score.value, live.score.maximum, live.score.threshold) == (0.98, 1, None)
    spoof = await liveness.check(large("Alice", photo=True))
    assert spoof.state is FaceLiveness.SPOOF
    small = await liveness.check(face("Alice"))
    assert (small.state, small.reasons) == (FaceLiveness.UNKNOWN, (Unfit.FACE_TOO_SMALL,))
    covered = await liveness.check(large("Alice", mask=True))
    assert (covered.state, covered.reasons) == (FaceLiveness.UNKNOWN, (Unfit.COVERED,))
    several = await liveness.check(pair("Alice", "Carol"))
    assert (several.state, several.reasons) == (FaceLiveness.UNKNOWN, (Unfit.SEVERAL_FACES,))
    with pytest.raises(NoFaceError):
        await liveness.check(empty())
    with pytest.raises(PictureError):
        await liveness.check(NO_PICTURE)


def state(result: Any = "Real", **more: Any) -> dict[str, Any]:
    return {"face_state": {"result": result, "liveness_score": 0.9, **more}, "faces": []}


@pytest.mark.parametrize(
    ("flags", "reasons"),
    [
        ({"is_small": True}, (Unfit.FACE_TOO_SMALL,)),
        ({"is_boundary_face": 1}, (Unfit.NEAR_BORDER,)),
        ({"is_not_front": True}, (Unfit.TURNED_AWAY,)),
        ({"is_occluded": True}, (Unfit.COVERED,)),
        ({"eye_closed": True}, (Unfit.EYES_CLOSED,)),
        ({"quality": "Low"}, (Unfit.POOR_QUALITY,)),
        ({"luminance": "Dark"}, (Unfit.TOO_DARK,)),
        ({"luminance": "Light", "quality": "High"}, (Unfit.TOO_BRIGHT,)),
        ({"mouth_opened": True, "is_small": True}, (Unfit.FACE_TOO_SMALL, Unfit.MOUTH_OPEN)),
    ],
)
def test_real_but_unsuitable_is_unknown(flags: dict[str, Any], reasons: tuple[Unfit, ...]) -> None:
    judged = judgement(state("Real", **flags))
    assert (judged.state, judged.reasons) == (FaceLiveness.UNKNOWN, reasons)


@pytest.mark.parametrize("flags", [{}, {"mouth_opened": True}, {"quality": "Medium", "luminance": "Normal"}])
def test_real_is_live(flags: dict[str, Any]) -> None:
    assert judgement(state("Real", **flags)).state is FaceLiveness.LIVE


@pytest.mark.parametrize("flags", [{}, {"is_small": True}, {"liveness_score": None}, {"liveness_score": 0.99}])
def test_only_the_word_spoof_is_a_spoof(flags: dict[str, Any]) -> None:
    assert judgement(state("Spoof", **flags)).state is FaceLiveness.SPOOF
    assert judgement(state("Real", **{**flags, "liveness_score": 0.01})).state is not FaceLiveness.SPOOF


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"face_state": []},
        state(None),
        state("Fake"),
        state("Real", liveness_score="high"),
        state("Real", is_small="yes"),
        state("Real", is_small=2),
        state("Real", quality="Superb"),
        state("Spoof", luminance=3),
    ],
    ids=repr,
)
def test_judgement_that_is_none(answer: Any) -> None:
    with pytest.raises(EngineProtocolError):
        judgement(answer)


# Its web server.


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((400, "Bad Request"), EngineRefusedError),
        ((401, ""), EngineAuthError),
        ((404, "<html>"), EngineProtocolError),
        ((413, ""), PictureError),
        ((429, ""), EngineLimitError),
        ((500, "<html>"), EngineFaultError),
        ((200, "<html>"), EngineProtocolError),
    ],
)
async def test_what_its_web_server_says(
    session: aiohttp.ClientSession, scripted: ScriptedServer, answer: Any, kind: type[EngineError]
) -> None:
    scripted.answers(answer)
    with pytest.raises(kind) as caught:
        await KbyClient(session, compare=scripted.url).compare(face("Alice"), face("Dora"))
    assert type(caught.value) is kind


async def test_pictures_go_as_files_of_their_kind(session: aiohttp.ClientSession, scripted: ScriptedServer) -> None:
    scripted.answers(older())
    await KbyClient(session, compare=f"{scripted.url}/kby/").compare(face("Alice"), png("Alice"))
    (asked,) = scripted.asked
    assert asked.path == "/kby/compare_face"
    assert asked.headers["Content-Type"].startswith("multipart/form-data")
    for text in (b'name="file1"; filename="file1.jpeg"', b"image/jpeg", b'name="file2"; filename="file2.png"'):
        assert text in asked.body

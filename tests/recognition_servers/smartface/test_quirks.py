"""What the document of SmartFace says between its lines, one test each (recognition-servers document, section 1)."""

from base64 import b64decode, b64encode
from contextlib import nullcontext
from io import BytesIO
import math
from typing import Any
from uuid import UUID

import aiohttp
from aiohttp import web
from PIL import Image
import pytest

from custom_components.face_access.access import Similarity
from custom_components.face_access.recognition.errors import EngineNotFoundError, EngineTimeoutError, PhotoRefusedError
from custom_components.face_access.recognition.interface import Member, RemoteEngine
from custom_components.face_access.recognition.remote import http
from custom_components.face_access.recognition.results import Box, FaceLiveness
from custom_components.face_access.recognition.smartface import (
    PORT,
    DetectorResource,
    FaceValidation,
    MemberFacts,
    Privacy,
    Server,
    SmartFaceClient,
    SpoofDetector,
    TemplateResource,
    Tuning,
    transport,
    version as version_module,
)
from custom_components.face_access.recognition.smartface.caller import Caller
from custom_components.face_access.recognition.smartface.models import parse_details
from custom_components.face_access.recognition.smartface.paging import PageQuery
from custom_components.face_access.recognition.smartface.read import Fields
from custom_components.face_access.recognition.smartface.release import PRIVACY, read_release
from custom_components.face_access.recognition.smartface.spoof import KindCheck, SpoofCheck, judge_liveness
from custom_components.face_access.recognition.smartface.version import VersionKnown
from simulators._terminal import pictures

from .conftest import (
    FACE_ID,
    JPEG,
    LIST,
    VERSION,
    Running,
    ScriptedServer,
    doorstep,
    found_face,
    match,
    portrait,
    problem,
    side_by_side,
    with_login,
)

FACTS = MemberFacts(name="Anna")
STORED = {"id": FACE_ID, "imageDataId": None}
REGISTERED = {"id": "a", "watchlists": [], "faces": [STORED]}


# 1.2 Transport, versioning, auth


def test_the_api_is_at_port_8098() -> None:
    assert PORT == 8098


async def test_everything_is_below_api_v1_and_json(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    scripted.on("POST Watchlists", (201, {"id": "x"}))
    await client.watchlists.create("Home")
    (asked,) = scripted.asked
    assert asked.path == "/api/v1/Watchlists"
    assert asked.headers["Content-Type"] == "application/json"


async def test_pictures_are_plain_base64_without_prefix_and_line_breaks(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    scripted.on("POST Watchlists/Search", (200, []))
    picture = doorstep("anna")
    await client.faces.search(picture, [LIST], Tuning())
    data = scripted.asked[0].json["image"]["data"]
    assert "," not in data
    assert "\n" not in data
    assert b64decode(data, validate=True) == picture


async def test_a_stock_server_is_asked_without_credentials(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    scripted.on("GET Version", (200, VERSION))
    await client.version()
    assert "Authorization" not in scripted.asked[0].headers


async def test_a_hosted_server_wants_a_token_of_client_credentials_with_an_audience(running: Running) -> None:
    trio = await running(access=with_login(audience="https://house.example"))
    await trio.client.version()
    assert trio.server.access.logins == 1


def test_our_timeout_is_above_the_ten_seconds_of_the_server() -> None:
    assert 10 < transport.TIMEOUT <= transport.LONG_TIMEOUT


async def test_408_is_the_servers_own_timeout(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    scripted.on("POST Watchlists/Search", problem(408))
    with pytest.raises(EngineTimeoutError):
        await client.faces.search(JPEG, [LIST], Tuning())


@pytest.mark.parametrize(("version", "sent"), [("4.25", False), ("4.29", False), ("4.40", True)])
async def test_the_session_header_goes_to_servers_from_4_35_alone(running: Running, version: str, sent: bool) -> None:
    trio = await running(version)
    seen: list[str | None] = []

    async def look(request: Any, _answer: Any) -> None:
        seen.append(request.headers.get("X-Session-Id"))

    trio.server.server.on_exchange = look
    await trio.client.watchlists.put(LIST, "Home")
    session = UUID(FACE_ID)
    await trio.client.faces.search(doorstep("anna"), [LIST], Tuning(), session=session)
    await trio.client.faces.spoof_check(doorstep("anna"), Tuning(), session=session)
    assert [header for header in seen if header] == [str(session)] * (2 if sent else 0)


# 1.3 Operations


@pytest.mark.parametrize("member", ["Änna/../Bert?x=1#y%20", "...", "+ &", "a" * 300])
async def test_ids_of_members_and_lists_are_any_text(running: Running, member: str) -> None:
    trio = await running()
    await trio.client.watchlists.put(member, "Home")
    assert (await trio.client.watchlists.get(member)).id == member
    registered = await trio.client.members.register(member, [portrait("anna")], [member], FACTS, Tuning())
    assert registered.member.id == member
    assert [found.id async for found in trio.client.watchlists.members(member)] == [member]
    await trio.client.members.delete(member)


@pytest.mark.parametrize("member", ["", ".", ".."])
async def test_ids_that_no_path_can_carry_are_not_sent(client: SmartFaceClient, member: str) -> None:
    with pytest.raises(ValueError, match="no id"):
        await client.members.get(member)
    with pytest.raises(ValueError, match="no id"):
        await client.members.put(member, FACTS)
    with pytest.raises(ValueError, match="no id"):
        await client.watchlists.put(member, "Home")


async def test_ids_of_faces_and_images_are_uuids(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    for call in (
        client.images.get("../Version"),
        client.members.remove_face("a", "first"),
        client.members.add_known_face("a", "first"),
    ):
        with pytest.raises(ValueError, match="UUID"):
            await call
    assert scripted.asked == []


async def test_an_image_is_scaled_by_its_shorter_or_its_longer_edge(running: Running) -> None:
    trio = await running()
    await trio.client.watchlists.put(LIST, "Home")
    registered = await trio.client.members.register("anna", [doorstep("anna")], [LIST], FACTS, Tuning())
    image = registered.faces[0].image_id
    assert image is not None
    for sizes, wanted in (({}, (640, 480)), ({"min_size": 120}, (160, 120)), ({"max_size": 320}, (320, 240))):
        data = await trio.client.images.get(image, **sizes)
        assert Image.open(BytesIO(data)).size == wanted
    with pytest.raises(ValueError, match="pixel"):
        await trio.client.images.get(image, min_size=0)


async def test_an_image_that_is_not_there_is_said_so_without_a_body(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    scripted.on(f"GET Images/{FACE_ID}", (404, ""))
    with pytest.raises(Exception, match="not_found"):
        await client.images.get(FACE_ID)


async def test_a_search_answers_with_one_entry_for_each_face(running: Running) -> None:
    trio = await running()
    await trio.client.watchlists.put(LIST, "Home")
    found = await trio.client.faces.search(side_by_side("anna", "bert"), [LIST], Tuning())
    assert [face.details.facts["face_order"] for face in found] == [0, 1]
    assert len(await trio.client.faces.search(side_by_side("anna", "bert"), [LIST], Tuning(), most=1)) == 1


# 1.4 Paging


async def test_pages_begin_at_1_and_always_name_their_size(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    scripted.on("GET Watchlists", (200, {"items": [], "nextPage": None}))
    assert [found async for found in client.watchlists.all()] == []
    assert scripted.asked[0].query == {"PageNumber": "1", "PageSize": "100"}
    for number, size in ((0, 1), (1, 0), (2**31, 1)):
        with pytest.raises(ValueError, match="begin at 1"):
            PageQuery(number=number, size=size)


async def test_order_and_total_are_asked_for_or_not_there(running: Running) -> None:
    trio = await running()
    for name in ("a", "b", "c"):
        await trio.client.watchlists.put(name, name)
    plain = await trio.client.watchlists.page(PageQuery(size=2))
    assert ([found.id for found in plain.items], plain.total, plain.more) == (["a", "b"], None, True)
    counted = await trio.client.watchlists.page(PageQuery(size=2, number=2, ascending=False, total=True))
    assert ([found.id for found in counted.items], counted.total, counted.more) == (["a"], 3, False)
    assert (counted.number, counted.size) == (2, 2)


async def test_the_next_page_is_asked_for_by_its_number_whatever_its_text_says(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    pages = [{"items": [{"id": name}], "nextPage": "http://elsewhere/?PageNumber=9"} for name in ("a", "b")]
    scripted.on("GET WatchlistMembers", (200, pages[0]), (200, pages[1]), (200, {"items": [], "nextPage": None}))
    assert [found.id async for found in client.members.all()] == ["a", "b"]
    assert [asked.query["PageNumber"] for asked in scripted.asked] == ["1", "2", "3"]


async def test_what_moves_to_another_page_meanwhile_is_told_once(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    first = {"items": [{"id": "a"}, {"id": "b"}, {"id": "b"}], "nextPage": "2"}
    scripted.on("GET WatchlistMembers", (200, first), (200, {"items": [{"id": "b"}, {"id": "c"}], "nextPage": None}))
    assert [found.id async for found in client.members.all()] == ["a", "b", "c"]


async def test_a_list_that_does_not_end_is_given_up(
    scripted: ScriptedServer, client: SmartFaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET WatchlistMembers", (200, {"items": [{"id": "a"}], "nextPage": "2"}))
    with pytest.raises(Exception, match="nothing new"):
        _ = [found async for found in client.members.all()]
    monkeypatch.setattr("custom_components.face_access.recognition.smartface.paging._MAX_PAGES", 3)
    endless = [(200, {"items": [{"id": str(number)}], "nextPage": "x"}) for number in range(9)]
    scripted.on("GET WatchlistMembers", *endless)
    with pytest.raises(Exception, match="does not end"):
        _ = [found async for found in client.members.all()]


async def test_half_a_list_does_not_pass_for_a_whole_one(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    scripted.on("GET WatchlistMembers", (200, {"items": [{"id": "a"}]}))
    with pytest.raises(Exception, match="nextPage is missing"):
        _ = [found async for found in client.members.all()]


# 1.5 Requests


async def test_a_search_always_names_its_lists_and_never_the_sample(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    for none in ([], ()):
        with pytest.raises(ValueError, match="watchlists"):
            await client.faces.search(JPEG, none, Tuning())
    assert scripted.asked == []
    scripted.on("POST Watchlists/Search", (200, []))
    await client.faces.search(JPEG, [LIST], Tuning())
    assert scripted.asked[0].json["watchlistIds"] == [LIST]


async def test_results_are_limited_for_each_face(running: Running) -> None:
    trio = await running()
    await trio.client.watchlists.put(LIST, "Home")
    for twin in ("anna", "anne"):
        await trio.client.members.register(twin, [portrait("anna")], [LIST], FACTS, Tuning())
    for limit in (1, 2):
        (found,) = await trio.client.faces.search(doorstep("anna"), [LIST], Tuning(), limit=limit)
        assert len(found.matches) == limit


async def test_a_search_without_liveness_says_none_and_one_with_it_does_not(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    scripted.on("POST Watchlists/Search", (200, []))
    await client.faces.search(JPEG, [LIST], Tuning())
    await client.faces.search(JPEG, [LIST], Tuning(), liveness=True)
    await client.faces.search(JPEG, [LIST], Tuning(spoof=()), liveness=True)
    sent = [asked.json["spoofDetectorResourceIds"] for asked in scripted.asked]
    assert sent == [["none"], ["liveness_distant_cpu_remote"], ["none"]]


async def test_one_kind_of_liveness_on_two_resources_is_not_sent(client: SmartFaceClient) -> None:
    with pytest.raises(ValueError, match="each kind"):
        Tuning(spoof=(SpoofDetector.DISTANT_CPU, SpoofDetector.DISTANT_GPU))
    Tuning(spoof=(SpoofDetector.NEARBY_CPU, SpoofDetector.DISTANT_GPU))
    with pytest.raises(ValueError, match="detector"):
        await client.faces.spoof_check(JPEG, Tuning(spoof=()))


async def test_every_failed_condition_is_told(running: Running) -> None:
    trio = await running()
    stamp = BytesIO()
    Image.open(BytesIO(portrait("anna"))).resize((50, 62)).save(stamp, "PNG")
    for told in (True, False):
        tuning = Tuning(min_face=10, all_conditions=told)
        check = await trio.client.faces.spoof_check(stamp.getvalue(), tuning)
        assert check.distant is not None
        assert (check.performed, len(check.distant.reasons)) == (False, 2 if told else 1)


async def test_resources_thresholds_and_sizes_are_sent_as_they_are_set(running: Running) -> None:
    trio = await running()
    tuning = Tuning(
        min_face=30,
        max_face=900,
        max_faces=5,
        confidence=300,
        detector=DetectorResource.ACCURATE_ANY,
        template=TemplateResource.GPU,
        spoof=(SpoofDetector.NEARBY_GPU,),
        distant_threshold=80.5,
        nearby_threshold=99.5,
    )
    await trio.client.watchlists.put(LIST, "Home")
    await trio.client.faces.search(doorstep("anna"), [LIST], tuning, liveness=True, mask_threshold=3000, features=False)
    await trio.client.faces.verify(doorstep("anna"), doorstep("anna"), tuning)
    check = await trio.client.faces.spoof_check(doorstep("anna"), tuning)
    assert check.nearby is not None
    assert (check.nearby.performed, check.nearby.passed) == (True, False)  # 99.25 is below 99.5
    # Too small for this detector:
    assert await trio.client.faces.search(doorstep("anna"), [LIST], Tuning(min_face=500)) == ()


@pytest.mark.parametrize(
    "wrong", [{"min_face": 0}, {"min_face": 700}, {"max_faces": 0}, {"confidence": -1}, {"distant_threshold": 101}]
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"faces|thresholds"):
        Tuning(**wrong)


def test_names_have_200_and_labels_128_and_256_characters() -> None:
    MemberFacts(name="n" * 200, full_name="f" * 200, labels={"k" * 128: "v" * 256})
    for wrong in ({"name": "n" * 201}, {"full_name": "n" * 201}, {"labels": {"k" * 129: ""}}, {"labels": {"": "v"}}):
        with pytest.raises(ValueError, match="characters"):
            MemberFacts(**wrong)
    with pytest.raises(ValueError, match="characters"):
        MemberFacts(labels={"k": "v" * 257})


async def test_a_threshold_of_a_list_is_between_0_and_100_and_a_colour_hexadecimal(running: Running) -> None:
    trio = await running()
    made = await trio.client.watchlists.create("Home", "The whole house", threshold=100, colour="#01a")
    assert (made.name, made.full_name, made.threshold, made.colour) == ("Home", "The whole house", 100, "#01a")
    for wrong in (-1, 101):
        with pytest.raises(ValueError, match="threshold"):
            await trio.client.watchlists.put(LIST, "Home", threshold=wrong)
    with pytest.raises(ValueError, match="characters"):
        await trio.client.watchlists.put(LIST, "n" * 201)


async def test_links_name_the_members_in_a_plural_of_their_own(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    for call in ("Link", "Unlink"):
        name = "LinkToWatchlist" if call == "Link" else "UnlinkFromWatchlist"
        scripted.on(f"POST WatchlistMembers/{name}", (204, ""))
    await client.members.link(LIST, ["a", "b"])
    await client.members.unlink(LIST, iter(["a"]))
    assert [asked.json for asked in scripted.asked] == [
        {"watchlistId": LIST, "watchlistMembersIds": ["a", "b"]},
        {"watchlistId": LIST, "watchlistMembersIds": ["a"]},
    ]
    with pytest.raises(ValueError, match="at least one"):
        await client.members.link(LIST, [])


async def test_a_registration_wants_photos_and_lists(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    for photos, lists in (([], [LIST]), ([JPEG], [])):
        with pytest.raises(ValueError, match="photos and watchlists"):
            await client.members.register("a", photos, lists, FACTS, Tuning())
    assert scripted.asked == []


async def test_a_note_is_sent_with_a_registration_only_where_there_is_one(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    scripted.on("POST WatchlistMembers/Register", (201, REGISTERED))
    await client.members.register("a", [JPEG], [LIST], FACTS, Tuning())
    await client.members.register("a", [JPEG], [LIST], MemberFacts(note="rings twice"), Tuning(), keep_learnt=True)
    first, second = (asked.json for asked in scripted.asked)
    assert "note" not in first
    assert (second["note"], second["keepAutoLearnPhotos"]) == ("rings twice", True)


@pytest.mark.parametrize(("version", "knows"), [("4.25", False), ("4.29", True), ("4.40", True)])
async def test_face_validation_is_sent_to_servers_from_4_29_alone(running: Running, version: str, knows: bool) -> None:
    trio = await running(version)
    bodies: list[dict[str, Any]] = []

    async def look(request: Any, _answer: Any) -> None:
        if request.method == "POST":
            bodies.append(await request.json())

    trio.server.server.on_exchange = look
    await trio.client.watchlists.put(LIST, "Home")
    none = FaceValidation.NONE
    await trio.client.members.register("anna", [portrait("anna")], [LIST], FACTS, Tuning(), validation=none)
    await trio.client.members.add_face("anna", portrait("anna"), Tuning(), validation=none)
    await trio.client.faces.search(portrait("anna"), [LIST], Tuning(), validation=none)
    assert [body.get("faceValidationMode") for body in bodies] == ["none" if knows else None] * 3


async def test_a_newer_server_refuses_weak_photos_unless_told_otherwise(running: Running) -> None:
    for version, refuses in (("4.25", False), ("4.29", True), ("4.40", True)):
        trio = await running(version)
        await trio.client.watchlists.put(LIST, "Home")
        photo = pictures.sample("poor")
        if refuses:
            with pytest.raises(PhotoRefusedError) as refused:
                await trio.client.members.register("a", [photo], [LIST], FACTS, Tuning())
            assert refused.value.code == "unsuitable_photo"
            assert "FaceQuality" in refused.value.words
        told = FaceValidation.NONE
        await trio.client.members.register("a", [photo], [LIST], FACTS, Tuning(), validation=told)
        with pytest.raises(PhotoRefusedError) if refuses else nullcontext():
            await trio.client.members.add_face("a", photo, Tuning())
        if refuses:
            mode = FaceValidation.PREDEFINED
            with pytest.raises(PhotoRefusedError):
                await trio.client.faces.search(photo, [LIST], Tuning(), validation=mode)


async def test_a_house_may_take_weak_photos(running: Running) -> None:
    trio = await running("4.40", options={"validation": False})
    assert trio.engine.register
    await trio.engine.register.put(Member(key="a", name="A"), (pictures.sample("poor"),))


@pytest.mark.parametrize(("version", "knows"), [("4.25", False), ("4.29", False), ("4.40", True)])
async def test_privacy_is_sent_to_servers_from_4_36_alone(running: Running, version: str, knows: bool) -> None:
    trio = await running(version)
    await trio.client.watchlists.put(LIST, "Home")
    facts = MemberFacts(name="Anna", privacy=Privacy(registration_images=False))
    registered = await trio.client.members.register("anna", [portrait("anna")], [LIST], facts, Tuning())
    assert (registered.faces[0].image_id is None) is knows
    await trio.client.members.put("anna", facts)
    await trio.client.members.create(facts)


async def test_a_photo_of_two_is_refused_by_servers_from_4_35_alone(running: Running) -> None:
    for version, refuses in (("4.25", False), ("4.40", True)):
        client = (await running(version)).client
        assert await client.refuses_crowds() is refuses
        await client.watchlists.put(LIST, "Home")
        with pytest.raises(PhotoRefusedError) if refuses else nullcontext():
            await client.members.register("a", [side_by_side("anna", "bert")], [LIST], FACTS, Tuning())


async def test_the_version_is_asked_for_once_an_hour(scripted: ScriptedServer, session: aiohttp.ClientSession) -> None:
    now = 0.0
    scripted.on("GET Version", (200, VERSION), (200, {**VERSION, "fullVersion": "v5_4.36.0.1"}))
    known = VersionKnown(Caller(session, Server(url=scripted.url)), lambda: now)
    assert not await known.since(PRIVACY)
    now = version_module._AGE
    assert not await known.since(PRIVACY)
    assert len(scripted.asked) == 1
    now += 1
    assert await known.since(PRIVACY)


@pytest.mark.parametrize(
    ("text", "release"),
    [
        ("v5_4.25.2.6157", (4, 25, 2)),
        ("v5_4.25.2", (4, 25, 2)),
        ("4.27.0.6834", (4, 27, 0)),
        ("v5_4.40", (4, 40, 0)),
        ("4.40.1-rc1+build", (4, 40, 1)),
        ("", None),
        ("string", None),
        ("v5", None),
        ("٤.٢٥", (4, 25, 0)),
    ],
)
def test_the_version_is_in_full_version(text: str, release: tuple[int, int, int] | None) -> None:
    assert read_release(text) == release


async def test_a_server_that_hides_its_version_counts_as_the_oldest(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    scripted.on("GET Version", (200, {**VERSION, "fullVersion": "unknown"}))
    assert (await client.version()).release is None
    assert not await client.refuses_crowds()


# 1.6 Answers


async def test_nobody_above_the_threshold_is_an_empty_list_of_matches(running: Running) -> None:
    trio = await running()
    await trio.client.watchlists.put(LIST, "Home")
    (found,) = await trio.client.faces.search(doorstep("anna"), [LIST], Tuning())
    assert found.matches == ()


def test_a_turned_frame_becomes_an_upright_box() -> None:
    corners = {
        "cropLeftTopX": 12.0,
        "cropLeftTopY": 30.0,
        "cropRightTopX": 90.0,
        "cropRightTopY": 10.0,
        "cropLeftBottomX": 32.0,
        "cropLeftBottomY": 108.0,
        "cropRightBottomX": 110.0,
        "cropRightBottomY": 88.0,
    }
    assert parse_details(Fields(corners, "face")).box == Box(x=12, y=10, width=98, height=98)
    assert parse_details(Fields({**corners, "cropLeftTopX": None}, "face")).box is None
    # Four equal corners say nothing, and neither do corners beyond any picture.
    for far in (0.0, -1e308):
        assert parse_details(Fields({**dict.fromkeys(corners, 0.0), "cropLeftTopX": far}, "face")).box is None
    assert parse_details(Fields({**corners, "cropLeftTopX": -1e308, "cropRightTopX": 1e308}, "face")).box is None


async def test_gender_is_a_word_in_a_picture_and_a_number_in_a_stored_face_which_says_size(running: Running) -> None:
    trio = await running()
    await trio.client.watchlists.put(LIST, "Home")
    await trio.client.members.register("anna", [portrait("anna")], [LIST], FACTS, Tuning())
    (found,) = await trio.client.faces.search(portrait("anna"), [LIST], Tuning())
    assert found.details.facts["gender"] in {"Male", "Female"}
    (stored,) = (await trio.client.members.faces_page("anna")).items
    assert stored.details.facts["gender"] in {0.0, 1.0}
    assert stored.details.size == found.details.size
    assert math.isclose(found.details.size or 0, 80, abs_tol=5)
    assert (stored.state, stored.learnt, stored.faces_on_picture) == ("Extracted", False, 1)


def test_liveness_is_judged_for_each_kind_and_never_by_halves() -> None:
    passed, failed = KindCheck(performed=True, passed=True, score=95), KindCheck(performed=True, passed=False, score=5)
    skipped = KindCheck(performed=False, passed=False, reasons=("Face is too small.",))
    distant, nearby = Tuning(), Tuning(spoof=(SpoofDetector.NEARBY_CPU,))
    both = Tuning(spoof=(SpoofDetector.DISTANT_CPU, SpoofDetector.NEARBY_CPU))

    def judged(tuning: Tuning, performed: bool, ok: bool, *kinds: KindCheck | None) -> tuple[FaceLiveness, Any]:
        first, second = (*kinds, None, None)[:2]
        judgement = judge_liveness(SpoofCheck(performed=performed, passed=ok, distant=first, nearby=second), tuning)
        return judgement.state, judgement.reasons or (judgement.score and judgement.score.value)

    unknown = FaceLiveness.UNKNOWN
    assert judged(distant, True, True, passed) == (FaceLiveness.LIVE, 95)
    assert judged(distant, True, False, failed) == (FaceLiveness.SPOOF, 5)
    assert judged(nearby, True, False, passed, failed) == (FaceLiveness.SPOOF, 5)
    assert judged(distant, False, False, skipped) == (unknown, ("Face is too small.",))
    # Contradictions, and kinds that nobody asked for or that are missing: not known.
    assert judged(distant, False, True, passed) == (unknown, ("not_performed",))
    assert judged(distant, True, True, failed) == (unknown, ("not_performed",))
    assert judged(distant, True, False, passed) == (unknown, ("not_performed",))
    assert judged(distant, True, True, None) == (unknown, ("not_performed",))
    assert judged(distant, True, True, None, passed) == (unknown, ("not_performed",))
    assert judged(distant, True, False, skipped) == (unknown, ("Face is too small.",))
    assert judged(both, True, True, passed, skipped) == (unknown, ("Face is too small.",))
    assert judged(both, True, False, passed, failed) == (FaceLiveness.SPOOF, 5)
    assert judged(both, True, True, passed, KindCheck(performed=True, passed=True)) == (FaceLiveness.LIVE, 95)
    # A score off the scale says nothing, whatever the verdict.
    assert judged(distant, True, True, KindCheck(performed=True, passed=True, score=1e9)) == (FaceLiveness.LIVE, None)


async def test_a_search_that_did_not_judge_liveness_may_say_nothing_or_not_performed(
    scripted: ScriptedServer, scripted_engine: RemoteEngine
) -> None:
    assert scripted_engine.search
    for result in (None, {}, {"performed": False, "passed": False}, {"performed": False, "passed": True}):
        scripted.on("POST Watchlists/Search", (200, [found_face(spoofCheckResult=result)]))
        (seen,) = await scripted_engine.search.search(JPEG, Similarity.NORMAL, liveness=True)
        assert (seen.liveness.state, seen.liveness.reasons) == (FaceLiveness.UNKNOWN, ("not_performed",))
        (seen,) = await scripted_engine.search.search(JPEG, Similarity.NORMAL)
        assert seen.liveness.state is FaceLiveness.NOT_CHECKED


async def test_problems_are_read_under_both_content_types(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    for kind in ("application/json", "application/problem+json", "text/plain"):
        scripted.on("GET Watchlists/x", web.Response(status=404, text='{"detail": "no such list"}', content_type=kind))
        with pytest.raises(EngineNotFoundError) as raised:
            await client.watchlists.get("x")
        assert raised.value.words == "no such list"


async def test_a_time_may_have_seven_digits_and_no_zone(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    scripted.on("GET Version", (200, VERSION))
    info = await client.version()
    assert info.assembly_modified_at is not None
    assert info.database_created_at == info.database_updated_at
    assert info.assembly_modified_at.microsecond == 123456


# 1.7 Behaviour seen in the vendor's code


async def test_a_score_that_equals_the_threshold_is_a_match(
    scripted: ScriptedServer, scripted_engine: RemoteEngine
) -> None:
    assert scripted_engine.search
    assert scripted_engine.verify
    scripted.on("POST Watchlists/Search", (200, [found_face(matchResults=[match(40), match(39)])]))
    (seen,) = await scripted_engine.search.search(JPEG, Similarity.NORMAL)
    assert [found.score.value for found in seen.matches] == [40]
    scripted.on("POST Faces/Verify", (200, {"confidence": 40.0}), (200, {"confidence": 39.99}))
    assert (await scripted_engine.verify.verify(JPEG, JPEG, Similarity.NORMAL)).matched
    assert not (await scripted_engine.verify.verify(JPEG, JPEG, Similarity.NORMAL)).matched


async def test_labels_without_a_key_say_nothing(scripted: ScriptedServer, client: SmartFaceClient) -> None:
    labels = [{"key": "a", "value": "1"}, {"key": None, "value": "2"}, {"key": "b", "value": None}, {}]
    scripted.on("GET WatchlistMembers/x", (200, {"id": "x", "labels": labels}))
    assert (await client.members.get("x")).labels == {"a": "1", "b": ""}
    scripted.on("GET WatchlistMembers/x", (200, {"id": "x", "labels": None}))
    assert (await client.members.get("x")).labels == {}


def test_a_picture_is_not_longer_than_base64_makes_it() -> None:
    body = {"image": {"data": bytes(300)}, "list": [{"data": bytes(3)}], "number": 1}
    assert b64encode(bytes(300)) in http._written(body)
    with pytest.raises(TypeError):
        http._written({"odd": object()})

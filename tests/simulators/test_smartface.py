"""The simulated SmartFace server does what the vendor's document says, and refuses what it does not have."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
import signal
import sys
from typing import Any

import aiohttp
import pytest

from simulators._smartface import vision
from simulators._smartface.problems import Refusal
from simulators._terminal import pictures
from simulators.smartface import Access, SimulatedSmartFace

FACE = {"data": b64encode(pictures.closeup("anna")).decode()}
LOOK = "POST Watchlists/Search"
SPOOF = "POST Faces/SpoofCheck"
ENROL = "POST WatchlistMembers/Register"
LINK = "POST WatchlistMembers/LinkToWatchlist"
SEARCH = {"image": FACE, "watchlistIds": ["home"]}
REGISTER = {"id": "anna", "images": [FACE], "watchlistIds": ["home"]}


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[SimulatedSmartFace]:
    simulated = SimulatedSmartFace(page_port=0)
    await simulated.start()
    yield simulated
    await simulated.stop()


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


type Ask = Callable[..., Any]


@pytest.fixture
def ask(server: SimulatedSmartFace, session: aiohttp.ClientSession) -> Ask:
    """Send a request; status and JSON."""

    async def asked(call: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        method, path = call.split()
        sent = {"json": body} if body is not None else {}
        async with session.request(method, f"{server.url}/api/v1/{path}", **sent, **more) as answer:
            json_body = answer.content_type.endswith("json")
            return answer.status, await answer.json() if json_body else await answer.read()

    return asked


async def home(ask: Ask) -> None:
    assert (await ask("PUT Watchlists", {"id": "home", "displayName": "Home", "fullName": "Home"}))[0] == 200


@pytest.mark.parametrize(
    ("call", "body", "field"),
    [
        (LOOK, {"image": FACE, "watchlistId": "home"}, "$.watchlistId"),
        (LOOK, {"image": {**FACE, "faceId": None}}, "$.image.faceId"),
        (LOOK, {}, "$.image"),
        (LOOK, {"image": None}, "$.image"),
        (LOOK, {"image": {"data": "data:image/jpeg;base64,/9j/"}}, "$.image.data"),
        (LOOK, {"image": {"data": "/9j/\n"}}, "$.image.data"),
        (LOOK, {"image": {"data": 5}}, "$.image.data"),
        (LOOK, {**SEARCH, "threshold": "40"}, "$.threshold"),
        (LOOK, {**SEARCH, "threshold": True}, "$.threshold"),
        (LOOK, {**SEARCH, "threshold": 2**31}, "$.threshold"),
        (LOOK, {**SEARCH, "watchlistIds": "home"}, "$.watchlistIds"),
        (LOOK, {**SEARCH, "faceValidationMode": "none"}, "$.faceValidationMode"),
        (LOOK, {**SEARCH, "faceDetectorResourceId": "tpu"}, "$.faceDetectorResourceId"),
        (LOOK, {**SEARCH, "faceFeaturesConfig": {"age": True}}, "$.faceFeaturesConfig.gender"),
        (LOOK, {**SEARCH, "faceMaskConfidenceRequest": {}}, "$.faceMaskConfidenceRequest.faceMaskThreshold"),
        (LOOK, [], "$"),
        (SPOOF, {"image": FACE, "spoofDetectorResourceIds": ["none"]}, "$.spoofDetectorResourceIds[0]"),
        (SPOOF, {"image": FACE, "faceDetectorConfig": {"maxFaces": 1}}, "$.faceDetectorConfig.maxFaces"),
        (ENROL, {**REGISTER, "images": []}, "$.images"),
        (ENROL, {**REGISTER, "watchlistIds": []}, "$.watchlistIds"),
        (ENROL, {**REGISTER, "id": ""}, "$.id"),
        (ENROL, {**REGISTER, "privacy": {}}, "$.privacy"),
        ("POST WatchlistMembers/x/RemoveFace", {"faceId": "first"}, "$.faceId"),
        ("POST WatchlistMembers/x/RemoveFace", {"faceId": 1}, "$.faceId"),
        (LINK, {"watchlistId": "home", "watchlistMemberIds": ["a"]}, "$.watchlistMemberIds"),
        ("POST WatchlistMembers", {"displayName": "n" * 201}, "$.displayName"),
        ("POST WatchlistMembers", {"labels": [{"key": "k" * 129}]}, "$.labels[0].key"),
        ("PUT Watchlists", {"id": "a", "displayName": "A", "fullName": "A", "threshold": 101}, "$.threshold"),
        ("POST Watchlists", {"displayName": "A", "fullName": "A", "previewColor": "red"}, "$.previewColor"),
    ],
)  # fmt: skip
async def test_what_the_document_does_not_have_is_refused_and_remembered(
    server: SimulatedSmartFace, ask: Ask, call: str, body: Any, field: str
) -> None:
    await home(ask)
    status, problem = await ask(call, body)
    assert (status, problem["status"]) == (400, 400)
    assert field in problem["errors"]
    assert len(server.violations) == 1
    assert field in server.violations[0]
    server.clear_violations()


async def test_newer_releases_know_more_and_answer_with_more(ask: Ask, server: SimulatedSmartFace) -> None:
    server.set_version("4.40")
    await home(ask)
    body = {
        **REGISTER,
        "faceValidationMode": "none",
        "privacy": {"saveRegistrationImages": False},
        "images": [{**FACE, "modality": "Face", "faceSelector": "singleFaceOnly"}],
    }
    status, registered = await ask("POST WatchlistMembers/Register", body)
    assert status == 201
    assert registered["palms"] == []
    assert registered["watchlists"][0]["palmThreshold"] == 40
    assert registered["faces"][0]["imageDataId"] is None
    status, found = await ask("POST Watchlists/Search", {**SEARCH, "faceValidationMode": "none"})
    assert (status, [match["watchlistMemberId"] for match in found[0]["matchResults"]]) == (200, ["anna"])
    assert (await ask("GET WatchlistMembers/anna"))[1]["privacy"] == {
        "saveRegistrationImages": False,
        "saveMatchedImages": True,
        "includeMatchedImageInEvents": True,
    }
    server.set_version("4.25")
    assert "privacy" not in (await ask("GET WatchlistMembers/anna"))[1]
    with pytest.raises(ValueError, match="no release"):
        SimulatedSmartFace(version="3.0")
    assert server.violations == []


async def test_requests_that_no_operation_takes(server: SimulatedSmartFace, ask: Ask, session: Any) -> None:
    for call, status in (
        ("GET Nothing", 404),
        ("PATCH Watchlists", 405),
        ("GET Watchlists?Page=1", 200),
        ("GET Watchlists?PageNumber=0", 400),
        ("GET Watchlists?Ascending=yes", 400),
        ("GET Images/first", 400),
    ):
        assert (await ask(call))[0] == status
    async with session.get(f"{server.url}/elsewhere") as answer:
        assert answer.status == 404
    async with session.get(f"{server.url}/api/v1/Version", data=b"{}") as answer:
        assert answer.status == 200
    assert (await ask("POST Watchlists", data=b"{}", headers={"Content-Type": "text/plain"}))[0] == 415
    assert (await ask("POST Watchlists", data=b"{", headers={"Content-Type": "application/json"}))[0] == 400
    assert (await ask("GET Version", headers={"X-Session-Id": "a"}))[0] == 200
    server.set_version("4.40")
    status, _ = await ask("POST Faces/SpoofCheck", {"image": FACE}, headers={"X-Session-Id": "a"})
    assert status == 400
    assert len(server.violations) == 5


async def test_what_its_own_rules_refuse(server: SimulatedSmartFace, ask: Ask) -> None:
    await home(ask)
    assert (await ask("POST WatchlistMembers/Register", REGISTER))[0] == 201
    assert (await ask("POST WatchlistMembers/Register", REGISTER))[0] == 409
    assert (await ask("POST WatchlistMembers/Register", {**REGISTER, "id": "b", "watchlistIds": ["x"]}))[0] == 400
    text = {"data": b64encode(b"no picture").decode()}
    assert (await ask("POST Watchlists/Search", {**SEARCH, "image": text}))[0] == 400
    both = ["none", "liveness_distant_cpu_remote"]
    assert (await ask("POST Watchlists/Search", {**SEARCH, "spoofDetectorResourceIds": both}))[0] == 400
    same = ["liveness_distant_gpu_remote", "liveness_distant_cpu_remote"]
    assert (await ask("POST Watchlists/Search", {**SEARCH, "spoofDetectorResourceIds": same}))[0] == 400
    face = server.members["anna"].faces[0]
    assert (await ask("POST WatchlistMembers/anna/AddFaceFromSystem", {"faceId": face}))[0] == 409
    other = {"id": "b", "images": [{**FACE, "faceId": face}], "watchlistIds": ["home"]}
    assert (await ask("POST WatchlistMembers/Register", other))[0] == 201
    assert (await ask("POST Watchlists/Search", {**SEARCH, "watchlistIds": None}))[0] == 200
    # Several photos are taken all or none.
    flat = {"data": b64encode(pictures.sample("empty")).decode()}
    kept = len(server.images)
    assert (await ask("POST WatchlistMembers/Register", {**REGISTER, "id": "c", "images": [FACE, flat]}))[0] == 400
    assert (len(server.images), "c" in server.members) == (kept, False)
    assert server.violations == []


async def test_tokens(session: aiohttp.ClientSession) -> None:
    access = Access(kind="client_credentials")
    server = SimulatedSmartFace(access=access)
    await server.start()
    good = {
        "grant_type": "client_credentials",
        "client_id": access.client_id,
        "client_secret": access.client_secret,
        "audience": access.audience,
    }

    async def token(**form: Any) -> tuple[int, Any]:
        async with session.post(server.token_url, data={**good, **form}) as answer:
            return answer.status, await answer.json()

    async def version(header: str) -> int:
        async with session.get(f"{server.url}/api/v1/Version", headers={"Authorization": header}) as answer:
            return answer.status

    assert (await token(grant_type="password"))[0] == 400
    assert (await token(client_secret="wrong"))[0] == 401
    assert (await token(audience="wrong"))[0] == 403
    async with session.post(server.token_url, json=good) as answer:
        assert answer.status == 400
    status, reply = await token()
    assert (status, reply["token_type"], reply["expires_in"]) == (200, "Bearer", 3600)
    assert await version(f"Bearer {reply['access_token']}") == 200
    assert await version("Basic YTpi") == 401
    assert await version("Bearer wrong") == 401
    server.revoke_tokens()
    assert await version(f"Bearer {reply['access_token']}") == 401
    access.kind = "none"
    async with session.post(server.token_url, data=good) as answer:
        assert answer.status == 404
    await server.stop()


async def test_planned_failures_and_scenes(server: SimulatedSmartFace, ask: Ask, session: Any) -> None:
    page = f"http://127.0.0.1:{server.page.port}"
    await home(ask)
    for scene, body, status in (
        ("fail", {"path": "Version", "status": 503, "times": 2}, 200),
        ("fail", {"path": "Watchlists", "method": "GET", "status": 200, "body": "<html>", "kind": "text/html"}, 200),
        ("delete_watchlist", {"watchlist": "home"}, 200),
        ("delete_watchlist", {"watchlist": "home"}, 400),
        ("set_version", {"version": "9"}, 400),
        ("nothing", {}, 404),
    ):
        async with session.post(f"{page}/scene/{scene}", json=body) as answer:
            assert answer.status == status
    assert [(await ask("GET Version"))[0] for _ in range(3)] == [503, 503, 200]
    assert (await ask("GET Watchlists"))[1] == b"<html>"
    server.fail("Version", status=0)
    with pytest.raises(aiohttp.ClientError):
        await ask("POST Version", {})
    async with session.get(f"{page}/") as answer:
        assert "Simulated SmartFace server" in await answer.text()
    async with session.get(f"{page}/state") as answer:
        state = await answer.json()
    assert (state["version"], state["watchlists"], state["violations"]) == ("v5_4.25.2.6157", [], [])


def test_people_are_told_apart_and_known_again() -> None:
    names = ("anna", "bert", "carla", "dora", "emil", "fritz", "gina", "hans")
    seen = {name: vision.look(pictures.panorama(name))[0] for name in names}
    for name, face in seen.items():
        again = (
            pictures.closeup(name),
            pictures.panorama(name, photo=True),
            pictures.to_jpeg(pictures.draw(name).resize((480, 360)), 60),
        )
        assert all(vision.alike(face.template, vision.look(data)[0].template) >= 50 for data in again)
        others = [other.template for each, other in seen.items() if each != name]
        assert all(vision.alike(face.template, other) < 30 for other in others)
    photograph = pictures.draw("anna").crop((0, 0, 300, 200))
    assert len(vision.look(pictures.to_jpeg(photograph))) == 1
    with pytest.raises(Refusal):
        vision.look(b"no picture")


async def test_it_runs_as_a_process(socket_enabled: None, session: aiohttp.ClientSession) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulators.smartface", "--port", "0", "--page-port", "0", "--version", "4.40",
        "--auth", "bearer", "--token", "t", stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    lines = [(await process.stdout.readline()).decode().split() for _ in range(3)]
    assert [line[0] for line in lines] == ["smartface", "api", "page"]
    async with session.get(f"{lines[1][1]}/api/v1/Version", headers={"Authorization": "Bearer t"}) as answer:
        assert (await answer.json())["fullVersion"] == lines[0][1]
    process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0

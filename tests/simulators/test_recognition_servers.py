"""The simulated recognition servers: strict, and startable as processes with a control API."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
import sys
from typing import Any

import aiohttp
from PIL import Image, ImageDraw
import pytest

from simulators._servers.base import SimulatedServer
from simulators._servers.faces import NoPictureError, likeness, see
from simulators._sight import find_noses
from simulators._terminal import pictures
from simulators.face_scan import SimulatedFaceScan
from simulators.kby import SimulatedKby
from simulators.opencv_fr import SimulatedOpenCvFr

HEADERS = {"x-api-key": "sim-key"}


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


@pytest.fixture
async def session(socket_enabled: None) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Any]]:
    async with AsyncExitStack() as stack:

        async def start_one(server: SimulatedServer) -> Any:
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield start_one


@pytest.mark.parametrize("seed", ["Alice", "Carol", "Dora", "Gustav"])
def test_same_face_in_other_pictures(seed: str) -> None:
    whole = see(pictures.panorama(seed)).faces[0]
    smaller = see(pictures.to_jpeg(pictures.draw(seed).resize((1000, 750)))).faces[0]
    for other in (see(pictures.closeup(seed)).faces[0], smaller, see(pictures.panorama(seed, False, True)).faces[0]):
        assert likeness(whole, other) > 0.8
    for stranger in {"Alice", "Carol", "Dora", "Gustav"} - {seed}:
        assert likeness(whole, see(pictures.panorama(stranger)).faces[0]) < 0.6


def test_noses_at_both_edges_are_two() -> None:
    """The last pixel of a row is no neighbour of the first one of the next."""
    image = Image.new("RGB", (200, 100), "#808080")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 40, 9, 59), fill=pictures.MARKER)
    pen.rectangle((185, 40, 199, 59), fill=pictures.MARKER)
    pen.rectangle((90, 10, 99, 19), fill=pictures.MARKER)
    pen.rectangle((150, 90, 152, 92), fill=pictures.MARKER)
    found = find_noses(image)
    assert [(nose.x, nose.y, nose.at_border) for nose in found] == [
        (192.5, 50, True),
        (5, 50, True),
        (95, 15, False),
    ]
    assert len(find_noses(image, least=9)) == 4


def test_what_is_seen() -> None:
    masked = see(pictures.panorama("Alice", True)).faces[0]
    printed = see(pictures.panorama("Alice", False, True)).faces[0]
    plain = see(pictures.panorama("Alice")).faces[0]
    assert [(one.masked, one.printed) for one in (plain, masked, printed)] == [
        (False, False),
        (True, False),
        (False, True),
    ]
    assert see(pictures.sample("empty")).faces == ()
    assert len(see(pictures.sample("two")).faces) == 2
    assert see(pictures.sample("cut")).faces[0].cropped
    with pytest.raises(NoPictureError):
        see(b"\xff\xd8\xff no")


PERSON = {
    "person_id": "a",
    "person_name": "A",
    "check_duplicates": False,
    "check_liveness": False,
    "collection_name": "house",
    "duplicate_check_min_similarity": 0.7,
    "face_base_64": "",
    "face_storage_type": "NoStorage",
}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"person_id": 1}, "person_id of /person is a int"),
        ({"check_liveness": 1}, "check_liveness of /person is a int"),
        ({"duplicate_check_min_similarity": True}, "duplicate_check_min_similarity of /person is a bool"),
        ({"duplicate_check_min_similarity": 70}, "duplicate_check_min_similarity of /person is out of range"),
        ({"face_storage_type": "Some"}, "face_storage_type of /person is unknown"),
        ({"metadata": {"a": 1}}, "metadata of /person holds more than texts"),
        ({"person_name": ""}, "person_name of /person is empty"),
        ({"images": []}, "/person has no field 'images'"),
        ({"check_liveness": None}, "check_liveness of /person is a NoneType"),
    ],
)
async def test_opencv_fr_wants_what_its_page_lists(
    session: aiohttp.ClientSession, start: Any, change: dict[str, Any], complaint: str
) -> None:
    server = await start(SimulatedOpenCvFr())
    async with session.put(f"{server.url}/person", json={**PERSON, **change}, headers=HEADERS) as answer:
        assert answer.status == 422
        assert (await answer.json())["code"] == "ERR_UNPROCESSABLE_CONTENT"
    assert server.violations == [complaint]


async def test_opencv_fr_complains(session: aiohttp.ClientSession, start: Any) -> None:
    server = await start(SimulatedOpenCvFr())

    async def ask(method: str, path: str, **more: Any) -> tuple[int, Any]:
        async with session.request(method, f"{server.url}{path}", **{"headers": HEADERS, **more}) as answer:
            return answer.status, (await answer.json())["code"] if answer.status not in (404, 405) else None

    assert await ask("POST", "/collection", json={}, headers={}) == (401, "ERR_API_KEY_NOT_PRESENT")
    assert await ask("POST", "/collection", json={"name": "ä"}) == (400, "ERR_INVALID_COLLECTION_NAME")
    assert server.violations == []
    await ask("POST", "/collection", data="{", headers={**HEADERS, "Content-Type": "application/json"})
    await ask("POST", "/collection", data="[]", headers={**HEADERS, "Content-Type": "text/plain"})
    await ask("POST", "/collection", json={})
    await ask("PUT", "/persons", json={"collection_name": "h", "face_storage_type": "NoStorage", "persons": [1]})
    async with session.post(f"{server.url}/collection", json={"name": "h"}, headers=HEADERS):
        pass
    persons = {"collection_name": "h", "face_storage_type": "NoStorage", "persons": [1]}
    assert await ask("PUT", "/persons", json=persons) == (422, "ERR_UNPROCESSABLE_CONTENT")
    search = {"collection_name": "h", "face_base_64": "data:image/jpeg;base64,AA==", "check_liveness": False}
    search |= {"min_similarity_score": 0.7, "max_results": 0}
    await ask("POST", "/face-search", json=search)
    assert await ask("POST", "/face-search", json={**search, "max_results": 1}) == (400, "ERR_INVALID_IMAGE")
    assert await ask("GET", "/persons") == (405, None)
    assert await ask("GET", "/collections") == (404, None)
    assert server.violations == [
        "the body of /collection is no JSON",
        "Content-Type of /collection is 'text/plain'",
        "the body of /collection is no object",
        "/collection lacks 'name'",
        "item: no object",
        "max_results of /face-search is out of range",
        "the picture is no plain base64",
        "GET /persons is no call of this server",
        "GET /collections is no call of this server",
    ]


async def test_forms_are_checked(session: aiohttp.ClientSession, start: Any) -> None:
    server = await start(SimulatedFaceScan())
    token = server.login.grant()["access_token"]
    url, headers = f"{server.compare_url}/v1/compare_face", {"Authorization": f"Bearer {token}"}

    async def send(**fields: Any) -> int:
        form = aiohttp.FormData(default_to_multipart=True)
        for name, value in fields.items():
            form.add_field(name, value, filename="a.jpg" if isinstance(value, bytes) else None)
        async with session.post(url, data=form, headers=headers) as answer:
            return answer.status

    async with session.post(url, json={}, headers=headers) as answer:
        assert answer.status == 400
    both = {"file1": b"a", "file2": b"b"}
    assert await send(**both, channel="WEB") == 400
    assert await send(file1=b"a", file2="b", channel="WEB", reference="x") == 400
    assert await send(**both, channel="TV", reference="x") == 400
    assert await send(**both, channel="WEB", reference="x", more="y") == 200
    assert server.violations == [
        f"Content-Type of {url.removeprefix(server.url)} is 'application/json'",
        "the form of /face-recognition-sdk/v1/compare_face lacks 'reference'",
        "file2 of /face-recognition-sdk/v1/compare_face is no file",
        "the form of /face-recognition-sdk/v1/compare_face lacks 'file2'",
        "channel 'TV' or reference 'x'",
        "the form of /face-recognition-sdk/v1/compare_face has no field 'more'",
    ]
    assert [record["compareResult"] for record in server.records.values()] == ["Failed to open file1"]


async def test_records_are_checked(session: aiohttp.ClientSession, start: Any) -> None:
    server = await start(SimulatedFaceScan())
    scan_id = "f2d051aa-045d-4f87-822f-ad694464614c"
    server.records[scan_id] = {"id": scan_id}
    headers = {"Authorization": f"Bearer {server.login.grant()['access_token']}"}
    url = f"{server.records_url}/v1/face-recognition"
    for path, body in (
        ("/7", {}),
        (f"/{scan_id}", {"reference": "x"}),
        (f"/{scan_id}", {"elapsedTime": True}),
        (f"/{scan_id}", {"id": "another"}),
    ):
        async with session.put(url + path, json=body, headers=headers) as answer:
            assert answer.status == 400
    for query, status in (("?page=x", 400), ("?limit=3", 200)):
        async with session.get(url + query, headers=headers) as answer:
            assert answer.status == status
    async with session.get(url) as answer:
        assert answer.status == 401
    assert server.violations == [
        "'7' is no id",
        "a record has no field 'reference'",
        "elapsedTime of a record is a bool",
        "a record was written under the id of another",
        "a list has no parameter 'limit'",
    ]


async def test_kby_bodies_are_checked(session: aiohttp.ClientSession, start: Any) -> None:
    server = await start(SimulatedKby(shape="2023"))
    async with session.post(f"{server.url}/compare_face_base64", json={"base64_1": ""}) as answer:
        assert answer.status == 400
    lines = {"base64_1": "/9j/\n/9j/", "base64_2": 7}
    async with session.post(f"{server.url}/compare_face_base64", json=lines) as answer:
        assert (await answer.json())["compare_result"] == "Failed to open file1"
    assert server.violations == [
        "/compare_face_base64 has the fields ['base64_1']",
        "base64_1 is no plain base64",
        "base64_2 is no plain base64",
    ]


def test_a_photograph_is_one_face() -> None:
    """Nobody is drawn on it: what is alike is the whole picture."""
    hills, sea = Image.linear_gradient("L"), Image.radial_gradient("L")
    photo, other = (see(pictures.to_jpeg(image.convert("RGB"))) for image in (hills, sea))
    assert [len(one.faces) for one in (photo, other)] == [1, 1]
    assert likeness(photo.faces[0], see(pictures.to_jpeg(hills.resize((400, 400)).convert("RGB"))).faces[0]) > 0.8
    assert likeness(photo.faces[0], other.faces[0]) < 0.6
    assert see(pictures.to_jpeg(Image.new("RGB", (300, 200), "#9fb4c0"))).faces == ()


async def test_control_api(session: aiohttp.ClientSession, start: Any) -> None:
    server = await start(SimulatedKby(page_port=0))
    async with session.get(server.page_url) as answer:
        assert "violations" in await answer.text()

    async def scene(name: str, **arguments: Any) -> int:
        async with session.post(f"{server.page_url}scene/{name}", json=arguments) as answer:
            return answer.status

    assert await scene("upgrade", shape="2023") == 200
    assert await scene("upgrade", shape="1999") == 400
    assert await scene("stop") == 404
    assert await scene("fail", path="/compare_face", status=503, body="later", delay=0.01) == 200
    async with session.post(f"{server.url}/compare_face") as answer:
        assert (answer.status, await answer.text()) == (503, "later")
    async with session.get(f"{server.page_url}state") as answer:
        state = await answer.json()
    assert (state["shape"], state["requests"], state["violations"]) == ("2023", [["POST", "/compare_face", 503]], [])
    assert await scene("clear_violations") == 200
    for other in (SimulatedOpenCvFr(page_port=0), SimulatedFaceScan(page_port=0)):
        await start(other)
        async with session.get(f"{other.page_url}state") as answer:
            assert (await answer.json())["scenes"] == sorted(other.SCENES | {"fail", "clear_violations"})
    face_scan = SimulatedFaceScan()
    with pytest.raises(ValueError, match="1999"):
        face_scan.upgrade(shape="1999")


@pytest.mark.parametrize(
    ("module", "options", "names"),
    [
        ("opencv_fr", ["--api-key", "k"], ["opencv_fr", "page"]),
        ("kby", ["--image", "liveness"], ["kby-liveness", "page"]),
        ("face_scan", [], ["compare", "records", "authorize", "token", "page"]),
        ("inference", ["--token", "t"], ["inference", "page"]),
    ],
)
async def test_servers_start_as_processes(
    session: aiohttp.ClientSession, module: str, options: list[str], names: list[str]
) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", f"simulators.{module}", "--port", "0", "--page-port", "0", *options),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        lines = [(await asyncio.wait_for(process.stdout.readline(), 30)).decode().split() for _ in names]
        assert [line[0] for line in lines] == names
        async with session.get(f"{lines[-1][1]}state") as answer:
            assert answer.status == 200
    finally:
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0

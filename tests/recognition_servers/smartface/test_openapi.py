"""What we send and what the simulator answers, held against the vendor's published document by a library.

The document is not ours to copy: it lies beside the project, and without it these tests are skipped.
"""

from collections.abc import Awaitable, Callable
import json
from typing import Any

from aiohttp import web
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse
import pytest

from custom_components.face_access.recognition.errors import EngineError
from custom_components.face_access.recognition.smartface import MemberFacts, SmartFaceClient, Tuning
from simulators._smartface.operations import OPERATIONS as SIMULATED
from simulators._terminal import pictures

from .conftest import FACE_ID, LIST, OPENAPI, Running, Trio, doorstep, portrait
from .test_engine import ANNA, BERT
from .tour import ALL, every_operation, operation_of

pytestmark = pytest.mark.skipif(not OPENAPI.exists(), reason=f"the vendor's document is not at {OPENAPI}")
HOST = "http://127.0.0.1"


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    """Read the document: the part of it that the seed has."""
    whole = json.loads(OPENAPI.read_text())
    wanted = {f"/api/v1/{path}" for _, path in ALL}
    # One description in it is null, which OpenAPI does not allow; nothing else of it is touched.
    whole["paths"]["/api/v1/Images/{id}"]["get"]["responses"]["200"]["description"] = "The picture."
    return {**whole, "paths": {path: item for path, item in whole["paths"].items() if path in wanted}}


@pytest.fixture(scope="module")
def document(published: dict[str, Any]) -> OpenAPI:
    """Make the validator."""
    return OpenAPI.from_dict(published)


@pytest.fixture
def watched(running: Running, document: OpenAPI) -> Callable[..., Awaitable[tuple[Trio, list[str], set[Any]]]]:
    """Switch a server of the document's release on whose exchanges are all looked at: complaints, and what was used."""

    async def start(**more: Any) -> tuple[Trio, list[str], set[Any]]:
        trio = await running("4.25", **more)
        complaints: list[str] = []
        used: set[Any] = set()

        async def look(request: web.Request, answer: web.Response) -> None:
            used.add((*operation_of(request.method, request.path), answer.status))
            complaints.extend(_complaints(document, _request(request, await request.read()), answer))

        trio.server.server.on_exchange = look
        return trio, complaints, used

    return start


def _request(request: web.Request, body: bytes) -> MockRequest:
    return MockRequest(
        HOST,
        request.method.lower(),
        request.rel_url.raw_path,
        args=dict(request.query),
        headers={"Content-Type": request.content_type} if body else {},
        data=body or None,
        content_type=request.content_type if body else "application/json",
    )


def _complaints(document: OpenAPI, request: MockRequest, answer: web.Response) -> list[str]:
    found = []
    where = f"{request.method} {request.path} {answer.status}"
    # Two of the answers come with a content type that the document does not name: problems, and nothing at all.
    kind = answer.content_type if answer.body else "application/json"
    body = answer.body if isinstance(answer.body, bytes) else b""
    response = MockResponse(body, status_code=answer.status, content_type=kind.replace("problem+json", "json"))
    try:
        document.validate_request(request)
    except OpenAPIError as err:
        found.append(f"{where}: request: {err!r} {err.__cause__!r}"[:400])
    try:
        document.validate_response(request, response)
    except OpenAPIError as err:
        found.append(f"{where}: response: {err!r} {err.__cause__!r}"[:400])
    return found


async def test_every_operation_is_as_the_document_has_it(watched: Any) -> None:
    trio, complaints, used = await watched()
    await every_operation(trio.client)
    assert complaints == []
    assert {(method, path) for method, path, _ in used} == ALL
    assert {status for *_, status in used} == {200, 201, 204}


async def test_everything_the_engine_does_is_as_the_document_has_it(watched: Any) -> None:
    trio, complaints, _ = await watched()
    register = trio.engine.register
    await register.put(ANNA, (portrait("anna"), doorstep("anna"), pictures.sample("empty")))
    await register.put(BERT, (portrait("bert"),))
    await register.put(ANNA, (portrait("emil"),))
    await register.put(ANNA, None)
    assert len([member async for member in register.all()]) == 2
    assert await register.find("carla") is None
    for liveness in (True, False):
        await trio.engine.search.search(doorstep("emil"), "normal", liveness=liveness)
    await trio.engine.liveness.check(doorstep("emil", photo=True))
    await trio.engine.verify.verify(doorstep("emil"), portrait("emil"), "high")
    await register.remove("anna")
    await trio.engine.probe()
    assert complaints == []


async def test_refusals_are_as_the_document_has_them(watched: Any) -> None:
    trio, complaints, used = await watched(licence=1, burst=3, clock=lambda: 0.0)
    client: SmartFaceClient = trio.client
    await client.watchlists.put(LIST, "Home")
    facts, tuning = MemberFacts(name="A"), Tuning()
    await client.members.register("a", [portrait("anna")], [LIST], facts, tuning)
    calls = (
        client.watchlists.get("x"),
        client.watchlists.delete("x"),
        client.watchlists.create("Home"),
        client.watchlists.members_page("x"),
        client.members.get("x"),
        client.members.delete("x"),
        client.members.faces_page("x"),
        client.members.link("x", ["a"]),
        client.members.link(LIST, ["a"]),
        client.members.unlink(LIST, ["x"]),
        client.members.register("b", [portrait("bert")], [LIST], facts, tuning),
        client.members.register("b", [pictures.sample("empty")], [LIST], facts, tuning),
        client.members.register("b", [portrait("bert")], [LIST], facts, tuning),
        client.members.add_face("x", portrait("anna"), tuning),
        client.members.add_face("a", portrait("anna"), tuning),
        client.members.add_face("a", pictures.sample("empty"), tuning),
        client.members.add_known_face("x", FACE_ID),
        client.members.remove_face("a", FACE_ID),
        client.images.get(FACE_ID),
        client.faces.search(portrait("anna"), ["x"], tuning),
    )
    for call in calls:
        with pytest.raises(EngineError):
            await call
    for path in ("Search", "Verify", "SpoofCheck", "AddNewFace", "Register"):
        trio.server.fail(path, status=408)
    for call in (
        client.faces.search(portrait("anna"), [LIST], tuning),
        client.faces.verify(portrait("anna"), portrait("anna"), tuning),
        client.faces.spoof_check(portrait("anna"), tuning),
        client.members.add_face("a", portrait("anna"), tuning),
        client.members.register("b", [portrait("bert")], [LIST], facts, tuning),
    ):
        with pytest.raises(EngineError):
            await call
    assert complaints == []
    assert {status for *_, status in used} == {200, 201, 400, 404, 408, 409, 429}


async def test_what_is_not_in_the_document_would_be_noticed(document: OpenAPI) -> None:
    def asked(body: Any) -> list[str]:
        data = json.dumps(body).encode()
        request = MockRequest(HOST, "post", "/api/v1/Watchlists/Search", data=data, content_type="application/json")
        return _complaints(document, request, web.json_response([]))

    picture = {"data": "/9j/"}
    assert asked({"image": picture}) == []
    for wrong in (
        {},
        {"image": picture, "faceValidationMode": "none"},
        {"image": picture, "threshold": "40"},
        {"image": picture, "watchlistIds": "all"},
    ):
        assert len(asked(wrong)) == 1
    request = MockRequest(HOST, "get", "/api/v1/Version")
    assert _complaints(document, request, web.json_response({"fullVersion": 4.25}))
    request = MockRequest(HOST, "get", "/api/v1/Watchlists", args={"PageNumber": "0"})
    answer = {"items": [], "nextPage": None, "previousPage": None, "pageNumber": 1, "pageSize": 1}
    assert len(_complaints(document, request, web.json_response({**answer, "totalItemsCount": 0}))) == 1


def test_the_tour_and_the_simulator_have_all_operations_of_the_document(published: dict[str, Any]) -> None:
    theirs = {
        (method.upper(), path.removeprefix("/api/v1/")) for path, item in published["paths"].items() for method in item
    }
    assert theirs == ALL
    assert len(ALL) == 23
    assert {(each.method, each.path) for each in SIMULATED} == ALL

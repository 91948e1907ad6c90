"""The face scan service: the engine on the simulated one with its login, and each quirk of its pages by name."""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from yarl import URL

from custom_components.face_access.access import Similarity
from custom_components.face_access.recognition.errors import (
    EngineAuthError,
    EngineError,
    EngineFaultError,
    EngineForbiddenError,
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    EngineUnableError,
    EngineUnreachableError,
    NoFaceError,
    PictureError,
)
from custom_components.face_access.recognition.face_scan import (
    COMPARE_ADDRESS,
    Channel,
    FaceScanClient,
    FaceScanSettings,
    ScanRecord,
    face_scan_engine,
)
from simulators.face_scan import SHAPES, SimulatedFaceScan

from .conftest import NO_PICTURE, empty, face
from .scripted import ScriptedServer

type Start = Callable[..., Awaitable[Any]]
CLIENT = {"client_id": "sim-client", "client_secret": "sim-secret"}
ACCOUNT = {"username": "household", "password": "house-password"}


class Tokens:
    """Tokens as Home Assistant would keep them: refreshed where the service did not take the current one."""

    def __init__(self, session: aiohttp.ClientSession, server: SimulatedFaceScan) -> None:
        self.session = session
        self.server = server
        self.current: dict[str, Any] = {}
        self.refused: list[str | None] = []

    async def __call__(self, refused: str | None = None) -> str:
        self.refused.append(refused)
        if not self.current:
            self.current = await self.ask({"grant_type": "password", **ACCOUNT})
        elif refused == self.current["access_token"]:
            self.current = await self.ask(
                {"grant_type": "refresh_token", "refresh_token": self.current["refresh_token"]}
            )
        token: str = self.current["access_token"]
        return token

    async def ask(self, form: dict[str, str]) -> dict[str, Any]:
        async with self.session.post(self.server.token_url, data={**CLIENT, **form}) as answer:
            if answer.status >= 400:
                raise EngineAuthError("log in again")
            granted: dict[str, Any] = await answer.json()
            return granted


@pytest.fixture
async def server(started: Start) -> SimulatedFaceScan:
    made: SimulatedFaceScan = await started(SimulatedFaceScan())
    return made


@pytest.fixture
def tokens(session: aiohttp.ClientSession, server: SimulatedFaceScan) -> Tokens:
    return Tokens(session, server)


@pytest.fixture
def client(session: aiohttp.ClientSession, server: SimulatedFaceScan, tokens: Tokens) -> FaceScanClient:
    return FaceScanClient(session, tokens, compare=server.compare_url, records=server.records_url)


@pytest.fixture
def with_answers(session: aiohttp.ClientSession, scripted: ScriptedServer) -> FaceScanClient:
    """Talk to the server whose answers the test writes."""
    return FaceScanClient(session, always, compare=scripted.url, records=scripted.url)


async def always(refused: str | None = None) -> str:
    return "token-2" if refused else "token-1"


async def scan(client: FaceScanClient, first: bytes | None = None, second: bytes | None = None) -> Any:
    return await client.compare(
        first or face("Alice"), second or face("Alice"), channel=Channel.WEB, reference="front door"
    )


# Comparing.


@pytest.mark.parametrize("shape", SHAPES)
async def test_both_shapes_of_the_engine_inside(client: FaceScanClient, server: SimulatedFaceScan, shape: str) -> None:
    server.upgrade(shape=shape)
    engine = face_scan_engine(client, FaceScanSettings(reference="hall"))
    assert engine.verify is not None
    result = await engine.verify.verify(face("Alice"), face("Alice"), Similarity.NORMAL)
    assert result.matched
    assert result.score is not None
    assert (result.score.value, result.score.threshold) == (1, 0.7)
    assert result.record in server.records
    other = await engine.verify.verify(face("Alice"), face("Carol"), Similarity.NORMAL)
    assert not other.matched
    assert (engine.search, engine.liveness, engine.register) == (None, None, None)


async def test_record_is_made_and_echoes_channel_and_reference(
    client: FaceScanClient, server: SimulatedFaceScan
) -> None:
    made = await scan(client)
    assert (made.channel, made.reference) == ("WEB", "front door")
    assert server.records[made.id]["salesChannel"] == "WEB"
    assert made.created is not None
    assert "+" not in made.created  # without a zone
    assert made.comparison.verdict is True


async def test_picture_without_a_face_leaves_a_record_all_the_same(
    client: FaceScanClient, server: SimulatedFaceScan
) -> None:
    with pytest.raises(NoFaceError) as caught:
        await scan(client, face("Alice"), empty())
    assert caught.value.picture == 2
    with pytest.raises(PictureError):
        await scan(client, NO_PICTURE)
    assert len(server.records) == 2


@pytest.mark.parametrize("reference", ["", " \n", "x" * 201])
async def test_reference_is_wanted(client: FaceScanClient, server: SimulatedFaceScan, reference: str) -> None:
    with pytest.raises(EngineRefusedError):
        await client.compare(face("Alice"), face("Alice"), channel=Channel.OTHER, reference=reference)
    assert server.records == {}


async def test_comparison_is_not_repeated_when_the_connection_breaks(
    client: FaceScanClient, server: SimulatedFaceScan
) -> None:
    """Each leaves a record, and may cost something."""
    server.fail(path="/compare_face", status=0)
    with pytest.raises(EngineUnreachableError):
        await scan(client)
    assert server.count("/face-recognition-sdk/v1/compare_face") == 1


async def test_quota(client: FaceScanClient, server: SimulatedFaceScan) -> None:
    server.use_up_quota()
    with pytest.raises(EngineLimitError) as caught:
        await scan(client)
    assert "No credit is left." in caught.value.words
    assert "credit" not in str(caught.value)


def test_only_address_in_the_pages_is_one_for_integration() -> None:
    assert "-int." in COMPARE_ADDRESS


# The login.


async def test_token_is_used_until_it_is_refused(
    client: FaceScanClient, server: SimulatedFaceScan, tokens: Tokens
) -> None:
    await scan(client)
    await scan(client)
    assert server.login.granted == ["password"]
    server.pass_time(seconds=901)  # tokens last 15 minutes
    await scan(client)
    assert server.login.granted == ["password", "refresh_token"]
    assert [refused is None for refused in tokens.refused] == [True, True, True, False]


async def test_after_half_an_hour_somebody_must_log_in(client: FaceScanClient, server: SimulatedFaceScan) -> None:
    await scan(client)
    server.pass_time(seconds=1801)
    with pytest.raises(EngineAuthError):
        await scan(client)


async def test_refused_twice_is_an_auth_error(with_answers: FaceScanClient, scripted: ScriptedServer) -> None:
    scripted.answers((401, {"error": "token-1 token-2"}))
    with pytest.raises(EngineAuthError) as caught:
        await scan(with_answers)
    assert [asked.headers["Authorization"] for asked in scripted.asked] == ["Bearer token-1", "Bearer token-2"]
    assert "token-" not in str(caught.value)


async def test_forbidden_is_not_tried_again(with_answers: FaceScanClient, scripted: ScriptedServer) -> None:
    scripted.answers((403, ""))
    with pytest.raises(EngineForbiddenError):
        await scan(with_answers)
    assert len(scripted.asked) == 1


async def test_token_that_no_header_can_carry(session: aiohttp.ClientSession, scripted: ScriptedServer) -> None:
    async def broken(refused: str | None = None) -> str:
        return "a\nb"

    with pytest.raises(EngineAuthError):
        await FaceScanClient(session, broken, compare=scripted.url).log_in()


async def test_probing_leaves_no_picture(
    session: aiohttp.ClientSession, client: FaceScanClient, server: SimulatedFaceScan, tokens: Tokens
) -> None:
    assert (await face_scan_engine(client).probe()).name == "DMS Workspace"
    assert server.count("/ocr-backend/v1/face-recognition") == 1
    without = FaceScanClient(session, tokens, compare=server.compare_url)
    await face_scan_engine(without).probe()
    assert server.records == {}
    assert not without.has_records
    assert client.has_records


# Records.


async def test_records_can_be_read_listed_and_changed(client: FaceScanClient, server: SimulatedFaceScan) -> None:
    made = await scan(client)
    record = await client.get(made.id.upper())
    assert (record.id, record.sales_channel, record.compare_similarity) == (made.id, "WEB", 1)
    assert record.company_id == server.company
    changed = await client.update(replace(record, sales_channel="OTHER"))
    assert changed.updated_date is not None
    assert replace(changed, updated_date=None, sales_channel="WEB") == record
    page = await client.list(page=0, size=10)
    assert page.records == (changed,)
    assert (page.total, page.last) == (1, True)


@pytest.mark.parametrize("envelope", ["content", "items", "data", ""])
async def test_envelope_of_a_list_is_in_no_document(
    client: FaceScanClient, server: SimulatedFaceScan, envelope: str
) -> None:
    server.envelope = envelope
    ids = [(await scan(client)).id for _ in range(3)]
    page = await client.list(page=1, size=2)
    assert [record.id for record in page.records] == ids[2:]
    assert page.total == (3 if envelope else None)


async def test_names_of_the_query_can_be_given(with_answers: FaceScanClient, scripted: ScriptedServer) -> None:
    scripted.answers([])
    await with_answers.list(query={"salesChannel": "WEB & OTHER"})
    assert scripted.asked[0].query == {"salesChannel": "WEB & OTHER"}


async def test_record_that_is_not_there(client: FaceScanClient) -> None:
    with pytest.raises(EngineNotFoundError):
        await client.get(str(uuid4()))
    with pytest.raises(EngineNotFoundError):
        await client.update(ScanRecord(id=str(uuid4())))


@pytest.mark.parametrize("wrong", ["", "1", "../../v1/users", "f2d051aa-045d-4f87-822f-ad694464614", None])
async def test_id_that_is_none_is_not_asked_for(client: FaceScanClient, server: SimulatedFaceScan, wrong: Any) -> None:
    with pytest.raises(EngineRefusedError):
        await client.get(wrong)
    assert list(server.requests) == []


async def test_record_of_another_id_is_an_error(with_answers: FaceScanClient, scripted: ScriptedServer) -> None:
    scripted.answers({"id": str(uuid4())})
    with pytest.raises(EngineProtocolError):
        await with_answers.get(str(uuid4()))


async def test_every_field_of_a_record_may_be_missing(with_answers: FaceScanClient, scripted: ScriptedServer) -> None:
    scan_id = str(uuid4())
    scripted.answers({"id": scan_id, "companyId": None, "somethingNew": [1]})
    assert await with_answers.get(scan_id) == ScanRecord(id=scan_id)


async def test_address_of_records_is_unknown(session: aiohttp.ClientSession) -> None:
    client = FaceScanClient(session, always)
    for call in (client.list(), client.get(str(uuid4())), client.update(ScanRecord(id=str(uuid4())))):
        with pytest.raises(EngineUnableError):
            await call


ID = "f2d051aa-045d-4f87-822f-ad694464614c"


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {},
        {"id": 7},
        {"id": "1"},
        {"id": ID, "companyId": "x"},
        {"id": ID, "elapsedTime": "0.2"},
        {"id": ID, "compareResult": 1},
    ],
    ids=repr,
)
async def test_record_that_is_none(with_answers: FaceScanClient, scripted: ScriptedServer, answer: Any) -> None:
    scripted.answers(answer)
    with pytest.raises(EngineProtocolError):
        await with_answers.get(ID)


@pytest.mark.parametrize("answer", [{}, {"content": {}}, [5], {"content": [{"id": "x"}]}, "x"], ids=repr)
async def test_list_that_is_none(with_answers: FaceScanClient, scripted: ScriptedServer, answer: Any) -> None:
    scripted.answers(answer)
    with pytest.raises(EngineProtocolError):
        await with_answers.list()


@pytest.mark.parametrize("more", [{}, {"id": "x"}, {"id": ID, "channel": 5}], ids=repr)
async def test_comparison_without_its_record_is_an_error(
    with_answers: FaceScanClient, scripted: ScriptedServer, more: dict[str, Any]
) -> None:
    scripted.answers({"compare_result": "Same person", "compare_similarity": 0.9, **more})
    with pytest.raises(EngineProtocolError):
        await scan(with_answers)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((400, {"message": "bad"}), EngineRefusedError),
        ((400, "bad"), EngineRefusedError),
        ((404, {"message": "no"}), EngineProtocolError),
        ((413, ""), PictureError),
        ((500, [1]), EngineFaultError),
        ((200, ""), EngineProtocolError),
    ],
)
async def test_its_errors_in_our_words(
    with_answers: FaceScanClient, scripted: ScriptedServer, answer: Any, kind: type[EngineError]
) -> None:
    scripted.answers(answer)
    with pytest.raises(kind) as caught:
        await scan(with_answers)
    assert type(caught.value) is kind


# The simulated login, which Home Assistant's application credentials are tested with.


def authorize(server: SimulatedFaceScan, **more: str) -> URL:
    query = {
        "response_type": "code",
        "client_id": "sim-client",
        "redirect_uri": "http://127.0.0.1:1/back",
        "state": "s t",
        "scope": "openid roles",
    }
    return URL(server.authorize_url).with_query({**query, **more})


async def log_in(session: aiohttp.ClientSession, url: URL, **more: str) -> tuple[int, URL | None]:
    async with session.post(url, data={**ACCOUNT, **more}, allow_redirects=False) as answer:
        where = answer.headers.get("Location")
        return answer.status, URL(where) if where else None


async def test_authorization_code(session: aiohttp.ClientSession, server: SimulatedFaceScan, tokens: Tokens) -> None:
    async with session.get(authorize(server)) as page:
        assert 'name="password"' in await page.text()
    assert (await log_in(session, authorize(server), password="wrong"))[0] == 401
    status, back = await log_in(session, authorize(server))
    assert status == 302
    assert back is not None
    assert back.query["state"] == "s t"
    code = {"grant_type": "authorization_code", "code": back.query["code"], "redirect_uri": "http://127.0.0.1:1/back"}
    tokens.current = await tokens.ask(code)
    assert tokens.current["expires_in"] == 900
    client = FaceScanClient(session, tokens, compare=server.compare_url)
    await scan(client)
    with pytest.raises(EngineAuthError):
        await tokens.ask(code)  # a code counts once
    assert server.login.granted == ["authorization_code"]


async def test_code_is_bound_to_address_time_and_verifier(
    session: aiohttp.ClientSession, server: SimulatedFaceScan, tokens: Tokens
) -> None:
    # RFC 7636, appendix B.
    challenge, verifier = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    bound = authorize(server, code_challenge=challenge, code_challenge_method="S256")

    async def redeem(**more: str) -> dict[str, Any]:
        _, back = await log_in(session, bound)
        assert back is not None
        form = {"code": back.query["code"], "redirect_uri": "http://127.0.0.1:1/back", "code_verifier": verifier}
        if more.pop("late", ""):
            server.pass_time(seconds=61)
        return await tokens.ask({"grant_type": "authorization_code", **form, **more})

    assert await redeem()
    for wrong in ({"redirect_uri": "http://127.0.0.1:1/other"}, {"code_verifier": "x"}, {"late": "yes"}, {"code": "x"}):
        with pytest.raises(EngineAuthError):
            await redeem(**wrong)


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"client_id": "x"}, "no such client"),
        ({"response_type": "token"}, "response_type is not code"),
        ({"redirect_uri": "x"}, "redirect_uri is missing"),
        ({"scope": "roles"}, "scope lacks openid"),
        ({"code_challenge": "x", "code_challenge_method": "plain"}, "code_challenge_method is not S256"),
    ],
)
async def test_authorize_request_is_checked(
    session: aiohttp.ClientSession, server: SimulatedFaceScan, more: dict[str, str], problem: str
) -> None:
    async with session.get(authorize(server, **more)) as answer:
        assert answer.status == 400
    assert (await log_in(session, authorize(server, **more)))[0] == 400
    assert server.violations == [problem]
    server.clear_violations()


async def test_token_endpoint_is_keycloaks(session: aiohttp.ClientSession, server: SimulatedFaceScan) -> None:
    refused = {"grant_type": "refresh_token", "refresh_token": "x"}
    basic = {"Authorization": f"Basic {b64encode(b'sim-client:sim-secret').decode()}"}
    for form, headers, wanted in (
        ({**CLIENT, **refused}, None, (400, "invalid_grant")),
        ({**CLIENT, "grant_type": "implicit"}, None, (400, "unsupported_grant_type")),
        ({**CLIENT, "grant_type": "password", "username": "x", "password": "y"}, None, (401, "invalid_grant")),
        ({"client_id": "sim-client", **refused}, None, (401, "unauthorized_client")),
        (refused, basic, (400, "invalid_grant")),
        (refused, {"Authorization": f"Basic {b64encode(b'x:y').decode()}"}, (401, "unauthorized_client")),
        (refused, {"Authorization": "Basic ?"}, (401, "unauthorized_client")),
        ({"grant_type": "password", **ACCOUNT}, basic, (200, None)),
    ):
        async with session.post(server.token_url, data=form, headers=headers) as answer:
            assert (answer.status, (await answer.json()).get("error")) == wanted
    async with session.post(server.token_url, json={**CLIENT, **ACCOUNT, "grant_type": "password"}) as answer:
        assert answer.status == 400
    assert server.violations == ["the token was asked for with application/json"]
    server.clear_violations()


async def test_refresh_token_counts_once_and_sessions_end(
    session: aiohttp.ClientSession, server: SimulatedFaceScan, tokens: Tokens, client: FaceScanClient
) -> None:
    await scan(client)
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens.current["refresh_token"]}
    tokens.current = await tokens.ask(refresh)
    with pytest.raises(EngineAuthError):
        await tokens.ask(refresh)
    server.end_tokens()
    await scan(client)
    server.end_sessions()
    with pytest.raises(EngineAuthError):
        await scan(client)

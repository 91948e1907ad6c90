"""What goes wrong between us and a server: statuses, half answers, tokens; and that nothing of it leaks."""

import asyncio
from base64 import b64encode
import json
import logging
import ssl
import traceback
from typing import Any

import aiohttp
from aiohttp import web
import pytest

from custom_components.face_access.access import Similarity
from custom_components.face_access.recognition.errors import (
    DuplicateError,
    EngineAddressError,
    EngineAuthError,
    EngineError,
    EngineFaultError,
    EngineForbiddenError,
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnreachableError,
    NoFaceError,
    PhotoRefusedError,
    RecognitionError,
)
from custom_components.face_access.recognition.smartface import (
    ClientCredentials,
    EngineOptions,
    MemberFacts,
    Server,
    SmartFaceClient,
    Tuning,
    engine,
    transport,
)
from custom_components.face_access.recognition.smartface.login import Login
from simulators._panel import tls
from simulators.smartface import Access

from .conftest import FACE_ID, JPEG, LIST, VERSION, Running, ScriptedServer, found_face, match, problem, with_login

SECRETS = ("s3cret-token", "s3cret-client", "fetched-t0ken")
FACTS = MemberFacts(name="Zacharias Secretname")
# Servers like to repeat what they were sent.
QUOTE = f"Zacharias Secretname is in edit by {' '.join(SECRETS)}"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (problem(400, "no"), EngineRefusedError),
        ((401, ""), EngineAuthError),
        ((403, ""), EngineForbiddenError),
        (problem(404), EngineNotFoundError),
        (problem(408), EngineTimeoutError),
        ((408, "<html>"), EngineTimeoutError),
        (problem(409), EngineLimitError),
        (problem(422), PhotoRefusedError),
        ((429, ""), EngineLimitError),
        (problem(500), EngineFaultError),
        ((502, "<html>"), EngineUnreachableError),
        ((503, ""), EngineUnreachableError),
        ((504, ""), EngineUnreachableError),
        ((418, ""), EngineProtocolError),
        ((400, "<html>"), EngineProtocolError),
        ((404, ""), EngineProtocolError),
        ((404, "[]"), EngineProtocolError),
        ((302, ""), EngineProtocolError),
        ((200, "<html>"), EngineProtocolError),
        ((200, ""), EngineProtocolError),
        ((200, "[" * 100_000), EngineProtocolError),
        ((200, []), EngineProtocolError),
        ((200, {"fullVersion": 4.25}), EngineProtocolError),
        ((200, {}), EngineProtocolError),
        (ConnectionError(), EngineUnreachableError),
    ],
)
async def test_every_answer_has_an_error_of_its_kind(
    scripted: ScriptedServer, client: SmartFaceClient, reply: Any, error: type[EngineError]
) -> None:
    scripted.on("GET Version", reply)
    with pytest.raises(EngineError) as raised:
        await client.version()
    assert type(raised.value) is error


async def test_the_servers_own_words_are_kept_short_and_without_data(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    picture = b64encode(bytes(90)).decode()
    scripted.on("GET Version", problem(500, f"bad\n  data {picture} \ud800 " + "long " * 99))
    with pytest.raises(EngineRefusedError) as raised:
        await client.version()
    assert str(raised.value) == "the server refuses (server_error)"
    assert picture not in raised.value.words
    assert raised.value.words.startswith("bad data … ? long")
    assert len(raised.value.words) < 230


@pytest.mark.parametrize(("body", "words"), [({"title": "T", "detail": " "}, "T"), ({"detail": 5}, ""), ([], "")])
async def test_words_may_be_missing(scripted: ScriptedServer, client: SmartFaceClient, body: Any, words: str) -> None:
    scripted.on("GET Version", (500, body))
    with pytest.raises(EngineRefusedError) as raised:
        await client.version()
    assert raised.value.words == words


async def test_no_words_repeat_what_proves_who_we_are(scripted: ScriptedServer, session: aiohttp.ClientSession) -> None:
    """Neither the token that was sent, nor the secret that it was got with."""
    login = ClientCredentials(token_url=f"{scripted.url}/token", client_id="ha", client_secret="client-secret-17")
    for server in (Server(url=scripted.url, token="token-4711"), Server(url=scripted.url, login=login)):
        scripted.on("POST /token", (200, {"access_token": "token-4711"}))
        scripted.on("GET Version", problem(500, "Bearer token-4711 of client-secret-17 is malformed"))
        with pytest.raises(EngineRefusedError) as raised:
            await SmartFaceClient(session, server).version()
        assert "4711" not in raised.value.words
        assert raised.value.words.endswith("is malformed")
        if server.login is not None:
            assert "secret-17" not in raised.value.words


async def test_nobody_there_and_nobody_in_time(session: aiohttp.ClientSession) -> None:
    with pytest.raises(EngineUnreachableError) as nobody:
        await SmartFaceClient(session, Server(url="http://127.0.0.1:1")).version()
    assert not isinstance(nobody.value, EngineTimeoutError)

    given_up = asyncio.Event()

    async def slow(_request: web.Request) -> web.Response:
        await given_up.wait()
        return web.Response()

    runner = web.AppRunner(_app(slow), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    with pytest.raises(EngineTimeoutError):
        await SmartFaceClient(session, Server(url=url), timeout=0.05).version()
    given_up.set()
    await runner.cleanup()


def _app(handler: Any) -> web.Application:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    return app


async def test_half_an_answer_is_no_answer(session: aiohttp.ClientSession) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{")
        await writer.drain()
        writer.close()

    async def noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")
        await writer.drain()
        writer.close()

    for handler, error in ((half, EngineUnreachableError), (noise, EngineProtocolError)):
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(error):
            await SmartFaceClient(session, Server(url=f"http://127.0.0.1:{port}")).version()
        server.close()


async def test_an_answer_that_does_not_end_is_cut(
    scripted: ScriptedServer, client: SmartFaceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripted.on("GET Version", (200, {**VERSION, "more": "x" * (transport.MAX_ANSWER)}))
    with pytest.raises(EngineProtocolError, match="longer than"):
        await client.version()


async def test_large_answers_and_pictures_are_read_and_written_beside_the_loop(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    scripted.on("POST Watchlists/Search", (200, [found_face(padding="x" * 200_000)]))
    (found,) = await client.faces.search(JPEG + bytes(200_000), [LIST], Tuning())
    assert found.matches == ()
    assert scripted.asked[0].json["image"]["data"] == b64encode(JPEG + bytes(200_000)).decode()
    scripted.on("POST WatchlistMembers/Register", problem(400))
    with pytest.raises(PhotoRefusedError):
        await client.members.register("a", [JPEG + bytes(99_000)] * 2, [LIST], FACTS, Tuning())


async def test_a_question_is_asked_again_where_a_kept_connection_broke(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    """A registration is not: nobody knows how far the server was with it."""
    broken = ConnectionError()
    scripted.on("POST Watchlists/Search", broken, (200, []))
    assert await client.faces.search(JPEG, [LIST], Tuning()) == ()
    assert len(scripted.of("Watchlists/Search")) == 2
    scripted.on("POST WatchlistMembers/Register", broken, (201, {"id": "anna"}))
    with pytest.raises(EngineUnreachableError):
        await client.members.register("anna", [JPEG], [LIST], MemberFacts(), Tuning())
    assert len(scripted.of("WatchlistMembers/Register")) == 1


async def test_a_redirection_is_not_followed(scripted: ScriptedServer, session: aiohttp.ClientSession) -> None:
    scripted.on("GET Version", web.Response(status=307, headers={"Location": f"{scripted.url}/elsewhere"}))
    with pytest.raises(EngineProtocolError, match="elsewhere"):
        await SmartFaceClient(session, Server(url=scripted.url, token="s3cret-token")).version()
    assert len(scripted.asked) == 1


async def test_a_path_in_front_of_the_api_is_kept(scripted: ScriptedServer, session: aiohttp.ClientSession) -> None:
    scripted.on("GET /face/api/v1/Version", (200, VERSION))
    for url in (f"{scripted.url}/face", f"{scripted.url}/face/"):
        assert (await SmartFaceClient(session, Server(url=url)).version()).release == (4, 25, 2)


async def test_certificates_are_looked_at_unless_told_not_to(session: aiohttp.ClientSession) -> None:
    async def version(_request: web.Request) -> web.Response:
        return web.json_response(VERSION)

    context: ssl.SSLContext = tls.context("smartface")
    runner = web.AppRunner(_app(version))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    with pytest.raises(EngineUnreachableError):
        await SmartFaceClient(session, Server(url=url)).version()
    assert (await SmartFaceClient(session, Server(url=url, verify=False)).version()).release == (4, 25, 2)
    await runner.cleanup()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "192.168.1.20",
        "ftp://a",
        "http://",
        "http://a:b@host",
        "http://u@host",
        "http://h/?q=1",
        "http://h/#f",
        "http://h:99999",
    ],
)
def test_what_is_no_address_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(EngineAddressError, match="address") as refused:
        Server(url=url)
    assert not url or url not in str(refused.value)


def test_what_is_no_token_is_refused() -> None:
    for token in ("", "two words", "line\nbreak", "ümlaut"):
        with pytest.raises(EngineAuthError, match="token"):
            Server(url="http://h", token=token)
    with pytest.raises(EngineAddressError, match="address"):
        Server(url="http://h", login=ClientCredentials(token_url="nowhere", client_id="a", client_secret="b"))


# Logins


async def test_a_bearer_token_goes_with_every_request(running: Running) -> None:
    trio = await running(access=Access(kind="bearer"))
    assert (await trio.client.version()).release == (4, 25, 2)
    trio.server.access.token = "another"
    with pytest.raises(EngineAuthError):
        await trio.client.version()
    assert [status for _, _, status in trio.server.requests] == [200, 401]


async def test_a_fetched_token_serves_until_it_runs_out(running: Running) -> None:
    trio = await running(access=with_login())
    await asyncio.gather(*(trio.client.version() for _ in range(4)))
    await trio.client.version()
    assert trio.server.access.logins == 1
    trio.server.revoke_tokens()
    assert (await trio.client.version()).release == (4, 25, 2)
    assert trio.server.access.logins == 2


async def test_who_meets_the_same_refusal_at_once_logs_in_once(running: Running) -> None:
    trio = await running(access=with_login())
    await trio.client.version()
    trio.server.revoke_tokens()
    await asyncio.gather(*(trio.client.version() for _ in range(4)))
    assert trio.server.access.logins == 2


@pytest.mark.parametrize(
    ("expires_in", "lasts"),
    [
        (3600, 3570),
        ("3600", 3570),
        (40, 20),
        (None, 30),
        ("soon", 30),
        (-5, 30),
        (1e999, 30),
        (10**400, 30),
        (1e9, 86370),
    ],
)
async def test_how_long_a_token_is_used(
    scripted: ScriptedServer, session: aiohttp.ClientSession, expires_in: Any, lasts: float
) -> None:
    now = 1000.0
    text = json.dumps({"access_token": "fetched-t0ken", "expires_in": expires_in})
    scripted.on("POST /token", (200, text.replace("Infinity", "1e999")))
    login = ClientCredentials(token_url=f"{scripted.url}/token", client_id="me", client_secret="s3cret-client")
    header = Login(session, Server(url=scripted.url, login=login), lambda: now)
    assert await header.header() == {"Authorization": "Bearer fetched-t0ken"}
    now += lasts - 0.1
    await header.header()
    assert len(scripted.asked) == 1
    now += 0.2
    await header.header()
    assert len(scripted.asked) == 2
    assert b"audience" not in scripted.asked[0].body


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        ((400, {"error": "invalid_client"}), EngineAuthError),
        ((401, ""), EngineAuthError),
        ((403, ""), EngineAuthError),
        ((404, ""), EngineProtocolError),
        ((429, ""), EngineUnreachableError),
        ((503, ""), EngineUnreachableError),
        ((200, ""), EngineProtocolError),
        ((200, []), EngineProtocolError),
        ((200, {}), EngineProtocolError),
        ((200, {"access_token": "two words"}), EngineProtocolError),
        ((200, {"access_token": "x" * 300_000}), EngineProtocolError),
        (ConnectionError(), EngineUnreachableError),
    ],
)
async def test_a_login_that_fails(
    scripted: ScriptedServer, session: aiohttp.ClientSession, reply: Any, error: type[EngineError]
) -> None:
    scripted.on("POST /token", reply)
    login = ClientCredentials(token_url=f"{scripted.url}/token", client_id="me", client_secret="s3cret-client")
    with pytest.raises(EngineError) as raised:
        await SmartFaceClient(session, Server(url=scripted.url, login=login)).version()
    assert type(raised.value) is error
    assert scripted.of("Version") == []


async def test_a_new_token_that_is_refused_too_is_the_end(
    scripted: ScriptedServer, session: aiohttp.ClientSession
) -> None:
    scripted.on("POST /token", (200, {"access_token": "fetched-t0ken", "expires_in": 3600}))
    scripted.on("GET Version", (401, ""))
    login = ClientCredentials(token_url=f"{scripted.url}/token", client_id="me", client_secret="s3cret-client")
    with pytest.raises(EngineAuthError):
        await SmartFaceClient(session, Server(url=scripted.url, login=login)).version()
    assert len(scripted.of("Version")) == 2


# Nothing leaks


async def test_nothing_secret_or_biometric_is_in_errors_reprs_and_logs(
    scripted: ScriptedServer, session: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    picture = b64encode(JPEG).decode()
    login = ClientCredentials(token_url=f"{scripted.url}/token", client_id="me", client_secret="s3cret-client")
    scripted.on("POST /token", (200, {"access_token": "fetched-t0ken", "expires_in": 3600}))
    told = [repr(login)]
    for server in (Server(url=scripted.url, token="s3cret-token"), Server(url=scripted.url, login=login)):
        client = SmartFaceClient(session, server)
        house = engine(session, server, EngineOptions(watchlist=LIST), client=client)
        told += [repr(server), repr(house)]
        for reply in (problem(400, QUOTE), problem(500, QUOTE), (200, {"data": picture}), (403, ""), ConnectionError()):
            scripted.on("POST WatchlistMembers/Register", reply)
            scripted.on("POST Watchlists/Search", reply)
            calls = (
                lambda client=client: client.members.register("a", [JPEG], [LIST], FACTS, Tuning()),
                lambda house=house: house.search.search(JPEG, Similarity.NORMAL),
            )
            for call in calls:
                try:
                    told.append(repr(await call()))
                except RecognitionError as err:
                    told += traceback.format_exception(err)
    found = found_face(matchResults=[match(90, displayName="Zacharias Secretname")])
    scripted.on("POST Watchlists/Search", (200, [found]))
    told.append(repr(await client.faces.search(JPEG, [LIST], Tuning())))
    told.append(repr(FACTS))
    text = "\n".join((*told, caplog.text))
    for secret in (*SECRETS, picture, repr(JPEG), "Secretname"):
        # A traceback shows our lines of code, never their values.
        assert secret not in text.replace("client_secret", ""), secret


@pytest.mark.parametrize(
    "faces",
    [
        [found_face()] * 4,
        [found_face(matchResults=[match(90)] * 3)],
        [found_face(matchResults=[match(90, labels=[{"key": "a", "value": ""}] * 1001)])],
    ],
    ids=["faces", "matches", "labels"],
)
async def test_more_than_was_asked_for_is_no_answer(
    scripted: ScriptedServer, client: SmartFaceClient, faces: list[Any]
) -> None:
    """A server that answers without an end must not hold up the whole house."""
    scripted.on("POST Watchlists/Search", (200, faces))
    with pytest.raises(EngineProtocolError, match="has more than"):
        await client.faces.search(JPEG, [LIST], Tuning(max_faces=3), limit=2)


# What statuses mean for single calls


async def test_409_is_somebody_who_is_there_for_a_creation_and_a_matter_of_time_elsewhere(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    for call in (
        "POST Watchlists",
        "POST WatchlistMembers",
        "POST WatchlistMembers/Register",
        "POST WatchlistMembers/a/AddNewFace",
        "POST WatchlistMembers/a/AddFaceFromSystem",
    ):
        scripted.on(call, problem(409, "conflict"))
    with pytest.raises(DuplicateError):
        await client.watchlists.create("Home")
    with pytest.raises(DuplicateError):
        await client.members.create(FACTS)
    with pytest.raises(EngineLimitError, match="conflict"):
        await client.members.register("a", [JPEG], [LIST], FACTS, Tuning())
    with pytest.raises(EngineLimitError):
        await client.members.add_face("a", JPEG, Tuning())
    with pytest.raises(EngineLimitError):
        await client.members.add_known_face("a", FACE_ID)


async def test_400_is_no_face_unless_it_is_the_form_of_the_request(
    scripted: ScriptedServer, client: SmartFaceClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    looks = (
        "POST Watchlists/Search",
        "POST Faces/Verify",
        "POST Faces/SpoofCheck",
        "POST WatchlistMembers/a/AddNewFace",
    )
    for call in looks:
        scripted.on(call, problem(400, "nothing to be seen"))
    assert await client.faces.search(JPEG, [LIST], Tuning()) == ()
    assert "nothing to be seen" not in caplog.text
    with pytest.raises(NoFaceError):
        await client.faces.verify(JPEG, JPEG, Tuning())
    with pytest.raises(NoFaceError):
        await client.faces.spoof_check(JPEG, Tuning())
    with pytest.raises(PhotoRefusedError) as refused:
        await client.members.add_face("a", JPEG, Tuning())
    assert refused.value.reasons == ("nothing to be seen",)
    for call in looks:
        scripted.on(call, problem(400, "wrong form", errors={"$.image": ["?"]}))
    for made in (
        client.faces.search(JPEG, [LIST], Tuning()),
        client.faces.verify(JPEG, JPEG, Tuning()),
        client.faces.spoof_check(JPEG, Tuning()),
        client.members.add_face("a", JPEG, Tuning()),
    ):
        with pytest.raises(EngineRefusedError) as wrong:
            await made
        assert (type(wrong.value), wrong.value.code) == (EngineRefusedError, "bad_request")


async def test_a_face_that_is_refused_without_words_has_no_reasons(
    scripted: ScriptedServer, client: SmartFaceClient
) -> None:
    scripted.on("POST WatchlistMembers/a/AddNewFace", (400, {}), (422, {}))
    for _ in range(2):
        with pytest.raises(PhotoRefusedError) as refused:
            await client.members.add_face("a", JPEG, Tuning())
        assert refused.value.reasons == ()


@pytest.mark.parametrize("reply", [(200, "text"), (200, ""), web.Response(content_type="image/jpeg")])
async def test_what_is_no_picture_is_not_given_for_one(
    scripted: ScriptedServer, client: SmartFaceClient, reply: Any
) -> None:
    scripted.on(f"GET Images/{FACE_ID}", reply)
    with pytest.raises(EngineProtocolError):
        await client.images.get(FACE_ID)
    scripted.on(f"GET Images/{FACE_ID}", (404, ""))
    with pytest.raises(EngineNotFoundError):
        await client.images.get(FACE_ID)

"""The client against a mock server that somebody else made from the vendor's document: Prism.

Prism refuses what the document does not have, and answers with extreme values of its schemas. It comes with
`scripts/prism`, on demand; without node, npm or the document these tests are skipped.
"""

import asyncio
from collections.abc import AsyncIterator
import contextlib
from pathlib import Path
import re
import subprocess

import aiohttp
import pytest

from custom_components.face_access.recognition.errors import (
    DuplicateError,
    EngineLimitError,
    EngineNotFoundError,
    EngineProtocolError,
    EngineTimeoutError,
    NoFaceError,
    PhotoRefusedError,
)
from custom_components.face_access.recognition.smartface import (
    EngineOptions,
    MemberFacts,
    Server,
    SmartFaceClient,
    Tuning,
    engine,
)

from ...conftest import free_port
from .conftest import FACE_ID, JPEG, LIST, OPENAPI, portrait
from .tour import ALL, every_operation, operation_of

ROOT = Path(__file__).parents[3]
FACTS = MemberFacts(name="Anna")
_RECEIVED = re.compile(r"\[HTTP SERVER\] (\w+) (\S+) ")
# Two workers may both want to install it, and one does.
_INSTALL_SECONDS = 150
_START_SECONDS = 30


@pytest.fixture(scope="module")
def program() -> str:
    """Have Prism installed; its program."""
    if not OPENAPI.exists():
        pytest.skip(f"the vendor's document is not at {OPENAPI}")
    try:
        made = subprocess.run(
            [ROOT / "scripts/prism"], capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"Prism could not be installed in {_INSTALL_SECONDS} s")
    if made.returncode:
        pytest.skip(f"Prism is not to be had: {made.stderr.strip().splitlines()[-1:]}")
    return made.stdout.strip()


class Prism:
    """A running mock server, and what it wrote down."""

    def __init__(self, port: int, log: Path) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._log = log

    @property
    def used(self) -> set[tuple[str, str]]:
        """The operations that were asked for."""
        return {operation_of(method.upper(), path) for method, path in _RECEIVED.findall(self._text())}

    @property
    def violations(self) -> list[str]:
        """What the document does not allow."""
        return [line for line in self._text().splitlines() if "Violation" in line]

    def _text(self) -> str:
        return re.sub(r"\x1b\[[0-9;]*m", "", self._log.read_text())


@pytest.fixture
async def prism(program: str, tmp_path: Path, session: aiohttp.ClientSession) -> AsyncIterator[Prism]:
    """Start Prism on the document; it refuses a request that violates it."""
    port, log = free_port(), tmp_path / "prism.log"
    with log.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            "node", program, "mock", "--host", "127.0.0.1", "--port", str(port), "--errors", OPENAPI,
            stdin=asyncio.subprocess.DEVNULL, stdout=stream, stderr=stream,
        )  # fmt: skip
    running = Prism(port, log)
    try:
        async with asyncio.timeout(_START_SECONDS):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(f"{running.url}/api/v1/Version") as answer:
                        assert answer.status == 200
                        break
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.1)
        yield running
    finally:
        process.terminate()
        await process.wait()


async def test_every_operation_and_every_refusal(prism: Prism, session: aiohttp.ClientSession) -> None:
    client = SmartFaceClient(session, Server(url=prism.url))
    await every_operation(client)
    assert prism.used == ALL
    await _lists_that_never_end(client)
    await _refusals(prism)
    assert prism.violations == []

    # What its schemas allow and no server says: the engine takes it for no match.
    house = engine(session, Server(url=prism.url), EngineOptions(watchlist=LIST), client=client)
    assert house.search
    with pytest.raises(EngineProtocolError, match="between 0 and 100"):
        await house.search.search(portrait("anna"), "normal")
    with pytest.raises(EngineProtocolError, match="version"):
        await house.probe()

    # And it does look: a field of a newer release is refused.
    async with session.put(f"{prism.url}/api/v1/Watchlists", json={"id": "a", "palmThreshold": 1}) as answer:
        assert answer.status == 400
    assert prism.violations


async def _lists_that_never_end(client: SmartFaceClient) -> None:
    """Each page of Prism is the same, and names a next one."""
    for listed in (
        client.watchlists.all(),
        client.watchlists.members(LIST),
        client.members.all(),
        client.members.faces("anna"),
    ):
        with pytest.raises(EngineProtocolError, match="nothing new"):
            _ = [item async for item in listed]


async def _refusals(prism: Prism) -> None:
    """Ask for each status that the document names."""
    tuning = Tuning()

    def asking(client: SmartFaceClient) -> dict[str, object]:
        return {
            "400 search": client.faces.search(JPEG, [LIST], tuning),
            "404 search": client.faces.search(JPEG, [LIST], tuning),
            "408 search": client.faces.search(JPEG, [LIST], tuning),
            "400 verify": client.faces.verify(JPEG, JPEG, tuning),
            "400 spoof": client.faces.spoof_check(JPEG, tuning),
            "408 spoof": client.faces.spoof_check(JPEG, tuning),
            "400 register": client.members.register("a", [JPEG], [LIST], FACTS, tuning),
            "409 register": client.members.register("a", [JPEG], [LIST], FACTS, tuning),
            "429 register": client.members.register("a", [JPEG], [LIST], FACTS, tuning),
            "400 face": client.members.add_face("a", JPEG, tuning),
            "404 face": client.members.add_face("a", JPEG, tuning),
            "409 create": client.watchlists.create("Home"),
            "409 member": client.members.create(FACTS),
            "404 list": client.watchlists.get("a"),
            "404 image": client.images.get(FACE_ID),
        }

    wanted = {
        "404 search": EngineNotFoundError,
        "408 search": EngineTimeoutError,
        "400 verify": NoFaceError,
        "400 spoof": NoFaceError,
        "408 spoof": EngineTimeoutError,
        "400 register": PhotoRefusedError,
        "409 register": EngineLimitError,
        "429 register": EngineLimitError,
        "400 face": PhotoRefusedError,
        "404 face": EngineNotFoundError,
        "409 create": DuplicateError,
        "409 member": DuplicateError,
        "404 list": EngineNotFoundError,
        "404 image": EngineNotFoundError,
    }
    for status in ("400", "404", "408", "409", "429"):
        async with aiohttp.ClientSession(headers={"Prefer": f"code={status}"}) as session:
            for name, call in asking(SmartFaceClient(session, Server(url=prism.url))).items():
                if not name.startswith(status):
                    call.close()
                elif (error := wanted.get(name)) is None:
                    assert await call == ()
                else:
                    with pytest.raises(error):
                        await call

"""The house that is measured: a Home Assistant with the probe in it, and whatever else a measurement starts."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
import secrets
import shutil
import sys
import tempfile
from typing import Any, Final, override

from aiohttp import ClientError, ClientSession
from demo_house.api import Api, ApiError
from demo_house.cameras import use_models
from demo_house.house import ROOT, House
from demo_house.processes import Child, free_port
from demo_house.stations import DOMAIN

from .client import BenchError

_PROBE: Final = "/api/bench_probe"
_START_TIMEOUT: Final = 30.0


class BenchHouse(House):
    """A house that has the probe, and that writes no debug log: nobody lives with one."""

    @override
    def _prepare(self) -> bool:
        owned = super()._prepare()
        configuration = self.config / "configuration.yaml"
        text = configuration.read_text().replace(f"{DOMAIN}: debug", f"{DOMAIN}: warning")
        # Where the photos of a measurement are.
        (media := self.config / "media").mkdir(exist_ok=True)
        allowed = f"homeassistant:\n  allowlist_external_dirs:\n    - {media}\n"
        configuration.write_text(f"{text}bench_probe:\n{allowed}")
        return owned


class Scene:
    """Home Assistant and the processes beside it. All of them end with the stack."""

    def __init__(self, folder: Path, session: ClientSession, stack: AsyncExitStack) -> None:
        """Keep everything in `folder`."""
        self.folder = folder
        self.session = session
        self.stack = stack
        self.version = ""
        self.password = secrets.token_urlsafe()
        self.port = free_port()
        self.house = BenchHouse(folder, session, host="127.0.0.1", port=self.port)

    @property
    def api(self) -> Api:
        """Home Assistant's API."""
        return self.house.api

    async def start(self) -> None:
        """Start Home Assistant."""
        self.stack.push_async_callback(self.house.stop)
        await self.house.start("bench", self.password)
        self.version = (await self.api.get("/api/config"))["version"]

    async def serve(self, module: str, port: int, *arguments: str) -> str:
        """Run a module that serves on a port, and wait until it answers /report; its address."""
        command = [sys.executable, "-m", module, str(port), *arguments]
        child = Child(module, command, cwd=ROOT, log=self.folder / f"{module}.log")
        self.stack.push_async_callback(child.stop)
        await child.start()
        address = f"http://127.0.0.1:{port}"
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                while child.running:
                    try:
                        await self.report(address)
                    except ClientError:
                        await asyncio.sleep(0.1)
                    else:
                        return address
        except TimeoutError:
            raise child.failed(f"did not answer within {_START_TIMEOUT:.0f} s") from None
        raise child.failed(f"ended with exit code {await child.wait()}")

    async def report(self, address: str) -> dict[str, Any]:
        """Ask a process that was started by `serve` what it saw since the last time."""
        async with self.session.get(f"{address}/report") as response:
            response.raise_for_status()
            return dict(await response.json())

    async def watch(self, *webhooks: str, ticks: bool = False) -> None:
        """Tell the probe which webhooks to time and whether to tick; what it saw before is forgotten."""
        await self.api.post(_PROBE, {"ticks": ticks, "webhooks": webhooks})
        await self.seen()

    async def seen(self) -> dict[str, Any]:
        """Ask the probe what it saw since the last time."""
        return dict(await self.api.get(_PROBE))

    async def webhook(self) -> str:
        """Find the webhook id of the one entry that there is."""
        async with self.api.socket() as socket:
            found = [item for item in await socket.command("webhook/list") if item["domain"] == DOMAIN]
        if len(found) != 1:
            raise BenchError(f"there are {len(found)} webhooks of {DOMAIN} instead of one")
        return str(found[0]["webhook_id"])


@asynccontextmanager
async def scene() -> AsyncGenerator[Scene]:
    """Start a Home Assistant in a folder of its own; nothing of it is left afterwards."""
    (ROOT / ".cache").mkdir(exist_ok=True)
    # Without links: Home Assistant compares paths as they are.
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=(ROOT / ".cache").resolve()))
    # Who measures recognition needs them; a house without a watched camera never looks at them.
    use_models()
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        session = await stack.enter_async_context(ClientSession())
        made = Scene(folder, session, stack)
        try:
            await made.start()
            yield made
        except ApiError, BenchError:
            print(f"The end of Home Assistant's log:\n{made.house.child.tail()}", file=sys.stderr)
            raise

"""A simulator as a child process, and its page: what it remembers, and what may happen at it."""

from collections.abc import Sequence
from pathlib import Path
import sys
from typing import Any

from aiohttp import ClientSession

from .api import ApiError, Json
from .house import ROOT
from .processes import Child, free_port


class Ports:
    """Ports that nobody listens on: in turn from `first` on, or any."""

    def __init__(self, first: int | None = None) -> None:
        """Begin at `first`."""
        self._next = first

    def take(self) -> int:
        """Give the next one."""
        port = free_port(self._next)
        if self._next is not None:
            self._next = port + 1
        return port


class Simulated:
    """One process of `simulators.<module>`. `name` is what people call it."""

    def __init__(
        self,
        name: str,
        module: str,
        session: ClientSession,
        *,
        port: int,
        page_port: int,
        log: Path,
        options: Sequence[str] = (),
    ) -> None:
        """Describe it; `start` runs it. `options` are those that not every simulator has."""
        self.name = name
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.page = f"http://127.0.0.1:{page_port}"
        self.session = session
        command = [sys.executable, "-m", f"simulators.{module}", "--port", str(port), "--page-port", str(page_port)]
        self.child = Child(f"the {module} {name}", [*command, *options], cwd=ROOT, log=log)

    async def start(self) -> None:
        """Switch it on and wait for its page."""
        await self.child.come_up(self.state)

    async def state(self) -> Json:
        """What it remembers: openings, people, violations, ..."""
        async with self.session.get(f"{self.page}/state") as response:
            response.raise_for_status()
            state: Json = await response.json()
            return state

    async def scene(self, name: str, **arguments: Any) -> Any:
        """Let something happen; ApiError when the simulator cannot."""
        async with self.session.post(f"{self.page}/scene/{name}", json=arguments) as response:
            if not response.ok:
                raise ApiError(f"{self.name}, scene {name}: {await response.text()}")
            return (await response.json())["result"]

"""A simulated face terminal (vendor's document "Face Capture Http API"): as a class in tests and as a process.

As a process: `python -m simulators.terminal --port 8000 --page-port 8001 --serial 0123A1-0000C4-0001EE`.
In a test:    `terminal = SimulatedTerminal(serial="..."); await terminal.start(); ...; await terminal.stop()`.
`violations` lists everything the peer did that the document forbids; a test asserts that it is empty.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
import time
from typing import Any, override

import aiohttp

from ._process import add_times, parser, run, times
from ._terminal.commands import execute
from ._terminal.control import ControlLink
from ._terminal.core import link_of
from ._terminal.model import Capture, Opening, Person, Timings
from ._terminal.page import Page, state
from ._terminal.push import Uploader, UploadHeartbeat
from ._terminal.scenes import Scenes
from ._terminal.server import CommandServer
from ._terminal.sip import Phone
from ._terminal.upgrade import Upgrader

__all__ = ["Capture", "Opening", "Person", "SimulatedTerminal", "Timings", "main"]

DEFAULT_SERIAL = "0123A1-0000C4-0001EE"


class SimulatedTerminal(Scenes):
    """One terminal. Attributes of `Core` are its state, coroutines of `Scenes` its scenes; `state` is both as JSON."""

    def __init__(
        self,
        *,
        serial: str = DEFAULT_SERIAL,
        name: str | None = None,
        host: str = "127.0.0.1",
        port: int | None = 0,
        page_port: int | None = None,
        clock: Callable[[], float] = time.time,
        clock_offset: float = 0.0,
        utc_offset: float | None = None,
        timings: Timings | None = None,
        people: Iterable[Person] | None = None,
        relays: int = 1,
        capacity: int = 5000,
        aes_key: bytes = b"",
        state_file: Path | None = None,
        resend: bool = True,
        upload_heartbeat: bool = False,
    ) -> None:
        """Port 0 takes a free port, None opens none (a device behind NAT); see `Core` for the rest."""
        super().__init__(
            serial=serial,
            name=name,
            clock=clock,
            clock_offset=clock_offset,
            utc_offset=utc_offset,
            timings=timings,
            people=people,
            relays=relays,
            capacity=capacity,
            aes_key=aes_key,
            state_file=state_file,
        )
        self.host = host
        self._wanted_port, self._wanted_page = port, page_port
        self._resend, self._beats = resend, upload_heartbeat
        self._tasks = set()
        self._links: list[asyncio.Task[None]] = []
        self._seen = {}
        self._session: aiohttp.ClientSession | None = None
        self.server = CommandServer(self)
        self.page = Page(self)

    async def start(self) -> None:
        """Open the ports and start the links."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True), timeout=aiohttp.ClientTimeout(total=None)
        )
        self.uploader = Uploader(self, self._session, resend=self._resend)
        self.control = ControlLink(self, self._session)
        self.phone = Phone(self, self._session)
        self.upgrader = Upgrader(self, self._session)
        self._heartbeat = UploadHeartbeat(self, self._session)
        self.on_settings = self._settings_changed
        self.on_reboot = self._reboot
        self.on_call = self.phone.call
        self.on_hangup = self.phone.hang_up
        self.in_call = lambda: self.phone.state != "idle"
        if self._wanted_port is not None:
            await self.server.start(self.host, self._wanted_port)
        if self._wanted_page is not None:
            await self.page.start(self.host, self._wanted_page)
        self.go_online(booted=True)

    async def stop(self) -> None:
        """Close everything and write the state file."""
        self.go_offline()
        self.phone.reset()
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.server.stop()
        await self.page.stop()
        if self._session is not None:
            await self._session.close()
        self.save()

    # Addresses and the state as JSON.

    @property
    def port(self) -> int:
        """The command port."""
        return self.server.port

    @property
    def url(self) -> str:
        """Where commands are posted."""
        return f"http://{self.host}:{self.server.port}/"

    @property
    def page_url(self) -> str:
        """Where the page and the control API are."""
        return f"http://{self.host}:{self.page.port}/"

    @property
    def state(self) -> dict[str, Any]:
        """The state as the control API gives it."""
        return state(self)

    @property
    def openings(self) -> list[Opening]:
        """Every opening of a relay so far."""
        return self.doors.openings

    async def idle(self, seconds: float = 10.0) -> None:
        """Wait until every capture is acknowledged; raise TimeoutError otherwise."""
        await self.wait_for_pushes(seconds)

    # Settings made at the device itself.

    def connect(self, control_url: str | None = None, upload_url: str | None = None) -> None:
        """Enter a control URL (1.1.3), an upload URL (1.1.2) or both at the device."""
        if control_url is not None:
            self.app["extranet"] = {"enable": True, "mode": "http", **link_of(control_url, "url")}
        if upload_url is not None:
            kept = {key: self.app["upload_info"][key] for key in ("user", "password", "pattern")}
            self.app["upload_info"] = {**kept, "method": "http", **link_of(upload_url, "service_url")}
        self._settings_changed()
        self.save()

    def disconnect(self) -> None:
        """Switch both links off at the device."""
        self.app["extranet"]["enable"] = False
        self.app["upload_info"]["method"] = "none"
        self._settings_changed()
        self.save()

    async def ask_upgrade(self) -> bool:
        """Ask for an upgrade now; install it and restart when there is one."""
        installed = await self.upgrader.ask()
        if installed:
            self._reboot(self.timings.reboot)
        return installed

    def clear_violations(self) -> None:
        """Forget what the peer did wrong so far."""
        self.violations.clear()

    def execute(self, body: bytes) -> dict[str, Any]:
        """Carry out one command without any network."""
        return execute(self, body)

    # On and off the network.

    @override
    def go_offline(self) -> None:
        self.online = False
        self.server.drop()
        for task in self._links:
            task.cancel()
        self._links.clear()

    @override
    def go_online(self, *, booted: bool) -> None:
        if self.online or self._session is None or self._session.closed:
            return
        self.online = True
        if booted:
            self.control.forget()
        works = [self.uploader.run(), self.control.run(), self.phone.run()]
        if self._beats:
            works.append(self._heartbeat.run())
        for work in works:
            task = asyncio.get_running_loop().create_task(work)
            self._links.append(task)
            self._tasks.add(task)
            task.add_done_callback(self._link_ended)
        if booted:
            self.background(self.ask_upgrade())

    def _link_ended(self, task: asyncio.Task[None]) -> None:
        """A link runs until it is cancelled; anything else is an error of the simulator and is shown as such."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.violation(f"the simulator itself failed: {error!r}")

    def _settings_changed(self) -> None:
        self.uploader.wake()
        self.control.wake()

    def _reboot(self, seconds: float) -> None:
        """Leave the network a moment after the answer, come back after `seconds`."""

        async def reboot() -> None:
            await asyncio.sleep(self.timings.down_after)
            await self.power_cycle(seconds)

        self.background(reboot())


def main(argv: list[str] | None = None) -> None:
    """The command line. Port -1 is none: the terminal is behind NAT."""
    options = parser("terminal", "A simulated face terminal.", 8000)
    options.add_argument("--serial", default=DEFAULT_SERIAL)
    options.add_argument("--name", help="the place where a new device hangs")
    options.add_argument("--server-url", help="control URL: the device calls it (1.1.3)")
    options.add_argument("--upload-url", help="upload URL: captures are pushed to it (1.1.2)")
    options.add_argument("--state", type=Path, metavar="FILE", help="keep the state in this file")
    options.add_argument("--relays", type=int, default=1)
    options.add_argument("--clock-offset", type=float, default=0.0, help="seconds the clock is ahead")
    options.add_argument("--utc-offset", type=float, help="seconds the zone of the device is ahead of UTC")
    options.add_argument("--upload-heartbeat", action="store_true", help="heartbeats on the upload URL too")
    add_times(options, Timings.__dataclass_fields__)
    given = options.parse_args(argv)
    terminal = SimulatedTerminal(
        serial=given.serial,
        name=given.name,
        host=given.host,
        port=None if given.port < 0 else given.port,
        page_port=given.page_port,
        clock_offset=given.clock_offset,
        utc_offset=given.utc_offset,
        timings=Timings(**times(given)),
        relays=given.relays,
        state_file=given.state,
        upload_heartbeat=given.upload_heartbeat,
    )

    def connect() -> None:
        if given.server_url or given.upload_url:
            terminal.connect(given.server_url, given.upload_url)

    lines = {
        "terminal": lambda: terminal.serial,
        "commands": lambda: terminal.url if given.port >= 0 else None,
        "page": lambda: terminal.page_url if given.page_port is not None else None,
    }
    run(terminal, lines, started=connect)


if __name__ == "__main__":
    main()

"""A simulated intercom panel (vendor's documents "Android panels" and "Camdroid panels"): as a class and as a process.

As a process: `python -m simulators.panel --model AA-12FB --port 8100 --page-port 8101`.
In a test:    `panel = SimulatedPanel(model="AA-12FB"); await panel.start(); ...; await panel.stop()`.
`violations` lists everything the peer did that the documents forbid; a test asserts that it is empty.

What no document shows is the simulator's own choice: the bodies of dashboard, firmware check and link results, the name
of the field for retries, the paths that `inferred` switches, the envelope of MQTT, what a log entry of a face has, and
whether the stream wants Digest or Basic (it takes both).
"""

import asyncio
from collections.abc import Callable
from pathlib import Path
import time
from typing import Any, override

import aiohttp

from ._panel import tls
from ._panel.model import MODELS, Model, Opening, Timings
from ._panel.page import Page, state
from ._panel.scenes import Scenes
from ._panel.server import ApiServer
from ._process import add_times, parser, run, times

__all__ = ["MODELS", "Model", "Opening", "SimulatedPanel", "Timings", "main"]


class SimulatedPanel(Scenes):
    """One panel. Attributes of `Core` are its state, coroutines of `Scenes` its scenes; `state` is both as JSON."""

    def __init__(
        self,
        *,
        model: str = "AA-12FB",
        serial: str | None = None,
        name: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        page_port: int | None = None,
        rtsp_port: int = 0,
        https: bool = False,
        password: str | None = None,
        api: str | None = None,
        firmware: str | None = None,
        basic: bool | None = None,
        photo: str | None = None,
        inferred: bool = True,
        switch_field: str | None = None,
        signed: str = "body",
        clock: Callable[[], float] = time.time,
        clock_offset: float = 0.0,
        timings: Timings | None = None,
        seeded: bool = True,
        state_file: Path | None = None,
    ) -> None:
        """Port 0 takes a free port. `https` answers with a certificate that nobody trusts; see `Core` for the rest."""
        super().__init__(
            model=model,
            serial=serial,
            name=name,
            password=password,
            api=api,
            firmware=firmware,
            basic=basic,
            photo=photo,
            inferred=inferred,
            switch_field=switch_field,
            signed=signed,
            clock=clock,
            clock_offset=clock_offset,
            timings=timings,
            seeded=seeded,
            state_file=state_file,
        )
        self.host, self.tls = host, https
        self._wanted_port, self._wanted_page, self._wanted_rtsp = port, page_port, rtsp_port
        self._session: aiohttp.ClientSession | None = None
        self.server = ApiServer(self)
        self.page = Page(self)
        self.on_reboot = self._reboot
        self.on_ssl = self._restart_api

    async def start(self) -> None:
        """Open the ports; the panel has just started."""
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        self.remote.session = self._session
        self.syslog.start(self._session)
        self.camera.off.clear()
        self.port = await self._listen(self._wanted_port)
        await self.stream.start(self.host, self._wanted_rtsp)
        if self._wanted_page is not None:
            await self.page.start(self.host, self._wanted_page)
        self.boot()
        self.go_online()

    async def stop(self) -> None:
        """Close everything and write the state file."""
        self.go_offline()
        self.camera.off.set()
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.server.stop()
        await self.stream.stop()
        await self.page.stop()
        if self._session is not None:
            await self._session.close()
        self.save()

    # Addresses and the state as JSON.

    @property
    def url(self) -> str:
        """Where the panel answers, without a path."""
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    @property
    def base_url(self) -> str:
        """Where the API of this version is."""
        return f"{self.url}{self.model.base}"

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
        """Every opening of a lock so far."""
        return self.locks.openings

    async def idle(self, seconds: float = 10.0) -> None:
        """Wait until every webhook delivery is decided; raise TimeoutError otherwise."""
        async with asyncio.timeout(seconds):
            while self.webhooks.pending:  # noqa: ASYNC110 (deliveries end in several ways)
                await asyncio.sleep(0.01)

    def clear_violations(self) -> None:
        """Forget what the peer did wrong so far."""
        self.violations.clear()

    # On and off the network.

    @override
    def go_offline(self) -> None:
        self.online = False
        self.webhooks.stop()
        self.stream.drop()
        self.server.drop()

    @override
    def go_online(self) -> None:
        if self.online or self._session is None or self._session.closed:
            return
        self.online = True
        self.webhooks.start(self._session)
        self.mqtt.status("online")

    async def _listen(self, port: int) -> int:
        context = tls.context(self.name) if self.tls else None
        return await self.server.start(self.host, port, context)

    def _reboot(self, seconds: float) -> None:
        """Leave the network a moment after the answer, come back after `seconds`."""

        async def reboot() -> None:
            await asyncio.sleep(self.timings.down_after)
            await self.power_cycle(seconds)

        self.background(reboot())

    def _restart_api(self) -> None:
        """Come back on the same port with or without TLS, a moment after the answer."""

        async def restart() -> None:
            await asyncio.sleep(self.timings.down_after)
            await self.server.stop()
            await asyncio.sleep(self.timings.restart)
            await self._listen(self.port)

        self.background(restart())


def main(argv: list[str] | None = None) -> None:
    """The command line."""
    options = parser("panel", "A simulated intercom panel.", 8100)
    options.add_argument("--model", choices=sorted(MODELS), default="AA-12FB")
    options.add_argument("--rtsp-port", type=int, default=0, help="port of the stream, 0: any; panels have 8554")
    options.add_argument("--https", action="store_true", help="answer with a self-signed certificate")
    options.add_argument("--serial", help="a UUID")
    options.add_argument("--name")
    options.add_argument("--password", help="of the account admin")
    options.add_argument("--api", metavar="VERSION")
    options.add_argument("--firmware", metavar="VERSION")
    options.add_argument("--photo", choices=("webp", "jpeg", "base64"))
    options.add_argument("--not-inferred", action="store_true", help="answer only calls whose path a document shows")
    options.add_argument("--state", type=Path, metavar="FILE", help="keep the state in this file")
    options.add_argument("--clock-offset", type=float, default=0.0, help="seconds the clock is ahead")
    add_times(options, Timings.__dataclass_fields__)
    given = options.parse_args(argv)
    panel = SimulatedPanel(
        model=given.model,
        serial=given.serial,
        name=given.name,
        host=given.host,
        port=given.port,
        page_port=given.page_port,
        rtsp_port=given.rtsp_port,
        https=given.https,
        password=given.password,
        api=given.api,
        firmware=given.firmware,
        photo=given.photo,
        inferred=not given.not_inferred,
        clock_offset=given.clock_offset,
        timings=Timings(**times(given)),
        state_file=given.state,
    )
    lines = {
        "panel": lambda: f"{panel.model.name} {panel.serial}",
        "api": lambda: panel.base_url,
        "rtsp": lambda: str(panel.stream.port),
        "page": lambda: panel.page_url if given.page_port is not None else None,
    }
    run(panel, lines)


if __name__ == "__main__":
    main()

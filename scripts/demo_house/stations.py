"""Simulated devices as child processes, and how each terminal is added to the house by the real config flow."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, override

from aiohttp import ClientSession

from .api import Api, ApiError, Json
from .processes import free_port
from .simulated import Simulated

DOMAIN: Final = "face_access"
# A terminal that calls us does so within its heartbeat's pause; reading all its settings takes some of its turns.
_FIRST_CALL_TIMEOUT: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a device hangs, and its serial number."""

    name: str
    serial: str


class Station(Simulated, ABC):
    """A simulated device: its process, its page, and its place in Home Assistant."""

    def __init__(
        self, place: Place, folder: Path, session: ClientSession, *, kind: str, port: int, page_port: int | None
    ) -> None:
        """Keep its state in `folder`; `kind` is the simulator's module. Its page takes a port from `page_port` on."""
        self.place = place
        file = folder / f"{kind}-{place.serial}"
        options = ["--serial", place.serial, "--name", place.name, "--state", f"{file}.json", *self._switches()]
        super().__init__(
            place.name,
            kind,
            session,
            port=port,
            page_port=free_port(page_port),
            log=file.with_name(f"{file.name}.log"),
            options=options,
        )

    def _switches(self) -> Sequence[str]:
        """What else the simulator is to be told."""
        return ()

    async def face(self) -> bytes:
        """Return the close-up of the last face as a terminal pushes it; panels have none."""
        async with self.session.get(f"{self.page}/face") as response:
            response.raise_for_status()
            return await response.read()

    async def add_to(self, api: Api) -> str:
        """Add it to Home Assistant by the config flow; its entry id. One that is there already is told its address."""
        if (entry := await self._entry(api)) is None:
            entry = await self._introduce(api)
        else:
            await self._move(api, entry)
        await api.entry_loaded(entry)
        return entry

    @abstractmethod
    async def _introduce(self, api: Api) -> str:
        """Go through the config flow; the entry id."""

    @abstractmethod
    async def _move(self, api: Api, entry: str) -> None:
        """Tell an entry of an earlier demo where the device is now, or the device where Home Assistant is."""

    async def _entry(self, api: Api) -> str | None:
        async with api.socket() as socket:
            device = await self._device(socket)
        return None if device is None else str(device["config_entries"][0])

    async def _device(self, socket: Any) -> Any:
        """The device in the registry."""
        devices = await socket.command("config/device_registry/list")
        return next((device for device in devices if [DOMAIN, self.place.serial] in device["identifiers"]), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalPlace(Place):
    """A terminal to simulate: `calls` for one that calls Home Assistant, else Home Assistant calls it."""

    calls: bool = False


FRONT_DOOR: Final = TerminalPlace(name="Front door", serial="0123A1-0000C4-0001EE")
GARDEN_GATE: Final = TerminalPlace(name="Garden gate", serial="0123A1-0000C4-0002EE", calls=True)


class Terminal(Station):
    """A simulated face terminal."""

    place: TerminalPlace

    def __init__(
        self, place: TerminalPlace, folder: Path, session: ClientSession, *, first_port: int | None = None
    ) -> None:
        """Keep its state in `folder`; take ports from `first_port` on, or any."""
        port = -1 if place.calls else free_port(first_port)
        page_port = None if first_port is None else first_port + 1000
        super().__init__(place, folder, session, kind="terminal", port=port, page_port=page_port)

    @override
    async def _introduce(self, api: Api) -> str:
        """Go through the config flow; the entry id."""
        menu = await api.flow_start(DOMAIN)
        if self.place.calls:
            push = await self._call(api, menu)
        else:
            form = await api.flow_next(menu, {"next_step_id": "direct"})
            push = await api.flow_next(form, {"host": "127.0.0.1", "port": self.port})
        return str((await api.flow_next(push, {"push": True}))["result"]["entry_id"])

    async def _call(self, api: Api, menu: Json) -> Json:
        """Enter at the terminal what the flow shows, and wait until it has called."""
        step = await api.flow_next(menu, {"next_step_id": "callback"})
        shown = step["description_placeholders"]
        step = await api.flow_progress(step, lambda: self._enter(shown), patience=_FIRST_CALL_TIMEOUT)
        if step["step_id"] != "push":
            raise ApiError(f"the flow went to the step {step['step_id']} instead of push")
        return step

    async def _enter(self, shown: Json) -> None:
        """Type the addresses that Home Assistant shows into the terminal's menu."""
        server = shown["server"] if "://" in shown["server"] else f"http://{shown['server']}"
        await self.scene("connect", control_url=f"{server}:{shown['port']}/{shown['control_path']}")

    @override
    async def _move(self, api: Api, entry: str) -> None:
        """Tell an entry of an earlier demo where the terminal is now, or the terminal where Home Assistant is."""
        step = await api.flow_start(DOMAIN, entry_id=entry)
        if self.place.calls:
            await self._enter(step["description_placeholders"])
            await api.flow_next(step, {}, ends="addresses_shown")
        else:
            await api.flow_next(step, {"host": "127.0.0.1", "port": self.port}, ends="reconfigure_successful")

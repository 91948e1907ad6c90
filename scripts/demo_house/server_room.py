"""The recognition servers of the house: what the check plays with them, and how they stand in the demo."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import ClientSession

from .comparisons import consents, play_face_scan, play_kby
from .drawings import Album
from .house import House
from .networks import networks, play_networks
from .recognisers import play_recognisers
from .servers import FaceScan, Inference, Kby, OpenCvFr, Server, SmartFace
from .simulated import Ports
from .steps import step, together
from .watch import watching


class ServerRoom:
    """One server of each kind."""

    def __init__(self, folder: Path, session: ClientSession, *, first_port: int | None = None) -> None:
        """Keep logs in `folder`; ports are free ones from `first_port` on, or any."""
        ports = Ports(first_port)
        self.smartface = SmartFace(folder, session, ports)
        self.opencv_fr = OpenCvFr(folder, session, ports)
        self.kby = Kby(folder, session, ports)
        self.face_scan = FaceScan(folder, session, ports)
        self.inference = Inference(folder, session, ports, networks())
        self.all: tuple[Server, ...] = (self.smartface, self.opencv_fr, self.kby, self.face_scan, self.inference)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Have all of them on until the end of the block."""
        try:
            await together(*(server.start() for server in self.all))
            yield
        finally:
            await together(*(server.stop() for server in self.all))


async def play_servers(house: House, folder: Path, session: ClientSession) -> None:
    """Play the servers' parts, independent ones at once; the first thing that is not as it must be raises."""
    room, album, api = ServerRoom(folder, session), Album(house), house.api
    async with room.running(), watching(api) as watch:
        await consents(api, room.face_scan)
        for server in room.all:
            async with step(f"{server.name}: added by the config flow"):
                await server.add_to(api)
        await together(
            play_recognisers(api, watch, (room.smartface, room.opencv_fr), album, folder),
            play_kby(api, room.kby, album),
            play_face_scan(api, room.face_scan, album),
            play_networks(api, room.inference, album),
        )
        async with step("Servers: none of them found anything to complain about"):
            for server in room.all:
                await server.nothing_wrong()

"""The recognition servers of the house: what the check plays with them, and how they stand in the demo."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import ClientSession

from .cameras import NO_NETWORKS
from .comparisons import consents, play_face_scan, play_kby
from .drawings import Album, drawn, nobody
from .film import Film
from .house import House
from .networks import networks, play_networks
from .recognisers import play_recognisers
from .servers import FaceScan, Inference, Kby, OpenCvFr, Server, SmartFace
from .simulated import Ports
from .steps import step, together
from .watch import watching

# Who passes the cameras of the demo, and how long each of them stays. After the photo of hers Anna is long in coming:
# who was found out is not believed for a while.
_VISITORS: Final[tuple[dict[str, Any], ...]] = (
    {"who": "Anna"},
    {"who": "Otto"},
    {"who": "Anna", "printed": True},
    {"who": "Walter"},
)
_STAYS: Final = 10.0


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


@asynccontextmanager
async def demo_servers(house: House, room: ServerRoom) -> AsyncGenerator[list[str]]:
    """Have all servers in the house until the end of the block; a line for each that says where its page is."""
    async with room.running():
        for server in room.all:
            await server.add_to(house.api)
        lines = [f"{server.name:18}{server.main.page}   recognition server" for server in room.all]
        yield lines if room.inference.models else [*lines, f"{'':18}which runs nothing, there are {NO_NETWORKS}"]


@asynccontextmanager
async def demo_cameras(house: House, room: ServerRoom, folder: Path) -> AsyncGenerator[list[str]]:
    """Have servers look through cameras until the end of the block; a line for each."""
    visitors = [each for visitor in _VISITORS for each in (drawn(**visitor), nobody())]
    lines = []
    async with AsyncExitStack() as stack:
        for name, server in (("Hall camera", room.smartface), ("Terrace camera", room.opencv_fr)):
            film = Film(name, folder, nobody())
            if not await film.is_in(house.api):
                await film.add_to(house.api, engine=server.entry)
            await stack.enter_async_context(film.passing(visitors, stays=_STAYS))
            lines.append(f"{name:18}shows drawn people to {server.name}: some it knows, a stranger and a printed photo")
        yield lines

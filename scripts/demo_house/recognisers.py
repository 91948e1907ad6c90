"""Steps of the check: servers that know people: they learn them, name them, and go away."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from .api import Api, ApiError, Json
from .drawings import Album, drawn
from .film import Film, Onlooker, entity_of
from .servers import Recogniser
from .stations import DOMAIN
from .steps import CheckError, expect, step, together
from .watch import Watch

# Drawn people whom no terminal and no panel of the house draws.
RESIDENT: Final = "Nora"
STRANGER: Final = "Walter"
_SYNC: Final = {"wait": {"seconds": 60}}


async def learn(api: Api, servers: Sequence[Recogniser], album: Album) -> None:
    """Somebody is added to the house, and all servers get to know them."""
    names = " and ".join(server.name for server in servers)
    async with step(f"{names}: a person of the house is given to both") as measured:
        await api.action(f"{DOMAIN}.add_person", {"name": RESIDENT, "path": [album.put(RESIDENT, drawn(RESIDENT))]})
        answer = await api.action(f"{DOMAIN}.sync_people", _SYNC, response=True)
        for server in servers:
            (progress,) = (each for each in answer["stations"] if each["station"].startswith(server.name))
            expect((progress["done"], progress["refused"]), (True, 0), f"how far {server.name} is with people")
            known = await server.knows()
            if RESIDENT not in known:
                raise CheckError(f"{server.name} does not know {RESIDENT}, but {sorted(known)}")
            measured.append(f"{progress['synced']} of {progress['total']}")


class Asked:
    """One server, and what Home Assistant says by its word."""

    def __init__(self, api: Api, watch: Watch, server: Recogniser, album: Album) -> None:
        """Know whom to ask, and where pictures are put."""
        self.api = api
        self.watch = watch
        self.server = server
        self.album = album

    async def play(self, folder: Path) -> None:
        """Play all of its part; the first thing that is not as it must be raises."""
        await self.recognises()
        await self.watches(folder)
        await self.goes_away()

    async def recognises(self) -> None:
        """Ask by the action: somebody known, a stranger, a photo that cannot be judged, a photo of a photo."""
        async with step(f"{self.server.name}: asked by an action, it names the person and nobody else") as measured:
            face = await self._face(drawn(RESIDENT))
            expect((face["outcome"], face["person"], face["liveness"]), ("recognised", RESIDENT, "live"), "the person")
            measured.append(f"score {face['score']:.2f} of {face['scale']:.0f}, {face['threshold']:.2f} are needed")
            face = await self._face(drawn(STRANGER))
            expect((face["outcome"], face["person"]), ("stranger", None), "the stranger")
            face = await self._face(self.server.doubtful(RESIDENT))
            expect(face["liveness"], "unknown", "the liveness of a face that cannot be judged")
            face = await self._face(drawn(RESIDENT, printed=True))
            expect((face["outcome"], face["person"]), ("spoof", None), "the printed photo")

    async def _face(self, content: bytes) -> Json:
        data = {"engine": self.server.entry, "path": self.album.put(self.server.kind, content)}
        answer = await self.api.action(f"{DOMAIN}.recognize", data, response=True)
        expect(len(answer["faces"]), 1, "the number of faces")
        face: Json = answer["faces"][0]
        return face

    async def watches(self, folder: Path) -> None:
        """Look through a camera: the same events as a camera that Home Assistant looks through itself."""
        film = Film(f"Camera of {self.server.name}", folder, drawn(STRANGER))
        async with film.playing():
            async with step(f"{self.server.name}: looks through a camera"):
                entry = await film.add_to(self.api, engine=self.server.entry)
            camera = Onlooker(film, self.api, self.watch, entry)
            async with step(
                f"{self.server.name}: tells who comes before the camera, and a face it cannot judge is no photo"
            ):
                # In an order and at places that make each of them news: who has just been seen is not told of again.
                seen = await camera.sees(self.server.doubtful(RESIDENT), "denied")
                expect((seen["person"], seen["reason"]), (RESIDENT, "liveness"), "who cannot be judged")
                seen = await camera.sees(drawn(RESIDENT), "recognised")
                expect((seen["person"], seen["liveness"]), (RESIDENT, "live"), "who was seen, and how")
                seen = await camera.sees(drawn(STRANGER, aside=True), "stranger")
                expect(seen.get("person"), None, "the stranger's name")
                seen = await camera.sees(drawn(RESIDENT, printed=True), "spoof")
                expect(seen.get("person"), None, "whom the photo shows")

    async def goes_away(self) -> None:
        """A server that is away answers nothing, and says that it is away."""
        async with step(f"{self.server.name}: goes away, which shows, and comes back"):
            online = await entity_of(self.api, self.server.entry, "binary_sensor")
            since = self.watch.now
            await self.server.stop()
            try:
                await self._face(drawn(RESIDENT))
            except ApiError:
                pass
            else:
                raise CheckError("a server that is away answered")
            await self.watch.until(online, since=since, such=lambda new: new["state"] == "off", what="offline")
            since = self.watch.now
            await self.server.start()
            await self.api.action("homeassistant.update_entity", {"entity_id": online})
            await self.watch.until(online, since=since, such=lambda new: new["state"] == "on", what="online")


async def play_recognisers(api: Api, watch: Watch, servers: Sequence[Recogniser], album: Album, folder: Path) -> None:
    """Play what the servers that know people do, all at once."""
    await learn(api, servers, album)
    await together(*(Asked(api, watch, server, album).play(folder) for server in servers))

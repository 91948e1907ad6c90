"""A recognition server in the house: a simulated SmartFace, added by the config flow, and asked who is on a picture."""

import asyncio
from pathlib import Path
import sys
from typing import Final

from aiohttp import ClientSession

from simulators._terminal import pictures

from .api import Api, Json
from .house import ROOT, House
from .processes import Child, free_port
from .stations import DOMAIN
from .steps import CheckError, expect, step

NAME: Final = "SmartFace"
_AWAY_TIMEOUT: Final = 30.0
# Drawn people whom no terminal and no panel of the house draws.
_RESIDENT: Final = "Nora"
_STRANGER: Final = "Walter"


class Server:
    """The simulated server: its process, its page, and its place in Home Assistant."""

    def __init__(self, folder: Path, session: ClientSession, *, first_port: int | None = None) -> None:
        """Keep its log in `folder`; ports are free ones from `first_port` on."""
        port = free_port(first_port)
        page_port = free_port(None if first_port is None else port + 1)
        self.url = f"http://127.0.0.1:{port}"
        self.page = f"http://127.0.0.1:{page_port}"
        self.entry = ""
        self._session = session
        command = [sys.executable, "-m", "simulators.smartface", "--port", str(port), "--page-port", str(page_port)]
        self.child = Child(f"the server {NAME}", command, cwd=ROOT, log=folder / "smartface.log")

    async def start(self) -> None:
        """Switch it on and wait for its page."""
        await self.child.come_up(self.state)

    async def state(self) -> Json:
        """What the server knows, and what was done wrong to it."""
        async with self._session.get(f"{self.page}/state") as response:
            response.raise_for_status()
            state: Json = await response.json()
            return state

    async def add_to(self, api: Api) -> None:
        """Add it by the config flow; a house that has it from before only looks for it again."""
        menu = await api.flow_next(await api.flow_start(DOMAIN), {"next_step_id": "server"})
        form = await api.flow_next(menu, {"next_step_id": "server_smartface"})
        result = await api.flow_next(form, {"url": self.url}, ends="already_configured")
        if result["type"] == "abort":
            return
        self.entry = str(result["result"]["entry_id"])
        await api.entry_loaded(self.entry)


class _Album:
    """Pictures where actions may read them."""

    def __init__(self, house: House) -> None:
        self._folder = house.config / "www"
        self._folder.mkdir(exist_ok=True)

    def put(self, seed: str, *, photo: bool = False) -> str:
        file = self._folder / f"{seed}{'-printed' if photo else ''}.jpg"
        file.write_bytes(pictures.panorama(seed, photo=photo))
        return str(file)


async def play_servers(house: House, folder: Path, session: ClientSession) -> None:
    """Play the server's part; the first thing that is not as it must be raises."""
    server, album = Server(folder, session), _Album(house)
    try:
        async with step(f"{NAME}: the server starts, and is added by the config flow"):
            await server.start()
            await server.add_to(house.api)
        await _learns(house, server, album)
        await _recognises(house, server, album)
        await _goes_away(house, server, album)
        expect((await server.state())["violations"], [], "what was done wrong to the server")
    finally:
        await server.child.stop()


async def _learns(house: House, server: Server, album: _Album) -> None:
    async with step(f"{NAME}: a person of the house is put on its watchlist") as measured:
        await house.api.action(f"{DOMAIN}.add_person", {"name": _RESIDENT, "path": [album.put(_RESIDENT)]})
        answer = await house.api.action(f"{DOMAIN}.sync_people", {"wait": {"seconds": 60}}, response=True)
        (progress,) = (each for each in answer["stations"] if each["station"].startswith(NAME))
        expect((progress["done"], progress["refused"]), (True, 0), "how far the server is with people")
        names = {member["displayName"] for member in (await server.state())["members"]}
        expect(_RESIDENT in names, True, f"whether {_RESIDENT} is among {sorted(names)}")
        measured.append(f"{progress['synced']} of {progress['total']} people")


async def _recognises(house: House, server: Server, album: _Album) -> None:
    async def seen(path: str) -> Json:
        data = {"engine": server.entry, "path": path}
        answer = await house.api.action(f"{DOMAIN}.recognize", data, response=True)
        expect(len(answer["faces"]), 1, "the number of faces")
        face: Json = answer["faces"][0]
        return face

    async with step(f"{NAME}: the person is recognised, live, and neither a stranger nor a photo is") as measured:
        face = await seen(album.put(_RESIDENT))
        expect((face["outcome"], face["person"], face["liveness"]), ("recognised", _RESIDENT, "live"), "the person")
        measured.append(f"score {face['score']:.0f} of {face['scale']}, {face['threshold']:.0f} are needed")
        face = await seen(album.put(_STRANGER))
        expect((face["outcome"], face["person"]), ("stranger", None), "the stranger")
        face = await seen(album.put(_RESIDENT, photo=True))
        expect((face["outcome"], face["person"]), ("spoof", None), "the printed photo")


async def _goes_away(house: House, server: Server, album: _Album) -> None:
    async with step(f"{NAME}: the server goes away, which shows, and comes back"):
        online = await _online(house.api, server.entry)
        await server.child.stop()
        data = {"engine": server.entry, "path": album.put(_RESIDENT)}
        try:
            await house.api.action(f"{DOMAIN}.recognize", data, response=True)
        except Exception as err:  # noqa: BLE001 - whatever the API makes of it, it must not be an answer
            expect(type(err).__name__, "ApiError", "what comes of asking it")
        else:
            raise CheckError("a server that is away answered")
        expect((await house.api.state(online))["state"], "off", "whether the server is online")
        await server.start()
        async with asyncio.timeout(_AWAY_TIMEOUT):
            while (await house.api.state(online))["state"] != "on":
                # An action is the first to find out.
                await house.api.action(f"{DOMAIN}.recognize", data, response=True)


async def _online(api: Api, entry: str) -> str:
    async with api.socket() as socket:
        entities = await socket.command("config/entity_registry/list")
    (found,) = (
        each["entity_id"]
        for each in entities
        if each["config_entry_id"] == entry and each["entity_id"].startswith("binary_sensor.")
    )
    return str(found)

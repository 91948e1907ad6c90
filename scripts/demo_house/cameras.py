"""A camera without recognition of its own that plays pictures, and Home Assistant recognising whom it shows.

The networks and the photos are no part of the project: they lie beside it, or where the environment says.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
import os
from pathlib import Path
from typing import Final

from .api import Api, Json
from .film import Film, Onlooker, entity_of
from .house import ROOT, House
from .slowness import play_slowness
from .stations import DOMAIN, Terminal
from .steps import CheckError, expect, step
from .watch import Watch, watching

MODELS_VARIABLE: Final = "FACE_ACCESS_MODELS"
NO_NETWORKS: Final = (
    f"no networks: set {MODELS_VARIABLE} to a folder with the files that models/README.md lists, "
    "or add a camera and accept their licences, and Home Assistant downloads them"
)
_FACES_VARIABLE: Final = "FACE_ACCESS_FACES"
_SHARED: Final = ROOT.parent / "shared"
_NAME: Final = "Garden camera"
# How long a door that must not move is looked at.
_STILL: Final = 2.0

ENROLLED: Final = "portraits/obama.jpg"
AGAIN: Final = "portraits/obama3.jpg"
STRANGER: Final = "portraits/biden.jpg"
# A print, and the only picture there is of whom it shows.
PRINTED: Final = "liveness/image_F1.jpg"
_SCENES: Final = (AGAIN, STRANGER, PRINTED)


def _folder(variable: str, name: str) -> Path | None:
    folder = Path(os.environ.get(variable) or _SHARED / name)
    return folder if folder.is_dir() else None


def models_folder() -> Path | None:
    """Give the folder of the networks, where there is one."""
    return _folder(MODELS_VARIABLE, "models")


def lacking() -> str | None:
    """Say what the camera needs and is not here, and how to get it; None where all is here."""
    if models_folder() is None:
        return NO_NETWORKS
    faces = _folder(_FACES_VARIABLE, "faces")
    if faces is None or not all((faces / name).is_file() for name in (ENROLLED, *_SCENES)):
        return f"no photos: set {_FACES_VARIABLE} to a folder with {', '.join((ENROLLED, *_SCENES))}"
    return None


def use_models() -> None:
    """Have a Home Assistant that is started from now on find the networks, where there are some."""
    if (models := models_folder()) is not None:
        os.environ[MODELS_VARIABLE] = str(models)


class Garden(Film):
    """The camera. Whom it shows goes by the name of their photo."""

    def __init__(self, folder: Path) -> None:
        """Keep what it plays in `folder`."""
        faces = _folder(_FACES_VARIABLE, "faces")
        if faces is None:
            raise CheckError("there are no photos")
        self._faces = faces
        super().__init__(_NAME, folder, self.photo(STRANGER))

    def photo(self, name: str) -> bytes:
        """Read a photo."""
        return (self._faces / name).read_bytes()

    def stands(self, name: str) -> None:
        """Let somebody stand before the camera from now on."""
        self.show(self.photo(name))

    async def enrol(self, api: Api, name: str, *, live: bool = True) -> None:
        """Add whoever stands there as a person, by a picture of the camera; wait until they are learned."""
        await api.action(f"{DOMAIN}.add_person", {"name": name, "image_entity": self.camera, "check_liveness": live})
        await api.action(f"{DOMAIN}.sync_people", {"wait": {"seconds": 30}})


class _Visit(Onlooker):
    """Somebody before the camera: what Home Assistant says of them, and whether the door moved."""

    def __init__(self, garden: Garden, api: Api, watch: Watch, terminal: Terminal, entry: str) -> None:
        super().__init__(garden, api, watch, entry)
        self.garden = garden
        self.terminal = terminal
        self._openings = 0

    async def begin(self) -> None:
        """Count the openings of before."""
        self._openings = len((await self.terminal.state())["openings"])

    async def of(self, name: str, kind: str) -> Json:
        """Let somebody stand there, and wait for an event of that kind; its attributes."""
        return await self.sees(self.garden.photo(name), kind)

    async def mode(self, mode: str) -> None:
        """Choose the recognition mode: `antispoofing` or `software`."""
        select = await entity_of(self.api, self.entry, "select", "-recognition_mode")
        await self.api.action("select.select_option", {"entity_id": select, "option": mode})

    async def openings(self) -> int:
        """How often the door has moved since the last look, after a while in which it could have."""
        await asyncio.sleep(_STILL)
        before, self._openings = self._openings, len((await self.terminal.state())["openings"])
        return self._openings - before


async def play_cameras(house: House, folder: Path, terminal: Terminal) -> None:
    """Play the camera's visitors; the first thing that is not as it must be raises."""
    if (missing := lacking()) is not None:
        print(f"- {_NAME}: left out, there are {missing}", flush=True)
        return
    garden = Garden(folder)
    async with garden.playing(), watching(house.api) as watch:
        async with step(f"{_NAME}: watched, by the config flow"):
            entry = await garden.add_to(house.api)
        visit = _Visit(garden, house.api, watch, terminal, entry)
        async with step(f"{_NAME}: somebody is enrolled with its picture, live"):
            garden.stands(ENROLLED)
            await garden.enrol(house.api, "Gardener")
        await visit.begin()
        await _only_notified(visit)
        await _permitted(visit)
        await play_slowness(visit, house.child, garden.photo(AGAIN), garden.photo(STRANGER))


async def _only_notified(visit: _Visit) -> None:
    async with step(f"{_NAME}: the enrolled person is recognised, and the door stays shut"):
        seen = await visit.of(AGAIN, "recognised")
        expect((seen["person"], seen["liveness"]), ("Gardener", "live"), "who was seen, and how")
        expect(await visit.openings(), 0, "the number of openings")
    async with step(f"{_NAME}: a stranger is unknown"):
        seen = await visit.of(STRANGER, "stranger")
        expect(seen.get("person"), None, "the stranger's name")
    async with step(f"{_NAME}: a printed photo of somebody enrolled is taken for them where liveness is not checked"):
        visit.garden.stands(PRINTED)
        await visit.garden.enrol(visit.api, "Visitor", live=False)
        await visit.mode("software")
        seen = await visit.of(PRINTED, "recognised")
        expect(seen["person"], "Visitor", "whom the photo shows")
        await visit.mode("antispoofing")
    async with step(f"{_NAME}: checked, the printed photo is refused"):
        seen = await visit.of(PRINTED, "spoof")
        expect(seen.get("person"), None, "whom the photo shows")
        expect(await visit.openings(), 0, "the number of openings")


async def _permitted(visit: _Visit) -> None:
    """The household lets the camera open a door: then it opens for whoever may, live, and for nobody else."""
    async with step(f"{_NAME}: allowed to, it opens the door for the enrolled person alone"):
        door = f"{visit.terminal.place.serial}_1"
        await visit.api.options(visit.entry, door=door, door_mode="open")
        await visit.api.entry_loaded(visit.entry)
        await visit.of(PRINTED, "spoof")
        await visit.of(STRANGER, "stranger")
        expect(await visit.openings(), 0, "the number of openings for those who may not")
        await visit.of(AGAIN, "recognised")
        expect(await visit.openings(), 1, "the number of openings for who may")


@asynccontextmanager
async def demo_camera(house: House, folder: Path) -> AsyncGenerator[str]:
    """Have a camera play its visitors in turn until the end of the block; the line that says so, or what is missing."""
    if (missing := lacking()) is not None:
        yield f"{_NAME:18}left out, there are {missing}"
        return
    garden = Garden(folder)
    async with garden.playing():
        if not await garden.is_in(house.api):
            await garden.add_to(house.api)
            garden.stands(ENROLLED)
            await garden.enrol(house.api, "Gardener")
    async with garden.passing([garden.photo(name) for name in _SCENES]):
        yield f"{_NAME:18}plays somebody who is enrolled, a stranger and a printed photo in turn"

"""A camera without recognition of its own that plays pictures, and Home Assistant recognising whom it shows.

The networks and the photos are no part of the project: they lie beside it, or where the environment says.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from itertools import count
import os
from pathlib import Path
from typing import Final

from .api import Api, Json
from .house import ROOT, House
from .processes import Child
from .slowness import throttled
from .stations import DOMAIN, Terminal
from .steps import CheckError, expect, step
from .watch import PATIENCE, Watch, watching

MODELS_VARIABLE: Final = "FACE_ACCESS_MODELS"
_FACES_VARIABLE: Final = "FACE_ACCESS_FACES"
_SHARED: Final = ROOT.parent / "shared"
_CAMERA: Final = "local_file"
_NAME: Final = "Garden camera"
_FRAME: Final = 0.1
# How long a door that must not move is looked at.
_STILL: Final = 2.0
# A picture takes at least so long (seconds) on a machine that cannot follow a camera, well above the product's limit.
_FAR_TOO_LONG: Final = 2.5
# How long it may take to find that out.
_SAYS_SO: Final = 8.0
_LOOKS: Final = 5
# Longer than it takes to name somebody who is looked at.
_UNSEEN: Final = 4.0
# In the demo, how long each visitor stays and is away.
_STAYS: Final = 15.0

ENROLLED: Final = "portraits/obama.jpg"
AGAIN: Final = "portraits/obama3.jpg"
STRANGER: Final = "portraits/biden.jpg"
PRINTED: Final = "liveness/image_F1.jpg"
_SCENES: Final = (AGAIN, STRANGER, PRINTED)


def _folder(variable: str, name: str) -> Path | None:
    folder = Path(os.environ.get(variable) or _SHARED / name)
    return folder if folder.is_dir() else None


def lacking() -> str | None:
    """Say what the camera needs and is not here, and how to get it; None where all is here."""
    if _folder(MODELS_VARIABLE, "models") is None:
        return (
            f"no networks: set {MODELS_VARIABLE} to a folder with the files that models/README.md lists, "
            "or add a camera and accept their licences, and Home Assistant downloads them"
        )
    faces = _folder(_FACES_VARIABLE, "faces")
    if faces is None or not all((faces / name).is_file() for name in (ENROLLED, *_SCENES)):
        return f"no photos: set {_FACES_VARIABLE} to a folder with {', '.join((ENROLLED, *_SCENES))}"
    return None


def use_models() -> None:
    """Have a Home Assistant that is started from now on find the networks, where there are some."""
    if (models := _folder(MODELS_VARIABLE, "models")) is not None:
        os.environ[MODELS_VARIABLE] = str(models)


class Garden:
    """The camera: a picture file that is written anew for each frame, as a camera's frames are never twice the same."""

    def __init__(self, folder: Path) -> None:
        """Keep the file in `folder`. Nothing moves until `playing`."""
        self._file = folder / "garden.jpg"
        faces = _folder(_FACES_VARIABLE, "faces")
        if faces is None:
            raise CheckError("there are no photos")
        self._faces = faces
        self._content = b""
        self._numbers = count()
        self.show(STRANGER)

    def show(self, name: str) -> None:
        """Let somebody stand before the camera from now on."""
        self._content = (self._faces / name).read_bytes()
        self._write()

    def _write(self) -> None:
        # What follows the end of a picture is read by nobody.
        new = self._file.with_suffix(".new")
        new.write_bytes(self._content + next(self._numbers).to_bytes(8, "little"))
        new.replace(self._file)

    @asynccontextmanager
    async def playing(self) -> AsyncGenerator[None]:
        """Take frames until the end of the block."""
        task = asyncio.create_task(self._play())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _play(self) -> None:
        while True:
            self._write()
            await asyncio.sleep(_FRAME)

    async def add_to(self, api: Api) -> str:
        """Add the camera to Home Assistant, and then have it watched; the entry id of the latter."""
        form = await api.flow_start(_CAMERA)
        entry = (await api.flow_next(form, {"name": _NAME, "file_path": str(self._file)}))["result"]["entry_id"]
        await api.entry_loaded(entry)
        camera = await _entity(api, entry, "camera")
        menu = await api.flow_next(await api.flow_start(DOMAIN), {"next_step_id": "camera"})
        result = await api.flow_next(menu, {"camera": camera})
        watched = str(result["result"]["entry_id"])
        await api.entry_loaded(watched)
        return watched

    async def enrol(self, api: Api, name: str) -> None:
        """Add whoever stands there as a person, by a picture of the camera; wait until they are learned."""
        picture = {"image_entity": await _camera(api), "check_liveness": True}
        await api.action(f"{DOMAIN}.add_person", {"name": name, **picture})
        await api.action(f"{DOMAIN}.sync_people", {"wait": {"seconds": 30}})


async def _camera(api: Api) -> str:
    return next(entity for entity in await api.states() if entity.startswith("camera.garden_camera"))


async def _entity(api: Api, entry: str, domain: str, key: str = "") -> str:
    """Find an entity of an entry by the end of its unique id."""
    async with api.socket() as socket:
        entities = await socket.command("config/entity_registry/list")
    for entity in entities:
        of_domain = entity["entity_id"].startswith(f"{domain}.")
        if entity["config_entry_id"] == entry and of_domain and entity["unique_id"].endswith(key):
            return str(entity["entity_id"])
    raise CheckError(f"the entry has no {domain} entity {key}")


class _Visit:
    """Somebody before the camera: what Home Assistant says of them, and whether the door moved."""

    def __init__(self, garden: Garden, api: Api, watch: Watch, terminal: Terminal, entry: str) -> None:
        self.garden = garden
        self.api = api
        self.watch = watch
        self.terminal = terminal
        self.entry = entry
        self._openings = 0

    async def begin(self) -> None:
        """Count the openings of before."""
        self._openings = len((await self.terminal.state())["openings"])

    async def of(self, picture: str, kind: str) -> Json:
        """Show a picture and wait for an event of that kind; its attributes."""
        since = self.watch.now
        self.garden.show(picture)
        await self.look()
        return await self.seen(kind, since=since)

    async def seen(self, kind: str, *, since: int) -> Json:
        """Wait for an event of that kind after a mark; its attributes."""
        state = await self.watch.until(
            await self._face(), since=since, such=lambda new: new["attributes"].get("event_type") == kind, what=kind
        )
        attributes: Json = state["attributes"]
        return attributes

    async def look(self) -> None:
        """Press the button that has it looked at."""
        await self.api.action("button.press", {"entity_id": await _entity(self.api, self.entry, "button", "-look_now")})

    async def unseen(self, picture: str) -> None:
        """Show a picture for a while, which nobody looks at."""
        since = self.watch.now
        self.garden.show(picture)
        await asyncio.sleep(_UNSEEN)
        expect(self.watch.of(await self._face(), since=since), [], "what was seen while nobody asked for a look")

    async def _face(self) -> str:
        return await _entity(self.api, self.entry, "event", "-face")

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
            garden.show(ENROLLED)
            await garden.enrol(house.api, "Gardener")
        await visit.begin()
        await _only_notified(visit)
        await _permitted(visit)
        await _slow_machine(visit, house.child)


async def _only_notified(visit: _Visit) -> None:
    async with step(f"{_NAME}: the enrolled person is recognised, and the door stays shut"):
        seen = await visit.of(AGAIN, "recognised")
        expect((seen["person"], seen["liveness"]), ("Gardener", "live"), "who was seen, and how")
        expect(await visit.openings(), 0, "the number of openings")
    async with step(f"{_NAME}: a stranger is unknown"):
        seen = await visit.of(STRANGER, "stranger")
        expect(seen.get("person"), None, "the stranger's name")
    async with step(f"{_NAME}: a printed photo is refused"):
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


async def _slow_machine(visit: _Visit, machine: Child) -> None:
    """Home Assistant gets so little of the processor that it cannot follow the camera, and then all of it again."""
    async with _repairs(visit.api, f"machine_slow_{visit.entry}") as told:
        async with step(f"{_NAME}: on too slow a machine it is looked at now and then only, which is told") as found:
            found.append(await _slow_down(visit, machine, told))
            await visit.unseen(AGAIN)
        async with step(f"{_NAME}: asked for a look it names who is there, and on a fast machine follows again"):
            since = visit.watch.now
            await visit.look()
            await visit.seen("recognised", since=since)
            async with asyncio.timeout(PATIENCE):
                expect(await told.get(), "remove", "what became of the repair issue")
            since = visit.watch.now
            visit.garden.show(STRANGER)
            await visit.seen("stranger", since=since)


async def _slow_down(visit: _Visit, machine: Child, told: asyncio.Queue[str]) -> str:
    """Slow Home Assistant down until it says that it is too slow; by how much."""
    mode = await _entity(visit.api, visit.entry, "select", "-recognition_mode")
    question = {"image_entity": await _camera(visit.api)}
    looks = [await visit.api.action(f"{DOMAIN}.recognize", question, response=True) for _ in range(_LOOKS)]
    # The shortest: the machine may have had others to serve meanwhile, and more than this knows.
    took = min(sum(look["seconds"].values()) for look in looks)
    for share in (took / _FAR_TOO_LONG / 2**number for number in range(4)):
        with throttled(machine, min(share, 0.5)), suppress(TimeoutError):
            # As after a start: it tests itself.
            await visit.api.action("select.select_option", {"entity_id": mode, "option": "antispoofing"})
            async with asyncio.timeout(_SAYS_SO):
                expect(await told.get(), "create", "what became of the repair issue")
                return f"{share:.1%} of the time, {took * 1000:.0f} ms for a picture with all of it"
    raise CheckError("Home Assistant does not notice that it is slow")


@asynccontextmanager
async def _repairs(api: Api, issue: str) -> AsyncGenerator[asyncio.Queue[str]]:
    """Hear what becomes of a repair issue until the end of the block."""
    told: asyncio.Queue[str] = asyncio.Queue()

    def heard(event: Json) -> None:
        if event["data"]["issue_id"] == issue:
            told.put_nowait(event["data"]["action"])

    async with api.socket() as socket:
        await socket.subscribe(heard, "subscribe_events", event_type="repairs_issue_registry_updated")
        yield told


@asynccontextmanager
async def demo_camera(house: House, folder: Path) -> AsyncGenerator[str]:
    """Have a camera play its visitors in turn until the end of the block; the line that says so, or what is missing."""
    if (missing := lacking()) is not None:
        yield f"{_NAME:16}left out, there are {missing}"
        return
    garden = Garden(folder)
    async with garden.playing():
        states = await house.api.states()
        if not any(entity.startswith("camera.garden_camera") for entity in states):
            await garden.add_to(house.api)
            garden.show(ENROLLED)
            await garden.enrol(house.api, "Gardener")
        task = asyncio.create_task(_visitors(garden))
        try:
            yield f"{_NAME:16}plays somebody who is enrolled, a stranger and a printed photo in turn"
        finally:
            task.cancel()


async def _visitors(garden: Garden) -> None:
    while True:
        for name in _SCENES:
            garden.show(name)
            await asyncio.sleep(_STAYS)

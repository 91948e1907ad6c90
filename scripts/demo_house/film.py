"""A camera without recognition of its own: a picture file that Home Assistant plays, watched by an entry of ours."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import count, cycle
from pathlib import Path
from typing import Any, Final

from simulators._sight import next_picture

from .api import Api, Json
from .stations import DOMAIN
from .steps import CheckError, expect
from .watch import Watch

_CAMERA: Final = "local_file"
_FRAME: Final = 0.1


@asynccontextmanager
async def _meanwhile(doing: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    task = asyncio.create_task(doing)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


class Film:
    """The camera: its file is written anew for each frame, as a camera's pictures are never twice the same."""

    def __init__(self, name: str, folder: Path, content: bytes) -> None:
        """Keep the file in `folder`, with this JPEG to begin with. Nothing moves until `playing`."""
        self.name = name
        self.camera = f"camera.{name.lower().replace(' ', '_')}"
        # From 2026.11 on Home Assistant names such a camera after its file.
        self._file = folder / f"{name}.jpg"
        self._content = content
        self._numbers = count()
        self._write()

    def show(self, content: bytes) -> None:
        """Show another JPEG from now on."""
        self._content = content
        self._write()

    def _write(self) -> None:
        new = self._file.with_suffix(".new")
        new.write_bytes(next_picture(self._content, next(self._numbers) % 16))
        new.replace(self._file)

    @asynccontextmanager
    async def playing(self) -> AsyncGenerator[None]:
        """Take frames until the end of the block."""
        async with _meanwhile(self._play()):
            yield

    async def _play(self) -> None:
        while True:
            self._write()
            await asyncio.sleep(_FRAME)

    @asynccontextmanager
    async def passing(self, visitors: Sequence[bytes], *, stays: float = 15.0) -> AsyncGenerator[None]:
        """Show these JPEGs in turn until the end of the block, each for `stays` seconds."""

        async def pass_by() -> None:
            for content in cycle(visitors):
                self.show(content)
                await asyncio.sleep(stays)

        async with self.playing(), _meanwhile(pass_by()):
            yield

    async def is_in(self, api: Api) -> bool:
        """Whether a house that was kept has the camera already."""
        return self.camera in await api.states()

    async def add_to(self, api: Api, **chosen: str) -> str:
        """Add the camera to Home Assistant, and then have it watched as `chosen`; the entry id of the latter."""
        form = await api.flow_start(_CAMERA)
        known = {"name": self.name, "file_path": str(self._file)}
        asked = {field["name"]: known[field["name"]] for field in form["data_schema"]}
        await api.entry_loaded((await api.flow_next(form, asked))["result"]["entry_id"])
        menu = await api.flow_next(await api.flow_start(DOMAIN), {"next_step_id": "camera"})
        result = await api.flow_next(menu, {"camera": self.camera, **chosen})
        watched = str(result["result"]["entry_id"])
        await api.entry_loaded(watched)
        return watched


class Onlooker:
    """A watched camera as Home Assistant shows it: who comes, and what is said of them."""

    def __init__(self, film: Film, api: Api, watch: Watch, entry: str) -> None:
        """Know the entry that watches."""
        self.film = film
        self.api = api
        self.watch = watch
        self.entry = entry

    async def sees(self, content: bytes, kind: str) -> Json:
        """Show a picture, have Home Assistant look, and wait for an event of that kind; its attributes."""
        since = self.watch.now
        self.film.show(content)
        await self.look()
        return await self.told(kind, since=since)

    async def look(self) -> None:
        """Have Home Assistant look now."""
        look = await entity_of(self.api, self.entry, "button", "-look_now")
        await self.api.action("button.press", {"entity_id": look})

    async def told(self, kind: str, *, since: int) -> Json:
        """Wait for an event of that kind after a mark; its attributes."""
        face = await entity_of(self.api, self.entry, "event", "-face")

        def such(state: Json) -> Any:
            return state["attributes"].get("event_type") == kind

        attributes: Json = (await self.watch.until(face, since=since, such=such, what=kind))["attributes"]
        return attributes

    async def tells_nothing(self, content: bytes, seconds: float) -> None:
        """Show a picture for a while that nobody looks at; CheckError if somebody does."""
        face, since = await entity_of(self.api, self.entry, "event", "-face"), self.watch.now
        self.film.show(content)
        await asyncio.sleep(seconds)
        expect(self.watch.of(face, since=since), [], "what was seen while nobody asked for a look")


async def entity_of(api: Api, entry: str, domain: str, key: str = "") -> str:
    """Find an entity of an entry by the end of its unique id; CheckError if there is none."""
    async with api.socket() as socket:
        entities = await socket.command("config/entity_registry/list")
    for entity in entities:
        of_domain = entity["entity_id"].startswith(f"{domain}.")
        if entity["config_entry_id"] == entry and of_domain and entity["unique_id"].endswith(key):
            return str(entity["entity_id"])
    raise CheckError(f"the entry has no {domain} entity {key}")

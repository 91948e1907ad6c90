"""What can be seen at one station: who comes, whether the door opens, and that nothing happens when nothing must."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Final

from .api import Json
from .steps import CheckError, expect, step
from .views import View

ALICE: Final = "0001"
BOB: Final = "0002"
_PUSH_PATIENCE: Final = 15


class Doorstep:
    """Remembers how often the relay has moved, so that every opening has to be accounted for."""

    def __init__(self, view: View) -> None:
        """Begin with a terminal whose relay has not moved yet."""
        self.view = view
        self._openings: list[Json] = []

    def step(self, name: str) -> AbstractAsyncContextManager[list[str]]:
        """Make a step of the check, named after where it happens."""
        return step(f"{self.view.station.place.name}: {name}")

    async def present(self, scene: str, **arguments: Any) -> Json:
        """Let somebody come and wait until Home Assistant has acknowledged it; what the terminal recorded."""
        capture: Json = await self.view.station.scene(scene, wait=_PUSH_PATIENCE, **arguments)
        expect(capture["uploaded"], True, f"the acknowledgement of capture {capture['sequence']}")
        return capture

    async def seen(self, kind: str, scene: str, **arguments: Any) -> Json:
        """Let somebody come and wait for the event, which must be of that kind; its attributes."""
        since = self.view.watch.now
        await self.present(scene, **arguments)
        return await self.event(kind, since)

    async def event(self, kind: str, since: int) -> Json:
        """Wait for the face event after a mark of the watch, which must be of that kind; its attributes."""
        state = await self.view.watch.until(self.view.entity("event", "face"), since=since, what="a face")
        attributes: Json = state["attributes"]
        expect(attributes["event_type"], kind, "the event's type")
        return attributes

    async def no_event(self, since: int, *keys: str) -> None:
        """See that no event fired after a mark of the watch: of a face, unless other `keys` are given."""
        await self.view.watch.settle()
        for key in keys or ("face",):
            expect(self.view.watch.of(self.view.entity("event", key), since=since), [], f"the list of {key} events")

    async def opened(self, why: str) -> Json:
        """See that the relay moved exactly once since the last look, on that word."""
        new = await self._new_openings()
        if len(new) != 1 or why not in new[0]["reason"]:
            raise CheckError(f"the relay should have moved once by {why!r}; it did by {new}")
        return new[0]

    async def shut(self) -> None:
        """See that the relay has not moved since the last look."""
        expect(await self._new_openings(), [], "the list of new openings")

    async def begin(self) -> None:
        """Take every opening so far for accounted for."""
        await self._new_openings()

    async def _new_openings(self) -> list[Json]:
        """What the relay did since the last look.

        Commands reach the terminal in order: once it has answered a new one, none that was given before is on its way.
        """
        await self.view.action("get_schedule", response=True)
        openings: list[Json] = (await self.view.station.state())["openings"]
        new, self._openings = openings[len(self._openings) :], openings
        return new

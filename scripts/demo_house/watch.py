"""What changes in Home Assistant, in the order in which it changes: nothing that was there for a moment is missed."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from .api import Api, Json, Socket
from .steps import CheckError

PATIENCE: Final = 20.0


def _anything(_state: Json) -> bool:
    return True


class Watch:
    """Every change of every state since it began."""

    def __init__(self, socket: Socket) -> None:
        """Collect what comes through a socket; `watching` subscribes."""
        self.changes: list[Json] = []
        self._socket = socket
        self._arrived = asyncio.Event()

    def heard(self, event: Json) -> None:
        """Take in one change."""
        if (state := event["data"]["new_state"]) is not None:
            self.changes.append(state)
            self._arrived.set()

    @property
    def now(self) -> int:
        """A mark: what comes after it is new."""
        return len(self.changes)

    async def until(
        self, entity_id: str, *, since: int, such: Callable[[Json], Any] = _anything, what: str = "a new state"
    ) -> Json:
        """Wait for the first state of an entity after the mark `since` that is `such`; CheckError naming `what`."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (found := [state for state in self.of(entity_id, since=since) if such(state)]):
                    self._arrived.clear()
                    await self._arrived.wait()
                return found[0]
        except TimeoutError:
            had = [state["state"] for state in self.of(entity_id, since=since)] or "nothing"
            raise CheckError(f"{entity_id}: {what} not within {PATIENCE:.0f} s; there was {had}") from None

    def of(self, entity_id: str, *, since: int) -> list[Json]:
        """The states of an entity after a mark, as far as they have come."""
        return [state for state in self.changes[since:] if state["entity_id"] == entity_id]

    def place(self, entity_id: str, *, since: int) -> int:
        """Where in the order of all changes the first of an entity after a mark came; CheckError if it did not."""
        for place, state in enumerate(self.changes[since:], since):
            if state["entity_id"] == entity_id:
                return place
        raise CheckError(f"{entity_id} did not change")

    async def settle(self) -> None:
        """Wait until everything that has changed so far has come: answers wait their turn behind events."""
        await self._socket.command("auth/current_user")


@asynccontextmanager
async def watching(api: Api) -> AsyncGenerator[Watch]:
    """Watch until the end of the block; it must end before Home Assistant does."""
    async with api.socket() as socket:
        watch = Watch(socket)
        await socket.subscribe(watch.heard, "subscribe_events", event_type="state_changed")
        yield watch

"""One station kept at what the household wants it to know: when to work, and what to do when it is away."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
import sqlite3

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.util import dt as dt_util

from ...const import LOGGER
from ...coordinator import FaceAccessCoordinator
from ...devices.errors import StationError
from ...devices.station import People
from ...people.bulk import PutMany
from ...people.plan import Progress, Wanted
from ...people.store import PeopleStore
from ...people.sync import Synchroniser
from ..errors import asking_for_login
from ..servers.coordinator import ServerCoordinator

# Somebody may have changed something at the station itself.
LOOK_EVERY = timedelta(hours=6)
# Changes come in bursts: a form, an import, a schedule that switches ten people.
GATHER = 0.5
# A station that answers and yet fails is left alone for a while.
RETRY_AFTER = 60.0
TELL_EVERY = 2.0


class TargetWorker:
    """Runs the rounds of one station or server, one at a time, in the background of its entry."""

    def __init__(
        self,
        hass: HomeAssistant,
        coordinator: FaceAccessCoordinator | ServerCoordinator,
        people: People,
        store: PeopleStore,
        *,
        wanted: Callable[[], Iterable[Wanted]],
        lists: bool = True,
        put_many: PutMany | None = None,
    ) -> None:
        """`wanted` gives what this station shall know, as it is now; for the others see `Synchroniser`."""
        self.coordinator = coordinator
        self.people = people
        self.listeners: list[CALLBACK_TYPE] = []
        self.done = asyncio.Event()
        self._hass = hass
        self._due = False
        self._stopped = False
        self._task: asyncio.Task[None] | None = None
        self._stop_retry: CALLBACK_TYPE | None = None
        self._retry = False
        self._looked_at: datetime | None = None
        self._was_online = False
        self._in_round = False
        self._told_at = 0.0
        self._rounds = asyncio.Lock()
        self.sync = Synchroniser(
            coordinator.serial,
            people,
            store,
            wanted=wanted,
            on_progress=self._async_step,
            lists=lists,
            put_many=put_many,
        )

    @property
    def progress(self) -> Progress:
        """How far the station is."""
        return self.sync.progress

    @property
    def working(self) -> bool:
        """Whether it is in the middle of its work: there will be more to tell soon."""
        return self._in_round or self._due

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Work whenever there is something to do, until the returned callback is called."""
        unsubscribe = self.coordinator.async_add_listener(self._async_check_online)
        self._async_check_online()
        self.async_wake()

        @callback
        def stop() -> None:
            unsubscribe()
            self._stopped = True
            self._async_cancel_retry()
            if self._task is not None:
                self._task.cancel()

        return stop

    @callback
    def async_wake(self, *, look: bool = False, retry: bool = False) -> None:
        """Something else is wanted: see to it soon. `look` reads what is there; `retry` asks again what was refused."""
        if self._stopped or self._hass.is_stopping:
            return
        if look:
            self._looked_at = None
        self._retry |= retry
        self._due = True
        self.done.clear()
        self.sync.changed()
        self._async_cancel_retry()
        if self._task is None or self._task.done():
            entry = self.coordinator.config_entry
            name = f"face_access people of {entry.title}"
            self._task = entry.async_create_background_task(self._hass, self._work(), name, eager_start=False)

    async def async_start_over(self, empty: Callable[[], Awaitable[None]]) -> None:
        """Empty the target and give it everybody anew. Raises what `empty` does."""
        self.sync.changed()
        async with self._rounds:
            await self.sync.start_over(empty)
        self.async_wake(look=True)

    @callback
    def _async_check_online(self) -> None:
        """A station that was away may have been restored, replaced or reset: look at what it has."""
        online = self.coordinator.last_update_success
        long_ago = self._looked_at is not None and dt_util.utcnow() - self._looked_at >= LOOK_EVERY
        if online and (long_ago or not self._was_online):
            self.async_wake(look=True)
        self._was_online = online

    async def _work(self) -> None:
        while self._due:
            await asyncio.sleep(GATHER)
            self._due = False
            async with self._rounds:
                self._in_round = True
                try:
                    complete = await self._round()
                finally:
                    self._in_round = False
            self._async_tell()
            if not complete and not self._due:
                self._stop_retry = async_call_later(self._hass, RETRY_AFTER, self._async_try_again)

    @callback
    def _async_try_again(self, _now: datetime) -> None:
        self._stop_retry = None
        self.async_wake()

    @callback
    def _async_cancel_retry(self) -> None:
        if self._stop_retry is not None:
            self._stop_retry()
            self._stop_retry = None

    async def _round(self) -> bool:
        """Run one round; False where it failed."""
        if not self.coordinator.last_update_success:
            await self.sync.look()
            return True
        retry, self._retry = self._retry, False
        full = self._looked_at is None
        try:
            with asking_for_login(self.coordinator):
                complete = await self.sync.run(full=full, retry=retry)
        except (StationError, sqlite3.Error) as err:
            self._retry |= retry
            LOGGER.debug("%s: people could not all be synced: %s", self.coordinator.name, err)
            return False
        if full:
            self._looked_at = dt_util.utcnow()
        if complete and not self._due:
            self.done.set()
        return True

    @callback
    def _async_step(self) -> None:
        """Tell of a step, but not of each of a thousand."""
        if self._hass.loop.time() - self._told_at >= TELL_EVERY:
            self._async_tell()

    @callback
    def _async_tell(self) -> None:
        self._told_at = self._hass.loop.time()
        for listener in tuple(self.listeners):
            listener()

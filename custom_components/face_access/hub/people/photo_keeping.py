"""Keeping no more of people's photos than was asked for, once every target that is here has learned from them."""

import asyncio
from collections.abc import Callable
import sqlite3

from homeassistant.core import HomeAssistant, callback

from ...const import LOGGER
from ...people.holding import HoldingState
from ...people.model import PersonError, Profile, Storage
from ...people.photos import thumbnail
from ...people.store import PeopleStore
from .known_at import BREATH


class PhotoKeeping:
    """Lets go of photos that only targets needed."""

    def __init__(self, hass: HomeAssistant, store: PeopleStore, *, has_learned: Callable[[], bool]) -> None:
        """Bind to a store that is open; `has_learned` is whether nobody is still to be given to any target here."""
        self._hass = hass
        self._store = store
        self._has_learned = has_learned
        self._let_go: dict[str, tuple[Storage, tuple[str, ...]]] = {}

    @callback
    def async_learned(self) -> None:
        """Some target has everybody by now: photos that only targets need may go."""
        self._hass.async_create_task(self._async_let_go(), "face_access photos")

    @callback
    def async_removed(self, person: str) -> None:
        """Somebody is gone, and their photos with them."""
        self._let_go.pop(person, None)

    async def _async_let_go(self) -> None:
        profiles = self._store.profiles
        if not self._has_learned() or all(one.storage is Storage.FULL for one in profiles.values()):
            return
        states = await self._states()
        for number, profile in enumerate(tuple(profiles.values()), start=1):
            if number % BREATH == 0:
                await asyncio.sleep(0)
            wanted = (profile.storage, profile.photos)
            if profile.storage is Storage.FULL or self._let_go.get(profile.id) == wanted:
                continue
            if not self._has_learned() or profiles.get(profile.id) != profile:
                # Something else is wanted by now, and whoever has learned it comes here again.
                return
            found = states.get(profile.id, set())
            if HoldingState.HELD not in found or HoldingState.PENDING in found:
                continue
            self._let_go[profile.id] = wanted
            try:
                await self._async_keep_less(profile)
            except (PersonError, sqlite3.Error) as err:
                del self._let_go[profile.id]
                LOGGER.debug("photos could not be let go of: %s", type(err).__name__)

    async def _async_keep_less(self, profile: Profile) -> None:
        less: dict[str, bytes | None] = {}
        for name, photo in (await self._store.named_photos(profile.id)).items():
            if profile.storage is Storage.NONE:
                less[name] = None
                continue
            small = await self._hass.async_add_executor_job(thumbnail, photo)
            if len(small) < len(photo):
                less[name] = small
        if less:
            await self._store.keep_instead(profile.id, less)

    async def _states(self) -> dict[str, set[HoldingState]]:
        """Find how far all targets are with each person, in one go over them."""
        states: dict[str, set[HoldingState]] = {}
        for target in self._store.targets:
            for number, holding in enumerate(tuple(self._store.holdings(target).values()), start=1):
                states.setdefault(self._store.whose(holding), set()).add(holding.state)
                if number % BREATH == 0:
                    await asyncio.sleep(0)
        return states

"""A station as Home Assistant shows it: its entities by what they are, its device, and waiting for them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from .api import Api, Json
from .house import House
from .stations import DOMAIN, Station
from .steps import CheckError

_PATIENCE: Final = 15.0


async def until[T](look: Callable[[], Awaitable[T | None]], what: str, *, patience: float = _PATIENCE) -> T:
    """Look again and again until something is found; CheckError naming `what` when patience ends."""
    try:
        async with asyncio.timeout(patience):
            while (found := await look()) is None:
                await asyncio.sleep(0.1)
            return found
    except TimeoutError:
        raise CheckError(f"{what}: not within {patience:.0f} s") from None


class View:
    """One station in one Home Assistant."""

    def __init__(self, house: House, station: Station, entry_id: str) -> None:
        """Know where to look; `refresh` looks."""
        self.house = house
        self.station = station
        self.entry_id = entry_id
        self.device_id = ""
        self._entities: dict[tuple[str, str], str] = {}

    @property
    def api(self) -> Api:
        """Home Assistant."""
        return self.house.api

    async def refresh(self) -> None:
        """Read which entities and which device belong to the station."""
        async with self.api.socket() as socket:
            entities = await socket.command("config/entity_registry/list")
        own = [entity for entity in entities if entity["config_entry_id"] == self.entry_id]
        prefix = f"{self.station.place.serial}-"
        self._entities = {
            (entity["entity_id"].partition(".")[0], entity["unique_id"].removeprefix(prefix)): entity["entity_id"]
            for entity in own
        }
        self.device_id = own[0]["device_id"] if own else ""

    def entity(self, domain: str, key: str) -> str:
        """The id of the station's entity of that kind; CheckError if there is none."""
        try:
            return self._entities[domain, key]
        except KeyError:
            have = ", ".join(sorted(f"{domain}: {key}" for domain, key in self._entities))
            raise CheckError(f"there is no {domain} entity {key}; there are {have}") from None

    async def state(self, domain: str, key: str) -> Json:
        """The present state of an entity."""
        return await self.api.state(self.entity(domain, key))

    async def until_state(self, domain: str, key: str, wanted: str) -> Json:
        """Wait until an entity has a state."""
        last: Json = {}

        async def look() -> Json | None:
            nonlocal last
            last = await self.state(domain, key)
            return last if last["state"] == wanted else None

        try:
            return await until(look, f"{domain} {key} as {wanted!r}")
        except CheckError as err:
            raise CheckError(f"{err}; it is {last.get('state')!r}") from None

    async def until_other(self, domain: str, key: str, before: Json) -> Json:
        """Wait until an entity has a state that is not `before`."""

        async def look() -> Json | None:
            now = await self.state(domain, key)
            return now if now["last_updated"] != before["last_updated"] else None

        return await until(look, f"a new state of {domain} {key}")

    async def command(self, domain: str, key: str, action: str, **data: Any) -> None:
        """Perform an action on an entity of the station."""
        await self.api.action(action, {"entity_id": self.entity(domain, key), **data})

    async def action(self, name: str, *, response: bool = False, **data: Any) -> Json:
        """Perform one of the integration's own actions on the station."""
        return await self.api.action(f"{DOMAIN}.{name}", {"device_id": self.device_id, **data}, response=response)

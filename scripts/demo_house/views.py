"""A station as Home Assistant shows it: its entities by what they are, its device, and what they are told to do."""

from typing import Any

from .api import Api, Json
from .house import House
from .stations import DOMAIN, Station
from .steps import CheckError
from .watch import Watch


def _away(state: Json) -> bool:
    return bool(state["state"] == "unavailable")


def _back(state: Json) -> bool:
    return not _away(state)


class View:
    """One station in one Home Assistant. Entities go by their domain and the key in their unique id."""

    def __init__(self, house: House, station: Station, entry_id: str, watch: Watch) -> None:
        """Know where to look; `refresh` looks."""
        self.house = house
        self.station = station
        self.entry_id = entry_id
        self.watch = watch
        self.device_id = ""
        self.enabled: list[str] = []
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
        self.enabled = [entity["entity_id"] for entity in own if entity["disabled_by"] is None]

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

    async def until(self, domain: str, key: str, wanted: str) -> Json:
        """Wait until an entity has a state, if it has not already."""
        since = self.watch.now
        state = await self.state(domain, key)
        if state["state"] == wanted:
            return state
        what = f"{wanted!r} instead of {state['state']!r}"
        return await self.watch.until(
            self.entity(domain, key), since=since, such=lambda new: new["state"] == wanted, what=what
        )

    async def command(self, domain: str, key: str, action: str, **data: Any) -> None:
        """Perform an action on an entity of the station; it has been carried out when this returns."""
        await self.api.action(action, {"entity_id": self.entity(domain, key), **data})

    async def turn(self, key: str, wanted: str) -> None:
        """Turn a switch on or off, and see that the terminal has it so."""
        await self.command("switch", key, f"switch.turn_{wanted}")
        await self.until("switch", key, wanted)

    async def select(self, key: str, option: str) -> None:
        """Choose an option, and see that the terminal has it so."""
        await self.command("select", key, "select.select_option", option=option)
        await self.until("select", key, option)

    async def options(self, **changes: Any) -> None:
        """Change some options, and wait until the entry has been loaded again and all its entities are back."""
        since = self.watch.now
        await self.api.options(self.entry_id, **changes)
        for entity_id in self.enabled:
            await self.watch.until(entity_id, since=since, such=_away, what="the end of the old one")
            since_then = self.watch.place(entity_id, since=since)
            await self.watch.until(entity_id, since=since_then, such=_back, what="the new one")

    async def action(self, name: str, *, response: bool = False, **data: Any) -> Json:
        """Perform one of the integration's own actions on the station."""
        return await self.api.action(f"{DOMAIN}.{name}", {"device_id": self.device_id, **data}, response=response)

"""The people of the demo's house: drawn, and added by the forms of Home Assistant as a user would fill them in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from simulators._terminal import pictures

from .api import Api, ApiError, Json
from .stations import DOMAIN

_KIND: Final = "person"
_PHOTO_FIELDS: Final = ("photo", "photo_2")
PEOPLE: Final = "people"
# Anna's, which panels without faces know her by.
CARD: Final = "20261121"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody to add: JPEG photos, and what the form asks for besides."""

    name: str
    photos: Sequence[bytes]
    facts: Json = field(default_factory=dict)


def _portrait(who: str) -> bytes:
    """Draw somebody at a doorstep: 640 by 480 pixels, enough for a panel too."""
    return pictures.panorama(who)


ANNA: Final = Resident(
    name="Anna Berg", photos=(_portrait("Anna"), _portrait("Anna, smiling")), facts={"text": "Hello Anna", "card": CARD}
)
OTTO: Final = Resident(name="Otto Lang", photos=(_portrait("Otto"),), facts={"role": "blocked"})
EVA: Final = Resident(
    name="Eva Stern",
    photos=(_portrait("Eva"),),
    facts={"valid_until": f"{datetime.now().astimezone() - timedelta(days=1):%Y-%m-%d %H:%M:%S}"},
)
# Whose first photo no device can use: there is a second face in it.
PAUL: Final = Resident(name="Paul Winter", photos=(pictures.sample("two"),))
PAUL_ALONE: Final = _portrait("Paul")
EVERYBODY: Final = (ANNA, OTTO, EVA, PAUL)


class Household:
    """The list of people in one Home Assistant."""

    def __init__(self, api: Api) -> None:
        """Bind to a Home Assistant; `begin` makes the list."""
        self._api = api
        self._entry = ""

    async def begin(self) -> bool:
        """Make the list, or find the one of an earlier demo; whether it is new."""
        async with self._api.socket() as socket:
            entries = await socket.command("config_entries/get", domain=DOMAIN)
        titles = {entry["title"]: str(entry["entry_id"]) for entry in entries}
        if (found := titles.get("People")) is not None:
            self._entry = found
            return False
        menu = await self._api.flow_start(DOMAIN)
        result = await self._api.flow_next(menu, {"next_step_id": PEOPLE})
        self._entry = str(result["result"]["entry_id"])
        await self._api.entry_loaded(self._entry)
        return True

    async def add(self, resident: Resident) -> None:
        """Fill in the form of a new person."""
        await self._api.subentry(self._entry, _KIND, await self._answers(resident))

    async def give_photo(self, resident: Resident, photo: bytes) -> None:
        """Replace somebody's photos in their form."""
        answers = await self._answers(Resident(name=resident.name, photos=(photo,), facts=resident.facts))
        person = (await self._listed())[resident.name]
        await self._api.subentry(self._entry, _KIND, {**answers, "replace_photos": True}, of=person)

    async def remove(self, resident: Resident) -> None:
        """Delete somebody from the list."""
        person = (await self._listed())[resident.name]
        async with self._api.socket() as socket:
            await socket.command("config_entries/subentries/delete", entry_id=self._entry, subentry_id=person)

    async def stations(self) -> dict[str, dict[str, str]]:
        """How far each station is with each person, by names; somebody whom a station needs not know is missing."""
        answer = await self._api.action(f"{DOMAIN}.list_persons", {}, response=True)
        return {
            person["name"]: {each["station"]: str(each["state"]) for each in person["stations"]}
            for person in answer["persons"]
        }

    async def _answers(self, resident: Resident) -> dict[str, Any]:
        names = zip(_PHOTO_FIELDS, resident.photos, strict=False)
        photos = {name: await self._api.upload(f"{name}.jpg", photo, "image/jpeg") for name, photo in names}
        return {"name": resident.name, "role": "normal", "photo_storage": "full", **resident.facts, **photos}

    async def _listed(self) -> dict[str, str]:
        async with self._api.socket() as socket:
            listed = await socket.command("config_entries/subentries/list", entry_id=self._entry)
        found = {subentry["title"]: str(subentry["subentry_id"]) for subentry in listed}
        if not found:
            raise ApiError("there is nobody on the list")
        return found

"""People and a target in memory, and a store in an empty folder."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from custom_components.face_access.devices.errors import StationError, StationPhotoError, StationRefusedError
from custom_components.face_access.devices.station import Enrolment
from custom_components.face_access.people.model import Profile, digest, new_key
from custom_components.face_access.people.store import PeopleStore

PHOTO = b"\xff\xd8\xff photo"
BAD = b"\xff\xd8\xff bad photo"


@pytest.fixture(autouse=True)
def auto_enable_custom_integrations() -> None:
    """Nothing here needs Home Assistant."""


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[PeopleStore]:
    """Open a store in an empty folder."""
    opened = PeopleStore(tmp_path / "face_access" / "people.db")
    await opened.open()
    yield opened
    await opened.close()


def profile(person: str = "anna", **changes: object) -> Profile:
    """Describe somebody."""
    return Profile(**{"id": person, "key": new_key(), "name": person.title(), **changes})


@dataclass
class FakePeople:
    """A target in memory. Names have at most eight characters there; `trouble` fails the next requests, one each."""

    held: dict[str, Enrolment] = field(default_factory=dict)
    faces: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, ...]] = field(default_factory=list)
    trouble: list[StationError | None] = field(default_factory=list)
    capacity: int = 1000
    knows_faces: bool = True
    keeps_removed: bool = False

    def as_held(self, enrolment: Enrolment) -> Enrolment:
        return replace(enrolment, name=enrolment.name[:8])

    def sighted_as(self, enrolment: Enrolment) -> str:
        return enrolment.key

    async def all(self) -> AsyncIterator[Enrolment]:
        self._ask("all")
        for enrolment in list(self.held.values()):
            yield enrolment

    async def find(self, key: str) -> Enrolment | None:
        self._ask("find", key)
        return self.held.get(key)

    async def photo(self, key: str) -> bytes | None:
        return PHOTO

    async def put(self, enrolment: Enrolment, photos: tuple[bytes, ...] | None) -> None:
        self._ask("put" if photos else "put facts", enrolment.key)
        if photos is None and enrolment.key not in self.held:
            raise StationRefusedError("record_not_found")
        if enrolment.key not in self.held and len(self.held) >= self.capacity:
            raise StationRefusedError("limit_reached")
        if photos:
            good = [photo for photo in photos if b"bad" not in photo]
            if not good:
                raise StationPhotoError("face_too_small")
            self.faces[enrolment.key] = digest(good[0])
        self.held[enrolment.key] = self.as_held(enrolment)

    async def remove(self, key: str) -> None:
        self._ask("remove", key)
        if not self.keeps_removed:
            self.held.pop(key, None)
            self.faces.pop(key, None)

    def _ask(self, *request: str) -> None:
        self.requests.append(request)
        if self.trouble and (error := self.trouble.pop(0)) is not None:
            raise error

    def asked(self, name: str) -> list[str]:
        """The keys of every request of that name."""
        return [request[1] for request in self.requests if request[0] == name]

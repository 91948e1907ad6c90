"""The local engine's gallery as a target of sync: what it holds of a person is a template, kept beside their photos.

Nothing here needs numpy: what does is asked on the engine's own thread, by which time it has been imported.
"""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Final

from ..devices.errors import StationPhotoError, StationRefusedError
from ..devices.station import Enrolment
from .findings import Learned
from .model import Profile
from .refusal import PHOTO_MISSING
from .store import PeopleStore

if TYPE_CHECKING:
    from ..recognition.engine import Engine

TARGET: Final = "home_assistant"
"""What the store of people calls this target."""

NOT_KEPT: Final = "PHOTO_NOT_KEPT"
"""The code of a photo that is gone, and of which there is no template of the models that are used now."""

type Ask = Callable[[Callable[[Engine], Any]], Coroutine[Any, Any, Any]]


class GalleryTarget:
    """Holds people as templates; see `devices.station.People`. What the engine raises goes on to whoever runs it."""

    knows_faces = True

    def __init__(self, store: PeopleStore, ask: Ask) -> None:
        """Keep templates in `store`; `ask` puts a question to the engine."""
        self._store = store
        self._ask = ask

    def as_held(self, enrolment: Enrolment) -> Enrolment:
        """Give the key alone: what else is known of a person needs no engine."""
        return Enrolment(key=enrolment.key, name="")

    def sighted_as(self, enrolment: Enrolment) -> str:
        """Sightings of a camera carry the household's own id."""
        return enrolment.key

    async def all(self) -> AsyncIterator[Enrolment]:
        """Everybody who has a template of the models that are used now."""
        people = {
            person: templates
            for person, learned in (await self._store.learned()).items()
            if (templates := _templates(learned))
        }
        for person in await self._usable(people):
            if (profile := self._store.profiles.get(person)) is not None:
                yield Enrolment(key=profile.key, name="")

    async def find(self, key: str) -> Enrolment | None:
        """Find a person who has such a template."""
        if (profile := self._profile(key)) is None:
            return None
        learned = (await self._store.learned(profile.id)).get(profile.id, {})
        there = await self._usable({profile.id: _templates(learned)}) if _templates(learned) else frozenset()
        return Enrolment(key=key, name="") if profile.id in there else None

    async def photo(self, key: str) -> bytes | None:
        """Templates give no photo back."""
        return None

    async def put(self, enrolment: Enrolment, photos: tuple[bytes, ...] | None) -> None:
        """Learn all photos of a person that are kept; one of them is enough."""
        profile = self._profile(enrolment.key)
        if profile is None or (photos is None and await self.find(enrolment.key) is None):
            raise StationRefusedError("record_not_found")
        if photos is None:
            return
        learned = await self._learn(profile)
        await self._store.learn(profile.id, learned)
        if not _templates(learned):
            raise StationPhotoError(_code(learned))

    async def _learn(self, profile: Profile) -> dict[str, Learned]:
        kept = await self._store.named_photos(profile.id)
        before = (await self._store.learned(profile.id)).get(profile.id, {})
        photos = {name: kept.get(name) for name in profile.photos}
        templates = {name: one.template for name, one in before.items() if one.template is not None}

        def learn(engine: Engine) -> Any:
            from ..recognition import register  # noqa: PLC0415

            return register.learn(engine, photos, templates)

        found: dict[str, tuple[Mapping[str, Any] | None, str | None]] = await self._ask(learn)
        return {name: Learned(template=template, code=code) for name, (template, code) in found.items()} | {
            name: Learned(code=NOT_KEPT) for name in profile.photos if name not in found
        }

    async def remove(self, key: str) -> None:
        """Forget a person's templates; those of one who was removed have gone with them."""
        if (profile := self._profile(key)) is not None:
            await self._store.learn(profile.id, {})

    def _profile(self, key: str) -> Profile | None:
        return next((one for one in self._store.profiles.values() if one.key == key), None)

    async def _usable(self, people: Mapping[str, list[Mapping[str, Any]]]) -> frozenset[str]:
        if not people:
            # Nobody needs a model for that.
            return frozenset()

        def usable(engine: Engine) -> Any:
            from ..recognition import register  # noqa: PLC0415

            return register.usable(engine, people)

        found: frozenset[str] = await self._ask(usable)
        return found


def _templates(learned: Mapping[str, Learned]) -> list[Mapping[str, Any]]:
    return [one.template for one in learned.values() if one.template is not None]


def _code(learned: Mapping[str, Learned]) -> str:
    """Say why no photo will do: of the first that has a reason of its own."""
    codes = [one.code for one in learned.values() if one.code is not None]
    return photo_code(codes[0]) if codes else PHOTO_MISSING


def photo_code(code: str) -> str:
    """Make the key of a refusal's text from the code of a photo."""
    return PHOTO_MISSING if code == NOT_KEPT else f"photo_{code.lower()}"

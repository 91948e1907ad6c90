"""What the house's own engine answers when an action asks it: faces, likeness, liveness, and how well all of it works.

A server that recognises answers the same questions with the same words; see `Answers`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from homeassistant.core import HomeAssistant

from ...access import Similarity
from ...recognition.errors import PictureError
from .gallery import HouseGallery, async_get_gallery
from .report import described

if TYPE_CHECKING:
    from ...recognition.engine import Engine, Settings
    from ...recognition.results import Recognition

# An automation waits for the answer: it is told how many were not learned yet.
_PATIENCE = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a picture is to be looked at: `liveness` asks whether faces are live, `far` also finds small ones."""

    similarity: Similarity = Similarity.NORMAL
    liveness: bool = True
    far: bool = False


class Answers(Protocol):
    """What an engine that actions ask must answer, as plain data without vectors. All raise RecognitionError."""

    async def recognize(self, picture: bytes, look: Look) -> dict[str, Any]:
        """Find all faces of a picture, and who of the people they are."""

    async def compare(self, first: bytes, second: bytes, look: Look, notes: Mapping[str, str]) -> dict[str, Any]:
        """Compare the largest faces of two pictures; the result document of the face scan service."""

    async def check_liveness(self, picture: bytes, look: Look) -> dict[str, Any]:
        """Say whether the faces of a picture are live."""

    async def test(self, pictures: Iterable[Callable[[], Any]], look: Look) -> dict[str, Any]:
        """Say how well recognition works with pictures; each is read by a call, which may raise PictureError."""


class LocalAnswers:
    """The answers of the local engine; see `Answers`."""

    def __init__(self, gallery: HouseGallery) -> None:
        """Ask `gallery`'s engine, and compare with whom it holds."""
        self._gallery = gallery
        self._ask = gallery.local.ask

    async def recognize(self, picture: bytes, look: Look) -> dict[str, Any]:
        """See `Answers`. Each candidate has a name, and the answer says with how many people it was compared."""
        await self._gallery.async_settled(_PATIENCE)
        people = self._gallery.gallery

        def recognize(engine: Engine) -> Recognition:
            from ...recognition import compare  # noqa: PLC0415

            return compare.recognize(engine, picture, people, _settings(look))

        answer = (await self._ask(recognize)).as_dict()
        for face in answer["faces"]:
            face["person"] = self._name(face["person_id"])
            for candidate in face["candidates"]:
                candidate["person"] = self._name(candidate["person_id"])
        progress = self._gallery.progress
        return {**answer, "people": 0 if people is None else len(people), "people_waiting": progress.waiting}

    async def compare(self, first: bytes, second: bytes, look: Look, notes: Mapping[str, str]) -> dict[str, Any]:
        """See `Answers`. `notes` are `reference` and `channel`, given back as they are."""

        def compare(engine: Engine) -> dict[str, Any]:
            from ...recognition import compare  # noqa: PLC0415

            found = compare.compare(engine, first, second, _settings(look))
            return found.document(reference=notes.get("reference"), channel=notes.get("channel"))

        return await self._ask(compare)

    async def check_liveness(self, picture: bytes, look: Look) -> dict[str, Any]:
        """See `Answers`. `codes` says what keeps the largest face from being proved live."""

        def check(engine: Engine) -> dict[str, Any]:
            from ...recognition import compare, enrolment  # noqa: PLC0415

            found = compare.check_liveness(engine, picture, _settings(look)).as_dict()
            kept = ("box", "detector_score", "quality", "liveness", "liveness_score")
            faces = [{name: face[name] for name in kept} for face in found["faces"]]
            codes = [str(code) for code in enrolment.examine(engine, picture, live=True)]
            return {
                **{name: found[name] for name in ("width", "height", "runtime", "seconds")},
                "liveness": faces[0]["liveness"] if faces else None,
                "codes": codes,
                "faces": faces,
            }

        return await self._ask(check)

    async def test(self, pictures: Iterable[Callable[[], Any]], look: Look) -> dict[str, Any]:
        """See `Answers`. One picture after the other, so that cameras get their turn in between."""
        from ...recognition import compare  # noqa: PLC0415

        await self._gallery.async_settled(_PATIENCE)
        people, settings = self._gallery.gallery, _settings(look)
        looks: list[Recognition] = []
        unreadable = 0
        for read in pictures:
            try:
                looks.append(
                    await self._ask(partial(compare.recognize, gallery=people, settings=settings, data=await read()))
                )
            except PictureError:
                unreadable += 1
        found = await self._ask(partial(compare.summarise, looks=looks, gallery=people, settings=settings))
        return described(found, unreadable=unreadable, name=self._name, threshold=settings.threshold)

    def _name(self, person: str | None) -> str | None:
        profile = None if person is None else self._gallery.people.store.profiles.get(person)
        return None if profile is None else profile.name


async def async_get_answers(hass: HomeAssistant) -> Answers:
    """Give the engine that actions ask. Raises ConfigEntryNotReady when there can be none here."""
    return LocalAnswers(await async_get_gallery(hass))


def _settings(look: Look) -> Settings:
    from ...recognition.engine import Mode, Settings  # noqa: PLC0415

    return Settings(
        similarity=look.similarity,
        mode=Mode.ANTISPOOFING if look.liveness else Mode.SOFTWARE,
        detector_size=640 if look.far else 320,
    )

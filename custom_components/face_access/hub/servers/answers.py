"""What a recognition server answers when an action asks it, in the words of the house's own engine."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from statistics import median
from typing import Any, Final
import uuid

from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError

from ...const import DOMAIN
from ...people.store import PeopleStore
from ...recognition.errors import PictureError
from ...recognition.interface import Judgement, Score, SeenFace, Verification
from ...recognition.servers.look import Resident, look as look_at
from ...recognition.terms import FaceLiveness, Outcome
from ..local.answers import Look
from ..people.household import HousePeople, async_get_people
from .coordinator import ServerCoordinator, async_server, is_server

_CANDIDATES: Final = 5
_SAME: Final = "Same person"
_DIFFERENT: Final = "Different person"


class ServerAnswers:
    """The answers of one server; see `hub.local.answers.Answers`. Scores are its own, with their scale beside them."""

    def __init__(self, hass: HomeAssistant, coordinator: ServerCoordinator, people: HousePeople) -> None:
        """Ask a server, and name whom the household gave to it."""
        self._hass = hass
        self._server = coordinator
        self._engine = coordinator.engine
        self._people = people

    async def recognize(self, picture: bytes, look: Look) -> dict[str, Any]:
        """See `Answers`. A match that the household does not know is listed without a name, and is nobody."""
        faces, seconds = await self._search(picture, look)
        worker = self._people.workers.get(self._server.serial)
        progress = None if worker is None else worker.progress
        return {
            **self._who(seconds),
            "faces": [self._face(face) for face in faces],
            "people": 0 if progress is None else progress.held,
            "people_waiting": 0 if progress is None else progress.waiting,
        }

    async def compare(self, first: bytes, second: bytes, look: Look, notes: Mapping[str, str]) -> dict[str, Any]:
        """See `Answers`. Where the service keeps records, `notes` go with it, and `id` is that of the record."""
        verify = self._can(self._engine.verify, "compare_faces")
        began = self._hass.loop.time()
        found: Verification
        record: Mapping[str, str | None] = {}
        if (scans := self._server.scans) is not None and notes:
            reference, channel = notes.get("reference") or "Home Assistant", notes.get("channel", "")
            question = scans.compare(first, second, look.similarity, reference, channel)
            found, record = await self._server.ask(question)
        else:
            found = await self._server.ask(verify.verify(first, second, look.similarity))
        return {
            **self._who(self._hass.loop.time() - began),
            "channel": record.get("channel") or notes.get("channel"),
            "compare_result": _SAME if found.matched else _DIFFERENT,
            "compare_similarity": None if found.score is None else found.score.percent / 100,
            **_scored(found.score),
            "created": record.get("created")
            or datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds"),
            "face1": None if found.first is None else _document(found.first),
            "face2": None if found.second is None else _document(found.second),
            "id": found.record or str(uuid.uuid4()),
            "reference": record.get("reference") or notes.get("reference"),
        }

    async def check_liveness(self, picture: bytes, look: Look) -> dict[str, Any]:
        """See `Answers`. `codes` says why the server could not tell."""
        del look
        liveness = self._can(self._engine.liveness, "check_liveness")
        began = self._hass.loop.time()
        found = await self._server.ask(liveness.check(picture))
        face = _judged(found)
        return {
            **self._who(self._hass.loop.time() - began),
            "liveness": face["liveness"],
            "codes": list(found.reasons),
            "faces": [face],
        }

    async def test(self, pictures: Iterable[Callable[[], Any]], look: Look) -> dict[str, Any]:
        """See `Answers`. One picture after the other: a server is not to be flooded."""
        self._can(self._engine.search, "test_recognition")
        seen: list[dict[str, Any]] = []
        took: list[float] = []
        read, unreadable = 0, 0
        for next_picture in pictures:
            try:
                faces, seconds = await self._search(await next_picture(), look)
            except PictureError:
                unreadable += 1
                continue
            read += 1
            took.append(seconds)
            seen += [self._face(face) for face in faces]
        outcomes, states = [face["outcome"] for face in seen], [face["liveness"] for face in seen]
        people = {face["person_id"]: face["person"] for face in seen if face["person_id"] is not None}
        named = [face["person_id"] for face in seen]
        return {
            **self._who(median(took) if took else None),
            "pictures": read,
            "unreadable": unreadable,
            "faces": len(seen),
            "outcomes": {each: outcomes.count(each) for each in sorted(set(outcomes))},
            "liveness": {each: states.count(each) for each in sorted(set(states))},
            "people": [
                {"person_id": person, "person": name, "pictures": named.count(person)}
                for person, name in people.items()
            ],
        }

    # What the answers share

    def _can[T](self, ability: T | None, action: str) -> T:
        """Pass what the server can do. Raises ServiceValidationError for what it cannot."""
        if ability is None:
            raise ServiceValidationError(
                translation_domain=DOMAIN,
                translation_key="engine_not_able",
                translation_placeholders={"engine": self._server.config_entry.title, "action": f"{DOMAIN}.{action}"},
            )
        return ability

    async def _search(self, picture: bytes, look: Look) -> tuple[tuple[SeenFace, ...], float]:
        search = self._can(self._engine.search, "recognize")
        began = self._hass.loop.time()
        question: Awaitable[tuple[SeenFace, ...]] = search.search(
            picture, look.similarity, liveness=look.liveness, limit=_CANDIDATES
        )
        return await self._server.ask(question), self._hass.loop.time() - began

    def _who(self, seconds: float | None) -> dict[str, Any]:
        return {
            "engine": self._server.config_entry.title,
            "version": self._server.data.version,
            "seconds": None if seconds is None else round(seconds, 3),
        }

    def _find(self, key: str) -> Resident | None:
        return async_resident(self._people.store, self._server.serial, key)

    def _face(self, face: SeenFace) -> dict[str, Any]:
        found = look_at(face, self._find)
        spoof = face.liveness.state is FaceLiveness.SPOOF
        named = found.person is not None and not spoof
        outcome = Outcome.SPOOF if spoof else Outcome.RECOGNISED if named else Outcome.STRANGER
        return {
            **_document_of_place(face),
            **_judged(face.liveness),
            "outcome": str(outcome),
            "person_id": found.id if named else None,
            "person": found.person.name if named and found.person is not None else None,
            **_scored(found.score),
            "candidates": [
                {
                    "person_id": None if (person := self._find(match.key)) is None else person.id,
                    "person": None if person is None else person.name,
                    **_scored(match.score),
                }
                for match in face.matches
            ],
            "attributes": dict(face.attributes),
        }


def async_resident(store: PeopleStore, server: str, key: str) -> Resident | None:
    """Find whom the household means by a key of a server's. One who was removed since is nobody, whatever it says."""
    holding = store.holdings(server).get(key)
    profile = None if holding is None else store.profiles.get(store.whose(holding))
    return None if profile is None else Resident(id=profile.id, name=profile.name, role=profile.role)


def _document_of_place(face: SeenFace) -> dict[str, Any]:
    box = face.box
    names = ("x", "y", "width", "height")
    return {"box": None if box is None else {name: round(getattr(box, name), 1) for name in names}}


def _document(face: SeenFace) -> dict[str, Any]:
    return {**_document_of_place(face), "attributes": dict(face.attributes)}


def _judged(found: Judgement) -> dict[str, Any]:
    score = found.score
    return {
        "liveness": str(found.state),
        "liveness_score": None if score is None else score.value,
        "liveness_scale": None if score is None else score.maximum,
        "liveness_reasons": list(found.reasons),
    }


def _scored(score: Score | None) -> dict[str, Any]:
    """A score as the server gave it, its scale, and what was asked for."""
    return {
        "score": None if score is None else round(score.value, 3),
        "scale": None if score is None else score.maximum,
        "threshold": None if score is None else score.threshold,
    }


async def async_server_answers(hass: HomeAssistant, entry_id: str) -> ServerAnswers:
    """Give the answers of the server with this entry. Raises ServiceValidationError for what is none, or not set up."""
    return ServerAnswers(hass, async_coordinator(hass, entry_id), await async_get_people(hass))


@callback
def async_coordinator(hass: HomeAssistant, entry_id: str) -> ServerCoordinator:
    """Find a server that an action names by its entry. Raises ServiceValidationError for what is none, or not there."""
    entry = hass.config_entries.async_get_entry(entry_id)
    if entry is None or entry.domain != DOMAIN or not is_server(entry):
        raise ServiceValidationError(
            translation_domain=DOMAIN, translation_key="engine_none", translation_placeholders={"engine": entry_id}
        )
    if (coordinator := async_server(hass, entry_id)) is None:
        raise ServiceValidationError(
            translation_domain=DOMAIN,
            translation_key="engine_not_loaded",
            translation_placeholders={"engine": entry.title},
        )
    return coordinator

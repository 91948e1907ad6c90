"""Everything that OpenCV FR Server by Seventh Sense can be asked (its pages Collection Management to Face Compare).

It can neither list nor remove people, nor check a face for life by itself; see `engine` for what is made of that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
import re
from typing import Any, Final

import aiohttp

from ..errors import EngineError, EngineProtocolError, EngineRefusedError
from ..interface import Match, SeenFace
from ..remote.http import MAX_ECHO, Answer, Http, Request, for_header
from ..remote.pictures import checked
from ..remote.values import a_list, a_text, an_object
from . import answers
from .codes import item_refusal, refusal

_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
_LONG: Final = 60.0
"""Seconds for an enrolment: the server works on each face."""
_EACH: Final = 6.0
"""Seconds for each person of a bulk enrolment, if that is longer."""


class Storage(StrEnum):
    """What the server keeps of an enrolment photo besides its template."""

    NOTHING = "NoStorage"
    THUMBNAIL = "StoreThumbnails"
    PICTURE = "StoreFullImage"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One person to enrol. `key` is case-sensitive; `photo` has exactly one face."""

    key: str
    name: str = field(repr=False)
    photo: bytes = field(repr=False)
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def body(self) -> dict[str, Any]:
        """As the server wants it."""
        body: dict[str, Any] = {
            "person_id": self.key,
            "person_name": self.name,
            "face_base_64": checked(self.photo),
        }
        return {**body, "metadata": dict(self.metadata)} if self.metadata else body


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAnswer:
    """What a bulk enrolment came to. `unclear` is whether the answer does not say whom its refusals mean."""

    refused: Mapping[str, EngineError] = field(default_factory=dict)
    unclear: bool = False


def check_collection(name: str) -> str:
    """Pass a collection's name: letters, digits, `_`, `-` and `.`. Raises EngineRefusedError as the server would."""
    if not _NAME.fullmatch(name):
        raise EngineRefusedError(
            "ERR_INVALID_COLLECTION_NAME", "only letters, digits, underscores, hyphens and periods"
        )
    return name


class OpenCvFrClient:
    """One server. Every method may raise EngineError of any kind."""

    def __init__(self, session: aiohttp.ClientSession, address: str, api_key: str, *, verify: bool = True) -> None:
        """Talk to `address` (with its path, if it has one) by `api_key`. Raises EngineAddressError, EngineAuthError."""
        self._http = Http(session, address, verify=verify)
        self._key = for_header(api_key)

    async def create_collection(self, name: str) -> int:
        """Make a collection; how many people are in it. Raises DuplicateError where there is one of the name."""
        body = await self._ask("POST", "/collection", {"name": check_collection(name)})
        count = an_object(body, "the answer").get("num_persons", 0)
        return count if isinstance(count, int) and count >= 0 else 0

    async def delete_collection(self, name: str) -> None:
        """Delete a collection and everybody in it. Raises EngineNotFoundError. The name goes in the request's body."""
        await self._exchange("DELETE", "/collection", {"name": check_collection(name)})

    async def enrol(
        self,
        collection: str,
        person: Enrolment,
        *,
        storage: Storage = Storage.NOTHING,
        duplicate_similarity: float | None = None,
        liveness: bool = False,
    ) -> None:
        """Enrol somebody, or change them (a photo is needed for that too).

        With `duplicate_similarity` (0-1) a face that is in the collection already is refused: DuplicateError; with
        `liveness` a photo of a photo: LivenessError. Raises EngineNotFoundError, PhotoRefusedError.
        """
        body = {
            **person.body,
            "collection_name": check_collection(collection),
            "face_storage_type": storage.value,
            "check_duplicates": duplicate_similarity is not None,
            # Required by the document even where it is not used.
            "duplicate_check_min_similarity": 0.7 if duplicate_similarity is None else duplicate_similarity,
            "check_liveness": liveness,
        }
        answer = an_object(await self._ask("PUT", "/person", body, timeout=_LONG, limit=MAX_ECHO), "the answer")
        if a_text(answer.get("person_id"), "person_id") != person.key:
            raise EngineProtocolError("person_id is not that of the person who was enrolled")

    async def enrol_many(
        self, collection: str, people: Sequence[Enrolment], *, storage: Storage = Storage.NOTHING
    ) -> BulkAnswer:
        """Enrol several at once, without any checks. Raises EngineNotFoundError."""
        body = {
            "collection_name": check_collection(collection),
            "face_storage_type": storage.value,
            "persons": [person.body for person in people],
        }
        answer = await self._ask("PUT", "/persons", body, timeout=max(_LONG, _EACH * len(people)), limit=MAX_ECHO)
        return self._bulk(a_list(answer, "the answer"), [person.key for person in people])

    def _bulk(self, items: list[Any], keys: list[str]) -> BulkAnswer:
        """Read the results of a bulk enrolment: it is in no document whether those that went well are among them."""
        refused: dict[str, EngineError] = {}
        for index, value in enumerate(items):
            item = an_object(value, "a result")
            error = item_refusal(item, self._key)
            if error is None:
                continue
            metadata = item.get("metadata")
            named = item.get("person_id") or (metadata.get("person_id") if isinstance(metadata, dict) else None)
            key = named if named in keys else keys[index] if len(items) == len(keys) and named is None else None
            if key is None:
                return BulkAnswer(unclear=True)
            refused[key] = error
        return BulkAnswer(refused=refused)

    async def search(
        self, collection: str, picture: bytes | str, *, threshold: float, limit: int = 1, liveness: bool = False
    ) -> tuple[Match, ...]:
        """Who of a collection is on a picture with one face; `threshold` 0-1. Raises PhotoRefusedError, LivenessError.

        An empty result does not say whether there was a face.
        """
        body = {**self._wanted(collection, picture, threshold, limit), "check_liveness": liveness}
        answer = await self._ask("POST", "/face-search", body, repeatable=True)
        return answers.matches(answer, collection, threshold, limit)

    async def search_many(
        self, collection: str, picture: bytes | str, *, threshold: float, limit: int = 1
    ) -> tuple[SeenFace, ...]:
        """Who of a collection is on a picture with any number of faces: `limit` candidates for each."""
        body = self._wanted(collection, picture, threshold, limit)
        answer = await self._ask("POST", "/multi-face-search", body, repeatable=True)
        return answers.faces(answer, collection, threshold, limit)

    async def compare(
        self, first: bytes | str, second: bytes | str, *, threshold: float, liveness: bool = False
    ) -> bool:
        """Whether two pictures of one face each show the same person; `liveness` is that of the first."""
        body = {
            "face_base_64": checked(first),
            "ref_face_base_64": checked(second),
            "min_similarity_score": threshold,
            "check_liveness": liveness,
        }
        return answers.is_match(await self._ask("POST", "/compare", body, repeatable=True))

    @staticmethod
    def _wanted(collection: str, picture: bytes | str, threshold: float, limit: int) -> dict[str, Any]:
        """What both searches want. Every value is sent: the documents disagree on the defaults."""
        return {
            "collection_name": check_collection(collection),
            "face_base_64": checked(picture),
            "min_similarity_score": threshold,
            "max_results": limit,
        }

    async def _ask(self, method: str, path: str, body: Mapping[str, Any], **more: Any) -> Any:
        return await (await self._exchange(method, path, body, **more)).json()

    async def _exchange(self, method: str, path: str, body: Mapping[str, Any], **more: Any) -> Answer:
        headers = {"x-api-key": self._key}
        answer = await self._http.send(Request(method=method, path=path, json=body, headers=headers, **more))
        if (error := await refusal(answer, self._key)) is not None:
            raise error
        return answer

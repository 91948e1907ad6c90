"""The people on a server and their faces (operations 12-23 of the document)."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from ..errors import DuplicateError, PhotoRefusedError
from ..remote.words import CONFLICT
from .caller import UNSUITABLE, Caller, Meanings, segment
from .models import (
    MAX_KEY,
    MAX_VALUE,
    Page,
    RegisteredMember,
    StoredFace,
    WatchlistMember,
    parse_member,
    parse_registered,
    parse_stored_face,
)
from .paging import PAGE_SIZE, PageQuery, read_all, read_page
from .read import Fields
from .release import FACE_VALIDATION, PRIVACY
from .transport import LONG_TIMEOUT
from .tuning import FaceValidation, Tuning
from .version import VersionKnown
from .watchlists import check_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """Which pictures of a member the server keeps and shows (from 4.36; an older server keeps them all)."""

    registration_images: bool = True
    matched_images: bool = True
    images_in_events: bool = True

    @property
    def body(self) -> dict[str, bool]:
        """Write it as the server wants it."""
        return {
            "saveRegistrationImages": self.registration_images,
            "saveMatchedImages": self.matched_images,
            "includeMatchedImageInEvents": self.images_in_events,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFacts:
    """What is said of a member; None is not sent. Raises ValueError for texts that are too long."""

    name: str | None = field(default=None, repr=False)
    full_name: str | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)
    labels: Mapping[str, str] | None = field(default=None, repr=False)
    privacy: Privacy | None = None

    def __post_init__(self) -> None:
        """Look at the lengths."""
        for name in (self.name, self.full_name):
            if name is not None:
                check_name(name)
        for key, value in (self.labels or {}).items():
            if not 0 < len(key) <= MAX_KEY or len(value) > MAX_VALUE:
                raise ValueError(f"a label has at most {MAX_KEY} characters as a key and {MAX_VALUE} as a value")


def _refused(text: str) -> PhotoRefusedError:
    """What 400 means where photos are sent: it is the same for no face, two faces and a photo that is none."""
    return PhotoRefusedError(UNSUITABLE, (text,) if text else (), text)


_PHOTO: Meanings = {400: _refused}


class Members:
    """Members. Every method raises every kind of EngineError, and ValueError for what no server takes."""

    def __init__(self, caller: Caller, version: VersionKnown) -> None:
        """Bind to a server."""
        self._caller = caller
        self._version = version

    async def page(self, query: PageQuery | None = None) -> Page[WatchlistMember]:
        """Read one page of all members."""
        return await read_page(self._caller, "WatchlistMembers", query or PageQuery(), parse_member, "the members")

    def all(self, size: int = PAGE_SIZE) -> AsyncIterator[WatchlistMember]:
        """Read all members of all lists and of none, page by page."""
        return read_all(
            self._caller, "WatchlistMembers", parse_member, "the members", id_of=lambda found: found.id, size=size
        )

    async def create(self, facts: MemberFacts) -> WatchlistMember:
        """Make a member without a face; the server gives them an id. Raises DuplicateError."""
        reply = await self._caller.call(
            "POST",
            "WatchlistMembers",
            body=await self._facts(facts),
            meanings={409: lambda text: DuplicateError(CONFLICT, text)},
        )
        return parse_member(Fields(reply, "the member"))

    async def put(self, member: str, facts: MemberFacts) -> WatchlistMember:
        """Make or change the member with this id of ours (an upsert); no face is needed, and those there stay."""
        segment(member)
        reply = await self._caller.call("PUT", "WatchlistMembers", body={"id": member, **await self._facts(facts)})
        return parse_member(Fields(reply, "the member"))

    async def get(self, member: str) -> WatchlistMember:
        """Read one. Raises EngineNotFoundError."""
        reply = await self._caller.call("GET", f"WatchlistMembers/{segment(member)}")
        return parse_member(Fields(reply, "the member"))

    async def delete(self, member: str) -> None:
        """Delete one. Raises EngineNotFoundError."""
        await self._caller.exchange("DELETE", f"WatchlistMembers/{segment(member)}")

    async def faces_page(self, member: str, query: PageQuery | None = None) -> Page[StoredFace]:
        """Read one page of a member's faces."""
        path = f"WatchlistMembers/{segment(member)}/Faces"
        return await read_page(self._caller, path, query or PageQuery(), parse_stored_face, "the faces")

    def faces(self, member: str, size: int = PAGE_SIZE) -> AsyncIterator[StoredFace]:
        """Read all faces of a member, page by page."""
        path = f"WatchlistMembers/{segment(member)}/Faces"
        return read_all(self._caller, path, parse_stored_face, "the faces", id_of=lambda found: found.id, size=size)

    async def link(self, watchlist: str, members: Iterable[str]) -> None:
        """Put members on a list. Raises EngineNotFoundError."""
        await self._caller.exchange("POST", "WatchlistMembers/LinkToWatchlist", body=_link(watchlist, members))

    async def unlink(self, watchlist: str, members: Iterable[str]) -> None:
        """Take members off a list. Raises EngineNotFoundError."""
        await self._caller.exchange("POST", "WatchlistMembers/UnlinkFromWatchlist", body=_link(watchlist, members))

    async def register(
        self,
        member: str,
        photos: Sequence[bytes],
        watchlists: Sequence[str],
        facts: MemberFacts,
        tuning: Tuning,
        *,
        validation: FaceValidation | None = None,
        keep_learnt: bool = False,
    ) -> RegisteredMember:
        """Make a member with faces, on lists, in one go. Raises PhotoRefusedError, EngineLimitError.

        What happens to somebody who is there already is not documented: look first. `validation` is sent to servers
        that know it; those hold photos against their limits unless told not to.
        """
        segment(member)
        if not photos or not watchlists:
            raise ValueError("a registration wants photos and watchlists")
        body = {
            "id": member,
            "images": [{"data": photo} for photo in photos],
            "watchlistIds": list(watchlists),
            "faceDetectorConfig": tuning.faces(),
            **tuning.resources(),
            "keepAutoLearnPhotos": keep_learnt,
            **await self._facts(facts),
            **await self._validation(validation),
        }
        path = "WatchlistMembers/Register"
        reply = await self._caller.call("POST", path, body=body, meanings=_PHOTO, timeout=LONG_TIMEOUT)
        return parse_registered(Fields(reply, "the registered member"))

    async def add_known_face(self, member: str, face: str) -> None:
        """Give a member a face that the server has already. Raises EngineNotFoundError."""
        path = f"WatchlistMembers/{segment(member)}/AddFaceFromSystem"
        await self._caller.exchange("POST", path, body={"faceId": str(UUID(face))})

    async def add_face(
        self, member: str, photo: bytes, tuning: Tuning, *, validation: FaceValidation | None = None
    ) -> StoredFace:
        """Give a member one more face. Raises PhotoRefusedError, EngineNotFoundError."""
        body = {
            "imageData": {"data": photo},
            "faceDetectorConfig": tuning.faces(),
            **tuning.resources(),
            **await self._validation(validation),
        }
        path = f"WatchlistMembers/{segment(member)}/AddNewFace"
        reply = await self._caller.call("POST", path, body=body, meanings=_PHOTO, timeout=LONG_TIMEOUT)
        return parse_stored_face(Fields(reply, "the face"))

    async def remove_face(self, member: str, face: str) -> None:
        """Take a face from a member. Raises EngineNotFoundError."""
        path = f"WatchlistMembers/{segment(member)}/RemoveFace"
        await self._caller.exchange("POST", path, body={"faceId": str(UUID(face))})

    async def _facts(self, facts: MemberFacts) -> dict[str, Any]:
        texts = {"displayName": facts.name, "fullName": facts.full_name, "note": facts.note}
        body: dict[str, Any] = {name: text for name, text in texts.items() if text is not None}
        if facts.labels is not None:
            body["labels"] = [{"key": key, "value": value} for key, value in facts.labels.items()]
        if facts.privacy is not None and await self._version.since(PRIVACY):
            body["privacy"] = facts.privacy.body
        return body

    async def _validation(self, wanted: FaceValidation | None) -> dict[str, Any]:
        if wanted is None or not await self._version.since(FACE_VALIDATION):
            return {}
        return {"faceValidationMode": wanted.value}


def _link(watchlist: str, members: Iterable[str]) -> dict[str, Any]:
    # The plural of "Members" is the document's.
    body = {"watchlistId": watchlist, "watchlistMembersIds": list(members)}
    segment(watchlist)
    if not body["watchlistMembersIds"]:
        raise ValueError("at least one member must be named")
    return body

"""A watchlist of ours as a register: the house's people as members, with their faces."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Final

from ...access import Role
from ..errors import EngineLimitError, EngineNotFoundError, EngineRefusedError, PhotoRefusedError
from ..interface import Member
from ..remote.values import whole
from ..remote.words import Unfit
from .client import SmartFaceClient
from .members import MemberFacts, Privacy
from .models import MAX_KEY, MAX_NAME, MAX_VALUE, WatchlistMember
from .tuning import FaceValidation, Tuning

ROLE: Final = "face_access_role"
NOT_REMOVED: Final = "not_removed"
# The server takes registrations only so fast (429), and refuses two at once (409).
_TRIES: Final = 4
_NO_PICTURES: Final = Privacy(registration_images=False, matched_images=False, images_in_events=False)
# Any score will do where only faces are counted.
_NOBODY: Final = 100


class SmartFaceRegister:
    """The members of one watchlist. Names and labels go with them; photos travel beside."""

    lists = True
    deletes = True

    def __init__(
        self,
        client: SmartFaceClient,
        *,
        watchlist: str,
        list_name: str,
        tuning: Tuning,
        keep_pictures: bool,
        validation: bool,
        pause: float,
    ) -> None:
        """`pause` in seconds: how long to wait before what the server has no time for is asked again; then twice it."""
        self._client = client
        self._watchlist = watchlist
        self._list_name = list_name
        self._tuning = tuning
        self._privacy = Privacy() if keep_pictures else _NO_PICTURES
        self._validation = None if validation else FaceValidation.NONE
        self._pause = pause
        self.anew = False

    @property
    def terms(self) -> str:
        """Whether the server was told to keep no pictures: one that did not know of that kept them all."""
        return "no_pictures" if self._privacy is _NO_PICTURES and self._client.heeds_privacy else ""

    async def ensure_list(self) -> None:
        """Make our watchlist where it is missing; it is `anew` then. One that is there keeps its name and threshold.

        Raises every kind of EngineError, as everything here does.
        """
        try:
            await self._client.watchlists.get(self._watchlist)
        except EngineNotFoundError:
            await self._client.watchlists.put(self._watchlist, self._list_name[:MAX_NAME])
            self.anew = True

    def as_held(self, member: Member) -> Member:
        """Cut the name, and leave out labels that the server has no room for."""
        labels = {
            whole(key): whole(value)
            for key, value in member.metadata.items()
            if key != ROLE and 0 < len(key) <= MAX_KEY and len(value) <= MAX_VALUE
        }
        name = whole(member.name).strip()[:MAX_NAME].strip()
        return Member(key=member.key, name=name, role=member.role, metadata=labels)

    async def all(self) -> AsyncIterator[Member]:
        """Read everybody on our list. A list that is not there has nobody."""
        await self.ensure_list()
        async for member in self._client.watchlists.members(self._watchlist):
            yield _member(member)

    async def find(self, key: str) -> Member | None:
        """Read one by the key, whichever list they are on: ids are ours."""
        held = await self._held(key)
        return None if held is None else _member(held)

    async def _held(self, key: str) -> WatchlistMember | None:
        try:
            return await self._client.members.get(key)
        except EngineNotFoundError:
            return None

    async def put(self, member: Member, photos: tuple[bytes, ...] | None) -> None:
        """Add or change. New faces come before old ones go, so that nobody is unknown in between.

        Raises PhotoRefusedError where none of the photos will do, EngineNotFoundError for a change of nobody.
        """
        await self.ensure_list()
        held = await self._held(member.key)
        if held is None:
            if photos is None:
                raise EngineNotFoundError("not_found", "nobody has this key")
            await self._add(member, photos)
            return
        if photos is not None and held.keeps_pictures and self.terms:
            await self._begin_anew(member, photos, held.note)
            return
        await self._patiently(lambda: self._client.members.put(member.key, self._facts(member, held.note)))
        await self._link(member.key)
        if photos is not None:
            await self._replace_faces(member.key, photos)

    async def remove(self, key: str) -> None:
        """Delete the member, and look whether they are gone. Raises EngineRefusedError `not_removed`."""
        try:
            await self._client.members.delete(key)
        except EngineNotFoundError:
            return
        if await self._held(key) is not None:
            raise EngineRefusedError(NOT_REMOVED, "the member is still there")

    # Faces

    async def _begin_anew(self, member: Member, photos: tuple[bytes, ...], note: str | None) -> None:
        """Register somebody once more: the pictures that the server kept go with the member alone, not with a face."""
        photos = await self._single(photos)
        await self.remove(member.key)
        await self._add(member, photos)
        if note:
            await self._patiently(lambda: self._client.members.put(member.key, self._facts(member, note)))

    async def _add(self, member: Member, photos: tuple[bytes, ...]) -> None:
        """Register somebody new: with all photos at once, or else with the first that will do and then the others."""
        photos = await self._single(photos)
        try:
            await self._register(member, photos)
        except PhotoRefusedError as refused:
            if len(photos) == 1:
                raise
            rest = await self._register_first(member, photos, refused)
            await self._add_faces(member.key, rest)

    async def _register_first(
        self, member: Member, photos: tuple[bytes, ...], refused: PhotoRefusedError
    ) -> tuple[bytes, ...]:
        """Register with the first photo that the server takes; the photos behind it."""
        for index, photo in enumerate(photos):
            try:
                await self._register(member, (photo,))
            except PhotoRefusedError as err:
                refused = err
            else:
                return photos[index + 1 :]
        raise refused

    async def _register(self, member: Member, photos: tuple[bytes, ...]) -> None:
        registered = await self._patiently(
            lambda: self._client.members.register(
                member.key,
                photos,
                [self._watchlist],
                self._facts(member),
                self._tuning,
                validation=self._validation,
            )
        )
        if not registered.faces:
            raise PhotoRefusedError(Unfit.NO_FACE, (Unfit.NO_FACE,), "the member was registered without a face")

    async def _replace_faces(self, key: str, photos: tuple[bytes, ...]) -> None:
        """Give new faces, then take the old ones, those included that the platform learnt from them."""
        photos = await self._single(photos)
        old = [face.id async for face in self._client.members.faces(key)]
        added, refused = await self._add_faces(key, photos)
        if not added:
            raise refused or PhotoRefusedError(Unfit.NO_FACE)
        for face in old:
            if face not in added:
                await self._remove_face(key, face)

    async def _add_faces(self, key: str, photos: tuple[bytes, ...]) -> tuple[set[str], PhotoRefusedError | None]:
        """Add what the server takes; the ids of the new faces, and why the last of the others was refused."""
        added: set[str] = set()
        refused: PhotoRefusedError | None = None
        for photo in photos:
            try:
                added.add(await self._add_face(key, photo))
            except PhotoRefusedError as err:
                refused = err
        return added, refused

    async def _add_face(self, key: str, photo: bytes) -> str:
        face = await self._patiently(
            lambda: self._client.members.add_face(key, photo, self._tuning, validation=self._validation)
        )
        return face.id

    async def _remove_face(self, key: str, face: str) -> None:
        try:
            await self._client.members.remove_face(key, face)
        except EngineNotFoundError:
            return  # gone already, which is what was wanted

    async def _single(self, photos: tuple[bytes, ...]) -> tuple[bytes, ...]:
        """Leave out photos without exactly one face, where the server would not: which face it took, nobody would know.

        Raises PhotoRefusedError where none is left.
        """
        if not photos:
            raise PhotoRefusedError(Unfit.NO_FACE, (Unfit.NO_FACE,), "there is no photo")
        if await self._client.refuses_crowds():
            return photos
        counts = [await self._count(photo) for photo in photos]
        usable = tuple(photo for photo, count in zip(photos, counts, strict=True) if count == 1)
        if not usable:
            code = Unfit.SEVERAL_FACES if max(counts) > 1 else Unfit.NO_FACE
            raise PhotoRefusedError(code, (code,))
        return usable

    async def _count(self, photo: bytes) -> int:
        found = await self._client.faces.search(
            photo, [self._watchlist], self._tuning, threshold=_NOBODY, most=2, features=False
        )
        return len(found)

    # Facts

    def _facts(self, member: Member, note: str | None = None) -> MemberFacts:
        held = self.as_held(member)
        return MemberFacts(
            name=held.name,
            full_name=held.name,
            note=note,  # whoever wrote it on the server shall find it again
            labels={**held.metadata, ROLE: held.role.value},
            privacy=self._privacy,
        )

    async def _link(self, key: str) -> None:
        """Put the member on our list. Whether a server takes somebody twice is not documented."""
        try:
            await self._client.members.link(self._watchlist, [key])
        except EngineNotFoundError:
            raise
        except EngineRefusedError:
            async for member in self._client.watchlists.members(self._watchlist):
                if member.id == key:
                    return
            raise

    async def _patiently[Result](self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Try again what the server has no time for just now. Raises EngineLimitError when it never has."""
        pause = self._pause
        for _ in range(_TRIES - 1):
            try:
                return await call()
            except EngineLimitError:
                await asyncio.sleep(pause)
                pause *= 2
        return await call()


def _member(found: WatchlistMember) -> Member:
    return Member(
        key=found.id,
        name=(found.name or found.full_name or "").strip(),
        role=_ROLES.get(found.labels.get(ROLE, ""), Role.NORMAL),
        metadata={key: value for key, value in found.labels.items() if key != ROLE},
    )


_ROLES: Final[Mapping[str, Role]] = {role.value: role for role in Role}

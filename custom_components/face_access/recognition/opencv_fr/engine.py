"""OpenCV FR Server as an engine: what it can do, and what is made of what it cannot.

It checks a face for life only within other calls. `FACE_NOT_LIVE` alone is a spoof; whatever else it says of a picture
means that it could not tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from ...access import Similarity
from ..errors import NoFaceError, PhotoRefusedError
from ..interface import EngineInfo, Judgement, RemoteEngine, SeenFace, Verification
from ..remote.status import as_picture
from ..remote.words import Unfit
from ..terms import FaceLiveness
from .client import OpenCvFrClient, Storage, check_collection
from .codes import LivenessError
from .register import Checks, OpenCvFrRegister

NAME: Final = "OpenCV FR Server"
THRESHOLDS: Final[Mapping[Similarity, float]] = MappingProxyType(
    {Similarity.LOW: 0.67, Similarity.NORMAL: 0.7, Similarity.HIGH: 0.8}
)
"""The numbers that the vendor's pages name: for photos that are years apart, the default, and that of a newer page."""
_LIVE: Final = Judgement(state=FaceLiveness.LIVE)
_UNKNOWN: Final = Judgement(state=FaceLiveness.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCvFrSettings:
    """How one server is used. `thresholds` are likenesses from 0 to 1.

    Without `several` each picture goes to the search for one face, whose fields are documented in full; of the search
    for several faces only the path is.
    """

    collection: str
    several: bool = True
    storage: Storage = Storage.NOTHING
    checks: Checks = field(default_factory=Checks)
    thresholds: Mapping[Similarity, float] = field(default_factory=lambda: THRESHOLDS)


def opencv_fr_engine(client: OpenCvFrClient, settings: OpenCvFrSettings) -> RemoteEngine:
    """Make the engine. Raises EngineRefusedError for a name that no collection can have."""
    check_collection(settings.collection)
    register = OpenCvFrRegister(client, settings.collection, storage=settings.storage, checks=settings.checks)

    async def probe() -> EngineInfo:
        """No call is there for this; making the collection, or being told that it is there, needs address and key."""
        await register.ensure()
        return EngineInfo(name=NAME)

    return RemoteEngine(
        probe=probe,
        search=OpenCvFrSearch(client, settings),
        verify=OpenCvFrVerify(client, settings),
        liveness=OpenCvFrLiveness(client, settings),
        register=register,
        several=settings.several,
        photos_always=True,
        groups=True,
        # The search for one face tells no place, that for several may.
        boxes=settings.several,
        enrol_many=None if settings.checks.any else register.put_many,
        empty=register.empty,
    )


class OpenCvFrSearch:
    """Who of the collection is on a picture."""

    def __init__(self, client: OpenCvFrClient, settings: OpenCvFrSettings) -> None:
        self._client = client
        self._settings = settings

    @property
    def thresholds(self) -> Mapping[Similarity, float]:
        """Likeness that a match needs, 0-1."""
        return self._settings.thresholds

    async def search(
        self, picture: bytes, similarity: Similarity, *, liveness: bool = False, limit: int = 3
    ) -> tuple[SeenFace, ...]:
        """See `interface.Search`. With `liveness` only a picture with one face can be judged.

        Where the server cannot judge, it is asked again for names alone; a spoof is asked nothing more.
        """
        threshold = self.thresholds[similarity]
        try:
            if not liveness:
                return await self._all(picture, threshold, limit)
            return await self._live(picture, threshold, limit)
        except PhotoRefusedError as err:
            if err.reasons == (Unfit.NO_FACE,):
                return ()
            raise as_picture(err) from None

    async def _all(self, picture: bytes, threshold: float, limit: int) -> tuple[SeenFace, ...]:
        """Ask for names alone."""
        where = self._settings.collection
        if self._settings.several:
            return await self._client.search_many(where, picture, threshold=threshold, limit=limit)
        try:
            found = await self._client.search(where, picture, threshold=threshold, limit=limit)
        except PhotoRefusedError as err:
            if err.reasons != (Unfit.SEVERAL_FACES,):
                raise
            found = ()
        return (SeenFace(matches=found),)

    async def _live(self, picture: bytes, threshold: float, limit: int) -> tuple[SeenFace, ...]:
        try:
            found = await self._client.search(
                self._settings.collection, picture, threshold=threshold, limit=limit, liveness=True
            )
        except LivenessError as err:
            if err.spoof:
                return (SeenFace(liveness=Judgement(state=FaceLiveness.SPOOF)),)
            judgement = Judgement(state=FaceLiveness.UNKNOWN, reasons=err.reasons)
        except PhotoRefusedError as err:
            if err.reasons != (Unfit.SEVERAL_FACES,):
                raise
            judgement = Judgement(state=FaceLiveness.UNKNOWN, reasons=err.reasons)
        else:
            # Nobody found does not even say that there was a face which could have been judged.
            return (SeenFace(matches=found, liveness=_LIVE if found else _UNKNOWN),)
        seen = await self._all(picture, threshold, limit)
        return tuple(SeenFace(matches=one.matches, box=one.box, liveness=judgement) for one in seen)


class OpenCvFrVerify:
    """Whether two pictures show the same person: the server's verdict, without a number."""

    def __init__(self, client: OpenCvFrClient, settings: OpenCvFrSettings) -> None:
        self._client = client
        self._settings = settings

    async def verify(self, first: bytes, second: bytes, similarity: Similarity) -> Verification:
        """See `interface.Verify`."""
        threshold = self._settings.thresholds[similarity]
        try:
            return Verification(matched=await self._client.compare(first, second, threshold=threshold))
        except PhotoRefusedError as err:
            if err.reasons != (Unfit.NO_FACE,):
                raise as_picture(err) from None
            raise NoFaceError(await self._without(first, threshold)) from None

    async def _without(self, first: bytes, threshold: float) -> int:
        """Which picture has no face, which the server does not tell: the first one, if it is not even like itself."""
        try:
            await self._client.compare(first, first, threshold=threshold)
        except PhotoRefusedError:
            return 1
        return 2


class OpenCvFrLiveness:
    """Whether a face is live: a picture is compared with itself, the one call that checks and leaves nothing behind."""

    def __init__(self, client: OpenCvFrClient, settings: OpenCvFrSettings) -> None:
        self._client = client
        self._settings = settings

    async def check(self, picture: bytes) -> Judgement:
        """See `interface.Liveness`."""
        threshold = self._settings.thresholds[Similarity.LOW]
        try:
            await self._client.compare(picture, picture, threshold=threshold, liveness=True)
        except PhotoRefusedError as err:
            if err.reasons == (Unfit.NO_FACE,):
                raise NoFaceError from None
            if isinstance(err, LivenessError) and err.spoof:
                return Judgement(state=FaceLiveness.SPOOF)
            if isinstance(err, LivenessError) or err.reasons == (Unfit.SEVERAL_FACES,):
                return Judgement(state=FaceLiveness.UNKNOWN, reasons=err.reasons)
            raise as_picture(err) from None
        return _LIVE

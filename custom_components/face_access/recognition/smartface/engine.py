"""A SmartFace server as an engine of the house: search, verify and liveness over the client."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import logging
import re
from typing import Final

import aiohttp

from ...access import Similarity
from ..errors import EngineNotFoundError, EngineProtocolError, EngineRefusedError, PhotoRefusedError
from ..interface import EngineInfo, Judgement, Match, RemoteEngine, Score, SeenFace, Verification
from ..remote.pictures import checked
from ..terms import FaceLiveness
from .client import SmartFaceClient
from .models import FaceDetails
from .register import SmartFaceRegister
from .release import OLDEST
from .search import FoundFace
from .server import Server
from .spoof import judge_liveness
from .transport import TIMEOUT
from .tuning import Tuning

_LOGGER: Final = logging.getLogger(__name__)
_LIST_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,100}")
NAME: Final = "SmartFace"
TOO_OLD: Final = "version_too_old"
MAX_SCORE: Final = 100.0
THRESHOLDS: Final[Mapping[Similarity, int]] = {Similarity.LOW: 30, Similarity.NORMAL: 40, Similarity.HIGH: 50}
"""Scores that a match needs. 40 is the platform's own default, and its scores are logarithmic in the rate of false
accepts (document, section 1.7). For another product the vendor gives -10*log10(FAR): ten points are a factor of ten,
which agrees with `low`, `normal` and `high` of the local engine (1e-3, 1e-4, 1e-5). Nobody promises these rates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How an engine works on a server.

    `watchlist` is the id of a list of our own (`[A-Za-z0-9_.-]`, another one for each house), `name` what it is called
    there. Without `keep_pictures` a server from 4.36 on keeps no photo of our members and of who matches them. Without
    `attributes` it measures neither age nor glasses nor angles, which is quicker. `validation` False tells a server
    from 4.29 on to take photos that do not pass its own limits. `timeout` and `pause` (before what the server had no
    time for is asked again) in seconds. Raises ValueError for an id that not every server takes, and for a threshold
    that is missing or that anybody would reach.
    """

    watchlist: str
    name: str = "Home Assistant"
    tuning: Tuning = field(default_factory=Tuning)
    thresholds: Mapping[Similarity, int] = field(default_factory=lambda: dict(THRESHOLDS))
    keep_pictures: bool = True
    attributes: bool = True
    validation: bool = True
    timeout: float = TIMEOUT
    pause: float = 1.0

    def __post_init__(self) -> None:
        """Look at the id and at the thresholds."""
        if not _LIST_ID.fullmatch(self.watchlist) or set(self.watchlist) <= {"."}:
            raise ValueError("the id of a watchlist has letters, digits and _ . - alone")
        if any(not 1 <= self.thresholds.get(similarity, 0) <= MAX_SCORE for similarity in Similarity):
            raise ValueError("every similarity has a threshold between 1 and 100")


def engine(
    session: aiohttp.ClientSession,
    server: Server,
    options: EngineOptions,
    *,
    client: SmartFaceClient | None = None,
) -> RemoteEngine:
    """Make the engine; `client` to share one, which can do more than an engine. No request is made."""
    shared = client or SmartFaceClient(session, server, timeout=options.timeout)
    register = SmartFaceRegister(
        shared,
        watchlist=options.watchlist,
        list_name=options.name,
        tuning=options.tuning,
        keep_pictures=options.keep_pictures,
        validation=options.validation,
        pause=options.pause,
    )
    looking = SmartFaceEngine(shared, register, options)
    return RemoteEngine(
        probe=looking.probe,
        search=looking,
        verify=looking,
        liveness=looking if options.tuning.spoof else None,
        register=register,
        several=options.tuning.max_faces > 1,
        groups=True,
        boxes=True,
        verify_score=True,
    )


class SmartFaceEngine:
    """Search, verify and liveness of one server, for one watchlist.

    Pictures are what the vendor's own tools send, JPEG or PNG: of anything else the server says that it has no face.
    """

    def __init__(self, client: SmartFaceClient, register: SmartFaceRegister, options: EngineOptions) -> None:
        """Bind to a client."""
        self._client = client
        self._register = register
        self._options = options

    @property
    def thresholds(self) -> Mapping[Similarity, float]:
        """Scores that a match needs, 0-100."""
        return dict(self._options.thresholds)

    async def probe(self) -> EngineInfo:
        """Prove address and login, and that our list is there; `version_too_old` before 4.25.

        Raises every kind of EngineError.
        """
        version = await self._client.version()
        if version.release is None:
            raise EngineProtocolError("the version is not one of SmartFace")
        if version.release < OLDEST:
            raise EngineRefusedError(TOO_OLD, f"SmartFace {version.full} is older than 4.25")
        await self._register.ensure_list()
        return EngineInfo(name=NAME, version=version.full)

    async def search(
        self, picture: bytes, similarity: Similarity, *, liveness: bool = False, limit: int = 3
    ) -> tuple[SeenFace, ...]:
        """Find who is in a picture. Nobody to be seen, or nothing to be compared, is an empty tuple.

        Raises every kind of EngineError, PictureError.
        """
        checked(picture)
        threshold = self._options.thresholds[similarity]
        judged = liveness and bool(self._options.tuning.spoof)
        try:
            found = await self._find(picture, threshold, limit, judged=judged)
        except EngineNotFoundError:
            # Somebody deleted our list. A face is to be seen all the same, even if nobody knows it.
            await self._register.ensure_list()
            found = await self._find(picture, threshold, limit, judged=judged)
        except PhotoRefusedError as err:
            _LOGGER.debug("SmartFace cannot compare the picture: %s", err)
            return ()
        faces = sorted(found, key=_size, reverse=True)
        return tuple(self._seen(face, threshold, judged=judged) for face in faces)

    async def _find(self, picture: bytes, threshold: int, limit: int, *, judged: bool) -> tuple[FoundFace, ...]:
        return await self._client.faces.search(
            picture,
            [self._options.watchlist],
            self._options.tuning,
            threshold=threshold,
            limit=limit,
            liveness=judged,
            features=self._options.attributes,
        )

    def _seen(self, face: FoundFace, threshold: int, *, judged: bool) -> SeenFace:
        if any(not 0 <= match.score <= MAX_SCORE for match in face.matches):
            raise EngineProtocolError("a score is not between 0 and 100")
        matches = [
            Match(
                key=match.member,
                score=Score(value=match.score, maximum=MAX_SCORE, threshold=threshold),
                name=match.name,
                group=match.watchlist,
            )
            for match in face.matches
            # What was not asked for is nobody, whatever the server thinks of it.
            if match.member and match.score >= threshold and match.watchlist in {None, self._options.watchlist}
        ]
        matches.sort(key=lambda match: match.score.value, reverse=True)
        return SeenFace(
            matches=tuple(matches),
            liveness=judge_liveness(face.spoof, self._options.tuning)
            if judged
            else Judgement(state=FaceLiveness.NOT_CHECKED),
            box=face.details.box,
            attributes=face.details.facts,
        )

    async def verify(self, first: bytes, second: bytes, similarity: Similarity) -> Verification:
        """Compare two pictures. Raises NoFaceError, every kind of EngineError, PictureError."""
        checked(first)
        checked(second)
        threshold = self._options.thresholds[similarity]
        result = await self._client.faces.verify(first, second, self._options.tuning)
        if not 0 <= result.confidence <= MAX_SCORE:
            raise EngineProtocolError("the confidence is not between 0 and 100")
        return Verification(
            matched=result.confidence >= threshold,
            score=Score(value=result.confidence, maximum=MAX_SCORE, threshold=threshold),
            first=_face(result.probe),
            second=_face(result.reference),
        )

    async def check(self, picture: bytes) -> Judgement:
        """Judge liveness. Raises NoFaceError, every kind of EngineError, PictureError."""
        checked(picture)
        try:
            found = await self._client.faces.spoof_check(picture, self._options.tuning)
        except PhotoRefusedError as err:
            return Judgement(state=FaceLiveness.UNKNOWN, reasons=err.reasons or (err.code,))
        return judge_liveness(found, self._options.tuning)


def _face(details: FaceDetails | None) -> SeenFace | None:
    return None if details is None else SeenFace(box=details.box, attributes=details.facts)


def _size(face: FoundFace) -> float:
    if face.details.box is not None:
        return face.details.box.area
    size = face.details.size or 0.0
    # Not its power: that raises an error for a size beyond any picture.
    return size * size

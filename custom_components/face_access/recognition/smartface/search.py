"""Looking at pictures: who is in it, are two the same, is it live (operations 1, 2 and 11 of the document)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from ..errors import NoFaceError
from .caller import Caller
from .models import FaceDetails, parse_details, parse_labels
from .read import Fields, objects
from .release import FACE_VALIDATION, SESSION
from .spoof import SpoofCheck, parse_spoof_check
from .tuning import FaceValidation, Tuning
from .version import VersionKnown

_FEATURES: Final = (
    "age",
    "gender",
    "faceMask",
    "noseTip",
    "yawAngle",
    "pitchAngle",
    "rollAngle",
    "sharpness",
    "brightness",
    "tintedGlasses",
    "heavyFrame",
    "glassStatus",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchResult:
    """Somebody who reaches the threshold; `score` 0-100, a whole number."""

    score: int
    member: str | None
    watchlist: str | None = None
    name: str | None = field(default=None, repr=False)
    full_name: str | None = field(default=None, repr=False)
    watchlist_name: str | None = None
    labels: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFace:
    """One face of a picture: nobody in `matches` is a stranger. `spoof` is None where liveness was not judged."""

    details: FaceDetails
    matches: tuple[MatchResult, ...] = ()
    spoof: SpoofCheck | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How alike two faces are; `confidence` is taken to be on the scale of scores, 0-100."""

    confidence: float
    probe: FaceDetails | None = None
    reference: FaceDetails | None = None


class Faces:
    """What looks at pictures. Every method raises every kind of EngineError."""

    def __init__(self, caller: Caller, version: VersionKnown) -> None:
        """Bind to a server."""
        self._caller = caller
        self._version = version

    async def search(
        self,
        picture: bytes,
        watchlists: Sequence[str],
        tuning: Tuning,
        *,
        threshold: int = 40,
        limit: int = 1,
        most: int | None = None,
        liveness: bool = False,
        features: bool = True,
        mask_threshold: float | None = None,
        validation: FaceValidation | None = None,
        session: UUID | None = None,
    ) -> tuple[FoundFace, ...]:
        """Look for faces of these lists; `limit` matches for each of at most `most` faces.

        A picture without a face gives an empty tuple: the server calls it a bad request. Without `features` the server
        measures neither age nor glasses nor angles, and is done sooner. `session` (from 4.35) marks what belongs
        together. Raises EngineNotFoundError for an unknown list, ValueError without one.
        """
        if not watchlists:
            # The server's own default is the name of an example, and an empty list may mean all of them.
            raise ValueError("a search names its watchlists")
        body: dict[str, Any] = {
            "image": {"data": picture},
            "watchlistIds": list(watchlists),
            "threshold": threshold,
            "maxResultCount": limit,
            "faceDetectorConfig": tuning.faces(most),
            **tuning.resources(),
            **(tuning.liveness() if liveness and tuning.spoof else {"spoofDetectorResourceIds": ["none"]}),
        }
        if not features:
            body["faceFeaturesConfig"] = dict.fromkeys(_FEATURES, False)
        if mask_threshold is not None:
            body["faceMaskConfidenceRequest"] = {"faceMaskThreshold": mask_threshold}
        if validation is not None and await self._version.since(FACE_VALIDATION):
            body["faceValidationMode"] = validation.value
        try:
            reply = await self._caller.call(
                "POST", "Watchlists/Search", body=body, headers=await self._session(session), meanings={400: _no_face}
            )
        except NoFaceError:
            return ()
        # More than was asked for is no answer to what was asked, and may be more than there is time to read.
        faces = objects(reply, "the search", tuning.max_faces if most is None else most)
        return tuple(_found(item, limit) for item in faces)

    async def verify(self, probe: bytes, reference: bytes, tuning: Tuning) -> Comparison:
        """Compare the faces of two pictures. Raises NoFaceError with the picture's number, as far as it is told."""
        body = {"probeImage": _probe(probe, tuning), "referenceImage": _probe(reference, tuning)}
        reply = await self._caller.call("POST", "Faces/Verify", body=body, meanings={400: _no_face_in_one})
        fields = Fields(reply, "the comparison")
        first, second = fields.maybe_object("probeFaceDetails"), fields.maybe_object("referenceFaceDetails")
        return Comparison(
            confidence=fields.number("confidence"),
            probe=None if first is None else parse_details(first),
            reference=None if second is None else parse_details(second),
        )

    async def spoof_check(self, picture: bytes, tuning: Tuning, *, session: UUID | None = None) -> SpoofCheck:
        """Judge the liveness of the face in a picture. Raises NoFaceError, ValueError without a detector."""
        if not tuning.spoof:
            raise ValueError("a check of liveness wants a detector")
        body = {
            "image": {"data": picture},
            "faceDetectorConfig": tuning.one_face(),
            "faceDetectorResourceId": tuning.detector.value,
            **tuning.liveness(),
        }
        reply = await self._caller.call(
            "POST", "Faces/SpoofCheck", body=body, headers=await self._session(session), meanings={400: _no_face}
        )
        return parse_spoof_check(Fields(reply, "the spoof check"))

    async def _session(self, session: UUID | None) -> dict[str, str]:
        if session is None or not await self._version.since(SESSION):
            return {}
        return {"X-Session-Id": str(session)}


def _probe(picture: bytes, tuning: Tuning) -> dict[str, Any]:
    return {"image": {"data": picture}, "faceDetectorConfig": tuning.one_face(), **tuning.resources()}


def _no_face(_text: str) -> NoFaceError:
    return NoFaceError()


def _no_face_in_one(text: str) -> NoFaceError:
    words = text.lower()
    return NoFaceError(2 if "reference" in words and "probe" not in words else 1)


def _found(fields: Fields, limit: int) -> FoundFace:
    spoof = fields.maybe_object("spoofCheckResult")
    return FoundFace(
        details=parse_details(fields),
        matches=tuple(_match(match) for match in fields.objects("matchResults", limit)),
        spoof=None if spoof is None else parse_spoof_check(spoof),
    )


def _match(fields: Fields) -> MatchResult:
    return MatchResult(
        score=fields.whole("score"),
        member=fields.maybe_text("watchlistMemberId"),
        watchlist=fields.maybe_text("watchlistId"),
        name=fields.maybe_text("displayName"),
        full_name=fields.maybe_text("fullName"),
        watchlist_name=fields.maybe_text("watchlistDisplayName"),
        labels=parse_labels(fields),
    )

"""What is asked of the engine once: who is that, are these two one person, is this face live, how well does it work.

These functions block for as long as the networks take: they run on the worker's thread, not on the event loop.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final
import uuid

from .engine import Engine, Mode, Settings
from .errors import NoFaceError
from .gallery import Confusable, Gallery
from .picture import Picture
from .results import Face, FaceLiveness, Flaw, Outcome, Recognition

_COMPARING: Final = Settings(mode=Mode.SOFTWARE)


class CompareResult(StrEnum):
    """The words of the result document. The vendor's document shows the first; the others are ours in its manner."""

    SAME = "Same person"
    DIFFERENT = "Different person"
    UNCERTAIN = "Not sure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two faces side by side: `cosine` -1 to 1, `score` and `threshold` 0-100."""

    result: CompareResult
    cosine: float
    score: float
    threshold: float
    first: Face
    second: Face

    def document(
        self, *, reference: str | None = None, channel: str | None = None, now: datetime | None = None
    ) -> dict[str, Any]:
        """Give the result document of the face scan service; what needs other models than ours is None.

        `now` must be aware; the document has its UTC time without a zone, as the service writes it.
        """
        created = (now or datetime.now(UTC)).astimezone(UTC).replace(tzinfo=None)
        return {
            "channel": channel,
            "compare_result": str(self.result),
            "compare_similarity": self.score / 100,
            "created": created.isoformat(timespec="microseconds"),
            "face1": _document(self.first),
            "face2": _document(self.second),
            "id": str(uuid.uuid4()),
            "reference": reference,
        }


def _document(face: Face) -> dict[str, Any]:
    measured, box = face.quality, face.detection.box
    return {
        "eye_dist": measured.eye_distance,
        "face_luminance": measured.luminance,
        "face_occlusion": None,
        "face_quality": measured.score,
        "landmark_68": None,
        "left_eye_closed": None,
        "mouth_opened": None,
        "pitch": measured.pitch,
        "right_eye_closed": None,
        "roll": measured.roll,
        "x1": round(box.x),
        "x2": round(box.x + box.width),
        "y1": round(box.y),
        "y2": round(box.y + box.height),
        "yaw": measured.yaw,
    }


def compare(engine: Engine, first: bytes, second: bytes, settings: Settings = _COMPARING) -> Comparison:
    """Compare the largest face of each of two encoded pictures.

    Raises PictureError, NoFaceError (which says in which picture), ModelError. Flawed faces are compared, but the
    answer is then never that they are the same.
    """
    faces = [_largest(engine, data, settings, number) for number, data in enumerate((first, second), 1)]
    vectors = [face.vector for face in faces if face.vector is not None]
    cosine = float(vectors[0] @ vectors[1]) if len(vectors) == 2 else 0.0
    score = engine.scale.score(cosine)
    if any(face.quality.flaws for face in faces) or len(vectors) < 2:
        result = CompareResult.UNCERTAIN
    else:
        result = CompareResult.SAME if score >= settings.threshold else CompareResult.DIFFERENT
    return Comparison(
        result=result, cosine=cosine, score=score, threshold=settings.threshold, first=faces[0], second=faces[1]
    )


def _largest(engine: Engine, data: bytes, settings: Settings, number: int) -> Face:
    found = engine.recognise(Picture(data), None, settings)
    if not found.faces:
        raise NoFaceError(number)
    return found.faces[0]


def recognize(engine: Engine, data: bytes, gallery: Gallery | None, settings: Settings) -> Recognition:
    """Find and name all faces of an encoded picture. Raises PictureError, ModelError, GalleryError."""
    return engine.recognise(Picture(data), gallery, settings)


def check_liveness(engine: Engine, data: bytes, settings: Settings) -> Recognition:
    """Judge the liveness of all faces of an encoded picture, whatever the mode; nobody is named.

    Raises PictureError and ModelError, the latter too when the liveness models are missing.
    """
    asked = Settings(
        similarity=settings.similarity,
        mode=Mode.ANTISPOOFING,
        detector_size=settings.detector_size,
        gates=settings.gates,
    )
    return engine.recognise(Picture(data), None, asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How well recognition works on a set of pictures: medians, and how many faces have which flaw."""

    pictures: int
    faces: int
    flaws: Mapping[Flaw, int] = field(default_factory=dict)
    liveness: Mapping[FaceLiveness, int] = field(default_factory=dict)
    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    people: Mapping[str, int] = field(default_factory=dict)
    """Who was recognised, and in how many pictures."""
    eye_distance: float | None = None
    sharpness: float | None = None
    luminance: float | None = None
    score: float | None = None
    """Of the faces that were recognised."""
    margin: float | None = None
    """The smallest lead of anybody who was recognised over the next person, as a cosine."""
    seconds: float | None = None
    runtime: str = ""
    unmeasured: str | None = None
    """The embedder (id) if nobody measured what its scores mean."""
    closest: Confusable | None = None
    """The two people enrolled who are most alike, whether or not that is too much."""
    confusable: tuple[Confusable, ...] = ()
    """Those who may be taken for each other at the similarity that is set."""


def report(engine: Engine, pictures: Sequence[bytes], gallery: Gallery | None, settings: Settings) -> Report:
    """Say how well recognition would work with pictures like these and the people enrolled.

    Raises PictureError and ModelError.
    """
    looks = [recognize(engine, data, gallery, settings) for data in pictures]
    return summarise(engine, looks, gallery, settings)


def summarise(engine: Engine, looks: Sequence[Recognition], gallery: Gallery | None, settings: Settings) -> Report:
    """Say the same of pictures that were looked at already. Raises ModelError."""
    faces = [face for look in looks for face in look.faces]
    named = [face for face in faces if face.person_id is not None]
    level = engine.scale.cosine(settings.threshold)
    return Report(
        pictures=len(looks),
        faces=len(faces),
        flaws=_counted(Flaw, [flaw for face in faces for flaw in face.quality.flaws]),
        liveness=_counted(FaceLiveness, [face.liveness.state for face in faces]),
        outcomes=_counted(Outcome, [face.outcome for face in faces]),
        people=Counter(face.person_id for face in named if face.person_id is not None),
        eye_distance=_median([face.quality.eye_distance for face in faces]),
        sharpness=_median([face.quality.sharpness for face in faces]),
        luminance=_median([face.quality.luminance for face in faces]),
        score=_median([face.score for face in named if face.score is not None]),
        # Where nobody else is enrolled, there is nobody to have a lead over.
        margin=min((face.margin for face in named if len(face.candidates) > 1), default=None),
        seconds=_median([sum(look.seconds.values()) for look in looks]),
        runtime=looks[0].runtime if looks else "",
        unmeasured=engine.unmeasured,
        closest=None if gallery is None else gallery.closest(),
        confusable=() if gallery is None else tuple(gallery.confusable(level)),
    )


def _counted[W: StrEnum](words: type[W], found: Sequence[W]) -> dict[W, int]:
    return {word: found.count(word) for word in words if word in found}


def _median(values: Sequence[float]) -> float | None:
    return sorted(values)[len(values) // 2] if values else None

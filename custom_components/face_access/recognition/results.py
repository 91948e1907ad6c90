"""What local recognition says about a picture: typed and frozen, with no biometric data in any repr."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .terms import Box, FaceLiveness, Flaw, Outcome

__all__ = ["Box", "FaceLiveness", "Flaw", "Outcome"]

type Floats = NDArray[np.float32]
type Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Landmarks:
    """Five points as (x, y) in pixels, named from the view of the person."""

    right_eye: tuple[float, float]
    left_eye: tuple[float, float]
    nose: tuple[float, float]
    mouth_right: tuple[float, float]
    mouth_left: tuple[float, float]

    @property
    def points(self) -> Floats:
        """As an array (5, 2) in the order above."""
        return np.array([self.right_eye, self.left_eye, self.nose, self.mouth_right, self.mouth_left], np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One face as the detector sees it. `score` is 0-1 and says nothing of quality: a face of 6 pixels gets .9."""

    box: Box
    landmarks: Landmarks
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What can be measured of a face without a model.

    `eye_distance` in pixels of the full picture; `face_height` as a share of the picture's height; `sharpness` the
    variance of the Laplacian of the aligned grey face; `luminance` its mean, 0-255; angles in degrees: `yaw` is
    negative where the nose points to the right of the picture, `roll` positive clockwise, `pitch` positive downwards;
    `score` 0-1, the worst of all.
    """

    eye_distance: float
    face_height: float
    sharpness: float
    luminance: float
    yaw: float
    pitch: float
    roll: float
    infrared: bool
    score: float
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LivenessCheck:
    """The answer of the liveness models: `score` 0-1 as it was judged, and what each model said, by its id."""

    state: FaceLiveness
    score: float | None = None
    models: Mapping[str, float] = field(default_factory=dict)


NOT_CHECKED = LivenessCheck(state=FaceLiveness.NOT_CHECKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody who may be meant: `cosine` -1 to 1 as the model gives it, `score` 0-100 from its false-match rate."""

    person_id: str
    cosine: float
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """Everything about one face of a picture. `person_id` and `score` stand only where somebody was recognised."""

    detection: Detection
    quality: Quality
    liveness: LivenessCheck
    outcome: Outcome
    candidates: tuple[Candidate, ...] = ()
    person_id: str | None = None
    score: float | None = None
    vector: Floats | None = field(default=None, repr=False, compare=False)

    @property
    def margin(self) -> float:
        """How far the best candidate is before the next, as a cosine; as far as can be where there is no other."""
        first, second = (*(candidate.cosine for candidate in self.candidates[:2]), -1.0, -1.0)[:2]
        return first - second


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """All faces of a picture, the largest first, and how long each step took in seconds."""

    width: int
    height: int
    faces: tuple[Face, ...]
    threshold: float
    """The score that a match needs."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    runtime: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give plain data for the response of an action; without vectors."""
        return {
            "width": self.width,
            "height": self.height,
            "threshold": self.threshold,
            "runtime": self.runtime,
            "seconds": {step: round(seconds, 4) for step, seconds in self.seconds.items()},
            "faces": [_plain(face) for face in self.faces],
        }


def _plain(face: Face) -> dict[str, Any]:
    box, landmarks, quality = face.detection.box, face.detection.landmarks, face.quality
    names = ("right_eye", "left_eye", "nose", "mouth_right", "mouth_left")
    measures = ("eye_distance", "face_height", "sharpness", "luminance", "yaw", "pitch", "roll", "score")
    return {
        "box": {name: round(getattr(box, name), 1) for name in ("x", "y", "width", "height")},
        "landmarks": {name: [round(number, 1) for number in getattr(landmarks, name)] for name in names},
        "detector_score": round(face.detection.score, 3),
        "quality": {
            **{name: round(getattr(quality, name), 3) for name in measures},
            "infrared": quality.infrared,
            "flaws": [str(flaw) for flaw in quality.flaws],
        },
        "liveness": str(face.liveness.state),
        "liveness_score": None if face.liveness.score is None else round(face.liveness.score, 3),
        "outcome": str(face.outcome),
        "person_id": face.person_id,
        "score": None if face.score is None else round(face.score, 1),
        "candidates": [
            {"person_id": one.person_id, "cosine": round(one.cosine, 3), "score": round(one.score, 1)}
            for one in face.candidates
        ],
    }

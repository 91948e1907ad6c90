"""How the server is to look at pictures: its detectors, and what they hold faces against (section 1.5)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

LIVENESS: Final = 90.0
"""The score of a live face, by default."""


class DetectorResource(StrEnum):
    """What finds faces, and where it runs. The accurate ones take longer."""

    CPU = "cpu"
    GPU = "gpu"
    ANY = "any"
    ACCURATE_CPU = "accurate_cpu"
    ACCURATE_GPU = "accurate_gpu"
    ACCURATE_ANY = "accurate_any"


class TemplateResource(StrEnum):
    """Where templates are made."""

    CPU = "cpu"
    GPU = "gpu"
    ANY = "any"


class SpoofDetector(StrEnum):
    """What tells a face from a picture of one: `distant` for frames of cameras, `nearby` for portraits."""

    DISTANT_ANY = "liveness_distant_any_remote"
    DISTANT_CPU = "liveness_distant_cpu_remote"
    DISTANT_GPU = "liveness_distant_gpu_remote"
    NEARBY_ANY = "liveness_nearby_any_remote"
    NEARBY_CPU = "liveness_nearby_cpu_remote"
    NEARBY_GPU = "liveness_nearby_gpu_remote"

    @property
    def kind(self) -> str:
        """Either `distant` or `nearby`."""
        return self.value.split("_")[1]


class FaceValidation(StrEnum):
    """Whether the server holds faces against its own limits (from 4.29). It does at registration unless told not to."""

    NONE = "none"
    PREDEFINED = "predefined"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Numbers and resources for everything that looks at a picture; the defaults are those of the document.

    Face sizes in pixels (about the distance of the eyes; the vendor calls 30 usable and 50 good), `confidence` on the
    detector's own scale, liveness thresholds 0-100. `all_conditions` names every reason why liveness could not be
    judged, not the first alone. Raises ValueError for numbers that make no sense, and for the same kind of liveness on
    two resources, which no server takes.
    """

    min_face: int = 35
    max_face: int = 600
    max_faces: int = 20
    confidence: int = 450
    detector: DetectorResource = DetectorResource.CPU
    template: TemplateResource = TemplateResource.CPU
    spoof: tuple[SpoofDetector, ...] = (SpoofDetector.DISTANT_CPU,)
    distant_threshold: float = LIVENESS
    nearby_threshold: float = LIVENESS
    all_conditions: bool = True

    def __post_init__(self) -> None:
        """Look at the numbers and at the detectors of liveness."""
        if not 0 < self.min_face <= self.max_face or self.max_faces < 1 or self.confidence < 0:
            raise ValueError("faces have a size, and at least one is looked for")
        if any(not 0 <= threshold <= 100 for threshold in (self.distant_threshold, self.nearby_threshold)):
            raise ValueError("thresholds of liveness are between 0 and 100")
        check_detectors(self.spoof)

    def one_face(self) -> dict[str, Any]:
        """FaceSearchDetectorConfig."""
        return {"minFaceSize": self.min_face, "maxFaceSize": self.max_face, "confidenceThreshold": self.confidence}

    def faces(self, most: int | None = None) -> dict[str, Any]:
        """FaceDetectorConfig; `most` faces at most."""
        return {**self.one_face(), "maxFaces": self.max_faces if most is None else most}

    def resources(self) -> dict[str, Any]:
        """Where faces are found and templates made."""
        return {"faceDetectorResourceId": self.detector.value, "templateGeneratorResourceId": self.template.value}

    def liveness(self) -> dict[str, Any]:
        """What judges liveness, and against what."""
        return {
            "spoofDetectorResourceIds": [detector.value for detector in self.spoof],
            "spoofCheckConfig": {
                "distantLivenessScoreThreshold": self.distant_threshold,
                "nearbyLivenessScoreThreshold": self.nearby_threshold,
                "keepEvaluatingConditionsAfterFirstFail": self.all_conditions,
            },
        }


def check_detectors(detectors: Iterable[SpoofDetector]) -> None:
    """Refuse two of the same kind. Raises ValueError."""
    kinds = [detector.kind for detector in detectors]
    if len(kinds) != len(set(kinds)):
        raise ValueError("one detector of each kind of liveness is enough, and two are refused")

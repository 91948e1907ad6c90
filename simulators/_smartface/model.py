"""What the server keeps: watchlists, members, faces and pictures, and how each looks in an answer."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from .vision import Seen

type Release = tuple[int, int]

FULL_VERSIONS: dict[str, str] = {"4.25": "v5_4.25.2.6157", "4.29": "v5_4.29.0.7200", "4.40": "v5_4.40.1.9120"}


def now() -> str:
    """The time as the server writes it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@dataclass
class Watchlist:
    """A list of members, by their ids."""

    id: str
    display_name: str
    full_name: str
    threshold: int = 40
    palm_threshold: int = 40
    colour: str = "#adadad"
    members: list[str] = field(default_factory=list)
    created_at: str = field(default_factory=now)
    updated_at: str | None = None

    def as_json(self, release: Release) -> dict[str, Any]:
        """The schema Watchlist."""
        newer = {"palmThreshold": self.palm_threshold} if release >= (4, 29) else {}
        return {
            "id": self.id,
            "displayName": self.display_name,
            "fullName": self.full_name,
            "threshold": self.threshold,
            "previewColor": self.colour,
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            **newer,
        }


@dataclass
class Face:
    """A stored face and the picture that it is from."""

    seen: Seen = field(repr=False)
    image: str | None
    on_picture: int = 1
    learnt: bool = False
    id: str = field(default_factory=lambda: str(uuid4()))
    tracklet: str = field(default_factory=lambda: str(uuid4()))
    frame: str = field(default_factory=lambda: str(uuid4()))
    created_at: str = field(default_factory=now)

    def as_json(self) -> dict[str, Any]:
        """The schema Face: `size` instead of `faceSize`, and the gender as a number."""
        shared = attributes(self.seen, 0)
        shared["size"] = shared.pop("faceSize")
        return {
            **shared,
            "id": self.id,
            "trackletId": self.tracklet,
            "frameId": self.frame,
            "imageDataId": self.image,
            "state": "Extracted",
            "type": "AutoLearn" if self.learnt else "Regular",
            "gender": float(self.seen.number % 2),
            "facesOnFrameCount": self.on_picture,
            "faceAreaChange": 0.0,
            "autolearnClusterType": None,
            "processedAt": self.created_at,
            "createdAt": self.created_at,
            "updatedAt": None,
        }


@dataclass
class Member:
    """A person and the ids of their faces."""

    id: str
    facts: dict[str, Any] = field(repr=False)
    faces: list[str] = field(default_factory=list)
    created_at: str = field(default_factory=now)
    updated_at: str | None = None

    def as_json(self, release: Release) -> dict[str, Any]:
        """The schema WatchlistMember."""
        newer: dict[str, Any] = {}
        if release >= (4, 36):
            newer = {"totpEnabled": False, "privacy": self.facts.get("privacy") or EVERY_PICTURE}
        return {
            "id": self.id,
            "displayName": self.facts.get("displayName"),
            "fullName": self.facts.get("fullName"),
            "note": self.facts.get("note"),
            "labels": self.facts.get("labels") or [],
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            **newer,
        }


EVERY_PICTURE = {"saveRegistrationImages": True, "saveMatchedImages": True, "includeMatchedImageInEvents": True}


def attributes(seen: Seen, order: int, features: dict[str, bool] | None = None) -> dict[str, Any]:
    """The schema FaceAttributes; what was switched off is null, or nothing where null is not allowed."""
    wanted = features or {}

    def measured(name: str, value: float) -> float | None:
        return value if wanted.get(name, True) else None

    eyes = seen.size / 2
    return {
        **seen.corners(),
        "quality": 900 if seen.weak else 6000 + seen.number % 3000,
        "leftEyeX": round(seen.x - eyes, 2),
        "leftEyeY": round(seen.y - seen.nose, 2),
        "rightEyeX": round(seen.x + eyes, 2),
        "rightEyeY": round(seen.y - seen.nose, 2),
        "age": float(20 + seen.number % 50) if wanted.get("age", True) else 0.0,
        "gender": "Female" if seen.number % 2 else "Male",
        "faceSize": round(seen.size, 2),
        "faceMaskConfidence": measured("faceMask", 120.5),
        "noseTipConfidence": measured("noseTip", 9000.0),
        "faceMaskStatus": "NoMask" if wanted.get("faceMask", True) else "Unknown",
        "sharpness": measured("sharpness", 7000.0),
        "brightness": measured("brightness", 5200.0),
        "tintedGlasses": measured("tintedGlasses", -9000.0),
        "heavyFrame": measured("heavyFrame", -9000.0),
        "glassStatus": measured("glassStatus", -9000.0),
        "pitchAngle": measured("pitchAngle", 1.5),
        "yawAngle": measured("yawAngle", -2.0),
        "rollAngle": measured("rollAngle", seen.roll),
        "faceArea": round((seen.nose * 6.2) * (seen.nose * 8), 2),
        "templateQuality": 60 if seen.weak else 180,
        "faceOrder": order,
    }

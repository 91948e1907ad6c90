"""The face engine of KBY-AI, as its own images and the face scan service answer with it.

Numbers and words are those of the vendor's sample servers: a verdict above 0.7 with one face of each picture (2023), or
every pair of up to eight faces without a verdict (2025); all outcomes have status 200.
"""

import math
from typing import Any, Final

from .base import picture
from .faces import NoPictureError, SeenFace, SeenPicture, likeness

SHAPES: Final = ("2023", "2025")
_SAME: Final = 0.7
_MOST: Final = 8
_LIVE: Final = 0.7
_SMALL: Final = 100


async def see(data: bytes) -> SeenPicture | None:
    """Look at a picture; None for what cannot be opened."""
    try:
        return await picture(data)
    except NoPictureError:
        return None


async def compare(first: bytes, second: bytes, shape: str) -> dict[str, Any]:
    """Compare two pictures in one of `SHAPES`."""
    pictures = [await see(first), await see(second)]
    return _older(pictures) if shape == "2023" else _newer(pictures)


def _complaint(pictures: list[SeenPicture | None]) -> str | None:
    for number, seen in enumerate(pictures, 1):
        if seen is None:
            return f"Failed to open file{number}"
    for number, seen in enumerate(pictures, 1):
        if seen is not None and not seen.faces:
            return f"No face{number}"
    return None


def _older(pictures: list[SeenPicture | None]) -> dict[str, Any]:
    complaint = _complaint(pictures)
    faces = [seen.faces[0] if seen is not None and seen.faces else None for seen in pictures]
    answer: dict[str, Any] = {"compare_result": complaint, "compare_similarity": -1.0}
    if complaint is None:
        first, second = (face for face in faces if face is not None)
        similarity = likeness(first, second)
        answer = {
            "compare_result": "Same person" if similarity > _SAME else "Different person",
            "compare_similarity": similarity,
        }
    return {**answer, **{f"face{number}": face and shown(face) for number, face in enumerate(faces, 1)}}


def _newer(pictures: list[SeenPicture | None]) -> dict[str, Any]:
    faces = [seen.faces[:_MOST] if seen is not None else () for seen in pictures]
    return {
        "resultCode": _complaint(pictures) or "Ok",
        "faces1": [shown(face) for face in faces[0]],
        "faces2": [shown(face) for face in faces[1]],
        "results": [
            {"face1": one, "face2": other, "similarity": likeness(first, second)}
            for one, first in enumerate(faces[0])
            for other, second in enumerate(faces[1])
        ],
    }


def shown(face: SeenFace) -> dict[str, Any]:
    """One face as the engine tells of it; its box may lie outside of the picture."""
    middle = (face.left + face.right) / 2
    return {
        "x1": face.left,
        "y1": face.top,
        "x2": face.right,
        "y2": face.bottom,
        "yaw": 0.0,
        "pitch": 0.0,
        "roll": 0.0,
        "eye_dist": face.eye_distance,
        "face_quality": 0.9,
        "face_luminance": face.luminance,
        "face_occlusion": 0.95 if face.masked else 0.02,
        "mouth_opened": 0.1,
        "left_eye_closed": 0.01,
        "right_eye_closed": 0.01,
        "landmark_68": [
            {"x": middle + 40 * math.cos(i / 68 * math.tau), "y": face.top + 100 + 40 * math.sin(i / 68 * math.tau)}
            for i in range(68)
        ],
    }


async def check_liveness(data: bytes) -> dict[str, Any]:
    """Judge a picture as the image FaceLivenessDetection does."""
    seen = await see(data)
    if seen is None:
        return {"face_state": {"result": "Failed to open file"}, "faces": []}
    if len(seen.faces) != 1:
        result = "Multiple face" if seen.faces else "No face"
        return {"face_state": {"result": result}, "faces": [shown(face) for face in seen.faces]}
    face = seen.faces[0]
    score = 0.04 if face.printed else 0.98
    border = 0.05 * min(seen.width, seen.height)
    state = {
        "result": "Real" if score > _LIVE else "Spoof",
        "liveness_score": score,
        "is_not_front": False,
        "is_occluded": face.masked,
        "eye_closed": False,
        "mouth_opened": False,
        "is_boundary_face": min(face.left, face.top, seen.width - face.right, seen.height - face.bottom) < border,
        "is_small": face.eye_distance < _SMALL,
        "quality": "High",
        "luminance": "Dark" if face.luminance < 50 else "Normal" if face.luminance < 200 else "Light",
    }
    return {"face_state": state, "faces": [shown(face)]}

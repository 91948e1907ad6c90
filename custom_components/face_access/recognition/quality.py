"""What a face is worth, measured without a model, and what must not be named for it.

Limits: measured with the default embedder (docs: eye distance below 24 pixels, a Laplacian variance below 30 and a luma
outside of 25-190 cost similarity; the detector's own score does not fall with size, so it is no measure of quality).
"""

from dataclasses import dataclass
import math
from typing import Final

import numpy as np

from .picture import grey
from .results import Detection, Flaw, Floats, Landmarks, Pixels, Quality

_NOSE_DEPTH: Final = 0.55
"""How far the tip of the nose stands before the eyes, in distances of the eyes."""
_NOSE_HEIGHT: Final = 0.494
"""Where the nose is between eyes (0) and mouth (1) on a face seen straight, after the alignment template."""
_NOSE_DEPTH_OF_HEIGHT: Final = 0.48
"""The same depth in distances of eyes and mouth."""
_COVERED_COLOUR: Final = 0.6
"""Difference of colour between the bridge of the nose and the lower face, as a share of the former's colour. On 66
ordinary photos it was at most .47; with masks of five colours drawn on them at least .71."""
_COVERED_EYES: Final = 0.28
"""Light of the lighter eye as a share of the nose's: at least .35 on those photos, about .14 with dark glasses."""
_BRIDGE: Final = (slice(46, 60), slice(51, 61))
_NOSE: Final = (slice(58, 72), slice(50, 62))
_LOWER: Final = (slice(80, 110), slice(34, 78))
_EYES: Final = ((slice(46, 57), slice(30, 46)), (slice(46, 57), slice(66, 82)))
"""Regions of the aligned face as (lines, columns)."""
_OUTSIDE: Final = 0.05
"""How much of a box may lie outside of the picture, on each side."""
_INFRARED: Final = 4.0
"""Mean difference of the colours below which a picture has none; JPEG alone makes up to 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """Limits of what is compared. Sizes in pixels, angles in degrees, luma 0-255."""

    face_height: float = 0.05
    eye_distance: float = 24
    sharpness: float = 30
    darkest: float = 25
    brightest: float = 190
    yaw: float = 35
    roll: float = 30
    detector: float = 0.7


USELESS_EYE_DISTANCE: Final = 16
"""Below it a face is not compared at all; between it and the gate it gets candidates, but no name."""

PROBE: Final = Gates()
ENROLMENT: Final = Gates(eye_distance=48, sharpness=80, yaw=20, roll=20)


def distance(landmarks: Landmarks) -> float:
    """Between the eyes, in pixels."""
    return math.dist(landmarks.right_eye, landmarks.left_eye)


def measure(detection: Detection, size: tuple[int, int], face: Pixels, gates: Gates = PROBE) -> Quality:
    """Judge a face in a picture of `size` (width, height) whose aligned pixels are `face`."""
    yaw, pitch, roll = pose(detection.landmarks)
    light = grey(face)
    measured = Quality(
        eye_distance=distance(detection.landmarks),
        face_height=detection.box.height / size[1],
        sharpness=sharpness(light),
        luminance=float(light.mean()),
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        infrared=_colour(face) < _INFRARED,
        score=0,
    )
    return Quality(
        **{name: getattr(measured, name) for name in measured.__slots__ if name not in ("score", "flaws")},
        score=_score(measured),
        flaws=tuple(_flaws(measured, detection, size, gates, hidden=covered(face))),
    )


def sharpness(light: Floats) -> float:
    """Variance of the Laplacian with four neighbours."""
    inner = light[1:-1, 1:-1]
    laplacian = light[:-2, 1:-1] + light[2:, 1:-1] + light[1:-1, :-2] + light[1:-1, 2:] - 4 * inner
    return float(laplacian.var())


def pose(landmarks: Landmarks) -> tuple[float, float, float]:
    """Estimate yaw, pitch and roll in degrees from five points, good to some 10 degrees on a face like others."""
    right, left, nose = (complex(*point) for point in (landmarks.right_eye, landmarks.left_eye, landmarks.nose))
    mouth = (complex(*landmarks.mouth_right) + complex(*landmarks.mouth_left)) / 2
    across = left - right
    if abs(across) < 1e-3:
        return 90.0, 0.0, 0.0  # one eye covers the other: seen from the side
    # Turned so that the eyes are level, everything in distances of the eyes.
    tip, lips = ((point - (right + left) / 2) / across for point in (nose, mouth))
    yaw = -math.degrees(math.atan(tip.real / _NOSE_DEPTH))
    ratio = tip.imag / lips.imag if abs(lips.imag) > 1e-3 else _NOSE_HEIGHT
    pitch = math.degrees(math.atan((ratio - _NOSE_HEIGHT) / _NOSE_DEPTH_OF_HEIGHT))
    return yaw, pitch, math.degrees(math.atan2(across.imag, across.real))


def _colour(face: Pixels) -> float:
    channels = face.astype(np.int16)
    return float(
        np.abs(channels[..., 0] - channels[..., 1]).mean() + np.abs(channels[..., 1] - channels[..., 2]).mean()
    )


def covered(face: Pixels) -> bool:
    """Whether the lower face or the eyes seem to be covered, judged by colour and light; never so without colour."""
    if _colour(face) < _INFRARED:
        return False
    bridge, lower = _chroma(face[_BRIDGE]), _chroma(face[_LOWER])
    # The 4 keeps noise from counting on a face that hardly has any colour.
    if math.dist(bridge, lower) > _COVERED_COLOUR * (math.hypot(*bridge) + 4):
        return True
    nose = _median(grey(face[_NOSE])) + 1
    return max(_median(grey(face[eye])) for eye in _EYES) < _COVERED_EYES * nose


def _chroma(part: Pixels) -> tuple[float, float]:
    """Median Cr and Cb (ITU-R BT.601) around 0."""
    red, green, blue = (part[..., index].astype(np.float32) for index in range(3))
    reddish = 0.5 * red - 0.4187 * green - 0.0813 * blue
    bluish = 0.5 * blue - 0.3313 * green - 0.1687 * red
    return _median(reddish), _median(bluish)


def _median(values: Floats) -> float:
    """The upper median: numpy's own takes five times as long for so few."""
    middle = values.size // 2
    return float(np.partition(values.reshape(-1), middle)[middle])


def _score(measured: Quality) -> float:
    """The worst of size, sharpness, light and pose: 1 is all that an enrolment asks for, 0 is useless."""
    light = min(measured.luminance - 10, 220 - measured.luminance) / 40
    angle = 1.5 - max(abs(measured.yaw), abs(measured.roll), abs(measured.pitch)) / 40
    parts = (measured.eye_distance / ENROLMENT.eye_distance, measured.sharpness / ENROLMENT.sharpness, light, angle)
    return max(0.0, min(1.0, *parts))


def _flaws(measured: Quality, detection: Detection, size: tuple[int, int], gates: Gates, *, hidden: bool) -> list[Flaw]:
    box = detection.box
    # The detector's box reaches over hair and chin: a twentieth of it may lie outside and the face is still whole.
    across, down = box.width * _OUTSIDE, box.height * _OUTSIDE
    horizontal = -across <= box.x and box.x + box.width <= size[0] + across
    inside = horizontal and -down <= box.y and box.y + box.height <= size[1] + down
    found = {
        Flaw.NOT_CLEARLY_A_FACE: detection.score < gates.detector,
        Flaw.FACE_TOO_SMALL: measured.face_height < gates.face_height,
        Flaw.EYES_TOO_CLOSE: measured.eye_distance < gates.eye_distance,
        Flaw.CUT_OFF: not inside,
        Flaw.TURNED_AWAY: abs(measured.yaw) > gates.yaw,
        Flaw.TILTED: abs(measured.roll) > gates.roll,
        Flaw.BLURRED: measured.sharpness < gates.sharpness,
        Flaw.TOO_DARK: measured.luminance < gates.darkest,
        Flaw.TOO_BRIGHT: measured.luminance > gates.brightest,
        Flaw.COVERED: hidden,
    }
    return [flaw for flaw, there in found.items() if there]

"""Why a server could not use a picture, in one set of words for all servers."""

from enum import StrEnum
from typing import Final

from ..terms import Flaw

CONFLICT: Final = "conflict"
"""The code of an EngineLimitError: somebody else changes the same just now. Soon it may be tried again."""


class Unfit(StrEnum):
    """What is wrong with a picture. Where local recognition has the same word (`Flaw`), it is the same one."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    FACE_TOO_SMALL = Flaw.FACE_TOO_SMALL.value
    FACE_TOO_CLOSE = "face_too_close"
    CUT_OFF = Flaw.CUT_OFF.value
    NEAR_BORDER = "near_border"
    TURNED_AWAY = Flaw.TURNED_AWAY.value
    COVERED = Flaw.COVERED.value
    EYES_CLOSED = "eyes_closed"
    MOUTH_OPEN = "mouth_open"
    POOR_QUALITY = "poor_quality"
    TOO_DARK = Flaw.TOO_DARK.value
    TOO_BRIGHT = Flaw.TOO_BRIGHT.value
    NOT_LIVE = "not_live"
    """At enrolment alone: the server holds that the photo was taken of a photo."""
    NOT_A_PICTURE = "not_a_picture"
    TOO_LARGE = "too_large"
    UNCLEAR = "unclear"
    """The server gave no reason, or one that nobody knows."""

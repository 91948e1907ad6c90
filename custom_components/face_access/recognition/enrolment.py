"""What of a person's photos can be learned: templates, why a photo gives none, and what a strict look finds at fault.

These functions block for as long as the networks take: they run on the worker's thread, not on the event loop.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ..access import Similarity
from . import liveness, quality
from .engine import Engine, Settings
from .errors import GalleryError, PictureError
from .gallery import Gallery, Template, odd_ones_out, repeats
from .onnx.blas import one_thread
from .picture import Picture
from .results import Candidate, Detection, FaceLiveness, Flaw, Floats, Quality

_SECOND_FACE: Final = 0.5
"""A second face of more than this share of the first's area makes it unclear who is meant."""
_BORDER: Final = 0.01
"""A face that is nearer to the border than this share of the picture is taken for one that may be cut off."""


class Refusal(StrEnum):
    """Why a picture was not enrolled."""

    NO_FACE = "no_face"
    SEVERAL_FACES = "several_faces"
    LOW_QUALITY = "low_quality"
    UNREADABLE = "unreadable"
    UNLIKE_THE_OTHERS = "unlike_the_others"
    NOTHING_NEW = "nothing_new"


class PhotoCode(StrEnum):
    """What is wrong with a photo, in the codes of the person service; those after TOO_MANY_FACES are ours.

    Its EYES_CLOSED needs more than five points of a face: no model here can tell, so nobody claims it. LICENSE_ERROR
    has no meaning here.
    """

    FACE_ANGLE_TOO_LARGE = "FACE_ANGLE_TOO_LARGE"
    FACE_CLOSE_TO_BORDER = "FACE_CLOSE_TO_BORDER"
    FACE_CROPPED = "FACE_CROPPED"
    FACE_IS_OCCLUDED = "FACE_IS_OCCLUDED"
    FACE_NOT_FOUND = "FACE_NOT_FOUND"
    FACE_NOT_LIVE = "FACE_NOT_LIVE"
    FACE_TOO_CLOSE = "FACE_TOO_CLOSE"
    FACE_TOO_SMALL = "FACE_TOO_SMALL"
    TOO_MANY_FACES = "TOO_MANY_FACES"
    FACE_BLURRED = "FACE_BLURRED"
    FACE_NOT_CLEAR = "FACE_NOT_CLEAR"
    FACE_TOO_BRIGHT = "FACE_TOO_BRIGHT"
    FACE_TOO_DARK = "FACE_TOO_DARK"
    FACE_UNLIKE_OTHERS = "FACE_UNLIKE_OTHERS"
    FACE_WITHOUT_COLOR = "FACE_WITHOUT_COLOR"
    PHOTO_UNREADABLE = "PHOTO_UNREADABLE"


_CODES: Final[Mapping[Flaw, PhotoCode]] = {
    Flaw.FACE_TOO_SMALL: PhotoCode.FACE_TOO_SMALL,
    Flaw.EYES_TOO_CLOSE: PhotoCode.FACE_TOO_SMALL,
    Flaw.CUT_OFF: PhotoCode.FACE_CROPPED,
    Flaw.TURNED_AWAY: PhotoCode.FACE_ANGLE_TOO_LARGE,
    Flaw.TILTED: PhotoCode.FACE_ANGLE_TOO_LARGE,
    Flaw.COVERED: PhotoCode.FACE_IS_OCCLUDED,
    Flaw.BLURRED: PhotoCode.FACE_BLURRED,
    Flaw.TOO_DARK: PhotoCode.FACE_TOO_DARK,
    Flaw.TOO_BRIGHT: PhotoCode.FACE_TOO_BRIGHT,
    Flaw.NOT_CLEARLY_A_FACE: PhotoCode.FACE_NOT_CLEAR,
}
_REFUSED: Final[Mapping[Refusal, PhotoCode]] = {
    Refusal.NO_FACE: PhotoCode.FACE_NOT_FOUND,
    Refusal.SEVERAL_FACES: PhotoCode.TOO_MANY_FACES,
    Refusal.UNREADABLE: PhotoCode.PHOTO_UNREADABLE,
    Refusal.UNLIKE_THE_OTHERS: PhotoCode.FACE_UNLIKE_OTHERS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """What came of one picture: a template, or why there is none.

    `flaws` may also stand beside a template, as a warning. `resembles` is somebody else in the gallery whom the face
    fits at the level *normal*: the two may be taken for each other.
    """

    template: Template | None
    refusal: Refusal | None = None
    flaws: tuple[Flaw, ...] = ()
    resembles: Candidate | None = None

    @property
    def code(self) -> PhotoCode | None:
        """Why there is no template; None where there is one, or where it would have added nothing."""
        if self.refusal is None or self.refusal is Refusal.NOTHING_NEW:
            return None
        return _CODES[self.flaws[0]] if self.refusal is Refusal.LOW_QUALITY else _REFUSED[self.refusal]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Only:
    """The one face that a picture is about."""

    detection: Detection
    measured: Quality
    """By the limits of enrolment, which are stricter."""
    least: Quality
    """By the limits of what can be compared at all."""


def enrol(
    engine: Engine,
    pictures: Sequence[bytes],
    *,
    known: Sequence[Template] = (),
    gallery: Gallery | None = None,
    person_id: str | None = None,
) -> list[Enrolment]:
    """Make templates of a person's pictures, in their order; `known` are those that the person has already.

    A picture that does not fit the others is left out: where `known` says nothing, most of them are right. Raises
    ModelError; what is wrong with a picture is in the result.
    """
    found = [_learn(engine, data, gallery, person_id) for data in pictures]
    made = [index for index, one in enumerate(found) if one.template is not None]
    known = [template for template in known if template.origin == engine.origin]
    templates = [*known, *(one.template for one in found if one.template is not None)]
    odd = odd_ones_out([template.vector for template in templates], len(known))
    kept = list(known)
    for position, index in enumerate(made, len(known)):
        template = templates[position]
        if position in odd:
            found[index] = replace(found[index], template=None, refusal=Refusal.UNLIKE_THE_OTHERS)
        elif repeats(template.vector, kept):
            found[index] = replace(found[index], template=None, refusal=Refusal.NOTHING_NEW)
        else:
            kept.append(template)
    return found


@one_thread()
def _learn(engine: Engine, data: bytes, gallery: Gallery | None, person_id: str | None) -> Enrolment:
    try:
        picture = Picture(data)
        only = _only_face(engine, picture)
    except PictureError:
        return Enrolment(template=None, refusal=Refusal.UNREADABLE)
    if isinstance(only, Refusal):
        return Enrolment(template=None, refusal=only)
    if only.least.flaws:
        return Enrolment(template=None, refusal=Refusal.LOW_QUALITY, flaws=only.least.flaws)
    vector = engine.embed(engine.cut(picture, only.detection), mirrored=True)
    best = None if gallery is None else _other(engine, vector, gallery, person_id)
    return Enrolment(
        template=Template(vector=vector, origin=engine.origin, quality=only.measured.score),
        flaws=only.measured.flaws,
        resembles=best if best is not None and best.score >= Settings().threshold else None,
    )


def _other(engine: Engine, vector: Floats, gallery: Gallery, person_id: str | None) -> Candidate | None:
    """Find who is most like a face besides the person whose it is."""
    candidates = gallery.match(vector, engine.scale, 2)
    return next((one for one in candidates if one.person_id != person_id), None)


def resembling(
    engine: Engine, data: bytes, gallery: Gallery | None, person_id: str | None
) -> Candidate | PhotoCode | None:
    """Find who of the gallery, besides `person_id`, is most like the face in a photo; or why nobody can tell.

    Raises ModelError, and GalleryError for a foreign gallery.
    """
    found = _learn(engine, data, None, None)
    if found.template is None:
        return found.code
    if gallery is None:
        return None
    if gallery.origin != found.template.origin:
        raise GalleryError("the templates were made by other models")
    return _other(engine, found.template.vector, gallery, person_id)


def _only_face(engine: Engine, picture: Picture) -> _Only | Refusal:
    found = engine.detect(picture)
    if not found:
        # A far face deserves the larger input before it is called none.
        found = engine.detect(picture, 640)
    if not found:
        return Refusal.NO_FACE
    if len(found) > 1 and found[1].box.area > _SECOND_FACE * found[0].box.area:
        return Refusal.SEVERAL_FACES
    face, size = engine.cut(picture, found[0]), (picture.width, picture.height)
    return _Only(
        detection=found[0],
        measured=quality.measure(found[0], size, face, quality.ENROLMENT),
        least=quality.measure(found[0], size, face, quality.PROBE),
    )


@one_thread()
def examine(engine: Engine, data: bytes, *, live: bool = False) -> tuple[PhotoCode, ...]:
    """Look strictly at a photo that somebody is to be enrolled with: all that is wrong with it, the worst first.

    `live` asks the liveness models too: whatever is not proved live has a code. Raises ModelError.
    """
    try:
        picture = Picture(data)
        only = _only_face(engine, picture)
    except PictureError:
        return (PhotoCode.PHOTO_UNREADABLE,)
    if isinstance(only, Refusal):
        return (_REFUSED[only],)
    codes = dict.fromkeys(_CODES[flaw] for flaw in only.measured.flaws)
    if PhotoCode.FACE_CROPPED not in codes and _near_the_border(only.detection, picture):
        codes[PhotoCode.FACE_CLOSE_TO_BORDER] = None
    if live and (code := _unproved(engine, picture, only)) is not None:
        codes[code] = None
    return tuple(codes)


def _near_the_border(detection: Detection, picture: Picture) -> bool:
    box, across, down = detection.box, picture.width * _BORDER, picture.height * _BORDER
    return (
        box.x < across
        or box.y < down
        or box.x + box.width > picture.width - across
        or box.y + box.height > picture.height - down
    )


def _unproved(engine: Engine, picture: Picture, only: _Only) -> PhotoCode | None:
    """Say why a face is not proved live; None where it is."""
    check = engine.check(picture, only.detection, only.measured, Similarity.NORMAL)
    if check.state is FaceLiveness.LIVE:
        return None
    if check.score is not None:
        return PhotoCode.FACE_NOT_LIVE
    # The models were not asked, for one of three reasons.
    if only.measured.infrared:
        return PhotoCode.FACE_WITHOUT_COLOR
    small = only.measured.eye_distance < liveness.MINIMUM_EYE_DISTANCE
    return PhotoCode.FACE_TOO_SMALL if small else PhotoCode.FACE_TOO_CLOSE

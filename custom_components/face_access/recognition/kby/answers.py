"""What the face engine of KBY-AI answers, read: in its own images, and inside of what a compare service makes of it.

Two shapes of a comparison are in use. Until the beginning of 2025 it held a verdict and one face of each picture
(`compare_result`, `compare_similarity`); since then up to eight faces of each, a likeness of every pair, and no verdict
(`resultCode`, `results`). All outcomes come with status 200.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import EngineProtocolError, EngineRefusedError, NoFaceError, PictureError
from ..interface import Judgement, Score, SeenFace, Verification
from ..remote.values import a_box, a_flag, a_list, a_number, a_text, an_object, words, wrong
from ..remote.words import Unfit
from ..terms import FaceLiveness

_NOT_COMPARED: Final = -1.0
_TOP: Final = 1.0001
"""Likeness goes to 1; the last digits of a float may be over it."""
_VERDICTS: Final[Mapping[str, bool]] = {"same person": True, "different person": False}
_ATTRIBUTES: Final[Mapping[str, str]] = {
    "yaw": "yaw",
    "pitch": "pitch",
    "roll": "roll",
    "eye_dist": "eye_distance",
    "face_quality": "quality",
    "face_luminance": "luminance",
    "face_occlusion": "occlusion",
    "mouth_opened": "mouth_open",
    "left_eye_closed": "left_eye_closed",
    "right_eye_closed": "right_eye_closed",
}
"""Numbers of a face, by the engine's names and ours. Its 68 points are left out: nobody here needs them."""
_FLAGS: Final[Mapping[str, Unfit]] = {
    "is_small": Unfit.FACE_TOO_SMALL,
    "is_boundary_face": Unfit.NEAR_BORDER,
    "is_not_front": Unfit.TURNED_AWAY,
    "is_occluded": Unfit.COVERED,
    "eye_closed": Unfit.EYES_CLOSED,
    "mouth_opened": Unfit.MOUTH_OPEN,
}
_LEVELS: Final[Mapping[str, Mapping[str, Unfit | None]]] = {
    "quality": {"low": Unfit.POOR_QUALITY, "medium": None, "high": None},
    "luminance": {"dark": Unfit.TOO_DARK, "normal": None, "light": Unfit.TOO_BRIGHT},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two pictures with a face each. `similarity` is 0-1; `verdict` is the engine's own, None where it gives none.

    Of several faces these are the two that are most alike.
    """

    similarity: float
    verdict: bool | None = None
    first: SeenFace = field(default_factory=SeenFace)
    second: SeenFace = field(default_factory=SeenFace)

    def verification(self, threshold: float, record: str | None = None) -> Verification:
        """Judge by our threshold; where the engine has a verdict of its own, both must agree."""
        return Verification(
            matched=self.similarity >= threshold and self.verdict is not False,
            score=Score(value=self.similarity, maximum=1, threshold=threshold),
            first=self.first,
            second=self.second,
            record=record,
        )


def comparison(body: Any) -> Comparison:
    """Read a comparison of either shape.

    Raises NoFaceError and PictureError (which name the picture), EngineRefusedError where the engine made no comparison
    and does not say why, EngineProtocolError.
    """
    answer = an_object(body, "the answer")
    older, newer = "compare_result" in answer, "resultCode" in answer
    if older == newer:
        raise EngineProtocolError("the answer is of neither shape that a comparison has")
    return _older(answer) if older else _newer(answer)


def _outcome(value: Any, name: str) -> str:
    """Read the text of an outcome in small letters; raise for those that are none."""
    text = a_text(value, name)
    outcome = " ".join(text.lower().split())
    for number in (1, 2):
        if outcome == f"no face{number}":
            raise NoFaceError(number)
        if outcome == f"failed to open file{number}":
            raise PictureError(f"the server cannot open picture {number}")
    if outcome == "none":
        raise EngineRefusedError("None", "the server compared nothing")
    return outcome


def _older(answer: Mapping[str, Any]) -> Comparison:
    outcome = _outcome(answer["compare_result"], "compare_result")
    if outcome not in _VERDICTS:
        raise wrong("compare_result", "has a word that nobody knows")
    similarity = _similarity(answer.get("compare_similarity"), "compare_similarity")
    return Comparison(
        similarity=similarity,
        verdict=_VERDICTS[outcome],
        first=_face(answer.get("face1"), "face1"),
        second=_face(answer.get("face2"), "face2"),
    )


def _newer(answer: Mapping[str, Any]) -> Comparison:
    if _outcome(answer["resultCode"], "resultCode") != "ok":
        raise wrong("resultCode", "has a word that nobody knows")
    faces = [[_face(face, name) for face in a_list(answer.get(name), name, limit=100)] for name in ("faces1", "faces2")]
    for number, found in enumerate(faces, 1):
        if not found:
            raise NoFaceError(number)
    best: Comparison | None = None
    for value in a_list(answer.get("results"), "results"):
        pair = an_object(value, "a result")
        first, second = (_of(pair, f"face{number}", faces[number - 1]) for number in (1, 2))
        similarity = _similarity(pair.get("similarity"), "similarity")
        if best is None or similarity > best.similarity:
            best = Comparison(similarity=similarity, first=first, second=second)
    if best is None:
        raise wrong("results", "are empty although there are faces")
    return best


def _of(pair: Mapping[str, Any], name: str, faces: list[SeenFace]) -> SeenFace:
    """The face that a pair names by its number, from 0."""
    index = pair.get(name)
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(faces):
        raise wrong(name, "is not the number of a face")
    return faces[index]


def _similarity(value: Any, name: str) -> float:
    similarity = a_number(value, name, -1, _TOP)
    if similarity == _NOT_COMPARED:
        raise wrong(name, "says that nothing was compared, which the outcome does not")
    return similarity


def _face(value: Any, name: str) -> SeenFace:
    """Read a face. Null is one that the engine tells nothing of. Its box may reach over the edge of the picture."""
    if value is None:
        return SeenFace()
    face = an_object(value, name)
    box = None
    if any(face.get(edge) is not None for edge in ("x1", "y1", "x2", "y2")):
        x1, y1, x2, y2 = (a_number(face.get(edge), f"{name}.{edge}") for edge in ("x1", "y1", "x2", "y2"))
        if (box := a_box(x1, y1, x2 - x1, y2 - y1)) is None:
            raise wrong(name, "has a place without a size")
    attributes = {
        ours: a_number(face[theirs], f"{name}.{theirs}")
        for theirs, ours in _ATTRIBUTES.items()
        if face.get(theirs) is not None
    }
    return SeenFace(box=box, attributes=attributes)


def judgement(body: Any) -> Judgement:
    """Read the answer of a liveness check: only its word `Spoof` is a spoof.

    A face that it calls real although it was too small, covered or the like for its own requirements is `unknown`, with
    the reasons; an open mouth alone is no reason. Raises NoFaceError, PictureError, EngineProtocolError.
    """
    state = an_object(an_object(body, "the answer").get("face_state"), "face_state")
    outcome = " ".join(a_text(state.get("result"), "result").lower().split())
    if outcome == "no face":
        raise NoFaceError
    if outcome == "failed to open file":
        raise PictureError("the server cannot open the picture")
    if outcome == "multiple face":
        return Judgement(state=FaceLiveness.UNKNOWN, reasons=(Unfit.SEVERAL_FACES,))
    if outcome not in ("real", "spoof"):
        raise wrong("result", f"has a word that nobody knows: {words(outcome)[:40]}")
    score = _liveness_score(state.get("liveness_score"))
    reasons = _reasons(state)
    if outcome == "spoof":
        return Judgement(state=FaceLiveness.SPOOF, score=score)
    hindered = any(reason is not Unfit.MOUTH_OPEN for reason in reasons)
    if hindered:
        return Judgement(state=FaceLiveness.UNKNOWN, score=score, reasons=reasons)
    return Judgement(state=FaceLiveness.LIVE, score=score)


def _liveness_score(value: Any) -> Score | None:
    """The engine's own cut (0.7 in its sample) is not in the answer."""
    return None if value is None else Score(value=a_number(value, "liveness_score", -1, _TOP), maximum=1)


def _reasons(state: Mapping[str, Any]) -> tuple[Unfit, ...]:
    found: list[Unfit] = [
        reason
        for name, reason in _FLAGS.items()
        if state.get(name) is not None and a_flag(state[name], f"face_state.{name}")
    ]
    for name, levels in _LEVELS.items():
        if state.get(name) is None:
            continue
        level = a_text(state[name], f"face_state.{name}").strip().lower()
        if level not in levels:
            raise wrong(f"face_state.{name}", "has a word that nobody knows")
        if (reason := levels[level]) is not None:
            found.append(reason)
    return tuple(found)

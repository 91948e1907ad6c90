"""How well local recognition works here, in numbers, in codes of advice, and in a few lines to read."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from ...recognition.pace import SLOW

if TYPE_CHECKING:
    from ...recognition.compare import Report
    from ...recognition.gallery import Confusable

_OFTEN: Final = 0.25
"""The share of faces from which a flaw is worth a word."""
_TIGHT: Final = 0.10
"""A lead, as a cosine, below which another photo would help; nobody is named below half of it."""

_ADVICE: Final[Mapping[str, str]] = {
    "no_faces": "No face was found: move the camera closer, or turn on far faces.",
    "nobody_enrolled": "Nobody is enrolled with a photo yet: add people to see how well they are told apart.",
    "faces_small": "Faces are small: move the camera closer, zoom in, or turn on far faces.",
    "faces_blurred": "Faces are blurred: more light, a shorter exposure or a sharper stream helps.",
    "faces_dark": "Faces are dark: put light on whoever stands there.",
    "faces_bright": "Faces are too bright: shield the camera from the sun or lower its exposure.",
    "faces_turned": "Faces look away: mount the camera at the height of faces, where people look at it.",
    "faces_cut_off": "Faces are cut off: show more of what is around the door.",
    "faces_covered": "Faces seem to be covered: nobody is named behind a mask or dark glasses.",
    "liveness_unsure": "Liveness could often not be told: it needs color, 32 pixels between the eyes, and room around.",
    "tight": "Somebody was recognized with a narrow lead over the next person: give both clearer photos.",
    "confusable": "Two people may be taken for each other: see the repair issues.",
    "unmeasured": "Nobody measured how rarely your model takes a stranger for somebody: its thresholds are assumed.",
    "slow": "This machine is slow: use recognition on motion or on a ring alone.",
}
_FLAWS: Final[Mapping[str, str]] = {
    "face_too_small": "faces_small",
    "eyes_too_close": "faces_small",
    "blurred": "faces_blurred",
    "too_dark": "faces_dark",
    "too_bright": "faces_bright",
    "turned_away": "faces_turned",
    "tilted": "faces_turned",
    "cut_off": "faces_cut_off",
    "covered": "faces_covered",
}

# Codes are spelled otherwise than what is read.
_WORDS: Final[Mapping[str, str]] = {
    "recognised": "recognized",
    "not_compared": "not compared",
    "not_checked": "not checked",
}


def described(
    report: Report, *, unreadable: int, name: Callable[[str | None], str | None], threshold: float
) -> dict[str, Any]:
    """Give the answer of an action: plain data, `advice` in codes, and `report` to read. People have their names."""
    advice = _advice(report)
    pairs = [_pair(pair, name) for pair in report.confusable]
    answer = {
        "pictures": report.pictures,
        "unreadable": unreadable,
        "faces": report.faces,
        "outcomes": _plain(report.outcomes),
        "liveness": _plain(report.liveness),
        "flaws": _plain(report.flaws),
        "people": [
            {"person_id": person, "person": name(person), "pictures": count} for person, count in report.people.items()
        ],
        "eye_distance": _rounded(report.eye_distance, 1),
        "sharpness": _rounded(report.sharpness, 1),
        "luminance": _rounded(report.luminance, 1),
        "score": _rounded(report.score, 1),
        "threshold": threshold,
        "margin": _rounded(report.margin, 3),
        "seconds": _rounded(report.seconds, 4),
        "runtime": report.runtime,
        "unmeasured_model": report.unmeasured,
        "closest": None if report.closest is None else _pair(report.closest, name),
        "confusable": pairs,
        "advice": advice,
    }
    return {**answer, "report": "\n".join([*_lines(answer), *(_ADVICE[code] for code in advice)])}


def _advice(report: Report) -> list[str]:
    often = [_FLAWS[flaw] for flaw, count in report.flaws.items() if flaw in _FLAWS and count >= _OFTEN * report.faces]
    unsure = report.liveness.get("unknown", 0)  # type: ignore[call-overload] # a word of the enum
    found = {
        "no_faces": report.faces == 0,
        "nobody_enrolled": report.closest is None and not report.people,
        **dict.fromkeys(often, True),
        "liveness_unsure": bool(unsure) and unsure >= _OFTEN * report.faces,
        "tight": report.margin is not None and report.margin < _TIGHT,
        "confusable": bool(report.confusable),
        "unmeasured": report.unmeasured is not None,
        "slow": report.seconds is not None and report.seconds >= SLOW,
    }
    return [code for code, there in found.items() if there]


def _lines(answer: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{answer['pictures']} pictures with {answer['faces']} faces, {answer['unreadable']} could not be read.",
    ]
    if answer["faces"]:
        recognised = answer["outcomes"].get("recognised", 0)
        lines += [
            f"Recognized: {recognised} of {answer['faces']}.",
            f"Outcomes: {_counts(answer['outcomes'])}. Liveness: {_counts(answer['liveness'])}.",
            f"Between the eyes: {answer['eye_distance']} pixels (24 are needed, 32 for liveness).",
            f"Sharpness: {answer['sharpness']} (30 is needed). Light: {answer['luminance']} (25 to 190).",
        ]
    if answer["people"]:
        who = ", ".join(f"{one['person'] or one['person_id']} in {one['pictures']}" for one in answer["people"])
        lines.append(f"Who was recognized, and in how many pictures: {who}.")
    if answer["score"] is not None:
        lines.append(f"Score: {answer['score']} ({answer['threshold']} is needed).")
    if answer["margin"] is not None:
        lines.append(f"Smallest lead over the next person: {answer['margin']} (cosine; 0.05 is needed).")
    if answer["seconds"] is not None:
        lines.append(f"Time for a picture: {answer['seconds'] * 1000:.0f} ms ({answer['runtime']}).")
    if (closest := answer["closest"]) is not None:
        lines.append(f"Most alike: {closest['first']} and {closest['second']} (cosine {closest['cosine']}).")
    return lines


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{_WORDS.get(word, word)} {count}" for word, count in counts.items())


def _pair(pair: Confusable, name: Callable[[str | None], str | None]) -> dict[str, Any]:
    return {
        "first": name(pair.first) or pair.first,
        "second": name(pair.second) or pair.second,
        "cosine": round(pair.cosine, 3),
    }


def _plain(counts: Mapping[Any, int]) -> dict[str, int]:
    return {str(word): count for word, count in counts.items()}


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)

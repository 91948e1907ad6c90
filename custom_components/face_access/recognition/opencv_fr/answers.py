"""What OpenCV FR Server answers, read. Its searches' answers are in no document: the names here are guesses.

A candidate has the id under which the person was enrolled and a likeness from 0 to 1; what has neither is no candidate,
and an answer that is neither empty nor of candidates is an error, never nobody.
"""

from collections.abc import Mapping
from typing import Any, Final

from ..errors import EngineProtocolError
from ..interface import Match, Score, SeenFace
from ..remote.values import a_box, a_flag, a_list, a_number, a_text, an_object, first_of, wrong
from ..terms import Box

_KEY: Final = ("person_id", "id")
_NAME: Final = ("person_name", "name")
_SCORE: Final = ("similarity_score", "similarity", "score", "match_score")
_LISTS: Final = ("results", "matches", "candidates", "persons", "people", "result", "data")
# More of them no picture has, and to follow each costs as much as to compare it with every other.
_MOST_FACES: Final = 50
# A person may be found by several photos of theirs.
_MOST_CANDIDATES: Final = 200
_FACES: Final = ("faces", "detections", *_LISTS)
_BOXES: Final = ("box", "bounding_box", "face_box", "bbox", "rect", "rectangle")
_EDGES: Final = (("left", "top", "right", "bottom"), ("x1", "y1", "x2", "y2"), ("x_min", "y_min", "x_max", "y_max"))


def matches(body: Any, collection: str, threshold: float, limit: int) -> tuple[Match, ...]:
    """Read the answer of a face search: those that reach `threshold` (0-1), the best first, at most `limit`.

    Raises EngineProtocolError.
    """
    items = _items(body, _LISTS, _MOST_CANDIDATES)
    found = [_match(item, collection, threshold) for item in items]
    best: dict[str, Match] = {}
    for match in sorted(found, key=lambda one: -one.score.value):
        # A person may be found by several photos of theirs.
        best.setdefault(match.key, match)
    return tuple(match for match in best.values() if match.score.value >= threshold)[:limit]


def faces(body: Any, collection: str, threshold: float, limit: int) -> tuple[SeenFace, ...]:
    """Read the answer of a search for several faces, the largest first where boxes are told.

    A plain list of candidates does not say whose face each is: it counts as one face, lest a second candidate for one
    face becomes a second visitor. Raises EngineProtocolError.
    """
    items = _items(body, _FACES, _MOST_CANDIDATES)
    if any(_is_candidate(item) for item in items):
        return (SeenFace(matches=matches(items, collection, threshold, limit)),)
    seen = [_face(item, collection, threshold, limit) for item in a_list(items, "the faces", _MOST_FACES)]
    return tuple(sorted(seen, key=lambda one: -one.box.area if one.box else 0.0))


def is_match(body: Any) -> bool:
    """Read the answer of a comparison: a verdict and nothing else. Raises EngineProtocolError."""
    return a_flag(an_object(body, "the answer").get("is_match"), "is_match")


def _items(body: Any, names: tuple[str, ...], most: int) -> list[Any]:
    """The list of an answer, bare or in an envelope."""
    if isinstance(body, dict):
        for name in names:
            if isinstance(body.get(name), list):
                return a_list(body[name], name, most)
        raise EngineProtocolError("the answer holds no list of candidates")
    return a_list(body, "the answer", most)


def _is_candidate(item: Any) -> bool:
    return isinstance(item, dict) and (isinstance(item.get("person"), dict) or "person_id" in item)


def _match(value: Any, collection: str, threshold: float) -> Match:
    item = an_object(value, "a candidate")
    person: Mapping[str, Any] = {**item, **item["person"]} if isinstance(item.get("person"), dict) else item
    key = a_text(first_of(person, _KEY), "person_id")
    name = first_of(person, _NAME)
    score = a_number(first_of(person, _SCORE), "the likeness", 0, 1)
    where = person.get("collection_name")
    return Match(
        key=key,
        score=Score(value=score, maximum=1, threshold=threshold),
        name=a_text(name, "person_name", empty=True) if name is not None else None,
        group=where if isinstance(where, str) and where else collection,
    )


def _face(value: Any, collection: str, threshold: float, limit: int) -> SeenFace:
    if isinstance(value, list):
        return SeenFace(matches=matches(value, collection, threshold, limit))
    item = an_object(value, "a face")
    box = _box(item)
    if box is None and not any(isinstance(item.get(name), list) for name in _LISTS):
        raise wrong("a face", "has neither candidates nor a place")
    listed = any(isinstance(item.get(name), list) for name in _LISTS)
    return SeenFace(matches=matches(item, collection, threshold, limit) if listed else (), box=box)


def _box(item: Mapping[str, Any]) -> Box | None:
    """Where a face is; None for what cannot be read, since nothing depends on it."""
    found = first_of(item, _BOXES)
    if not isinstance(found, dict):
        return None
    try:
        if {"x", "y", "width", "height"} <= found.keys():
            x, y, width, height = (a_number(found[name], name) for name in ("x", "y", "width", "height"))
            return a_box(x, y, width, height)
        for names in _EDGES:
            if set(names) <= found.keys():
                left, top, right, bottom = (a_number(found[name], name) for name in names)
                return a_box(left, top, right - left, bottom - top)
    except EngineProtocolError:
        return None
    return None

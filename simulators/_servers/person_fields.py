"""The fields of every call of OpenCV FR Server, as its pages list them, and what is wrong with a body."""

from typing import Any, Final

_STORAGE: Final = ("NoStorage", "StoreThumbnails", "StoreFullImage")
_TEXT: Final = (str,)
_NUMBER: Final = (int, float)
_FIELDS: Final[dict[str, dict[str, tuple[type, ...]]]] = {
    "/collection": {"name": _TEXT},
    "/person": {
        "person_id": _TEXT,
        "person_name": _TEXT,
        "check_duplicates": (bool,),
        "check_liveness": (bool,),
        "collection_name": _TEXT,
        "duplicate_check_min_similarity": _NUMBER,
        "face_base_64": _TEXT,
        "face_storage_type": _TEXT,
        "metadata?": (dict,),
    },
    "/persons": {"collection_name": _TEXT, "face_storage_type": _TEXT, "persons": (list,)},
    "item": {"person_id": _TEXT, "person_name": _TEXT, "face_base_64": _TEXT, "metadata?": (dict,)},
    "/face-search": {
        "collection_name": _TEXT,
        "face_base_64": _TEXT,
        "check_liveness": (bool,),
        "min_similarity_score": _NUMBER,
        "max_results": (int,),
    },
    "/multi-face-search": {
        "collection_name": _TEXT,
        "face_base_64": _TEXT,
        "min_similarity_score": _NUMBER,
        "max_results": (int,),
    },
    "/compare": {
        "face_base_64": _TEXT,
        "ref_face_base_64": _TEXT,
        "min_similarity_score": _NUMBER,
        "check_liveness": (bool,),
    },
}


def complaint_about(kind: str, body: Any) -> str | None:
    """Say what is wrong with a body of a call, or with an `item` of a bulk enrolment; None where all is well."""
    fields = _FIELDS[kind]
    if not isinstance(body, dict):
        return f"{kind}: no object"
    for unknown in body.keys() - {name.rstrip("?") for name in fields}:
        return f"{kind} has no field {unknown!r}"
    for name, kinds in fields.items():
        plain = name.rstrip("?")
        if plain not in body:
            if plain == name:
                return f"{kind} lacks {plain!r}"
            continue
        value = body[plain]
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            return f"{plain} of {kind} is a {type(value).__name__}"
    return _out_of_range(kind, body)


def _out_of_range(kind: str, body: dict[str, Any]) -> str | None:
    """Say which value of the right type is wrong all the same."""
    checks = {
        "max_results is out of range": body.get("max_results", 1) < 1,
        "face_storage_type is unknown": body.get("face_storage_type", "NoStorage") not in _STORAGE,
        "metadata holds more than texts": any(not isinstance(each, str) for each in body.get("metadata", {}).values()),
        **{
            f"{name} is out of range": not 0 <= body.get(name, 0) <= 1
            for name in ("min_similarity_score", "duplicate_check_min_similarity")
        },
        **{f"{name} is empty": not body.get(name, "-") for name in ("person_id", "person_name")},
    }
    for what, wrong in checks.items():
        if wrong:
            name, _, problem = what.partition(" ")
            return f"{name} of {kind} {problem}"
    return None

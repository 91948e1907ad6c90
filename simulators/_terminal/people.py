"""The comparison database: chapter 2.1."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from . import pictures
from .core import Core
from .handlers import Handler, moment, page, pair
from .model import Person
from .schema import EXISTS, FULL, MISSING, NO_FUZZY_CARD, Refusal, decode, illegal

# 1.5: the bits of update_flags and the fields each of them changes.
_FLAGS: Final[dict[int, tuple[str, ...]]] = {
    0x1: ("name",),
    0x2: ("role",),
    0x4: (),  # a card number, in one of two fields
    0x8: ("term",),
    0x10: ("term_start",),
    0x20: ("kind",),
    0x40: ("customer_text",),
    0x80: ("norm_image_num", "norm_images"),
    0x100: ("image_num", "reg_images"),
}
_PLAIN: Final[tuple[str, ...]] = ("name", "role", "kind", "term", "term_start", "customer_text")
_IMAGES: Final = 0x180


def _terms(request: dict[str, Any]) -> None:
    """Check that the given times exist."""
    for key, words in (("term_start", ("useless",)), ("term", ("forever", "never"))):
        if key in request and request[key] not in words:
            moment(request[key], key)


def _cards(request: dict[str, Any]) -> dict[str, int | None]:
    """The card number as it is kept: the short one excludes the long one."""
    if "wg_card_id" in request:
        return {"wg_card_id": request["wg_card_id"] or None, "long_card_id": None}
    if "long_card_id" in request:
        return {"wg_card_id": None, "long_card_id": request["long_card_id"] or None}
    return {}


def _store(core: Core, person: Person) -> None:
    """Put a person; a new one needs room."""
    if person.id not in core.people and len(core.people) >= core.capacity:
        raise Refusal(FULL, "the device is full")
    core.people[person.id] = person


def _counted(request: dict[str, Any], count: str, images: str) -> list[dict[str, Any]]:
    """A list of images that must be as long as its count says."""
    found: list[dict[str, Any]] = request.get(images, [])
    if request.get(count, 0) != len(found):
        raise illegal(f"{count}: says {request.get(count)} but {images} has {len(found)}")
    return found


def _original(request: dict[str, Any]) -> dict[str, Any]:
    """The picture of the jpg variants: judged like a registration at the device."""
    image = _counted(request, "image_num", "reg_images")[0]
    return {"picture": pictures.inspect(decode(image["image_data"], "reg_images"), ("JPEG",)), "drawn": False}


def _prepared(request: dict[str, Any]) -> dict[str, Any]:
    """The pictures of the other variants: a normalised image, which can be compared, and its thumbnail."""
    changes: dict[str, Any] = {}
    for image in _counted(request, "norm_image_num", "norm_images"):
        pictures.normalised(decode(image["image_data"], "norm_images"))
    for image in _counted(request, "image_num", "reg_images"):
        data = decode(image["image_data"], "reg_images")
        pictures.load(data, ("JPEG",))
        changes = {"picture": data, "drawn": False}
    if request.get("norm_images") and not changes:
        changes = {"picture": b"", "drawn": False}
    return changes


def _add(images: Callable[[dict[str, Any]], dict[str, Any]]) -> Handler:
    """2.1.3 and 2.1.6: a new person, or with `cover` another in the same place."""

    def handler(core: Core, request: dict[str, Any]) -> dict[str, Any]:
        _terms(request)
        if request["id"] in core.people and not request["cover"]:
            raise Refusal(EXISTS, "the person exists")
        plain = {key: request[key] for key in _PLAIN if key in request}
        details: dict[str, Any] = {**plain, **_cards(request), **images(request)}
        _store(core, Person(id=request["id"], **details))
        return {"id": request["id"]}

    return handler


def _needed(request: dict[str, Any], flags: int | None, *, original: bool) -> None:
    """Every item that is to be updated must be there; without flags that is every item."""
    for bit, keys in _FLAGS.items():
        wanted = ("image_num", "reg_images") if original and bit & _IMAGES else keys
        for key in wanted:
            optional = flags is None and key == "term_start"
            if (flags is None or flags & bit) and key not in request and not optional:
                raise illegal(f"{key}: missing, update_flags wants it")
    if flags is not None and flags & 0x4 and not _cards(request):
        raise illegal("wg_card_id or long_card_id: missing, update_flags wants it")


def _update(images: Callable[[dict[str, Any]], dict[str, Any]], *, original: bool) -> Handler:
    """2.1.4 and 2.1.7: change what update_flags names."""

    def handler(core: Core, request: dict[str, Any]) -> dict[str, Any]:
        person, flags = core.people.get(request["id"]), request.get("update_flags")
        _needed(request, flags, original=original)
        _terms(request)
        if person is None:
            raise Refusal(MISSING, "no such person")
        chosen = 0x1FF if flags is None else flags
        changes: dict[str, Any] = {}
        for bit, keys in _FLAGS.items():
            if chosen & bit:
                changes |= {key: request[key] for key in keys if key in _PLAIN and key in request}
        if chosen & 0x4:
            changes |= _cards(request)
        if chosen & _IMAGES:
            changes |= images(request)
        core.people[person.id] = replace(person, **changes)
        return {"id": person.id}

    return handler


def _upload(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.1.2: add or modify; what is not passed keeps its value or its default."""
    _terms(request)
    old, mode = core.people.get(request["id"]), request.get("upload_mode", 0)
    if old is not None and mode == 1:
        raise Refusal(EXISTS, "the person exists")
    if old is None and mode == 2:
        raise Refusal(MISSING, "no such person")
    changes: dict[str, Any] = {key: request[key] for key in _PLAIN if key in request} | _cards(request)
    if "normal_image" in request:
        pictures.normalised(decode(request["normal_image"], "normal_image"))
        thumb = decode(request.get("thumb_image", ""), "thumb_image")
        if thumb:
            pictures.load(thumb, ("JPEG",))
        changes |= {"picture": thumb, "drawn": False}
    elif "reg_image" in request:
        changes |= {"picture": pictures.inspect(decode(request["reg_image"], "reg_image")), "drawn": False}
    _store(core, replace(old or Person(id=request["id"]), **changes))
    return {"id": request["id"]}


def _delete(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.1.5: by id, or everybody of a role."""
    role = request["flag"]
    if role == -1:
        if not request.get("id"):
            raise illegal("id: empty")
        if core.people.pop(request["id"], None) is None:
            raise Refusal(MISSING, "no such person")
        return {"id": request["id"]}
    core.people = {p.id: p for p in core.people.values() if role not in (3, p.role)}
    return {"id": ""}


def _request(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.1.1: the people of a role who match the conditions, by page."""
    condition, fuzzy = request.get("condition", {}), bool(request.get("query_mode", 0))
    if {"wg_card_no", "long_card_no"} <= condition.keys():
        raise illegal("wg_card_no and long_card_no: only one of them")
    if fuzzy and {"wg_card_no", "long_card_no"} & condition.keys():
        raise Refusal(NO_FUZZY_CARD, "card numbers are not matched fuzzily")
    starts = pair(condition, "term_start_start", "term_start_end")
    ends = pair(condition, "term_start", "term ")
    found = [
        person
        for person in core.people.values()
        if request["role"] in (-1, person.role)
        and _text_matches(condition.get("person_id"), person.id, fuzzy=fuzzy)
        and _text_matches(condition.get("person_name"), person.name, fuzzy=fuzzy)
        and condition.get("wg_card_no", person.wg_card_id) == person.wg_card_id
        and condition.get("long_card_no", person.long_card_id) == person.long_card_id
        and _within(person.term_start, starts)
        and _within(person.term, ends)
    ]
    shown = page(found, request["page_no"], request["page_size"])
    listed = [_print(person, with_image=request["image_flag"] != 0) for person in shown]
    return {"total": len(found), "page_no": request["page_no"], "count": len(listed), "persons": listed}


def _text_matches(wanted: str | None, actual: str, *, fuzzy: bool) -> bool:
    return wanted is None or (wanted in actual if fuzzy else wanted == actual)


def _within(value: str, bounds: tuple[str, str] | None) -> bool:
    """Whether a term lies between two others; the words stand for the ends of time."""
    if bounds is None or "useless" in bounds:
        return True
    low, actual, high = (_point(item) for item in (bounds[0], value, bounds[1]))
    return low <= actual <= high


def _point(value: str) -> datetime:
    words = {"useless": datetime(1, 1, 1), "never": datetime(1, 1, 1), "forever": datetime(9999, 12, 31)}  # noqa: DTZ001
    return words[value] if value in words else moment(value, "condition")


def _print(person: Person, *, with_image: bool) -> dict[str, Any]:
    """A person as 2.1.1.2 prints it; feature data is discarded (2.1)."""
    images = [base64.b64encode(person.thumbnail()).decode()] if with_image and person.thumbnail() else []
    card = {"wg_card_id": person.wg_card_id} if person.wg_card_id is not None else {}
    if not card and person.long_card_id is not None:
        card = {"long_card_id": person.long_card_id}
    return {
        "id": person.id,
        "name": person.name,
        "role": person.role,
        "kind": person.kind,
        "feature_unit_size": 0,
        "feature_num": 0,
        "feature_data": [],
        "image_num": len(images),
        "reg_images": [{"format": "jpg", "image_data": data} for data in images],
        **card,
        "term_start": person.term_start,
        "term": person.term,
        "customer_text": person.customer_text,
    }


HANDLERS: Final[dict[str, Handler]] = {
    "request persons": _request,
    "upload person": _upload,
    "add person": _add(_prepared),
    "update person": _update(_prepared, original=False),
    "delete person(s)": _delete,
    "add person jpg": _add(_original),
    "update person jpg": _update(_original, original=True),
}

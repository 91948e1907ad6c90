"""The 23 operations: what each takes, does and answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final
from uuid import UUID, uuid4

from . import liveness, schema, vision
from .core import Core
from .model import attributes
from .problems import Refusal, malformed
from .schema import Form

_PAGING: Final = frozenset({"PageNumber", "PageSize", "Ascending", "ShowTotalCount"})
_DEFAULT_PAGE: Final = 20


@dataclass(frozen=True)
class Call:
    """A request as an operation gets it: the id of its path, its query, and its body in the right form."""

    key: str
    query: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation; `parameters` of its query, and the status of its success."""

    method: str
    path: str
    run: Callable[[Core, Call], Any]
    status: int = 200
    form: Form | None = None
    parameters: frozenset[str] = frozenset()
    session: bool = False


def _page(items: list[Any], call: Call, path: str) -> dict[str, Any]:
    """A page of a list. Raises `Refusal` 400."""
    number, size = _count(call.query, "PageNumber", 1), _count(call.query, "PageSize", _DEFAULT_PAGE)
    if _flag(call.query, "Ascending") is False:
        items.reverse()
    first = (number - 1) * size

    def link(page: int) -> str:
        return f"/api/v1/{path}?PageNumber={page}&PageSize={size}"

    return {
        "totalItemsCount": len(items) if _flag(call.query, "ShowTotalCount") else None,
        "items": items[first : first + size],
        "pageSize": size,
        "pageNumber": number,
        "previousPage": link(number - 1) if number > 1 else None,
        "nextPage": link(number + 1) if first + size < len(items) else None,
    }


def _count(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, str(default))
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= schema.MAX_INT:
        raise malformed(name, "The value must be between 1 and 2147483647.")
    return int(text)


def _flag(query: Mapping[str, str], name: str) -> bool | None:
    text = query.get(name)
    if text not in {None, "true", "false"}:
        raise malformed(name, "The value is not valid.")
    return None if text is None else text == "true"


# Looking at pictures


def _spoof_check(core: Core, call: Call) -> Any:
    (seen, *_others) = core.see(call.body["image"]["data"], call.body["faceDetectorConfig"])
    return liveness.check(seen, call.body["spoofDetectorResourceIds"], call.body["spoofCheckConfig"])


def _verify(core: Core, call: Call) -> Any:
    found = []
    for name in ("probe", "reference"):
        probe = call.body[f"{name}Image"]
        try:
            (seen, *_others) = core.see(probe["image"]["data"], probe["faceDetectorConfig"])
        except Refusal as refusal:
            raise Refusal(refusal.status, f"{refusal.detail.rstrip('.')}: {name} image.") from refusal
        found.append(seen)
    probe, reference = found
    return {
        "confidence": float(vision.alike(probe.template, reference.template)),
        "probeFaceDetails": attributes(probe, 0),
        "referenceFaceDetails": attributes(reference, 0),
    }


def _search(core: Core, call: Call) -> Any:
    body = call.body
    names = body["watchlistIds"] or list(core.watchlists)
    lists = [core.watchlist(name) for name in names]
    detectors = body["spoofDetectorResourceIds"]
    wants_liveness = bool(detectors) and detectors != ["none"]
    if wants_liveness and "none" in detectors:
        raise Refusal(400, "The spoof detector none cannot be combined.")
    found = core.see(body["image"]["data"], body["faceDetectorConfig"])
    if body.get("faceValidationMode") == "predefined" and found[0].weak:
        raise Refusal(422, "The face did not pass the validation: FaceQuality.")
    return [
        {
            "matchResults": core.matches(seen, lists, body["threshold"], body["maxResultCount"]),
            "spoofCheckResult": liveness.check(seen, detectors, body["spoofCheckConfig"])
            if wants_liveness
            else liveness.none(),
            **attributes(seen, order, body["faceFeaturesConfig"]),
        }
        for order, seen in enumerate(found)
    ]


def _image(core: Core, call: Call) -> bytes:
    key = _uuid(call.key)
    if key not in core.images:
        raise Refusal(404, "The image was not found.")
    image = vision.decode(core.images[key])
    for name, edge in (("minSize", min), ("maxSize", max)):
        if name in call.query:
            factor = _count(call.query, name, 1) / edge(image.size)
            image = image.resize((max(1, round(image.width * factor)), max(1, round(image.height * factor))))
    stream = BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as err:
        raise malformed("id", "The value is not valid.") from err


def _version(core: Core, _call: Call) -> Any:
    return {
        "databaseVersion": core.version,
        "databaseVersionCreationTime": "2026-01-15T08:30:00Z",
        "databaseVersionUpdatedTime": "2026-01-15T08:30:00Z",
        "assemblyVersion": core.full_version.removeprefix("v5_"),
        "assemblyLastModifiedTime": "2026-01-15T08:00:00.1234567Z",
        "fullVersion": core.full_version,
    }


# Watchlists


def _watchlists(core: Core, call: Call) -> Any:
    return _page([found.as_json(core.release) for found in core.watchlists.values()], call, "Watchlists")


def _create_watchlist(core: Core, call: Call) -> Any:
    if any(found.display_name == call.body["displayName"] for found in core.watchlists.values()):
        raise Refusal(409, "A watchlist with this name is there already.")
    return core.put_watchlist(str(uuid4()), call.body).as_json(core.release)


def _put_watchlist(core: Core, call: Call) -> Any:
    return core.put_watchlist(call.body["id"], call.body).as_json(core.release)


def _watchlist(core: Core, call: Call) -> Any:
    return core.watchlist(call.key).as_json(core.release)


def _delete_watchlist(core: Core, call: Call) -> None:
    core.watchlist(call.key)
    del core.watchlists[call.key]


def _watchlist_members(core: Core, call: Call) -> Any:
    if call.key not in core.watchlists:
        raise Refusal(400, "The watchlist was not found.")
    found = [core.members[key].as_json(core.release) for key in core.watchlists[call.key].members]
    return _page(found, call, f"Watchlists/{call.key}/WatchlistMembers")


# Members


def _members(core: Core, call: Call) -> Any:
    return _page([found.as_json(core.release) for found in core.members.values()], call, "WatchlistMembers")


def _create_member(core: Core, call: Call) -> Any:
    return core.put_member(str(uuid4()), call.body).as_json(core.release)


def _put_member(core: Core, call: Call) -> Any:
    return core.put_member(call.body["id"], call.body).as_json(core.release)


def _member(core: Core, call: Call) -> Any:
    return core.member(call.key).as_json(core.release)


def _delete_member(core: Core, call: Call) -> None:
    core.delete_member(call.key)


def _faces(core: Core, call: Call) -> Any:
    if call.key not in core.members:
        raise Refusal(400, "The watchlist member was not found.")
    found = [core.faces[key].as_json() for key in core.members[call.key].faces]
    return _page(found, call, f"WatchlistMembers/{call.key}/Faces")


def _link(core: Core, call: Call) -> None:
    core.link(call.body["watchlistId"], call.body["watchlistMembersIds"])


def _unlink(core: Core, call: Call) -> None:
    core.unlink(call.body["watchlistId"], call.body["watchlistMembersIds"])


def _register(core: Core, call: Call) -> Any:
    body = call.body
    core.take_turn()
    if body["id"] in core.members:
        raise Refusal(409, "The watchlist member is there already.")
    for name in body["watchlistIds"]:
        if name not in core.watchlists:
            raise Refusal(400, "The watchlist was not found.")
    keep = (body.get("privacy") or {}).get("saveRegistrationImages", True)
    faces = core.enrol_all(
        body["images"], body["faceDetectorConfig"], body.get("faceValidationMode", "none"), keep=keep
    )
    member = core.put_member(body["id"], body)
    member.faces = [face.id for face in faces]
    for name in body["watchlistIds"]:
        core.watchlists[name].members.append(member.id)
    newer = {"palms": []} if core.release >= (4, 29) else {}
    return {
        **member.as_json(core.release),
        "watchlists": [core.watchlists[name].as_json(core.release) for name in body["watchlistIds"]],
        "faces": [face.as_json() for face in faces],
        **newer,
    }


def _add_known_face(core: Core, call: Call) -> None:
    member, face = core.member(call.key), core.face(call.body["faceId"])
    if any(face.id in other.faces for other in core.members.values()):
        raise Refusal(409, "The face belongs to a watchlist member already.")
    member.faces.append(face.id)


def _add_face(core: Core, call: Call) -> Any:
    member = core.member(call.key)
    keep = (member.facts.get("privacy") or {}).get("saveRegistrationImages", True)
    validation = call.body.get("faceValidationMode", "none")
    face = core.enrol(call.body["imageData"], call.body["faceDetectorConfig"], validation, keep=keep)
    member.faces.append(face.id)
    return face.as_json()


def _remove_face(core: Core, call: Call) -> None:
    member, face = core.member(call.key), call.body["faceId"]
    if face not in member.faces:
        raise Refusal(404, "The face was not found.")
    # It is nobody's from now on, and still a face of the system.
    member.faces.remove(face)


OPERATIONS: Final = (
    Operation("POST", "Faces/SpoofCheck", _spoof_check, form=schema.SPOOF_CHECK, session=True),
    Operation("POST", "Faces/Verify", _verify, form=schema.VERIFY),
    Operation("GET", "Images/{id}", _image, parameters=frozenset({"minSize", "maxSize"})),
    Operation("GET", "Version", _version),
    Operation("GET", "Watchlists", _watchlists, parameters=_PAGING),
    Operation("POST", "Watchlists", _create_watchlist, 201, schema.WATCHLIST),
    Operation("PUT", "Watchlists", _put_watchlist, form=schema.WATCHLIST_UPSERT),
    Operation("POST", "Watchlists/Search", _search, form=schema.SEARCH, session=True),
    Operation("GET", "Watchlists/{id}", _watchlist),
    Operation("DELETE", "Watchlists/{id}", _delete_watchlist, 204),
    Operation("GET", "Watchlists/{id}/WatchlistMembers", _watchlist_members, parameters=_PAGING),
    Operation("GET", "WatchlistMembers", _members, parameters=_PAGING),
    Operation("POST", "WatchlistMembers", _create_member, 201, schema.MEMBER),
    Operation("PUT", "WatchlistMembers", _put_member, form=schema.MEMBER_UPSERT),
    Operation("POST", "WatchlistMembers/LinkToWatchlist", _link, 204, schema.LINK),
    Operation("POST", "WatchlistMembers/UnlinkFromWatchlist", _unlink, 204, schema.LINK),
    Operation("POST", "WatchlistMembers/Register", _register, 201, schema.REGISTER),
    Operation("GET", "WatchlistMembers/{id}", _member),
    Operation("DELETE", "WatchlistMembers/{id}", _delete_member, 204),
    Operation("GET", "WatchlistMembers/{id}/Faces", _faces, parameters=_PAGING),
    Operation("POST", "WatchlistMembers/{id}/AddFaceFromSystem", _add_known_face, 204, schema.FACE_ID),
    Operation("POST", "WatchlistMembers/{id}/AddNewFace", _add_face, 201, schema.ADD_FACE),
    Operation("POST", "WatchlistMembers/{id}/RemoveFace", _remove_face, 204, schema.FACE_ID),
)

"""What the server keeps and finds, typed (recognition-servers document, section 1.6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ..errors import EngineProtocolError
from ..remote.values import a_box
from ..terms import Box
from .read import Fields

MAX_NAME: Final = 200
MAX_KEY: Final = 128
MAX_VALUE: Final = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchlist:
    """A list of people. `threshold` is the score (0-100) that the platform's own cameras hold a match against."""

    id: str
    name: str
    full_name: str = ""
    threshold: int | None = None
    colour: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchlistMember:
    """A person. `labels` are free texts by key; a key that occurs twice counts once, with its last text.

    `keeps_pictures` is whether the server keeps the pictures they are registered with; None where it does not tell.
    """

    id: str
    name: str | None = field(default=None, repr=False)
    full_name: str | None = field(default=None, repr=False)
    note: str | None = field(default=None, repr=False)
    labels: Mapping[str, str] = field(default_factory=dict, repr=False)
    keeps_pictures: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceDetails:
    """What the server measured of a face.

    `box` in pixels: the upright frame around the server's turned one, None where it does not tell. `size` is the face
    size in pixels (about the distance of the eyes). `facts` are all other numbers and words in the server's units, by
    our names; `gender` is a word for a face in a picture and a number for a stored one.
    """

    box: Box | None = None
    size: float | None = None
    facts: Mapping[str, float | str | None] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFace:
    """A face of a member. `image_id` leads to its picture; `learnt` for one that the platform added by itself."""

    id: str
    image_id: str | None = None
    state: str | None = None
    learnt: bool = False
    faces_on_picture: int | None = None
    details: FaceDetails = field(default_factory=FaceDetails)
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredMember:
    """A member with the lists and the faces that they have after a registration."""

    member: WatchlistMember
    watchlists: tuple[Watchlist, ...]
    faces: tuple[StoredFace, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page[Item]:
    """One page of a list. `more` is whether another follows; `total` None where it was not asked for."""

    items: tuple[Item, ...]
    number: int | None = None
    size: int | None = None
    total: int | None = None
    more: bool = False


_NUMBERS: Final[Mapping[str, str]] = {
    "quality": "quality",
    "templateQuality": "template_quality",
    "age": "age",
    "faceArea": "face_area",
    "faceMaskConfidence": "mask_confidence",
    "noseTipConfidence": "nose_tip_confidence",
    "sharpness": "sharpness",
    "brightness": "brightness",
    "tintedGlasses": "tinted_glasses",
    "heavyFrame": "heavy_frame",
    "glassStatus": "glass_status",
    "yawAngle": "yaw",
    "pitchAngle": "pitch",
    "rollAngle": "roll",
    "faceOrder": "face_order",
    "leftEyeX": "left_eye_x",
    "leftEyeY": "left_eye_y",
    "rightEyeX": "right_eye_x",
    "rightEyeY": "right_eye_y",
}
_CORNERS: Final = ("LeftTop", "RightTop", "LeftBottom", "RightBottom")


def parse_watchlist(fields: Fields) -> Watchlist:
    """Read a Watchlist. Raises EngineProtocolError, as all of these do."""
    return Watchlist(
        id=fields.text("id"),
        name=fields.maybe_text("displayName") or "",
        full_name=fields.maybe_text("fullName") or "",
        threshold=fields.maybe_whole("threshold"),
        colour=fields.maybe_text("previewColor"),
        created_at=fields.maybe_moment("createdAt"),
        updated_at=fields.maybe_moment("updatedAt"),
    )


def parse_member(fields: Fields) -> WatchlistMember:
    """Read a WatchlistMember."""
    privacy = fields.maybe_object("privacy")
    return WatchlistMember(
        id=fields.text("id"),
        name=fields.maybe_text("displayName"),
        full_name=fields.maybe_text("fullName"),
        note=fields.maybe_text("note"),
        labels=parse_labels(fields),
        keeps_pictures=None if privacy is None else privacy.maybe_flag("saveRegistrationImages"),
        created_at=fields.maybe_moment("createdAt"),
        updated_at=fields.maybe_moment("updatedAt"),
    )


def parse_labels(fields: Fields) -> dict[str, str]:
    """Read the member `labels`; one without a key says nothing."""
    pairs = ((label.maybe_text("key"), label.maybe_text("value")) for label in fields.maybe_objects("labels"))
    return {key: value or "" for key, value in pairs if key}


def parse_registered(fields: Fields) -> RegisteredMember:
    """Read a WatchlistMemberWithRelatedData."""
    return RegisteredMember(
        member=parse_member(fields),
        watchlists=tuple(parse_watchlist(item) for item in fields.objects("watchlists")),
        faces=tuple(parse_stored_face(item) for item in fields.objects("faces")),
    )


def parse_stored_face(fields: Fields) -> StoredFace:
    """Read a Face."""
    return StoredFace(
        id=fields.uuid("id"),
        image_id=fields.maybe_uuid("imageDataId"),
        state=fields.maybe_text("state"),
        learnt=fields.maybe_text("type") == "AutoLearn",
        faces_on_picture=fields.maybe_whole("facesOnFrameCount"),
        details=_details(fields, size="size", gender=fields.maybe_number("gender")),
        created_at=fields.maybe_moment("createdAt"),
    )


def parse_details(fields: Fields) -> FaceDetails:
    """Read FaceAttributes."""
    return _details(fields, size="faceSize", gender=fields.maybe_text("gender"))


def _details(fields: Fields, *, size: str, gender: float | str | None) -> FaceDetails:
    facts: dict[str, float | str | None] = {ours: fields.maybe_number(theirs) for theirs, ours in _NUMBERS.items()}
    facts |= {"gender": gender, "mask": fields.maybe_text("faceMaskStatus")}
    return FaceDetails(
        box=_box(fields),
        size=fields.maybe_number(size),
        facts={name: fact for name, fact in facts.items() if fact is not None},
    )


def _box(fields: Fields) -> Box | None:
    """Make an upright box of four corners: the server's frame is turned with the face. None for one without a size."""
    across = [fields.maybe_number(f"crop{corner}X") for corner in _CORNERS]
    down = [fields.maybe_number(f"crop{corner}Y") for corner in _CORNERS]
    xs, ys = [x for x in across if x is not None], [y for y in down if y is not None]
    if len(xs) < len(_CORNERS) or len(ys) < len(_CORNERS):
        return None
    return a_box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys))


def parse_page[Item](value: Any, what: str, parse: Any) -> Page[Item]:
    """Read one page, each of its items with `parse`."""
    fields = Fields(value, what)
    if not fields.has("nextPage"):
        raise EngineProtocolError(f"{what}: nextPage is missing")  # half a list must not pass for a whole one
    following = fields.maybe_text("nextPage")
    return Page(
        items=tuple(parse(item) for item in fields.objects("items")),
        number=fields.maybe_whole("pageNumber"),
        size=fields.maybe_whole("pageSize"),
        total=fields.maybe_whole("totalItemsCount"),
        # What stands in it says nothing: pages go by their numbers.
        more=following is not None,
    )

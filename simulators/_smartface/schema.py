"""The forms of requests, from the vendor's document: a table each, and a check that forgives nothing.

The document forbids members that it does not list. Whether the real server minds is not known; this one does.
"""

from base64 import b64decode
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import re
from typing import Any, Final
from uuid import UUID

from .problems import Refusal, malformed

MAX_INT: Final = 2**31 - 1
type Form = Mapping[str, Field]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One member: its kind, its range, and the first release (major, minor) that knows it."""

    kind: str
    required: bool = False
    nullable: bool = False
    low: int | None = None
    high: int | None = None
    default: Any = None
    choices: frozenset[str] = frozenset()
    form: Mapping[str, Any] = field(default_factory=dict)
    item: Field | None = None
    since: tuple[int, int] = (4, 25)


def _text(low: int | None = None, high: int | None = None, **more: Any) -> Field:
    return Field(kind="text", low=low, high=high, **more)


def _whole(default: int | None = None, low: int = -MAX_INT - 1, high: int = MAX_INT, **more: Any) -> Field:
    return Field(kind="whole", low=low, high=high, default=default, **more)


def _number(default: float) -> Field:
    return Field(kind="number", default=default)


def _flag(default: bool | None = None, **more: Any) -> Field:
    return Field(kind="flag", default=default, **more)


def _object(form: Form, **more: Any) -> Field:
    return Field(kind="object", form=form, **more)


def _list(item: Field, **more: Any) -> Field:
    return Field(kind="list", item=item, **more)


_DETECTORS: Final = frozenset({"cpu", "gpu", "any", "accurate_cpu", "accurate_gpu", "accurate_any"})
_GENERATORS: Final = frozenset({"cpu", "gpu", "any"})
_LIVENESS: Final = frozenset(
    f"liveness_{kind}_{place}_remote" for kind in ("distant", "nearby") for place in ("any", "cpu", "gpu")
)
_VALIDATION: Final = frozenset({"none", "predefined"})

IMAGE: Final[Form] = {"data": Field(kind="bytes", required=True)}
ONE_FACE: Final[Form] = {
    "minFaceSize": _whole(35),
    "maxFaceSize": _whole(600),
    "confidenceThreshold": _whole(450),
}
FACES: Final[Form] = {**ONE_FACE, "maxFaces": _whole(20)}
LABEL: Final[Form] = {
    "key": _text(0, 128, nullable=True),
    "value": _text(0, 256, nullable=True),
}
SPOOF_CONFIG: Final[Form] = {
    "distantLivenessScoreThreshold": _number(90),
    "nearbyLivenessScoreThreshold": _number(90),
    "distantLivenessConditions": _text(nullable=True, default="default"),
    "nearbyLivenessConditions": _text(nullable=True, default="default"),
    "keepEvaluatingConditionsAfterFirstFail": _flag(False),
}
_FEATURES: Final[Form] = {
    **{
        name: _flag(True, required=True)
        for name in ("age", "gender", "faceMask", "noseTip", "yawAngle", "pitchAngle", "rollAngle")
    },
    **{name: _flag(True) for name in ("sharpness", "brightness", "tintedGlasses", "heavyFrame", "glassStatus")},
}
REGISTRATION_IMAGE: Final[Form] = {
    **IMAGE,
    "faceId": Field(kind="uuid", nullable=True),
    "modality": _text(default="Face", choices=frozenset({"Face", "Palm"}), since=(4, 29)),
    "palmId": Field(kind="uuid", nullable=True, since=(4, 29)),
    "faceSelector": _text(default="singleFaceOnly", since=(4, 35)),
}
_PRIVACY: Final[Form] = {
    name: _flag(True) for name in ("saveRegistrationImages", "saveMatchedImages", "includeMatchedImageInEvents")
}
_DETECTOR: Final = {"faceDetectorResourceId": _text(default="cpu", choices=_DETECTORS)}
_RESOURCES: Final = {**_DETECTOR, "templateGeneratorResourceId": _text(default="cpu", choices=_GENERATORS)}
_PROBE: Final[Form] = {"image": _object(IMAGE, required=True), "faceDetectorConfig": _object(ONE_FACE), **_RESOURCES}
_FACTS: Final[Form] = {
    "displayName": _text(0, 200, nullable=True),
    "fullName": _text(0, 200, nullable=True),
    "note": _text(nullable=True),
    "labels": _list(_object(LABEL), nullable=True),
    "privacy": _object(_PRIVACY, nullable=True, since=(4, 36)),
}
_NAMES: Final[Form] = {
    "displayName": _text(0, 200, required=True),
    "fullName": _text(0, 200, required=True),
    "threshold": _whole(40, 0, 100),
    "palmThreshold": _whole(40, 0, 100, since=(4, 29)),
    "previewColor": Field(kind="colour", nullable=True),
}
_ID: Final = {"id": _text(1, required=True)}

SPOOF_CHECK: Final[Form] = {
    "image": _object(IMAGE, required=True),
    "faceDetectorConfig": _object(ONE_FACE),
    **_DETECTOR,
    "spoofDetectorResourceIds": _list(_text(choices=_LIVENESS), default=["liveness_distant_cpu_remote"]),
    "spoofCheckConfig": _object(SPOOF_CONFIG),
}
VERIFY: Final[Form] = {"probeImage": _object(_PROBE, required=True), "referenceImage": _object(_PROBE, required=True)}
SEARCH: Final[Form] = {
    "image": _object(IMAGE, required=True),
    "watchlistIds": _list(_text(), nullable=True, default=["sample_watchlist_id"]),
    "threshold": _whole(40),
    "maxResultCount": _whole(1),
    "faceDetectorConfig": _object(FACES),
    **_RESOURCES,
    "faceMaskConfidenceRequest": _object({"faceMaskThreshold": Field(kind="number", required=True)}),
    "faceFeaturesConfig": _object(_FEATURES),
    "spoofDetectorResourceIds": _list(_text(choices=_LIVENESS | {"none"}), default=["none"]),
    "spoofCheckConfig": _object(SPOOF_CONFIG),
    "faceValidationMode": _text(default="none", choices=_VALIDATION, since=(4, 29)),
}
WATCHLIST: Final[Form] = _NAMES
WATCHLIST_UPSERT: Final[Form] = {**_ID, **_NAMES}
MEMBER: Final[Form] = _FACTS
MEMBER_UPSERT: Final[Form] = {**_ID, **_FACTS}
LINK: Final[Form] = {
    "watchlistId": _text(required=True),
    "watchlistMembersIds": _list(_text(), required=True, low=1),
}
REGISTER: Final[Form] = {
    **_ID,
    "images": _list(_object(REGISTRATION_IMAGE), required=True, low=1),
    "watchlistIds": _list(_text(), required=True, low=1),
    "faceDetectorConfig": _object(FACES),
    **_RESOURCES,
    "keepAutoLearnPhotos": _flag(False),
    **_FACTS,
    "faceValidationMode": _text(default="predefined", choices=_VALIDATION, since=(4, 29)),
}
FACE_ID: Final[Form] = {"faceId": Field(kind="uuid", required=True)}
ADD_FACE: Final[Form] = {
    "imageData": _object(REGISTRATION_IMAGE, required=True),
    "faceDetectorConfig": _object(FACES),
    **_RESOURCES,
    "faceValidationMode": _text(default="predefined", choices=_VALIDATION, since=(4, 29)),
}

_COLOUR: Final = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def check(body: Any, form: Form, release: tuple[int, int], name: str = "$") -> dict[str, Any]:
    """Return the body with its defaults; bytes are decoded. Raises `Refusal` 400 for the first thing that is wrong."""
    if not isinstance(body, dict):
        raise malformed(name, "The JSON value is not an object.")
    known = {key: spec for key, spec in form.items() if spec.since <= release}
    if unknown := sorted(body.keys() - known.keys()):
        raise malformed(f"{name}.{unknown[0]}", "The JSON property could not be mapped to any member.")
    return {key: _member(body, key, spec, release, f"{name}.{key}") for key, spec in known.items()}


def _member(body: dict[str, Any], key: str, spec: Field, release: tuple[int, int], name: str) -> Any:
    if key not in body:
        if spec.required:
            raise malformed(name, "The field is required.")
        return check({}, spec.form, release, name) if spec.kind == "object" and not _wants(spec) else spec.default
    value = body[key]
    if value is None:
        if not spec.nullable:
            raise malformed(name, "The JSON value could not be null.")
        return None
    return _value(value, spec, release, name)


def _wants(spec: Field) -> bool:
    """Whether an object cannot be made of defaults alone."""
    return spec.nullable or any(member.required for member in spec.form.values())


def _value(value: Any, spec: Field, release: tuple[int, int], name: str) -> Any:
    if spec.kind == "object":
        return check(value, spec.form, release, name)
    if spec.kind == "list":
        if not isinstance(value, list) or len(value) < (spec.low or 0) or spec.item is None:
            raise malformed(name, "The field must be a list with a minimum length.")
        return [_value(item, spec.item, release, f"{name}[{index}]") for index, item in enumerate(value)]
    read = _READERS[spec.kind](value, name)
    size = len(read) if isinstance(read, str) else read
    if isinstance(size, (int, float)) and not isinstance(size, bool) and not _within(size, spec):
        raise malformed(name, "The field is out of its range.")
    if spec.choices and read not in spec.choices:
        raise Refusal(400, f"{name.rpartition('.')[2]} has a value that is not supported.", {name: ["Not supported."]})
    return read


def _within(size: float, spec: Field) -> bool:
    return (spec.low is None or size >= spec.low) and (spec.high is None or size <= spec.high)


def _of(kinds: type | tuple[type, ...], word: str) -> Callable[[Any, str], Any]:
    def read(value: Any, name: str) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise malformed(name, f"The JSON value could not be converted to {word}.")
        return value

    return read


def _bytes(value: Any, name: str) -> bytes:
    try:
        return b64decode(_of(str, "a byte array")(value, name), validate=True)
    except (binascii.Error, ValueError) as err:
        raise malformed(name, "The JSON value is not plain base64.") from err


def _uuid(value: Any, name: str) -> str:
    text: str = _of(str, "a Guid")(value, name)
    try:
        return str(UUID(text))
    except ValueError as err:
        raise malformed(name, "The JSON value could not be converted to a Guid.") from err


def _colour(value: Any, name: str) -> str:
    text: str = _of(str, "a colour")(value, name)
    if not _COLOUR.fullmatch(text):
        raise malformed(name, "The colour must be hexadecimal, such as #012abc or #01a.")
    return text


_READERS: Final[Mapping[str, Callable[[Any, str], Any]]] = {
    "text": _of(str, "a string"),
    "whole": _of(int, "an Int32"),
    "number": _of((int, float), "a Double"),
    "flag": _of(bool, "a Boolean"),
    "bytes": _bytes,
    "uuid": _uuid,
    "colour": _colour,
}

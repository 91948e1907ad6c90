"""One identifier of a panel: a card, a key, a code, a QR code, a number plate or a face, and how long it counts."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
import re
from typing import Any, Final, Self
from uuid import UUID

from ..errors import InvalidValueError
from ..values import as_bool, as_int, as_list, as_text, check_text, is_jpeg, section
from .info import PanelInfo
from .locks import ALL, lock_name, read_lock

_DECIMAL: Final = re.compile(r"[0-9]{1,10}")
_HEX: Final = re.compile(r"([0-9A-Fa-f]{2}[:-]){1,7}[0-9A-Fa-f]{2}")
_MAX_PLATE: Final = 100
_MAX_OWNER: Final = 255
# Stands for "never" where only the start of a validity is wanted: the end of 2099.
_FAR: Final = 4102444799
_MAX_TIME: Final = 253402300799


class IdentifierType(StrEnum):
    """The kinds, as panels call them."""

    CARD = "card"
    UKEY = "ukey"
    CODE = "inputCode"
    QR = "qr"
    PLATE = "license_plate"
    FACE = "face_id"


def types_of(info: PanelInfo) -> tuple[IdentifierType, ...]:
    """Which kinds a panel knows: plates from API 2.5 on, faces only where the model has them."""
    plates = not info.android or not info.api or info.since(2, 5)
    lacking = {IdentifierType.PLATE: not plates, IdentifierType.FACE: not info.faces}
    return tuple(kind for kind in IdentifierType if not lacking.get(kind, False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """An identifier. Numbers and photos are secrets; times are aware, None for no limit; `lock` 0 is all.

    `number`: cards and keys decimal (up to 10 digits) or bytes in hex between colons or dashes, codes decimal, QR codes
    a UUID; a face has none while `photo` (JPEG, link variant only) or an upload makes it. `link_id` and
    `apartment_link_id` are UUIDs of whoever manages several panels; `profiles` are uids, in link variants link ids. It
    is `unclear` where something that limits it could not be read.
    """

    type: IdentifierType
    owner: str
    number: str = field(default="", repr=False)
    guest: bool = False
    lock: int = ALL
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    max_passes: int | None = None
    passes_left: int | None = None
    uid: int | None = None
    link_id: str | None = None
    apartment_link_id: str | None = None
    apartment: int | None = None
    profiles: tuple[str, ...] = ()
    photo: bytes | None = field(default=None, repr=False)
    unclear: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether owner, number, lock and time say all of it; else a copy by these might open more than it does."""
        beside = (self.max_passes, self.apartment, self.apartment_link_id)
        return beside == (None, None, None) and not (self.guest or self.profiles or self.unclear)

    @classmethod
    def parse(cls, raw: Mapping[str, Any], uid: int | None = None) -> Self | None:
        """Read the panel's object; None for a kind that nobody knows. Lists call the uid by two names."""
        kind = as_text(raw.get("identifier_type")) or ""
        if kind not in IdentifierType:
            return None
        owner, valid = section(raw, "identifier_owner"), section(raw, "valid")
        passes, profiles = section(valid, "passes"), section(raw, "time_profiles")
        listed = next((n for key in ("identifier_uid", "uid") if (n := as_int(raw.get(key))) is not None), uid)
        lock = read_lock(raw.get("lock"))
        # Documented beside the passes; seen inside them on some panels with faces.
        time = section(valid, "time") or section(passes, "time")
        start, end = _read_span(time)
        max_passes = None if as_bool(passes.get("is_permanent")) is not False else as_int(passes.get("max_passes"))
        # -1 stands for no reference.
        apartment = as_int(section(raw, "apartment").get("uid"))
        names = as_list(profiles.get("link_ids")) or as_list(profiles.get("uid_items")) or ()
        return cls(
            type=IdentifierType(kind),
            owner=as_text(owner.get("name")) or "",
            number=as_text(raw.get("identifier_number")) or "",
            guest=as_text(owner.get("type")) == "guest",
            lock=ALL if lock is None else lock,
            valid_from=start,
            valid_until=end,
            max_passes=max_passes,
            passes_left=as_int(section(raw, "additional").get("passes_left")),
            uid=listed,
            link_id=as_text(raw.get("link_id")) or None,
            apartment_link_id=as_text(raw.get("apartment_link_id")) or None,
            apartment=None if apartment == -1 else apartment,
            profiles=tuple(text for name in names if (text := as_text(name)) is not None),
            unclear=_is_unclear(time)
            or (max_passes is None and bool(passes) and as_bool(passes.get("is_permanent")) is not True)
            or (lock is None and "lock" in raw)
            or (not names and as_int(profiles.get("count")) not in (None, 0)),
        )

    def body(self, info: PanelInfo) -> dict[str, Any]:
        """Build the object to create or update it. Raises InvalidValueError, which does not tell the number."""
        if self.type not in types_of(info):
            raise InvalidValueError("type", f"{self.type.value} is unknown to this panel", "unknown_here")
        return {
            "identifier_owner": {
                "name": check_text("owner", self.owner, _MAX_OWNER, empty=False),
                "type": "guest" if self.guest else "owner",
            },
            "identifier_type": self.type.value,
            "identifier_number": _check_number(self.type, self.number),
            "lock": lock_name(self.lock),
            "valid": self._valid(),
        }

    def link_body(self, info: PanelInfo) -> dict[str, Any]:
        """Build the object of the link variant. Raises InvalidValueError."""
        if self.link_id is None:
            raise InvalidValueError("link_id", "is missing")
        body = self.body(info) | {"link_id": _uuid("link_id", self.link_id)}
        if self.apartment_link_id is not None:
            body["apartment_link_id"] = _uuid("apartment_link_id", self.apartment_link_id)
        if self.profiles:
            body["time_profiles"] = {"link_ids": [_uuid("profiles", name) for name in self.profiles]}
        if self.passes_left is not None:
            body["additional"] = {"passes_left": self.passes_left}
        if self.photo is not None:
            body["face_image"] = b64encode(check_photo(self.photo)).decode()
        return body

    def _valid(self) -> dict[str, Any]:
        time: dict[str, Any] = {"is_permanent": self.valid_from is None and self.valid_until is None}
        if not time["is_permanent"]:
            start, end = _seconds(self.valid_from, 0), _seconds(self.valid_until, _FAR)
            if start > end:
                raise InvalidValueError("valid_until", "must not be before valid_from", "before_start")
            time |= {"from": start, "to": end}
        passes: dict[str, Any] = {"is_permanent": self.max_passes is None}
        if self.max_passes is not None:
            if self.max_passes < 1:
                raise InvalidValueError("max_passes", "must be at least 1", "least", least=1)
            passes["max_passes"] = self.max_passes
        return {"time": time, "passes": passes}


def check_photo(photo: bytes) -> bytes:
    """Pass a JPEG. Raises InvalidValueError."""
    if not is_jpeg(photo):
        raise InvalidValueError("photo", "must be a JPEG picture", "jpeg")
    return photo


def _check_number(kind: IdentifierType, number: str) -> str:
    match kind:
        case IdentifierType.CARD | IdentifierType.UKEY:
            fits = bool(_DECIMAL.fullmatch(number) or _HEX.fullmatch(number))
            problem, rule = "must have 1 to 10 digits, or 2 to 8 bytes in hex between colons or dashes", "card_number"
        case IdentifierType.CODE:
            fits, problem, rule = number.isascii() and number.isdigit(), "must be digits", "digits"
        case IdentifierType.QR:
            fits, problem, rule = _is_uuid(number), "must be a UUID", "uuid"
        case IdentifierType.PLATE:
            fits, problem, rule = 1 <= len(number) <= _MAX_PLATE, f"must have 1 to {_MAX_PLATE} characters", "plate"
        case IdentifierType.FACE:
            return number
    if not fits:
        raise InvalidValueError("number", problem, rule)
    return number


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False


def _uuid(name: str, text: str) -> str:
    if not _is_uuid(text):
        raise InvalidValueError(name, "must be a UUID")
    return text


def _seconds(moment: datetime | None, otherwise: int) -> int:
    if moment is None:
        return otherwise
    if moment.tzinfo is None:
        raise InvalidValueError("valid", "must have a time zone")
    return max(0, int(moment.timestamp()))


def _read_span(time: Mapping[str, Any]) -> tuple[datetime | None, datetime | None]:
    if as_bool(time.get("is_permanent")) is not False:
        return None, None
    start, end = as_int(time.get("from")), as_int(time.get("to"))
    return _moment(start or None), _moment(None if end == _FAR else end)


def _is_unclear(time: Mapping[str, Any]) -> bool:
    """Whether there is a span of which an end cannot be read: to `_read_span`, that end is no limit."""
    if not time or (permanent := as_bool(time.get("is_permanent"))):
        return False
    start, end = as_int(time.get("from")), as_int(time.get("to"))
    return permanent is None or _moment(start) is None or _moment(end) is None


def _moment(seconds: int | None) -> datetime | None:
    if seconds is None or not 0 <= seconds <= _MAX_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC)

"""A person as the household describes one, and what may be written about them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
import json
import re
import secrets
from typing import Any, Final, Self

from ..access import Person, Role

MAX_PHOTOS: Final = 5
MAX_ID: Final = 64
MAX_NAME: Final = 255
MAX_TEXT: Final = 255
MAX_METADATA: Final = 20
MAX_CARD: Final = 2**64 - 1
# Terminals keep 19 bytes of an id. Thirteen digits of base 32 are 65 bits: no two people of a house get the same.
_KEY_PREFIX: Final = "fa"
_KEY_DIGITS: Final = "abcdefghijklmnopqrstuvwxyz234567"
_KEY_LENGTH: Final = 13
_ID: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._@-]*[A-Za-z0-9])?")


class Storage(StrEnum):
    """What stays of a person's photos once every target has them."""

    NONE = "none"
    THUMBNAIL = "thumbnail"
    FULL = "full"


class PersonError(ValueError):
    """What somebody wants to write about a person cannot be. `code` is a translation key; no message holds a value."""

    def __init__(self, code: str, **placeholders: str) -> None:
        """Keep the code apart from what is put into its translation."""
        super().__init__(code)
        self.code = code
        self.placeholders = placeholders


def digest(photo: bytes) -> str:
    """Make the name of a photo."""
    return sha256(photo).hexdigest()


def new_key() -> str:
    """Make the short id by which targets know a new person."""
    return _KEY_PREFIX + "".join(secrets.choice(_KEY_DIGITS) for _ in range(_KEY_LENGTH))


def is_new_key(key: str) -> bool:
    """Whether `new_key` may have made it: nobody else calls people so."""
    return (
        len(key) == len(_KEY_PREFIX) + _KEY_LENGTH
        and key.startswith(_KEY_PREFIX)
        and set(key[len(_KEY_PREFIX) :]) <= set(_KEY_DIGITS)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A person as the household describes one.

    `id` is the household's, unique and case-sensitive: letters, digits and `._@-` inside, at most 64. `key` is for
    targets: at most 19 bytes. Times are aware, `valid_until` is the first moment that is too late; None for no limit.
    `doors` None is every door, else ids as the coordinator names them. `schedule` and `linked` are entity ids of a
    schedule and a person of Home Assistant. `photos` are SHA-256 digests in hex, in the order of preference.
    """

    id: str
    key: str
    name: str
    role: Role = Role.NORMAL
    enabled: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    doors: frozenset[str] | None = None
    schedule: str | None = None
    card: int | None = field(default=None, repr=False)
    text: str = field(default="", repr=False)
    linked: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict, repr=False)
    storage: Storage = Storage.FULL
    photos: tuple[str, ...] = field(default=(), repr=False)

    def checked(self) -> Self:
        """Pass a profile that can be kept. Raises PersonError."""
        if not _ID.fullmatch(self.id) or len(self.id) > MAX_ID:
            raise PersonError("person_id_invalid", limit=str(MAX_ID))
        notes = [("metadata", text, MAX_TEXT) for note in self.metadata.items() for text in note]
        for name, text, limit in (("name", self.name, MAX_NAME), ("text", self.text, MAX_TEXT), *notes):
            if len(text) > limit or not all(character.isprintable() for character in text):
                raise PersonError("person_text_invalid", field=name, limit=str(limit))
        if not self.name.strip():
            raise PersonError("person_name_missing")
        if self.card is not None and not 0 < self.card <= MAX_CARD:
            raise PersonError("person_card_invalid")
        if len(self.photos) > MAX_PHOTOS:
            raise PersonError("person_photos_too_many", limit=str(MAX_PHOTOS))
        if len(self.metadata) > MAX_METADATA:
            raise PersonError("person_metadata_too_much", limit=str(MAX_METADATA))
        self._check_times()
        return self

    def _check_times(self) -> None:
        for moment in (self.valid_from, self.valid_until):
            if moment is not None and moment.tzinfo is None:
                raise PersonError("person_time_without_zone")
        if self.valid_from is not None and self.valid_until is not None and self.valid_from >= self.valid_until:
            raise PersonError("person_times_reversed")

    def person(self, *, schedule_on: bool | None) -> Person:
        """Give the part that the decision looks at. `schedule_on` None where no schedule applies.

        Raises ValueError for one with a schedule that nobody looked up: not knowing must never mean yes.
        """
        if (schedule_on is None) is not (self.schedule is None):
            raise ValueError("the schedule must be looked up where there is one, and nowhere else")
        return Person(
            id=self.id,
            name=self.name,
            role=self.role,
            enabled=self.enabled,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            doors=self.doors,
            schedule_on=schedule_on,
        )

    def to_json(self) -> str:
        """Write it for the store."""
        body = asdict(self)
        body["doors"] = None if self.doors is None else sorted(self.doors)
        for name in ("valid_from", "valid_until"):
            moment: datetime | None = body[name]
            body[name] = None if moment is None else moment.isoformat()
        return json.dumps(body)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
        body: dict[str, Any] = json.loads(text)
        body["role"], body["storage"] = Role(body["role"]), Storage(body["storage"])
        body["doors"] = None if body["doors"] is None else frozenset(body["doors"])
        for name in ("valid_from", "valid_until"):
            body[name] = None if body[name] is None else datetime.fromisoformat(body[name])
        body["photos"] = tuple(body["photos"])
        return cls(**body)

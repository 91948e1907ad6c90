"""A person as a terminal knows one: what is sent, what comes back, and how to ask for some (HTTP API 1.5, 2.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, IntFlag
from typing import Any

from ..errors import InvalidValueError
from ..values import as_float, as_int, as_list, as_objects, as_text, check_text, from_base64
from .values import ID_LIMIT, Moment, Term, card_fields, check_term, read_card, read_term

_QUERY_NAME_LIMIT = 63


class Role(IntEnum):
    """How the terminal treats a person (1.2.2)."""

    ORDINARY = 0
    ALLOWED = 1
    BLOCKED = 2


class UploadMode(IntEnum):
    """What an upload may do (2.1.2): whatever is needed, only add, or only modify."""

    AUTO = 0
    ADD = 1
    MODIFY = 2


class UpdateFlags(IntFlag):
    """Which items an update changes (1.5)."""

    NAME = 0x1
    ROLE = 0x2
    CARD = 0x4
    END = 0x8
    START = 0x10
    KIND = 0x20
    CUSTOMER_TEXT = 0x40
    NORMALISED = 0x80
    THUMBNAIL = 0x100


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonData:
    """What to tell a terminal about a person; None is not sent.

    `id` up to 19 bytes of UTF-8; `name` up to 63 for `upload`, 15 for the rest; `role` 1 or 2 for `upload`; `kind` (the
    schedule rule that applies) 0 to 15, 0 for none; `card` up to 64 bits, 0 for none, in the field for Wiegand 37 and
    66 readers if `long_card` or longer than 32 bits; `start` a device-local time or `Term.USELESS`; `end` one or
    `Term.FOREVER` or `Term.NEVER`; `customer_text` up to 68 bytes.

    `photo`: JPEG (or PNG for `upload`) of at most 10 MB, for `upload`, `add_jpg` and `update_jpg`. `normalised`:
    pictures that a device or the vendor's library prepared, 150 x 150 pixels. `thumbnail`: JPEG that goes with them.
    """

    id: str
    name: str | None = field(default=None, repr=False)
    role: Role | int | None = None
    kind: int | None = None
    card: int | None = field(default=None, repr=False)
    long_card: bool = False
    start: Moment | None = None
    end: Moment | None = None
    customer_text: str | None = field(default=None, repr=False)
    photo: bytes | None = field(default=None, repr=False)
    normalised: tuple[bytes, ...] = field(default=(), repr=False)
    thumbnail: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPerson:
    """A person as the terminal has them. `features` only where they were asked for, `images` likewise."""

    id: str
    name: str | None = field(default=None, repr=False)
    role: int | None = None
    kind: int | None = None
    card: int | None = field(default=None, repr=False)
    long_card: bool = False
    start: Moment | None = None
    end: Moment | None = None
    customer_text: str | None = field(default=None, repr=False)
    images: tuple[bytes, ...] = field(default=(), repr=False)
    features: tuple[float, ...] = field(default=(), repr=False)


def parse_person(raw: Mapping[str, Any]) -> StoredPerson:
    """Read one entry of the list (2.1.1.2)."""
    card, long_card = read_card(raw)
    images = (from_base64(image.get("image_data")) for image in as_objects(raw.get("reg_images")))
    features = (as_float(value) for value in as_list(raw.get("feature_data")) or ())
    return StoredPerson(
        id=as_text(raw.get("id")) or "",
        name=as_text(raw.get("name")),
        role=as_int(raw.get("role")),
        kind=as_int(raw.get("kind")),
        card=card,
        long_card=long_card,
        start=read_term(raw.get("term_start")),
        end=read_term(raw.get("term")),
        customer_text=as_text(raw.get("customer_text")),
        images=tuple(image for image in images if image is not None),
        features=tuple(value for value in features if value is not None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonQuery:
    """Which people to list (2.1.1.1); None is no condition.

    `fuzzy` finds ids and names that contain the text; card numbers cannot be searched so (code 30). `starts` and `ends`
    are intervals, both ends inclusive: `starts` of times or `Term.USELESS`, `ends` of times, `Term.FOREVER` or
    `Term.NEVER`. `images` and `features` ask for the data as well, which makes pages large.
    """

    role: Role | None = None
    fuzzy: bool = False
    id: str | None = None
    name: str | None = field(default=None, repr=False)
    card: int | None = field(default=None, repr=False)
    long_card: bool = False
    starts: tuple[Moment, Moment] | None = None
    ends: tuple[Moment, Moment] | None = None
    images: bool = False
    features: bool = False

    def fields(self) -> dict[str, Any]:
        """Write the request's fields without the page. Raises InvalidValueError."""
        if self.fuzzy and self.card is not None:
            raise InvalidValueError("card", "cannot be searched in part")
        condition = self._condition()
        return {
            "role": -1 if self.role is None else self.role.value,
            "feature_flag": int(self.features),
            "image_flag": int(self.images),
            "query_mode": int(self.fuzzy),
            **({"condition": condition} if condition else {}),
        }

    def _condition(self) -> dict[str, Any]:
        condition: dict[str, Any] = {}
        if self.id is not None:
            condition["person_id"] = check_text("id", self.id, ID_LIMIT, empty=False)
        if self.name is not None:
            condition["person_name"] = check_text("name", self.name, _QUERY_NAME_LIMIT, empty=False)
        if self.card is not None:
            keys = {"short_key": "wg_card_no", "long_key": "long_card_no"}
            condition |= card_fields(self.card, long=self.long_card, **keys)
        for name, interval, keys_of, words in (
            ("starts", self.starts, ("term_start_start", "term_start_end"), (Term.USELESS,)),
            # The document prints the second key with a space at its end.
            ("ends", self.ends, ("term_start", "term "), (Term.FOREVER, Term.NEVER)),
        ):
            if interval is not None:
                _check_interval(name, interval)
                for key, moment in zip(keys_of, interval, strict=True):
                    condition[key] = check_term(name, moment, *words)
        return condition


def _check_interval(name: str, interval: tuple[Moment, Moment]) -> None:
    first, last = interval
    if isinstance(first, datetime) and isinstance(last, datetime) and first.tzinfo is last.tzinfo and first > last:
        raise InvalidValueError(name, "must begin before it ends")

"""What a terminal remembers of past sightings (HTTP API 2.2.2)."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from ..errors import InvalidValueError
from ..values import as_bool, as_float, as_int, as_object, as_objects, as_text, check_number, check_text, from_base64
from .caller import LONG_TIMEOUT, Caller
from .paging import MAX_PAGE_SIZE, Page, all_items, check_page
from .push import match_failed
from .values import ID_LIMIT, read_time

_NAME_LIMIT: Final = 63
_MAX_TIMESTAMP: Final = 2**40


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Which records to read; None is no condition.

    `times` are Unix seconds from the device's clock, `scores` 0 to 100, both intervals inclusive. `uploaded`: whether
    the record reached the upload server. `fuzzy` finds ids and names that contain the text. The two pictures are sent
    only where asked for, and even then not every record has them.
    """

    times: tuple[int, int] | None = None
    scores: tuple[int, int] | None = None
    uploaded: bool | None = None
    fuzzy: bool = False
    id: str | None = None
    name: str | None = field(default=None, repr=False)
    face_image: bool = False
    template_image: bool = False

    def fields(self) -> dict[str, Any]:
        """Write the request's fields without the page. Raises InvalidValueError."""
        fields: dict[str, Any] = {
            "face_image_flag": int(self.face_image),
            "reg_image_flag": int(self.template_image),
            **_interval("times", self.times, ("time_start", "time_end"), _MAX_TIMESTAMP),
            **_interval("scores", self.scores, ("score_start", "score_end"), 100),
        }
        if self.uploaded is not None:
            fields["upload_state"] = int(self.uploaded)
        if self.id is not None:
            fields["id"] = check_text("id", self.id, ID_LIMIT, empty=False)
        if self.name is not None:
            fields["name"] = check_text("name", self.name, _NAME_LIMIT, empty=False)
        if self.id is not None or self.name is not None:
            fields["fuzzy_flag"] = int(self.fuzzy)
        return fields


def _interval(name: str, interval: tuple[int, int] | None, keys: tuple[str, str], high: int) -> dict[str, int]:
    if interval is None:
        return {}
    for value in interval:
        check_number(name, value, 0, high)
    if interval[0] > interval[1]:
        raise InvalidValueError(name, "must begin before it ends")
    return dict(zip(keys, interval, strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One past sighting. Fields that this record lacks are None: strangers have no person.

    `sequence` and `captured` (to the letter) identify it, as they do for the push of the same sighting. `time` is the
    device's local time, None where `captured` is no time. `score`: 1 to 100, 0 not compared, -1 failed. `reason` as
    in 2.2.1.1 (`match_failed_reson`): below 0 the device's own no. `match_type` is not documented.
    """

    sequence: int | None
    captured: str
    time: datetime | None
    score: float | None = None
    reason: int | None = None
    match_type: int | None = None
    uploaded: bool | None = None
    temperature: float | None = None
    person_id: str | None = None
    person_name: str | None = field(default=None, repr=False)
    person_name_ext: str | None = field(default=None, repr=False)
    role: int | None = None
    customer_text: str | None = field(default=None, repr=False)
    face_image: bytes | None = field(default=None, repr=False)
    template_image: bytes | None = field(default=None, repr=False)


def parse_record(raw: Mapping[str, Any]) -> Record:
    """Read one entry of the answer (2.2.2.2)."""
    captured = as_text(raw.get("time")) or ""
    return Record(
        sequence=as_int(raw.get("sequence")),
        captured=captured,
        time=read_time(captured),
        score=as_float(raw.get("score")),
        reason=match_failed(raw),
        match_type=as_int(raw.get("match_type")),
        uploaded=as_bool(raw.get("upload_state")),
        temperature=as_float(raw.get("body_temp")),
        person_id=as_text(raw.get("id")) or None,
        person_name=as_text(raw.get("name")) or None,
        person_name_ext=as_text(raw.get("person_name_ext")) or None,
        role=as_int(raw.get("role")),
        customer_text=as_text(raw.get("customer_id")) or None,
        face_image=_picture(raw.get("face_image")),
        template_image=_picture(raw.get("reg_image")),
    )


def _picture(raw: Any) -> bytes | None:
    """Read a picture. The key of the close-up and its shape are not documented: a text, or an object as in a push."""
    if (inner := as_object(raw)) is not None:
        raw = inner.get("data", inner.get("image_data"))
    return from_base64(raw)


class Records:
    """Commands on the records."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def page(self, number: int = 1, size: int = MAX_PAGE_SIZE, query: RecordQuery | None = None) -> Page[Record]:
        """Read one page of the records that meet every condition of `query`; `size` is 1 to 20."""
        fields = check_page(number, size) | (query or RecordQuery()).fields()
        reply = await self._call("request records", fields, timeout=LONG_TIMEOUT)
        items = tuple(parse_record(item) for item in as_objects(reply.get("records")))
        total = as_int(reply.get("total"))
        return Page(items=items, number=number, total=len(items) if total is None else total)

    def all(self, query: RecordQuery | None = None, size: int = MAX_PAGE_SIZE) -> AsyncIterator[Record]:
        """Read every record that meets `query`, page by page, in the device's order."""

        async def fetch(number: int) -> Page[Record]:
            return await self.page(number, size, query)

        return all_items(fetch, lambda record: (record.sequence, record.captured), size)

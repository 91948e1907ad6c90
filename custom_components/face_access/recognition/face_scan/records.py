"""What the face scan service of DMS Workspace keeps of each comparison, read and written."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from ..errors import EngineProtocolError, EngineRefusedError
from ..kby.answers import Comparison, comparison
from ..remote.values import a_list, a_number, a_text, a_uuid, an_object, first_of


class Channel(StrEnum):
    """Where a comparison comes from, in the words of the service."""

    WEB = "WEB"
    MOBILE = "MOBILE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A comparison that was just made, and the id of its record. `created` is a time without a zone, as it came."""

    id: str
    comparison: Comparison
    created: str | None = None
    channel: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanRecord:
    """A record as it is kept: no faces, and no reference; those are in the answer to the comparison alone.

    `elapsed_time` in seconds, `compare_similarity` 0-1. Times as they came.
    """

    id: str
    company_id: str | None = None
    created_date: str | None = None
    updated_date: str | None = None
    created_by_id: str | None = None
    updated_by_id: str | None = None
    elapsed_time: float | None = None
    compare_result: str | None = None
    compare_similarity: float | None = None
    sales_channel: str | None = None

    @property
    def body(self) -> dict[str, str | float]:
        """As the service wants it: all that is known."""
        fields = {"id": self.id, **{theirs: getattr(self, ours) for theirs, (ours, _) in _FIELDS.items()}}
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPage:
    """Some of the records. `total` and `last` (whether no page follows) are None where the service does not tell."""

    records: tuple[ScanRecord, ...]
    total: int | None = None
    last: bool | None = None


_FIELDS: Final[Mapping[str, tuple[str, type]]] = {
    "companyId": ("company_id", UUID),
    "createdDate": ("created_date", str),
    "updatedDate": ("updated_date", str),
    "createdById": ("created_by_id", UUID),
    "updatedById": ("updated_by_id", UUID),
    "elapsedTime": ("elapsed_time", float),
    "compareResult": ("compare_result", str),
    "compareSimilarity": ("compare_similarity", float),
    "salesChannel": ("sales_channel", str),
}
_LISTS: Final = ("content", "items", "results", "records", "data")
_TOTALS: Final = ("totalElements", "total", "totalItems", "count")


def check_id(value: str) -> str:
    """Pass the id of a record, in small letters. Raises EngineRefusedError for what is no UUID."""
    try:
        return str(UUID(value))
    except ValueError, AttributeError, TypeError:
        raise EngineRefusedError("id", "this is no id of a record") from None


def scan(body: Any) -> Scan:
    """Read the answer to a comparison. Raises what `kby.answers.comparison` does; there is a record all the same."""
    answer = an_object(body, "the answer")
    compared = comparison(answer)
    return Scan(
        id=a_uuid(answer.get("id"), "id"),
        comparison=compared,
        **{name: _text(answer, name) for name in ("created", "channel", "reference")},
    )


def record(body: Any) -> ScanRecord:
    """Read a record. Every field may be missing or null but the id. Raises EngineProtocolError."""
    entity = an_object(body, "the answer")
    found: dict[str, Any] = {"id": a_uuid(entity.get("id"), "id")}
    for theirs, (ours, kind) in _FIELDS.items():
        value = entity.get(theirs)
        if value is None:
            continue
        if kind is UUID:
            found[ours] = a_uuid(value, theirs)
        elif kind is float:
            found[ours] = a_number(value, theirs)
        else:
            found[ours] = a_text(value, theirs, empty=True)
    return ScanRecord(**found)


def page(body: Any) -> ScanPage:
    """Read a page of records: its envelope is in no document, so it may be a bare list, or have one under a usual name.

    Raises EngineProtocolError.
    """
    if isinstance(body, list):
        return ScanPage(records=tuple(record(item) for item in a_list(body, "the answer")))
    answer = an_object(body, "the answer")
    listed = next((answer[name] for name in _LISTS if isinstance(answer.get(name), list)), None)
    if listed is None:
        raise EngineProtocolError("the answer holds no list of records")
    total, last = first_of(answer, _TOTALS), answer.get("last")
    return ScanPage(
        records=tuple(record(item) for item in a_list(listed, "the list")),
        total=total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None,
        last=last if isinstance(last, bool) else None,
    )


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    return None if value is None else a_text(value, name, empty=True)

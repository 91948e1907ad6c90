"""Lists come in pages, and each API filters them in its own way."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import InvalidValueError
from ..values import as_int, as_objects, section
from .info import PanelInfo

LIMITS: Final = (10, 20, 30, 50)
MAX_LIMIT: Final = LIMITS[-1]
# Panels keep some ten thousand entries: a list that goes on after this does not end.
_MAX_PAGES: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ListQuery:
    """Which part of a list: `equal` is a field and the value that it must have."""

    limit: int = MAX_LIMIT
    page: int = 1
    sort: str | None = None
    descending: bool = False
    equal: tuple[str, str] | None = field(default=None, repr=False)

    def parameters(self, info: PanelInfo) -> dict[str, str]:
        """Write it as this panel's API wants it. Raises InvalidValueError."""
        if self.limit not in LIMITS:
            raise InvalidValueError("limit", f"must be one of {', '.join(map(str, LIMITS))}")
        if self.page < 1:
            raise InvalidValueError("page", "must be at least 1")
        shared = {"limit": str(self.limit), "page_number": str(self.page)}
        return shared | (self._flat() if info.flat_filters else self._expression())

    def _flat(self) -> dict[str, str]:
        fields = {"sort_type": "desc"} if self.descending else {}
        if self.sort is not None:
            fields["sort_field"] = self.sort
        if self.equal is not None:
            name, value = self.equal
            fields |= {"filter_field": name, "filter_type": "equal", "filter_format": "string", "filter_value": value}
        return fields

    def _expression(self) -> dict[str, str]:
        fields = {}
        if self.sort is not None:
            fields["order_by"] = f"{self.sort} {'desc' if self.descending else 'asc'}"
        if self.equal is not None:
            name, value = self.equal
            if "'" in value:
                raise InvalidValueError("value", "must not have a quotation mark: the panel knows no way to write it")
            fields["filter"] = f"{name} eq '{value}'"
        return fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: `total` items and `pages` in the whole list, None where the panel does not say."""

    items: tuple[dict[str, Any], ...]
    total: int | None = None
    pages: int | None = None


def parse_page(reply: Mapping[str, Any]) -> Page:
    """Read a page. Both spellings of its options occur."""
    options = section(reply, "list_option") or section(reply, "list_options")
    pagination = section(options, "pagination")
    return Page(
        items=as_objects(reply.get("list_items")),
        total=as_int(pagination.get("total_items")),
        pages=as_int(pagination.get("total_pages")),
    )


async def all_items(fetch: Callable[[int], Awaitable[Page]], limit: int = MAX_LIMIT) -> AsyncIterator[dict[str, Any]]:
    """Read page after page. A panel that gives the same page again, whatever was asked, ends the list."""
    last: tuple[dict[str, Any], ...] = ()
    for number in range(1, _MAX_PAGES + 1):
        page = await fetch(number)
        if page.items == last:
            return
        for item in page.items:
            yield item
        if len(page.items) < limit or (page.pages is not None and number >= page.pages):
            return
        last = page.items

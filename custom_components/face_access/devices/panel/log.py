"""The event log of a panel: pages of entries with the panel's own time (`/log/items`)."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from ..errors import StationRefusedError
from ..values import as_int, as_object, as_text, section
from .caller import Caller
from .judge import WRONG_QUERY
from .paging import MAX_LIMIT, ListQuery, Page, all_items, parse_page

# What a number can be that is a time: the year 9999 in milliseconds.
MAX_TIME: Final = 253402300799000
_PATH: Final = "/log/items"
_OLD_PATH: Final = "/log/list"
_TIME: Final = "timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """One entry. `time` in milliseconds of the panel's clock; `key` says what happened, `model` to whom.

    The model holds numbers of cards and codes. Where the time is not the log's own but that of a message about it,
    `approximate` is set.
    """

    time: int
    key: str
    category: str | None = None
    model: Mapping[str, Any] = field(default_factory=dict, repr=False)
    approximate: bool = False

    @property
    def at(self) -> datetime:
        """The time, as the panel's clock has it."""
        return datetime.fromtimestamp(self.time / 1000, UTC)


def parse_entry(raw: Mapping[str, Any]) -> LogEntry | None:
    """Read an entry; None for one without a time or a key."""
    name = raw.get("name")
    key = as_text(section(raw, "name").get("key")) if isinstance(name, Mapping) else as_text(name)
    time = as_int(raw.get("timestamp"))
    if not key or time is None or not 0 <= time <= MAX_TIME:
        return None
    info = section(raw, "info")
    return LogEntry(time=time, key=key, category=as_text(raw.get("category")), model=as_object(info.get("model")) or {})


def parse_link_event(raw: Mapping[str, Any]) -> LogEntry | None:
    """Read an event as panels send it to a management server, over MQTT or HTTP; None for what is none."""
    key, time = as_text(raw.get("code")), as_int(raw.get("created_at"))
    if not key or time is None or not 0 <= time <= MAX_TIME:
        return None
    # When the message was made: the log's own time is a moment before.
    return LogEntry(
        time=time,
        key=key,
        category=as_text(raw.get("category")),
        model=as_object(raw.get("info")) or {},
        approximate=True,
    )


class Log:
    """Commands on the log."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a panel."""
        self._caller = caller
        self._sorts = True

    async def page(
        self,
        number: int = 1,
        *,
        limit: int = MAX_LIMIT,
        since: int | None = None,
        until: int | None = None,
        category: str | None = None,
        newest_first: bool = True,
    ) -> Page:
        """Read a page of entries as printed; times in milliseconds of the panel's clock, both ends included.

        A panel that does not sort gives its own order.
        """
        info = await self._caller.info()
        equal = None if category is None else ("category", category)
        span = {name: str(value) for name, value in (("from", since), ("to", until)) if value is not None}
        path = _OLD_PATH if info.old_paths else _PATH

        async def fetch(*, sort: bool) -> Page:
            # The field to sort by is the log's own choice where filters are flat; expressions must name it.
            name = _TIME if sort and not info.flat_filters else None
            query = ListQuery(limit=limit, page=number, sort=name, descending=sort and newest_first, equal=equal)
            return parse_page(await self._caller.get(path, {"locale": "en"} | span | query.parameters(info)))

        if not self._sorts:
            return await fetch(sort=False)
        try:
            return await fetch(sort=True)
        except StationRefusedError as err:
            if err.code != WRONG_QUERY or "sort" not in (err.detail or "").lower():
                raise
        self._sorts = False
        return await fetch(sort=False)

    async def newest(self, limit: int = MAX_LIMIT, until: int | None = None) -> tuple[list[LogEntry], int | None]:
        """Read the newest entries, newest first, and how many there are in all (None where it does not say)."""
        async for entries, total in self.back(limit, until=until, pages=1):
            return entries, total
        return [], None

    async def back(
        self, limit: int = MAX_LIMIT, *, until: int | None = None, pages: int = 1
    ) -> AsyncIterator[tuple[list[LogEntry], int | None]]:
        """Read page after page from the newest backwards: its entries, newest first, and how many there are in all."""
        first = await self.page(1, limit=limit, until=until)
        last = first.pages or 1
        # Where the panel does not sort, its own order is that of time, and the newest stand on the last page.
        numbers = range(1, pages + 1) if self._sorts else range(last, max(0, last - pages), -1)
        for number in numbers:
            page = first if number == 1 else await self.page(number, limit=limit, until=until)
            entries = [entry for entry in map(parse_entry, page.items) if entry is not None]
            yield sorted(entries, key=lambda entry: entry.time, reverse=True), page.total
            if self._sorts and (len(page.items) < limit or (page.pages is not None and number >= page.pages)):
                return

    async def between(self, since: int, until: int, category: str | None = None) -> AsyncIterator[LogEntry]:
        """Read all entries between two times, in the panel's order.

        The unit of the two times is seen, not documented: those outside are left out here once more.
        """
        pages = all_items(
            lambda number: self.page(number, since=since, until=until, category=category, newest_first=False)
        )
        async for raw in pages:
            entry = parse_entry(raw)
            if entry is not None and since <= entry.time <= until:
                yield entry

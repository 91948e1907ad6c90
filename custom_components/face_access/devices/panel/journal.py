"""What of a panel's log is new, whichever way it came: each entry once, and by the panel's own clock alone."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from .log import Log, LogEntry
from .paging import LIMITS, MAX_LIMIT

_REMEMBERED: Final = 2000
_POLL_LIMIT: Final = LIMITS[0]
# How many pages one poll reads at most. What lies deeper is history to be fetched, and no news.
_POLL_PAGES: Final = 10
# A message about an entry is made when the entry is, give or take. The panel tells its clock in whole seconds.
_GIVE_OR_TAKE: Final = 2000


class Way(Enum):
    """How an entry came. What comes again another way is the same entry; what comes again the same way is another."""

    LOG = "log"
    WEBHOOK = "webhook"
    BROKER = "broker"


@dataclass(slots=True, kw_only=True)
class _Told:
    """One entry that was told, and the ways on which it came so far."""

    approximate: bool
    ways: set[Way] = field(default_factory=set)


class Journal:
    """Knows which entries were told.

    The highest time seen is the mark, and what is above it is new; no clock of ours takes part. When the panel's clock
    is set back, its new entries come below the mark. The number of entries gives that away (`needs_clock`), and
    `take_clock` then leaves the entries of that future alone until the panel's clock gets there again.
    """

    def __init__(self, log: Log) -> None:
        """Start with nothing known."""
        self._log = log
        self._told: dict[tuple[str, int], _Told] = {}
        self._mark: int | None = None
        self._at_mark = 0
        self._total: int | None = None
        self._unseen = 0
        self._ahead: int | None = None
        self._until: int | None = None
        self.booted: LogEntry | None = None
        """The last entry by which the panel said that it had started."""

    @property
    def needs_clock(self) -> bool:
        """Whether the next poll needs to know the panel's time."""
        return self._unseen > 0 or self._ahead is not None

    def take(self, entries: Iterable[LogEntry], way: Way = Way.LOG) -> tuple[LogEntry, ...]:
        """Pass the entries that were not told yet, and remember them."""
        fresh = []
        for entry in entries:
            if (told := self._find(entry, way)) is not None:
                told.ways.add(way)
                # Known by this time too from now on: the log is read down to its newest entry again and again.
                self._told[entry.key, entry.time] = told
                continue
            if entry.key == "device_booted":
                self.booted = entry
            self._told[entry.key, entry.time] = _Told(approximate=entry.approximate, ways={way})
            fresh.append(entry)
        while len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        return tuple(fresh)

    def told_by_message(self, entry: LogEntry) -> bool:
        """Whether an entry of the log was told by a message that did not say its exact time."""
        told = self._find(entry, Way.LOG)
        return told is not None and told.approximate

    def knows(self, entry: LogEntry) -> bool:
        """Whether an entry of the log was told, perhaps by a message that did not say its exact time."""
        return self._find(entry, Way.LOG) is not None

    def _find(self, entry: LogEntry, way: Way) -> _Told | None:
        """Find the same entry as it was told: at its very time, or about then where one of the two is not exact.

        A door that opens twice within a moment is two entries on each way, so no way answers for the same one twice.
        """
        if (exact := self._told.get((entry.key, entry.time))) is not None:
            return exact
        near = (
            (abs(time - entry.time), told)
            for (key, time), told in self._told.items()
            if key == entry.key
            and abs(time - entry.time) <= _GIVE_OR_TAKE
            and (entry.approximate or told.approximate)
            and way not in told.ways
        )
        return min(near, key=lambda pair: pair[0], default=(0, None))[1]

    async def poll(self) -> tuple[LogEntry, ...]:
        """Ask for what is new, oldest first. The first answer is empty: it sets the mark."""
        if self._mark is None:
            entries, self._total = await self._log.newest(MAX_LIMIT)
            self.take(reversed(entries))
            self._move_mark(-1, entries)
            return ()
        mark, unseen = self._mark, self._unseen
        entries, total = await self._read_down_to(mark)
        above = [entry for entry in entries if entry.time >= mark]
        if unseen and self._ahead is not None:
            # Since the clock was set back there is no mark for these, only their number.
            new = [entry for entry in entries if not self.knows(entry)][:unseen]
            self._unseen = 0
        else:
            new = above
            self._count(total, len(above) - self._at_mark)
        self._move_mark(mark, entries)
        return self.take(reversed(new))

    def _move_mark(self, mark: int, entries: list[LogEntry]) -> None:
        """Move the mark up to the newest entry, and count how many there are at it."""
        self._mark = max(mark, entries[0].time) if entries else mark
        self._at_mark = sum(entry.time == self._mark for entry in entries)

    def _count(self, total: int | None, seen: int) -> None:
        """Compare how many entries came with how many were seen."""
        if self._until is not None:
            self._total = None
            return
        if total is not None and self._total is not None and total > self._total + seen:
            self._unseen += total - self._total - seen
        self._total = total

    async def _read_down_to(self, mark: int) -> tuple[list[LogEntry], int | None]:
        """Read pages, newest first, until one reaches the mark. Two entries can have the very same time."""
        found: list[LogEntry] = []
        total: int | None = None
        async for entries, count in self._log.back(_POLL_LIMIT, until=self._until, pages=_POLL_PAGES):
            total = count
            found += entries
            if not entries or entries[-1].time < mark:
                break
        return found, total

    def take_clock(self, now: int) -> None:
        """Take the panel's time, in milliseconds."""
        if self._mark is None:
            return
        if self._ahead is not None and now > self._ahead:
            # Past the future of before.
            self._mark, self._ahead, self._until, self._total = max(self._mark, self._ahead), None, None, None
        if self._mark > now + _GIVE_OR_TAKE:
            self._ahead = max(self._mark, self._ahead or 0)
            self._mark, self._at_mark = now, 0
        if self._ahead is None:
            # The clock is right: what was not seen lies too deep, or was told before it was counted.
            self._unseen = 0
        else:
            self._until = now + _GIVE_OR_TAKE

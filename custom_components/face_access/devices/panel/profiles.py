"""Time profiles: when an identifier counts (`/access/timeprofile`). The body is the one of the Camdroid document."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from ..errors import InvalidValueError, StationProtocolError
from ..values import as_bool, as_int, as_list, as_text, check_text, section
from .caller import Caller
from .door import Day
from .paging import ListQuery, Page, all_items, parse_page
from .transport import Effect

_ROOT: Final = "/access/timeprofile"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeProfile:
    """A span of time and how it comes again. `start` and `end` in Unix seconds; `days` of the week, `until` when."""

    name: str
    start: int
    end: int
    all_day: bool = False
    days: tuple[Day, ...] = ()
    every: int = 1
    until: int | None = None
    uid: int | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any], uid: int | None = None) -> Self | None:
        """Read the panel's object; None without a span."""
        options = section(raw, "time_options")
        start, end = as_int(options.get("date_from")), as_int(options.get("date_to"))
        if start is None or end is None:
            return None
        form = section(section(raw, "repeat_options"), "repeat_format")
        custom, ends = section(form, "repeat_custom"), section(form, "repeat_end")
        days = (as_text(day) or "" for day in as_list(custom.get("repeat_options")) or ())
        listed = next((n for key in ("timeprofile_uid", "uid") if (n := as_int(raw.get(key))) is not None), uid)
        return cls(
            name=as_text(raw.get("name")) or "",
            start=start,
            end=end,
            all_day=as_bool(options.get("is_all_day")) is True,
            days=tuple(Day(day) for day in days if day in Day),
            every=as_int(custom.get("repeat_looper")) or 1,
            until=as_int(ends.get("date")) if as_text(ends.get("format")) == "date" else None,
            uid=listed,
        )

    def body(self) -> dict[str, Any]:
        """Build the object to write. Raises InvalidValueError."""
        if not 0 <= self.start <= self.end:
            raise InvalidValueError("end", "must not be before start")
        if self.every < 1:
            raise InvalidValueError("every", "must be at least 1")
        repeat: dict[str, Any] = {"repeat_enable": bool(self.days)}
        if self.days:
            custom = {
                "repeat_point_type": "week",
                "repeat_looper": self.every,
                "repeat_options": [day.value for day in self.days],
            }
            repeat["repeat_format"] = {"repeat_type": "day", "repeat_custom": custom}
            if self.until is not None:
                repeat["repeat_format"]["repeat_end"] = {"format": "date", "date": self.until}
        return {
            "name": check_text("name", self.name, 100, empty=False),
            "time_options": {"is_all_day": self.all_day, "date_from": self.start, "date_to": self.end},
            "repeat_options": repeat,
        }


class Profiles:
    """Commands on time profiles."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a panel."""
        self._caller = caller

    async def create(self, profile: TimeProfile) -> int:
        """Create a profile; its uid. Raises InvalidValueError."""
        reply = await self._caller.send("POST", _ROOT, profile.body(), effect=Effect.ACT)
        uid = as_int(reply.get("uid"))
        if uid is None or uid < 0:
            raise StationProtocolError("the panel did not number the new time profile")
        return uid

    async def read(self, uid: int) -> TimeProfile:
        """Read a profile."""
        profile = TimeProfile.parse(await self._caller.get(f"{_ROOT}/item/{uid}"), uid)
        if profile is None:
            raise StationProtocolError("the time profile has no span")
        return profile

    async def update(self, uid: int, profile: TimeProfile) -> None:
        """Write a profile anew. Raises InvalidValueError."""
        await self._caller.send("PATCH", f"{_ROOT}/item/{uid}", profile.body())

    async def delete(self, uid: int) -> None:
        """Delete a profile."""
        await self._caller.send("DELETE", f"{_ROOT}/item/{uid}")

    async def all(self) -> AsyncIterator[TimeProfile]:
        """Read every profile."""
        async for raw in all_items(self._page):
            if (profile := TimeProfile.parse(raw)) is not None:
                yield profile

    async def _page(self, number: int) -> Page:
        info = await self._caller.info()
        path = f"{_ROOT}/items/list" if info.old_paths else f"{_ROOT}/items"
        return parse_page(await self._caller.get(path, ListQuery(page=number).parameters(info)))

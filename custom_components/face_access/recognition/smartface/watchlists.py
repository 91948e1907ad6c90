"""The lists of people on a server (operations 5-10 of the document)."""

from collections.abc import AsyncIterator
from typing import Any

from ..errors import DuplicateError
from ..remote.words import CONFLICT
from .caller import Caller, segment
from .models import MAX_NAME, Page, Watchlist, WatchlistMember, parse_member, parse_watchlist
from .paging import PAGE_SIZE, PageQuery, read_all, read_page
from .read import Fields


class Watchlists:
    """Watchlists. Every method raises every kind of EngineError, and ValueError for what no server takes."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a server."""
        self._caller = caller

    async def page(self, query: PageQuery | None = None) -> Page[Watchlist]:
        """Read one page of all watchlists."""
        return await read_page(self._caller, "Watchlists", query or PageQuery(), parse_watchlist, "the watchlists")

    def all(self, size: int = PAGE_SIZE) -> AsyncIterator[Watchlist]:
        """Read all watchlists, page by page."""
        return read_all(
            self._caller, "Watchlists", parse_watchlist, "the watchlists", id_of=lambda found: found.id, size=size
        )

    async def create(
        self, name: str, full_name: str | None = None, *, threshold: int | None = None, colour: str | None = None
    ) -> Watchlist:
        """Make a watchlist; the server gives it an id. Raises DuplicateError."""
        reply = await self._caller.call(
            "POST",
            "Watchlists",
            body=_body(name, full_name, threshold, colour),
            meanings={409: lambda text: DuplicateError(CONFLICT, text)},
        )
        return parse_watchlist(Fields(reply, "the watchlist"))

    async def put(
        self,
        watchlist: str,
        name: str,
        full_name: str | None = None,
        *,
        threshold: int | None = None,
        colour: str | None = None,
    ) -> Watchlist:
        """Make or change the watchlist with this id of ours (an upsert)."""
        segment(watchlist)
        body = {"id": watchlist, **_body(name, full_name, threshold, colour)}
        return parse_watchlist(Fields(await self._caller.call("PUT", "Watchlists", body=body), "the watchlist"))

    async def get(self, watchlist: str) -> Watchlist:
        """Read one. Raises EngineNotFoundError."""
        reply = await self._caller.call("GET", f"Watchlists/{segment(watchlist)}")
        return parse_watchlist(Fields(reply, "the watchlist"))

    async def delete(self, watchlist: str) -> None:
        """Delete one; members are objects of their own. Raises EngineNotFoundError."""
        await self._caller.exchange("DELETE", f"Watchlists/{segment(watchlist)}")

    async def members_page(self, watchlist: str, query: PageQuery | None = None) -> Page[WatchlistMember]:
        """Read one page of who is on a list."""
        path = f"Watchlists/{segment(watchlist)}/WatchlistMembers"
        return await read_page(self._caller, path, query or PageQuery(), parse_member, "the members")

    def members(self, watchlist: str, size: int = PAGE_SIZE) -> AsyncIterator[WatchlistMember]:
        """Read everybody who is on a list, page by page."""
        path = f"Watchlists/{segment(watchlist)}/WatchlistMembers"
        return read_all(self._caller, path, parse_member, "the members", id_of=lambda found: found.id, size=size)


def _body(name: str, full_name: str | None, threshold: int | None, colour: str | None) -> dict[str, Any]:
    """What creation and upsert share."""
    body: dict[str, Any] = {
        "displayName": check_name(name),
        "fullName": check_name(name if full_name is None else full_name),
    }
    if threshold is not None:
        if not 0 <= threshold <= 100:
            raise ValueError("a threshold is between 0 and 100")
        body["threshold"] = threshold
    if colour is not None:
        body["previewColor"] = colour
    return body


def check_name(name: str) -> str:
    """Pass a name that the server takes. Raises ValueError."""
    if len(name) > MAX_NAME:
        raise ValueError(f"a name has at most {MAX_NAME} characters")
    return name

"""Lists come in pages: the next one is asked for by its number until the server names none (section 1.4)."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Final

from ..errors import EngineProtocolError
from .caller import Caller
from .models import Page, parse_page
from .read import Fields

# The server's default is not documented, so a size is always sent.
PAGE_SIZE: Final = 100
_MAX_NUMBER: Final = 2**31 - 1
# A list that goes on after this does not end.
_MAX_PAGES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PageQuery:
    """Which page; `number` from 1. `ascending` None leaves the order to the server; it does not say by what it sorts.

    Raises ValueError for what no server takes.
    """

    number: int = 1
    size: int = PAGE_SIZE
    ascending: bool | None = None
    total: bool = False

    def __post_init__(self) -> None:
        """Look at both numbers."""
        if not 1 <= self.number <= _MAX_NUMBER or not 1 <= self.size <= _MAX_NUMBER:
            raise ValueError("page numbers and sizes begin at 1")

    @property
    def parameters(self) -> dict[str, str]:
        """Write it as the query of a request."""
        wanted = {"PageNumber": str(self.number), "PageSize": str(self.size)}
        if self.ascending is not None:
            wanted["Ascending"] = str(self.ascending).lower()
        if self.total:
            wanted["ShowTotalCount"] = "true"
        return wanted


async def read_page[Item](
    caller: Caller, path: str, query: PageQuery, parse: Callable[[Fields], Item], what: str
) -> Page[Item]:
    """Read one page of the list at `path`. Raises every kind of EngineError."""
    return parse_page(await caller.call("GET", path, query=query.parameters), what, parse)


async def read_all[Item](
    caller: Caller,
    path: str,
    parse: Callable[[Fields], Item],
    what: str,
    *,
    id_of: Callable[[Item], str],
    size: int = PAGE_SIZE,
) -> AsyncIterator[Item]:
    """Read a whole list, each of it once: what is added meanwhile moves things from one page to the next.

    Raises every kind of EngineError; EngineProtocolError for a list whose pages bring nothing new and go on.
    """
    seen: set[str] = set()
    for number in range(1, _MAX_PAGES + 1):
        page = await read_page(caller, path, PageQuery(number=number, size=size), parse, what)
        fresh = [item for item in page.items if id_of(item) not in seen]
        for item in fresh:
            if id_of(item) not in seen:
                seen.add(id_of(item))
                yield item
        if not page.more:
            return
        if not fresh:
            raise EngineProtocolError(f"{what}: page {number} brings nothing new, and another one is to follow")
    raise EngineProtocolError(f"{what}: the list does not end")

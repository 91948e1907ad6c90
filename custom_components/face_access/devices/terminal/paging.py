"""Walking through a terminal's lists page by page, when the list may grow meanwhile and the device may lie."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from dataclasses import dataclass

from ..values import check_number

MAX_PAGE_SIZE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Page[T]:
    """One page of a list. `number` counts from 1; `total` is how many items the whole list has."""

    items: tuple[T, ...]
    number: int
    total: int


def check_page(number: int, size: int) -> dict[str, int]:
    """Pass a page number from 1 and a size from 1 to 20, as fields of a request. Raises InvalidValueError."""
    check_number("page_no", number, 1, 2**31 - 1)
    check_number("page_size", size, 1, MAX_PAGE_SIZE)
    return {"page_no": number, "page_size": size}


async def all_items[T](
    fetch: Callable[[int], Awaitable[Page[T]]], key: Callable[[T], Hashable], size: int
) -> AsyncIterator[T]:
    """Yield each item of all pages once, in the device's order.

    An item that moves to a later page while we read (the newest come first on some firmwares) is not repeated. A page
    that brings nothing new ends the walk: some firmwares answer the last page for ever.
    """
    seen: set[Hashable] = set()
    number, total, new = 1, 1, True
    while new and (number - 1) * size < total:
        page = await fetch(number)
        total, new = page.total, False
        for item in page.items:
            if key(item) not in seen:
                seen.add(key(item))
                new = True
                yield item
        number += 1

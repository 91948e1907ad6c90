"""The shape of a command handler, and the small parsers that several of them share."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .core import Core
from .model import STAMP
from .schema import illegal

type Handler = Callable[[Core, dict[str, Any]], dict[str, Any]]


def moment(value: str, path: str) -> datetime:
    """A device-local time; raise `Refusal` (code 3) when there is no such moment."""
    try:
        return datetime.strptime(value, STAMP)  # noqa: DTZ007
    except ValueError as err:
        raise illegal(f"{path}: no such time") from err


def page(items: list[Any], page_no: int, page_size: int) -> list[Any]:
    """One page, counted from 1; -1 means everything."""
    if page_no == -1:
        return items
    if page_no < 1:
        raise illegal("page_no: counts from 1")
    return items[(page_no - 1) * page_size : page_no * page_size]


def pair(request: dict[str, Any], first: str, second: str) -> tuple[Any, Any] | None:
    """Two conditions that must be given together; None when neither is."""
    if (first in request) != (second in request):
        raise illegal(f"{first} and {second}: only together")
    return (request[first], request[second]) if first in request else None

"""The check's steps: one line each with its outcome, and an end at the first that fails."""

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
import time
from typing import Any, Final

_GREEN: Final = "\033[32m✓\033[0m"
_RED: Final = "\033[31m✗\033[0m"


class CheckError(Exception):
    """What a step found is not what it must be."""


def expect(found: Any, wanted: Any, what: str) -> None:
    """Raise CheckError, naming what was looked at, unless both are equal."""
    if found != wanted:
        raise CheckError(f"{what} is {found!r} and should be {wanted!r}")


@asynccontextmanager
async def step(name: str) -> AsyncGenerator[list[str]]:
    """Time a step and print how it went, with what it measured: the texts that are put into the list."""
    began = time.monotonic()
    measured: list[str] = []
    try:
        yield measured
    except asyncio.CancelledError:
        print(f"- {name}: given up", flush=True)
        raise
    except BaseException:
        print(f"{_RED} {name}   {time.monotonic() - began:.1f} s", flush=True)
        raise
    details = f" ({', '.join(measured)})" if measured else ""
    print(f"{_GREEN} {name}{details}   {time.monotonic() - began:.1f} s", flush=True)


async def together(*parts: Coroutine[Any, Any, None]) -> None:
    """Do independent parts at once. The first that fails ends the others, and is what is raised."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part)
    except BaseExceptionGroup as err:
        raise err.exceptions[0] from None

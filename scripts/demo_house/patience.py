"""Waiting for what no event tells of: asked again and again, for as long as a busy machine may need."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from .steps import CheckError
from .watch import PATIENCE

_ASK_EVERY: Final = 0.1


async def until(condition: Callable[[], Awaitable[bool]], what: str, *, patience: float = 2 * PATIENCE) -> None:
    """Wait until a condition holds; CheckError naming `what` when it does not within `patience` seconds."""
    try:
        async with asyncio.timeout(patience):
            while not await condition():
                await asyncio.sleep(_ASK_EVERY)
    except TimeoutError:
        raise CheckError(f"there was not {what} within {patience:.0f} s") from None

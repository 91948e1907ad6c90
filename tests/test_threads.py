"""What the tests' own event loop refuses."""

import asyncio
from collections.abc import Callable

import pytest


def _end(loop: asyncio.AbstractEventLoop) -> None:
    future = loop.create_future()
    future.add_done_callback(print)
    future.set_result(None)


@pytest.mark.parametrize(
    "ask",
    [lambda loop: loop.call_soon(print), lambda loop: loop.call_later(1, print), _end],
    ids=["call_soon", "call_later", "a future's end"],
)
async def test_another_thread_does_not_get_at_the_loop(ask: Callable[[asyncio.AbstractEventLoop], object]) -> None:
    with pytest.raises(RuntimeError, match="Non-thread-safe"):
        await asyncio.to_thread(ask, asyncio.get_running_loop())

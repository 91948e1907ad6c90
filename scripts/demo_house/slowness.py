"""A machine that is too slow for a camera: Home Assistant runs for a small share of the time, until it says so."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
import signal
import threading
import time
from typing import Final

from .api import Api, Json
from .film import Onlooker, entity_of
from .processes import Child
from .stations import DOMAIN
from .steps import CheckError, expect, step
from .watch import PATIENCE

_PERIOD: Final = 0.25
# A picture takes at least so long (seconds) on a machine that cannot follow a camera, well above the product's limit.
_FAR_TOO_LONG: Final = 3.0
# How long it may take to find that out.
_SAYS_SO: Final = 8.0
_LOOKS: Final = 5
# Longer than it takes to name somebody who is looked at.
_UNSEEN: Final = 4.0


async def play_slowness(onlooker: Onlooker, machine: Child, known: bytes, stranger: bytes) -> None:
    """Give Home Assistant too little of the processor to follow the camera, and then all of it again."""
    name = onlooker.film.name
    async with _repairs(onlooker.api, f"machine_slow_{onlooker.entry}") as told:
        async with step(f"{name}: on too slow a machine it is looked at now and then only, which is told") as found:
            found.append(await _slow_down(onlooker, machine, told))
            await onlooker.tells_nothing(known, _UNSEEN)
        async with step(f"{name}: asked for a look it names who is there, and on a fast machine follows again"):
            since = onlooker.watch.now
            await onlooker.look()
            await onlooker.told("recognised", since=since)
            async with asyncio.timeout(PATIENCE):
                expect(await told.get(), "remove", "what became of the repair issue")
            since = onlooker.watch.now
            onlooker.film.show(stranger)
            await onlooker.told("stranger", since=since)


async def _slow_down(onlooker: Onlooker, machine: Child, told: asyncio.Queue[str]) -> str:
    """Slow Home Assistant down until it says that it is too slow; by how much."""
    api, question = onlooker.api, {"image_entity": onlooker.film.camera}
    mode = await entity_of(api, onlooker.entry, "select", "-recognition_mode")
    looks = [await api.action(f"{DOMAIN}.recognize", question, response=True) for _ in range(_LOOKS)]
    # The shortest: the machine may have had others to serve meanwhile, and more than this knows.
    took = min(sum(look["seconds"].values()) for look in looks)
    for share in (took / _FAR_TOO_LONG / 2**number for number in range(4)):
        with _throttled(machine, min(share, 0.5)), suppress(TimeoutError):
            # As after a start: it tests itself.
            await api.action("select.select_option", {"entity_id": mode, "option": "antispoofing"})
            async with asyncio.timeout(_SAYS_SO):
                expect(await told.get(), "create", "what became of the repair issue")
                return f"{share:.1%} of the time, {took * 1000:.0f} ms for a picture with all of it"
    raise CheckError("Home Assistant does not notice that it is slow")


@asynccontextmanager
async def _repairs(api: Api, issue: str) -> AsyncGenerator[asyncio.Queue[str]]:
    """Hear what becomes of a repair issue until the end of the block."""
    told: asyncio.Queue[str] = asyncio.Queue()

    def heard(event: Json) -> None:
        if event["data"]["issue_id"] == issue:
            told.put_nowait(event["data"]["action"])

    async with api.socket() as socket:
        await socket.subscribe(heard, "subscribe_events", event_type="repairs_issue_registry_updated")
        yield told


@contextmanager
def _throttled(machine: Child, share: float) -> Generator[None]:
    """Let a process run for `share` (0 to 1) of the time until the end of the block, however that ends."""
    over = threading.Event()
    # A thread of its own: the share must not depend on what else the demo does.
    thread = threading.Thread(target=_throttle, args=(machine, share * _PERIOD, over), name="throttle", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _throttle(machine: Child, runs: float, over: threading.Event) -> None:
    try:
        while machine.running and not over.is_set():
            machine.signal(signal.SIGSTOP)
            over.wait(_PERIOD - runs)
            machine.signal(signal.SIGCONT)
            time.sleep(runs)
    finally:
        machine.signal(signal.SIGCONT)

"""What the check plays in the house: everything at each of the two terminals, then an absence of Home Assistant."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from . import messages, visits
from .doorstep import Doorstep
from .house import House
from .outage import Outage
from .stations import Station
from .steps import step
from .views import View
from .watch import watching

_PLAY: Final[tuple[Callable[[Doorstep], Awaitable[None]], ...]] = (
    visits.arrives,
    visits.known_face,
    visits.opening,
    visits.stranger,
    visits.online,
    visits.refused,
    messages.same_again,
    messages.garbage,
    messages.speaks,
    messages.telephones,
    messages.no_violations,
)


async def play(house: House, added: Sequence[tuple[Station, str]], restart: Callable[[], Awaitable[None]]) -> None:
    """Play everything at the stations with their entry ids; the first thing that is not as it must be raises."""
    async with watching(house.api) as watch:
        doors = [Doorstep(View(house, station, entry_id, watch)) for station, entry_id in added]
        for door in doors:
            for play_step in _PLAY:
                await play_step(door)
        outages = [Outage(door) for door in doors]
        for outage in outages:
            await outage.begins()
    async with step("Home Assistant stops, and three faces pass at each terminal"):
        await house.stop()
        for outage in outages:
            await outage.three_faces()
    async with step("Home Assistant starts again"):
        await restart()
    async with watching(house.api) as watch:
        for outage in outages:
            await outage.ends(watch)
            await messages.forgive_the_restart(outage.door)
            await outage.life_goes_on()
        for outage in outages:
            await messages.no_violations(outage.door)

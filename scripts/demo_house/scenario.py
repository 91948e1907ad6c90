"""What the check plays in the house: a panel of each kind, then each of the two terminals and an absence of ours."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from . import lessons, messages, mishaps, porch, visits
from .doorstep import Doorstep
from .house import House
from .household import Household
from .outage import Outage
from .panels import MAIN_ENTRANCE, SUMMER_HOUSE, Panel
from .porch import Porch
from .stations import Terminal
from .steps import step, together
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
# At every panel; the rest goes wrong with one alone.
_AT_PANELS: Final[tuple[Callable[[Porch], Awaitable[None]], ...]] = (
    porch.arrives,
    porch.rings,
    # Before the short openings: closing ends none of those, so the door would be open a few seconds longer.
    porch.holds,
    porch.opens,
    porch.denies,
    porch.shows_card,
    mishaps.token_ends,
)
_MISHAPS: Final[tuple[Callable[[Porch], Awaitable[None]], ...]] = (
    mishaps.mode_changes,
    mishaps.goes_away,
    mishaps.password_changes,
)


async def play_panels(house: House, added: Sequence[tuple[Panel, str]]) -> None:
    """Play everything at the panels with their entry ids, at all at once; the first thing that is wrong raises."""

    async def play_at(at: Porch) -> None:
        steps = _AT_PANELS + (_MISHAPS if at.panel.place is MAIN_ENTRANCE else ())
        for play_step in (*steps, mishaps.no_violations):
            await play_step(at)

    async with watching(house.api) as watch:
        porches = (Porch(panel, View(house, panel, entry_id, watch)) for panel, entry_id in added)
        await together(*(play_at(at) for at in porches))


async def play(house: House, added: Sequence[tuple[Terminal, str]], restart: Callable[[], Awaitable[None]]) -> None:
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


async def play_people(
    house: House, panels: Sequence[tuple[Panel, str]], terminals: Sequence[tuple[Terminal, str]]
) -> None:
    """Play what a household does with its people; the first thing that is not as it must be raises."""
    knowing = [panel for panel, _ in panels if "FB" in panel.place.model]
    everywhere = lessons.Lessons(Household(house.api), [*(terminal for terminal, _ in terminals), *knowing])
    async with watching(house.api) as watch:
        door = Doorstep(View(house, *terminals[0], watch))
        await door.view.refresh()
        await door.begin()
        porches = [Porch(panel, View(house, panel, entry_id, watch)) for panel, entry_id in panels]
        for each in porches:
            await each.new_openings()
        await lessons.learns(everywhere)
        await lessons.explains(everywhere, door)
        await lessons.welcomes(door)
        await lessons.refuses(door)
        main = next(each for each in porches if each.panel.place is MAIN_ENTRANCE)
        await lessons.at_panel(main)
        cards = next(each for each in porches if each.panel.place is SUMMER_HOUSE)
        await lessons.by_card(cards, opens=True)
        await lessons.forgets(everywhere, door)
        await lessons.by_card(cards, opens=False)
        await messages.no_violations(door)
        for each in porches:
            await mishaps.no_violations(each)

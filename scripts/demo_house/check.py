"""The house for nobody: a fresh one on free ports, the scenario played in it, and nothing left behind."""

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
import secrets
import shutil
import tempfile
import time
from typing import Any

from aiohttp import ClientError, ClientSession

from .api import ApiError
from .cameras import play_cameras, use_models
from .hard_stop import play_hard_stop
from .house import ROOT, House
from .panels import PANELS, Panel
from .processes import ChildError, free_port
from .scenario import play, play_panels, play_people
from .server_room import play_servers
from .stations import FRONT_DOOR, GARDEN_GATE, Station, Terminal
from .steps import CheckError, step, together


async def _add[S: Station](station: S, how: str, house: House) -> tuple[S, str]:
    """Add a device by the config flow; with its entry id."""
    async with step(f"{station.place.name}: added by the config flow ({how})"):
        return station, await station.add_to(house.api)


async def _play(
    house: House,
    start: Callable[[], Coroutine[Any, Any, None]],
    folder: Path,
    session: ClientSession,
    stack: AsyncExitStack,
) -> None:
    """Play the whole scenario in a house that `start` starts; the first thing that is not as it must be raises."""
    panels = [Panel(place, folder, session) for place in PANELS]
    calling, called = (Terminal(place, folder, session) for place in (GARDEN_GATE, FRONT_DOOR))
    stations = (*panels, called, calling)
    for station in stations:
        stack.push_async_callback(station.child.stop)
    async with step(f"Home Assistant and {len(stations)} devices start"):
        await together(start(), *(station.start() for station in stations))
    entrances = [await _add(panel, f"panel {panel.place.model}", house) for panel in panels]
    await play_panels(house, entrances)
    doors = [
        await _add(called, "Home Assistant calls the terminal", house),
        await _add(calling, "the terminal calls Home Assistant", house),
    ]
    await play(house, doors, start)
    await play_hard_stop(house, doors, start)
    await play_people(house, entrances, doors)
    await play_cameras(house, folder, called)
    await play_servers(house, folder, session)


async def check() -> int:
    """Play the scenario; 0 if all of it went as it must."""
    began = time.monotonic()
    (ROOT / ".cache").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="check-", dir=(ROOT / ".cache").resolve()))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        session = await stack.enter_async_context(ClientSession())
        use_models()
        house = House(folder, session, host="127.0.0.1", port=free_port())
        stack.push_async_callback(house.stop)
        owner = ("demo", secrets.token_urlsafe())
        try:
            await _play(house, lambda: house.start(*owner), folder, session, stack)
        except (ApiError, CheckError, ChildError, ClientError, TimeoutError) as err:
            print(f"  {type(err).__name__}: {err}")
            if not isinstance(err, ChildError):
                print("\nThe end of Home Assistant's log:\n" + house.child.tail())
            return 1
    print(f"all as it must be, in {time.monotonic() - began:.0f} s")
    return 0

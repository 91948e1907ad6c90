"""The house for nobody: a fresh one on free ports, the scenario played in it, and nothing left behind."""

from contextlib import AsyncExitStack
from pathlib import Path
import secrets
import shutil
import tempfile
import time

from aiohttp import ClientError, ClientSession

from .api import ApiError
from .cameras import play_cameras, use_models
from .hard_stop import play_hard_stop
from .house import ROOT, House
from .panels import PANELS, Panel
from .processes import ChildError, free_port
from .scenario import play, play_panels, play_people
from .servers import play_servers
from .stations import FRONT_DOOR, GARDEN_GATE, Station, Terminal
from .steps import CheckError, step


async def _add[S: Station](station: S, how: str, house: House, stack: AsyncExitStack) -> tuple[S, str]:
    """Switch a device on and add it by the config flow; with its entry id."""
    stack.push_async_callback(station.child.stop)
    async with step(f"{station.place.name}: the device starts"):
        await station.start()
    async with step(f"{station.place.name}: added by the config flow ({how})"):
        return station, await station.add_to(house.api)


async def _add_terminals(
    house: House, folder: Path, session: ClientSession, stack: AsyncExitStack
) -> list[tuple[Terminal, str]]:
    """Add a terminal of each way to connect."""
    ways = ((FRONT_DOOR, "Home Assistant calls the terminal"), (GARDEN_GATE, "the terminal calls Home Assistant"))
    return [await _add(Terminal(place, folder, session), how, house, stack) for place, how in ways]


async def _add_panels(
    house: House, folder: Path, session: ClientSession, stack: AsyncExitStack
) -> list[tuple[Panel, str]]:
    """Add a panel of each kind."""
    return [await _add(Panel(place, folder, session), f"panel {place.model}", house, stack) for place in PANELS]


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
            async with step("Home Assistant starts"):
                await house.start(*owner)
            panels = await _add_panels(house, folder, session, stack)
            await play_panels(house, panels)
            added = await _add_terminals(house, folder, session, stack)
            await play(house, added, lambda: house.start(*owner))
            await play_hard_stop(house, added, lambda: house.start(*owner))
            await play_people(house, panels, added)
            await play_cameras(house, folder, added[0][0])
            await play_servers(house, folder, session)
        except (ApiError, CheckError, ChildError, ClientError, TimeoutError) as err:
            print(f"  {type(err).__name__}: {err}")
            if not isinstance(err, ChildError):
                print("\nThe end of Home Assistant's log:\n" + house.child.tail())
            return 1
    print(f"all as it must be, in {time.monotonic() - began:.0f} s")
    return 0

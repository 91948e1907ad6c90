"""The house for nobody: a fresh one on free ports, the scenario played in it, and nothing left behind."""

from contextlib import AsyncExitStack
from pathlib import Path
import secrets
import shutil
import tempfile
import time

from aiohttp import ClientError, ClientSession

from .api import ApiError
from .house import ROOT, House
from .processes import ChildError, free_port
from .scenario import play
from .stations import FRONT_DOOR, GARDEN_GATE, Place, Station
from .steps import CheckError, step


async def _add(
    place: Place, house: House, folder: Path, session: ClientSession, stack: AsyncExitStack
) -> tuple[Station, str]:
    """Switch a terminal on and add it by the config flow; with its entry id."""
    station = Station(place, folder, session)
    stack.push_async_callback(station.child.stop)
    async with step(f"{place.name}: the terminal starts"):
        await station.start()
    who = "the terminal calls Home Assistant" if place.calls else "Home Assistant calls the terminal"
    async with step(f"{place.name}: added by the config flow ({who})"):
        return station, await station.add_to(house.api)


async def check() -> int:
    """Play the scenario; 0 if all of it went as it must."""
    began = time.monotonic()
    (ROOT / ".cache").mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="check-", dir=ROOT / ".cache"))
    async with AsyncExitStack() as stack:
        stack.callback(shutil.rmtree, folder)
        session = await stack.enter_async_context(ClientSession())
        house = House(folder, session, host="127.0.0.1", port=free_port())
        stack.push_async_callback(house.stop)
        owner = ("demo", secrets.token_urlsafe())
        try:
            async with step("Home Assistant starts"):
                await house.start(*owner)
            added = [await _add(place, house, folder, session, stack) for place in (FRONT_DOOR, GARDEN_GATE)]
            await play(house, added, lambda: house.start(*owner))
        except (ApiError, CheckError, ChildError, ClientError, TimeoutError) as err:
            print(f"  {type(err).__name__}: {err}")
            if not isinstance(err, ChildError):
                print("\nThe end of Home Assistant's log:\n" + house.child.tail())
            return 1
    print(f"all as it must be, in {time.monotonic() - began:.0f} s")
    return 0

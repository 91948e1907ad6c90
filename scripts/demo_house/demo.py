"""The house for people: it stays until Ctrl-C, and is kept for the next time."""

import argparse
from contextlib import AsyncExitStack
import shutil
from typing import Final

from aiohttp import ClientError, ClientSession

from .api import ApiError
from .cameras import demo_camera, use_models
from .house import House
from .household import EVERYBODY, Household
from .panels import PANELS, Panel
from .processes import ChildError, free_port
from .server_room import ServerRoom, demo_cameras, demo_servers
from .stations import FRONT_DOOR, GARDEN_GATE, Station, Terminal
from .steps import CheckError

_USER: Final = "demo"


async def _add(station: Station, what: str, house: House, stack: AsyncExitStack) -> str:
    """Switch a device on and add it; the line that says where its page is."""
    print(f"adding the {station.place.name.lower()} ...", flush=True)
    stack.push_async_callback(station.child.stop)
    await station.start()
    await station.add_to(house.api)
    return f"{station.place.name:18}{station.page}   {what}"


async def _move_in(house: House) -> None:
    """Name the people of the house, who are kept for the next time: one of them has a photo that no device can use."""
    household = Household(house.api)
    if not await household.begin():
        return
    print("adding the people of the household ...", flush=True)
    for resident in EVERYBODY:
        await household.add(resident)


async def demo(arguments: argparse.Namespace) -> int:
    """Start the house and its stations, say where they are, and stay."""
    if arguments.fresh:
        shutil.rmtree(arguments.folder, ignore_errors=True)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(ClientSession())
        use_models()
        house = House(arguments.folder, session, host=arguments.host, port=free_port(arguments.port, arguments.host))
        stack.push_async_callback(house.stop)
        pages: list[str] = []
        print("starting Home Assistant ...", flush=True)
        try:
            await house.start(_USER, _USER)
            for place in (FRONT_DOOR, GARDEN_GATE):
                terminal = Terminal(place, arguments.folder, session, first_port=8000)
                pages.append(await _add(terminal, "face terminal", house, stack))
                # A terminal names its firmware when it asks for a newer one: else only after its next start.
                await terminal.scene("ask_upgrade")
            for at in PANELS:
                panel = Panel(at, arguments.folder, session, first_port=8100)
                pages.append(await _add(panel, f"intercom panel {at.model}", house, stack))
            print("adding the recognition servers ...", flush=True)
            room = ServerRoom(arguments.folder, session, first_port=8300)
            pages += await stack.enter_async_context(demo_servers(house, room))
            await _move_in(house)
            pages += await stack.enter_async_context(demo_cameras(house, room, arguments.folder))
            pages.append(await stack.enter_async_context(demo_camera(house, arguments.folder)))
            print(f"\nHome Assistant    {house.address}   user {_USER}, password {_USER}", *pages, sep="\n")
            print("\nThe pages of the devices let you be the visitor. Ctrl-C ends it all.", flush=True)
            return await house.stay(_USER, _USER)
        except (ApiError, CheckError, ChildError, ClientError, TimeoutError) as err:
            print(f"{type(err).__name__}: {err}", flush=True)
            if not isinstance(err, ChildError):
                print(f"The end of Home Assistant's log:\n{house.child.tail()}", flush=True)
            return 1

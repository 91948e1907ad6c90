"""The families of stations that we speak to: a new brand is one package beside this file and one line here."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Protocol

import aiohttp

from . import panel, terminal
from .address import Address
from .station import Station, StationInfo


class Link(Protocol):
    """A way to a station, opaque to everybody but its family."""

    async def close(self) -> None: ...


class Family(Protocol):
    """What a vendor's package offers: ways to reach a station, and the station itself.

    `NEEDS_LOGIN`: its stations ask for a user name and a password. `ASKS`: they can ask us for their commands, over the
    link that `queued` makes.
    """

    NAME: str
    DEFAULT_PORT: int
    NEEDS_LOGIN: bool
    ASKS: bool

    def direct(self, session: aiohttp.ClientSession, address: Address) -> Link: ...
    def queued(self) -> Link: ...
    # A family takes only links of its own making, which no type can say here.
    async def identify(self, link: Any) -> StationInfo: ...
    def station(self, link: Any, info: StationInfo, time_zone: tzinfo) -> Station: ...


FAMILIES: Mapping[str, Family] = {"terminal": terminal.FAMILY, "panel": panel.FAMILY}

"""The families of stations that we speak to: a new brand is one package beside this file and one line here."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Protocol

import aiohttp

from . import terminal
from .station import Station, StationInfo


class Link(Protocol):
    """A way to a station, opaque to everybody but its family."""

    async def close(self) -> None: ...


class Family(Protocol):
    """What a vendor's package offers: ways to reach a station, and the station itself."""

    NAME: str
    DEFAULT_PORT: int

    def direct(self, session: aiohttp.ClientSession, host: str, port: int) -> Link: ...
    def queued(self) -> Link: ...
    # A family takes only links of its own making, which no type can say here.
    async def identify(self, link: Any) -> StationInfo: ...
    def station(self, link: Any, info: StationInfo, time_zone: tzinfo) -> Station: ...


FAMILIES: Mapping[str, Family] = {"terminal": terminal.FAMILY}

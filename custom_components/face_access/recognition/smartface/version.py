"""The version of a server, asked for once and remembered for a while: an update may come at any time."""

from collections.abc import Callable
import time
from typing import Final

from .caller import Caller
from .release import Release, VersionInfo, parse_version

_AGE: Final = 3600.0


class VersionKnown:
    """What the server is, as it said within the last hour."""

    def __init__(self, caller: Caller, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` counts seconds."""
        self._caller = caller
        self._clock = clock
        self.known: VersionInfo | None = None
        self._read_at = 0.0

    async def read(self) -> VersionInfo:
        """Ask the server. Raises every kind of EngineError."""
        self.known = parse_version(await self._caller.call("GET", "Version"))
        self._read_at = self._clock()
        return self.known

    async def since(self, release: Release) -> bool:
        """Whether the server is this release or a later one. Raises every kind of EngineError."""
        known = self.known
        if known is None or self._clock() - self._read_at > _AGE:
            known = await self.read()
        return known.since(release)

"""Everything a SmartFace server can do for us, typed: the 23 operations of the document."""

import aiohttp

from .caller import Caller
from .images import Images
from .members import Members
from .release import PRIVACY, SINGLE_FACE, VersionInfo
from .search import Faces
from .server import Server
from .transport import TIMEOUT
from .version import VersionKnown
from .watchlists import Watchlists


class SmartFaceClient:
    """A client of one server, on somebody else's session."""

    def __init__(self, session: aiohttp.ClientSession, server: Server, *, timeout: float = TIMEOUT) -> None:
        """Bind to a server. `timeout` in seconds; the server itself gives up after 10."""
        caller = Caller(session, server, timeout=timeout)
        self._version = VersionKnown(caller)
        self.watchlists = Watchlists(caller)
        self.members = Members(caller, self._version)
        self.faces = Faces(caller, self._version)
        self.images = Images(caller)

    async def version(self) -> VersionInfo:
        """Ask for the server's version. Raises every kind of EngineError."""
        return await self._version.read()

    @property
    def heeds_privacy(self) -> bool:
        """Whether the server, when it was last asked, was one that may be told to keep no pictures."""
        return self._version.known is not None and self._version.known.since(PRIVACY)

    async def refuses_crowds(self) -> bool:
        """Whether the server refuses photos with several faces by itself. Raises every kind of EngineError."""
        return await self._version.since(SINGLE_FACE)

"""Everything a BAS-IP panel of the families AA, BI and AV can be asked over its local HTTP API."""

from typing import Final

from .caller import Caller
from .door import Access
from .faces import Faces
from .identifiers import Identifiers
from .info import PanelInfo
from .link import PanelLink
from .locks import Locks
from .log import Log
from .media import PACE, Media
from .phone import Phone
from .profiles import Profiles
from .remote import Remote
from .system import System
from .webhooks import Webhooks

_ENROL_PAUSE: Final = 3.0


class PanelClient:
    """One panel. Every method may raise StationError (devices/errors.py)."""

    def __init__(
        self, link: PanelLink, *, serial: str | None = None, pace: float = PACE, enrol_pause: float = _ENROL_PAUSE
    ) -> None:
        """Talk over `link` to the panel `serial`; without one, to whichever is there.

        `pace` is the least time between two photos, `enrol_pause` how long to wait while the panel works on a face.
        """
        if serial is not None:
            link.serial = serial
        caller = Caller(link)
        self.link = link
        self.system = System(caller)
        """State, language, clock, network, restart, management server, syslog, firmware."""
        self.faces = Faces(caller)
        """Face recognition."""
        self.identifiers = Identifiers(caller, pause=enrol_pause)
        """Cards, codes, QR codes, plates and faces."""
        self.profiles = Profiles(caller)
        """When identifiers count."""
        self.locks = Locks(caller)
        """Open, hold open, deny, and how."""
        self.access = Access(caller)
        """Door sensor, free access, master code."""
        self.remote = Remote(caller)
        """Whom the panel asks before it decides."""
        self.phone = Phone(caller)
        """SIP, calls, forwarding."""
        self.media = Media(caller, link, pace=pace)
        """Photo, stream, volume, microphone, lights, infrared."""
        self.log = Log(caller)
        """What happened."""
        self.webhooks = Webhooks(caller)
        """Whom the panel tells what happens."""

    async def identify(self) -> PanelInfo:
        """Ask who the panel is; no login is needed."""
        return await self.link.identify()

    async def close(self) -> None:
        """Close the link."""
        await self.link.close()

"""Everything a face terminal can be asked, over either working mode: the whole of the HTTP API, chapter 2."""

from .audio import Audio
from .caller import Caller
from .control import Control
from .files import Files
from .link import Link
from .people import People
from .phone import Encryption, Mobile, Sip
from .records import Records
from .screen import Screen
from .setup import AppSettings, Schedule, StreamSettings
from .system import System


class TerminalClient:
    """One terminal. Every method may raise StationError (devices/errors.py)."""

    def __init__(self, link: Link, *, serial: str | None = None) -> None:
        """Talk over `link` to the terminal `serial`; without one, to the first that answers there."""
        caller = Caller(link, serial)
        self._caller = caller
        self.link = link
        self.people = People(caller)
        """2.1: list, upload, add, update, delete."""
        self.records = Records(caller)
        """2.2.2: past sightings."""
        self.app = AppSettings(caller)
        """2.3.1 to 2.3.3: application parameters, where pushes and questions go."""
        self.stream = StreamSettings(caller)
        """2.3.4 to 2.3.6: camera and video parameters."""
        self.schedule = Schedule(caller)
        """2.3.7 to 2.3.9: rules when people may pass."""
        self.control = Control(caller)
        """2.4 to 2.6: snapshot, relays, card output."""
        self.system = System(caller)
        """2.7 to 2.9, 2.13, 2.18: heartbeat, code, clock, power, hardware, volume."""
        self.screen = Screen(caller)
        """2.10: screensaver, media, text, picture."""
        self.audio = Audio(caller)
        """2.12: speech, sounds."""
        self.files = Files(caller)
        """2.14: download, upload."""
        self.encryption = Encryption(caller)
        """2.15: AES of names and ids."""
        self.sip = Sip(caller)
        """2.16: telephone."""
        self.mobile = Mobile(caller)
        """2.17: modem, traffic."""

    @property
    def serial(self) -> str | None:
        """The serial number of the terminal that must answer; None until one is known."""
        return self._caller.serial

    async def close(self) -> None:
        """Close the link."""
        await self.link.close()

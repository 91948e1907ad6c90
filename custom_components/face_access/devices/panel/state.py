"""What is known of a panel between two readings."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from .client import PanelClient
from .events import Context
from .journal import Journal

# The panel gives whole seconds, and the way there takes time: less than this is no difference.
_CLOCK_NOISE = timedelta(seconds=2)


class PanelState:
    """What was last read and told: the ground on which pushes and polls are understood."""

    def __init__(self, client: PanelClient, serial: str) -> None:
        """Start with nothing known."""
        self.client = client
        self.context = Context(serial=serial)
        self.journal = Journal(client.log)
        self.clock_known = False

    @property
    def booted_at(self) -> datetime | None:
        """When the panel last said that it had started, on our clock."""
        booted = self.journal.booted
        return None if booted is None else self.context.aware(booted)

    async def read_clock(self) -> datetime:
        """Ask the panel for its time, and keep how far it is off."""
        now = (await self.client.system.time()).now
        offset = now - datetime.now(UTC)
        if abs(offset) < _CLOCK_NOISE:
            offset = timedelta()
        self.context = replace(self.context, clock_offset=offset)
        self.clock_known = True
        self.journal.take_clock(round(now.timestamp() * 1000))
        return now

"""What is known of a terminal between two readings."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
import time

from .client import TerminalClient
from .params import AppParams
from .push import Context
from .settings import ONLINE_MODE

# The device gives whole seconds, and the way there takes time: less than this is no difference.
_CLOCK_NOISE = timedelta(seconds=2)
# A terminal that asks us before it opens is read at every ping (30 s), so this is three of them in vain.
_LIVENESS_AGE = 100.0


class TerminalState:
    """What the last reading said: the ground on which settings are written and pushes are understood."""

    def __init__(self, client: TerminalClient, time_zone: tzinfo) -> None:
        """Start with nothing read."""
        self.client = client
        self.time_zone = time_zone
        self.app = AppParams(raw={})
        self.context = Context(time_zone=time_zone)
        self._read_at = time.monotonic()

    async def read_app(self) -> None:
        """Ask for the parameters."""
        self.take_app(await self.client.app.read())
        self._read_at = time.monotonic()

    def known(self) -> Context:
        """What is known at this moment: whether a terminal checks for life, which may open a door, not from long ago.

        Somebody may have switched that off at the device since.
        """
        if self.context.online_mode and time.monotonic() - self._read_at > _LIVENESS_AGE:
            return replace(self.context, liveness=False)
        return self.context

    def take_app(self, app: AppParams) -> None:
        """Keep the parameters, and what follows from them for pushes."""
        self.app = app
        score = app.get("face.match_score")
        self.context = replace(
            self.context,
            match_score=None if score is None else float(score),
            liveness=app.get("face.enable_alive") is True,
            online_mode=app.get("gate_control.match_mode") == ONLINE_MODE,
        )

    def take_clock(self, device_time: datetime) -> timedelta:
        """Keep how far the device's clock is off."""
        offset = device_time.replace(tzinfo=self.time_zone) - datetime.now(self.time_zone)
        if abs(offset) < _CLOCK_NOISE:
            offset = timedelta()
        self.context = replace(self.context, clock_offset=offset)
        return offset

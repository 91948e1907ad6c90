"""What is known of a terminal between two readings."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from .client import TerminalClient
from .params import AppParams
from .push import Context
from .settings import ONLINE_MODE

# The device gives whole seconds, and the way there takes time: less than this is no difference.
_CLOCK_NOISE = timedelta(seconds=2)


class TerminalState:
    """What the last reading said: the ground on which settings are written and pushes are understood."""

    def __init__(self, client: TerminalClient, time_zone: tzinfo) -> None:
        """Start with nothing read."""
        self.client = client
        self.time_zone = time_zone
        self.app = AppParams(raw={})
        self.context = Context(time_zone=time_zone)

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

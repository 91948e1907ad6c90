"""A house whose clock is put forward: for what reads Home Assistant's clock. Whatever waits goes on as usual."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from unittest.mock import patch

from homeassistant.util import dt as dt_util
import pytest

from custom_components.face_access.hub.history import forgetting


class Clock:
    """Home Assistant's clock, which can be put forward."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take over."""
        utcnow, now = dt_util.utcnow, dt_util.now
        self.ahead = timedelta(0)

        def later(time_zone: tzinfo | None = None) -> datetime:
            return now(time_zone) + self.ahead

        monkeypatch.setattr(dt_util, "utcnow", lambda: utcnow() + self.ahead)
        monkeypatch.setattr(dt_util, "now", later)

    def forward(self, time: timedelta) -> None:
        """Let time pass."""
        self.ahead += time


@contextmanager
def history_ahead(time: timedelta) -> Iterator[None]:
    """Have history forget as if it were that much later: it goes by a clock of its own."""
    with patch.object(forgetting, "datetime", wraps=datetime) as clock:
        clock.now = lambda zone: datetime.now(zone) + time
        yield

"""How the news of a station that can be asked for them reach us: by webhook, over a broker, or by asking.

The upper rungs save the asking, and are trusted only as far as they were seen to work: until then, and when one of them
missed something, the station is asked all the time. Whatever comes twice is told once: the station sees to it.
"""

import asyncio
from collections.abc import Iterable
import contextlib
from datetime import datetime, timedelta
from enum import StrEnum

from homeassistant.core import CALLBACK_TYPE, HassJob, HomeAssistant, callback
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.util import dt as dt_util

from ...access import PUSHED, StationEvent
from ...const import CONF_BROKER, CONF_PUSH, LOGGER, PROVE_EVERY, READ_EVERY
from ...coordinator import FaceAccessCoordinator
from ...devices.errors import (
    StationAuthError,
    StationConnectionError,
    StationError,
    StationForbiddenError,
    StationProtocolError,
    StationRefusedError,
    StationUnsupportedError,
)
from ...devices.station import Feed, ProvableInbox
from .. import issues
from ..doors import questions
from . import broker_target, push_target
from .broker import BrokerEar
from .edge import Edge

# How long a test may take to get here, and how long a push may be on its way when we ask in between.
_PROOF_WITHIN = 10
_ON_ITS_WAY = timedelta(seconds=10)
_STOP_WITHIN = 3
# It is there, and will not tell.
_REFUSALS = (StationForbiddenError, StationProtocolError, StationRefusedError, StationUnsupportedError)


class Rung(StrEnum):
    """What is known of one way. `open`: nothing came yet, nothing went wrong; `leaking`: it missed something."""

    OFF = "off"
    BROKEN = "broken"
    OPEN = "open"
    LEAKING = "leaking"
    PROVEN = "proven"


class Ladder:
    """The ways of one station's news, tried from the top."""

    def __init__(self, hass: HomeAssistant, coordinator: FaceAccessCoordinator, edge: Edge, feed: Feed) -> None:
        """Bind to a station that has a feed."""
        self._hass = hass
        self._coordinator = coordinator
        self._entry = coordinator.config_entry
        self._edge = edge
        self._feed = feed
        self._ear = BrokerEar(hass, coordinator.station.broker, self._on_published)
        self.webhook = Rung.OFF
        self.broker = Rung.OFF
        self._proven_at: datetime | None = None
        self._checked_at: datetime | None = None
        self._since: datetime | None = None
        self._timer: CALLBACK_TYPE | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopped = False
        self._first_questions = True
        self._first_broker = True
        self._refused = 0

    @property
    def asks(self) -> bool:
        """Whether the station is asked all the time, since nothing above is known to work."""
        return Rung.PROVEN not in (self.webhook, self.broker)

    @callback
    def async_start(self) -> None:
        """Begin, and begin anew each time the station comes back."""
        self._entry.async_on_unload(self._coordinator.async_add_listener(self._on_update))
        self._now()

    @callback
    def async_look(self) -> None:
        """Ask now what is new, whatever is trusted: somebody waits for it."""
        self._now()

    async def async_stop(self) -> None:
        """End; what is being asked may still come to its end."""
        self._stopped = True
        self._cancel_timer()
        self._ear.stop()
        if self._task is not None and not self._task.done():
            _, late = await asyncio.wait({self._task}, timeout=_STOP_WITHIN)
            for task in late:
                task.cancel()

    # When

    @callback
    def _on_update(self) -> None:
        if not self._coordinator.last_update_success:
            self._since = None
        elif self._since is None:
            self._now()

    @callback
    def _now(self, _time: datetime | None = None) -> None:
        self._cancel_timer()
        if not self._stopped and (self._task is None or self._task.done()):
            self._task = self._entry.async_create_background_task(self._hass, self._climb(), "face_access news")

    @callback
    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer()
            self._timer = None

    async def _climb(self) -> None:
        pause = self._feed.interval
        try:
            if self._coordinator.last_update_success:
                await self._take_turn()
                pause = self._feed.interval if self.asks else READ_EVERY
        except (StationConnectionError, StationAuthError) as err:
            LOGGER.debug("%s: no news: %s", self._coordinator.name, type(err).__name__)
            await self._coordinator.async_refresh()
        except StationError as err:
            LOGGER.debug("%s tells no news: %s", self._coordinator.name, type(err).__name__)
            pause = self._bear_refusal(err)
        finally:
            if not self._stopped:
                self._timer = async_call_later(self._hass, pause, HassJob(self._now, cancel_on_shutdown=True))

    async def _take_turn(self) -> None:
        now = dt_util.utcnow()
        back = self._since is None
        self._since = self._since or now
        if self.webhook is Rung.OPEN and self._coordinator.pushed.is_set():
            self._prove_webhook()
        if back:
            # From here on all is news, whichever way it comes: what happens while the others are tried out is not lost.
            with contextlib.suppress(*_REFUSALS):
                await self._ask()
        if back or self._checked_at is None or now - self._checked_at >= READ_EVERY:
            # First: what happens from here on is to come that way.
            await self._check_webhook()
            await self._check_broker()
            await questions.async_check(self._coordinator, first=self._first_questions)
            self._first_questions = False
            self._checked_at = now
        await self._ask()

    async def _ask(self) -> None:
        """Ask for what is new."""
        events = await self._feed.poll()
        self._refused = 0
        issues.log_told(self._hass, self._entry)
        self._look_for_missed((*(event.at for event in events if isinstance(event, PUSHED)), *self._feed.untold))
        await self._edge.async_report(events)

    # The first rung

    async def _check_webhook(self) -> None:
        """Make our webhook, or look whether it is still there, and try it out once a day."""
        if not self._entry.data.get(CONF_PUSH):
            # Consent that was taken back while the station was away.
            await push_target.async_restore(self._hass, self._entry, self._coordinator.station)
            return
        try:
            if self._is_fresh() and await self._is_there():
                return
            await self._make_webhook()
        except StationUnsupportedError as err:
            LOGGER.debug("%s has no webhooks: %s", self._coordinator.name, err)
            self.webhook = Rung.OFF
        except StationConnectionError, StationAuthError:
            raise
        except (StationError, NoURLAvailableError) as err:
            LOGGER.debug("%s: no webhook: %s", self._coordinator.name, type(err).__name__)
            self._break_webhook()

    def _is_fresh(self) -> bool:
        if self.webhook not in (Rung.PROVEN, Rung.LEAKING) or self._proven_at is None:
            return False
        return dt_util.utcnow() - self._proven_at < PROVE_EVERY

    async def _is_there(self) -> bool:
        inbox = self._coordinator.station.expect_inbox()
        there = await inbox.points_to(push_target.async_own_target(self._hass, self._entry))
        if not there:
            LOGGER.info("%s lost its webhook; it gets it again", self._coordinator.name)
        return there

    async def _make_webhook(self) -> None:
        """Put our webhook in place, and have it tried out where the station can do that."""
        inbox, pushed = self._coordinator.station.expect_inbox(), self._coordinator.pushed
        await push_target.async_redirect(self._hass, self._entry, self._coordinator.station)
        if not isinstance(inbox, ProvableInbox):
            self.webhook = Rung.OPEN
            return
        pushed.clear()
        try:
            await inbox.prove(push_target.async_own_target(self._hass, self._entry))
            async with asyncio.timeout(_PROOF_WITHIN):
                await pushed.wait()
        except StationUnsupportedError:
            # It has webhooks, but cannot try them out. The next thing that happens will tell.
            self.webhook = Rung.OPEN
        except TimeoutError:
            self._break_webhook()
        else:
            self._prove_webhook()

    def _prove_webhook(self) -> None:
        self.webhook, self._proven_at = Rung.PROVEN, dt_util.utcnow()
        issues.webhook_missing(self._hass, self._entry, missing=False)

    def _break_webhook(self) -> None:
        self.webhook = Rung.BROKEN
        issues.webhook_missing(self._hass, self._entry, missing=True)

    async def async_try_webhook(self) -> bool:
        """Make our webhook once more; whether it works. Raises StationError, NoURLAvailableError."""
        await self._make_webhook()
        return self.webhook is not Rung.BROKEN

    # The second rung

    async def _check_broker(self) -> None:
        listens = bool(self._entry.options.get(CONF_BROKER)) and await self._ear.async_listen()
        works = self.broker is Rung.PROVEN
        if listens or broker_target.async_wanted(self._entry) is None:
            # Not while nobody listens: it would be taken from where it is heard now.
            await broker_target.async_check(self._coordinator, first=self._first_broker, works=works)
            self._first_broker = False
        if not self._entry.options.get(CONF_BROKER):
            return
        if not listens:
            self.broker = Rung.BROKEN
        elif self.broker in (Rung.OFF, Rung.BROKEN):
            self.broker = Rung.OPEN
        issues.broker_missing(self._hass, self._entry, missing=self.broker in (Rung.BROKEN, Rung.LEAKING))

    async def _on_published(self, events: tuple[StationEvent, ...]) -> None:
        self.broker = Rung.PROVEN
        issues.broker_missing(self._hass, self._entry, missing=False)
        issues.broker_elsewhere(self._hass, self._entry, elsewhere=False)
        await self._edge.async_report(events)

    # The last one

    async def async_try_log(self) -> None:
        """Ask once more for the log that was refused. Raises StationError when it still is."""
        self._now()
        if self._task is not None:
            await asyncio.wait({self._task})
        if self._refused:
            raise StationError("the station does not tell its log")

    def _bear_refusal(self, err: StationError) -> timedelta:
        """It is there and will not tell. Once may be a moment's trouble; else asking all the time changes nothing."""
        self._refused += 1
        if self._refused == 1:
            return self._feed.interval
        issues.log_refused(self._hass, self._entry, forbidden=isinstance(err, StationForbiddenError))
        return READ_EVERY

    def _look_for_missed(self, found: Iterable[datetime]) -> None:
        """Find out whether something had to be asked for that should have been pushed long ago."""
        until = dt_util.utcnow() - _ON_ITS_WAY
        since = max(filter(None, (self._since, self._proven_at)), default=until)
        if not any(since < moment < until for moment in found):
            return
        LOGGER.debug("%s: something happened that was not pushed", self._coordinator.name)
        if self.webhook is Rung.PROVEN:
            self.webhook = Rung.LEAKING
            issues.webhook_missing(self._hass, self._entry, missing=True)
        if self.broker is Rung.PROVEN:
            self.broker = Rung.LEAKING

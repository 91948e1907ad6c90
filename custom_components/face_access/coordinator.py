"""One station in Home Assistant: its readings, what it reports, and who hears of it."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, override

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_HOST
from homeassistant.core import CALLBACK_TYPE, Context, HomeAssistant, callback
from homeassistant.exceptions import ConfigEntryAuthFailed
from homeassistant.helpers.event import async_call_later
from homeassistant.helpers.network import NoURLAvailableError
from homeassistant.helpers.update_coordinator import DataUpdateCoordinator, UpdateFailed
from homeassistant.util import dt as dt_util

from .access import (
    Alarm,
    Booted,
    CallChanged,
    CallState,
    ContactMoved,
    Decision,
    DoorPolicy,
    FirmwareReported,
    Person,
    Proof,
    Reason,
    Ring,
    Sighting,
    SightingKey,
    StationEvent,
    Verdict,
    decide,
    decide_shown,
)
from .const import CONF_FEATURES, CONF_PUSH, DOMAIN, LOGGER, PING_EVERY, READ_EVERY, RING_ONCE_IN, SILENT_AFTER
from .devices.errors import StationAuthError, StationError, StationUnsupportedError, WrongStationError
from .devices.station import Reading, SettingValue, Station
from .hub import issues, restart
from .hub.doors.policies import policy_of
from .hub.errors import translated
from .hub.history.catch_up import CatchUp
from .hub.history.store import History
from .hub.news import push_target
from .hub.news.facts import after

if TYPE_CHECKING:
    from .hub.doors.judgement import Case
    from .hub.news.ladder import Ladder

type FaceAccessConfigEntry = ConfigEntry[FaceAccessCoordinator]
type Listener = Callable[[StationEvent], None]
type FindProofs = Callable[[Person, str, datetime], Collection[Proof]]
type Judged = Callable[[Case], None]
type Identify = Callable[[Sighting, Person | None], tuple[Sighting, Person | None]]


class FaceAccessCoordinator(DataUpdateCoordinator[Reading]):
    """Reads a station, and hands what it reports to entities.

    A station that calls us (`queued`) is online while it keeps asking; one that we call is online while it answers.
    """

    config_entry: FaceAccessConfigEntry

    def __init__(self, hass: HomeAssistant, entry: FaceAccessConfigEntry, station: Station, history: History) -> None:
        """Bind a station to its entry."""
        self.station = station
        self.history = history
        self.queued = station.inbox is not None and CONF_HOST not in entry.data
        self.last_sighting: Sighting | None = None
        self.decided: tuple[SightingKey, Context] | None = None
        """The last sighting that we decided on, and the context in which that was told."""
        self.unstored: dict[SightingKey, tuple[Verdict, Reason | None]] = {}
        """What came of sightings that no disk remembers, the oldest first."""
        self.async_identify: Identify = lambda sighting, known: (sighting, known)
        """Put the household's name to a sighting; replaced by who knows the household (hub/people/household.py)."""
        self.async_proofs: FindProofs = lambda _person, _door, _now: ()
        """Find the second factors that a person gave at a door; replaced by who does (hub/doors/second_factors.py)."""
        self.async_judged: Judged = lambda _case: None
        """Hear what was decided; replaced likewise."""
        self.async_shown: Callable[[str, datetime], None] = lambda _person, _at: None
        """Hear that a person of the household showed a card or a code of theirs; replaced likewise."""
        self.call_state: CallState | None = None
        self.called_at: datetime | None = None
        self._rang_at: datetime | None = None
        self.redirected = False
        self.pushed = asyncio.Event()
        """Set when something genuine was pushed; for whoever tries a push out."""
        self.ladder: Ladder | None = None
        self._listeners_of_events: list[tuple[bool, Listener]] = []
        self._read_at: datetime | None = None
        self.online_since: datetime | None = None
        """Since when the station answers without a break."""
        self.catch_up = CatchUp(self)
        self._silence: CALLBACK_TYPE | None = None
        self._first: asyncio.Task[None] | None = None
        super().__init__(
            hass,
            LOGGER,
            config_entry=entry,
            name=station.info.name,
            update_interval=READ_EVERY if self.queued else PING_EVERY,
            always_update=False,
        )
        self.data = Reading()

    @property
    def serial(self) -> str:
        """The station's serial number: its identity everywhere."""
        return self.station.info.serial

    def door_id(self, number: int) -> str:
        """The household's name for one of the station's doors: what a person's permission refers to."""
        return f"{self.serial}_{number}"

    @property
    def features(self) -> frozenset[str]:
        """Keys of the settings and facts that this station was ever seen to have."""
        return frozenset(self.config_entry.data.get(CONF_FEATURES, ()))

    async def async_start(self) -> None:
        """Load what was known, and take the first reading where the station is one that we call.

        A station that calls us may do so in a second or in an hour, and a camera that we watch is some other
        integration's: their entities wait as unavailable.
        """
        self.last_sighting = await self.history.last(self.serial)
        if self.queued:
            self.last_update_success = False
        elif self.station.lookout is not None:
            self.last_update_success = False
            await self.async_refresh()
        else:
            await self.async_config_entry_first_refresh()

    @callback
    def async_resume(self) -> None:
        """Read a station whose question is being held since before a reload. Its answers must find our door open."""
        if self.queued and self.station.expect_inbox().asking:
            self.async_seen()

    @override
    async def _async_update_data(self) -> Reading:
        if self.queued and self._silence is None:
            raise UpdateFailed(translation_domain=DOMAIN, translation_key="silent")
        now = dt_util.utcnow()
        was_offline = not self.last_update_success
        full = was_offline or self._read_at is None or now - self._read_at >= READ_EVERY
        try:
            if full:
                reading = await self.station.reader.read()
                self._read_at = now
            else:
                offset = await self.station.reader.ping()
                # Only now: what was reported during the ping is in it.
                reading = replace(self.data, clock_offset=offset)
        except WrongStationError as err:
            issues.wrong_station(self.hass, self.config_entry, err.found)
            raise UpdateFailed(**translated(err)) from err
        except StationAuthError as err:
            raise ConfigEntryAuthFailed(**translated(err)) from err
        except StationError as err:
            # A call of before the outage is not the call of after it.
            self.call_state = None
            raise UpdateFailed(**translated(err)) from err
        issues.clock(self.hass, self.config_entry, reading.clock_offset)
        restart.read(self.hass, self.config_entry, reading)
        # A station that calls us need not be pinged, its questions are the sign of life; unless it opens by our word.
        rare = self.queued and not self.station.expect_inbox().asks_decisions
        self.update_interval = READ_EVERY if rare else PING_EVERY
        if was_offline or self.online_since is None:
            self.online_since = now
        if full:
            issues.right_station(self.hass, self.config_entry)
        if full and not self._learn_features(reading):
            if self.station.feed is None:
                await self._async_check_push_target()
            self.config_entry.async_create_background_task(self.hass, self.catch_up.async_run(), "face_access catch-up")
        return reading

    async def _async_check_push_target(self) -> None:
        """Point the station's pushes to us once. If somebody points them elsewhere later, say so: no fight."""
        if not self.config_entry.data.get(CONF_PUSH):
            return
        try:
            if not self.redirected:
                await push_target.async_redirect(self.hass, self.config_entry, self.station)
                self.redirected = True
                return
            inbox, target = self.station.expect_inbox(), push_target.async_own_target(self.hass, self.config_entry)
            if not await inbox.points_to(target):
                issues.push_missing(self.hass, self.config_entry)
        except (StationError, NoURLAvailableError) as err:
            # At every full reading again, so the log hears of it in detail only; the repair issue tells the user.
            LOGGER.debug("%s could not be told where to send its pushes: %s", self.name, type(err).__name__)
            issues.push_missing(self.hass, self.config_entry)

    def _learn_features(self, reading: Reading) -> bool:
        """Remember what the station has, so that its entities exist while it is away.

        New ones need a reload: when this says so, whatever else there is to do is for the entry's next life.
        """
        found, known = {*reading.settings, *reading.facts}, self.features
        if not (new := found - known):
            return False
        LOGGER.debug("%s: new features %s", self.name, sorted(new))
        data = {**self.config_entry.data, CONF_FEATURES: sorted(known | found)}
        self.hass.config_entries.async_update_entry(self.config_entry, data=data)
        if known:
            self.hass.config_entries.async_schedule_reload(self.config_entry.entry_id)
        return bool(known)

    async def async_read_again(self) -> None:
        """Read everything now: what was just written must show as the device has it."""
        self._read_at = None
        # Shielded: an automation that is restarted in the middle would else leave the reading broken off, as a failure.
        # Not the entry's own task: the reading may find new features, and the reload for them must not cancel it.
        # In the background: Home Assistant must not wait with its stop for a device that does not answer.
        name = "face_access reading after a change"
        await asyncio.shield(self.hass.async_create_background_task(self.async_refresh(), name))

    async def async_write_setting(self, key: str, value: SettingValue) -> None:
        """Write one setting. Whatever comes of it, the entities show the device's true state afterwards."""
        if self.station.settings is None:
            raise StationUnsupportedError(key)
        before = self.data.settings.get(key)
        try:
            await self.station.settings.write(key, value)
            if self.station.settings.described[key].needs_restart and value != before:
                restart.needed(self.hass, self.config_entry, before, value)
        finally:
            await self.async_read_again()

    # What the station reports

    @callback
    def async_subscribe(self, listener: Listener, *, last: bool = False) -> CALLBACK_TYPE:
        """Hear of every live event. `last` for those that must find pictures and sensors up to date."""
        item = (last, listener)
        self._listeners_of_events.append(item)
        return lambda: self._listeners_of_events.remove(item)

    @callback
    def async_dispatch(self, event: StationEvent) -> None:
        """Tell everybody of a live event."""
        if isinstance(event, Sighting):
            event, _ = self.async_identify(event, None)
        match event:
            case Sighting():
                self.last_sighting = event
            case CallChanged():
                self.call_state = event.state
            case FirmwareReported():
                self.async_update_listeners()
            case Booted():
                restart.booted(self.hass, self.config_entry, event.at)
            case ContactMoved() | Alarm():
                self.data = after(self.data, event)
                self.async_update_listeners()
            case Ring():
                if self.is_echo(event):
                    return
                self._rang_at = event.at
            case _:
                pass
        for _, listener in sorted(self._listeners_of_events, key=lambda item: item[0]):
            try:
                listener(event)
            except Exception:  # noqa: BLE001 (logged whole: one entity's fault must not silence the bell)
                LOGGER.exception("%s: an event could not be shown", self.name)

    @callback
    def is_echo(self, ring: Ring) -> bool:
        """A ring that is none: the device sent it twice, or the call is one that Home Assistant began."""
        # Either way: a clock that jumped ahead and back must not keep the bell silent until that time comes again.
        repeated = self._rang_at is not None and abs(ring.at - self._rang_at) < RING_ONCE_IN
        called = self.called_at is not None and timedelta() <= ring.at - self.called_at < RING_ONCE_IN
        return repeated or called

    @callback
    def async_decide(
        self, sighting: Sighting, person: Person | None, *, door: int, held: datetime | None = None
    ) -> Decision:
        """Decide for a station that waits for our word before it opens its door of that number."""
        return self.async_decide_at(sighting, person, self.door_id(door), self.policy(door), held=held)

    @callback
    def async_decide_at(
        self,
        sighting: Sighting,
        person: Person | None,
        name: str,
        policy: DoorPolicy,
        *,
        held: datetime | None = None,
    ) -> Decision:
        """Decide about a door by the household's name for it, now."""
        now = dt_util.utcnow()
        proofs = () if person is None else self.async_proofs(person, name, now)
        return decide(sighting, person, name, now, policy, proofs=proofs, held=held)

    @callback
    def async_decide_shown(self, person: Person | None, door: int) -> Decision:
        """Decide for a station that asks whether a card or a code of somebody opens its door of that number."""
        return decide_shown(person, self.door_id(door), dt_util.utcnow(), self.policy(door))

    def policy(self, door: int) -> DoorPolicy:
        """What the station's door of that number asks for before it opens."""
        return policy_of(self.config_entry.options, door)

    @property
    def decides_itself(self) -> bool:
        """Whether the station opens for whom it knows, without waiting for our word."""
        return self.station.inbox is not None and not self.station.inbox.asks_decisions

    # A station that calls us

    @callback
    def async_seen(self) -> None:
        """The station asked for a command: it is there, for now."""
        if self._silence is not None:
            self._silence()
        self._silence = async_call_later(self.hass, SILENT_AFTER, self._async_gone_silent)
        if self.last_update_success or (self._first is not None and not self._first.done()):
            return
        # In the background: an entry that is unloaded must not wait for a reading with its webhooks closed.
        self._first = self.config_entry.async_create_background_task(
            self.hass, self.async_refresh(), "face_access first reading"
        )

    @callback
    def _async_gone_silent(self, _now: datetime) -> None:
        self._silence = None
        self.call_state = None
        self.async_set_update_error(UpdateFailed(translation_domain=DOMAIN, translation_key="silent"))

    @override
    async def async_shutdown(self) -> None:
        """Stop listening for silence too."""
        if self._silence is not None:
            self._silence()
            self._silence = None
        await super().async_shutdown()

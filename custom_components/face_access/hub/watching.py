"""A camera entity as a source of sightings: when it is looked at, and what becomes of whom it shows.

Frames are stills, fetched one after the other and never more often than the household allows: while a motion sensor or
a doorbell says so, else in a slow rhythm that quickens while something moves, else when somebody asks for it. Who looks
at them is an `Eye`: the local engine, or a server.
"""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from homeassistant.components.event import DOMAIN as EVENT_DOMAIN
from homeassistant.const import STATE_ON, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HassJob, HomeAssistant, State, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_call_later, async_track_state_change_event
from homeassistant.util import dt as dt_util

from ..access import Sighting
from ..const import CONF_CAMERA, CONF_RATE, CONF_TRIGGERS, DEFAULT_RATE, LOGGER
from ..devices.errors import StationConnectionError
from ..recognition.errors import EngineError, ModelError, RecognitionError, RecognitionOffError, WorkerBusyError
from . import issues
from .eye import Eye
from .watched import Watched

if TYPE_CHECKING:
    from ..coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
    from .camera_station import CameraSettings

# Long enough to come from the motion sensor to the door, or to the bell again.
WATCH_FOR: Final = 30.0
# Whoever presses the button stands before the camera.
LOOK_FOR: Final = 5.0
# Between two frames while nothing moves. A camera may have to be asked over the network for each of them.
IDLE_PAUSE: Final = 2.0
# After these many seconds a face that is gone is forgotten (recognition/vote.py), and a little later.
SETTLE_AFTER: Final = 3.5
# What a machine that is too slow to follow takes a look with: two that agree, and one to spare.
SHOTS: Final = 3
# Seconds a picture may take, from which a machine is too slow, and below which it no longer is.
SLOW: Final = 0.7
NOT_SLOW: Final = 0.5
_FETCH_WITHIN: Final = 10
LONGEST_PAUSE: Final = 60.0


class Watching:
    """One camera that is watched, from `async_start` until its entry is unloaded."""

    def __init__(self, hass: HomeAssistant, entry: FaceAccessConfigEntry, settings: CameraSettings) -> None:
        """Bind to a camera's entry."""
        self._hass = hass
        self._entry = entry
        self.settings = settings
        self._camera: str = entry.data[CONF_CAMERA]
        self._triggers: list[str] = entry.options.get(CONF_TRIGGERS, [])
        self._pace: float = 1 / entry.options.get(CONF_RATE, DEFAULT_RATE)
        self._eye: Eye
        self._coordinator: FaceAccessCoordinator
        self._watched: Watched
        self._problem: EngineError | ModelError | None = None
        self._timer: CALLBACK_TYPE | None = None
        self._fetching = asyncio.Lock()
        self._stopped = False
        self._settled = True
        self._failures = 0
        self._asked_at = float("-inf")
        self._until = 0.0
        self._shots = 0
        self._on: set[str] = set()
        self.slow = False

    # Beginning and end

    @callback
    def async_start(self, coordinator: FaceAccessCoordinator, eye: Eye) -> None:
        """Watch until the entry is unloaded."""
        self._coordinator, self._eye = coordinator, eye
        self._watched = Watched(self._hass, coordinator)
        self.settings.listener = self._async_settings_changed
        registry = er.async_get(self._hass)
        triggers = [found for name in self._triggers if (found := er.async_resolve_entity_id(registry, name))]
        for names, heard in (([self.entity_id], self._async_camera_changed), (triggers, self._async_triggered)):
            self._entry.async_on_unload(async_track_state_change_event(self._hass, names, heard))
        self._on = {name for name in triggers if _is_on(self._hass.states.get(name))}
        self._entry.async_on_unload(self._async_stop)
        self.async_check_soon()
        self._async_plan()

    @callback
    def _async_stop(self) -> None:
        self._stopped = True
        self.settings.listener = None
        self._async_cancel_timer()
        self._eye.stop()

    @property
    def entity_id(self) -> str:
        """The camera as it is called now."""
        return er.async_resolve_entity_id(er.async_get(self._hass), self._camera) or self._camera

    @property
    def there(self) -> bool:
        """Whether the camera is."""
        state = self._hass.states.get(self.entity_id)
        return state is not None and state.state != STATE_UNAVAILABLE

    @property
    def diagnostics(self) -> dict[str, Any]:
        """What helps to find out why nobody is recognised."""
        return {
            "problem": None if self._problem is None else str(self._problem),
            "seconds": self._eye.seconds,
            "slow": self.slow,
            "unmeasured_model": self._eye.unmeasured,
            "failures": self._failures,
            "demanded": self._demanded,
        }

    # Whether it could look

    @callback
    def async_check_soon(self) -> None:
        """Find out anew whether the eye can look, and how fast: models were added, or the mode is another one."""
        if not self._stopped:
            self._entry.async_create_background_task(self._hass, self._check(), "face_access recognition check")

    async def _check(self) -> None:
        try:
            seconds = await self._eye.check()
        except WorkerBusyError as err:
            LOGGER.debug("%s: recognition was not checked: %s", self._entry.title, err)
        except RecognitionError as err:
            LOGGER.debug("%s: recognition cannot work: %s", self._entry.title, err)
            self.async_trouble(err)
        else:
            self.async_trouble(None)
            issues.model_unmeasured(self._hass, self._entry, self._eye.unmeasured)
            self._measure(seconds)

    @callback
    def async_trouble(self, problem: RecognitionError | None) -> None:
        """Hear that the eye cannot look, or that it can again."""
        if self._stopped:
            return
        # A single picture that is none says nothing against the next.
        self._problem = problem if isinstance(problem, (EngineError, ModelError)) else None
        issues.models(self._hass, self._entry, problem if isinstance(problem, ModelError) else None)
        issues.engine_away(self._hass, self._entry, str(problem) if isinstance(problem, EngineError) else None)
        self._async_plan()

    @callback
    def _measure(self, tested: float | None = None) -> None:
        """Find out whether this machine can follow the camera: by a test, and by how long pictures really took.

        One that cannot takes a few pictures when there is reason to, and says so. To follow again it must pass a test.
        """
        longest = max(tested or 0, self._eye.seconds or 0)
        slow = longest >= (NOT_SLOW if self.slow else SLOW)
        if slow is self.slow or (self.slow and tested is None):
            return
        self.slow = slow
        manner = "it is looked at now and then" if slow else "it is followed again"
        LOGGER.info("%s: a picture of the camera takes %.1f s, %s", self._entry.title, longest, manner)
        self._eye.slow(slow)
        issues.machine_slow(self._hass, self._entry, longest if slow else None)
        self._async_plan()

    # When to look

    @callback
    def _async_settings_changed(self, key: str) -> None:
        if key == "recognition_mode":
            self.async_check_soon()
        self._async_plan()

    @callback
    def _async_camera_changed(self, _event: Event[EventStateChangedData]) -> None:
        if self.there is not self._coordinator.last_update_success:
            self._entry.async_create_background_task(
                self._hass, self._coordinator.async_refresh(), "face_access camera came or went"
            )
        self._async_plan()

    @callback
    def _async_triggered(self, event: Event[EventStateChangedData]) -> None:
        name, before, state = event.data["entity_id"], event.data["old_state"], event.data["new_state"]
        if name.startswith(f"{EVENT_DOMAIN}."):
            happened = _has_happened(before, state)
        else:
            happened = _is_on(state) and not _is_on(before)
            (self._on.add if _is_on(state) else self._on.discard)(name)
        if happened and self.settings.autostart:
            self._demand(WATCH_FOR)
        self._async_plan()

    async def look(self) -> None:
        """Look now, whatever the settings say of when.

        Raises StationConnectionError when the camera shows nothing, and RecognitionError when nobody could look.
        """
        if not self.settings.enabled:
            raise RecognitionOffError("recognition is switched off")
        if self._problem is not None:
            # It may have been put right a moment ago.
            await self._check()
        if self._problem is not None:
            raise self._problem
        self._demand(LOOK_FOR)
        if not await self._take():
            raise StationConnectionError("no picture")
        self._async_plan()

    def _demand(self, seconds: float) -> None:
        if self.slow:
            self._shots = SHOTS
        self._until = max(self._until, self._hass.loop.time() + seconds)

    @callback
    def _async_plan(self) -> None:
        """Set the time of the next frame, or of a last word on the faces that were there; of nothing after that."""
        self._async_cancel_timer()
        # Whoever is fetching plans what comes next.
        if self._stopped or self._fetching.locked():
            return
        pause = self._pause()
        if pause is None and self._settled:
            return
        action = self._async_settle if pause is None else self._async_take_turn
        if pause is None:
            pause = max(SETTLE_AFTER, 2 * (self._eye.seconds or 0))
        elif self._failures:
            pause = max(pause, min(2.0 ** min(self._failures, 10), LONGEST_PAUSE))
        left = self._asked_at + pause - self._hass.loop.time()
        self._timer = async_call_later(self._hass, max(0.0, left), HassJob(action, cancel_on_shutdown=True))

    @callback
    def _async_cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer()
            self._timer = None

    def _pause(self) -> float | None:
        """Seconds from this frame to the next; None while there is no reason to look."""
        if self._stopped or not self.settings.enabled or not self.there:
            return None
        pace = max(self._pace, self._eye.seconds or 0)
        if self.slow:
            return pace if self._shots > 0 else None
        if self._demanded:
            return pace
        if not self.settings.autostart or (self._triggers and not self._on):
            return None
        if self._problem is not None:
            # Somebody may put it right by hand.
            return LONGEST_PAUSE
        # A sensor that stays on for long may mean anything: no hurry any more.
        return pace if self._eye.awake and not self._triggers else max(pace, IDLE_PAUSE)

    @property
    def _demanded(self) -> bool:
        return self._hass.loop.time() < self._until

    @callback
    def async_report(self, sighting: Sighting) -> None:
        """Hear of a sighting of the eye's."""
        if not self._stopped:
            self._watched.async_report(sighting)

    # Looking

    @callback
    def _async_take_turn(self, _now: datetime) -> None:
        self._timer = None
        name = f"face_access watching {self._entry.title}"
        self._entry.async_create_background_task(self._hass, self._take_turn(), name)

    async def _take_turn(self) -> None:
        await self._take()
        self._async_plan()

    @callback
    def _async_settle(self, _now: datetime) -> None:
        self._timer = None
        self._settled = True
        try:
            self._eye.settle()
        except WorkerBusyError as err:
            LOGGER.debug("%s: faces that are gone are told of later: %s", self._entry.title, err)
        if self.slow:
            self.async_check_soon()

    async def _take(self) -> bool:
        """Fetch a frame and show it to the eye; False when there was none."""
        # Only now: the camera integration has requirements, which are there once it has an entity.
        from homeassistant.components import camera  # noqa: PLC0415

        async with self._fetching:
            on_motion = not (self._demanded or self._triggers)
            # Of before the question: a frame that was long on its way is an old one.
            self._asked_at, captured_at = self._hass.loop.time(), dt_util.utcnow()
            try:
                content = (await camera.async_get_image(self._hass, self.entity_id, _FETCH_WITHIN)).content
            except Exception as err:  # noqa: BLE001 - whatever a camera's own integration raises is the camera's trouble
                self._note_blind(err)
                return False
        # Home Assistant lets no cancellation through while it waits for a camera.
        if self._stopped:
            return True
        self._note_sight()
        self._watched.async_note(content)
        self._shots = max(0, self._shots - 1)
        self._settled = False
        self._eye.offer(content, captured_at, on_motion=on_motion)
        self._measure()
        return True

    def _note_blind(self, err: Exception) -> None:
        level = LOGGER.debug if self._failures else LOGGER.warning
        level("%s: the camera gives no picture: %s", self._entry.title, str(err) or type(err).__name__)
        self._failures += 1

    def _note_sight(self) -> None:
        if self._failures:
            LOGGER.info("%s: the camera gives pictures again", self._entry.title)
        self._failures = 0


def _is_on(state: State | None) -> bool:
    return state is not None and state.state == STATE_ON


def _has_happened(before: State | None, state: State | None) -> bool:
    """Whether an event entity fired: coming back it shows once more what happened before."""
    if before is None or state is None or state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
        return False
    return before.state not in (STATE_UNAVAILABLE, state.state)

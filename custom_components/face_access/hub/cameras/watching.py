"""A camera entity as a source of sightings: when it is looked at, and what becomes of whom it shows.

Frames are stills, fetched one after the other and never more often than the household allows: while a motion sensor or
a doorbell says so, else in a slow rhythm that quickens while something moves, else when somebody asks for it. Who looks
at them is an `Eye`: the local engine, or a server.
"""

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from homeassistant.const import STATE_UNAVAILABLE
from homeassistant.core import CALLBACK_TYPE, Event, EventStateChangedData, HassJob, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.event import async_call_later, async_track_state_change_event
from homeassistant.util import dt as dt_util

from ...access import DoorPolicy, Sighting
from ...const import CONF_CAMERA, CONF_DOOR, CONF_RATE, CONF_TRIGGERS, DEFAULT_RATE, LOGGER
from ...devices.errors import StationConnectionError
from ...recognition.errors import RecognitionError, RecognitionOffError, WorkerBusyError
from ...recognition.pace import Stills
from .eye import Eye
from .fitness import Fitness
from .occasions import Occasions
from .watched import Watched

if TYPE_CHECKING:
    from ...coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
    from .station import CameraSettings

# Long enough to come from the motion sensor to the door, or to the bell again.
WATCH_FOR: Final = 30.0
# Whoever presses the button stands before the camera.
LOOK_FOR: Final = 5.0
# Between two frames while nothing moves. A camera may have to be asked over the network for each of them.
IDLE_PAUSE: Final = 2.0
# After these many seconds without a frame whoever is left is told of, a little later than faces are forgotten.
SETTLE_AFTER: Final = 3.5
# After these many seconds of one and the same picture whoever was in it is told of: it may be the last one for long.
# Later than a frame stops to count (recognition/pace.py), however rarely the camera has a new one.
STILL: Final = 11.0
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
        self._pace: float = 1 / entry.options.get(CONF_RATE, DEFAULT_RATE)
        self._occasions = Occasions(hass, entry.options.get(CONF_TRIGGERS, []), self._async_triggered)
        self._stills = Stills()
        self._eye: Eye
        self._fitness: Fitness
        self._coordinator: FaceAccessCoordinator
        self._watched: Watched
        self._timer: CALLBACK_TYPE | None = None
        self._fetching = asyncio.Lock()
        self._started = False
        self._stopped = False
        self._settled = True
        self._failures = 0
        self._asked_at = float("-inf")

    # Beginning and end

    @callback
    def async_start(self, coordinator: FaceAccessCoordinator, eye: Eye) -> None:
        """Watch until the entry is unloaded."""
        self._coordinator, self._eye = coordinator, eye
        self._watched = Watched(self._hass, coordinator, self.settings, eye)
        self._fitness = Fitness(self._hass, self._entry, eye, self._async_plan)
        self._started = True
        self.settings.listener = self._async_settings_changed
        camera = async_track_state_change_event(self._hass, [self.entity_id], self._async_camera_changed)
        for end in (camera, self._occasions.async_start(), self._async_stop):
            self._entry.async_on_unload(end)
        self.async_check_soon()
        self._async_plan()

    @callback
    def _async_stop(self) -> None:
        self._stopped = True
        self.settings.listener = None
        self._async_cancel_timer()

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
            **self._fitness.diagnostics,
            "failures": self._failures,
            "demanded": self._occasions.demanded,
            "seconds_between_pictures": self.interval,
        }

    @property
    def took(self) -> float | None:
        """Seconds that recognition takes for a picture, as of late; None while that is unknown."""
        return self._eye.took if self._started else None

    @property
    def interval(self) -> float | None:
        """Seconds that the camera takes to have a new picture, as of late; None while that is unknown."""
        return self._stills.interval

    # Whether it could look

    @callback
    def async_check_soon(self) -> None:
        """Find out anew whether the eye can look, and how fast. Before the start there is no need to."""
        if self._started and not self._stopped:
            self._fitness.async_check_soon()

    @callback
    def async_trouble(self, problem: RecognitionError | None) -> None:
        """Hear that the eye cannot look, or that it can again."""
        if self._started and not self._stopped:
            self._fitness.async_note(problem)

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
    def _async_triggered(self, happened: bool) -> None:
        if happened and self.settings.autostart:
            self._occasions.demand(WATCH_FOR)
        self._async_plan()

    async def look(self) -> None:
        """Look now, whatever the settings say of when.

        Raises StationConnectionError when the camera shows nothing, and RecognitionError when nobody could look.
        """
        if not self.settings.enabled:
            raise RecognitionOffError("recognition is switched off")
        if self._fitness.problem is not None:
            # It may have been put right a moment ago.
            await self._fitness.check()
        if self._fitness.problem is not None:
            raise self._fitness.problem
        self._occasions.demand(LOOK_FOR)
        if not await self._take():
            raise StationConnectionError("no picture")
        self._async_plan()

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
        if self._fitness.slow:
            return pace if self._occasions.wanted else None
        if self._occasions.demanded:
            return pace
        if not self.settings.autostart or (self._occasions.chosen and not self._occasions.on):
            return None
        if self._fitness.problem is not None:
            # Somebody may put it right by hand.
            return LONGEST_PAUSE
        # A sensor that stays on for long may mean anything: no hurry any more.
        return pace if self._eye.awake and not self._occasions.chosen else max(pace, IDLE_PAUSE)

    @callback
    def async_report(self, sighting: Sighting) -> None:
        """Hear of a sighting of the eye's; what was under way when the household switched it off is none."""
        if not self._stopped and self.settings.enabled:
            self._watched.async_report(sighting)

    @callback
    def policy(self, door: str) -> DoorPolicy | None:
        """Find what is asked for before the camera opens a door; None for a door that it was not told to open."""
        return self._watched.policy(door) if self._entry.options.get(CONF_DOOR) == door else None

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
        self._settle()
        if self._fitness.slow:
            self.async_check_soon()

    def _settle(self) -> None:
        self._settled = True
        try:
            self._eye.settle()
        except WorkerBusyError as err:
            LOGGER.debug("%s: faces that are gone are told of later: %s", self._entry.title, err)

    async def _take(self) -> bool:
        """Fetch a frame and show it to the eye; False when there was none."""
        # Only now: the camera integration has requirements, which are there once it has an entity.
        from homeassistant.components import camera  # noqa: PLC0415

        async with self._fetching:
            on_motion = not (self._occasions.demanded or self._occasions.chosen)
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
        if self._stills.take(content, self._asked_at, self._hass.loop.time()):
            self._occasions.took()
            self._settled = False
            self._eye.follow(self.interval or 0.0, slow=self._fitness.slow)
            self._eye.offer(content, captured_at, on_motion=on_motion)
        elif not self._settled and self._stills.shown_for(self._asked_at) >= STILL:
            self._settle()
        self._fitness.async_measure()
        return True

    def _note_blind(self, err: Exception) -> None:
        level = LOGGER.debug if self._failures else LOGGER.warning
        level("%s: the camera gives no picture: %s", self._entry.title, str(err) or type(err).__name__)
        self._failures += 1

    def _note_sight(self) -> None:
        if self._failures:
            LOGGER.info("%s: the camera gives pictures again", self._entry.title)
        self._failures = 0

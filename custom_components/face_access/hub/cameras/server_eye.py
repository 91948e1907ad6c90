"""A recognition server as the eye of one camera: one frame under way at a time, and none while the server is away.

It needs numpy, which finds out whether anything moves: imported only where it is there.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from statistics import median
from typing import Final

from homeassistant.core import HomeAssistant, callback

from ...access import Pictures, Sighting, Similarity
from ...const import LOGGER
from ...people.store import PeopleStore
from ...recognition.errors import (
    EngineError,
    EngineProtocolError,
    EngineUnreachableError,
    PhotoRefusedError,
    PictureError,
    RecognitionError,
)
from ...recognition.interface import Search
from ...recognition.motion import Motion
from ...recognition.pace import PATIENCE, Rule
from ...recognition.picture import Picture
from ...recognition.repeats import Repeats
from ...recognition.servers.look import Resident, look
from ...recognition.servers.vote import PATIENT, Report, ServerTracker, sighting_of
from ...recognition.watch import LINGER
from ..servers.answers import async_resident
from ..servers.coordinator import ServerCoordinator, async_on_server, async_server

# Frames of a server that needs seconds for each lie further apart: so many of them count as one moment.
_MOMENT: Final = 5
_LONGEST_PAUSE: Final = 60.0
_REMEMBERED: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How the household wants a camera watched."""

    similarity: Similarity
    antispoofing: bool


class ServerEye:
    """An `Eye` (eye.py) of a server's, named by its entry's id. All on the event loop, but for decoding."""

    def __init__(
        self,
        hass: HomeAssistant,
        server: str,
        people: PeopleStore,
        source: str,
        *,
        wish: Callable[[], Wish],
        report: Callable[[Sighting], None],
        trouble: Callable[[RecognitionError | None], None],
        check_soon: Callable[[], None],
    ) -> None:
        """`wish` is asked with every frame; `check_soon` hears that the server came or went."""
        self._hass = hass
        self._server = server
        self._people = people
        self._source = source
        self._wish = wish
        self._report = report
        self._trouble = trouble
        self._tracker = ServerTracker()
        self._motion = Motion()
        self._repeats = Repeats()
        self._moved_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self._waiting: tuple[bytes, datetime, bool] | None = None
        self._took: deque[float] = deque(maxlen=_REMEMBERED)
        self._interval = 0.0
        self._last: datetime | None = None  # when somebody was last seen: of a picture nothing is kept
        self._sequence = 0
        self._failures = 0
        self._not_before = float("-inf")
        self._troubled = False
        self._complained = False
        self._maximum: float | None = None
        self._stopped = False
        self._unsubscribe = async_on_server(hass, server, check_soon)

    # What the camera asks

    @property
    def awake(self) -> bool:
        """Whether something moved in the frames lately."""
        return self._hass.loop.time() - self._moved_at <= max(LINGER, self._rule.within)

    @property
    def seconds(self) -> float | None:
        """Nothing that the camera need know: frames that come while one is under way take each other's place."""
        return None

    @property
    def took(self) -> float | None:
        """How long the server takes for a frame, with the way there and back; median of the last few."""
        return median(self._took) if self._took else None

    @property
    def unmeasured(self) -> str | None:
        """None: what a server's likeness means is its maker's word."""
        return None

    @property
    def threshold(self) -> float | None:
        """The score that the household asks for now, 0-100; None before the server gave one, and while it is away."""
        coordinator = async_server(self._hass, self._server)
        if coordinator is None or coordinator.engine.search is None or self._maximum is None:
            return None
        wanted = coordinator.engine.search.thresholds.get(self._wish().similarity)
        return None if wanted is None else wanted / self._maximum * 100

    @callback
    def offer(self, content: bytes, captured_at: datetime, *, on_motion: bool) -> None:
        """Show a frame; a later one takes its place while one is under way."""
        if self._stopped:
            return
        self._waiting = (content, captured_at, on_motion)
        if self._task is None or self._task.done():
            self._task = self._hass.async_create_background_task(
                self._work(), f"face_access frames of {self._source}", eager_start=False
            )

    @callback
    def settle(self) -> None:
        """Tell what is left to say of everybody."""
        self._forget(float("inf"), self._wish())

    @callback
    def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        self._waiting = None
        self._unsubscribe()
        if self._task is not None:
            self._task.cancel()

    async def check(self) -> float | None:
        """Look whether the server is there. Raises EngineUnreachableError; a face is not sent for this."""
        self._there()
        self._failures, self._not_before = 0, float("-inf")
        self._troubled = self._complained = False
        return None

    def follow(self, interval: float, *, slow: bool) -> None:
        """Vote over frames that lie as far apart. That this machine is slow says nothing: another one works."""
        self._interval = interval

    @property
    def _rule(self) -> Rule:
        """By how far apart the camera's pictures come, and the server's answers."""
        within = min(max(PATIENT.within, _MOMENT * (self.took or 0)), PATIENCE)
        return replace(PATIENT, within=within).at(self._interval)

    # Looking

    def _there(self) -> tuple[ServerCoordinator, Search]:
        coordinator = async_server(self._hass, self._server)
        if coordinator is None or not coordinator.last_update_success:
            raise EngineUnreachableError("the recognition server is not there")
        if coordinator.engine.search is None:
            raise EngineError("the recognition server does not search")
        return coordinator, coordinator.engine.search

    async def _work(self) -> None:
        while self._waiting is not None and not self._stopped:
            content, captured_at, on_motion = self._waiting
            self._waiting = None
            try:
                await self._look(content, captured_at, on_motion=on_motion)
            except RecognitionError as err:
                self._note(err)
            except Exception as err:  # noqa: BLE001 - whatever it is, the camera must not be blind from now on
                # What the frames before it left may be what it cannot be worked with.
                self._tracker = ServerTracker()
                self._note(EngineProtocolError("the answer could not be worked with"), err)

    async def _look(self, content: bytes, captured_at: datetime, *, on_motion: bool) -> None:
        began = self._hass.loop.time()
        wish = self._wish()
        if on_motion and not await self._is_awake(content, began):
            self._forget(began, wish)
            return
        coordinator, search = self._there()
        if began < self._not_before:
            return
        if await self._hass.async_add_executor_job(lambda: self._repeats.observe(Picture(content))):
            self._forget(began, wish)
            return
        faces = await coordinator.ask(search.search(content, wish.similarity, liveness=wish.antispoofing))
        self._took.append(self._hass.loop.time() - began)
        self._tracker.rule = self._rule
        self._well()
        # Faces that are gone were last seen in the frame before.
        self._forget(began, wish)
        if self._stopped or not faces:
            return
        self._last = captured_at
        reports = self._tracker.observe([look(face, self._resident) for face in faces], began)
        pictures = [await self._pictures(content, report) for report in reports]
        if not self._stopped:
            self._tell(reports, wish, captured_at, pictures)

    @callback
    def _forget(self, at: float, wish: Wish) -> None:
        """Tell what is left to say of everybody who is gone."""
        left = self._tracker.expire(at)
        if self._last is not None:
            self._tell(left, wish, self._last)

    async def _is_awake(self, content: bytes, at: float) -> bool:
        if await self._hass.async_add_executor_job(lambda: self._motion.observe(Picture(content))):
            self._moved_at = at
        return self.awake

    def _resident(self, key: str) -> Resident | None:
        return async_resident(self._people, self._server, key)

    async def _pictures(self, content: bytes, report: Report) -> Pictures:
        """Cut the face out, where the server said where it is."""
        box = report.latest.box
        if box is None:
            return Pictures(scene=content)
        try:
            face = await self._hass.async_add_executor_job(lambda: Picture(content).close_up(box))
        except PictureError:
            return Pictures(scene=content)
        return Pictures(face=face, scene=content)

    @callback
    def _tell(
        self, reports: list[Report], wish: Wish, captured_at: datetime, pictures: list[Pictures] | None = None
    ) -> None:
        for number, report in enumerate(reports):
            if report.score is not None:
                self._maximum = report.score.maximum
            self._sequence += 1
            self._report(
                sighting_of(
                    report,
                    source=self._source,
                    sequence=self._sequence,
                    captured_at=captured_at,
                    antispoofing=wish.antispoofing,
                    # Of somebody who left there is no picture any more.
                    pictures=Pictures() if pictures is None else pictures[number],
                )
            )

    # How it goes

    def _note(self, err: RecognitionError, cause: Exception | None = None) -> None:
        """A frame came to nothing. The next must wait, longer each time: a server in trouble is not to be flooded.

        A picture that the server, or we, can do nothing with says nothing against the next.
        """
        level = LOGGER.debug if self._complained else LOGGER.warning
        level("%s: the recognition server did not look at a frame: %s", self._source, err, exc_info=cause)
        self._complained = True
        if isinstance(err, EngineError) and not isinstance(err, PhotoRefusedError):
            self._failures = min(self._failures + 1, 10)
            self._not_before = self._hass.loop.time() + min(2.0 ** (self._failures - 1), _LONGEST_PAUSE)
            self._troubled = True
        if not self._stopped:
            self._trouble(err)

    def _well(self) -> None:
        self._failures = 0
        self._complained = False
        if self._troubled:
            self._troubled = False
            LOGGER.info("%s: the recognition server looks at frames again", self._source)
            self._trouble(None)

"""One camera watched by the engine: frames go in, sightings come out, and between them motion, faces and votes.

`offer` may be called from any thread and returns at once. Everything else happens on the worker's thread, `report`
included.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
import time
from typing import Final

from ..access import Pictures, Role, Sighting
from .engine import Engine, Settings
from .errors import RecognitionError
from .gallery import Gallery
from .motion import Motion
from .pace import Rule
from .picture import Picture
from .repeats import Repeats
from .results import Recognition
from .sighting import sighting
from .vote import Tracker, Vote
from .worker import MAXIMUM_RATE, Worker

LINGER: Final = 5.0
"""Seconds that faces are looked for after the last motion: somebody who waits at a door stands still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the household says of a person."""

    name: str
    role: Role | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Household:
    """What a watch asks for with every frame, so that a change counts from the next one on.

    `gallery` may be None while nobody is enrolled. `known` is asked for each person who was recognised; None for
    somebody who has been removed since.
    """

    settings: Callable[[], Settings]
    gallery: Callable[[], Gallery | None]
    known: Callable[[str], Known | None]


@dataclass(slots=True)
class Watch:
    """A camera. `on_motion` looks for faces only while something moves, for cameras that nobody else starts.

    `trouble` hears of what a frame raised, which the worker logs once, and of None when the next one went well.
    """

    source: str
    worker: Worker
    household: Household
    report: Callable[[Sighting], None]
    trouble: Callable[[RecognitionError | None], None] = lambda _trouble: None
    on_motion: bool = False
    rate: float = MAXIMUM_RATE
    rule: Rule = field(default_factory=Rule)
    _tracker: Tracker = field(init=False)
    _motion: Motion = field(init=False, default_factory=Motion)
    _repeats: Repeats = field(init=False, default_factory=Repeats)
    _moved_at: float = field(init=False, default=float("-inf"))
    _sequence: int = field(init=False, default=0)
    _troubled: bool = field(init=False, default=False)
    _last: tuple[Picture, Recognition, datetime, bytes] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Begin with nobody in view."""
        self._tracker = Tracker(self.rule)

    def offer(self, data: bytes, captured_at: datetime) -> None:
        """Offer an encoded frame, captured at an aware time. It is dropped when a later one comes before its turn."""
        at = time.monotonic()
        self.worker.submit(self.source, lambda engine: self._look(engine, data, captured_at, at), rate=self.rate)

    def follow(self, rule: Rule) -> None:
        """Vote by another rule from the next frame on."""
        self.rule = self._tracker.rule = rule

    def settle(self) -> None:
        """Tell what is left to say of everybody: no frames come for a while. Raises WorkerBusyError."""
        self.worker.ask(lambda _engine: self._tell(self._tracker.expire(float("inf")), self.household.settings()))

    def stop(self) -> None:
        """Look no more."""
        self.worker.forget(self.source)

    @property
    def awake(self) -> bool:
        """Whether something moved lately, as far as motion is looked for."""
        return time.monotonic() - self._moved_at <= self._linger

    @property
    def _linger(self) -> float:
        """As long as a face counts, where frames are rare: the next one must still be looked at."""
        return max(LINGER, self.rule.within)

    def _look(self, engine: Engine, data: bytes, captured_at: datetime, at: float) -> None:
        try:
            self._look_at(engine, data, captured_at, at)
        except RecognitionError as err:
            self._troubled = True
            self.trouble(err)
            raise
        if self._troubled:
            self._troubled = False
            self.trouble(None)

    def _look_at(self, engine: Engine, data: bytes, captured_at: datetime, at: float) -> None:
        picture, settings = Picture(data), self.household.settings()
        if (self.on_motion and not self._awake(picture, at)) or self._repeats.observe(picture):
            self._tell(self._tracker.expire(at), settings)
            return
        found = engine.recognise(picture, self.household.gallery(), settings)
        # Faces that are gone were last seen in the frame before.
        self._tell(self._tracker.expire(at), settings)
        if found.faces:
            self._last = (picture, found, captured_at, data)
        self._tell(self._tracker.observe(found, at), settings)

    def _awake(self, picture: Picture, at: float) -> bool:
        if self._motion.observe(picture):
            self._moved_at = at
        return at - self._moved_at <= self._linger

    def _tell(self, votes: list[Vote], settings: Settings) -> None:
        for vote in votes:
            if self._last is None:
                continue  # no vote is without a frame that had faces
            picture, found, captured_at, data = self._last
            pictures = Pictures()
            # Of somebody who left while others stayed there is no picture any more.
            if any(vote.latest is face for face in found.faces):
                pictures = Pictures(face=picture.close_up(vote.latest.detection.box), scene=data)
            known = None if vote.person_id is None else self.household.known(vote.person_id)
            self._sequence += 1
            self.report(
                sighting(
                    vote,
                    source=self.source,
                    sequence=self._sequence,
                    captured_at=captured_at,
                    settings=settings,
                    name=None if known is None else known.name,
                    role=None if known is None else known.role,
                    pictures=pictures,
                )
            )
        if self._tracker.idle:
            self._last = None  # no picture is kept of who is gone

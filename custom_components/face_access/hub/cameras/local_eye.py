"""The local engine as the eye of one camera. It needs numpy: imported only once `async_get_local` has answered."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from homeassistant.core import HomeAssistant

from ...access import Sighting
from ...people.store import PeopleStore
from ...recognition.engine import Settings
from ...recognition.errors import RecognitionError
from ...recognition.pace import PATIENCE, Rule
from ...recognition.watch import Household, Known, Watch
from ..local.engine import Local

type Report = Callable[[Sighting], None]
type Trouble = Callable[[RecognitionError | None], None]

# On a machine that needs seconds for a picture, two that agree lie further apart, and there are not many.
_PATIENT: Final = Rule(of=3, within=PATIENCE, strangers=2)


class LocalEye:
    """An `Eye` (eye.py) of the house's engine. `report` and `trouble` are called on the event loop."""

    def __init__(
        self,
        hass: HomeAssistant,
        local: Local,
        people: PeopleStore,
        source: str,
        *,
        settings: Callable[[], Settings],
        report: Report,
        trouble: Trouble,
    ) -> None:
        """`settings` is asked on the engine's thread with every frame."""
        self._local = local
        self._people = people
        self._settings = settings
        self._unmeasured: str | None = None
        self._watch = Watch(
            source=source,
            worker=local.worker,
            household=Household(settings=settings, gallery=lambda: local.gallery, known=self._known),
            report=lambda sighting: _pass_on(hass, report, sighting),
            trouble=lambda problem: _pass_on(hass, trouble, problem),
        )

    def _known(self, person: str) -> Known | None:
        profile = self._people.profiles.get(person)
        return None if profile is None else Known(name=profile.name, role=profile.role)

    @property
    def awake(self) -> bool:
        """Whether something moved in the frames lately."""
        return self._watch.awake

    @property
    def seconds(self) -> float | None:
        """How long a frame takes, median of the last few."""
        load = self._local.worker.load(self._watch.source)
        return None if load is None else load.seconds

    @property
    def took(self) -> float | None:
        """The same."""
        return self.seconds

    @property
    def unmeasured(self) -> str | None:
        """The model that compares faces, if its threshold is only assumed."""
        return self._unmeasured

    @property
    def threshold(self) -> float:
        """The score that the household asks for now, 0-100."""
        return self._settings().threshold

    def offer(self, content: bytes, captured_at: datetime, *, on_motion: bool) -> None:
        """Show a frame; a later one takes its place when that comes first."""
        self._watch.on_motion = on_motion
        self._watch.offer(content, captured_at)

    def settle(self) -> None:
        """Tell what is left to say of everybody. Raises WorkerBusyError."""
        self._watch.settle()

    def stop(self) -> None:
        """Look no more."""
        self._watch.stop()

    async def check(self) -> float:
        """Load all models that the mode needs, and measure them. Raises RecognitionError."""
        mode = self._settings().mode
        seconds, self._unmeasured = await self._local.ask(lambda engine: (engine.benchmark(mode), engine.unmeasured))
        return seconds

    def follow(self, interval: float, *, slow: bool) -> None:
        """Vote over few frames that lie far apart, or over many."""
        self._watch.follow(_PATIENT if slow else Rule().at(interval))


def _pass_on[T](hass: HomeAssistant, listener: Callable[[T], None], news: T) -> None:
    """Tell somebody on the event loop, from the engine's thread."""
    hass.loop.call_soon_threadsafe(listener, news)

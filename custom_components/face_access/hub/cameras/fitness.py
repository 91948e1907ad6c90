"""Whether somebody could look through a camera now, and whether this machine is fast enough to follow it."""

from collections.abc import Callable
from typing import Any

from homeassistant.core import HomeAssistant, callback

from ...const import LOGGER
from ...coordinator import FaceAccessConfigEntry
from ...recognition.errors import (
    EngineError,
    ModelError,
    ModelUnusableError,
    PhotoRefusedError,
    PictureError,
    RecognitionError,
    WorkerBusyError,
)
from ...recognition.pace import NOT_SLOW, SLOW
from .. import issues
from .eye import Eye


class Fitness:
    """What is known of one camera's eye. What a person can mend becomes a repair issue."""

    def __init__(
        self, hass: HomeAssistant, entry: FaceAccessConfigEntry, eye: Eye, changed: Callable[[], None]
    ) -> None:
        """`changed` hears that there is another problem or none, and that the machine is slow or no longer."""
        self._hass = hass
        self._entry = entry
        self._eye = eye
        self._changed = changed
        self.problem: EngineError | ModelError | None = None
        self.slow = False

    @property
    def diagnostics(self) -> dict[str, Any]:
        """What helps to find out why nobody is recognised."""
        return {
            "problem": None if self.problem is None else str(self.problem),
            "seconds": self._eye.seconds,
            "slow": self.slow,
            "unmeasured_model": self._eye.unmeasured,
        }

    @callback
    def async_check_soon(self) -> None:
        """Find out anew: models were added, or the mode is another one."""
        self._entry.async_create_background_task(self._hass, self.check(), "face_access recognition check")

    async def check(self) -> None:
        """Find out whether the eye can look, and how fast."""
        try:
            seconds = await self._eye.check()
        except WorkerBusyError as err:
            LOGGER.debug("%s: recognition was not checked: %s", self._entry.title, err)
        except RecognitionError as err:
            LOGGER.debug("%s: recognition cannot work: %s", self._entry.title, err)
            self.async_note(err)
        except Exception as err:  # noqa: BLE001 - whatever it is, the household must hear that nobody is recognised
            LOGGER.exception("%s: recognition cannot work", self._entry.title)
            self.async_note(ModelUnusableError("recognition", f"{type(err).__name__} while it was checked"))
        else:
            self.async_note(None)
            issues.model_unmeasured(self._hass, self._entry, self._eye.unmeasured)
            self.async_measure(seconds)

    @callback
    def async_note(self, problem: RecognitionError | None) -> None:
        """Hear that the eye cannot look, or that it can again."""
        # A single picture that is none says nothing against the next, and nothing for it.
        if isinstance(problem, (PictureError, PhotoRefusedError)):
            return
        self.problem = problem if isinstance(problem, (EngineError, ModelError)) else None
        issues.models(self._hass, self._entry, problem if isinstance(problem, ModelError) else None)
        issues.engine_away(self._hass, self._entry, str(problem) if isinstance(problem, EngineError) else None)
        self._changed()

    @callback
    def async_measure(self, tested: float | None = None) -> None:
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
        issues.machine_slow(self._hass, self._entry, longest if slow else None)
        self._changed()

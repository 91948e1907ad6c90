"""Who looks at the frames of a watched camera: one small interface for the local engine and for recognition servers."""

from datetime import datetime
from typing import Protocol


class Eye(Protocol):
    """Who looks at the frames of one camera.

    `awake` is whether something moved in them lately, `took` how long the last few took it, None while that is unknown.
    `seconds` is the same where it is this machine's work, which must not pile up; None where it is another's.
    `threshold` is the score (0-100) that the household asks for now, None while the eye cannot tell.
    `offer` never blocks; with `on_motion` a frame is looked at only while something moves. `settle` tells what is left
    to say of faces that are gone. `check` proves that it could look now, and says how long it takes; it raises
    RecognitionError. `follow` says how far apart the frames of now on come (seconds), and whether this machine is too
    slow to follow the camera: it looks as patiently. `unmeasured` is the model (id), known after a `check`, of
    which nobody measured what its likeness means; None for all others.
    """

    @property
    def awake(self) -> bool: ...
    @property
    def seconds(self) -> float | None: ...
    @property
    def took(self) -> float | None: ...
    @property
    def unmeasured(self) -> str | None: ...
    @property
    def threshold(self) -> float | None: ...
    def offer(self, content: bytes, captured_at: datetime, *, on_motion: bool) -> None: ...
    def settle(self) -> None: ...
    def stop(self) -> None: ...
    async def check(self) -> float | None: ...
    def follow(self, interval: float, *, slow: bool) -> None: ...

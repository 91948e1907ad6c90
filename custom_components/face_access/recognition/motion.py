"""Whether anything moves before a camera, by the difference of its frames: what decides if recognition looks at all.

For cameras without a motion sensor of their own. A frame costs a decoding at an eighth of its size and nothing else.
"""

from typing import Final

import numpy as np
from PIL import Image

from .picture import Picture
from .results import Floats

_WIDTH: Final = 64
_HEIGHT: Final = 36
_STEP: Final = 12.0
"""Grey levels of 255 by which a cell must differ from what was there before: more than noise, less than a coat."""
_SHARE: Final = 0.01
"""Of all cells: a face at the distance where it can still be recognised covers as much."""
_SUDDEN: Final = 0.6
"""Of all cells: so much changes when a light goes on or the camera switches to infrared, not when somebody comes."""
_MEMORY: Final = 0.1
"""How fast what stands still becomes background."""


class Motion:
    """The background of one camera, learned from its frames."""

    def __init__(self) -> None:
        self._background: Floats | None = None

    def observe(self, picture: Picture) -> bool:
        """Compare a frame with those before. The first is never motion. Raises PictureError."""
        small = picture.image(8).convert("L").resize((_WIDTH, _HEIGHT), Image.Resampling.BOX)
        cells = np.asarray(small, np.float32)
        if self._background is None:
            self._background = cells
            return False
        # Clouds make everything lighter or darker at once: the mean difference is not motion.
        difference = cells - self._background
        difference -= np.median(difference)
        share = float((np.abs(difference) > _STEP).mean())
        self._background = cells if share > _SUDDEN else self._background + _MEMORY * (cells - self._background)
        return _SHARE <= share <= _SUDDEN

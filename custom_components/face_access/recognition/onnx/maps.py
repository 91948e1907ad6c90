"""Feature maps in a layout that turns a convolution into a few operations on long rows.

A map of one channel is one row: the pixels line by line, one zero between the lines, a line of zeros above and below. A
shift by (dy, dx) is then an offset in the row, and numpy works on contiguous memory. The zero at the end of a
line is at once the padding left of the next line. What an operator writes there is garbage until `clean` is called.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError

type Floats = NDArray[np.float32]

MAX_ELEMENTS: Final = 64_000_000
"""Of one map: 256 MB. A network for faces needs a tenth of it, and a hostile file asks for everything."""


MAX_TOGETHER: Final = 2 * MAX_ELEMENTS
"""Of all maps and arrays of one network: 512 MB."""


@dataclass(frozen=True, slots=True)
class Map:
    """Feature maps of one picture: channels, height, width; `buffer` has shape (channels, (height + 2) * pitch + 2)."""

    buffer: Floats
    height: int
    width: int

    @property
    def channels(self) -> int:
        """How many maps."""
        return len(self.buffer)

    @property
    def pitch(self) -> int:
        """How far one line is from the next."""
        return self.width + 1

    @property
    def base(self) -> int:
        """Where the first pixel is."""
        return self.width + 2

    @property
    def flat(self) -> Floats:
        """All lines with the column between them: (channels, height * pitch)."""
        return self.buffer[:, self.base : self.base + self.height * self.pitch]

    @property
    def pixels(self) -> Floats:
        """The pixels alone: (channels, height, width)."""
        return self.flat.reshape(self.channels, self.height, self.pitch)[:, :, : self.width]

    def clean(self) -> None:
        """Make the column between the lines zero again."""
        self.flat.reshape(self.channels, self.height, self.pitch)[:, :, self.width] = 0

    def plain(self) -> Floats:
        """Copy into the usual shape (1, channels, height, width)."""
        return self.pixels[np.newaxis].copy()


class Pool:
    """Buffers for reuse. Their margins stay zero, since maps of one shape only ever write between them."""

    def __init__(self) -> None:
        self._free: dict[tuple[int, int, int], list[Floats]] = {}
        self._elements = 0

    def count(self, elements: int) -> None:
        """Add what is kept as long as the maps, or give it back. Raises GraphError when it is too much together."""
        self._elements += elements
        if self._elements > MAX_TOGETHER:
            raise GraphError("the network asks for too much memory")

    def take(self, channels: int, height: int, width: int) -> Map:
        """Give a map whose pixels are undefined. Raises GraphError for one that is absurdly large, or empty."""
        length = (height + 2) * (width + 1) + 2
        if min(channels, height, width) < 1 or channels * length > MAX_ELEMENTS:
            raise GraphError(f"maps of {channels}x{height}x{width} are refused")
        free = self._free.get((channels, height, width))
        if free:
            return Map(free.pop(), height, width)
        self.count(channels * length)
        return Map(np.zeros((channels, length), np.float32), height, width)

    def give(self, used: Map) -> None:
        """Take a map back."""
        self._free.setdefault((used.channels, used.height, used.width), []).append(used.buffer)

    def clear(self) -> None:
        """Let all memory go."""
        self._free.clear()
        self._elements = 0

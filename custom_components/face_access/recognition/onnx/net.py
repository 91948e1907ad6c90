"""What every runtime offers: a network that turns named arrays into named arrays."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from .graph import Array, Port


class Net(Protocol):
    """A loaded network. Not to be used by two threads at once."""

    runtime: str
    """Where the last run took place: `onnxruntime`, `numpy`, or `inference_server`."""
    inputs: tuple[Port, ...]
    outputs: tuple[str, ...]

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Compute all outputs by name from float32 inputs of batch size 1 in NCHW order.

        Raises GraphError where the network does not fit the input or exceeds the limits of work and memory.
        """

    def run_all(self, pictures: Sequence[Mapping[str, Array]]) -> list[dict[str, Array]]:
        """Do the same for several pictures of one size, in one go where the runtime gains by it."""
        return [self.run(feeds) for feeds in pictures]

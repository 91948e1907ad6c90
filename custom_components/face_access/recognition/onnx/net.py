"""What every runtime offers: a network that turns named arrays into named arrays."""

from collections.abc import Mapping
from typing import Protocol

from .graph import Array, Port


class Net(Protocol):
    """A loaded network. Not to be used by two threads at once."""

    runtime: str
    """`onnxruntime` or `numpy`."""
    inputs: tuple[Port, ...]
    outputs: tuple[str, ...]

    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        """Compute all outputs by name from float32 inputs of batch size 1 in NCHW order.

        Raises GraphError where the network does not fit the input or exceeds the limits of work and memory.
        """

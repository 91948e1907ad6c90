"""A network at an inference server, with the same one here for when the server is away."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, override

import numpy as np

from ..errors import (
    EngineAuthError,
    EngineError,
    EngineLimitError,
    EngineProtocolError,
    EngineRefusedError,
    EngineUnreachableError,
    GraphError,
    UnsupportedOperatorError,
)
from ..onnx.graph import Array, Graph
from ..onnx.net import Net
from .server import InferenceServer, Patience

RUNTIME: Final = "inference_server"

TOLERANCE: Final = 0.05
"""How far the server's numbers may be from ours, as a share of the largest: half precision stays far below, other
weights of the same shape far above."""

type Outputs = dict[str, Array]


class RemoteNet(Net):
    """Asks the server, and does it here where that fails. Our own file is read either way: it says what must come back.

    Names and shapes do not tell two networks with other weights apart, and templates of one mean nothing to the other:
    the first picture of a session is looked at in both places, and the answers must agree. The network here takes
    memory only for that, and from when the server is away.
    """

    def __init__(self, server: InferenceServer, model: str, graph: Graph, local: Callable[[], Net]) -> None:
        """Take the file as `graph` and how to load it here. `model` is its id, and its name at the server."""
        self.runtime = RUNTIME
        self.inputs = graph.inputs
        self.outputs = tuple(port.name for port in graph.outputs)
        self._ports = (*graph.inputs, *graph.outputs)
        self._server = server
        self._model = model
        self._load = local
        self._local: Net | None = None
        self._patience = Patience(f"Model {model} at inference server {server.address.host}", server.address.retry)
        self._session: int | None = None
        self._batch = 1

    @property
    def trouble(self) -> str | None:
        """Why this model is not used at the server; None where it is, or where the server as a whole is away."""
        return self._patience.trouble

    @override
    def run(self, feeds: Mapping[str, Array]) -> Outputs:
        return self.run_all([feeds])[0]

    @override
    def run_all(self, pictures: Sequence[Mapping[str, Array]]) -> list[Outputs]:
        if not pictures:
            return []
        found = self._there([self._input(feeds) for feeds in pictures])
        if found is not None:
            self.runtime = RUNTIME
            return found
        local = self._here()
        self.runtime = local.runtime
        return local.run_all(pictures)

    def _here(self) -> Net:
        if self._local is None:
            self._local = self._load()
        return self._local

    def _input(self, feeds: Mapping[str, Array]) -> Array:
        array = feeds.get(self.inputs[0].name)
        if array is None or array.ndim != 4 or len(array) != 1 or array.dtype != np.float32:
            raise GraphError("only pictures, one at a time, are supported as inputs")
        return array

    def _there(self, arrays: Sequence[Array]) -> list[Outputs] | None:
        """Run at the server; None where that is not possible now."""
        if not (self._server.patience.over and self._patience.over):
            return None
        try:
            if self._session != self._server.session:
                self._begin(arrays[0])
            found = self._in_batches(arrays)
        except (EngineUnreachableError, EngineAuthError) as err:
            self._server.close()
            self._server.patience.failed(err)
            return None
        except EngineError as err:
            self._session = None
            self._patience.failed(err)
            return None
        self._server.patience.well()
        self._patience.well()
        return found

    def _begin(self, array: Array) -> None:
        """Make sure that the server has our network. Raises EngineError."""
        self._batch = self._server.batch(self._model, self._ports)
        (theirs,) = self._in_batches([array])
        try:
            ours = self._here().run({self.inputs[0].name: array})
        except UnsupportedOperatorError:
            pass  # nothing here can run it: that may be why there is a server
        else:
            for name, expected in ours.items():
                if not _agree(expected, theirs[name]):
                    raise EngineProtocolError(
                        f"the model {self._model} at the server is another one than the file here"
                    )
            self._local = None
        self._session = self._server.session

    def _in_batches(self, arrays: Sequence[Array]) -> list[Outputs]:
        found: list[Outputs] = []
        while len(found) < len(arrays):
            batch = arrays[len(found) : len(found) + self._batch]
            try:
                results = self._server.infer(self._model, self._ports, np.concatenate(batch))
            except EngineLimitError:
                raise
            except EngineRefusedError:
                if len(batch) == 1:
                    raise
                # Metadata tell that any number goes, and not that the server's settings allow fewer.
                self._batch = len(batch) // 2
                continue
            found += [
                {name: result[index : index + 1] for name, result in results.items()} for index in range(len(batch))
            ]
        return found


def _agree(ours: Array, theirs: Array) -> bool:
    reach = TOLERANCE * float(np.abs(ours).max(initial=1e-3))
    return ours.shape == theirs.shape and bool((np.abs(ours - theirs) <= reach).all())

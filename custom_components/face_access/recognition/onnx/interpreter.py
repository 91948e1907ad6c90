"""A network run by numpy alone: slower than onnxruntime, but everywhere where Home Assistant is.

Only pictures (one at a time) go in. Results agree with onnxruntime to 1e-4 of their range: tests hold both side by
side.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final, override

import numpy as np

from ..errors import GraphError, UnsupportedOperatorError
from .blas import one_thread
from .conv import Conv
from .graph import Array, Graph
from .maps import Map, Pool
from .net import Net
from .operators import OPERATORS, Call, Value
from .prepare import Step, prepare

_BUFFER: Final = 256
"""Elements that numpy may copy to make rows longer. Its default of 8192 triples the time for strided rows."""

COST: Final = 8
"""What an element of any other operator counts in multiplications of a convolution."""

MAX_WORK: Final = 30_000_000_000
"""Multiplications of one run: more than any network for faces needs, and a limit for a hostile file."""


class NumpyNet(Net):
    """A graph with its weights rearranged for `conv` and its memory pooled between runs."""

    runtime = "numpy"

    def __init__(self, graph: Graph) -> None:
        """Prepare a graph. Raises UnsupportedOperatorError and GraphError."""
        try:
            self._prepare(graph)
        except (ValueError, IndexError, TypeError) as err:
            raise GraphError(f"the network contradicts itself: {err}") from err

    def _prepare(self, graph: Graph) -> None:
        self._opset = graph.opset
        self.inputs = graph.inputs
        self.outputs = tuple(port.name for port in graph.outputs)
        self._steps, self._tensors = prepare(graph)
        self._convs: dict[str, Conv] = {}
        self._pool = Pool()
        self._shape: tuple[int, ...] = ()
        for step in self._steps:
            if step.node.op == "Conv":
                self._convs[step.node.outputs[0]] = self._conv(step)
            elif step.node.op not in OPERATORS:
                raise UnsupportedOperatorError(f"operator {step.node.op[:40]!r} is not supported without onnxruntime")
            if len([name for name in step.node.outputs if name]) != 1:
                raise UnsupportedOperatorError(f"{step.node.op} with several outputs is not supported")
        # The margins of a map must be zero where a larger kernel reads them.
        self._spread = {
            step.node.inputs[0]
            for step in self._steps
            if step.node.op == "Conv" and self._convs[step.node.outputs[0]].spreads
        }
        self._readers = Counter(name for step in self._steps for name in step.node.inputs) + Counter(self.outputs)

    def _conv(self, step: Step) -> Conv:
        parameters = [self._tensors.get(name) for name in step.node.inputs[1:]]
        if not parameters or any(parameter is None for parameter in parameters):
            raise UnsupportedOperatorError("a convolution without constant weights is not supported")
        weights, *bias = [parameter for parameter in parameters if parameter is not None]
        return Conv(step.node, weights, bias[0] if bias else None, step.activation)

    @override
    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        values = {port.name: self._input(port.name, feeds) for port in self.inputs}
        # numpy keeps both settings per thread and restores them here, so nobody else notices.
        with one_thread(), np.errstate(all="ignore"):
            before = np.setbufsize(_BUFFER)
            try:
                return self._run(values)
            except (ValueError, IndexError, TypeError, OverflowError, MemoryError) as err:
                self._forget()
                raise GraphError(f"the network does not fit its input: {err}") from err
            except GraphError:
                self._forget()
                raise
            finally:
                np.setbufsize(before)

    def _input(self, name: str, feeds: Mapping[str, Array]) -> Value:
        array = feeds.get(name)
        if array is None:
            raise GraphError(f"the input {name[:60]!r} is missing")
        if array.ndim != 4 or array.shape[0] != 1:
            raise GraphError("only pictures, one at a time, are supported as inputs")
        if array.shape != self._shape:
            self._forget()
            self._shape = array.shape
        source = self._pool.take(*array.shape[1:])
        source.pixels[:] = array[0]
        source.clean()
        return source

    def _forget(self) -> None:
        """Let go what was kept for the next run."""
        self._pool.clear()
        for conv in self._convs.values():
            conv.clear()

    def _run(self, values: dict[str, Value]) -> dict[str, Array]:
        left = self._readers.copy()
        work = 0
        for step in self._steps:
            node = step.node
            inputs = [values.get(name, self._tensors.get(name)) for name in node.inputs]
            conv = self._convs.get(node.outputs[0])
            call = Call(node=node, values=inputs, pool=self._pool, opset=self._opset)
            if conv is None:
                result = OPERATORS[node.op](call)
            else:
                source = call.map(0)
                work += conv.work(source.height, source.width)
                _limit(work)
                result = conv.run(source, self._pool)
            work += COST * (result.buffer.size if isinstance(result, Map) else result.size)
            _limit(work)
            if not isinstance(result, Map):
                self._pool.count(result.size)
            if node.outputs[0] in self._spread and isinstance(result, Map):
                result.clean()
            values[node.outputs[0]] = result
            self._release(node.inputs, values, left)
        results = {name: self._output(values.get(name, self._tensors.get(name))) for name in self.outputs}
        for value in values.values():
            self._let_go(value)
        return results

    def _release(self, names: tuple[str, ...], values: dict[str, Value], left: Counter[str]) -> None:
        for name in names:
            left[name] -= 1
            if not left[name] and (used := values.pop(name, None)) is not None:
                self._let_go(used)

    def _let_go(self, used: Value) -> None:
        if isinstance(used, Map):
            self._pool.give(used)
        else:
            self._pool.count(-used.size)

    @staticmethod
    def _output(value: Value | None) -> Array:
        if value is None:
            raise GraphError("an output was not made")
        return value.plain() if isinstance(value, Map) else value


def _limit(work: int) -> None:
    if work > MAX_WORK:
        raise GraphError("the network asks for too much work")

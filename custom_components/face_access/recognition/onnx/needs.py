"""What a network would need for an input, found from shapes alone: nothing runs that asks for too much.

onnxruntime itself has no limits: a file of 200 bytes can make it take all memory. The operators are those of numpy.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
import math
from typing import Final

import numpy as np

from ..errors import GraphError, UnsupportedOperatorError
from .conv import window
from .graph import Array, Graph, Node
from .interpreter import COST, MAX_WORK
from .maps import MAX_ELEMENTS, MAX_TOGETHER, Map, Pool
from .operators import OPERATORS, Call, factors

type Shape = tuple[int, ...]
type Sources = Sequence[Shape | None]
"""Of the inputs of a node; None for those left out."""

_SMALL: Final = 4096
"""Elements of a tensor that can say something of shapes."""


class Needs:
    """The shapes of a graph, without its weights."""

    def __init__(self, graph: Graph) -> None:
        """Keep what shapes depend on. Raises UnsupportedOperatorError for operators that nobody estimates."""
        tensors = dict(graph.tensors)
        for node in graph.nodes:
            if node.op == "Constant" and isinstance(value := node.attributes.get("value"), np.ndarray):
                tensors[node.outputs[0]] = value
        self._nodes = tuple(node for node in graph.nodes if node.op != "Constant")
        for node in self._nodes:
            if node.op not in _SHAPES:
                raise UnsupportedOperatorError(f"operator {node.op[:40]!r} is not supported")
        self._opset = graph.opset
        self._shapes = {name: tensor.shape for name, tensor in tensors.items()}
        self._known = {name: tensor.copy() for name, tensor in tensors.items() if tensor.size <= _SMALL}
        self._readers = Counter(name for node in self._nodes for name in node.inputs)
        self._readers.update(port.name for port in graph.outputs)

    def check(self, inputs: Mapping[str, Shape]) -> None:
        """Raise GraphError where inputs of these shapes make too much work, or take too much memory."""
        try:
            self._check(inputs)
        except (ValueError, IndexError, TypeError, OverflowError, MemoryError) as err:
            raise GraphError(f"the network does not fit its input: {err}") from err

    def _check(self, inputs: Mapping[str, Shape]) -> None:
        shapes = {**self._shapes, **inputs}
        known = dict(self._known)
        left = self._readers.copy()
        alive: dict[str, int] = {}
        work = together = 0
        for node in self._nodes:
            call = Call(node=node, values=[known.get(name) for name in node.inputs], pool=Pool(), opset=self._opset)
            sources = [shapes.get(name) for name in node.inputs]
            value = _computed(call, sources)
            shape = _SHAPES[node.op](call, sources) if value is None else value.shape
            if value is not None:
                known[node.outputs[0]] = value
            size = math.prod(shape)
            shapes[node.outputs[0]], alive[node.outputs[0]] = shape, size
            together += size
            work += size * (_multiplications(node, sources) + COST)
            if size > MAX_ELEMENTS or together > MAX_TOGETHER:
                raise GraphError("the network asks for too much memory")
            if work > MAX_WORK:
                raise GraphError("the network asks for too much work")
            for name in node.inputs:
                left[name] -= 1
                if not left[name]:
                    together -= alive.pop(name, 0)


def _computed(call: Call, sources: Sources) -> Array | None:
    """Compute what may become a shape; None for everything else."""
    if call.node.op == "Shape":
        return np.array(_first(call.node, sources), np.int64)
    values = [value for value in call.values if value is not None]
    if not values or len(values) != sum(source is not None for source in sources) or call.node.op not in OPERATORS:
        return None
    result = OPERATORS[call.node.op](call)
    return None if isinstance(result, Map) or result.size > _SMALL else np.asarray(result)


def _first(node: Node, sources: Sources, position: int = 0) -> Shape:
    source = sources[position] if position < len(sources) else None
    if source is None:
        raise GraphError(f"{node.op} lacks an input")
    return source


def _multiplications(node: Node, sources: Sources) -> int:
    """How many make one element of the output."""
    if node.op == "Conv":
        return math.prod(_first(node, sources, 1)[1:])
    if node.op in ("MatMul", "Gemm"):
        return max(_first(node, sources))
    if node.op == "MaxPool":
        return math.prod(_kernel(node))
    return 0


def _kernel(node: Node) -> Shape:
    kernel = node.attributes.get("kernel_shape")
    if not isinstance(kernel, tuple):
        raise GraphError("a pool has no kernel")
    return tuple(int(size) for size in kernel)


def _same(call: Call, sources: Sources) -> Shape:
    return _first(call.node, sources)


def _broadcast(call: Call, sources: Sources) -> Shape:
    return np.broadcast_shapes(_first(call.node, sources), _first(call.node, sources, 1))


def _view(call: Call, sources: Sources) -> Shape:
    # An array without memory of its own: one number, repeated.
    source = np.broadcast_to(np.float32(0), _first(call.node, sources))
    moved = replace(call, values=[source, *call.values[1:]])
    return replace(call, values=[OPERATORS[call.node.op](moved)]).array(0).shape


def _product(call: Call, sources: Sources) -> Shape:
    left, right = _first(call.node, sources), _first(call.node, sources, 1)
    if len(left) != 2 or len(right) != 2:
        raise GraphError("only the product of two matrices is supported")
    gemm = call.node.op == "Gemm"
    rows = left[1] if gemm and call.integer("transA", 0) else left[0]
    return rows, right[0] if gemm and call.integer("transB", 0) else right[1]


def _joined(call: Call, sources: Sources) -> Shape:
    shapes = [_first(call.node, sources, position) for position in range(len(sources))]
    axis = call.integer("axis", 1) % len(shapes[0])
    return (*shapes[0][:axis], sum(shape[axis] for shape in shapes), *shapes[0][axis + 1 :])


def _gathered(call: Call, sources: Sources) -> Shape:
    source = _first(call.node, sources)
    axis = call.integer("axis", 0) % max(1, len(source))
    return (*source[:axis], *_first(call.node, sources, 1), *source[axis + 1 :])


def _transposed(call: Call, sources: Sources) -> Shape:
    source, order = _first(call.node, sources), call.node.attributes.get("perm")
    return tuple(source[int(axis)] for axis in order) if isinstance(order, tuple) else source[::-1]


def _picture(call: Call, sources: Sources) -> Shape:
    """Estimate what works on pictures alone."""
    source = _first(call.node, sources)
    if len(source) != 4:
        raise GraphError(f"{call.node.op} is supported for pictures only")
    batch, channels, height, width = source
    if call.node.op == "GlobalAveragePool":
        return batch, channels, 1, 1
    if call.node.op == "Conv":
        weights = _first(call.node, sources, 1)
        return batch, weights[0], *window(call.node, weights[2:]).output(height, width)
    if call.node.op == "MaxPool":
        return batch, channels, *window(call.node, _kernel(call.node)).output(height, width)
    down, across = factors(call, source)
    return batch, channels, height * down, width * across


_SHAPES: Final[Mapping[str, Callable[[Call, Sources], Shape]]] = {
    **dict.fromkeys(
        ("BatchNormalization", "Clip", "Dropout", "Identity", "PRelu", "Relu", "Sigmoid", "Softmax"), _same
    ),
    **dict.fromkeys(("Add", "Div", "Mul", "Sub"), _broadcast),
    **dict.fromkeys(("Flatten", "Reshape", "Squeeze", "Unsqueeze"), _view),
    **dict.fromkeys(("Gemm", "MatMul"), _product),
    **dict.fromkeys(("Conv", "GlobalAveragePool", "MaxPool", "Resize", "Upsample"), _picture),
    "Concat": _joined,
    "Gather": _gathered,
    "Shape": lambda call, sources: (len(_first(call.node, sources)),),
    "Transpose": _transposed,
}

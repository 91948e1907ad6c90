"""The other operators, each a function of a call: what the networks of faces need, and no more.

Source: ONNX operator documentation, sets 7 to 22.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
import math
from typing import Final

import numpy as np

from ..errors import GraphError
from .conv import Finish, window
from .graph import Array, Node
from .maps import MAX_ELEMENTS, Map, Pool
from .prepare import as_activation, normalisation

type Value = Map | Array
type Operator = Callable[[Call], Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One run of one node. Inputs that were left out are None."""

    node: Node
    values: Sequence[Value | None]
    pool: Pool
    opset: int

    def value(self, position: int) -> Value:
        """Give an input. Raises GraphError when it was left out."""
        found = self.values[position] if position < len(self.values) else None
        if found is None:
            raise GraphError(f"{self.node.op} lacks an input")
        return found

    def array(self, position: int) -> Array:
        """Give an input as an array in the usual shape."""
        found = self.value(position)
        return found.plain() if isinstance(found, Map) else found

    def map(self, position: int) -> Map:
        """Give an input as maps. Raises GraphError when it is none."""
        found = self.value(position)
        if not isinstance(found, Map):
            raise GraphError(f"{self.node.op} is supported for pictures only")
        return found

    def integers(self, name: str, position: int) -> tuple[int, ...] | None:
        """Give integers that are an attribute in old operator sets and an input in new ones."""
        if position < len(self.values) and self.values[position] is not None:
            return tuple(int(number) for number in self.array(position).reshape(-1).tolist())
        found = self.node.attributes.get(name)
        return tuple(int(number) for number in found) if isinstance(found, tuple) else None

    def integer(self, name: str, default: int) -> int:
        """Give an integer attribute."""
        found = self.node.attributes.get(name, default)
        if not isinstance(found, int):
            raise GraphError(f"{name} is not an integer")
        return found

    def number(self, name: str, default: float) -> float:
        """Give a number attribute."""
        found = self.node.attributes.get(name, default)
        if not isinstance(found, int | float):
            raise GraphError(f"{name} is not a number")
        return found


def _elementwise(function: np.ufunc) -> Operator:
    def run(call: Call) -> Value:
        left, right = call.value(0), call.value(1)
        if not isinstance(left, Map) and not isinstance(right, Map):
            return _small(function, left, right)
        shape = max(
            (value for value in (left, right) if isinstance(value, Map)), key=lambda value: value.height * value.width
        )
        target = call.pool.take(shape.channels, shape.height, shape.width)
        function(_operand(left, shape), _operand(right, shape), out=target.flat)
        return target

    return run


def _small(function: np.ufunc, left: Array, right: Array) -> Array:
    _limit(*np.broadcast_shapes(left.shape, right.shape))
    result: Array = function(left, right)
    return result


def _limit(*sizes: int) -> None:
    if math.prod(sizes) > MAX_ELEMENTS:
        raise GraphError("an array is too large")


def _operand(value: Value, shape: Map) -> Array:
    """Make a value fit the rows of `shape`: the same maps, one number per channel, or one number."""
    if isinstance(value, Map):
        if (value.channels, value.height, value.width) == (shape.channels, shape.height, shape.width):
            return value.flat
        if (value.channels, value.height, value.width) == (shape.channels, 1, 1):
            return value.pixels[:, :, 0]
    elif value.size == 1:
        return value.reshape(1, 1)
    elif value.size == shape.channels and value.shape[-3:] == (shape.channels, 1, 1):
        return value.reshape(-1, 1)
    raise GraphError("shapes do not fit each other")


def _activate(call: Call) -> Value:
    source = call.value(0)
    if call.node.op == "PRelu" and not isinstance(source, Map):
        slope = call.array(1)
        if np.broadcast_shapes(source.shape, slope.shape) != source.shape:
            raise GraphError("slopes do not fit")
        return _small(np.add, np.maximum(source, 0), np.minimum(source, 0) * slope)
    pairs = zip(call.node.inputs, call.values, strict=True)
    known = {name: value for name, value in pairs if isinstance(value, np.ndarray)}
    activation = as_activation(call.node, known)
    if activation is None:
        raise GraphError(f"{call.node.op} has bounds or slopes that are not supported")
    if isinstance(source, Map):
        target = call.pool.take(source.channels, source.height, source.width)
        target.flat[:] = source.flat
        Finish(None, activation, source.channels)(target.flat, 0)
        return target
    result = np.array(source, np.float32)
    np.clip(result, np.float32(activation.low), np.float32(activation.high), out=result)
    return result


def _copy(call: Call) -> Value:
    """Pass on what is an output of the network; elsewhere `prepare` has removed such nodes."""
    source = call.value(0)
    if not isinstance(source, Map):
        return source.copy()
    target = call.pool.take(source.channels, source.height, source.width)
    target.flat[:] = source.flat
    return target


def _sigmoid(call: Call) -> Value:
    source = call.value(0)
    if not isinstance(source, Map):
        return _logistic(source)
    target = call.pool.take(source.channels, source.height, source.width)
    target.flat[:] = _logistic(source.flat)
    return target


def _logistic(numbers: Array) -> Array:
    # exp of a large number is infinite and the result then 0, which is right.
    result: Array = 1 / (1 + np.exp(-numbers))
    return result


def _normalise(call: Call) -> Value:
    factor, addend = normalisation(call.node, [call.array(position) for position in range(1, 5)])
    source = call.value(0)
    if isinstance(source, Map):
        if source.channels != len(factor):
            raise GraphError("a normalisation does not fit its channels")
        target = call.pool.take(source.channels, source.height, source.width)
        np.multiply(source.flat, factor[:, None], out=target.flat)
        np.add(target.flat, addend[:, None], out=target.flat)
        return target
    if source.ndim < 2 or source.shape[1] != len(factor):
        raise GraphError("a normalisation does not fit its channels")
    each = (-1, *[1] * (source.ndim - 2))
    return _small(np.add, _small(np.multiply, source, factor.reshape(each)), addend.reshape(each))


def _max_pool(call: Call) -> Value:
    source, node = call.map(0), call.node
    kernel = node.attributes.get("kernel_shape")
    if not isinstance(kernel, tuple):
        raise GraphError("a pool has no kernel")
    moved = window(node, tuple(int(size) for size in kernel))
    rows, columns = moved.output(source.height, source.width)
    top, left, bottom, right = moved.pads
    pixels = source.pixels
    if any(moved.pads):
        sides = ((0, 0), (top, bottom), (left, right))
        pixels = np.pad(pixels, sides, constant_values=np.float32(-np.inf))
    (down, across), (dilate_y, dilate_x) = moved.strides, moved.dilations
    high, wide = (rows - 1) * down + 1, (columns - 1) * across + 1
    # First over the lines, which are contiguous, then over the columns of what is left.
    lines = [pixels[:, y * dilate_y : y * dilate_y + high : down] for y in range(moved.kernel[0])]
    tall = _maximum(lines)
    target = call.pool.take(source.channels, rows, columns)
    parts = [tall[:, :, x * dilate_x : x * dilate_x + wide : across] for x in range(moved.kernel[1])]
    target.pixels[:] = _maximum(parts)
    return target


def _maximum(parts: Sequence[Array]) -> Array:
    result = parts[0]
    for part in parts[1:]:
        result = np.maximum(result, part)
    return result


def _average(call: Call) -> Value:
    source = call.map(0)
    target = call.pool.take(source.channels, 1, 1)
    target.pixels[:, 0, 0] = source.pixels.mean(axis=(1, 2))
    return target


def _resize(call: Call) -> Value:
    """Nearest neighbour by whole factors, where the rounding means that every pixel is repeated."""
    source, node = call.map(0), call.node
    if node.attributes.get("mode", "nearest") != "nearest":
        raise GraphError("only the nearest neighbour is supported for resizing")
    found = factors(call, (1, source.channels, source.height, source.width))
    if node.op == "Resize" and not _repeats(node, max(found)):
        raise GraphError("this way of resizing is not supported")
    target = call.pool.take(source.channels, source.height * found[0], source.width * found[1])
    pixels = target.pixels
    for y in range(found[0]):
        for x in range(found[1]):
            pixels[:, y :: found[0], x :: found[1]] = source.pixels
    return target


def _repeats(node: Node, factor: int) -> bool:
    """Whether pixel i of the output is pixel i // factor of the input."""
    rounding = node.attributes.get("nearest_mode", "round_prefer_floor")
    if node.attributes.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        return False
    match node.attributes.get("coordinate_transformation_mode", "half_pixel"):
        case "half_pixel":  # (i + 0.5) / factor - 0.5: less than half a pixel away
            return rounding in ("round_prefer_floor", "round_prefer_ceil")
        case "asymmetric":  # i / factor
            return rounding == "floor" or (rounding == "round_prefer_floor" and factor <= 2)
    return False


def factors(call: Call, size: tuple[int, ...]) -> tuple[int, int]:
    """Read the factors from scales or sizes. Raises GraphError unless they are small whole numbers."""
    position = 1 if call.node.op == "Upsample" or len(call.values) == 2 else 2
    scales = [float(number) for number in call.array(position).reshape(-1)] if _given(call, position) else []
    if not scales and _given(call, 3):
        sizes = [float(number) for number in call.array(3).reshape(-1)]
        scales = [new / old for new, old in zip(sizes, size, strict=False)]
    if len(scales) != 4 or scales[:2] != [1, 1] or any(not 1 <= scale <= 8 or scale % 1 for scale in scales):
        raise GraphError("only whole factors are supported for resizing")
    return int(scales[2]), int(scales[3])


def _given(call: Call, position: int) -> bool:
    if position >= len(call.values):
        return False
    value = call.values[position]
    return isinstance(value, np.ndarray) and value.size > 0


def _concat(call: Call) -> Value:
    axis = call.integer("axis", 1)
    values = [call.value(position) for position in range(len(call.values))]
    maps = [value for value in values if isinstance(value, Map)]
    if maps and len(maps) == len(values) and axis in (1, -3):
        first = maps[0]
        if any((value.height, value.width) != (first.height, first.width) for value in maps):
            raise GraphError("maps of different sizes cannot be joined")
        target = call.pool.take(sum(value.channels for value in maps), first.height, first.width)
        np.concatenate([value.flat for value in maps], out=target.flat)
        return target
    arrays = [call.array(position) for position in range(len(values))]
    _limit(sum(array.size for array in arrays))
    return np.concatenate(arrays, axis=axis)


def _shape(call: Call) -> Value:
    source = call.value(0)
    if isinstance(source, Map):
        return np.array([1, source.channels, source.height, source.width], np.int64)
    return np.array(source.shape, np.int64)


def _reshape(call: Call) -> Value:
    source = call.array(0)
    wanted = [int(size) for size in call.array(1).reshape(-1)]
    if not call.integer("allowzero", 0):
        wanted = [size or source.shape[index] for index, size in enumerate(wanted)]
    return source.reshape(wanted)


def _flatten(call: Call) -> Value:
    source, axis = call.array(0), call.integer("axis", 1)
    return source.reshape(math.prod(source.shape[:axis]), -1)


def _transpose(call: Call) -> Value:
    source, order = call.value(0), call.node.attributes.get("perm")
    if isinstance(source, Map) and order == (0, 2, 3, 1):
        return np.ascontiguousarray(source.pixels.transpose(1, 2, 0))[np.newaxis]
    array = call.array(0)
    return np.ascontiguousarray(array.transpose(order if isinstance(order, tuple) else None))  # type: ignore[arg-type]


def _gather(call: Call) -> Value:
    indices = call.array(1)
    if indices.dtype.kind != "i" or indices.size > 4096:
        raise GraphError("indices are not integers, or too many")
    source, axis = call.array(0), call.integer("axis", 0)
    _limit(indices.size, source.size // max(1, source.shape[axis]))
    return np.take(source, indices, axis=axis)


def _unsqueeze(call: Call) -> Value:
    axes = call.integers("axes", 1)
    if axes is None:
        raise GraphError("Unsqueeze lacks its axes")
    return np.expand_dims(call.array(0), axes)


def _squeeze(call: Call) -> Value:
    result: Array = np.squeeze(call.array(0), call.integers("axes", 1))
    return result


def _matmul(call: Call) -> Value:
    left, right = call.array(0), call.array(1)
    return _product(left, right)


def _product(left: Array, right: Array) -> Array:
    if left.ndim != 2 or right.ndim != 2:
        raise GraphError("only the product of two matrices is supported")
    _limit(left.shape[0], right.shape[1])
    result: Array = np.matmul(left, right)
    return result


def _gemm(call: Call) -> Value:
    left, right = call.array(0), call.array(1)
    left = left.T if call.integer("transA", 0) else left
    right = right.T if call.integer("transB", 0) else right
    result = _product(left, right) * np.float32(call.number("alpha", 1))
    if len(call.values) > 2 and call.values[2] is not None:
        result = _small(np.add, result, call.array(2) * np.float32(call.number("beta", 1)))
    return result


def _softmax(call: Call) -> Value:
    source = call.array(0)
    if call.opset >= 13:
        return _exponentials(source, call.integer("axis", -1))
    # Before set 13 all dimensions from the axis on counted as one.
    axis = call.integer("axis", 1)
    rows = source.reshape(math.prod(source.shape[:axis]), -1)
    return _exponentials(rows, 1).reshape(source.shape)


def _exponentials(source: Array, axis: int) -> Array:
    raised: Array = np.exp(source - source.max(axis=axis, keepdims=True))
    result: Array = raised / raised.sum(axis=axis, keepdims=True)
    return result


OPERATORS: Final[Mapping[str, Operator]] = {
    "Add": _elementwise(np.add),
    "BatchNormalization": _normalise,
    "Clip": _activate,
    "Concat": _concat,
    "Div": _elementwise(np.divide),
    "Dropout": _copy,
    "Flatten": _flatten,
    "Gather": _gather,
    "Gemm": _gemm,
    "GlobalAveragePool": _average,
    "Identity": _copy,
    "MatMul": _matmul,
    "MaxPool": _max_pool,
    "Mul": _elementwise(np.multiply),
    "PRelu": _activate,
    "Relu": _activate,
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": _shape,
    "Sigmoid": _sigmoid,
    "Softmax": _softmax,
    "Squeeze": _squeeze,
    "Sub": _elementwise(np.subtract),
    "Transpose": _transpose,
    "Unsqueeze": _unsqueeze,
    "Upsample": _resize,
}

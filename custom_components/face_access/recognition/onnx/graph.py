"""An ONNX file as plain data, read with caps: nothing in it is believed.

Source: onnx.proto3 of ONNX IR version 10. Training, functions, sparse tensors, subgraphs and external data are refused.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError
from .wire import BYTES, VARINT, Value, blob, fields, numbers, signed, single, text

type Array = NDArray[Any]
type Attribute = int | float | str | Array | tuple[int, ...] | tuple[float, ...]
type Message = Mapping[int, list[tuple[int, Value]]]

_DTYPES: Final[Mapping[int, np.dtype[Any]]] = {
    1: np.dtype("<f4"),
    2: np.dtype("u1"),
    3: np.dtype("i1"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    9: np.dtype("?"),
    10: np.dtype("<f2"),
    11: np.dtype("<f8"),
}
_TYPED: Final = {1: 4, 6: 5, 7: 7, 11: 10}
"""The field that holds the elements of a data type when raw_data does not."""

_SETS: Final = 64
_LONG: Final = "a list of numbers is too long"
_FLOATS: Final = 6
_INTS: Final = 7
"""AttributeProto.AttributeType: how an empty list is told from a missing one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a file is accepted. Elements are counted over all tensors of the file."""

    size: int = 300 * 1024 * 1024
    nodes: int = 4096
    tensors: int = 8192
    """Of the file, and how many inputs a graph has, since old files name their tensors as inputs too."""
    dimensions: int = 8
    elements: int = 100_000_000
    names: int = 64
    """Inputs or outputs of one node."""
    attributes: int = 32
    numbers: int = 4096
    """Elements of one list attribute, and of what a tensor stores number by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operator. Names that are empty stand for inputs left out."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Attribute] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """An input or output of the graph; a dimension that is not fixed is None."""

    name: str
    shape: tuple[int | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The network: nodes in an order in which they can run, and the tensors that the file brings."""

    opset: int
    nodes: tuple[Node, ...]
    tensors: Mapping[str, Array]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


class _Reader:
    """Reads one file and counts what it has accepted so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.elements = 0
        self.tensors = 0

    def tensor(self, data: memoryview) -> tuple[str, Array]:
        limits = self.limits
        stored = dict.fromkeys(_TYPED.values(), (limits.numbers, _LONG))
        message = _message(data, (2, 8, 9, 14), {1: (limits.dimensions, _LONG), **stored, 13: (limits.names, _LONG)})
        if 13 in message or _number(message, 14):
            raise GraphError("tensors outside the file are refused")
        self.tensors += 1
        if self.tensors > self.limits.tensors:
            raise GraphError("too many tensors")
        shape = tuple(numbers(message.get(1, []), self.limits.dimensions))
        code = _number(message, 2)
        dtype = _DTYPES.get(code)
        if dtype is None:
            raise GraphError(f"data type {code} is not supported")
        if any(size < 0 for size in shape):
            raise GraphError("a tensor has a negative dimension")
        # One by one too: a dimension of 0 hides others that numpy cannot count.
        if any(size > self.limits.elements for size in shape):
            raise GraphError("too many elements")
        count = math.prod(shape)
        self.elements += count
        if self.elements > self.limits.elements:
            raise GraphError("too many elements")
        return _text(message, 8), self._elements(message, code, dtype, count).reshape(shape)

    @staticmethod
    def _elements(message: Message, code: int, dtype: np.dtype[Any], count: int) -> Array:
        raw = _blob(message, 9)
        number = _TYPED.get(code)
        if raw is None and number is not None and number in message and dtype.kind == "i":
            found: Array = np.array(numbers(message[number], count), dtype=np.int64)
            if dtype.itemsize == 4 and len(found) and not -(2**31) <= found.min() <= found.max() < 2**31:
                raise GraphError("a number does not fit its type")
            found = found.astype(dtype)
        else:
            if raw is None and number is not None:
                raw = memoryview(b"".join(blob(value) for _, value in message.get(number, [])))
            raw = memoryview(b"") if raw is None else raw
            if len(raw) != count * dtype.itemsize:
                raise GraphError("a tensor's data do not fit its shape")
            found = np.frombuffer(raw, dtype=dtype)
        if len(found) != count:
            raise GraphError("a tensor's data do not fit its shape")
        return found

    def attribute(self, data: memoryview) -> tuple[str, Attribute]:
        limit = self.limits.numbers
        lists = {7: (limit, _LONG), 8: (limit, _LONG)}
        message = _message(data, (1, 2, 3, 4, 5, 6, 11, 20, 21, 22, 23), lists)
        if {6, 11, 21, 22, 23} & message.keys():
            raise GraphError("subgraphs and references are refused")
        name = _text(message, 1)
        if 5 in message:
            return name, self.tensor(blob(message[5][-1][1]))[1]
        kind = _number(message, 20)
        if 8 in message or kind == _INTS:
            return name, tuple(numbers(message.get(8, []), limit))
        if 7 in message or kind == _FLOATS:
            return name, _floats(message.get(7, []), limit)
        if 4 in message:
            return name, text(message[4][-1][1])
        if 2 in message:
            return name, single(message[2][-1][1])
        return name, _number(message, 3)

    def node(self, data: memoryview) -> Node:
        limits = self.limits
        names = (limits.names, "a node has too many inputs or outputs")
        message = _message(data, (4, 7), {1: names, 2: names, 5: (limits.attributes, "a node has too many attributes")})
        if _text(message, 7) not in ("", "ai.onnx"):
            raise GraphError("operators of other domains are refused")
        return Node(
            op=_text(message, 4),
            inputs=_texts(message, 1),
            outputs=_texts(message, 2),
            attributes=dict(self.attribute(blob(value)) for _, value in message.get(5, [])),
        )

    def graph(self, data: memoryview, opset: int) -> Graph:
        limits = self.limits
        ports = (limits.tensors, "too many inputs or outputs")
        lists = {1: (limits.nodes, "too many nodes"), 5: (limits.tensors, "too many tensors"), 11: ports, 12: ports}
        message = _message(data, (15,), lists)
        if 15 in message:
            raise GraphError("sparse tensors are refused")
        tensors = dict(self.tensor(blob(value)) for _, value in message.get(5, []))
        nodes = tuple(self.node(blob(value)) for _, value in message.get(1, []))
        inputs = tuple(
            port
            for port in (_port(blob(value), limits) for _, value in message.get(11, []))
            if port.name not in tensors
        )
        outputs = tuple(_port(blob(value), limits) for _, value in message.get(12, []))
        _check_order(nodes, tensors, inputs, outputs)
        return Graph(opset=opset, nodes=nodes, tensors=tensors, inputs=inputs, outputs=outputs)


def parse(data: bytes, limits: Limits | None = None) -> Graph:
    """Read an ONNX file. Raises GraphError for whatever is malformed, too large or refused."""
    try:
        return _parse(data, limits or Limits())
    except (ValueError, OverflowError, TypeError, MemoryError) as err:
        raise GraphError(f"the file contradicts itself: {err}") from err


def _parse(data: bytes, limits: Limits) -> Graph:
    if len(data) > limits.size:
        raise GraphError(f"the file has {len(data)} bytes, more than {limits.size}")
    message = _message(memoryview(data), (7, 20, 25), {8: (_SETS, "too many operator sets")})
    if 20 in message or 25 in message:
        raise GraphError("training and functions are refused")
    graph = _blob(message, 7)
    if graph is None:
        raise GraphError("the file holds no graph")
    opset = 0
    for _, value in message.get(8, []):
        entry = _message(blob(value), (1, 2))
        if _text(entry, 1) in ("", "ai.onnx"):
            opset = _number(entry, 2)
    if not 7 <= opset <= 30:
        raise GraphError(f"operator set {opset} is not supported")
    return _Reader(limits).graph(graph, opset)


def _check_order(
    nodes: Iterable[Node], tensors: Mapping[str, Array], inputs: Iterable[Port], outputs: Iterable[Port]
) -> None:
    known = {*tensors, *(port.name for port in inputs), ""}
    for node in nodes:
        if missing := [name for name in node.inputs if name not in known]:
            raise GraphError(f"{node.op} reads {missing[0][:60]!r} before it is made")
        if not node.outputs or any(name in known for name in node.outputs if name):
            raise GraphError(f"{node.op} makes nothing, or what exists already")
        known.update(node.outputs)
    if missing := [port.name for port in outputs if port.name not in known or not port.name]:
        raise GraphError(f"nothing makes the output {missing[0][:60]!r}")


def _message(data: memoryview, single: Container[int], lists: Mapping[int, tuple[int, str]] | None = None) -> Message:
    """Keep the fields that are known: once, or as often as `lists` allows, with what to say where it is more.

    A single field that comes twice is refused: readers differ in what it means, and they must not see another network.
    """
    found: dict[int, list[tuple[int, Value]]] = {}
    for number, wire, value in fields(data):
        if lists is not None and number in lists:
            limit, reason = lists[number]
        elif number in single:
            limit, reason = 1, "a field that stands alone comes twice"
        else:
            continue
        kept = found.setdefault(number, [])
        if len(kept) >= limit:
            raise GraphError(reason)
        kept.append((wire, value))
    return found


def _number(message: Message, number: int) -> int:
    if number not in message:
        return 0
    wire, value = message[number][-1]
    if wire != VARINT:
        raise GraphError("a number was expected")
    return signed(value)


def _blob(message: Message, number: int) -> memoryview | None:
    if number not in message:
        return None
    wire, value = message[number][-1]
    if wire != BYTES:
        raise GraphError("bytes were expected")
    return blob(value)


def _text(message: Message, number: int) -> str:
    data = _blob(message, number)
    return "" if data is None else text(data)


def _texts(message: Message, number: int) -> tuple[str, ...]:
    return tuple(text(value) for _, value in message.get(number, []))


def _floats(values: list[tuple[int, Value]], limit: int) -> tuple[float, ...]:
    data = b"".join(blob(value) for _, value in values)
    if len(data) % 4 or len(data) > 4 * limit:
        raise GraphError("a list of numbers has a wrong length")
    return tuple(np.frombuffer(data, dtype="<f4").tolist())


def _port(data: memoryview, limits: Limits) -> Port:
    message = _message(data, (1, 2))
    kind = _blob(message, 2)
    tensor = None if kind is None else _blob(_message(kind, (1,)), 1)
    shape = None if tensor is None else _blob(_message(tensor, (2,)), 2)
    if shape is None:
        raise GraphError("an input or output is not a tensor with a shape")
    dimensions = _message(shape, (), {1: (limits.dimensions, _LONG)}).get(1, [])
    sizes = [_message(blob(value), (1,)) for _, value in dimensions]
    # A dimension of 0 or none at all means that the file leaves it open.
    return Port(name=_text(message, 1), shape=tuple(_number(size, 1) or None for size in sizes))

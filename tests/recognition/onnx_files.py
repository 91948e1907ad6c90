"""ONNX files written byte by byte, for networks as small as a test needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
import struct
from typing import Any

import numpy as np


def varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def integer(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value)


def blob(number: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


_CODES = {"float32": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9, "float16": 10, "float64": 11}


def tensor(name: str, array: np.ndarray, *, raw: bool = True) -> bytes:
    data = b"".join(integer(1, size) for size in array.shape) + integer(2, _CODES[array.dtype.name]) + blob(8, name)
    if raw:
        return data + blob(9, array.tobytes())
    if array.dtype == np.float32:
        return data + blob(4, array.tobytes())
    assert array.dtype in (np.int64, np.int32)
    return data + blob(7 if array.dtype == np.int64 else 5, b"".join(varint(int(one)) for one in array.reshape(-1)))


def attribute(name: str, value: Any) -> bytes:
    data = blob(1, name)
    if isinstance(value, float):
        return data + varint(2 << 3 | 5) + struct.pack("<f", value) + integer(20, 1)
    if isinstance(value, int):
        return data + integer(3, value) + integer(20, 2)
    if isinstance(value, str):
        return data + blob(4, value) + integer(20, 3)
    if isinstance(value, np.ndarray):
        return data + blob(5, tensor("", value)) + integer(20, 4)
    if value and isinstance(value[0], float):
        return data + blob(7, struct.pack(f"<{len(value)}f", *value)) + integer(20, 6)
    return data + b"".join(integer(8, one) for one in value) + integer(20, 7)


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> bytes:
    data = b"".join(blob(1, name) for name in inputs) + b"".join(blob(2, name) for name in outputs) + blob(4, op)
    return data + b"".join(blob(5, attribute(name, value)) for name, value in attributes.items())


def port(name: str, shape: Sequence[int | str]) -> bytes:
    sizes = b"".join(blob(1, integer(1, size) if isinstance(size, int) else blob(2, size)) for size in shape)
    return blob(1, name) + blob(2, blob(1, integer(1, 1) + blob(2, sizes)))


@dataclass(slots=True)
class Network:
    """A network in the making."""

    inputs: Mapping[str, Sequence[int | str]]
    outputs: Mapping[str, Sequence[int | str]]
    nodes: list[bytes] = field(default_factory=list)
    tensors: dict[str, np.ndarray] = field(default_factory=dict)
    opset: int = 13

    def add(self, op: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(node(op, inputs, [output], **attributes))
        return output

    def constant(self, name: str, array: Any, dtype: str = "float32") -> str:
        self.tensors[name] = np.array(array, dtype)
        return name

    @property
    def graph(self) -> bytes:
        return (
            b"".join(blob(1, one) for one in self.nodes)
            + blob(2, "graph")
            + b"".join(blob(5, tensor(name, array)) for name, array in self.tensors.items())
            + b"".join(blob(11, port(name, shape)) for name, shape in self.inputs.items())
            + b"".join(blob(12, port(name, shape)) for name, shape in self.outputs.items())
        )

    @property
    def data(self) -> bytes:
        return integer(1, 8) + blob(7, self.graph) + blob(8, blob(1, "") + integer(2, self.opset))

"""A reader of the protobuf wire format, for hostile input.

Source: Protocol Buffers documentation, "Encoding". Groups (wire types 3 and 4) are refused: ONNX has none.
"""

from collections.abc import Iterator
import struct
from typing import Final

from ..errors import GraphError

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

type Value = int | memoryview
"""An unsigned number for a varint, else the bytes of the field."""

_FIELDS: Final = 100_000
"""Of one message: more than any network has, and a limit for a file of nothing but empty ones."""
_FIXED: Final = {FIXED64: 8, FIXED32: 4}


def fields(data: memoryview) -> Iterator[tuple[int, int, Value]]:
    """Yield number, wire type and value of every field, in the file's order. Raises GraphError."""
    position, end, count = 0, len(data), 0
    while position < end:
        count += 1
        if count > _FIELDS:
            raise GraphError("a message has too many fields")
        key, position = _varint(data, position)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise GraphError("a field has no number")
        if wire == VARINT:
            value, position = _varint(data, position)
            yield number, wire, value
            continue
        if wire == BYTES:
            length, position = _varint(data, position)
        elif (fixed := _FIXED.get(wire)) is not None:
            length = fixed
        else:
            raise GraphError(f"wire type {wire} is not used by ONNX")
        if length > end - position:
            raise GraphError("the file ends inside a field")
        yield number, wire, data[position : position + length]
        position += length


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    for index in range(position, min(position + 10, len(data))):
        byte = data[index]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, index + 1
        shift += 7
    raise GraphError("a number does not end")


def signed(value: Value) -> int:
    """Read a varint as the 64-bit two's complement that it stands for. Raises GraphError when it is none."""
    if not isinstance(value, int):
        raise GraphError("a number was expected")
    return value - (1 << 64) if value >= 1 << 63 else value


def blob(value: Value) -> memoryview:
    """Read a field of bytes. Raises GraphError when it is none."""
    if isinstance(value, int):
        raise GraphError("bytes were expected")
    return value


def text(value: Value) -> str:
    """Read a field of text. Raises GraphError when it is not UTF-8."""
    try:
        return str(blob(value), "utf-8")
    except UnicodeDecodeError as err:
        raise GraphError("a name is not UTF-8") from err


def single(value: Value) -> float:
    """Read a 32-bit float. Raises GraphError when it is none."""
    data = blob(value)
    if len(data) != 4:
        raise GraphError("a 32-bit float was expected")
    number: float = struct.unpack("<f", data)[0]
    return number


def numbers(values: list[tuple[int, Value]], limit: int) -> list[int]:
    """Read a repeated integer field, packed or not; `values` are its (wire type, value) pairs. Raises GraphError."""
    found: list[int] = []
    for wire, value in values:
        if wire == VARINT:
            found.append(signed(value))
        elif wire != BYTES:
            raise GraphError("a list of numbers was expected")
        else:
            data, position = blob(value), 0
            while position < len(data):
                number, position = _varint(data, position)
                found.append(signed(number))
                if len(found) > limit:
                    raise GraphError("a list of numbers is too long")
    if len(found) > limit:
        raise GraphError("a list of numbers is too long")
    return found

"""The words of the Open Inference Protocol, version 2, over HTTP: what is sent, and what comes back, never believed.

Source: Open Inference Protocol, "HTTP/REST" (server and model metadata, inference), and its binary tensor data
extension: tensors follow the JSON in the body, little-endian in row order, and the header
`Inference-Header-Content-Length` is the length of the JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import json
import math
from typing import Any, Final

import numpy as np

from ..errors import EngineProtocolError
from ..onnx.graph import Array, Port

BINARY: Final = ("binary_tensor_data", "binary_tensor_data_extension")
HEADER: Final = "inference-header-content-length"
FLOAT: Final = "FP32"
_MAX_NUMBERS: Final = 4_000_000
"""Numbers of one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerInfo:
    """What a server says of itself."""

    name: str
    version: str
    binary: bool
    """Whether it declares that it reads and writes binary tensors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """The tensors of a model at a server; a dimension of -1 is None."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def read_json(body: bytes) -> dict[str, Any]:
    """Read an object. Raises EngineProtocolError."""
    try:
        content = json.loads(body)
    except (ValueError, RecursionError) as err:
        raise EngineProtocolError("the answer is not JSON") from err
    if not isinstance(content, dict):
        raise EngineProtocolError("the answer is not an object")
    return content


def server_info(body: bytes) -> ServerInfo:
    """Read the server's metadata. Raises EngineProtocolError."""
    content = read_json(body)
    name, version, extensions = content.get("name"), content.get("version"), content.get("extensions", [])
    if not isinstance(name, str) or not isinstance(extensions, list):
        raise EngineProtocolError("the server does not say who it is")
    return ServerInfo(
        name=_plain(name),
        version=_plain(version) if isinstance(version, str) else "",
        binary=any(extension in BINARY for extension in extensions if isinstance(extension, str)),
    )


def model_info(body: bytes) -> ModelInfo:
    """Read a model's metadata. Raises EngineProtocolError, also where a tensor is not of 32-bit floats."""
    content = read_json(body)
    return ModelInfo(inputs=_ports(content.get("inputs")), outputs=_ports(content.get("outputs")))


def _ports(content: Any) -> tuple[Port, ...]:
    if not isinstance(content, list) or not 1 <= len(content) <= 64:
        raise EngineProtocolError("the model's tensors are not listed")
    return tuple(_port(one) for one in content)


def _port(content: Any) -> Port:
    name, shape = _named(content), content.get("shape")
    if content.get("datatype") != FLOAT:
        raise EngineProtocolError(f"the tensor {_plain(name)} is not of {FLOAT}")
    if not isinstance(shape, list) or len(shape) > 8 or not all(_whole(size) and size >= -1 for size in shape):
        raise EngineProtocolError(f"the tensor {_plain(name)} has no shape")
    return Port(name=name, shape=tuple(None if size == -1 else size for size in shape))


def compatible(ours: Sequence[Port], theirs: ModelInfo) -> int | None:
    """Compare a model at a server with our file: `ours` are its input and then its outputs.

    Gives how many pictures the server takes at once: a number, or None where it does not say. Raises
    EngineProtocolError which says what differs.
    """
    wanted, *outputs = ours
    if [port.name for port in theirs.inputs] != [wanted.name]:
        raise EngineProtocolError(f"the model's input is not {_plain(wanted.name)} alone")
    (given,) = theirs.inputs
    if len(given.shape) != 4 or not _alike(wanted.shape[1:], given.shape[1:]) or given.shape[0] == 0:
        raise EngineProtocolError(f"the input has the shape {_shape(given)} instead of {_shape(wanted)}")
    found = {port.name: port for port in theirs.outputs}
    for output in outputs:
        if (port := found.get(output.name)) is None:
            raise EngineProtocolError(f"the model has no output {_plain(output.name)}")
        if output.shape and not _alike(output.shape[1:], port.shape[1:]):
            raise EngineProtocolError(
                f"the output {_plain(output.name)} has the shape {_shape(port)} instead of {_shape(output)}"
            )
    return given.shape[0]


def _alike(ours: Sequence[int | None], theirs: Sequence[int | None]) -> bool:
    """Whether two shapes can mean the same: a size that one side leaves open fits any."""
    return len(ours) == len(theirs) and all(
        one == other or one is None or other is None for one, other in zip(ours, theirs, strict=True)
    )


def _shape(port: Port) -> str:
    return "x".join("?" if size is None else str(size) for size in port.shape) or "none"


def request(name: str, array: Array, outputs: Sequence[str], *, binary: bool) -> tuple[bytes, dict[str, str]]:
    """Write what asks for a run: the body and its headers. `array` is float32.

    The id is optional, but networks at KServe's own server may hand it on unseen, and fail where there is none.
    """
    tensor: dict[str, Any] = {"name": name, "shape": list(array.shape), "datatype": FLOAT}
    wanted: list[dict[str, Any]] = [{"name": output} for output in outputs]
    if not binary:
        tensor["data"] = array.reshape(-1).tolist()
        body = {"id": "0", "inputs": [tensor], "outputs": wanted}
        return json.dumps(body, separators=(",", ":")).encode(), {"Content-Type": "application/json"}
    data = array.astype("<f4", copy=False).tobytes()
    tensor["parameters"] = {"binary_data_size": len(data)}
    for output in wanted:
        output["parameters"] = {"binary_data": True}
    head = json.dumps({"id": "0", "inputs": [tensor], "outputs": wanted}).encode()
    return head + data, {"Content-Type": "application/octet-stream", HEADER.title(): str(len(head))}


def response(body: bytes, headers: Mapping[str, str], outputs: Sequence[Port], count: int) -> dict[str, Array]:
    """Read the outputs of a run of `count` pictures. Raises EngineProtocolError for whatever does not fit.

    Outputs that nobody asked for are skipped. What is not finite is refused: no sound network of ours gives it.
    """
    head, rest = _split(body, headers.get(HEADER))
    listed = read_json(head).get("outputs")
    if not isinstance(listed, list) or len(listed) > 64:
        raise EngineProtocolError("the answer lists no outputs")
    wanted = {port.name: port for port in outputs}
    found: dict[str, Array] = {}
    offset = 0
    for content in listed:
        name = _named(content)
        shape, size = _sizes(content), _binary_size(content)
        if size is not None:
            data = rest[offset : offset + size]
            offset += size
            if len(data) != size:
                raise EngineProtocolError("the answer is shorter than it says")
        if (port := wanted.get(name)) is None:
            continue
        if name in found:
            raise EngineProtocolError("the answer lists an output twice")
        _fits(content, shape, port, count)
        numbers = _from_list(content.get("data")) if size is None else _from_bytes(data, shape)
        if numbers.size != math.prod(shape) or not np.isfinite(numbers).all():
            raise EngineProtocolError("an output has other numbers than its shape says, or some that are none")
        found[name] = numbers.reshape(shape)
    if offset != len(rest) or len(found) != len(wanted):
        raise EngineProtocolError("the answer holds more or less than was asked for")
    return found


def _split(body: bytes, length: str | None) -> tuple[bytes, memoryview]:
    if length is None:
        return body, memoryview(b"")
    if not (length.isascii() and length.isdecimal() and len(length) < 10) or not 0 < int(length) <= len(body):
        raise EngineProtocolError("the length of the answer's head is wrong")
    return body[: int(length)], memoryview(body)[int(length) :]


def _named(content: Any) -> str:
    name = content.get("name") if isinstance(content, dict) else None
    if not isinstance(name, str):
        raise EngineProtocolError("a tensor has no name")
    return name


def _sizes(content: Mapping[str, Any]) -> tuple[int, ...]:
    shape = content.get("shape")
    if (
        not isinstance(shape, list)
        or not 1 <= len(shape) <= 8
        or not all(_whole(size) and 0 <= size <= _MAX_NUMBERS for size in shape)
        or math.prod(shape) > _MAX_NUMBERS
    ):
        raise EngineProtocolError("an output has no shape, or one that is too large")
    return tuple(shape)


def _binary_size(content: Mapping[str, Any]) -> int | None:
    parameters = content.get("parameters")
    size = parameters.get("binary_data_size") if isinstance(parameters, dict) else None
    if size is None:
        return None
    if not _whole(size) or not 0 <= size <= 4 * _MAX_NUMBERS:
        raise EngineProtocolError("an output has a wrong size")
    return int(size)


def _fits(content: Mapping[str, Any], shape: tuple[int, ...], port: Port, count: int) -> None:
    if content.get("datatype") != FLOAT:
        raise EngineProtocolError(f"an output is not of {FLOAT}")
    if shape[0] != count or (port.shape and not _alike(port.shape[1:], shape[1:])):
        raise EngineProtocolError("an output has another shape than the model")


def _from_bytes(data: memoryview, shape: tuple[int, ...]) -> Array:
    if len(data) != 4 * math.prod(shape):
        raise EngineProtocolError("an output has other bytes than its shape says")
    return np.frombuffer(data, "<f4").astype(np.float32)


def _from_list(content: Any) -> Array:
    """Read numbers in a flat list or in nested ones."""
    if not isinstance(content, list):
        raise EngineProtocolError("an output has no numbers")
    try:
        found = np.asarray(content)
    except (ValueError, OverflowError, RecursionError) as err:
        raise EngineProtocolError("an output's numbers are not in rows") from err
    # Texts and truth values would become numbers too, if they were let.
    if found.dtype.kind not in "iuf":
        raise EngineProtocolError("an output holds something else than numbers")
    with np.errstate(over="ignore"):
        return found.astype(np.float32).reshape(-1)


def _whole(found: Any) -> bool:
    return isinstance(found, int) and not isinstance(found, bool)


def _plain(text: str) -> str:
    """Text of a server, short and without what would confuse a log."""
    return "".join(letter for letter in text if letter.isprintable())[:60]

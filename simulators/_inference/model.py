"""What a simulated inference server knows: models with typed tensors, and the rules that a request has to keep.

Source: Open Inference Protocol, version 2, "HTTP/REST", and the binary tensor data extension.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
import json
import math
from typing import Any, Final

import numpy as np

type Array = np.ndarray[Any, np.dtype[np.float32]]

_REQUEST: Final = {"id", "parameters", "inputs", "outputs"}
_INPUT: Final = {"name", "shape", "datatype", "parameters", "data"}
_OUTPUT: Final = {"name", "parameters"}


class BrokenRuleError(Exception):
    """A request that the protocol forbids; `status` is what the server answers."""

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(slots=True)
class Model:
    """One model with one input. Shapes as the protocol writes them: -1 is any size. `most` pictures go at once."""

    input: tuple[str, list[int]]
    outputs: Mapping[str, list[int]]
    run: Callable[[Array], Mapping[str, Array]]
    most: int | None = None
    ready: bool = True
    batches: list[int] = field(default_factory=list)
    """How many pictures each run got."""

    def metadata(self, name: str) -> dict[str, Any]:
        """Describe it."""
        return {
            "name": name,
            "versions": ["1"],
            "platform": "simulator",
            "inputs": [{"name": self.input[0], "datatype": "FP32", "shape": self.input[1]}],
            "outputs": [{"name": output, "datatype": "FP32", "shape": shape} for output, shape in self.outputs.items()],
        }


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that keeps the rules: the pictures, and each wanted output with whether it is wanted as binary."""

    array: Array
    outputs: Mapping[str, bool]


def read(model: Model, body: bytes, head_length: str | None, *, binary: bool) -> Asked:
    """Read a request as strictly as the protocol is written. Raises BrokenRuleError."""
    head, tail = body, b""
    if head_length is not None:
        if not binary:
            raise BrokenRuleError("the binary extension is not declared here")
        if not head_length.isdecimal() or not 0 < int(head_length) <= len(body):
            raise BrokenRuleError("the header's length is wrong")
        head, tail = body[: int(head_length)], body[int(head_length) :]
    try:
        content = json.loads(head)
    except ValueError as err:
        raise BrokenRuleError("no JSON") from err
    _keys(content, _REQUEST, "request")
    inputs = content.get("inputs")
    if not isinstance(inputs, list) or len(inputs) != 1:
        raise BrokenRuleError("one input is wanted")
    array, used = _input(model, inputs[0], tail)
    if used != len(tail):
        raise BrokenRuleError("bytes follow that belong to no tensor")
    return Asked(array, _outputs(model, content.get("outputs"), binary=binary))


def _keys(content: Any, known: set[str], what: str) -> None:
    if not isinstance(content, dict) or not set(content) <= known:
        raise BrokenRuleError(f"the {what} is no object, or has unknown keys")


def _input(model: Model, content: Any, tail: bytes) -> tuple[Array, int]:
    _keys(content, _INPUT, "input")
    name, shape = content.get("name"), content.get("shape")
    if name != model.input[0] or content.get("datatype") != "FP32":
        raise BrokenRuleError("another name or data type")
    if not isinstance(shape, list) or len(shape) != len(model.input[1]) or not all(type(size) is int for size in shape):
        raise BrokenRuleError("another number of dimensions")
    if any(wanted not in (-1, size) or size < 1 for size, wanted in zip(shape, model.input[1], strict=True)):
        raise BrokenRuleError("another shape")
    if model.most is not None and shape[0] > model.most:
        raise BrokenRuleError("a batch that is too large")
    size = content.get("parameters", {}).get("binary_data_size")
    if size is None:
        data = content.get("data")
        if not isinstance(data, list) or not all(type(number) in (int, float) for number in data):
            raise BrokenRuleError("no data")
        numbers = np.array(data, np.float32)
    elif "data" in content or size != 4 * math.prod(shape) or len(tail) < size:
        raise BrokenRuleError("binary data of another size, or both kinds of data")
    else:
        numbers = np.frombuffer(tail[:size], "<f4").astype(np.float32)
    if numbers.size != math.prod(shape):
        raise BrokenRuleError("more or fewer numbers than the shape says")
    return numbers.reshape(shape), size or 0


def _outputs(model: Model, content: Any, *, binary: bool) -> Mapping[str, bool]:
    if content is None:
        return dict.fromkeys(model.outputs, False)
    if not isinstance(content, list) or not content:
        raise BrokenRuleError("no list of outputs")
    wanted = {}
    for output in content:
        _keys(output, _OUTPUT, "output")
        as_binary = output.get("parameters", {}).get("binary_data", False)
        if output.get("name") not in model.outputs or (as_binary and not binary):
            raise BrokenRuleError("an output that is not there, or in a form that was not declared")
        wanted[output["name"]] = as_binary
    return wanted


@dataclass(slots=True)
class Written:
    """An answer in the making: what a fault changes before it is sent."""

    content: dict[str, Any]
    tail: bytes
    head_length: int | None = None


def write(name: str, asked: Asked, results: Mapping[str, Array]) -> Written:
    """Write the answer to a run."""
    outputs, tail = [], b""
    for output, as_binary in asked.outputs.items():
        array = results[output]
        entry: dict[str, Any] = {"name": output, "datatype": "FP32", "shape": list(array.shape)}
        if as_binary:
            data = array.astype("<f4").tobytes()
            entry["parameters"] = {"binary_data_size": len(data)}
            tail += data
        else:
            entry["data"] = array.reshape(-1).tolist()
        outputs.append(entry)
    return Written({"model_name": name, "model_version": "1", "outputs": outputs}, tail)

"""Networks of a folder as models of a simulated inference server: described and run by onnxruntime."""

from pathlib import Path

import numpy as np
import onnxruntime as ort

from .model import Array, BrokenRuleError, Model

_MOST = 16


def network(path: Path) -> Model:
    """Make a model of an ONNX file with one input of numbers. Raises ValueError for another."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or any(port.type != "tensor(float)" for port in (*inputs, *outputs)):
        raise ValueError(f"{path.name} has not one input of numbers, or gives something else")
    names = [port.name for port in outputs]

    def run(array: Array) -> dict[str, Array]:
        try:
            results = session.run(names, {inputs[0].name: array})
        except Exception as err:  # onnxruntime's share no other base
            raise BrokenRuleError(f"the network does not run: {err}", 500) from err
        return {name: np.asarray(result, np.float32) for name, result in zip(names, results, strict=True)}

    sizes = {port.name: [size if isinstance(size, int) else -1 for size in port.shape] for port in (*inputs, *outputs)}
    batched = sizes[inputs[0].name][0] == -1
    return Model(
        (inputs[0].name, sizes[inputs[0].name]),
        {name: sizes[name] for name in names},
        run,
        most=_MOST if batched else None,
    )

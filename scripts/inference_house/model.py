"""One network at Triton, run by onnxruntime. Triton's Python backend loads this file; nothing of ours is imported."""

import os
from pathlib import Path
from typing import Any

# Before it is imported: it would report to its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import onnxruntime
import triton_python_backend_utils as triton  # a part of the backend


class TritonPythonModel:
    """The class that the backend looks for."""

    def initialize(self, args: dict[str, str]) -> None:
        """Load the file beside this one, on one thread."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = Path(args["model_repository"]) / args["model_version"] / "network.onnx"
        self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self._outputs = [output.name for output in self._session.get_outputs()]

    def execute(self, requests: list[Any]) -> list[Any]:
        """Answer each request on its own."""
        return [self._answer(request) for request in requests]

    def _answer(self, request: Any) -> Any:
        feeds = {tensor.name(): tensor.as_numpy() for tensor in request.inputs()}
        try:
            results = self._session.run(self._outputs, feeds)
        except Exception as err:  # noqa: BLE001 - its exceptions share no other base
            return triton.InferenceResponse(error=triton.TritonError(str(err)))
        return triton.InferenceResponse(
            [triton.Tensor(name, result) for name, result in zip(self._outputs, results, strict=True)]
        )

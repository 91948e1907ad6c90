"""A network run by onnxruntime, where somebody has installed it; it never installs itself.

Source of the options: onnxruntime documentation, "Thread management" and "Memory consumption". Threads that spin while
they wait cost more processor time than the work itself at the pace of a doorbell.
"""

from collections.abc import Mapping
from importlib import import_module
import os
from types import ModuleType
from typing import Any, Final, override

from ..errors import GraphError
from .graph import Array, Graph
from .needs import Needs
from .net import Net

_PACKAGE: str = "onnxruntime"
_SIZES: Final = 64
"""Sizes of inputs of which is remembered that they do not ask for too much."""


def available() -> ModuleType | None:
    """Import onnxruntime. None where it is missing or does not start on this machine.

    From 1.31 on it reports to its maker unless told not to before it starts (its Privacy.md, "Disabling Telemetry"):
    nothing leaves this house without its consent. Where somebody else has imported it, the rest is switched off.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    try:
        module = import_module(_PACKAGE)
        module.disable_telemetry_events()
    except ImportError, OSError:
        return None
    return module


class OnnxruntimeNet(Net):
    """A session of one thread without an arena: memory goes back when a run ends."""

    runtime = "onnxruntime"

    def __init__(self, module: ModuleType, data: bytes, graph: Graph) -> None:
        """Load a file that `graph` was read from. Raises GraphError when onnxruntime refuses it, or we do."""
        self._needs = Needs(graph)
        self._checked: set[tuple[tuple[int, ...], ...]] = set()
        options: Any = module.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = module.ExecutionMode.ORT_SEQUENTIAL
        options.graph_optimization_level = module.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.enable_cpu_mem_arena = False
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 4  # what is wrong comes as an exception
        try:
            self._session: Any = module.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        except Exception as err:  # its exceptions share no other base
            raise GraphError(f"onnxruntime refuses the network: {str(err)[:200]}") from err
        self.inputs = graph.inputs
        self.outputs = tuple(port.name for port in graph.outputs)

    @override
    def run(self, feeds: Mapping[str, Array]) -> dict[str, Array]:
        shapes = {name: array.shape for name, array in feeds.items()}
        if (key := tuple(shapes.values())) not in self._checked:
            self._needs.check(shapes)
            if len(self._checked) >= _SIZES:
                self._checked.clear()
            self._checked.add(key)
        try:
            results: list[Array] = self._session.run(self.outputs, dict(feeds))
        except Exception as err:  # its exceptions share no other base
            raise GraphError(f"the network does not fit its input: {str(err)[:200]}") from err
        return dict(zip(self.outputs, results, strict=True))

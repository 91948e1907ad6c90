"""Runtimes for ONNX networks behind one interface: onnxruntime where it can be imported, else numpy."""

from typing import Literal

from ..errors import RuntimeMissingError
from .graph import Array, Graph, Limits, Port, parse
from .interpreter import NumpyNet
from .net import Net
from .ort import OnnxruntimeNet, available

type Runtime = Literal["onnxruntime", "numpy"]

__all__ = ["Array", "Graph", "Limits", "Net", "Port", "Runtime", "load", "parse", "runtimes"]


def runtimes() -> tuple[Runtime, ...]:
    """Name the runtimes of this machine, the fastest first."""
    return ("numpy",) if available() is None else ("onnxruntime", "numpy")


def load(data: bytes, runtime: Runtime | None = None, limits: Limits | None = None) -> Net:
    """Make a network of an ONNX file, on a given runtime or on the fastest.

    Whatever the runtime, the file passes our own reader and its caps first. Raises GraphError for a file that is
    malformed or asks for too much, UnsupportedOperatorError (one of them) for an operator that we do not know, and
    RuntimeMissingError when the runtime that was asked for is not here.
    """
    graph = parse(data, limits)
    module = available() if runtime != "numpy" else None
    if module is not None:
        return OnnxruntimeNet(module, data, graph)
    if runtime == "onnxruntime":
        raise RuntimeMissingError("onnxruntime cannot be imported here")
    return NumpyNet(graph)

"""What can be done to a graph before it runs: constants, folded normalisation, fused activations."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from ..errors import GraphError
from .graph import Array, Graph, Node

_PASSED_ON: Final = frozenset({"Identity", "Dropout"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """What follows a convolution at once: a range to clip to, or a slope for what is negative (one per channel)."""

    low: float = -np.inf
    high: float = np.inf
    slope: Array | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node ready to run, with the activation that it applies to its own output."""

    node: Node
    activation: Activation | None = None


def prepare(graph: Graph) -> tuple[list[Step], dict[str, Array]]:
    """Make steps of a graph and give the tensors that they read. Raises GraphError for broken parameters."""
    tensors = {name: _floats(tensor) for name, tensor in graph.tensors.items()}
    nodes = _drop_constants(graph, tensors)
    nodes = _pass_on(nodes, graph)
    nodes = _fold_normalisation(nodes, graph, tensors)
    steps = _fuse_activations(nodes, graph, tensors)
    read = {name for step in steps for name in step.node.inputs} | {port.name for port in graph.outputs}
    return steps, {name: tensor for name, tensor in tensors.items() if name in read}


def _floats(tensor: Array) -> Array:
    return tensor.astype(np.float32) if tensor.dtype.kind == "f" else tensor


def _drop_constants(graph: Graph, tensors: dict[str, Array]) -> list[Node]:
    kept = []
    for node in graph.nodes:
        if node.op != "Constant":
            kept.append(node)
            continue
        value = node.attributes.get("value")
        if not isinstance(value, np.ndarray):
            raise GraphError("a constant has no value")
        tensors[node.outputs[0]] = _floats(value)
    return kept


def _pass_on(nodes: list[Node], graph: Graph) -> list[Node]:
    """Remove what does nothing when a network only predicts."""
    results = {port.name for port in graph.outputs}
    renamed: dict[str, str] = {}
    kept = []
    for old in nodes:
        node = replace(old, inputs=tuple(renamed.get(name, name) for name in old.inputs))
        if node.op in _PASSED_ON and node.outputs[0] not in results and node.inputs:
            renamed[node.outputs[0]] = node.inputs[0]
        else:
            kept.append(node)
    return kept


def _readers(nodes: list[Node], graph: Graph) -> Counter[str]:
    return Counter([name for node in nodes for name in node.inputs] + [port.name for port in graph.outputs])


def _fold_normalisation(nodes: list[Node], graph: Graph, tensors: dict[str, Array]) -> list[Node]:
    """Fold a BatchNormalization into the convolution before it, where nothing else reads that."""
    readers = _readers(nodes, graph)
    made = {node.outputs[0]: index for index, node in enumerate(nodes)}
    folded: dict[int, Node] = {}
    gone: set[int] = set()
    for index, node in enumerate(nodes):
        source = made.get(node.inputs[0]) if node.op == "BatchNormalization" and node.inputs else None
        if source is None or nodes[source].op != "Conv" or readers[node.inputs[0]] != 1 or source in folded:
            continue
        parameters = _normalisation(node, tensors)
        conv = nodes[source]
        weights = tensors.get(conv.inputs[1])
        if parameters is None or weights is None or weights.ndim != 4 or len(parameters[0]) != len(weights):
            continue
        scale, shift = parameters
        bias = tensors.get(conv.inputs[2]) if len(conv.inputs) > 2 else np.zeros(len(weights), np.float32)
        if bias is None or bias.shape != shift.shape:
            continue
        name = node.outputs[0]
        tensors[f"{name}/weights"] = weights * scale[:, None, None, None]
        tensors[f"{name}/bias"] = bias * scale + shift
        inputs = (conv.inputs[0], f"{name}/weights", f"{name}/bias")
        folded[source] = replace(conv, inputs=inputs, outputs=(name,))
        gone.add(index)
    return [folded.get(index, node) for index, node in enumerate(nodes) if index not in gone]


def _normalisation(node: Node, tensors: Mapping[str, Array]) -> tuple[Array, Array] | None:
    parameters = [tensors.get(name) for name in node.inputs[1:5]]
    if len(parameters) != 4 or any(tensor is None for tensor in parameters):
        return None
    return normalisation(node, [tensor for tensor in parameters if tensor is not None])


def normalisation(node: Node, parameters: list[Array]) -> tuple[Array, Array]:
    """Give a BatchNormalization as (factor, addend) per channel. Raises GraphError when its shapes differ."""
    scale, bias, mean, variance = parameters
    if scale.ndim != 1 or any(tensor.shape != scale.shape for tensor in parameters):
        raise GraphError("a normalisation's parameters have different shapes")
    epsilon = node.attributes.get("epsilon", 1e-5)
    if not isinstance(epsilon, float):
        raise GraphError("a normalisation's epsilon is not a number")
    factor = (scale / np.sqrt(variance.astype(np.float64) + epsilon)).astype(np.float32)
    return factor, bias - mean * factor


def _fuse_activations(nodes: list[Node], graph: Graph, tensors: dict[str, Array]) -> list[Step]:
    readers = _readers(nodes, graph)
    after = {node.inputs[0]: node for node in nodes if node.inputs}
    steps: list[Step] = []
    gone: set[str] = set()
    for node in nodes:
        if node.outputs[0] in gone:
            continue
        follower = after.get(node.outputs[0])
        activation = None
        if node.op == "Conv" and follower is not None and readers[node.outputs[0]] == 1:
            activation = as_activation(follower, tensors)
        if activation is not None and follower is not None:
            gone.add(follower.outputs[0])
            node = replace(node, outputs=follower.outputs)  # noqa: PLW2901 - the node goes on under the other's name
        steps.append(Step(node=node, activation=activation))
    return steps


def as_activation(node: Node, tensors: Mapping[str, Array]) -> Activation | None:
    """Describe a Relu, Clip or PRelu of maps; None for any other operator, and for bounds that are not known yet."""
    if node.op == "Relu":
        return Activation(low=0)
    if node.op == "Clip":
        low = _bound(node, tensors, 1, "min", -np.inf)
        high = _bound(node, tensors, 2, "max", np.inf)
        return None if low is None or high is None else Activation(low=low, high=high)
    if node.op == "PRelu" and len(node.inputs) == 2 and (slope := tensors.get(node.inputs[1])) is not None:
        # Shapes align at their last dimension: (C,) would be one slope per column.
        each = slope.size == 1 or slope.shape[-3:] == (slope.size, 1, 1)
        return Activation(slope=slope.reshape(-1, 1)) if each else None
    return None


def _bound(node: Node, tensors: Mapping[str, Array], position: int, name: str, default: float) -> float | None:
    attribute = node.attributes.get(name, default)
    if len(node.inputs) <= position or not node.inputs[position]:
        return attribute if isinstance(attribute, float | int) else None
    tensor = tensors.get(node.inputs[position])
    return float(tensor.reshape(-1)[0]) if tensor is not None and tensor.size == 1 else None

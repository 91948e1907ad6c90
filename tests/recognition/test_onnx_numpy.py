"""The numpy runtime computes what the operators are defined to compute, and what onnxruntime computes."""

from collections.abc import Callable
import os
from pathlib import Path
import subprocess
import sys
from typing import Any

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from custom_components.face_access.recognition.errors import GraphError, RuntimeMissingError, UnsupportedOperatorError
from custom_components.face_access.recognition.onnx import (
    Net,
    NumpyNet,
    Runtime,
    blas,
    interpreter,
    load,
    maps,
    needs,
    ort,
    runtimes,
)
from custom_components.face_access.recognition.onnx.maps import Map

from . import naive
from .onnx_files import Network, node

RNG = np.random.default_rng(7)


def numbers(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def run(network: Network, x: np.ndarray) -> np.ndarray:
    net = load(network.data, "numpy")
    assert isinstance(net, NumpyNet)
    first = net.run({"x": x})["y"]
    # Memory is used again: the second run must not see the first.
    net.run({"x": x + 1})
    again = net.run({"x": x})["y"]
    assert np.array_equal(first, again)
    return first


def single(op: str, shape: tuple[int, ...], *others: np.ndarray, opset: int = 13, **attributes: Any) -> Network:
    network = Network({"x": ["batch", *shape[1:]]}, {"y": []}, opset=opset)
    names = [network.constant(f"c{index}", other, other.dtype.name) for index, other in enumerate(others)]
    network.add(op, ["x", *names], "y", **attributes)
    return network


CONVOLUTIONS = st.fixed_dictionaries(
    {
        "kernel": st.tuples(st.integers(1, 5), st.integers(1, 5)),
        "strides": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "pads": st.tuples(*[st.integers(0, 2)] * 4),
        "dilations": st.tuples(st.integers(1, 2), st.integers(1, 2)),
        "groups": st.sampled_from([(1, 3, 4), (4, 1, 1), (2, 2, 3), (3, 1, 2), (1, 1, 1)]),
        "size": st.tuples(st.integers(9, 14), st.integers(9, 14)),
        "bias": st.booleans(),
        "activation": st.sampled_from(["none", "Relu", "Clip", "PRelu", "steep PRelu"]),
    }
)


@hypothesis.settings(max_examples=150, deadline=None)
@hypothesis.given(CONVOLUTIONS)
def test_any_convolution(case: dict[str, Any]) -> None:
    group, depth, outputs = case["groups"]
    x = numbers(1, group * depth, *case["size"])
    w, b = numbers(group * outputs, depth, *case["kernel"]), numbers(group * outputs)
    network = Network({"x": [1, *x.shape[1:]]}, {"y": []})
    names = [network.constant("w", w), *([network.constant("b", b)] if case["bias"] else [])]
    arguments = {name: case[name] for name in ("strides", "pads", "dilations")}
    activation = case["activation"]
    target = "y" if activation == "none" else "c"
    network.add("Conv", ["x", *names], target, group=group, **arguments)
    expected = naive.conv(x, w, b if case["bias"] else None, group=group, **arguments)
    if activation == "Relu":
        network.add("Relu", ["c"], "y")
        expected = np.maximum(expected, 0)
    elif activation == "Clip":
        network.add("Clip", ["c", network.constant("low", -0.5), network.constant("high", 1)], "y")
        expected = expected.clip(-0.5, 1)
    elif activation != "none":
        slope = (2 if "steep" in activation else 0.2) * (1 + np.arange(len(w), dtype=np.float32)).reshape(-1, 1, 1)
        network.add("PRelu", ["c", network.constant("s", slope)], "y")
        expected = np.where(expected < 0, expected * slope, expected)
    np.testing.assert_allclose(run(network, x), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [(64, 80), (40, 200)])
@pytest.mark.parametrize(("group", "depth", "outputs", "kernel"), [(1, 16, 40, 1), (64, 1, 1, 3), (1, 24, 16, 3)])
def test_convolutions_of_several_blocks(
    size: tuple[int, int], group: int, depth: int, outputs: int, kernel: int
) -> None:
    """As large as the work is cut into pieces, and followed by another kernel that reads the margins."""
    x = numbers(1, group * depth, *size)
    w, second = numbers(group * outputs, depth, kernel, kernel), numbers(group * outputs, 1, 3, 3)
    network = Network({"x": list(x.shape)}, {"y": []})
    pads = [kernel // 2] * 4
    network.add("Conv", ["x", network.constant("w", w)], "c", group=group, pads=pads)
    network.add("Relu", ["c"], "r")
    network.add("Conv", ["r", network.constant("v", second)], "y", group=len(w), pads=[1] * 4)
    shifts = range(kernel)
    padded = np.pad(x[0], ((0, 0), (kernel // 2,) * 2, (kernel // 2,) * 2)).astype(np.float64)
    first = sum(
        np.einsum(
            "goi,gihw->gohw",
            w[:, :, dy, dx].reshape(group, outputs, depth),
            padded[:, dy : dy + size[0], dx : dx + size[1]].reshape(group, depth, *size),
        )
        for dy in shifts
        for dx in shifts
    ).reshape(1, -1, *size)
    padded = np.pad(np.maximum(first[0], 0), ((0, 0), (1, 1), (1, 1)))
    expected = sum(
        second[:, 0, dy, dx][:, None, None] * padded[:, dy : dy + size[0], dx : dx + size[1]]
        for dy in range(3)
        for dx in range(3)
    )
    np.testing.assert_allclose(run(network, x)[0], expected, rtol=1e-3, atol=1e-3)


def test_a_kernel_as_large_as_its_input() -> None:
    x, w, b = numbers(1, 6, 7, 7), numbers(6, 1, 7, 7), numbers(6)
    network = single("Conv", x.shape, w, b, group=6)
    np.testing.assert_allclose(run(network, x), naive.conv(x, w, b, group=6), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("kernel", "strides", "pads"),
    [((2, 2), (2, 2), (0,) * 4), ((3, 3), (2, 2), (1,) * 4), ((3, 2), (1, 2), (0, 1, 1, 0))],
)
def test_max_pool(kernel: tuple[int, int], strides: tuple[int, int], pads: tuple[int, ...]) -> None:
    x = numbers(1, 3, 9, 11)
    network = single("MaxPool", x.shape, kernel_shape=kernel, strides=strides, pads=pads)
    assert np.array_equal(run(network, x), naive.max_pool(x, kernel, strides, pads))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


X = numbers(1, 3, 5, 7)
CHANNELS = numbers(3, 1, 1)
SIMPLE: dict[str, tuple[Network, np.ndarray]] = {
    "Relu": (single("Relu", X.shape), np.maximum(X, 0)),
    "Clip with attributes": (single("Clip", X.shape, opset=7, min=-0.5, max=0.5), X.clip(-0.5, 0.5)),
    "Clip above": (single("Clip", X.shape, np.array(-1, np.float32)), X.clip(-1)),
    "PRelu": (single("PRelu", X.shape, CHANNELS), np.where(X < 0, X * CHANNELS, X)),
    "PRelu with one slope": (single("PRelu", X.shape, np.array([0.3], np.float32)), np.where(X < 0, X * 0.3, X)),
    "Sigmoid": (single("Sigmoid", X.shape), sigmoid(X)),
    "Add channels": (single("Add", X.shape, CHANNELS), X + CHANNELS),
    "Mul number": (single("Mul", X.shape, np.array(2.5, np.float32)), X * 2.5),
    "Sub": (single("Sub", X.shape, np.array([1.5], np.float32)), X - 1.5),
    "Div": (single("Div", X.shape, CHANNELS[None]), X / CHANNELS),
    "GlobalAveragePool": (single("GlobalAveragePool", X.shape), X.mean(axis=(2, 3), keepdims=True)),
    "Flatten": (single("Flatten", X.shape), X.reshape(1, -1)),
    "Reshape": (single("Reshape", X.shape, np.array([0, -1, 7])), X.reshape(1, 15, 7)),
    "Reshape with zeros": (single("Reshape", X.shape, np.array([15, 7]), opset=14, allowzero=1), X.reshape(15, 7)),
    "Transpose": (single("Transpose", X.shape, perm=[0, 2, 3, 1]), X.transpose(0, 2, 3, 1)),
    "Transpose otherwise": (single("Transpose", X.shape, perm=[1, 0, 3, 2]), X.transpose(1, 0, 3, 2)),
    "Transpose by default": (single("Transpose", X.shape), X.transpose()),
    "Gather": (single("Gather", X.shape, np.array([2, 0]), axis=1), X[:, [2, 0]]),
    "Unsqueeze": (single("Unsqueeze", X.shape, np.array([0, 3])), np.expand_dims(X, (0, 3))),
    "Unsqueeze with attribute": (single("Unsqueeze", X.shape, opset=11, axes=[0]), X[None]),
    "Squeeze": (single("Squeeze", X.shape, np.array([0])), X[0]),
    "Softmax": (single("Softmax", X.shape, axis=1), np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)),
    "Shape": (single("Shape", X.shape), np.array(X.shape)),
    "Resize": (
        single(
            "Resize",
            X.shape,
            np.array([], np.float32),
            np.array([1, 1, 2, 3], np.float32),
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
        X.repeat(2, axis=2).repeat(3, axis=3),
    ),
    "Resize to sizes": (
        single("Resize", X.shape, np.array([], np.float32), np.array([], np.float32), np.array([1, 3, 10, 7])),
        X.repeat(2, axis=2),
    ),
    "Upsample": (
        single("Upsample", X.shape, np.array([1, 1, 2, 2], np.float32), opset=9),
        X.repeat(2, axis=2).repeat(2, axis=3),
    ),
    "BatchNormalization": (
        single("BatchNormalization", X.shape, *[np.array([1, 2, 3], np.float32)] * 4, epsilon=0.5),
        (X - np.array([1, 2, 3]).reshape(3, 1, 1))
        * (np.array([1, 2, 3]) / np.sqrt(np.array([1.5, 2.5, 3.5]))).reshape(3, 1, 1)
        + np.array([1, 2, 3]).reshape(3, 1, 1),
    ),
}


@pytest.mark.parametrize(("network", "expected"), SIMPLE.values(), ids=SIMPLE)
def test_operator(network: Network, expected: np.ndarray) -> None:
    result = run(network, X)
    assert result.shape == expected.shape
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def resize(factor: int, way: str, rounding: str | None) -> Network:
    attributes = {"coordinate_transformation_mode": way, **({} if rounding is None else {"nearest_mode": rounding})}
    factors = np.array([1, 1, factor, factor], np.float32)
    return single("Resize", X.shape, np.array([], np.float32), factors, mode="nearest", **attributes)


def after_reshape(op: str, shape: list[int], *others: np.ndarray) -> Network:
    network = Network({"x": [1, 6, 6, 6]}, {"y": []})
    network.add("Reshape", ["x", network.constant("shape", shape, "int64")], "r")
    network.add(op, ["r", *(network.constant(f"c{index}", other) for index, other in enumerate(others))], "y")
    return network


SQUARE = numbers(1, 6, 6, 6)
SIX = np.arange(1, 7, dtype=np.float32) / 10
ROUNDINGS = (None, "floor", "ceil", "round_prefer_floor", "round_prefer_ceil")
SUBTLE: dict[str, tuple[Network, np.ndarray]] = {
    **{
        f"Resize {factor} {way} {rounding}": (resize(factor, way, rounding), X)
        for factor in (2, 3, 4)
        for way in ("asymmetric", "half_pixel")
        for rounding in ROUNDINGS
    },
    "Softmax of set 12": (single("Softmax", X.shape, opset=12), X),
    "Softmax of set 11 at 2": (single("Softmax", X.shape, opset=11, axis=2), X),
    "Softmax of set 11 at -1": (single("Softmax", X.shape, opset=11, axis=-1), X),
    "Softmax of set 13": (single("Softmax", X.shape), X),
    "PRelu of channels": (single("PRelu", SQUARE.shape, SIX.reshape(1, 6, 1, 1)), SQUARE),
    "PRelu of columns": (single("PRelu", SQUARE.shape, SIX), SQUARE),
    "PRelu of columns, in full": (single("PRelu", SQUARE.shape, SIX.reshape(1, 1, 6)), SQUARE),
    "PRelu of lines": (single("PRelu", SQUARE.shape, SIX.reshape(6, 1)), SQUARE),
    "PRelu of rows": (after_reshape("PRelu", [1, 36, 6], SIX), SQUARE),
    "BatchNormalization of rows": (after_reshape("BatchNormalization", [6, 6, 6], SIX, SIX, SIX, SIX), SQUARE),
    "BatchNormalization of a list": (after_reshape("BatchNormalization", [36, 6], SIX, SIX, SIX, SIX), SQUARE),
    "Conv that is VALID": (single("Conv", X.shape, numbers(2, 3, 3, 3), auto_pad="VALID"), X),
    "MaxPool that is VALID": (
        single("MaxPool", X.shape, kernel_shape=[2, 2], auto_pad="VALID", pads=[1, 1, 1, 1]),
        X,
    ),
    "Dropout at the end": (single("Dropout", X.shape), X),
    "Identity at the end": (after_reshape("Identity", [6, 36]), SQUARE),
}
"""What looks simple and means something else than one would think."""
BEYOND = {
    *(f"Resize {factor} asymmetric {rounding}" for factor in (2, 3, 4) for rounding in ("ceil", "round_prefer_ceil")),
    *(f"Resize {factor} asymmetric {rounding}" for factor in (3, 4) for rounding in (None, "round_prefer_floor")),
    *(f"Resize {factor} half_pixel {rounding}" for factor in (2, 3, 4) for rounding in ("floor", "ceil")),
    "PRelu of columns",
    "PRelu of columns, in full",
    "PRelu of lines",
}
"""Of these what numpy refuses."""


def chain(build: Callable[[Network], None], shape: tuple[int, ...] = X.shape) -> Network:
    network = Network({"x": list(shape)}, {"y": []})
    build(network)
    return network


def test_sums_and_products_of_maps() -> None:
    """A gate as in squeeze-and-excitation: one number per channel, from the maps themselves."""
    network = Network({"x": list(X.shape)}, {"y": []})
    network.add("GlobalAveragePool", ["x"], "mean")
    network.add("Sigmoid", ["mean"], "gate")
    network.add("Mul", ["gate", "x"], "gated")
    network.add("Add", ["gated", "x"], "sum")
    network.add("Concat", ["sum", "x"], "y", axis=1)
    gated = X * sigmoid(X.mean(axis=(2, 3), keepdims=True)) + X
    np.testing.assert_allclose(run(network, X), np.concatenate([gated, X], axis=1), rtol=1e-5)


def test_the_head_of_a_classifier() -> None:
    network = Network({"x": list(X.shape)}, {"y": []})
    weights, bias, wide = numbers(4, 105), numbers(4), numbers(4, 4)
    network.add("Flatten", ["x"], "f")
    network.add("Dropout", ["f"], "d")
    network.add(
        "Gemm", ["d", network.constant("w", weights), network.constant("b", bias)], "g", transB=1, alpha=0.5, beta=2.0
    )
    names = [network.constant(f"n{index}", np.arange(1, 5)) for index in range(4)]
    network.add("BatchNormalization", ["g", *names], "n")
    network.add("PRelu", ["n", network.constant("slope", [0.1, 0.2, 0.3, 0.4])], "p")
    network.add("Clip", ["p", network.constant("low", -2), network.constant("high", 3)], "q")
    network.add("MatMul", ["q", network.constant("m", wide)], "r")
    network.add("Sigmoid", ["r"], "y")
    g = X.reshape(1, -1) @ weights.T * 0.5 + bias * 2
    n = (g - np.arange(1, 5)) / np.sqrt(np.arange(1, 5) + 1e-5) * np.arange(1, 5) + np.arange(1, 5)
    p = np.where(n < 0, n * [0.1, 0.2, 0.3, 0.4], n).clip(-2, 3)
    np.testing.assert_allclose(run(network, X), sigmoid(p @ wide), rtol=1e-4)


@pytest.mark.parametrize("runtime", runtimes())
def test_shapes_computed_at_run_time(runtime: Runtime) -> None:
    """What exporters write for a flattening of unknown size."""
    network = Network({"x": [1, 3, "h", "w"]}, {"y": ["n", "any"]})
    network.add("Shape", ["x"], "shape")
    network.add("Gather", ["shape", network.constant("zero", 0, "int64")], "first", axis=0)
    network.add("Unsqueeze", ["first", network.constant("axes", [0], "int64")], "batch")
    network.add("Concat", ["batch", network.constant("rest", [-1], "int64")], "wanted", axis=0)
    network.add("Reshape", ["x", "wanted"], "y")
    assert np.array_equal(load(network.data, runtime).run({"x": X})["y"], X.reshape(1, -1))


def test_normalisation_is_folded_but_not_where_others_read() -> None:
    w = numbers(4, 3, 1, 1)
    network = Network({"x": list(X.shape)}, {"y": [], "z": []})
    names = [network.constant(f"n{index}", np.arange(1, 5)) for index in range(4)]
    network.add("Conv", ["x", network.constant("w", w)], "z")
    network.add("BatchNormalization", ["z", *names], "y")
    net = load(network.data, "numpy")
    found = net.run({"x": X})
    conv = naive.conv(X, w)
    steps = np.arange(1, 5).reshape(4, 1, 1)
    np.testing.assert_allclose(found["z"], conv, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found["y"], (conv - steps) / np.sqrt(steps + 1e-5) * steps + steps, rtol=1e-4, atol=1e-4)


def test_constants_written_as_nodes() -> None:
    network = Network({"x": list(X.shape)}, {"y": []})
    network.nodes.append(node("Constant", [], ["two"], value=np.array(2.0, np.float32)))
    network.add("Mul", ["x", "two"], "m")
    network.add("Identity", ["m"], "i")
    network.add("Relu", ["i"], "y")
    np.testing.assert_allclose(run(network, X), np.maximum(X * 2, 0))


REFUSED: dict[str, tuple[Network, str]] = {
    "kernel too large": (single("Conv", X.shape, numbers(2, 3, 6, 6)), "larger than"),
    "wrong channels": (single("Conv", X.shape, numbers(2, 4, 1, 1)), "3"),
    "groups": (single("Conv", X.shape, numbers(3, 1, 1, 1), group=2), "groups"),
    "bias": (single("Conv", X.shape, numbers(3, 3, 1, 1), numbers(2)), "bias"),
    "strides": (single("Conv", X.shape, numbers(3, 3, 1, 1), strides=[0, 1]), "strides"),
    "pads": (single("Conv", X.shape, numbers(3, 3, 1, 1), pads=[1, 1, 1, 1000]), "two-dimensional"),
    "huge kernel": (single("MaxPool", X.shape, kernel_shape=[65, 1]), "kernel's size"),
    "auto_pad": (single("Conv", X.shape, numbers(3, 3, 1, 1), auto_pad="SAME_UPPER"), "automatic padding"),
    "ceil": (single("MaxPool", X.shape, kernel_shape=[2, 2], ceil_mode=1), "rounding"),
    "pool without kernel": (single("MaxPool", X.shape), "no kernel"),
    "slopes": (single("PRelu", X.shape, numbers(4, 1, 1)), "slopes"),
    "slopes of planes": (single("PRelu", X.shape, numbers(3, 5, 7)), "slopes"),
    "sum of other shapes": (single("Add", X.shape, numbers(1, 3, 5, 6)), "do not fit"),
    "linear resize": (single("Resize", X.shape, numbers(0), numbers(4), mode="linear"), "nearest"),
    "strange resize": (
        single("Resize", X.shape, numbers(0), numbers(4), coordinate_transformation_mode="align_corners"),
        "resizing",
    ),
    "half factors": (
        single("Resize", X.shape, numbers(0), np.array([1, 1, 1.5, 2], np.float32)),
        "whole factors",
    ),
    "endless factors": (
        single("Resize", X.shape, numbers(0), np.array([1, 1, np.inf, 2], np.float32)),
        "whole factors",
    ),
    "no axes": (single("Unsqueeze", X.shape), "axes"),
    "indices": (single("Gather", X.shape, numbers(2)), "indices"),
    "index out of range": (single("Gather", X.shape, np.array([9])), "does not fit"),
    "product of four dimensions": (single("MatMul", X.shape, numbers(7, 7)), "two matrices"),
    "gemm of four dimensions": (single("Gemm", X.shape, numbers(7, 7)), "two matrices"),
    "reshape": (single("Reshape", X.shape, np.array([4, 4])), "does not fit"),
    "normalisation": (single("BatchNormalization", X.shape, *[numbers(2)] * 4), "channels"),
    "normalisation of shapes": (
        single("BatchNormalization", X.shape, *[numbers(3)] * 3, numbers(2)),
        "different shapes",
    ),
    "normalisation epsilon": (single("BatchNormalization", X.shape, *[numbers(3)] * 4, epsilon="x"), "epsilon"),
    "missing input": (single("Add", X.shape), "lacks an input"),
    "axis is text": (single("Softmax", X.shape, axis="1"), "not an integer"),
    "axis out of range": (single("Softmax", X.shape, axis=9), "does not fit"),
    "average of numbers": (
        chain(lambda n: (n.add("Flatten", ["x"], "f"), n.add("GlobalAveragePool", ["f"], "y"))),  # type: ignore[func-returns-value]
        "pictures only",
    ),
    "alpha": (
        chain(
            lambda n: (  # type: ignore[func-returns-value]
                n.add("Flatten", ["x"], "f"),
                n.add("Gemm", ["f", n.constant("w", numbers(105, 2))], "y", alpha="x"),
            )
        ),
        "not a number",
    ),
    "sizes to join": (
        chain(
            lambda n: (  # type: ignore[func-returns-value]
                n.add("MaxPool", ["x"], "p", kernel_shape=[2, 2]),
                n.add("Concat", ["x", "p"], "y", axis=1),
            )
        ),
        "different sizes",
    ),
    "weights from the input": (chain(lambda n: n.add("Conv", ["x", "x"], "y")), "constant weights"),
    "several outputs": (
        chain(lambda n: n.nodes.append(node("Relu", ["x"], ["y", "z"]))),
        "several outputs",
    ),
    "constant without value": (
        chain(lambda n: (n.add("Constant", [], "c"), n.add("Add", ["x", "c"], "y"))),  # type: ignore[func-returns-value]
        "no value",
    ),
    "bounds from the input": (chain(lambda n: n.add("Clip", ["x", "x"], "y")), "bounds"),
}


@pytest.mark.parametrize(("network", "reason"), REFUSED.values(), ids=REFUSED)
def test_refuses_what_it_cannot_do(network: Network, reason: str) -> None:
    with pytest.raises(GraphError, match=reason):
        load(network.data, "numpy").run({"x": X})


@pytest.mark.parametrize("runtime", runtimes())
def test_refuses_endless_work(runtime: Runtime) -> None:
    network = Network({"x": [1, 3, 512, 512]}, {"y": ["n", "c", "h", "w"]})
    name = "x"
    weights = network.constant("w", np.zeros((200, 200, 5, 5)))
    first = network.constant("v", np.zeros((200, 3, 1, 1)))
    name = network.add("Conv", [name, first], "a")
    network.add("Conv", [name, weights], "y", pads=[2] * 4)
    with pytest.raises(GraphError, match="too much work"):
        load(network.data, runtime).run({"x": np.zeros((1, 3, 512, 512), np.float32)})


@pytest.mark.parametrize("runtime", runtimes())
def test_refuses_endless_small_work(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interpreter, "MAX_WORK", 10_000_000)
    monkeypatch.setattr(needs, "MAX_WORK", 10_000_000)
    network = Network({"x": [1, 3, 64, 64]}, {"y": ["n", "c", "h", "w"]})
    name = "x"
    for index in range(400):
        name = network.add("Add", [name, "x"], f"a{index}")
    network.add("Relu", [name], "y")
    with pytest.raises(GraphError, match="too much work"):
        load(network.data, runtime).run({"x": np.zeros((1, 3, 64, 64), np.float32)})


@pytest.mark.parametrize("runtime", runtimes())
def test_refuses_endless_memory(runtime: Runtime) -> None:
    network = Network({"x": [1, 3, 64, 64]}, {"y": ["n", "c", "h", "w"]}, opset=9)
    name = "x"
    for index in range(6):
        factors = network.constant(f"f{index}", [1, 1, 8, 8])
        name = network.add("Upsample", [name, factors], f"u{index}")
    network.add("Relu", [name], "y")
    with pytest.raises(GraphError, match=r"refused|too much memory"):
        load(network.data, runtime).run({"x": np.zeros((1, 3, 64, 64), np.float32)})


@pytest.mark.parametrize("runtime", runtimes())
@pytest.mark.parametrize("op", ["Add", "Concat", "Gather", "MatMul"])
def test_refuses_arrays_that_grow(op: str, runtime: Runtime) -> None:
    network = Network({"x": [1, 1, 9000, 1]}, {"y": ["any"] * (5 if op == "Gather" else 2)})
    network.add("Reshape", ["x", network.constant("column", [-1, 1], "int64")], "c")
    network.add("Transpose", ["c"], "r")
    if op == "Add":
        network.add("Add", ["c", "r"], "y")
    elif op == "MatMul":
        network.add("MatMul", ["c", "r"], "y")
    elif op == "Gather":
        network.add("Gather", ["r", network.constant("i", np.zeros(4096), "int64")], "g", axis=0)
        network.add("Gather", ["g", "i"], "y", axis=1)
        network.add("Gather", ["g", network.constant("j", np.zeros((64, 64)), "int64")], "h", axis=0)
        network.add("Gather", ["h", "j"], "z", axis=0)
        network.add("Gather", ["z", "j"], "big", axis=0)
    else:
        name = "c"
        for index in range(14):
            name = network.add("Concat", [name, name], f"d{index}", axis=0)
        network.add("Relu", [name], "y")
    with pytest.raises(GraphError, match=r"too large|too much memory"):
        load(network.data, runtime).run({"x": np.zeros((1, 1, 9000, 1), np.float32)})


@pytest.mark.parametrize("runtime", runtimes())
def test_refuses_maps_that_are_too_many_together(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every map alone is small enough."""
    for module in (maps, needs):
        monkeypatch.setattr(module, "MAX_TOGETHER", 100_000)
    network = Network({"x": [1, 3, 64, 64]}, {"y": [1, 3, 64, 64]})
    for index in range(10):
        network.add("Sigmoid", ["x"], f"s{index}")
    name = "x"
    for index in range(10):
        name = network.add("Add", [name, f"s{index}"], f"a{index}")
    network.add("Relu", [name], "y")
    with pytest.raises(GraphError, match="too much memory"):
        load(network.data, runtime).run({"x": np.zeros((1, 3, 64, 64), np.float32)})


@pytest.mark.parametrize("runtime", runtimes())
def test_memory_is_counted_once(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither many runs nor many nodes one after another are taken for much memory, nor is a refusal remembered."""
    for module in (maps, needs):
        monkeypatch.setattr(module, "MAX_TOGETHER", 100_000)
    network = Network({"x": [1, 3, "h", "w"]}, {"y": [1, 3, "h", "w"], "z": [1, "n"]})
    network.add("Conv", ["x", network.constant("w", np.ones((3, 3, 5, 5)))], "a0", pads=[2] * 4)
    for index in range(9):
        network.add("Sigmoid", [f"a{index}"], f"a{index + 1}")
    network.add("Relu", ["a9"], "y")
    network.add("Flatten", ["y"], "z")
    net = load(network.data, runtime)
    for size in (48, 48, 48, 48, 20, 48):
        net.run({"x": np.zeros((1, 3, size, size), np.float32)})
        with pytest.raises(GraphError, match="too much memory"):
            net.run({"x": np.zeros((1, 3, 256, 256), np.float32)})


def test_inputs_must_be_pictures() -> None:
    net = load(single("Relu", X.shape).data, "numpy")
    with pytest.raises(GraphError, match="missing"):
        net.run({})
    with pytest.raises(GraphError, match="one at a time"):
        net.run({"x": np.zeros((2, 3, 5, 7), np.float32)})
    with pytest.raises(GraphError, match="one at a time"):
        net.run({"x": np.zeros((3, 5), np.float32)})
    with pytest.raises(GraphError, match="refused"):
        net.run({"x": np.zeros((1, 3, 0, 7), np.float32)})


def test_sizes_may_change_between_runs() -> None:
    w = numbers(3, 3, 3, 3)
    net = load(single("Conv", (1, 3, "h", "w"), w, pads=[1] * 4, strides=[2, 2]).data, "numpy")  # type: ignore[arg-type]
    for size in ((8, 8), (12, 6), (8, 8)):
        x = numbers(1, 3, *size)
        expected = naive.conv(x, w, pads=(1,) * 4, strides=(2, 2))
        np.testing.assert_allclose(net.run({"x": x})["y"], expected, rtol=1e-4, atol=1e-4)


def test_settings_of_numpy_are_left_alone() -> None:
    before = (np.getbufsize(), np.geterr())
    load(single("Relu", X.shape).data, "numpy").run({"x": X})
    with pytest.raises(GraphError):
        load(single("Reshape", X.shape, np.array([4, 4])).data, "numpy").run({"x": X})
    assert (np.getbufsize(), np.geterr()) == before


def test_matrix_products_run_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    threads = [2]
    monkeypatch.setattr(blas, "_switches", lambda: [(threads.append, lambda: threads[-1])])
    with blas.one_thread():
        assert threads[-1] == 1
    assert threads == [2, 1, 2]
    with blas.one_thread(), blas.one_thread():
        assert threads[-1] == 1
    assert threads[-1] == 2


def test_finds_the_library_of_numpy() -> None:
    blas._switches.cache_clear()
    found = blas._switches()
    config: Any = np.show_config(mode="dicts")
    if "openblas" not in config["Build Dependencies"]["blas"]["name"]:
        pytest.skip("this numpy multiplies with another library than OpenBLAS")
    assert found
    with blas.one_thread():
        assert [getter() for _, getter in found] == [1] * len(found)


def test_systems_without_that_knowledge(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    blas._switches.cache_clear()
    monkeypatch.setattr(blas, "_MAPS", tmp_path / "none")
    assert blas._switches() == []
    (tmp_path / "maps").write_text("7f00 r-xp 00 00:00 0 /nowhere/libopenblas.so.0\n")
    blas._switches.cache_clear()
    monkeypatch.setattr(blas, "_MAPS", tmp_path / "maps")
    assert blas._switches() == []
    blas._switches.cache_clear()


def test_maps_show_nothing_of_their_margins() -> None:
    buffer = np.arange(2 * 14, dtype=np.float32).reshape(2, 14)
    one = Map(buffer, 2, 2)
    assert one.pixels.tolist() == [[[4, 5], [7, 8]], [[18, 19], [21, 22]]]
    one.clean()
    assert buffer[:, [6, 9]].tolist() == [[0, 0], [0, 0]]
    assert one.plain().shape == (1, 2, 2, 2)


def test_numpy_is_there_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ort, "_PACKAGE", "a_package_that_nobody_has")
    assert runtimes() == ("numpy",)
    assert load(single("Relu", X.shape).data).runtime == "numpy"
    with pytest.raises(RuntimeMissingError):
        load(single("Relu", X.shape).data, "onnxruntime")


@pytest.fixture
def other() -> Callable[[Network], Net]:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: it has no wheel for this system")
    return lambda network: load(network.data, "onnxruntime")


# The output of Shape would have to be declared as integers; sizes alone must come with another rounding.
@pytest.mark.parametrize("name", [name for name in SIMPLE if name not in ("Shape", "Resize to sizes")])
def test_onnxruntime_agrees(name: str, other: Callable[[Network], Net]) -> None:
    network, _ = SIMPLE[name]
    network.outputs = {"y": ["any"] * run(network, X).ndim}
    theirs = load(network.data, "onnxruntime").run({"x": X})["y"]
    np.testing.assert_allclose(run(network, X), theirs, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", SUBTLE)
def test_onnxruntime_agrees_on_what_is_subtle(name: str, other: Callable[[Network], Net]) -> None:
    network, x = SUBTLE[name]
    if name in BEYOND:
        with pytest.raises(GraphError, match="not supported"):
            run(network, x)
        return
    ours = run(network, x)
    network.outputs = {"y": ["any"] * ours.ndim}
    theirs = other(network).run({"x": x})["y"]
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


_START = """
from custom_components.face_access.recognition.onnx import runtimes
assert runtimes()[0] == "onnxruntime"
"""


@pytest.mark.usefixtures("other")
def test_onnxruntime_reports_to_nobody(tmp_path: Path) -> None:
    """Its packages tell their maker what they run on, and keep what they could not send, unless told not to."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    subprocess.run([sys.executable, "-c", _START], env={**environment, "HOME": str(home)}, check=True)
    assert not list(home.iterdir())


def test_onnxruntime_is_the_first_choice(other: Callable[[Network], Net]) -> None:
    assert runtimes() == ("onnxruntime", "numpy")
    assert load(_sound().data).runtime == "onnxruntime"


def test_onnxruntime_refuses_clearly(other: Callable[[Network], Net]) -> None:
    network = _sound()
    network.nodes.clear()
    network.add("Relu", ["x", "x"], "y")
    with pytest.raises(GraphError, match="onnxruntime refuses"):
        other(network)
    network.nodes.clear()
    network.add("LSTM", ["x"], "y")
    with pytest.raises(UnsupportedOperatorError, match="LSTM"):
        other(network)
    with pytest.raises(GraphError, match="does not fit"):
        other(_sound()).run({"x": np.zeros((1, 2), np.float32)})


def _sound() -> Network:
    network = single("Relu", X.shape)
    network.outputs = {"y": [1, 3, 5, 7]}
    return network

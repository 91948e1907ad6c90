"""ONNX files are read as they are meant, and refused with a reason whatever is wrong with them."""

import math
import tracemalloc

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from custom_components.face_access.recognition.errors import GraphError, UnsupportedOperatorError
from custom_components.face_access.recognition.onnx import Limits, NumpyNet, Runtime, load, parse, runtimes

from .onnx_files import Network, blob, integer, node, port, tensor, varint


def relu() -> Network:
    network = Network({"x": [1, 2, "height", 4]}, {"y": [1, 2, "height", 4]})
    network.add("Relu", ["x"], "y")
    return network


def model(graph: bytes, opset: bytes | None = None) -> bytes:
    return integer(1, 8) + blob(7, graph) + blob(8, integer(2, 13) if opset is None else opset)


def with_tensor(data: bytes) -> bytes:
    return model(blob(5, data) + relu().graph)


def test_reads_a_graph() -> None:
    network = relu()
    network.constant("w", [[1, 2], [3, 4]])
    network.constant("i", [-1, 7], "int64")
    graph = parse(network.data)
    assert graph.opset == 13
    assert [(one.name, one.shape) for one in graph.inputs] == [("x", (1, 2, None, 4))]
    assert [one.name for one in graph.outputs] == ["y"]
    assert graph.nodes[0].op == "Relu"
    assert graph.tensors["w"].tolist() == [[1, 2], [3, 4]]
    assert graph.tensors["i"].tolist() == [-1, 7]


@pytest.mark.parametrize("dtype", ["float32", "int64", "int32"])
def test_reads_numbers_stored_one_by_one(dtype: str) -> None:
    array = np.array([[-1, 2, 3]], dtype)
    assert parse(with_tensor(tensor("t", array, raw=False))).tensors["t"].tolist() == array.tolist()


@pytest.mark.parametrize("dtype", ["float16", "float64", "uint8", "int8", "bool"])
def test_reads_every_type_stored_raw(dtype: str) -> None:
    array = np.array([0, 1, 1], dtype)
    found = parse(with_tensor(tensor("t", array))).tensors["t"]
    assert found.dtype == array.dtype
    assert found.tolist() == array.tolist()


def test_reads_attributes() -> None:
    network = Network({"x": [1, 1, 4, 4]}, {"y": [1]})
    values = {"a": 1.5, "b": -3, "c": "text", "d": [1, -2], "e": [0.5, 1.5], "f": np.array([7.0], np.float32), "g": ()}
    network.add("Thing", ["x"], "y", **values)
    found = parse(network.data).nodes[0].attributes
    assert {name: found[name] for name in "abc"} == {"a": 1.5, "b": -3, "c": "text"}
    assert (found["d"], found["e"], found["g"]) == ((1, -2), (0.5, 1.5), ())
    assert np.array_equal(found["f"], [7.0])


def test_initialisers_are_no_inputs() -> None:
    network = Network({"x": [1, 1, 2, 2], "w": [1]}, {"y": [1]})
    network.constant("w", [1])
    network.add("Mul", ["x", "w"], "y")
    assert [one.name for one in parse(network.data).inputs] == ["x"]


BROKEN = {
    "empty": (b"", "no graph"),
    "no field number": (b"\x00\x00", "no number"),
    "group": (varint(1 << 3 | 3), "wire type 3"),
    "endless number": (b"\xff" * 11, "does not end"),
    "cut off": (relu().data[:-20], "ends inside"),
    "graph is a number": (integer(7, 1) + blob(8, integer(2, 13)), "bytes were expected"),
    "opset missing": (integer(1, 8) + blob(7, relu().graph), "operator set 0"),
    "opset of the future": (model(relu().graph, integer(2, 99)), "operator set 99"),
    "opset is bytes": (model(relu().graph, blob(2, b"1")), "a number was expected"),
    "other domain": (
        model(blob(1, node("Relu", ["x"], ["y"]) + blob(7, "com.example")) + relu().graph),
        "other domains",
    ),
    "functions": (relu().data + blob(25, b""), "functions"),
    "training": (relu().data + blob(20, b""), "training"),
    "sparse": (model(relu().graph + blob(15, b"")), "sparse"),
    "name not UTF-8": (model(blob(1, blob(4, b"\xff\xfe")) + relu().graph), "UTF-8"),
    "external data": (with_tensor(tensor("t", np.zeros(1, np.float32)) + blob(13, b"")), "outside the file"),
    "external location": (with_tensor(tensor("t", np.zeros(1, np.float32)) + integer(14, 1)), "outside the file"),
    "unknown type": (with_tensor(integer(1, 1) + integer(2, 16) + blob(8, "t")), "data type 16"),
    "negative size": (with_tensor(integer(1, -1) + integer(2, 1) + blob(8, "t")), "negative"),
    "too little data": (
        with_tensor(integer(1, 4) + integer(2, 1) + blob(8, "t") + blob(9, b"\0" * 8)),
        "do not fit its shape",
    ),
    "huge shape": (with_tensor(b"".join(integer(1, 60000) for _ in range(4)) + integer(2, 1)), "too many elements"),
    "two graphs": (relu().data + blob(7, b""), "comes twice"),
    "two shapes of an input": (model(relu().graph + blob(11, port("z", [1])[:3] + blob(2, b"") * 2)), "comes twice"),
    "floods of fields": (relu().data + integer(99, 0) * 100_001, "too many fields"),
    "floods of nodes": (model(relu().graph + blob(1, b"") * 4097), "too many nodes"),
    "floods of inputs": (model(relu().graph + blob(11, b"") * 8193), "too many inputs"),
    "floods of numbers": (with_tensor(integer(1, 5000) + integer(2, 7) + integer(7, 1) * 5000), "too long"),
    "huge size beside none": (with_tensor(integer(1, 0) + integer(1, 1 << 62) + integer(2, 1)), "too many elements"),
    "too few numbers": (
        with_tensor(integer(1, 2) + integer(2, 7) + blob(8, "t") + integer(7, 5)),
        "do not fit its shape",
    ),
    "number too large for its type": (
        with_tensor(integer(1, 1) + integer(2, 6) + blob(8, "t") + integer(5, 1 << 40)),
        "does not fit its type",
    ),
    "too many dimensions": (
        with_tensor(b"".join(integer(1, 1) for _ in range(9)) + integer(2, 1)),
        "list of numbers is too long",
    ),
    "packed list too long": (
        with_tensor(blob(1, b"\x01" * 99) + integer(2, 1)),
        "list of numbers is too long",
    ),
    "subgraph": (
        model(blob(1, node("If", ["x"], ["z"]) + blob(5, blob(1, "then") + blob(6, b""))) + relu().graph),
        "subgraphs",
    ),
    "floats cut off": (
        model(blob(1, node("Relu", ["x"], ["z"]) + blob(5, blob(1, "a") + blob(7, b"123"))) + relu().graph),
        "wrong length",
    ),
    "float attribute is a number": (
        model(blob(1, node("Relu", ["x"], ["z"]) + blob(5, blob(1, "a") + integer(2, 1))) + relu().graph),
        "bytes were expected",
    ),
    "float attribute too short": (
        model(blob(1, node("Relu", ["x"], ["z"]) + blob(5, blob(1, "a") + blob(2, b"1"))) + relu().graph),
        "32-bit float",
    ),
    "list is bytes of a number": (
        model(
            blob(1, node("Relu", ["x"], ["z"]) + blob(5, blob(1, "a") + varint(8 << 3 | 5) + b"1234")) + relu().graph
        ),
        "list of numbers was expected",
    ),
    "reads what nobody makes": (model(blob(1, node("Relu", ["nowhere"], ["z"])) + relu().graph), "before it is made"),
    "made twice": (model(relu().graph + blob(1, node("Relu", ["x"], ["y"]))), "exists already"),
    "makes nothing": (model(relu().graph + blob(1, node("Relu", ["x"], []))), "makes nothing"),
    "output nobody makes": (model(relu().graph + blob(12, port("z", [1]))), "nothing makes"),
    "input without shape": (model(relu().graph + blob(11, blob(1, "z"))), "not a tensor with a shape"),
}


@pytest.mark.parametrize(("data", "reason"), BROKEN.values(), ids=BROKEN)
def test_refuses_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(GraphError, match=reason):
        load(data, "numpy")


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(size=10), "more than 10"),
        (Limits(nodes=0), "too many nodes"),
        (Limits(tensors=0), "too many tensors"),
        (Limits(elements=3), "too many elements"),
        (Limits(names=0), "inputs or outputs"),
        (Limits(attributes=0), "too many attributes"),
    ],
)
def test_limits(limits: Limits, reason: str) -> None:
    network = Network({"x": [1, 1, 2, 2]}, {"y": [1]})
    network.constant("w", [1, 2, 3, 4])
    network.add("Softmax", ["x"], "y", axis=1)
    assert parse(network.data)
    with pytest.raises(GraphError, match=reason):
        parse(network.data, limits)


def test_what_is_dropped_takes_no_memory() -> None:
    """Fields that we do not know, and empty ones of those that we do, in number as many as the file has room for."""
    unknown = b"".join(blob(number, integer(99, 0) * 90_000) for number in range(100, 110))
    floods = (unknown, relu().data + integer(99, 0) * 1_000_000, model(blob(1, b"") * 1_000_000))
    tracemalloc.start()
    try:
        for flood in floods:
            with pytest.raises(GraphError):
                parse(flood)
        assert tracemalloc.get_traced_memory()[1] < 3_000_000
    finally:
        tracemalloc.stop()


def test_unknown_operator_is_named() -> None:
    network = Network({"x": [1, 1, 2, 2]}, {"y": [1]})
    network.add("LSTM", ["x"], "y")
    with pytest.raises(UnsupportedOperatorError, match="LSTM"):
        load(network.data, "numpy")


def _sound() -> bytes:
    network = Network({"x": [1, 2, 8, 8]}, {"y": [1, 3]}, opset=11)
    network.constant("w", np.ones((3, 2, 3, 3)))
    network.constant("b", [1, 2, 3])
    for name in ("scale", "shift", "mean", "variance"):
        network.constant(name, [1, 1, 1])
    network.add("Conv", ["x", "w", "b"], "c", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    network.add("BatchNormalization", ["c", "scale", "shift", "mean", "variance"], "n", epsilon=1e-5)
    network.add("Relu", ["n"], "r")
    network.add("MaxPool", ["r"], "p", kernel_shape=[2, 2], strides=[2, 2])
    network.constant("shape", [1, -1], "int64")
    network.add("Reshape", ["p", "shape"], "f")
    network.constant("m", np.ones((12, 3)))
    network.add("MatMul", ["f", "m"], "y")
    return network.data


SOUND = _sound()


@pytest.mark.parametrize("runtime", runtimes())
@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(st.data())
def test_damage_is_an_error_or_a_result_never_anything_else(runtime: Runtime, data: st.DataObject) -> None:
    """Flip, cut and insert bytes: what is left either runs, or says that it is no network."""
    damaged = bytearray(SOUND)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(damaged) - 1))
        what = data.draw(st.sampled_from(["change", "cut", "insert", "number", "end"]))
        if what == "change":
            damaged[place] = data.draw(st.integers(0, 255))
        elif what == "cut":
            del damaged[place : place + data.draw(st.integers(1, 30))]
        elif what == "insert":
            damaged[place:place] = data.draw(st.binary(min_size=1, max_size=8))
        elif what == "number":
            damaged[place : place + 1] = varint(1 << data.draw(st.integers(7, 63)))
        else:
            del damaged[place:]
        if not damaged:
            break
    try:
        net = load(bytes(damaged), runtime, Limits(elements=100_000))
        net.run({one.name: np.ones((1, 2, 8, 8), np.float32) for one in net.inputs})
    except GraphError:
        pass


@hypothesis.settings(max_examples=200, deadline=None)
@hypothesis.given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 3), max_size=9))
def test_any_shape_is_read_or_refused(sizes: list[int]) -> None:
    """A tensor without data is sound where its shape has room for none, and where numpy can hold that shape."""
    data = with_tensor(b"".join(integer(1, size) for size in sizes) + integer(2, 1) + blob(8, "t"))
    try:
        assert parse(data).tensors["t"].shape == tuple(sizes)
    except GraphError:
        assert 0 not in sizes or math.prod(filter(None, sizes)) > Limits().elements or len(sizes) > 8


@hypothesis.settings(max_examples=300, deadline=None)
@hypothesis.given(st.binary(max_size=200))
def test_noise_is_refused(noise: bytes) -> None:
    with pytest.raises(GraphError):
        parse(noise)


def test_the_sound_file_runs() -> None:
    net = load(SOUND, "numpy")
    assert isinstance(net, NumpyNet)
    assert net.run({"x": np.ones((1, 2, 8, 8), np.float32)})["y"].shape == (1, 3)


def test_an_attribute_without_value_is_zero() -> None:
    # An attribute without a value is an integer of zero, as protobuf has it.
    data = model(blob(1, node("Relu", ["x"], ["z"]) + blob(5, blob(1, "a"))) + relu().graph)
    assert parse(data).nodes[0].attributes == {"a": 0}

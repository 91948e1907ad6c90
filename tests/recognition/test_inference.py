"""Networks at an inference server: with a simulated one, strict and then wrong in every way that we could think of."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from ipaddress import ip_address
import json
import logging
from pathlib import Path
import ssl
from types import SimpleNamespace
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from custom_components.face_access.recognition.compare import recognize
from custom_components.face_access.recognition.engine import Engine, Mode, Settings
from custom_components.face_access.recognition.enrolment import enrol
from custom_components.face_access.recognition.errors import (
    EngineAddressError,
    EngineAuthError,
    EngineProtocolError,
    EngineUnreachableError,
    GraphError,
    ModelUnusableError,
    UnsupportedOperatorError,
)
from custom_components.face_access.recognition.gallery import Gallery
from custom_components.face_access.recognition.inference import (
    RUNTIME,
    Address,
    InferenceServer,
    RemoteNet,
    protocol,
    server as server_module,
)
from custom_components.face_access.recognition.networks import inspect
from custom_components.face_access.recognition.onnx import Net, Port, load, parse
from custom_components.face_access.recognition.store import ModelStore
from simulators.inference import FAULTS, Array, Model, SimulatedInferenceServer

from . import toys
from .toys import portrait

pytestmark = pytest.mark.usefixtures("socket_enabled")

TOKEN = "a-token-that-nobody-may-see"
LOGGER = "custom_components.face_access.recognition.inference.server"


@cache
def loaded(data: bytes) -> Net:
    return load(data, "numpy")


def served(data: bytes, **more: Any) -> Model:
    """The network of a file, run by numpy, as the simulated server describes it."""
    net, graph = loaded(data), parse(data)

    def run(array: Array) -> dict[str, Array]:
        results = [net.run({graph.inputs[0].name: one[np.newaxis]}) for one in array]
        return {name: np.concatenate([result[name] for result in results]) for name in net.outputs}

    def shape(port: Port) -> list[int]:
        return [-1 if size is None else size for size in port.shape]

    (wanted,) = graph.inputs
    return Model((wanted.name, shape(wanted)), {port.name: shape(port) for port in graph.outputs}, run, **more)


def shades(*greens: float) -> list[dict[str, Array]]:
    """Pictures that the liveness network tells apart."""
    found = []
    for green in greens:
        array = np.zeros((1, 3, 80, 80), np.float32)
        array[:, 1] = green
        found.append({"input": array})
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the time by which a server is left alone."""
    now = [1000.0]
    monkeypatch.setattr(server_module, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def move(seconds: float) -> None:
        now[0] += seconds

    return move


@pytest.fixture
def server() -> Iterator[SimulatedInferenceServer]:
    models = {
        "toy_detector": served(toys.detector()),
        "toy_embedder": served(toys.embedder()),
        "toy_near": served(toys.liveness()),
        "toy_far": served(toys.liveness()),
    }
    with SimulatedInferenceServer(models) as started:
        yield started


def remote(
    server: SimulatedInferenceServer, model: str = "toy_near", data: bytes | None = None, **more: Any
) -> RemoteNet:
    data = data or toys.FILES[model]()
    at = InferenceServer(Address(url=server.url, **more))
    return RemoteNet(at, model, parse(data), partial(load, data, "numpy"))


def local() -> Net:
    return load(toys.liveness(), "numpy")


def same(found: list[dict[str, Array]], expected: list[dict[str, Array]]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert set(one) == set(other)
        for name, array in one.items():
            assert array.shape == other[name].shape
            np.testing.assert_allclose(array, other[name], rtol=1e-6, atol=1e-6)


# Going well


@pytest.mark.parametrize("binary", [True, False])
def test_what_the_server_says_is_what_we_would_have_found(server: SimulatedInferenceServer, binary: bool) -> None:
    server.binary = binary
    net, pictures = remote(server), shades(20, 99, 140)
    same(net.run_all(pictures), local().run_all(pictures))
    same([net.run(pictures[1])], [local().run(pictures[1])])
    assert net.runtime == RUNTIME
    assert server.violations == []
    assert net.run_all([]) == []


@pytest.mark.parametrize(("declared", "wanted"), [(True, False), (True, True)])
def test_whether_tensors_are_binary_can_be_said_here(
    server: SimulatedInferenceServer, declared: bool, wanted: bool
) -> None:
    server.binary = declared
    net = remote(server, binary=wanted)
    same(net.run_all(shades(20)), local().run_all(shades(20)))
    assert server.violations == []


def test_one_connection_serves_all_runs(server: SimulatedInferenceServer) -> None:
    net = remote(server)
    for _ in range(5):
        net.run_all(shades(20))
    assert server.connections == 1
    asked = [request.split()[1] for request in server.requests]
    infer = "/v2/models/toy_near/infer"
    described = ["/v2/health/live", "/v2/health/ready", "/v2", "/v2/models/toy_near/ready", "/v2/models/toy_near"]
    assert asked == [*described, *[infer] * 6]  # once more for the comparison


def test_all_faces_go_in_one_request(server: SimulatedInferenceServer) -> None:
    net = remote(server)
    net.run_all(shades(1, 2, 3))
    net.run_all(shades(*range(20)))
    assert server.models["toy_near"].batches == [1, 3, 16, 4]


def test_one_at_a_time_where_the_model_takes_one(server: SimulatedInferenceServer) -> None:
    data = toys.embedder(batch=1)
    server.models = {"one": served(data)}
    net = remote(server, "one", data)
    rng = np.random.default_rng(1)
    pictures = [{"input": rng.normal(size=(1, 3, 112, 112)).astype(np.float32)} for _ in range(3)]
    same(net.run_all(pictures), load(data, "numpy").run_all(pictures))
    assert server.models["one"].batches == [1, 1, 1, 1]
    assert server.violations == []


def test_fewer_at_once_where_the_server_allows_fewer(server: SimulatedInferenceServer) -> None:
    server.models["toy_near"].most = 2
    net, pictures = remote(server), shades(1, 2, 3, 4, 5)
    same(net.run_all(pictures), local().run_all(pictures))
    assert server.models["toy_near"].batches == [1, 2, 2, 1]
    assert {violation.split(": ")[1] for violation in server.violations} == {"a batch that is too large"}


def test_a_connection_that_was_closed_meanwhile_is_no_fault(
    server: SimulatedInferenceServer, caplog: pytest.LogCaptureFixture
) -> None:
    net = remote(server)
    net.run_all(shades(1))
    server.drop()
    same(net.run_all(shades(2)), local().run_all(shades(2)))
    server.fault = "close_after_answer"
    for green in range(4):
        same(net.run_all(shades(green)), local().run_all(shades(green)))
    assert net.runtime == RUNTIME
    assert caplog.records == []


@pytest.mark.parametrize("path", ["", "/", "/v2", "/v2/"])
def test_a_gateway_may_stand_before_it(path: str) -> None:
    with SimulatedInferenceServer({"toy near/ü": served(toys.liveness())}, prefix="/house/gpu") as server:
        at = InferenceServer(Address(url=server.url + path))
        net = RemoteNet(at, "toy near/ü", parse(toys.liveness()), local)
        net.run_all(shades(1))
        assert net.runtime == RUNTIME


# Going wrong


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "close_after_answer"])
@pytest.mark.parametrize("binary", [True, False])
def test_falls_back_whatever_goes_wrong(
    server: SimulatedInferenceServer,
    clock: Callable[[float], None],
    caplog: pytest.LogCaptureFixture,
    fault: str,
    binary: bool,
) -> None:
    caplog.set_level(logging.INFO)
    server.binary = binary
    net = remote(server, timeout=0.25 if fault in ("slow", "drip") else 10)
    net.run_all(shades(5))
    server.fault = fault
    pictures = shades(20, 140)
    same(net.run_all(pictures), local().run_all(pictures))
    assert net.runtime == "numpy"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "networks run here instead" in record.getMessage()
    # Left alone for a while, without another word.
    asked = len(server.requests)
    clock(29)
    same(net.run_all(pictures), local().run_all(pictures))
    assert len(server.requests) == asked
    # Still broken: asked again, and no word either.
    clock(2)
    net.run_all(pictures)
    assert net.runtime == "numpy"
    assert len(server.requests) > asked
    # Well again: one word.
    server.fault = None
    clock(31)
    same(net.run_all(pictures), local().run_all(pictures))
    assert net.runtime == RUNTIME
    assert [one.levelno for one in caplog.records] == [logging.WARNING, logging.INFO]
    assert server.violations == []


def test_a_server_that_is_away_and_comes_back(
    server: SimulatedInferenceServer, clock: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    net = remote(server)
    assert net._server.patience.trouble is None
    same(net.run_all(shades(7)), local().run_all(shades(7)))
    assert net.runtime == "numpy"
    assert net._server.patience.reason == "no connection (ConnectionRefusedError)"
    server.start()
    net.run_all(shades(7))
    assert net.runtime == "numpy"
    clock(31)
    net.run_all(shades(7))
    assert net.runtime == RUNTIME
    assert net._server.patience.trouble is None
    server.stop()
    net.run_all(shades(7))
    assert net.runtime == "numpy"
    assert [one.levelno for one in caplog.records] == [logging.WARNING, logging.INFO, logging.WARNING]


def test_a_server_that_is_away_is_away_for_all_its_models(
    server: SimulatedInferenceServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.ready = False
    at = InferenceServer(Address(url=server.url))
    for model in ("toy_near", "toy_far"):
        net = RemoteNet(at, model, parse(toys.liveness()), local)
        net.run_all(shades(7))
        assert net.runtime == "numpy"
    assert server.requests == ["GET /v2/health/live", "GET /v2/health/ready"]
    (record,) = caplog.records
    assert record.getMessage().startswith("Inference server 127.0.0.1: the server is not ready (503)")


def test_a_model_that_is_missing_is_missing_alone(
    server: SimulatedInferenceServer, caplog: pytest.LogCaptureFixture
) -> None:
    del server.models["toy_far"]
    at = InferenceServer(Address(url=server.url))
    missing, there = (RemoteNet(at, model, parse(toys.liveness()), local) for model in ("toy_far", "toy_near"))
    missing.run_all(shades(7))
    there.run_all(shades(7))
    assert (missing.runtime, there.runtime) == ("numpy", RUNTIME)
    (record,) = caplog.records
    assert record.getMessage().startswith(
        "Model toy_far at inference server 127.0.0.1: the model toy_far is not ready (404)"
    )


@pytest.mark.parametrize("what", ["live", "ready", "model"])
@pytest.mark.parametrize("words", [True, False])
def test_who_is_not_ready_is_not_asked(server: SimulatedInferenceServer, what: str, words: bool) -> None:
    server.speaks_of_readiness = words
    net = remote(server)
    if what == "model":
        server.models["toy_near"].ready = False
    else:
        setattr(server, what, False)
    net.run_all(shades(7))
    assert net.runtime == "numpy"
    assert not any(request.startswith("POST") for request in server.requests)


def test_readiness_in_words_is_understood(server: SimulatedInferenceServer) -> None:
    server.speaks_of_readiness = True
    net = remote(server)
    net.run_all(shades(7))
    assert net.runtime == RUNTIME


def tensor(name: Any = "input", shape: Any = (-1, 3, 80, 80), datatype: Any = "FP32") -> dict[str, Any]:
    return {"name": name, "shape": list(shape) if isinstance(shape, tuple) else shape, "datatype": datatype}


LOGITS = tensor("logits", (-1, 3))


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"inputs": [tensor("images")], "outputs": [LOGITS]}, "input is not input alone"),
        ({"inputs": [tensor(), tensor("more")], "outputs": [LOGITS]}, "input is not input alone"),
        ({"inputs": [tensor(shape=(-1, 80, 80, 3))], "outputs": [LOGITS]}, "?x80x80x3 instead of ?x3x80x80"),
        ({"inputs": [tensor(shape=(3, 80, 80))], "outputs": [LOGITS]}, "3x80x80 instead of"),
        ({"inputs": [tensor(shape=(0, 3, 80, 80))], "outputs": [LOGITS]}, "0x3x80x80 instead of"),
        ({"inputs": [tensor(shape=())], "outputs": [LOGITS]}, "shape none instead of"),
        ({"inputs": [tensor(datatype="UINT8")], "outputs": [LOGITS]}, "input is not of FP32"),
        ({"inputs": [tensor()], "outputs": [tensor("logits", (-1, 3), "FP16")]}, "logits is not of FP32"),
        ({"inputs": [tensor()], "outputs": [tensor("logits", (-1, 2))]}, "?x2 instead of ?x3"),
        ({"inputs": [tensor()], "outputs": [tensor("other", (-1, 3))]}, "no output logits"),
        ({"inputs": [tensor()], "outputs": []}, "not listed"),
        ({"inputs": [tensor(name=4)], "outputs": [LOGITS]}, "has no name"),
        ({"inputs": [tensor(shape=[True, 3, 80, 80])], "outputs": [LOGITS]}, "has no shape"),
        ({"inputs": [tensor(shape=(-2, 3, 80, 80))], "outputs": [LOGITS]}, "has no shape"),
        ({"inputs": [tensor(shape="1x3")], "outputs": [LOGITS]}, "has no shape"),
        ({"inputs": ["input"], "outputs": [LOGITS]}, "has no name"),
        ({"inputs": [tensor("in\nput")], "outputs": [LOGITS]}, "input is not input alone"),
        ([], "not an object"),
    ],
)
def test_a_model_that_is_described_otherwise_is_not_used(
    server: SimulatedInferenceServer, caplog: pytest.LogCaptureFixture, metadata: Any, reason: str
) -> None:
    server.model_metadata = metadata
    net = remote(server)
    same(net.run_all(shades(7)), local().run_all(shades(7)))
    assert net.runtime == "numpy"
    assert reason in caplog.text
    assert not any(request.startswith("POST") for request in server.requests)


@pytest.mark.parametrize("metadata", [[], {}, {"name": 4}, {"name": "x", "extensions": "binary_tensor_data"}])
def test_a_server_that_does_not_say_who_it_is_is_not_used(server: SimulatedInferenceServer, metadata: Any) -> None:
    server.server_metadata = metadata
    net = remote(server)
    net.run_all(shades(7))
    assert net.runtime == "numpy"


def test_other_weights_behind_the_same_description_are_found_out(
    server: SimulatedInferenceServer, caplog: pytest.LogCaptureFixture, clock: Callable[[float], None]
) -> None:
    right = server.models["toy_near"]
    server.models["toy_near"] = Model(
        right.input, right.outputs, lambda array: {"logits": right.run(array)["logits"] * 2}
    )
    net = remote(server)
    same(net.run_all(shades(20, 140)), local().run_all(shades(20, 140)))
    assert net.runtime == "numpy"
    assert "another one than the file here" in caplog.text
    # A little off, as half precision is, will do.
    server.models["toy_near"] = Model(
        right.input, right.outputs, lambda array: {"logits": right.run(array)["logits"] * np.float32(1.01)}
    )
    clock(31)
    net.run_all(shades(20))
    assert net.runtime == RUNTIME


def test_after_an_absence_the_weights_are_compared_again(
    server: SimulatedInferenceServer, clock: Callable[[float], None]
) -> None:
    net = remote(server)
    net.run_all(shades(20))
    server.stop()
    net.run_all(shades(20))
    right = server.models["toy_near"]
    server.models["toy_near"] = Model(right.input, right.outputs, lambda array: {"logits": -right.run(array)["logits"]})
    server.start()
    clock(31)
    same(net.run_all(shades(20)), local().run_all(shades(20)))
    assert net.runtime == "numpy"


def test_a_network_that_only_the_server_can_run(server: SimulatedInferenceServer) -> None:
    def nowhere() -> Net:
        raise UnsupportedOperatorError("not without onnxruntime")

    net = RemoteNet(InferenceServer(Address(url=server.url)), "toy_near", parse(toys.liveness()), nowhere)
    same(net.run_all(shades(20)), local().run_all(shades(20)))
    server.stop()
    with pytest.raises(UnsupportedOperatorError):
        net.run_all(shades(20))


@pytest.mark.parametrize(
    "feeds",
    [
        {},
        {"input": np.zeros((2, 3, 80, 80), np.float32)},
        {"input": np.zeros((3, 80, 80), np.float32)},
        {"input": np.zeros((1, 3, 80, 80))},
    ],
)
def test_only_pictures_go_in(server: SimulatedInferenceServer, feeds: dict[str, Any]) -> None:
    with pytest.raises(GraphError):
        remote(server).run(feeds)
    assert server.requests == []


# Who may ask


def test_a_token_is_shown_to_the_server_and_to_nobody_else(
    server: SimulatedInferenceServer, caplog: pytest.LogCaptureFixture, clock: Callable[[float], None]
) -> None:
    caplog.set_level(logging.DEBUG)
    server.token = TOKEN
    net = remote(server, token=TOKEN)
    net.run_all(shades(7))
    assert net.runtime == RUNTIME
    assert TOKEN not in repr(net._server.address)
    server.token = "another"
    net.run_all(shades(7))
    assert net.runtime == "numpy"
    assert "the server wants another token" in caplog.text
    clock(31)
    net.run_all(shades(7))
    assert net.runtime == "numpy"
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "127.0.0.1:8000"},
        {"url": "ftp://127.0.0.1"},
        {"url": "http://"},
        {"url": "http://user:password@127.0.0.1"},
        {"url": "http://127.0.0.1/?key=1"},
        {"url": "http://127.0.0.1/#there"},
        {"url": "http://127.0.0.1:99999"},
        {"url": "http://127.0.0.1\r\nHost: other"},
        {"url": "http://[::1"},
        {"url": "http://gpu lan"},
        {"url": "http://127.0.0.1", "token": "one\r\nX-Two: 2"},
        {"url": "http://127.0.0.1", "token": "ü"},
        {"url": "http://127.0.0.1", "token": ""},
        {"url": "http://127.0.0.1", "timeout": 0},
        {"url": "http://127.0.0.1", "timeout": float("nan")},
        {"url": "http://127.0.0.1", "retry": 0},
    ],
)
def test_addresses_that_are_none(wrong: dict[str, Any]) -> None:
    with pytest.raises((EngineAddressError, EngineAuthError, ValueError)) as raised:
        Address(**wrong)
    assert "password" not in str(raised.value)
    assert "X-Two" not in str(raised.value)


def test_addresses() -> None:
    plain, secure = Address(url="http://[::1]/v2"), Address(url="https://gpu.lan:8443/house/")
    assert (plain.host, plain.port, plain.path, plain.secure) == ("::1", 80, "", False)
    assert (secure.host, secure.port, secure.path, secure.secure) == ("gpu.lan", 8443, "/house", True)
    assert Address(url="https://gpu.lan").port == 443


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gpu")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    plain = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path.write_bytes(key.private_bytes(pem, form, plain) + signed.public_bytes(pem))
    return path


def test_certificates_are_looked_at_unless_told_otherwise(certificate: Path, caplog: pytest.LogCaptureFixture) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with SimulatedInferenceServer({"toy_near": served(toys.liveness())}, tls=context) as server:
        net = remote(server)
        net.run_all(shades(7))
        assert net.runtime == "numpy"
        assert "no connection (SSLCertVerificationError)" in caplog.text
        net = remote(server, verify=False)
        for _ in range(3):
            same(net.run_all(shades(7)), local().run_all(shades(7)))
        assert net.runtime == RUNTIME
        net._server.close()


# The whole engine


@pytest.fixture
def engine(server: SimulatedInferenceServer, toy_store: ModelStore) -> Engine:
    return Engine(toy_store, runtime="numpy", remote=Address(url=server.url))


def test_a_decision_is_the_same_here_and_there(
    engine: Engine, toy_engine: Engine, server: SimulatedInferenceServer
) -> None:
    picture = portrait((1, 8, 10), (3, 20, 10), (2, 32, 10))
    people = {f"p{seed}": [one.template for one in enrol(toy_engine, [portrait((seed, 20, 10))])] for seed in (1, 2)}
    known = Gallery.of(people, engine.origin)  # type: ignore[arg-type]
    for _ in range(2):
        there, here = (recognize(one, picture, known, Settings()) for one in (engine, toy_engine))
        assert (there.runtime, here.runtime) == (RUNTIME, "numpy")
        assert there.as_dict()["faces"] == here.as_dict()["faces"]
        assert sorted(face.person_id or "" for face in there.faces) == ["", "p1", "p2"]
    # Three faces, one request for each network; one more for the first comparison.
    batches = {name: model.batches for name, model in server.models.items()}
    expected = [1, 3, 3]
    assert batches == {
        "toy_detector": [1, 1, 1],
        "toy_embedder": expected,
        "toy_near": expected,
        "toy_far": expected,
    }
    assert server.violations == []


def test_templates_are_the_same_here_and_there(engine: Engine, toy_engine: Engine) -> None:
    there, here = (enrol(one, [portrait((1, 20, 10))])[0].template for one in (engine, toy_engine))
    assert there is not None
    assert here is not None
    assert float(there.vector @ here.vector) == pytest.approx(1, abs=1e-6)


def test_a_result_says_where_its_networks_ran(
    engine: Engine, toy_engine: Engine, server: SimulatedInferenceServer
) -> None:
    picture = portrait((1, 20, 10))
    assert (engine.troubles, toy_engine.troubles) == ((), ())
    del server.models["toy_far"]
    assert recognize(engine, picture, None, Settings()).runtime == "inference_server+numpy"
    assert engine.troubles == ("Model toy_far at inference server 127.0.0.1: the model toy_far is not ready (404)",)
    assert recognize(engine, picture, None, Settings(mode=Mode.SOFTWARE)).runtime == RUNTIME
    server.stop()
    assert recognize(engine, picture, None, Settings()).runtime == "numpy"
    assert engine.troubles[0] == "Inference server 127.0.0.1: no connection (ConnectionRefusedError)"
    assert recognize(engine, portrait(), None, Settings()).runtime == "numpy"


def test_unloading_hangs_up(engine: Engine, server: SimulatedInferenceServer) -> None:
    picture = portrait((1, 20, 10))
    recognize(engine, picture, None, Settings())
    assert engine.benchmark(Mode.ANTISPOOFING) > 0
    engine.unload()
    assert not engine.loaded
    recognize(engine, picture, None, Settings())
    assert server.connections == 2
    # Whoever was gone is asked again who it is.
    assert server.requests.count("GET /v2") == 2


def test_a_file_that_is_no_network_is_none_there_either(tmp_path: Path, server: SimulatedInferenceServer) -> None:
    folder = toys.install(tmp_path / "own")
    (folder / "toy_near.onnx").write_bytes(b"nothing")
    store = ModelStore(tmp_path, folder)
    engine = Engine(store, remote=Address(url=server.url))
    with pytest.raises(ModelUnusableError, match="toy_near"):
        engine.load(Mode.ANTISPOOFING)
    with pytest.raises(ModelUnusableError, match="toy_near"):
        inspect(Address(url=server.url), store)


def test_a_server_is_inspected_before_it_is_used(server: SimulatedInferenceServer, toy_store: ModelStore) -> None:
    found = inspect(Address(url=server.url), toy_store)
    assert (found.server.name, found.server.version, found.server.binary) == ("simulator", "2.0", True)
    assert found.models == dict.fromkeys(("toy_detector", "toy_embedder", "toy_near", "toy_far"))
    del server.models["toy_far"]
    server.models["toy_near"] = served(toys.embedder())
    found = inspect(Address(url=server.url), toy_store)
    assert found.models["toy_far"] == "the model toy_far is not ready (404)"
    assert found.models["toy_near"] == "the input has the shape ?x3x112x112 instead of ?x3x80x80"
    server.token = TOKEN
    with pytest.raises(EngineAuthError):
        inspect(Address(url=server.url), toy_store)
    server.stop()
    with pytest.raises(EngineUnreachableError):
        inspect(Address(url=server.url), toy_store)


def test_a_token_that_is_refused_for_models_alone(
    server: SimulatedInferenceServer, toy_store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Model, "metadata", lambda *_: setattr(server, "token", TOKEN))
    with pytest.raises(EngineAuthError):
        inspect(Address(url=server.url), toy_store)


# Answers that mean nothing

_PORTS = (Port(name="a", shape=(None, 2)), Port(name="b", shape=()))
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["name", "shape", "datatype", "data", "parameters", "binary_data_size", "outputs", "inputs"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
_TENSOR = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b", "c"]) | _JSON,
        "shape": st.lists(st.integers(-2, 5), max_size=4) | _JSON,
        "datatype": st.just("FP32") | _JSON,
    },
    optional={
        "data": st.lists(st.floats(), max_size=8) | _JSON,
        "parameters": st.dictionaries(st.just("binary_data_size"), st.integers(-1, 40)) | _JSON,
    },
)


def test_outputs_that_nobody_asked_for_are_skipped() -> None:
    one = {"name": "a", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}
    other = {"name": "x", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": 3}}
    head = json.dumps({"outputs": [other, one]}).encode()
    found = protocol.response(
        head + b"abc", {"inference-header-content-length": str(len(head))}, [Port(name="a", shape=(None, 2))], 1
    )
    np.testing.assert_array_equal(found["a"], [[1, 2]])


@given(
    content=st.fixed_dictionaries({"outputs": st.lists(_TENSOR, max_size=4) | _JSON}) | _JSON,
    tail=st.binary(max_size=40),
    length=st.none() | st.integers(-1, 200).map(str) | st.text(max_size=4),
)
@settings(max_examples=200, deadline=None)
def test_no_answer_does_harm(content: Any, tail: bytes, length: str | None) -> None:
    head = json.dumps(content).encode()
    for said in (length, str(len(head))):
        headers = {} if said is None else {"inference-header-content-length": said}
        try:
            found = protocol.response(head + tail, headers, _PORTS, 1)
        except EngineProtocolError:
            continue
        assert set(found) == {"a", "b"}
        assert found["a"].shape == (1, 2)
        assert all(array.dtype == np.float32 and np.isfinite(array).all() for array in found.values())


@given(content=st.fixed_dictionaries({"inputs": st.lists(_TENSOR), "outputs": st.lists(_TENSOR)}) | _JSON)
@settings(max_examples=100, deadline=None)
def test_no_description_does_harm(content: Any) -> None:
    body = json.dumps(content).encode()
    for read in (protocol.server_info, protocol.model_info):
        try:
            found = read(body)
        except EngineProtocolError:
            continue
        if isinstance(found, protocol.ModelInfo):
            try:
                protocol.compatible((Port(name="a", shape=(None, 3, 8, 8)), *_PORTS), found)
            except EngineProtocolError:
                continue

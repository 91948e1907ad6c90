"""Networks at a real NVIDIA Triton on loopback. scripts/inference installs it; without it these tests are skipped."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
import logging
from pathlib import Path

import numpy as np
import pytest
import pytest_socket

from custom_components.face_access.recognition.compare import recognize
from custom_components.face_access.recognition.engine import Engine, Settings
from custom_components.face_access.recognition.enrolment import enrol
from custom_components.face_access.recognition.gallery import Gallery
from custom_components.face_access.recognition.inference import RUNTIME, Address, InferenceServer, RemoteNet
from custom_components.face_access.recognition.models import ModelRole
from custom_components.face_access.recognition.networks import inspect
from custom_components.face_access.recognition.onnx import Array, Runtime, load, parse
from custom_components.face_access.recognition.store import ModelStore
from scripts.inference_house.triton import Triton, TritonError, environment

from . import toys
from .toys import portrait

pytestmark = pytest.mark.usefixtures("socket_enabled")

PATIENT = 20.0
"""A busy machine may take its time; nothing here measures it."""


@pytest.fixture(scope="session")
def triton_venv() -> Path:
    try:
        return environment()
    except TritonError as err:
        pytest.skip(str(err))


@contextmanager
def serving(venv: Path, networks: dict[str, Path], most: int = 16) -> Iterator[Triton]:
    # A module's fixture comes before the sockets of its tests are allowed.
    pytest_socket.enable_socket()
    with Triton(venv, networks, most=most) as triton:
        yield triton


@pytest.fixture(scope="module")
def triton(triton_venv: Path, toy_folder: Path) -> Iterator[Triton]:
    """All toys, and one embedder that takes one picture at a time."""
    networks = {name: toy_folder / f"{name}.onnx" for name in toys.FILES}
    networks["toy_single"] = toy_folder / "toy_single.onnx"
    networks["toy_single"].write_bytes(toys.embedder(batch=1))
    with serving(triton_venv, networks, most=3) as started:
        yield started


def pictures(count: int) -> list[dict[str, Array]]:
    rng = np.random.default_rng(5)
    return [{"input": rng.uniform(0, 255, (1, 3, 112, 112)).astype(np.float32)} for _ in range(count)]


@pytest.mark.parametrize("binary", [None, False])
@pytest.mark.parametrize(("model", "batch"), [("toy_embedder", "n"), ("toy_single", 1)])
def test_the_same_numbers_from_triton(triton: Triton, model: str, batch: str | int, binary: bool | None) -> None:
    """To 1e-5 of the largest: another build of the same sums. Triton takes three at once: seven go in several goes."""
    data = toys.embedder(batch=batch)
    server = InferenceServer(Address(url=triton.url, timeout=PATIENT, binary=binary))
    net = RemoteNet(server, model, parse(data), partial(load, data, "numpy"))
    for found, expected in zip(net.run_all(pictures(7)), load(data, "numpy").run_all(pictures(7)), strict=True):
        reach = float(np.abs(expected["output"]).max())
        np.testing.assert_allclose(found["output"] / reach, expected["output"] / reach, atol=1e-5)
    assert net.runtime == RUNTIME
    assert server.info().name == "triton"
    assert server.info().binary
    server.close()


def test_a_decision_by_triton(triton: Triton, toy_store: ModelStore, toy_engine: Engine) -> None:
    engine = Engine(toy_store, runtime="numpy", remote=Address(url=triton.url, timeout=PATIENT))
    picture = portrait((1, 8, 10), (3, 20, 10), (2, 32, 10))
    people = {f"p{seed}": [one.template for one in enrol(toy_engine, [portrait((seed, 20, 10))])] for seed in (1, 2)}
    known = Gallery.of(people, engine.origin)  # type: ignore[arg-type]
    there, here = (recognize(one, picture, known, Settings()) for one in (engine, toy_engine))
    assert (there.runtime, here.runtime) == (RUNTIME, "numpy")
    assert there.as_dict()["faces"] == here.as_dict()["faces"]
    engine.unload()


def test_triton_lacks_a_model(
    triton: Triton, toy_store: ModelStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    address = Address(url=triton.url, timeout=PATIENT)
    assert set(inspect(address, toy_store).models.values()) == {None}
    data = toys.liveness()
    server = InferenceServer(address)
    for model, reason in (
        ("nobody", "the model nobody is not ready (400)"),
        ("toy_embedder", "the input has the shape ?x3x112x112 instead of ?x3x80x80"),
    ):
        net = RemoteNet(server, model, parse(data), partial(load, data, "numpy"))
        net.run({"input": np.zeros((1, 3, 80, 80), np.float32)})
        assert net.runtime == "numpy"
        assert reason in caplog.text
    server.close()


def test_a_decision_with_the_real_networks(
    triton_venv: Path, real_models: Path, real_faces: Path, engine_on: Callable[[Runtime], Engine]
) -> None:
    """Scores to a thousandth, cosines to 1e-4, boxes to a tenth of a pixel: between two builds of onnxruntime."""
    store = ModelStore(real_models)
    networks = {model.id: store.find(model).path for role in ModelRole for model in store.choose(role)}
    here = engine_on("onnxruntime")
    photo = (real_faces / "portraits" / "obama_and_biden.jpg").read_bytes()
    people = {
        name: [one.template for one in enrol(here, [(real_faces / "portraits" / f"{name}.jpg").read_bytes()])]
        for name in ("obama", "biden")
    }
    with serving(triton_venv, networks) as triton:
        there = Engine(store, runtime="numpy", remote=Address(url=triton.url, timeout=PATIENT))
        known = Gallery.of(people, there.origin)  # type: ignore[arg-type]
        ours, theirs = (recognize(engine, photo, known, Settings()) for engine in (here, there))
        there.unload()
    assert theirs.runtime == RUNTIME
    assert len(ours.faces) == len(theirs.faces) >= 2
    for one, other in zip(ours.faces, theirs.faces, strict=True):
        assert (one.outcome, one.person_id, one.liveness.state) == (
            other.outcome,
            other.person_id,
            other.liveness.state,
        )
        assert (one.detection.box.x, one.detection.box.y) == pytest.approx(
            (other.detection.box.x, other.detection.box.y), abs=0.1
        )
        assert one.liveness.models == pytest.approx(other.liveness.models, abs=1e-3)
        assert one.vector is not None
        assert other.vector is not None
        assert float(one.vector @ other.vector) > 0.9999

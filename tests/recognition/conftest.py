"""Networks for the tests of recognition: toys that are always there, and the real ones where they are."""

from collections.abc import Callable
import os
from pathlib import Path

import pytest

from custom_components.face_access.recognition.engine import Engine
from custom_components.face_access.recognition.onnx import Runtime
from custom_components.face_access.recognition.store import ModelStore

from . import toys

_SHARED = Path(__file__).parents[2].parent / "shared"


def _folder(variable: str, name: str) -> Path:
    folder = Path(os.environ.get(variable) or _SHARED / name)
    if not folder.is_dir():
        pytest.skip(
            f"there are no real {name}: neither {variable} nor ../shared/{name} beside the checkout names a folder"
        )
    return folder


@pytest.fixture(scope="session")
def real_models() -> Path:
    return _folder("FACE_ACCESS_MODELS", "models")


@pytest.fixture(scope="session")
def real_faces() -> Path:
    return _folder("FACE_ACCESS_FACES", "faces")


@pytest.fixture(scope="session")
def toy_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toys.install(tmp_path_factory.mktemp("toys"))


@pytest.fixture
def toy_store(toy_folder: Path, tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "downloaded", toy_folder)


@pytest.fixture
def toy_engine(toy_store: ModelStore) -> Engine:
    return Engine(toy_store, runtime="numpy")


@pytest.fixture(scope="session", params=["numpy", "onnxruntime"])
def real_engine(request: pytest.FixtureRequest, real_models: Path) -> Engine:
    return _engine(request.param, real_models)


def _engine(runtime: Runtime, models: Path) -> Engine:
    if runtime == "onnxruntime":
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed: it has no wheel for this system")
    return Engine(ModelStore(models), runtime=runtime)


@pytest.fixture(scope="session")
def engine_on(real_models: Path) -> Callable[[Runtime], Engine]:
    return lambda runtime: _engine(runtime, real_models)

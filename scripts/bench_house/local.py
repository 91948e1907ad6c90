"""What the benchmarks of local recognition share: where real models and photos are, and people made up."""

from dataclasses import dataclass
import os
from pathlib import Path
from typing import Final

from demo_house.house import ROOT
import numpy as np

from custom_components.face_access.recognition.engine import Engine, Mode, Settings
from custom_components.face_access.recognition.onnx import Runtime
from custom_components.face_access.recognition.results import Floats
from custom_components.face_access.recognition.store import ModelStore

from .client import BenchError

PEOPLE: Final = 1000
"""How many people a decision is made among."""

SETTINGS: Final = Settings(mode=Mode.ANTISPOOFING)
"""A decision as a door wants it: whether the face is live is judged too."""

PHOTO: Final = "portraits/obama-1080p.jpg"
"""A full-HD JPEG with one face."""


@dataclass(frozen=True, slots=True)
class Local:
    """The folders of models and photos."""

    models: Path
    faces: Path

    def engine(self, runtime: Runtime) -> Engine:
        """Make an engine of these models."""
        return Engine(ModelStore(self.models), runtime=runtime)

    @property
    def photo(self) -> bytes:
        """The picture that decisions are timed with."""
        return (self.faces / PHOTO).read_bytes()


def people(count: int, size: int = 128) -> tuple[list[str], Floats]:
    """Make up centroids, the same every time."""
    matrix = np.random.default_rng(count).standard_normal((count, size)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    return [f"person {number}" for number in range(count)], matrix


def folder(variable: str, name: str) -> Path:
    """Find a folder of test data. Raises BenchError which says where it was looked for."""
    found = Path(os.environ.get(variable) or ROOT.parent / "shared" / name)
    if not found.is_dir():
        raise BenchError(f"there are no {name} to measure with: {found} is no folder, and {variable} names no other")
    return found


def models_folder() -> Path:
    """Find the models. Raises BenchError."""
    return folder("FACE_ACCESS_MODELS", "models")


def local() -> Local:
    """Find both. Raises BenchError."""
    return Local(models_folder(), folder("FACE_ACCESS_FACES", "faces"))

"""Where the benchmarks of local recognition find real models and photos, and what they import of the integration."""

from dataclasses import dataclass
import os
from pathlib import Path
from typing import Final

from demo_house.house import ROOT

from custom_components.face_access.recognition.engine import Engine
from custom_components.face_access.recognition.onnx import Runtime
from custom_components.face_access.recognition.store import ModelStore

from .client import BenchError

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

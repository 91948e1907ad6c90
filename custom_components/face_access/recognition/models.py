"""What models there are: the manifest of the package, and descriptions that a user writes, read with the same care."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
import json
from pathlib import Path
import re
from typing import Any, Final

from .errors import ModelUnusableError
from .score import RATES, Scale

MANIFEST: Final = Path(__file__).parent / "manifest.json"
MAX_SIZE: Final = 300 * 1024 * 1024
_NAME: Final = re.compile(r"[\w.-]{1,100}\.onnx", re.ASCII)
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class ModelRole(StrEnum):
    """What a model is for."""

    DETECTOR = "detector"
    EMBEDDER = "embedder"
    LIVENESS = "liveness"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One file that holds a model's weights. Several may: the same network exported by different people.

    `url` None means that nobody publishes it; `size` None that its publisher names the hash alone.
    """

    name: str
    url: str | None
    size: int | None
    sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInput:
    """What a network wants: `size` is (height, width), None where any multiple of 32 will do.

    A pixel becomes (pixel * scale - mean) / std, for each channel in the order of `color`.
    """

    size: tuple[int, int] | None
    color: str
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One model. `crop` widens the detector's box (liveness); `cosine_at_fmr` makes cosines comparable (embedders)."""

    id: str
    role: ModelRole
    files: tuple[ModelFile, ...]
    licence: str
    licence_url: str
    attribution: str
    noncommercial: bool
    input: ModelInput
    crop: float = 1.0
    cosine_at_fmr: Mapping[str, float] = field(default_factory=dict)
    calibrated: bool = True
    default: bool = False
    users: bool = False
    """Whether the user described it."""


_ASSUMED: Final[Mapping[int, Mapping[str, float]]] = {
    128: dict(zip(RATES, (0.15, 0.27, 0.36, 0.43, 0.50, 0.55, 0.65), strict=True)),
    512: dict(zip(RATES, (0.11, 0.20, 0.27, 0.32, 0.37, 0.41, 0.48), strict=True)),
}
"""Cosines at false-match rates for embedders that nobody measured here: those of SFace, and of the ArcFace class."""


class _Entry:
    """Reads one entry; the error names the entry and what is wrong with it."""

    def __init__(self, content: Any, users: bool) -> None:
        if not isinstance(content, Mapping):
            raise ModelUnusableError("models", "an entry is not an object")
        self.content = content
        self.users = users
        self.id = "models"
        self.id = self.text("id")

    def error(self, key: str) -> ModelUnusableError:
        return ModelUnusableError(self.id, f"{key!r} is missing or wrong")

    def text(self, key: str, default: str | None = None) -> str:
        found = self.content.get(key, default)
        if not isinstance(found, str) or not found or len(found) > 500:
            raise self.error(key)
        return found

    def flag(self, key: str, default: bool | None = None) -> bool:
        found = self.content.get(key, default)
        if not isinstance(found, bool):
            raise self.error(key)
        return found

    def model(self) -> Model:
        try:
            role = ModelRole(self.text("role"))
        except ValueError as err:
            raise self.error("role") from err
        crop = self.content.get("crop", 1.0)
        if not _is_number(crop) or not 1 <= crop <= 10:
            raise self.error("crop")
        cosines = self._cosines() if role is ModelRole.EMBEDDER else {}
        return Model(
            id=self.id,
            role=role,
            files=self._files(),
            licence=self.text("licence"),
            licence_url=self.text("licence_url", "-"),
            attribution=self.text("attribution", "-"),
            # Nobody may leave open whether a model is free to use.
            noncommercial=self.flag("noncommercial"),
            input=self._input(),
            crop=float(crop),
            cosine_at_fmr=cosines,
            calibrated=bool(self.content.get("cosine_at_fmr")) or role is not ModelRole.EMBEDDER,
            default=self.flag("default", default=self.users),
            users=self.users,
        )

    def _files(self) -> tuple[ModelFile, ...]:
        files = self.content.get("files")
        if not isinstance(files, list) or not 1 <= len(files) <= 8:
            raise self.error("files")
        return tuple(self._file(one) for one in files)

    def _file(self, content: Any) -> ModelFile:
        if not isinstance(content, Mapping):
            raise self.error("files")
        name, url, size, sha256 = (content.get(key) for key in ("name", "url", "size", "sha256"))
        # The name becomes a path: nothing in it may lead out of the folder.
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise self.error("name")
        if url is not None and not (isinstance(url, str) and url.startswith("https://")):
            raise self.error("url")
        if size is not None and not (_is_number(size) and 0 < size <= MAX_SIZE):
            raise self.error("size")
        if sha256 is None and (url is not None or not self.users):
            raise self.error("sha256")
        if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
            raise self.error("sha256")
        return ModelFile(name=name, url=url, size=None if size is None else int(size), sha256=sha256)

    def _input(self) -> ModelInput:
        content = self.content.get("input")
        if not isinstance(content, Mapping):
            raise self.error("input")
        size = content.get("size")
        if size is not None and not (_numbers(size, 2) and all(16 <= side <= 2048 and side % 1 == 0 for side in size)):
            raise self.error("size")
        color, scale = content.get("color"), content.get("scale", 1)
        mean, std = content.get("mean", [0, 0, 0]), content.get("std", [1, 1, 1])
        if color not in ("RGB", "BGR"):
            raise self.error("color")
        if not _is_number(scale) or not _numbers(mean, 3) or not _numbers(std, 3) or not all(std):
            raise self.error("input")
        return ModelInput(
            size=None if size is None else (int(size[0]), int(size[1])),
            color=color,
            scale=float(scale),
            mean=(float(mean[0]), float(mean[1]), float(mean[2])),
            std=(float(std[0]), float(std[1]), float(std[2])),
        )

    def _cosines(self) -> Mapping[str, float]:
        found = self.content.get("cosine_at_fmr")
        if found is None:
            found = _ASSUMED.get(self.content.get("dim", 512))
        if not isinstance(found, Mapping) or not all(_is_number(cosine) for cosine in found.values()):
            raise self.error("cosine_at_fmr")
        try:
            Scale(found)
        except ValueError as err:
            raise self.error("cosine_at_fmr") from err
        return {str(rate): float(cosine) for rate, cosine in found.items()}


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool) and abs(found) < 1e12


def _numbers(found: Any, count: int) -> bool:
    return isinstance(found, list) and len(found) == count and all(_is_number(number) for number in found)


def parse(text: str, *, users: bool = False) -> tuple[Model, ...]:
    """Read a manifest: `{"models": [...]}`. Raises ModelUnusableError which says which entry is wrong and why."""
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise ModelUnusableError("models", f"this is not JSON: {err}") from err
    entries = content.get("models") if isinstance(content, dict) else None
    if not isinstance(entries, list) or len(entries) > 64:
        raise ModelUnusableError("models", "there is no list of models")
    found = tuple(_Entry(entry, users).model() for entry in entries)
    if len({model.id for model in found}) != len(found):
        raise ModelUnusableError("models", "two entries have the same id")
    return found


def manifest() -> tuple[Model, ...]:
    """Read the manifest of the package. Reads a file: not for the event loop."""
    return parse(MANIFEST.read_text("utf-8"))


def downloads(models: Sequence[Model]) -> list[tuple[Model, ModelFile]]:
    """Find what can be fetched for some models: of each, the first file that somebody publishes."""
    return [
        (model, published[0]) for model in models if (published := [one for one in model.files if one.url is not None])
    ]

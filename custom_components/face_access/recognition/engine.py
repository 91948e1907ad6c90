"""The local engine: finds faces in a picture, judges them, and names them. For one thread; it blocks.

Networks are loaded on first use and let go by `unload`. Nothing here knows cameras or time: see `vote` and `worker`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
import time
from typing import Final

import numpy as np
from PIL import Image

from ..access import Similarity
from . import align, detect, liveness, quality
from .errors import GalleryError, GraphError, ModelUnusableError
from .gallery import Gallery, Origin, normalise
from .models import Model, ModelInput, ModelRole
from .onnx import Net, Runtime, load
from .onnx.blas import one_thread
from .picture import Picture, letterbox
from .results import (
    NOT_CHECKED,
    Candidate,
    Detection,
    Face,
    FaceLiveness,
    Floats,
    LivenessCheck,
    Outcome,
    Pixels,
    Quality,
    Recognition,
)
from .score import POSSIBLE, THRESHOLDS, Scale
from .store import LoadedModel, ModelStore

MINIMUM_MARGIN: Final = 0.05
"""Between the best and the second person, as a cosine; below it nobody is named."""
MAXIMUM_FACES: Final = 16
_DECODED: Final = 640
"""The longer side of a picture is not decoded below this: faces are cut out of it too."""
_CROP_EYES: Final = 36
"""Pixels between the eyes that a crop needs at least: the aligned face has as many."""


class Mode(StrEnum):
    """How recognition works, in the words that panels use."""

    SOFTWARE = "software"
    ANTISPOOFING = "antispoofing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a picture is looked at. `detector_size` is the longer side of the detector's input: 640 for far faces."""

    similarity: Similarity = Similarity.NORMAL
    mode: Mode = Mode.ANTISPOOFING
    detector_size: int = 320
    gates: quality.Gates = quality.PROBE

    @property
    def threshold(self) -> float:
        """The score that a match needs."""
        return THRESHOLDS[self.similarity]


@dataclass(frozen=True, slots=True)
class _Loaded:
    net: Net
    source: LoadedModel

    @property
    def model(self) -> Model:
        return self.source.model

    def run(self, pixels: Pixels) -> dict[str, Floats]:
        return self.net.run({self.net.inputs[0].name: prepare(pixels, self.model.input)})

    def output(self, pixels: Pixels) -> Floats:
        """Give the only output, of which a network of this kind has one."""
        return self.run(pixels)[self.net.outputs[0]]


def prepare(pixels: Pixels, wanted: ModelInput) -> Floats:
    """Make the input of a network, (1, 3, height, width), of RGB pixels (height, width, 3)."""
    channels = pixels.transpose(2, 0, 1)
    if wanted.color == "BGR":
        channels = channels[::-1]
    result: Floats = channels.astype(np.float32, order="C")
    std = np.array(wanted.std, np.float32)
    factor = np.float32(wanted.scale) / std
    addend = -np.array(wanted.mean, np.float32) / std
    if (factor != 1).any() or addend.any():
        result *= factor[:, None, None]
        result += addend[:, None, None]
    return result[np.newaxis]


class Stopwatch:
    """Seconds by step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time of a step."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - began


class Engine:
    """One set of models on one runtime."""

    def __init__(
        self,
        store: ModelStore,
        *,
        runtime: Runtime | None = None,
        detector: str | None = None,
        embedder: str | None = None,
    ) -> None:
        """Take models from `store`: those named by id, else its defaults."""
        self._store = store
        self._runtime = runtime
        self._wanted: dict[ModelRole, str | None] = {ModelRole.DETECTOR: detector, ModelRole.EMBEDDER: embedder}
        self._nets: dict[ModelRole, tuple[_Loaded, ...]] = {}

    @property
    def loaded(self) -> bool:
        """Whether any network is in memory."""
        return bool(self._nets)

    def unload(self) -> None:
        """Let the memory of all networks go."""
        self._nets.clear()

    def load(self, mode: Mode) -> None:
        """Load all that a mode needs. Raises ModelError of the kind that fits, of the first model that fails."""
        self._models(ModelRole.DETECTOR)
        self._models(ModelRole.EMBEDDER)
        if mode is Mode.ANTISPOOFING:
            self._models(ModelRole.LIVENESS)

    def _models(self, role: ModelRole) -> tuple[_Loaded, ...]:
        if role not in self._nets:
            self._nets[role] = tuple(self._open(model) for model in self._store.choose(role, self._wanted.get(role)))
        return self._nets[role]

    def _open(self, model: Model) -> _Loaded:
        source = self._store.load(model)
        try:
            net = load(source.data, self._runtime)
        except GraphError as err:
            raise ModelUnusableError(model.id, str(err)) from err
        if len(net.inputs) != 1:
            raise ModelUnusableError(model.id, "the network has several inputs")
        return _Loaded(net, source)

    def _one(self, role: ModelRole) -> _Loaded:
        return self._models(role)[0]

    @property
    def origin(self) -> Origin:
        """What templates of this engine carry. Loads models; raises ModelError."""
        detector, embedder = self._one(ModelRole.DETECTOR).source, self._one(ModelRole.EMBEDDER).source
        return Origin(
            embedder=embedder.model.id,
            embedder_sha256=embedder.sha256,
            detector=detector.model.id,
            detector_sha256=detector.sha256,
        )

    @property
    def scale(self) -> Scale:
        """What this engine's cosines mean. Loads models; raises ModelError."""
        return Scale(self._one(ModelRole.EMBEDDER).model.cosine_at_fmr)

    @property
    def runtime(self) -> str:
        """What the networks run on. Loads models; raises ModelError."""
        return self._one(ModelRole.DETECTOR).net.runtime

    @property
    def calibrated(self) -> bool:
        """Whether somebody measured what the embedder's cosines mean. Loads models; raises ModelError."""
        return self._one(ModelRole.EMBEDDER).source.calibrated

    def benchmark(self, mode: Mode) -> float:
        """Seconds that the networks of a mode take for one face on this machine: of two runs the second.

        Above `worker.SLOW` a machine should look at snapshots only. Loads models; raises ModelError.
        """
        self.load(mode)
        seconds = 0.0
        for models in self._nets.values():
            for model in models:
                height, width = model.model.input.size or (192, 320)
                nothing = np.zeros((height, width, 3), np.uint8)
                with _usable(model), one_thread():
                    model.run(nothing)
                    began = time.perf_counter()
                    model.run(nothing)
                    seconds += time.perf_counter() - began
        return seconds

    def detect(self, picture: Picture, longest: int = 320, watch: Stopwatch | None = None) -> list[Detection]:
        """Find the faces in a picture, the largest first. Raises PictureError and ModelError."""
        watch = watch or Stopwatch()
        model = self._one(ModelRole.DETECTOR)
        with watch.step("decode"):
            reduction = picture.reduction(max(_DECODED, longest))
            image = picture.image(reduction)
        with watch.step("detect"):
            pixels, factor = letterbox(image, longest, model.model.input.size)
            height, width = pixels.shape[:2]
            with _usable(model):
                found = detect.decode(model.run(pixels), height, width, factor / reduction)
        return sorted(found, key=lambda one: -one.box.area)[:MAXIMUM_FACES]

    def cut(self, picture: Picture, detection: Detection) -> Pixels:
        """Cut out one face upright, (112, 112, 3) in RGB. Raises PictureError."""
        image, factor = self._sharp(picture, detection)
        points = (detection.landmarks.points + 0.5) * np.float32(factor) - 0.5
        return align.align(image, points.astype(np.float32))

    @staticmethod
    def _sharp(picture: Picture, detection: Detection) -> tuple[Image.Image, float]:
        """Choose the smallest decoded size that shows a face in full."""
        reduction = picture.reduction(_DECODED)
        if quality.distance(detection.landmarks) / reduction < _CROP_EYES:
            reduction = 1
        return picture.image(reduction), 1 / reduction

    def embed(self, face: Pixels, *, mirrored: bool = False) -> Floats:
        """Make the unit vector of an aligned face; `mirrored` adds its mirror image. Raises ModelError."""
        model = self._one(ModelRole.EMBEDDER)
        with _usable(model):
            vector = normalise(model.output(face))
            return normalise(vector + normalise(model.output(face[:, ::-1]))) if mirrored else vector

    def check(self, picture: Picture, detection: Detection, measured: Quality, similarity: Similarity) -> LivenessCheck:
        """Ask the liveness models about one face; `unknown` where they could not tell. Raises ModelError."""
        models = self._models(ModelRole.LIVENESS)
        widest = max(model.model.crop for model in models)
        room = liveness.scale_within(detection.box, widest, (picture.width, picture.height))
        if (
            measured.infrared
            or measured.eye_distance < liveness.MINIMUM_EYE_DISTANCE
            or room < min(widest, liveness.MINIMUM_SCALE)
        ):
            return LivenessCheck(state=FaceLiveness.UNKNOWN)
        image, factor = self._sharp(picture, detection)
        box = detection.box.scaled(factor)
        said = {}
        for model in models:
            with _usable(model):
                said[model.model.id] = liveness.probability(model.output(liveness.crop(image, box, model.model.crop)))
        return liveness.judge(said, similarity)

    def recognise(self, picture: Picture, gallery: Gallery | None, settings: Settings) -> Recognition:
        """Look at all faces of a picture. Raises PictureError, ModelError, and GalleryError for a foreign gallery."""
        watch = Stopwatch()
        self.load(settings.mode)
        if gallery is not None and gallery.origin not in (None, self.origin):
            # Other models have come since: whom their vectors are like says nothing.
            raise GalleryError("the templates were made by other models")
        with one_thread():
            found = self.detect(picture, settings.detector_size, watch)
            faces = tuple(self._look(picture, one, gallery, settings, watch) for one in found)
        return Recognition(
            width=picture.width,
            height=picture.height,
            faces=faces,
            threshold=settings.threshold,
            seconds=watch.seconds,
            runtime=self.runtime,
        )

    def _look(
        self, picture: Picture, detection: Detection, gallery: Gallery | None, settings: Settings, watch: Stopwatch
    ) -> Face:
        with watch.step("align"):
            face = self.cut(picture, detection)
            measured = quality.measure(detection, (picture.width, picture.height), face, settings.gates)
        check = NOT_CHECKED
        if settings.mode is Mode.ANTISPOOFING:
            with watch.step("liveness"):
                check = self.check(picture, detection, measured, settings.similarity)
        vector: Floats | None = None
        candidates: tuple[Candidate, ...] = ()
        if measured.eye_distance >= quality.USELESS_EYE_DISTANCE:
            with watch.step("embed"):
                vector = self.embed(face)
            with watch.step("match"):
                candidates = gallery.match(vector, self.scale) if gallery is not None else ()
        seen = Face(
            detection=detection,
            quality=measured,
            liveness=check,
            outcome=Outcome.NOT_COMPARED,
            candidates=candidates,
            vector=vector,
        )
        return judge(seen, settings.threshold)


@contextmanager
def _usable(model: _Loaded) -> Iterator[None]:
    """Name the model in what its network raises."""
    try:
        yield
    except (GraphError, GalleryError) as err:
        raise ModelUnusableError(model.model.id, str(err)) from err


def judge(face: Face, threshold: float) -> Face:
    """Say what came of a face: whoever is named has passed every limit. Liveness `unknown` names, but opens nothing."""
    outcome = _outcome(face, threshold)
    if outcome is not Outcome.RECOGNISED:
        return replace(face, outcome=outcome, person_id=None, score=None)
    best = face.candidates[0]
    return replace(face, outcome=outcome, person_id=best.person_id, score=best.score)


def _outcome(face: Face, threshold: float) -> Outcome:
    if face.liveness.state is FaceLiveness.SPOOF:
        return Outcome.SPOOF
    if face.vector is None or face.quality.flaws:
        return Outcome.UNCERTAIN
    if not face.candidates:
        return Outcome.NOT_COMPARED
    best = face.candidates[0].score
    if best < POSSIBLE:
        return Outcome.STRANGER
    if best < threshold:
        return Outcome.UNCERTAIN
    return Outcome.RECOGNISED if face.margin >= MINIMUM_MARGIN else Outcome.AMBIGUOUS

"""The local engine: finds faces in a picture, judges them, and names them. For one thread; it blocks.

Networks are loaded on first use and let go by `unload`. Nothing here knows cameras or time: see `vote` and `worker`.
"""

from collections.abc import Iterator, Mapping, Sequence
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
from .inference import Address, InferenceServer
from .models import ModelRole
from .networks import Network, Networks
from .onnx import Runtime
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
from .store import ModelStore

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
        remote: Address | None = None,
    ) -> None:
        """Take models from `store`: those named by id, else its defaults.

        With `remote` networks run at that inference server, and on `runtime` whenever it is away.
        """
        self._nets = Networks(
            store,
            runtime,
            {ModelRole.DETECTOR: detector, ModelRole.EMBEDDER: embedder},
            None if remote is None else InferenceServer(remote),
        )

    def use(self, remote: Address | None) -> None:
        """Run networks at another inference server from now on, or here alone."""
        self._nets.use(None if remote is None else InferenceServer(remote))

    @property
    def loaded(self) -> bool:
        """Whether any network is in memory."""
        return bool(self._nets)

    @property
    def used_at(self) -> float:
        """When any network was last used, by `time.monotonic`."""
        return self._nets.used_at

    @property
    def troubles(self) -> tuple[str, ...]:
        """Why networks run here and not at the inference server; empty where all is well. Any thread may ask."""
        return self._nets.troubles

    def server_answered(self) -> None:
        """Hear that somebody has reached the inference server: it may be asked at once."""
        self._nets.server_answered()

    def unload(self) -> None:
        """Let the memory of all networks go, and the connection to a server."""
        self._nets.clear()

    def load(self, mode: Mode) -> None:
        """Load all that a mode needs. Raises ModelError of the kind that fits, of the first model that fails."""
        for role in _roles(mode):
            _ = self._nets[role]

    def _one(self, role: ModelRole) -> Network:
        return self._nets[role][0]

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
        """What the detector last ran on, or will. Loads models; raises ModelError."""
        return self._one(ModelRole.DETECTOR).net.runtime

    @property
    def unmeasured(self) -> str | None:
        """The embedder (id) if nobody measured what its cosines mean. Loads models; raises ModelError."""
        source = self._one(ModelRole.EMBEDDER).source
        return None if source.calibrated else source.model.id

    def benchmark(self, mode: Mode) -> float:
        """Seconds that the networks of a mode take for one face, wherever they run: of two runs the second.

        From `pace.SLOW` on a machine should look at snapshots only. Loads models; raises ModelError.
        """
        seconds = 0.0
        for network in [network for role in _roles(mode) for network in self._nets[role]]:
            height, width = network.model.input.size or (192, 320)
            nothing = np.zeros((height, width, 3), np.uint8)
            with one_thread():
                network.run(nothing)
                began = time.perf_counter()
                network.run(nothing)
                seconds += time.perf_counter() - began
        return seconds

    def detect(self, picture: Picture, longest: int = 320, watch: Stopwatch | None = None) -> list[Detection]:
        """Find the faces in a picture, the largest first. Raises PictureError and ModelError."""
        watch = watch or Stopwatch()
        network = self._one(ModelRole.DETECTOR)
        with watch.step("decode"):
            reduction = picture.reduction(max(_DECODED, longest))
            image = picture.image(reduction)
        with watch.step("detect"):
            pixels, factor = letterbox(image, longest, network.model.input.size)
            height, width = pixels.shape[:2]
            with _usable(network):
                found = detect.decode(network.run(pixels), height, width, factor / reduction)
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
        vectors = self.embed_all([face, face[:, ::-1]] if mirrored else [face])
        if not mirrored:
            return vectors[0]
        with _usable(self._one(ModelRole.EMBEDDER)):
            return normalise(np.sum(vectors, axis=0))

    def embed_all(self, faces: Sequence[Pixels]) -> list[Floats]:
        """Make the unit vectors of aligned faces. Raises ModelError."""
        network = self._one(ModelRole.EMBEDDER)
        with _usable(network):
            return [normalise(vector) for vector in network.output(faces)]

    def check(self, picture: Picture, detection: Detection, measured: Quality, similarity: Similarity) -> LivenessCheck:
        """Ask the liveness models about one face; `unknown` where they could not tell. Raises ModelError."""
        return self.check_all(picture, [(detection, measured)], similarity)[0]

    def check_all(
        self, picture: Picture, faces: Sequence[tuple[Detection, Quality]], similarity: Similarity
    ) -> list[LivenessCheck]:
        """Do the same for several faces of one picture, each network once for all."""
        networks = self._nets[ModelRole.LIVENESS]
        widest = max(network.model.crop for network in networks)
        size = (picture.width, picture.height)
        asked = {
            index: self._sharp(picture, detection)
            for index, (detection, measured) in enumerate(faces)
            if liveness.askable(detection.box, measured, widest, size)
        }
        said: dict[int, dict[str, float]] = {index: {} for index in asked}
        for network in networks:
            crops = [
                liveness.crop(image, faces[index][0].box.scaled(factor), network.model.crop)
                for index, (image, factor) in asked.items()
            ]
            for index, output in zip(asked, network.output(crops), strict=True):
                said[index][network.model.id] = liveness.probability(output)
        unknown = LivenessCheck(state=FaceLiveness.UNKNOWN)
        return [liveness.judge(said[index], similarity) if index in asked else unknown for index in range(len(faces))]

    def recognise(self, picture: Picture, gallery: Gallery | None, settings: Settings) -> Recognition:
        """Look at all faces of a picture. Raises PictureError, ModelError, and GalleryError for a foreign gallery."""
        watch = Stopwatch()
        self.load(settings.mode)
        if gallery is not None and gallery.origin not in (None, self.origin):
            # Other models have come since: whom their vectors are like says nothing.
            raise GalleryError("the templates were made by other models")
        with one_thread():
            found = self.detect(picture, settings.detector_size, watch)
            faces = self._look(picture, found, gallery, settings, watch)
        used = [self._one(ModelRole.DETECTOR)]
        if any(face.liveness.models for face in faces):
            used += self._nets[ModelRole.LIVENESS]
        if any(face.vector is not None for face in faces):
            used.append(self._one(ModelRole.EMBEDDER))
        return Recognition(
            width=picture.width,
            height=picture.height,
            faces=faces,
            threshold=settings.threshold,
            seconds=watch.seconds,
            # With a server that lacks a model there may be two.
            runtime="+".join(sorted({network.net.runtime for network in used})),
        )

    def _look(
        self,
        picture: Picture,
        found: Sequence[Detection],
        gallery: Gallery | None,
        settings: Settings,
        watch: Stopwatch,
    ) -> tuple[Face, ...]:
        """Judge all faces step by step, so that each network sees them in one go."""
        if not found:
            return ()
        with watch.step("align"):
            upright = [self.cut(picture, one) for one in found]
            size = (picture.width, picture.height)
            measured = [
                quality.measure(one, size, face, settings.gates) for one, face in zip(found, upright, strict=True)
            ]
        checks = [NOT_CHECKED] * len(found)
        if settings.mode is Mode.ANTISPOOFING:
            with watch.step("liveness"):
                checks = self.check_all(picture, list(zip(found, measured, strict=True)), settings.similarity)
        clear = [index for index, one in enumerate(measured) if one.eye_distance >= quality.USELESS_EYE_DISTANCE]
        vectors, candidates = self._compare({index: upright[index] for index in clear}, gallery, watch)
        return tuple(
            judge(
                Face(
                    detection=detection,
                    quality=measured[index],
                    liveness=checks[index],
                    outcome=Outcome.NOT_COMPARED,
                    candidates=candidates.get(index, ()),
                    vector=vectors.get(index),
                ),
                settings.threshold,
            )
            for index, detection in enumerate(found)
        )

    def _compare(
        self, upright: Mapping[int, Pixels], gallery: Gallery | None, watch: Stopwatch
    ) -> tuple[Mapping[int, Floats], Mapping[int, tuple[Candidate, ...]]]:
        """Find the vectors of faces and whom of the gallery they are like, by the faces' numbers in their picture."""
        if not upright:
            return {}, {}
        with watch.step("embed"):
            vectors = dict(zip(upright, self.embed_all(list(upright.values())), strict=True))
        with watch.step("match"):
            if gallery is None:
                return vectors, {}
            return vectors, {index: gallery.match(vector, self.scale) for index, vector in vectors.items()}


def _roles(mode: Mode) -> tuple[ModelRole, ...]:
    """What a mode needs."""
    both = (ModelRole.DETECTOR, ModelRole.EMBEDDER)
    return (*both, ModelRole.LIVENESS) if mode is Mode.ANTISPOOFING else both


@contextmanager
def _usable(network: Network) -> Iterator[None]:
    """Name the model in what its network raises."""
    try:
        yield
    except (GraphError, GalleryError) as err:
        raise ModelUnusableError(network.model.id, str(err)) from err


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

"""A whole decision on every runtime beside its networks alone, OpenCV and an inference server. Part of `recognition`.

All ways to a decision are timed in turn, round by round, so that a busy moment of the machine meets each of them.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
import statistics
import time
from typing import Final

from inference_house.triton import Triton, TritonError, environment

from custom_components.face_access.recognition import liveness
from custom_components.face_access.recognition.engine import Engine
from custom_components.face_access.recognition.gallery import Gallery
from custom_components.face_access.recognition.inference import RUNTIME, Address
from custom_components.face_access.recognition.models import ModelRole
from custom_components.face_access.recognition.networks import prepare
from custom_components.face_access.recognition.onnx import Runtime, load, runtimes
from custom_components.face_access.recognition.picture import Picture, letterbox
from custom_components.face_access.recognition.store import ModelStore

from . import peers
from .client import BenchError
from .local import PEOPLE, SETTINGS, Local, people
from .report import Result, ms, percentile, times, verdict

_THERE: Final = "whole decision, networks at Triton over loopback"


def _decide(found: Local, runtime: Runtime) -> Callable[[], object]:
    engine, photo, gallery = found.engine(runtime), found.photo, Gallery(*people(PEOPLE))

    def run() -> object:
        return engine.recognise(Picture(photo), gallery, SETTINGS)

    return run


def _networks(found: Local) -> Callable[[], object]:
    """Run the networks of a decision in onnxruntime and do nothing else."""
    store, picture = ModelStore(found.models), Picture(found.photo)
    engine = found.engine("onnxruntime")
    face = engine.detect(picture)[0]
    # What a network is shown changes its time by half: it gets what it sees in a decision.
    image = picture.image(2)
    shown = {
        ModelRole.DETECTOR: lambda model: letterbox(image, SETTINGS.detector_size, model.input.size)[0],
        ModelRole.EMBEDDER: lambda model: engine.cut(picture, face),
        ModelRole.LIVENESS: lambda model: liveness.crop(image, face.box.scaled(0.5), model.crop),
    }
    jobs = []
    for role in ModelRole:
        for model in store.choose(role):
            net = load(store.load(model).data, "onnxruntime")
            jobs.append((net, {net.inputs[0].name: prepare(shown[role](model), model.input)}))

    def run() -> object:
        return [net.run(feeds) for net, feeds in jobs]

    return run


def _decode(found: Local) -> Callable[[], object]:
    photo = found.photo
    return lambda: Picture(photo).image(2)


def in_turn(ways: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Time ways in turn, round by round; the seconds of each."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 2):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            if number >= 2:  # the first rounds load and warm up
                taken[name].append(time.perf_counter() - began)
    return taken


@contextmanager
def _server(found: Local) -> Iterator[str | None]:
    """Start a real inference server with the same networks on this machine; None where none is installed."""
    store = ModelStore(found.models)
    networks = {model.id: store.find(model).path for role in ModelRole for model in store.choose(role)}
    try:
        venv = environment()
    except TritonError:
        yield None
        return
    with Triton(venv, networks) as triton:
        yield triton.url


def _decide_there(found: Local, url: str, *, binary: bool) -> Callable[[], object]:
    runtime, photo, gallery = runtimes()[0], found.photo, Gallery(*people(PEOPLE))
    engine = Engine(ModelStore(found.models), runtime=runtime, remote=Address(url=url, timeout=30, binary=binary))

    def run() -> object:
        result = engine.recognise(Picture(photo), gallery, SETTINGS)
        if result.runtime != RUNTIME:
            raise BenchError("the inference server was not used")
        return result

    return run


def decisions(found: Local, rounds: int) -> Result:
    """Time a whole decision on every runtime and at a server, beside its networks alone and beside OpenCV."""
    ways: dict[str, Callable[[], object]] = {"decoding alone": _decode(found)}
    if "onnxruntime" in runtimes():
        ways["networks alone, onnxruntime"] = _networks(found)
    ways.update({f"whole decision, {runtime}": _decide(found, runtime) for runtime in runtimes()})
    with _server(found) as url:
        if url is not None:
            ways[_THERE] = _decide_there(found, url, binary=True)
            ways[f"{_THERE}, JSON"] = _decide_there(found, url, binary=False)
        ways.update(peers.decisions(found, people(PEOPLE)[1]))
        taken = in_turn(ways, rounds)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    rows = [(name, ms(medians[name]), ms(percentile(seconds, 95))) for name, seconds in taken.items()]
    columns = ("full-HD JPEG to an identity", "median", "p95")
    return Result(name="recognition", columns=columns, rows=rows, notes=_notes(medians))


def _notes(medians: dict[str, float]) -> list[str]:
    notes = [
        f"One face, liveness checked by both networks, {PEOPLE} people; every way on one thread, in turn.",
    ]
    ours, numpy = medians.get("whole decision, onnxruntime"), medians["whole decision, numpy"]
    if ours is None:
        return [*notes, "onnxruntime is not installed here: no ratios."]
    networks, decoding = medians["networks alone, onnxruntime"], medians["decoding alone"]
    if (there := medians.get(_THERE)) is None:
        notes.append("No inference server is installed here: scripts/inference installs one.")
    else:
        notes.append(
            f"Triton runs the same networks by onnxruntime on the same cores. Asking it makes {ms(there - ours)}, "
            f"{times(there / ours)} of the decision here. On a busy machine it may gain, since its processes get a "
            "share of the cores of their own."
        )
    return [
        *notes,
        verdict(
            "onnxruntime at most 1.3 times the sum of its networks and decoding",
            f"{times(ours / (networks + decoding))}; without decoding on both sides "
            f"{times((ours - decoding) / networks)}",
            met=ours <= 1.3 * (networks + decoding),
        ),
        verdict("numpy at most 3 times onnxruntime", times(numpy / ours), met=numpy <= 3 * ours),
    ]

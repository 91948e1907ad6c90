"""What a user would take instead, where installed: OpenCV, with networks by OpenVINO or ncnn; and faiss to search."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
import shutil
import subprocess
import tempfile
from typing import Any

import numpy as np

from custom_components.face_access.recognition import align, liveness
from custom_components.face_access.recognition.models import ModelRole
from custom_components.face_access.recognition.results import Box
from custom_components.face_access.recognition.store import ModelStore

from .local import Local

type Way = Callable[[], object]
type Network = Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]


def decisions(found: Local, matrix: np.ndarray[Any, Any]) -> Mapping[str, Way]:
    """Offer the same decision by OpenCV: decode, FaceDetectorYN, warpAffine, and its own networks or OpenVINO's."""
    if find_spec("cv2") is None:
        return {}
    cv2: Any = import_module("cv2")
    cv2.setNumThreads(1)
    if hasattr(cv2, "utils"):
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    ways = {f"the same by OpenCV {cv2.__version__}": _by_opencv(cv2, found, matrix, partial(_opencv_network, cv2))}
    if find_spec("openvino") is not None:
        ways["the same by OpenCV, networks by OpenVINO"] = _by_opencv(cv2, found, matrix, _openvino_network)
    if find_spec("ncnn") is not None and find_spec("pnnx") is not None:
        ways["the same by OpenCV, networks by ncnn"] = _by_opencv(cv2, found, matrix, _ncnn_network)
    return ways


def _opencv_network(cv2: Any, path: Path) -> Network:
    net = cv2.dnn.readNetFromONNX(str(path))

    def run(blob: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        net.setInput(blob)
        found: np.ndarray[Any, Any] = net.forward()
        return found

    return run


def _openvino_network(path: Path) -> Network:
    openvino: Any = import_module("openvino")
    core = openvino.Core()
    model = core.read_model(path)
    model.reshape([1, *(size.get_length() for size in list(model.inputs[0].partial_shape)[1:])])
    request = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1}).create_infer_request()

    def run(blob: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        request.infer([blob])
        found: np.ndarray[Any, Any] = request.get_output_tensor(0).data
        return found

    return run


def _ncnn_network(path: Path) -> Network:
    """Convert a network for ncnn, which reads no ONNX, by its own converter, and run it."""
    ncnn, onnxruntime = import_module("ncnn"), import_module("onnxruntime")
    (taken,) = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).get_inputs()
    # The package pnnx has the converter as a program; to import it would want torch.
    found = find_spec("pnnx")
    (package,) = (found and found.submodule_search_locations) or ()
    converter = Path(package) / "pnnx"
    converter.chmod(0o755)
    net = ncnn.Net()
    net.opt.num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, model := Path(folder) / "model.onnx")
        shape = ",".join(map(str, (1, *taken.shape[1:])))
        command = [converter, model, f"inputshape=[{shape}]", "fp16=0"]
        subprocess.run(command, capture_output=True, check=True, timeout=60)  # noqa: S603 - a peer that was asked for
        net.load_param(str(model.with_name("model.ncnn.param")))
        net.load_model(str(model.with_name("model.ncnn.bin")))
    given, made = net.input_names()[0], net.output_names()[0]

    def run(blob: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        with net.create_extractor() as extractor:
            extractor.input(given, ncnn.Mat(blob[0]))
            return np.array(extractor.extract(made)[1])

    return run


def _by_opencv(cv2: Any, found: Local, matrix: np.ndarray[Any, Any], runner: Callable[[Path], Network]) -> Way:
    store = ModelStore(found.models)
    detector_file = store.find(store.choose(ModelRole.DETECTOR)[0]).path
    embed = runner(store.find(store.choose(ModelRole.EMBEDDER)[0]).path)
    checks = [(model, runner(store.find(model).path)) for model in store.choose(ModelRole.LIVENESS)]
    data = np.frombuffer(found.photo, np.uint8)
    detector = cv2.FaceDetectorYN.create(str(detector_file), "", (320, 192), 0.6, 0.3)
    mean = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
    deviation = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)

    def run() -> object:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR)
        height, width = image.shape[:2]
        factor = 320 / width
        small = cv2.resize(image, (320, round(height * factor)), interpolation=cv2.INTER_AREA)
        canvas = np.zeros((192, 320, 3), np.uint8)
        canvas[: small.shape[0]] = small
        _, faces = detector.detect(canvas)
        face = max(faces, key=lambda row: row[2] * row[3]) / factor
        turn, shift = align.similarity(face[4:14].reshape(5, 2))
        matrix_ = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
        upright = cv2.warpAffine(image, matrix_, (112, 112))
        blob = upright[:, :, ::-1].astype(np.float32).transpose(2, 0, 1)[None] / 255
        vector = embed(np.ascontiguousarray((blob - mean) / deviation)).reshape(-1)
        box = Box(x=float(face[0]), y=float(face[1]), width=float(face[2]), height=float(face[3]))
        for model, check in checks:
            left, top, right, bottom = liveness.region(box, model.crop, (width, height))
            crop = cv2.resize(image[top:bottom, left:right], (80, 80))
            check(np.ascontiguousarray(crop.astype(np.float32).transpose(2, 0, 1)[None]))
        return int(np.argmax(matrix @ (vector / np.linalg.norm(vector))))

    return run


def search(matrix: np.ndarray[Any, Any], query: np.ndarray[Any, Any]) -> Mapping[str, Way]:
    """Offer the same search by faiss, exact, on one thread."""
    if find_spec("faiss") is None:
        return {}
    faiss: Any = import_module("faiss")
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(matrix.shape[1])
    index.add(matrix)
    return {"faiss": lambda: index.search(query[None], 3)}

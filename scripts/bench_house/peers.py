"""What a user would take instead, where installed: OpenCV, OpenVINO for its networks, and faiss for the search."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
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

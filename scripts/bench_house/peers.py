"""What a user would take instead, where it is installed: OpenCV's detector and networks, and faiss for the search."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from custom_components.face_access.recognition import align, liveness
from custom_components.face_access.recognition.models import ModelRole
from custom_components.face_access.recognition.results import Box
from custom_components.face_access.recognition.store import ModelStore

from .local import Local

type Way = Callable[[], object]


def decisions(found: Local, matrix: np.ndarray[Any, Any]) -> Mapping[str, Way]:
    """Offer the same decision by OpenCV alone: decode, FaceDetectorYN, warpAffine, and its own network runner."""
    if find_spec("cv2") is None:
        return {}
    cv2: Any = import_module("cv2")
    cv2.setNumThreads(1)
    if hasattr(cv2, "utils"):
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    store = ModelStore(found.models)
    detector_file = store.find(store.choose(ModelRole.DETECTOR)[0]).path
    embedder = cv2.dnn.readNetFromONNX(str(store.find(store.choose(ModelRole.EMBEDDER)[0]).path))
    checks = [
        (model, cv2.dnn.readNetFromONNX(str(store.find(model).path))) for model in store.choose(ModelRole.LIVENESS)
    ]
    data = np.frombuffer(found.photo, np.uint8)
    detector = cv2.FaceDetectorYN.create(str(detector_file), "", (320, 192), 0.6, 0.3)

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
        mean = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
        deviation = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)
        embedder.setInput((blob - mean) / deviation)
        vector = embedder.forward().reshape(-1)
        box = Box(x=float(face[0]), y=float(face[1]), width=float(face[2]), height=float(face[3]))
        for model, net in checks:
            left, top, right, bottom = liveness.region(box, model.crop, (width, height))
            crop = cv2.resize(image[top:bottom, left:right], (80, 80))
            net.setInput(crop.astype(np.float32).transpose(2, 0, 1)[None])
            net.forward()
        return int(np.argmax(matrix @ (vector / np.linalg.norm(vector))))

    return {f"the same by OpenCV {cv2.__version__}": run}


def search(matrix: np.ndarray[Any, Any], query: np.ndarray[Any, Any]) -> Mapping[str, Way]:
    """Offer the same search by faiss, exact, on one thread."""
    if find_spec("faiss") is None:
        return {}
    faiss: Any = import_module("faiss")
    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(matrix.shape[1])
    index.add(matrix)
    return {"faiss": lambda: index.search(query[None], 3)}

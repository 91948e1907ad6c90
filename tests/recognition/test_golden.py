"""The real networks on real photos: what was measured when they were chosen still holds, on every runtime."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
import statistics

import numpy as np
from PIL import Image, ImageDraw
import pytest

from custom_components.face_access.access import Similarity
from custom_components.face_access.recognition.compare import CompareResult, check_liveness, compare, recognize
from custom_components.face_access.recognition.engine import Engine, Mode, Settings
from custom_components.face_access.recognition.enrolment import enrol
from custom_components.face_access.recognition.gallery import Gallery
from custom_components.face_access.recognition.models import ModelRole
from custom_components.face_access.recognition.onnx import Runtime, load
from custom_components.face_access.recognition.picture import Picture, letterbox
from custom_components.face_access.recognition.results import FaceLiveness, Flaw, Outcome
from custom_components.face_access.recognition.store import ModelStore

SOFTWARE = Settings(mode=Mode.SOFTWARE)


def read(faces: Path, name: str) -> bytes:
    return (faces / name).read_bytes()


def test_finds_the_face_where_it_is(real_engine: Engine, real_faces: Path) -> None:
    (found,) = real_engine.detect(Picture(read(real_faces, "portraits/obama2.jpg")))
    box = found.box
    assert (box.x, box.y, box.width, box.height) == pytest.approx((199, 233, 275, 400), abs=4)
    assert found.score == pytest.approx(0.94, abs=0.02)


@pytest.mark.parametrize("lines", [240, 480, 720, 1080])
def test_finds_the_face_at_every_size(real_engine: Engine, real_faces: Path, lines: int) -> None:
    found = real_engine.detect(Picture(read(real_faces, f"portraits/obama-{lines}p.jpg")))
    factor = 1080 / lines
    box = found[0].box.scaled(factor)
    assert (box.x, box.y, box.width, box.height) == pytest.approx((866, 86, 248, 321), abs=12)


@pytest.mark.parametrize(
    ("one", "other", "cosine"),
    [("obama", "obama2", 0.73), ("obama", "obama3", 0.77), ("biden", "biden2", 0.61)],
)
def test_cosines_of_the_same_person(real_engine: Engine, real_faces: Path, one: str, other: str, cosine: float) -> None:
    first, second = (read(real_faces, f"portraits/{name}.jpg") for name in (one, other))
    found = compare(real_engine, first, second)
    assert found.cosine == pytest.approx(cosine, abs=0.04)
    assert found.result is CompareResult.SAME


@pytest.mark.parametrize("other", ["biden", "biden2"])
@pytest.mark.parametrize("one", ["obama", "obama2", "obama3"])
def test_cosines_of_two_people(real_engine: Engine, real_faces: Path, one: str, other: str) -> None:
    first, second = (read(real_faces, f"portraits/{name}.jpg") for name in (one, other))
    found = compare(real_engine, first, second)
    assert -0.25 < found.cosine < 0.25
    assert found.result is CompareResult.DIFFERENT


def test_both_people_of_one_picture_are_named(real_engine: Engine, real_faces: Path) -> None:
    people = {
        "one": [one.template for one in enrol(real_engine, [read(real_faces, "portraits/obama.jpg")])],
        "other": [one.template for one in enrol(real_engine, [read(real_faces, "portraits/biden.jpg")])],
    }
    gallery = Gallery.of(people, real_engine.origin)  # type: ignore[arg-type]
    settings = Settings(mode=Mode.SOFTWARE, similarity=Similarity.LOW)
    found = recognize(real_engine, read(real_faces, "portraits/obama_and_biden.jpg"), gallery, settings)
    assert {face.person_id for face in found.faces} >= {"one", "other"}


def test_live_and_spoof(real_engine: Engine, real_faces: Path) -> None:
    found = {
        name: check_liveness(real_engine, read(real_faces, f"liveness/image_{name}.jpg"), SOFTWARE).faces[0].liveness
        for name in ("T1", "F1", "F2")
    }
    assert found["T1"].state is FaceLiveness.LIVE
    assert found["T1"].score is not None
    assert found["T1"].score > 0.9
    assert found["F1"].state is FaceLiveness.SPOOF
    assert found["F2"].state is FaceLiveness.SPOOF
    assert found["F2"].score is not None
    assert found["F2"].score < 0.1


def test_men_of_one_name_are_told_apart(real_engine: Engine, real_faces: Path) -> None:
    """Five people, eleven photos each: three enrolled, the others looked for among all five at the level *normal*."""
    folders = sorted((real_faces / "johns").iterdir())
    photos = {folder.name: [path.read_bytes() for path in sorted(folder.glob("*.jpg"))] for folder in folders}
    people = {
        name: [one.template for one in enrol(real_engine, data[:3]) if one.template is not None]
        for name, data in photos.items()
    }
    gallery = Gallery.of(people, real_engine.origin)
    named = wrong = 0
    scores = []
    for name, data in photos.items():
        for probe in data[3:6]:
            (face, *_) = recognize(real_engine, probe, gallery, SOFTWARE).faces
            if face.outcome is Outcome.RECOGNISED:
                named += face.person_id == name
                wrong += face.person_id != name
                scores.append(face.candidates[0].cosine)
    assert wrong == 0
    assert named >= 13
    assert statistics.mean(scores) > 0.6


def test_nobody_is_named_behind_a_mask(real_engine: Engine, real_faces: Path) -> None:
    """A mask drawn on photos that are recognised without it; nobody's own face is taken for a mask."""
    named = hidden = 0
    for folder in sorted((real_faces / "johns").iterdir()):
        first, *_, probe = [path.read_bytes() for path in sorted(folder.glob("*.jpg"))]
        people = {folder.name: [one.template for one in enrol(real_engine, [first]) if one.template is not None]}
        gallery = Gallery.of(people, real_engine.origin)
        plain = recognize(real_engine, probe, gallery, SOFTWARE).faces[0]
        named += plain.outcome is Outcome.RECOGNISED
        masked = recognize(real_engine, _masked(probe, plain.detection.landmarks.points), gallery, SOFTWARE).faces[0]
        hidden += Flaw.COVERED in masked.quality.flaws and masked.person_id is None
    assert (named, hidden) == (5, 5)


def _masked(data: bytes, points: np.ndarray) -> bytes:
    image = Image.open(BytesIO(data)).convert("RGB")
    eyes, across = (points[0] + points[1]) / 2, points[1] - points[0]
    down = np.array([-across[1], across[0]])
    outline = ((-0.85, 0.45), (0, 0.35), (0.85, 0.45), (0.8, 1.3), (0.3, 1.75), (-0.3, 1.75), (-0.8, 1.3))
    corners = [tuple((eyes + across * x + down * y).tolist()) for x, y in outline]
    ImageDraw.Draw(image).polygon(corners, fill=(150, 190, 215))
    stream = BytesIO()
    image.save(stream, "JPEG", quality=90)
    return stream.getvalue()


def test_runtimes_agree(engine_on: Callable[[Runtime], Engine], real_models: Path, real_faces: Path) -> None:
    store = ModelStore(real_models)
    rng = np.random.default_rng(2)
    engine_on("onnxruntime")
    for role, size in (
        (ModelRole.DETECTOR, (192, 320)),
        (ModelRole.EMBEDDER, (112, 112)),
        (ModelRole.LIVENESS, (80, 80)),
    ):
        for model in store.choose(role):
            data = store.load(model).data
            ours, theirs = load(data, "numpy"), load(data, "onnxruntime")
            x = rng.uniform(0, 255, (1, 3, *size)).astype(np.float32)
            x = x / 64 - 2 if role is ModelRole.EMBEDDER else x
            expected = theirs.run({theirs.inputs[0].name: x})
            for name, found in ours.run({ours.inputs[0].name: x}).items():
                reach = np.abs(expected[name]).max() + 1e-6
                np.testing.assert_allclose(found / reach, expected[name] / reach, atol=1e-4)


def test_embeddings_agree_between_runtimes(engine_on: Callable[[Runtime], Engine], real_faces: Path) -> None:
    picture = Picture(read(real_faces, "portraits/obama-1080p.jpg"))
    vectors = []
    for runtime in ("numpy", "onnxruntime"):
        engine = engine_on(runtime)  # type: ignore[arg-type]
        vectors.append(engine.embed(engine.cut(picture, engine.detect(picture)[0])))
    assert float(vectors[0] @ vectors[1]) > 0.9999


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_opencv_finds_the_same_faces(
    engine_on: Callable[[Runtime], Engine], real_models: Path, real_faces: Path
) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed: it has no wheel for this system")
    engine = Engine(ModelStore(real_models), runtime="numpy", detector="yunet_2023mar")
    picture = Picture(read(real_faces, "portraits/obama-720p.jpg"))
    pixels, factor = letterbox(picture.image(picture.reduction(640)), 640, (640, 640))
    reduced = picture.image(picture.reduction(640)).width / picture.width
    detector = cv2.FaceDetectorYN.create(
        str(real_models / "face_detection_yunet_2023mar.onnx"), "", (640, 640), 0.6, 0.3
    )
    _, theirs = detector.detect(np.ascontiguousarray(pixels[:, :, ::-1]))
    ours = engine.detect(picture)
    assert len(ours) == len(theirs)
    best = max(theirs, key=lambda row: row[2] * row[3]) / (factor * reduced)
    box = ours[0].box
    assert (box.x, box.y, box.width, box.height) == pytest.approx(tuple(best[:4]), abs=1)
    np.testing.assert_allclose(ours[0].landmarks.points.reshape(-1), best[4:14], atol=1)

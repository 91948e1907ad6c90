"""The engine finds, judges and names faces: with toy networks, so that everything it does is known beforehand."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
import json
from pathlib import Path

import numpy as np
import pytest

from custom_components.face_access.access import Similarity
from custom_components.face_access.recognition import compare as questions
from custom_components.face_access.recognition.compare import CompareResult, recognize
from custom_components.face_access.recognition.engine import Engine, Mode, Settings, Stopwatch
from custom_components.face_access.recognition.enrolment import PhotoCode, Refusal, enrol, examine, resembling
from custom_components.face_access.recognition.errors import (
    GalleryError,
    ModelMissingError,
    ModelUnusableError,
    NoFaceError,
    PictureError,
)
from custom_components.face_access.recognition.gallery import Gallery, Template
from custom_components.face_access.recognition.models import ModelInput
from custom_components.face_access.recognition.networks import prepare
from custom_components.face_access.recognition.picture import Picture
from custom_components.face_access.recognition.results import FaceLiveness, Flaw, Outcome
from custom_components.face_access.recognition.store import ModelStore

from . import toys
from .toys import portrait

ALICE, BOB, CAROL = 1, 2, 3
SOFTWARE = Settings(mode=Mode.SOFTWARE)


def gallery(engine: Engine, *people: int) -> Gallery:
    templates = {f"p{seed}": [one.template for one in enrol(engine, [portrait((seed, 20, 10))])] for seed in people}
    assert all(one is not None for found in templates.values() for one in found)
    return Gallery.of(templates, engine.origin)  # type: ignore[arg-type]


def test_names_who_is_enrolled(toy_engine: Engine) -> None:
    known = gallery(toy_engine, ALICE, BOB)
    result = recognize(toy_engine, portrait((ALICE, 14, 11)), known, Settings())
    (face,) = result.faces
    assert face.outcome is Outcome.RECOGNISED
    assert face.person_id == "p1"
    assert face.liveness.state is FaceLiveness.LIVE
    assert set(face.liveness.models) == {"toy_near", "toy_far"}
    # A pattern has no two like halves, so its mirror image in the template halves the likeness.
    assert face.candidates[0].cosine > 0.5
    assert abs(face.candidates[1].cosine) < 0.4
    assert result.threshold == 80
    assert result.runtime == "numpy"
    assert set(result.seconds) == {"decode", "detect", "align", "liveness", "embed", "match"}
    box = face.detection.box
    assert box.x + box.width / 2 == pytest.approx(14.5 * toys.MARK, abs=3)
    assert box.y + box.height / 2 == pytest.approx(11.5 * toys.MARK, abs=3)


def test_does_not_name_a_stranger(toy_engine: Engine) -> None:
    (face,) = recognize(toy_engine, portrait((CAROL, 20, 10)), gallery(toy_engine, ALICE, BOB), Settings()).faces
    assert face.outcome is Outcome.STRANGER
    assert face.person_id is None


def test_several_faces_each_get_their_answer(toy_engine: Engine) -> None:
    picture = portrait((ALICE, 8, 10), (CAROL, 20, 10), (BOB, 32, 10))
    faces = recognize(toy_engine, picture, gallery(toy_engine, ALICE, BOB), Settings()).faces
    found = {round(face.detection.box.x / toys.MARK): face.person_id for face in faces}
    assert len(found) == 3
    assert [found[place] for place in sorted(found)] == ["p1", None, "p2"]


def test_nobody_is_no_face(toy_engine: Engine) -> None:
    assert recognize(toy_engine, portrait(), None, Settings()).faces == ()


def test_without_a_gallery_nobody_is_named(toy_engine: Engine) -> None:
    (face,) = recognize(toy_engine, portrait((ALICE, 20, 10)), None, SOFTWARE).faces
    assert face.outcome is Outcome.NOT_COMPARED
    assert face.vector is not None


def test_a_spoof_is_not_named(toy_engine: Engine) -> None:
    picture = portrait((ALICE, 20, 10), light=70)
    (face,) = recognize(toy_engine, picture, gallery(toy_engine, ALICE), Settings()).faces
    assert (face.outcome, face.person_id) == (Outcome.SPOOF, None)
    (face,) = recognize(toy_engine, picture, gallery(toy_engine, ALICE), SOFTWARE).faces
    assert (face.outcome, face.liveness.state) == (Outcome.RECOGNISED, FaceLiveness.NOT_CHECKED)


def test_infrared_names_but_proves_nobody_live(toy_engine: Engine) -> None:
    picture = portrait((ALICE, 20, 10), grey=True)
    known = Gallery.of({"p1": [_template(toy_engine, picture)]}, toy_engine.origin)
    (face,) = recognize(toy_engine, picture, known, Settings()).faces
    assert face.quality.infrared
    assert (face.outcome, face.liveness.state) == (Outcome.RECOGNISED, FaceLiveness.UNKNOWN)


def _template(engine: Engine, picture: bytes) -> Template:
    found = enrol(engine, [picture])[0].template
    assert found is not None
    return found


def test_a_face_that_fills_the_picture_cannot_be_proved_live(toy_engine: Engine) -> None:
    # The detector's box is 64 x 72 of its input: where that is 96 there is no room for wide crops.
    small = portrait((ALICE, 5, 5), size=(288, 288))
    result = recognize(toy_engine, small, None, Settings(detector_size=96))
    (face,) = result.faces
    assert face.liveness.state is FaceLiveness.UNKNOWN
    assert face.liveness.score is None


def test_a_face_too_far_away_gets_no_name(toy_engine: Engine) -> None:
    known = gallery(toy_engine, ALICE)
    picture = Picture(portrait((ALICE, 20, 10)))
    (found,) = toy_engine.detect(picture)
    landmarks = found.landmarks
    x, y = landmarks.right_eye
    near = replace(found, landmarks=replace(landmarks, left_eye=(x + 20, y)))
    far = replace(found, landmarks=replace(landmarks, left_eye=(x + 10, y)))
    watch = Stopwatch()
    (seen,) = toy_engine._look(picture, [near], known, SOFTWARE, watch)
    assert Flaw.EYES_TOO_CLOSE in seen.quality.flaws
    assert seen.candidates
    assert (seen.outcome, seen.person_id) == (Outcome.UNCERTAIN, None)
    (seen,) = toy_engine._look(picture, [far], known, SOFTWARE, watch)
    assert (seen.outcome, seen.candidates, seen.vector) == (Outcome.UNCERTAIN, (), None)


def test_similarity_moves_the_threshold(toy_engine: Engine) -> None:
    levels = {level: Settings(similarity=level).threshold for level in Similarity}
    assert levels == {Similarity.LOW: 70, Similarity.NORMAL: 80, Similarity.HIGH: 90}
    result = recognize(toy_engine, portrait((ALICE, 20, 10)), None, Settings(similarity=Similarity.HIGH))
    assert result.threshold == 90


def test_a_gallery_of_another_length_is_refused(toy_engine: Engine) -> None:
    foreign = Gallery(["a"], np.eye(1, 64, dtype=np.float32))
    with pytest.raises(GalleryError, match="128 numbers"):
        recognize(toy_engine, portrait((ALICE, 20, 10)), foreign, SOFTWARE)


def test_pictures_are_read_once_at_the_size_that_is_needed(toy_engine: Engine) -> None:
    picture = Picture(portrait((ALICE, 40, 20), size=(1920, 1080)))
    found = toy_engine.detect(picture)
    assert list(picture._images) == [2]
    assert len(found) == 0 or found[0].box.width > 0


def _nothing() -> bytes:
    """An embedder whose vectors have no direction."""
    network = toys.Network({"input": [1, 3, 112, 112]}, {"output": [1, 3]})
    network.add("GlobalAveragePool", ["input"], "mean")
    network.add("Flatten", ["mean"], "flat")
    network.add("MatMul", ["flat", network.constant("w", np.zeros((3, 3)))], "output")
    return network.data


def test_networks_come_and_go(toy_engine: Engine) -> None:
    assert not toy_engine.loaded
    toy_engine.load(Mode.ANTISPOOFING)
    assert toy_engine.loaded
    before = toy_engine.origin
    toy_engine.unload()
    assert not toy_engine.loaded
    assert toy_engine.origin == before
    assert before.embedder == "toy_embedder"
    assert toy_engine.unmeasured is None
    assert toy_engine.runtime == "numpy"


def test_liveness_that_is_missing_is_an_error_only_where_it_is_wanted(tmp_path: Path) -> None:
    folder = toys.install(tmp_path / "own")
    (folder / "toy_far.onnx").unlink()
    engine = Engine(ModelStore(tmp_path / "downloaded", folder), runtime="numpy")
    assert recognize(engine, portrait((ALICE, 20, 10)), None, SOFTWARE).faces
    with pytest.raises(ModelMissingError, match="toy_far"):
        recognize(engine, portrait((ALICE, 20, 10)), None, Settings())
    with pytest.raises(ModelMissingError, match="toy_far"):
        questions.check_liveness(engine, portrait((ALICE, 20, 10)), SOFTWARE)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("toy_detector", lambda: b"nonsense"),
        ("toy_detector", toys.liveness),
        ("toy_embedder", lambda: toys.liveness()[:-40]),
        ("toy_embedder", _nothing),
        ("toy_far", toys.embedder),
    ],
)
def test_networks_that_cannot_serve_are_named(name: str, make: Callable[[], bytes], tmp_path: Path) -> None:
    folder = toys.install(tmp_path / "own")
    (folder / f"{name}.onnx").write_bytes(make())
    engine = Engine(ModelStore(tmp_path / "downloaded", folder), runtime="numpy")
    with pytest.raises(ModelUnusableError) as caught:
        recognize(engine, portrait((ALICE, 20, 10)), None, Settings())
    assert caught.value.model == name


def test_a_network_with_two_inputs_is_refused(tmp_path: Path) -> None:
    folder = toys.install(tmp_path / "own")
    network = toys.Network({"a": [1, 3, 8, 8], "b": [1, 3, 8, 8]}, {"y": [1, 3, 8, 8]})
    network.add("Add", ["a", "b"], "y")
    (folder / "toy_embedder.onnx").write_bytes(network.data)
    with pytest.raises(ModelUnusableError, match="several inputs"):
        Engine(ModelStore(tmp_path / "downloaded", folder), runtime="numpy").load(Mode.SOFTWARE)


def test_inputs_are_prepared_as_described() -> None:
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    wanted = ModelInput(size=None, color="BGR", scale=0.5, mean=(1, 2, 3), std=(2, 4, 8))
    found = prepare(pixels, wanted)
    assert found.shape == (1, 3, 2, 2)
    assert found[0, 0, 0, 1] == pytest.approx((5 * 0.5 - 1) / 2)
    assert found[0, 2, 1, 1] == pytest.approx((9 * 0.5 - 3) / 8)


def test_measures_the_machine(toy_engine: Engine, toy_folder: Path, tmp_path: Path) -> None:
    assert 0 < toy_engine.benchmark(Mode.SOFTWARE) < toy_engine.benchmark(Mode.ANTISPOOFING) + 10
    folder = toys.install(tmp_path / "own")
    (folder / "toy_far.onnx").write_bytes(toys.embedder())
    with pytest.raises(ModelUnusableError, match="toy_far"):
        Engine(ModelStore(tmp_path / "downloaded", folder), runtime="numpy").benchmark(Mode.ANTISPOOFING)


# --- comparing ------------------------------------------------------------------------------------------------------


def test_the_same_person_twice(toy_engine: Engine) -> None:
    result = questions.compare(toy_engine, portrait((ALICE, 14, 10)), portrait((ALICE, 25, 11)))
    assert result.result is CompareResult.SAME
    assert result.score == 100
    document = result.document(reference="0002", channel="WEB", now=datetime(2024, 5, 1, 12, 12, 6, 90098, UTC))
    assert document["compare_result"] == "Same person"
    assert document["compare_similarity"] == 1.0
    assert document["created"] == "2024-05-01T12:12:06.090098"
    assert (document["reference"], document["channel"]) == ("0002", "WEB")
    assert json.loads(json.dumps(document)) == document


def test_the_document_has_the_fields_of_the_service(toy_engine: Engine) -> None:
    document = questions.compare(toy_engine, portrait((ALICE, 14, 10)), portrait((BOB, 25, 11))).document()
    assert document.keys() == {
        "channel",
        "compare_result",
        "compare_similarity",
        "created",
        "face1",
        "face2",
        "id",
        "reference",
    }
    for face in (document["face1"], document["face2"]):
        computed = {"eye_dist", "face_luminance", "face_quality", "pitch", "roll", "x1", "x2", "y1", "y2", "yaw"}
        unknown = {"face_occlusion", "landmark_68", "left_eye_closed", "right_eye_closed", "mouth_opened"}
        assert {name for name, value in face.items() if value is not None} == computed
        assert {name for name, value in face.items() if value is None} == unknown
        assert face["x1"] < face["x2"]
    assert document["compare_result"] == "Different person"


def test_flawed_faces_are_never_the_same(toy_engine: Engine) -> None:
    strict = replace(SOFTWARE, gates=replace(SOFTWARE.gates, sharpness=1e9))
    result = questions.compare(toy_engine, portrait((ALICE, 14, 10)), portrait((ALICE, 25, 11)), strict)
    assert result.result is CompareResult.UNCERTAIN
    assert result.score == 100


def test_pictures_without_a_face_are_named(toy_engine: Engine) -> None:
    with pytest.raises(NoFaceError) as caught:
        questions.compare(toy_engine, portrait((ALICE, 14, 10)), portrait())
    assert caught.value.picture == 2
    with pytest.raises(PictureError):
        questions.compare(toy_engine, b"nonsense", portrait())


def test_liveness_of_a_picture(toy_engine: Engine) -> None:
    (live,) = questions.check_liveness(toy_engine, portrait((ALICE, 20, 10)), SOFTWARE).faces
    (spoof,) = questions.check_liveness(toy_engine, portrait((ALICE, 20, 10), light=60), SOFTWARE).faces
    assert (live.liveness.state, spoof.liveness.state) == (FaceLiveness.LIVE, FaceLiveness.SPOOF)


# --- enrolling ------------------------------------------------------------------------------------------------------


def test_enrols_good_pictures_and_says_why_not_others(toy_engine: Engine) -> None:
    pictures = [
        portrait((ALICE, 20, 10)),
        portrait((ALICE, 20, 10)),
        portrait((BOB, 20, 10)),
        portrait(),
        portrait((ALICE, 10, 10), (BOB, 30, 10)),
        portrait((ALICE, 20, 10), light=245),
        b"no picture",
    ]
    found = enrol(toy_engine, pictures)
    assert [one.refusal for one in found] == [
        None,
        Refusal.NOTHING_NEW,
        Refusal.UNLIKE_THE_OTHERS,
        Refusal.NO_FACE,
        Refusal.SEVERAL_FACES,
        Refusal.LOW_QUALITY,
        Refusal.UNREADABLE,
    ]
    assert [one.code for one in found] == [
        None,
        None,
        PhotoCode.FACE_UNLIKE_OTHERS,
        PhotoCode.FACE_NOT_FOUND,
        PhotoCode.TOO_MANY_FACES,
        PhotoCode.FACE_TOO_BRIGHT,
        PhotoCode.PHOTO_UNREADABLE,
    ]
    assert found[0].template is not None
    assert found[0].template.origin == toy_engine.origin
    assert np.linalg.norm(found[0].template.vector) == pytest.approx(1)
    assert Flaw.TOO_BRIGHT in found[5].flaws


def test_templates_of_another_model_do_not_count_as_known(toy_engine: Engine) -> None:
    old = Template(
        vector=_template(toy_engine, portrait((BOB, 20, 10))).vector,
        origin=replace(toy_engine.origin, embedder_sha256="old"),
        quality=1,
    )
    assert enrol(toy_engine, [portrait((ALICE, 20, 10))], known=[old])[0].template is not None


def test_warns_of_somebody_who_looks_the_same(toy_engine: Engine) -> None:
    known = gallery(toy_engine, ALICE)
    (found,) = enrol(toy_engine, [portrait((ALICE, 25, 11))], gallery=known, person_id="p7")
    assert found.template is not None
    assert found.resembles is not None
    assert found.resembles.person_id == "p1"
    assert enrol(toy_engine, [portrait((ALICE, 25, 11))], gallery=known, person_id="p1")[0].resembles is None


def test_the_photo_that_is_odd_is_left_out_wherever_it_stands(toy_engine: Engine) -> None:
    pictures = [portrait((BOB, 20, 10)), portrait((ALICE, 20, 10)), portrait((ALICE, 25, 11))]
    odd, *others = enrol(toy_engine, pictures)
    assert odd.refusal is Refusal.UNLIKE_THE_OTHERS
    assert all(one.template is not None for one in others[:1])
    # Unless it is what was known before.
    bob = _template(toy_engine, portrait((BOB, 20, 10)))
    found = enrol(toy_engine, pictures[1:], known=[bob])
    assert [one.refusal for one in found] == [Refusal.UNLIKE_THE_OTHERS] * 2


def test_a_strict_look_at_a_photo(toy_engine: Engine) -> None:
    good = portrait((ALICE, 20, 10))
    assert examine(toy_engine, good, live=True) == ()
    assert examine(toy_engine, portrait((ALICE, 20, 10), light=60), live=True) == (PhotoCode.FACE_NOT_LIVE,)
    assert examine(toy_engine, portrait((ALICE, 20, 10), light=60)) == ()
    assert examine(toy_engine, portrait((ALICE, 20, 10), grey=True), live=True) == (PhotoCode.FACE_WITHOUT_COLOR,)
    assert examine(toy_engine, portrait(), live=True) == (PhotoCode.FACE_NOT_FOUND,)
    assert examine(toy_engine, portrait((ALICE, 10, 10), (BOB, 30, 10))) == (PhotoCode.TOO_MANY_FACES,)
    assert examine(toy_engine, b"no picture") == (PhotoCode.PHOTO_UNREADABLE,)
    # The toy's box is 8 marks wide and 9 high around the middle of its mark.
    assert PhotoCode.FACE_CROPPED in examine(toy_engine, portrait((ALICE, 1, 10)))
    assert examine(toy_engine, portrait((ALICE, 20, 4))) == (PhotoCode.FACE_CLOSE_TO_BORDER,)
    filled = portrait((ALICE, 20, 8), size=(960, 430))
    assert examine(toy_engine, filled, live=True) == (PhotoCode.FACE_TOO_CLOSE,)


def test_who_is_like_a_photo(toy_engine: Engine) -> None:
    known = gallery(toy_engine, ALICE, BOB)
    found = resembling(toy_engine, portrait((ALICE, 25, 11)), known, None)
    assert (found.person_id, found.score > 80) == ("p1", True)
    found = resembling(toy_engine, portrait((ALICE, 25, 11)), known, "p1")
    assert (found.person_id, found.score < 80) == ("p2", True)
    assert resembling(toy_engine, portrait(), known, None) is PhotoCode.FACE_NOT_FOUND
    assert resembling(toy_engine, portrait((ALICE, 20, 10)), gallery(toy_engine, ALICE), "p1") is None


def test_templates_of_other_models_are_not_compared(toy_engine: Engine) -> None:
    known = gallery(toy_engine, ALICE)
    known.origin = replace(known.origin, embedder_sha256="old")
    with pytest.raises(GalleryError):
        recognize(toy_engine, portrait((ALICE, 20, 10)), known, SOFTWARE)


def test_reports_how_well_it_would_work(toy_engine: Engine) -> None:
    known = gallery(toy_engine, ALICE, BOB)
    pictures = [portrait((ALICE, 20, 10)), portrait((BOB, 20, 10), light=60), portrait()]
    found = questions.report(toy_engine, pictures, known, Settings())
    assert (found.pictures, found.faces) == (3, 2)
    assert found.liveness == {FaceLiveness.LIVE: 1, FaceLiveness.SPOOF: 1}
    assert found.eye_distance == pytest.approx(4.4 * toys.MARK, rel=0.05)
    assert found.seconds is not None
    assert found.confusable == ()
    assert found.closest is not None
    assert found.closest.cosine < 0.4
    twins = Gallery.of(
        {name: [_template(toy_engine, portrait((ALICE, 20, 10)))] for name in ("one", "two")}, toy_engine.origin
    )
    (pair,) = questions.report(toy_engine, [portrait()], twins, Settings()).confusable
    assert (pair.first, pair.second) == ("one", "two")
    assert questions.report(toy_engine, [portrait()], None, Settings()).eye_distance is None

"""Boxes, quality, liveness, scores, galleries and votes: arithmetic that opens doors, so every edge of it is held."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
import json
import math

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from custom_components.face_access.access import (
    DoorMode,
    DoorPolicy,
    Liveness,
    Person,
    Reason,
    Role,
    Similarity,
    decide,
)
from custom_components.face_access.access.naming import SightingKind, kind_of
from custom_components.face_access.recognition import detect, liveness, quality
from custom_components.face_access.recognition.engine import MINIMUM_MARGIN, Mode, Settings, judge
from custom_components.face_access.recognition.errors import GalleryError, GraphError
from custom_components.face_access.recognition.gallery import (
    Gallery,
    Origin,
    Template,
    centroid,
    normalise,
    odd_ones_out,
    repeats,
)
from custom_components.face_access.recognition.pace import DOUBTED, Rule
from custom_components.face_access.recognition.results import (
    NOT_CHECKED,
    Box,
    Candidate,
    Detection,
    Face,
    FaceLiveness,
    Flaw,
    Landmarks,
    LivenessCheck,
    Outcome,
    Quality,
    Recognition,
)
from custom_components.face_access.recognition.score import RATES, THRESHOLDS, Scale
from custom_components.face_access.recognition.sighting import sighting
from custom_components.face_access.recognition.vote import Tracker, Vote

COSINES = dict(zip(RATES, (0.15, 0.26, 0.34, 0.40, 0.46, 0.51, 0.60), strict=True))
SCALE = Scale(COSINES)
RNG = np.random.default_rng(5)


# --- detector -------------------------------------------------------------------------------------------------------


def outputs(height: int, width: int) -> dict[str, np.ndarray]:
    found = {}
    for stride in detect.STRIDES:
        cells = (height // stride) * (width // stride)
        for name, size in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
            found[f"{name}_{stride}"] = np.zeros((1, cells, size), np.float32)
    return found


def test_decodes_a_face_as_documented() -> None:
    found = outputs(64, 96)
    cell = 2 * 12 + 5  # third line, sixth column of stride 8
    found["cls_8"][0, cell], found["obj_8"][0, cell] = 0.81, 1.2
    found["bbox_8"][0, cell] = (0.5, -0.25, math.log(3), math.log(2))
    found["kps_8"][0, cell] = range(10)
    (face,) = detect.decode(found, 64, 96, 0.5)
    assert face.score == pytest.approx(0.9)
    # Twice as large in the picture as in the input.
    box = face.box
    assert (box.x, box.y, box.width, box.height) == pytest.approx((2 * (44 - 12), 2 * (14 - 8), 48, 32), abs=1e-3)
    assert face.landmarks.right_eye == pytest.approx((2 * 8 * 5, 2 * 8 * 3))
    assert face.landmarks.mouth_left == pytest.approx((2 * 8 * 13, 2 * 8 * 11))


def test_overlapping_faces_are_one() -> None:
    found = outputs(64, 64)
    for cell, score in ((9, 0.7), (10, 0.9), (30, 0.8)):
        found["cls_8"][0, cell] = found["obj_8"][0, cell] = score
        found["bbox_8"][0, cell] = (0, 0, math.log(4), math.log(4))
    assert [round(face.score, 2) for face in detect.decode(found, 64, 64, 1)] == [0.9, 0.8]


def test_unsure_and_senseless_faces_are_none() -> None:
    found = outputs(64, 64)
    found["cls_8"][0, 0], found["obj_8"][0, 0] = 0.5, 0.5
    found["cls_16"][0, 0] = found["obj_16"][0, 0] = 0.9
    found["bbox_16"][0, 0] = (np.nan, 0, 1, 1)
    found["cls_32"][0, 0] = found["obj_32"][0, 0] = 0.9
    found["kps_32"][0, 0, 3] = np.inf
    # Both below zero: their product alone would look sure.
    found["cls_8"][0, 20] = found["obj_8"][0, 20] = -0.9
    assert detect.decode(found, 64, 64, 1) == []


def test_other_outputs_are_refused() -> None:
    with pytest.raises(GraphError, match="cls_8"):
        detect.decode({}, 64, 64, 1)
    with pytest.raises(GraphError, match="cls_8"):
        detect.decode(outputs(32, 32), 64, 64, 1)


# --- quality --------------------------------------------------------------------------------------------------------

STRAIGHT = Landmarks(
    right_eye=(38.3, 51.7), left_eye=(73.5, 51.5), nose=(56.0, 71.7), mouth_right=(41.5, 92.4), mouth_left=(70.7, 92.2)
)


def moved(points: Landmarks, scale: float, x: float, y: float, degrees: float = 0) -> Landmarks:
    turn = scale * complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    turned = [complex(*point) * turn + complex(x, y) for point in points.points.tolist()]
    right, left, nose, mouth_right, mouth_left = [(point.real, point.imag) for point in turned]
    return Landmarks(right_eye=right, left_eye=left, nose=nose, mouth_right=mouth_right, mouth_left=mouth_left)


def detection(scale: float = 3, score: float = 0.9, **changes: object) -> Detection:
    box = Box(x=100, y=100, width=100 * scale, height=130 * scale)
    return replace(Detection(box=box, landmarks=moved(STRAIGHT, scale, 100, 100), score=score), **changes)  # type: ignore[arg-type]


def pixels(light: float = 110, contrast: float = 30, colour: float = 20) -> np.ndarray:
    noise = RNG.normal(light, contrast, (112, 112, 1)) + np.array([colour, 0, -colour])
    return noise.clip(0, 255).astype(np.uint8)


def flaws(found: Detection, face: np.ndarray, gates: quality.Gates = quality.PROBE) -> tuple[Flaw, ...]:
    return quality.measure(found, (1280, 720), face, gates).flaws


def test_a_good_face_has_no_flaw() -> None:
    measured = quality.measure(detection(), (1280, 720), pixels())
    assert measured.flaws == ()
    assert measured.eye_distance == pytest.approx(35.2 * 3, rel=0.01)
    assert measured.face_height == pytest.approx(390 / 720)
    assert abs(measured.yaw) < 3
    assert abs(measured.pitch) < 3
    assert abs(measured.roll) < 1
    assert not measured.infrared
    assert measured.score == 1


@pytest.mark.parametrize(
    ("found", "face", "flaw"),
    [
        (detection(score=0.65), pixels(), Flaw.NOT_CLEARLY_A_FACE),
        (detection(box=Box(x=100, y=100, width=30, height=35)), pixels(), Flaw.FACE_TOO_SMALL),
        (detection(landmarks=moved(STRAIGHT, 0.6, 100, 100)), pixels(), Flaw.EYES_TOO_CLOSE),
        (detection(box=Box(x=-25, y=100, width=300, height=390)), pixels(), Flaw.CUT_OFF),
        (detection(box=Box(x=1000, y=400, width=200, height=390)), pixels(), Flaw.CUT_OFF),
        (detection(landmarks=moved(replace(STRAIGHT, nose=(76, 71)), 3, 100, 100)), pixels(), Flaw.TURNED_AWAY),
        (detection(landmarks=moved(STRAIGHT, 3, 300, 100, 40)), pixels(), Flaw.TILTED),
        (detection(), pixels(contrast=0), Flaw.BLURRED),
        (detection(), pixels(light=15, contrast=8), Flaw.TOO_DARK),
        (detection(), pixels(light=225), Flaw.TOO_BRIGHT),
    ],
)
def test_flaws(found: Detection, face: np.ndarray, flaw: Flaw) -> None:
    assert flaws(found, face) == (flaw,)


def test_enrolment_asks_for_more() -> None:
    far = detection(scale=1.2)
    assert flaws(far, pixels()) == ()
    assert flaws(far, pixels(), quality.ENROLMENT) == (Flaw.EYES_TOO_CLOSE,)


def test_pose_has_a_direction() -> None:
    right = quality.pose(replace(STRAIGHT, nose=(64, 71.7)))
    left = quality.pose(replace(STRAIGHT, nose=(48, 71.7)))
    assert right[0] == pytest.approx(-left[0], abs=2)
    assert -30 < right[0] < -15
    assert quality.pose(replace(STRAIGHT, nose=(56, 80)))[1] > 10
    assert quality.pose(moved(STRAIGHT, 2, 0, 0, 20))[2] == pytest.approx(20, abs=1)


def test_pose_of_the_vendor_document() -> None:
    """Two faces of the face scan service: roll within 3 degrees, yaw of the same sign and size."""
    first = Landmarks(
        right_eye=(200.1, 192.5),
        left_eye=(246.4, 171.3),
        nose=(247.6, 204.8),
        mouth_right=(224.4, 242.4),
        mouth_left=(263.2, 223),
    )
    yaw, _, roll = quality.pose(first)
    assert roll == pytest.approx(-23.1, abs=3)
    assert yaw == pytest.approx(-25.8, abs=10)


def test_pose_from_the_side_is_no_error() -> None:
    assert quality.pose(replace(STRAIGHT, left_eye=STRAIGHT.right_eye))[0] == 90
    flat = Landmarks(right_eye=(0, 0), left_eye=(10, 0), nose=(5, 0), mouth_right=(0, 0), mouth_left=(10, 0))
    assert quality.pose(flat)[1] == 0


def test_infrared_has_no_colour() -> None:
    assert quality.measure(detection(), (1280, 720), pixels(colour=0)).infrared


def painted(lines: slice, columns: slice, colour: tuple[int, int, int]) -> np.ndarray:
    face = pixels(colour=25)
    face[lines, columns] = colour
    return face


@pytest.mark.parametrize("colour", [(228, 228, 230), (150, 190, 215), (25, 25, 28), (120, 120, 125), (120, 170, 140)])
def test_masks_cover_a_face(colour: tuple[int, int, int]) -> None:
    assert flaws(detection(), painted(slice(72, 112), slice(20, 92), colour)) == (Flaw.COVERED,)


def test_dark_glasses_cover_a_face() -> None:
    assert flaws(detection(), painted(slice(42, 60), slice(20, 50), (16, 14, 12))) == ()
    both = painted(slice(42, 60), slice(20, 50), (16, 14, 12))
    both[42:60, 62:92] = (16, 14, 12)
    assert flaws(detection(), both) == (Flaw.COVERED,)


def test_without_colour_nothing_is_said_of_masks() -> None:
    face = pixels(colour=0)
    face[72:112, 20:92] = 200
    assert not quality.covered(face)


# --- liveness -------------------------------------------------------------------------------------------------------


@hypothesis.given(
    st.floats(-50, 700), st.floats(-50, 500), st.floats(1, 800), st.floats(1, 800), st.sampled_from([1.0, 2.7, 4.0])
)
def test_crops_stay_inside(x: float, y: float, width: float, height: float, scale: float) -> None:
    left, top, right, bottom = liveness.region(Box(x=x, y=y, width=width, height=height), scale, (640, 480))
    assert 0 <= left <= right <= 640
    assert 0 <= top <= bottom <= 480


def test_crop_is_that_of_the_training() -> None:
    assert liveness.region(Box(x=300, y=200, width=40, height=50), 2.0, (640, 480)) == (280, 175, 361, 276)
    # Held inside by moving, and by a smaller scale where it does not fit at all.
    assert liveness.region(Box(x=10, y=200, width=40, height=50), 2.0, (640, 480)) == (0, 175, 81, 276)
    assert liveness.region(Box(x=600, y=420, width=40, height=50), 2.0, (640, 480)) == (559, 379, 640, 480)
    assert liveness.scale_within(Box(x=0, y=0, width=320, height=100), 4.0, (640, 480)) == pytest.approx(639 / 320)
    assert liveness.scale_within(Box(x=0, y=0, width=0, height=100), 4.0, (640, 480)) == 0


def test_probability_of_logits_and_of_probabilities() -> None:
    assert liveness.probability(np.array([[0.1, 0.7, 0.2]], np.float32)) == pytest.approx(0.7)
    assert liveness.probability(np.array([[1, 3, -2]], np.float32)) == pytest.approx(0.875, abs=0.01)
    assert liveness.probability(np.array([[np.nan, 1, 1]], np.float32)) == 0
    assert liveness.probability(np.array([[1]], np.float32)) == 0


@pytest.mark.parametrize(
    ("first", "second", "similarity", "state"),
    [
        (0.99, 0.95, Similarity.NORMAL, FaceLiveness.LIVE),
        (0.99, 0.95, Similarity.HIGH, FaceLiveness.LIVE),
        (0.99, 0.80, Similarity.HIGH, FaceLiveness.UNKNOWN),
        (0.99, 0.80, Similarity.NORMAL, FaceLiveness.LIVE),
        (0.70, 0.60, Similarity.NORMAL, FaceLiveness.UNKNOWN),
        (0.70, 0.60, Similarity.LOW, FaceLiveness.LIVE),
        # One of the two says spoof: never live, however sure the other is.
        (1.00, 0.49, Similarity.LOW, FaceLiveness.UNKNOWN),
        (0.006, 0.611, Similarity.LOW, FaceLiveness.SPOOF),
        (0.001, 0.001, Similarity.HIGH, FaceLiveness.SPOOF),
    ],
)
def test_both_models_must_agree(first: float, second: float, similarity: Similarity, state: FaceLiveness) -> None:
    assert liveness.judge({"a": first, "b": second}, similarity).state is state


# --- scores ---------------------------------------------------------------------------------------------------------


def test_levels_are_false_match_rates() -> None:
    assert [SCALE.score(COSINES[rate]) for rate in RATES] == pytest.approx([30, 50, 70, 80, 90, 95, 100])
    assert [SCALE.cosine(THRESHOLDS[level]) for level in Similarity] == pytest.approx([0.34, 0.40, 0.46])


def test_scores_at_the_ends() -> None:
    assert [SCALE.score(cosine) for cosine in (-1, 0, 1, 7, math.nan)] == [0, 0, 100, 100, 0]
    assert SCALE.cosine(100) == 0.60
    assert SCALE.cosine(0) == 0


@hypothesis.given(st.floats(-1, 1), st.floats(-1, 1))
def test_more_alike_is_never_less(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= SCALE.score(low) <= SCALE.score(high) <= 100


@hypothesis.given(st.floats(0, 100))
def test_scores_and_cosines_are_two_ways(score: float) -> None:
    assert SCALE.score(SCALE.cosine(score)) == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize("changes", [{"1e-3": 0.2}, {"1e-8": 1.5}, {"1e-1": 0.0}])
def test_scales_must_rise(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="rise"):
        Scale({**COSINES, **changes})
    with pytest.raises(ValueError, match="rise"):
        Scale({})


# --- gallery --------------------------------------------------------------------------------------------------------

ORIGIN = Origin(embedder="e", embedder_sha256="1", detector="d", detector_sha256="2")


def unit(size: int = 8) -> np.ndarray:
    return normalise(RNG.standard_normal(size))


def template(vector: np.ndarray, origin: Origin = ORIGIN) -> Template:
    return Template(vector=vector, origin=origin, quality=1)


def near(vector: np.ndarray, cosine: float) -> np.ndarray:
    side = RNG.standard_normal(len(vector))
    side = normalise(side - side @ vector * vector)
    return normalise(cosine * vector + math.sqrt(1 - cosine**2) * side)


@pytest.mark.parametrize("count", [50, 300, 5000])
def test_matches_the_nearest_people_in_order(count: int) -> None:
    people = {f"p{index}": [template(unit(64))] for index in range(count)}
    gallery = Gallery.of(people, ORIGIN)
    probe = near(people["p42"][0].vector, 0.8)
    found = gallery.match(probe, SCALE, limit=4)
    expected = sorted(((float(one[0].vector @ probe), name) for name, one in people.items()), reverse=True)[:4]
    assert [one.person_id for one in found] == [name for _, name in expected]
    assert found[0].person_id == "p42"
    assert found[0].cosine == pytest.approx(0.8, abs=1e-4)
    assert found[0].score == 100


def test_a_gallery_of_nobody_and_of_few() -> None:
    assert Gallery.of({}, ORIGIN).match(unit(), SCALE) == ()
    assert len(Gallery.of({"a": []}, ORIGIN)) == 0
    assert len(Gallery.of({"a": [template(unit())]}, ORIGIN).match(unit(), SCALE)) == 1
    assert Gallery.of({"a": [template(unit())]}, ORIGIN).confusable(0.1) == []


def test_several_templates_are_one_person() -> None:
    centre = unit(64)
    gallery = Gallery.of({"a": [template(near(centre, 0.7)) for _ in range(5)]}, ORIGIN)
    (found,) = gallery.match(centre, SCALE)
    assert found.cosine > 0.8


def test_templates_of_other_models_are_left_out_and_named() -> None:
    other = replace(ORIGIN, detector_sha256="3")
    vector = unit()
    people = {"a": [template(vector)], "b": [template(unit(), other)], "c": [template(vector), template(unit(), other)]}
    gallery = Gallery.of(people, ORIGIN)
    assert gallery.people == ("a", "c")
    assert gallery.outdated == {"b", "c"}


def test_templates_that_do_not_fit_are_errors() -> None:
    with pytest.raises(GalleryError, match="different lengths"):
        Gallery.of({"a": [template(unit(8))], "b": [template(unit(9))]}, ORIGIN)
    with pytest.raises(GalleryError, match="do not fit"):
        Gallery(["a"], np.zeros((2, 8), np.float32))
    with pytest.raises(GalleryError, match="do not fit"):
        Gallery(["a"], np.full((1, 8), np.nan, np.float32))
    with pytest.raises(GalleryError, match="9 numbers"):
        Gallery.of({"a": [template(unit(8))]}, ORIGIN).match(unit(9), SCALE)
    for nothing in (np.zeros(8), np.full(8, np.nan), np.full(8, np.inf)):
        with pytest.raises(GalleryError, match="not finite"):
            normalise(nothing)


def test_confusable_people_are_found() -> None:
    one = unit(64)
    gallery = Gallery.of(
        {"a": [template(one)], "b": [template(near(one, 0.5))], "c": [template(near(one, 0.9))]}, ORIGIN
    )
    pairs = gallery.confusable(0.48)
    assert (pairs[0].first, pairs[0].second) == ("a", "c")
    assert pairs[0].cosine == pytest.approx(0.9, abs=1e-4)
    assert ("a", "b") in [(pair.first, pair.second) for pair in pairs]


def test_samples_that_belong_to_nobody_else() -> None:
    one, other = unit(64), unit(64)
    assert odd_ones_out([]) == odd_ones_out([one]) == frozenset()
    assert odd_ones_out([one, near(one, 0.8)]) == frozenset()
    # Of two that differ, the first is right: it is the one that is preferred.
    assert odd_ones_out([one, near(one, 0.2)]) == {1}
    assert odd_ones_out([other, one, near(one, 0.8), near(one, 0.7)]) == {0}
    assert odd_ones_out([one, other, one, other]) == {1, 3}
    assert odd_ones_out([other, one, near(one, 0.8)], trusted=1) == {1, 2}


def test_pairs_among_many_people() -> None:
    """More than are compared at a time."""
    people = normed(np.random.default_rng(3).standard_normal((1100, 32)))
    gallery = Gallery([str(index) for index in range(len(people))], people.astype(np.float32))
    likeness = np.triu(people @ people.T, 1)
    expected = {(str(one), str(other)) for one, other in np.argwhere(likeness >= 0.6)}
    found = gallery.confusable(0.6)
    assert {(pair.first, pair.second) for pair in found} == expected
    assert gallery.closest() == found[0]
    assert [pair.cosine for pair in found] == sorted((pair.cosine for pair in found), reverse=True)
    assert Gallery(["one"], people[:1].astype(np.float32)).closest() is None


def normed(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_samples_are_compared_with_what_is_known() -> None:
    one = unit(64)
    known = [template(one)]
    assert repeats(near(one, 0.97), known)
    assert not repeats(near(one, 0.9), known)
    assert float(centroid([*known, template(near(one, 0.5))]) @ one) > 0.8


def test_templates_are_stored_and_read_again() -> None:
    one = template(unit(128))
    stored = json.loads(json.dumps(one.pack()))
    again = Template.unpack(stored)
    assert np.array_equal(again.vector, one.vector)
    assert (again.origin, again.quality) == (one.origin, one.quality)


@pytest.mark.parametrize(
    "changes",
    [
        {"vector": "!"},
        {"vector": ""},
        {"vector": "AAAA"},
        {"vector": "AAAAAAAA" * 20},
        {"vector": 7},
        {"origin": {}},
        {"origin": None},
        {"quality": "good"},
    ],
)
def test_damaged_templates_are_errors_that_show_nothing(changes: dict[str, object]) -> None:
    stored = template(unit(128)).pack()
    with pytest.raises(GalleryError) as caught:
        Template.unpack({**stored, **changes})
    assert stored["vector"][:8] not in str(caught.value)
    with pytest.raises(GalleryError):
        Template.unpack(None)


def test_templates_show_nothing() -> None:
    vector = unit()
    assert str(float(vector[0]))[:6] not in repr(template(vector))
    assert "vector" not in repr(template(vector))


# --- what came of a face --------------------------------------------------------------------------------------------

GOOD = Quality(
    eye_distance=60, face_height=0.3, sharpness=500, luminance=110, yaw=0, pitch=0, roll=0, infrared=False, score=0.9
)
LIVE = LivenessCheck(state=FaceLiveness.LIVE, score=0.99)
SPOOF = LivenessCheck(state=FaceLiveness.SPOOF, score=0.01)
UNKNOWN = LivenessCheck(state=FaceLiveness.UNKNOWN)


def candidates(*cosines: float) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(person_id=f"p{index}", cosine=cosine, score=SCALE.score(cosine))
        for index, cosine in enumerate(cosines)
    )


def face(*cosines: float, **changes: object) -> Face:
    plain = Face(
        detection=detection(),
        quality=GOOD,
        liveness=LIVE,
        outcome=Outcome.NOT_COMPARED,
        candidates=candidates(*cosines),
        vector=unit(),
    )
    return judge(replace(plain, **changes), THRESHOLDS[Similarity.NORMAL])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seen", "outcome"),
    [
        (face(0.7, 0.1), Outcome.RECOGNISED),
        (face(0.41), Outcome.RECOGNISED),
        (face(0.39, 0.1), Outcome.UNCERTAIN),
        (face(0.2, 0.1), Outcome.STRANGER),
        (face(0.6, 0.6 - MINIMUM_MARGIN + 0.01), Outcome.AMBIGUOUS),
        (face(0.6, 0.6 - MINIMUM_MARGIN - 0.01), Outcome.RECOGNISED),
        (face(), Outcome.NOT_COMPARED),
        (face(0.7, quality=replace(GOOD, flaws=(Flaw.BLURRED,))), Outcome.UNCERTAIN),
        (face(0.7, vector=None), Outcome.UNCERTAIN),
        (face(0.7, liveness=SPOOF), Outcome.SPOOF),
        (face(0.7, liveness=UNKNOWN), Outcome.RECOGNISED),
    ],
)
def test_outcome(seen: Face, outcome: Outcome) -> None:
    assert seen.outcome is outcome
    assert (seen.person_id is not None) == (outcome is Outcome.RECOGNISED)
    assert (seen.score is not None) == (outcome is Outcome.RECOGNISED)


def test_results_as_plain_data_have_no_vector() -> None:
    shown = Recognition(
        width=1280, height=720, faces=(face(0.7, 0.1),), threshold=80, seconds={"detect": 0.01}
    ).as_dict()
    (one,) = shown["faces"]
    assert one["person_id"] == "p0"
    assert one["candidates"][1] == {"person_id": "p1", "cosine": 0.1, "score": 20.0}
    assert "vector" not in one
    assert "vector" not in repr(face(0.7))


# --- votes ----------------------------------------------------------------------------------------------------------


def frame(*faces: Face) -> Recognition:
    return Recognition(width=1280, height=720, faces=faces, threshold=80)


def at(seen: Face, x: float) -> Face:
    box = replace(seen.detection.box, x=x)
    return replace(seen, detection=replace(seen.detection, box=box))


KNOWN, STRANGER, UNSURE = face(0.7, 0.1), face(0.1), face(0.3)


def votes(*frames: tuple[Face, ...], step: float = 0.2, rule: Rule | None = None) -> list[Vote]:
    tracker = Tracker(rule or Rule())
    return [vote for index, faces in enumerate(frames) for vote in tracker.observe(frame(*faces), index * step)]


def test_two_frames_of_five_name_somebody_once() -> None:
    assert votes((KNOWN,)) == []
    found = votes((KNOWN,), (UNSURE,), (UNSURE,), (KNOWN,), (KNOWN,), (KNOWN,))
    assert [(vote.outcome, vote.person_id, vote.liveness) for vote in found] == [
        (Outcome.RECOGNISED, "p0", FaceLiveness.LIVE)
    ]
    assert found[0].score == KNOWN.score
    assert found[0].frames == 2


def test_old_frames_do_not_count() -> None:
    assert votes((KNOWN,), (KNOWN,), step=3.5)[0].outcome is Outcome.UNCERTAIN
    assert (
        votes((KNOWN,), (UNSURE,), (UNSURE,), (UNSURE,), (UNSURE,), (KNOWN,), step=0.1)[-1].outcome is Outcome.UNCERTAIN
    )


def test_strangers_need_three_frames_and_may_turn_out_to_be_known() -> None:
    assert votes((STRANGER,), (STRANGER,)) == []
    found = votes((STRANGER,), (STRANGER,), (STRANGER,), (KNOWN,), (KNOWN,))
    assert [vote.outcome for vote in found] == [Outcome.STRANGER, Outcome.RECOGNISED]


def test_nobody_to_compare_with_is_reported_as_such() -> None:
    nobody = face()
    assert votes((nobody,), (nobody,), (nobody,))[0].outcome is Outcome.NOT_COMPARED


def test_liveness_may_come_later() -> None:
    unsure = face(0.7, 0.1, liveness=UNKNOWN)
    found = votes((unsure,), (unsure,), (KNOWN,), (KNOWN,))
    assert [vote.liveness for vote in found] == [FaceLiveness.UNKNOWN, FaceLiveness.LIVE]


def test_liveness_that_nobody_checked() -> None:
    unchecked = face(0.7, liveness=NOT_CHECKED)
    assert votes((unchecked,), (unchecked,))[0].liveness is FaceLiveness.NOT_CHECKED


def test_a_spoof_stays_one() -> None:
    spoof = face(0.7, 0.1, liveness=SPOOF)
    found = votes((spoof,), (spoof,), *[(KNOWN,)] * 8)
    assert [(vote.outcome, vote.liveness, vote.person_id) for vote in found] == [
        (Outcome.SPOOF, FaceLiveness.SPOOF, None)
    ]


def test_a_known_face_that_becomes_a_spoof_is_reported() -> None:
    spoof = face(0.7, 0.1, liveness=SPOOF)
    assert [vote.outcome for vote in votes((KNOWN,), (KNOWN,), (spoof,), (spoof,))] == [
        Outcome.RECOGNISED,
        Outcome.SPOOF,
    ]


def test_a_single_doubt_holds_liveness_back() -> None:
    spoof = face(0.7, 0.1, liveness=SPOOF)
    found = votes((spoof,), (KNOWN,), (KNOWN,), (KNOWN,), (KNOWN,), (KNOWN,), (KNOWN,))
    assert [vote.liveness for vote in found] == [FaceLiveness.UNKNOWN, FaceLiveness.LIVE]


def test_a_photo_that_jumps_is_still_one() -> None:
    """By whom it is like, while it was in view a moment ago."""
    spoof = face(0.7, 0.1, liveness=SPOOF)
    shown = [(at(spoof, 0),), (at(spoof, 0),), *[(at(KNOWN, 700),)] * 2, *[(at(KNOWN, 100),)] * 30]
    assert {vote.outcome for vote in votes(*shown)} == {Outcome.SPOOF}
    other = replace(KNOWN, candidates=(replace(KNOWN.candidates[0], person_id="p9"),), person_id="p9")
    somebody = face(0.1, liveness=SPOOF)
    assert votes((at(somebody, 0),), (at(somebody, 0),), *[(at(KNOWN, 700),)] * 2)[-1].outcome is Outcome.RECOGNISED
    found = votes((at(spoof, 0),), (at(spoof, 0),), *[(at(other, 700),)] * 2)
    assert [(vote.outcome, vote.person_id) for vote in found] == [(Outcome.SPOOF, None), (Outcome.RECOGNISED, "p9")]


def test_a_photo_that_was_doubted_once_is_live_nowhere_else() -> None:
    """Though two frames in turn would have found it out: also where it goes back to its first place."""
    spoof = face(0.7, 0.1, liveness=SPOOF)
    elsewhere = votes((at(spoof, 0),), *[(at(KNOWN, 700),)] * 8)
    assert [(vote.outcome, vote.liveness) for vote in elsewhere] == [(Outcome.RECOGNISED, FaceLiveness.UNKNOWN)]
    back = votes((at(KNOWN, 700),), (at(spoof, 0),), *[(at(KNOWN, 700),)] * 8)
    assert [(vote.outcome, vote.liveness) for vote in back] == [(Outcome.RECOGNISED, FaceLiveness.UNKNOWN)]


@pytest.mark.parametrize("spoofs", [1, 2])
@pytest.mark.parametrize("settled", [False, True])
def test_a_photo_that_was_hidden_is_not_live_for_a_while(spoofs: int, settled: bool) -> None:
    """Nor when it was told meanwhile what was left to say of it; somebody else is."""
    other = replace(KNOWN, candidates=(replace(KNOWN.candidates[0], person_id="p9"),), person_id="p9")

    def then(shown: Face, hidden: float) -> FaceLiveness:
        tracker = Tracker()
        for number in range(spoofs):
            tracker.observe(frame(face(0.7, 0.1, liveness=SPOOF)), number * 0.2)
        if settled:
            tracker.expire(math.inf)
        last = (spoofs - 1) * 0.2
        found = [vote for step in (0, 0.2) for vote in tracker.observe(frame(shown), last + hidden + step)]
        assert found[-1].outcome is Outcome.RECOGNISED
        return found[-1].liveness

    assert then(KNOWN, 3.2) is then(KNOWN, DOUBTED - 0.3) is FaceLiveness.UNKNOWN
    assert then(KNOWN, DOUBTED + 0.1) is then(other, 3.2) is FaceLiveness.LIVE


@hypothesis.given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from([0, 300, 700]), st.sampled_from([0.2, 0.2, 0.2, 2, 3.2, 9, 20])),
        max_size=24,
    )
)
def test_one_face_alone_is_not_live_soon_after_a_doubt(shown: list[tuple[bool, float, float]]) -> None:
    """Wherever it goes and however long it is hidden: only by as many good frames in its place as are looked at."""
    tracker, now, rule = Tracker(), 0.0, Rule()
    past: list[tuple[float, bool, float]] = []
    for spoof, place, pause in shown:
        now += pause
        past.append((now, spoof, place))
        seen = at(face(0.7, 0.1, liveness=SPOOF) if spoof else KNOWN, place)
        for vote in tracker.observe(frame(seen), now):
            if vote.liveness is not FaceLiveness.LIVE:
                continue
            for number, (spoof_at, was_spoof, there) in enumerate(past):
                if was_spoof and now - spoof_at <= DOUBTED:
                    after = past[number + 1 : number + 1 + rule.of]
                    assert len(after) == rule.of
                    assert not any(one[1] or one[2] != there for one in after)
                    assert all(two[0] - one[0] <= rule.within for one, two in pairwise(past[number : number + 6]))


def test_somebody_beside_their_own_photo_is_live() -> None:
    """A picture on the wall is not held against whom it shows, for it is still where it was."""
    photo = at(face(0.7, 0.1, liveness=SPOOF), 700)
    found = votes((photo,), (photo,), *[(at(KNOWN, 0), photo)] * 2)
    assert [(vote.outcome, vote.liveness) for vote in found] == [
        (Outcome.SPOOF, FaceLiveness.SPOOF),
        (Outcome.RECOGNISED, FaceLiveness.LIVE),
    ]


def test_two_names_for_one_face_are_none() -> None:
    other = replace(KNOWN, person_id="p9")
    found = votes((KNOWN,), (other,), (KNOWN,))
    assert [(vote.outcome, vote.person_id) for vote in found] == [(Outcome.AMBIGUOUS, None)]


def test_somebody_else_in_the_same_place_is_reported() -> None:
    other = replace(KNOWN, person_id="p9")
    found = votes((KNOWN,), (KNOWN,), *[(other,)] * 5, rule=Rule(of=2))
    assert [vote.person_id for vote in found] == ["p0", "p9"]


def test_faces_are_followed_one_by_one() -> None:
    left, right = at(KNOWN, 0), at(STRANGER, 700)
    found = votes(*[(left, right)] * 3)
    assert [(vote.outcome, vote.track) for vote in found] == [(Outcome.RECOGNISED, 1), (Outcome.STRANGER, 2)]


def test_a_face_that_jumps_is_another() -> None:
    assert votes((at(KNOWN, 0),), (at(KNOWN, 700),)) == []


def test_who_left_early_was_still_seen_but_not_named() -> None:
    tracker = Tracker()
    tracker.observe(frame(at(KNOWN, 0), at(STRANGER, 700)), 0)
    assert tracker.expire(1) == []
    found = tracker.expire(10)
    assert [(vote.outcome, vote.person_id) for vote in found] == [(Outcome.UNCERTAIN, None), (Outcome.STRANGER, None)]
    assert tracker.expire(11) == []


def test_five_frames_without_an_answer_are_uncertain() -> None:
    assert [vote.outcome for vote in votes(*[(UNSURE,)] * 7)] == [Outcome.UNCERTAIN]


def test_the_lowest_score_counts() -> None:
    """Nobody passes a limit by one lucky frame."""
    low, high = face(0.401), face(0.6)
    for frames in ((low, high), (high, low), (high, low, UNSURE)):
        (vote,) = votes(*[(one,) for one in frames])
        assert vote.score == low.score
        shown = sighting(vote, source="c", sequence=1, captured_at=NOW, settings=Settings(), name="Alice")
        answer = decide(shown, Person(id="p0", name="Alice"), "door", NOW, replace(OPEN, minimum_score=90))
        assert not answer.granted
        assert decide(shown, Person(id="p0", name="Alice"), "door", NOW, replace(OPEN, minimum_score=80)).granted


def test_the_clearest_face_is_shown() -> None:
    clear = replace(KNOWN, quality=replace(GOOD, score=0.99))
    assert votes((clear,), (KNOWN,))[0].face is clear


# --- sightings ------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
OPEN = DoorPolicy(mode=DoorMode.OPEN)


def seen(vote: Vote, mode: Mode = Mode.ANTISPOOFING) -> object:
    return sighting(vote, source="camera.door", sequence=7, captured_at=NOW, settings=Settings(mode=mode), name="Alice")


def test_a_live_known_face_may_open_a_door() -> None:
    (vote,) = votes((KNOWN,), (KNOWN,))
    found = sighting(
        vote, source="camera.door", sequence=7, captured_at=NOW, settings=Settings(), name="Alice", role=Role.ALLOWED
    )
    assert found.person_name == "Alice"
    assert found.liveness is Liveness.LIVE
    assert found.threshold == 80
    assert kind_of(found) is SightingKind.RECOGNISED
    assert decide(found, Person(id="p0", name="Alice"), "door", NOW, OPEN).granted


@pytest.mark.parametrize(
    ("frames", "mode", "kind", "reason"),
    [
        ([STRANGER] * 3, Mode.ANTISPOOFING, SightingKind.STRANGER, Reason.UNKNOWN),
        ([UNSURE] * 5, Mode.ANTISPOOFING, SightingKind.SEEN, Reason.UNKNOWN),
        ([face(0.7, liveness=SPOOF)] * 2, Mode.ANTISPOOFING, SightingKind.SPOOF, Reason.SPOOF),
        ([face(0.7, liveness=UNKNOWN)] * 2, Mode.ANTISPOOFING, SightingKind.DENIED, Reason.LIVENESS),
        ([face(0.7, liveness=NOT_CHECKED)] * 2, Mode.SOFTWARE, SightingKind.RECOGNISED, Reason.LIVENESS),
        ([face()] * 3, Mode.SOFTWARE, SightingKind.SEEN, Reason.UNKNOWN),
    ],
)
def test_nobody_else_does(frames: list[Face], mode: Mode, kind: SightingKind, reason: Reason) -> None:
    (vote,) = votes(*[(one,) for one in frames])
    found = sighting(
        vote, source="camera.door", sequence=7, captured_at=NOW, settings=Settings(mode=mode), name="Alice"
    )
    assert kind_of(found) is kind
    assert decide(found, Person(id="p0", name="Alice"), "door", NOW, OPEN).reason is reason


def test_without_liveness_a_door_opens_only_where_the_policy_allows() -> None:
    (vote,) = votes(*[(face(0.7, liveness=NOT_CHECKED),)] * 2)
    found = sighting(vote, source="c", sequence=1, captured_at=NOW, settings=Settings(mode=Mode.SOFTWARE))
    policy = replace(OPEN, liveness_required=False)
    assert decide(found, Person(id="p0", name="Alice"), "door", NOW, policy).granted


def test_overlap_of_boxes() -> None:
    box = Box(x=0, y=0, width=10, height=10)
    assert box.overlap(box) == 1
    assert box.overlap(Box(x=5, y=0, width=10, height=10)) == pytest.approx(1 / 3)
    assert box.overlap(Box(x=50, y=0, width=10, height=10)) == 0
    assert Box(x=0, y=0, width=0, height=0).overlap(Box(x=0, y=0, width=0, height=0)) == 0
    assert box.scaled(0.5).area == 25

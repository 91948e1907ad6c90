"""Pictures: decoded as small as possible, upright, and never trusted; faces cut out of them as OpenCV would."""

from contextlib import suppress
from io import BytesIO
import math
from typing import Any

import hypothesis
from hypothesis import strategies as st
import numpy as np
from PIL import Image
import pytest

from custom_components.face_access.recognition import align, liveness, picture as pictures
from custom_components.face_access.recognition.errors import PictureError
from custom_components.face_access.recognition.picture import Picture, grey, letterbox
from custom_components.face_access.recognition.results import Box


def smooth(width: int, height: int) -> Image.Image:
    """A picture of slow waves, of which every pixel is known and small errors of sampling stay small."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [127 + 100 * np.sin(x / 17 + shift) * np.cos(y / 23 - shift) for shift in (0, 1, 2)]
    return Image.fromarray(np.stack(waves, axis=2).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    stream = BytesIO()
    image.save(stream, kind, **({"quality": 95} if kind == "JPEG" else {}), **options)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("size", [(640, 360), (637, 359)])
def test_decodes_at_every_size(kind: str, size: tuple[int, int]) -> None:
    original = smooth(*size)
    picture = Picture(encoded(original, kind))
    assert (picture.width, picture.height) == size
    for reduction in (1, 2, 4, 8):
        image = picture.image(reduction)
        assert image.size == (math.ceil(size[0] / reduction), math.ceil(size[1] / reduction))
        expected = original.reduce(reduction)
        assert np.abs(np.asarray(image, int) - np.asarray(expected, int)).mean() < 3
        assert picture.image(reduction) is image


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_all_pictures_become_rgb(mode: str) -> None:
    data = encoded(smooth(64, 64).convert(mode), "JPEG" if mode == "CMYK" else "PNG")
    assert Picture(data).image().mode == "RGB"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_of_telephones_are_turned(orientation: int) -> None:
    upright = smooth(320, 160)
    turns = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}
    back = {None: None, 0: 0, 1: 1, 3: 3, 5: 5, 6: 6, 2: 2, 4: 4}
    turn = back[turns.get(orientation)]
    lying = upright if turn is None else upright.transpose(Image.Transpose(turn))
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Picture(encoded(lying, exif=exif))
    assert (picture.width, picture.height) == (320, 160)
    for reduction in (1, 2):
        image = picture.image(reduction)
        expected = upright.resize(image.size, Image.Resampling.BOX)
        assert np.abs(np.asarray(image, int) - np.asarray(expected, int)).mean() < 5


def test_a_broken_orientation_is_none() -> None:
    exif = Image.Exif()
    exif[0x0112] = 77
    assert Picture(encoded(smooth(64, 32), exif=exif)).width == 64


def test_reduces_no_further_than_asked() -> None:
    picture = Picture(encoded(smooth(1920, 1080)))
    assert [picture.reduction(longest) for longest in (1921, 961, 960, 480, 240, 100)] == [1, 1, 2, 4, 8, 8]


@pytest.mark.parametrize("data", [b"", b"nonsense", b"GIF89a" + bytes(50), b"\xff\xd8\xff" + bytes(50)])
def test_refuses_what_is_no_picture(data: bytes) -> None:
    with pytest.raises(PictureError, match="no JPEG"):
        Picture(data)


def test_refuses_other_formats() -> None:
    with pytest.raises(PictureError):
        Picture(encoded(smooth(64, 64), "BMP"))


def test_refuses_half_a_picture() -> None:
    data = encoded(smooth(640, 360))
    with pytest.raises(PictureError, match="damaged"):
        Picture(data[: len(data) // 2]).image()


def test_refuses_sizes_out_of_range(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PictureError, match="too few"):
        Picture(encoded(smooth(15, 100)))
    monkeypatch.setattr(pictures, "MAX_PIXELS", 1000)
    with pytest.raises(PictureError, match="too many"):
        Picture(encoded(smooth(64, 64)))
    monkeypatch.setattr(pictures, "MAX_BYTES", 10)
    with pytest.raises(PictureError, match="more than 10"):
        Picture(bytes(11))


@hypothesis.settings(max_examples=60, deadline=None)
@hypothesis.given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 255)), min_size=1, max_size=20))
def test_damaged_pictures_are_an_error_or_a_picture(changes: list[tuple[int, int]]) -> None:
    data = bytearray(encoded(smooth(96, 64)))
    for place, value in changes:
        data[place % len(data)] = value
    with suppress(PictureError):
        Picture(bytes(data)).image(2)


def test_letterbox_fits_multiples_of_32() -> None:
    image = smooth(960, 540)
    pixels, factor = letterbox(image, 320)
    assert pixels.shape == (192, 320, 3)
    assert factor == pytest.approx(1 / 3)
    assert not pixels[180:].any()
    expected = image.resize((320, 180), Image.Resampling.BOX)
    assert np.abs(pixels[:180].astype(int) - np.asarray(expected, int)).mean() < 3


@pytest.mark.parametrize("size", [(300, 900), (900, 300)])
def test_letterbox_fits_a_fixed_size(size: tuple[int, int]) -> None:
    pixels, factor = letterbox(smooth(*size), 320, (640, 640))
    assert pixels.shape == (640, 640, 3)
    assert factor == pytest.approx(640 / 900)


def test_grey_is_luma() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    assert grey(colours)[0].tolist() == pytest.approx([76.245, 149.685, 29.07])


def test_close_up_is_a_small_jpeg() -> None:
    picture = Picture(encoded(smooth(1920, 1080)))
    with Image.open(BytesIO(picture.close_up(Box(x=500, y=300, width=800, height=900)))) as image:
        assert image.format == "JPEG"
        assert max(image.size) == 480
    assert picture.close_up(Box(x=-50, y=-50, width=60, height=60))
    with pytest.raises(PictureError, match="outside"):
        picture.close_up(Box(x=5000, y=0, width=10, height=10))


def landmarks(scale: float, degrees: float, shift: tuple[float, float]) -> np.ndarray:
    """The template's points, turned, scaled and moved."""
    turn = scale * complex(math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    moved = (align.TEMPLATE[:, 0] + 1j * align.TEMPLATE[:, 1]) * turn + complex(*shift)
    return np.stack([moved.real, moved.imag], axis=1).astype(np.float32)


@pytest.mark.parametrize("scale", [0.7, 1.0, 1.6, 5.0])
@pytest.mark.parametrize("degrees", [0, 25, -170])
def test_alignment_undoes_turn_and_scale(scale: float, degrees: float) -> None:
    points = landmarks(scale, degrees, (400, 380))
    turn, shift = align.similarity(points)
    found = turn * (points[:, 0] + 1j * points[:, 1]) + shift
    np.testing.assert_allclose(np.stack([found.real, found.imag], axis=1), align.TEMPLATE, atol=0.01)


def test_points_in_one_place_are_no_error() -> None:
    nowhere = np.full((5, 2), 30, np.float32)
    assert align.align(smooth(64, 64), nowhere).shape == (112, 112, 3)
    # Points whose best turn is none: a cross against the template's order.
    assert align.align(smooth(64, 64), np.array([[0, 0], [0, 0], [0, 0], [0, 0], [1e-9, 0]], np.float32)).any()


def test_a_face_far_outside_is_black() -> None:
    assert not align.align(smooth(64, 64), landmarks(4, 0, (3000, 3000))).any()


@pytest.mark.parametrize("scale", [0.5, 0.9, 1.2, 1.9])
@pytest.mark.parametrize("degrees", [0, 12, -35])
def test_opencv_aligns_alike(scale: float, degrees: float) -> None:
    """Within one grey level: OpenCV interpolates in steps of 1/32 of a pixel, Pillow does not."""
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed: it has no wheel for this system")
    image, points = smooth(640, 480), landmarks(scale, degrees, (250, 160))
    turn, shift = align.similarity(points)
    matrix = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    theirs = cv2.warpAffine(np.asarray(image), matrix, (112, 112), flags=cv2.INTER_LINEAR)
    ours = align.align(image, points)
    inside = (slice(2, -2), slice(2, -2))
    assert np.abs(ours[inside].astype(int) - theirs[inside].astype(int)).max() <= 2
    assert np.abs(ours[inside].astype(int) - theirs[inside].astype(int)).mean() < 0.6


def test_opencv_finds_the_same_similarity() -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed: it has no wheel for this system")
    points = landmarks(2, 20, (100, 50)) + np.random.default_rng(3).normal(0, 0.5, (5, 2)).astype(np.float32)
    turn, shift = align.similarity(points)
    theirs, _ = cv2.estimateAffinePartial2D(points, align.TEMPLATE.astype(np.float32), method=cv2.LMEDS)
    ours = np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
    np.testing.assert_allclose(ours, theirs, atol=1.5)


@pytest.mark.parametrize("scale", [1.0, 2.7, 4.0])
@pytest.mark.parametrize(
    "box",
    [
        Box(x=200, y=150, width=100, height=120),
        Box(x=5, y=3, width=60, height=80),
        Box(x=560, y=400, width=70, height=75),
    ],
)
def test_opencv_scales_liveness_crops_alike(scale: float, box: Box) -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed: it has no wheel for this system")
    image = smooth(640, 480)
    left, top, right, bottom = liveness.region(box, scale, image.size)
    theirs = cv2.resize(np.asarray(image)[top:bottom, left:right], (80, 80), interpolation=cv2.INTER_LINEAR)
    ours = liveness.crop(image, box, scale)
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 3


def test_opencv_measures_the_same_sharpness() -> None:
    cv2 = pytest.importorskip("cv2", reason="OpenCV is not installed: it has no wheel for this system")
    from custom_components.face_access.recognition.quality import sharpness

    light = np.random.default_rng(1).uniform(0, 255, (112, 112)).astype(np.float32)
    theirs = cv2.Laplacian(light, cv2.CV_32F)[1:-1, 1:-1].var()
    assert sharpness(light) == pytest.approx(theirs, rel=1e-4)

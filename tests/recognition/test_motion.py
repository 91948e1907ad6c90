"""Frames differ where somebody comes, and not where a cloud passes or a light goes on."""

from io import BytesIO

import numpy as np
from PIL import Image
import pytest

from custom_components.face_access.recognition.errors import PictureError
from custom_components.face_access.recognition.motion import Motion
from custom_components.face_access.recognition.picture import Picture

RNG = np.random.default_rng(4)


def frame(light: float = 100, person: int | None = None) -> Picture:
    pixels = RNG.normal(light, 6, (360, 640, 3))
    if person is not None:
        pixels[120:320, person : person + 70] += 60
    stream = BytesIO()
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(stream, "JPEG")
    return Picture(stream.getvalue())


def test_somebody_who_comes_is_motion() -> None:
    motion = Motion()
    assert [motion.observe(one) for one in (frame(), frame(), frame(person=50), frame(person=90))] == [
        False,
        False,
        True,
        True,
    ]


def test_what_stands_still_becomes_background() -> None:
    motion = Motion()
    motion.observe(frame())
    assert motion.observe(frame(person=300))
    seen = [motion.observe(frame(person=300)) for _ in range(40)]
    assert not seen[-1]


@pytest.mark.parametrize("light", [110, 60, 180])
def test_light_is_not_motion(light: float) -> None:
    motion = Motion()
    motion.observe(frame())
    assert not motion.observe(frame(light))


def test_another_picture_altogether_starts_anew() -> None:
    motion = Motion()
    motion.observe(frame())
    blocks = RNG.integers(0, 255, (36, 64, 3)).astype(np.uint8).repeat(10, axis=0).repeat(10, axis=1)
    stream = BytesIO()
    Image.fromarray(blocks).save(stream, "PNG")
    other = stream.getvalue()
    assert not motion.observe(Picture(other))
    assert not motion.observe(Picture(other))


def test_a_damaged_frame_is_an_error() -> None:
    with pytest.raises(PictureError):
        Motion().observe(Picture(b"nonsense"))

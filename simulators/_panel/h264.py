"""Drawn pictures as H.264: whole pictures without compression, and pictures in which nothing moved.

It takes no encoder: a key picture is made of macroblocks that hold their samples as they are (I_PCM), and every other
picture says that it is the one before (skipped macroblocks). Any decoder of the baseline profile shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
import re
from typing import Final

from PIL import Image

_BLOCK: Final = 16
_LEVEL: Final = 40  # up to 1920x1088
_KEY: Final = 0x65
_OTHER: Final = 0x61
_SEQUENCE: Final = 0x67
_PICTURE: Final = 0x68
# The type of a macroblock with plain samples (code 25), and zeros up to the next byte.
_PLAIN: Final = b"\x0d\x00"
_FRAME_NUMBERS: Final = 16
# Three bytes that a decoder would take for the start of a unit get a 3 among them.
_EMULATION: Final = re.compile(rb"\x00\x00(?=[\x00-\x03])")


class _Bits:
    """Writes bits, the highest first."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def fixed(self, value: int, width: int) -> _Bits:
        """A number of so many bits."""
        self._text.append(f"{value:0{width}b}")
        return self

    def golomb(self, *values: int) -> _Bits:
        """Numbers as Exp-Golomb codes: as many zeros as bits follow the first one."""
        for value in values:
            code = f"{value + 1:b}"
            self._text.append("0" * (len(code) - 1) + code)
        return self

    def aligned(self) -> bytes:
        """The bytes, with zeros at the end."""
        text = "".join(self._text)
        return bytes(int(text[start : start + 8].ljust(8, "0"), 2) for start in range(0, len(text), 8))

    def ended(self) -> bytes:
        """The bytes, with the one and the zeros that end a unit."""
        self.fixed(1, 1)
        return self.aligned()


@dataclass(frozen=True, slots=True)
class Format:
    """Size in pixels, and pictures per second."""

    width: int
    height: int
    fps: int

    @property
    def columns(self) -> int:
        """Macroblocks from left to right."""
        return -(-self.width // _BLOCK)

    @property
    def rows(self) -> int:
        """Macroblocks from top to bottom."""
        return -(-self.height // _BLOCK)


def sequence_set(form: Format) -> bytes:
    """What is true of all pictures: size, rate, and that samples use the whole range."""
    bits = _Bits().fixed(66, 8).fixed(0xC0, 8).fixed(_LEVEL, 8)
    # Frame numbers of four bits; pictures are shown in the order in which they come; one of them is kept.
    bits.golomb(0, 0, 2, 1).fixed(0, 1).golomb(form.columns - 1, form.rows - 1).fixed(0b11, 2)
    right, below = form.columns * _BLOCK - form.width, form.rows * _BLOCK - form.height
    bits.fixed(1, 1).golomb(0, right // 2, 0, below // 2)
    bits.fixed(0b1001, 4).fixed(5, 3).fixed(0b100, 3).fixed(1, 1)
    bits.fixed(1, 32).fixed(2 * form.fps, 32).fixed(0b10000, 5)
    return _unit(_SEQUENCE, bits.ended())


def picture_set() -> bytes:
    """How pictures are written: variable lengths, no filter between blocks."""
    bits = _Bits().golomb(0, 0).fixed(0, 2).golomb(0, 0, 0).fixed(0, 3).golomb(0, 0, 0).fixed(0b100, 3)
    return _unit(_PICTURE, bits.ended())


def key_picture(image: Image.Image, form: Format, number: int) -> bytes:
    """A whole picture. `number` tells two that follow each other apart: 0 or 1."""
    # Begin at the first block, of plain blocks alone; frame 0; nothing is kept back; no filter.
    head = _Bits().golomb(0, 7, 0).fixed(0, 4).golomb(number).fixed(0, 2).golomb(0, 1)
    first, *others = _blocks(image, form)
    start = head.golomb(25).aligned() + first
    return _unit(_KEY, start + b"".join(_PLAIN + block for block in others) + b"\x80")


def same_picture(form: Format, number: int) -> bytes:
    """A picture that is the one before; `number` counts from 1 after a key picture."""
    head = _Bits().golomb(0, 5, 0).fixed(number % _FRAME_NUMBERS, 4).fixed(0, 3).golomb(0, 1)
    return _unit(_OTHER, head.golomb(form.columns * form.rows).ended())


def _blocks(image: Image.Image, form: Format) -> Iterator[bytes]:
    """The samples of each macroblock: brightness of 16 by 16, then the two colours of 8 by 8."""
    size = (form.columns * _BLOCK, form.rows * _BLOCK)
    bright, *colours = image.convert("YCbCr").resize((form.width, form.height)).crop((0, 0, *size)).split()
    planes = [(bright.tobytes(), _BLOCK, size[0])]
    planes += [(each.reduce(2).tobytes(), _BLOCK // 2, size[0] // 2) for each in colours]
    for row in range(form.rows):
        for column in range(form.columns):
            yield b"".join(
                samples[start : start + edge]
                for samples, edge, stride in planes
                for start in range(row * edge * stride + column * edge, (row + 1) * edge * stride, stride)
            )


def _unit(kind: int, content: bytes) -> bytes:
    """A unit without start code, in which no start code can be found."""
    return bytes((kind,)) + _EMULATION.sub(b"\x00\x00\x03", content)

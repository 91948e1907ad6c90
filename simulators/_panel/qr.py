"""Draws QR codes (ISO/IEC 18004): byte mode, version 3, error correction L, which is enough for a UUID."""

from io import BytesIO
from typing import Final

from PIL import Image

SIZE: Final = 29  # modules of version 3
CAPACITY: Final = 53  # bytes
_DATA, _CHECK = 55, 15  # codewords
_POLYNOMIAL: Final = 0x11D
_FORMAT_MASK: Final = 0b101010000010010
_QUIET: Final = 4
_ALIGNMENT: Final = 22


def png(text: str, scale: int = 8) -> bytes:
    """A QR code of at most 53 bytes as PNG; raise ValueError when the text is longer."""
    modules = matrix(text.encode())
    side = (SIZE + 2 * _QUIET) * scale
    image = Image.new("1", (side, side), 1)
    for y, row in enumerate(modules):
        for x, dark in enumerate(row):
            if dark:
                left, top = (x + _QUIET) * scale, (y + _QUIET) * scale
                image.paste(0, (left, top, left + scale, top + scale))
    buffer = BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def matrix(data: bytes) -> list[list[bool]]:
    """The modules, row by row; True is dark. The mask is number 0, which every reader must accept."""
    if len(data) > CAPACITY:
        raise ValueError(f"{len(data)} bytes do not fit in a code of version 3")
    modules: list[list[bool | None]] = [[None] * SIZE for _ in range(SIZE)]
    _draw_patterns(modules)
    _draw_format(modules)
    bits = [codeword >> shift & 1 for codeword in _codewords(data) for shift in range(7, -1, -1)]
    _draw_bits(modules, bits)
    return [[bool(module) for module in row] for row in modules]


def _codewords(data: bytes) -> list[int]:
    """Mode, length, bytes, terminator and padding, then the check codewords."""
    bits = f"0100{len(data):08b}{''.join(f'{byte:08b}' for byte in data)}0000"
    words = [int(bits[start : start + 8].ljust(8, "0"), 2) for start in range(0, len(bits), 8)]
    words += [(0xEC, 0x11)[index % 2] for index in range(_DATA - len(words))]
    return words + _check_words(words)


def _multiply(left: int, right: int) -> int:
    """Multiply in GF(256)."""
    product = 0
    while right:
        if right & 1:
            product ^= left
        left = left << 1 ^ (_POLYNOMIAL if left & 0x80 else 0)
        right >>= 1
    return product


def _check_words(words: list[int]) -> list[int]:
    """The remainder of Reed and Solomon's division."""
    generator, root = [1], 1
    for _ in range(_CHECK):
        shifted = [*generator, 0]
        for index, factor in enumerate(generator):
            shifted[index + 1] ^= _multiply(factor, root)
        generator, root = shifted, _multiply(root, 2)
    remainder = words + [0] * _CHECK
    for index in range(len(words)):
        factor = remainder[index]
        for offset, coefficient in enumerate(generator):
            remainder[index + offset] ^= _multiply(coefficient, factor)
    return remainder[-_CHECK:]


def _draw_patterns(modules: list[list[bool | None]]) -> None:
    """The three finders with their white border, the alignment pattern, the timing lines and the dark module."""
    for top, left in ((0, 0), (0, SIZE - 7), (SIZE - 7, 0)):
        for y in range(-1, 8):
            for x in range(-1, 8):
                if 0 <= top + y < SIZE and 0 <= left + x < SIZE:
                    ring = max(abs(y - 3), abs(x - 3))
                    modules[top + y][left + x] = ring in (0, 1, 3)
    for y in range(-2, 3):
        for x in range(-2, 3):
            modules[_ALIGNMENT + y][_ALIGNMENT + x] = max(abs(y), abs(x)) != 1
    for index in range(8, SIZE - 8):
        modules[6][index] = modules[index][6] = index % 2 == 0
    modules[SIZE - 8][8] = True


def _draw_format(modules: list[list[bool | None]]) -> None:
    """Error correction L and mask 0, twice."""
    data = 0b01000
    remainder = data
    for _ in range(10):
        remainder = remainder << 1 ^ (0x537 if remainder >> 9 & 1 else 0)
    bits = (data << 10 | remainder) ^ _FORMAT_MASK
    first = [(8, x) for x in (0, 1, 2, 3, 4, 5, 7, 8)] + [(y, 8) for y in (7, 5, 4, 3, 2, 1, 0)]
    second = [(SIZE - 1 - y, 8) for y in range(7)] + [(8, SIZE - 8 + x) for x in range(8)]
    for places in (first, second):
        for index, (y, x) in enumerate(places):
            modules[y][x] = bool(bits >> (14 - index) & 1)


def _draw_bits(modules: list[list[bool | None]], bits: list[int]) -> None:
    """The codewords, in pairs of columns from the right, up and down in turn."""
    position, upward = 0, True
    for right in (*range(SIZE - 1, 6, -2), 5, 3, 1):
        for step in range(SIZE):
            y = SIZE - 1 - step if upward else step
            for x in (right, right - 1):
                if modules[y][x] is None:
                    bit = bits[position] if position < len(bits) else 0
                    modules[y][x] = bool(bit) ^ ((y + x) % 2 == 0)
                    position += 1
        upward = not upward

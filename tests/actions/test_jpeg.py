"""Pictures: what becomes a JPEG for the screen, and what is refused."""

from collections.abc import Callable
from io import BytesIO

from PIL import Image
import pytest

from custom_components.face_access.actions.jpeg import LARGEST_SIDE, NotAPictureError, to_jpeg
from tests.actions.conftest import picture_file


def _with_orientation() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "maker"
    return picture_file((40, 30), "JPEG", exif=exif)


def _white_and_clear() -> bytes:
    buffer = BytesIO()
    Image.new("RGBA", (8, 8), (255, 255, 255, 0)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("make", "size", "corner"),
    [
        (lambda: picture_file((4000, 1000)), (LARGEST_SIDE, 320), (254, 0, 0)),
        (lambda: picture_file((4000, 1000), "JPEG"), (LARGEST_SIDE, 320), (254, 0, 0)),
        (lambda: picture_file((20, 10), "WEBP"), (20, 10), (254, 0, 0)),
        (lambda: picture_file((20, 10), "GIF"), (20, 10), (254, 0, 0)),
        (lambda: picture_file((20, 10), "JPEG", "CMYK"), (20, 10), None),
        (_with_orientation, (30, 40), (254, 0, 0)),
        (_white_and_clear, (8, 8), (0, 0, 0)),
    ],
)
def test_pictures_become_plain_jpeg(
    make: Callable[[], bytes], size: tuple[int, int], corner: tuple[int, int, int] | None
) -> None:
    picture = Image.open(BytesIO(to_jpeg(make())))
    assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", size)
    assert not picture.getexif()
    if corner is not None:
        found = picture.getpixel((0, 0))
        assert isinstance(found, tuple)
        assert all(abs(a - b) <= 3 for a, b in zip(found, corner, strict=True))


@pytest.mark.parametrize(
    "content",
    [b"", b"text", picture_file()[:60], picture_file(form="JPEG")[:200], picture_file(form="TIFF")],
    ids=["nothing", "text", "half a PNG", "half a JPEG", "TIFF"],
)
def test_what_is_no_picture_is_told(content: bytes) -> None:
    with pytest.raises(NotAPictureError):
        to_jpeg(content)


def test_a_picture_that_would_fill_the_memory_is_not_unpacked() -> None:
    with pytest.raises(NotAPictureError):
        to_jpeg(picture_file((10000, 5001), "PNG", "1"))

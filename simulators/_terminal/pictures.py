"""Drawn pictures: friendly faces made from a person id, and the judgement of pictures that are uploaded.

Rules of `inspect` (deterministic, so that a test can ask for each code):
- 36: more than 10 MB; 35: neither jpeg nor png, or it does not decode; 38: shorter side below 80 pixels;
- 25: one flat colour; 39: hardly any contrast (deviation of brightness below 10);
- every face drawn here has a nose of one marker colour: two or more noses are 40, a nose at the border is 41.
  A picture without a marker (a photograph) counts as one whole face.
"""

from collections.abc import Iterable
from functools import lru_cache
import hashlib
from io import BytesIO
import random
from typing import Final

from PIL import Image, ImageDraw, ImageStat

from .. import _sight
from .schema import DECODE, FACE_COUNT, FACE_CUT, FACE_POOR, FACE_SMALL, NO_FACE, NORMALISE, TOO_LARGE, Refusal

PANORAMA: Final = (640, 480)
FACE_BOX: Final = (220, 90, 200, 250)  # x, y, width, height in the panorama
MARKER: Final = (255, 40, 160)
MAX_BYTES: Final = 10 * 1024 * 1024
NORM_BYTES: Final = 150 * 150 * 3
_SKINS: Final = ("#f6d7b8", "#e8bd94", "#c98f62", "#8d5a3b", "#fbe3d0")
_HAIRS: Final = ("#2d2018", "#6b4226", "#b5803f", "#8a8d91", "#c0442b", "#151515")
_SHIRTS: Final = ("#3a6ea5", "#4f8a5b", "#a4508b", "#b8652a", "#50617a")


def draw(seed: str, *, mask: bool = False, photo: bool = False) -> Image.Image:
    """A doorstep with the face of `seed`; with `photo` the face is on a sheet of paper held up."""
    rng = random.Random(hashlib.sha256(seed.encode()).digest())  # noqa: S311
    image = Image.new("RGB", PANORAMA, "#9fb4c0")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 330, 640, 480), fill="#75808a")
    pen.rectangle((40, 60, 150, 330), fill="#6d4c3d")
    pen.ellipse((130, 190, 142, 202), fill="#e0c060")
    if photo:
        pen.rectangle((190, 40, 450, 420), fill="#ffffff", outline="#333333", width=4)
    x, y, width, height = FACE_BOX
    skin, hair, shirt = rng.choice(_SKINS), rng.choice(_HAIRS), rng.choice(_SHIRTS)
    wide = rng.randint(-18, 10)
    left, right = x + 10 - wide, x + width - 10 + wide
    if not photo:
        pen.ellipse((x - 70, y + height - 10, x + width + 70, 640), fill=shirt)
    pen.ellipse((left - 12, y - 20, right + 12, y + rng.randint(140, 230)), fill=hair)
    pen.ellipse((left, y, right, y + height), fill=skin)
    pen.chord((left, y - 12, right, y + rng.randint(110, 150)), 190, 350, fill=hair)
    eye_y, gap = y + rng.randint(95, 110), rng.randint(34, 46)
    for eye_x in (320 - gap, 320 + gap):
        pen.ellipse((eye_x - 16, eye_y - 10, eye_x + 16, eye_y + 10), fill="#ffffff")
        pen.ellipse((eye_x - 8, eye_y - 8, eye_x + 8, eye_y + 8), fill=rng.choice(("#35506b", "#4a3525", "#3f6b45")))
        pen.line((eye_x - 18, eye_y - 22, eye_x + 18, eye_y - 24), fill=hair, width=6)
    if rng.random() < 0.35:
        for eye_x in (320 - gap, 320 + gap):
            pen.ellipse((eye_x - 26, eye_y - 22, eye_x + 26, eye_y + 22), outline="#222222", width=4)
    pen.ellipse((304, eye_y + 28, 336, eye_y + 60), fill=MARKER)
    smile = rng.randint(38, 58)
    pen.arc((320 - smile, eye_y + 50, 320 + smile, eye_y + 105), 20, 160, fill="#8e2f2f", width=6)
    if mask:
        pen.rounded_rectangle((left + 14, eye_y + 64, right - 14, y + height - 8), 30, fill="#d8ecf5")
    return image


def to_jpeg(image: Image.Image, quality: int = 85) -> bytes:
    """Encode as jpeg."""
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@lru_cache(maxsize=128)
def panorama(seed: str, mask: bool = False, photo: bool = False, size: int | None = None) -> bytes:
    """The whole picture as jpeg; with `size` it has about that many bytes (grain of a large sensor)."""
    image = draw(seed, mask=mask, photo=photo)
    if size is None:
        return to_jpeg(image)
    image = image.resize((1280, 960))
    noise = random.Random(seed).randbytes(1280 * 960)  # noqa: S311
    grain = Image.frombytes("L", image.size, noise)
    image = Image.blend(image, grain.convert("RGB"), 0.12)
    low, high, best = 1, 95, b""
    while low <= high:  # the best quality that stays within the size
        quality = (low + high) // 2
        data = to_jpeg(image, quality)
        if len(data) <= size:
            low, best = quality + 1, data
        else:
            high = quality - 1
    return best or to_jpeg(image, 1)


@lru_cache(maxsize=128)
def closeup(seed: str, mask: bool = False, photo: bool = False) -> bytes:
    """The face alone (200x250 jpeg)."""
    x, y, width, height = FACE_BOX
    return to_jpeg(draw(seed, mask=mask, photo=photo).crop((x, y, x + width, y + height)))


def sample(what: str = "good") -> bytes:
    """A registration picture for tests: `good`, `empty`, `poor`, `small`, `two` or `cut`."""
    image = draw("sample").crop((120, 40, 520, 440))
    if what == "empty":
        image = Image.new("RGB", (400, 400), "#808080")
    elif what == "poor":
        image = Image.blend(image, Image.new("RGB", image.size, "#808080"), 0.92)
    elif what == "small":
        image = image.resize((64, 64))
    elif what == "two":
        double = Image.new("RGB", (800, 400))
        double.paste(image, (0, 0))
        double.paste(image, (400, 0))
        image = double
    elif what == "cut":
        image = image.crop((200, 0, 400, 400))
    elif what != "good":
        raise ValueError(what)
    return to_jpeg(image)


def load(data: bytes, formats: Iterable[str] = ("JPEG", "PNG")) -> Image.Image:
    """Decode completely; raise `Refusal` 35 or 36."""
    if len(data) > MAX_BYTES:
        raise Refusal(TOO_LARGE, "image is larger than 10 MB")
    try:
        return _sight.decode(data, formats)
    except _sight.NoPictureError as err:
        raise Refusal(DECODE, "image does not decode") from err


def inspect(data: bytes, formats: Iterable[str] = ("JPEG", "PNG")) -> bytes:
    """Judge an uploaded original picture; return its thumbnail (jpeg) or raise `Refusal` (25, 35-41)."""
    image = load(data, formats)
    if min(image.size) < 80:
        raise Refusal(FACE_SMALL, "face is too small")
    deviation = ImageStat.Stat(image.convert("L")).stddev[0]
    if deviation < 2:
        raise Refusal(NO_FACE, "no face in the image")
    if deviation < 10:
        raise Refusal(FACE_POOR, "portrait quality is too poor")
    noses = _sight.find_noses(image, longest=160, least=6)
    if len(noses) > 1:
        raise Refusal(FACE_COUNT, f"{len(noses)} faces in the image")
    if noses and noses[0].at_border:
        raise Refusal(FACE_CUT, "face is incomplete in the image")
    image.thumbnail((240, 240))
    return to_jpeg(image)


def normalised(data: bytes) -> None:
    """Accept 150x150 BGR bytes or a 150x150 picture; raise `Refusal` 37 for anything else."""
    if len(data) == NORM_BYTES:
        return
    try:
        size = load(data).size
    except Refusal as err:
        raise Refusal(NORMALISE, "normalised image is neither 150x150 BGR nor a picture") from err
    if size != (150, 150):
        raise Refusal(NORMALISE, "normalised image is not 150x150")

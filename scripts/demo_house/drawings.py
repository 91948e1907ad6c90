"""Drawn people, as simulated recognition servers see them. Nobody here is real."""

from pathlib import Path
from typing import Final

from PIL import Image

from simulators._terminal import pictures

from .house import House

_WALL: Final = "#9fb4c0"


def drawn(
    who: str, *, printed: bool = False, only_face: bool = False, aside: bool = False, factor: float = 1.5
) -> bytes:
    """Draw somebody at a doorstep, as JPEG: by default with enough pixels for every check of life.

    `printed` holds up a photo of theirs; `only_face` leaves hardly anything around the face; `aside` has them stand far
    to the right.
    """
    image = pictures.draw(who, photo=printed)
    if only_face:
        x, y, width, height = pictures.FACE_BOX
        image = image.crop((x, y, x + width, y + height))
    if aside:
        person, image = image, Image.new("RGB", (2 * image.width, image.height), _WALL)
        image.paste(person, (person.width, 0))
    return pictures.to_jpeg(image.resize((round(image.width * factor), round(image.height * factor))))


def nobody() -> bytes:
    """Draw a wall: on what has nobody on it, simulated servers find nobody only where it is of one colour."""
    return pictures.to_jpeg(Image.new("RGB", (960, 720), _WALL))


class Album:
    """Pictures where actions may read them."""

    def __init__(self, house: House) -> None:
        """Keep them in a folder that Home Assistant lets actions read."""
        self._folder: Path = house.config / "www"
        self._folder.mkdir(exist_ok=True)

    def put(self, name: str, content: bytes) -> str:
        """Keep a picture; its path."""
        file = self._folder / f"{name}.jpg"
        file.write_bytes(content)
        return str(file)

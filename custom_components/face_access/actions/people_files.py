"""People in files: a CSV with photos beside it, or photos named like people, where Home Assistant may read or write."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
import csv
from dataclasses import dataclass
import io
import json
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..hub.people import input as field
from ..people.model import MAX_PHOTOS, Profile
from .request import invalid

_FILE: Final = "people.csv"
_PHOTOS: Final = "photos"
_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})
_LARGEST_CSV: Final = 10 * 1024 * 1024
_LARGEST_PHOTO: Final = 20 * 1024 * 1024
_COLUMNS: Final = (
    field.PERSON_ID,
    field.NAME,
    field.ROLE,
    field.ENABLED,
    field.VALID_FROM,
    field.VALID_UNTIL,
    field.DOORS,
    field.SCHEDULE,
    field.CARD,
    field.TEXT,
    field.LINKED,
    field.METADATA,
    field.STORAGE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One person of a file or a folder: where they stand in it, what is said of them, and where their photos are."""

    place: Mapping[str, Any]
    data: dict[str, Any]
    photos: tuple[Path | None, ...]


async def async_read_people(hass: HomeAssistant, path: str) -> list[Line]:
    """Read a CSV file whose first line names the columns of `add_person`, or a folder.

    In the file, doors and photos (names of files beside it) are separated by semicolons. A folder has such a file
    `people.csv`, or else for each person a picture that is called like them, or a folder with some. Raises
    ServiceValidationError.
    """
    return await hass.async_add_executor_job(_read, hass, path)


async def async_read_photos(hass: HomeAssistant, line: Line) -> list[bytes]:
    """Read the photos of one person: those of a thousand are never in memory at once."""
    return await hass.async_add_executor_job(lambda: [_photo(photo) for photo in line.photos])


async def async_write_export(
    hass: HomeAssistant, path: str, everybody: Sequence[tuple[Profile, tuple[bytes, ...]]]
) -> None:
    """Write people.csv, which can be read again, and the photos into a folder. Raises ServiceValidationError."""
    await hass.async_add_executor_job(_write, hass, path, everybody)


def _read(hass: HomeAssistant, path: str) -> list[Line]:
    file = Path(path)
    if not hass.config.is_allowed_path(path):
        raise invalid("people_path_not_allowed", path=path)
    if file.is_dir():
        if not (file / _FILE).is_file():
            return _read_folder(file)
        file /= _FILE
    try:
        content = _limited(file, _LARGEST_CSV).decode("utf-8-sig")
        lines = list(csv.DictReader(io.StringIO(content), strict=True))
    except (OSError, ValueError, csv.Error) as err:
        raise invalid("people_file_unreadable") from err
    return [_line(file.parent, number, line) for number, line in enumerate(lines, start=2)]


def _read_folder(folder: Path) -> list[Line]:
    """Take each picture for a person, and each folder for one with several."""
    found = []
    try:
        for entry in sorted(folder.iterdir()):
            photos = [entry] if not entry.is_dir() else sorted(entry.iterdir())
            photos = [photo for photo in photos if photo.suffix.lower() in _PICTURES and not photo.name.startswith(".")]
            if photos:
                name = entry.name if entry.is_dir() else entry.stem
                names = tuple(_inside(folder, photo) for photo in photos[: MAX_PHOTOS + 1])
                found.append(Line(place={"file": entry.name}, data={field.NAME: name}, photos=names))
    except OSError as err:
        raise invalid("people_file_unreadable") from err
    return found


def _line(folder: Path, number: int, line: dict[str | None, Any]) -> Line:
    given = {name: value for name, value in line.items() if name is not None and value}
    names = [name.strip() for name in given.pop(_PHOTOS, "").split(";") if name.strip()][: MAX_PHOTOS + 1]
    if field.DOORS in given:
        given[field.DOORS] = [door.strip() for door in given[field.DOORS].split(";") if door.strip()]
    if field.METADATA in given:
        # What is no JSON stays a text, and is refused with its line.
        with suppress(ValueError):
            given[field.METADATA] = json.loads(given[field.METADATA])
    return Line(place={"line": number}, data=given, photos=tuple(_inside(folder, folder / name) for name in names))


def _inside(folder: Path, file: Path) -> Path | None:
    """Pass a file that is really in the folder, wherever links lead; None for any other."""
    try:
        found = file.resolve()
        return found if found.is_relative_to(folder.resolve()) else None
    except OSError, ValueError:
        return None


def _photo(file: Path | None) -> bytes:
    """Read a photo; what cannot be read is no picture, and says so when it is looked at."""
    try:
        return b"" if file is None else _limited(file, _LARGEST_PHOTO)
    except OSError, ValueError:
        return b""


def _limited(file: Path, limit: int) -> bytes:
    with file.open("rb") as opened:
        content = opened.read(limit + 1)
    if len(content) > limit:
        raise ValueError("the file is too large")
    return content


def _write(hass: HomeAssistant, path: str, everybody: Sequence[tuple[Profile, tuple[bytes, ...]]]) -> None:
    if not hass.config.is_allowed_path(path):
        raise invalid("people_path_not_allowed", path=path)
    folder = Path(path)
    if folder.resolve().is_relative_to(Path(hass.config.path("www")).resolve()):
        # Home Assistant gives what is in there to everybody who asks.
        raise invalid("people_path_public", path=path)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _private(folder / _FILE).open("w", encoding="utf-8", newline="") as opened:
            writer = csv.DictWriter(opened, (*_COLUMNS, _PHOTOS))
            writer.writeheader()
            for profile, photos in everybody:
                writer.writerow(_row(folder, profile, photos))
    except OSError as err:
        raise invalid("target_unwritable", path=path) from err


def _row(folder: Path, profile: Profile, photos: tuple[bytes, ...]) -> dict[str, Any]:
    names = []
    for number, photo in enumerate(photos, start=1):
        file = _private(folder / f"{profile.key}_{number}.jpg")
        file.write_bytes(photo)
        names.append(file.name)
    described = field.described(profile)
    row = {name: described.get(name) for name in _COLUMNS}
    return row | {
        field.METADATA: json.dumps(described[field.METADATA], ensure_ascii=False) if profile.metadata else "",
        # An empty field is every door, a lone semicolon none.
        field.DOORS: "" if profile.doors is None else ";".join(sorted(profile.doors)) or ";",
        field.CARD: profile.card,
        _PHOTOS: ";".join(names),
    }


def _private(file: Path) -> Path:
    """Make a file that only its owner can read: it will hold a face or a card number."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    return file

"""People in files: a CSV with photos beside it, read and written where Home Assistant may."""

from collections.abc import Sequence
import csv
import io
from pathlib import Path
from typing import Any, Final

from homeassistant.core import HomeAssistant

from ..hub import people_input as field
from ..people.model import MAX_PHOTOS, Profile
from .request import invalid

_FILE: Final = "people.csv"
_PHOTOS: Final = "photos"
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
    field.STORAGE,
)


async def async_read_csv(hass: HomeAssistant, path: str) -> list[dict[str, Any]]:
    """Read a CSV file whose first line names the columns of `add_person`; `photos` are file names beside it.

    Gives each line's number, data and pictures. Doors and photos are separated by semicolons. Raises
    ServiceValidationError.
    """
    return await hass.async_add_executor_job(_read, hass, path)


async def async_write_export(
    hass: HomeAssistant, path: str, everybody: Sequence[tuple[Profile, tuple[bytes, ...]]]
) -> None:
    """Write people.csv, which can be read again, and the photos into a folder. Raises ServiceValidationError."""
    await hass.async_add_executor_job(_write, hass, path, everybody)


def _read(hass: HomeAssistant, path: str) -> list[dict[str, Any]]:
    file = Path(path)
    if not hass.config.is_allowed_path(path):
        raise invalid("people_path_not_allowed", path=path)
    try:
        content = _limited(file, _LARGEST_CSV).decode("utf-8-sig")
        lines = list(csv.DictReader(io.StringIO(content), strict=True))
    except (OSError, ValueError, csv.Error) as err:
        raise invalid("people_file_unreadable") from err
    return [_line(file.parent, number, line) for number, line in enumerate(lines, start=2)]


def _line(folder: Path, number: int, line: dict[str | None, Any]) -> dict[str, Any]:
    given = {name: value for name, value in line.items() if name is not None and value}
    names = [name.strip() for name in given.pop(_PHOTOS, "").split(";") if name.strip()][: MAX_PHOTOS + 1]
    if field.DOORS in given:
        given[field.DOORS] = [door.strip() for door in given[field.DOORS].split(";") if door.strip()]
    return {"number": number, "data": given, "pictures": [_photo(folder, name) for name in names]}


def _photo(folder: Path, name: str) -> bytes:
    """Read a photo beside the file; what cannot be read is no picture, and says so when it is looked at."""
    file = (folder / name).resolve()
    if not file.is_relative_to(folder.resolve()):
        return b""
    try:
        return _limited(file, _LARGEST_PHOTO)
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
        field.DOORS: ";".join(described[field.DOORS] or ()),
        field.CARD: profile.card,
        _PHOTOS: ";".join(names),
    }


def _private(file: Path) -> Path:
    """Make a file that only its owner can read: it will hold a face or a card number."""
    file.touch(mode=0o600)
    file.chmod(0o600)
    return file

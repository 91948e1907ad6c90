"""Screensaver media and file transfer: chapters 2.10.1 to 2.10.5 and 2.14."""

import base64
import hashlib
from typing import Any, Final

from .core import Core, Upload
from .handlers import Handler
from .schema import INTEGRITY, MISSING, RESOURCES, WRITE, Refusal, decode, illegal

_FOLDER: Final = "/data_fs/screensaver/"
_MAX_FILE: Final = 20 * 1024 * 1024


def _media_path(sequence: int, name: str) -> str:
    return f"{_FOLDER}NO{sequence}.{name}"


def _listed(core: Core, sequences: list[int]) -> list[dict[str, Any]]:
    """Entries of the media list with the path of each."""
    return [
        {"sequence": number, "media_name": core.media[number], "path": _media_path(number, core.media[number])}
        for number in sequences
    ]


def _request_screensaver(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.10.1."""
    return {"screensaver_mode": core.screensaver}


def _update_screensaver(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.10.2."""
    core.screensaver = request["screensaver_mode"]
    return {}


def _request_media(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.10.3."""
    return {"screensaver_media_list": _listed(core, sorted(core.media))}


def _update_media(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.10.4: give names to places; the answer says where each file belongs."""
    items = request["screensaver_media_list"]
    numbers = [item["sequence"] for item in items]
    if len(set(numbers)) != len(numbers):
        raise illegal("screensaver_media_list: a sequence occurs twice")
    for item in items:
        old = core.media.get(item["sequence"])
        if old is not None and old != item["media_name"]:
            core.files.pop(_media_path(item["sequence"], old), None)
        core.media[item["sequence"]] = item["media_name"]
    return {"screensaver_media_list": _listed(core, numbers)}


def _delete_media(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.10.5: forget entries and their files; every one of them must exist."""
    items = request["screensaver_media_list"]
    for item in items:
        if core.media.get(item["sequence"]) != item["media_name"]:
            raise Refusal(MISSING, f"no medium {item['sequence']} of this name")
    for item in items:
        name = core.media.pop(item["sequence"], None)
        core.files.pop(_media_path(item["sequence"], name or ""), None)
    return {"screensaver_media_list": items}


def _download(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.14.1: a chunk of a file with its md5."""
    content = core.files.get(request["path"])
    if content is None:
        raise Refusal(MISSING, "no such file")
    start = request["offset"]
    if start > len(content):
        raise illegal("offset: behind the end of the file")
    chunk = content[start : start + request["size"]]
    return {
        "path": request["path"],
        "total_size": len(content),
        "offset": start,
        "size": len(chunk),
        "data": base64.b64encode(chunk).decode(),
        "md5sum": hashlib.md5(chunk, usedforsecurity=False).hexdigest(),
    }


def _upload(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.14.2: a chunk; one that is sent again replaces itself, one behind a gap is refused."""
    path, offset, total = request["path"], request["offset"], request["total_size"]
    data = decode(request["data"], "data")
    if not path.startswith(_FOLDER) or "/" in path[len(_FOLDER) :] or path == _FOLDER:
        raise Refusal(WRITE, "files can be written in the screensaver folder only")
    if len(data) != request["size"] or offset + len(data) > total:
        raise illegal("size: does not fit the data or the total size")
    if total > _MAX_FILE:
        raise Refusal(RESOURCES, "the file is too large")
    if hashlib.md5(data, usedforsecurity=False).hexdigest() != request["md5sum"]:
        raise Refusal(INTEGRITY, "md5sum does not fit the data")
    if offset == 0:
        core.uploads[path] = Upload(total=total, data=bytearray())
    upload = core.uploads.get(path)
    if upload is None or upload.total != total or offset > len(upload.data):
        raise Refusal(WRITE, "the chunk does not follow the last one")
    upload.data[offset : offset + len(data)] = data
    if offset + len(data) == total:
        core.files[path] = bytes(core.uploads.pop(path).data[:total])
    return {"path": path, "offset": offset, "size": len(data)}


HANDLERS: Final[dict[str, Handler]] = {
    "request lcd screensaver": _request_screensaver,
    "update lcd screensaver": _update_screensaver,
    "request lcd media": _request_media,
    "update lcd media": _update_media,
    "delete lcd media": _delete_media,
    "download file": _download,
    "upload file": _upload,
}

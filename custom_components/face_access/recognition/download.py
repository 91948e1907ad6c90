"""Fetches a model: resumes what was broken off, believes the hash alone, leaves no half file under its name."""

import asyncio
from collections.abc import Callable
import hashlib
from http import HTTPStatus
import os
from pathlib import Path
from typing import Final

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout

from .errors import DownloadError, ModelDamagedError
from .models import MAX_SIZE, Model, ModelFile

type Progress = Callable[[int, int | None], None]
"""Called with the bytes that are here and those that there will be, as far as known."""

UNKNOWN_SIZE_LIMIT: Final = 16 * 1024 * 1024
"""For files whose publisher names no size."""

_CHUNK: Final = 256 * 1024
_TIMEOUT: Final = ClientTimeout(total=None, sock_connect=30, sock_read=60)
_POINTER: Final = b"version https://git-lfs"


async def download(
    session: ClientSession, model: Model, file: ModelFile, folder: Path, progress: Progress | None = None
) -> Path:
    """Fetch a file of a model into a folder and give its path. A file that is there and right is not fetched again.

    Raises DownloadError when it could not be fetched: what has arrived stays and the next attempt goes on from there.
    Raises ModelDamagedError when something else arrived than was announced: it is deleted.
    """
    if file.url is None or file.sha256 is None:
        raise DownloadError(model.id, f"{file.name} is not published anywhere")
    target, part = folder / file.name, folder / f"{file.name}.part"
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        if await asyncio.to_thread(_sha256, target) == file.sha256:
            return target
        await _fetch(session, model, file, part, progress)
        await asyncio.to_thread(_finish, model, file, part, target)
    except OSError as err:
        # ClientError may be one too; both carry no more than an address and an error number.
        raise DownloadError(model.id, f"{file.name} could not be fetched: {err}") from err
    except (ClientError, TimeoutError) as err:
        raise DownloadError(model.id, f"{file.name} could not be fetched: {type(err).__name__} {err}") from err
    return target


async def _fetch(session: ClientSession, model: Model, file: ModelFile, part: Path, progress: Progress | None) -> None:
    """Append what is lacking to the part."""
    limit = file.size or UNKNOWN_SIZE_LIMIT
    have = await asyncio.to_thread(_length, part)
    if have > limit:
        await asyncio.to_thread(part.unlink)
        have = 0
    if file.size is not None and have == file.size:
        return
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    async with session.get(str(file.url), headers=headers, timeout=_TIMEOUT) as response:
        if have and response.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # everything is here already; the hash decides
        if response.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            raise DownloadError(model.id, f"{file.name}: the server answers {response.status}")
        if not _continues(response, have):
            have = 0
        total = file.size or (have + response.content_length if response.content_length else None)
        if total is not None and total > limit:
            raise ModelDamagedError(model.id, f"{file.name} would have {total} bytes, more than {limit}")
        await _append(response, model, part, (have, total, limit), progress)


def _continues(response: ClientResponse, have: int) -> bool:
    """Whether an answer goes on where the part ends; else it is the whole file from the start."""
    return response.status == HTTPStatus.PARTIAL_CONTENT and response.headers.get("Content-Range", "").startswith(
        f"bytes {have}-"
    )


async def _append(
    response: ClientResponse, model: Model, part: Path, sizes: tuple[int, int | None, int], progress: Progress | None
) -> None:
    have, total, limit = sizes
    stream = await asyncio.to_thread(part.open, "ab" if have else "wb")
    try:
        async for chunk in response.content.iter_chunked(_CHUNK):
            have += len(chunk)
            if have > limit:
                await asyncio.to_thread(part.unlink)
                raise ModelDamagedError(model.id, f"more than {limit} bytes arrive")
            await asyncio.to_thread(stream.write, chunk)
            if progress is not None:
                progress(have, total)
    finally:
        await asyncio.to_thread(stream.close)
    if total is not None and have < total:
        raise DownloadError(model.id, f"the connection ended after {have} of {total} bytes")


def _finish(model: Model, file: ModelFile, part: Path, target: Path) -> None:
    """Give the part its name if it is what was announced."""
    if _sha256(part) != file.sha256:
        with part.open("rb") as stream:
            pointer = stream.read(len(_POINTER)) == _POINTER
        part.unlink()
        what = "a Git LFS pointer" if pointer else "not what was announced"
        raise ModelDamagedError(model.id, f"{file.name}: what arrived is {what} (SHA-256 differs)")
    with part.open("rb+") as stream:
        os.fsync(stream.fileno())
    part.replace(target)


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _sha256(path: Path) -> str | None:
    """Hash a file; None where there is none, or one that no model has the size of."""
    if not path.is_file() or path.stat().st_size > MAX_SIZE:
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

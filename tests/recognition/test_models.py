"""The manifest is complete and true; files are the right ones or a clear error; downloads survive whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
import hashlib
import json
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
import pytest

from custom_components.face_access.recognition import download as downloads, models
from custom_components.face_access.recognition.download import download
from custom_components.face_access.recognition.errors import (
    DownloadError,
    ModelDamagedError,
    ModelError,
    ModelLicenceError,
    ModelMissingError,
    ModelUnusableError,
)
from custom_components.face_access.recognition.models import Model, ModelFile, ModelRole, manifest, parse
from custom_components.face_access.recognition.store import ModelOrigin, ModelStore
from tests.conftest import until

from . import toys

ROOT = Path(__file__).parents[2]


def test_the_manifest_is_complete() -> None:
    found = manifest()
    for role in ModelRole:
        assert any(model.role is role and model.default for model in found)
    for model in found:
        assert not model.noncommercial
        assert not model.users
        assert model.licence in ("MIT", "Apache-2.0")
        assert model.licence_url.startswith("https://")
        assert len(model.attribution) > 5
        assert any(file.url for file in model.files)
        assert all(file.sha256 for file in model.files)


def test_the_manifest_in_the_root_is_that_of_the_package() -> None:
    assert (ROOT / "models" / "manifest.json").read_bytes() == models.MANIFEST.read_bytes()


def test_what_is_fetched_for_each_role() -> None:
    chosen = [model for model in manifest() if model.default]
    assert [file.name for _, file in models.downloads(chosen)] == [
        "yunet_n_dynamic.onnx",
        "MobileFaceNet.onnx",
        "MiniFASNetV2.onnx",
        "MiniFASNetV1SE.onnx",
    ]


def entry(**changes: Any) -> dict[str, Any]:
    return {**toys.described("detector", "toy", "RGB", None), **changes}


FILE = {"name": "toy.onnx", "url": "https://example.com/toy.onnx", "size": 10, "sha256": "0" * 64}
WRONG: dict[str, tuple[Any, str]] = {
    "no object": ([], "not an object"),
    "no id": (entry(id=None), "'id'"),
    "role": (entry(role="cook"), "'role'"),
    "licence": (entry(licence=""), "'licence'"),
    "licence left open": ({key: value for key, value in entry().items() if key != "noncommercial"}, "'noncommercial'"),
    "noncommercial": (entry(noncommercial="no"), "'noncommercial'"),
    "no files": (entry(files=[]), "'files'"),
    "file": (entry(files=["toy.onnx"]), "'files'"),
    "path": (entry(files=[{"name": "../toy.onnx"}]), "'name'"),
    "ending": (entry(files=[{"name": "toy.exe"}]), "'name'"),
    "plain http": (entry(files=[{**FILE, "url": "http://example.com/toy.onnx"}]), "'url'"),
    "size": (entry(files=[{**FILE, "size": -1}]), "'size'"),
    "huge": (entry(files=[{**FILE, "size": 1 << 40}]), "'size'"),
    "hash": (entry(files=[{**FILE, "sha256": "abc"}]), "'sha256'"),
    "download without hash": (entry(files=[{**FILE, "sha256": None}]), "'sha256'"),
    "input": (entry(input=None), "'input'"),
    "input size": (entry(input={"size": [0, 5], "color": "RGB"}), "'size'"),
    "input size is one": (entry(input={"size": [112], "color": "RGB"}), "'size'"),
    "color": (entry(input={"color": "CMYK"}), "'color'"),
    "std": (entry(input={"color": "RGB", "std": [1, 0, 1]}), "'input'"),
    "scale": (entry(input={"color": "RGB", "scale": True}), "'input'"),
    "crop": (entry(crop=0.5), "'crop'"),
    "cosines": (entry(role="embedder", cosine_at_fmr={"1e-3": 0.5}), "'cosine_at_fmr'"),
    "cosines of text": (entry(role="embedder", cosine_at_fmr={"1e-3": "x"}), "'cosine_at_fmr'"),
    "dim": (entry(role="embedder", dim=77), "'cosine_at_fmr'"),
}


@pytest.mark.parametrize(("content", "reason"), WRONG.values(), ids=WRONG)
def test_wrong_descriptions_say_what_is_wrong(content: Any, reason: str) -> None:
    with pytest.raises(ModelUnusableError, match=reason):
        parse(json.dumps({"models": [content]}), users=True)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"models": {}}', '{"models": ' + "[" * 100000],
    ids=["empty", "list", "none", "object", "deep"],
)
def test_descriptions_that_are_none(text: str) -> None:
    with pytest.raises(ModelUnusableError):
        parse(text)


def test_the_package_must_name_every_hash() -> None:
    with pytest.raises(ModelUnusableError, match="sha256"):
        parse(json.dumps({"models": [entry()]}))
    with pytest.raises(ModelUnusableError, match="same id"):
        parse(json.dumps({"models": [entry(), entry()]}), users=True)


@pytest.mark.parametrize("dim", [128, 512])
def test_unmeasured_embedders_are_known_as_such(dim: int) -> None:
    (found,) = parse(json.dumps({"models": [entry(role="embedder", dim=dim)]}), users=True)
    assert not found.calibrated
    assert 0.2 < found.cosine_at_fmr["1e-4"] < 0.5


# --- store ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


@pytest.fixture
def store(tmp_path: Path, own: Path) -> ModelStore:
    (tmp_path / "downloaded").mkdir()
    return ModelStore(tmp_path / "downloaded", own)


def describe(own: Path, *entries: dict[str, Any]) -> None:
    (own / "models.json").write_text(json.dumps({"models": entries}))


def default(role: ModelRole) -> Model:
    return next(model for model in manifest() if model.role is role and model.default)


def test_missing_models_are_listed(store: ModelStore) -> None:
    assert [model.id for model in store.missing(list(ModelRole))] == [
        "yunet_n",
        "mobilefacenet",
        "minifasnet_v2",
        "minifasnet_v1se",
    ]
    with pytest.raises(ModelMissingError, match=r"MobileFaceNet\.onnx"):
        store.load(default(ModelRole.EMBEDDER))


def test_a_damaged_download_is_not_used(store: ModelStore) -> None:
    (store.downloaded / "MobileFaceNet.onnx").write_bytes(b"something else")
    with pytest.raises(ModelDamagedError, match="SHA-256"):
        store.load(default(ModelRole.EMBEDDER))


def test_a_user_file_of_the_same_name_takes_precedence_and_is_shown(store: ModelStore, own: Path) -> None:
    (store.downloaded / "MobileFaceNet.onnx").write_bytes(b"something else")
    (own / "MobileFaceNet.onnx").write_bytes(b"my own")
    found = store.load(default(ModelRole.EMBEDDER))
    assert (found.data, found.origin, found.calibrated) == (b"my own", ModelOrigin.USER, False)
    assert found.sha256 == hashlib.sha256(b"my own").hexdigest()


def test_described_models_take_the_place_of_the_defaults(store: ModelStore, own: Path) -> None:
    describe(own, entry(), toys.described("liveness", "mine", "RGB", [80, 80]))
    (own / "toy.onnx").write_bytes(b"weights")
    assert [model.id for model in store.choose(ModelRole.DETECTOR)] == ["toy"]
    assert [model.id for model in store.choose(ModelRole.LIVENESS)] == ["mine"]
    assert [model.id for model in store.choose(ModelRole.EMBEDDER)] == ["mobilefacenet"]
    assert [model.id for model in store.choose(ModelRole.DETECTOR, "yunet_2023mar")] == ["yunet_2023mar"]
    with pytest.raises(ModelMissingError, match="no detector"):
        store.choose(ModelRole.DETECTOR, "mobilefacenet")
    found = store.load(store.choose(ModelRole.DETECTOR)[0])
    assert (found.origin, found.calibrated) == (ModelOrigin.USER, True)


def test_a_described_hash_must_be_right(store: ModelStore, own: Path) -> None:
    (own / "toy.onnx").write_bytes(b"weights")
    file = {"name": "toy.onnx", "sha256": hashlib.sha256(b"weights").hexdigest()}
    describe(own, entry(files=[file]))
    model = store.choose(ModelRole.DETECTOR)[0]
    assert store.load(model).data == b"weights"
    (own / "toy.onnx").write_bytes(b"other weights")
    with pytest.raises(ModelDamagedError):
        store.load(model)


def test_noncommercial_models_need_consent(store: ModelStore, own: Path) -> None:
    describe(own, entry(noncommercial=True, licence="research only"))
    (own / "toy.onnx").write_bytes(b"weights")
    model = store.choose(ModelRole.DETECTOR)[0]
    with pytest.raises(ModelLicenceError, match="research only") as caught:
        store.load(model)
    assert caught.value.model == "toy"
    with pytest.raises(ModelLicenceError):
        store.missing([ModelRole.DETECTOR])
    assert ModelStore(store.downloaded, own, accepted=["toy"]).load(model).data == b"weights"


def test_descriptions_that_cannot_be_read(store: ModelStore, own: Path) -> None:
    (own / "models.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match=r"models\.json"):
        store.models()


def test_files_that_cannot_be_read(store: ModelStore, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own / "MobileFaceNet.onnx").write_bytes(b"my own")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ModelMissingError, match="Permission denied"):
        store.load(default(ModelRole.EMBEDDER))


def test_files_without_end(store: ModelStore, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own / "MobileFaceNet.onnx").write_bytes(b"my own")
    monkeypatch.setattr("custom_components.face_access.recognition.store.MAX_SIZE", 3)
    with pytest.raises(ModelDamagedError, match="more than 3"):
        store.load(default(ModelRole.EMBEDDER))


# --- download -------------------------------------------------------------------------------------------------------

CONTENT = bytes(range(256)) * 4000


class Server:
    """Serves one file, as badly as it is told."""

    def __init__(self) -> None:
        self.content = CONTENT
        self.break_after: int | None = None
        self.arrived: Callable[[], bool] = lambda: True
        self.ranges = True
        self.status = 200
        self.requests: list[str | None] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        wanted = request.headers.get("Range")
        self.requests.append(wanted)
        if self.status != 200:
            return web.Response(status=self.status)
        begin = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and self.ranges else 0
        if begin >= len(self.content):
            return web.Response(status=416)
        part = self.content[begin:]
        response = web.StreamResponse(status=206 if begin else 200)
        response.content_length = len(part)
        if begin:
            response.headers["Content-Range"] = f"bytes {begin}-{len(self.content) - 1}/{len(self.content)}"
        await response.prepare(request)
        await response.write(part if self.break_after is None else part[: self.break_after])
        if self.break_after is not None:
            # What a client has not read yet goes with the connection.
            await until(self.arrived)
            assert request.transport is not None
            request.transport.close()
        return response


@pytest.fixture
async def server(socket_enabled: None) -> AsyncIterator[tuple[Server, str]]:
    served = Server()
    app = web.Application()
    app.router.add_get("/model.onnx", served.handle)
    async with TestServer(app, host="127.0.0.1") as running:
        yield served, str(running.make_url("/model.onnx"))


@pytest.fixture
async def session(server: object) -> AsyncIterator[ClientSession]:
    async with ClientSession() as one:
        yield one


type Fetch = Callable[..., Any]


@pytest.fixture
def fetch(server: tuple[Server, str], session: ClientSession, tmp_path: Path) -> Fetch:
    model = default(ModelRole.DETECTOR)
    file = ModelFile(name="model.onnx", url=server[1], size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())

    async def run(progress: Any = None, **changes: Any) -> Path:
        return await download(session, model, replace(file, **changes), tmp_path / "new" / "models", progress)

    return run


def part(tmp_path: Path) -> Path:
    return tmp_path / "new" / "models" / "model.onnx.part"


@pytest.mark.parametrize("size", [len(CONTENT), None])
async def test_fetches_and_tells_how_far(fetch: Fetch, tmp_path: Path, size: int | None) -> None:
    seen: list[tuple[int, int | None]] = []
    path = await fetch(lambda have, total: seen.append((have, total)), size=size)
    assert path == tmp_path / "new" / "models" / "model.onnx"
    assert path.read_bytes() == CONTENT
    assert not part(tmp_path).exists()
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [have for have, _ in seen] == sorted({have for have, _ in seen})


async def test_what_is_there_is_not_fetched_again(fetch: Fetch, server: tuple[Server, str]) -> None:
    await fetch()
    await fetch()
    assert server[0].requests == [None]


async def test_goes_on_where_it_broke_off(fetch: Fetch, server: tuple[Server, str], tmp_path: Path) -> None:
    server[0].break_after = 300_000
    server[0].arrived = lambda: part(tmp_path).exists() and part(tmp_path).stat().st_size > 0
    with pytest.raises(DownloadError):
        await fetch()
    have = part(tmp_path).stat().st_size
    assert 0 < have <= 300_000
    assert not (tmp_path / "new" / "models" / "model.onnx").exists()
    server[0].break_after = None
    assert (await fetch()).read_bytes() == CONTENT
    assert server[0].requests == [None, f"bytes={have}-"]


async def test_starts_anew_where_the_server_cannot_go_on(
    fetch: Fetch, server: tuple[Server, str], tmp_path: Path
) -> None:
    part(tmp_path).parent.mkdir(parents=True)
    part(tmp_path).write_bytes(b"x" * 1000)
    server[0].ranges = False
    assert (await fetch()).read_bytes() == CONTENT


@pytest.mark.parametrize("size", [len(CONTENT), None])
async def test_a_complete_part_is_finished(
    fetch: Fetch, server: tuple[Server, str], tmp_path: Path, size: int | None
) -> None:
    part(tmp_path).parent.mkdir(parents=True)
    part(tmp_path).write_bytes(CONTENT)
    assert (await fetch(size=size)).read_bytes() == CONTENT
    assert len(server[0].requests) == (size is None)


async def test_a_part_that_is_too_long_is_thrown_away(fetch: Fetch, tmp_path: Path) -> None:
    part(tmp_path).parent.mkdir(parents=True)
    part(tmp_path).write_bytes(CONTENT + b"more")
    assert (await fetch()).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "content", [CONTENT[:-1] + b"?", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"]
)
async def test_the_wrong_file_is_deleted(
    fetch: Fetch, server: tuple[Server, str], tmp_path: Path, content: bytes
) -> None:
    server[0].content = content
    with pytest.raises(ModelDamagedError, match="Git LFS" if b"lfs" in content else "not what was announced"):
        await fetch(size=None)
    assert list((tmp_path / "new" / "models").iterdir()) == []


async def test_the_wrong_size_never_gets_its_name(fetch: Fetch, server: tuple[Server, str], tmp_path: Path) -> None:
    server[0].content = CONTENT[:-5]
    with pytest.raises(DownloadError, match="ended after"):
        await fetch()
    assert not (tmp_path / "new" / "models" / "model.onnx").exists()


async def test_a_file_without_end_is_cut_off(
    fetch: Fetch, server: tuple[Server, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "UNKNOWN_SIZE_LIMIT", 1000)
    with pytest.raises(ModelDamagedError, match="more than 1000"):
        await fetch(size=None)
    server[0].content = CONTENT * 2
    with pytest.raises(ModelDamagedError, match="more than"):
        await fetch()
    assert not part(tmp_path).exists()


async def test_a_refusal_is_an_error(fetch: Fetch, server: tuple[Server, str]) -> None:
    server[0].status = 404
    with pytest.raises(DownloadError, match="404"):
        await fetch()


async def test_no_connection_is_an_error(fetch: Fetch, unused_tcp_port: int) -> None:
    with pytest.raises(DownloadError):
        await fetch(url=f"http://127.0.0.1:{unused_tcp_port}/model.onnx")


async def test_a_full_disk_is_an_error(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(DownloadError, match="No space"):
        await fetch()


async def test_what_nobody_publishes_cannot_be_fetched(fetch: Fetch) -> None:
    with pytest.raises(DownloadError, match="not published"):
        await fetch(url=None)


async def test_a_cancelled_download_goes_on_later(fetch: Fetch, server: tuple[Server, str]) -> None:
    arrived = asyncio.Event()
    task = asyncio.ensure_future(fetch(lambda have, total: arrived.set()))
    await arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await fetch()).read_bytes() == CONTENT


def test_the_real_files_are_those_of_the_manifest(real_models: Path) -> None:
    store = ModelStore(real_models)
    for role in ModelRole:
        for model in store.choose(role):
            assert store.load(model).calibrated

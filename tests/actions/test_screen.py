"""Text, pictures and screensavers: what arrives at the station."""

from collections.abc import AsyncIterator
from datetime import timedelta
from io import BytesIO
import os
from pathlib import Path
from unittest.mock import patch

from aiohttp import web
from aiohttp.test_utils import TestServer
from homeassistant.components.camera import Image as CameraImage
from homeassistant.components.media_source import PlayMedia
from homeassistant.core import HomeAssistant
from PIL import Image
import pytest

from custom_components.face_access.actions import media
from custom_components.face_access.devices.station import ScreenText
from tests.actions.conftest import Act, FullDevice, fails, picture_file

RESOLVE = "homeassistant.components.media_source.async_resolve_media"


def _shown(device: FullDevice) -> Image.Image:
    """The last picture on the screen; it must be a JPEG."""
    picture = Image.open(BytesIO(device.did("show_image")[-1][0]))
    assert picture.format == "JPEG"
    return picture


async def test_text_with_a_title_goes_line_by_line(act: Act, device: FullDevice) -> None:
    await act(
        "show_text",
        title="Parcel",
        message="leave it\n\nhere",
        x=10,
        y=100,
        size=100,
        color=[255, 200, 0],
        duration="00:00:20",
    )
    common = {"x": 10, "size": 100, "color": 0xFFFFC800, "duration": timedelta(seconds=20)}
    lines = [("Parcel", 100), ("leave it", 210), ("here", 430)]
    assert device.did("show_text") == [(tuple(ScreenText(text=text, y=y, **common) for text, y in lines),)]  # type: ignore[arg-type]


async def test_text_alone_takes_the_usual_place(act: Act, device: FullDevice) -> None:
    await act("show_text", message="hello")
    assert device.did("show_text") == [((ScreenText(text="hello"),),)]


async def test_a_file_is_shown(act: Act, device: FullDevice, allowed: Path) -> None:
    (allowed / "a.png").write_bytes(picture_file())
    await act("show_image", path=str(allowed / "a.png"), x=5, y=6, duration=0)
    assert device.did("show_image")[0][1:] == (5, 6, timedelta())
    assert _shown(device).size == (40, 30)


async def test_a_file_that_may_not_be_read(act: Act, device: FullDevice, allowed: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture_file())
    (allowed / "link.png").symlink_to(secret)
    for path in (secret, allowed / "link.png", allowed / ".." / "secret.png"):
        with fails("path_not_allowed", path=str(path)):
            await act("show_image", path=str(path))
    assert device.commands == []


async def test_what_is_no_file(act: Act, device: FullDevice, allowed: Path) -> None:
    os.mkfifo(allowed / "pipe")
    for name in ("missing.png", "pipe", "."):
        with fails("media_unavailable", field="path"):
            await act("show_image", path=str(allowed / name))
    assert device.commands == []


async def test_a_file_that_cannot_be_read(act: Act, allowed: Path) -> None:
    (allowed / "a.png").write_bytes(picture_file())
    with patch.object(Path, "open", side_effect=PermissionError), fails("media_unavailable", field="path"):
        await act("show_image", path=str(allowed / "a.png"))


async def test_a_file_that_is_too_large(act: Act, allowed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "LARGEST_FILE", 1024 * 1024)
    (allowed / "a.png").write_bytes(bytes(1024 * 1024 + 1))
    with fails("media_too_large", field="path", limit="1"):
        await act("show_image", path=str(allowed / "a.png"))


async def test_a_file_that_is_no_picture(act: Act, device: FullDevice, allowed: Path) -> None:
    (allowed / "a.png").write_bytes(b"<html>")
    with fails("not_a_picture"):
        await act("show_image", path=str(allowed / "a.png"))
    assert device.commands == []


@pytest.mark.parametrize(
    "source", [{"image_entity": "camera.yard"}, {"media": "media-source://camera/camera.yard"}], ids=["entity", "media"]
)
async def test_a_camera_is_shown(hass: HomeAssistant, act: Act, device: FullDevice, source: dict[str, str]) -> None:
    hass.states.async_set("camera.yard", "idle")
    picture = CameraImage("image/png", picture_file((64, 48)))
    with patch("homeassistant.components.camera.async_get_image", return_value=picture) as get_image:
        await act("show_image", **source)
    assert get_image.await_args is not None
    assert get_image.await_args.args == (hass, "camera.yard")
    assert _shown(device).size == (64, 48)


async def test_an_image_is_shown(hass: HomeAssistant, act: Act, device: FullDevice) -> None:
    hass.states.async_set("image.map", "2026-11-01")
    picture = CameraImage("image/png", picture_file())
    with patch("homeassistant.components.image.async_get_image", return_value=picture):
        await act("show_image", image_entity="image.map")
    assert _shown(device).size == (40, 30)


async def test_an_entity_that_is_not_there(act: Act) -> None:
    with fails("media_unavailable", field="image_entity"):
        await act("show_image", image_entity="camera.gone")
    with fails("media_unavailable", field="media"):
        await act("show_image", media="media-source://image/image.gone")


async def test_a_medium_with_a_file(act: Act, device: FullDevice, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(picture_file())
    with patch(RESOLVE, return_value=PlayMedia("/media/local/a.png", "image/png", path=file)):
        await act("show_image", media="media-source://media_source/local/a.png")
    assert _shown(device).size == (40, 30)


@pytest.fixture
async def site(hass: HomeAssistant, socket_enabled: None) -> AsyncIterator[str]:
    """A web server that Home Assistant may read, but for /private."""
    app = web.Application()

    async def stop_short(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"only this")
        assert request.transport is not None
        request.transport.close()
        return response

    async def elsewhere(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/private/a.png")

    async def picture(_request: web.Request) -> web.Response:
        return web.Response(body=picture_file())

    async def large(_request: web.Request) -> web.Response:
        return web.Response(body=bytes(1024 * 1024 + 1))

    app.router.add_get("/public/a.png", picture)
    app.router.add_get("/private/a.png", picture)
    app.router.add_get("/public/short", stop_short)
    app.router.add_get("/public/elsewhere", elsewhere)
    app.router.add_get("/public/large", large)
    async with TestServer(app) as server:
        hass.config.allowlist_external_urls = {f"{server.make_url('/public')}/"}
        yield str(server.make_url("")).rstrip("/")


async def test_an_allowed_address(act: Act, device: FullDevice, site: str) -> None:
    await act("show_image", media=f"{site}/public/a.png")
    assert _shown(device).size == (40, 30)
    with fails("url_not_allowed"):
        await act("show_image", media=f"{site}/private/a.png")


@pytest.mark.parametrize("path", ["missing", "elsewhere", "short"])
async def test_an_allowed_address_without_a_picture(act: Act, device: FullDevice, site: str, path: str) -> None:
    with fails("media_unavailable", field="media"):
        await act("show_image", media=f"{site}/public/{path}")
    assert device.commands == []


async def test_an_address_that_nobody_serves(hass: HomeAssistant, act: Act, site: str) -> None:
    hass.config.allowlist_external_urls = {"http://127.0.0.1:1/"}
    with fails("media_unavailable", field="media"):
        await act("show_image", media="http://127.0.0.1:1/a.png")


async def test_an_address_that_gives_too_much(act: Act, site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "LARGEST_FILE", 1024 * 1024)
    with fails("media_too_large", field="media"):
        await act("show_image", media=f"{site}/public/large")


async def test_exactly_one_picture(act: Act) -> None:
    with fails("exactly_one", fields="media, image_entity, path"):
        await act("show_image")
    with fails("exactly_one"):
        await act("upload_screensaver", path="/a.png", image_entity="camera.yard")


# Screensavers


@pytest.mark.parametrize(
    "names",
    [
        ("Welcome home!.png", None, "welcome_home.jpg"),
        ("a.png", "../../etc/passwd", "passwd.jpg"),
        ("a.png", "C:\\pictures\\b.mp4", "b.jpg"),
        ("a.png", "新闻", "xin_wen.jpg"),
        ("a.png", "x" * 300, "x" * 40 + ".jpg"),
        ("a.png", "///", "screensaver.jpg"),
    ],
)
async def test_a_picture_is_kept_under_a_harmless_name(
    act: Act, device: FullDevice, allowed: Path, names: tuple[str, str | None, str]
) -> None:
    file, name, kept = names
    (allowed / file).write_bytes(picture_file())
    wanted = {"path": str(allowed / file), "name": name}
    assert await act("upload_screensaver", **{key: value for key, value in wanted.items() if value}) == {"name": kept}
    ((stored, content),) = device.did("add_screensaver")
    assert stored == kept
    assert Image.open(BytesIO(content)).format == "JPEG"


async def test_a_video_is_kept_as_it_is(act: Act, device: FullDevice, allowed: Path) -> None:
    (allowed / "Clip.MP4").write_bytes(b"video")
    assert await act("upload_screensaver", path=str(allowed / "Clip.MP4"), name="tour.png") == {"name": "tour.mp4"}
    assert device.did("add_screensaver") == [("tour.mp4", b"video")]


@pytest.mark.parametrize(("file", "content"), [("a.txt", b"text"), ("empty.mp4", b"")])
async def test_what_is_neither_is_refused(
    act: Act, device: FullDevice, allowed: Path, file: str, content: bytes
) -> None:
    (allowed / file).write_bytes(content)
    with fails("not_a_picture"):
        await act("upload_screensaver", path=str(allowed / file))
    assert device.commands == []


async def test_screensavers_are_listed_and_deleted(act: Act, device: FullDevice) -> None:
    device.media = ["a.jpg", "b.mp4"]
    assert await act("list_screensavers") == {"names": ["a.jpg", "b.mp4"]}
    with fails("unknown_screensaver", missing="c.jpg", names="a.jpg, b.mp4"):
        await act("delete_screensaver", names=["a.jpg", "c.jpg"])
    assert device.commands == []
    await act("delete_screensaver", names=["a.jpg", "a.jpg", "b.mp4"])
    assert device.did("remove_screensavers") == [(("a.jpg", "b.mp4"),)]

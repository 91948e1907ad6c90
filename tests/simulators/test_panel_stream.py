"""The stream of the simulated panel: spoken to by hand, decoded, and taken by Home Assistant itself."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
import struct
from typing import Any

import av
from homeassistant.components.camera import DynamicStreamSettings
from homeassistant.components.stream import HLS_PROVIDER, create_stream
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from PIL import Image, ImageChops, ImageStat
import pytest

from simulators._panel.settings import RTSP, VIDEO
from simulators.panel import SimulatedPanel

pytestmark = pytest.mark.usefixtures("socket_enabled")

LOGIN = "Basic " + base64.b64encode(b"admin:123456").decode()
TCP = "RTP/AVP/TCP;unicast;interleaved=0-1"


@pytest.fixture
async def panel() -> AsyncIterator[SimulatedPanel]:
    simulated = SimulatedPanel()
    simulated.settings.values[VIDEO].update(video_resolution="320x240", fps=20)
    await simulated.start()
    yield simulated
    await simulated.stop()
    assert simulated.violations == []


class Watcher:
    """Speaks RTSP by hand."""

    def __init__(self, panel: SimulatedPanel, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.panel, self.reader, self.writer = panel, reader, writer
        self.number = 0

    def url(self, path: str = "/ch01") -> str:
        return f"rtsp://127.0.0.1:{self.panel.stream.port}{path}"

    async def ask(self, method: str, path: str = "/ch01", login: str = LOGIN, **headers: str) -> tuple[int, str]:
        """Status and the rest of the answer."""
        self.number += 1
        lines = {"CSeq": str(self.number), "Authorization": login, **headers}
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self.writer.write(f"{method} {self.url(path)} RTSP/1.0\r\n{text}\r\n".encode())
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        assert f"CSeq: {self.number}\r\n" in head
        length = int(head.partition("Content-Length: ")[2].partition("\r")[0] or 0)
        return int(head.split()[1]), head + (await self.reader.readexactly(length)).decode()

    async def packet(self) -> tuple[int, bytes]:
        """The channel and the packet that come next."""
        mark, channel, size = struct.unpack(">cBH", await self.reader.readexactly(4))
        assert mark == b"$"
        return channel, await self.reader.readexactly(size)


@asynccontextmanager
async def watching(panel: SimulatedPanel) -> AsyncIterator[Watcher]:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection("127.0.0.1", panel.stream.port)
        yield Watcher(panel, reader, writer)
        writer.close()


async def test_a_conversation(panel: SimulatedPanel) -> None:
    async with watching(panel) as watcher:
        assert (await watcher.ask("OPTIONS", login=""))[0] == 200
        status, told = await watcher.ask("DESCRIBE")
        assert status == 200
        assert "m=video 0 RTP/AVP 96" in told
        assert "m=audio" not in told
        assert (await watcher.ask("PLAY"))[0] == 455
        assert (await watcher.ask("SETUP", "/ch01/track1", Transport=TCP))[0] == 200
        assert panel.stream.watchers == 0
        assert (await watcher.ask("PLAY"))[0] == 200
        channel, packet = await watcher.packet()
        assert (channel, packet[1] & 0x7F, packet[12] & 0x1F) == (0, 96, 7)
        assert panel.stream.watchers == 1
        # What the receiver reports is passed over.
        watcher.writer.write(struct.pack(">cBH", b"$", 1, 4) + b"\x80\xc9\0\0")
        watcher.writer.write(f"TEARDOWN {watcher.url()} RTSP/1.0\r\nCSeq: 9\r\nAuthorization: {LOGIN}\r\n\r\n".encode())
        await watcher.reader.read()
    assert panel.stream.watchers == 0


@pytest.mark.parametrize(
    ("method", "path", "more", "status"),
    [
        ("DESCRIBE", "/ch01", {"login": ""}, 401),
        ("DESCRIBE", "/ch01", {"login": "Basic YWRtaW46d3Jvbmc="}, 401),
        ("DESCRIBE", "/ch01", {"login": "Basic ?"}, 401),
        ("DESCRIBE", "/ch01", {"login": 'Digest username="admin", uri="x", response="é"'}, 401),
        ("DESCRIBE", "/ch02", {}, 404),
        ("RECORD", "/ch01", {}, 405),
        ("GET_PARAMETER", "/ch01", {}, 200),
        ("SETUP", "/ch01/track1", {"Transport": "RTP/AVP;unicast;client_port=5000-5001"}, 461),
        ("SETUP", "/ch01/track1", {"Transport": "RTP/AVP/TCP;interleaved=255-256"}, 461),
        ("SETUP", "/ch01/track7", {"Transport": TCP}, 404),
    ],
)
async def test_answers(panel: SimulatedPanel, method: str, path: str, more: dict[str, str], status: int) -> None:
    async with watching(panel) as watcher:
        assert (await watcher.ask(method, path, **more))[0] == status


@pytest.mark.parametrize("sent", [b"$\0\0\x09abc", b"x" * 20000, b"GET / HTTP/1.1\r\n"])
async def test_whoever_speaks_something_else(panel: SimulatedPanel, sent: bytes) -> None:
    async with watching(panel) as watcher:
        watcher.writer.write(sent)
        watcher.writer.write_eof()
        assert await watcher.reader.read() == b""


def first_picture(url: str) -> tuple[Image.Image, list[str]]:
    with av.open(url, options={"rtsp_transport": "tcp"}, timeout=15) as container:
        kinds = [stream.codec_context.name for stream in container.streams]
        pictures = container.decode(video=0)
        return [next(pictures) for _ in range(3)][-1].to_image(), kinds


async def test_it_shows_what_the_camera_sees(panel: SimulatedPanel) -> None:
    await panel.ring(visitor="Erin")
    shown, kinds = await asyncio.to_thread(first_picture, panel.stream.url)
    wanted = Image.open(BytesIO(panel.camera.jpeg())).resize((320, 240))
    assert kinds == ["h264"]
    assert max(ImageStat.Stat(ImageChops.difference(shown, wanted)).mean) < 6


@pytest.mark.parametrize("size", ["322x243", "1281x719"])
async def test_size_and_sound_are_those_of_the_settings(panel: SimulatedPanel, size: str) -> None:
    panel.settings.values[VIDEO]["video_resolution"] = size
    panel.settings.values[RTSP]["is_audio_enabled"] = True
    shown, kinds = await asyncio.to_thread(first_picture, panel.stream.url)
    width, height = (int(side) & ~1 for side in size.split("x"))
    assert (shown.size, kinds) == ((width, height), ["h264", "pcm_mulaw"])


async def test_the_account_is_that_of_the_settings(panel: SimulatedPanel) -> None:
    before = panel.stream.url
    panel.settings.values[RTSP]["password"] = "another"
    with pytest.raises(av.error.HTTPUnauthorizedError):
        await asyncio.to_thread(first_picture, before)
    await asyncio.to_thread(first_picture, panel.stream.url)


async def test_without_network_there_is_no_stream(panel: SimulatedPanel) -> None:
    async with watching(panel) as watcher:
        await watcher.ask("OPTIONS")
        await panel.cut_network()
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await watcher.ask("OPTIONS")
    async with watching(panel) as watcher:
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await watcher.ask("OPTIONS")
    await panel.restore_network()
    async with watching(panel) as watcher:
        assert (await watcher.ask("OPTIONS"))[0] == 200


async def test_home_assistant_plays_it(hass: HomeAssistant, panel: SimulatedPanel) -> None:
    assert await async_setup_component(hass, "stream", {})
    options: dict[str, Any] = {"rtsp_transport": "tcp"}
    stream = create_stream(hass, panel.stream.url, options, DynamicStreamSettings())
    provider = stream.add_provider(HLS_PROVIDER)
    await stream.start()
    try:
        async with asyncio.timeout(30):
            assert await provider.recv()
        segment = provider.last_segment
        assert segment is not None
        with av.open(BytesIO(segment.init + segment.get_data())) as container:
            assert container.streams.video[0].codec_context.name == "h264"
    finally:
        await stream.remove_provider(provider)
        await stream.stop()

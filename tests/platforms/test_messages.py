"""Messages, announcements and sounds."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
import io
from pathlib import Path
import sys
import wave

from freezegun.api import FrozenDateTimeFactory
from homeassistant.components import ffmpeg
from homeassistant.components.media_player import MediaClass
from homeassistant.components.media_source import PlayMedia
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError
from homeassistant.setup import async_setup_component
import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.face_access.coordinator import FaceAccessCoordinator
from custom_components.face_access.devices.errors import StationRefusedError
from custom_components.face_access.hub import audio
from tests.fakes import FakeDevice

from .conftest import SetUp

type Find = Callable[[str, str], str]


async def send(hass: HomeAssistant, entity: str, message: str, title: str | None = None) -> None:
    data = {"entity_id": entity, "message": message, **({"title": title} if title else {})}
    await hass.services.async_call("notify", "send_message", data, blocking=True)


async def test_speak(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    await send(hass, entity_id("notify", "speak"), "Hello", "Never spoken")
    assert device.did("say") == [("Hello",)]
    device.trouble = StationRefusedError("busy")
    with pytest.raises(HomeAssistantError) as error:
        await send(hass, entity_id("notify", "speak"), "Hello")
    assert error.value.translation_key == "refused_busy"


async def test_screen(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    screen = entity_id("notify", "screen")
    await send(hass, screen, "One line")
    await send(hass, screen, "Leave it\n\nwith the neighbour ", "Parcel")
    (one,), (three,) = device.did("show_text")
    assert [(line.text, line.y) for line in one] == [("One line", 500)]
    assert [(line.text, line.y) for line in three] == [
        ("Parcel", 340),
        ("Leave it", 420),
        ("with the neighbour", 500),
    ]


@pytest.mark.parametrize("message", [" ", "\n".join("12345678")])
async def test_screen_has_room_for_some_lines(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find, message: str
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await send(hass, entity_id("notify", "screen"), message)
    assert error.value.translation_key == "invalid_lines"
    assert not device.did("show_text")


async def test_station_that_is_silent(hass: HomeAssistant, device: FakeDevice, set_up: SetUp) -> None:
    await set_up(device.station(speech=None, screen=None, audio=None))
    assert not hass.states.async_entity_ids(("notify", "media_player"))


def sound(path: Path, seconds: float, rate: int = 44100) -> Path:
    """Write a stereo WAV of silence."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(bytes(4) * round(seconds * rate))
    return path


def header(wav: bytes) -> tuple[int, int, int, int]:
    """Channels, bytes per sample, rate and samples; what the header says must be what is there."""
    assert int.from_bytes(wav[4:8], "little") == len(wav) - 8
    with wave.open(io.BytesIO(wav)) as file:
        samples = file.getnframes()
        assert len(file.readframes(samples)) == 2 * samples
        return file.getnchannels(), file.getsampwidth(), file.getframerate(), samples


@pytest.fixture
async def ffmpeg_ready(hass: HomeAssistant) -> None:
    assert await async_setup_component(hass, "ffmpeg", {})


@pytest.mark.parametrize(("seconds", "samples"), [(0.5, 8000), (61, 60 * 16000)])
async def test_transcode(hass: HomeAssistant, ffmpeg_ready: None, tmp_path: Path, seconds: float, samples: int) -> None:
    wav = await audio.async_transcode_to_wav(hass, str(sound(tmp_path / "a:b.wav", seconds)))
    channels, width, rate, found = header(wav)
    assert (channels, width, rate) == (1, 2, 16000)
    assert found == pytest.approx(samples, abs=50)
    assert audio.duration(wav).total_seconds() == pytest.approx(samples / 16000, abs=0.01)


async def test_transcode_garbage(
    hass: HomeAssistant, ffmpeg_ready: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    garbage = tmp_path / "garbage.mp3"
    garbage.write_bytes(b"no sound in here" * 10)
    for source in (str(garbage), str(tmp_path / "missing.mp3"), "http://127.0.0.1:1/a.mp3?authSig=secret"):
        with pytest.raises(HomeAssistantError) as error:
            await audio.async_transcode_to_wav(hass, source)
        assert error.value.translation_key == "sound_unreadable"
    assert "secret" not in caplog.text


async def test_url_cannot_lead_to_files(
    hass: HomeAssistant, ffmpeg_ready: None, tmp_path: Path, socket_enabled: None
) -> None:
    """A playlist that names a file of this machine, fetched over HTTP."""
    target = sound(tmp_path / "private.wav", 1)
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile://" + str(target).encode() + b"\n#EXT-X-ENDLIST\n"

    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.apple.mpegurl\r\nContent-Length: {len(playlist)}\r\n\r\n"
        )
        writer.write(head.encode() + playlist)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(HomeAssistantError) as error:
        await audio.async_transcode_to_wav(hass, f"http://127.0.0.1:{port}/list.m3u8")
    assert error.value.translation_key == "sound_unreadable"
    server.close()


def use_program(monkeypatch: pytest.MonkeyPatch, hass: HomeAssistant, binary: str) -> None:
    monkeypatch.setitem(hass.data, ffmpeg.DATA_FFMPEG, ffmpeg.FFmpegManager(hass, binary))


async def test_transcode_without_ffmpeg(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use_program(monkeypatch, hass, str(tmp_path / "nowhere"))
    with pytest.raises(HomeAssistantError) as error:
        await audio.async_transcode_to_wav(hass, "x")
    assert error.value.translation_key == "ffmpeg_missing"


def write_program(path: Path, code: str) -> str:
    """Write something to run in place of ffmpeg."""
    path.write_text(f"#!{sys.executable}\n{code}\n")
    path.chmod(0o755)
    return str(path)


async def test_transcode_that_hangs(hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = f"import os, time\nopen({str(pid_file)!r}, 'w').write(str(os.getpid()))\ntime.sleep(60)"
    use_program(monkeypatch, hass, write_program(tmp_path / "hangs", code))
    monkeypatch.setattr(audio, "_TIMEOUT", 0.5)
    async with asyncio.timeout(10):
        with pytest.raises(HomeAssistantError) as error:
            await audio.async_transcode_to_wav(hass, "x")
    assert error.value.translation_key == "sound_timeout"
    assert not Path(f"/proc/{pid_file.read_text()}").exists()


@pytest.mark.parametrize(
    ("source", "protocols", "opened"),
    [
        ("https://example.com/a.mp3", {"http", "https", "tcp", "tls", "crypto"}, "https://example.com/a.mp3"),
        ("/media/concat:a.mp3", {"file"}, "file:/media/concat:a.mp3"),
        ("-version", {"file"}, "file:-version"),
    ],
)
async def test_ffmpeg_opens_only_what_it_may(
    hass: HomeAssistant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str, protocols: set[str], opened: str
) -> None:
    code = f"import sys\nopen({str(tmp_path / 'argv')!r}, 'w').write(chr(10).join(sys.argv[1:]))\nprint('xy', end='')"
    use_program(monkeypatch, hass, write_program(tmp_path / "notes", code))
    assert (await audio.async_transcode_to_wav(hass, source)).endswith(b"xy")
    arguments = (tmp_path / "argv").read_text().splitlines()
    assert set(arguments[arguments.index("-protocol_whitelist") + 1].split(",")) == protocols
    assert arguments[arguments.index("-i") + 1] == opened
    assert arguments.index("-protocol_whitelist") < arguments.index("-i")


async def play(hass: HomeAssistant, entity: str, media_id: str) -> None:
    data = {"entity_id": entity, "media_content_id": media_id, "media_content_type": "music", "announce": True}
    await hass.services.async_call("media_player", "play_media", data, blocking=True)


@pytest.fixture
async def media(hass: HomeAssistant, tmp_path: Path) -> Path:
    """A folder of local media."""
    folder = tmp_path / "media"
    folder.mkdir()
    hass.config.media_dirs = {"local": str(folder)}
    assert await async_setup_component(hass, "media_source", {})
    return folder


async def test_announce(
    hass: HomeAssistant,
    media: Path,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    freezer: FrozenDateTimeFactory,
) -> None:
    speaker = entity_id("media_player", "speaker")
    sound(media / "gong.wav", 2)
    await play(hass, speaker, "media-source://media_source/local/gong.wav")
    ((wav,),) = device.did("play")
    assert header(wav)[3] == pytest.approx(2 * 16000, abs=50)
    assert hass.states.get(speaker).state == "playing"
    freezer.tick(timedelta(seconds=1))
    async_fire_time_changed(hass)
    await play(hass, speaker, "media-source://media_source/local/gong.wav")
    freezer.tick(timedelta(seconds=1.2))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert hass.states.get(speaker).state == "playing"
    freezer.tick(timedelta(seconds=1))
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    assert hass.states.get(speaker).state == "idle"


async def test_announce_a_url(
    hass: HomeAssistant,
    media: Path,
    coordinator: FaceAccessCoordinator,
    device: FakeDevice,
    entity_id: Find,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Media without a file of its own is fetched from Home Assistant's own address."""
    asked: list[str] = []

    async def transcode(_hass: HomeAssistant, source: str) -> bytes:
        asked.append(source)
        return (media / "a.wav").read_bytes()

    async def resolve(*_args: object) -> PlayMedia:
        return PlayMedia("/api/tts_proxy/x.mp3", "audio/mpeg")

    sound(media / "a.wav", 0.1)
    await hass.config.async_update(internal_url="http://192.0.2.9:8123")
    monkeypatch.setattr("custom_components.face_access.media_player.async_transcode_to_wav", transcode)
    monkeypatch.setattr("homeassistant.components.media_source.async_resolve_media", resolve)
    speaker = entity_id("media_player", "speaker")
    await play(hass, speaker, "media-source://tts/x")
    await play(hass, speaker, "HTTPS://example.com/a.mp3")
    assert asked == ["http://192.0.2.9:8123/api/tts_proxy/x.mp3", "HTTPS://example.com/a.mp3"]
    assert len(device.did("play")) == 2


@pytest.mark.parametrize("media_id", ["file:///etc/passwd", "etc/passwd", "concat:a|b", "rtsp://192.0.2.1/x"])
async def test_announce_nothing_but_the_web(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find, media_id: str
) -> None:
    with pytest.raises(ServiceValidationError) as error:
        await play(hass, entity_id("media_player", "speaker"), media_id)
    assert error.value.translation_key == "sound_unsupported"
    assert not device.did("play")


async def test_announce_refused(
    hass: HomeAssistant, media: Path, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    sound(media / "gong.wav", 2)
    device.trouble = StationRefusedError("busy")
    speaker = entity_id("media_player", "speaker")
    with pytest.raises(HomeAssistantError) as error:
        await play(hass, speaker, "media-source://media_source/local/gong.wav")
    assert error.value.translation_key == "refused_busy"
    assert hass.states.get(speaker).state == "idle"


async def test_browse(
    hass: HomeAssistant,
    media: Path,
    coordinator: FaceAccessCoordinator,
    entity_id: Find,
    hass_ws_client: WebSocketGenerator,
) -> None:
    sound(media / "gong.wav", 0.1)
    (media / "film.mp4").write_bytes(b"")
    client = await hass_ws_client()
    await client.send_json_auto_id(
        {
            "type": "media_player/browse_media",
            "entity_id": entity_id("media_player", "speaker"),
            "media_content_type": MediaClass.DIRECTORY,
            "media_content_id": "media-source://media_source/local/.",
        }
    )
    result = (await client.receive_json())["result"]
    assert [child["title"] for child in result["children"]] == ["gong.wav"]


async def test_volume(
    hass: HomeAssistant, coordinator: FaceAccessCoordinator, device: FakeDevice, entity_id: Find
) -> None:
    speaker = entity_id("media_player", "speaker")
    assert hass.states.get(speaker).attributes["volume_level"] == 0.4
    data = {"entity_id": speaker, "volume_level": 0.55}
    await hass.services.async_call("media_player", "volume_set", data, blocking=True)
    assert device.did("write") == [("volume", 55)]
    assert hass.states.get(speaker).attributes["volume_level"] == 0.55


async def test_speaker_without_volume(hass: HomeAssistant, device: FakeDevice, set_up: SetUp, entity_id: Find) -> None:
    await set_up(device.station(settings=None))
    state = hass.states.get(entity_id("media_player", "speaker"))
    data = {"entity_id": state.entity_id, "volume_level": 0.5}
    with pytest.raises(HomeAssistantError):
        await hass.services.async_call("media_player", "volume_set", data, blocking=True)

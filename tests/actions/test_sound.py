"""Speech and sounds: what arrives at the station."""

from pathlib import Path
from unittest.mock import AsyncMock, patch

from homeassistant.components.media_source import PlayMedia, Unresolvable
from homeassistant.core import HomeAssistant
import pytest

from custom_components.face_access.devices.station import ScreenText
from tests.actions.conftest import SOUNDS, Act, FullDevice, fails

TRANSCODE = "custom_components.face_access.actions.sound.async_transcode_to_wav"
RESOLVE = "homeassistant.components.media_source.async_resolve_media"


async def test_say(act: Act, device: FullDevice) -> None:
    await act("say", message="请" * 21)
    assert device.did("say") == [("请" * 21,)]
    with fails("too_long", field="message", limit="64", length="66"):
        await act("say", message="请" * 22)
    assert len(device.did("say")) == 1


@pytest.mark.parametrize(
    ("wanted", "name"),
    [("NO1.fail.wav", SOUNDS[1]), ("no0.PASS.wav", SOUNDS[0]), (1, SOUNDS[1]), (" 0 ", SOUNDS[0]), ("10", SOUNDS[2])],
)
async def test_a_built_in_sound_by_name_or_number(act: Act, device: FullDevice, wanted: str | int, name: str) -> None:
    await act("play_audio", sound=wanted)
    assert device.did("play_built_in") == [(name,)]


@pytest.mark.parametrize("wanted", ["bell", "3", "-1", "9" * 5000])
async def test_a_sound_that_the_station_lacks(act: Act, device: FullDevice, wanted: str) -> None:
    with fails("unknown_sound", sounds=", ".join(SOUNDS)):
        await act("play_audio", sound=wanted)
    assert device.commands == []


async def test_listed_numbers_are_those_to_play(act: Act, device: FullDevice) -> None:
    listed = (await act("list_sounds"))["sounds"]
    assert [sound["name"] for sound in listed] == list(SOUNDS)
    for sound in listed:
        await act("play_audio", sound=sound["number"])
    assert device.did("play_built_in") == [(name,) for name in SOUNDS]


async def test_a_file_and_a_medium_are_converted(
    hass: HomeAssistant, act: Act, device: FullDevice, allowed: Path
) -> None:
    (allowed / "bell.mp3").write_bytes(b"sound")
    transcode = AsyncMock(side_effect=[b"first", b"second", b"third"])
    with patch(TRANSCODE, transcode):
        await act("play_audio", path=str(allowed / "bell.mp3"))
        with patch(RESOLVE, return_value=PlayMedia("/media/local/b.mp3", "audio/mpeg", path=allowed / "b.mp3")):
            await act("play_audio", media={"media_content_id": "media-source://b", "media_content_type": "audio/mpeg"})
        with patch(RESOLVE, return_value=PlayMedia("http://tts.example/c.mp3", "audio/mpeg")):
            await act("play_audio", media="media-source://tts/c")
    assert device.did("play") == [(b"first",), (b"second",), (b"third",)]
    sources = [call.args[1] for call in transcode.await_args_list]
    assert sources == [str(allowed / "bell.mp3"), str(allowed / "b.mp3"), "http://tts.example/c.mp3"]


async def test_exactly_one_source(act: Act, allowed: Path) -> None:
    with fails("exactly_one", fields="sound, media, path"):
        await act("play_audio")
    with fails("exactly_one"):
        await act("play_audio", sound="0", media="media-source://a")


async def test_a_medium_that_is_not_there(act: Act, device: FullDevice) -> None:
    with patch(RESOLVE, side_effect=Unresolvable("gone")), fails("media_unavailable", field="media"):
        await act("play_audio", media="media-source://gone")
    assert device.commands == []


@pytest.mark.parametrize(
    "media", ["http://192.0.2.9/a.mp3", "file:///etc/passwd", "/etc/passwd", "concat:a|b", "http://[::bad/a.mp3"]
)
async def test_an_address_that_is_not_allowed(act: Act, device: FullDevice, media: str) -> None:
    with fails("url_not_allowed"):
        await act("play_audio", media=media)
    assert device.commands == []


async def test_an_address_that_is_allowed(hass: HomeAssistant, act: Act, device: FullDevice) -> None:
    hass.config.allowlist_external_urls = {"http://192.0.2.9/sounds/"}
    with patch(TRANSCODE, AsyncMock(return_value=b"wav")):
        await act("play_audio", media="http://192.0.2.9/sounds/a.mp3")
    assert device.did("play") == [(b"wav",)]


def test_the_defaults_of_text_are_those_of_the_station() -> None:
    # The action's own defaults are written out for the docs; they must not drift from the vocabulary's.
    line = ScreenText(text="a")
    assert (line.x, line.y, line.size, line.color, line.duration.total_seconds()) == (0, 500, 60, 0xFFFFFFFF, 5)

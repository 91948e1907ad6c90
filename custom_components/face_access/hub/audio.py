"""Any sound as a WAV that a station plays: fetched and decoded by the ffmpeg that Home Assistant brings."""

import asyncio
from datetime import timedelta
import io
import re
from typing import Final
import wave

from homeassistant.components.ffmpeg import get_ffmpeg_manager
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ..const import DOMAIN, LOGGER

# What the codecs of door stations play well; a minute of it is 2 MB, and a third more in base64.
_RATE: Final = 16000
_SAMPLE_BYTES: Final = 2
LONGEST: Final = timedelta(seconds=60)
_TIMEOUT: Final = 30
# Playlists may name further media: a URL must not lead ffmpeg to the files of this machine.
_REMOTE_PROTOCOLS: Final = "http,https,tcp,tls,crypto"


async def async_transcode_to_wav(hass: HomeAssistant, source: str) -> bytes:
    """Turn the sound of an http(s) URL or a local path into one WAV: 16 kHz, mono, 16 bit, cut off after a minute.

    The source is opened as it stands: whether the caller may open it is the caller's to know. Raises
    HomeAssistantError, translated, when nothing in it can be heard.
    """
    if re.match(r"https?://", source, re.IGNORECASE):
        arguments = ("-protocol_whitelist", _REMOTE_PROTOCOLS, "-i", source)
    else:
        # With its protocol, else ffmpeg takes a name with a colon for one of its own ("concat:...").
        arguments = ("-protocol_whitelist", "file", "-i", f"file:{source}")
    return _with_header(await _async_decode(hass, arguments))


def duration(wav: bytes) -> timedelta:
    """Find how long a WAV of ours plays."""
    with wave.open(io.BytesIO(wav)) as reader:
        return timedelta(seconds=reader.getnframes() / reader.getframerate())


async def _async_decode(hass: HomeAssistant, arguments: tuple[str, ...]) -> bytes:
    """Run ffmpeg for raw samples. Its own WAV would say that it is 4 GiB long, since a pipe cannot be rewound."""
    try:
        process = await asyncio.create_subprocess_exec(
            get_ffmpeg_manager(hass).binary,
            *("-nostdin", "-nostats", "-loglevel", "error", *arguments),
            *("-vn", "-t", str(LONGEST.seconds), "-ac", "1", "-ar", str(_RATE), "-f", "s16le", "pipe:1"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            close_fds=False,
        )
    except OSError as err:
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="ffmpeg_missing") from err
    try:
        async with asyncio.timeout(_TIMEOUT):
            samples, errors = await process.communicate()
    except TimeoutError as err:
        placeholders = {"seconds": str(_TIMEOUT)}
        raise HomeAssistantError(
            translation_domain=DOMAIN, translation_key="sound_timeout", translation_placeholders=placeholders
        ) from err
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not samples:
        LOGGER.debug("ffmpeg ended with %s: %s", process.returncode, _without_urls(errors))
        raise HomeAssistantError(translation_domain=DOMAIN, translation_key="sound_unreadable")
    return samples


def _with_header(samples: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(_SAMPLE_BYTES)
        wav.setframerate(_RATE)
        wav.writeframes(samples[: len(samples) - len(samples) % _SAMPLE_BYTES])
    return file.getvalue()


def _without_urls(errors: bytes) -> str:
    """Take URLs out of what ffmpeg says: ours are signed and open the media to anybody."""
    return re.sub(r"\S*://\S*", "<url>", errors.decode(errors="replace")).strip()

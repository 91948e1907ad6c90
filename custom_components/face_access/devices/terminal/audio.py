"""A terminal's loudspeaker (HTTP API 2.12)."""

from dataclasses import dataclass
from typing import Final

from ..errors import InvalidValueError
from ..values import MAX_U32, as_int, as_objects, as_text, check_number, check_text, to_base64
from .caller import LONG_TIMEOUT, Caller, Effect

SPEECH_LIMIT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltInAudio:
    """A sound that the device came with."""

    number: int
    name: str


class Audio:
    """Commands on the loudspeaker."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def say(self, text: str) -> None:
        """Speak a text of at most 64 bytes of UTF-8 (2.12.1). The device's own voice speaks Chinese only."""
        fields = {"text": check_text("text", text, SPEECH_LIMIT, empty=False)}
        await self._call("tts play", fields, effect=Effect.ACT)

    async def play(self, wav: bytes) -> None:
        """Play a WAV file (2.12.2)."""
        if not (wav.startswith(b"RIFF") and wav[8:12] == b"WAVE"):
            raise InvalidValueError("wav", "must be a WAV file", "wav")
        audio = {"format": "wav", "data": to_base64(wav)}
        await self._call("play audio stream", {"audio": audio}, effect=Effect.ACT, timeout=LONG_TIMEOUT)

    async def built_in(self) -> tuple[BuiltInAudio, ...]:
        """Read the sounds that the device came with (2.12.3)."""
        sounds = []
        for raw in as_objects((await self._call("browse audio list")).get("audio_list")):
            number, name = as_int(raw.get("audio_no")), as_text(raw.get("audio_name"))
            if number is not None and name:
                sounds.append(BuiltInAudio(number=number, name=name))
        return tuple(sounds)

    async def play_built_in(self, sound: BuiltInAudio) -> None:
        """Play one of the sounds that the device came with (2.12.4)."""
        number = check_number("number", sound.number, 0, MAX_U32)
        fields = {"audio_no": number, "audio_name": check_text("name", sound.name, empty=False)}
        await self._call("play audio", fields, effect=Effect.ACT)

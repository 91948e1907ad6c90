"""Actions for the ear: speech, sounds that the station has, and any other sound."""

from homeassistant.core import ServiceResponse

from ..devices.errors import ValueTooLongError
from ..devices.station import Audio, Speech
from ..hub.audio import async_transcode_to_wav
from .media import MEDIA, PATH, async_playable, exactly_one
from .request import Request, invalid

SOUND = "sound"


async def say(request: Request, speech: Speech) -> ServiceResponse:
    """Speak with the station's own voice."""
    message = request.data["message"]
    if (length := len(message.encode())) > speech.limit:
        raise ValueTooLongError("message", speech.limit, length)
    await speech.say(message)
    return None


async def play_audio(request: Request, audio: Audio) -> ServiceResponse:
    """Play a built-in sound, or any sound that Home Assistant can read, converted to what stations play."""
    if exactly_one(request.data, SOUND, MEDIA, PATH) == SOUND:
        await audio.play_built_in(_find(request.data[SOUND], await audio.built_in()))
    else:
        await audio.play(await async_transcode_to_wav(request.hass, await async_playable(request)))
    return None


async def list_sounds(_request: Request, audio: Audio) -> ServiceResponse:
    """List the built-in sounds; `number` is the place in the list, from 0."""
    return {"sounds": [{"number": number, "name": name} for number, name in enumerate(await audio.built_in())]}


def _find(wanted: str, names: tuple[str, ...]) -> str:
    """Find a sound by its name, or else by its number."""
    for name in names:
        if name.casefold() == wanted.strip().casefold():
            return name
    if wanted.strip().isdecimal() and int(wanted[:20]) < len(names):
        return names[int(wanted[:20])]
    raise invalid("unknown_sound", sounds=", ".join(names) or "-")

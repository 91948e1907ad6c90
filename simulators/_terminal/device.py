"""Control, time, screen, audio, hardware, keys, SIP, 4G, volume: 2.4-2.9, 2.10.6-2.13, 2.15-2.18."""

import base64
from calendar import monthrange
from copy import deepcopy
from io import BytesIO
from typing import Any, Final
import wave

from . import pictures
from .core import AUDIO_LIST, Core
from .handlers import Handler, moment
from .schema import AUTHENTICATION, BUSY, DECODE, MISSING, Refusal, decode, illegal


def _snapshot(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.4; the key "image " is printed with its space."""
    seed = core.records[-1].seed if core.records else "nobody"
    data = base64.b64encode(pictures.panorama(seed)).decode()
    return {"image ": {"format": "jpg", "image_data": data, "time_stamp": core.local_time()}}


def _gpio(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.5."""
    control = {**request, "device_type": "gpio", "device_no": request["port"]}
    if problem := core.gate(control, "gpio control"):
        raise illegal(problem)
    return {}


def _wiegand(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.6."""
    control = {**request, "device_type": "wiegand", "device_no": request["wiegand_card_no"]}
    if problem := core.gate(control, "wiegand control"):
        raise illegal(problem)
    return {}


def _nothing(_core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.7: a heartbeat of the client only wants its acknowledgement."""
    return {}


def _auth_code(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.8.1."""
    return {"customer_auth_code": base64.b64encode(core.auth_code).decode()}


def _get_time(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.9.1."""
    return {"date_time": core.local_time()}


def _set_time(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.9.2."""
    value = moment(request["date_time"], "date_time")
    if not 1970 <= value.year <= 2037:
        raise illegal("date_time: outside the range of the clock")
    core.set_local(value)
    return {}


def _reboot(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.9.3: answered first, then the device is gone for a while."""
    core.on_reboot(core.timings.reboot)
    return {}


def _restart(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.9.4."""
    core.on_reboot(core.timings.restart)
    return {}


def _text(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.10.6."""
    for display in request["text_list"]:
        core.show_text(display, "text display")
    return {}


def _image(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.10.7."""
    data = decode(request["image_data"], "image_data")
    pictures.load(data, ("PNG",) if request["format"] == "png" else ("JPEG",))
    core.show_image(data, request)
    return {}


def _tts(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.12.1."""
    core.speak(request["text"], "tts play")
    return {}


def _stream(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.12.2: only WAV, and it must be whole."""
    data = decode(request["audio"]["data"], "audio.data")
    try:
        with wave.open(BytesIO(data)) as sound:
            frames, rate = sound.getnframes(), sound.getframerate()
            if len(sound.readframes(frames)) != frames * sound.getsampwidth() * sound.getnchannels():
                raise Refusal(DECODE, "the sound is cut off")
    except (wave.Error, EOFError, ZeroDivisionError) as err:
        raise Refusal(DECODE, "the sound is not WAV") from err
    core.play("stream", frames / rate if rate else 0.0)
    return {}


def _audio_list(_core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.12.3."""
    return {
        "audio_list": [
            {"audio_no": number, "audio_name": f"NO{number}.{name}.wav"} for number, name in enumerate(AUDIO_LIST)
        ]
    }


def _play(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.12.4: number and name must belong together."""
    number, name = request["audio_no"], request["audio_name"]
    if number >= len(AUDIO_LIST) or name != f"NO{number}.{AUDIO_LIST[number]}.wav":
        raise Refusal(MISSING, "no such sound")
    core.play(name, 1.0)
    return {}


def _get_hardware(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.13.1."""
    return deepcopy(core.hardware)


def _set_hardware(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.13.2."""
    if request["Lcd"]["model"] not in core.hardware["Lcd"]["support"]:
        raise illegal("Lcd.model: not supported")
    core.hardware["Lcd"] |= request["Lcd"]
    core.hardware["FourG"] |= request["FourG"]
    return {}


def _set_aes(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.15.1: keys of up to 16 bytes, filled with zero bytes."""
    old = decode(request["ori_key"], "ori_key")
    new = decode(request["new_key"], "new_key") if "new_key" in request else core.aes_key
    if len(old) > 16 or len(new) > 16:
        raise illegal("a key has at most 16 bytes")
    if old.rstrip(b"\0") != core.aes_key.rstrip(b"\0"):
        raise Refusal(AUTHENTICATION, "ori_key is wrong")
    core.aes_key = new
    core.aes_enabled = request.get("enable", core.aes_enabled)
    return {}


def _get_aes(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.15.2."""
    return {"enable": core.aes_enabled}


def _sip_register(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.16.1."""
    core.sip_account = {key: request[key] for key in ("domain", "port", "username", "password") if key in request}
    return {}


def _sip_call(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.16.2: one call at a time."""
    if core.in_call():
        raise Refusal(BUSY, "there is a call already")
    core.on_call(request["url"])
    return {}


def _sip_hangup(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.16.3."""
    if not core.on_hangup():
        raise Refusal(MISSING, "there is no call")
    return {}


def _four_g(core: Core, _request: dict[str, Any]) -> dict[str, Any]:
    """2.17.1."""
    ready = core.hardware["FourG"]["moduler_4g"] == "YES"
    return {
        "module_ready": ready,
        "sim_ready": ready,
        "ICCID": "89860000000000000001" if ready else "",
        "IMSI": "460000000000001" if ready else "",
        "operator": "Simulated Mobile" if ready else "",
        "signal_strength": -67 if ready else 0,
        "gps": {"e": "14.421253", "n": "50.087465", "strength": 7} if ready else {"e": "", "n": "", "strength": 0},
    }


def _traffic(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.17.2: made-up bytes that depend on the day alone; days to come have none."""
    now, month = core.local(), request["month"]
    last = monthrange(now.year, month)[1]
    today = now.day if month == now.month else last
    first, dash, end = request.get("day", "1-").partition("-")
    low, high = int(first), int(end) if end else (today if dash else int(first))
    if not 1 <= low <= high <= last:
        raise illegal("day: no such days")
    ready = core.hardware["FourG"]["moduler_4g"] == "YES" and month <= now.month
    days = range(low, min(high, today) + 1) if ready else ()
    return {
        "statistics": [
            {"date": f"{month}-{day}", "bytes_rx": 4096 * month + 512 * day, "bytes_tx": 8192 * month + 1024 * day}
            for day in days
        ]
    }


def _volume(core: Core, request: dict[str, Any]) -> dict[str, Any]:
    """2.18."""
    if request["method"] == "GET":
        if "volume" in request:
            raise illegal("volume: only to be set")
        return {"volume": core.volume}
    if "volume" not in request:
        raise illegal("volume: missing")
    core.volume = request["volume"]
    return {}


HANDLERS: Final[dict[str, Handler]] = {
    "snapshot": _snapshot,
    "gpio control": _gpio,
    "wiegand control": _wiegand,
    "heart beat": _nothing,
    "request customer auth code": _auth_code,
    "request date time": _get_time,
    "update date time": _set_time,
    "reboot": _reboot,
    "restart application": _restart,
    "text display": _text,
    "image display": _image,
    "tts play": _tts,
    "play audio stream": _stream,
    "browse audio list": _audio_list,
    "play audio": _play,
    "get hardware info": _get_hardware,
    "set hardware info": _set_hardware,
    "updata aes": _set_aes,
    "request aes": _get_aes,
    "sip register": _sip_register,
    "sip call": _sip_call,
    "sip hangup": _sip_hangup,
    "request 4g infor": _four_g,
    "traffic statistics": _traffic,
    "camera volume": _volume,
}

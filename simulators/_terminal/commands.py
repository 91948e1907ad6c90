"""How a command is answered: parse, check, hand to its handler, and print the answer as the document prints it."""

from collections.abc import Mapping
import json
import re
from typing import Any, Final

from . import device, files, people, recognition, records, settings
from .core import Core
from .fields import PROTOCOL, REQUESTS
from .handlers import Handler
from .schema import ILLEGAL, OK, UNKNOWN_COMMAND, VERSION, Refusal, check_object

# The `cmd` of the answer where the document prints it otherwise than the request.
ANSWER_CMD: Final = {
    "update person jpg": "update person",
    "gpio control": " gpio control",
    "text display": " text display ",
    "image display": " image display ",
    "tts play": " tts play ",
    "upload file": "set hardware info",
    "updata aes": " updata aes ",
}
# Answers printed with the protocol version and without "reply".
WITHOUT_REPLY: Final = frozenset({"request aes", "sip call", "sip hangup", "camera volume"})
# Answers printed with "desc" ("OK" on success); "upload person" has it on failure only.
WITH_DESC: Final = frozenset(
    {
        "update schedule params",
        "add schedule kind",
        "request lcd screensaver",
        "update lcd screensaver",
        "request lcd media",
        "update lcd media",
        "delete lcd media",
        "text display",
        "image display",
        "tts play",
        "play audio stream",
        "browse audio list",
        "play audio",
        "download file",
        "upload file",
        "updata aes",
        "request aes",
        "sip register",
        "sip call",
        "sip hangup",
        "camera volume",
    }
)
_GENERAL: Final = frozenset({"version", "cmd", "command_id"})
HANDLERS: Final[Mapping[str, Handler]] = {
    **people.HANDLERS,
    **records.HANDLERS,
    **settings.HANDLERS,
    **device.HANDLERS,
    **files.HANDLERS,
}


def execute(core: Core, body: bytes) -> dict[str, Any]:
    """Carry out one request (a JSON text) and return the answer to send."""
    try:
        request = parse(body)
    except ValueError as err:
        core.violation(f"request is not a JSON object: {err}")
        return {"reply": "ACK", "cmd": "", "code": ILLEGAL, "device_sn": core.serial}
    name = request.get("cmd")
    code, desc, extra = OK, "OK", dict[str, Any]()
    try:
        name, handler = _resolve(core, request)
        recognition.clean(core)
        extra = handler(core, request)
        core.save()
    except Refusal as err:
        code, desc = err.code, err.desc
        if err.forbidden:
            core.violation(f"{name}: {desc}")
        else:
            core.note("in", f"{name}: refused with {code}: {desc}")
        extra = {"version": PROTOCOL} if code == VERSION else {}
    return _answer(core, name if isinstance(name, str) else "", request, code=code, desc=desc, extra=extra)


def busy(core: Core, body: bytes, code: int) -> dict[str, Any]:
    """The answer to a request which is not even looked at."""
    try:
        request = parse(body)
    except ValueError:
        request = {}
    name = request.get("cmd")
    return _answer(core, name if isinstance(name, str) else "", request, code=code, desc="busy", extra={})


def parse(body: bytes) -> dict[str, Any]:
    """A JSON object in UTF-8; raise ValueError otherwise (UnicodeDecodeError is one)."""

    def constant(name: str) -> None:
        raise ValueError(f"{name} is not JSON")

    value = json.loads(body.decode("utf-8"), parse_constant=constant)
    if not isinstance(value, dict):
        raise ValueError("not an object")  # noqa: TRY004
    return value


def _resolve(core: Core, request: dict[str, Any]) -> tuple[str, Handler]:
    """Check the general part and the table of the command; return its handler."""
    version, name = request.get("version"), request.get("cmd")
    if not isinstance(name, str) or not name:
        raise Refusal(ILLEGAL, "cmd: missing", forbidden=True)
    if not isinstance(version, str):
        raise Refusal(ILLEGAL, "version: missing", forbidden=True)
    if not re.fullmatch(r"0\.\d{1,3}", version):
        raise Refusal(VERSION, f"version {version!r} does not match {PROTOCOL}", forbidden=True)
    if not isinstance(request.get("command_id", ""), str | int):
        raise Refusal(ILLEGAL, "command_id: text or number expected", forbidden=True)
    handler = HANDLERS.get(name)
    if handler is None:
        raise Refusal(UNKNOWN_COMMAND, "no such command", forbidden=True)
    core.commands.append(name)
    core.note("in", name)
    check_object({key: value for key, value in request.items() if key not in _GENERAL}, REQUESTS[name])
    return name, handler


def _answer(
    core: Core, name: str, request: dict[str, Any], *, code: int, desc: str, extra: dict[str, Any]
) -> dict[str, Any]:
    """The general answer of 1.4 with the oddities of this command."""
    head = {"version": PROTOCOL} if name in WITHOUT_REPLY else {"reply": "ACK"}
    answer = {**head, "cmd": ANSWER_CMD.get(name, name), "code": code, "device_sn": core.serial, **extra}
    if name in WITH_DESC or (name == "upload person" and code != OK):
        answer["desc"] = desc
    if "command_id" in request:
        answer["command_id"] = request["command_id"]
    return answer


def encode(answer: Mapping[str, Any]) -> bytes:
    """An answer as it goes over the wire."""
    return json.dumps(answer, ensure_ascii=False).encode()

"""What OpenCV FR Server says when it refuses, in our words.

The vendor's page shows codes without their HTTP status, and two conditions (no such collection, a similar face) without
their code; so the code counts first, then the status, then what the message says.
"""

from collections.abc import Mapping
import re
from typing import Any, Final

from ..errors import (
    DuplicateError,
    EngineAuthError,
    EngineError,
    EngineFaultError,
    EngineLimitError,
    EngineNotFoundError,
    EngineRefusedError,
    PhotoRefusedError,
)
from ..remote.http import Answer
from ..remote.status import refused_by
from ..remote.values import words
from ..remote.words import Unfit

LIVENESS: Final = "ERR_LIVENESS_ERROR"
_NOT_LIVE: Final = "FACE_NOT_LIVE"
_LICENCE: Final = "LICENSE_ERROR"
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{2,63}")

_DETAILS: Final[Mapping[str, Unfit]] = {
    "EYES_CLOSED": Unfit.EYES_CLOSED,
    "FACE_CLOSE_TO_BORDER": Unfit.NEAR_BORDER,
    "FACE_CROPPED": Unfit.CUT_OFF,
    _NOT_LIVE: Unfit.NOT_LIVE,
    "FACE_TOO_CLOSE": Unfit.FACE_TOO_CLOSE,
    "FACE_ANGLE_TOO_LARGE": Unfit.TURNED_AWAY,
    "FACE_IS_OCCLUDED": Unfit.COVERED,
    "FACE_NOT_FOUND": Unfit.NO_FACE,
    "FACE_TOO_SMALL": Unfit.FACE_TOO_SMALL,
    _LICENCE: Unfit.UNCLEAR,
    "TOO_MANY_FACES": Unfit.SEVERAL_FACES,
    "UNKNOWN_ERROR": Unfit.UNCLEAR,
}
_PHOTOS: Final[Mapping[str, Unfit]] = {
    "ERR_FACE_NOT_DETECTED": Unfit.NO_FACE,
    "ERR_NO_FACE_DETECTED": Unfit.NO_FACE,
    "ERR_MULTIPLE_FACES_DETECTED": Unfit.SEVERAL_FACES,
    "ERR_INVALID_IMAGE": Unfit.NOT_A_PICTURE,
    "ERR_PAYLOAD_IS_TOO_LARGE": Unfit.TOO_LARGE,
}
_KINDS: Final[Mapping[str, type[EngineRefusedError]]] = {
    "ERR_ALREADY_EXISTS": DuplicateError,
    "ERR_DATABASE_ERROR": EngineFaultError,
    _LICENCE: EngineLimitError,
    "ERR_CANNOT_CONNECT_TO_TIME_SERVER": EngineLimitError,
    "ERR_CANNOT_CONNECT_TO_HOME_SERVER": EngineLimitError,
    "ERR_NUMBER_OF_AVAILABLE_INSTANCES_EXCEEDED": EngineLimitError,
}


class LivenessError(PhotoRefusedError):
    """The check for a live face failed: `spoof` where the server says that and nothing else."""

    def __init__(self, reasons: tuple[Unfit, ...], message: str) -> None:
        super().__init__(LIVENESS, tuple(reasons), message)
        self.spoof = reasons == (Unfit.NOT_LIVE,)


async def refusal(answer: Answer, *secrets: str) -> EngineError | None:
    """Make the error of an answer; None where the server did not refuse. `secrets` are blotted out of its message."""
    code, message, metadata = _envelope(await answer.object_or_none() or {})
    if answer.ok and not code.startswith("ERR_"):
        return None
    return _error(answer.status, code, words(message, *secrets), metadata)


def item_refusal(item: Mapping[str, Any], *secrets: str) -> EngineError | None:
    """Make the error of one item of a bulk answer; None where it was taken."""
    code, message, metadata = _envelope(item)
    return _error(0, code, words(message, *secrets), metadata) if code.startswith("ERR_") else None


def _envelope(body: Mapping[str, Any]) -> tuple[str, Any, Any]:
    """Code, message and metadata of an error, as far as they are there."""
    code = body.get("code")
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        code = ""
    return code, body.get("message"), body.get("metadata")


def _error(status: int, code: str, message: str, metadata: Any) -> EngineError:
    """Code first, then status."""
    if code == LIVENESS:
        return _liveness(_details(metadata), message)
    if code in _PHOTOS:
        return PhotoRefusedError(code, (_PHOTOS[code],), message)
    if code.startswith("ERR_API_KEY"):
        return EngineAuthError(f"the server does not take the API key ({code})")
    kind = EngineLimitError if code.startswith("ERR_LICENSE") else _KINDS.get(code)
    if kind is None and ("could not be found" in message.lower() or (status == 404 and code)):
        kind = EngineNotFoundError
    return kind(code or f"HTTP {status}", message) if kind else refused_by(status, code, message)


def _liveness(details: tuple[str, ...], message: str) -> EngineError:
    if _LICENCE in details:
        return EngineLimitError(_LICENCE, message)
    return LivenessError(tuple(dict.fromkeys(_DETAILS[detail] for detail in details)) or (Unfit.UNCLEAR,), message)


def _details(metadata: Any) -> tuple[str, ...]:
    """Find the details of a liveness error. No document names their key, so they may be any key or value."""
    found: list[str] = []
    for text in _texts(metadata):
        found.extend(word for word in _CODE.findall(text[:1000]) if word in _DETAILS)
    return tuple(dict.fromkeys(found))


def _texts(value: Any, depth: int = 0) -> list[str]:
    if isinstance(value, str):
        return [value]
    if depth > 3:
        return []
    if isinstance(value, dict):
        parts = [*value.keys(), *value.values()]
    elif isinstance(value, list):
        parts = value[:50]
    else:
        return []
    return [text for part in parts for text in _texts(part, depth + 1)]

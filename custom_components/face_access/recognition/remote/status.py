"""What an HTTP status alone says, for servers and proxies that say no more."""

from typing import Final

from ..errors import (
    DuplicateError,
    EngineAuthError,
    EngineError,
    EngineFaultError,
    EngineForbiddenError,
    EngineLimitError,
    EngineProtocolError,
    EngineRefusedError,
    EngineTimeoutError,
    PhotoRefusedError,
    PictureError,
)
from .words import Unfit

_LIMITS: Final = (402, 429)


def refused_by(status: int, code: str = "", message: str = "") -> EngineError:
    """Make the error of a status that is not 2xx; `code` is the server's own word where it has one."""
    shown = code or f"HTTP {status}"
    if status == 401:
        return EngineAuthError(f"the server does not let us in ({shown})")
    if status in (404, 405) and not code:
        # Not the server itself but its web server: the address has another path, or is that of something else.
        return EngineProtocolError(f"there is no such call at this address ({shown})")
    if status in (408, 504):
        # 408 is the server's own word; 504 is that of a proxy, which waits for it in vain.
        return EngineTimeoutError(f"the server was not done in time ({shown})", answered=status == 408)
    if status == 413:
        return PhotoRefusedError(shown, (Unfit.TOO_LARGE,), message)
    if status >= 500:
        return EngineFaultError(shown, message)
    kinds = {403: EngineForbiddenError, 409: DuplicateError, **dict.fromkeys(_LIMITS, EngineLimitError)}
    return kinds.get(status, EngineRefusedError)(shown, message)


def as_picture(error: EngineError) -> EngineError | PictureError:
    """Give what is wrong with the picture itself, and not with the face on it, its own error."""
    if isinstance(error, PhotoRefusedError) and {Unfit.NOT_A_PICTURE, Unfit.TOO_LARGE}.intersection(error.reasons):
        return PictureError(f"the server cannot use the picture ({error.reasons[0]})")
    return error

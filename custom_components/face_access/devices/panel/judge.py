"""What a panel's no means: status and error body become exceptions of the house."""

from collections.abc import Callable, Mapping
import json
import re
from typing import Any, Final

from ..errors import (
    StationAuthError,
    StationError,
    StationForbiddenError,
    StationProtocolError,
    StationRefusedError,
    StationUnsupportedError,
)
from .transport import Answer

_MAX_DETAIL: Final = 200

WRONG_BODY: Final = "wrong_body"
MISSING_FIELD: Final = "missing_field"
WRONG_TYPE: Final = "wrong_type"
WRONG_VALUE: Final = "wrong_value"
WRONG_SIMILARITY: Final = "wrong_similarity"
WRONG_MODE: Final = "wrong_mode"
WRONG_QUERY: Final = "wrong_query"
WRONG_LOCK: Final = "wrong_lock"
SENSOR_OFF: Final = "door_sensor_off"
NO_IDENTIFIER: Final = "no_identifier"
NO_WEBHOOK: Final = "no_webhook"
EXISTS: Final = "record_exists"
BUSY: Final = "busy"
NO_FACE: Final = "feature_extraction_failed"
UNREADABLE: Final = "image_decoding_failed"
UPLOAD_FAILED: Final = "upload_failed"
REFUSED: Final = "unknown_code"

_VALUES: Final[Mapping[str, str]] = {"similarity": WRONG_SIMILARITY, "mode": WRONG_MODE}
# In the order in which they are tried; a group is the field.
_TEXTS: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"Wrong JSON body: no value for .?(\w[\w.-]*)", MISSING_FIELD),
        (r"Wrong JSON body: value .?(\w[\w.-]*?)\W? was of the wrong type", WRONG_TYPE),
        (r"Wrong JSON body", WRONG_BODY),
        (r"Required parameters missed", MISSING_FIELD),
        (r"Wrong (pagination limit|page number|sort|filter|time format|time range)", WRONG_QUERY),
        (r"Only .{1,40} indexes available for the lock", WRONG_LOCK),
        (r"Door sensor mode is not activated", SENSOR_OFF),
        (r"Wrong identifier.uid", NO_IDENTIFIER),
        (r"Wrong webhook( event)? uid", NO_WEBHOOK),
        (r"Loading file in progress", BUSY),
        (r"Face hasn.t been detected", NO_FACE),
        (r"Wrong (image file|file format)", UNREADABLE),
        (r"Loading file error", UPLOAD_FAILED),
        (r".*already (exists|used)", EXISTS),
        (r".*already used", EXISTS),
        (r"Wrong (\w[\w.-]*) (field|value|param)", WRONG_VALUE),
    )
)
_WITH_FIELD: Final = frozenset({MISSING_FIELD, WRONG_TYPE, WRONG_VALUE})
# Where the fault is in one of these, the panel's words may repeat it.
_SECRET_FIELDS: Final = frozenset({"url", "secret", "headers", "password", "identifier_number", "input_code_number"})
_WRONG_LOGIN: Final = re.compile(r"Wrong login or password", re.IGNORECASE)


def error_text(answer: Answer) -> str | None:
    """Find the panel's own words; None where there are none. Some documents print `true` in their place."""
    try:
        body = json.loads(answer.body)
    except ValueError, RecursionError:
        return None
    value: Any = body.get("error") if isinstance(body, dict) else None
    return value.strip()[:_MAX_DETAIL] or None if isinstance(value, str) else None


def judge(answer: Answer, *, secret: bool = False) -> None:
    """Pass an answer that means yes; raise what any other one means.

    `secret` for requests with a number, a code or a password: what the panel says about them is then not passed on,
    since it may repeat them.
    """
    if 200 <= answer.status < 300:
        return
    if (meaning := _STATUSES.get(answer.status)) is not None:
        raise meaning(error_text(answer))
    if answer.status != 400:
        raise StationProtocolError(f"the panel answered with HTTP {answer.status}")
    raise refusal(error_text(answer), secret=secret)


_STATUSES: Final[Mapping[int, Callable[[str | None], StationError]]] = {
    401: lambda _text: StationAuthError("the panel wants a login"),
    403: lambda _text: StationForbiddenError("the account is not an administrator's"),
    404: lambda _text: StationUnsupportedError("the panel does not have this function"),
    405: lambda _text: StationUnsupportedError("the panel does not have this function"),
    429: lambda text: StationRefusedError(BUSY, text),
    501: lambda _text: StationUnsupportedError("the panel does not have this function"),
    503: lambda text: StationRefusedError(BUSY, text),
}


def refusal(text: str | None, *, secret: bool = False) -> StationError:
    """Make the exception for what a panel says when it refuses; `secret` as for `judge`."""
    if text is None:
        return StationRefusedError(REFUSED)
    if _WRONG_LOGIN.match(text):
        return StationAuthError("wrong user name or password")
    for pattern, code in _TEXTS:
        if (match := pattern.match(text)) is not None:
            field = match[1] if code in _WITH_FIELD and match.re.groups else None
            told = None if secret or field in _SECRET_FIELDS else text
            exact = _VALUES.get(field or "", code) if code == WRONG_VALUE else code
            return StationRefusedError(exact, told, field)
    return StationRefusedError(REFUSED, None if secret else text)

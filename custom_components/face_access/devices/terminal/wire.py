"""JSON as terminals speak it: written to the letter of the document, read with patience (HTTP API 1.2 to 1.4)."""

from collections.abc import Mapping
import json
import math
from typing import Any, Final

from ..errors import StationProtocolError
from ..values import as_text

VERSION: Final = "0.2"
CONTENT_TYPE: Final = "application/json; charset=utf-8"

# Commands whose documented reply names another one (2.1.7.2, 2.14.2.2).
_ANSWERED_AS: Final[Mapping[str, str]] = {
    "update person jpg": "update person",
    "upload file": "set hardware info",
}
# What some firmwares leave around the JSON text: a byte order mark, line ends, the NUL that ends a C string.
_PADDING: Final = b"\0 \t\r\n"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
# What says who it was and whether they may come in (2.2.1.1).
_JUDGED: Final = frozenset(
    {
        "device_sn",
        "is_realtime",
        "match_failed_reson",
        "match_failed_reason",
        "match_result",
        "match",
        "person",
        "person_id",
        "person_role",
        "person_attr",
        "is_encryption",
        "wg_card_id",
        "long_card_id",
    }
)
# No reader makes anything of it, and it is not the null of a firmware that has nothing to say.
_CONTRADICTION: Final = ()


def envelope(cmd: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Build a request (HTTP API 1.3)."""
    return {"version": VERSION, "cmd": cmd, **(fields or {})}


def encode(body: Mapping[str, Any]) -> bytes:
    """Write a body in UTF-8 itself, not in escapes: the document promises no more than that devices read UTF-8."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False).encode()


def decode(body: bytes) -> dict[str, Any]:
    """Read a body that must be an object, all keys without stray spaces (`"image "`). Raises StationProtocolError.

    Bytes that are no UTF-8 are replaced: devices cut names at a byte limit, through the middle of a character.
    """
    text = body.strip(_PADDING).removeprefix(_BYTE_ORDER_MARK).decode("utf-8", errors="replace")
    try:
        value = json.loads(
            text, strict=False, object_pairs_hook=_without_spaces, parse_constant=_no_number, parse_float=_finite
        )
    except (ValueError, RecursionError) as err:
        # Not chained: the exception holds the whole text, and with it names, cards and pictures.
        raise StationProtocolError(f"not JSON ({type(err).__name__})") from None
    if not isinstance(value, dict):
        raise StationProtocolError("not a JSON object")
    return value


def _without_spaces(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Strip keys. Where both spellings are there, the one without spaces counts.

    Not so for what doors are opened by: there a contradiction is read as something unreadable.
    """
    fields = {key.strip(): value for key, value in pairs if key != key.strip()}
    fields |= {key: value for key, value in pairs if key == key.strip()}
    if len(fields) < len(pairs):
        for name in _JUDGED & fields.keys():
            if any(value != fields[name] for key, value in pairs if key.strip() == name):
                fields[name] = _CONTRADICTION
    return fields


def _no_number(_name: str) -> None:
    """NaN and Infinity are no JSON: read as missing."""


def _finite(text: str) -> float | None:
    """Read 1e999 as missing too: no answer could repeat it."""
    number = float(text)
    return number if math.isfinite(number) else None


def command_of(body: Mapping[str, Any]) -> str:
    """Read which command a body is about, without stray spaces (`"cmd": "face "`); empty when it does not say."""
    return (as_text(body.get("cmd")) or "").strip()


def answers(cmd: str, reply: Mapping[str, Any]) -> bool:
    """Whether a reply may be to `cmd`. A device that could not read the command leaves it empty (1.4)."""
    return command_of(reply) in ("", cmd, _ANSWERED_AS.get(cmd))


def cut_text(text: str, limit: int) -> str:
    """Shorten a text to `limit` bytes of UTF-8 without cutting a character."""
    return text.encode("utf-8", errors="ignore")[:limit].decode("utf-8", errors="ignore")

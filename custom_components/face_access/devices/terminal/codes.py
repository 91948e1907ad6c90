"""The reply codes of a terminal (HTTP API 1.6), and the exceptions that they become."""

from enum import IntEnum

from ..errors import StationError, StationRefusedError, StationUnsupportedError


class ReplyCode(IntEnum):
    """What a terminal answers. The names in lower case are the translation keys of refusals; 12 to 19 are reserved."""

    OK = 0
    VERSION_MISMATCH = 1
    UNSUPPORTED = 2
    ILLEGAL_FIELDS = 3
    AUTHENTICATION_FAILED = 4
    BUSY = 5
    INSUFFICIENT_RESOURCES = 6
    FUNCTION_AUTHORIZATION_FAILED = 7
    FUNCTION_AUTHORIZED = 8
    UPGRADE_PACKAGE_MISMATCH = 9
    DOWNLOAD_FAILED = 10
    INTEGRITY_CHECK_FAILED = 11
    LIMIT_REACHED = 20
    RECORD_EXISTS = 21
    RECORD_NOT_FOUND = 22
    WRITE_FAILED = 23
    READ_FAILED = 24
    FEATURE_EXTRACTION_FAILED = 25
    QUALITY_TOO_LOW = 26
    FUZZY_CARD_UNSUPPORTED = 30
    IMAGE_DECODING_FAILED = 35
    IMAGE_TOO_LARGE = 36
    NORMALIZATION_FAILED = 37
    FACE_TOO_SMALL = 38
    FACE_QUALITY_TOO_LOW = 39
    NOT_ONE_FACE = 40
    FACE_INCOMPLETE = 41

    @property
    def key(self) -> str:
        """The translation key."""
        return self.name.lower()


UNKNOWN_CODE = "unknown_code"


def refusal(code: int, desc: str | None) -> StationError:
    """Make the exception for a code other than 0; `desc` is what the device says about it."""
    if code == ReplyCode.UNSUPPORTED:
        return StationUnsupportedError(desc or "unsupported")
    try:
        known = ReplyCode(code)
    except ValueError:
        return StationRefusedError(UNKNOWN_CODE, f"{code}: {desc}" if desc else str(code))
    return StationRefusedError(known.key, desc)

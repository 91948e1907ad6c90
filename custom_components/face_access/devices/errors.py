"""What can go wrong with a station: one family of exceptions for every vendor."""

from typing import Final


class StationError(Exception):
    """Anything a station could not do."""


class StationConnectionError(StationError):
    """The station cannot be reached, or the connection broke."""


class StationTimeoutError(StationConnectionError):
    """The station did not answer in time. Whether it acted is unknown."""


class StationCertificateError(StationConnectionError):
    """The station's certificate is not trusted: most sign their own."""


class StationAuthError(StationError):
    """The station does not accept the user name and the password."""


class StationForbiddenError(StationError):
    """The station accepts the account, but only an administrator's may do this."""


class WrongStationError(StationError):
    """Another device answers at this address."""

    def __init__(self, expected: str, found: str) -> None:
        """Keep both serial numbers for the message."""
        super().__init__(f"expected device {expected}, found {found}")
        self.expected = expected
        self.found = found


class StationProtocolError(StationError):
    """The station's answer cannot be understood."""


class StationUnsupportedError(StationError):
    """The station's firmware does not have this function."""


class StationRefusedError(StationError):
    """The station understood and said no.

    `code` is a translation key, `detail` the station's own words, `field` what it found at fault where it says so.
    """

    def __init__(self, code: str, detail: str | None = None, field: str | None = None) -> None:
        """Keep the code apart from the text: the code is translated, the text is not."""
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.field = field


NOT_TRANSFERABLE: Final = "not_transferable"
"""The code for somebody whom a station keeps on terms that cannot be kept elsewhere."""


class StationPhotoError(StationRefusedError):
    """The station cannot make a face of the photo; another photo may do."""


class InvalidValueError(StationError, ValueError):
    """A value that the station would not take; nothing was sent. The message never holds the value.

    `problem` is for logs. What users can come upon has a `kind` of its own, which is translated with `values`.
    """

    def __init__(self, field: str, problem: str, kind: str | None = None, **values: object) -> None:
        """Keep the field's name apart from the sentence about it; without a `kind` that sentence stands for itself."""
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem
        self.kind = kind or "value"
        self.values = {name: str(value) for name, value in values.items()} if kind else {"problem": problem}


class ValueTooLongError(InvalidValueError):
    """A text that has more bytes of UTF-8 than the station keeps."""

    def __init__(self, field: str, limit: int, length: int) -> None:
        """Name the field, the limit and the length, both in bytes."""
        super().__init__(field, f"at most {limit} bytes of UTF-8, not {length}")
        self.limit = limit
        self.length = length

"""What a panel says no with: the status and the texts of its error bodies."""

from collections.abc import Iterable
from typing import Any, Final

WRONG_BODY: Final = "Wrong JSON body"
LOG_IN: Final = "Log In"
NOT_ADMIN: Final = "Administrator rights required"
DISABLED: Final = "This feature is disabled on your device"
WRONG_LOGIN: Final = "Wrong login or password"
PARAMETERS_MISSED: Final = "Required parameters missed"


class Refusal(Exception):  # noqa: N818 (a refusal is an answer, not an error)
    """A request that is not carried out. `plain` answers in plain text instead of `{"error": text}`."""

    def __init__(self, status: int, text: str, *, plain: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.text = text
        self.plain = plain


def wrong(text: str) -> Refusal:
    """HTTP 400 with this text."""
    return Refusal(400, text)


def missing(name: str) -> Refusal:
    """A required field that is not there."""
    return wrong(f"{WRONG_BODY}: no value for `{name}`")


def wrong_type(name: str) -> Refusal:
    """A field of the wrong type."""
    return wrong(f"{WRONG_BODY}: value `{name}` was of the wrong type")


def not_one_of(name: str, value: Any, choices: Iterable[Any]) -> Refusal:
    """A field whose value is none of those allowed."""
    return wrong(f"Wrong {name} field={value}. Available values: [{', '.join(str(choice) for choice in choices)}]")


def disabled() -> Refusal:
    """HTTP 404: the model or its settings lack the feature."""
    return Refusal(404, DISABLED, plain=True)

"""Answers, read strictly: what is missing or of another type is a fault of the server, and no value is ever shown."""

from collections.abc import Mapping
from datetime import UTC, datetime
import math
from typing import Any
from uuid import UUID

from ..errors import EngineProtocolError


class Fields:
    """An object of an answer. A reader without `maybe_` wants the member; one with it takes null and absence too."""

    def __init__(self, value: Any, what: str) -> None:
        """`what` names the object in errors. Raises EngineProtocolError where it is none."""
        if not isinstance(value, dict):
            raise EngineProtocolError(f"{what} is not an object")
        self._values: Mapping[str, Any] = value
        self._what = what

    def _wrong(self, name: str, kind: str) -> EngineProtocolError:
        return EngineProtocolError(f"{self._what}: {name} is not {kind}")

    def has(self, name: str) -> bool:
        """Whether the member is there, be it null."""
        return name in self._values

    def maybe_text(self, name: str) -> str | None:
        """Read a text, half characters replaced."""
        value = self._values.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return whole_text(value)

    def text(self, name: str) -> str:
        """Read a text that must be there."""
        value = self.maybe_text(name)
        if value is None:
            raise self._wrong(name, "a text")
        return value

    def maybe_number(self, name: str) -> float | None:
        """Read a finite number."""
        value = self._values.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._wrong(name, "a number")
        try:
            number = float(value)
        except OverflowError:
            raise self._wrong(name, "a number") from None
        if not math.isfinite(number):
            raise self._wrong(name, "a number")
        return number

    def number(self, name: str) -> float:
        """Read a finite number that must be there."""
        value = self.maybe_number(name)
        if value is None:
            raise self._wrong(name, "a number")
        return value

    def maybe_whole(self, name: str) -> int | None:
        """Read a whole number; 40.0 is one too."""
        value = self.maybe_number(name)
        if value is None:
            return None
        if not value.is_integer():
            raise self._wrong(name, "a whole number")
        return int(value)

    def whole(self, name: str) -> int:
        """Read a whole number that must be there."""
        value = self.maybe_whole(name)
        if value is None:
            raise self._wrong(name, "a whole number")
        return value

    def maybe_flag(self, name: str) -> bool | None:
        """Read a truth value."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def maybe_moment(self, name: str) -> datetime | None:
        """Read a time; one without a zone is in UTC, as the server keeps them."""
        value = self.maybe_text(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise self._wrong(name, "a time") from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

    def maybe_uuid(self, name: str) -> str | None:
        """Read an id of a face or a picture, in its usual spelling."""
        value = self.maybe_text(name)
        if value is None:
            return None
        try:
            return str(UUID(value))
        except ValueError:
            raise self._wrong(name, "a UUID") from None

    def uuid(self, name: str) -> str:
        """Read such an id that must be there."""
        value = self.maybe_uuid(name)
        if value is None:
            raise self._wrong(name, "a UUID")
        return value

    def maybe_object(self, name: str) -> Fields | None:
        """Read an object."""
        value = self._values.get(name)
        return None if value is None else Fields(value, f"{self._what}: {name}")

    def maybe_objects(self, name: str) -> tuple[Fields, ...]:
        """Read a list of objects; null and absence are an empty one."""
        value = self._values.get(name)
        return () if value is None else objects(value, f"{self._what}: {name}")

    def objects(self, name: str) -> tuple[Fields, ...]:
        """Read a list of objects that must be there."""
        return objects(self._values.get(name), f"{self._what}: {name}")


def whole_text(text: str) -> str:
    """Replace half characters (lone surrogates): they can be neither stored nor sent."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def objects(value: Any, what: str) -> tuple[Fields, ...]:
    """Read a list of objects. Raises EngineProtocolError."""
    if not isinstance(value, list):
        raise EngineProtocolError(f"{what} is not a list")
    return tuple(Fields(item, what) for item in value)

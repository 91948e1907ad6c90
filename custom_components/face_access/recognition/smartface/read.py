"""Answers, read strictly: what is missing or of another type is a fault of the server, and no value is ever shown."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from ..remote.values import a_list, a_number, a_text, a_uuid, an_object, wrong

MANY: Final = 1000
"""Objects of a list whose length nobody asked for: to read more of them holds up Home Assistant's loop."""


class Fields:
    """An object of an answer. A reader without `maybe_` wants the member; one with it takes null and absence too."""

    def __init__(self, value: Any, what: str) -> None:
        """`what` names the object in errors. Raises EngineProtocolError where it is none."""
        self._values: Mapping[str, Any] = an_object(value, what)
        self._what = what

    def _field(self, name: str) -> str:
        """What a member is called in errors."""
        return f"{self._what}: {name}"

    def has(self, name: str) -> bool:
        """Whether the member is there, be it null."""
        return name in self._values

    def maybe_text(self, name: str) -> str | None:
        """Read a text, half characters replaced."""
        return self.text(name) if self._values.get(name) is not None else None

    def text(self, name: str) -> str:
        """Read a text that must be there."""
        return a_text(self._values.get(name), self._field(name), empty=True)

    def maybe_number(self, name: str) -> float | None:
        """Read a finite number."""
        return self.number(name) if self._values.get(name) is not None else None

    def number(self, name: str) -> float:
        """Read a finite number that must be there."""
        return a_number(self._values.get(name), self._field(name))

    def maybe_whole(self, name: str) -> int | None:
        """Read a whole number; 40.0 is one too."""
        return self.whole(name) if self._values.get(name) is not None else None

    def whole(self, name: str) -> int:
        """Read a whole number that must be there."""
        value = self.number(name)
        if not value.is_integer():
            raise wrong(self._field(name), "is no whole number")
        return int(value)

    def maybe_flag(self, name: str) -> bool | None:
        """Read a truth value."""
        value = self._values.get(name)
        if value is not None and not isinstance(value, bool):
            raise wrong(self._field(name), "is neither true nor false")
        return value

    def maybe_moment(self, name: str) -> datetime | None:
        """Read a time; one without a zone is in UTC, as the server keeps them."""
        value = self.maybe_text(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            raise wrong(self._field(name), "is no time") from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

    def maybe_uuid(self, name: str) -> str | None:
        """Read an id of a face or a picture, in its usual spelling."""
        return self.uuid(name) if self._values.get(name) is not None else None

    def uuid(self, name: str) -> str:
        """Read such an id that must be there."""
        return a_uuid(self._values.get(name), self._field(name))

    def maybe_object(self, name: str) -> Fields | None:
        """Read an object."""
        value = self._values.get(name)
        return None if value is None else Fields(value, self._field(name))

    def maybe_objects(self, name: str, limit: int = MANY) -> tuple[Fields, ...]:
        """Read a list of objects; null and absence are an empty one."""
        value = self._values.get(name)
        return () if value is None else objects(value, self._field(name), limit)

    def objects(self, name: str, limit: int = MANY) -> tuple[Fields, ...]:
        """Read a list of objects that must be there."""
        return objects(self._values.get(name), self._field(name), limit)


def objects(value: Any, what: str, limit: int = MANY) -> tuple[Fields, ...]:
    """Read a list of at most `limit` objects. Raises EngineProtocolError."""
    return tuple(Fields(item, what) for item in a_list(value, what, limit))

"""The event log: what happened, page by page, and handed on to whoever listens (webhooks, MQTT, syslog)."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from .errors import wrong
from .events import EVENTS, keys_of
from .listing import page

if TYPE_CHECKING:
    from .core import Core

_FIELDS: Final = ("timestamp", "category", "priority", "name.key")
_LOCALES: Final = frozenset({"en", "ru", "es", "pl", "uk"})
_LATER_LOCALES: Final = frozenset({"nl", "fr", "tr", "da"})
_OF_CAMDROID: Final = frozenset({"nl", "fr"})
_MAX: Final = 20000

type Item = dict[str, Any]


class Journal:
    """Newest entry last. Its texts are English whatever the locale: clients go by the keys."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.items: list[Item] = []
        self.listeners: list[Callable[[Item], None]] = []
        self._keys = keys_of(core.model.family)

    def write(self, key: str, /, **model: Any) -> Item | None:
        """Write an entry and hand it on; None when this family of panels has no such entry."""
        if key not in self._keys:
            return None
        event = EVENTS[key]
        item: Item = {
            "timestamp": self.core.milliseconds(),
            "category": event.category,
            "priority": event.priority,
            "name": {"key": key, "text": event.text},
            "info": {"text": ", ".join(f"{name}: {value}" for name, value in model.items()), "model": model},
        }
        self.items.append(item)
        del self.items[:-_MAX]
        self.core.note("event", f"{key} {model or ''}")
        for listener in self.listeners:
            listener(item)
        self.core.save()
        return item

    @property
    def locales(self) -> frozenset[str]:
        """The languages that the log can be asked for."""
        if self.core.model.family == "camdroid":
            return _LOCALES | _OF_CAMDROID
        return _LOCALES | (_LATER_LOCALES if self.core.model.since("2.9.0") else frozenset())

    def written(self) -> list[str]:
        """Every key written so far, oldest first."""
        return [item["name"]["key"] for item in self.items]

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """A page of the log between two times (ms)."""
        if query.get("locale", "en") not in self.locales:
            self.core.violation(f"the log has no locale {query['locale']!r}")
        begin, end = _time(query, "from"), _time(query, "to")
        if begin is not None and end is not None and begin > end:
            raise wrong("Wrong time range: from is later than to")
        within = [
            item
            for item in self.items
            if (begin is None or item["timestamp"] >= begin) and (end is None or item["timestamp"] <= end)
        ]
        style = self.core.model.filters
        return page(within, query, style, fields=_FIELDS, sort="timestamp", option="list_option")

    def clear(self) -> None:
        """Forget everything."""
        self.items.clear()


def _time(query: Mapping[str, str], name: str) -> int | None:
    raw = query.get(name)
    if raw is None:
        return None
    if not raw.isascii() or not raw.isdigit():
        raise wrong("Wrong time format")
    return int(raw)

"""What a panel sends us by itself: webhooks, questions of the remote access server, publications to a broker."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import json
import logging
from typing import Any, Final

from ...access import Decision, Person, Reason, StationEvent
from ..errors import StationProtocolError
from ..station import Greeting
from ..values import as_int, as_object, as_objects, as_text, section
from .events import translate
from .journal import Way
from .log import MAX_TIME, LogEntry, parse_entry, parse_link_event
from .remote import MAX_LOCK, Question, grant, no_opinion, parse_question, refuse
from .state import PanelState
from .webhooks import ATTEMPT, EVENT_PREFIX, TIMESTAMP, header, signature_fits

_LOGGER = logging.getLogger(__name__)

# What is older when it arrives is history: nobody wants a bell for a visitor who has left.
LIVE_WITHIN: Final = timedelta(seconds=30)
# How long ago a delivery may have been sent: some slow seconds, and what the reading of the clock is off.
_DELIVERED_WITHIN: Final = timedelta(minutes=2)
# Entries of a log are some hundred bytes; a message of a hundred of them stays far below this.
_MAX_BODY: Final = 1024 * 1024
_MAX_DEPTH: Final = 4
# An opinion is what the household decided about somebody it knows. Everything else is the panel's to decide.
_OPINIONS: Final = frozenset(
    {
        Reason.BLOCKED,
        Reason.DISABLED,
        Reason.EXPIRED,
        Reason.NOT_PERMITTED,
        Reason.NOT_YET_VALID,
        Reason.SCHEDULE,
        # A card alone is not enough at this door, and the panel would take it for enough.
        Reason.SECOND_FACTOR,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelMessage:
    """One request of a panel. `question` is what it asks about somebody who stands there."""

    serial: str | None = None
    problem: str | None = None
    events: tuple[StationEvent, ...] = ()
    person: Person | None = None
    question: Question | None = None
    asks_command: bool = False

    @property
    def asks_decision(self) -> bool:
        """Whether the panel waits for our word."""
        return self.question is not None

    def answer(self, decision: Decision | None = None, greeting: Greeting | None = None, door: int = 1) -> bytes:
        """Answer; a panel says nothing of ours, so a greeting is of no use to it.

        Without a decision about somebody the household knows, the panel decides itself.
        """
        if self.question is None:
            # Should it be a question that we cannot read, this is an answer too.
            return no_opinion()
        if decision is not None and decision.granted:
            return grant(door) if 1 <= door <= MAX_LOCK else no_opinion()
        return refuse() if decision is not None and decision.reason in _OPINIONS else no_opinion()


class Receiver:
    """Understands what a panel sends. `secret` is what its webhook signs with, None while nobody knows it."""

    def __init__(self, state: PanelState) -> None:
        """Bind to a panel."""
        self._state = state
        self.secret: str | None = None
        self.verified = False
        """Whether a genuine signature was seen. Until then a wrong one is only logged: nothing tells how it is made."""
        self.doubtful = False
        """Whether something came since that did not fit: somebody else sent it, or the panel has another secret."""
        self._complained = False

    def receive(self, body: bytes, headers: Mapping[str, str] | None = None) -> PanelMessage:
        """Understand one request as far as it goes. Never raises."""
        serial = self._state.context.serial
        content = _decode(body)
        if content is None:
            return PanelMessage(serial=serial, problem="not a JSON object")
        if (question := parse_question(content)) is not None:
            return PanelMessage(serial=serial, question=question)
        try:
            return PanelMessage(serial=serial, events=self._delivered(body, content, headers or {}))
        except StationProtocolError as err:
            return PanelMessage(serial=serial, problem=str(err))

    def _delivered(
        self, body: bytes, content: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[StationEvent, ...]:
        """Read what a webhook delivered. Raises StationProtocolError."""
        if not (kind := as_text(content.get("event_type"))):
            raise StationProtocolError("neither an event nor a question")
        if not self._is_genuine(body, headers):
            raise StationProtocolError("the signature does not fit")
        # Everything else is a test.
        return self._events(_read_event(kind, content), Way.WEBHOOK, headers) if kind.startswith(EVENT_PREFIX) else ()

    def publication(self, payload: bytes) -> tuple[StationEvent, ...]:
        """Understand a publication to `server/request/v0/{serial}`. Never raises.

        How requests are wrapped there is not documented, so events are found wherever they stand.
        """
        content = _decode(payload)
        found = () if content is None else tuple(_find_events(content, _MAX_DEPTH))
        return tuple(event for entry in found for event in self._events(entry, Way.BROKER, {}))

    def _events(self, entry: LogEntry, way: Way, headers: Mapping[str, str]) -> tuple[StationEvent, ...]:
        if not self._state.journal.take((entry,), way):
            return ()
        return translate(entry, self._state.context, live=self._is_live(entry, headers))

    def _is_live(self, entry: LogEntry, headers: Mapping[str, str]) -> bool:
        """Whether an event is news. A delivery says when it was sent, by the same clock as the event: both are told.

        Where that clock is known, what was sent long ago is no news whatever it says: somebody plays it once more.
        """
        sent = _time(header(headers, TIMESTAMP))
        if sent is not None and self._state.clock_known:
            panel_now = datetime.now(UTC) + self._state.context.clock_offset
            if abs(panel_now - sent) > _DELIVERED_WITHIN:
                return False
        # Nothing tells whether a later attempt says its own time or that of the first one.
        if sent is not None and not (self._state.clock_known and header(headers, ATTEMPT).strip() not in ("", "1")):
            return abs(sent - entry.at) <= LIVE_WITHIN
        if not self._state.clock_known:
            return True
        return abs(datetime.now(UTC) - self._state.context.aware(entry)) <= LIVE_WITHIN

    def _is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        if self.secret is None:
            # Nobody has our permission to send anything, so whoever does is not the panel.
            return False
        if signature_fits(body, headers, self.secret):
            self.verified = True
            return True
        if not self._complained:
            self._complained = True
            _LOGGER.info("A delivery of the panel's webhook is not signed as expected")
        self.doubtful = True
        return not self.verified


def _decode(body: bytes) -> dict[str, Any] | None:
    if len(body) > _MAX_BODY:
        return None
    try:
        value = json.loads(body.decode("utf-8", errors="replace"), strict=False, parse_constant=lambda _name: None)
    except ValueError, RecursionError:
        return None
    return as_object(value)


def _read_event(kind: str, content: Mapping[str, Any]) -> LogEntry:
    """Read the entry that a delivery is about. What `data` holds is not documented: most likely the log's own entry.

    Raises StationProtocolError for one without a time.
    """
    key, data = kind.removeprefix(EVENT_PREFIX), section(content, "data")
    if (entry := parse_entry(data)) is not None and entry.key == key:
        return entry
    info = section(data, "info")
    model = section(info, "model") or info or section(data, "model") or data
    for source, approximate in ((data.get("timestamp"), False), (content.get("created_at"), True)):
        moment = as_int(source)
        if moment is not None and 0 <= moment <= MAX_TIME:
            return LogEntry(time=moment, key=key, model=model, approximate=approximate)
    raise StationProtocolError("an event without a time")


def _find_events(content: Mapping[str, Any], depth: int) -> Iterator[LogEntry]:
    for raw in as_objects(content.get("events")):
        if (entry := parse_link_event(raw)) is not None:
            yield entry
    if depth == 0:
        return
    for value in content.values():
        # A body may stand there as a text of JSON.
        inner = _decode(value.encode(errors="replace")) if isinstance(value, str) else as_object(value)
        if inner is not None:
            yield from _find_events(inner, depth - 1)


def _time(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment

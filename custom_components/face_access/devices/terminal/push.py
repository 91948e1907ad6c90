"""What a terminal sends us by itself, and the acknowledgement that it insists on (HTTP API 2.2.1, 2.7, 2.11, 2.16.4).

A terminal that gets no acknowledgement, or one with another sequence number or capture time, stays on that record for
ever. So every body is answered, a broken one with whatever of the two can still be found in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
import json
import re
from typing import Any

from ...access import (
    CallChanged,
    CallState,
    Decision,
    FirmwareReported,
    Liveness,
    Person,
    Pictures,
    Reason,
    Ring,
    Role,
    Sighting,
    SightingKey,
    StationEvent,
    Verdict,
)
from ..errors import StationProtocolError
from ..station import Greeting, ScreenText
from ..values import as_bool, as_float, as_int, as_text, from_base64, is_jpeg, is_png, section
from .audio import SPEECH_LIMIT
from .queue import HEARTBEAT, is_control
from .screen import OsdText, write_text
from .values import read_time
from .wire import command_of, cut_text, decode

# 2.2.1.1: why a person who is known may not pass. Numbers that we do not know are a no all the same.
REFUSALS: Mapping[int, Reason] = {
    -2: Reason.BLOCKED,
    -3: Reason.EXPIRED,
    -4: Reason.SCHEDULE,
    -5: Reason.HOLIDAY,
    -6: Reason.TEMPERATURE,
    -7: Reason.MASK,
    -8: Reason.HELMET,
    -9: Reason.CARD,
    -10: Reason.ID_MISMATCH,
    -11: Reason.UNAUTHORIZED,
}
ROLES: Mapping[int, Role] = {0: Role.NORMAL, 1: Role.ALLOWED, 2: Role.BLOCKED}
# 2.16.4. 5 and 6 are calls that somebody else began.
_CALLS: Mapping[int, CallState] = {
    0: CallState.IDLE,
    1: CallState.CALLING,
    2: CallState.RINGING,
    3: CallState.REJECTED,
    4: CallState.CONNECTED,
    5: CallState.INCOMING,
    6: CallState.CONNECTED,
}
_CALL_STARTED = 1
_CELSIUS_AT_MOST = 50
# 2.2.1.1: lists that let somebody in; "none" is a firmware that has no such information. "unknown" is no yes.
_VALID_LISTS = frozenset({"permanent_list", "temporary_list", "none"})
# Where the device does not say what it asks for: the least that any can be set to (2.3.1.2).
_LEAST_SCORE = 70.0
_UNREADABLE = -(2**31)

_SEQUENCE_IN_RUBBLE = re.compile(rb'"sequence_no\s*"\s*:\s*(-?\d{1,19})')
_TIME_IN_RUBBLE = re.compile(rb'"cap_time\s*"\s*:\s*"([^"\\]{1,40})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What has to be known of a terminal to understand what it sends. `clock_offset` is its clock minus ours."""

    time_zone: tzinfo
    clock_offset: timedelta = timedelta()
    match_score: float | None = None
    liveness: bool = False
    """Whether the device checks for life before it compares, as far as we know at this moment."""
    online_mode: bool = False

    def aware(self, local: datetime) -> datetime | None:
        """Put the device's naive local time on our clock: UTC, so that it reads the same when it comes from history.

        None for a time at either end of the calendar, which no clock shows.
        """
        try:
            return (local - self.clock_offset).replace(tzinfo=self.time_zone).astimezone(UTC)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminalMessage:
    """One request of a terminal. `acknowledgement` is what every answer to it starts from."""

    serial: str | None = None
    problem: str | None = None
    events: tuple[StationEvent, ...] = ()
    person: Person | None = None
    asks_decision: bool = False
    asks_command: bool = False
    question: None = None
    upgrade: Mapping[str, Any] | None = field(default=None, repr=False)
    acknowledgement: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def answer(self, decision: Decision | None = None, greeting: Greeting | None = None, door: int = 1) -> bytes:
        """Acknowledge, and open the door where the decision says so (2.2.1.2)."""
        body = dict(self.acknowledgement)
        if decision is not None and decision.granted and self.asks_decision:
            body["gateway_ctrl"] = {"device_type": "gpio", "device_no": door, "ctrl_mode": "force"}
            if self.person is not None:
                body["gateway_ctrl"]["person_id"] = self.person.id
        if greeting is not None and greeting.speech:
            body["tts"] = {"text": cut_text(greeting.speech, SPEECH_LIMIT)}
        if greeting is not None and greeting.text is not None:
            body["Text_display"] = write_text(osd_text(greeting.text))
        try:
            return json.dumps(body, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            # Half a character, as the device wrote it: to be repeated to the letter all the same.
            return json.dumps(body).encode()


def osd_text(line: ScreenText) -> OsdText:
    """Put one line into the device's units: durations in ms."""
    return OsdText(
        text=line.text,
        x=line.x,
        y=line.y,
        duration=round(line.duration.total_seconds() * 1000),
        size=line.size,
        spacing=line.spacing,
        color=line.color,
    )


def receive(body: bytes, context: Context) -> TerminalMessage:
    """Understand one request as far as it goes. Never raises."""
    try:
        content = decode(body)
    except StationProtocolError:
        return _rubble(body)
    command = command_of(content)
    serial = (as_text(content.get("device_sn")) or "").strip() or None
    if command == "face":
        return _face(content, serial, context)
    acknowledgement = {"reply": "ACK", "cmd": command, "code": 0}
    if is_control(content):
        # Results are documented without a serial number here and there, heartbeats are not.
        nameless = serial is None and command == HEARTBEAT
        problem = "heartbeat without serial number" if nameless else None
        return TerminalMessage(serial=serial, problem=problem, asks_command=True, acknowledgement=acknowledgement)
    if command == "sip event":
        return _call(content, serial, context, acknowledgement)
    if command == "ask_upgrade":
        events = () if serial is None else (FirmwareReported(source=serial),)
        return TerminalMessage(serial=serial, events=events, upgrade=content, acknowledgement=acknowledgement)
    return TerminalMessage(serial=serial, asks_command=True, problem="unknown command", acknowledgement=acknowledgement)


def _rubble(body: bytes) -> TerminalMessage:
    """Acknowledge what cannot be read, by the two facts that the device goes by where they can be found."""
    acknowledgement: dict[str, Any] = {"reply": "ACK", "cmd": "face", "code": 0}
    if (sequence := _SEQUENCE_IN_RUBBLE.search(body)) is not None:
        acknowledgement["sequence_no"] = int(sequence[1])
    if (captured := _TIME_IN_RUBBLE.search(body)) is not None:
        acknowledgement["cap_time"] = captured[1].decode(errors="replace")
    is_face = len(acknowledgement) > 3
    return TerminalMessage(problem="not JSON", asks_command=not is_face, acknowledgement=acknowledgement)


def _call(
    content: Mapping[str, Any], serial: str | None, context: Context, acknowledgement: Mapping[str, Any]
) -> TerminalMessage:
    number = as_int(content.get("sip_event"))
    state = None if number is None else _CALLS.get(number)
    if state is None or serial is None:
        return TerminalMessage(serial=serial, problem="unknown SIP event", acknowledgement=acknowledgement)
    events: tuple[StationEvent, ...] = (CallChanged(source=serial, state=state),)
    if number == _CALL_STARTED:
        # The terminal's bell is a call that it begins; the document gives it no event of its own.
        events = (Ring(source=serial, at=datetime.now(context.time_zone)), *events)
    return TerminalMessage(serial=serial, events=events, acknowledgement=acknowledgement)


def _face(content: Mapping[str, Any], serial: str | None, context: Context) -> TerminalMessage:
    acknowledgement = _acknowledge_face(content)
    key = sighting_key(content.get("sequence_no"), content.get("cap_time"))
    local = None if key is None else read_time(key.captured)
    captured_at = None if local is None else context.aware(local)
    if key is None or captured_at is None or serial is None:
        return TerminalMessage(serial=serial, problem="incomplete sighting", acknowledgement=acknowledgement)
    match, attributes = section(content, "match"), section(content, "person")
    card = any(_is_card(attributes[name]) for name in ("wg_card_id", "long_card_id") if name in attributes)
    outcome = Outcome.read(content.get("match_result"), match_failed(content), match, context)
    sighting = Sighting(
        source=serial,
        key=key,
        captured_at=captured_at,
        # Missing means no: a record whose age is unknown opens nothing.
        realtime=as_bool(content.get("is_realtime")) is True,
        person_id=outcome.person_id,
        person_name=outcome.person_name,
        role=outcome.role,
        score=outcome.score,
        threshold=_LEAST_SCORE if context.match_score is None else context.match_score,
        # Whoever showed a card may have been let in by it: then no face was looked at.
        liveness=Liveness.UNCHECKED if card else outcome.liveness,
        verdict=outcome.verdict,
        refused=outcome.refused,
        temperature=celsius(as_float(attributes.get("temperatur"))),
        mask=as_bool(attributes.get("has_mask")),
        card=card,
        pictures=Pictures(face=_picture(content, "closeup_pic"), scene=_picture(content, "overall_pic")),
    )
    return TerminalMessage(
        serial=serial,
        events=(sighting,),
        person=outcome.person,
        asks_decision=context.online_mode,
        acknowledgement=acknowledgement,
    )


def _acknowledge_face(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """Echo the two facts that the device goes by as they came, whatever their type: it compares them to the letter."""
    echoed = {
        name: content[name]
        for name in ("sequence_no", "cap_time")
        if name in content and not isinstance(content[name], (dict, list))
    }
    return {"reply": "ACK", "cmd": "face", "code": 0, **echoed}


def sighting_key(sequence: Any, captured: Any) -> SightingKey | None:
    """Read what makes a sighting the same one again; None for what no device counts (64 bits) or writes."""
    number, text = as_int(sequence), as_text(captured)
    if number is None or text is None or not -(2**63) <= number < 2**63:
        return None
    return SightingKey(sequence=number, captured=text)


def match_failed(content: Mapping[str, Any]) -> int | None:
    """Read the device's own no; the key is misspelt in the document, so the right spelling counts as well.

    What is there and cannot be read is a no: doors fail closed.
    """
    given = [content[key] for key in ("match_failed_reson", "match_failed_reason") if key in content]
    reasons = [_UNREADABLE if (reason := as_int(value)) is None else reason for value in given]
    return min(reasons, default=None)


def _is_card(number: object) -> bool:
    """Whether this is a card's number; what cannot be read is one, since a card opens less than a face."""
    return number not in (None, "") and as_int(number) != 0


def celsius(temperature: float | None) -> float | None:
    """Read a body temperature. The document names no unit; nobody alive has 50 °C, so more is Fahrenheit. 0 is none."""
    if not temperature:
        return None
    return round((temperature - 32) / 1.8, 2) if temperature > _CELSIUS_AT_MOST else temperature


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the device made of a face: whom it took it for, and whether it lets them in."""

    person_id: str | None
    person_name: str | None
    role: Role | None
    score: float | None
    liveness: Liveness
    refused: Reason | None
    verdict: Verdict
    listed: bool

    @classmethod
    def read(cls, result: object, reason: int | None, match: Mapping[str, Any], context: Context) -> Outcome:
        """Read result (-1 failed, 0 not compared, else the score of 100), reason and person (2.2.1.1)."""
        number = as_float(result)
        score = number if number is not None and 0 < number <= 100 else None
        # Encrypted names and ids are of no use to us: the cipher's mode is not documented.
        plain = "is_encryption" not in match or as_bool(match["is_encryption"]) is False
        person_id = as_text(match.get("person_id")) or None if plain else None
        role_number = as_int(match.get("person_role"))
        role = None if role_number is None else ROLES.get(role_number)
        refused = _refused(number, reason, role)
        if refused is not None:
            verdict = Verdict.DENIED
        elif score is not None and as_text(match.get("person_id")) and not context.online_mode:
            verdict = Verdict.GRANTED
        else:
            verdict = Verdict.NONE
        # The device checks for life before it compares: a match with that check on was somebody present.
        live = context.liveness and score is not None
        return cls(
            person_id=person_id,
            person_name=as_text(match.get("person_name")) or None if plain else None,
            role=role,
            score=score,
            liveness=Liveness.LIVE if live else Liveness.UNCHECKED,
            refused=refused,
            verdict=verdict,
            listed=(as_text(match.get("person_attr")) or "").strip() in _VALID_LISTS,
        )

    @property
    def person(self) -> Person | None:
        """Whom the device knows under this id, on its own list."""
        if self.person_id is None or self.role is None:
            return None
        return Person(id=self.person_id, name=self.person_name or self.person_id, role=self.role, enabled=self.listed)


def _refused(result: float | None, reason: int | None, role: Role | None) -> Reason | None:
    if reason is not None and reason < 0:
        return REFUSALS.get(reason, Reason.DEVICE)
    if role is Role.BLOCKED:
        return Reason.BLOCKED
    if result is None or result < 0 or result > 100:
        return Reason.UNKNOWN
    return None


def _picture(content: Mapping[str, Any], key: str) -> bytes | None:
    """Decode a picture; None for anything that is not a JPEG or PNG."""
    image = from_base64(section(content, key).get("data"))
    return image if image is not None and (is_jpeg(image) or is_png(image)) else None

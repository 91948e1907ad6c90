"""What the keys of a panel's log mean to the house."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
import zlib

from ...access import (
    Alarm,
    AlarmKind,
    Booted,
    CallChanged,
    CallState,
    ContactMoved,
    DoorMoved,
    EventKey,
    Liveness,
    Method,
    Missed,
    Momentary,
    Passage,
    Reason,
    Ring,
    Sighting,
    SightingKey,
    StationEvent,
    Verdict,
)
from ..values import as_text
from .locks import read_lock
from .log import LogEntry

_GRANTED: Final[Mapping[str, Method]] = {
    "access_granted_by_api_call": Method.API,
    "access_granted_by_call_host": Method.CALL,
    "access_granted_by_master_code": Method.MASTER_CODE,
    "access_granted_by_remote_server_api_call": Method.REMOTE_SERVER,
    "access_granted_by_shared_identifier": Method.IDENTIFIER,
    "access_granted_by_valid_face_identifier": Method.FACE,
    "access_granted_by_valid_identifier": Method.IDENTIFIER,
    "emergency_lock_is_opened": Method.EMERGENCY,
    "lock_was_opened_by_exit_btn": Method.EXIT_BUTTON,
    "lock_was_opened_by_free_access_button": Method.FREE_ACCESS,
    "multi_access_granted": Method.IDENTIFIER,
}
_DENIED: Final[Mapping[str, tuple[Method, Reason]]] = {
    "access_denied_by_not_valid_face_identifier": (Method.FACE, Reason.UNKNOWN),
    "access_denied_by_not_valid_identifier": (Method.IDENTIFIER, Reason.NOT_PERMITTED),
    "access_denied_by_not_valid_input_code": (Method.CODE, Reason.UNKNOWN),
    "access_denied_by_not_valid_shared_identifier": (Method.IDENTIFIER, Reason.NOT_PERMITTED),
    "access_denied_by_remote_server_api_call": (Method.REMOTE_SERVER, Reason.NOT_PERMITTED),
    "access_denied_by_unknown_card": (Method.CARD, Reason.UNKNOWN),
    "access_denied_by_unknown_qr_code": (Method.QR, Reason.UNKNOWN),
    "access_denied_by_web_api_call": (Method.API, Reason.DEVICE),
    "access_denied_unknown_identifier": (Method.IDENTIFIER, Reason.UNKNOWN),
    "identifiers_without_linkage_to_user_access_denied": (Method.IDENTIFIER, Reason.NOT_PERMITTED),
    "multi_access_denied": (Method.IDENTIFIER, Reason.NOT_PERMITTED),
}
_CONTACTS: Final[Mapping[str, bool]] = {
    "door_was_opened": True,
    "door_sensor_was_opened": True,
    "door_was_closed": False,
    "door_sensor_was_closed": False,
}
_ALARMS: Final[Mapping[str, AlarmKind]] = {
    "door_was_not_closed_too_long": AlarmKind.DOOR_LEFT_OPEN,
    "lock_is_opened_too_long": AlarmKind.DOOR_LEFT_OPEN,
    "sip_registration_lost": AlarmKind.SIP_LOST,
    "tamper_event": AlarmKind.TAMPER,
}
_CALLS: Final[Mapping[str, CallState]] = {
    "incoming_call": CallState.INCOMING,
    "outgoing_call": CallState.CALLING,
    "outgoing_call_missed": CallState.IDLE,
    "outgoing_call_web": CallState.CALLING,
}
_BOOTED: Final = "device_booted"
# Somebody at the panel calls: the bell. One that was begun over the web is none.
_RING: Final = "outgoing_call"
WANTED: Final = (*_GRANTED, *_DENIED, *_CONTACTS, *_ALARMS, *_CALLS, _BOOTED)

# The words that panels have for what was shown, in the log and in the remote access server's questions.
_METHODS: Final[Mapping[str, Method]] = {
    "card": Method.CARD,
    "ukey": Method.CARD,
    "inputcode": Method.CODE,
    "input_code": Method.CODE,
    "qr": Method.QR,
    "license_plate": Method.PLATE,
    "face_id": Method.FACE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What has to be known of a panel to understand its log. `clock_offset` is its clock minus ours."""

    serial: str
    clock_offset: timedelta = timedelta()

    def aware(self, entry: LogEntry) -> datetime:
        """Put an entry's time on our clock."""
        try:
            return entry.at - self.clock_offset
        except OverflowError:
            return entry.at


def translate(entry: LogEntry, context: Context, *, live: bool = True) -> tuple[StationEvent, ...]:
    """Say what an entry means; nothing for one that is of no interest.

    One that is not live is history: a sighting, a start, or something that was missed.
    """
    at, source = context.aware(entry), context.serial
    if entry.key == _BOOTED:
        return (Booted(source=source, at=at),)
    if (passage := _passage(entry, context, at)) is not None:
        sightings = (_sighting(entry, passage, live=live),) if passage.method is Method.FACE else ()
        # An emergency holds a door open until somebody ends it: no pulse, and it may have been ended since.
        pulsed = passage.granted and passage.method is not Method.EMERGENCY
        moved = (DoorMoved(source=source, door=door, open=True) for door in passage.doors if pulsed)
        return (*sightings, passage, *moved) if live else (*sightings, Missed(event=passage))
    momentary = _momentary(entry, source, at)
    if not live:
        return () if momentary is None else (Missed(event=momentary),)
    state = _CALLS.get(entry.key)
    changed = () if state is None else (CallChanged(source=source, state=state),)
    return changed if momentary is None else (momentary, *changed)


def _momentary(entry: LogEntry, source: str, at: datetime) -> Momentary | None:
    """Read what moved, warns or rings."""
    key = _key(entry)
    if (opened := _CONTACTS.get(entry.key)) is not None:
        return ContactMoved(source=source, at=at, open=opened, key=key)
    if (alarm := _ALARMS.get(entry.key)) is not None:
        return Alarm(source=source, at=at, kind=alarm, key=key)
    return Ring(source=source, at=at, key=key) if entry.key == _RING else None


def _key(entry: LogEntry) -> EventKey:
    return EventKey(name=entry.key, moment=entry.time, approximate=entry.approximate)


def _passage(entry: LogEntry, context: Context, at: datetime) -> Passage | None:
    """Read who came in or did not. Of what was shown only its kind is taken over, never its number."""
    owner = (as_text(entry.model.get("owner")) or "").strip() or None
    if (method := _GRANTED.get(entry.key)) is not None:
        doors = _doors(entry, context.serial)
        how, key = _method(entry, method), _key(entry)
        return Passage(source=context.serial, at=at, granted=True, method=how, owner=owner, doors=doors, key=key)
    if (denial := _DENIED.get(entry.key)) is None:
        return None
    method, reason = denial
    if method is Method.FACE and owner is not None:
        # Somebody it knows, whose face is not valid now.
        reason = Reason.NOT_PERMITTED
    how, key = _method(entry, method), _key(entry)
    return Passage(source=context.serial, at=at, granted=False, method=how, owner=owner, reason=reason, key=key)


def _method(entry: LogEntry, method: Method) -> Method:
    """An identifier is said more exactly in the model."""
    if method is not Method.IDENTIFIER:
        return method
    return _METHODS.get((as_text(entry.model.get("type")) or "").lower(), method)


def _doors(entry: LogEntry, serial: str) -> tuple[str, ...]:
    """Which doors opened: 0 stands for both locks."""
    lock = read_lock(entry.model.get("lock"))
    if lock is None:
        return ()
    return tuple(f"{serial}_{number}" for number in ((1, 2) if lock == 0 else (lock,)))


def _sighting(entry: LogEntry, passage: Passage, *, live: bool) -> Sighting:
    """Make a sighting of a face that the panel judged. It tells neither a score nor an id: the owner's name is both.

    The log numbers nothing, so what happened stands in the place of a number: with the time it is unique.
    """
    return Sighting(
        source=passage.source,
        key=SightingKey(sequence=zlib.crc32(entry.key.encode()), captured=str(entry.time)),
        captured_at=passage.at,
        realtime=live,
        person_id=passage.owner,
        person_name=passage.owner,
        liveness=Liveness.UNCHECKED,
        verdict=Verdict.GRANTED if passage.granted else Verdict.DENIED,
        refused=passage.reason,
    )

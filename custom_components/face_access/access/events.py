"""What a station or a watched camera reports: one closed family of frozen events."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from .model import Reason, Sighting


class CallState(StrEnum):
    """Where an intercom call stands."""

    IDLE = "idle"
    CALLING = "calling"
    RINGING = "ringing"
    REJECTED = "rejected"
    INCOMING = "incoming"
    CONNECTED = "connected"


class Method(StrEnum):
    """How somebody came in, or tried to."""

    FACE = "face"
    CARD = "card"
    CODE = "code"
    QR = "qr"
    PLATE = "plate"
    IDENTIFIER = "identifier"
    """One of those above; the station does not say which."""
    MASTER_CODE = "master_code"
    API = "api"
    CALL = "call"
    """The one who was called opened."""
    EXIT_BUTTON = "exit_button"
    FREE_ACCESS = "free_access"
    REMOTE_SERVER = "remote_server"
    EMERGENCY = "emergency"


class AlarmKind(StrEnum):
    """What a station warns of."""

    TAMPER = "tamper"
    DOOR_LEFT_OPEN = "door_left_open"
    SIP_LOST = "sip_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKey:
    """How a station itself tells one event from another: by what it was, and when by its own clock, in milliseconds.

    `approximate` where that is not the time of the event, but that of a message about it.
    """

    name: str
    moment: int
    approximate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Somebody pressed the bell."""

    source: str
    at: datetime
    key: EventKey | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorMoved:
    """A door's relay moved. `held_for` is how long it is held open on purpose, None for the door's usual time."""

    source: str
    door: str
    open: bool
    held_for: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMoved:
    """The contact of a door leaf changed: what a sensor measured, whatever the relay does."""

    source: str
    at: datetime
    open: bool
    key: EventKey | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A station let somebody in or turned them away, by whatever means; never with a number of a card or a code.

    `owner` is whose face, card or code it was. `doors` are those that opened, empty where the station does not say.
    """

    source: str
    at: datetime
    granted: bool
    method: Method
    owner: str | None = None
    reason: Reason | None = None
    doors: tuple[str, ...] = ()
    key: EventKey | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A station warns. It says nothing when the cause is gone."""

    source: str
    at: datetime
    kind: AlarmKind
    key: EventKey | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booted:
    """The station started."""

    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallChanged:
    """A call of the station began, was answered or ended."""

    source: str
    state: CallState


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareReported:
    """The station said which firmware it runs, or how its last upgrade ended."""

    source: str


# What has a moment of its own, is pushed at once where pushes work, and is kept in history beside the sightings.
type Momentary = Alarm | ContactMoved | Passage | Ring
PUSHED: Final = (Alarm, ContactMoved, Passage, Ring)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """Something that was over when we heard of it: history, and nothing else. It rings nobody and opens nothing."""

    event: Momentary


type StationEvent = (
    Sighting | Passage | Ring | DoorMoved | ContactMoved | CallChanged | Alarm | Booted | FirmwareReported | Missed
)

"""What a station or a watched camera reports: one closed family of frozen events."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .model import Sighting


class CallState(StrEnum):
    """Where an intercom call stands."""

    IDLE = "idle"
    CALLING = "calling"
    RINGING = "ringing"
    REJECTED = "rejected"
    INCOMING = "incoming"
    CONNECTED = "connected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Somebody pressed the bell."""

    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorMoved:
    """A door's relay or contact changed."""

    source: str
    door: str
    open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallChanged:
    """A call of the station began, was answered or ended."""

    source: str
    state: CallState


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareReported:
    """The station said which firmware it runs, or how its last upgrade ended."""

    source: str


type StationEvent = Sighting | Ring | DoorMoved | CallChanged | FirmwareReported

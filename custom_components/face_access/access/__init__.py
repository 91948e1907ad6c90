"""The vocabulary of the house and the decision who may come in: pure Python, no I/O."""

from .decision import Decision, decide
from .events import CallChanged, CallState, DoorMoved, FirmwareReported, Online, Ring, StationEvent, Tamper
from .model import (
    DoorMode,
    DoorPolicy,
    Liveness,
    Person,
    Pictures,
    Reason,
    Role,
    Sighting,
    SightingKey,
    Similarity,
    Verdict,
)

__all__ = [
    "CallChanged",
    "CallState",
    "Decision",
    "DoorMode",
    "DoorMoved",
    "DoorPolicy",
    "FirmwareReported",
    "Liveness",
    "Online",
    "Person",
    "Pictures",
    "Reason",
    "Ring",
    "Role",
    "Sighting",
    "SightingKey",
    "Similarity",
    "StationEvent",
    "Tamper",
    "Verdict",
    "decide",
]

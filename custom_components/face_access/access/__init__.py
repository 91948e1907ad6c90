"""The vocabulary of the house and the decision who may come in: pure Python, no I/O."""

from .decision import Decision, decide
from .events import CallChanged, CallState, DoorMoved, FirmwareReported, Ring, StationEvent
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
    "Person",
    "Pictures",
    "Reason",
    "Ring",
    "Role",
    "Sighting",
    "SightingKey",
    "Similarity",
    "StationEvent",
    "Verdict",
    "decide",
]

"""The nouns: who was seen where, who the household knows, and what a door allows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from .factors import Factor


class Liveness(StrEnum):
    """Whether the face belonged to somebody present, as far as the source checked."""

    LIVE = "live"
    SPOOF = "spoof"
    UNCHECKED = "unchecked"


class Verdict(StrEnum):
    """What came of a sighting."""

    GRANTED = "granted"
    DENIED = "denied"
    NONE = "none"


class Role(StrEnum):
    """How the household treats a person."""

    NORMAL = "normal"
    ALLOWED = "allowed"
    BLOCKED = "blocked"


class Similarity(StrEnum):
    """One scale for how alike a face must be, whatever numbers a device uses for it."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class Reason(StrEnum):
    """Why somebody was not let in; the words that events, history and translations use."""

    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    DISABLED = "disabled"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRED = "expired"
    NOT_PERMITTED = "not_permitted"
    SCHEDULE = "schedule"
    HOLIDAY = "holiday"
    TEMPERATURE = "temperature"
    MASK = "mask"
    HELMET = "helmet"
    CARD = "card"
    ID_MISMATCH = "id_mismatch"
    UNAUTHORIZED = "unauthorized"
    SPOOF = "spoof"
    LIVENESS = "liveness"
    SIMILARITY = "similarity"
    STALE = "stale"
    REPEATED = "repeated"
    NOT_STORED = "not_stored"
    DEVICE = "device"
    NOTIFY_ONLY = "notify_only"
    POLICY = "policy"
    SECOND_FACTOR = "second_factor"


class DoorMode(StrEnum):
    """What a door does when a face may come in."""

    NEVER = "never"
    NOTIFY_ONLY = "notify_only"
    OPEN = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingKey:
    """What makes a sighting the same one again: the device's own number and capture time, to the letter."""

    sequence: int
    captured: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """Encoded pictures (JPEG or PNG) of a sighting. Kept out of every repr: they are biometric data."""

    face: bytes | None = field(default=None, repr=False)
    scene: bytes | None = field(default=None, repr=False)

    @property
    def best(self) -> bytes | None:
        """The close-up where there is one, else the whole scene."""
        return self.face or self.scene


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One face (or card) seen by one source at one moment.

    `score` is the source's own number, 0-100, and None where nothing was compared; `threshold` is the score that
    the source asked for. `person_id` is the source's id of whom it recognised, or with
    `household` the household's own. `refused` carries the device's own
    no: a sighting that has it never opens a door. `realtime` is False for what a device reports after the fact.
    """

    source: str
    key: SightingKey
    captured_at: datetime
    realtime: bool
    repeated: bool = False
    person_id: str | None = None
    person_name: str | None = None
    role: Role | None = None
    score: float | None = None
    threshold: float | None = None
    liveness: Liveness = Liveness.UNCHECKED
    verdict: Verdict = Verdict.NONE
    refused: Reason | None = None
    temperature: float | None = None
    mask: bool | None = None
    card: bool = False
    household: bool = False
    pictures: Pictures = field(default_factory=Pictures, repr=False)

    @property
    def recognised(self) -> bool:
        """Whether the source put an identity to the face and accepted the match.

        Some sources tell no score: whom they let in, they recognised. Without a score nobody else opens a door for it.
        """
        if self.person_id is None:
            return False
        return self.verdict is Verdict.GRANTED if self.score is None else self.score > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody the household knows. `doors` None means every door; `schedule_on` None means no schedule applies."""

    id: str
    name: str
    role: Role = Role.NORMAL
    enabled: bool = True
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    doors: frozenset[str] | None = None
    schedule_on: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPolicy:
    """What a door asks for before it opens by itself. The default never opens.

    `factors` are all wanted besides the face, each given within `factors_within` before the decision.
    """

    mode: DoorMode = DoorMode.NOTIFY_ONLY
    liveness_required: bool = True
    minimum_score: float = 0
    freshness: timedelta = timedelta(seconds=10)
    factors: frozenset[Factor] = frozenset()
    factors_within: timedelta = timedelta(seconds=30)

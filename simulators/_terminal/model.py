"""What a simulated terminal remembers: timings, people, captures, openings; and its state on disk."""

import asyncio
import base64
from dataclasses import dataclass, field, fields
from typing import Any, Final

from . import pictures

STAMP: Final = "%Y/%m/%d %H:%M:%S"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Every delay of the device, in seconds."""

    command: float = 0.01  # how long one command keeps the device busy
    push_timeout: float = 10.0  # how long a push waits for its answer
    push_resend: float = 2.0  # pause before the same record is sent again
    realtime: float = 3.0  # a first transmission later than this after the capture is a back-fill
    heartbeat_wait: float = 15.0  # how long a heartbeat waits for an answer (1.1.3)
    heartbeat_retry: float = 3.0  # pause after the control URL could not be reached
    instant: float = 5.0  # an answer without a command that comes sooner makes the endless loop of 1.1.3
    reconnect: float = 0.05  # pause between an answer and the next request
    upload_heartbeat: float = 15.0  # period of the optional heartbeat of the upload link
    down_after: float = 0.3  # from the answer to `reboot` until the network is gone
    reboot: float = 5.0
    restart: float = 2.0
    sip_ring: float = 0.3  # from the start of a call until the other side rings
    sip_no_answer: float = 30.0  # a call that nobody takes ends after this


@dataclass(slots=True, kw_only=True)
class Person:
    """One entry of the comparison database; `picture` is the thumbnail (jpeg), drawn on demand for seeded people."""

    id: str
    name: str = ""
    role: int = 1
    kind: int = 0
    wg_card_id: int | None = None
    long_card_id: int | None = None
    term_start: str = "useless"
    term: str = "forever"
    customer_text: str = ""
    picture: bytes | None = None
    drawn: bool = False  # a seeded person: the simulator draws the picture itself

    @property
    def cards(self) -> set[int]:
        """The card number that counts: `long_card_id` only where `wg_card_id` does not exist."""
        number = self.long_card_id if self.wg_card_id is None else self.wg_card_id
        return {number} if number else set()

    @property
    def has_face(self) -> bool:
        """Whether the person can be recognised by face."""
        return self.drawn or self.picture is not None

    def thumbnail(self) -> bytes:
        """The registered image (jpeg), empty without one."""
        return pictures.closeup(self.id) if self.picture is None and self.drawn else self.picture or b""


@dataclass(slots=True, kw_only=True)
class Capture:
    """One record: what the camera saw at one moment (2.2.1.1, 2.2.2.2)."""

    sequence: int
    cap_time: str  # device-local, no zone, milliseconds
    stamp: float  # unix seconds of the device clock
    score: int  # match_result: 0 no comparison, -1 failed, else 1-100
    reason: int  # match_failed_reson
    match_type: int = 0  # 0 nobody, 1 face, 2 card
    person_id: str | None = None
    name: str = ""
    role: int = 1
    seed: str = "stranger"  # who stands before the camera
    temperature: float | None = None
    mask: bool | None = None
    card: int | None = None
    qr: str | None = None
    photo: bool = False  # a photo of a face was held up
    picture_bytes: int | None = None
    queued: bool = False  # to be pushed
    live: bool = False  # taken while the data link worked: its first transmission is real-time
    uploaded: bool = False
    opened: bool = False
    attempts: int = 0
    realtime: bool | None = None  # is_realtime of the last transmission
    latency: float | None = None  # seconds from the transmission to its valid answer
    answer: dict[str, Any] | None = None
    payload: bytes = b""  # the last transmission, byte for byte
    delivered: asyncio.Event = field(default_factory=asyncio.Event, compare=False)

    async def wait(self, seconds: float = 10.0) -> Capture:
        """Wait until the record is acknowledged; raise TimeoutError after `seconds`."""
        async with asyncio.timeout(seconds):
            await self.delivered.wait()
        return self

    def as_dict(self) -> dict[str, Any]:
        """For the state file and the control API."""
        skip = {"delivered", "payload", "answer", "live"}
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in skip}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A relay that was switched: which, when, for how long (0: held), and on whose word."""

    time: str
    port: int
    reason: str  # "gpio control force", "online gateway", "local match", "gpio_state", ...
    seconds: float
    person_id: str | None = None
    is_realtime: bool = True


def seeded_people() -> list[Person]:
    """The three people every new terminal knows: permitted, permitted with a card, blacklisted."""
    return [
        Person(id="0001", name="Alice Gardner", drawn=True),
        Person(id="0002", name="Bob Mason", wg_card_id=12345678, drawn=True),
        Person(id="0003", name="Mallory Pike", role=2, drawn=True),
    ]


def person_to_json(person: Person) -> dict[str, Any]:
    """A person for the state file."""
    data = {item.name: getattr(person, item.name) for item in fields(person)}
    data["picture"] = None if person.picture is None else base64.b64encode(person.picture).decode()
    return data


def person_from_json(data: dict[str, Any]) -> Person:
    """A person of the state file."""
    picture = data.pop("picture")
    return Person(**data, picture=None if picture is None else base64.b64decode(picture))

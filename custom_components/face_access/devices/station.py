"""A station by capability: what the rest of the house may ask of a panel or a terminal, whoever made it.

A capability that a device lacks is None. Every method may raise `StationError` (devices/errors.py).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable

from ..access import Decision, Factor, Method, Missed, Person, Role, Sighting, StationEvent
from .errors import StationUnsupportedError

type SettingValue = bool | int | float | str


class SettingKind(StrEnum):
    """What a setting is to a person: something to switch, choose, dial or write."""

    TOGGLE = "toggle"
    CHOICE = "choice"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a station.

    `options` are a choice's; `minimum`, `maximum`, `step` and `unit` a number's; a text has at most `maximum` bytes of
    UTF-8. `rare` is one that hardly anybody touches once the device is mounted; what is written where `needs_restart`
    takes effect when the station starts again. Keys are shared by all families: `recognition`, `similarity` and
    `recognition_mode` mean the same everywhere.
    """

    key: str
    kind: SettingKind
    options: tuple[str, ...] = ()
    minimum: float = 0
    maximum: float = 0
    step: float = 1
    unit: str | None = None
    rare: bool = False
    needs_restart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StationInfo:
    """Who the station is. All texts; None where the device does not say."""

    serial: str
    name: str
    manufacturer: str
    model: str | None = None
    hardware: str | None = None
    firmware: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The station's state at one moment.

    `settings` maps setting keys to values; `facts` maps names such as `people`, `signal_strength` or `traffic_received`
    to what the station counts. A key that is missing is one that this device does not have.
    `clock_offset` is device clock minus ours, None where it could not be read. `booted_at` is when the station last
    started, as far as it told, put on our clock.
    """

    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    facts: Mapping[str, SettingValue] = field(default_factory=dict)
    clock_offset: timedelta | None = None
    booted_at: datetime | None = None


class Door(Protocol):
    """One relay of a station. `number` counts from 1; `hold_time` is how long it stays open by itself."""

    @property
    def number(self) -> int: ...
    def hold_time(self, reading: Reading) -> timedelta: ...
    async def open(self, person_id: str | None = None) -> None: ...


@runtime_checkable
class HeldDoor(Door, Protocol):
    """A door that can be held open, for at most `max_hold`, and that can tell somebody no."""

    @property
    def max_hold(self) -> timedelta: ...
    async def hold_open(self, duration: timedelta) -> None: ...
    async def release(self) -> None: ...
    async def deny(self) -> None: ...


class Settings(Protocol):
    """Settings that can be written one at a time. `described` holds all that this family knows."""

    @property
    def described(self) -> Mapping[str, Setting]: ...
    async def write(self, key: str, value: SettingValue) -> None: ...


class Speech(Protocol):
    """The station's own voice. `limit` is the longest text in bytes of UTF-8."""

    @property
    def limit(self) -> int: ...
    async def say(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenText:
    """One line on a station's screen. Pixels from the top left; `color` is ARGB; `duration` how long it stays."""

    text: str
    x: int = 0
    y: int = 500
    size: int = 60
    spacing: int = 1
    color: int = 0xFFFFFFFF
    duration: timedelta = timedelta(seconds=5)


class Screen(Protocol):
    """The station's display. A picture with duration zero stays until another one comes."""

    async def show_text(self, lines: tuple[ScreenText, ...]) -> None: ...
    async def show_image(self, image: bytes, *, x: int, y: int, duration: timedelta) -> None: ...


class Audio(Protocol):
    """The station's loudspeaker for any sound: WAV as one block."""

    async def play(self, wav: bytes) -> None: ...
    async def built_in(self) -> tuple[str, ...]: ...
    async def play_built_in(self, name: str) -> None: ...


class Sip(Protocol):
    """The station's telephone."""

    async def register(self, *, domain: str, port: int, username: str, password: str | None) -> None: ...
    async def call(self, url: str) -> None: ...
    async def hang_up(self) -> None: ...


class Camera(Protocol):
    """The station's eye: one picture at a time, encoded as JPEG, PNG or WebP."""

    async def snapshot(self) -> bytes: ...


@runtime_checkable
class StreamCamera(Camera, Protocol):
    """An eye that moves: the address of a stream, with its password in it; None where there is none.

    `port` and `path` in place of the family's usual ones: not every model's are known.
    """

    async def stream_url(self, port: int | None = None, path: str | None = None) -> str | None: ...


class CardOutput(Protocol):
    """A Wiegand line that can be sent a card number."""

    async def send(self, card: int, person_id: str | None = None) -> None: ...


class Power(Protocol):
    """Starting again, whole or only what recognises faces; None where that cannot be had apart."""

    async def reboot(self) -> None: ...
    @property
    def restart_application(self) -> Callable[[], Awaitable[None]] | None: ...


class Clock(Protocol):
    """The station's clock; `now` is aware, and written in the station's local time."""

    async def set(self, now: datetime) -> None: ...


class Schedule(Protocol):
    """When people may pass: rules as plain data {kind, name, mode, days: [[{start, end}]]}, times as "HH:MM"."""

    async def read(self) -> list[dict[str, Any]]: ...
    async def replace(self, rules: list[dict[str, Any]]) -> None: ...
    async def add(self, rules: list[dict[str, Any]]) -> None: ...


class Screensaver(Protocol):
    """Pictures and videos that the idle screen shows."""

    async def list(self) -> tuple[str, ...]: ...
    async def add(self, name: str, content: bytes) -> None: ...
    async def remove(self, names: tuple[str, ...]) -> None: ...


class Records(Protocol):
    """What the station remembers of the past, oldest first; its sightings are never real-time."""

    def since(self, start: datetime, end: datetime) -> AsyncIterator[Sighting | Missed]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareOffer:
    """A firmware file that a station may fetch: `md5` in hex; `version` as the station would report it.

    `built` is when it was made, as far as that is known: naive local time.
    """

    version: str
    url: str
    md5: str
    built: datetime


class Firmware(Protocol):
    """Stations that ask for new firmware by themselves: put an offer here and wait."""

    @property
    def installed(self) -> str | None: ...
    @property
    def last_code(self) -> int | None: ...
    async def offer(self, offer: FirmwareOffer | None) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Greeting:
    """What a station says and shows to somebody it lets in or turns away. None for silence."""

    speech: str | None = None
    text: ScreenText | None = None


class Question(Protocol):
    """May whoever shows this come in? What `method` says, such as a card or a code; `number` is a secret."""

    @property
    def method(self) -> Method: ...
    @property
    def number(self) -> str: ...


class Message(Protocol):
    """One request that a station sent us, understood as far as it goes.

    `serial` is whom it says it is. `problem` is why it is unusable (never holding its content), None when it is fine.
    `person` is whom the station itself knows under the identity that it saw. `asks_decision` is True when the station
    waits for our word before it opens, `asks_command` when it asks for something to do: `Inbox.exchange` serves that.
    `question` is what it asks about where that is no sighting; without a decision the station then decides itself.
    """

    @property
    def serial(self) -> str | None: ...
    @property
    def problem(self) -> str | None: ...
    @property
    def events(self) -> tuple[StationEvent, ...]: ...
    @property
    def person(self) -> Person | None: ...
    @property
    def asks_decision(self) -> bool: ...
    @property
    def asks_command(self) -> bool: ...
    @property
    def question(self) -> Question | None: ...
    def answer(self, decision: Decision | None = None, greeting: Greeting | None = None, door: int = 1) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PushTarget:
    """Where a station shall send what it sees. `host` is an address or a name; `path` has no leading slash."""

    host: str
    port: int
    path: str
    secure: bool = False


class Inbox(Protocol):
    """How a station reaches us.

    `asking` is True while a station that asks for commands does so; `asks_decisions` while it waits for our word before
    it opens, so that what is known of it must be fresh. `receive` understands a body of any quality and never raises;
    `headers` are those of the request, since some stations sign what they send. `exchange` serves a station that asks
    for its commands: it holds the request until there is one (never answering at once with nothing) and returns the
    body to answer with. `redirect` points the station's pushes to us and returns what was there; None when they came
    here already. `restore` puts that back, unless the pushes no longer go to `ours`: then it is somebody else's.
    """

    @property
    def asking(self) -> bool: ...
    @property
    def asks_decisions(self) -> bool: ...
    def receive(self, body: bytes, headers: Mapping[str, str] | None = None) -> Message: ...
    async def exchange(self, body: bytes) -> bytes: ...
    async def redirect(self, target: PushTarget) -> Mapping[str, Any] | None: ...
    async def restore(self, previous: Mapping[str, Any], ours: PushTarget) -> None: ...
    async def points_to(self, target: PushTarget) -> bool: ...


@runtime_checkable
class ProvableInbox(Inbox, Protocol):
    """An inbox that can be tried out: `prove` makes the station push something at once, whatever happens before it."""

    async def prove(self, target: PushTarget) -> None: ...


@runtime_checkable
class RememberingInbox(Inbox, Protocol):
    """An inbox that must know something over restarts of ours to tell genuine pushes: `memory`, a secret."""

    @property
    def memory(self) -> Mapping[str, Any]: ...
    def recall(self, memory: Mapping[str, Any]) -> None: ...


class Feed(Protocol):
    """What happens at a station that must be asked for it, every `interval`.

    The first answer is empty: what happened before nobody asked is no news. What came by push is not told again.
    `untold` is when there happened what the last answer left out, since it came too late to be news.
    """

    @property
    def interval(self) -> timedelta: ...
    @property
    def untold(self) -> tuple[datetime, ...]: ...
    async def poll(self) -> tuple[StationEvent, ...]: ...


class Questions(Protocol):
    """Whether a station asks us about cards and codes before it decides; answered through `Inbox.receive`.

    `redirect` returns what was there before, None when it asked us already; `restore` puts that back.
    """

    async def redirect(self, target: PushTarget) -> Mapping[str, Any] | None: ...
    async def restore(self, previous: Mapping[str, Any]) -> None: ...
    async def points_to(self, target: PushTarget) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTarget:
    """A message broker as a station shall reach it. `url` is written as the station wants it."""

    url: str
    password: str = field(default="", repr=False)
    encrypted: bool = False


class Broker(Protocol):
    """A station that can tell a message broker what happens, where it is pointed to one.

    It publishes to `topic`; `receive` understands a publication and never raises. `redirect` points the station to a
    broker and returns what was there, None if it was that one; `restore` puts that back, unless the station no longer
    points to the broker at `url`: then it is somebody else's.
    """

    @property
    def topic(self) -> str: ...
    def receive(self, payload: bytes) -> tuple[StationEvent, ...]: ...
    async def redirect(self, target: BrokerTarget) -> Mapping[str, Any] | None: ...
    async def restore(self, previous: Mapping[str, Any], url: str) -> None: ...
    async def points_to(self, url: str) -> bool: ...


class CredentialKind(StrEnum):
    """What somebody shows a station."""

    CARD = "card"
    KEY = "key"
    CODE = "code"
    QR = "qr"
    PLATE = "plate"
    FACE = "face"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """One credential that a station knows. `number` is a secret, and None for a face; `photo` (JPEG) enrols one.

    `door` None is all doors; times None are for ever, `max_passes` None is without a limit. `uid` is the station's own.
    """

    kind: CredentialKind
    owner: str
    number: str | None = field(default=None, repr=False)
    photo: bytes | None = field(default=None, repr=False)
    guest: bool = False
    door: int | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    max_passes: int | None = None
    passes_left: int | None = None
    uid: int | None = None


class Credentials(Protocol):
    """The cards, codes and faces that a station knows by itself."""

    @property
    def kinds(self) -> tuple[CredentialKind, ...]: ...
    async def list(self) -> tuple[Credential, ...]: ...
    async def add(self, credential: Credential) -> int: ...
    async def remove(self, uid: int) -> None: ...
    async def reset_passes(self, uid: int) -> None: ...
    async def qr_code(self, uid: int) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """A person as a station holds one. `key` is the station's id of theirs; times are aware, None for no limit.

    A person who is `suspended` is known and never let in. `text` is shown to them. `door` is the only one that they may
    pass, by its number; None is every one. Photos travel beside it. Who is not `transferable` is there on terms that
    these fields do not tell: they must not be taken for all that lets them in.
    """

    key: str
    name: str = field(repr=False)
    role: Role = Role.NORMAL
    card: int | None = field(default=None, repr=False)
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    suspended: bool = False
    text: str = field(default="", repr=False)
    door: int | None = None
    transferable: bool = True


class People(Protocol):
    """Whom a station recognises by itself: a target of sync.

    `as_held` gives what `find` and `all` will say once `put` has put it: names cut, times in the station's steps, its
    own key. `sighted_as` is how sightings will name them in `person_id`. `put` adds or changes; `photos` (JPEG) are
    tried in their order, and StationPhotoError is raised where none of them will do. With None it only changes, keeps
    the face that is there, and raises StationRefusedError `record_not_found` where nobody is. `remove` is done when
    nobody has the key. `photo` is None where the station does not give photos away. `knows_faces` is False for one that
    knows people by their cards alone.
    """

    @property
    def knows_faces(self) -> bool: ...
    def as_held(self, enrolment: Enrolment) -> Enrolment: ...
    def sighted_as(self, enrolment: Enrolment) -> str: ...
    def all(self) -> AsyncIterator[Enrolment]: ...
    async def find(self, key: str) -> Enrolment | None: ...
    async def photo(self, key: str) -> bytes | None: ...
    async def put(self, enrolment: Enrolment, photos: tuple[bytes, ...] | None) -> None: ...
    async def remove(self, key: str) -> None: ...


@runtime_checkable
class TakesOver(Protocol):
    """People whom `People.all` does not tell of, since the station keeps them by itself.

    `others` gives each with the key that `take_over` gives them, from which on they are among `all`. It raises
    StationRefusedError, and leaves everything as it was, where they cannot be kept as they are.
    """

    def others(self) -> AsyncIterator[Enrolment]: ...
    async def take_over(self, enrolment: Enrolment) -> None: ...


class Lookout(Protocol):
    """Somebody of ours who looks through a camera; `look` once, whatever else would make it look.

    `took` is how long recognition took for the last few pictures, `interval` how long the camera takes to have a new
    one, both in seconds and None while they are unknown.
    """

    @property
    def took(self) -> float | None: ...
    @property
    def interval(self) -> float | None: ...
    async def look(self) -> None: ...


class Reader(Protocol):
    """Reads the station's state. `ping` is the cheapest question that proves it is there, and gives its clock."""

    async def info(self) -> StationInfo: ...
    async def read(self) -> Reading: ...
    async def ping(self) -> timedelta: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A panel or a terminal, a device at a door; or a camera that we watch. What it cannot do is None."""

    info: StationInfo
    doors: tuple[Door, ...]
    reader: Reader
    inbox: Inbox | None = None
    settings: Settings | None = None
    speech: Speech | None = None
    screen: Screen | None = None
    audio: Audio | None = None
    sip: Sip | None = None
    camera: Camera | None = None
    card_output: CardOutput | None = None
    power: Power | None = None
    clock: Clock | None = None
    schedule: Schedule | None = None
    screensaver: Screensaver | None = None
    records: Records | None = None
    firmware: Firmware | None = None
    feed: Feed | None = None
    sees_faces: bool = True
    """Whether it recognises faces."""
    factors: tuple[Factor, ...] = ()
    """Which second factors can be given at it: it tells whose card was shown."""
    tells_trouble: bool = False
    """Whether it tells when it is tampered with, and when it starts."""
    broker: Broker | None = None
    questions: Questions | None = None
    credentials: Credentials | None = None
    people: People | None = None
    lookout: Lookout | None = None

    def expect_inbox(self) -> Inbox:
        """Give the inbox of a station that must have one. Raises StationUnsupportedError for one that never calls."""
        if self.inbox is None:
            raise StationUnsupportedError("inbox")
        return self.inbox

"""A station in memory: every capability, no protocol. For tests of what knows no family."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import aiohttp

from custom_components.face_access.access import Decision, Person, Pictures, Sighting, SightingKey, StationEvent
from custom_components.face_access.devices.address import Address
from custom_components.face_access.devices.errors import StationError
from custom_components.face_access.devices.station import (
    FirmwareOffer,
    Greeting,
    PushTarget,
    Reading,
    ScreenText,
    Setting,
    SettingKind,
    SettingValue,
    Station,
    StationInfo,
)

SERIAL = "FAKE-1"
PNG = b"\x89PNG\r\n\x1a\n fake"
JPEG = b"\xff\xd8\xff\xfe fake"
DESCRIBED = {
    setting.key: setting
    for setting in (
        Setting(key="recognition", kind=SettingKind.TOGGLE),
        Setting(key="deduplication", kind=SettingKind.TOGGLE, rare=True),
        Setting(key="temperature_check", kind=SettingKind.TOGGLE),
        Setting(key="similarity", kind=SettingKind.CHOICE, options=("low", "normal", "high")),
        Setting(key="match_score", kind=SettingKind.NUMBER, minimum=70, maximum=100),
        Setting(key="temperature_limit", kind=SettingKind.NUMBER, minimum=30, maximum=45, step=0.1, unit="°C"),
        Setting(key="volume", kind=SettingKind.NUMBER, minimum=0, maximum=100, unit="%"),
        Setting(key="screen_title", kind=SettingKind.TEXT, maximum=20),
        Setting(key="mask_check", kind=SettingKind.TOGGLE),
    )
}


@dataclass(kw_only=True)
class FakeDevice:
    """What the station holds and was told to do. `trouble` is what every command fails with, while it is set."""

    info: StationInfo = field(
        default_factory=lambda: StationInfo(
            serial=SERIAL, name="Fake", manufacturer="Nobody", model="Model X-1", hardware="B", firmware="1.0"
        )
    )
    settings: dict[str, SettingValue] = field(
        default_factory=lambda: {
            "recognition": True,
            "deduplication": False,
            "temperature_check": False,
            "similarity": "normal",
            "match_score": 80,
            "temperature_limit": 37.3,
            "volume": 40,
            "screen_title": "Welcome",
        }
    )
    facts: dict[str, SettingValue] = field(
        default_factory=lambda: {"people": 3, "traffic_received": 5_000_000, "operator": "Somebody"}
    )
    commands: list[tuple[Any, ...]] = field(default_factory=list)
    trouble: StationError | None = None
    picture: bytes = JPEG
    firmware_code: int | None = None
    offers: list[FirmwareOffer | None] = field(default_factory=list)
    offered: asyncio.Event = field(default_factory=asyncio.Event)

    def do(self, *command: Any) -> None:
        """Note a command, or fail."""
        if self.trouble is not None:
            raise self.trouble
        self.commands.append(command)

    def did(self, name: str) -> list[tuple[Any, ...]]:
        """The arguments of every command of that name."""
        return [command[1:] for command in self.commands if command[0] == name]

    def station(self, **without: None) -> Station:
        """Make the station; a capability given as None is one that it lacks."""
        parts: dict[str, Any] = {
            "settings": FakeSettings(self),
            "speech": FakeSpeech(self),
            "screen": FakeScreen(self),
            "audio": FakeAudio(self),
            "sip": object(),
            "camera": FakeCamera(self),
            "power": FakePower(self),
            "clock": FakeClock(self),
            "firmware": FakeFirmware(self),
        }
        doors = (FakeDoor(self, 1), FakeDoor(self, 2))
        return Station(info=self.info, doors=doors, reader=FakeReader(self), inbox=FakeInbox(), **{**parts, **without})


@dataclass
class FakeReader:
    device: FakeDevice

    async def info(self) -> StationInfo:
        return self.device.info

    async def read(self) -> Reading:
        self.device.do("read")
        return Reading(settings=dict(self.device.settings), facts=dict(self.device.facts), clock_offset=timedelta())

    async def ping(self) -> timedelta:
        self.device.do("ping")
        return timedelta()


class FakeMessage:
    serial = None
    problem = "fake"
    events: tuple[StationEvent, ...] = ()
    person: Person | None = None
    asks_decision = False
    asks_command = False
    question = None

    def answer(self, decision: Decision | None = None, greeting: Greeting | None = None, door: int = 1) -> bytes:
        return b"{}"


class FakeInbox:
    asking = False
    asks_decisions = False

    def receive(self, body: bytes, headers: Mapping[str, str] | None = None) -> FakeMessage:
        return FakeMessage()

    async def exchange(self, body: bytes) -> bytes:
        return b"{}"

    async def redirect(self, target: PushTarget) -> Mapping[str, Any] | None:
        return None

    async def restore(self, previous: Mapping[str, Any]) -> None:
        pass

    async def points_to(self, target: PushTarget) -> bool:
        return True


@dataclass
class FakeDoor:
    device: FakeDevice
    number: int

    def hold_time(self, reading: Reading) -> timedelta:
        return timedelta(seconds=3)

    async def open(self, person_id: str | None = None) -> None:
        self.device.do("open", self.number)


@dataclass
class FakeHeldDoor(FakeDoor):
    max_hold: timedelta = timedelta(hours=2)

    async def hold_open(self, duration: timedelta) -> None:
        self.device.do("hold_open", self.number, duration)

    async def release(self) -> None:
        self.device.do("release", self.number)

    async def deny(self) -> None:
        self.device.do("deny", self.number)


@dataclass
class FakeSettings:
    device: FakeDevice

    @property
    def described(self) -> Mapping[str, Setting]:
        return DESCRIBED

    async def write(self, key: str, value: SettingValue) -> None:
        self.device.do("write", key, value)
        self.device.settings[key] = value


@dataclass
class FakeSpeech:
    device: FakeDevice
    limit: int = 64

    async def say(self, text: str) -> None:
        self.device.do("say", text)


@dataclass
class FakeScreen:
    device: FakeDevice

    async def show_text(self, lines: tuple[ScreenText, ...]) -> None:
        self.device.do("show_text", lines)

    async def show_image(self, image: bytes, *, x: int, y: int, duration: timedelta) -> None:
        self.device.do("show_image", image, x, y, duration)


@dataclass
class FakeAudio:
    device: FakeDevice

    async def play(self, wav: bytes) -> None:
        self.device.do("play", wav)

    async def built_in(self) -> tuple[str, ...]:
        return ()

    async def play_built_in(self, name: str) -> None:
        self.device.do("play_built_in", name)


@dataclass
class FakeCamera:
    device: FakeDevice

    async def snapshot(self) -> bytes:
        self.device.do("snapshot")
        return self.device.picture


@dataclass
class FakePower:
    device: FakeDevice

    async def reboot(self) -> None:
        self.device.do("reboot")

    async def restart_application(self) -> None:
        self.device.do("restart_application")


@dataclass
class FakeClock:
    device: FakeDevice

    async def set(self, now: datetime) -> None:
        self.device.do("set_clock", now)


@dataclass
class FakeFirmware:
    device: FakeDevice
    installed: str | None = None

    @property
    def last_code(self) -> int | None:
        return self.device.firmware_code

    async def offer(self, offer: FirmwareOffer | None) -> None:
        self.device.offers.append(offer)
        if offer is None:
            self.device.offered.clear()
        else:
            self.device.offered.set()


class FakeLink:
    async def close(self) -> None:
        pass


@dataclass
class FakeFamily:
    """The family of one device."""

    made: Station
    NAME = "Fake"
    DEFAULT_PORT = 1

    def direct(self, session: aiohttp.ClientSession, address: Address) -> FakeLink:
        return FakeLink()

    def queued(self) -> FakeLink:
        return FakeLink()

    async def identify(self, link: Any) -> StationInfo:
        return self.made.info

    def station(self, link: Any, info: StationInfo, time_zone: tzinfo) -> Station:
        return self.made


def sighting(**changes: Any) -> Sighting:
    """A live sighting of a stranger nobody compared, a moment ago; everything can be changed."""
    number = changes.pop("number", 1)
    now = datetime.now(UTC).replace(microsecond=0)
    values = {
        "source": SERIAL,
        "key": SightingKey(sequence=number, captured=now.isoformat()),
        "captured_at": now,
        "realtime": True,
        **changes,
    }
    return Sighting(**values)


def known(name: str = "Anna", **changes: Any) -> Sighting:
    """A live sighting of somebody whom the station let in."""
    return sighting(
        **{
            "person_id": "7",
            "person_name": name,
            "score": 91.5,
            "threshold": 80,
            "pictures": Pictures(face=JPEG),
            **changes,
        }
    )

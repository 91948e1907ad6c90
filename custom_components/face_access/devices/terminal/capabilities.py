"""What a terminal can do, each as one small object of the house's vocabulary."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
import math
from pathlib import PurePosixPath
from typing import Any

from ...access import Pictures, Sighting, SightingKey
from ..errors import InvalidValueError, StationRefusedError
from ..station import FirmwareOffer, Reading, ScreenText
from .audio import SPEECH_LIMIT
from .client import TerminalClient
from .push import Context, Outcome, celsius, osd_text, sighting_key
from .records import Record, RecordQuery
from .schedule import ClockTime, RuleMode, ScheduleRule, Section
from .screen import Medium
from .state import TerminalState
from .upgrade import UpgradeFile, UpgradeRequest, UpgradeType, upgrade_answer

_DEFAULT_HOLD = timedelta(seconds=1)
# The device keeps the screensaver's files here (2.10.3.2); the number goes by the place in the list.
_SCREENSAVER_FOLDER = PurePosixPath("/data_fs/screensaver")
_MAX_MEDIA = 10
# Records come in the device's own order: a day at a time can be sorted without holding weeks of pictures.
_RECORD_SPAN = timedelta(days=1)
# Times are compared in whole seconds, by clocks that may be two seconds apart.
_RECORD_SLACK = timedelta(seconds=3)
_VENDOR_ZONE = timezone(timedelta(hours=8))


class TerminalDoor:
    """One relay (2.5)."""

    def __init__(self, client: TerminalClient, number: int) -> None:
        """Bind to the relay of that number, from 1."""
        self._client = client
        self.number = number

    def hold_time(self, reading: Reading) -> timedelta:
        """How long the relay stays on: `gpio_retention_time`."""
        seconds = reading.settings.get("hold_time")
        return _DEFAULT_HOLD if seconds is None else timedelta(seconds=float(seconds))

    async def open(self, person_id: str | None = None) -> None:
        """Switch the relay on; the device switches it off by itself."""
        await self._client.control.open(self.number, person_id=person_id)


class TerminalSpeech:
    """The voice of the device (2.12.1). It speaks Chinese only."""

    limit = SPEECH_LIMIT

    def __init__(self, client: TerminalClient) -> None:
        """Bind to a terminal."""
        self._client = client

    async def say(self, text: str) -> None:
        """Speak a text of at most `limit` bytes."""
        await self._client.audio.say(text)


class TerminalScreen:
    """Text and pictures on the screen (2.10.6, 2.10.7)."""

    def __init__(self, client: TerminalClient) -> None:
        """Bind to a terminal."""
        self._client = client

    async def show_text(self, lines: tuple[ScreenText, ...]) -> None:
        """Show lines of text."""
        await self._client.screen.show_text(tuple(map(osd_text, lines)))

    async def show_image(self, image: bytes, *, x: int, y: int, duration: timedelta) -> None:
        """Show a JPEG or PNG; zero is for ever."""
        await self._client.screen.show_image(image, x=x, y=y, duration=round(duration.total_seconds() * 1000))


class TerminalAudio:
    """Sounds (2.12.2 to 2.12.4)."""

    def __init__(self, client: TerminalClient) -> None:
        """Bind to a terminal."""
        self._client = client

    async def play(self, wav: bytes) -> None:
        """Play a WAV."""
        await self._client.audio.play(wav)

    async def built_in(self) -> tuple[str, ...]:
        """Name the sounds that the device has."""
        return tuple(sound.name for sound in await self._client.audio.built_in())

    async def play_built_in(self, name: str) -> None:
        """Play one of them."""
        for sound in await self._client.audio.built_in():
            if sound.name == name:
                await self._client.audio.play_built_in(sound)
                return
        raise InvalidValueError("name", "is no sound of the device", "sound")


class TerminalCamera:
    """The picture of this moment (2.4)."""

    def __init__(self, client: TerminalClient) -> None:
        """Bind to a terminal."""
        self._client = client

    async def snapshot(self) -> bytes:
        """Take it."""
        return (await self._client.control.snapshot()).image


class TerminalCardOutput:
    """The Wiegand output (2.6)."""

    def __init__(self, client: TerminalClient) -> None:
        """Bind to a terminal."""
        self._client = client

    async def send(self, card: int, person_id: str | None = None) -> None:
        """Send a card number, of up to 64 bits."""
        await self._client.control.send_card(card, person_id=person_id)


class TerminalPower:
    """Starting again (2.9.3, 2.9.4)."""

    def __init__(self, client: TerminalClient) -> None:
        """Bind to a terminal."""
        self._client = client

    async def reboot(self) -> None:
        """Restart the device."""
        await self._client.system.reboot()

    async def restart_application(self) -> None:
        """Restart what recognises faces."""
        await self._client.system.restart_application()


class TerminalClock:
    """The clock (2.9.2): local time without a zone."""

    def __init__(self, state: TerminalState) -> None:
        """Bind to a terminal."""
        self._state = state

    async def set(self, now: datetime) -> None:
        """Set it to a moment."""
        local = now.astimezone(self._state.time_zone).replace(tzinfo=None)
        await self._state.client.system.set_time(local)


class TerminalSchedule:
    """When people may pass (2.3.7 to 2.3.9)."""

    def __init__(self, client: TerminalClient) -> None:
        """Bind to a terminal."""
        self._client = client

    async def read(self) -> list[dict[str, Any]]:
        """Read the rules."""
        return [
            {
                "kind": rule.kind,
                "name": rule.name,
                "mode": rule.mode.value,
                "days": [[{"start": str(part.start), "end": str(part.end)} for part in day] for day in rule.days],
            }
            for rule in await self._client.schedule.read()
        ]

    async def replace(self, rules: list[dict[str, Any]]) -> None:
        """Put these rules in the place of all."""
        await self._client.schedule.replace(tuple(map(_rule, rules)))

    async def add(self, rules: list[dict[str, Any]]) -> None:
        """Add rules at the end."""
        await self._client.schedule.add(tuple(map(_rule, rules)))


def _rule(rule: Mapping[str, Any]) -> ScheduleRule:
    return ScheduleRule(
        kind=rule["kind"],
        name=rule["name"],
        mode=RuleMode(rule["mode"]),
        days=tuple(
            tuple(Section(start=_clock_time(part["start"]), end=_clock_time(part["end"])) for part in day)
            for day in rule["days"]
        ),
    )


def _clock_time(text: str) -> ClockTime:
    hour, minute = text.split(":")[:2]
    return ClockTime(hour=int(hour), minute=int(minute))


class TerminalScreensaver:
    """Pictures and videos of the idle screen (2.10.3 to 2.10.5): at most ten."""

    def __init__(self, client: TerminalClient) -> None:
        """Bind to a terminal."""
        self._client = client

    async def list(self) -> tuple[str, ...]:
        """Name them in order."""
        return tuple(medium.name for medium in await self._client.screen.media())

    async def add(self, name: str, content: bytes) -> None:
        """Register a file at the first free place, then send it to where the device wants it."""
        media = await self._client.screen.media()
        taken = {medium.sequence for medium in media}
        free = next((number for number in range(1, _MAX_MEDIA + 1) if number not in taken), None)
        if free is None:
            raise StationRefusedError("limit_reached")
        updated = await self._client.screen.set_media((*media, Medium(sequence=free, name=name)))
        path = next((medium.path for medium in updated if medium.sequence == free and medium.path), None)
        await self._client.files.upload(path or str(_SCREENSAVER_FOLDER / f"NO{free}.{name}"), content)

    async def remove(self, names: tuple[str, ...]) -> None:
        """Delete them by name."""
        found = tuple(medium for medium in await self._client.screen.media() if medium.name in names)
        if len({medium.name for medium in found}) != len(set(names)):
            raise StationRefusedError("record_not_found")
        await self._client.screen.delete_media(found)


class TerminalRecords:
    """What the device remembers (2.2.2)."""

    def __init__(self, state: TerminalState) -> None:
        """Bind to a terminal."""
        self._state = state

    async def since(self, start: datetime, end: datetime) -> AsyncIterator[Sighting]:
        """Give the sightings between two moments, oldest first."""
        while start < end:
            until = min(start + _RECORD_SPAN, end)
            for sighting in await self._span(start, until):
                yield sighting
            start = until

    async def _span(self, start: datetime, end: datetime) -> list[Sighting]:
        context, serial = self._state.context, self._state.client.serial or ""
        found: dict[SightingKey, Sighting] = {}
        for times in _device_times(start, end, context):
            query = RecordQuery(times=times, face_image=True)
            async for record in self._state.client.records.all(query):
                sighting = _sighting(record, serial, context)
                if sighting is not None and start - _RECORD_SLACK <= sighting.captured_at <= end + _RECORD_SLACK:
                    found[sighting.key] = sighting
        return sorted(found.values(), key=lambda item: (item.captured_at, item.key.sequence))


def _device_times(start: datetime, end: datetime, context: Context) -> list[tuple[int, int]]:
    """Find what "unix timestamps" to ask for, as disjoint intervals.

    The device knows local time without a zone, and makes its timestamps of that by a zone which nobody can read or set.
    So ask by every zone that it may have: the house's, another one on a clock that is right, none, and the vendor's
    own, by which the example of 2.2.2.1 was made (UTC+8).
    """
    first, last = ((moment + context.clock_offset).astimezone(context.time_zone) for moment in (start, end))
    zones = (UTC, _VENDOR_ZONE)
    readings = {
        (first, last),
        (start, end),
        *((first.replace(tzinfo=zone), last.replace(tzinfo=zone)) for zone in zones),
    }
    times: list[tuple[int, int]] = []
    for low, high in sorted((math.floor(low.timestamp()), math.ceil(high.timestamp())) for low, high in readings):
        if times and low <= times[-1][1]:
            times[-1] = (times[-1][0], max(high, times[-1][1]))
        elif high > 0:
            # A clock that started in 1970 may be asked about a time before it.
            times.append((max(0, low), high))
    return times


def _sighting(record: Record, serial: str, context: Context) -> Sighting | None:
    """Make history of a record; None for one that cannot be told from another."""
    key = sighting_key(record.sequence, record.captured)
    captured_at = None if record.time is None else context.aware(record.time)
    if key is None or captured_at is None:
        return None
    match = {"person_id": record.person_id, "person_name": record.person_name, "person_role": record.role}
    outcome = Outcome.read(record.score, record.reason, match, context)
    return Sighting(
        source=serial,
        key=key,
        captured_at=captured_at,
        realtime=False,
        person_id=outcome.person_id,
        person_name=outcome.person_name,
        role=outcome.role,
        score=outcome.score,
        verdict=outcome.verdict,
        refused=outcome.refused,
        temperature=celsius(record.temperature),
        pictures=Pictures(face=record.face_image),
    )


class TerminalFirmware:
    """The device asks for new firmware when it likes (2.11): what it said, and what it is told."""

    def __init__(self, client: TerminalClient) -> None:
        """Start with nothing known and nothing on offer."""
        self._client = client
        self._offer: FirmwareOffer | None = None
        self._told = False
        self.installed: str | None = None
        self.last_code: int | None = None

    async def offer(self, offer: FirmwareOffer | None) -> None:
        """Put an offer in place of the last one, and let the device ask for it."""
        self._offer = offer
        self.last_code = None
        self._told = False
        if offer is not None:
            await self._client.app.write({"remote_upgrader.enable": True})

    def asked(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Take the device's question and give the answer."""
        request = UpgradeRequest.parse(body)
        self.installed = request.firmware.version
        # The device repeats the code of its last attempt, however old: only one after our offer is about it.
        self.last_code = request.last_code if self._told else None
        offer = self._offer
        if offer is None or offer.version == self.installed:
            return upgrade_answer()
        self._told = True
        file = UpgradeFile(url=offer.url, md5=offer.md5)
        # The hardware is the device's own: only the version and the age of the file are ours to say.
        new = replace(request.firmware, version=offer.version, built=f"{offer.built:%Y-%m-%d %H:%M:%S}")
        return upgrade_answer(UpgradeType.NORMAL, file, new)

"""What a panel can do, each as one small object of the house's vocabulary."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
import math
import time
from typing import Any, Final
from uuid import uuid4

from ...access import PUSHED, Missed, Sighting, StationEvent
from ..errors import InvalidValueError
from ..station import Credential, CredentialKind, PushTarget, Reading
from .client import PanelClient
from .events import Context, translate
from .identifier import Identifier, IdentifierType
from .locks import ALL, MAX_HOLD
from .log import LogEntry
from .media import STREAM_PATH, STREAM_PORT
from .push import LIVE_WITHIN
from .remote import RemoteServer
from .state import PanelState

_DEFAULT_HOLD: Final = timedelta(seconds=3)
_POLL_EVERY: Final = timedelta(seconds=2)
_KINDS: Final[Mapping[CredentialKind, IdentifierType]] = {
    CredentialKind.CARD: IdentifierType.CARD,
    CredentialKind.KEY: IdentifierType.UKEY,
    CredentialKind.CODE: IdentifierType.CODE,
    CredentialKind.QR: IdentifierType.QR,
    CredentialKind.PLATE: IdentifierType.PLATE,
    CredentialKind.FACE: IdentifierType.FACE,
}


class PanelDoor:
    """One lock."""

    max_hold = timedelta(seconds=MAX_HOLD)

    def __init__(self, client: PanelClient, number: int) -> None:
        """Bind to the lock of that number, from 1."""
        self._client = client
        self.number = number

    def hold_time(self, reading: Reading) -> timedelta:
        """How long one opening lasts. Locks of relay modules go by the second one's time."""
        seconds = reading.settings.get(f"open_time_{min(self.number, 2)}")
        return _DEFAULT_HOLD if seconds is None else timedelta(seconds=float(seconds))

    async def open(self, person_id: str | None = None) -> None:
        """Open once; the panel locks by itself. It has no place for whom it was."""
        await self._client.locks.open(self.number)

    async def hold_open(self, duration: timedelta) -> None:
        """Hold open for so long, or until released. Raises InvalidValueError."""
        await self._client.locks.hold_open(math.ceil(duration.total_seconds()), self.number)

    async def release(self) -> None:
        """End holding open."""
        await self._client.locks.release((self.number,))

    async def deny(self) -> None:
        """Say no to whoever stands there."""
        await self._client.locks.deny()


class PanelCamera:
    """The camera: photos not faster than the panel can, and the address of its stream."""

    def __init__(self, client: PanelClient) -> None:
        """Bind to a panel."""
        self._client = client

    async def snapshot(self) -> bytes:
        """Give a photo of the last few seconds."""
        return (await self._client.media.recent_photo()).data

    async def stream_url(self, port: int | None = None, path: str | None = None) -> str | None:
        """Make the address of the stream; its usual port and path are seen on one model only."""
        return await self._client.media.stream_url(port or STREAM_PORT, path or STREAM_PATH)


class PanelSip:
    """The telephone. Calls can be begun and ended on Camdroid panels only."""

    def __init__(self, client: PanelClient) -> None:
        """Bind to a panel."""
        self._client = client

    async def register(self, *, domain: str, port: int, username: str, password: str | None) -> None:
        """Set the account and switch SIP on."""
        await self._client.phone.set_account(domain=domain, port=port, username=username, password=password)
        await self._client.phone.set_enabled(True)

    async def call(self, url: str) -> None:
        """Call somebody."""
        await self._client.phone.call(url)

    async def hang_up(self) -> None:
        """End the call."""
        await self._client.phone.hang_up()


class PanelPower:
    """Starting again: as a whole only."""

    restart_application = None

    def __init__(self, client: PanelClient) -> None:
        """Bind to a panel."""
        self._client = client

    async def reboot(self) -> None:
        """Restart."""
        await self._client.system.reboot()


class PanelClock:
    """The clock of an Android panel; one that asks a time server refuses to be set."""

    def __init__(self, client: PanelClient) -> None:
        """Bind to a panel."""
        self._client = client

    async def set(self, now: datetime) -> None:
        """Set it to a moment."""
        await self._client.system.set_time(now)


class PanelRecords:
    """What the log remembers."""

    def __init__(self, state: PanelState) -> None:
        """Bind to a panel."""
        self._state = state

    async def since(self, start: datetime, end: datetime) -> AsyncIterator[Sighting | Missed]:
        """Give what happened between two moments, oldest first."""
        context = self._state.context
        first, last = (_milliseconds(moment + context.clock_offset) for moment in (start, end))
        entries = [entry async for entry in self._state.client.log.between(first, last)]
        for entry in sorted(entries, key=lambda entry: entry.time):
            if self._state.journal.told_by_message(entry):
                # Stored already, under the time of the message that told of it.
                continue
            for event in translate(entry, context, live=False):
                if isinstance(event, Sighting | Missed):
                    yield event


def _milliseconds(moment: datetime) -> int:
    return max(0, math.floor(moment.timestamp() * 1000))


class PanelFeed:
    """The log as news: polled every two seconds where nothing is pushed."""

    interval = _POLL_EVERY

    def __init__(self, state: PanelState) -> None:
        """Bind to a panel."""
        self._state = state
        self._polled_at: float | None = None
        self.untold: tuple[datetime, ...] = ()
        """When there happened what the last poll found too late to be news."""

    async def poll(self) -> tuple[StationEvent, ...]:
        """Ask what happened since the last time."""
        begun = time.monotonic()
        away = self._polled_at is not None and begun - self._polled_at > LIVE_WITHIN.total_seconds()
        oldest = None
        if away or self._state.journal.needs_clock:
            now = await self._state.read_clock()
            # Compared with the panel's own clock: what happened while nobody could ask is history.
            oldest = now - LIVE_WITHIN if away else None
        entries = await self._state.journal.poll()
        self._polled_at = begun
        context = self._state.context
        late = [entry for entry in entries if oldest is not None and entry.at < oldest]
        self.untold = tuple(context.aware(entry) for entry in late if _is_news(entry, context))
        return tuple(
            event for entry in entries for event in translate(entry, context, live=oldest is None or entry.at >= oldest)
        )


def _is_news(entry: LogEntry, context: Context) -> bool:
    """Whether an entry is about something that a webhook would have brought at once."""
    return any(isinstance(event, PUSHED) for event in translate(entry, context, live=True))


class PanelQuestions:
    """Cards, codes and QR codes: whether the panel asks us before it decides."""

    def __init__(self, client: PanelClient) -> None:
        """Bind to a panel."""
        self._client = client

    async def redirect(self, target: PushTarget) -> Mapping[str, Any] | None:
        """Let the panel ask us; what was there before, None if that was us."""
        before = await self._client.remote.read()
        if _asks(before, target):
            return None
        await self._client.remote.write(target_url(target))
        return before.raw

    async def restore(self, previous: Mapping[str, Any]) -> None:
        """Put back what was there."""
        await self._client.remote.restore(previous)

    async def points_to(self, target: PushTarget) -> bool:
        """Ask whether the panel asks us."""
        return _asks(await self._client.remote.read(), target)


def _asks(server: RemoteServer, target: PushTarget) -> bool:
    return server.active and server.url == target_url(target)


def target_url(target: PushTarget) -> str:
    """Write where to send something."""
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{'https' if target.secure else 'http'}://{host}:{target.port}/{target.path}"


class PanelCredentials:
    """Cards, codes and faces that the panel knows."""

    def __init__(self, client: PanelClient, kinds: tuple[IdentifierType, ...]) -> None:
        """Bind to a panel that knows these kinds."""
        self._client = client
        self.kinds = tuple(kind for kind, known in _KINDS.items() if known in kinds)

    async def list(self) -> tuple[Credential, ...]:
        """Read them all, with their numbers."""
        return tuple([_credential(identifier) async for identifier in self._client.identifiers.all()])

    async def add(self, credential: Credential) -> int:
        """Add one; its uid. A QR code without a number gets one. Raises InvalidValueError."""
        identifier = _identifier(credential)
        if identifier.type is not IdentifierType.FACE:
            return await self._client.identifiers.create(identifier)
        if credential.photo is None:
            raise InvalidValueError("photo", "is missing: a face is made of one", "no_photo")
        return await self._client.identifiers.enrol(identifier, credential.photo)

    async def remove(self, uid: int) -> None:
        """Remove one."""
        await self._client.identifiers.delete(uid)

    async def reset_passes(self, uid: int) -> None:
        """Give one all its passes again."""
        await self._client.identifiers.reset_passes(uid)

    async def qr_code(self, uid: int) -> bytes:
        """Draw a QR code (PNG)."""
        return await self._client.identifiers.qr_code(uid)


def _credential(identifier: Identifier) -> Credential:
    face = identifier.type is IdentifierType.FACE
    return Credential(
        kind=next(kind for kind, known in _KINDS.items() if known is identifier.type),
        owner=identifier.owner,
        # What a face has in its place is a template: biometric data of no use here.
        number=None if face else identifier.number or None,
        guest=identifier.guest,
        door=None if identifier.lock == ALL else identifier.lock,
        valid_from=identifier.valid_from,
        valid_until=identifier.valid_until,
        max_passes=identifier.max_passes,
        passes_left=identifier.passes_left,
        uid=identifier.uid,
    )


def _identifier(credential: Credential) -> Identifier:
    number = credential.number or (str(uuid4()) if credential.kind is CredentialKind.QR else "")
    return Identifier(
        type=_KINDS[credential.kind],
        owner=credential.owner,
        number="" if credential.kind is CredentialKind.FACE else number,
        guest=credential.guest,
        lock=ALL if credential.door is None else credential.door,
        valid_from=_aware(credential.valid_from),
        valid_until=_aware(credential.valid_until),
        max_passes=credential.max_passes,
    )


def _aware(moment: datetime | None) -> datetime | None:
    if moment is not None and moment.tzinfo is None:
        raise InvalidValueError("valid", "must have a time zone")
    return moment if moment is None else moment.astimezone(UTC)

"""A face terminal as a station of the house: what it is, what it has now, and how it reaches us."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
import logging
from typing import Any

import aiohttp

from ...access import Factor
from ..address import Address
from ..errors import InvalidValueError, StationProtocolError, StationRefusedError, StationUnsupportedError
from ..station import PushTarget, Reading, Setting, SettingValue, Station, StationInfo
from .capabilities import (
    TerminalAudio,
    TerminalCamera,
    TerminalCardOutput,
    TerminalClock,
    TerminalDoor,
    TerminalFirmware,
    TerminalPower,
    TerminalRecords,
    TerminalSchedule,
    TerminalScreen,
    TerminalScreensaver,
    TerminalSpeech,
)
from .client import TerminalClient
from .direct import DEFAULT_PORT, DirectLink
from .enrolment import TerminalPeople
from .link import Link
from .params import Params
from .push import TerminalMessage, receive
from .queue import QueuedLink
from .screen import ScreensaverMode
from .services import UploadInfo, UploadMethod
from .settings import APP_ROWS, SCREENSAVER, STREAM_ROWS, VOLUME, Row
from .state import TerminalState

_LOGGER = logging.getLogger(__name__)

_MANUFACTURER = "Face Capture"
# The document names no number of relays; boards have up to four, and the household says how many are wired.
_RELAYS = 4


class TerminalReader:
    """Reads a terminal. What its firmware does not know is left out, and not asked for again."""

    def __init__(self, state: TerminalState) -> None:
        """Bind to a terminal."""
        self._state = state
        self._client = state.client
        self._unsupported: set[str] = set()
        self._four_g: bool | None = None

    async def info(self) -> StationInfo:
        """Ask who it is; a place that was given a name at the device names it here too."""
        hardware = await self._client.system.hardware()
        if not (serial := hardware.serial or self._client.serial):
            raise StationProtocolError("the device does not give its serial number")
        app = await self._client.app.read()
        place = str(app.get("device_info.addr_name") or "").strip()
        return StationInfo(
            serial=serial,
            name=place or "Face terminal",
            manufacturer=hardware.board.maker or _MANUFACTURER,
            model=hardware.board.model,
            hardware=hardware.chip.model,
        )

    async def ping(self) -> timedelta:
        """Read the clock: the smallest request there is. What opens doors by our word is watched more closely."""
        if self._state.context.online_mode:
            await self._state.read_app()
        return await self._clock()

    async def _clock(self) -> timedelta:
        return self._state.take_clock(await self._client.system.time())

    async def read(self) -> Reading:
        """Read everything, one command after the other."""
        state = self._state
        await state.read_app()
        settings = _read_rows(APP_ROWS, state.app)
        if (stream := await self._try("stream", self._client.stream.read)) is not None:
            settings |= _read_rows(STREAM_ROWS, stream)
        for row, command in ((VOLUME, self._client.system.volume), (SCREENSAVER, self._client.screen.screensaver)):
            value = row.read(await self._try(row.setting.key, command))
            if value is not None:
                settings[row.setting.key] = value
        return Reading(settings=settings, facts=await self._facts(), clock_offset=await self._clock())

    async def _facts(self) -> dict[str, SettingValue]:
        facts: dict[str, SettingValue | None] = {"people": await self._try("people", self._client.people.count)}
        if self._four_g is None:
            self._four_g = (await self._client.system.hardware()).four_g is True
        if self._four_g:
            if (mobile := await self._try("mobile", self._client.mobile.info)) is not None:
                facts |= {"signal_strength": mobile.signal_strength, "operator": mobile.operator}
            month = datetime.now(self._state.time_zone).month
            days = await self._try("traffic", lambda: self._client.mobile.traffic(month))
            if days is not None:
                facts["traffic_received"] = sum(day.received for day in days)
                facts["traffic_sent"] = sum(day.sent for day in days)
        return {key: value for key, value in facts.items() if value is not None}

    async def _try[T](self, name: str, command: Callable[[], Coroutine[Any, Any, T]]) -> T | None:
        """Ask for something that not every firmware has."""
        if name in self._unsupported:
            return None
        try:
            return await command()
        except StationUnsupportedError:
            self._unsupported.add(name)
        except (StationRefusedError, StationProtocolError) as err:
            _LOGGER.debug("%s could not be read: %s", name, err)
        return None


def _read_rows(rows: tuple[Row, ...], params: Params) -> dict[str, SettingValue]:
    values = ((row, row.read(params.get(row.path))) for row in rows)
    return {row.setting.key: value for row, value in values if value is not None}


class TerminalSettings:
    """Writes one setting at a time, and only what differs from what the device has."""

    def __init__(self, state: TerminalState) -> None:
        """Bind to a terminal."""
        self._state = state
        self._app = {row.setting.key: row for row in APP_ROWS}
        self._stream = {row.setting.key: row for row in STREAM_ROWS}
        self.described: Mapping[str, Setting] = {
            row.setting.key: row.setting for row in (*APP_ROWS, *STREAM_ROWS, VOLUME, SCREENSAVER)
        }

    async def write(self, key: str, value: SettingValue) -> None:
        """Write a setting by its key. Raises InvalidValueError for one that there is not."""
        state, client = self._state, self._state.client
        if row := self._app.get(key):
            wanted = {row.path: row.write(value, state.app.get(row.path))}
            await client.app.write(wanted, state.app)
            # Until the next reading: another bit of the same mask, or this one back, goes by what was written.
            state.take_app(state.app.updated(wanted))
        elif row := self._stream.get(key):
            await client.stream.write({row.path: row.write(value, None)})
        elif key == VOLUME.setting.key:
            await client.system.set_volume(int(value))
        elif key == SCREENSAVER.setting.key:
            await client.screen.set_screensaver(ScreensaverMode(str(value)))
        else:
            raise InvalidValueError(key, "is no setting")


class TerminalInbox:
    """How a terminal reaches us: pushes, questions for commands, and where it sends the pushes."""

    def __init__(self, state: TerminalState, link: Link, firmware: TerminalFirmware) -> None:
        """Bind to a terminal."""
        self._state = state
        self._link = link
        self._firmware = firmware

    @property
    def asking(self) -> bool:
        """Whether the terminal asks for commands these days."""
        return isinstance(self._link, QueuedLink) and self._link.online

    @property
    def asks_decisions(self) -> bool:
        """Whether the terminal waits for our word before it opens."""
        return self._state.context.online_mode

    def receive(self, body: bytes, headers: Mapping[str, str] | None = None) -> TerminalMessage:
        """Understand what was sent; terminals sign nothing. Never raises."""
        message = receive(body, self._state.known())
        if message.upgrade is not None and message.serial is not None:
            return replace(message, acknowledgement=self._firmware.asked(message.upgrade))
        return message

    async def exchange(self, body: bytes) -> bytes:
        """Serve a question for commands (1.1.3). One that only listens is never asked."""
        if not isinstance(self._link, QueuedLink):
            raise StationProtocolError("this terminal is not set up to ask for commands")
        return await self._link.exchange(body)

    async def redirect(self, target: PushTarget) -> Mapping[str, Any] | None:
        """Write our address into `upload_info`; return what was there, None if it was us."""
        await self._state.read_app()
        app = self._state.app
        if _is_at(app.upload_info, target):
            return None
        await self._state.client.app.write_upload(_upload_to(target))
        await self._state.read_app()
        # Our own path at an address that Home Assistant used to have is nothing to go back to.
        return None if _is_path_of(app.upload_info, target) else app.upload_info.raw

    async def restore(self, previous: Mapping[str, Any], ours: PushTarget) -> None:
        """Put back what was there, to the letter, if the device still points to us."""
        if not _is_path_of((await self._state.client.app.read()).upload_info, ours):
            return
        await self._state.client.app.restore_upload(previous or {"method": UploadMethod.NONE.value})

    async def points_to(self, target: PushTarget) -> bool:
        """Check the last reading; no request."""
        return _is_at(self._state.app.upload_info, target)


def _upload_to(target: PushTarget) -> UploadInfo:
    """Build `upload_info` for us. An address goes before a name, and https is a prefix of either (revision 0.33)."""
    host = f"https://{target.host}" if target.secure else target.host
    is_name = any(character.isalpha() for character in target.host) and ":" not in target.host
    return UploadInfo(
        method=UploadMethod.HTTP,
        server_ip=None if is_name else host,
        server_domain=host if is_name else None,
        server_port=target.port,
        service_url=target.path,
    )


def _is_at(info: UploadInfo, target: PushTarget) -> bool:
    wanted = _upload_to(target)
    return (
        _is_path_of(info, target)
        and (info.server_ip or info.server_domain) == (wanted.server_ip or wanted.server_domain)
        and info.server_port == wanted.server_port
    )


def _is_path_of(info: UploadInfo, target: PushTarget) -> bool:
    """Check for our path, which nobody else can have, at whatever address."""
    # Firmwares differ in whether they print the slash that they put before the path.
    return info.method is UploadMethod.HTTP and (info.service_url or "").lstrip("/") == target.path


class TerminalFamily:
    """Face terminals that speak the Face Capture HTTP API."""

    NAME = "Face terminal"
    DEFAULT_PORT = DEFAULT_PORT
    NEEDS_LOGIN = False
    ASKS = True

    def direct(self, session: aiohttp.ClientSession, address: Address) -> DirectLink:
        """Reach a terminal that listens. Raises InvalidValueError for what is no host."""
        return DirectLink(session, address.host, address.port)

    def queued(self) -> QueuedLink:
        """Reach a terminal that asks for its commands."""
        return QueuedLink()

    async def identify(self, link: Link) -> StationInfo:
        """Ask whoever is at the end of a link who it is."""
        return await TerminalReader(TerminalState(TerminalClient(link), UTC)).info()

    def station(self, link: Link, info: StationInfo, time_zone: tzinfo) -> Station:
        """Make the station at the end of a link; everybody else who answers there is refused."""
        client = TerminalClient(link, serial=info.serial or None)
        state = TerminalState(client, time_zone)
        firmware = TerminalFirmware(client)
        return Station(
            info=info,
            doors=tuple(TerminalDoor(client, number) for number in range(1, _RELAYS + 1)),
            reader=TerminalReader(state),
            inbox=TerminalInbox(state, link, firmware),
            settings=TerminalSettings(state),
            speech=TerminalSpeech(client),
            screen=TerminalScreen(client),
            audio=TerminalAudio(client),
            sip=client.sip,
            camera=TerminalCamera(client),
            card_output=TerminalCardOutput(client),
            power=TerminalPower(client),
            clock=TerminalClock(state),
            schedule=TerminalSchedule(client),
            screensaver=TerminalScreensaver(client),
            records=TerminalRecords(state),
            firmware=firmware,
            people=TerminalPeople(state),
            factors=(Factor.CREDENTIAL,),
        )

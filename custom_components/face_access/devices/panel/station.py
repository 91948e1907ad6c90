"""A panel as a station of the house: what it is, what it has now, and how it reaches us."""

from collections.abc import Awaitable, Callable, Mapping
import contextlib
from datetime import UTC, timedelta, tzinfo
from functools import partial
import logging
import re
import time
from typing import Final

import aiohttp

from ...access import Factor
from ..address import Address
from ..errors import (
    InvalidValueError,
    StationForbiddenError,
    StationProtocolError,
    StationRefusedError,
    StationUnsupportedError,
)
from ..station import Reading, Setting, SettingValue, Station, StationInfo
from .broker import PanelBroker
from .capabilities import (
    PanelCamera,
    PanelClock,
    PanelCredentials,
    PanelDoor,
    PanelFeed,
    PanelPower,
    PanelQuestions,
    PanelRecords,
    PanelSip,
)
from .client import PanelClient
from .enrolment import PanelPeople
from .identifier import types_of
from .inbox import PanelInbox
from .info import PanelInfo, parse_info
from .link import ADMIN, HTTP_PORT, Credentials, PanelLink
from .phone import SipState
from .settings import ROWS, SETTINGS, SOURCES
from .state import PanelState

_LOGGER = logging.getLogger(__name__)

_MANUFACTURER: Final = "BAS-IP"
# A firmware check goes to the vendor's server.
_FIRMWARE_EVERY: Final = 86400.0
# What a panel lacks may only be switched off on it: it is asked for again after so long.
_LACKING_FOR: Final = 3600.0
_MODEL: Final = re.compile(r"([a-z]+)(\d.*)")


def describe(info: PanelInfo) -> StationInfo:
    """Put what a panel says of itself into the house's words: its model as printed on the box."""
    match = _MODEL.fullmatch(info.model or "")
    model = f"{match[1]}-{match[2]}".upper() if match else info.model
    return StationInfo(
        serial=info.serial,
        name=info.name or model or "Intercom panel",
        manufacturer=_MANUFACTURER,
        model=model,
        hardware=info.hardware,
        firmware=info.firmware,
    )


class PanelReader:
    """Reads a panel. What it does not have is left out, and asked for again after an hour or with another firmware."""

    def __init__(self, state: PanelState) -> None:
        """Bind to a panel."""
        self._state = state
        self._client = state.client
        self._lacking: dict[str, float] = {}
        self._firmware: str | None = None
        self._latest: str | None = None
        self._checked_at: float | None = None
        self.described: dict[str, Setting] = dict(SETTINGS)

    async def info(self) -> StationInfo:
        """Ask who it is."""
        return describe(await self._client.identify())

    async def ping(self) -> timedelta:
        """Read the clock: the smallest question that needs the login."""
        await self._state.read_clock()
        return self._state.context.clock_offset

    async def read(self) -> Reading:
        """Read everything, one question after the other."""
        info = await self._client.identify()
        if info.firmware != self._firmware:
            self._lacking.clear()
            self._firmware, self._checked_at = info.firmware, None
        offset = await self.ping()
        settings: dict[str, SettingValue] = {}
        for source in SOURCES:
            answer = await self._try(source.name, partial(source.ask, self._client))
            if answer is not None:
                values, narrowed = answer
                settings |= {key: value for key, value in values.items() if value is not None}
                self.described |= narrowed
        facts = await self._facts()
        return Reading(settings=settings, facts=facts, clock_offset=offset, booted_at=self._state.booted_at)

    async def _facts(self) -> dict[str, SettingValue]:
        facts: dict[str, SettingValue] = {} if self._firmware is None else {"firmware": self._firmware}
        if (sip := await self._try("sip_status", self._client.phone.status)) is not None and sip.state is not None:
            facts["sip_registered"] = sip.state is SipState.REGISTERED
        if (door := await self._try("door", self._client.access.status)) is not None:
            facts |= {"door_open": door.open, "door_left_open": door.too_long}
        if (latest := await self._latest_firmware()) is not None:
            facts["latest_firmware"] = latest
        return facts

    async def _latest_firmware(self) -> str | None:
        now = time.monotonic()
        if self._checked_at is None or now - self._checked_at >= _FIRMWARE_EVERY:
            self._checked_at = now
            check = await self._try("firmware", self._client.system.firmware)
            self._latest = None
            if check is not None and check.available is not None:
                # Nothing newer is news too: what runs is the newest then.
                self._latest = check.version if check.available else self._firmware
        return self._latest

    async def _try[T](self, name: str, ask: Callable[[], Awaitable[T]]) -> T | None:
        """Ask for something that not every panel has."""
        if time.monotonic() - self._lacking.get(name, float("-inf")) < _LACKING_FOR:
            return None
        try:
            return await ask()
        except (StationUnsupportedError, StationForbiddenError) as err:
            if isinstance(err, StationForbiddenError) and self._client.link.account_type not in (None, ADMIN):
                # Not this function, but the account is at fault.
                raise
            _LOGGER.debug("%s is not to be had: %s", name, type(err).__name__)
            self._lacking[name] = time.monotonic()
        except (StationRefusedError, StationProtocolError) as err:
            _LOGGER.debug("%s could not be read: %s", name, err)
        return None


class PanelSettings:
    """Writes one setting at a time."""

    def __init__(self, client: PanelClient, reader: PanelReader) -> None:
        """Bind to a panel; `reader` knows what can be chosen on it."""
        self._client = client
        self._reader = reader
        self._rows = {row.setting.key: row for row in ROWS}

    @property
    def described(self) -> Mapping[str, Setting]:
        """What there is to set, narrowed to this panel as far as it was read."""
        return self._reader.described

    async def write(self, key: str, value: SettingValue) -> None:
        """Write a setting by its key. Raises InvalidValueError for one that there is not."""
        if (row := self._rows.get(key)) is None:
            raise InvalidValueError(key, "is no setting")
        setting = self._reader.described[key]
        if setting.options and value not in setting.options:
            options = ", ".join(setting.options)
            raise InvalidValueError(key, f"must be one of {options}", "choice", options=options)
        await row.write(self._client, value)


class PanelFamily:
    """Intercom panels by BAS-IP: Android (AA, BI, AV-08FB) and Camdroid."""

    NAME = "Intercom panel"
    DEFAULT_PORT = HTTP_PORT
    NEEDS_LOGIN = True
    ASKS = False

    def direct(self, session: aiohttp.ClientSession, address: Address) -> PanelLink:
        """Reach a panel. Most sign their certificates themselves. Raises InvalidValueError for what is no host."""
        credentials = Credentials(username=address.username or ADMIN, password=address.password)
        return PanelLink(
            session,
            address.host,
            address.port,
            credentials=credentials,
            secure=address.secure,
            verify=address.verify,
        )

    def queued(self) -> PanelLink:
        """Panels ask nobody for commands. Raises StationUnsupportedError."""
        raise StationUnsupportedError("panels do not ask for commands")

    async def identify(self, link: PanelLink) -> StationInfo:
        """Ask whoever is there who it is, and log in.

        Raises StationAuthError for a wrong password, StationForbiddenError for an account that is no administrator's.
        """
        client = PanelClient(link)
        info = await client.identify()
        # Any question will do that needs a login: its answer matters to nobody.
        with contextlib.suppress(StationUnsupportedError, StationRefusedError, StationProtocolError):
            await client.system.time()
        if link.account_type not in (None, ADMIN):
            raise StationForbiddenError("the account is not an administrator's")
        return describe(info)

    def station(self, link: PanelLink, info: StationInfo, time_zone: tzinfo = UTC) -> Station:
        """Make the station at the end of a link; everybody else who answers there is refused.

        A panel that is away is what it was when `info` was read. It tells its times in full, so the house's time zone
        is of no use to it.
        """
        told = {"device_serial_number": info.serial, "device_model": info.model, "firmware_version": info.firmware}
        panel = link.info or parse_info(told)
        client = PanelClient(link, serial=info.serial)
        state = PanelState(client, info.serial)
        reader = PanelReader(state)
        inbox = PanelInbox(state)
        return Station(
            info=info,
            doors=tuple(PanelDoor(client, number) for number in range(1, panel.locks + 1)),
            reader=reader,
            inbox=inbox,
            settings=PanelSettings(client, reader),
            sip=PanelSip(client),
            camera=PanelCamera(client),
            power=PanelPower(client),
            clock=PanelClock(client) if panel.android else None,
            records=PanelRecords(state),
            feed=PanelFeed(state),
            sees_faces=panel.faces,
            factors=(Factor.CREDENTIAL,),
            tells_trouble=panel.android,
            questions=PanelQuestions(client),
            credentials=PanelCredentials(client, types_of(panel)),
            people=PanelPeople(client, faces=panel.faces) if panel.links else None,
            broker=PanelBroker(info.serial, client, inbox.receiver) if panel.mqtt else None,
        )

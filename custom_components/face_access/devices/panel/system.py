"""The panel itself: state, clock, language, network, restarts, and where else its log goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from ipaddress import IPv4Address
import re
from typing import Any, Final, Self

from ..errors import InvalidValueError, StationProtocolError, StationUnsupportedError
from ..values import as_bool, as_int, as_list, as_object, as_text, check_number, check_text, section
from .caller import Caller
from .info import PanelInfo

_TIME: Final = "/device/time"
_SET_TIME: Final = "/network/timezone/manual"
_LANGUAGE: Final = "/device/language"
_NTP: Final = "/network/ntp"
_ZONE: Final = "/network/timezone"
_NETWORK: Final = "/network/settings"
_MANAGEMENT: Final = "/network/management/server"
_SYSLOG: Final = "/syslog/settings"
_FIRMWARE: Final = "/system/firmware/check/status"
_ZONE_KEYS: Final = ("timezone", "current_timezone", "device_timezone")
_ZONE_FORM: Final = re.compile(r"UTC[+-]\d\d:\d\d")
_MAX_TIME: Final = 253402300799
# The names under which a newer version could stand: the answer is in no document.
_VERSION_KEYS: Final = ("new_version", "available_version", "latest_version", "version_available", "update_version")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceTime:
    """The panel's clock, in whole seconds, and its zone such as `UTC+03:00`."""

    now: datetime
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """The language of the panel's own texts, by English name, and all that it has."""

    current: str | None
    all: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Addresses."""

    dhcp: bool | None
    address: str | None = None
    mask: str | None = None
    gateway: str | None = None
    dns: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ntp:
    """Where the clock is set from; `server` in place of the panel's own choice."""

    enabled: bool | None
    own_server: bool | None = None
    server: str | None = None


class Protocol(StrEnum):
    """How a panel speaks to its management server."""

    HTTP = "http"
    MQTT = "mqtt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Management:
    """The management server: BAS-IP Link, or a broker in its place. There is one at a time.

    `raw` is the object as the panel printed it, for putting it back to the letter.
    """

    enabled: bool | None = None
    protocol: Protocol | None = None
    url: str | None = None
    logging: bool | None = None
    encrypted: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the panel's object."""
        protocol, settings = (as_text(raw.get("protocol")) or "").lower(), section(raw, "settings")
        return cls(
            enabled=as_bool(raw.get("is_enabled")),
            protocol=Protocol(protocol) if protocol in Protocol else None,
            url=as_text(settings.get("url")) or None,
            logging=as_bool(settings.get("is_logging_enabled")),
            encrypted=as_bool(settings.get("is_encrypted")),
            raw=raw,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Syslog:
    """Where lines of text go; it is an HTTP server in truth. `severity` 0 to 7."""

    enabled: bool | None
    host: str | None = None
    port: int | None = None
    severity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FirmwareCheck:
    """Whether there is a newer firmware; `version` None where there is none, or nobody can tell."""

    available: bool | None
    version: str | None = None


class System:
    """Commands on the panel itself."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a panel."""
        self._caller = caller

    async def info(self) -> PanelInfo:
        """Who the panel is, as it last said without a login."""
        return await self._caller.info()

    async def dashboard(self) -> dict[str, Any]:
        """Read the summary, as printed: its fields are in no document."""
        return await self._caller.get("/dashboard", secret=True)

    async def mac(self) -> str | None:
        """Read the hardware address."""
        return as_text((await self._caller.get("/network/mac")).get("mac_address")) or None

    async def name(self) -> str | None:
        """Read the name that the panel was given."""
        return as_text((await self._caller.get("/device/name")).get("device_name")) or None

    async def mode(self) -> str | None:
        """Read what the panel serves: `Wall`, `Unit` or `Apartment`."""
        return as_text((await self._caller.get("/device/mode/current")).get("current_panel_mode")) or None

    async def reboot(self) -> None:
        """Restart: a GET, and sent once."""
        await self._caller.act("/system/reboot/run")

    async def firmware(self) -> FirmwareCheck:
        """Ask whether there is a newer firmware. What the answer looks like is in no document."""
        raw = await self._caller.get(_FIRMWARE)
        version = next((text for key in _VERSION_KEYS if (text := as_text(raw.get(key)))), None)
        flags = (as_bool(raw.get(key)) for key in ("update_available", "is_update_available", "available"))
        told = next((flag for flag in flags if flag is not None), True if version is not None else None)
        return FirmwareCheck(available=told, version=version)

    # Language and clock

    async def language(self) -> Language:
        """Read the language."""
        raw = await self._caller.get(_LANGUAGE)
        names = (as_text(name) for name in as_list(raw.get("all_supported_languages")) or ())
        return Language(current=as_text(raw.get("current_language")) or None, all=tuple(name for name in names if name))

    async def set_language(self, name: str) -> None:
        """Choose a language by its English name."""
        query = {"language": check_text("language", name, 50, empty=False)}
        await self._caller.send("POST", _LANGUAGE, query=query)

    async def time(self) -> DeviceTime:
        """Read the clock."""
        raw = await self._caller.get(_TIME)
        seconds = as_int(raw.get("time_unix"))
        if seconds is None or not 0 <= seconds <= _MAX_TIME:
            raise StationProtocolError("the panel does not tell its time")
        zone = next((text for key in _ZONE_KEYS if (text := as_text(raw.get(key)))), None)
        return DeviceTime(now=datetime.fromtimestamp(seconds, UTC), zone=zone)

    async def set_time(self, now: datetime) -> None:
        """Set the clock of an Android panel that does not ask a time server. Raises StationUnsupportedError.

        The call is seen in use, not documented.
        """
        if not (await self._caller.info()).android:
            raise StationUnsupportedError("no call that sets the clock is known on Camdroid panels")
        zone = await self.zone()
        if zone is None:
            raise StationProtocolError("the panel does not tell its time zone")
        await self._caller.send("POST", _SET_TIME, {"timezone": zone, "time_unix": int(now.timestamp())})

    async def zone(self) -> str | None:
        """Read the time zone, such as `UTC+03:00`."""
        raw = await self._caller.get(_ZONE)
        return next((text for key in _ZONE_KEYS if (text := as_text(raw.get(key)))), None)

    async def set_zone(self, zone: str) -> None:
        """Set the time zone by the name that was read. Raises InvalidValueError."""
        if _ZONE_FORM.fullmatch(zone) is None:
            raise InvalidValueError("zone", "must look like UTC+03:00")
        raw = await self._caller.get(_ZONE)
        key = next((key for key in _ZONE_KEYS if key in raw), _ZONE_KEYS[0])
        await self._caller.send("POST", _ZONE, {key: zone})

    async def ntp(self) -> Ntp:
        """Read where the clock is set from."""
        raw = await self._caller.get(_NTP)
        default = as_bool(raw.get("use_default"))
        return Ntp(
            enabled=as_bool(raw.get("enabled")),
            own_server=None if default is None else not default,
            server=as_text(raw.get("custom_server")) or None,
        )

    async def set_ntp(self, *, enabled: bool | None = None, server: str | None = None) -> None:
        """Switch the time server, or choose one; an empty one is the panel's own choice."""
        changes: dict[str, Any] = {} if enabled is None else {"enabled": enabled}
        if server is not None:
            changes |= {"use_default": not server, "custom_server": check_text("server", server, 255)}
        await self._caller.change(_NTP, changes)

    # Network

    async def network(self) -> Network:
        """Read the addresses."""
        raw = await self._caller.get(_NETWORK)
        texts = {"address": "ip_address", "mask": "mask", "gateway": "gateway", "dns": "dns"}
        return Network(
            dhcp=as_bool(raw.get("dhcp")), **{name: as_text(raw.get(key)) or None for name, key in texts.items()}
        )

    async def set_static(self, *, address: str, mask: str, gateway: str, dns: str) -> None:
        """Give the panel fixed addresses: it may be gone from here afterwards. Raises InvalidValueError."""
        given = {"ip_address": address, "mask": mask, "gateway": gateway, "dns": dns}
        body = {name: _address(name, text) for name, text in given.items()}
        await self._caller.send("POST", f"{_NETWORK}/static", body)

    async def set_dhcp(self) -> None:
        """Let the network give the panel its addresses: it may be gone from here afterwards."""
        await self._caller.send("POST", f"{_NETWORK}/dhcp")

    # Where else the log goes

    async def management(self) -> Management:
        """Read the management server. The path is inferred for Android panels."""
        return Management.parse(await self._caller.get(_MANAGEMENT, secret=True))

    async def set_broker(self, url: str, password: str = "", *, encrypted: bool = False) -> None:
        """Let the panel speak MQTT to a broker. It then leaves BAS-IP Link. Raises InvalidValueError."""
        settings = {
            "url": check_text("url", url, 2000, empty=False),
            "password": check_text("password", password),
            "is_logging_enabled": True,
            "is_encrypted": encrypted,
        }
        body = {"is_enabled": True, "protocol": Protocol.MQTT.value, "settings": settings}
        await self.restore_management(body)

    async def restore_management(self, raw: Mapping[str, Any]) -> None:
        """Put back a `Management.raw` to the letter."""
        await self._caller.send("PUT", _MANAGEMENT, dict(raw), secret=True)

    async def syslog(self) -> Syslog:
        """Read where lines of text go."""
        raw = await self._caller.get(_SYSLOG)
        server = section(raw, "server")
        return Syslog(
            enabled=as_bool(raw.get("enabled")),
            host=as_text(server.get("server")) or None,
            port=as_int(server.get("port")),
            severity=as_int(server.get("severity")),
        )

    async def set_syslog(self, *, enabled: bool, host: str | None = None, port: int = 514, severity: int = 6) -> None:
        """Switch the lines of text, or say where they go. Raises InvalidValueError."""
        changes: dict[str, Any] = {"enabled": enabled}
        if host is not None:
            raw = await self._caller.get(_SYSLOG)
            changes["server"] = {
                **(as_object(raw.get("server")) or {}),
                "server": check_text("host", host, 255, empty=False),
                "port": check_number("port", port, 1, 65535),
                "severity": check_number("severity", severity, 0, 7),
            }
        await self._caller.change(_SYSLOG, changes)


def _address(name: str, text: str) -> str:
    try:
        return str(IPv4Address(text))
    except ValueError:
        raise InvalidValueError(name, "must be an address such as 192.168.1.5") from None

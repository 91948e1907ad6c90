"""A terminal's SIP telephone, mobile network and encryption of uploads (HTTP API 2.15 to 2.17)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
import re
from typing import Any, Final

from ..errors import InvalidValueError, StationProtocolError
from ..values import as_bool, as_float, as_int, as_objects, as_text, check_number, check_text, section, to_base64
from .caller import Caller, Effect

MAX_KEY: Final = 16
_SIP_URL: Final = re.compile(r"sip:[^@\s:]+@[^@\s:]+:(\d{1,5})")
_DATE: Final = re.compile(r"\s*(\d{1,2})-(\d{1,2})\s*")


class Sip:
    """Commands on the telephone."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def register(self, *, domain: str, port: int, username: str, password: str | None = None) -> None:
        """Set the account (2.16.1)."""
        fields: dict[str, Any] = {
            "domain": check_text("domain", domain, empty=False),
            "port": check_number("port", port, 1, 65535),
            "username": check_text("username", username, empty=False),
        }
        if password is not None:
            fields["password"] = check_text("password", password)
        await self._call("sip register", fields, effect=Effect.SET)

    async def call(self, url: str) -> None:
        """Call `sip:username@domain:port` (2.16.2)."""
        match = _SIP_URL.fullmatch(check_text("url", url))
        if match is None or not 1 <= int(match[1]) <= 65535:
            raise InvalidValueError("url", "must look like sip:username@domain:port", "sip_address")
        await self._call("sip call", {"url": url}, effect=Effect.ACT)

    async def hang_up(self) -> None:
        """End the call (2.16.3)."""
        await self._call("sip hangup", effect=Effect.ACT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gps:
    """Where the device is: degrees as the receiver prints them (None without), and how many satellites it sees."""

    latitude: float | None = field(repr=False)
    longitude: float | None = field(repr=False)
    satellites: int | None


def parse_gps(raw: Mapping[str, Any]) -> Gps | None:
    """Read a position: `n` and `e` are texts of north and east. None where there is none."""
    gps = Gps(latitude=as_float(raw.get("n")), longitude=as_float(raw.get("e")), satellites=as_int(raw.get("strength")))
    return None if gps.latitude is None or gps.longitude is None else gps


@dataclass(frozen=True, slots=True, kw_only=True)
class MobileInfo:
    """The 4G modem. `signal_strength` is the RSSI as the modem counts it; the two card numbers are personal data."""

    module_ready: bool | None
    sim_ready: bool | None
    operator: str | None
    signal_strength: int | None
    iccid: str | None = field(repr=False)
    imsi: str | None = field(repr=False)
    gps: Gps | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Bytes of one day."""

    month: int
    day: int
    received: int
    sent: int


class Mobile:
    """Commands on the mobile network."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def info(self) -> MobileInfo:
        """Read the state of the modem (2.17.1)."""
        reply = await self._call("request 4g infor")
        return MobileInfo(
            module_ready=as_bool(reply.get("module_ready")),
            sim_ready=as_bool(reply.get("sim_ready")),
            operator=as_text(reply.get("operator")) or None,
            signal_strength=as_int(reply.get("signal_strength")),
            iccid=as_text(reply.get("ICCID")) or None,
            imsi=as_text(reply.get("IMSI")) or None,
            gps=parse_gps(section(reply, "gps")),
        )

    async def traffic(self, month: int, *, first: int | None = None, last: int | None = None) -> tuple[Traffic, ...]:
        """Read the bytes of each day of a month (1 to 12), or from day `first` to `last`, or to now without `last`."""
        fields: dict[str, Any] = {"month": check_number("month", month, 1, 12)}
        if first is not None:
            fields["day"] = _days(first, last)
        elif last is not None:
            raise InvalidValueError("last", "needs a first day")
        reply = await self._call("traffic statistics", fields)
        days = (_parse_traffic(raw) for raw in as_objects(reply.get("statistics")))
        return tuple(day for day in days if day is not None)


def _days(first: int, last: int | None) -> str:
    """Write days as the device wants them: "1-9", "1-" to now, "1" alone."""
    check_number("first", first, 1, 31)
    if last is None:
        return f"{first}-"
    check_number("last", last, first, 31)
    return str(first) if first == last else f"{first}-{last}"


def _parse_traffic(raw: Mapping[str, Any]) -> Traffic | None:
    date = _DATE.fullmatch(as_text(raw.get("date")) or "")
    if date is None:
        return None
    received, sent = as_int(raw.get("bytes_rx")), as_int(raw.get("bytes_tx"))
    return Traffic(month=int(date[1]), day=int(date[2]), received=received or 0, sent=sent or 0)


class Encryption:
    """Commands on the AES encryption of names and ids in uploads."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def enabled(self) -> bool:
        """Read whether uploads are encrypted (2.15.2)."""
        enabled = as_bool((await self._call("request aes")).get("enable"))
        if enabled is None:
            raise StationProtocolError("the answer to 'request aes' does not say whether it is enabled")
        return enabled

    async def set(self, key: bytes, *, enable: bool | None = None, new_key: bytes | None = None) -> None:
        """Switch encryption, or change the key, each where it is not None (2.15.1). Keys have at most 16 bytes.

        `key` is the one in force. Raises StationRefusedError `authentication_failed` for a wrong one.
        """
        fields: dict[str, Any] = {"ori_key": _key("key", key)}
        if enable is not None:
            fields["enable"] = enable
        if new_key is not None:
            fields["new_key"] = _key("new_key", new_key)
        # The command is misspelt in the document, and so it is in the device.
        await self._call("updata aes", fields, effect=Effect.ACT)


def _key(field_name: str, key: bytes) -> str:
    if len(key) > MAX_KEY:
        raise InvalidValueError(field_name, f"must be at most {MAX_KEY} bytes, not {len(key)}")
    return to_base64(key)

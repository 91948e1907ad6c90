"""SIP and calls: account, state, timeouts, where calls go (`/device/sip`, `/device/call`, `/forward`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
import re
from typing import Any, Final, Self

from ..errors import InvalidValueError, StationUnsupportedError
from ..values import as_bool, as_int, as_list, as_text, check_number, check_text
from .caller import Caller
from .paging import MAX_LIMIT, Page, all_items, parse_page
from .transport import Effect

# What stands in place of a password that is not shown. Written back, it would become the password.
MASK: Final = "WebPass"
MIN_PASSWORD: Final = 6
MAX_NAME: Final = 31
_SETTINGS: Final = "/device/sip/settings"
_ENABLE: Final = "/device/sip/enable"
_STATUS: Final = "/sip/status"
_REREGISTER: Final = "/device/sip/reregister"
_DIAL: Final = "/device/call/dial/timeout"
_TALK: Final = "/device/call/talk/timeout"
_AUTO_DIAL: Final = "/device/call/dial/auto"
_CONCIERGE: Final = "/device/call/concierge"
_CALL: Final = "/system/debug/call/start"
_HANG_UP: Final = "/system/debug/call/end"
_SIP_URL: Final = re.compile(r"sip:[^\s@]+(@[^\s@]+)?")
_MAX_MILLISECONDS: Final = 253402300799000


class SipState(StrEnum):
    """Whether the panel is registered."""

    REGISTERED = "OK"
    OFFLINE = "OFFLINE"
    ERROR = "ERROR"


@dataclass(frozen=True, slots=True, kw_only=True)
class SipStatus:
    """The registration; the last attempt is told by the newest panels only, on their own clock."""

    state: SipState | None
    last_attempt: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SipAccount:
    """The (first) account. `proxy` is `sip:host[:port]`; `interval` in seconds; `password` None where it is hidden."""

    proxy: str | None = None
    realm: str | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    transport: str | None = None
    interval: int | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the panel's object."""
        password = as_text(raw.get("password"))
        return cls(
            **{name: as_text(raw.get(name)) or None for name in ("proxy", "realm", "user", "transport")},
            password=None if password in (None, "", MASK) else password,
            interval=as_int(raw.get("registration_interval")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Where calls to an apartment go."""

    apartment: int
    targets: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Concierge:
    """The number that the concierge has."""

    enabled: bool | None
    number: str | None = field(repr=False)


class Phone:
    """Commands on SIP and calls."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a panel."""
        self._caller = caller

    async def status(self) -> SipStatus:
        """Read whether the panel is registered."""
        raw = await self._caller.get(_STATUS)
        state = (as_text(raw.get("sip_status")) or "").upper()
        last = as_int(raw.get("register_last_attempt"))
        known = last is not None and 0 < last < _MAX_MILLISECONDS
        return SipStatus(
            state=SipState(state) if state in SipState else None,
            last_attempt=datetime.fromtimestamp((last or 0) / 1000, UTC) if known else None,
        )

    async def account(self) -> SipAccount:
        """Read the account."""
        return SipAccount.parse(await self._caller.get(_SETTINGS, secret=True))

    async def set_account(
        self, *, domain: str, port: int, username: str, password: str | None, transport: str | None = None
    ) -> None:
        """Set the account and keep the rest. Without a password the present one must be told by the panel.

        Raises InvalidValueError.
        """
        raw = await self._caller.get(_SETTINGS, secret=True)
        kept = SipAccount.parse(raw).password
        if password is None and kept is None:
            raise InvalidValueError("password", "must be given: the panel does not show the present one", "password")
        domain = check_text("domain", domain.strip(), empty=False)
        written = f"[{domain}]" if ":" in domain and not domain.startswith("[") else domain
        changes: dict[str, Any] = {
            "proxy": f"sip:{written}:{check_number('port', port, 1, 65535)}",
            "realm": domain,
            "user": check_text("username", username, MAX_NAME, empty=False),
            "password": check_text("password", password or kept or "", MAX_NAME),
        }
        if len(changes["password"]) < MIN_PASSWORD:
            raise InvalidValueError(
                "password", f"must have at least {MIN_PASSWORD} characters", "too_short", least=MIN_PASSWORD
            )
        if transport is not None:
            if transport not in ("udp", "tcp", "tls"):
                raise InvalidValueError("transport", "must be udp, tcp or tls")
            changes["transport"] = transport
        await self._caller.send("POST", _SETTINGS, {**raw, **changes}, secret=True)

    async def enabled(self) -> bool | None:
        """Read whether the panel calls by SIP."""
        return as_bool((await self._caller.get(_ENABLE)).get("sip_enable"))

    async def set_enabled(self, enabled: bool) -> None:
        """Switch SIP; what older APIs have beside the switch is kept."""
        await self._caller.change(_ENABLE, {"sip_enable": enabled})

    async def reregisters(self) -> bool | None:
        """Read whether the panel registers again by itself, on Camdroid panels."""
        return as_bool((await self._caller.get(_REREGISTER)).get("is_reregister"))

    async def timeouts(self) -> tuple[int | None, int | None]:
        """Read how long the panel rings and how long it talks, in seconds."""
        dial = as_int((await self._caller.get(_DIAL)).get("dial_timeout"))
        return dial, as_int((await self._caller.get(_TALK)).get("talk_timeout"))

    async def set_dial_timeout(self, seconds: int) -> None:
        """Set how long the panel rings."""
        await self._caller.change(_DIAL, {"dial_timeout": check_number("seconds", seconds, 1, 600)})

    async def set_talk_timeout(self, seconds: int) -> None:
        """Set how long a conversation lasts at most."""
        await self._caller.change(_TALK, {"talk_timeout": check_number("seconds", seconds, 1, 3600)})

    async def auto_dial(self) -> dict[str, Any]:
        """Read whether a call begins by itself, as printed. AA panels only."""
        return await self._caller.get(_AUTO_DIAL)

    async def concierge(self) -> Concierge:
        """Read the concierge's number."""
        raw = await self._caller.get(_CONCIERGE, secret=True)
        return Concierge(enabled=as_bool(raw.get("number_enable")), number=as_text(raw.get("number_url")) or None)

    async def set_concierge(self, *, enabled: bool, number: str | None = None) -> None:
        """Switch the concierge, or change the number: `sip:...`. Raises InvalidValueError."""
        changes: dict[str, Any] = {"number_enable": enabled}
        if number is not None:
            changes["number_url"] = _sip_url("number", number)
        await self._caller.change(_CONCIERGE, changes, secret=True)

    async def forwards(self) -> tuple[Forward, ...]:
        """Read where calls to apartments go."""
        rules = [_forward(raw) async for raw in all_items(self._forward_page)]
        return tuple(rule for rule in rules if rule is not None)

    async def _forward_page(self, number: int) -> Page:
        query = {"limit": str(MAX_LIMIT), "page_number": str(number)}
        return parse_page(await self._caller.get("/forward/items", query, secret=True))

    async def set_forward(self, apartment: int, targets: Iterable[str]) -> None:
        """Set where calls to an apartment go."""
        body = {"forward_entity_list": [check_text("target", target, 255, empty=False) for target in targets]}
        check_number("apartment", apartment, 0, 2**31)
        await self._caller.send("POST", f"/forward/item/{apartment}", body, secret=True)

    async def delete_forwards(self, apartments: Iterable[int]) -> None:
        """Remove where calls to apartments go."""
        await self._caller.send("DELETE", "/forward/items", {"uid_items": list(apartments)})

    async def call(self, url: str) -> None:
        """Call `sip:name@host`: on Camdroid panels only. Raises InvalidValueError, StationUnsupportedError."""
        await self._check_debug_call()
        await self._caller.send("POST", _CALL, {"number": _sip_url("url", url)}, effect=Effect.ACT)

    async def hang_up(self) -> None:
        """End the call: on Camdroid panels only. Raises StationUnsupportedError."""
        await self._check_debug_call()
        await self._caller.send("POST", _HANG_UP, effect=Effect.ACT)

    async def _check_debug_call(self) -> None:
        if (await self._caller.info()).android:
            raise StationUnsupportedError("no call for this is known on Android panels")


def _sip_url(name: str, url: str) -> str:
    if _SIP_URL.fullmatch(check_text(name, url, 255)) is None:
        raise InvalidValueError(name, "must look like sip:name@host", "sip_address")
    return url


def _forward(raw: Mapping[str, Any]) -> Forward | None:
    apartment = as_int(raw.get("forward_number"))
    targets = (as_text(target) for target in as_list(raw.get("forward_entity_list")) or ())
    return None if apartment is None else Forward(apartment=apartment, targets=tuple(t for t in targets if t))

"""Where a terminal sends what it sees (`upload_info`) and asks for commands (`extranet`) (HTTP API 2.3.1, 2.3.2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self

from ..errors import InvalidValueError
from ..values import as_bool, as_int, as_text, check_number, check_text

SERVICE_URL_LIMIT: Final = 101
PATTERN_LIMIT: Final = 69


class UploadMethod(StrEnum):
    """How a terminal sends what it sees."""

    HTTP = "http"
    TCP = "tcp"
    FTP = "ftp"
    WEBSERVICE = "webservice"
    NONE = "none"


class ControlMode(StrEnum):
    """How a terminal asks for commands; TCP where it does not say."""

    HTTP = "http"
    TCP = "tcp"


def _known[E: StrEnum](enum: type[E], value: Any) -> E | None:
    text = (as_text(value) or "").strip().lower()
    return enum(text) if text in enum else None


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadInfo:
    """Where what the terminal sees goes. `server_ip` goes before `server_domain`; both take a prefix `https://`.

    `service_url` is the path after address and port, for HTTP and webservice; the last three are for FTP. `raw` is
    the object as the device printed it, for putting it back to the letter.
    """

    method: UploadMethod | None = None
    server_ip: str | None = None
    server_domain: str | None = None
    server_port: int | None = None
    service_url: str | None = None
    user: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    pattern: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the device's object; what it lacks is None."""
        texts = ("server_ip", "server_domain", "service_url", "user", "password", "pattern")
        return cls(
            method=_known(UploadMethod, raw.get("method")),
            server_port=as_int(raw.get("server_port")),
            raw=dict(raw),
            **{name: as_text(raw.get(name)) for name in texts},
        )

    def body(self) -> dict[str, Any]:
        """Build the object to send: only the fields that exist with this method. Raises InvalidValueError."""
        if self.method is None:
            raise InvalidValueError("upload_info.method", "is missing")
        if self.method is UploadMethod.NONE:
            return {"method": "none"}
        http = self.method is UploadMethod.HTTP
        server = _server("upload_info", self.server_ip, self.server_domain, self.server_port, domain_allowed=http)
        body = {"method": self.method.value, **server}
        if self.method in (UploadMethod.HTTP, UploadMethod.WEBSERVICE):
            body["service_url"] = check_text("service_url", self.service_url or "", SERVICE_URL_LIMIT)
        if self.method is UploadMethod.FTP:
            body["user"] = check_text("user", self.user or "")
            body["password"] = check_text("password", self.password or "")
            body["pattern"] = check_text("pattern", self.pattern or "", PATTERN_LIMIT)
        return body


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlService:
    """Where the terminal asks for commands. `url` (the path) is for HTTP only. `raw` as in UploadInfo."""

    enabled: bool | None = None
    mode: ControlMode | None = None
    server_ip: str | None = None
    server_domain: str | None = None
    server_port: int | None = None
    url: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the device's object. A service that is on and names no mode uses TCP."""
        enabled = as_bool(raw.get("enable"))
        return cls(
            enabled=enabled,
            mode=_known(ControlMode, raw.get("mode", "tcp" if enabled else None)),
            server_ip=as_text(raw.get("server_ip")),
            server_domain=as_text(raw.get("server_domain")),
            server_port=as_int(raw.get("server_port")),
            url=as_text(raw.get("url")),
            raw=dict(raw),
        )

    def body(self) -> dict[str, Any]:
        """Build the object to send: only the fields that exist with this mode. Raises InvalidValueError."""
        if self.enabled is None:
            raise InvalidValueError("extranet.enable", "is missing")
        if not self.enabled:
            return {"enable": False}
        http = self.mode is ControlMode.HTTP
        body: dict[str, Any] = {"enable": True, "mode": (self.mode or ControlMode.TCP).value}
        body |= _server("extranet", self.server_ip, self.server_domain, self.server_port, domain_allowed=http)
        return body | ({"url": check_text("extranet.url", self.url or "")} if http else {})


def _server(name: str, ip: str | None, domain: str | None, port: int | None, *, domain_allowed: bool) -> dict[str, Any]:
    """Build the address of a service: an address, or (over HTTP only) a name, and a port."""
    if port is None:
        raise InvalidValueError(f"{name}.server_port", "is missing")
    check_number(f"{name}.server_port", port, 1, 65535)
    if ip:
        return {"server_ip": check_text(f"{name}.server_ip", ip), "server_port": port}
    if not domain:
        raise InvalidValueError(f"{name}.server_ip", "is missing")
    if not domain_allowed:
        raise InvalidValueError(f"{name}.server_domain", "exists over HTTP only")
    return {"server_domain": check_text(f"{name}.server_domain", domain), "server_port": port}

"""A terminal that asks for new firmware, and the answer (HTTP API 2.11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Any, Final, Self

from ..errors import InvalidValueError
from ..values import as_int, as_text, check_text

_MD5: Final = re.compile(r"[0-9a-f]{32}")
# Our names, and what the device calls them.
_KEYS: Final[Mapping[str, str]] = {
    "system": "system",
    "version": "appversion",
    "algorithm": "algversion",
    "platform": "platform",
    "sensor": "sensor",
    "board": "board",
    "motor": "motor",
    "lcd": "lcd",
    "built": "timestamp",
}


class UpgradeType(StrEnum):
    """Whether to upgrade: not, if the version differs, or whatever the version."""

    NONE = "none"
    NORMAL = "normal"
    FORCE = "force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """What runs on a device, and on which hardware. All texts; None for what is not said."""

    system: str | None = None
    version: str | None = None
    algorithm: str | None = None
    platform: str | None = None
    sensor: str | None = None
    board: str | None = None
    motor: str | None = None
    lcd: str | None = None
    built: str | None = None

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Self:
        """Read the device's object."""
        return cls(**{name: as_text(raw.get(key)) or None for name, key in _KEYS.items()})

    def body(self) -> dict[str, str]:
        """Write what is known."""
        return {key: value for name, key in _KEYS.items() if (value := getattr(self, name)) is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeRequest:
    """A terminal's question. `last_code` is how its last upgrade ended, 0 for well."""

    serial: str | None
    device_number: str | None
    last_code: int | None
    firmware: Firmware

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Self:
        """Read a decoded body."""
        raw = body.get("firmware")
        return cls(
            serial=as_text(body.get("device_sn")) or None,
            device_number=as_text(body.get("device_no")) or None,
            last_code=as_int(body.get("last_upgrade_code")),
            firmware=Firmware.parse(raw if isinstance(raw, dict) else {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradeFile:
    """Where the terminal may fetch its new firmware. `md5` in hex."""

    url: str
    md5: str


def upgrade_answer(
    kind: UpgradeType = UpgradeType.NONE, file: UpgradeFile | None = None, firmware: Firmware | None = None
) -> dict[str, Any]:
    """Build the answer: no upgrade, or a file and what is in it. Raises InvalidValueError."""
    answer: dict[str, Any] = {"reply": "ACK", "cmd": "ask_upgrade", "code": 0, "upgrade_type": kind.value}
    if kind is UpgradeType.NONE:
        return answer
    if file is None or firmware is None:
        raise InvalidValueError("file", "and firmware are needed for an upgrade")
    md5 = file.md5.lower()
    if not _MD5.fullmatch(md5):
        raise InvalidValueError("md5", "must be 32 hexadecimal digits")
    answer["upgrade_file"] = {"url": check_text("url", file.url, empty=False), "md5sum": md5}
    answer["firmware"] = firmware.body()
    return answer

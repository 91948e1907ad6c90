"""What a panel says of itself before any login (`GET /api/info`), and what follows for how to speak to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import re
from typing import Any, Final

from ..errors import StationProtocolError, StationUnsupportedError
from ..values import as_text

INFO_PATH: Final = "/api/info"
BASES: Final = ("/api/v1", "/api/v0")

# Linux panels as the vendor's Camdroid document lists them. An AV-08FB is not among them: it runs Android.
_CAMDROID: Final = frozenset(
    {
        *("av01bd", "av01d", "av01ed", "av01kbd", "av01kd", "av01md", "av01mfd"),
        *("av02d", "av02fde", "av02fdr", "av02ide", "av02idr", "av02ipd", "av03bd", "av03d"),
        *("av04afd", "av04afdi", "av04asd", "av04fd", "av04fdi", "av04fdip", "av04sd", "av04sdi", "av05fd", "av05sd"),
        *("ba04bd", "ba04md", "ba08bd", "ba08md", "ba12bd", "ba12md", "aa07bd", "cr02bd"),
    }
)
# Later models that no list has: the same letters, and nothing that only Android says.
_LIKE_CAMDROID: Final = re.compile(r"(av0[0-7]|ba|cr)\w*d\w*")
_NUMBER: Final = re.compile(r"\d{1,6}")


class Family(StrEnum):
    """Which software a panel runs."""

    ANDROID = "android"
    CAMDROID = "camdroid"


class Kind(StrEnum):
    """How a panel is operated."""

    AA = "aa"
    """Display and keypad."""
    BI = "bi"
    """A button for each flat."""
    INDIVIDUAL = "individual"
    """One button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PanelInfo:
    """Who a panel is. `model` as it prints it, without dashes; `api` and `version` (of the firmware) are numbers."""

    serial: str
    family: Family
    kind: Kind
    model: str | None = None
    name: str | None = None
    firmware: str | None = None
    hardware: str | None = None
    api: tuple[int, ...] = ()
    version: tuple[int, ...] = ()

    @property
    def android(self) -> bool:
        """Whether it runs Android."""
        return self.family is Family.ANDROID

    @property
    def major(self) -> int:
        """The major version of the API; one that does not say is taken for a recent one."""
        return self.api[0] if self.api else (2 if self.android else 1)

    @property
    def base(self) -> str:
        """What paths begin with: Android 1.x and Camdroid 0.x are v0, all later ones v1."""
        return BASES[0] if self.major >= (2 if self.android else 1) else BASES[1]

    @property
    def flat_filters(self) -> bool:
        """Whether lists are filtered by flat parameters (Android 2.x) or by an expression (all others)."""
        return self.android and self.major >= 2

    @property
    def old_paths(self) -> bool:
        """Whether lists have the names of the Android API 1.x."""
        return self.android and self.major < 2

    @property
    def faces(self) -> bool:
        """Whether the model's name promises face recognition."""
        return self.android and "fb" in (self.model or "")

    @property
    def links(self) -> bool:
        """Whether identifiers can have link ids: Camdroid, and Android from API 2.8 on."""
        return not self.android or not self.api or self.since(2, 8)

    @property
    def webhooks(self) -> bool:
        """Whether the firmware is new enough for webhooks: Android from 3.25.8."""
        return self.android and self.version >= (3, 25, 8)

    @property
    def mqtt(self) -> bool:
        """Whether the firmware speaks MQTT: Android from 3.15.0, Camdroid from 3.3.0."""
        return self.version >= ((3, 15, 0) if self.android else (3, 3, 0))

    @property
    def locks(self) -> int:
        """The highest number of a lock: two, and eight with relay modules on a Camdroid panel."""
        return 2 if self.android else 8

    def since(self, *api: int) -> bool:
        """Whether its API has at least this version."""
        return self.api >= api


def parse_info(raw: Mapping[str, Any]) -> PanelInfo:
    """Read the answer. Raises StationProtocolError without a serial number, StationUnsupportedError for a monitor."""
    if not (serial := (as_text(raw.get("device_serial_number")) or "").strip()):
        raise StationProtocolError("the device does not give its serial number")
    if (kind := (as_text(raw.get("device_type")) or "panel").lower()) != "panel":
        raise StationUnsupportedError(f"the device is a {kind[:20]}, not a panel")
    printed = (as_text(raw.get("device_model")) or "").strip()
    model = printed.lower().replace("-", "")
    firmware = as_text(raw.get("firmware_version")) or None
    return PanelInfo(
        serial=serial,
        family=_family(model, raw),
        kind=_kind(model),
        model=model or None,
        name=as_text(raw.get("device_name")) or None,
        firmware=firmware,
        hardware=as_text(raw.get("mcu_version")) or None,
        api=read_version(as_text(raw.get("api_version"))),
        version=read_version(firmware),
    )


def read_version(text: str | None) -> tuple[int, ...]:
    """Read the numbers of a version such as "3.25.8" or "v3.25.8-rc1"; empty for none."""
    return tuple(int(number) for number in _NUMBER.findall((text or "").split("-", maxsplit=1)[0])[:4])


def _family(model: str, raw: Mapping[str, Any]) -> Family:
    # Only Android panels have a hybrid mode to tell of.
    if model in _CAMDROID or ("hybrid_enable" not in raw and _LIKE_CAMDROID.fullmatch(model)):
        return Family.CAMDROID
    return Family.ANDROID


def _kind(model: str) -> Kind:
    if model.startswith("aa"):
        return Kind.AA
    return Kind.BI if model.startswith(("bi", "ba")) else Kind.INDIVIDUAL

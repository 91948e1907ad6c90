"""Settings of face recognition, on panels with FB in their name (`/access/general/facerecognition`)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Self

from ...access import Similarity
from ..errors import InvalidValueError, StationProtocolError
from ..values import as_bool, as_list, as_text
from .caller import Caller
from .info import Kind, PanelInfo

PATH: Final = "/access/general/facerecognition"


class FaceMode(StrEnum):
    """How faces are recognised: by the picture alone, by further hardware as well, or by two models."""

    SOFTWARE = "software"
    HARDWARE = "3D"
    ANTISPOOFING = "antispoofing"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSettings:
    """The settings. What the panel does not say, or says in words that nobody knows, is None.

    `autostart` (begin at movement) exists on AA panels alone. `modes` are those that this panel takes, `told` its own
    word for the mode.
    """

    enabled: bool | None = None
    similarity: Similarity | None = None
    mode: FaceMode | None = None
    autostart: bool | None = None
    modes: tuple[FaceMode, ...] = ()
    told: str = ""

    @classmethod
    def parse(cls, raw: Mapping[str, Any], info: PanelInfo) -> Self:
        """Read the panel's object."""
        similarity, mode = as_text(raw.get("similarity")) or "", as_text(raw.get("mode")) or ""
        return cls(
            enabled=as_bool(raw.get("enable")),
            similarity=Similarity(similarity) if similarity in Similarity else None,
            mode=FaceMode(mode) if mode in FaceMode else None,
            autostart=as_bool(raw.get("autostart")) if info.kind is Kind.AA else None,
            modes=available_modes(raw, info),
            told=mode,
        )

    def body(self, info: PanelInfo) -> dict[str, Any]:
        """Build the object to write: `autostart` must be there on AA panels, and on no others.

        Raises InvalidValueError for an autostart that it does not have, StationProtocolError while a setting is not
        known.
        """
        if self.enabled is None or self.similarity is None:
            raise StationProtocolError("the panel did not tell its settings of face recognition")
        body = {"enable": self.enabled, "similarity": self.similarity.value, "mode": self._written_mode()}
        if info.kind is not Kind.AA:
            if self.autostart is not None:
                raise InvalidValueError("autostart", "exists on AA panels alone")
            return body
        # Required in writing, but not promised in reading.
        return {**body, "autostart": bool(self.autostart)}

    def _written_mode(self) -> str:
        # A mode of later firmware stays as it is.
        if not (mode := self.mode.value if self.mode is not None else self.told):
            raise StationProtocolError("the panel did not tell its mode of face recognition")
        return mode


def available_modes(raw: Mapping[str, Any], info: PanelInfo) -> tuple[FaceMode, ...]:
    """Find the modes that a panel takes, in a fixed order.

    `available_modes` is in some answers and not in others; individual panels name 3D in it and do not have it.
    """
    named = [as_text(mode) for mode in as_list(raw.get("available_modes")) or ()]
    if not any(mode in FaceMode for mode in named):
        named = [FaceMode.SOFTWARE, FaceMode.HARDWARE]
        if not info.api or info.since(2, 9):
            named.append(FaceMode.ANTISPOOFING)
    lacking = FaceMode.HARDWARE if info.kind is Kind.INDIVIDUAL else None
    return tuple(mode for mode in FaceMode if mode in named and mode is not lacking)


class Faces:
    """Commands on face recognition; StationUnsupportedError on a panel without it."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a panel."""
        self._caller = caller

    async def read(self) -> FaceSettings:
        """Read the settings."""
        return FaceSettings.parse(await self._caller.get(PATH), await self._caller.info())

    async def write(
        self,
        *,
        enabled: bool | None = None,
        similarity: Similarity | None = None,
        mode: FaceMode | None = None,
        autostart: bool | None = None,
    ) -> None:
        """Write what is given and keep the rest. A new `mode` takes effect after a reboot.

        Raises InvalidValueError for a mode or an autostart that this panel does not have.
        """
        async with self._caller.changing:
            await self._write(enabled, similarity, mode, autostart)

    async def _write(
        self, enabled: bool | None, similarity: Similarity | None, mode: FaceMode | None, autostart: bool | None
    ) -> None:
        current = await self.read()
        if mode is not None and mode not in current.modes:
            raise InvalidValueError("mode", f"must be one of {', '.join(current.modes)}")
        if mode is None and current.mode is FaceMode.HARDWARE and current.mode not in current.modes:
            # An individual panel that stands on 3D would refuse its own word: software is what it really does.
            mode = FaceMode.SOFTWARE
        wanted = replace(
            current,
            enabled=current.enabled if enabled is None else enabled,
            similarity=similarity or current.similarity,
            mode=mode or current.mode,
            autostart=current.autostart if autostart is None else autostart,
        )
        await self._caller.send("POST", PATH, wanted.body(await self._caller.info()))

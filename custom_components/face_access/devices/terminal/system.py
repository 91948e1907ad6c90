"""A terminal's identity, clock, power, hardware and volume (HTTP API 2.7 to 2.9, 2.13, 2.18)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..errors import StationProtocolError
from ..values import as_bool, as_int, as_list, as_text, check_number, check_text, from_base64, section
from .caller import Caller, Effect
from .values import check_time, read_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of hardware; None for what the device leaves empty."""

    maker: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What a terminal is made of. `lcd_models` are the screens that it supports, `four_g` whether it has a modem."""

    serial: str | None
    board: Part
    chip: Part
    flash: Part
    flash_size: int | None
    lcd: Part
    lcd_models: tuple[str, ...]
    motor: Part
    motor_type: str | None
    sensor: Part
    wifi: Part
    four_g: bool | None


def _part(raw: Mapping[str, Any]) -> Part:
    return Part(maker=_word(raw, "manu"), model=_word(raw, "model"))


def _word(raw: Mapping[str, Any], key: str) -> str | None:
    return (as_text(raw.get(key)) or "").strip() or None


def parse_hardware(reply: Mapping[str, Any]) -> Hardware:
    """Read the answer to "get hardware info" (2.13.1.2)."""
    lcd, flash, motor = section(reply, "Lcd"), section(reply, "Flash"), section(reply, "Motor")
    models = (as_text(model) for model in as_list(lcd.get("support")) or ())
    return Hardware(
        serial=_word(reply, "device_sn"),
        board=_part(section(reply, "Board")),
        chip=_part(section(reply, "Chip")),
        flash=_part(flash),
        flash_size=as_int(flash.get("size")),
        lcd=_part(lcd),
        lcd_models=tuple(model for model in models if model),
        motor=_part(motor),
        motor_type=_word(motor, "type"),
        sensor=_part(section(reply, "Sensor")),
        wifi=_part(section(reply, "WIFI")),
        four_g=as_bool(section(reply, "FourG").get("moduler_4g")),
    )


class System:
    """Commands on the device itself."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def heartbeat(self) -> None:
        """Ask for nothing but an answer (2.7). Whoever is no camera leaves the fields empty."""
        keys = ("ip", "device_sn", "device_no", "addr_no", "addr_name")
        await self._call("heart beat", dict.fromkeys(keys, ""))

    async def auth_code(self) -> bytes:
        """Read the secret code that the owner of the device may store in it (2.8.1); empty where there is none."""
        reply = await self._call("request customer auth code")
        return from_base64(reply.get("customer_auth_code")) or b""

    async def time(self) -> datetime:
        """Read the clock: local time without a zone (2.9.1)."""
        moment = read_time((await self._call("request date time")).get("date_time"))
        if moment is None:
            raise StationProtocolError("the answer to 'request date time' has no time")
        return moment

    async def set_time(self, moment: datetime) -> None:
        """Set the clock to a local time without a zone (2.9.2). Never repeated: by then it would be another time."""
        await self._call("update date time", {"date_time": check_time("moment", moment)}, effect=Effect.ACT)

    async def reboot(self) -> None:
        """Start the device again (2.9.3)."""
        await self._call("reboot", effect=Effect.ACT)

    async def restart_application(self) -> None:
        """Start the device's application again (2.9.4)."""
        await self._call("restart application", effect=Effect.ACT)

    async def hardware(self) -> Hardware:
        """Read what the device is made of, and its serial number (2.13.1)."""
        return parse_hardware(await self._call("get hardware info"))

    async def set_hardware(self, *, lcd_model: str, four_g: bool, lcd_maker: str = "") -> None:
        """Tell the device which screen and modem it has (2.13.2). A wrong screen stays dark."""
        fields = {
            "Lcd": {
                "manu": check_text("lcd_maker", lcd_maker),
                "model": check_text("lcd_model", lcd_model, empty=False),
            },
            "FourG": {"moduler_4g": "YES" if four_g else "NO"},
        }
        await self._call("set hardware info", fields, effect=Effect.SET)

    async def volume(self) -> int:
        """Read the volume, 0 to 100 (2.18.2)."""
        volume = as_int((await self._call("camera volume", {"method": "GET"})).get("volume"))
        if volume is None:
            raise StationProtocolError("the answer to 'camera volume' has no volume")
        return volume

    async def set_volume(self, volume: int) -> None:
        """Set the volume, 0 to 100 (2.18.1)."""
        fields = {"method": "SET", "volume": check_number("volume", volume, 0, 100)}
        await self._call("camera volume", fields, effect=Effect.SET)

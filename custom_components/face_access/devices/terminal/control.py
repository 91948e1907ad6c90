"""A terminal's camera, relays and card output (HTTP API 2.4 to 2.6)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from ..errors import StationProtocolError
from ..values import MAX_U32, as_text, check_number, check_text, from_base64, section
from .caller import LONG_TIMEOUT, Caller, Effect
from .values import ID_LIMIT, card_fields, read_time


class OutputMode(StrEnum):
    """How an output is switched: TEST leaves no record, FORCE always acts, SCENE only where the output is enabled."""

    TEST = "test"
    FORCE = "force"
    SCENE = "scene"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A picture as the terminal's camera sees it now. `format` is the device's word (`jpg`), `time` its local time."""

    image: bytes = field(repr=False)
    format: str | None
    time: datetime | None


class Control:
    """Commands on what is wired to the terminal."""

    def __init__(self, caller: Caller) -> None:
        """Bind to a terminal."""
        self._call = caller.call

    async def snapshot(self) -> Snapshot:
        """Take a picture (2.4)."""
        reply = await self._call("snapshot", timeout=LONG_TIMEOUT)
        picture = section(reply, "image")
        image = from_base64(picture.get("image_data"))
        if image is None:
            raise StationProtocolError("the answer to 'snapshot' has no picture")
        return Snapshot(image=image, format=as_text(picture.get("format")), time=read_time(picture.get("time_stamp")))

    async def open(self, port: int = 1, *, mode: OutputMode = OutputMode.FORCE, person_id: str | None = None) -> None:
        """Close the contact of relay `port` for the hold time of the device; it opens by itself (2.5).

        `person_id` goes into the record of the opening, in online mode.
        """
        fields = {"port": check_number("port", port, 1, MAX_U32), "ctrl_type": "on", "ctrl_mode": mode.value}
        await self._call("gpio control", fields | _person(person_id), effect=Effect.ACT)

    async def send_card(
        self,
        card: int,
        *,
        long: bool = False,
        mode: OutputMode = OutputMode.FORCE,
        person_id: str | None = None,
    ) -> None:
        """Send a card number over the Wiegand output (2.6); more than 32 bits, or `long`, for Wiegand 36, 44, 66."""
        number = card_fields(card, long=long, short_key="wiegand_card_no", long_key="long_card_id")
        # The short field must be there and 0 when the long one is used.
        fields: Mapping[str, Any] = {"wiegand_card_no": 0, **number, "ctrl_mode": mode.value, **_person(person_id)}
        await self._call("wiegand control", fields, effect=Effect.ACT)


def _person(person_id: str | None) -> dict[str, str]:
    return {} if person_id is None else {"person_id": check_text("person_id", person_id, ID_LIMIT)}

"""Messages to whoever stands at a station: spoken, or on its screen."""

from typing import Final, override

from homeassistant.components.notify import NotifyEntity, NotifyEntityFeature
from homeassistant.core import HomeAssistant
from homeassistant.helpers.entity_platform import AddConfigEntryEntitiesCallback

from .coordinator import FaceAccessConfigEntry, FaceAccessCoordinator
from .devices.errors import InvalidValueError
from .devices.station import Screen, ScreenText, Speech
from .entity import FaceAccessEntity
from .hub.errors import raise_translated

PARALLEL_UPDATES = 1

_LINE_HEIGHT: Final = 80
_BOTTOM_LINE: Final = ScreenText(text="").y


async def async_setup_entry(
    hass: HomeAssistant, entry: FaceAccessConfigEntry, async_add_entities: AddConfigEntryEntitiesCallback
) -> None:
    """Add what the station can speak and show with."""
    coordinator = entry.runtime_data
    if (speech := coordinator.station.speech) is not None:
        async_add_entities([SpeakNotify(coordinator, speech)])
    if (screen := coordinator.station.screen) is not None:
        async_add_entities([ScreenNotify(coordinator, screen)])


class SpeakNotify(FaceAccessEntity, NotifyEntity):
    """Speaks with the station's own voice."""

    _attr_translation_key = "speak"

    def __init__(self, coordinator: FaceAccessCoordinator, speech: Speech) -> None:
        """Bind to the station's voice."""
        super().__init__(coordinator, "speak")
        self._speech = speech

    @override
    @raise_translated
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Speak the message. A title is for reading and stays unspoken."""
        await self._speech.say(message)


class ScreenNotify(FaceAccessEntity, NotifyEntity):
    """Shows text on the station's screen."""

    _attr_translation_key = "screen"
    _attr_supported_features = NotifyEntityFeature.TITLE

    def __init__(self, coordinator: FaceAccessCoordinator, screen: Screen) -> None:
        """Bind to the station's screen."""
        super().__init__(coordinator, "screen")
        self._screen = screen

    @override
    @raise_translated
    async def async_send_message(self, message: str, title: str | None = None) -> None:
        """Show the title and the message, each of its lines as one on the screen."""
        await self._screen.show_text(_lines(message, title))


def _lines(message: str, title: str | None) -> tuple[ScreenText, ...]:
    """Lay out lines upwards from where a single one stands. Raises InvalidValueError when they do not fit."""
    texts = [text.strip() for text in [title or "", *message.splitlines()] if text.strip()]
    most = _BOTTOM_LINE // _LINE_HEIGHT + 1
    if not 1 <= len(texts) <= most:
        raise InvalidValueError("message", f"1 to {most} lines, not {len(texts)}", "lines", most=most, lines=len(texts))
    top = _BOTTOM_LINE - _LINE_HEIGHT * (len(texts) - 1)
    return tuple(ScreenText(text=text, y=top + _LINE_HEIGHT * number) for number, text in enumerate(texts))

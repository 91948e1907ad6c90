"""What a station publishes on Home Assistant's own MQTT broker."""

from collections.abc import Awaitable, Callable

from homeassistant.components import mqtt
from homeassistant.core import CALLBACK_TYPE, HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from ...access import StationEvent
from ...const import LOGGER
from ...devices.station import Broker

type Hear = Callable[[tuple[StationEvent, ...]], Awaitable[None]]


class BrokerEar:
    """Listens to one station's topic while MQTT is there. The station is pointed to the broker by its owner."""

    def __init__(self, hass: HomeAssistant, broker: Broker | None, hear: Hear) -> None:
        """Bind to a station that may publish something."""
        self._hass = hass
        self._broker = broker
        self._hear = hear
        self._stop: CALLBACK_TYPE | None = None

    async def async_listen(self) -> bool:
        """Subscribe, unless that was done; whether there is a broker to listen to."""
        if self._broker is None or not self._hass.config_entries.async_loaded_entries(mqtt.DOMAIN):
            self.stop()
            return False
        if self._stop is None:
            try:
                # Not decoded: a payload may be of any quality.
                self._stop = await mqtt.async_subscribe(self._hass, self._broker.topic, self._on_message, encoding=None)
            except HomeAssistantError as err:
                LOGGER.debug("no subscription: %s", err)
                return False
        return True

    def stop(self) -> None:
        """Listen no longer."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    async def _on_message(self, message: mqtt.ReceiveMessage) -> None:
        if self._broker is None or message.retain:
            # Kept by the broker from some time before: no news.
            return
        payload = message.payload
        events = self._broker.receive(payload.encode() if isinstance(payload, str) else bytes(payload))
        await self._hear(events)

"""MQTT: a panel publishes its log to a broker once its owner points it to one, in place of BAS-IP Link."""

from ...access import StationEvent
from .push import Receiver


class PanelBroker:
    """The panel's publications."""

    def __init__(self, serial: str, receiver: Receiver) -> None:
        """Bind to a panel; `receiver` knows what came another way."""
        self.topic = f"server/request/v0/{serial}"
        self._receiver = receiver

    def receive(self, payload: bytes) -> tuple[StationEvent, ...]:
        """Understand a publication. Never raises."""
        return self._receiver.publication(payload)

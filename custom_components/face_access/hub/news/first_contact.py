"""A station that calls us for the first time: the addresses it is given, open while the flow waits."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from homeassistant.components import webhook
from homeassistant.const import CONF_WEBHOOK_ID
from homeassistant.core import HomeAssistant, callback

from ...const import CONF_CONTROL_ID, CONF_FAMILY, DOMAIN
from ...devices import FAMILIES
from ...devices.station import StationInfo
from ..house import async_open_link, async_time_zone
from .edge import read_body, respond
from .push_target import async_target


@callback
def async_addresses(hass: HomeAssistant, data: Mapping[str, Any]) -> dict[str, str]:
    """Find what has to be entered at a station that calls us. The two paths differ, as the device demands (1.1.3)."""
    control = async_target(hass, data[CONF_CONTROL_ID], local_only=True)
    upload = async_target(hass, data[CONF_WEBHOOK_ID], local_only=True)
    return {
        "server": f"https://{control.host}" if control.secure else control.host,
        "port": str(control.port),
        "control_path": control.path,
        "upload_path": upload.path,
    }


class FirstContact:
    """Both webhooks of a station that is not set up yet; what it sees meanwhile is acknowledged and not kept."""

    def __init__(self, hass: HomeAssistant, data: dict[str, Any]) -> None:
        """Choose the addresses, put their ids into `data` and open them. Raises NoURLAvailableError."""
        self._hass = hass
        data[CONF_WEBHOOK_ID] = webhook.async_generate_id()
        data[CONF_CONTROL_ID] = webhook.async_generate_id()
        self.addresses = async_addresses(hass, data)
        self.link = async_open_link(hass, data)
        # Only the edge of this stranger is needed, so it goes under a name that no device has.
        info = StationInfo(serial="", name="", manufacturer="")
        self._inbox = FAMILIES[data[CONF_FAMILY]].station(self.link, info, async_time_zone()).expect_inbox()
        self._ids = (data[CONF_WEBHOOK_ID], data[CONF_CONTROL_ID])
        for webhook_id in self._ids:
            webhook.async_register(
                hass, DOMAIN, "Face Access", webhook_id, self._handle, local_only=True, allowed_methods=("POST",)
            )

    async def _handle(self, _hass: HomeAssistant, _webhook_id: str, request: web.Request) -> web.Response:
        body = await read_body(request)
        message = self._inbox.receive(body)
        if message.asks_command:
            return respond(await self._inbox.exchange(body))
        return respond(message.answer())

    @callback
    def async_close(self) -> None:
        """Close the addresses. The link stays, for the entry or for `async_close_link`."""
        for webhook_id in self._ids:
            webhook.async_unregister(self._hass, webhook_id)

"""What a household may set of a recognition server: the scores that it asks for, on the server's own scale."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.helpers import selector
import probatio as vol

from ..hub.servers.coordinator import CONF_SERVER
from ..recognition.servers.numbers import Number, in_order
from ..recognition.servers.table import SERVERS


class ServerOptionsFlow(OptionsFlowWithReload):
    """The household's preferences for one server."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Begin."""
        del user_input
        return await self.async_step_server()

    async def async_step_server(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all numbers at once."""
        errors: dict[str, str] = {}
        if user_input is not None:
            if in_order(user_input):
                return self.async_create_entry(data=user_input)
            errors["base"] = "scores_out_of_order"
        kind = SERVERS[self.config_entry.data[CONF_SERVER]]
        schema = vol.Schema(
            {vol.Required(number.key, default=number.default): _selector(number) for number in kind.numbers}
        )
        schema = self.add_suggested_values_to_schema(schema, user_input or self.config_entry.options)
        return self.async_show_form(
            step_id="server", data_schema=schema, errors=errors, description_placeholders={"server": kind.name}
        )


def _selector(number: Number) -> selector.NumberSelector:
    mode = selector.NumberSelectorMode.BOX
    return selector.NumberSelector(
        selector.NumberSelectorConfig(min=number.low, max=number.high, step=number.step, mode=mode)
    )

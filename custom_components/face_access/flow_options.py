"""The household's preferences for one station, as far as it has a use for them."""

from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.helpers import selector
import probatio as vol

from .access import DoorMode
from .const import (
    CONF_DENIED_TEXT,
    CONF_DOOR_MODE,
    CONF_DOORS,
    CONF_GRANTED_TEXT,
    CONF_LIVENESS_REQUIRED,
    CONF_LOCAL_ONLY,
    DEFAULT_DENIED_TEXT,
    DEFAULT_GRANTED_TEXT,
)

OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_DOORS, default=1): vol.All(
            selector.NumberSelector(
                selector.NumberSelectorConfig(min=1, max=4, step=1, mode=selector.NumberSelectorMode.BOX)
            ),
            vol.Coerce(int),
        ),
        vol.Required(CONF_DOOR_MODE, default=DoorMode.NOTIFY_ONLY): selector.SelectSelector(
            selector.SelectSelectorConfig(options=list(DoorMode), translation_key=CONF_DOOR_MODE)
        ),
        vol.Required(CONF_LIVENESS_REQUIRED, default=True): selector.BooleanSelector(),
        vol.Optional(CONF_GRANTED_TEXT, default=DEFAULT_GRANTED_TEXT): selector.TextSelector(),
        vol.Optional(CONF_DENIED_TEXT, default=DEFAULT_DENIED_TEXT): selector.TextSelector(),
        vol.Required(CONF_LOCAL_ONLY, default=True): selector.BooleanSelector(),
    }
)


class FaceAccessOptionsFlow(OptionsFlowWithReload):
    """The household's preferences for one station."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all of them at once."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = self.add_suggested_values_to_schema(OPTIONS_SCHEMA, self.config_entry.options)
        return self.async_show_form(step_id="init", data_schema=schema)

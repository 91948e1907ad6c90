"""The household's preferences for one station, as far as it has a use for them."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.helpers import selector
import probatio as vol

from .access import DoorMode, Factor
from .const import (
    CONF_ANSWER_QUESTIONS,
    CONF_BROKER,
    CONF_BROKER_ENCRYPTED,
    CONF_BROKER_PASSWORD,
    CONF_BROKER_URL,
    CONF_BROKER_WRITE,
    CONF_DENIED_TEXT,
    CONF_DOOR_MODE,
    CONF_DOORS,
    CONF_FACTORS,
    CONF_FACTORS_WITHIN,
    CONF_GRANTED_TEXT,
    CONF_KEEP_DAYS,
    CONF_KEEP_MOST,
    CONF_LIVENESS_REQUIRED,
    CONF_LOCAL_ONLY,
    CONF_STREAM_PATH,
    CONF_STREAM_PORT,
    DEFAULT_DENIED_TEXT,
    DEFAULT_FACTORS_WITHIN,
    DEFAULT_GRANTED_TEXT,
)
from .devices.station import Station, StreamCamera
from .hub.broker_target import async_suggestion
from .hub.house import async_make_station
from .hub.retention import DEFAULT, MOST_DAYS, MOST_SIGHTINGS

# Terminals have four relays; Camdroid panels with relay modules have eight locks.
MOST_DOORS = 8
_LONGEST_URL = 2000
_FOR_BROKER = (CONF_BROKER, CONF_BROKER_WRITE)


def _whole(most: int) -> vol.All[Any]:
    config = selector.NumberSelectorConfig(min=1, max=most, step=1, mode=selector.NumberSelectorMode.BOX)
    return vol.All(selector.NumberSelector(config), vol.Coerce(int))


OPTIONS_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_DOORS, default=1): _whole(MOST_DOORS),
        vol.Required(CONF_DOOR_MODE, default=DoorMode.NOTIFY_ONLY): selector.SelectSelector(
            selector.SelectSelectorConfig(options=list(DoorMode), translation_key=CONF_DOOR_MODE)
        ),
        vol.Required(CONF_LIVENESS_REQUIRED, default=True): selector.BooleanSelector(),
        vol.Optional(CONF_FACTORS, default=[]): selector.SelectSelector(
            selector.SelectSelectorConfig(options=list(Factor), multiple=True, translation_key="second_factors")
        ),
        vol.Required(CONF_FACTORS_WITHIN, default=DEFAULT_FACTORS_WITHIN): _whole(300),
        vol.Optional(CONF_GRANTED_TEXT, default=DEFAULT_GRANTED_TEXT): selector.TextSelector(),
        vol.Optional(CONF_DENIED_TEXT, default=DEFAULT_DENIED_TEXT): selector.TextSelector(),
        vol.Required(CONF_ANSWER_QUESTIONS, default=False): selector.BooleanSelector(),
        vol.Required(CONF_BROKER, default=False): selector.BooleanSelector(),
        vol.Required(CONF_BROKER_WRITE, default=False): selector.BooleanSelector(),
        vol.Required(CONF_KEEP_DAYS, default=DEFAULT.span.days): _whole(MOST_DAYS),
        vol.Required(CONF_KEEP_MOST, default=DEFAULT.most): _whole(MOST_SIGHTINGS),
        vol.Required(CONF_LOCAL_ONLY, default=True): selector.BooleanSelector(),
        vol.Optional(CONF_STREAM_PORT): _whole(65535),
        vol.Optional(CONF_STREAM_PATH): selector.TextSelector(),
    }
)


BROKER_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_BROKER_URL): vol.All(selector.TextSelector(), vol.Length(min=1, max=_LONGEST_URL)),
        # Optional, since the one that is known is not shown.
        vol.Optional(CONF_BROKER_PASSWORD): selector.TextSelector(
            selector.TextSelectorConfig(type=selector.TextSelectorType.PASSWORD, autocomplete="new-password")
        ),
        vol.Required(CONF_BROKER_ENCRYPTED, default=False): selector.BooleanSelector(),
    }
)

# What only some stations have a use for. A panel asks about cards and codes, which have no liveness, and has no voice.
_FOR: Mapping[str, Callable[[Station], bool]] = {
    CONF_LIVENESS_REQUIRED: lambda station: station.questions is None,
    CONF_FACTORS: lambda station: station.questions is None,
    CONF_FACTORS_WITHIN: lambda station: station.questions is None,
    CONF_GRANTED_TEXT: lambda station: station.speech is not None,
    CONF_DENIED_TEXT: lambda station: station.speech is not None,
    CONF_ANSWER_QUESTIONS: lambda station: station.questions is not None,
    CONF_BROKER: lambda station: station.broker is not None,
    CONF_BROKER_WRITE: lambda station: station.broker is not None,
    CONF_STREAM_PORT: lambda station: isinstance(station.camera, StreamCamera),
    CONF_STREAM_PATH: lambda station: isinstance(station.camera, StreamCamera),
}


class FaceAccessOptionsFlow(OptionsFlowWithReload):
    """The household's preferences for one station."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        self._chosen: dict[str, Any] = {}

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all of them at once; then how the station reaches the broker that it is to be pointed to."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._chosen = user_input
            if not user_input.get(CONF_BROKER_WRITE):
                return self.async_create_entry(data=user_input)
            if user_input.get(CONF_BROKER):
                return await self.async_step_broker()
            errors[CONF_BROKER_WRITE] = "not_listening"
        schema = self.add_suggested_values_to_schema(self._schema(), user_input or self.config_entry.options)
        return self.async_show_form(step_id="init", data_schema=schema, errors=errors)

    async def async_step_broker(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the broker as the station shall have it. An empty password keeps the one that is known."""
        known = self.config_entry.options
        if user_input is not None:
            password = user_input.get(CONF_BROKER_PASSWORD) or known.get(CONF_BROKER_PASSWORD, "")
            return self.async_create_entry(data={**self._chosen, **user_input, CONF_BROKER_PASSWORD: password})
        suggested = {CONF_BROKER_URL: async_suggestion(self.hass)} | dict(known)
        suggested.pop(CONF_BROKER_PASSWORD, None)
        schema = self.add_suggested_values_to_schema(BROKER_SCHEMA, suggested)
        placeholders = {"name": self.config_entry.title, "serial": self.config_entry.unique_id or ""}
        return self.async_show_form(step_id="broker", data_schema=schema, description_placeholders=placeholders)

    def _schema(self) -> vol.Schema:
        station, options = async_make_station(self.hass, self.config_entry.data), self.config_entry.options
        # Without MQTT there is nothing to listen on, but what was chosen can always be taken back.
        mqtt = bool(self.hass.config_entries.async_loaded_entries("mqtt")) or bool(options.get(CONF_BROKER))
        fields = {
            key: value
            for key, value in OPTIONS_SCHEMA.schema.items()
            if (str(key) not in _FOR or _FOR[str(key)](station)) and (str(key) not in _FOR_BROKER or mqtt)
        }
        return vol.Schema({**fields, vol.Required(CONF_DOORS, default=1): _whole(len(station.doors))})

"""The household's preferences for one station, as far as it has a use for them, and what each of its doors asks for."""

from collections.abc import Callable, Mapping
from typing import Any

from homeassistant.config_entries import ConfigFlowResult, OptionsFlowWithReload
from homeassistant.core import callback
from homeassistant.helpers import selector
import probatio as vol

from ..access import AT_THE_DOOR, Factor
from ..const import (
    CONF_ANSWER_QUESTIONS,
    CONF_BROKER,
    CONF_BROKER_ENCRYPTED,
    CONF_BROKER_PASSWORD,
    CONF_BROKER_URL,
    CONF_BROKER_WRITE,
    CONF_DENIED_TEXT,
    CONF_DOOR_MODE,
    CONF_DOOR_POLICIES,
    CONF_DOORS,
    CONF_FACTORS,
    CONF_FACTORS_WITHIN,
    CONF_GRANTED_TEXT,
    CONF_KEEP_DAYS,
    CONF_KEEP_MOST,
    CONF_LOCAL_ONLY,
    CONF_MINIMUM_SCORE,
    CONF_STREAM_PATH,
    CONF_STREAM_PORT,
    DEFAULT_DENIED_TEXT,
    DEFAULT_GRANTED_TEXT,
)
from ..devices.station import Station, StreamCamera
from ..entity import async_door_name
from ..hub.doors.policies import policy_part, wired_doors, with_policies
from ..hub.history.retention import DEFAULT, MOST_DAYS, MOST_SIGHTINGS
from ..hub.house import async_make_station
from ..hub.news.broker_target import async_suggestion
from .forms import policy_fields, whole

_LONGEST_URL = 2000
_FOR_BROKER = (CONF_BROKER, CONF_BROKER_WRITE)

KEEP_FIELDS: Mapping[vol.Marker, Any] = {
    vol.Required(CONF_KEEP_DAYS, default=DEFAULT.span.days): whole(MOST_DAYS),
    vol.Required(CONF_KEEP_MOST, default=DEFAULT.most): whole(MOST_SIGHTINGS),
}
STATION_SCHEMA = vol.Schema(
    {
        vol.Optional(CONF_GRANTED_TEXT, default=DEFAULT_GRANTED_TEXT): selector.TextSelector(),
        vol.Optional(CONF_DENIED_TEXT, default=DEFAULT_DENIED_TEXT): selector.TextSelector(),
        vol.Required(CONF_ANSWER_QUESTIONS, default=False): selector.BooleanSelector(),
        vol.Required(CONF_BROKER, default=False): selector.BooleanSelector(),
        vol.Required(CONF_BROKER_WRITE, default=False): selector.BooleanSelector(),
        **KEEP_FIELDS,
        vol.Required(CONF_LOCAL_ONLY, default=True): selector.BooleanSelector(),
        vol.Optional(CONF_STREAM_PORT): whole(65535),
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

# What only some stations have a use for.
_FOR: Mapping[str, Callable[[Station], bool]] = {
    CONF_GRANTED_TEXT: lambda station: station.speech is not None,
    CONF_DENIED_TEXT: lambda station: station.speech is not None,
    CONF_ANSWER_QUESTIONS: lambda station: station.questions is not None,
    CONF_BROKER: lambda station: station.broker is not None,
    CONF_BROKER_WRITE: lambda station: station.broker is not None,
    CONF_STREAM_PORT: lambda station: isinstance(station.camera, StreamCamera),
    CONF_STREAM_PATH: lambda station: isinstance(station.camera, StreamCamera),
}


# Where second factors are wanted, a card alone is not enough: a face that a camera sees must come with it.
_OF_CARDS = (CONF_DOOR_MODE, CONF_FACTORS, CONF_FACTORS_WITHIN)


def door_fields(station: Station, number: int) -> dict[vol.Marker, Any]:
    """Ask what one of a station's doors asks for before it opens."""
    fields = policy_fields([one for one in Factor if one in station.factors or one not in AT_THE_DOOR])
    if station.questions is not None:
        # It asks about cards and codes, which have no liveness and no score.
        return {key: field for key, field in fields.items() if key in _OF_CARDS}
    # It asks about faces at its first door. For a camera at another one, the station's scores are another scale.
    return {key: field for key, field in fields.items() if number == 1 or key != CONF_MINIMUM_SCORE}


class FaceAccessOptionsFlow(OptionsFlowWithReload):
    """The household's preferences for one station: one form while one door is wired, else one more for each door."""

    def __init__(self) -> None:
        """Start with nothing chosen."""
        self._chosen: dict[str, Any] = {}
        self._policies: dict[str, dict[str, Any]] = {}

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all that is the station's; and for its door where it has one."""
        errors: dict[str, str] = {}
        options = self.config_entry.options
        one_door = wired_doors(options) == 1
        if user_input is not None:
            if not user_input.get(CONF_BROKER_WRITE) or user_input.get(CONF_BROKER):
                self._chosen = user_input
                self._policies = {"1": policy_part(user_input)} if one_door else {}
                return await self._next()
            errors[CONF_BROKER_WRITE] = "not_listening"
        suggested = {**options, **(self._known(1) if one_door else {})}
        schema = self.add_suggested_values_to_schema(self._schema(one_door=one_door), user_input or suggested)
        last = None if one_door else False
        return self.async_show_form(step_id="init", data_schema=schema, errors=errors, last_step=last)

    async def async_step_door(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for what one of several doors asks for: the next one that was not asked for."""
        number = len(self._policies) + 1
        if user_input is not None:
            self._policies[str(number)] = user_input
            return await self._next()
        schema = vol.Schema(door_fields(self._station, number))
        schema = self.add_suggested_values_to_schema(schema, self._known(number))
        last = number == self._chosen[CONF_DOORS] and not self._chosen.get(CONF_BROKER_WRITE)
        name = async_door_name(self.hass, self.config_entry.unique_id or "", number) or self.config_entry.title
        placeholders = {"number": str(number), "name": name}
        return self.async_show_form(
            step_id="door", data_schema=schema, description_placeholders=placeholders, last_step=last
        )

    async def async_step_broker(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the broker as the station shall have it. An empty password keeps the one that is known."""
        known = self.config_entry.options
        if user_input is not None:
            password = user_input.get(CONF_BROKER_PASSWORD) or known.get(CONF_BROKER_PASSWORD, "")
            return self._keep({**user_input, CONF_BROKER_PASSWORD: password})
        suggested = {CONF_BROKER_URL: async_suggestion(self.hass)} | dict(known)
        suggested.pop(CONF_BROKER_PASSWORD, None)
        schema = self.add_suggested_values_to_schema(BROKER_SCHEMA, suggested)
        placeholders = {"name": self.config_entry.title, "serial": self.config_entry.unique_id or ""}
        return self.async_show_form(step_id="broker", data_schema=schema, description_placeholders=placeholders)

    async def _next(self) -> ConfigFlowResult:
        """Ask for what is left: doors, then the broker."""
        if len(self._policies) < self._chosen[CONF_DOORS]:
            return await self.async_step_door()
        if self._chosen.get(CONF_BROKER_WRITE):
            return await self.async_step_broker()
        return self._keep({})

    @callback
    def _keep(self, broker: Mapping[str, Any]) -> ConfigFlowResult:
        return self.async_create_entry(data=with_policies({**self._chosen, **broker}, self._policies))

    def _known(self, door: int) -> Mapping[str, Any]:
        """What is known of a door's policy."""
        known: Mapping[str, Any] = self.config_entry.options.get(CONF_DOOR_POLICIES, {}).get(str(door), {})
        return known

    @property
    def _station(self) -> Station:
        return async_make_station(self.hass, self.config_entry.data)

    def _schema(self, *, one_door: bool) -> vol.Schema:
        station, options = self._station, self.config_entry.options
        # Without MQTT there is nothing to listen on, but what was chosen can always be taken back.
        mqtt = bool(self.hass.config_entries.async_loaded_entries("mqtt")) or bool(options.get(CONF_BROKER))
        fields = {
            key: value
            for key, value in STATION_SCHEMA.schema.items()
            if (str(key) not in _FOR or _FOR[str(key)](station)) and (str(key) not in _FOR_BROKER or mqtt)
        }
        doors = {vol.Required(CONF_DOORS, default=1): whole(len(station.doors))}
        return vol.Schema({**doors, **(door_fields(station, 1) if one_door else {}), **fields})

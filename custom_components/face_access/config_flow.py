"""Adding a station: one that Home Assistant calls, or one that calls Home Assistant."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, override

from homeassistant.components import webhook
from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    OptionsFlowWithReload,
)
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_WEBHOOK_ID
from homeassistant.core import callback
from homeassistant.helpers import selector
from homeassistant.helpers.network import NoURLAvailableError
import probatio as vol

from .access import DoorMode
from .const import (
    CONF_DENIED_TEXT,
    CONF_DOOR_MODE,
    CONF_DOORS,
    CONF_FAMILY,
    CONF_FEATURES,
    CONF_GRANTED_TEXT,
    CONF_LIVENESS_REQUIRED,
    CONF_LOCAL_ONLY,
    CONF_PUSH,
    CONF_STATION,
    DEFAULT_DENIED_TEXT,
    DEFAULT_GRANTED_TEXT,
    DOMAIN,
    LOGGER,
)
from .devices import FAMILIES, Link
from .devices.errors import (
    InvalidValueError,
    StationConnectionError,
    StationError,
    StationProtocolError,
    StationTimeoutError,
)
from .devices.station import StationInfo
from .hub.first_contact import FirstContact, async_addresses
from .hub.house import async_close_link, async_open_link, async_time_zone

_PORT = selector.NumberSelector(
    selector.NumberSelectorConfig(min=1, max=65535, step=1, mode=selector.NumberSelectorMode.BOX)
)
DIRECT_SCHEMA = vol.Schema(
    {
        vol.Required(CONF_HOST): selector.TextSelector(),
        vol.Required(CONF_PORT): vol.All(_PORT, vol.Coerce(int)),
    }
)
PUSH_SCHEMA = vol.Schema({vol.Required(CONF_PUSH, default=True): selector.BooleanSelector()})
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
# Long enough to walk to the device and type in the addresses.
_FIRST_CONTACT_TIMEOUT = 15 * 60
_ASK_AGAIN = 1


class FaceAccessConfigFlow(ConfigFlow, domain=DOMAIN):
    """Ask how the station is reached, prove who it is, and ask whether it may send us what it sees."""

    VERSION = 1
    MINOR_VERSION = 1

    def __init__(self) -> None:
        """Start with nothing known."""
        self._data: dict[str, Any] = {CONF_FAMILY: "terminal"}
        self._contact: FirstContact | None = None
        self._waiting: asyncio.Task[StationInfo] | None = None

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> FaceAccessOptionsFlow:
        """Offer the household's preferences."""
        return FaceAccessOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose who calls whom."""
        return self.async_show_menu(step_id="user", menu_options=["direct", "callback"])

    # Home Assistant calls the station

    async def async_step_direct(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the address and prove that a station answers there."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._data |= user_input
            info = await self._identify(errors)
            if info is not None:
                return await self._proven(info)
        defaults: Mapping[str, Any] = {CONF_PORT: FAMILIES[self._data[CONF_FAMILY]].DEFAULT_PORT}
        if self.source == SOURCE_RECONFIGURE:
            defaults = self._get_reconfigure_entry().data
        schema = self.add_suggested_values_to_schema(DIRECT_SCHEMA, user_input or defaults)
        return self.async_show_form(step_id="direct", data_schema=schema, errors=errors)

    async def _identify(self, errors: dict[str, str]) -> StationInfo | None:
        """Ask the station who it is and what it has."""
        try:
            link = async_open_link(self.hass, self._data)
        except InvalidValueError:
            errors[CONF_HOST] = "invalid_host"
            return None
        try:
            return await self._learn(link)
        except StationError as err:
            errors["base"] = _error_key(err)
        return None

    async def _learn(self, link: Link) -> StationInfo:
        family = FAMILIES[self._data[CONF_FAMILY]]
        info = await family.identify(link)
        reading = await family.station(link, info, async_time_zone()).reader.read()
        self._data[CONF_STATION] = asdict(info)
        self._data[CONF_FEATURES] = sorted({*reading.settings, *reading.facts})
        return info

    async def _proven(self, info: StationInfo) -> ConfigFlowResult:
        """Go on with a station whose serial number is known."""
        await self.async_set_unique_id(info.serial)
        if self.source == SOURCE_RECONFIGURE:
            self._abort_if_unique_id_mismatch(
                reason="wrong_station",
                description_placeholders={
                    "expected": self._get_reconfigure_entry().unique_id or "",
                    "found": info.serial,
                },
            )
            return self.async_update_reload_and_abort(self._get_reconfigure_entry(), data_updates=self._data)
        addresses: dict[str, Any] = {key: self._data[key] for key in (CONF_HOST, CONF_PORT) if key in self._data}
        self._abort_if_unique_id_configured(updates=addresses)
        return await self.async_step_push()

    # The station calls Home Assistant

    async def async_step_callback(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show the addresses to enter at the station and wait until it asks for the first time."""
        if self._contact is None:
            try:
                self._contact = FirstContact(self.hass, self._data)
            except NoURLAvailableError:
                return self.async_abort(reason="no_url")
        if self._waiting is None:
            self._waiting = self.hass.async_create_task(self._wait(self._contact), "face_access first contact")
        if not self._waiting.done():
            return self.async_show_progress(
                step_id="callback",
                progress_action="wait_for_station",
                description_placeholders=self._contact.addresses,
                progress_task=self._waiting,
            )
        if (err := self._waiting.exception()) is not None:
            LOGGER.debug("no first contact: %s", type(err).__name__)
            return self.async_show_progress_done(next_step_id="not_seen")
        return self.async_show_progress_done(next_step_id="seen")

    async def _wait(self, contact: FirstContact) -> StationInfo:
        async with asyncio.timeout(_FIRST_CONTACT_TIMEOUT):
            while True:
                try:
                    return await self._learn(contact.link)
                except StationConnectionError:
                    # Nobody has called yet, or called once and went away again.
                    await asyncio.sleep(_ASK_AGAIN)

    async def async_step_not_seen(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Nobody called, or what called made no sense: offer to wait again."""
        if user_input is None:
            placeholders = self._contact.addresses if self._contact else {}
            return self.async_show_form(step_id="not_seen", description_placeholders=placeholders)
        self._waiting = None
        return await self.async_step_callback()

    async def async_step_seen(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """The station called: go on with it."""
        if self._waiting is None:
            return await self.async_step_callback()
        return await self._proven(self._waiting.result())

    # Both

    async def async_step_push(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for consent to write our address into the station."""
        station = self._data[CONF_STATION]
        if user_input is None:
            placeholders = {"name": station["name"], "serial": station["serial"]}
            return self.async_show_form(step_id="push", data_schema=PUSH_SCHEMA, description_placeholders=placeholders)
        self._data[CONF_PUSH] = user_input[CONF_PUSH]
        self._data.setdefault(CONF_WEBHOOK_ID, webhook.async_generate_id())
        self._let_go()
        return self.async_create_entry(title=station["name"], data=self._data)

    @callback
    def _let_go(self) -> None:
        if self._contact is not None:
            self._contact.async_close()
            self._contact = None

    @callback
    @override
    def async_remove(self) -> None:
        """Close the addresses of an abandoned flow, and the link that no entry took over."""
        if self._waiting is not None:
            self._waiting.cancel()
        if self._contact is not None:
            self.hass.async_create_task(async_close_link(self.hass, self._data), "face_access abandoned flow")
        self._let_go()

    # Later

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a new address of the same station, or show the addresses that it was given."""
        entry = self._get_reconfigure_entry()
        if CONF_HOST in entry.data:
            return await self.async_step_direct()
        return await self.async_step_addresses()

    async def async_step_addresses(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show again what has to be entered at a station that calls us."""
        if user_input is not None:
            return self.async_abort(reason="addresses_shown")
        entry = self._get_reconfigure_entry()
        try:
            placeholders = async_addresses(self.hass, entry.data)
        except NoURLAvailableError:
            return self.async_abort(reason="no_url")
        return self.async_show_form(step_id="addresses", description_placeholders=placeholders)


class FaceAccessOptionsFlow(OptionsFlowWithReload):
    """The household's preferences for one station."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for all of them at once."""
        if user_input is not None:
            return self.async_create_entry(data=user_input)
        schema = self.add_suggested_values_to_schema(OPTIONS_SCHEMA, self.config_entry.options)
        return self.async_show_form(step_id="init", data_schema=schema)


def _error_key(err: StationError) -> str:
    match err:
        case StationTimeoutError():
            return "timeout"
        case StationConnectionError():
            return "cannot_connect"
        case StationProtocolError():
            return "not_a_station"
        case _:
            LOGGER.debug("the station refused: %s", err)
            return "refused"

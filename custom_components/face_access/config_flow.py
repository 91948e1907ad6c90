"""Adding a station: one that Home Assistant calls, or one that calls Home Assistant."""

import asyncio
from collections.abc import Mapping
import contextlib
from dataclasses import asdict
from typing import Any, override

from homeassistant.components import webhook
from homeassistant.config_entries import (
    SOURCE_REAUTH,
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigFlow,
    ConfigFlowResult,
    ConfigSubentryFlow,
    OptionsFlow,
)
from homeassistant.const import (
    CONF_HOST,
    CONF_PASSWORD,
    CONF_PORT,
    CONF_SSL,
    CONF_USERNAME,
    CONF_VERIFY_SSL,
    CONF_WEBHOOK_ID,
)
from homeassistant.core import callback
from homeassistant.helpers.network import NoURLAvailableError

from .const import CONF_FAMILY, CONF_FEATURES, CONF_PUSH, CONF_STATION, DOMAIN, LOGGER, MINOR_VERSION, VERSION
from .devices import FAMILIES, Link
from .devices.errors import (
    InvalidValueError,
    StationConnectionError,
    StationError,
    StationForbiddenError,
    StationProtocolError,
    StationRefusedError,
    StationUnsupportedError,
)
from .devices.station import StationInfo
from .flows.camera import CameraFlowMixin, CameraOptionsFlow
from .flows.forms import DIRECT_SCHEMA, LOGIN_SCHEMA, PANEL_SCHEMA, PUSH_SCHEMA, error_key, panel_port
from .flows.options import FaceAccessOptionsFlow
from .flows.people import PeopleFlowMixin, PersonFlow
from .flows.server_options import ServerOptionsFlow
from .flows.servers import ServerFlowMixin
from .hub.cameras.station import is_camera
from .hub.house import async_close_link, async_open_link, async_time_zone
from .hub.news.first_contact import FirstContact, async_addresses
from .hub.people.entry import SUBENTRY_PERSON, is_people
from .hub.servers.coordinator import CONF_SERVER, is_server
from .recognition.servers.table import SERVERS

# How a station is reached: what a new address of a known one replaces.
_WAY = (CONF_HOST, CONF_PORT, CONF_SSL, CONF_VERIFY_SSL, CONF_USERNAME, CONF_PASSWORD)
# What a new password proves: the account, and what the station says with it.
_PROVEN = (CONF_USERNAME, CONF_PASSWORD, CONF_STATION, CONF_FEATURES)
# Long enough to walk to the device and type in the addresses.
_FIRST_CONTACT_TIMEOUT = 15 * 60
_ASK_AGAIN = 1


class FaceAccessConfigFlow(CameraFlowMixin, PeopleFlowMixin, ServerFlowMixin, ConfigFlow, domain=DOMAIN):
    """Ask how the station is reached, prove who it is, and ask whether it may send us what it sees."""

    VERSION = VERSION
    MINOR_VERSION = MINOR_VERSION

    def __init__(self) -> None:
        """Start with nothing known."""
        super().__init__()
        self._data: dict[str, Any] = {CONF_FAMILY: "terminal"}
        self._contact: FirstContact | None = None
        self._waiting: asyncio.Task[StationInfo] | None = None

    @classmethod
    @callback
    @override
    def async_get_supported_subentry_types(cls, config_entry: ConfigEntry) -> dict[str, type[ConfigSubentryFlow]]:
        """Offer people in the entry of the people."""
        return {SUBENTRY_PERSON: PersonFlow} if is_people(config_entry) else {}

    @classmethod
    @callback
    @override
    def async_supports_options_flow(cls, config_entry: ConfigEntry) -> bool:
        """Stations have preferences, and servers with scores of their own; people have none."""
        if is_server(config_entry):
            return bool(SERVERS[config_entry.data[CONF_SERVER]].numbers)
        return not is_people(config_entry)

    @staticmethod
    @callback
    @override
    def async_get_options_flow(config_entry: ConfigEntry) -> OptionsFlow:
        """Offer the household's preferences."""
        if is_server(config_entry):
            return ServerOptionsFlow()
        return CameraOptionsFlow() if is_camera(config_entry) else FaceAccessOptionsFlow()

    @override
    async def async_step_user(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose what it is, and who calls whom."""
        options = ["panel", "direct", "callback", "camera", "people", "server"]
        return self.async_show_menu(step_id="user", menu_options=options)

    # Home Assistant calls the station

    async def async_step_panel(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a panel's address and its account, and prove both."""
        errors: dict[str, str] = {}
        if user_input is not None:
            password = user_input.get(CONF_PASSWORD) or self._known.get(CONF_PASSWORD, "")
            self._data |= {**user_input, CONF_FAMILY: "panel", CONF_PASSWORD: password}
            self._data[CONF_PORT] = panel_port(user_input, FAMILIES["panel"].DEFAULT_PORT)
            if (info := await self._identify(errors)) is not None:
                return await self._proven(info)
        known = {key: value for key, value in self._known.items() if key != CONF_PASSWORD}
        schema = self.add_suggested_values_to_schema(PANEL_SCHEMA, user_input or known)
        return self.async_show_form(step_id="panel", data_schema=schema, errors=errors)

    async def async_step_direct(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a terminal's address and prove that one answers there."""
        errors: dict[str, str] = {}
        if user_input is not None:
            self._data |= user_input
            if (info := await self._identify(errors)) is not None:
                return await self._proven(info)
        defaults = self._known or {CONF_PORT: FAMILIES[self._data[CONF_FAMILY]].DEFAULT_PORT}
        schema = self.add_suggested_values_to_schema(DIRECT_SCHEMA, user_input or defaults)
        return self.async_show_form(step_id="direct", data_schema=schema, errors=errors)

    @property
    def _known(self) -> Mapping[str, Any]:
        """What the entry has that is to be changed; nothing for a new one."""
        return self._get_reconfigure_entry().data if self.source == SOURCE_RECONFIGURE else {}

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
            errors["base"] = error_key(err)
        finally:
            await link.close()
        return None

    async def _learn(self, link: Link) -> StationInfo:
        family = FAMILIES[self._data[CONF_FAMILY]]
        info = await family.identify(link)
        station = family.station(link, info, async_time_zone())
        if station.feed is not None:
            # Its log tells more of what it has; one that will not be read is no reason to stay out.
            with contextlib.suppress(
                StationForbiddenError, StationProtocolError, StationRefusedError, StationUnsupportedError
            ):
                await station.feed.poll()
        reading = await station.reader.read()
        self._data[CONF_STATION] = asdict(info)
        self._data[CONF_FEATURES] = sorted({*reading.settings, *reading.facts})
        return info

    async def _proven(self, info: StationInfo) -> ConfigFlowResult:
        """Go on with a station whose serial number is known."""
        known = await self.async_set_unique_id(info.serial)
        if self.source in (SOURCE_REAUTH, SOURCE_RECONFIGURE):
            reauth = self.source == SOURCE_REAUTH
            entry = self._get_reauth_entry() if reauth else self._get_reconfigure_entry()
            placeholders = {"expected": entry.unique_id or "", "found": info.serial}
            self._abort_if_unique_id_mismatch(reason="wrong_station", description_placeholders=placeholders)
            if reauth:
                # Whatever else the entry knows may have changed while the form was open.
                proven = {key: self._data[key] for key in _PROVEN if key in self._data}
                return self.async_update_reload_and_abort(entry, data_updates=proven)
            return await self.async_step_push()
        if known is not None and CONF_HOST in self._data and CONF_HOST not in known.data:
            # With an address it would be reached another way, and the one in use would end without a word.
            return self.async_abort(reason="calls_already")
        self._abort_if_unique_id_configured(updates={key: self._data[key] for key in _WAY if key in self._data})
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
        """Ask for consent to write our address into the station; later on the same question takes it back."""
        station = self._data[CONF_STATION]
        if user_input is None:
            placeholders = {"name": station["name"], "serial": station["serial"]}
            schema = self.add_suggested_values_to_schema(PUSH_SCHEMA, self._known)
            return self.async_show_form(step_id="push", data_schema=schema, description_placeholders=placeholders)
        self._data[CONF_PUSH] = user_input[CONF_PUSH]
        if self.source == SOURCE_RECONFIGURE:
            return self.async_update_reload_and_abort(self._get_reconfigure_entry(), data_updates=self._data)
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
        """Close the addresses of an abandoned flow, and the link that no entry took over; end its download."""
        self._async_abandon()
        if self._waiting is not None:
            self._waiting.cancel()
        if self._contact is not None:
            self.hass.async_create_task(async_close_link(self.hass, self._data), "face_access abandoned flow")
        self._let_go()

    # Later

    async def async_step_reconfigure(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Take a new address or account of the same station, or show the addresses that it was given.

        A watched camera may be replaced by another one, and its models fetched again; a server may be another one.
        """
        if is_camera(self._get_reconfigure_entry()):
            return await self.async_step_camera()
        if is_server(self._get_reconfigure_entry()):
            return await self._async_fill_in(self._known[CONF_SERVER], None)
        self._data[CONF_FAMILY] = family = self._known[CONF_FAMILY]
        if CONF_HOST not in self._known:
            return await self.async_step_addresses()
        return await (self.async_step_panel() if FAMILIES[family].NEEDS_LOGIN else self.async_step_direct())

    async def async_step_addresses(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show again what has to be entered at a station that calls us."""
        if user_input is not None:
            self._data = {CONF_STATION: self._known[CONF_STATION]}
            return await self.async_step_push()
        try:
            placeholders = async_addresses(self.hass, self._known)
        except NoURLAvailableError:
            return self.async_abort(reason="no_url")
        return self.async_show_form(step_id="addresses", description_placeholders=placeholders)

    async def async_step_reauth(self, entry_data: Mapping[str, Any]) -> ConfigFlowResult:
        """The station, or the server, no longer takes our password."""
        if is_server(self._get_reauth_entry()):
            return await self._async_reauth_server()
        return await self.async_step_reauth_confirm()

    async def async_step_reauth_confirm(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the account, and prove it."""
        entry = self._get_reauth_entry()
        errors: dict[str, str] = {}
        if user_input is not None:
            self._data = {**entry.data, **user_input}
            if (info := await self._identify(errors)) is not None:
                return await self._proven(info)
        known = {CONF_USERNAME: entry.data.get(CONF_USERNAME)}
        schema = self.add_suggested_values_to_schema(LOGIN_SCHEMA, user_input or known)
        placeholders = {"name": entry.title}
        return self.async_show_form(
            step_id="reauth_confirm", data_schema=schema, errors=errors, description_placeholders=placeholders
        )

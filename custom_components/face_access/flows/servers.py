"""Adding and changing recognition servers: one form for each kind, made of what the kind wants to know."""

from collections.abc import Awaitable, Callable, Mapping
import logging
from typing import Any, Final, override

from homeassistant.config_entries import SOURCE_REAUTH, SOURCE_RECONFIGURE, ConfigEntry, ConfigFlowResult
from homeassistant.helpers import selector
from homeassistant.helpers.config_entry_oauth2_flow import AbstractOAuth2FlowHandler
import probatio as vol
from yarl import URL

from ..const import DOMAIN, LOGGER
from ..hub.servers.coordinator import CONF_SERVER, async_make
from ..hub.servers.entry import async_moved
from ..hub.servers.people import async_keep_otherwise
from ..hub.servers.sign_in import CONF_TOKEN, signs_in_at
from ..recognition.errors import (
    EngineAddressError,
    EngineAuthError,
    EngineCertificateError,
    EngineError,
    EngineForbiddenError,
    EngineInsecureError,
    EngineLimitError,
    EngineProtocolError,
    EngineRefusedError,
    EngineTimeoutError,
    EngineUnreachableError,
)
from ..recognition.servers.kind import Field, FieldKind, HalfLoginError, ServerKind, TokenProvider, usable_list
from ..recognition.servers.table import SERVERS
from ..recognition.smartface import TOO_OLD

AUTH_IMPLEMENTATION: Final = "auth_implementation"
STEP: Final = "server_"
FORGET_LOGIN: Final = "forget_login"
# The most specific class comes first.
_ERRORS: Final[Mapping[type[EngineError], str]] = {
    EngineInsecureError: "https_needed",
    EngineAddressError: "invalid_url",
    HalfLoginError: "half_login",
    EngineTimeoutError: "server_timeout",
    EngineCertificateError: "server_certificate",
    EngineUnreachableError: "server_cannot_connect",
    EngineAuthError: "server_invalid_auth",
    EngineForbiddenError: "server_invalid_auth",
    EngineLimitError: "server_limit",
    EngineRefusedError: "server_refused",
    EngineProtocolError: "not_a_server",
    EngineError: "not_a_server",
}


def server_error_key(err: EngineError) -> str:
    """Find the flow's word for an error."""
    LOGGER.debug("not set up: %s", err)
    if isinstance(err, EngineRefusedError) and err.code == TOO_OLD:
        return "server_too_old"
    return next(key for kind, key in _ERRORS.items() if isinstance(err, kind))


class ServerFlowMixin(AbstractOAuth2FlowHandler):
    """The steps that make, change and sign in to the entry of a recognition server."""

    DOMAIN = DOMAIN
    # What is known so far, as it will stand in the entry.
    _server: dict[str, Any]
    # Whether the server had to make the list of people: whoever was given to it is not on it any more.
    _anew: bool = False

    @property
    @override
    def logger(self) -> logging.Logger:
        """Where Home Assistant's own part of signing in logs to."""
        return LOGGER

    async def async_step_server(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Choose the kind of server; each has a step of its own."""
        return self.async_show_menu(step_id="server", menu_options=[f"{STEP}{kind}" for kind in SERVERS])

    async def _async_fill_in(self, name: str, user_input: dict[str, Any] | None) -> ConfigFlowResult:
        """Ask for what a kind of server wants to know, and prove it."""
        kind, errors = SERVERS[name], dict[str, str]()
        known = self._entry_data
        if user_input is not None:
            self._server = {CONF_SERVER: name, **_merged(kind, user_input, known)}
            errors = _faults(kind, self._server)
            if not errors and kind.signs_in:
                if not (errors := self._made_faults()):
                    return await self.async_step_pick_implementation()
            elif not errors and not (errors := await self._async_probe()):
                return await self._async_proven(self._server)
        shown = {key: value for key, value in (user_input or known).items() if key not in _secrets(kind)}
        schema = self.add_suggested_values_to_schema(_schema(kind.fields, known), shown)
        return self.async_show_form(step_id=f"{STEP}{name}", data_schema=schema, errors=errors)

    @property
    def _entry_data(self) -> Mapping[str, Any]:
        """What the entry has that is to be changed; nothing for a new one."""
        entry = self._changed_entry
        return {} if entry is None else entry.data

    @property
    def _changed_entry(self) -> ConfigEntry[Any] | None:
        if self.source == SOURCE_REAUTH:
            return self._get_reauth_entry()
        return self._get_reconfigure_entry() if self.source == SOURCE_RECONFIGURE else None

    def _made_faults(self) -> dict[str, str]:
        """Find what is wrong before anybody is asked."""
        try:
            async_make(self.hass, self._server)
        except EngineError as err:
            return {"base": server_error_key(err)}
        return {}

    async def _async_probe(self, tokens: TokenProvider | None = None) -> dict[str, str]:
        """Find what is wrong by asking the server."""
        try:
            engine = async_make(self.hass, self._server, tokens).engine
            await engine.probe()
        except EngineError as err:
            return {"base": server_error_key(err)}
        self._anew = engine.register is not None and engine.register.anew
        return {}

    async def _async_proven(self, data: Mapping[str, Any]) -> ConfigFlowResult:
        """Make or change the entry of a server that let us in."""
        name = data[CONF_SERVER]
        kind = SERVERS[name]
        unique_id = f"{name}|{kind.place(data)}"
        known = await self.async_set_unique_id(unique_id)
        entry = self._changed_entry
        if self._anew and known is not None and known is not entry:
            await async_moved(self.hass, known)
            self.hass.config_entries.async_schedule_reload(known.entry_id)
        if entry is None:
            self._abort_if_unique_id_configured()
            return self.async_create_entry(title=_title(kind, data), data=dict(data))
        if known is not None and known.entry_id != entry.entry_id:
            return self.async_abort(reason="already_configured")
        if unique_id != entry.unique_id or self._anew:
            await async_moved(self.hass, entry)
        elif any(field.rebuild and data.get(field.key) != entry.data.get(field.key) for field in kind.fields):
            await async_keep_otherwise(self.hass, entry)
        return self.async_update_reload_and_abort(entry, unique_id=unique_id, data=dict(data))

    # A login that the server no longer takes

    async def _async_reauth_server(self) -> ConfigFlowResult:
        """Ask again in the way of the kind."""
        kind = SERVERS[self._get_reauth_entry().data[CONF_SERVER]]
        return await (self.async_step_sign_in_again() if kind.signs_in else self.async_step_server_login())

    async def async_step_server_login(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the login alone, and prove it."""
        entry, errors = self._get_reauth_entry(), dict[str, str]()
        kind = SERVERS[entry.data[CONF_SERVER]]
        fields = tuple(field for field in kind.fields if field.login)
        if user_input is not None:
            kept = {key: value for key, value in entry.data.items() if key not in {field.key for field in fields}}
            self._server = {**kept, **_given(user_input)}
            if not (errors := await self._async_probe()):
                return await self._async_proven(self._server)
        shown = {key: value for key, value in (user_input or entry.data).items() if key not in _secrets(kind)}
        schema = self.add_suggested_values_to_schema(_schema(fields, {}), shown)
        placeholders = {"name": entry.title}
        return self.async_show_form(
            step_id="server_login", data_schema=schema, errors=errors, description_placeholders=placeholders
        )

    async def async_step_sign_in_again(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask before the browser leaves for the service's own pages."""
        entry = self._get_reauth_entry()
        if user_input is None:
            return self.async_show_form(step_id="sign_in_again", description_placeholders={"name": entry.title})
        self._server = {key: value for key, value in entry.data.items() if key not in (CONF_TOKEN, AUTH_IMPLEMENTATION)}
        return await self.async_step_pick_implementation({"implementation": entry.data[AUTH_IMPLEMENTATION]})

    # Signing in at a service's own pages

    @override
    async def async_step_auth(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Send the browser to the pages that the form named."""
        self.flow_impl = signs_in_at(self.flow_impl, self._server)
        return await super().async_step_auth(user_input)

    @override
    async def async_oauth_create_entry(self, data: dict[str, Any]) -> ConfigFlowResult:
        """Prove the token, and make or change the entry."""

        async def token(refused: str | None = None) -> str:
            if refused is not None:
                raise EngineAuthError("the service does not take its own token")
            found: str = data[CONF_TOKEN]["access_token"]
            return found

        if errors := await self._async_probe(token):
            return self.async_abort(reason=errors["base"])
        return await self._async_proven({**self._server, **data})


def _step(name: str) -> Callable[[ServerFlowMixin, dict[str, Any] | None], Awaitable[ConfigFlowResult]]:
    async def step(self: ServerFlowMixin, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        return await self._async_fill_in(name, user_input)

    return step


# Home Assistant finds a step by its name: a new kind of server gets its own by its line in the table.
for _name in SERVERS:
    setattr(ServerFlowMixin, f"async_step_{STEP}{_name}", _step(_name))


def _given(user_input: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what was left empty; nobody means the spaces around an address."""
    texts = {key: value.strip() if isinstance(value, str) else value for key, value in user_input.items()}
    return {key: value for key, value in texts.items() if value != ""}


def _merged(kind: ServerKind, user_input: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
    """Take what was filled in. A form never shows a secret: with none filled in, those that are known stay.

    They stay where they are, though: another address does not get them, nor do they outlive what they belong to.
    """
    given = _given(user_input)
    if given.pop(FORGET_LOGIN, False):
        login = {field.key for field in kind.fields if field.login}
        return {key: value for key, value in given.items() if key not in login}
    if _secrets(kind) & given.keys() or _addresses(kind, given) != _addresses(kind, known):
        return given
    kept = [field for field in kind.fields if field.kind is FieldKind.SECRET and field.key in known]
    return given | {field.key: known[field.key] for field in kept if field.beside is None or field.beside in given}


def _addresses(kind: ServerKind, values: Mapping[str, Any]) -> list[str]:
    """Name everything that may be sent a secret."""
    return [str(values.get(field.key, "")).rstrip("/") for field in kind.fields if field.kind is FieldKind.ADDRESS]


def _secrets(kind: ServerKind) -> set[str]:
    return {field.key for field in kind.fields if field.kind is FieldKind.SECRET}


def _faults(kind: ServerKind, values: Mapping[str, Any]) -> dict[str, str]:
    """Find the fields that cannot be meant."""
    faults: dict[str, str] = {}
    for field in kind.fields:
        value = values.get(field.key)
        if field.required and value is None:
            faults[field.key] = "missing"
        elif field.kind is FieldKind.LIST and not usable_list(str(value)):
            faults[field.key] = "invalid_list_name"
        elif field.consent and not value:
            faults[field.key] = "consent_missing"
    return faults


def _schema(fields: tuple[Field, ...], known: Mapping[str, Any]) -> vol.Schema:
    """Make a form. A secret that is known need not be given again; one that need not be at all can be forgotten."""
    schema: dict[vol.Marker, Any] = {}
    for field in fields:
        needed = field.required and not (field.kind is FieldKind.SECRET and field.key in known)
        default = vol.UNDEFINED if field.default is None else field.default
        marker = vol.Required if needed or field.kind is FieldKind.TOGGLE else vol.Optional
        schema[marker(field.key, default=default)] = _selector(field)
    if any(field.kind is FieldKind.SECRET and field.key in known and not field.required for field in fields):
        schema[vol.Required(FORGET_LOGIN, default=False)] = selector.BooleanSelector()
    return vol.Schema(schema)


def _selector(field: Field) -> selector.Selector[Any]:
    match field.kind:
        case FieldKind.TOGGLE:
            return selector.BooleanSelector()
        case FieldKind.CHOICE:
            config = selector.SelectSelectorConfig(options=list(field.options), translation_key=field.key)
            return selector.SelectSelector(config)
        case FieldKind.SECRET:
            return selector.TextSelector(selector.TextSelectorConfig(type=selector.TextSelectorType.PASSWORD))
        case FieldKind.ADDRESS:
            return selector.TextSelector(selector.TextSelectorConfig(type=selector.TextSelectorType.URL))
        case _:
            return selector.TextSelector()


def _title(kind: ServerKind, data: Mapping[str, Any]) -> str:
    """Name an entry by what it is and where, so that two of a kind are told apart."""
    addresses = [data[field.key] for field in kind.fields if field.kind is FieldKind.ADDRESS and field.key in data]
    return kind.name if kind.leaves_house or not addresses else f"{kind.name} ({URL(addresses[0]).host})"
